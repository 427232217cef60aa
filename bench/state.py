"""How many bytes the state of a key takes: as the operators count it, and as the process grows.

Each job reads rows of different keys from files that it waits at the end of, so that nothing is closed. It is looked at twice,
with few and with many keys; what the difference is, divided by the keys between, is free of what a process needs anyway.
With Flink beside it, the live objects of its TaskManager are looked at in the same two places.
"""

import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

import peer
import queries
from process import Standing

# Both are just below a power of two, so that tables that double are as full at one as at the other.
KEYS = (250_000, 1_000_000)

# All rows lie within five minutes, so that windows of an hour stay open.
SPAN_MS = 300_000

SOURCE = """CREATE SOURCE STREAM {name} (k BIGINT, v BIGINT, ts TIMESTAMP) WITH (
  type = "file", path = "{path}", encode = "json", follow = "true"
) TIMESTAMP BY ts.rowtime SET WATERMARK (RANGE INTERVAL 1 SECOND, INTERVAL 1 SECOND);
"""

LOOKED_UP = """CREATE TABLE side (k STRING, w STRING) WITH (
  type = "dcs_redis", cluster_address = "127.0.0.1:{port}", value_type = "string", key_column = "k",
  cache_max_num = "1000000", cache_time = "3600000"
);
"""

SINK = "CREATE SINK STREAM result ({columns}) WITH (type = \"blackhole\");\nINSERT INTO result\n"


@dataclass(frozen=True)
class Kind:
    title: str
    columns: str
    query: str
    streams: tuple = ("a",)
    looked_up: bool = False


KINDS = {
    "tumble": Kind(
        "window TUMBLE: COUNT, SUM",
        "k BIGINT, n BIGINT, s BIGINT",
        "SELECT k, COUNT(*), SUM(v) FROM a GROUP BY TUMBLE(ts, INTERVAL '1' HOUR), k",
    ),
    "hop": Kind(
        "window HOP of six slides: COUNT, SUM",
        "k BIGINT, n BIGINT, s BIGINT",
        "SELECT k, COUNT(*), SUM(v) FROM a GROUP BY HOP(ts, INTERVAL '10' MINUTE, INTERVAL '1' HOUR), k",
    ),
    "session": Kind(
        "window SESSION: COUNT, SUM",
        "k BIGINT, n BIGINT, s BIGINT",
        "SELECT k, COUNT(*), SUM(v) FROM a GROUP BY SESSION(ts, INTERVAL '1' HOUR), k",
    ),
    "over_range": Kind(
        "OVER, one row in the frame: SUM",
        "k BIGINT, s BIGINT",
        "SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) FROM a",
    ),
    "group": Kind(
        "GROUP BY: COUNT, SUM",
        "k BIGINT, n BIGINT, s BIGINT",
        "SELECT k, COUNT(*), SUM(v) FROM a GROUP BY k",
    ),
    "group_max": Kind("GROUP BY: MAX", "k BIGINT, m BIGINT", "SELECT k, MAX(v) FROM a GROUP BY k"),
    "group_distinct": Kind(
        "GROUP BY: COUNT(DISTINCT), one value",
        "k BIGINT, n BIGINT",
        "SELECT k, COUNT(DISTINCT v) FROM a GROUP BY k",
    ),
    "distinct": Kind("SELECT DISTINCT", "k BIGINT", "SELECT DISTINCT k FROM a"),
    "interval_join": Kind(
        "join with time bounds, a row of three columns on each side",
        "k BIGINT, v BIGINT, w BIGINT",
        "SELECT a.k, a.v, b.v FROM a JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts - INTERVAL '1' HOUR AND a.ts + INTERVAL '1' HOUR",
        ("a", "b"),
    ),
    "stream_join": Kind(
        "join without time bounds, a row of three columns on each side",
        "k BIGINT, v BIGINT, w BIGINT, x TIMESTAMP, y TIMESTAMP",
        "SELECT a.k, a.v, b.v, a.ts, b.ts FROM a JOIN b ON a.k = b.k",
        ("a", "b"),
    ),
    "lookup": Kind(
        "look-up cache, an answer of 10 letters",
        "k BIGINT, w STRING",
        "SELECT a.k, s.w FROM a JOIN side AS s ON s.k = CAST(a.k AS STRING)",
        looked_up=True,
    ),
    "pattern": Kind(
        "pattern, one open match",
        "k BIGINT, first_v BIGINT, last_v BIGINT",
        "SELECT * FROM a MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A1.v AS first_v, A2.v AS last_v ONE ROW PER MATCH "
        "PATTERN (A1 A2) WITHIN INTERVAL '1' HOUR DEFINE A1 AS A1.v >= 0, A2 AS A2.v < 0) AS M",
    ),
}


