"""A naive matcher of row patterns: tries every way through the pattern, in order of preference, row by row.

It follows the wording of the language and nothing else, so it is slow and short. Rows are dictionaries with their time under `ts`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    name: str


@dataclass(frozen=True)
class Sequence:
    parts: tuple


@dataclass(frozen=True)
class Choice:
    parts: tuple


@dataclass(frozen=True)
class Repeated:
    part: object
    least: int
    # None: without bound.
    most: object
    greedy: bool = True


class Path:
    """The rows of an attempt so far: places of rows, and the variables they are mapped to."""

    def __init__(self, rows, start, names=()):
        self.rows, self.start, self.names = rows, start, names

    @property
    def next(self):
        return self.start + len(self.names)

    def extended(self, name):
        return Path(self.rows, self.start, self.names + (name,))

    def of(self, name):
        """Returns the rows that are mapped to a variable; all rows without one."""
        found = zip(self.names, self.rows[self.start:self.next])
        return [row for mapped, row in found if name is None or mapped == name]

    def row(self, offset=0):
        """Returns the row so many places after the current one, or None beyond the partition."""
        place = self.next - 1 + offset
        return self.rows[place] if 0 <= place < len(self.rows) else None

    def until(self, count):
        return Path(self.rows, self.start, self.names[:count])


def ways(node, path, accepts):
    """Gives the paths that continue `path` through a part of a pattern, the preferred ones first."""
    if isinstance(node, Variable):
        if path.next < len(path.rows):
            longer = path.extended(node.name)
            if accepts(longer):
                yield longer
    elif isinstance(node, Sequence):
        yield from through(node.parts, path, accepts)
    elif isinstance(node, Choice):
        for part in node.parts:
            yield from ways(part, path, accepts)
    else:
        yield from repeated(node, path, accepts, 0)


def through(parts, path, accepts):
    if not parts:
        yield path
        return
    for way in ways(parts[0], path, accepts):
        yield from through(parts[1:], way, accepts)


def repeated(node, path, accepts, done):
    enough = done >= node.least
    if enough and not node.greedy:
        yield path
    if node.most is None or done < node.most:
        for way in ways(node.part, path, accepts):
            # A repetition of nothing goes on for ever; one that is required may be empty.
            if len(way.names) > len(path.names):
                yield from repeated(node, way, accepts, done + 1)
            elif not enough:
                yield from repeated(node, way, accepts, done + 1)
    if enough and node.greedy:
        yield path


def matches(rows, pattern, accepts, skip):
    """Gives the matches of one partition. `skip` tells from a match the place of the row at which the next attempt begins."""
    start = 0
    while start < len(rows):
        found = next(ways(pattern, Path(rows, start), accepts), None)
        if found is None or not found.names:
            # Where the preferred way takes no row there is no match.
            start += 1
            continue
        yield found
        start = skip(found)
