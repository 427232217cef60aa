"""Records to typed values and back, by the rules of the csv and json encodings.

The same decoder feeds DuckDB and Flink, and reads what Weir wrote, so that rows of all three are compared as values: 1.50 and
1.5 are one DECIMAL, and a TIMESTAMP is a time and no text.
"""

import datetime
import decimal
import json
import math
import re

from stream_sql import Type

DECIMALS = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
RANGES = {"TINYINT": 8, "SMALLINT": 16, "INT": 32, "BIGINT": 64}
TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?$")
STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?)(Z|[+-]\d{2}:?\d{2})?$")
EPOCH = datetime.datetime(1970, 1, 1)


class Dirty(ValueError):
    """A record does not fit its columns."""


def integer(text, kind):
    if not re.match(r"[+-]?\d+$", text):
        raise Dirty(f"`{text}` is no integer")
    value = int(text)
    bound = 1 << (RANGES[kind.name] - 1)
    if not -bound <= value < bound:
        raise Dirty(f"{value} is out of range")
    return value


def to_decimal(text, kind):
    with decimal.localcontext(prec=60):
        return decimal.Decimal(text).quantize(decimal.Decimal(1).scaleb(-kind.numbers[1]), decimal.ROUND_HALF_UP)


def time_of(text):
    found = TIME.match(text)
    if not found:
        raise Dirty(f"`{text}` is no time")
    hour, minute, second, fraction = found.groups()
    try:
        return datetime.time(int(hour), int(minute), int(second), int((fraction or "0").ljust(6, "0")[:6]) // 1000 * 1000)
    except ValueError as error:
        raise Dirty(str(error)) from None


def timestamp_of(text):
    if re.match(r"-?\d+$", text):
        return EPOCH + datetime.timedelta(milliseconds=int(text))
    found = STAMP.match(text)
    if not found:
        raise Dirty(f"`{text}` is no timestamp")
    date, time, offset = found.groups()
    value = datetime.datetime.combine(date_of(date), time_of(time))
    if offset and offset != "Z":
        sign = 1 if offset[0] == "+" else -1
        digits = offset[1:].replace(":", "")
        value -= sign * datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return value


def date_of(text):
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise Dirty(str(error)) from None


def from_text(text, kind):
    """Reads a value as csv writes it."""
    name = kind.name
    if name == "STRING":
        return text
    text = text.strip(" \t")
    if text == "":
        return None
    if name in RANGES:
        return integer(text, kind)
    if name == "BOOLEAN":
        if text.lower() not in ("true", "false"):
            raise Dirty(f"`{text}` is no boolean")
        return text.lower() == "true"
    if name in ("FLOAT", "DOUBLE", "DECIMAL"):
        if name != "DECIMAL" and text in ("NaN", "Infinity", "-Infinity"):
            return float(text.replace("Infinity", "inf"))
        if not DECIMALS.match(text):
            raise Dirty(f"`{text}` is no number")
        return to_decimal(text, kind) if name == "DECIMAL" else float(text)
    if name == "DATE":
        return date_of(text)
    if name == "TIME":
        return time_of(text)
    if name == "TIMESTAMP":
        return timestamp_of(text)
    raise Dirty(f"{name} is not readable from csv")


def from_json(value, kind, raw=None):
    """Reads a value of a JSON document; numbers come as `Number`, which keeps their text."""
    name = kind.name
    if value is None:
        return None
    if name == "STRING":
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (dict, list)):
            return raw_json(value)
        return str(value)
    if name == "ARRAY":
        if not isinstance(value, list):
            raise Dirty("not an array")
        return [from_json(one, kind.parts[0]) for one in value]
    if name == "MAP":
        if not isinstance(value, dict):
            raise Dirty("not an object")
        return {from_json(key, kind.parts[0]): from_json(one, kind.parts[1]) for key, one in value.items()}
    if name == "ROW":
        if not isinstance(value, dict):
            raise Dirty("not an object")
        return {field: from_json(member(value, field), part) for field, part in zip(kind.fields, kind.parts)}
    if isinstance(value, (dict, list)):
        raise Dirty(f"not a {name}")
    if name == "BOOLEAN":
        if isinstance(value, bool):
            return value
        return from_text(value, kind) if isinstance(value, str) and not isinstance(value, Number) else dirty(value)
    if isinstance(value, bool):
        raise Dirty(f"not a {name}")
    return from_text(str(value), kind)


