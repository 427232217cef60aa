"""Random expressions over given columns."""

from fails import Fails
from nested import Nested
from node import both, lazy, leaf, pair
from numeric import Numeric
from times import Times

WORDS = ["a", "b", "ab", "Abc", "ba", "x y", "", "1"]
KINDS = ["INT", "STRING", "BOOLEAN", "DOUBLE", "DECIMAL", "TIMESTAMP", "DATE", "BIGINT", "TINYINT", "SMALLINT", "FLOAT", "TIME"]
# Kinds that are made only where a column has them.
NESTED = ["ARRAY", "MAP", "ROW"]
# Kinds whose values are exact in every engine, for keys and what is compared for equality.
EXACT = ["INT", "STRING", "BOOLEAN", "TIMESTAMP", "BIGINT", "DATE", "TIME", "TINYINT", "SMALLINT"]
# Kinds of keys of groups.
KEYS = EXACT + ["ARRAY", "ROW"]
# SQL pattern, and the same as a regular expression.
SIMILAR = [("(a|b)+", "(a|b)+"), ("%b%", ".*b.*"), ("a_?", "a.?"), ("[A-Z]%", "[A-Z].*"), ("(ab){1,2}", "(ab){1,2}"), ("", "")]
LIKES = ["a%", "%b", "_b%", "a", "%", "", "%a%", "x_y"]
NUMBER = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
# A letter is upper case that stands behind none and no digit.
INITCAP = ("array_to_string(list_transform(range(1, length({0}) + 1), lambda i: CASE WHEN i > 1 AND regexp_full_match({0}[i - 1], '[A-Za-z0-9]') "
           "THEN lower({0}[i]) ELSE upper({0}[i]) END), '')")
# How many expressions fail where they may.
SHARE_OF_FAILING = 0.2


