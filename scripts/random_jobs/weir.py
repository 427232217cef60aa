"""Runs jobs with `weir test`, many in one process, and makes those that differ smaller."""

import json
import pathlib
import subprocess
import tempfile

from jobs import REFUSALS

# Tries before a job is small enough.
MOST_TRIES = 1_500


class Weir:
    """The binary, and the seed of its stress."""

    def __init__(self, binary, stress=None):
        self.binary, self.stress = binary, stress

    def run(self, texts):
        """Runs tests, given as names to texts. Returns what is told of each by its name."""
        with tempfile.TemporaryDirectory() as place:
            for name, text in texts.items():
                (pathlib.Path(place) / f"{name}.test.toml").write_text(text)
            command = [self.binary, "test", "--json", place]
            if self.stress is not None:
                command.append(f"--stress={self.stress}")
            answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode not in (0, 1):
            raise RuntimeError(f"weir test ended with {answer.returncode}:\n{answer.stderr}")
        told = {}
        for line in answer.stdout.splitlines():
            one = json.loads(line)
            told[pathlib.Path(one["test"]).name.removesuffix(".test.toml")] = one
        return told

    def complaint(self, name, job, engine):
        """Returns what is wrong with one job and its text, or None."""
        text = job.test_text(job.expected(engine))
        told = self.run({name: text})[name]
        return None if told["passed"] else (told["message"], text)

    def shrink(self, name, job, engine):
        """Makes a job smaller as long as it differs in the same way. The name stays, as stress depends on it."""
        found = self.complaint(name, job, engine)
        if found is None:
            return None
        wanted, tries = what_kind(found[0]), 0
        progress = True
        while progress and tries < MOST_TRIES:
            progress = False
            for less in job.smaller():
                tries += 1
                if tries >= MOST_TRIES:
                    break
                try:
                    smaller = self.complaint(name, less, engine)
                except REFUSALS:
                    continue
                if smaller and what_kind(smaller[0]) == wanted:
                    job, found, progress = less, smaller, True
                    break
        return found


def what_kind(message):
    """Tells differences apart so far that a wrong result does not shrink to a refusal."""
    for kind in ("error[CS", "panicked", "under stress", "did not end", "withdraws the row", "dirty records"):
        if kind in message:
            return kind + (message.split("\n")[0] if kind == "error[CS" else "")
    return "rows"