def raw_json(value):
    """Writes a document again with its numbers as they were; blanks between tokens are not kept."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{raw_json(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(raw_json, value)) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def dirty(value):
    raise Dirty(f"{value} does not fit")


class Number(str):
    """The text of a JSON number."""


def member(document, name):
    if name in document:
        return document[name]
    for key, value in document.items():
        if key.lower() == name.lower():
            return value
    return None


def at_path(document, path):
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        if index:
            document = document[int(index)] if isinstance(document, list) and int(index) < len(document) else None
        else:
            document = document.get(key) if isinstance(document, dict) else None
    return document


def json_paths(stream):
    config = stream.options.get("jsonconfig", "")
    pairs = [pair.split("=", 1) for pair in config.split(";") if pair.strip()]
    return {column.strip().lower(): path.strip() for column, path in pairs}


def split_csv(line, delimiter, quote):
    if not quote:
        return line.split(delimiter)
    fields, current, inside, place = [], "", False, 0
    while place < len(line):
        if line[place] == quote:
            inside = not inside
            place += 1
        elif not inside and line.startswith(delimiter, place):
            fields.append(current)
            current = ""
            place += len(delimiter)
        else:
            current += line[place]
            place += 1
    if inside:
        raise Dirty("an odd number of quote characters")
    return fields + [current]


def decode(stream, text, encode=None):
    """Returns the records of a stream as lists of values, dirty ones left out."""
    encode = encode or stream.options.get("encode", "csv").lower()
    rows = []
    for line in text.splitlines():
        try:
            row = decode_json(stream, line) if encode == "json" else decode_csv(stream, line)
        except Dirty:
            continue
        if stream.event_time and stream.kind == "source":
            names = [name.lower() for name, _ in stream.columns]
            if row[names.index(stream.event_time.lower())] is None:
                continue
        rows.append(row)
    return rows


def decode_csv(stream, line):
    delimiter = stream.options.get("fielddelimiter", ",")
    if stream.kind == "sink" and len(stream.columns) == 1 and "quote" not in stream.options:
        fields = [line]
    else:
        fields = split_csv(line, delimiter, stream.options.get("quote"))
    if len(fields) != len(stream.columns):
        raise Dirty(f"{len(fields)} fields for {len(stream.columns)} columns")
    nested = ("ARRAY", "MAP", "ROW")
    return [text if kind.name in nested else from_text(text, kind) for text, (_, kind) in zip(fields, stream.columns)]


def decode_json(stream, line):
    try:
        document = json.loads(line, parse_int=Number, parse_float=Number)
    except ValueError as error:
        raise Dirty(str(error)) from None
    if not isinstance(document, dict):
        raise Dirty("not an object")
    paths = json_paths(stream)
    row = []
    for name, kind in stream.columns:
        path = paths.get(name.lower())
        if path == "$":
            row.append(line)
        elif path:
            row.append(from_json(at_path(document, path), kind))
        else:
            row.append(from_json(member(document, name), kind))
    return row


def convert(value, kind):
    """Turns a value that an engine returned into the one the declared type has: INT into DOUBLE, text into TIMESTAMP."""
    name = kind.name
    if value is None:
        return None
    if name == "STRING":
        return str(value)
    if name in RANGES:
        return int(value)
    if name == "BOOLEAN":
        return bool(value)
    if name in ("FLOAT", "DOUBLE"):
        return float(value)
    if name == "DECIMAL":
        return to_decimal(repr(value) if isinstance(value, float) else str(value), kind)
    if name == "ARRAY":
        return [convert(one, kind.parts[0]) for one in value]
    if name == "MAP":
        return {convert(key, kind.parts[0]): convert(one, kind.parts[1]) for key, one in value.items()}
    if name == "ROW":
        members = value.values() if isinstance(value, dict) else value
        return {field: convert(one, part) for field, one, part in zip(kind.fields, members, kind.parts)}
    if isinstance(value, str) and name == "TIMESTAMP" and len(value) == len("yyyy-MM-dd"):
        value = date_of(value)
    if isinstance(value, str):
        return from_text(value, kind)
    if name == "TIMESTAMP" and type(value) is datetime.date:
        return datetime.datetime.combine(value, datetime.time())
    if name == "TIMESTAMP":
        return value.replace(tzinfo=None, microsecond=value.microsecond // 1000 * 1000)
    return value


def as_text(value, kind):
    """Writes a value as csv does; for nested values, which csv cannot read back."""
    if value is None:
        return ""
    name = kind.name
    if name == "ARRAY":
        return "[" + ", ".join(as_text(one, kind.parts[0]) for one in value) + "]"
    if name == "MAP":
        pairs = (f"{as_text(key, kind.parts[0])}={as_text(one, kind.parts[1])}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if name == "ROW":
        return ",".join(as_text(value[field], part) for field, part in zip(kind.fields, kind.parts))
    if name == "BOOLEAN":
        return "true" if value else "false"
    if name in ("FLOAT", "DOUBLE"):
        return repr(float(value))
    return str(value)


def comparable(row, sink):
    """Returns a row so that equal rows of different engines are equal: csv cannot tell NULL from the empty string."""
    is_csv = sink.options.get("encode", "csv").lower() != "json"
    out = []
    for value, (_, kind) in zip(row, sink.columns):
        if is_csv and kind.name in ("ARRAY", "MAP", "ROW") and not isinstance(value, str):
            value = as_text(value, kind)
        if is_csv and kind.name == "STRING" and value is None:
            value = ""
        out.append(freeze(value))
    return tuple(out)


def freeze(value):
    if isinstance(value, dict):
        return tuple(sorted((str(key), freeze(one)) for key, one in value.items()))
    if isinstance(value, list):
        return tuple(freeze(one) for one in value)
    return value


def shown(row):
    return ",".join("" if value is None else str(value) for value in row)


def agree(left, right, tolerance):
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(agree(a, b, tolerance) for a, b in zip(left, right))
    if isinstance(left, float) and isinstance(right, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        # Engines add in different orders; the last digits of a DOUBLE are no part of the meaning.
        return left == right or abs(left - right) <= (tolerance or 1e-12) * max(abs(left), abs(right), 1e-300)
    return left == right


def difference(expected, actual, tolerance=None, in_order=False):
    """Compares two multisets of rows; returns None, or the rows that are missing and surplus."""
    if in_order and len(expected) == len(actual):
        for place, (left, right) in enumerate(zip(expected, actual)):
            if not agree(left, right, tolerance) and any(agree(left, other, tolerance) for other in actual):
                return f"row {place + 1} is out of order:\n- {shown(left)}\n+ {shown(right)}"
    surplus = list(actual)
    missing = []
    for row in expected:
        for place, other in enumerate(surplus):
            if agree(row, other, tolerance):
                del surplus[place]
                break
        else:
            missing.append(row)
    if not missing and not surplus:
        return None
    lines = [f"- {shown(row)}" for row in missing[:8]] + [f"+ {shown(row)}" for row in surplus[:8]]
    return "\n".join(lines)


def fold(changes):
    """Applies (kind, row) changes and returns the rows that are left."""
    left = []
    for kind, row in changes:
        if kind in ("INSERT", "UPDATE_AFTER", "+I", "+U"):
            left.append(row)
        elif row in left:
            left.remove(row)
        else:
            raise ValueError(f"a row is withdrawn that was never added: {shown(row)}")
    return left


def written(changes):
    """Returns the rows that a message sink writes: added and updated ones."""
    return [row for kind, row in changes if kind in ("INSERT", "UPDATE_AFTER", "+I", "+U")]
