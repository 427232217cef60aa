"""What a batch engine makes of a job: DuckDB over tables with all records."""

import decimal

import duckdb

import inputs as records
import sessions

SQL_TYPES = {"STRING": "VARCHAR", "DECIMAL": "DECIMAL(8,2)"}
# The columns of sinks.
SINK_TYPES = {"DECIMAL": "DECIMAL(20,4)"}

# Windows are aligned to the epoch; `hop` lists the starts of the windows of a row.
MACROS = """
CREATE MACRO tumble(t, size) AS time_bucket(size, t, TIMESTAMP '1970-01-01');
CREATE MACRO hop(t, slide, size) AS
  generate_series(time_bucket(slide, t - size, TIMESTAMP '1970-01-01') + slide, t, slide);
"""


class Reference:
    """One connection; the tables are filled anew for each job."""

    def __init__(self):
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1; SET TimeZone = 'UTC'")
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


def literal(value, kind):
    if value is None:
        return "NULL"
    shown = records.text(value, kind)
    return f"'{shown}'" if kind in ("STRING", "TIMESTAMP") else shown


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
    if kind in ("INT", "BIGINT"):
        # A union may have made a number of another type of it.
        return str(int(value))
    if kind == "DOUBLE":
        # Compared as a number.
        return repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")
    return str(value)


def text(rows, kinds):
    return "".join(",".join(cell(value, kind) for value, kind in zip(row, kinds)) + "\n" for row in rows)