class Expressions(Numeric, Times, Nested, Fails):
    """Makes expressions over columns, given as a mapping from SQL text to kind; on some rows they fail when they may."""

    def __init__(self, rng, columns, may_fail=False):
        self.rng = rng
        self.columns = columns
        self.may_fail = may_fail

    def kind(self, among=None):
        """Draws a kind; those of the columns come more often."""
        among = among or KINDS + NESTED
        present = [kind for kind in self.columns.values() if kind in among]
        if present and self.rng.random() < 0.7:
            return self.rng.choice(present)
        return self.rng.choice(["INT", "STRING", "BOOLEAN"] + [kind for kind in among if kind in KINDS and self.rng.random() < 0.3])

    def of(self, kind, depth=2):
        if self.may_fail and depth > 0 and self.rng.random() < SHARE_OF_FAILING:
            found = self.failing(kind, depth)
            if found:
                return found
        return getattr(self, "make_" + kind.lower())(depth)

    def column(self, kind):
        names = [name for name, of in self.columns.items() if of == kind]
        return leaf(kind, self.rng.choice(names)) if names else None

    def leaf(self, kind):
        found = self.column(kind)
        if found and (kind == "ROW" or self.rng.random() < 0.8):
            return found
        choice, number = self.rng.choice, self.rng.randint
        constants = {
            "INT": lambda: (str(number(0, 9)),),
            "BIGINT": lambda: (f"CAST({number(0, 9)} AS BIGINT)",),
            "TINYINT": lambda: (f"CAST({number(0, 9)} AS TINYINT)",),
            "SMALLINT": lambda: (f"CAST({number(0, 99)} AS SMALLINT)",),
            "STRING": lambda: (f"'{choice(WORDS)}'",),
            "BOOLEAN": lambda: (choice(["TRUE", "FALSE"]),),
            "DOUBLE": lambda: (f"{number(0, 20) / 4}E0",),
            "FLOAT": lambda: (f"CAST({number(0, 20) / 4} AS FLOAT)",),
            "DECIMAL": lambda: (f"{number(1, 9)}.{number(10, 99)}",),
            "TIMESTAMP": lambda: (f"TIMESTAMP '2024-03-15 12:0{number(0, 9)}:00'",),
            "DATE": lambda: (f"DATE '2024-03-1{number(0, 9)}'",),
            "TIME": lambda: (f"TIME '1{number(0, 9)}:0{number(0, 9)}:00'",),
            "ARRAY": lambda: choice([("ARRAY[1, 2]", "[1, 2]"), ("ARRAY[7]", "[7]")]),
            "MAP": lambda: ("MAP['a', 1, 'x', 2]", "MAP {'a': 1, 'x': 2}"),
            "ROW": lambda: ("ROW(1, 'a')", "{'n': 1, 's': 'a'}"),
        }
        return leaf(kind, *constants[kind]())

    def general_case(self, kind, a, b, depth):
        return lazy(kind, "CASE WHEN {} THEN {} ELSE {} END", self.of("BOOLEAN", depth - 1), a, b, needed=lambda c, a, b: [
            (None, c), (c.batch, a), (f"({c.batch}) IS NOT TRUE", b)])

    def general(self, kind, depth):
        """Makes what every kind has."""
        a, b = self.of(kind, depth - 1), self.of(kind, depth - 1)
        made = [
            lambda: self.leaf(kind),
            lambda: lazy(kind, "COALESCE({}, {})", a, b, needed=lambda a, b: [(None, a), (f"({a.batch}) IS NULL", b)]),
            lambda: self.general_case(kind, a, b, depth),
            lambda: lazy(kind, "CASE WHEN {} THEN {} END", self.of("BOOLEAN", depth - 1), a,
                         needed=lambda c, a: [(None, c), (c.batch, a)]),
        ]
        if kind in EXACT:
            made.append(lambda: both(kind, "NULLIF({}, {})", a, b))
            x, y = self.leaf("INT"), self.rng.randint(1, 5)
            made.append(lambda: lazy(kind, f"CASE {{}} WHEN {y} THEN {{}} ELSE {{}} END", x, a, b, needed=lambda x, a, b: [
                (None, x), (f"({x.batch}) = {y}", a), (f"(({x.batch}) = {y}) IS NOT TRUE", b)]))
            made.append(lambda: lazy(
                kind, f"CASE {{}} WHEN {y}, {y + 1} THEN {{}} END", x, a, batch=f"CASE WHEN {{}} IN ({y}, {y + 1}) THEN {{}} END",
                needed=lambda x, a: [(None, x), (f"({x.batch}) IN ({y}, {y + 1})", a)]))
        return made

    def make_string(self, depth):
        if depth == 0:
            return self.leaf("STRING")
        a, b = self.of("STRING", depth - 1), self.of("STRING", depth - 1)
        i, j = self.rng.randint(1, 3), self.rng.randint(0, 3)
        number = lambda: self.of("INT", depth - 1)
        return self.rng.choice(self.general("STRING", depth) + self.strings_of_nested() + [
            lambda: both("STRING", "({} || {})", a, b),
            lambda: both("STRING", "UPPER({})", a),
            lambda: both("STRING", "LOWER({})", a),
            lambda: pair("STRING", "INITCAP({})", INITCAP, self.leaf("STRING")),
            lambda: both("STRING", f"SUBSTRING({{}} FROM {i} FOR {j})", a),
            lambda: both("STRING", f"SUBSTRING({{}} FROM {i})", a),
            lambda: both("STRING", f"SUBSTRING({{}}, {i}, {j})", a),
            lambda: both("STRING", "REPLACE({}, 'a', 'zz')", a),
            lambda: both("STRING", "CONCAT({}, {})", a, b),
            lambda: both("STRING", "CONCAT_WS('-', {}, {})", a, b),
            lambda: pair("STRING", "TRIM({})", "trim({})", a),
            lambda: pair("STRING", "TRIM(BOTH 'a' FROM {})", "trim({}, 'a')", a),
            lambda: pair("STRING", "TRIM(LEADING 'a' FROM {})", "ltrim({}, 'a')", a),
            lambda: pair("STRING", "TRIM(TRAILING 'b' FROM {})", "rtrim({}, 'b')", a),
            lambda: both("STRING", "LTRIM({})", a),
            lambda: both("STRING", "RTRIM({})", a),
            lambda: both("STRING", f"LPAD({{}}, {i + j}, '*')", a),
            lambda: both("STRING", f"RPAD({{}}, {i + j}, 'xy')", a),
            lambda: both("STRING", f"REPEAT({{}}, {j})", a),
            lambda: pair("STRING", "OVERLAY({0} PLACING 'Z' FROM 1 FOR 1)", "CASE WHEN {0} = '' THEN '' ELSE 'Z' || substr({0}, 2) END", a),
            lambda: pair("STRING", "MD5({0})", "CASE WHEN {0} = '' THEN '' ELSE md5({0}) END", a),
            lambda: both("STRING", "SUBSTRING(SHA1({}) FROM 1 FOR 9)", a),
            lambda: pair("STRING", self.rng.choice(["SHA256({})", "SHA2({}, 256)"]), "sha256({})", a),
            lambda: pair("STRING", "TO_BASE64({})", "to_base64(encode({}))", a),
            lambda: pair("STRING", "FROM_BASE64(TO_BASE64({}))", "{}", a),
            lambda: both("STRING", "HEX({})", a),
            lambda: pair("STRING", "HEX(ABS({}))", "to_hex(CAST(abs({}) AS BIGINT))", self.leaf("INT")),
            lambda: pair("STRING", "BIN(ABS({}))", "to_binary(CAST(abs({}) AS BIGINT))", self.leaf("INT")),
            lambda: pair("STRING", "REGEXP_REPLACE({}, '[ab]+', '-')", "regexp_replace({}, '[ab]+', '-', 'g')", a),
            lambda: pair("STRING", "REGEXP_REPLACE({}, '([ab])(.)', '$2$1')", r"regexp_replace({}, '([ab])(.)', '\2\1', 'g')", a),
            lambda: pair("STRING", "REGEXP_EXTRACT({}, '([a-z])', 1)", "nullif(regexp_extract({}, '([a-z])', 1), '')", a),
            lambda: pair("STRING", "STRING_TO_ARRAY({}, '-')[1]", "string_split({}, '-')[1]", self.leaf("STRING")),
            lambda: pair("STRING", "KEY_VALUE(CONCAT('u=', {}, ';v=1'), ';', '=', 'u')", "coalesce({}, '')", self.leaf("STRING")),
            lambda: pair("STRING", "JSON_VALUE(CONCAT('{{\"a\":[0,', CAST({} AS VARCHAR), ']}}'), '$.a[1]')", "CAST({} AS VARCHAR)",
                         self.leaf("INT")),
            lambda: both("STRING", "CAST({} AS VARCHAR)", number()),
            lambda: both("STRING", "CAST({} AS VARCHAR)", self.of("BOOLEAN", depth - 1)),
            lambda: both("STRING", "CAST({} AS VARCHAR)", self.of("DATE", depth - 1)),
            lambda: pair("STRING", "CAST({} AS VARCHAR)", "strftime({}, '%Y-%m-%d %H:%M:%S.%g')", self.of("TIMESTAMP", depth - 1)),
            lambda: pair("STRING", "DATE_FORMAT({}, 'yyyy/MM/dd HH:mm')", "strftime({}, '%Y/%m/%d %H:%M')", self.of("TIMESTAMP", depth - 1)),
            lambda: pair("STRING", "DATE_FORMAT({}, 'd.M.yy, h:mm:ss a E')", "strftime({}, '%-d.%-m.%y, %-I:%M:%S %p %a')",
                         self.of("TIMESTAMP", depth - 1)),
        ])()

    def make_boolean(self, depth):
        if depth == 0:
            return self.leaf("BOOLEAN")
        kind = self.rng.choice(["INT", "INT", "STRING", "STRING", "TIMESTAMP", "BIGINT", "DATE", "TIME", "TINYINT", "SMALLINT"])
        a, b, c = (self.of(kind, depth - 1) for _ in range(3))
        p, q = self.of("BOOLEAN", depth - 1), self.of("BOOLEAN", depth - 1)
        s = self.of("STRING", depth - 1)
        sign = self.rng.choice(["=", "<>", "!=", "<", "<=", ">", ">="])
        maybe_not = self.rng.choice(["", "NOT "])
        like, (similar, regular) = self.rng.choice(LIKES), self.rng.choice(SIMILAR)
        truth = self.rng.choice(["TRUE", "FALSE"])
        similar = similar.replace("{", "{{").replace("}", "}}")
        regular = regular.replace("{", "{{").replace("}", "}}")
        made = self.general("BOOLEAN", depth) + [
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", a, b),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", a, b),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", self.leaf("DOUBLE"), self.leaf("DOUBLE")),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", self.leaf("FLOAT"), self.leaf("FLOAT")),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", self.leaf("TINYINT"), self.leaf("BIGINT")),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", self.leaf("DECIMAL"), self.of("INT", depth - 1)),
            lambda: lazy("BOOLEAN", "({} AND {})", p, q, needed=lambda p, q: [(None, p), (f"({p.batch}) IS DISTINCT FROM FALSE", q)]),
            lambda: lazy("BOOLEAN", "({} OR {})", p, q, needed=lambda p, q: [(None, p), (f"({p.batch}) IS DISTINCT FROM TRUE", q)]),
            lambda: both("BOOLEAN", "(NOT {})", p),
            lambda: both("BOOLEAN", f"({{}} IS {maybe_not}NULL)", a),
            lambda: both("BOOLEAN", f"({{}} IS {maybe_not}DISTINCT FROM {{}})", a, b),
            lambda: both("BOOLEAN", f"({{}} IS {maybe_not}{truth})", p),
            lambda: pair("BOOLEAN", f"({{}} IS {maybe_not}UNKNOWN)", f"({{}} IS {maybe_not}NULL)", p),
            lambda: both("BOOLEAN", f"({{}} {maybe_not}LIKE '{like}')", s),
            lambda: both("BOOLEAN", f"({{}} {maybe_not}LIKE {{}})", s, self.leaf("STRING")),
            lambda: both("BOOLEAN", f"({{}} {maybe_not}LIKE 'a!%%' ESCAPE '!')", s),
            lambda: pair("BOOLEAN", f"({{}} SIMILAR TO '{similar}')", f"regexp_full_match({{}}, '{regular}')", s),
            lambda: pair("BOOLEAN", f"({{}} NOT SIMILAR TO '{similar}')", f"(NOT regexp_full_match({{}}, '{regular}'))", s),
            lambda: pair("BOOLEAN", "IS_ALPHA({})", "coalesce(regexp_full_match({}, '[A-Za-z]+'), FALSE)", s),
            lambda: pair("BOOLEAN", "IS_DIGITS({})", "coalesce(regexp_full_match({}, '[0-9]+'), FALSE)", s),
            lambda: pair("BOOLEAN", "IS_NUMBER({})", f"coalesce(regexp_full_match({{}}, '{NUMBER}'), FALSE)", s),
        ]
        nested = [kind for kind in self.columns.values() if kind in NESTED]
        if nested:
            made.append(lambda: both("BOOLEAN", f"({{}} IS {maybe_not}NULL)", self.of(self.rng.choice(nested), depth - 1)))
        if not (a.sound or b.sound or c.sound):
            # Which of several comparisons are computed is left to each engine.
            made += [
                lambda: both("BOOLEAN", f"({{}} {maybe_not}BETWEEN {{}} AND {{}})", a, b, c),
                lambda: pair("BOOLEAN", "({0} BETWEEN SYMMETRIC {1} AND {2})",
                             "({0} BETWEEN {1} AND {2} OR {0} BETWEEN {2} AND {1})", a, b, c),
                lambda: both("BOOLEAN", f"({{}} {maybe_not}IN ({{}}, {{}}))", a, b, c),
                lambda: both("BOOLEAN", f"({{}} {maybe_not}IN (1, {{}}, 3))", *(self.steady("INT", depth - 1) for _ in range(2))),
                lambda: self.overlaps(depth),
                lambda: pair("BOOLEAN", "(({}, {}) = ({}, {}))", "({0} = {2} AND {1} = {3})", *(self.leaf(of) for of in ("INT", "STRING", "INT", "STRING"))),
            ]
        return self.rng.choice(made)()

    def steady(self, kind, depth):
        """Makes an expression that does not fail."""
        return Expressions(self.rng, self.columns).of(kind, depth)

    def overlaps(self, depth):
        kind = self.rng.choice(["TIMESTAMP", "DATE", "TIME"])
        a, b, c, d = (self.steady(kind, depth - 1) for _ in range(4))
        # The ends may stand in either order.
        end = lambda p, q, first: "CASE WHEN {0} <= {1} THEN {2} ELSE {3} END".format(p, q, *((p, q) if first else (q, p)))
        form = lambda p, q: f"({end('{0}', '{1}', False)} >= {end(p, q, True)} AND {end(p, q, False)} >= {end('{0}', '{1}', True)})"
        if kind == "TIMESTAMP" and self.rng.random() < 0.5:
            return pair("BOOLEAN", "(({}, {}) OVERLAPS ({}, INTERVAL '5' HOUR))", form("{2}", "({2} + INTERVAL '5' HOUR)"), a, b, c)
        return pair("BOOLEAN", "(({}, {}) OVERLAPS ({}, {}))", form("{2}", "{3}"), a, b, c, d)

    def aggregate(self):
        """Makes an aggregate; returns it with the kind of its result."""
        of = lambda kind: self.of(kind, 1)
        exact = lambda: of(self.kind(EXACT))
        # Whether the second is computed where the first is NULL is left to each engine.
        steady_pair = lambda: [self.steady(self.kind(EXACT), 1) for _ in range(2)]
        a, word = of("INT"), self.rng.choice(["MIN", "MAX"])
        short = self.rng.choice(["TINYINT", "SMALLINT"])
        made = [
            lambda: both("BIGINT", "COUNT(*)"),
            lambda: both("BIGINT", "COUNT({})", exact()),
            lambda: pair("BIGINT", "COUNT({}, {})", "count(CASE WHEN {} IS NOT NULL AND {} IS NOT NULL THEN 1 END)", *steady_pair()),
            lambda: both("BIGINT", "SUM({})", a),
            lambda: both("BIGINT", "SUM({})", of(short)),
            lambda: both("INT", "MIN({})", a),
            lambda: both("INT", "MAX({})", a),
            lambda: pair("INT", "AVG({})", "CAST(trunc(avg({})) AS INT)", a),
            lambda: pair(short, "AVG({})", f"CAST(trunc(avg({{}})) AS {short})", of(short)),
            lambda: pair("INT", "AVG(DISTINCT {})", "CAST(trunc(avg(DISTINCT {})) AS INT)", a),
            lambda: both("STRING", "MAX({})", of("STRING")),
            lambda: both("STRING", "MIN({})", of("STRING")),
            lambda: both("TIMESTAMP", f"{word}({{}})", of("TIMESTAMP")),
            lambda: both("DATE", f"{word}({{}})", of("DATE")),
            lambda: both("TIME", f"{word}({{}})", of("TIME")),
            lambda: both(short, f"{word}({{}})", of(short)),
            lambda: both("BIGINT", f"{word}({{}})", of("BIGINT")),
            lambda: both("FLOAT", f"{word}({{}})", of("FLOAT")),
            lambda: both("BIGINT", "COUNT(DISTINCT {})", exact()),
            lambda: pair("BIGINT", "COUNT(DISTINCT {}, {})",
                         "count(DISTINCT CASE WHEN {0} IS NOT NULL AND {1} IS NOT NULL THEN {{'p': {0}, 'q': {1}}} END)", *steady_pair()),
            lambda: both("BIGINT", "SUM(DISTINCT {})", a),
            lambda: both("DOUBLE", "SUM({})", of("DOUBLE")),
            lambda: both("DOUBLE", "SUM({})", of("FLOAT")),
            lambda: both("DOUBLE", "AVG({})", of("DOUBLE")),
            lambda: both("DOUBLE", "MAX({})", of("DOUBLE")),
            lambda: both("DOUBLE", "VAR_POP({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "VAR_SAMP({})", self.leaf("DOUBLE")),
            lambda: pair("DOUBLE", "ROUND(STDDEV_POP({}), 3)", "round(stddev_pop({}), 3)", self.leaf("DOUBLE")),
            lambda: pair("DOUBLE", "ROUND(STDDEV_SAMP({}), 3)", "round(stddev_samp({}), 3)", self.leaf("DOUBLE")),
            lambda: both("DECIMAL", "SUM({})", of("DECIMAL")),
            lambda: both("DECIMAL", f"{word}({{}})", of("DECIMAL")),
            lambda: pair("INT", "CARDINALITY(COLLECT({}))", "nullif(count({}), 0)", exact()),
            lambda: both("BIGINT", "(SUM({}) + COUNT(*))", a),
        ]
        return self.rng.choice(made)()
