"""Random expressions that fail on some rows: numbers out of range, texts that are none of what they are cast to."""

from node import both, failing, leaf, pair

BLANKS = "[ \\t\\r\\n]*"
NUMBER = BLANKS + "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?" + BLANKS
DATE = BLANKS + "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]" + BLANKS
CLOCK = "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]+)?"
TEXTS = {
    "NUMBER": ["12", "5", "77", "0", " 7 ", "-3", "+4", "1.5", ".5", "3.", "1e2", "12e-1", "300", "70000", "3000000000", "1e30", "x", "", "1 2", "0x1", "--1"],
    "BOOLEAN": ["true", "false", "TRUE", "FALSE", " True ", "t", "1", "", "yes"],
    "DATE": ["2024-03-15", "2024-02-29", "2023-02-29", " 2024-01-01 ", "2024-3-15", "2024-13-01", "15/03/2024", "2024-03-15 00:00:00", ""],
    "TIME": ["07:08:09", "12:00:00", "00:00:00", "23:59:59.5", "7:08:09", "25:00:00", "07:60:00", " 01:02:03.004 ", "07:08", ""],
    "TIMESTAMP": ["2024-03-15 07:08:09", "2024-03-15 07:08:09.123", "2024-03-15", "2024-02-30 00:00:00", "2024-03-15T07:08:09", " 2024-03-15 01:02:03 ", ""],
}


def matching(text, pattern):
    """Returns a text of the batch if it has a form, without the blanks around it, and otherwise NULL."""
    return f"CASE WHEN regexp_full_match({text}, '{pattern}') THEN trim({text}, ' ' || chr(9) || chr(10) || chr(13)) END"


def number(text):
    # A sign that is not needed is none to every engine.
    return f"ltrim({matching(text, NUMBER)}, '+')"


