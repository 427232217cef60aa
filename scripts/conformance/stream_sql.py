"""What the runner has to know of a job's text: its statements, and the columns of its streams.

This is no parser of Stream SQL: it splits statements and reads declarations, and leaves queries alone. It exists so that the
other engines get their tables without asking the engine under test.
"""

import json
import re
from dataclasses import dataclass, field

TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|//[^\n]*|/\*.*?\*/)
      | (?P<single>'(?:[^']|'')*')
      | (?P<double>"(?:[^"\\]|""|\\.)*")
      | (?P<quoted>`(?:[^`]|``)*`)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
      | (?P<symbol><>|!=|<=|>=|\|\||.)""",
    re.X | re.S,
)

SYNONYMS = {
    "VARCHAR": "STRING", "CHAR": "STRING", "BOOL": "BOOLEAN", "SHORT": "SMALLINT", "INTEGER": "INT", "LONG": "BIGINT",
    "REAL": "FLOAT", "DEC": "DECIMAL", "NUMERIC": "DECIMAL",
}


@dataclass(frozen=True)
class Type:
    """A declared type: its name, numbers in parentheses, element types, field names of a ROW."""

    name: str
    numbers: tuple = ()
    parts: tuple = ()
    fields: tuple = ()


@dataclass
class Stream:
    """A declared source, sink, temp stream or dimension table."""

    kind: str
    name: str
    columns: list
    options: dict = field(default_factory=dict)
    event_time: str = None
    proctime: bool = False
    watermark: tuple = None


@dataclass
class Job:
    streams: dict
    inserts: list

    def queries_of(self, sink):
        return [query for name, query in self.inserts if name.lower() == sink.lower()]


def tokens(text):
    return [(match.lastgroup, match.group()) for match in TOKEN.finditer(text)]


def string_value(kind, text):
    body = text[1:-1]
    if kind == "single":
        return body.replace("''", "'")
    body = body.replace('""', '"')
    body = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code.group(1), 16)), body)
    escapes = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "0": "\0"}
    return re.sub(r"\\(.)", lambda letter: escapes.get(letter.group(1), letter.group(1)), body, flags=re.S)


def portable(text):
    """Returns a query with what other engines write differently in every query: comments and double-quoted strings."""
    out = []
    for kind, token in tokens(text):
        if kind == "space":
            out.append(" ")
        elif kind == "double":
            out.append("'" + string_value(kind, token).replace("'", "''") + "'")
        elif token == "!=":
            out.append("<>")
        else:
            out.append(token)
    return "".join(out).strip()


def statements(text):
    current, found = [], []
    for kind, token in tokens(text):
        if token == ";":
            found.append(current)
            current = []
        else:
            current.append((kind, token))
    found.append(current)
    return [one for one in found if any(kind != "space" for kind, _ in one)]


class Reader:
    """Reads the tokens of a declaration one after the other."""

    def __init__(self, found):
        self.found = [token for token in found if token[0] != "space"]
        self.place = 0

    def peek(self):
        return self.found[self.place][1].upper() if self.place < len(self.found) else ""

    def next(self):
        token = self.found[self.place]
        self.place += 1
        return token

    def accept(self, *words):
        if self.peek() in words:
            return self.next()[1]
        return None

    def name(self):
        kind, token = self.next()
        return token[1:-1].replace("``", "`") if kind == "quoted" else token

    def type(self):
        name = self.next()[1].upper()
        self.accept("PRECISION")
        name = SYNONYMS.get(name, name)
        if self.peek() in ("<", "[") and name in ("ARRAY", "MAP", "ROW"):
            return self._nested(name)
        numbers = []
        if self.accept("("):
            while not self.accept(")"):
                token = self.next()[1]
                numbers.extend([int(token)] if token.isdigit() else [])
        if name == "DECIMAL":
            numbers = (numbers or [38, 18]) + [0] * (len(numbers) == 1)
        return Type(name, tuple(numbers) if name == "DECIMAL" else ())

    def _nested(self, name):
        self.next()
        parts, fields = [], []
        while not self.accept(">", "]"):
            if name == "ROW":
                fields.append(self.name())
            parts.append(self.type())
            self.accept(",")
        return Type(name, (), tuple(parts), tuple(fields))

    def columns(self):
        found = []
        if self.accept("("):
            while not self.accept(")"):
                name = self.name()
                found.append((name, self.type()))
                self.accept(",")
        return found

    def options(self):
        found = {}
        if self.accept("WITH"):
            self.next()
            while not self.accept(")"):
                name = self.name()
                while self.accept("."):
                    name += "." + self.name()
                self.next()
                kind, token = self.next()
                value = token if kind == "number" else string_value("double" if kind == "double" else "single", token)
                found[name.lower().replace("_", "")] = value
                self.accept(",")
        return found


