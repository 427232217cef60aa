"""A random job: its text, its inputs, and the rows that must be left."""

import json
import re
from dataclasses import dataclass, field, replace

import duckdb

import inputs as records
import reference
from node import Node, Uncounted
from patterns import Patterns, Undefined
from windows import Windows


# What a value becomes when it is written to a column of another type.
CONVERSIONS = {
    "INT": ["TINYINT", "SMALLINT", "BIGINT", "DOUBLE"], "BIGINT": ["TINYINT", "SMALLINT", "INT"], "TINYINT": ["INT", "DOUBLE"],
    "SMALLINT": ["TINYINT", "INT"], "FLOAT": ["DOUBLE"],
}


@dataclass(frozen=True)
class Expected:
    """The rows that must be left, as csv, and how many records must be dirty, when that is determined."""

    rows: str
    dirty: int | None


@dataclass(frozen=True)
class Job:
    """A job. The batch form of its query is computed by DuckDB; `rows`, when it is there, computes what SQL cannot say."""

    query: Node
    kinds: tuple
    inputs: records.Inputs
    temps: tuple = ()
    rows: object = field(default=None, compare=False)
    # Whether rows of the result may be withdrawn.
    changes: bool = True
    # A second query into the same sink.
    more: object = None
    # The columns of the sink, where their types are not those of the query.
    sink_kinds: tuple = ()

    def stream_text(self):
        parts = [records.declarations(self.inputs, self.queries_text())]
        columns = ", ".join(f"c{place} {reference.SINK_TYPES.get(kind, kind)}" for place, kind in enumerate(self.written()))
        options = 'type = "dis", channel = "o", encode = "csv", field_delimiter = ","'
        parts.append(f"CREATE SINK STREAM o ({columns}) WITH ({options});\n")
        for temp in self.temps:
            columns = ", ".join(
                f"{name} {reference.SINK_TYPES.get(kind, kind)}" for name, kind in temp.relation.columns.items())
            parts.append(f"CREATE TEMP STREAM {temp.name} ({columns}){temp.clause};\nINSERT INTO {temp.name}\n{temp.relation.query.stream};\n")
        parts.append(f"INSERT INTO o\n{self.query.stream};\n")
        if self.more:
            parts.append(f"INSERT INTO o\n{self.more.stream};\n")
        return "".join(parts)

    def queries(self):
        return [self.query, *([self.more] if self.more else []), *(temp.relation.query for temp in self.temps)]

    def queries_text(self):
        return "\n".join(query.stream for query in self.queries())

    def read_temps(self):
        """Returns the temp streams that are read; those that are not are not computed."""
        read, texts = [], [self.query.stream, self.more.stream if self.more else ""]
        for temp in reversed(self.temps):
            if any(re.search(rf"\b{temp.name}\b", text) for text in texts):
                read.append(temp)
                texts.append(temp.relation.query.stream)
        return read

    def written(self):
        """Returns the kinds of the columns of the sink."""
        return self.sink_kinds or self.kinds

    def views(self):
        """Returns the temp streams as pairs of name and batch query."""
        more = {temp.name: ", rid, wm" if temp.clause else "" for temp in self.temps}
        return [(temp.name, scaled(temp.relation.query, temp.relation.columns, more[temp.name])) for temp in self.temps]

    def batch_query(self):
        if not self.more:
            return self.query.batch
        named = {f"c{place}": kind for place, kind in enumerate(self.kinds)}
        return " UNION ALL ".join(scaled(query, named) for query in (self.query, self.more))

    def batch_text(self):
        """Writes the batch form as one query."""
        views = ", ".join(f"{name} AS ({text})" for name, text in self.views())
        return (f"WITH {views} " if views else "") + self.batch_query()

    def expected(self, engine):
        """Computes what must come out; raises when the reference refuses the job."""
        if self.rows is not None:
            return Expected(reference.text(self.rows(self.inputs), self.written()), self.undecodable())
        engine.load(self.inputs)
        rows = engine.rows(self.batch_query(), self.views())
        kept = [row for row in rows if all(reference.fits(value, kind) for value, kind in zip(row, self.written()))]
        try:
            trees = [self.query, *([self.more] if self.more else []), *(temp.relation.query for temp in self.read_temps())]
            failures = [query for tree in trees for query in tree.failures()]
            if len(kept) < len(rows) and self.changes:
                raise Uncounted
            dirty = self.undecodable() + engine.count(failures) + len(rows) - len(kept)
        except Uncounted:
            dirty = None
        return Expected(reference.text(kept, self.written()), dirty)

    def undecodable(self):
        return sum(isinstance(row, str) for name in records.used(self.queries_text()) for row in self.inputs.rows[name])

    def test_text(self, expected):
        """Writes the job as a test file."""
        lines = ['title = "a random job"', f"sql = '''\n{self.stream_text()}'''"]
        if "FLOAT" in self.written() or "FLOAT" in self.kinds:
            lines.append("tolerance = 1e-6")
        elif "DOUBLE" in self.written():
            lines.append("tolerance = 1e-9")
        if expected.dirty is not None:
            lines.append(f"dirty_records = {expected.dirty}")
        for name in records.used(self.queries_text()):
            table = "tables" if name == "g" else "inputs"
            lines.append(f"[{table}.{name}]\nrows = '''\n{records.records(name, self.inputs.rows[name])}'''")
        lines.append(f"[outputs.o]\nfinal = '''\n{expected.rows}'''")
        batch = self.batch_text() if self.rows is None else None
        if batch is None:
            lines.append('[batch]\nwithout = "a pattern"')
        elif self.sink_kinds:
            lines.append('[batch]\nwithout = "rows that do not fit the columns of the sink are dropped"')
        elif re.search(r"\b(wm|rid|proctime)\b|<<", batch):
            lines.append('[batch]\nwithout = "rows are dropped by the watermark that was in force"')
        else:
            lines.append(f"batch = {json.dumps(batch)}")
        return "\n".join(lines) + "\n"

    def smaller(self):
        """Gives jobs with less in them: first fewer rows, then a smaller query."""
        for name, rows in self.inputs.rows.items():
            size = len(rows)
            while size:
                for place in range(0, len(rows), size):
                    yield replace(self, inputs=self.inputs.with_rows(name, rows[:place] + rows[place + size:]))
                size //= 2
        if self.sink_kinds:
            yield replace(self, sink_kinds=())
        if self.rows is None:
            for query in self.query.smaller():
                yield replace(self, query=query)
            for place, temp in enumerate(self.temps):
                for query in temp.relation.query.smaller():
                    less = replace(temp, relation=replace(temp.relation, query=query))
                    yield replace(self, temps=self.temps[:place] + (less,) + self.temps[place + 1:])
            if self.more:
                yield replace(self, more=None)
                yield replace(self, query=self.more, more=None)
            for place, temp in enumerate(self.temps):
                if temp not in self.read_temps():
                    yield replace(self, temps=self.temps[:place] + self.temps[place + 1:])


