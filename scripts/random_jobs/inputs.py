"""Random records, and when which watermark was in force."""

import datetime
from dataclasses import dataclass

from expressions import WORDS

# Declared columns, in order: names to kinds. The event time of a stream is its last column.
COLUMNS = {
    "l": {"k": "STRING", "x": "INT", "y": "INT", "f": "BOOLEAN", "d": "DOUBLE", "m": "DECIMAL", "t": "TIMESTAMP", "ts": "TIMESTAMP"},
    "r": {"k": "STRING", "z": "INT", "s": "STRING", "b": "BIGINT", "ts": "TIMESTAMP"},
    # The dimension table.
    "g": {"k": "STRING", "n": "INT", "label": "STRING"},
}
DECLARED = {"DECIMAL": "DECIMAL(8,2)"}
BEGIN = datetime.datetime(2024, 3, 15, 12)
# The k-th record of a stream is read so many seconds later.
CLOCK_BEGIN = datetime.datetime(2024, 1, 1)
DIRTY = ["", "a,b,c", "a,many,1,true,1.0,1.0,,2024-03-15 12:00:00", "a,1,b,many,2024-03-15 12:00:00", "a,1,2,true,1.5,2.5,,yesterday"]
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
    steps, wanted = [step / 2 for step in range(span * 2)], 2 * max(count, 20)
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

    rows = {
        "l": [left() for _ in range(count)],
        "r": [right() for _ in range(rng.randint(0, count))],
        "g": [label() for _ in range(rng.randint(0, 8))],
    }
    if watermark == LAZY and may_be_dirty and rng.random() < 0.2:
        # Whether a dirty record counts for a watermark or a clock is no question here.
        for name in ("l", "r"):
            for _ in range(rng.randint(0, 3)):
                rows[name].insert(rng.randint(0, len(rows[name])), rng.choice(DIRTY))
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
    return str(value)


def stamp(value):
    shown = value.strftime("%Y-%m-%d %H:%M:%S")
    return f"{shown}.{value.microsecond // 1000:03}" if value.microsecond else shown


def csv(name, rows):
    kinds = COLUMNS[name].values()
    lines = (row if isinstance(row, str) else ",".join(text(value, kind) for value, kind in zip(row, kinds)) for row in rows)
    return "".join(line + "\n" for line in lines)


def read_at(place):
    """Returns the processing time of a record by its place in the stream."""
    return CLOCK_BEGIN + datetime.timedelta(seconds=place)


def declarations(inputs, processing_time=False):
    """Writes the CREATE statements of the inputs."""
    indicators = "ts.rowtime, proctime.proctime" if processing_time else "ts.rowtime"
    made = []
    for name, columns in COLUMNS.items():
        listed = ", ".join(f"{column} {DECLARED.get(kind, kind)}" for column, kind in columns.items())
        if name == "g":
            options = 'type = "rds", username = "u", password = "p", db_url = "postgresql://db:5432/d", table_name = "g"'
            made.append(f"CREATE TABLE g ({listed}) WITH ({options});")
            continue
        made.append(
            f'CREATE SOURCE STREAM {name} ({listed}) WITH (type = "dis", channel = "{name}", encode = "csv", field_delimiter = ",")\n'
            f"  TIMESTAMP BY {indicators} {inputs.clause()};"
        )
    return "\n".join(made) + "\n"
