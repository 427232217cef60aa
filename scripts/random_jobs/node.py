"""Texts that are made twice: as Stream SQL, and as the DuckDB SQL that means the same.

A text is a tree, so that a job that differs can be made smaller: a part gives way to one of its own parts, or to a constant.
"""

CONSTANTS = {
    "INT": "1", "BIGINT": "1", "STRING": "'a'", "BOOLEAN": "TRUE", "DOUBLE": "1E0", "DECIMAL": "1.5",
    "TIMESTAMP": "TIMESTAMP '2024-03-15 12:00:00'", "DATE": "DATE '2024-03-15'",
}


class Node:
    """A text with its kind: a type of values, or what can stand in its place for a query."""

    def __init__(self, kind, stream, batch, parts=()):
        self.kind, self.stream_form, self.batch_form, self.parts = kind, stream, batch, tuple(parts)

    @property
    def stream(self):
        return self.stream_form.format(*(part.stream for part in self.parts))

    @property
    def batch(self):
        return self.batch_form.format(*(part.batch for part in self.parts))

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
            yield leaf(self.kind, CONSTANTS[self.kind])
        for place, part in enumerate(self.parts):
            for less in part.smaller():
                yield Node(self.kind, self.stream_form, self.batch_form, self.parts[:place] + (less,) + self.parts[place + 1:])


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


def listed(nodes, form="{}"):
    """Returns the places of consecutive parts, from a given one on, as text of a form."""
    return ", ".join(form.format("{%d}" % place) for place in nodes)