class Fails:
    def failing(self, kind, depth):
        """Makes an expression that fails on some rows, or returns None."""
        make = getattr(self, "failing_" + kind.lower(), None)
        return self.rng.choice(make(depth))() if make else None

    def text_of(self, kind, depth):
        """Makes a text that is more or less a value."""
        constant = lambda: leaf("STRING", f"'{self.rng.choice(TEXTS[kind])}'")
        value = "INT" if kind == "NUMBER" else kind
        made = [
            constant, lambda: self.of("STRING", depth - 1), lambda: self.column("STRING") or constant(),
            lambda: self.general_case("STRING", constant(), constant(), depth),
        ]
        if value in ("INT", "DATE"):
            made += [
                lambda: both("STRING", "CAST({} AS VARCHAR)", self.of(value, depth - 1)),
                lambda: both("STRING", "REPLACE(CAST({} AS VARCHAR), '3', 'x')", self.of(value, depth - 1)),
                lambda: self.general_case(
                    "STRING", both("STRING", "CAST({} AS VARCHAR)", self.of(value, depth - 1)), constant(), depth),
            ]
        return self.rng.choice(made)()

    def cast_of_text(self, kind, depth):
        form = number("{0}")
        whole = f"CAST(trunc(CAST({form} AS DECIMAL(38,6))) AS {kind})"
        return failing(kind, f"CAST({{}} AS {kind})", whole, self.text_of("NUMBER", depth))

    def narrowed(self, kind, depth):
        """Makes an integer of a wider type that may be too great."""
        factor = {"TINYINT": 15, "SMALLINT": 4_000, "INT": 300_000_000}[kind]
        wide = both("BIGINT", f"({{}} * {factor})", self.of("BIGINT", depth - 1) if kind == "INT" else self.leaf("INT"))
        return failing(kind, f"CAST({{}} AS {kind})", f"CAST({{}} AS {kind})", wide)

    def overflowing(self, kind, a, b, sign=None):
        sign = sign or self.rng.choice(["+", "-", "*"])
        return failing(kind, f"({{}} {sign} {{}})", f"CAST(CAST({{}} AS HUGEINT) {sign} CAST({{}} AS HUGEINT) AS {kind})", a, b)

    def remainder(self, kind, depth):
        return failing(kind, "MOD({}, {})", f"CAST({{0}} % nullif({{1}}, 0) AS {kind})", self.of(kind, depth - 1), self.leaf(kind))

    def failing_tinyint(self, depth):
        return [lambda: self.cast_of_text("TINYINT", depth), lambda: self.narrowed("TINYINT", depth),
                lambda: self.overflowing("TINYINT", self.of("TINYINT", depth - 1), self.leaf("TINYINT")),
                lambda: self.overflowing("TINYINT", self.leaf("TINYINT"), self.leaf("TINYINT"), "*")]

    def failing_smallint(self, depth):
        return [lambda: self.cast_of_text("SMALLINT", depth), lambda: self.narrowed("SMALLINT", depth),
                lambda: self.overflowing("SMALLINT", self.of("SMALLINT", depth - 1), self.leaf("SMALLINT"))]

    def failing_int(self, depth):
        great = leaf("INT", str(self.rng.choice([2_147_483_640, 1_000_000_000, 500_000_000])))
        a = self.of("INT", depth - 1)
        return [
            lambda: self.cast_of_text("INT", depth), lambda: self.cast_of_text("INT", depth), lambda: self.narrowed("INT", depth),
            lambda: self.overflowing("INT", a, great), lambda: self.remainder("INT", depth), lambda: self.remainder("INT", depth),
            lambda: failing("INT", "CAST({} / {} AS INT)", "CAST(trunc(CAST({0} AS DOUBLE) / CAST(nullif({1}, 0) AS DOUBLE)) AS INT)",
                            a, self.leaf("INT")),
            lambda: failing("INT", "CAST({} * 3E8 AS INT)", "CAST(trunc({} * 3E8) AS INT)", self.leaf("DOUBLE")),
        ]

    def failing_bigint(self, depth):
        great = leaf("BIGINT", str(self.rng.choice([9_223_372_036_854_775_800, 1_000_000_000_000_000_000])))
        return [
            lambda: self.cast_of_text("BIGINT", depth), lambda: self.remainder("BIGINT", depth),
            lambda: self.overflowing("BIGINT", self.of("BIGINT", depth - 1), great),
        ]

    def failing_double(self, depth):
        text = number("{0}")
        return [lambda: failing("DOUBLE", "CAST({} AS DOUBLE)", f"CAST({text} AS DOUBLE)", self.text_of("NUMBER", depth))]

    def failing_float(self, depth):
        text = number("{0}")
        return [lambda: failing("FLOAT", "CAST({} AS FLOAT)", f"CAST({text} AS FLOAT)", self.text_of("NUMBER", depth))]

    def failing_decimal(self, depth):
        text = number("{0}")
        return [
            lambda: failing("DECIMAL", "CAST({} AS DECIMAL(8,2))", f"CAST({text} AS DECIMAL(8,2))", self.text_of("NUMBER", depth)),
            lambda: failing("DECIMAL", "CAST({} AS DECIMAL(3,2))", "CAST({} AS DECIMAL(3,2))", self.leaf("INT")),
            lambda: failing("DECIMAL", "CAST({} AS DECIMAL(4,2))", "CAST({} AS DECIMAL(4,2))", self.leaf("DOUBLE")),
        ]

    def failing_boolean(self, depth):
        sign = self.rng.choice(["=", "<>", "<", ">="])
        # A text that is compared with a number becomes one, whatever the number is.
        compared = failing("DOUBLE", "{}", f"CAST({number('{0}')} AS DOUBLE)", self.text_of("NUMBER", depth))
        return [
            lambda: failing("BOOLEAN", "CAST({} AS BOOLEAN)",
                            "CASE lower(trim({0})) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END", self.text_of("BOOLEAN", depth)),
            lambda: both("BOOLEAN", f"({{}} {sign} {{}})", compared, self.of("INT", depth - 1)),
        ]

    def failing_string(self, depth):
        return [
            lambda: pair("STRING", "CAST({} AS VARCHAR)", "CAST(CAST({} AS INT) AS VARCHAR)", self.failing("INT", depth)),
            lambda: failing("STRING", "ELEMENT(STRING_TO_ARRAY({0}, ' '))", "CASE WHEN NOT contains({0}, ' ') THEN {0} END",
                            self.of("STRING", depth - 1)),
        ]

    def failing_date(self, depth):
        return [lambda: failing("DATE", "CAST({} AS DATE)", f"CAST({matching('{0}', DATE)} AS DATE)", self.text_of("DATE", depth))]

    def failing_time(self, depth):
        return [lambda: failing("TIME", "CAST({} AS TIME)", f"CAST({matching('{0}', BLANKS + CLOCK + BLANKS)} AS TIME)",
                                self.text_of("TIME", depth))]

    def failing_timestamp(self, depth):
        pattern = DATE.removesuffix(BLANKS) + " " + CLOCK + BLANKS
        return [lambda: failing("TIMESTAMP", "CAST({} AS TIMESTAMP)", f"CAST({matching('{0}', pattern)} AS TIMESTAMP)",
                                self.text_of("TIMESTAMP", depth))]
