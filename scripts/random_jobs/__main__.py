"""Random jobs: built from the grammar, run as streams by Weir and as batch queries, and compared.

    .venv/bin/python scripts/random_jobs --weir target/debug/weir --count 500 --seed 7

DuckDB computes what must be left of each result, and a naive matcher what patterns find. With `--stress`, `weir test` runs each job
also in batches of random sizes, by several subtasks, and killed and restored. A job that differs is made smaller, rows and query,
as long as it still differs; what is left is written as a job test, ready for tests/conformance. The same seed gives the same jobs.
"""

import argparse
import collections
import pathlib
import random
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from jobs import REFUSALS, random_job
from reference import Reference
from weir import Weir

# Jobs per run of the binary; starting it costs more than most jobs.
CHUNK = 250
# Of the jobs that leave no row at all few are run: they show little.
SHARE_OF_EMPTY = 0.15


def batch_of_jobs(seed, first, count, engine, refused):
    """Makes jobs by their numbers. Each has a seed of its own, so that one can be made alone."""
    jobs, number = {}, first
    while len(jobs) < count:
        rng = random.Random(f"{seed}/{number}")
        job = random_job(rng)
        name = f"j{number}"
        number += 1
        try:
            expected = job.expected(engine)
            if expected.rows or rng.random() < SHARE_OF_EMPTY:
                jobs[name] = (job, job.test_text(expected))
        except REFUSALS as error:
            # What one engine of two refuses says nothing.
            refused[str(error).splitlines()[0][:100]] += 1
    return jobs, number


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--first", type=int, default=0, help="number of the first job")
    parser.add_argument("--weir", required=True, help="the binary")
    parser.add_argument("--stress", action="store_true", help="run each job under stress too")
    parser.add_argument("--keep", type=pathlib.Path, help="directory for the shrunk jobs that differ")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--show-refused", action="store_true", help="tell what the reference refused")
    return parser.parse_args()


def main():
    options = arguments()
    seed = options.seed if options.seed is not None else random.SystemRandom().randint(0, 2**31)
    print(f"random jobs: seed {seed}", flush=True)
    engine, weir = Reference(), Weir(options.weir, seed if options.stress else None)
    differ, done, number, refused, began = 0, 0, options.first, collections.Counter(), time.monotonic()
    while done < options.count:
        jobs, number = batch_of_jobs(seed, number, min(CHUNK, options.count - done), engine, refused)
        told = weir.run({name: text for name, (_, text) in jobs.items()})
        for name, (job, text) in jobs.items():
            if told[name]["passed"]:
                continue
            differ += 1
            message = told[name]["message"]
            if not options.no_shrink:
                message, text = weir.shrink(name, job, engine) or (f"it differs only now and then: {message}", text)
            print(f"\n{name} of seed {seed} differs:\n{text}\n{message}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"seed_{seed}_{name}.test.toml").write_text(text)
        done += len(jobs)
        if done < options.count:
            print(f"{done} jobs done, {differ} differ", file=sys.stderr, flush=True)
    if options.show_refused:
        for reason, times in refused.most_common(30):
            print(f"{times:6} refused by the reference: {reason}")
    print(f"{done - differ} passed, {differ} failed; {sum(refused.values())} more meant nothing to the reference "
          f"({time.monotonic() - began:.0f} s)")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
