"""A job test of the corpus, as docs/job-tests.md describes the file."""

import pathlib
import tomllib
from functools import cached_property

import stream_sql
import values

# Processing time of the k-th record: 2024-01-01 00:00:00 UTC plus k seconds.
RECORD_CLOCK = {"start_ms": 1_704_067_200_000, "step_ms": 1_000}


class CaseError(Exception):
    """The test file is wrong."""


class Case:
    def __init__(self, path, root):
        self.path = path
        self.name = path.name.removesuffix(".test.toml")
        self.family = path.relative_to(root).parts[0]
        try:
            self.keys = tomllib.loads(path.read_text())
        except tomllib.TOMLDecodeError as error:
            raise CaseError(f"{path}: {error}") from None
        self.title = self.keys["title"]
        self.outputs = self.keys.get("outputs", {})
        self.tolerance = self.keys.get("tolerance")
        if not self.outputs and "fails" not in self.keys:
            raise CaseError(f"{path}: no outputs, so it shows nothing")

    @cached_property
    def sql(self):
        if "sql" in self.keys:
            return self.keys["sql"]
        named = self.keys.get("job")
        return (self.path.parent / (named or f"{self.name}.sql")).read_text()

    @cached_property
    def job(self):
        return stream_sql.parse(self.sql)

    @property
    def record_clock(self):
        return {**RECORD_CLOCK, **self.keys.get("record_clock", {})}

    def stream(self, name):
        return self.job.streams[name.lower()]

    def reason(self, engine, key):
        return self.keys.get(engine, {}).get(key)

    @cached_property
    def input_texts(self):
        """Records of every source and dimension table by its name, as they arrive."""
        texts = {}
        for table in ("inputs", "tables"):
            for name, given in self.keys.get(table, {}).items():
                if isinstance(given, str):
                    texts[name.lower()] = (self.path.parent / given).read_text()
                elif "messages" in given:
                    texts[name.lower()] = given["messages"]
                else:
                    texts[name.lower()] = given["rows"]
        for stream in self.job.streams.values():
            if stream.kind in ("source", "table") and stream.name.lower() not in texts:
                raise CaseError(f"{self.path}: `{stream.name}` has no input")
        return texts

    def records(self, name):
        """Returns the decoded records of a source or dimension table."""
        stream = self.stream(name)
        if isinstance(self.input_texts[name.lower()], list):
            raise CaseError(f"{self.path}: only Weir reads the encoding of `{name}`")
        return values.decode(stream, self.input_texts[name.lower()], "csv" if stream.kind == "table" else None)

    def expected_text(self, output):
        given = self.outputs[output]
        if "rows" in given:
            return given["rows"]
        return (self.path.parent / given["expected"]).read_text() if "expected" in given else None

    def expected(self, output, key):
        """Returns the comparable rows of an output: `rows`, `final`, or another engine's own."""
        sink = self.stream(output)
        text = self.expected_text(output) if key == "rows" else self.outputs[output].get(key)
        if text is None:
            return None
        if key == "final":
            sink = stream_sql.Stream("sink", sink.name, sink.columns, {"encode": "csv"})
        return self.rows_of_text(sink, text)

    def rows_of_text(self, sink, text):
        rows = []
        for line in text.splitlines():
            found = values.decode(sink, line + "\n")
            if len(found) != 1:
                raise CaseError(f"{self.path}: `{line}` is no row of sink {sink.name}")
            rows.append(values.comparable(found[0], sink))
        return rows

    def converted(self, output, row):
        """Returns a row that another engine computed as a comparable one."""
        sink = self.stream(output)
        if len(row) != len(sink.columns):
            raise CaseError(f"{self.path}: {len(row)} values for the {len(sink.columns)} columns of {output}")
        kinds = [kind for _, kind in sink.columns]
        return values.comparable([values.convert(value, kind) for value, kind in zip(row, kinds)], sink)

    def folded(self, row, output):
        """`final` is csv whatever the sink writes, so NULL and the empty string are one there."""
        return tuple("" if value is None and kind.name == "STRING" else value
                     for value, (_, kind) in zip(row, self.stream(output).columns))

    def compare(self, output, changes, own=None, in_order=True):
        """Compares (kind, row) changes with `rows` and `final`, or with the rows that engine `own` gives; returns what differs."""
        keys = self.outputs[output]
        in_order = in_order and keys.get("order", self.keys.get("order")) == "fixed"
        expected = self.expected(output, own or "rows")
        if expected is not None:
            text = values.difference(expected, values.written(changes), self.tolerance, in_order)
            if text:
                return f"{output}:\n{text}"
        if "final" in keys and not own:
            left = [self.folded(row, output) for row in values.fold(changes)]
            text = values.difference(self.expected(output, "final"), left, self.tolerance)
            if text:
                return f"{output} (final):\n{text}"
        return None


def load_all(directory):
    found = [Case(path, directory) for path in sorted(directory.rglob("*.test.toml"))]
    if not found:
        raise CaseError(f"no tests below {directory}")
    return found
