"""Random expressions of numbers."""

from node import both, pair
from times import UNITS

FIELDS = ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOY", "HOUR", "MINUTE", "SECOND"]
# Functions of DOUBLE, near enough to zero that nothing gets out of hand.
CURVES = ["SIN({})", "COS({})", "ATAN({})", "TANH({})", "SINH({} / 10)", "COSH({} / 10)", "EXP({} / 10)", "DEGREES({})", "RADIANS({})",
          "LN(ABS({}) + 1)", "LOG10(ABS({}) + 1)", "LOG2(ABS({}) + 1)", "LOG(2, ABS({}) + 1)", "ASIN({} / 100)", "ACOS({} / 100)",
          "COT(ABS({}) / 100 + 1)", "TAN({} / 100)", "ATAN2({}, 2)", "POWER({}, 2)"]


class Numeric:
    def make_int(self, depth):
        if depth == 0:
            return self.leaf("INT")
        a, b = self.of("INT", depth - 1), self.of("INT", depth - 1)
        small = self.rng.randint(2, 5)
        time, string = lambda: self.of("TIMESTAMP", depth - 1), lambda: self.of("STRING", depth - 1)
        unit, field = self.rng.choice(UNITS), self.rng.choice(FIELDS)
        return self.rng.choice(self.general("INT", depth) + self.ints_of_nested(depth) + [
            lambda: both("INT", "({} + {})", a, b),
            lambda: both("INT", "({} - {})", a, b),
            lambda: both("INT", "({} * {})", self.leaf("INT"), self.leaf("INT")),
            lambda: both("INT", "(- {})", a),
            lambda: both("INT", "(+ {})", a),
            lambda: both("INT", "ABS({})", a),
            lambda: both("INT", f"MOD({{}}, {small})", a),
            lambda: both("INT", f"({{}} % {small})", a),
            lambda: both("INT", "SIGN({})", a),
            lambda: both("INT", "CHAR_LENGTH({})", string()),
            lambda: pair("INT", "CHARACTER_LENGTH({})", "length({})", string()),
            lambda: both("INT", "POSITION('b' IN {})", string()),
            lambda: both("INT", f"EXTRACT({field} FROM {{}})", time()),
            lambda: both("INT", f"EXTRACT({self.rng.choice(FIELDS[:6])} FROM {{}})", self.of("DATE", depth - 1)),
            lambda: pair("INT", "EXTRACT(DOW FROM {})", "(EXTRACT(DOW FROM {}) + 1)", time()),
            lambda: both("INT", f"EXTRACT({self.rng.choice(FIELDS[6:])} FROM {{}})", self.of("TIME", depth - 1)),
            lambda: both("INT", "QUARTER({})", self.of("DATE", depth - 1)),
            lambda: pair("INT", f"TIMESTAMPDIFF({unit}, {{}}, {{}})", f"date_sub('{unit}', {{}}, {{}})", time(), time()),
            lambda: pair("INT", "CAST({} AS INT)", "CAST(trunc({}) AS INT)", self.leaf("DOUBLE")),
            lambda: pair("INT", "CAST({} AS INT)", "CAST(trunc({}) AS INT)", self.leaf("DECIMAL")),
            lambda: both("INT", "CAST({} AS INT)", self.of(self.rng.choice(["TINYINT", "SMALLINT"]), depth - 1)),
            lambda: both("INT", "({} + {})", self.leaf("TINYINT"), a),
            lambda: both("INT", "({} - {})", a, self.leaf("SMALLINT")),
            lambda: both("INT", "CAST(CAST({} AS VARCHAR) AS INT)", a),
        ])()

    def make_bigint(self, depth):
        if depth == 0:
            return self.leaf("BIGINT")
        a, b = self.of("BIGINT", depth - 1), self.of("INT", depth - 1)
        of_date = self.rng.choice(["YEAR", "MONTH", "WEEK", "DAYOFYEAR", "DAYOFMONTH"])
        of_time = self.rng.choice(["HOUR", "MINUTE", "SECOND"])
        return self.rng.choice(self.general("BIGINT", depth) + [
            lambda: both("BIGINT", "({} + {})", a, b),
            lambda: both("BIGINT", "({} - {})", b, a),
            lambda: both("BIGINT", "ABS({})", a),
            lambda: both("BIGINT", "CAST({} AS BIGINT)", b),
            lambda: pair("BIGINT", "MOD({}, 7)", "({} % 7)", a),
            lambda: both("BIGINT", f"{of_time}({{}})", self.of("TIMESTAMP", depth - 1)),
            lambda: both("BIGINT", f"{of_time}({{}})", self.of("TIME", depth - 1)),
            lambda: both("BIGINT", f"{of_date}({{}})", self.of("DATE", depth - 1)),
            lambda: pair("BIGINT", "DAYOFWEEK({})", "(dayofweek({}) + 1)", self.of("TIMESTAMP", depth - 1)),
            lambda: pair("BIGINT", "UNIX_TIMESTAMP(DATE_FORMAT({}, 'yyyy-MM-dd HH:mm:ss'))", "CAST(floor(epoch({})) AS BIGINT)",
                         self.of("TIMESTAMP", depth - 1)),
            lambda: pair("BIGINT", "UNIX_TIMESTAMP_MS(DATE_FORMAT({}, 'yyyyMMdd'), 'yyyyMMdd')", "epoch_ms(CAST({} AS DATE))",
                         self.of("TIMESTAMP", depth - 1)),
        ])()

    def make_tinyint(self, depth):
        return self.make_short("TINYINT", depth)

    def make_smallint(self, depth):
        return self.make_short("SMALLINT", depth)

    def make_short(self, kind, depth):
        if depth == 0:
            return self.leaf(kind)
        a = self.of(kind, depth - 1)
        return self.rng.choice(self.general(kind, depth) + [
            lambda: both(kind, f"CAST(MOD({{}}, 40) AS {kind})", self.of("INT", depth - 1)),
            lambda: both(kind, "ABS({})", self.leaf(kind)),
            lambda: both(kind, "(- {})", a),
            lambda: both(kind, "({} + {})", self.leaf(kind), self.leaf(kind)),
            lambda: both(kind, "({} - {})", self.leaf(kind), self.leaf("TINYINT")),
            lambda: both(kind, f"CAST(CAST({{}} AS VARCHAR) AS {kind})", a),
        ])()

    def make_double(self, depth):
        if depth == 0:
            return self.leaf("DOUBLE")
        a, b = self.of("DOUBLE", depth - 1), self.of("DOUBLE", depth - 1)
        x, small = self.of("INT", depth - 1), self.rng.randint(2, 9)
        return self.rng.choice(self.general("DOUBLE", depth) + [
            lambda: both("DOUBLE", "({} + {})", a, b),
            lambda: both("DOUBLE", "({} - {})", a, b),
            lambda: both("DOUBLE", "({} * {})", self.leaf("DOUBLE"), self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "({} + {})", self.leaf("FLOAT"), a),
            lambda: both("DOUBLE", "({} * {})", self.leaf("DECIMAL"), self.leaf("DOUBLE")),
            lambda: both("DOUBLE", f"({{}} / {small})", x),
            lambda: both("DOUBLE", f"({{}} / {small})", self.leaf("DECIMAL")),
            lambda: both("DOUBLE", "ABS({})", a),
            lambda: both("DOUBLE", "SQRT(ABS({}))", a),
            lambda: both("DOUBLE", "FLOOR({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "CEIL({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "CEILING({})", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "ROUND({}, 1)", self.leaf("DOUBLE")),
            lambda: pair("DOUBLE", "({} * PI() - E())", "({} * pi() - exp(1))", self.leaf("DOUBLE")),
            lambda: both("DOUBLE", self.rng.choice(CURVES), self.leaf("DOUBLE")),
            lambda: both("DOUBLE", self.rng.choice(CURVES), self.leaf("DOUBLE")),
            lambda: both("DOUBLE", "CAST({} AS DOUBLE)", x),
            lambda: both("DOUBLE", "CAST({} AS DOUBLE)", self.of("FLOAT", depth - 1)),
        ])()

    def make_float(self, depth):
        if depth == 0:
            return self.leaf("FLOAT")
        a, b = self.of("FLOAT", depth - 1), self.of("FLOAT", depth - 1)
        return self.rng.choice(self.general("FLOAT", depth) + [
            lambda: both("FLOAT", "({} + {})", a, b),
            lambda: both("FLOAT", "({} - {})", a, b),
            lambda: both("FLOAT", "({} * {})", self.leaf("FLOAT"), self.leaf("FLOAT")),
            lambda: both("FLOAT", "(- {})", a),
            lambda: both("FLOAT", "ABS({})", a),
            lambda: both("FLOAT", "FLOOR({})", self.leaf("FLOAT")),
            lambda: both("FLOAT", "CEIL({})", self.leaf("FLOAT")),
            lambda: both("FLOAT", "CAST({} AS FLOAT)", self.leaf("DOUBLE")),
            lambda: both("FLOAT", "CAST({} AS FLOAT)", self.leaf("INT")),
        ])()

    def make_decimal(self, depth):
        if depth == 0:
            return self.leaf("DECIMAL")
        a, b = self.of("DECIMAL", depth - 1), self.leaf("DECIMAL")
        return self.rng.choice(self.general("DECIMAL", depth) + [
            lambda: both("DECIMAL", "({} + {})", a, b),
            lambda: both("DECIMAL", "({} - {})", a, b),
            lambda: both("DECIMAL", "({} * {})", self.leaf("DECIMAL"), b),
            lambda: both("DECIMAL", "ABS({})", a),
            lambda: both("DECIMAL", "CAST({} AS DECIMAL(8,2))", self.leaf("INT")),
            lambda: both("DECIMAL", "CAST({} AS DECIMAL(8,2))", self.leaf("DOUBLE")),
        ])()
