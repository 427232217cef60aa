"""Random MATCH_RECOGNIZE queries, whose rows a naive matcher computes."""

import datetime

import inputs
import matcher
from node import leaf

NAMES = ["A", "B", "C", "D"]
COLUMNS = ["x", "y"]


class Patterns:
    def __init__(self, rng):
        self.rng = rng

    def made(self):
        """Returns the query and the function from inputs to its rows, and the kinds of its columns."""
        rng = self.rng
        names = NAMES[:rng.randint(1, 4)]
        pattern, text = self.sequence(names, 2)
        while not mentions(pattern):
            pattern, text = self.sequence(names, 2)
        used = [name for name in names if name in mentions(pattern)]
        definitions = {name: self.condition(name, used) for name in used if rng.random() < 0.85}
        if not definitions:
            definitions = {used[0]: self.condition(used[0], used)}
        within = rng.choice([None, None, 5, 20, 60])
        partition = rng.choice(["k", "k", "f", None])
        time = rng.choice(["ts", "ts", "ts", "proctime"])
        skip_text, skip = self.skip(used)
        all_rows = rng.random() < 0.25
        measures = [self.measure(used, all_rows) for _ in range(rng.randint(1, 4))]
        kinds = {f"m{place}": kind for place, (_, kind, _) in enumerate(measures)}
        clauses = [
            f"PARTITION BY {partition}" if partition else "", f"ORDER BY {time}",
            "MEASURES " + ", ".join(f"{shown} AS m{place}" for place, (shown, _, _) in enumerate(measures)),
            "ALL ROWS PER MATCH" if all_rows else rng.choice(["", "ONE ROW PER MATCH"]), skip_text, f"PATTERN ({text})",
            f"WITHIN INTERVAL '{within}' SECOND" if within else "",
            "DEFINE " + ", ".join(f"{name} AS {shown}" for name, (shown, _) in definitions.items()),
        ]
        prefix = {partition: inputs.COLUMNS["l"][partition]} if partition else {}
        columns = {**prefix, **kinds}
        shown = ", ".join(columns)
        query = f"SELECT {shown} FROM l MATCH_RECOGNIZE ({' '.join(clause for clause in clauses if clause)}) AS mr"

        def rows(given):
            return evaluate(given, partition, pattern, {name: test for name, (_, test) in definitions.items()}, within, skip,
                            [value for _, _, value in measures], all_rows, time)

        return leaf("PATTERN", query), rows, columns

    def sequence(self, names, depth):
        made = [self.factor(names, depth) for _ in range(self.rng.randint(1, 3))]
        text = " ".join(shown for _, shown in made)
        node = matcher.Sequence(tuple(node for node, _ in made))
        if depth > 0 and self.rng.random() < 0.2:
            other, other_text = self.sequence(names, depth - 1)
            return matcher.Choice((node, other)), f"{text} | {other_text}"
        return node, text

    def factor(self, names, depth):
        if depth > 0 and self.rng.random() < 0.2:
            node, text = self.sequence(names, depth - 1)
            text = f"({text})"
        else:
            name = self.rng.choice(names)
            node, text = matcher.Variable(name), name
        quantifier, least, most = self.rng.choice([
            ("", 1, 1), ("", 1, 1), ("", 1, 1), ("*", 0, None), ("+", 1, None), ("+", 1, None), ("?", 0, 1), ("{2}", 2, 2),
            ("{2,}", 2, None), ("{1,3}", 1, 3), ("{,2}", 0, 2),
        ])
        if not quantifier:
            return node, text
        greedy = self.rng.random() < 0.7
        return matcher.Repeated(node, least, most, greedy), text + quantifier + ("" if greedy else "?")

    def condition(self, name, used):
        """Returns a condition as text, and as a function from a path whose last row is to be mapped to `name`."""
        draw, column, number = self.rng.random(), self.rng.choice(COLUMNS), self.rng.randint(-5, 5)
        if draw < 0.15:
            first, second = self.condition(name, used), self.condition(name, used)
            word, joined = self.rng.choice([("AND", conjunction), ("OR", disjunction)])
            return f"({first[0]} {word} {second[0]})", lambda path: joined(first[1](path), second[1](path))
        sign, compare = self.rng.choice(list(SIGNS.items()))
        own = f"{name}.{column}"
        here = lambda path: value(path.row(), column)
        others = [other for other in used if other != name]
        options = [
            (str(number), lambda path: number), (str(number), lambda path: number),
            (f"PREV({own})", lambda path: value(path.row(-1), column)),
            (f"PREV({own}, 2)", lambda path: value(path.row(-2), column)),
            (f"NEXT({own})", lambda path: value(path.row(1), column)),
            (f"FIRST({own})", lambda path: value(first_of(path.of(name)), column)),
        ]
        if others:
            other = self.rng.choice(others)
            options += [
                (f"{other}.{column}", lambda path: value(last_of(path.of(other)), column)),
                (f"LAST({other}.{column})", lambda path: value(last_of(path.of(other)), column)),
                (f"FIRST({other}.{column})", lambda path: value(first_of(path.of(other)), column)),
            ]
        if draw < 0.3:
            word, function = self.rng.choice(list(AGGREGATES.items()))
            return f"{word}({own}) {sign} {number}", lambda path: compare(function(values(path.of(name), column)), number)
        shown, than = self.rng.choice(options)
        return f"{own} {sign} {shown}", lambda path: compare(here(path), than(path))

    def skip(self, used):
        name, last = self.rng.choice(used), self.rng.random() < 0.6
        word = self.rng.choice(["LAST ", ""]) if last else "FIRST "
        return self.rng.choice([
            (f"AFTER MATCH SKIP TO {word}{name}", lambda path: skipped_to(path, name, last)),
            ("", lambda path: path.next), ("AFTER MATCH SKIP PAST LAST ROW", lambda path: path.next),
            ("AFTER MATCH SKIP TO NEXT ROW", lambda path: path.start + 1),
        ])

    def measure(self, used, all_rows):
        """Returns a measure as text, its kind, and the function from the match up to a row, and the whole match, to its value."""
        name, column = self.rng.choice(used), self.rng.choice(COLUMNS)
        word, function = self.rng.choice(list(AGGREGATES.items()))
        kind = "BIGINT" if word in ("SUM", "COUNT") else "INT"
        made = [
            (f"FIRST({name}.{column})", "INT", lambda now, _, __: value(first_of(now.of(name)), column)),
            (f"LAST({name}.{column})", "INT", lambda now, _, __: value(last_of(now.of(name)), column)),
            (f"LAST({name}.{column}, 1)", "INT", lambda now, _, __: value(last_of(now.of(name)[:-1]), column)),
            (f"{name}.{column}", "INT", lambda now, _, __: value(last_of(now.of(name)), column)),
            (f"{word}({name}.{column})", kind, lambda now, _, __: function(values(now.of(name), column))),
            ("COUNT(*)", "BIGINT", lambda now, _, __: len(now.names)),
            ("MATCH_NUMBER()", "BIGINT", lambda _, __, number: number),
            ("CLASSIFIER()", "STRING", lambda now, _, __: now.names[-1]),
        ]
        if all_rows:
            made.append((f"FINAL {word}({name}.{column})", kind, lambda _, whole, __: function(values(whole.of(name), column))))
        return self.rng.choice(made)