def scaled(query, columns, more=""):
    """Writes a query whose decimals are those of a sink or temp stream, as the rows of several queries come together there."""
    items = ", ".join(f"CAST({name} AS DECIMAL(20,4)) AS {name}" if kind == "DECIMAL" else name for name, kind in columns.items())
    return f"SELECT {items}{more} FROM ({query.batch}) AS scaled({', '.join(columns)})"


def random_job(rng):
    draw = rng.random()
    if draw < 0.5:
        return untimed_job(rng)
    watermark = records.random_watermark(rng)
    if draw < 0.85:
        windows = Windows(rng, may_fail(rng))
        made = windows.relation()
        watermark = records.LAZY if windows.wants_lazy else watermark
        job = Job(made.query, tuple(made.columns.values()), None, tuple(windows.relations.temps), changes=made.changes)
        job = converted(rng, job)
        return replace(job, inputs=records.random_inputs(
            rng, watermark, may_be_dirty=not any("proctime" in query.stream for query in job.queries()), large=rng.random() < 0.02))
    query, rows, columns = Patterns(rng).made()
    watermark = watermark if rng.random() < 0.5 else records.LAZY
    inputs = records.random_inputs(rng, watermark, may_be_dirty="proctime" not in query.stream)
    return Job(query, tuple(columns.values()), inputs, rows=rows)


def may_fail(rng):
    return rng.random() < 0.4


def converted(rng, job):
    """Makes a sink of some jobs whose columns have other types."""
    kinds = tuple(rng.choice(CONVERSIONS[kind]) if kind in CONVERSIONS and rng.random() < 0.5 else kind for kind in job.kinds)
    return replace(job, sink_kinds=kinds) if kinds != job.kinds and rng.random() < 0.12 else job


def untimed_job(rng):
    """Makes a job of queries without windows, some of which read queries with windows."""
    windows, is_timed = Windows(rng, may_fail(rng)), False

    def timed():
        nonlocal is_timed
        is_timed = True
        return windows.relation()

    relations = windows.relations
    relations.timed = timed
    made = relations.relation(rng.choice([0, 0, 1, 1, 2]))
    kinds = tuple(made.columns.values())
    more = relations.select(rng.choice([0, 1]), kinds) if rng.random() < 0.15 else None
    changes = made.changes or bool(more and more.changes)
    job = converted(rng, Job(made.query, kinds, None, tuple(relations.temps), more=more and more.query, changes=changes))
    watermark = records.random_watermark(rng) if is_timed and not windows.wants_lazy else records.LAZY
    may_be_dirty = not any("proctime" in query.stream for query in job.queries())
    return replace(job, inputs=records.random_inputs(rng, watermark, unique_times=is_timed, may_be_dirty=may_be_dirty))


# What the references say of a job that means nothing to them.
REFUSALS = (duckdb.Error, Undefined)
