"""A Flink cluster with a SQL gateway of its own, in one Java process: on free ports, asked over REST, ended with this one.

Everything it writes (configuration, logs, temporary files) lies in one directory of the caller, nothing in the installation.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request

# The cluster holds many small jobs at the same time, one slot each; their state is a few rows.
SLOTS = 8
# Generous: only a cluster that hangs should be given up, not one on a machine that does other things.
START_SECONDS = 300
JOB_SECONDS = 180
# Small jobs end before the second compiler of Java, or a collector of several threads, would pay.
JAVA_OPTIONS = ["-Xms512m", "-Xmx1400m", "-XX:MaxMetaspaceSize=768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
# That of the distribution writes files as well.
LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = Console
appender.console.type = Console
appender.console.name = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %-5p %c %m%n
"""


class FlinkError(Exception):
    """Flink refused a statement or a job failed; the text is the innermost reason."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    call = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=JOB_SECONDS) as answer:
        return json.load(answer)


def innermost(trace):
    """Returns the reason at the bottom of a Java stack trace, as one line."""
    causes = re.findall(r"(?:Caused by: |^|: )([\w.$]+(?:Exception|Error)): ([^\n]*(?:\n(?!\s*at |Caused by|\s*\.\.\.)[^\n]+)*)", trace)
    if not causes:
        return " ".join(trace.split())[:500]
    name, text = causes[-1]
    return f"{name.rsplit('.', 1)[-1]}: {' '.join(text.split())}"[:500]


class Cluster:
    """Use it with `with`: the process ends with the block, and also when this process ends in any other way."""

    def __init__(self, home, place, slots=SLOTS):
        self.home = pathlib.Path(home)
        self.place = pathlib.Path(place)
        self.slots = slots
        self.process = None

    def __enter__(self):
        self.place.mkdir(parents=True, exist_ok=True)
        self.gateway_port = free_port()
        try:
            self._start(self._write_configuration())
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is None:
            return
        # It ends when its standard input does.
        self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _write_configuration(self):
        """Writes config.yaml; returns the options that Flink needs on Java 17, which are those of the shipped file."""
        shipped = (self.home / "conf" / "config.yaml").read_text()
        options = re.search(r"^\s*all: (--add-exports.*)$", shipped, re.M).group(1)
        settings = {
            "jobmanager.rpc.address": "localhost",
            "jobmanager.bind-host": "localhost",
            "taskmanager.bind-host": "localhost",
            "taskmanager.host": "localhost",
            "taskmanager.memory.managed.size": "64m",
            "taskmanager.memory.network.min": "64m",
            "taskmanager.memory.network.max": "64m",
            "taskmanager.numberOfTaskSlots": self.slots,
            "parallelism.default": 1,
            "rest.address": "localhost",
            "rest.bind-address": "localhost",
            "rest.port": free_port(),
            "restart-strategy.type": "disable",
            "io.tmp.dirs": self.place / "tmp",
            "sql-gateway.endpoint.rest.address": "localhost",
        }
        folder = self.place / "conf"
        folder.mkdir(exist_ok=True)
        for name in ("tmp", "plugins"):
            (self.place / name).mkdir(exist_ok=True)
        (folder / "config.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        (folder / "log4j.properties").write_text(LOGGING)
        return options.split()

    def _start(self, options):
        gateway = next(self.home.glob("opt/flink-sql-gateway-*.jar"))
        with (self.place / "cluster.log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    "java",
                    *JAVA_OPTIONS,
                    *options,
                    f"-Djava.io.tmpdir={self.place / 'tmp'}",
                    f"-Dlog4j.configurationFile={self.place / 'conf' / 'log4j.properties'}",
                    "-cp",
                    f"{self.home / 'lib'}/*:{gateway}",
                    "weir.conformance.LocalCluster",
                    f"-Dsql-gateway.endpoint.rest.port={self.gateway_port}",
                ],
                env={
                    **os.environ,
                    "FLINK_CONF_DIR": str(self.place / "conf"),
                    "FLINK_LIB_DIR": str(self.home / "lib"),
                    "FLINK_OPT_DIR": str(self.home / "opt"),
                    "FLINK_PLUGINS_DIR": str(self.place / "plugins"),
                },
                cwd=self.place,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # An interrupt from the keyboard is for the runner, which ends this one in its own order.
                start_new_session=True,
            )

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                log = (self.place / "cluster.log").read_text(errors="replace")
                raise FlinkError(f"the cluster ended by itself:\n{log[-4000:]}")
            try:
                request("GET", f"http://localhost:{self.gateway_port}/v1/info")
                return
            except (OSError, ValueError):
                time.sleep(0.3)
        raise FlinkError(f"the cluster was not ready after {START_SECONDS} s; see {self.place / 'cluster.log'}")

    def session(self):
        return Session(f"http://localhost:{self.gateway_port}")


class Session:
    """A session of the gateway: what is declared in it is seen by its later statements only."""

    def __init__(self, gateway):
        self.gateway = gateway
        answer = request("POST", f"{gateway}/v3/sessions", {"properties": {"execution.runtime-mode": "streaming"}})
        self.base = f"{gateway}/v3/sessions/{answer['sessionHandle']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        request("DELETE", self.base)

    def execute(self, statement):
        """Runs a statement to its end; returns its rows as (kind, values)."""
        operation = request("POST", f"{self.base}/statements", {"statement": statement})["operationHandle"]
        place = f"{self.base}/operations/{operation}"
        rows = []
        deadline = time.monotonic() + JOB_SECONDS
        page = f"{place}/result/0?rowFormat=JSON"
        try:
            while page:
                if time.monotonic() > deadline:
                    request("DELETE", f"{place}/cancel")
                    raise FlinkError(f"it did not end within {JOB_SECONDS} s")
                answer = request("GET", page)
                found = answer.get("results", {}).get("data", [])
                rows.extend((row["kind"], row["fields"]) for row in found)
                if not found and answer["resultType"] != "EOS":
                    time.sleep(0.05)
                following = answer.get("nextResultUri")
                page = f"{self.gateway}{following}" if following else None
        except urllib.error.HTTPError as error:
            errors = json.loads(error.read()).get("errors", [""])
            raise FlinkError(innermost(errors[-1])) from None
        request("DELETE", f"{place}/close")
        return rows
