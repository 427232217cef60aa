"""Texts that are made twice: as Stream SQL, and as the DuckDB SQL that means the same.

A text is a tree, so that a job that differs can be made smaller: a part gives way to one of its own parts, or to a constant.
An expression that may fail on a row also has a condition under which it can be computed there, `sound`; its batch form is NULL
where it cannot. A query leaves the rows out on which one of its expressions fails.
"""

CONSTANTS = {
    "INT": ("1",), "BIGINT": ("1",), "STRING": ("'a'",), "BOOLEAN": ("TRUE",), "DOUBLE": ("1E0",), "DECIMAL": ("1.5",),
    "TIMESTAMP": ("TIMESTAMP '2024-03-15 12:00:00'",), "DATE": ("DATE '2024-03-15'",), "TIME": ("TIME '12:00:00'",),
    "TINYINT": ("CAST(1 AS TINYINT)",), "SMALLINT": ("CAST(1 AS SMALLINT)",), "FLOAT": ("CAST(1 AS FLOAT)",),
    "ARRAY": ("ARRAY[1]", "[1]"), "MAP": ("MAP['a', 1]", "MAP {'a': 1}"), "ROW": ("ROW(1, 'a')", "{'n': 1, 's': 'a'}"),
}


class Uncounted(Exception):
    """How many rows fail is not determined, or nothing here can tell."""


class Node:
    """A text with its kind: a type of values, or what can stand in its place for a query.

    In the batch form `{kept}` is the WHERE clause of the query: its condition, and that no expression fails. `sound` computes from the
    parts when an expression can be computed, or None when always. `selects` is the place of what a query reads, and whether each
    of its rows comes once and stays.
    """

    def __init__(self, kind, stream, batch, parts=(), sound=None, selects=None):
        self.kind, self.stream_form, self.batch_form, self.parts = kind, stream, batch, tuple(parts)
        self.own_sound, self.selects = sound, selects

    def with_parts(self, parts):
        return Node(self.kind, self.stream_form, self.batch_form, parts, self.own_sound, self.selects)

    @property
    def stream(self):
        return self.stream_form.format(*(part.stream for part in self.parts))

    @property
    def batch(self):
        texts = [part.batch for part in self.parts]
        return self.batch_form.format(*texts, kept=self.kept() if "{kept}" in self.batch_form else "")

    @property
    def sound(self):
        if self.kind not in CONSTANTS:
            return None
        return self.own_sound(*self.parts) if self.own_sound else strict(*self.parts)

    def condition(self):
        """Returns the condition of a query, or None."""
        return next((part.parts[0] for part in self.parts if part.kind == "WHERE" and part.parts), None)

    def kept(self):
        condition, sound = self.condition(), strict(*self.parts)
        wanted = [condition.sound, f"({condition.batch})"] if condition else []
        wanted = [text for text in wanted + [sound] if text]
        return f" WHERE {' AND '.join(wanted)}" if wanted else ""

    def failures(self):
        """Returns queries that count the rows that are left out because an expression fails on them."""
        found = [query for part in self.parts for query in part.failures()]
        condition, sound = self.condition(), strict(*self.parts)
        below = condition.sound if condition else None
        if not below and not sound or "{kept}" not in self.batch_form:
            return found
        if self.selects is None or not self.selects[1]:
            raise Uncounted
        terms = [f"NOT {below}"] if below else []
        if sound:
            terms.append(f"({condition.batch}) IS TRUE AND NOT {sound}" if condition else f"NOT {sound}")
        return found + [f"SELECT count(*) FROM {self.parts[self.selects[0]].batch} WHERE {' OR '.join(terms)}"]

    def size(self):
        return 1 + sum(part.size() for part in self.parts)

    def descendants(self):
        for part in self.parts:
            yield part
            yield from part.descendants()

    def smaller(self):
        """Gives trees in which one part is replaced by something smaller of its kind."""
        for below in self.descendants():
            if below.kind == self.kind:
                yield below
        if self.kind in CONSTANTS and self.size() > 1:
            yield leaf(self.kind, *CONSTANTS[self.kind])
        for place, part in enumerate(self.parts):
            for less in part.smaller():
                yield self.with_parts(self.parts[:place] + (less,) + self.parts[place + 1:])


def strict(*parts):
    """Returns when all parts can be computed."""
    found = list(dict.fromkeys(text for text in (part.sound for part in parts) if text))
    return f"({' AND '.join(found)})" if found else None


def leaf(kind, stream, batch=None):
    """Makes a text without parts. Braces in it are text."""
    escaped = [text.replace("{", "{{").replace("}", "}}") for text in (stream, stream if batch is None else batch)]
    return Node(kind, *escaped)


def both(kind, form, *parts):
    """Makes a text whose form is the same in both languages."""
    return Node(kind, form, form, parts)


def pair(kind, stream, batch, *parts):
    """Makes a text that the languages write differently."""
    return Node(kind, stream, batch, parts)


def failing(kind, stream, batch, *parts):
    """Makes a text that fails on a row where its batch form gives NULL, or an error, though no part is NULL."""
    batch = f"TRY({batch})"

    def sound(*parts):
        texts = [part.batch for part in parts]
        given = " AND ".join(f"({text}) IS NOT NULL" for text in texts)
        own = f"NOT ({given} AND {batch.format(*texts)} IS NULL)"
        below = strict(*parts)
        return f"({below} AND {own})" if below else f"({own})"

    return Node(kind, stream, batch, parts, sound)


def lazy(kind, form, *parts, needed, batch=None):
    """Makes a text that computes some of its parts only where it must. `needed` returns what must be sound, as pairs: the condition
    under which a part is looked at, as SQL of the batch, and the part."""
    def sound(*parts):
        terms = []
        for when, part in needed(*parts):
            if part.sound:
                terms.append(part.sound if when is None else f"(({when}) IS NOT TRUE OR {part.sound})")
        return f"({' AND '.join(terms)})" if terms else None

    return Node(kind, form, form if batch is None else batch, parts, sound)


def listed(nodes, form="{}"):
    """Returns the places of consecutive parts, from a given one on, as text of a form."""
    return ", ".join(form.format("{%d}" % place) for place in nodes)
