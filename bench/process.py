"""Runs `weir run` and says what it cost, as the kernel counted it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Usage:
    """What one run cost: wall time, user and system time, and the largest resident memory."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    # Largest sum of the operators' state, as they count it themselves; None when it was not asked for.
    state_bytes: int = None
    # Rows that reached the sinks, likewise.
    rows_out: int = None


def release_binary():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, check=True, capture_output=True
    )
    return pathlib.Path(json.loads(metadata.stdout)["target_directory"]) / "release" / "weir"


def state_of(line):
    """Returns the bytes of state of all operators in a line of the metrics file."""
    return sum(node["state_bytes"] for node in line["nodes"])


def metrics_lines(path):
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def run(weir, text, parallelism=1, metrics=False):
    """Runs a job to its end and returns what it cost; a failure ends the benchmark."""
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        (place / "job.sql").write_text(text)
        command = [weir, "run", place / "job.sql", "--parallelism", str(parallelism)]
        if metrics:
            command += ["--metrics", place / "metrics"]
        with (place / "messages").open("wb") as output:
            start = time.monotonic()
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            messages = (place / "messages").read_text()
            sys.exit(f"weir run ended with {process.returncode}:\n{messages}\nthe job:\n{text}")
        told = Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
        if metrics:
            lines = metrics_lines(place / "metrics")
            told.state_bytes = max(map(state_of, lines))
            told.rows_out = sum(node["records_in"] for node in lines[-1]["nodes"] if node["kind"] == "sink")
        return told


def cpu_seconds(group):
    """Returns the user and system time of the processes of a group so far."""
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def resident_bytes(process):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


class Standing:
    """A job that does not end by itself, because its sources wait for more; use it with `with`."""

    def __init__(self, weir, text, records):
        self.command, self.text, self.records = [weir, "run"], text, records

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        place = pathlib.Path(self.directory.name)
        self.metrics = place / "metrics"
        (place / "job.sql").write_text(self.text)
        self.messages = (place / "messages").open("w+")
        self.process = subprocess.Popen(
            [*self.command, place / "job.sql", "--metrics", self.metrics],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.messages,
            start_new_session=True,
        )
        return self

    def settle(self, seconds=120):
        """Waits until all records have been read and nothing moves any more; returns state and resident bytes."""
        deadline = time.monotonic() + seconds
        before = None
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.messages.seek(0)
                sys.exit(f"weir run ended with {self.process.returncode}:\n{self.messages.read()}\nthe job:\n{self.text}")
            lines = metrics_lines(self.metrics)
            now = (lines[-1]["nodes"], cpu_seconds(self.process.pid)) if lines else None
            if now and sum(node["records_in"] for node in now[0] if node["kind"] == "source") == self.records:
                counts = [(node["records_in"], node["records_out"], node["state_bytes"]) for node in now[0]]
                if before and before[0] == counts and now[1] - before[1] < 0.3:
                    return state_of(lines[-1]), resident_bytes(self.process.pid)
                before = (counts, now[1])
            time.sleep(1.2)
        sys.exit(f"the job did not come to rest within {seconds} s:\n{self.text}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait()
        self.messages.close()
        self.directory.cleanup()
