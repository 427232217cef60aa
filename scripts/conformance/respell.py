"""A job as Flink SQL without Weir: its own text, respelled word by word.

`weir explain --flink` translates from the checked plan, so a misunderstanding of Weir would reach Flink too. This does not: it
declares the streams over files and changes only what is spelt differently. It knows no types, so some jobs cannot be respelled;
`make conformance ARGS=--respelled` says which, and fails for none of them.
"""

import re

import stream_sql

# Words that Flink spells otherwise, wherever they stand.
WORDS = {"LONG": "BIGINT", "SHORT": "SMALLINT", "VARCHAR": "STRING", "CHAR": "STRING", "BOOL": "BOOLEAN", "INTEGER": "INT"}
FUNCTIONS = {"CONCAT": "CONCAT_WS", "TO_TIMESTAMP": "TO_TIMESTAMP_MILLIS", "TO_LOCALTIMESTAMP": "TO_TIMESTAMP_MILLIS"}
WINDOW = re.compile(r"(?:TUMBLE|HOP|SESSION)(?:_\w+)?$", re.I)


def flink_type(kind):
    if kind.name == "TIMESTAMP":
        return "TIMESTAMP(3)"
    if kind.name == "DECIMAL":
        return "DECIMAL({}, {})".format(*kind.numbers)
    if kind.name in ("ARRAY", "MAP"):
        return f"{kind.name}<{', '.join(map(flink_type, kind.parts))}>"
    if kind.name == "ROW":
        return f"ROW<{', '.join(f'{quoted(name)} {flink_type(part)}' for name, part in zip(kind.fields, kind.parts))}>"
    return kind.name


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def text_literal(text):
    return "'" + str(text).replace("'", "''") + "'"


class Respelling:
    """The names of one job, and its text as Flink takes it."""

    def __init__(self, job):
        self.job = job
        self.names = {}
        # The spelling of the source is the one that queries mean; a sink may spell its columns in another way.
        for stream in sorted(job.streams.values(), key=lambda stream: stream.kind == "sink"):
            for name in [stream.name, *(name for name, _ in stream.columns)]:
                self.names.setdefault(name.lower(), name)
        self.tables = {stream.name.lower() for stream in job.streams.values() if stream.kind == "table"}
        events = [stream for stream in job.streams.values() if stream.event_time]
        self.event_time = events[0].event_time if events else None
        # A BIGINT cannot be an event time of Flink: a computed column stands for it in windows.
        self.computed = {
            stream.event_time.lower()
            for stream in events
            if dict((name.lower(), kind) for name, kind in stream.columns)[stream.event_time.lower()].name == "BIGINT"
        }

    def query(self, text):
        found = [token for token in stream_sql.tokens(text) if token[0] != "space"]
        out = []
        for place, (kind, token) in enumerate(found):
            follows = found[place + 1][1] if place + 1 < len(found) else ""
            before = found[place - 1][1] if place else ""
            out.append(self._token(kind, token, follows, before, found[max(0, place - 2) : place]))
        text = " ".join(out)
        text = re.sub(r"\bSTRING \( \d+ \)", "STRING", text)
        text = re.sub(r"INTERVAL (\d+) (\w+?)S?\b", r"INTERVAL '\1' \2", text, flags=re.I)
        text = re.sub(r"TO_TIMESTAMP_MILLIS \(([^()]*)\)", r"CAST(TO_TIMESTAMP_LTZ(\1, 3) AS TIMESTAMP(3))", text)
        return self._lookups(text)

    def _token(self, kind, token, follows, before, two_before):
        if kind == "double":
            return text_literal(stream_sql.string_value(kind, token))
        if token == "!=":
            return "<>"
        if token == "(" and before.upper() == "CONCAT":
            return "( '',"
        if token == "/":
            return "* 1E0 /"
        if kind != "word":
            return token
        if follows == "(" and token.upper() in FUNCTIONS:
            return FUNCTIONS[token.upper()]
        if follows == "(" and token.lower() not in self.names:
            return token
        if token.upper() == "ROWTIME" and self.event_time:
            token = self.event_time
        if token.lower() in self.computed and before == "(" and two_before and WINDOW.match(two_before[0][1]):
            return quoted(self.names[token.lower()] + "__time")
        if token.lower() in self.names:
            return quoted(self.names[token.lower()])
        return WORDS.get(token.upper(), token)

    def _lookups(self, text):
        """A join with a dimension table looks it up at the processing time of the stream on its left."""
        left = re.search(r"FROM `?(\w+)`?(?: AS `?(\w+)`?)?", text, re.I)
        for table in self.tables:
            name = quoted(self.names[table])
            clause = f"{name} FOR SYSTEM_TIME AS OF {quoted(left.group(2) or left.group(1))}.`proctime`"
            text = re.sub(rf"JOIN {re.escape(name)}", lambda _, clause=clause: f"JOIN {clause}", text)
        return text

    def table(self, stream, path):
        columns = [f"{quoted(name)} {flink_type(kind)}" for name, kind in stream.columns]
        if stream.proctime or (self.tables and stream.kind == "source"):
            columns.append("`proctime` AS PROCTIME()")
        if stream.event_time:
            column = quoted(stream.event_time)
            if stream.event_time.lower() in self.computed:
                time = quoted(stream.event_time + "__time")
                columns.append(f"{time} AS CAST(TO_TIMESTAMP_LTZ({column}, 3) AS TIMESTAMP(3))")
                column = time
            delay = (stream.watermark or ("ROWS", 1, 0))[2]
            columns.append(f"WATERMARK FOR {column} AS TIMESTAMPADD(SECOND, -{delay // 1000}, {column})")
        connector = "weir-lookup" if stream.kind == "table" else "filesystem"
        options = {"connector": connector, "path": path, "format": "json", "json.timestamp-format.standard": "SQL"}
        pairs = ", ".join(f"{text_literal(name)} = {text_literal(value)}" for name, value in options.items())
        return f"CREATE TEMPORARY TABLE {quoted(stream.name)} ({', '.join(columns)}) WITH ({pairs})"

    def union(self, name):
        return " UNION ALL ".join(map(self.query, self.job.queries_of(name)))

    def script(self, paths):
        """Returns what `weir explain --flink --json` returns; `paths` are the files of the sources and dimension tables."""
        every = [stream.watermark for stream in self.job.streams.values() if stream.kind == "source" and stream.watermark]
        step = max((mark[1] - 1 for mark in every if mark[0] == "RANGE"), default=0)
        setup = ["SET 'table.local-time-zone' = 'UTC'", f"SET 'pipeline.auto-watermark-interval' = '{step} ms'"]
        queries = []
        for stream in self.job.streams.values():
            if stream.kind in ("source", "table"):
                setup.append(self.table(stream, paths[stream.name]))
        for stream in self.job.streams.values():
            if stream.kind == "temp":
                names = ", ".join(quoted(name) for name, _ in stream.columns)
                setup.append(f"CREATE TEMPORARY VIEW {quoted(stream.name)} ({names}) AS {self.union(stream.name)}")
            elif stream.kind == "sink" and self.job.queries_of(stream.name):
                queries.append({"sink": stream.name, "sql": self.union(stream.name)})
        return {"setup": setup, "queries": queries}
