"""The Nexmark queries: their jobs, their events, and the check of their rows against DuckDB."""

import collections
import pathlib
import re
import sys
import tempfile
from dataclasses import dataclass

from process import run

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE / "data"

# Of 50 events of the generator so many are of the stream.
ROUND = 50
SHARE = {"bid": 46, "auction": 3, "person": 1}

# Rows of the side table of q13.
SIDE_ROWS = 10_000


@dataclass(frozen=True)
class Query:
    streams: tuple
    # Runs over a tenth of the events: its state grows with every one of them, or each changes a result.
    small: bool = False
    proctime: bool = False


QUERIES = {
    "q0": Query(("bid",)),
    "q1": Query(("bid",)),
    "q2": Query(("bid",)),
    "q3": Query(("auction", "person")),
    "q4": Query(("auction", "bid"), small=True),
    "q5": Query(("bid",)),
    "q5_hop_count": Query(("bid",)),
    "q7": Query(("bid",)),
    "q8": Query(("person", "auction")),
    "q9": Query(("auction", "bid"), small=True),
    "q11": Query(("bid",)),
    "q12": Query(("bid",), proctime=True),
    "q13": Query(("bid",)),
    "q14": Query(("bid",)),
    "q15": Query(("bid",), small=True),
    "q16": Query(("bid",), small=True),
    "q17": Query(("bid",), small=True),
    "q18": Query(("bid",), small=True),
    "q20": Query(("bid", "auction"), small=True),
    "q21": Query(("bid",)),
    "q22": Query(("bid",)),
}

# Nexmark queries that are not here, and why. docs/performance.md says the same.
LEFT_OUT = {
    "q6": "its frame of the last ten rows stands over a result that changes; OVER takes appended rows only",
    "q10": "it measures a sink of partitioned files, not a query",
    "q19": "the dialect has no ROW_NUMBER; of a group it can keep the best (q9, q18), not the best ten",
}


