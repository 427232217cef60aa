"""Runs the conformance corpus on Weir, on Apache Flink and in DuckDB, and compares the rows.

    make conformance                               installs Flink, runs all, compares docs/conformance.md
    make conformance ARGS=--write                  and writes that page; read its difference before you commit it
    make conformance ARGS="--only windows/hop"     the tests whose path has this in it
    make conformance ARGS="--engines weir batch"   without Flink
    make conformance ARGS="--flink 2.3.0"          another release of Flink
    make conformance ARGS=--respelled              Flink with the jobs' own text, which checks the expected rows without Weir

The form of the tests is docs/job-tests.md. A test fails when an engine gives other rows than the test says, and also when a
stated reason why it cannot, or differs, no longer holds.
"""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import duckdb

import batch
import on_flink
import on_weir
import report
from case import CaseError, load_all
from flink import Cluster, FlinkError

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = pathlib.Path("tests/conformance")
PAGE = ROOT / "docs" / "conformance.md"
# Small jobs spend their time starting and waiting; more at once gain nothing on two cores.
AT_ONCE = 3


@dataclass
class Result:
    status: str
    reason: str = ""
    # What is wrong, when it is not as the test says.
    problem: str = None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="TEXT", help="tests whose path has this in it")
    parser.add_argument("--engines", nargs="+", choices=["weir", "flink", "batch"], default=["weir", "flink", "batch"])
    parser.add_argument("--flink", metavar="VERSION", help="the release of Flink; default: that of scripts/setup_flink.sh")
    parser.add_argument("--if-installed", action="store_true", help="leave Flink out when it is not installed; the page is not compared")
    parser.add_argument("--respelled", action="store_true", help="only Flink, with the text of each job respelled without Weir")
    parser.add_argument("--write", action="store_true", help="write docs/conformance.md")
    parser.add_argument("--weir", type=pathlib.Path, help="the binary; default: the debug build")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="keep Flink's logs in this directory")
    return parser.parse_args()


def debug_binary():
    metadata = subprocess.run(
        ["cargo", "metadata", "--no-deps", "--format-version", "1"], cwd=ROOT, check=True, capture_output=True
    )
    return pathlib.Path(json.loads(metadata.stdout)["target_directory"]) / "debug" / "weir"


def flink_home(version, *options):
    """Asks the script for the directory of a release. Without `--where` that is installed, and what the corpus adds to it is built."""
    command = ["sh", "scripts/setup_flink.sh", *options, *([version] if version else [])]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return pathlib.Path(answer.stdout.strip())


def judge(case, engine, run):
    """Runs one case on one engine and says whether that is what the test says."""
    without, differs = case.reason(engine, "without"), case.reason(engine, "differs")
    expected = Result("no", without) if without else Result("differs", differs) if differs else Result("same")
    if without and (engine == "batch" or "fails" in case.keys):
        return expected
    reason = expected.reason
    try:
        problem = run()
    except on_flink.Refused as refused:
        problem = f"the translator refuses it: {refused}"
        # Nothing compares the reason of the test with this, so that readers of the page are shown both.
        reason = f"{without} (refused: {refused.words()})"
    except (FlinkError, CaseError, OSError, ValueError, KeyError) as error:
        problem = f"{type(error).__name__}: {error}"
    if without:
        # Refused, failed, or rows that are the machine's and not the job's: all of these are a no.
        problem = None if problem else f"the reason why not (`{without}`) does not hold any more: it gives the expected rows"
    if "fails" in case.keys and engine == "weir" and not problem:
        return Result("fails")
    return Result(expected.status, reason, problem)


def run_weir(cases, weir):
    told = on_weir.run_all(weir, CORPUS)
    return {case.path: judge(case, "weir", lambda case=case: on_weir.check(case, told.get(str(case.path)))) for case in cases}


def run_batch(cases):
    return {case.path: judge(case, "batch", lambda case=case: batch.check(case)) for case in cases}


def run_flink(cases, weir, options, home):
    translate = on_flink.respelled if options.respelled else on_flink.translated
    with tempfile.TemporaryDirectory() as place, Cluster(home, options.keep or place) as cluster:

        def one(case):
            return case.path, judge(case, "flink", lambda: on_flink.check(case, cluster, weir, translate))

        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            return dict(pool.map(one, cases))
        finally:
            # When the run is interrupted, jobs that wait are dropped; those that run fail when the cluster ends.
            pool.shutdown(wait=False, cancel_futures=True)


def print_problems(cases, by_engine):
    bad = 0
    for engine, results in by_engine.items():
        for case in cases:
            if results[case.path].problem:
                bad += 1
                text = results[case.path].problem.replace("\n", "\n    ")
                print(f"{case.path}, {engine}:\n    {text}")
        right = sum(1 for one in results.values() if not one.problem)
        print(f"{engine}: {right} of {len(cases)} jobs are as their tests say")
    return bad


def page_is_stale(options, cases, by_engine, home):
    """Writes the page, or says whether the one that is checked in is old."""
    if len(by_engine) < 3 or options.only or options.if_installed or options.flink:
        return False
    results = [(case, {engine: found[case.path] for engine, found in by_engine.items()}) for case in cases]
    text = report.page(results, home.name.removeprefix("flink-"), duckdb.__version__)
    if options.write:
        PAGE.write_text(text)
        return False
    if PAGE.exists() and PAGE.read_text() == text:
        return False
    print("docs/conformance.md is not what this run gives; make conformance ARGS=--write refreshes it")
    return True


def main():
    options = arguments()
    started = time.monotonic()
    cases = [case for case in load_all(CORPUS) if not options.only or options.only in str(case.path)]
    if not cases:
        sys.exit(f"no test of {CORPUS} has `{options.only}` in its path")
    weir = (options.weir or debug_binary()).resolve()
    if options.respelled:
        options.engines = ["flink"]
    elif set(options.engines) != {"batch"} and not weir.is_file():
        sys.exit(f"there is no {weir}; cargo build --package weir makes it")
    home = flink_home(options.flink, "--where")
    engines = list(options.engines)
    if options.if_installed and "flink" in engines and not (home / "complete").exists():
        print(f"conformance: WITHOUT FLINK, which is not installed ({home}); sh scripts/setup_flink.sh does that", flush=True)
        engines.remove("flink")
    if "flink" in engines:
        flink_home(options.flink)
    by_engine = {}
    if "weir" in engines:
        by_engine["weir"] = run_weir(cases, weir)
    if "batch" in engines:
        by_engine["batch"] = run_batch(cases)
    if "flink" in engines:
        by_engine["flink"] = run_flink(cases, weir, options, home)
    bad = print_problems(cases, by_engine)
    stale = page_is_stale(options, cases, by_engine, home)
    print(f"time: {time.monotonic() - started:.0f} s")
    sys.exit(1 if (bad or stale) and not options.respelled else 0)


if __name__ == "__main__":
    import os

    os.chdir(ROOT)
    # So that an ended run takes its processes and files with it, as an interrupted one does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except CaseError as error:
        sys.exit(str(error))