def keys_file(name, keys):
    """Returns a file with one row for each key; makes it when it is not there."""
    queries.DATA.mkdir(exist_ok=True)
    path = queries.DATA / f"keys-{name}-{keys}.json"
    if not path.exists():
        lines = []
        for number in range(keys):
            passed = number * SPAN_MS // keys
            moment = f"2024-01-01 00:{passed // 60_000:02d}:{passed // 1_000 % 60:02d}.{passed % 1_000:03d}"
            # The order of the keys has nothing to do with their size.
            lines.append(f'{{"k":{number * 7_919 % 1_000_003},"v":{number % 1_000},"ts":"{moment}"}}\n')
        path.write_text("".join(lines))
    return path


class Redis:
    """A Redis server of our own that has a value for every key; use it with `with`."""

    def __init__(self, keys):
        self.keys = keys

    def __enter__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.directory = tempfile.TemporaryDirectory()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.directory.name],
            stdout=subprocess.DEVNULL,
        )
        parts = []
        for number in range(self.keys):
            key = str(number * 7_919 % 1_000_003)
            parts.append(f"*3\r\n$3\r\nSET\r\n${len(key)}\r\n{key}\r\n$10\r\n{number:010d}\r\n")
        with self._connect() as connection:
            connection.sendall("".join(parts).encode())
            answered = 0
            while answered < 5 * self.keys:
                answered += len(connection.recv(1 << 20))
        return self

    def _connect(self):
        for _ in range(100):
            try:
                return socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("redis-server does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()


def job(kind, keys, port=None):
    files = {name: keys_file(name, keys) for name in kind.streams}
    sources = "".join(SOURCE.format(name=name, path=path) for name, path in files.items())
    side = LOOKED_UP.format(port=port) if kind.looked_up else ""
    return sources + side + SINK.format(columns=kind.columns) + kind.query + ";\n", files


def settled(weir, kind, keys):
    """Returns the bytes that the operators count and those of the process."""
    if kind.looked_up:
        with Redis(keys) as redis, Standing(weir, job(kind, keys, redis.port)[0], keys * len(kind.streams)) as standing:
            return standing.settle()
    with Standing(weir, job(kind, keys)[0], keys * len(kind.streams)) as standing:
        return standing.settle()


def per_key(values):
    """Returns the bytes per key from those with few and with many keys, or the reason why there are none."""
    refused = [value for value in values if isinstance(value, str)]
    return refused[0] if refused else (values[1] - values[0]) / (KEYS[1] - KEYS[0])


def waiting(script):
    """Makes Flink wait for more rows at the end of a file."""
    source = "'connector' = 'filesystem'"
    return {
        "setup": [text.replace(source, f"{source},\n  'source.monitor-interval' = '1 s'") for text in script["setup"]],
        "queries": script["queries"],
    }


def flink_bytes(weir, kind, keys):
    """Returns the bytes of Flink's live objects. Each job has a cluster of its own: a cancelled one leaves objects behind."""
    if kind.looked_up:
        return "no such connector"
    script = peer.translated(weir, *job(kind, keys))
    if isinstance(script, str):
        return script
    with peer.Peer() as flink:
        return flink.heap_bytes(waiting(script))


def measure_all(weir, options, _):
    print(f"bytes per key between {KEYS[0]:,} and {KEYS[1]:,} keys")
    print(f"{'state':<62} {'counted':>8} {'process':>8}{'    Flink' if options.flink else ''}")
    figures = []
    for name, kind in KINDS.items():
        counted, resident = zip(*(settled(weir, kind, keys) for keys in KEYS))
        figure = {"state": name, "counted": per_key(counted), "process": per_key(resident)}
        shown = f"{kind.title:<62} {figure['counted']:>8.0f} {figure['process']:>8.0f}"
        if options.flink:
            figure["flink"] = per_key([flink_bytes(weir, kind, keys) for keys in KEYS])
            shown += f" {figure['flink']:>8.0f}" if not isinstance(figure["flink"], str) else f"  {figure['flink']}"
        figures.append(figure)
        print(shown, flush=True)
    return figures