def fill(template, **values):
    text = (HERE / "nexmark" / template).read_text()
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def rounds_of(bids):
    """Returns so many rounds of the generator that they hold about this many bids."""
    return max(1, bids // SHARE["bid"])


def rows_of(query, rounds):
    return sum(rounds * SHARE[stream] for stream in QUERIES[query].streams)


def source(stream, kind, rounds, splits, proctime=False, path=None):
    """Returns the text of a source over so many rounds of the generator."""
    attribute = ", proctime.proctime" if proctime else ""
    if kind == "json":
        return fill(f"source_{stream}_json.sql", path=path, proctime=attribute)
    return fill(f"source_{stream}_generator.sql", events=rounds * ROUND, splits=splits, proctime=attribute)


def columns_of(text, stream):
    """Returns the columns that a text declares for a stream, as (name, type)."""
    found = re.search(rf"STREAM {stream} \((.*?)\n\) WITH|STREAM {stream} \((.*?)\) WITH", text, re.S)
    columns = re.split(r",(?![^(]*\))", found.group(1) or found.group(2))
    return [tuple(column.split(None, 1)) for column in columns]


# What a measured line holds more than the generator gives, so that a bid is about 335 bytes, the size for which the
# goals and the figures of other engines were taken.
PADDED = "CONCAT(extra, '-', extra, '-', SUBSTRING(extra FROM 1 FOR 20))"


def events_file(weir, stream, rounds, padded=False):
    """Returns a file with the rows of the stream as JSON lines; makes it when it is not there.

    Times are written as text, in the form that Flink reads as well.
    """
    DATA.mkdir(exist_ok=True)
    padded = padded and stream == "bid"
    path = DATA / f"{stream}-{rounds * SHARE[stream]}{'-padded' if padded else ''}.json"
    if not path.exists():
        print(f"making {path.relative_to(HERE.parent)}", flush=True)
        unfinished = path.with_suffix(".part")
        unfinished.unlink(missing_ok=True)
        made = source(stream, "generator", rounds, 1)
        columns = columns_of(made, stream)
        declared = ", ".join(f"{name} {'STRING' if kind == 'TIMESTAMP' else kind}" for name, kind in columns)
        selected = []
        for name, kind in columns:
            written = f"CAST({name} AS STRING)" if kind == "TIMESTAMP" else name
            selected.append(PADDED if padded and name == "extra" else written)
        sink = f'CREATE SINK STREAM written ({declared}) WITH (type = "file", path = "{unfinished}", encode = "json");'
        run(weir, f"{made}\n{sink}\nINSERT INTO written SELECT {', '.join(selected)} FROM {stream};\n")
        unfinished.rename(path)
    return path


def side_file():
    """Returns the side table of q13 as csv; makes it when it is not there."""
    DATA.mkdir(exist_ok=True)
    path = DATA / f"side-{SIDE_ROWS}.csv"
    if not path.exists():
        path.write_text("".join(f"{number},value of {number}\n" for number in range(SIDE_ROWS)))
    return path


def job(query, sources, sink):
    return "\n".join([*sources, fill(f"{query}.sql", sink=sink, side=side_file())])


def measured_job(weir, query, kind, rounds, splits):
    """Returns the job that is measured, and the files it reads by stream."""
    asked = QUERIES[query]
    files = {stream: events_file(weir, stream, rounds, padded=True) for stream in asked.streams} if kind == "json" else {}
    sources = [source(stream, kind, rounds, splits, asked.proctime, files.get(stream)) for stream in asked.streams]
    return job(query, sources, 'type = "blackhole"'), files


def flink_job(query, text, files):
    """Returns the job to translate for Flink, and the query in its own words where the public one has a form of its own."""
    own = HERE / "nexmark" / f"{query}.flink.sql"
    if not own.exists():
        return text, None
    asked = QUERIES[query]
    sources = [source(stream, "json", 1, 1, asked.proctime, files[stream]) for stream in asked.streams]
    only_read = "\nUNION ALL ".join(f"SELECT 1 FROM {stream}" for stream in asked.streams)
    return "\n".join([*sources, 'CREATE SINK STREAM read (n INT) WITH (type = "blackhole");', f"INSERT INTO read {only_read};"]), own.read_text()


def flink_files(query, files):
    """Returns the files that Flink reads in the place of streams and of the side table."""
    if query != "q13":
        return files
    path = side_file().with_suffix(".json")
    if not path.exists():
        rows = (line.split(",", 1) for line in side_file().read_text().splitlines())
        path.write_text("".join(f'{{"side_key":{key},"side_value":"{value}"}}\n' for key, value in rows))
    return {**files, "side": path}


def as_text(value):
    """Writes a value of DuckDB as the csv encoding does; it shows microseconds where that shows milliseconds."""
    text = "" if value is None else str(value)
    return text[:-3] if getattr(value, "microsecond", 0) else text


def folded(path):
    """Returns the rows that are left of a changelog, and how often."""
    rows = collections.Counter()
    with path.open() as file:
        for line in file:
            kind, row = line.rstrip("\n").split(" ", 1)
            rows[row] += 1 if kind in ("+I", "+U") else -1
    negative = [row for row, count in rows.items() if count < 0]
    if negative:
        sys.exit(f"{path} withdraws rows it never gave, for example {negative[0]}")
    return +rows


def tables(weir, query, rounds):
    """Returns a DuckDB with the events of a query; times are milliseconds, as the public queries have them."""
    import duckdb

    kinds = {"STRING": "VARCHAR"}
    connection = duckdb.connect()
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
    for stream in QUERIES[query].streams:
        columns = columns_of(source(stream, "generator", rounds, 1), stream)
        typed = ", ".join(f"{name}: '{kinds.get(kind, kind)}'" for name, kind in columns)
        times = ", ".join(f"epoch_ms({name}) AS {name}" for name, kind in columns if kind == "TIMESTAMP")
        path = events_file(weir, stream, rounds)
        connection.execute(
            f"CREATE TABLE {stream} AS SELECT * REPLACE ({times}) "
            f"FROM read_json('{path}', format = 'newline_delimited', columns = {{{typed}}})"
        )
    connection.execute(
        f"CREATE TABLE side AS SELECT * FROM read_csv('{side_file()}', header = false, "
        "columns = {'side_key': 'BIGINT', 'side_value': 'VARCHAR'})"
    )
    return connection


def computed(connection, text):
    return collections.Counter(",".join(map(as_text, row)) for row in connection.sql(text).fetchall())


def reduced(connection, query, text, found):
    """Applies `<query>.found.sql` to the rows that were found, where there is one."""
    reduction = HERE / "nexmark" / f"{query}.found.sql"
    if not reduction.exists():
        return found
    columns = columns_of(text, "result")
    names = ", ".join(f"{name} VARCHAR" for name, _ in columns)
    connection.execute(f"CREATE OR REPLACE TABLE result ({names})")
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO result VALUES ({marks})", [row.split(",") for row in found.elements()])
    return computed(connection, reduction.read_text())


def check(weir, query, bids, parallelism):
    """Compares what is left of a query's rows, over generator and file, with what DuckDB computes; returns how many."""
    asked = QUERIES[query]
    rounds = rounds_of(bids)
    connection = tables(weir, query, rounds)
    expected = computed(connection, (HERE / "nexmark" / f"{query}.duckdb.sql").read_text())
    for kind in ("generator", "json"):
        with tempfile.TemporaryDirectory() as place:
            out = pathlib.Path(place) / "result.csv"
            sink = f'type = "file", path = "{out}", encode = "csv", field_delimiter = ",", row_kinds = "true"'
            sources = [
                source(stream, kind, rounds, 1, asked.proctime, events_file(weir, stream, rounds))
                for stream in asked.streams
            ]
            text = job(query, sources, sink)
            run(weir, text, parallelism)
            found = reduced(connection, query, text, folded(out))
        if found != expected:
            sys.exit(
                f"{query} over {kind}: {found.total()} rows, DuckDB has {expected.total()}\n"
                f"missing, for example: {sorted(expected - found)[:3]}\nsurplus, for example: {sorted(found - expected)[:3]}"
            )
    return expected.total()