def schema_type(schema, definitions):
    """Returns the type that a JSON Schema stands for."""
    if "$ref" in schema:
        return schema_type(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            return schema_type(next(one for one in schema[choice] if one.get("type") != "null"), definitions)
    if schema["type"] == "array":
        return Type("ARRAY", (), (schema_type(schema["items"], definitions),))
    if schema["type"] == "object":
        fields = schema["properties"]
        return Type("ROW", (), tuple(schema_type(one, definitions) for one in fields.values()), tuple(fields))
    return Type({"string": "STRING", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}[schema["type"]])


def schema_columns(text):
    schema = json.loads(text)
    definitions = schema.get("definitions", {})
    return [(name, schema_type(one, definitions)) for name, one in schema["properties"].items()]


def milliseconds(text):
    """Returns the length of an interval such as `INTERVAL '10' SECOND` or `INTERVAL 2 MINUTE`."""
    number, unit = re.search(r"'?(\d+)'?\s*(\w+)", text[len("INTERVAL"):].strip()).groups()
    factors = {"MILLISECOND": 1, "SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
    return int(number) * factors[unit.upper().rstrip("S")]


def declaration(found):
    reader = Reader(found)
    reader.next()
    kind = reader.next()[1].upper()
    if kind != "TABLE":
        reader.next()
    stream = Stream(kind.lower(), reader.name(), reader.columns())
    if reader.accept("PARTITIONED"):
        reader.next()
        while not reader.accept(")"):
            reader.next()
    stream.options = reader.options()
    if not stream.columns:
        stream.columns = schema_columns(stream.options["jsonschema"])
    rest = "".join(token for _, token in found)
    clause = re.search(r"\bTIMESTAMP\s+BY\b(.*)$", rest, re.I | re.S)
    if clause:
        indicators = re.split(r"\bSET\b", clause.group(1), flags=re.I)[0]
        stream.proctime = bool(re.search(r"\bproctime\s*\.\s*proctime\b", indicators, re.I))
        event = re.search(r"`?(\w+)`?\s*\.\s*rowtime\b", indicators, re.I)
        stream.event_time = event.group(1) if event else None
        watermark = re.search(r"WATERMARK\s*\(\s*(RANGE|ROWS)\s+(.*?)\s*,\s*(INTERVAL.*?)\s*\)", clause.group(1), re.I | re.S)
        if watermark:
            how, every, delay = watermark.groups()
            every = int(every) if how.upper() == "ROWS" else milliseconds(every)
            stream.watermark = (how.upper(), every, milliseconds(delay))
    return stream


def parse(text):
    streams, inserts = {}, []
    for found in statements(text):
        words = [token.upper() for kind, token in found if kind != "space"]
        if words[0] == "CREATE" and words[1] != "FUNCTION":
            stream = declaration(found)
            streams[stream.name.lower()] = stream
        elif words[0] == "INSERT":
            reader = Reader(found)
            reader.next()
            reader.next()
            name = reader.name()
            # The query is what follows the third token that is no space.
            seen, place = 0, 0
            for place, (kind, _) in enumerate(found):
                seen += kind != "space"
                if seen == 3:
                    break
            inserts.append((name, "".join(token for _, token in found[place + 1:]).strip()))
    return Job(streams, inserts)
