"""Random records, and when which watermark was in force."""

import datetime
import json
import re
from dataclasses import dataclass

from expressions import WORDS
from nested import KEYS

# Declared columns, in order: names to kinds. The event time of a stream is its last column.
COLUMNS = {
    "l": {"k": "STRING", "x": "INT", "y": "INT", "f": "BOOLEAN", "d": "DOUBLE", "m": "DECIMAL", "t": "TIMESTAMP", "ts": "TIMESTAMP"},
    "r": {"k": "STRING", "z": "INT", "s": "STRING", "b": "BIGINT", "ts": "TIMESTAMP"},
    # What csv cannot say; its records are JSON.
    "j": {"k": "STRING", "i": "TINYINT", "h": "SMALLINT", "e": "FLOAT", "u": "TIME", "v": "ARRAY", "p": "MAP", "w": "ROW", "ts": "TIMESTAMP"},
    # The dimension table.
    "g": {"k": "STRING", "n": "INT", "label": "STRING"},
}
STREAMS = [name for name in COLUMNS if name != "g"]
NESTED_TYPES = {"ARRAY": "ARRAY[INT]", "MAP": "MAP[STRING, INT]", "ROW": "ROW<n INT, s STRING>"}
DECLARED = {"DECIMAL": "DECIMAL(8,2)", **NESTED_TYPES}
BEGIN = datetime.datetime(2024, 3, 15, 12)
# The k-th record of a stream is read so many seconds later.
CLOCK_BEGIN = datetime.datetime(2024, 1, 1)
DIRTY = ["", "a,b,c", "a,many,1,true,1.0,1.0,,2024-03-15 12:00:00", "a,1,b,many,2024-03-15 12:00:00", "a,1,2,true,1.5,2.5,,yesterday"]
DIRTY_JSON = ["", "[1]", '{"k":"a"}', '{"i":300,"ts":"2024-03-15 12:00:00"}', '{"v":[1,"x"],"ts":"2024-03-15 12:00:00"}',
              '{"w":{"n":1.5},"ts":"2024-03-15 12:00:00"}', '{"p":{"a":true},"ts":"2024-03-15 12:00:00"}', '{"k":"a","ts":"yesterday"}']
# Everything is on time: no watermark comes near it.
LAZY = ("ROWS", 1, 86_400)


@dataclass
class Inputs:
    """Records of the streams and of the dimension table, and how the streams make watermarks."""

    rows: dict
    watermark: tuple = LAZY

    def with_rows(self, name, rows):
        return Inputs({**self.rows, name: rows}, self.watermark)

    def decoded(self, name):
        """Returns the rows of a stream without its dirty records, which are texts."""
        return [row for row in self.rows[name] if not isinstance(row, str)]

    def clause(self):
        how, every, delay = self.watermark
        first = f"ROWS {every}" if how == "ROWS" else f"RANGE INTERVAL {every} SECOND"
        return f"SET WATERMARK ({first}, INTERVAL {delay} SECOND)"

    def watermarks(self, name):
        """Returns the watermark that was in force just before each row was read, None before the first."""
        how, every, delay = self.watermark
        greatest, sent, found = None, None, []
        for count, row in enumerate(self.decoded(name), 1):
            found.append(sent)
            time = row[-1]
            greatest = time if greatest is None else max(greatest, time)
            candidate = greatest - datetime.timedelta(seconds=delay)
            if how == "ROWS":
                due = count % every == 0
            else:
                due = sent is None or candidate - sent >= datetime.timedelta(seconds=every)
            if due and (sent is None or candidate > sent):
                sent = candidate
        return found


def random_watermark(rng):
    delay = rng.choice([0, 1, 5, 20, 60])
    return ("ROWS", rng.choice([1, 1, 2, 3, 7]), delay) if rng.random() < 0.6 else ("RANGE", rng.choice([1, 5, 30]), delay)


