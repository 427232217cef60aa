"""Column (a): the job on Weir's own engine, by `weir run` with files in the place of its streams."""

import pathlib
import re
import subprocess
import tempfile

import values

SECONDS = 60


class WeirError(Exception):
    """The job was refused or failed."""


def run(weir, case, place):
    """Runs the job; returns the changes of each output as (kind, row), and what `weir run` said."""
    job = place / "job.sql"
    job.write_text(case.sql)
    clock = case.record_clock
    command = [weir, "run", job, "--row-kinds", "--record-clock", f"{clock['start_ms']},{clock['step_ms']}"]
    for stream in case.job.streams.values():
        if stream.kind in ("source", "table"):
            given = case.input_texts[stream.name.lower()]
            path = place / f"{stream.name}.in"
            path.write_text(given if isinstance(given, str) else "".join(given))
            command += ["--bind", f"{stream.name}={path}"]
        elif stream.kind == "sink":
            command += ["--bind", f"{stream.name}={place / stream.name}.out"]
    if "time_zone" in case.keys:
        command += ["--time-zone", case.keys["time_zone"]]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    if answer.returncode != 0:
        raise WeirError(answer.stderr.strip())
    changes = {output: read_changes(case, output, place / f"{case.stream(output).name}.out") for output in case.outputs}
    return changes, answer.stderr


def read_changes(case, output, path):
    sink = case.stream(output)
    found = []
    for line in path.read_text().splitlines():
        found.append((line[:2], case.rows_of_text(sink, line[3:] + "\n")[0]))
    return found


def losses(summary):
    """Sums the late and dirty rows, the last two columns of the table at the end of a run."""
    late = dirty = 0
    for line in summary.splitlines():
        numbers = re.search(r"(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$", line)
        if numbers:
            late += int(numbers.group(3))
            dirty += int(numbers.group(4))
    return {"late_rows": late, "dirty_records": dirty}


def check(case, weir):
    """Returns what differs, or None."""
    with tempfile.TemporaryDirectory() as place:
        try:
            changes, summary = run(weir, case, pathlib.Path(place))
        except WeirError as error:
            wanted = case.keys.get("fails")
            return None if wanted and wanted in str(error) else str(error)
    if "fails" in case.keys:
        return "the job should fail, and it did not"
    for name, count in losses(summary).items():
        if name in case.keys and case.keys[name] != count:
            return f"{case.keys[name]} {name.replace('_', ' ')} expected, {count} counted"
    for output in case.outputs:
        text = case.compare(output, changes[output])
        if text:
            return text
    return None
