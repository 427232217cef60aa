"""Column (c): the result as one batch query over the whole input, computed by DuckDB."""

import duckdb

import stream_sql
import values

TYPES = {"STRING": "VARCHAR", "FLOAT": "REAL"}

# Windows are aligned to the epoch; `hop` lists the starts of the windows of a row.
MACROS = """
CREATE MACRO tumble(t, size) AS time_bucket(size, t, TIMESTAMP '1970-01-01');
CREATE MACRO hop(t, slide, size) AS
  generate_series(time_bucket(slide, t - size, TIMESTAMP '1970-01-01') + slide, t, slide);
"""


def sql_type(kind):
    if kind.name == "DECIMAL":
        return f"DECIMAL({kind.numbers[0]},{kind.numbers[1]})"
    if kind.name == "ARRAY":
        return sql_type(kind.parts[0]) + "[]"
    if kind.name == "MAP":
        return f"MAP({sql_type(kind.parts[0])}, {sql_type(kind.parts[1])})"
    if kind.name == "ROW":
        pairs = (f'"{name}" {sql_type(part)}' for name, part in zip(kind.fields, kind.parts))
        return f"STRUCT({', '.join(pairs)})"
    return TYPES.get(kind.name, kind.name)


class Batch:
    """The inputs of a case as tables, and its temp streams as views."""

    def __init__(self, case):
        self.case = case
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
        self.connection.execute(MACROS)
        for stream in case.job.streams.values():
            if stream.kind in ("source", "table") and stream.columns:
                self._load(stream)
        for stream in case.job.streams.values():
            if stream.kind == "temp":
                self._view(stream)

    def _load(self, stream):
        columns = ", ".join(f'"{name}" {sql_type(kind)}' for name, kind in stream.columns)
        self.connection.execute(f'CREATE TABLE "{stream.name}" ({columns})')
        marks = ", ".join(f"CAST(? AS {sql_type(kind)})" for _, kind in stream.columns)
        for row in self.case.records(stream.name):
            self.connection.execute(f'INSERT INTO "{stream.name}" VALUES ({marks})', row)

    def _view(self, stream):
        query = " UNION ALL ".join(map(stream_sql.portable, self.case.job.queries_of(stream.name)))
        names = ", ".join(f'"{name}"' for name, _ in stream.columns)
        try:
            self.connection.execute(f'CREATE VIEW "{stream.name}" ({names}) AS {query}')
        except duckdb.Error:
            # Windows and the like mean nothing here; a batch query that names the stream says so itself.
            pass

    def run(self, output):
        query = self.case.outputs[output]["batch"]
        if query == "same":
            query = " UNION ALL ".join(map(stream_sql.portable, self.case.job.queries_of(output)))
        rows = self.connection.execute(query).fetchall()
        return [self.case.converted(output, [plain(value) for value in row]) for row in rows]


def plain(value):
    return value


def check(case):
    """Returns what differs, or None."""
    try:
        engine = Batch(case)
        for output, keys in case.outputs.items():
            if "batch" not in keys:
                return f"output `{output}` has no `batch`, and there is no `batch.without`"
            found = engine.run(output)
            key = "final" if "final" in keys else "rows"
            if key == "final":
                found = [case.folded(row, output) for row in found]
            text = values.difference(case.expected(output, key), found, case.tolerance)
            if text:
                return f"{output} ({key}):\n{text}"
    except duckdb.Error as error:
        return f"DuckDB: {str(error).splitlines()[0]}"
    return None
