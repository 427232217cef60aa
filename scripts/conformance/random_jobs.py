"""Random jobs: built from the grammar, run as streams by Weir and as batch queries by DuckDB, and compared.

    .venv/bin/python scripts/conformance/random_jobs.py --count 500 --seed 7

A job that differs is shrunk: rows of its inputs go as long as it still differs. What is left is written as a job test, ready
for tests/conformance. The same seed gives the same jobs.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import duckdb

import batch
from case import Case

# Jobs per run of the binary; starting it costs more than most jobs.
CHUNK = 250
WORDS = ["a", "b", "ab", "Abc", "ba", "x y", ""]
START = "2024-03-15 12:%02d:%02d"

STREAMS = """
CREATE SOURCE STREAM l (k STRING, x INT, y INT, f BOOLEAN, ts TIMESTAMP) WITH (
  type = "dis", channel = "l", encode = "csv", field_delimiter = ",")
  TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 HOUR);
CREATE SOURCE STREAM r (k STRING, z INT, s STRING, ts TIMESTAMP) WITH (
  type = "dis", channel = "r", encode = "csv", field_delimiter = ",")
  TIMESTAMP BY ts.rowtime SET WATERMARK (ROWS 1, INTERVAL 1 HOUR);
"""
COLUMNS = {
    "l": {"k": "STRING", "x": "INT", "y": "INT", "f": "BOOLEAN"},
    "r": {"k": "STRING", "z": "INT", "s": "STRING"},
}


class Expressions:
    """Makes expressions over columns, given as a mapping from SQL text to type."""

    def __init__(self, rng, columns):
        self.rng = rng
        self.columns = columns

    def of(self, kind, depth=2):
        return {"INT": self.integer, "STRING": self.string, "BOOLEAN": self.boolean}[kind](depth)

    def column(self, kind):
        names = [name for name, of in self.columns.items() if of == kind]
        return self.rng.choice(names) if names else None

    def leaf(self, kind):
        constant = {
            "INT": str(self.rng.randint(0, 9)),
            "STRING": f"'{self.rng.choice(WORDS)}'",
            "BOOLEAN": self.rng.choice(["TRUE", "FALSE"]),
        }[kind]
        return (self.column(kind) or constant) if self.rng.random() < 0.8 else constant

    def case(self, kind, depth):
        parts = (self.boolean(depth - 1), self.of(kind, depth - 1), self.of(kind, depth - 1))
        return "CASE WHEN %s THEN %s ELSE %s END" % parts

    def integer(self, depth):
        if depth == 0:
            return self.leaf("INT")
        a, b = self.integer(depth - 1), self.integer(depth - 1)
        return self.rng.choice([
            lambda: self.leaf("INT"),
            lambda: f"({a} + {b})",
            lambda: f"({a} - {b})",
            lambda: f"({self.leaf('INT')} * {self.leaf('INT')})",
            lambda: f"COALESCE({a}, {b})",
            lambda: f"NULLIF({a}, {b})",
            lambda: f"ABS({a})",
            lambda: f"MOD({a}, {self.rng.randint(2, 5)})",
            lambda: f"CHAR_LENGTH({self.string(depth - 1)})",
            lambda: self.case("INT", depth),
        ])()

    def string(self, depth):
        if depth == 0:
            return self.leaf("STRING")
        a, b = self.string(depth - 1), self.string(depth - 1)
        return self.rng.choice([
            lambda: self.leaf("STRING"),
            lambda: f"({a} || {b})",
            lambda: f"UPPER({a})",
            lambda: f"LOWER({a})",
            lambda: f"COALESCE({a}, {b})",
            lambda: f"SUBSTRING({a} FROM {self.rng.randint(1, 3)} FOR {self.rng.randint(0, 3)})",
            lambda: f"REPLACE({a}, 'a', 'zz')",
            lambda: self.case("STRING", depth),
        ])()

    def boolean(self, depth):
        if depth == 0:
            return self.leaf("BOOLEAN")
        kind = self.rng.choice(["INT", "STRING"])
        a, b, c = (self.of(kind, depth - 1) for _ in range(3))
        p, q = self.boolean(depth - 1), self.boolean(depth - 1)
        return self.rng.choice([
            lambda: f"({a} {self.rng.choice(['=', '<>', '<', '<=', '>', '>='])} {b})",
            lambda: f"({p} AND {q})",
            lambda: f"({p} OR {q})",
            lambda: f"(NOT {p})",
            lambda: f"({a} IS {self.rng.choice(['', 'NOT '])}NULL)",
            lambda: f"({a} BETWEEN {b} AND {c})",
            lambda: f"({a} {self.rng.choice(['', 'NOT '])}IN ({b}, {c}))",
            lambda: f"({a} IS {self.rng.choice(['', 'NOT '])}DISTINCT FROM {b})",
            lambda: f"({p} IS {self.rng.choice(['', 'NOT '])}{self.rng.choice(['TRUE', 'FALSE'])})",
            lambda: f"({self.string(depth - 1)} LIKE '{self.rng.choice(['a%', '%b', '_b%', 'a', '%'])}')",
        ])()

    def aggregate(self):
        a = self.integer(1)
        return self.rng.choice([
            ("COUNT(*)", "BIGINT"),
            (f"COUNT({a})", "BIGINT"),
            (f"SUM({a})", "BIGINT"),
            (f"MIN({a})", "INT"),
            (f"MAX({a})", "INT"),
            (f"MAX({self.string(1)})", "STRING"),
            (f"COUNT(DISTINCT {a})", "BIGINT"),
            (f"SUM(DISTINCT {a})", "BIGINT"),
        ])


class Jobs:
    """Makes queries: each gives its Stream SQL, the same as DuckDB SQL, and the types of its columns."""

    def __init__(self, rng):
        self.rng = rng

    def expressions(self, table, alias=None):
        prefix = f"{alias}." if alias else ""
        return Expressions(self.rng, {prefix + name: kind for name, kind in COLUMNS[table].items()})

    def where(self, made):
        return f" WHERE {made.boolean(2)}" if self.rng.random() < 0.5 else ""

    def kinds(self, most=3):
        return [self.rng.choice(["INT", "STRING", "BOOLEAN"]) for _ in range(self.rng.randint(1, most))]

    def rows(self, kinds=None):
        table = self.rng.choice(["l", "r"])
        made = self.expressions(table)
        kinds = kinds or self.kinds()
        names = [f"c{i}" for i in range(len(kinds))]
        items = ", ".join(f"{made.of(kind)} AS {name}" for kind, name in zip(kinds, names))
        return f"SELECT {items} FROM {table}{self.where(made)}", dict(zip(names, kinds))

    def projection(self):
        query, columns = self.rows()
        return query, query, list(columns.values())

    def distinct(self):
        query, columns = self.rows()
        query = query.replace("SELECT ", "SELECT DISTINCT ", 1)
        return query, query, list(columns.values())

    def union(self):
        kinds = self.kinds()
        query = f" {self.rng.choice(['UNION', 'UNION ALL'])} ".join(self.rows(kinds)[0] for _ in range(2))
        return query, query, kinds

    def grouped(self):
        if self.rng.random() < 0.4:
            inner, columns = self.rows()
            source, made = f"({inner}) AS q", Expressions(self.rng, columns)
        else:
            table = self.rng.choice(["l", "r"])
            source, made = table, self.expressions(table)
        keys = list(dict.fromkeys(made.of(kind, 1) for kind in self.kinds(2))) if self.rng.random() < 0.9 else []
        # A key that reads no column is a place in the select list to one engine and a constant to the other.
        keys = [key for key in keys if any(name in key for name in made.columns)]
        aggregates = [made.aggregate() for _ in range(self.rng.randint(1, 2))]
        items = ", ".join(keys + [text for text, _ in aggregates])
        query = f"SELECT {items} FROM {source}{self.where(made)}"
        if keys:
            query += f" GROUP BY {', '.join(keys)}"
            if self.rng.random() < 0.3:
                query += " HAVING COUNT(*) > 1"
        # Over no rows at all a batch gives one row, and a stream, which waits for the first, none.
        return query, query if keys else query + " HAVING COUNT(*) > 0", None

    def join(self):
        kind = self.rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        left, right = self.expressions("l", "l"), self.expressions("r", "r")
        both = Expressions(self.rng, {**left.columns, **right.columns})
        condition = "l.k = r.k" if self.rng.random() < 0.7 else "l.x = r.z"
        # A FULL JOIN with more than equalities is beyond DuckDB.
        if kind != "FULL JOIN" and self.rng.random() < 0.4:
            condition += f" AND {both.boolean(1)}"
        kinds = self.kinds()
        items = ", ".join(both.of(kind, 1) for kind in kinds)
        query = f"SELECT {items} FROM l {kind} r ON {condition}{self.where(both)}"
        return query, query, kinds

    def window(self):
        made = self.expressions("l")
        seconds = self.rng.choice([10, 30, 60])
        keys = [self.rng.choice(["k", "f"])] if self.rng.random() < 0.6 else []
        aggregates = [made.aggregate() for _ in range(2)]
        rest = keys + [text for text, _ in aggregates]
        where = self.where(made)
        stream = f"TUMBLE(ts, INTERVAL '{seconds}' SECOND)"
        query = f"SELECT TUMBLE_START(ts, INTERVAL '{seconds}' SECOND), {', '.join(rest)} FROM l{where} GROUP BY {', '.join([stream] + keys)}"
        table = f"tumble(ts, INTERVAL '{seconds}' SECOND)"
        same = f"SELECT {table}, {', '.join(rest)} FROM l{where} GROUP BY {', '.join([table] + keys)}"
        return query, same, ["TIMESTAMP"] + [COLUMNS["l"][key] for key in keys] + [kind for _, kind in aggregates]

    def over(self):
        made = self.expressions("l")
        text, kind = self.rng.choice([("COUNT(*)", "BIGINT"), ("SUM(x)", "BIGINT"), ("MIN(y)", "INT"), ("COUNT(y)", "BIGINT")])
        partition = self.rng.choice(["PARTITION BY k ", "", "PARTITION BY f "])
        frame = self.rng.choice([
            f"ROWS BETWEEN {self.rng.randint(0, 4)} PRECEDING AND CURRENT ROW",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            f"RANGE BETWEEN INTERVAL '{self.rng.randint(1, 40)}' SECOND PRECEDING AND CURRENT ROW",
        ])
        first = made.integer(1)
        query = f"SELECT {first}, {text} OVER ({partition}ORDER BY ts {frame}) FROM l"
        return query, query, ["INT", kind]

    def interval_join(self):
        kind = self.rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
        low, high = self.rng.randint(0, 60), self.rng.randint(0, 60)
        condition = (f"l.k = r.k AND r.ts BETWEEN l.ts - INTERVAL '{low}' SECOND AND l.ts + INTERVAL '{high}' SECOND")
        query = f"SELECT l.k, l.x, r.k, r.z FROM l {kind} r ON {condition}"
        return query, query, ["STRING", "INT", "STRING", "INT"]

    def unnest(self):
        made = self.expressions("l")
        items = ", ".join(made.integer(1) for _ in range(2))
        query = f"SELECT k, e FROM l CROSS JOIN UNNEST(ARRAY[{items}]) AS t(e)"
        return query, f"SELECT k, unnest([{items}]) FROM l", ["STRING", "INT"]

    def any(self):
        return self.rng.choice([
            self.projection, self.distinct, self.union, self.grouped, self.grouped, self.join, self.join,
            self.window, self.over, self.interval_join, self.unnest,
        ])()


def rows_of(rng):
    """Returns records of both inputs. Event times differ, so that what is ordered by them is determined."""
    seconds = rng.sample(range(600), 40)

    def field(values):
        return "" if rng.random() < 0.15 else str(rng.choice(values))

    def at():
        second = seconds.pop()
        return START % (second // 60, second % 60)

    left = [
        ",".join([rng.choice(WORDS), field(range(-9, 10)), field(range(5)), field(["true", "false"]), at()])
        for _ in range(rng.randint(0, 20))
    ]
    right = [",".join([rng.choice(WORDS), field(range(-9, 10)), rng.choice(WORDS), at()]) for _ in range(rng.randint(0, 20))]
    return {"l": left, "r": right}


def test_text(query, same, kinds, inputs, final):
    columns = ", ".join(f"c{i} {kind}" for i, kind in enumerate(kinds))
    sink = f'CREATE SINK STREAM o ({columns}) WITH (type = "dis", channel = "o", encode = "csv", field_delimiter = ",");'
    lines = [
        'title = "a random job"',
        f"sql = '''{STREAMS}{sink}\nINSERT INTO o\n{query};\n'''",
    ]
    for name, rows in inputs.items():
        text = "".join(row + "\n" for row in rows)
        lines.append(f"[inputs.{name}]\nrows = '''\n{text}'''")
    lines.append(f"[outputs.o]\nfinal = '''\n{final}'''\nbatch = {json.dumps(same)}\n")
    return "\n".join(lines)


def cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


TYPES = {"INTEGER": "INT", "BIGINT": "BIGINT", "HUGEINT": "BIGINT", "VARCHAR": "STRING", "BOOLEAN": "BOOLEAN", "TIMESTAMP": "TIMESTAMP"}


class Job:
    """A random job with what DuckDB says it gives."""

    def __init__(self, query, same, kinds, inputs):
        self.query, self.same, self.kinds, self.inputs = query, same, kinds, inputs

    def with_inputs(self, inputs):
        return Job(self.query, self.same, self.kinds, inputs)

    def text(self, place):
        kinds = self.kinds or self.types(place)
        engine = self.engine(place, kinds)
        rows = engine.connection.execute(self.same).fetchall()
        final = "".join(",".join(cell(value) for value in row) + "\n" for row in rows)
        return test_text(self.query, self.same, kinds, self.inputs, final)

    def engine(self, place, kinds):
        path = place / "probe.test.toml"
        path.write_text(test_text(self.query, self.same, kinds, self.inputs, ""))
        return batch.Batch(Case(path, place))

    def types(self, place):
        engine = self.engine(place, ["INT"])
        self.kinds = [TYPES[row[1]] for row in engine.connection.execute(f"DESCRIBE {self.same}").fetchall()]
        return self.kinds


def run(weir, directory):
    answer = subprocess.run([weir, "test", "--json", directory], capture_output=True, text=True)
    told = {}
    for line in answer.stdout.splitlines():
        one = json.loads(line)
        told[pathlib.Path(one["test"]).name] = one
    if answer.returncode not in (0, 1):
        raise RuntimeError(f"weir test ended with {answer.returncode}:\n{answer.stderr}")
    return told


def fails(weir, job):
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        text = job.text(place)
        (place / "probe.test.toml").write_text(text)
        told = run(weir, place)["probe.test.toml"]
        return None if told["passed"] else (text, told["message"])


def shrink(weir, job):
    """Takes rows away, first many at once, as long as the job still differs."""
    best = fails(weir, job)
    size = 8
    while size and best:
        for name in job.inputs:
            at = 0
            while at < len(job.inputs[name]):
                fewer = {**job.inputs, name: job.inputs[name][:at] + job.inputs[name][at + size:]}
                found = fails(weir, job.with_inputs(fewer))
                if found:
                    job, best = job.with_inputs(fewer), found
                else:
                    at += size
        size //= 2
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--weir", required=True, help="the binary")
    parser.add_argument("--keep", type=pathlib.Path, help="directory for the shrunk jobs that differ")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randint(0, 2**31)
    print(f"random jobs: seed {seed}")
    rng = random.Random(seed)
    differ, done = 0, 0
    while done < options.count:
        jobs = {}
        with tempfile.TemporaryDirectory() as place:
            place = pathlib.Path(place)
            while len(jobs) < min(CHUNK, options.count - done):
                query, same, kinds = Jobs(rng).any()
                job = Job(query, same, kinds, rows_of(rng))
                try:
                    text = job.text(place)
                except duckdb.Error:
                    # What one engine of two refuses says nothing.
                    continue
                name = f"j{done + len(jobs):06}.test.toml"
                jobs[name] = job
                (place / name).write_text(text)
            (place / "probe.test.toml").unlink()
            told = run(options.weir, place)
        for name, job in jobs.items():
            if told[name]["passed"]:
                continue
            differ += 1
            found = shrink(options.weir, job)
            text, message = found or (job.query, "it differs only now and then: " + told[name]["message"])
            print(f"\n{name} of seed {seed} differs:\n{text}\n{message}")
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"seed_{seed}_{name}").write_text(text)
        done += len(jobs)
    print(f"{options.count - differ} passed, {differ} failed")
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
