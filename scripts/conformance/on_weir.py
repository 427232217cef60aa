"""Column (a): the job on Weir's own engine, by `weir test --json`."""

import json
import subprocess

import values


def run_all(weir, directory):
    """Runs every test below a directory; returns what `weir test --json` says of each, by path."""
    answer = subprocess.run([weir, "test", "--json", directory], capture_output=True, text=True)
    if answer.returncode not in (0, 1):
        raise RuntimeError(f"weir test ended with {answer.returncode}:\n{answer.stderr}")
    told = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
    return {str(one["test"]): one for one in told}


def check(case, told):
    """Returns what differs, or None."""
    if told is None:
        return "weir test did not run it"
    if not told["passed"]:
        return told.get("message") or "failed"
    for output, keys in case.outputs.items():
        if "final" not in keys:
            continue
        # `weir test` compared it too; comparing values here keeps the three columns by one measure.
        sink = case.stream(output)
        found = [(kind, case.rows_of_text(sink, text)[0]) for kind, text in told["outputs"][output]["rows"]]
        left = [case.folded(row, output) for row in values.fold(found)]
        text = values.difference(case.expected(output, "final"), left, case.tolerance)
        if text:
            return f"{output} (final):\n{text}"
    return None
