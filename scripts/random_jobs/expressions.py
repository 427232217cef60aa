"""Random expressions over given columns."""

from node import both, leaf, pair

WORDS = ["a", "b", "ab", "Abc", "ba", "x y", "", "1"]
KINDS = ["INT", "STRING", "BOOLEAN", "DOUBLE", "DECIMAL", "TIMESTAMP", "DATE", "BIGINT"]
# Kinds whose values are exact in every engine, for keys and what is compared for equality.
EXACT = ["INT", "STRING", "BOOLEAN", "TIMESTAMP", "BIGINT"]
UNITS = ["SECOND", "MINUTE", "HOUR", "DAY"]
# SQL pattern, and the same as a regular expression.
SIMILAR = [("(a|b)+", "(a|b)+"), ("%b%", ".*b.*"), ("a_?", "a.?"), ("[A-Z]%", "[A-Z].*"), ("(ab){1,2}", "(ab){1,2}"), ("", "")]
LIKES = ["a%", "%b", "_b%", "a", "%", "", "%a%", "x_y"]


class Expressions:
    """Makes expressions over columns, given as a mapping from SQL text to kind."""

    def __init__(self, rng, columns):
        self.rng = rng
        self.columns = columns

    def kind(self, among=None):
        """Draws a kind; those of the columns come more often."""
        among = among or KINDS
        present = [kind for kind in self.columns.values() if kind in among]
        if present and self.rng.random() < 0.7:
            return self.rng.choice(present)
        return self.rng.choice(["INT", "STRING", "BOOLEAN"] + [kind for kind in among if self.rng.random() < 0.3])

    def of(self, kind, depth=2):
        return getattr(self, "make_" + kind.lower())(depth)

    def column(self, kind):
        names = [name for name, of in self.columns.items() if of == kind]
        return leaf(kind, self.rng.choice(names)) if names else None

    def leaf(self, kind):
        found = self.column(kind)
        if found and self.rng.random() < 0.8:
            return found
        choice = self.rng.choice
        constants = {
            "INT": lambda: str(self.rng.randint(0, 9)),
            "BIGINT": lambda: f"CAST({self.rng.randint(0, 9)} AS BIGINT)",
            "STRING": lambda: f"'{choice(WORDS)}'",
            "BOOLEAN": lambda: choice(["TRUE", "FALSE"]),
            "DOUBLE": lambda: f"{self.rng.randint(0, 20) / 4}E0",
            "DECIMAL": lambda: f"{self.rng.randint(1, 9)}.{self.rng.randint(10, 99)}",
            "TIMESTAMP": lambda: f"TIMESTAMP '2024-03-15 12:0{self.rng.randint(0, 9)}:00'",
            "DATE": lambda: f"DATE '2024-03-1{self.rng.randint(0, 9)}'",
        }
        return leaf(kind, constants[kind]())

    def general(self, kind, depth):
        """Makes what every kind has."""
        a, b = self.of(kind, depth - 1), self.of(kind, depth - 1)
        made = [
            lambda: self.leaf(kind),
            lambda: both(kind, "COALESCE({}, {})", a, b),
            lambda: both(kind, "CASE WHEN {} THEN {} ELSE {} END", self.make_boolean(depth - 1), a, b),
            lambda: both(kind, "CASE WHEN {} THEN {} END", self.make_boolean(depth - 1), a),
        ]
        if kind in EXACT:
            made.append(lambda: both(kind, "NULLIF({}, {})", a, b))
            x, y = self.leaf("INT"), self.rng.randint(1, 5)
            made.append(lambda: both(kind, f"CASE {{}} WHEN {y} THEN {{}} ELSE {{}} END", x, a, b))
            made.append(lambda: pair(
                kind, f"CASE {{}} WHEN {y}, {y + 1} THEN {{}} END", f"CASE WHEN {{}} IN ({y}, {y + 1}) THEN {{}} END", x, a))
        return made

    def make_int(self, depth):
        if depth == 0:
            return self.leaf("INT")
        a, b = self.make_int(depth - 1), self.make_int(depth - 1)
        small = self.rng.randint(2, 5)
        time, string = lambda: self.make_timestamp(depth - 1), lambda: self.make_string(depth - 1)
        unit = self.rng.choice(UNITS)
        part = self.rng.choice(["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "HOUR", "MINUTE", "SECOND"])
        return self.rng.choice(self.general("INT", depth) + [
            lambda: both("INT", "({} + {})", a, b),
            lambda: both("INT", "({} - {})", a, b),
            lambda: both("INT", "({} * {})", self.leaf("INT"), self.leaf("INT")),
            lambda: both("INT", "(- {})", a),
            lambda: both("INT", "ABS({})", a),
            lambda: both("INT", f"MOD({{}}, {small})", a),
            lambda: both("INT", "SIGN({})", a),
            lambda: both("INT", "CHAR_LENGTH({})", string()),
            lambda: both("INT", "POSITION('b' IN {})", string()),
            lambda: both("INT", f"EXTRACT({part} FROM {{}})", time()),
            lambda: pair("INT", "EXTRACT(DOW FROM {})", "(EXTRACT(DOW FROM {}) + 1)", time()),
            lambda: pair("INT", f"TIMESTAMPDIFF({unit}, {{}}, {{}})", f"date_sub('{unit}', {{}}, {{}})", time(), time()),
            lambda: pair("INT", "CAST({} AS INT)", "CAST(trunc({}) AS INT)", self.leaf("DOUBLE")),
            lambda: both("INT", "CAST(CAST({} AS VARCHAR) AS INT)", a),
            lambda: pair("INT", "CARDINALITY(ARRAY[{}, {}])", "len([{}, {}])", a, b),
            lambda: both("INT", f"ARRAY[{{}}, {{}}][{self.rng.randint(1, 3)}]", a, b),
        ])()

    def make_bigint(self, depth):
        if depth == 0:
            return self.leaf("BIGINT")
        a, b = self.make_bigint(depth - 1), self.make_int(depth - 1)
        return self.rng.choice(self.general("BIGINT", depth) + [
            lambda: both("BIGINT", "({} + {})", a, b),
            lambda: both("BIGINT", "({} - {})", b, a),
            lambda: both("BIGINT", "ABS({})", a),
            lambda: both("BIGINT", "CAST({} AS BIGINT)", b),
            lambda: pair("BIGINT", "MOD({}, 7)", "({} % 7)", a),
            lambda: both("BIGINT", "HOUR({})", self.make_timestamp(depth - 1)),
            lambda: pair("BIGINT", "DAYOFWEEK({})", "(dayofweek({}) + 1)", self.make_timestamp(depth - 1)),
        ])()

    def make_string(self, depth):
        if depth == 0:
            return self.leaf("STRING")
        a, b = self.make_string(depth - 1), self.make_string(depth - 1)
        i, j = self.rng.randint(1, 3), self.rng.randint(0, 3)
        return self.rng.choice(self.general("STRING", depth) + [
            lambda: both("STRING", "({} || {})", a, b),
            lambda: both("STRING", "UPPER({})", a),
            lambda: both("STRING", "LOWER({})", a),
            lambda: both("STRING", f"SUBSTRING({{}} FROM {i} FOR {j})", a),
            lambda: both("STRING", f"SUBSTRING({{}} FROM {i})", a),
            lambda: both("STRING", "REPLACE({}, 'a', 'zz')", a),
            lambda: both("STRING", "CONCAT({}, {})", a, b),
            lambda: both("STRING", "CONCAT_WS('-', {}, {})", a, b),
            lambda: pair("STRING", "TRIM(BOTH 'a' FROM {})", "trim({}, 'a')", a),
            lambda: pair("STRING", "TRIM(LEADING 'a' FROM {})", "ltrim({}, 'a')", a),
            lambda: pair("STRING", "TRIM(TRAILING 'b' FROM {})", "rtrim({}, 'b')", a),
            lambda: both("STRING", f"LPAD({{}}, {i + j}, '*')", a),
            lambda: both("STRING", f"RPAD({{}}, {i + j}, 'xy')", a),
            lambda: both("STRING", f"REPEAT({{}}, {j})", a),
            lambda: pair("STRING", "OVERLAY({0} PLACING 'Z' FROM 1 FOR 1)", "CASE WHEN {0} = '' THEN '' ELSE 'Z' || substr({0}, 2) END", a),
            lambda: pair("STRING", "MD5({0})", "CASE WHEN {0} = '' THEN '' ELSE md5({0}) END", a),
            lambda: pair("STRING", "TO_BASE64({})", "to_base64(encode({}))", a),
            lambda: pair("STRING", "REGEXP_REPLACE({}, '[ab]+', '-')", "regexp_replace({}, '[ab]+', '-', 'g')", a),
            lambda: pair("STRING", "REGEXP_EXTRACT({}, '([a-z])', 1)", "nullif(regexp_extract({}, '([a-z])', 1), '')", a),
            lambda: both("STRING", "CAST({} AS VARCHAR)", self.make_int(depth - 1)),
            lambda: both("STRING", "CAST({} AS VARCHAR)", self.make_date(depth - 1)),
            lambda: pair("STRING", "DATE_FORMAT({}, 'yyyy/MM/dd HH:mm')", "strftime({}, '%Y/%m/%d %H:%M')",
                         self.make_timestamp(depth - 1)),
        ])()

    def make_boolean(self, depth):
        if depth == 0:
            return self.leaf("BOOLEAN")
        kind = self.rng.choice(["INT", "INT", "STRING", "STRING", "TIMESTAMP", "BIGINT", "DATE"])
        a, b, c = (self.of(kind, depth - 1) for _ in range(3))
        p, q = self.make_boolean(depth - 1), self.make_boolean(depth - 1)
        s = self.make_string(depth - 1)
        sign = self.rng.choice(["=", "<>", "<", "<=", ">", ">="])
        maybe_not = self.rng.choice(["", "NOT "])
        like, (similar, regular) = self.rng.choice(LIKES), self.rng.choice(SIMILAR)
        truth = self.rng.choice(["TRUE", "FALSE"])
        similar = similar.replace("{", "{{").replace("}", "}}")
        regular = regular.replace("{", "{{").replace("}", "}}")
        return self.rng.choice(self.general("BOOLEAN", depth) + [
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", a, b),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", a, b),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", self.leaf("DOUBLE"), self.leaf("DOUBLE")),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", self.leaf("DECIMAL"), self.make_int(depth - 1)),
            lambda: both("BOOLEAN", "({} AND {})", p, q),
            lambda: both("BOOLEAN", "({} OR {})", p, q),
            lambda: both("BOOLEAN", "(NOT {})", p),
            lambda: both("BOOLEAN", f"({{}} IS {maybe_not}NULL)", a),
            lambda: both("BOOLEAN", f"({{}} {maybe_not}BETWEEN {{}} AND {{}})", a, b, c),
            lambda: pair("BOOLEAN", "({0} BETWEEN SYMMETRIC {1} AND {2})",
                         "({0} BETWEEN {1} AND {2} OR {0} BETWEEN {2} AND {1})", a, b, c),
            lambda: both("BOOLEAN", f"({{}} {maybe_not}IN ({{}}, {{}}))", a, b, c),
            lambda: both("BOOLEAN", f"({{}} IS {maybe_not}DISTINCT FROM {{}})", a, b),
            lambda: both("BOOLEAN", f"({{}} IS {maybe_not}{truth})", p),
            lambda: pair("BOOLEAN", f"({{}} IS {maybe_not}UNKNOWN)", f"({{}} IS {maybe_not}NULL)", p),
            lambda: both("BOOLEAN", f"({{}} {maybe_not}LIKE '{like}')", s),
            lambda: both("BOOLEAN", f"({{}} {maybe_not}LIKE 'a!%%' ESCAPE '!')", s),
            lambda: pair("BOOLEAN", f"({{}} SIMILAR TO '{similar}')", f"regexp_full_match({{}}, '{regular}')", s),
            lambda: pair("BOOLEAN", "IS_ALPHA({})", "coalesce(regexp_full_match({}, '[A-Za-z]+'), FALSE)", s),
            lambda: pair("BOOLEAN", "IS_DIGITS({})", "coalesce(regexp_full_match({}, '[0-9]+'), FALSE)", s),
        ])()

    def make_double(self, depth):
        if depth == 0:
            return self.leaf("DOUBLE")
        a, b = self.make_double(depth - 1), self.make_double(depth - 1)
        x, small = self.make_int(depth - 1), self.rng.randint(2, 9)
        return self.rng.choice(self.general("DOUBLE", depth) + [
            lambda: both("DOUBLE", "({} + {})", a, b),
            lambda: both("DOUBLE", "({} - {})", a, b),
            lambda: both("DOUBLE", "({} * {})", self.leaf("DOUBLE"), self.leaf("DOUBLE")),
            lambda: both("DOUBLE", f"({{}} / {small})", x),
            lambda: both("DOUBLE", "ABS({})", a),
            lambda: both("DOUBLE", "SQRT(ABS({}))", a),
            lambda: both("DOUBLE", "FLOOR({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "CEIL({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "ROUND({}, 1)", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "POWER({}, 2)", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "LN(ABS({}) + 1)", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "EXP({} / 10)", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "ATAN({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "CAST({} AS DOUBLE)", x),
        ])()

    def make_decimal(self, depth):
        if depth == 0:
            return self.leaf("DECIMAL")
        a, b = self.make_decimal(depth - 1), self.leaf("DECIMAL")
        return self.rng.choice(self.general("DECIMAL", depth) + [
            lambda: both("DECIMAL", "({} + {})", a, b),
            lambda: both("DECIMAL", "({} - {})", a, b),
            lambda: both("DECIMAL", "({} * {})", self.leaf("DECIMAL"), b),
            lambda: both("DECIMAL", "ABS({})", a),
            lambda: both("DECIMAL", "CAST({} AS DECIMAL(8,2))", self.leaf("INT")),
        ])()

    def make_timestamp(self, depth):
        if depth == 0:
            return self.leaf("TIMESTAMP")
        a = self.make_timestamp(depth - 1)
        unit, count = self.rng.choice(UNITS), self.rng.randint(1, 90)
        return self.rng.choice(self.general("TIMESTAMP", depth) + [
            lambda: both("TIMESTAMP", f"({{}} + INTERVAL '{count}' {unit})", a),
            lambda: both("TIMESTAMP", f"({{}} - INTERVAL '{count}' {unit})", a),
            lambda: pair("TIMESTAMP", f"FLOOR({{}} TO {unit})", f"CAST(date_trunc('{unit}', {{}}) AS TIMESTAMP)", a),
            lambda: pair("TIMESTAMP", f"CEIL({{}} TO {unit})",
                         f"CAST(date_trunc('{unit}', {{}} + INTERVAL 1 {unit} - INTERVAL 1 MILLISECOND) AS TIMESTAMP)", a),
            lambda: pair("TIMESTAMP", f"TIMESTAMPADD({unit}, {{}}, {{}})", f"({{1}} + {{0}} * INTERVAL 1 {unit})",
                         self.leaf("INT"), a),
            lambda: both("TIMESTAMP", "CAST({} AS TIMESTAMP)", self.make_date(depth - 1)),
        ])()

    def make_date(self, depth):
        if depth == 0:
            return self.leaf("DATE")
        days = self.rng.randint(1, 40)
        return self.rng.choice(self.general("DATE", depth) + [
            lambda: both("DATE", "CAST({} AS DATE)", self.make_timestamp(depth - 1)),
            lambda: pair("DATE", f"({{}} + INTERVAL '{days}' DAY)",
                         f"CAST({{}} + INTERVAL '{days}' DAY AS DATE)", self.make_date(depth - 1)),
        ])()

    def aggregate(self):
        """Makes an aggregate; returns it with the kind of its result."""
        a = self.make_int(1)
        made = [
            lambda: both("BIGINT", "COUNT(*)"),
            lambda: both("BIGINT", "COUNT({})", self.of(self.kind(EXACT), 1)),
            lambda: both("BIGINT", "SUM({})", a),
            lambda: both("INT", "MIN({})", a),
            lambda: both("INT", "MAX({})", a),
            lambda: pair("INT", "AVG({})", "CAST(trunc(avg({})) AS INT)", a),
            lambda: pair("INT", "AVG(DISTINCT {})", "CAST(trunc(avg(DISTINCT {})) AS INT)", a),
            lambda: both("STRING", "MAX({})", self.make_string(1)),
            lambda: both("STRING", "MIN({})", self.make_string(1)),
            lambda: both("TIMESTAMP", "MAX({})", self.make_timestamp(1)),
            lambda: both("BIGINT", "COUNT(DISTINCT {})", self.of(self.kind(EXACT), 1)),
            lambda: both("BIGINT", "SUM(DISTINCT {})", a),
            lambda: both("DOUBLE", "SUM({})", self.make_double(1)),
            lambda: both("DOUBLE", "AVG({})", self.make_double(1)),
            lambda: both("DOUBLE", "MAX({})", self.make_double(1)),
            lambda: both("DOUBLE", "VAR_POP({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "VAR_SAMP({})", self.leaf("DOUBLE")),
            lambda: both("DECIMAL", "SUM({})", self.make_decimal(1)),
            lambda: both("DECIMAL", "MIN({})", self.make_decimal(1)),
        ]
        return self.rng.choice(made)()