def random_inputs(rng, watermark=LAZY, unique_times=True, may_be_dirty=True, large=False):
    """Makes records. Where event times are unique, what is ordered by them is determined."""
    count = rng.choice([0, 3, 8, 8, 20, 20, 20, 40, 40])
    span = rng.choice([60, 600])
    if large:
        # Enough rows for several batches of an engine, and for it to tidy its state up.
        count, span = 3_000, 6_000
    steps, wanted = [step / 2 for step in range(span * 2)], min(3 * max(count, 20), span * 2)
    times = rng.sample(steps, wanted) if unique_times else [rng.choice(steps) for _ in range(wanted)]
    if rng.random() < 0.5:
        # Nearly in order, as streams are.
        times.sort(key=lambda time: time + rng.uniform(0, 15))
        times.reverse()

    def at():
        return BEGIN + datetime.timedelta(seconds=times.pop())

    def maybe(value):
        return None if rng.random() < 0.15 else value

    def left():
        return [
            rng.choice(WORDS), maybe(rng.randint(-9, 9)), maybe(rng.randint(0, 4)), maybe(rng.random() < 0.5),
            maybe(rng.randint(-20, 20) / 4), maybe(rng.randint(-999, 999)),
            maybe(BEGIN + datetime.timedelta(seconds=rng.randint(-100_000, 100_000))), at(),
        ]

    def right():
        return [rng.choice(WORDS), maybe(rng.randint(-9, 9)), rng.choice(WORDS), maybe(rng.randint(-99, 99)), at()]

    def label():
        return [rng.choice(WORDS), maybe(rng.randint(-9, 9)), rng.choice(WORDS)]

    def nested():
        entries = rng.sample(KEYS, rng.randint(0, 2))
        return [
            rng.choice(WORDS), maybe(rng.randint(-9, 60)), maybe(rng.randint(-99, 999)), maybe(rng.randint(-20, 20) / 4),
            maybe(datetime.time(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59), rng.choice([0, 0, 250_000]))),
            maybe([maybe(rng.randint(-9, 9)) for _ in range(rng.randint(0, 3))]),
            maybe({key: maybe(rng.randint(0, 9)) for key in entries}),
            maybe((maybe(rng.randint(-9, 9)), maybe(rng.choice(WORDS)))), at(),
        ]

    rows = {
        "l": [left() for _ in range(count)],
        "r": [right() for _ in range(rng.randint(0, count))],
        "j": [nested() for _ in range(rng.randint(0, count))],
        "g": [label() for _ in range(rng.randint(0, 8))],
    }
    if watermark == LAZY and may_be_dirty and rng.random() < 0.2:
        # Whether a dirty record counts for a watermark or a clock is no question here.
        for name in STREAMS:
            for _ in range(rng.randint(0, 3)):
                rows[name].insert(rng.randint(0, len(rows[name])), rng.choice(DIRTY_JSON if name == "j" else DIRTY))
    return Inputs(rows, watermark)


def text(value, kind):
    """Writes a value as csv does."""
    if value is None:
        return ""
    if kind == "BOOLEAN":
        return "true" if value else "false"
    if kind == "DECIMAL":
        return f"{value / 100:.2f}"
    if kind == "TIMESTAMP":
        return stamp(value)
    if kind == "TIME":
        return clock(value)
    return str(value)


def stamp(value):
    shown = value.strftime("%Y-%m-%d %H:%M:%S")
    return f"{shown}.{value.microsecond // 1000:03}" if value.microsecond else shown


def clock(value):
    shown = value.strftime("%H:%M:%S")
    return f"{shown}.{value.microsecond // 1000:03}" if value.microsecond else shown


def record(row, name):
    """Writes a record, or the text of a dirty one."""
    if isinstance(row, str):
        return row
    columns = COLUMNS[name]
    if name != "j":
        return ",".join(text(value, kind) for value, kind in zip(row, columns.values()))
    shown = {}
    for value, (column, kind) in zip(row, columns.items()):
        if kind == "ROW" and value is not None:
            value = dict(zip("ns", value))
        elif kind in ("TIME", "TIMESTAMP") and value is not None:
            value = text(value, kind)
        # What is NULL may be missing.
        if value is not None or len(shown) % 2:
            shown[column] = value
    return json.dumps(shown, separators=(",", ":"))


def records(name, rows):
    return "".join(record(row, name) + "\n" for row in rows)


def read_at(place):
    """Returns the processing time of a record by its place in the stream."""
    return CLOCK_BEGIN + datetime.timedelta(seconds=place)


def used(queries):
    """Returns the names of the streams and tables that queries read."""
    return [name for name in COLUMNS if re.search(rf"(FROM|JOIN|,|TABLE)\s+{name}\b", queries)]


def declarations(inputs, queries):
    """Writes the CREATE statements of the inputs that queries read."""
    # Streams of processing time are read row by row, so those that need none are spared it.
    indicators = "ts.rowtime, proctime.proctime" if "proctime" in queries else "ts.rowtime"
    made = []
    for name in used(queries):
        listed = ", ".join(f"{column} {DECLARED.get(kind, kind)}" for column, kind in COLUMNS[name].items())
        if name == "g":
            options = 'type = "rds", username = "u", password = "p", db_url = "postgresql://db:5432/d", table_name = "g"'
            made.append(f"CREATE TABLE g ({listed}) WITH ({options});")
            continue
        encoding = 'encode = "json"' if name == "j" else 'encode = "csv", field_delimiter = ","'
        made.append(
            f'CREATE SOURCE STREAM {name} ({listed}) WITH (type = "dis", channel = "{name}", {encoding})\n'
            f"  TIMESTAMP BY {indicators} {inputs.clause()};"
        )
    return "\n".join(made) + "\n"
