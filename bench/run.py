#!/usr/bin/env python3
"""Measures Nexmark queries on the release build and checks their results against DuckDB.

    make bench                         everything, as in docs/performance.md
    make bench ARGS="--queries q0 q2 --inputs json --runs 5"

Every query runs twice over: over an in-process generator, and over JSON lines in a file; both end in a sink that
throws rows away. Before it is measured it runs once at a smaller size into a file, whose rows must be those that
DuckDB computes from the same events. Time is that of the whole process, start and planning included; CPU-seconds and
peak memory are those of the process and everything it started, as the kernel counted them.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
DATA = HERE / "data"

# Name of the query, and the stream it reads.
QUERIES = {
    "q0": "bid",
    "q1": "bid",
    "q2": "bid",
    "q5_hop_count": "bid",
    "q7_tumble_max": "bid",
    "q8_tumble_seller": "auction",
    "q11_session": "bid",
}

# Of 50 events of the generator so many are of the stream.
ROUND = 50
SHARE = {"bid": 46, "auction": 3}

# Million events per CPU-second that the first milestone asks for.
GOALS = {
    ("q0", "generator"): 1.0,
    ("q5_hop_count", "generator"): 0.3,
    ("q11_session", "generator"): 0.12,
    ("q0", "json"): 1.2,
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", nargs="+", choices=list(QUERIES), default=list(QUERIES))
    parser.add_argument("--inputs", nargs="+", choices=["generator", "json"], default=["generator", "json"])
    parser.add_argument("--events", type=int, default=9_200_000, help="bids from the generator")
    parser.add_argument("--json-events", type=int, default=1_840_000, help="bids as JSON lines")
    parser.add_argument("--check-events", type=int, default=184_000, help="bids of the run that DuckDB checks")
    parser.add_argument("--parallelism", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3, help="the median of so many runs is shown")
    parser.add_argument("--weir", type=pathlib.Path, help="the binary; default: the release build")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--no-check", action="store_true", help="measure only")
    what.add_argument("--only-check", action="store_true", help="compare with DuckDB only")
    parser.add_argument("--json-report", type=pathlib.Path, help="write the figures to this file too")
    return parser.parse_args()


def release_binary():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, check=True, capture_output=True
    )
    return pathlib.Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "weir"


def fill(template, **values):
    text = (HERE / "nexmark" / template).read_text()
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def rounds_of(bids):
    """Returns so many rounds of the generator that they hold about this many bids."""
    return max(1, bids // SHARE["bid"])


def source(stream, kind, rounds, splits, path=None):
    """Returns the text of a source over so many rounds of the generator."""
    if kind == "json":
        return fill(f"source_{stream}_json.sql", path=path)
    return fill(f"source_{stream}_generator.sql", events=rounds * ROUND, splits=splits)


class Usage:
    """What one run cost."""

    def __init__(self, seconds, cpu_seconds, peak_bytes):
        self.seconds = seconds
        self.cpu_seconds = cpu_seconds
        self.peak_bytes = peak_bytes


def run(weir, text, parallelism=1):
    """Runs a job to its end and returns what it cost; a failure ends the benchmark."""
    with tempfile.TemporaryDirectory() as place:
        job = pathlib.Path(place) / "job.sql"
        job.write_text(text)
        messages = pathlib.Path(place) / "messages"
        with messages.open("wb") as output:
            start = time.monotonic()
            process = subprocess.Popen(
                [weir, "run", job, "--parallelism", str(parallelism)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"weir run ended with {process.returncode}:\n{messages.read_text()}\nthe job:\n{text}")
        return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


# What a measured line holds more than the generator gives, so that a bid is about 335 bytes, the size for which the
# goals and the figures of other engines were taken.
PADDED = "CONCAT(extra, '-', extra, '-', SUBSTRING(extra FROM 1 FOR 20))"


def events_file(weir, stream, rounds, padded=False):
    """Returns a file with the rows of the stream as JSON lines; makes it when it is not there."""
    DATA.mkdir(exist_ok=True)
    path = DATA / f"{stream}-{rounds * SHARE[stream]}{'-padded' if padded else ''}.json"
    if not path.exists():
        print(f"making {path.relative_to(ROOT)}", flush=True)
        unfinished = path.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        columns = source(stream, "generator", rounds, 1).split("(", 1)[1].split(") WITH", 1)[0]
        sink = f'CREATE SINK STREAM written ({columns}) WITH (type = "file", path = "{unfinished}", encode = "json");'
        names = [column.split()[0] for column in columns.split(",")]
        selected = ", ".join(PADDED if padded and name == "extra" else name for name in names)
        text = f"{source(stream, 'generator', rounds, 1)}\n{sink}\nINSERT INTO written SELECT {selected} FROM {stream};\n"
        run(weir, text)
        unfinished.rename(path)
    return path


def as_text(value):
    return "" if value is None else str(value)


def csv_rows(path):
    with path.open() as file:
        return sorted(line.rstrip("\n") for line in file)


def timestamps_as_written(row):
    """DuckDB shows microseconds where the csv encoding shows milliseconds."""
    shown = []
    for value in row:
        text = as_text(value)
        if hasattr(value, "microsecond") and value.microsecond:
            text = text[:-3]
        shown.append(text)
    return ",".join(shown)


def check(weir, query, bids, parallelism):
    """Compares the rows of a query over generator and file with those that DuckDB computes."""
    import duckdb

    stream = QUERIES[query]
    rounds = rounds_of(bids)
    path = events_file(weir, stream, rounds)
    connection = duckdb.connect()
    connection.execute(f"CREATE VIEW events AS SELECT * FROM read_json('{path}', format = 'newline_delimited')")
    computed = connection.sql((HERE / "nexmark" / f"{query}.duckdb.sql").read_text()).fetchall()
    expected = sorted(timestamps_as_written(row) for row in computed)
    for kind in ("generator", "json"):
        with tempfile.TemporaryDirectory() as place:
            out = pathlib.Path(place) / "result.csv"
            sink = f'type = "file", path = "{out}", encode = "csv", field_delimiter = ","'
            run(weir, source(stream, kind, rounds, 1, path) + "\n" + fill(f"{query}.sql", sink=sink), parallelism)
            found = csv_rows(out)
        if found != expected:
            missing = set(expected) - set(found)
            surplus = set(found) - set(expected)
            sys.exit(
                f"{query} over {kind}: {len(found)} rows, DuckDB has {len(expected)}\n"
                f"missing, for example: {sorted(missing)[:3]}\nsurplus, for example: {sorted(surplus)[:3]}"
            )
    return len(expected)


def measure(weir, query, kind, options):
    stream = QUERIES[query]
    rounds = rounds_of(options.events if kind == "generator" else options.json_events)
    rows = rounds * SHARE[stream]
    path = events_file(weir, stream, rounds, padded=True) if kind == "json" else None
    text = source(stream, kind, rounds, options.parallelism, path)
    text += "\n" + fill(f"{query}.sql", sink='type = "blackhole"')
    usages = [run(weir, text, options.parallelism) for _ in range(options.runs)]
    return {
        "query": query,
        "input": kind,
        "events": rows,
        "bytes": path.stat().st_size if path else None,
        "events_per_second": rows / statistics.median(usage.seconds for usage in usages),
        "cpu_seconds": statistics.median(usage.cpu_seconds for usage in usages),
        "peak_bytes": max(usage.peak_bytes for usage in usages),
        "goal": GOALS.get((query, kind)),
    }


def show(figure):
    per_cpu = figure["events"] / figure["cpu_seconds"] / 1e6
    goal = figure["goal"]
    verdict = "" if goal is None else f"  goal {goal:.2f}: {'met' if per_cpu >= goal else f'missed by {1 - per_cpu / goal:.0%}'}"
    print(
        f"{figure['query']:<17} {figure['input']:<10} {figure['events'] / 1e6:>7.2f} M"
        f" {figure['events_per_second'] / 1e6:>9.3f} M/s {figure['cpu_seconds']:>8.2f} s"
        f" {per_cpu:>9.3f} M {figure['peak_bytes'] / 2**20:>7.0f} MB{verdict}",
        flush=True,
    )


def main():
    options = arguments()
    weir = options.weir or release_binary()
    if not weir.exists():
        sys.exit(f"there is no {weir}; run `make bench` or give --weir")
    if options.only_check:
        for query in options.queries:
            rows = check(weir, query, options.check_events, options.parallelism)
            print(f"{query:<17} {rows} rows, as DuckDB has them", flush=True)
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    print(f"weir {commit.strip()}, parallelism {options.parallelism}, median of {options.runs}, {os.cpu_count()} cores", flush=True)
    if not options.no_check:
        # In a process of its own: what this process holds when it starts another counts into that one's peak.
        code = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--only-check"]).returncode
        if code != 0:
            sys.exit(code)
    print(f"{'query':<17} {'input':<10} {'events':>9} {'events/s':>13} {'CPU':>10} {'per CPU-s':>11} {'peak':>10}")
    figures = []
    for kind in options.inputs:
        for query in options.queries:
            figure = measure(weir, query, kind, options)
            figures.append(figure)
            show(figure)
    if options.json_report:
        options.json_report.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