class Undefined(Exception):
    """The language calls it an error."""


def skipped_to(path, name, last):
    """Returns the place of the last or first row of a variable, which must be there and not begin the match."""
    places = [path.start + place for place, mapped in enumerate(path.names) if mapped == name]
    place = places[-1 if last else 0] if places else path.start
    if place == path.start:
        raise Undefined(f"SKIP TO {name} goes nowhere")
    return place


def mentions(node):
    if isinstance(node, matcher.Variable):
        return {node.name}
    parts = (node.part,) if isinstance(node, matcher.Repeated) else node.parts
    return set().union(*(mentions(part) for part in parts))


def compared(operation):
    return lambda a, b: None if a is None or b is None else operation(a, b)


SIGNS = {
    "<": compared(lambda a, b: a < b), "<=": compared(lambda a, b: a <= b), ">": compared(lambda a, b: a > b),
    ">=": compared(lambda a, b: a >= b), "=": compared(lambda a, b: a == b), "<>": compared(lambda a, b: a != b),
}
AGGREGATES = {
    "SUM": lambda found: sum(found) if found else None, "COUNT": len,
    "MIN": lambda found: min(found, default=None), "MAX": lambda found: max(found, default=None),
}


def conjunction(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def disjunction(a, b):
    return True if a is True or b is True else None if a is None or b is None else False


def value(row, column):
    return None if row is None else row[column]


def values(rows, column):
    return [row[column] for row in rows if row[column] is not None]


def first_of(rows):
    return rows[0] if rows else None


def last_of(rows):
    return rows[-1] if rows else None


def evaluate(given, partition, pattern, tests, within, skip, measures, all_rows, time="ts"):
    """Computes the rows of a query over the stream `l`."""
    names = list(inputs.COLUMNS["l"])
    partitions = {}
    for place, (row, watermark) in enumerate(zip(given.decoded("l"), given.watermarks("l"))):
        if time == "proctime" or watermark is None or row[-1] > watermark:
            row = {**dict(zip(names, row)), "proctime": inputs.read_at(place)}
            partitions.setdefault(row[partition] if partition else None, []).append(row)

    def accepts(path):
        first, last = path.rows[path.start], path.row()
        if within and last[time] - first[time] >= datetime.timedelta(seconds=within):
            return False
        test = tests.get(path.names[-1])
        return test is None or test(path) is True

    found = []
    for key, rows in partitions.items():
        rows.sort(key=lambda row: row[time])
        for number, path in enumerate(matcher.matches(rows, pattern, accepts, skip), 1):
            shown = range(1, len(path.names) + 1) if all_rows else [len(path.names)]
            for count in shown:
                now = path.until(count)
                found.append([key] * bool(partition) + [measure(now, path, number) for measure in measures])
    return found
