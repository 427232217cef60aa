#!/usr/bin/env python3
"""Measures Nexmark queries on the release build and checks their results against DuckDB.

    make bench                                       the queries, as in docs/performance.md (about ten minutes)
    make bench ARGS="--queries q0 q2 --inputs json --runs 5"
    make bench ARGS=--flink                          beside Apache Flink over the same JSON lines
    make bench ARGS=--state                          bytes of state per key, with --flink Flink's as well
    make bench ARGS=--patterns                       patterns over 300,000 partitions, with --flink Flink as well
    make bench ARGS=--load                           1,000 requests a second to a service with 1,000 jobs, and to nginx

Every query runs twice over: over an in-process generator, and over JSON lines in a file; both end in a sink that
throws rows away. Before it is measured it runs once at a smaller size into a file, whose rows, after withdrawn ones are
taken away, must be those that DuckDB computes from the same events. Time is that of the whole process, start and planning
included; CPU-seconds and peak memory are those of the process and everything it started, as the kernel counted them.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

import load
import patterns
import peer
import queries
import state
from process import ROOT, release_binary, run
from queries import LEFT_OUT, QUERIES

# Million events per CPU-second that the first milestone asks for.
GOALS = {
    ("q0", "generator"): 1.0,
    ("q5_hop_count", "generator"): 0.3,
    ("q11", "generator"): 0.12,
    ("q0", "json"): 1.2,
}

# A query with much state is measured over so much fewer events.
SMALLER = {"generator": 10, "json": 4}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", nargs="+", choices=list(QUERIES), default=list(QUERIES))
    parser.add_argument("--inputs", nargs="+", choices=["generator", "json"], default=["generator", "json"])
    parser.add_argument("--events", type=int, default=9_200_000, help="bids from the generator; a tenth for queries with much state")
    parser.add_argument("--json-events", type=int, default=1_840_000, help="bids as JSON lines; a quarter for queries with much state")
    parser.add_argument("--check-events", type=int, default=184_000, help="bids of the run that DuckDB checks")
    parser.add_argument("--parallelism", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3, help="the median of so many runs is shown")
    parser.add_argument("--weir", type=pathlib.Path, help="the binary; default: the release build")
    parser.add_argument("--flink", action="store_true", help="measure Apache Flink in the same run (installs it)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--no-check", action="store_true", help="measure only")
    what.add_argument("--only-check", action="store_true", help="compare with DuckDB only")
    what.add_argument("--state", action="store_true", help="measure bytes of state per key instead")
    what.add_argument("--patterns", action="store_true", help="measure patterns over many partitions instead")
    what.add_argument("--load", action="store_true", help="measure how fast the service answers instead")
    parser.add_argument("--load-seconds", type=int, default=60, help="how long each server is asked with --load")
    parser.add_argument("--json-report", type=pathlib.Path, help="write the figures to this file too")
    return parser.parse_args()


def measure(weir, query, kind, options, flink):
    bids = options.events if kind == "generator" else options.json_events
    rounds = queries.rounds_of(bids // SMALLER[kind] if QUERIES[query].small else bids)
    rows = queries.rows_of(query, rounds)
    text, files = queries.measured_job(weir, query, kind, rounds, options.parallelism)
    usages = [run(weir, text, options.parallelism) for _ in range(options.runs)]
    figure = {
        "query": query,
        "input": kind,
        "events": rows,
        "events_per_second": rows / statistics.median(usage.seconds for usage in usages),
        "cpu_seconds": statistics.median(usage.cpu_seconds for usage in usages),
        "peak_bytes": max(usage.peak_bytes for usage in usages),
        "goal": GOALS.get((query, kind)),
    }
    if flink and kind == "json":
        text, own_query = queries.flink_job(query, text, files)
        figure["flink"] = flink.cpu_seconds(weir, text, queries.flink_files(query, files), own_query)
    return figure


def verdict(figure):
    """Says whether a goal was met, and what Flink took for the same."""
    per_cpu = figure["events"] / figure["cpu_seconds"] / 1e6
    told = []
    goal = figure["goal"]
    if goal is not None:
        missed = f"missed by {1 - per_cpu / goal:.0%}"
        told.append(f"goal {goal:.2f}: {'met' if per_cpu >= goal else missed}")
    taken = figure.get("flink")
    if isinstance(taken, str):
        told.append(f"Flink: {taken}")
    elif taken is not None:
        told.append(f"Flink {taken:.2f} s, {figure['events'] / taken / 1e6:.3f} M per CPU-s, {taken / figure['cpu_seconds']:.1f} times")
    return "".join(f"  {one}" for one in told)


def show(figure):
    print(
        f"{figure['query']:<13} {figure['input']:<10} {figure['events'] / 1e6:>6.2f} M"
        f" {figure['events_per_second'] / 1e6:>8.3f} M/s {figure['cpu_seconds']:>7.2f} s"
        f" {figure['events'] / figure['cpu_seconds'] / 1e6:>7.3f} M {figure['peak_bytes'] / 2**20:>6.0f} MB{verdict(figure)}",
        flush=True,
    )


def check_all(weir, options):
    for query in options.queries:
        rows = queries.check(weir, query, options.check_events, options.parallelism)
        print(f"{query:<13} {rows} rows, as DuckDB has them", flush=True)
    for query, reason in LEFT_OUT.items():
        print(f"{query:<13} not measured: {reason}", flush=True)


def measure_all(weir, options, flink):
    print(f"{'query':<13} {'input':<10} {'events':>8} {'events/s':>12} {'CPU':>9} {'per CPU-s':>9} {'peak':>9}")
    figures = []
    for kind in options.inputs:
        for query in options.queries:
            figure = measure(weir, query, kind, options, flink)
            figures.append(figure)
            show(figure)
    return figures


def main():
    options = arguments()
    weir = options.weir or release_binary()
    if not weir.exists():
        sys.exit(f"there is no {weir}; run `make bench` or give --weir")
    weir = weir.resolve()
    if options.only_check:
        return check_all(weir, options)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    print(f"weir {commit.strip()}, parallelism {options.parallelism}, median of {options.runs}, {os.cpu_count()} cores", flush=True)
    if not (options.no_check or options.state or options.patterns or options.load):
        # In a process of its own: what this process holds when it starts another counts into that one's peak.
        code = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--only-check"]).returncode
        if code != 0:
            sys.exit(code)
    others = [(options.state, state), (options.patterns, patterns), (options.load, load)]
    measured = next((module.measure_all for chosen, module in others if chosen), measure_all)
    if options.flink and not (options.state or options.load):
        with peer.Peer() as flink:
            figures = measured(weir, options, flink)
    else:
        figures = measured(weir, options, None)
    if options.json_report:
        options.json_report.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
