"""Column (a): the job on Weir's own engine, by `weir test --json`."""

import json
import subprocess


class WeirError(Exception):
    """`weir test` itself failed."""


def run_all(weir, directory):
    """Runs every test below a directory; returns what `weir test --json` says of each, by path."""
    answer = subprocess.run([weir, "test", "--json", directory], capture_output=True, text=True)
    if answer.returncode not in (0, 1):
        raise WeirError(f"weir test ended with {answer.returncode}:\n{answer.stderr}")
    told = [json.loads(line) for line in answer.stdout.splitlines()]
    return {one["test"]: one for one in told}


def check(case, told):
    """Returns what differs, or None. `weir test` compared texts; the rows are compared as values too, as those of the others are."""
    if told is None:
        return "weir test did not run it"
    if not told["passed"]:
        return told["message"] or "it failed"
    for output in case.outputs:
        sink = case.stream(output)
        changes = [(kind, case.rows_of_text(sink, text + "\n")[0]) for kind, text in told["outputs"][output]["rows"]]
        text = case.compare(output, changes)
        if text:
            return text
    return None
