#!/usr/bin/env python3
"""Computes the expected results of the flights jobs with DuckDB, an engine that shares no code with this one.

    .venv/bin/python scripts/duckdb_expected.py          compares with the files that are checked in
    .venv/bin/python scripts/duckdb_expected.py --write  replaces them; read the diff before you commit it

A job folder that has `duckdb = "x.duckdb.sql"` for an output is computed by that query. What the queries read:
`departed_flights` holds the records that Stream SQL can decode (a record with NA in an INT column is dirty),
in the order of the file, with `event_time` taken from `time_hour`.
"""

import difflib
import pathlib
import sys
import tomllib

import duckdb

ROOT = pathlib.Path(__file__).resolve().parent.parent

PREPARE = f"""
CREATE TABLE raw AS
SELECT row_number() OVER () - 1 AS row_number, *
FROM read_csv('{ROOT}/tests/data/flights-2013-01.csv.gz', header = true, all_varchar = true);

CREATE VIEW departed_flights AS
SELECT row_number, carrier, flight, origin, dest,
       CAST(dep_delay AS INTEGER) AS dep_delay,
       CAST(distance AS INTEGER) AS distance,
       CAST(replace(replace(time_hour, 'T', ' '), 'Z', '') AS TIMESTAMP) AS event_time
FROM raw
WHERE try_cast(dep_time AS INTEGER) IS NOT NULL AND try_cast(dep_delay AS INTEGER) IS NOT NULL;
"""


def as_text(value):
    """Writes a value the way the csv encoding does."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return str(value)


def compute(connection, query):
    rows = connection.sql(query).fetchall()
    return "".join(",".join(as_text(value) for value in row) + "\n" for row in rows)


def main():
    write = "--write" in sys.argv[1:]
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(PREPARE)
    stale = 0
    for description in sorted(ROOT.glob("tests/jobs/*/job.toml")):
        folder = description.parent
        for output in tomllib.loads(description.read_text()).get("outputs", {}).values():
            if "duckdb" not in output:
                continue
            expected = folder / output["expected"]
            text = compute(connection, (folder / output["duckdb"]).read_text())
            if write:
                expected.write_text(text)
                print(f"{expected.relative_to(ROOT)}: {text.count(chr(10))} rows written")
                continue
            have = expected.read_text() if expected.exists() else ""
            if have == text:
                print(f"{expected.relative_to(ROOT)}: {text.count(chr(10))} rows agree")
                continue
            stale += 1
            print(f"{expected.relative_to(ROOT)}: differs from what DuckDB computes")
            difference = difflib.unified_diff(have.splitlines(), text.splitlines(), "checked in", "DuckDB", lineterm="")
            print("\n".join(list(difference)[:20]))
    if stale:
        sys.exit("run scripts/duckdb_expected.py --write if the queries are right")


if __name__ == "__main__":
    main()
