"""Random expressions of arrays, maps and rows, and what is taken out of them."""

from node import both, lazy, leaf, pair

# The keys of maps.
KEYS = ["a", "b", "ab"]


class Nested:
    def make_array(self, depth):
        if depth == 0:
            return self.leaf("ARRAY")
        a, b = self.of("INT", depth - 1), self.of("INT", depth - 1)
        return self.rng.choice(self.general("ARRAY", depth) + [
            lambda: pair("ARRAY", "ARRAY[{}, {}]", "[{}, {}]", a, b), lambda: pair("ARRAY", "ARRAY[{}]", "[{}]", a),
        ])()

    def make_map(self, depth):
        if depth == 0:
            return self.leaf("MAP")
        a, b = self.of("INT", depth - 1), self.of("INT", depth - 1)
        return self.rng.choice(self.general("MAP", depth) + [
            lambda: pair("MAP", "MAP['a', {}, 'b', {}]", "MAP {{'a': {}, 'b': {}}}", a, b),
        ])()

    def make_row(self, depth):
        if depth == 0:
            return self.leaf("ROW")
        a, b, named = self.of("INT", depth - 1), self.of("STRING", depth - 1), self.column("ROW")
        # The fields of a row that is put together have no names; that of the column must come first.
        made = self.general("ROW", depth)
        if named:
            made.append(lambda: lazy("ROW", "COALESCE({}, ROW({}, {}))", named, a, b, batch="COALESCE({}, {{'n': {}, 's': {}}})",
                                     needed=lambda row, a, b: [(f"({row.batch}) IS NULL", a), (f"({row.batch}) IS NULL", b)]))
        return self.rng.choice(made)()

    def ints_of_nested(self, depth):
        a, b = self.of("INT", depth - 1), self.of("INT", depth - 1)
        place, key, row = self.rng.randint(1, 3), self.rng.choice(KEYS), self.column("ROW")
        made = [
            lambda: pair("INT", "CARDINALITY(ARRAY[{}, {}])", "len([{}, {}])", a, b),
            lambda: both("INT", f"ARRAY[{{}}, {{}}][{place}]", a, b),
            lambda: pair("INT", "ELEMENT(ARRAY[{}])", "{}", a),
            lambda: pair("INT", "MAP['a', {}, 'b', {}][{}]", "element_at(MAP {{'a': {}, 'b': {}}}, {})[1]", a, b,
                         self.of("STRING", depth - 1)),
        ]
        if self.column("ARRAY"):
            made += [
                lambda: pair("INT", "CARDINALITY({})", "len({})", self.of("ARRAY", depth - 1)),
                lambda: both("INT", f"{{}}[{place}]", self.column("ARRAY")),
                lambda: pair("INT", "{0}[{1}]", "list_extract({0}, CASE WHEN {1} >= 1 THEN {1} END)", self.column("ARRAY"), a),
            ]
        if self.column("MAP"):
            made += [
                lambda: pair("INT", "CARDINALITY({})", "cardinality({})", self.of("MAP", depth - 1)),
                lambda: pair("INT", f"{{}}['{key}']", f"element_at({{}}, '{key}')[1]", self.column("MAP")),
                lambda: pair("INT", "{}[{}]", "element_at({}, {})[1]", self.column("MAP"), self.of("STRING", depth - 1)),
            ]
        if row:
            made += [lambda: leaf("INT", f"{row.stream}.n"), lambda: leaf("INT", f"{row.stream}.n")]
        return made

    def strings_of_nested(self):
        row = self.column("ROW")
        made = [lambda: leaf("STRING", f"{row.stream}.s")] * 2 if row else []
        if self.column("ARRAY"):
            made.append(lambda: pair(
                "STRING", "CAST({0} AS VARCHAR)",
                "CASE WHEN {0} IS NOT NULL THEN '[' || array_to_string(list_transform({0}, lambda e: coalesce(CAST(e AS VARCHAR), 'null')), ', ') || ']' END",
                self.column("ARRAY")))
        return made
