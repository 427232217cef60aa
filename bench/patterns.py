"""Patterns over hundreds of thousands of partitions: what a row costs, and that state follows the partitions, not the rows."""

import random
import re
import statistics
import sys

import queries
from process import run

# Partitions, and rows of each. State must not grow between the last two.
SIZES = ((30_000, 10), (300_000, 5), (300_000, 10))

# Time from one row of a partition to its next.
STEP_MS = 60_000

JOB = """CREATE SOURCE STREAM readings (device BIGINT, v BIGINT, ts TIMESTAMP) WITH (
  type = "file", path = "{path}", encode = "json"
) TIMESTAMP BY ts.rowtime SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 1 SECOND);
CREATE SINK STREAM result (device BIGINT, low BIGINT, middle BIGINT, high BIGINT) WITH ({sink});
INSERT INTO result
SELECT * FROM readings MATCH_RECOGNIZE (
  PARTITION BY device ORDER BY ts
  MEASURES A.v AS low, LAST(B.v) AS middle, C.v AS high
  ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A B+ C) WITHIN INTERVAL '5' MINUTE
  DEFINE A AS A.v < 20, B AS B.v >= 20 AND B.v < 80, C AS C.v >= 80
) AS M;
"""


def readings(partitions, rows):
    """Yields device, value and milliseconds: every device once a minute, in an order that has nothing to do with their numbers."""
    dice = random.Random(partitions)
    devices = list(range(partitions))
    dice.shuffle(devices)
    for minute in range(rows):
        for place, device in enumerate(devices):
            yield device, dice.randrange(100), minute * STEP_MS + place * STEP_MS // partitions


def readings_file(partitions, rows):
    queries.DATA.mkdir(exist_ok=True)
    path = queries.DATA / f"readings-{partitions}-{rows}.json"
    if not path.exists():
        print(f"making {path.relative_to(queries.HERE.parent)}", flush=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("w") as file:
            for device, value, passed in readings(partitions, rows):
                moment = f"2024-01-01 00:{passed // 60_000:02d}:{passed // 1_000 % 60:02d}.{passed % 1_000:03d}"
                file.write(f'{{"device":{device},"v":{value},"ts":"{moment}"}}\n')
        unfinished.rename(path)
    return path


def expected(partitions, rows):
    """Returns how many matches there are: a regular expression over the rows of each device finds the same ones."""
    letters = [[] for _ in range(partitions)]
    for device, value, _ in readings(partitions, rows):
        letters[device].append("A" if value < 20 else "B" if value < 80 else "C")
    # Of one row a minute those of less than five minutes are five.
    return sum(len(re.findall("AB{1,3}C", "".join(row))) for row in letters)


def measure(weir, partitions, rows, options, flink):
    path = readings_file(partitions, rows)
    text = JOB.format(path=path, sink='type = "blackhole"')
    usages = [run(weir, text, options.parallelism, metrics=True) for _ in range(options.runs)]
    matches = expected(partitions, rows)
    if {usage.rows_out for usage in usages} != {matches}:
        sys.exit(f"{[usage.rows_out for usage in usages]} matches, there are {matches}")
    figure = {
        "partitions": partitions,
        "rows": partitions * rows,
        "matches": matches,
        "cpu_seconds": statistics.median(usage.cpu_seconds for usage in usages),
        "state_bytes": max(usage.state_bytes for usage in usages),
        "peak_bytes": max(usage.peak_bytes for usage in usages),
    }
    if flink:
        figure["flink"] = flink.cpu_seconds(weir, text, {"readings": path})
    return figure


def show(figure):
    taken = figure.get("flink", "")
    told = taken if isinstance(taken, str) else f"{taken:.2f} s"
    print(
        f"{figure['partitions']:>10,} {figure['rows'] / 1e6:>6.2f} M {figure['matches']:>9,} {figure['cpu_seconds']:>7.2f} s"
        f" {figure['rows'] / figure['cpu_seconds'] / 1e6:>9.3f} M {figure['state_bytes'] / 2**20:>6.0f} MB"
        f" {figure['state_bytes'] / figure['partitions']:>13.0f} {figure['peak_bytes'] / 2**20:>6.0f} MB  {told}",
        flush=True,
    )


def measure_all(weir, options, flink):
    print(f"{'partitions':>10} {'rows':>8} {'matches':>9} {'CPU':>9} {'per CPU-s':>11} {'state':>9} {'per partition':>13} {'peak':>9}"
          f"{'  Flink, CPU' if flink else ''}")
    figures = []
    for partitions, rows in SIZES:
        figures.append(measure(weir, partitions, rows, options, flink))
        show(figures[-1])
    return figures
