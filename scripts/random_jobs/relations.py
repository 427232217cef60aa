"""Random queries without windows: what they give may change, and what stands above them changes with it.

A relation is a query with the kinds of its columns. It can be read by another one, so that changes are made of changes.
"""

import contextlib
from dataclasses import dataclass, field

from expressions import EXACT, KEYS, Expressions
from inputs import COLUMNS, STREAMS
from node import Node, both, leaf, listed, pair


@dataclass
class Relation:
    """A query, and its columns: names to kinds."""

    query: Node
    columns: dict
    # Whether rows of it may be withdrawn.
    changes: bool = False


@dataclass
class Source:
    """What stands in a FROM clause, and the columns that it offers: SQL text to kind."""

    node: Node
    columns: dict
    changes: bool = False
    # Whether a condition on a row of it is computed once: what reads one side of a join, or what an array was opened beside, may be
    # computed before.
    once: bool = True


@dataclass
class Temp:
    """A temp stream: its declaration, and the relation that fills it."""

    name: str
    relation: Relation
    # Its event time and watermark.
    clause: str = ""


@dataclass
class Relations:
    """Makes relations over the input streams and over each other."""

    rng: object
    temps: list = field(default_factory=list)
    aliases: int = 0
    # Makes a query over event time, which is read like any other.
    timed: object = None
    # Whether expressions may fail.
    may_fail: bool = False
    # How many queries read the one that is made. A column that none of them reads is not computed, so what stands in one
    # fails only in the outermost query; conditions and keys are always computed.
    readers: int = 0

    def alias(self):
        self.aliases += 1
        return f"q{self.aliases}"

    @contextlib.contextmanager
    def inside(self):
        """Makes queries that another one reads."""
        self.readers += 1
        yield
        self.readers -= 1

    def conditions(self, columns):
        """Makes conditions and keys."""
        return Expressions(self.rng, columns, self.may_fail)

    def columns(self, columns):
        """Makes columns of a result."""
        return Expressions(self.rng, columns, self.may_fail and not self.readers)

    def source(self, depth):
        """Makes what a query reads: a stream, a temp stream, or another query."""
        with self.inside():
            return self.any_source(depth)

    def any_source(self, depth):
        draw = self.rng.random()
        alias = self.alias()
        if self.timed and depth > 0 and draw > 0.92:
            inner = self.timed()
            return self.aliased(both("FROM", f"({{}}) AS {alias}", inner.query), alias, inner.columns, inner.changes)
        plain = [temp for temp in self.temps if not temp.clause]
        if plain and draw < 0.2:
            temp = self.rng.choice(plain)
            return self.aliased(leaf("FROM", f"{temp.name} AS {alias}"), alias, temp.relation.columns, temp.relation.changes)
        if depth > 0 and draw < 0.65:
            inner = self.relation(depth - 1)
            if len(self.temps) < 2 and self.rng.random() < 0.15:
                temp = Temp(f"t{len(self.temps)}", inner)
                self.temps.append(temp)
                return self.aliased(leaf("FROM", f"{temp.name} AS {alias}"), alias, inner.columns, inner.changes)
            return self.aliased(both("FROM", f"({{}}) AS {alias}", inner.query), alias, inner.columns, inner.changes)
        table = self.rng.choice(STREAMS)
        word = self.rng.choice(["{} AS {}", "{} AS {}", "{} {}", "TABLE {} AS {}"])
        return self.aliased(leaf("FROM", word.format(table, alias), f"{table} AS {alias}"), alias, COLUMNS[table], False)

    def aliased(self, node, alias, columns, changes):
        return Source(node, {f"{alias}.{name}": kind for name, kind in columns.items()}, changes)

    def relation(self, depth, kinds=None):
        if kinds:
            return self.select(depth, kinds)
        return self.rng.choice([
            self.select, self.select, self.distinct, self.union, self.grouped, self.grouped, self.grouped, self.join, self.join,
            self.unnest, self.unnest, self.split, self.lookup, self.starred, self.opened,
        ])(depth)

    def where(self, columns, depth=2, may_fail=True):
        """Returns a WHERE clause or nothing, as a node."""
        if self.rng.random() < 0.5:
            made = self.conditions(columns) if may_fail else Expressions(self.rng, columns)
            return both("WHERE", " WHERE {}", made.of("BOOLEAN", depth))
        return leaf("WHERE", "")

    def kinds(self, made, among=None, most=3):
        return [made.kind(among) for _ in range(self.rng.randint(1, most))]

    def items(self, made, kinds, depth=2):
        return [made.of(kind, depth) for kind in kinds]

    def named(self, kinds):
        return {f"c{place}": kind for place, kind in enumerate(kinds)}

    def finish(self, head, items, source, where, tail="", changes=False, batch_tail=None, more=()):
        """Puts a SELECT together. `tail` may name items and `more` by their places."""
        count = len(items)
        select = ", ".join(f"{{{place}}} AS c{place}" for place in range(count))
        text = f"SELECT {head}{select} FROM {{{count}}}"
        parts = (*items, source.node, where, *more)
        stream, batch = f"{text}{{{count + 1}}}{tail}", f"{text}{{kept}}{tail if batch_tail is None else batch_tail}"
        query = Node(f"QUERY {[item.kind for item in items]}", stream, batch, parts, selects=(count, source.once and not source.changes))
        return Relation(query, self.named([item.kind for item in items]), changes)

    def select(self, depth, kinds=None):
        source = self.source(depth)
        made = self.columns(source.columns)
        items = self.items(made, kinds or self.kinds(made))
        return self.finish(self.rng.choice(["", "", "", "ALL "]), items, source, self.where(source.columns), changes=source.changes)

    def starred(self, depth):
        """Makes all columns of another query, and more."""
        with self.inside():
            inner, alias = self.relation(max(depth - 1, 0)), self.alias()
        source = self.aliased(both("FROM", f"({{}}) AS {alias}", inner.query), alias, inner.columns, inner.changes)
        made, star = self.columns(source.columns), self.rng.choice(["*", f"{alias}.*"])
        items = self.items(made, self.kinds(made, most=1)) if star != "*" else []
        columns = {**inner.columns, **{f"{alias}n": item.kind for item in items}}
        shown = ", ".join([star] + [f"{{0}} AS {alias}n" for _ in items])
        text, count = f"SELECT {shown} FROM {{{len(items)}}}", len(items)
        query = Node(f"QUERY {list(columns.values())}", f"{text}{{{count + 1}}}", f"{text}{{kept}}",
                     (*items, source.node, self.where(source.columns)), selects=(count, not source.changes))
        return Relation(query, columns, source.changes)

    def opened(self, depth):
        """Makes the fields of a row, as columns."""
        alias = self.alias()
        source = self.aliased(leaf("FROM", f"j AS {alias}"), alias, COLUMNS["j"], False)
        made = self.columns(source.columns)
        item = made.of(made.kind(), depth)
        query = Node(f"QUERY opened {item.kind}", f"SELECT {alias}.w.*, {{0}} AS c0 FROM {{1}}{{2}}",
                     f"SELECT {alias}.w.n AS n, {alias}.w.s AS s, {{0}} AS c0 FROM {{1}}{{kept}}",
                     (item, source.node, self.where(source.columns)), selects=(1, True))
        return Relation(query, {"n": "INT", "s": "STRING", "c0": item.kind})

    def constants(self, kinds):
        """Makes rows that are read from nothing."""
        made = Expressions(self.rng, {})
        if self.rng.random() < 0.5:
            items = [made.of(kind, 1) for kind in kinds]
            text = ", ".join(f"{{{place}}} AS c{place}" for place in range(len(items)))
            return Relation(both(f"QUERY {kinds}", f"SELECT {text}", *items), self.named(kinds))
        rows = [made.leaf(kind) for _ in range(self.rng.randint(1, 3)) for kind in kinds]
        width = len(kinds)
        text = ", ".join("(" + listed(range(start, start + width)) + ")" for start in range(0, len(rows), width))
        return Relation(pair(f"QUERY {kinds}", f"VALUES {text}", f"SELECT * FROM (VALUES {text})", *rows), self.named(kinds))

    def distinct(self, depth):
        source = self.source(depth)
        made = self.columns(source.columns)
        items = self.items(made, self.kinds(made, KEYS))
        return self.finish("DISTINCT ", items, source, self.where(source.columns), changes=source.changes)

    def union(self, depth):
        kinds = [self.rng.choice(EXACT) for _ in range(self.rng.randint(1, 3))]
        branches = [self.select(depth, kinds) for _ in range(self.rng.randint(2, 3))]
        if self.rng.random() < 0.15:
            branches.append(self.constants(kinds))
        word = self.rng.choice(["UNION", "UNION ALL", "UNION ALL"])
        form = f" {word} ".join(self.rng.choice(["{}", "{}", "({})"]) for _ in branches)
        query = both(f"QUERY {kinds}", form, *(branch.query for branch in branches))
        return Relation(query, self.named(kinds), any(branch.changes for branch in branches))

    def keys(self, made, most=2):
        """Makes grouping keys. One that reads no column is a place in the select list to one engine and a constant to another."""
        keys = {}
        for kind in self.kinds(made, KEYS, most):
            key = made.of(kind, 1)
            if any(name in key.stream for name in made.columns):
                keys[key.stream] = key
        return list(keys.values())

    def grouped(self, depth):
        source = self.source(depth)
        made = self.columns(source.columns)
        keys = self.keys(self.conditions(source.columns)) if self.rng.random() < 0.9 else []
        items = keys + [made.aggregate() for _ in range(self.rng.randint(1, 3))]
        if len(keys) > 1 and self.rng.random() < 0.3:
            items.append(both("INT", "GROUPING_ID({}, {})", *keys[:2]))
        elif keys and self.rng.random() < 0.1:
            items.append(both("INT", "GROUPING({})", keys[0]))
        elif keys and self.rng.random() < 0.1:
            items.append(pair("INT", "GROUP_ID()", "0"))
        where = self.where(source.columns)
        places = range(len(keys))
        if not keys:
            # Over no rows at all a batch gives one row, and a stream, which waits for the first, none.
            return self.finish("", items, source, where, "", True, " HAVING COUNT(*) > 0")
        tail, more = f" GROUP BY {listed(places)}", ()
        if len(keys) > 1 and self.rng.random() < 0.3:
            tail = self.rng.choice([
                f" GROUP BY CUBE({listed(places)})", f" GROUP BY ROLLUP({listed(places)})",
                f" GROUP BY GROUPING SETS(({listed(places)}), ({{0}}), ())", " GROUP BY GROUPING SETS({0}, {1})",
            ])
        # The same holds for a total among grouping sets.
        batch_tail = tail + " HAVING COUNT(*) > 0"
        if self.rng.random() < 0.3:
            place = f"{{{len(items) + 2}}}"
            tail, batch_tail, more = f"{tail} HAVING {place}", f"{batch_tail} AND {place}", (self.having(source.columns),)
        return self.finish("", items, source, where, tail, True, batch_tail, more)

    def having(self, columns):
        made = Expressions(self.rng, columns)
        number = self.rng.choice([
            lambda: both("BIGINT", "COUNT(*)"), lambda: both("BIGINT", "SUM({})", made.of("INT", 1)),
            lambda: both("BIGINT", "MIN({})", made.of("INT", 1)), lambda: both("BIGINT", "COUNT(DISTINCT {})", made.of("INT", 0)),
        ])()
        sign, than = self.rng.choice([">", "<", ">=", "<>"]), self.rng.randint(0, 3)
        return both("BOOLEAN", f"{{}} {sign} {than}", number)

    def joined_source(self, depth):
        """Makes a source that joins two by an equality."""
        left, right = self.source(depth), self.source(depth)
        kind = self.rng.choice(["JOIN", "LEFT JOIN"])
        node = both("FROM", f"{{}} {kind} {{}} ON {{}}", left.node, right.node, self.equality(left.columns, right.columns))
        changes = left.changes or right.changes or kind != "JOIN"
        return Source(node, {**left.columns, **right.columns}, changes, once=False)

    def join(self, depth):
        left = self.joined_source(0) if self.rng.random() < 0.2 else self.source(depth)
        right = self.source(depth)
        kind = self.rng.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        both_columns = Expressions(self.rng, {**left.columns, **right.columns})
        condition = self.equality(left.columns, right.columns)
        # A FULL JOIN with more than equalities is beyond DuckDB.
        if kind != "FULL JOIN" and self.rng.random() < 0.4:
            condition = both("BOOLEAN", "{} AND {}", condition, both_columns.of("BOOLEAN", 1))
        node = both("FROM", f"{{}} {kind} {{}} ON {{}}", left.node, right.node, condition)
        changes = left.changes or right.changes or kind != "JOIN"
        source = Source(node, both_columns.columns, changes, once=False)
        items = self.items(self.columns(source.columns), self.kinds(both_columns), 1)
        return self.finish("", items, source, self.where(source.columns), changes=changes)

    def equality(self, left, right):
        """Makes an equality between columns of two inputs, or between expressions where they share no kind."""
        # An equality of event times is a bound, with late rows; that is for joins within bounds.
        kinds = [kind for kind in EXACT if kind != "TIMESTAMP"]
        pairs = [(a, b) for a, kind in left.items() for b, other in right.items() if kind == other and kind in kinds]
        if pairs and self.rng.random() < 0.8:
            a, b = self.rng.choice(pairs)
            return leaf("EQUALITY", f"{a} = {b}")
        kind = self.rng.choice(["INT", "STRING"])
        parts = []
        for columns in (left, right):
            name = self.rng.choice(list(columns))
            text = f"CHAR_LENGTH(CAST({name} AS VARCHAR))" if kind == "INT" else f"CAST({name} AS VARCHAR)"
            if columns[name] not in ("INT", "BIGINT", "TINYINT", "SMALLINT", "STRING", "DATE"):
                # The text of other kinds is a matter of each engine.
                text = f"CASE WHEN {name} IS NULL THEN 1 ELSE 2 END" if kind == "INT" else f"CASE WHEN {name} IS NULL THEN 'a' ELSE 'b' END"
            parts.append(leaf(kind, text))
        return both("EQUALITY", "{} = {}", *parts)

    def unnest(self, depth):
        draw = self.rng.random()
        if draw < 0.2:
            return self.unnest_of_column(depth)
        source = self.source(depth)
        made = Expressions(self.rng, source.columns)
        elements = [made.of("INT", 1) for _ in range(self.rng.randint(1, 3))]
        alias = self.alias()
        if draw < 0.4:
            return self.unnest_with_places(source, elements, alias)
        node = pair("FROM", f"{{0}}{self.cross()}UNNEST(ARRAY[{self.places(elements)}]) AS {alias}(e)",
                    f"{{0}}, (SELECT unnest([{self.places(elements)}]) AS e) AS {alias}", source.node, *elements)
        return self.select_from(source, node, {f"{alias}.e": "INT"})

    def unnest_of_column(self, depth):
        """Opens the arrays or maps of a stream."""
        alias, of = self.alias(), self.alias()
        source = self.aliased(leaf("FROM", f"j AS {of}"), of, COLUMNS["j"], False)
        made = Expressions(self.rng, source.columns)
        if self.rng.random() < 0.5:
            node = pair("FROM", f"{{}}{self.cross()}UNNEST({{}}) AS {alias}(e)", f"{{}}, (SELECT unnest({{}}) AS e) AS {alias}",
                        source.node, made.of("ARRAY", depth))
            return self.select_from(source, node, {f"{alias}.e": "INT"})
        batch = f"{{0}}, (SELECT u.o.key AS e, u.o.value AS o FROM (SELECT unnest(map_entries({{1}})) AS o) AS u) AS {alias}"
        node = pair("FROM", f"{{}}{self.cross()}UNNEST({{}}) AS {alias}(e, o)", batch, source.node, made.of("MAP", depth))
        return self.select_from(source, node, {f"{alias}.e": "STRING", f"{alias}.o": "INT"})

    def unnest_with_places(self, source, elements, alias):
        places = self.places(elements)
        node = pair("FROM", f"{{0}} CROSS JOIN UNNEST(ARRAY[{places}]) WITH ORDINALITY AS {alias}(e, o)",
                    f"{{0}}, (SELECT unnest([{places}]) AS e, generate_subscripts([{places}], 1) AS o) AS {alias}",
                    source.node, *elements)
        return self.select_from(source, node, {f"{alias}.e": "INT", f"{alias}.o": "INT"})

    def places(self, elements):
        return listed(range(1, len(elements) + 1))

    def cross(self):
        return self.rng.choice([" CROSS JOIN ", ", "])

    def select_from(self, source, node, found):
        """Selects the columns that were found for each row of a source, and more."""
        opened = Source(node, {**source.columns, **found}, source.changes, once=False)
        made = self.columns(opened.columns)
        items = [leaf(kind, name) for name, kind in found.items()] + self.items(made, self.kinds(made, most=2), 1)
        return self.finish("", items, opened, self.where(opened.columns, 1), changes=source.changes)

    def split(self, depth):
        source = self.source(depth)
        alias, text = self.alias(), Expressions(self.rng, source.columns).of("STRING", 1)
        call = "LATERAL TABLE(SPLIT_CURSOR({}, ' '))"
        if self.rng.random() < 0.3:
            node = pair("FROM", f"{{}} LEFT JOIN {call} AS {alias}(e) ON TRUE",
                        f"{{}} LEFT JOIN LATERAL (SELECT unnest(string_split({{}}, ' ')) AS e) AS {alias} ON TRUE", source.node, text)
        else:
            node = pair("FROM", f"{{}}{self.cross()}{call} AS {alias}(e)",
                        f"{{}}, (SELECT unnest(string_split({{}}, ' ')) AS e) AS {alias}", source.node, text)
        return self.select_from(source, node, {f"{alias}.e": "STRING"})

    def lookup(self, depth):
        source = self.source(depth)
        alias, kind = self.alias(), self.rng.choice(["JOIN", "LEFT JOIN"])
        found = {f"{alias}.{name}": of for name, of in COLUMNS["g"].items()}
        made = Expressions(self.rng, source.columns)
        condition = both("LOOKUP", f"{alias}.k = {{}}", made.of("STRING", 0))
        if self.rng.random() < 0.3:
            condition = both("LOOKUP", f"{{}} AND {alias}.n = {{}}", condition, made.of("INT", 0))
        node = both("FROM", f"{{}} {kind} g AS {alias} ON {{}}", source.node, condition)
        opened = Source(node, {**source.columns, **found}, source.changes, once=False)
        made = self.columns(opened.columns)
        return self.finish("", self.items(made, self.kinds(made), 1), opened, self.where(opened.columns), changes=source.changes)
