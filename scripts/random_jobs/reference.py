"""What a batch engine makes of a job: DuckDB over tables with all records."""

import decimal

import duckdb

import inputs as records
import sessions

SQL_TYPES = {
    "STRING": "VARCHAR", "DECIMAL": "DECIMAL(8,2)", "ARRAY": "INTEGER[]", "MAP": "MAP(VARCHAR, INTEGER)",
    "ROW": "STRUCT(n INTEGER, s VARCHAR)",
}
# The columns of sinks.
SINK_TYPES = {"DECIMAL": "DECIMAL(20,4)", **records.NESTED_TYPES}

# Windows are aligned to the epoch; `hop` lists the starts of the windows of a row.
MACROS = """
CREATE MACRO tumble(t, size) AS time_bucket(size, t, TIMESTAMP '1970-01-01');
CREATE MACRO hop(t, slide, size) AS
  generate_series(time_bucket(slide, t - size, TIMESTAMP '1970-01-01') + slide, t, slide);
"""
# Of a CASE or NULLIF whose results are the same text or NULL, this optimizer takes `LIKE` to be TRUE where it is NULL.
FAULTY_OPTIMIZERS = "statistics_propagation"


class Reference:
    """One connection; the tables are filled anew for each job."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = 1; SET TimeZone = 'UTC'; SET disabled_optimizers = '{FAULTY_OPTIMIZERS}'")
        self.connection.execute(MACROS)
        for name, columns in records.COLUMNS.items():
            listed = ", ".join(f"{column} {SQL_TYPES.get(kind, kind)}" for column, kind in columns.items())
            more = "" if name == "g" else ", proctime TIMESTAMP, rid INTEGER, wm TIMESTAMP"
            self.connection.execute(f"CREATE TABLE {name} ({listed}{more})")

    def load(self, given):
        for name in given.rows:
            rows = given.decoded(name)
            self.connection.execute(f"DELETE FROM {name}")
            watermarks = given.watermarks(name) if name != "g" else []
            kinds = list(records.COLUMNS[name].values())
            literals = []
            for place, row in enumerate(rows):
                values = [literal(value, kind) for value, kind in zip(row, kinds)]
                if name != "g":
                    read = literal(records.read_at(place), "TIMESTAMP")
                    values += [read, str(place), literal(watermarks[place], "TIMESTAMP")]
                literals.append(f"({', '.join(values)})")
            if literals:
                self.connection.execute(f"INSERT INTO {name} VALUES {', '.join(literals)}")

    def rows(self, query, views):
        """Returns the rows of a query, which reads views: pairs of name and query, in order."""
        for name, text in views:
            text = sessions.resolved(self.connection, text, f"sessions_{name}")
            self.connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {text}")
        return self.connection.execute(sessions.resolved(self.connection, query, "sessions")).fetchall()

    def count(self, queries):
        """Returns the sum of what queries count; they may read the views of the rows that were computed last."""
        return sum(self.connection.execute(sessions.resolved(self.connection, query, "counted")).fetchall()[0][0] for query in queries)


def literal(value, kind):
    if value is None:
        return "NULL"
    if kind == "ARRAY":
        return f"[{', '.join(literal(item, 'INT') for item in value)}]"
    if kind == "MAP":
        entries = (f"{literal(key, 'STRING')}: {literal(item, 'INT')}" for key, item in value.items())
        return f"CAST(MAP {{{', '.join(entries)}}} AS MAP(VARCHAR, INTEGER))"
    if kind == "ROW":
        return f"{{'n': {literal(value[0], 'INT')}, 's': {literal(value[1], 'STRING')}}}"
    shown = records.text(value, kind)
    return f"'{shown}'" if kind in ("STRING", "TIMESTAMP", "TIME") else shown


def cell(value, kind):
    """Writes a value as a csv sink of this kind does."""
    if value is None:
        return ""
    if kind == "BOOLEAN":
        return "true" if value else "false"
    if kind == "DECIMAL":
        return str(decimal.Decimal(value).quantize(decimal.Decimal("0.0001")))
    if kind == "TIMESTAMP":
        return records.stamp(value)
    if kind == "TIME":
        return records.clock(value)
    if kind in INTEGERS:
        # A union may have made a number of another type of it.
        return str(int(value))
    if kind in ("DOUBLE", "FLOAT"):
        # Compared as a number.
        return repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")
    if kind == "ARRAY":
        return f"[{', '.join(cell(item, 'INT') for item in value)}]"
    if kind == "MAP":
        entries = ", ".join(f"{key}={cell(item, 'INT')}" for key, item in value.items())
        return f"{{{entries}}}"
    if kind == "ROW":
        return f"{cell(value['n'], 'INT')},{cell(value['s'], 'STRING')}"
    return str(value)


# Integers, and the greatest of each kind.
INTEGERS = {"TINYINT": 2**7 - 1, "SMALLINT": 2**15 - 1, "INT": 2**31 - 1, "BIGINT": 2**63 - 1}


def fits(value, kind):
    """Tells whether a value can be written to a column."""
    return value is None or kind not in INTEGERS or -INTEGERS[kind] - 1 <= int(value) <= INTEGERS[kind]


def text(rows, kinds):
    return "".join(",".join(cell(value, kind) for value, kind in zip(row, kinds)) + "\n" for row in rows)
