"""Random queries over event time: group windows, windows over windows, OVER, interval joins.

Each batch form reads tables with two more columns: `rid`, the place of a row in its stream, and `wm`, the watermark in force just
before it was read. So the reference drops late rows by the rule of the language and not by what an engine did.
"""

import re
from dataclasses import dataclass

import sessions
from expressions import KEYS, Expressions
from inputs import COLUMNS, STREAMS
from node import Node, both, leaf, listed, pair
from relations import Relation, Relations, Temp

NO_LATENESS = "CAST(NULL AS TIMESTAMP) AS wm, 0 AS rid"


@dataclass
class Timed:
    """What stands in a FROM clause and has an event time. Column names are unqualified."""

    node: Node
    columns: dict
    time: str
    # Whether rows of one time are in an order that the reference knows.
    ordered: bool = True
    # Whether rows may still be late here.
    fresh: bool = True

    @property
    def free(self):
        """Returns the columns without the event time, which expressions may read but not pass on."""
        return {name: kind for name, kind in self.columns.items() if name != self.time}

    @property
    def readable(self):
        """Returns the columns that an expression may read without asking the clock."""
        return self.free if self.time == "proctime" else self.columns


class Windows:
    """Makes queries over event time. Some of them want inputs without late rows."""

    def __init__(self, rng, may_fail=False):
        self.rng = rng
        self.relations = Relations(rng, may_fail=may_fail)
        self.wants_lazy = False

    def seconds(self):
        return self.rng.choice([1, 5, 10, 30, 60, 90])

    def timed(self, depth):
        with self.relations.inside():
            return self.any_timed(depth)

    def any_timed(self, depth):
        if depth == 0:
            return self.table()
        return self.rng.choice([
            self.table, self.table, self.table, lambda: self.filtered(depth - 1), lambda: self.filtered(depth - 1),
            self.union, self.interval_join, self.temp, lambda: self.window_result(depth - 1), lambda: self.over_result(depth - 1),
        ])()

    def event_timed(self, depth):
        while True:
            source = self.timed(depth)
            if source.time != "proctime":
                return source

    def table(self):
        name = self.rng.choice(["l", "l", "r", "j"])
        if self.rng.random() < 0.2:
            columns = {name: kind for name, kind in COLUMNS[name].items() if name != "ts"}
            batch = f"(SELECT * REPLACE (CAST(NULL AS TIMESTAMP) AS wm) FROM {name}) AS {name}"
            return Timed(leaf("FROM", name, batch), {**columns, "proctime": "TIMESTAMP"}, "proctime", fresh=False)
        return Timed(leaf("FROM", name), dict(COLUMNS[name]), "ts")

    def filtered(self, depth):
        below = self.timed(depth)
        made = Expressions(self.rng, below.readable)
        kinds = self.relations.kinds(made)
        items = self.relations.items(made, kinds, 1)
        where = self.relations.where(below.readable)
        alias, count = self.relations.alias(), len(items)
        select = "".join(f"{{{place}}} AS c{place}, " for place in range(count))
        stream = f"(SELECT {select}{below.time} FROM {{{count}}}{{{count + 1}}}) AS {alias}"
        batch = f"(SELECT {select}{below.time}, rid, wm FROM {{{count}}}{{kept}}) AS {alias}"
        node = Node("FROM", stream, batch, (*items, below.node, where), selects=(count, True))
        return Timed(node, {**self.relations.named(kinds), below.time: "TIMESTAMP"}, below.time, below.ordered, below.fresh)

    def temp(self):
        """Makes a temp stream with an event time: the watermark of the query that fills it, or one of its own."""
        below = self.filtered(0)
        while below.time == "proctime":
            below = self.filtered(0)
        name = f"e{len(self.relations.temps)}"
        clause, late = " TIMESTAMP BY ts.rowtime", "wm"
        if self.rng.random() < 0.5:
            # One that makes no row late here, wherever the rows are read.
            clause, late = clause + " SET WATERMARK (ROWS 2, INTERVAL 1 DAY)", "CAST(NULL AS TIMESTAMP) AS wm"
        columns = ", ".join(below.columns)
        kind = f"TEMP {list(below.columns.values())}"
        query = pair(kind, f"SELECT {columns} FROM {{}}", f"SELECT {columns}, rid, {late} FROM {{}}", below.node)
        self.relations.temps.append(Temp(name, Relation(query, below.columns), clause))
        return Timed(leaf("FROM", name), below.columns, "ts")

    def union(self):
        # Which of two streams is read first is open, and with it what is late.
        self.wants_lazy = True
        alias = self.relations.alias()
        branches = []
        for table in ("l", "r"):
            made = Expressions(self.rng, COLUMNS[table])
            branches += [made.of("INT", 1), self.relations.where(COLUMNS[table], 1, may_fail=False)]
        stream = "SELECT k, {0} AS v, ts FROM l{1} UNION ALL SELECT k, {2} AS v, ts FROM r{3}"
        batch = "SELECT k, {0} AS v, ts, rid, wm FROM l{1} UNION ALL SELECT k, {2} AS v, ts, rid, wm FROM r{3}"
        node = pair("FROM", f"({stream}) AS {alias}", f"({batch}) AS {alias}", *branches)
        return Timed(node, {"k": "STRING", "v": "INT", "ts": "TIMESTAMP"}, "ts")

    def interval_join(self):
        query = self.joined(passes_time=True)
        alias = self.relations.alias()
        node = pair("FROM", f"({{}}) AS {alias}", f"(SELECT *, {NO_LATENESS} FROM ({{}})) AS {alias}", query.query)
        return Timed(node, query.columns, "ts", ordered=False, fresh=False)

    def window_result(self, depth):
        with self.relations.inside():
            inner = self.grouped(self.event_timed(depth), rowtime=True)
        alias = self.relations.alias()
        node = pair("FROM", f"({{}}) AS {alias}", f"(SELECT *, {NO_LATENESS} FROM ({{}})) AS {alias}", inner.query)
        return Timed(node, inner.columns, "rt", ordered=False, fresh=False)

    def over_result(self, depth):
        with self.relations.inside():
            inner = self.over(self.event_timed(depth), passes_time=True)
        alias = self.relations.alias()
        node = pair("FROM", f"({{}}) AS {alias}", f"(SELECT *, {NO_LATENESS} FROM ({{}})) AS {alias}", inner.query)
        return Timed(node, inner.columns, "ot", ordered=False, fresh=False)

    def grouped(self, source, rowtime=False):
        """Groups by a window, and more."""
        made, for_keys = self.relations.columns(source.free), self.relations.conditions(source.free)
        keys = {}
        for _ in range(self.rng.choice([0, 1, 1, 2])):
            key = for_keys.of(made.kind(KEYS), self.rng.choice([0, 0, 1]))
            if any(name in key.stream for name in made.columns):
                keys[key.stream] = key
        keys = list(keys.values())
        items = keys + [made.aggregate() for _ in range(self.rng.randint(1, 3))]
        if rowtime and not any(item.kind in ("INT", "BIGINT") for item in items):
            items.append(both("BIGINT", "COUNT(*)"))
        where = self.relations.where(source.readable)
        return self.rng.choice([self.tumble, self.tumble, self.hop, self.session])(source, keys, items, where, rowtime)

    def tumble(self, source, keys, items, where, rowtime):
        size = f"INTERVAL '{self.seconds()}' SECOND"
        arguments = f"{source.time}, {size}"
        inner = f"SELECT *, tumble({source.time}, {size}) AS w_start, tumble({source.time}, {size}) + {size} AS w_end FROM <source><kept>"
        return self.windowed("TUMBLE", arguments, inner, source, keys, items, where, rowtime)

    def hop(self, source, keys, items, where, rowtime):
        slide, size = self.seconds(), self.seconds()
        if size > 40 * slide:
            slide = size // 4
        slide, size = f"INTERVAL '{slide}' SECOND", f"INTERVAL '{size}' SECOND"
        arguments = f"{source.time}, {slide}, {size}"
        inner = (f"SELECT *, w_start + {size} AS w_end FROM (SELECT *, unnest(hop({source.time}, {slide}, {size})) AS w_start "
                 f"FROM <source><kept>)")
        return self.windowed("HOP", arguments, inner, source, keys, items, where, rowtime)

    def session(self, source, keys, items, where, rowtime):
        seconds, time = self.seconds(), source.time
        gap = f"INTERVAL '{seconds}' SECOND"
        if source.fresh:
            # Whether a late row still belongs to a session depends on the rows before it.
            named = "".join(f"<key{place}> AS w_key{place}, " for place in range(len(keys)))
            inner = sessions.marked(f"SELECT *, {named}rid AS w_rid FROM <source><kept>", seconds, len(keys), time)
            return self.windowed("SESSION", f"{time}, {gap}", inner, source, keys, items, where, rowtime, plain_keys=True)
        # The clock passes the end of a session just before a row that is read exactly then.
        within_gap = "<" if time == "proctime" else "<="
        places = ", ".join(f"<key{place}>" for place in range(len(keys)))
        within = f"PARTITION BY {places} " if keys else ""
        steps = (f"SELECT *, CASE WHEN {time} - lag({time}) OVER ({within}ORDER BY {time}) {within_gap} {gap} THEN 0 ELSE 1 END AS w_new "
                 f"FROM <source><kept>")
        numbered = (f"SELECT *, sum(w_new) OVER ({within}ORDER BY {time}) AS w_number FROM ({steps})")
        by = f"PARTITION BY {places}, w_number" if keys else "PARTITION BY w_number"
        inner = f"SELECT *, min({time}) OVER ({by}) AS w_start, max({time}) OVER ({by}) + {gap} AS w_end FROM ({numbered})"
        return self.windowed("SESSION", f"{time}, {gap}", inner, source, keys, items, where, rowtime, plain_keys=True)

    def windowed(self, word, arguments, inner, source, keys, items, where, rowtime, plain_keys=False):
        """Puts the query together. Parts: the items, the source, its condition, the condition on groups."""
        count = len(items)
        columns, stream_items, batch_items = {}, [], []
        last = "w_end - INTERVAL 1 MILLISECOND"
        shown = {"START": "w_start", "END": "w_end", **({} if source.time == "proctime" else {"ROWTIME": last})}
        for name, text in shown.items():
            if name == "ROWTIME" and rowtime or not rowtime and self.rng.random() < 0.5:
                column = "rt" if rowtime else f"w{len(columns)}"
                columns[column] = "TIMESTAMP"
                stream_items.append(f"{word}_{name}({arguments}) AS {column}")
                batch_items.append(f"{text} AS {column}")
        for place, item in enumerate(items):
            columns[f"c{place}"] = item.kind
            stream_items.append(f"{{{place}}} AS c{place}")
            batch_items.append(f"{{{place}}} AS c{place}")
        places = range(len(keys))
        groups = [f"{{{place}}}" for place in places]
        if len(keys) > 1 and not plain_keys and self.rng.random() < 0.4:
            groups = [self.rng.choice([f"ROLLUP({listed(places)})", f"CUBE({listed(places)})", "GROUPING SETS(({0}), ({1}))"])]
        having, more = "", ()
        if self.rng.random() < 0.2:
            having, more = f" HAVING {{{count + 2}}}", (self.relations.having(source.free),)
        stream = (f"SELECT {', '.join(stream_items)} FROM {{{count}}}{{{count + 1}}} "
                  f"GROUP BY {', '.join([f'{word}({arguments})'] + groups)}{having}")
        inner = inner.replace("<source>", f"{{{count}}}").replace("<kept>", "{kept}")
        for place in places:
            inner = inner.replace(f"<key{place}>", f"{{{place}}}")
        is_timely = "TRUE" if "<<" in inner else "wm IS NULL OR w_end - INTERVAL 1 MILLISECOND > wm"
        batch = (f"SELECT {', '.join(batch_items)} FROM ({inner}) WHERE {is_timely} "
                 f"GROUP BY {', '.join(['w_start', 'w_end'] + groups)}{having}")
        query = Node(f"WINDOW {list(columns.values())}", stream, batch, (*items, source.node, where, *more))
        return Relation(query, columns)

    def over(self, source, passes_time=False):
        made, arguments = Expressions(self.rng, source.free), self.relations.columns(source.free)

        pattern = r"\b(" + "|".join(made.columns) + r")\b"

        def read(kind):
            """Makes an argument that reads a column: an aggregate over a constant is refused here."""
            for _ in range(20):
                found = arguments.of(kind, self.rng.choice([0, 1]))
                if re.search(pattern, re.sub("'[^']*'", "", found.stream)) and "NULLIF" not in found.stream:
                    return found
            return leaf("INT", next((name for name, of in made.columns.items() if of == "INT"), "NULL"))

        functions = [
            lambda: both("BIGINT", "COUNT(*)"), lambda: both("BIGINT", "SUM({})", read("INT")),
            lambda: both("INT", "MIN({})", read("INT")), lambda: both("INT", "MAX({})", read("INT")),
            lambda: both("BIGINT", "COUNT({})", read("INT")),
        ]
        if "INT" not in made.columns.values():
            functions = [lambda: both("BIGINT", "COUNT(*)")]
        if "STRING" in made.columns.values():
            functions.append(lambda: both("STRING", "MAX({})", read("STRING")))
        if "DOUBLE" in made.columns.values():
            functions.append(lambda: both("DOUBLE", "SUM({})", read("DOUBLE")))
        partition, parts = "", ()
        if self.rng.random() < 0.7:
            key = self.relations.conditions(source.free).of(made.kind(KEYS), self.rng.choice([0, 0, 1]))
            partition, parts = "PARTITION BY {KEY} ", (key,)
        frames = [
            f"RANGE BETWEEN INTERVAL '{self.rng.randint(1, 60)}' SECOND PRECEDING AND CURRENT ROW",
            "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "RANGE UNBOUNDED PRECEDING", "",
        ]
        if source.ordered:
            frames += [
                f"ROWS BETWEEN {self.rng.randint(0, 5)} PRECEDING AND CURRENT ROW", f"ROWS {self.rng.randint(0, 3)} PRECEDING",
                "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            ]
        frame = self.rng.choice(frames)
        order = f"{source.time}, rid" if frame.startswith("ROWS") else source.time
        plain = [made.of(kind, 1) for kind in self.relations.kinds(made, most=2)]
        over = [self.rng.choice(functions)() for _ in range(self.rng.randint(1, 2))]
        where = self.relations.where(source.readable)
        items = plain + over
        count = len(items)
        partition = partition.replace("KEY", str(count + 2))
        stream_items, batch_items, columns = [], [], {}
        for place, item in enumerate(items):
            after = f" OVER ({partition}ORDER BY {{TIME}} {frame})" if place >= len(plain) else ""
            columns[f"c{place}"] = item.kind
            stream_items.append(f"{{{place}}}{after.replace('{TIME}', source.time)} AS c{place}")
            batch_items.append(f"{{{place}}}{after.replace('{TIME}', order)} AS c{place}")
        if passes_time:
            columns["ot"] = "TIMESTAMP"
            stream_items.append(f"{source.time} AS ot")
            batch_items.append(f"{source.time} AS ot")
        stream = f"SELECT {', '.join(stream_items)} FROM {{{count}}}{{{count + 1}}}"
        batch = (f"SELECT {', '.join(batch_items)} FROM (SELECT * FROM {{{count}}}{{kept}}) "
                 f"WHERE wm IS NULL OR {source.time} > wm")
        query = Node(f"OVER {list(columns.values())}", stream, batch, (*items, source.node, where, *parts))
        return Relation(query, columns)

    def joined(self, passes_time=False):
        """Joins both streams within bounds of time."""
        kind = "JOIN" if passes_time else self.rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        # A row is late when the watermark of its own stream has passed it.
        timely = {name: f"(SELECT * FROM {name} WHERE wm IS NULL OR ts > wm)" for name in STREAMS}
        low, high = self.rng.randint(-30, 60), self.rng.randint(0, 60)
        if low + high < 0:
            low = -low
        lower, upper = f"a.ts - INTERVAL '{low}' SECOND", f"a.ts + INTERVAL '{high}' SECOND"
        if low < 0:
            lower = f"a.ts + INTERVAL '{-low}' SECOND"
        bounds = self.rng.choice([
            "a.ts = b.ts", f"b.ts BETWEEN {lower} AND {upper}", f"b.ts >= {lower} AND b.ts < {upper}", f"b.ts > {lower} AND b.ts <= {upper}",
        ])
        one, other = self.rng.choice([("l", "r"), ("l", "r"), ("r", "l"), ("l", "l"), ("j", "l"), ("r", "j")])
        left = {f"a.{name}": of for name, of in COLUMNS[one].items() if name != "ts"}
        right = {f"b.{name}": of for name, of in COLUMNS[other].items() if name != "ts"}
        made = Expressions(self.rng, {**left, **right})
        condition = self.relations.equality(left, right)
        if self.rng.random() < 0.3:
            condition = both("BOOLEAN", "{} AND {}", condition, made.of("BOOLEAN", 1))
        items = self.relations.items(made, self.relations.kinds(made), 1)
        count = len(items)
        select = ", ".join(f"{{{place}}} AS c{place}" for place in range(count))
        columns = self.relations.named([item.kind for item in items])
        if passes_time:
            select, columns = select + ", a.ts AS ts", {**columns, "ts": "TIMESTAMP"}
        text = f"SELECT {select} FROM {one} AS a {kind} {other} AS b ON {{{count}}} AND {bounds}"
        batch = f"SELECT {select} FROM {timely[one]} AS a {kind} {timely[other]} AS b ON {{{count}}} AND {bounds}"
        if kind == "FULL JOIN":
            # DuckDB has no full join with bounds: the left one, and the right rows that match nothing.
            on = f"{{{count}}} AND {bounds}"
            alone = f"SELECT * FROM {timely[other]} AS b WHERE NOT EXISTS (SELECT 1 FROM {timely[one]} AS a WHERE {on})"
            batch = (f"SELECT {select} FROM {timely[one]} AS a LEFT JOIN {timely[other]} AS b ON {on} UNION ALL "
                     f"SELECT {select} FROM (SELECT * FROM {one} LIMIT 0) AS a RIGHT JOIN ({alone}) AS b ON FALSE")
        return Relation(pair(f"INTERVAL {list(columns.values())}", text, batch, *items, condition), columns)

    def above(self, below):
        """Aggregates the results of windows without a window, so that they change."""
        alias = self.relations.alias()
        made = Expressions(self.rng, {f"{alias}.{name}": kind for name, kind in below.columns.items()})
        keys = self.relations.keys(made)
        items = keys + [made.aggregate() for _ in range(2)]
        count = len(items)
        select = ", ".join(f"{{{place}}} AS c{place}" for place in range(count))
        text = f"SELECT {select} FROM ({{{count}}}) AS {alias}"
        tail = f" GROUP BY {listed(range(len(keys)))}" if keys else ""
        query = pair(f"QUERY {[item.kind for item in items]}", text + tail, text + (tail or " HAVING COUNT(*) > 0"), *items, below.query)
        return Relation(query, self.relations.named([item.kind for item in items]), True)

    def relation(self):
        if self.rng.random() < 0.15:
            with self.relations.inside():
                below = self.any_relation()
            return self.above(below)
        return self.any_relation()

    def any_relation(self):
        return self.rng.choice([
            lambda: self.grouped(self.timed(2)), lambda: self.grouped(self.timed(1)), lambda: self.grouped(self.timed(0)),
            lambda: self.over(self.timed(1)), lambda: self.over(self.timed(0)), self.joined,
        ])()
