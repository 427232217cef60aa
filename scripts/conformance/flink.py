"""A Flink session cluster with a SQL gateway of its own: started on free ports, asked over REST, ended with this process.

Everything it writes (configuration, logs, process ids) lies in one directory of the caller, nothing in the installation.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

# The TaskManager holds many small jobs at the same time, one slot each; their state is a few rows.
SLOTS = 8
START_SECONDS = 120
JOB_SECONDS = 60


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
    """Use it with `with`: the three processes end with the block."""

    def __init__(self, home, place, slots=SLOTS):
        self.home = pathlib.Path(home)
        self.place = pathlib.Path(place)
        self.slots = slots
        self.processes = []

    def __enter__(self):
        self.place.mkdir(parents=True, exist_ok=True)
        self.rest_port, self.gateway_port = free_port(), free_port()
        self._write_configuration()
        try:
            self._start("jobmanager.sh", "start-foreground")
            self._start("taskmanager.sh", "start-foreground")
            self._start(
                "sql-gateway.sh",
                "start-foreground",
                "-Dsql-gateway.endpoint.rest.address=localhost",
                f"-Dsql-gateway.endpoint.rest.port={self.gateway_port}",
            )
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            # Each was started as leader of its group, so that the Java process behind the script ends as well.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes = []

    def _write_configuration(self):
        shipped = (self.home / "conf" / "config.yaml").read_text()
        # Flink on Java 17 needs the options of the shipped file.
        options = re.search(r"^\s*all: (--add-exports.*)$", shipped, re.M).group(1)
        settings = {
            "env.java.opts.all": options,
            "jobmanager.rpc.address": "localhost",
            "jobmanager.rpc.port": free_port(),
            "jobmanager.bind-host": "localhost",
            "jobmanager.memory.process.size": "1200m",
            "taskmanager.bind-host": "localhost",
            "taskmanager.host": "localhost",
            "taskmanager.memory.process.size": "2g",
            "taskmanager.memory.managed.fraction": "0.05",
            "taskmanager.memory.network.max": "256m",
            "taskmanager.numberOfTaskSlots": self.slots,
            "parallelism.default": 1,
            "rest.address": "localhost",
            "rest.port": self.rest_port,
            "restart-strategy.type": "none",
            "io.tmp.dirs": self.place / "tmp",
        }
        folder = self.place / "conf"
        folder.mkdir(exist_ok=True)
        (self.place / "tmp").mkdir(exist_ok=True)
        for name in self.home.joinpath("conf").glob("log*"):
            folder.joinpath(name.name).write_bytes(name.read_bytes())
        (folder / "config.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))

    def _start(self, script, *arguments):
        environment = dict(
            os.environ,
            FLINK_CONF_DIR=str(self.place / "conf"),
            FLINK_LOG_DIR=str(self.place / "log"),
            FLINK_PID_DIR=str(self.place / "pid"),
            FLINK_OPT_DIR=str(self.home / "opt"),
        )
        (self.place / "log").mkdir(exist_ok=True)
        output = (self.place / "log" / f"{script}.output").open("wb")
        self.processes.append(
            subprocess.Popen(
                [self.home / "bin" / script, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        )

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            for process in self.processes:
                if process.poll() is not None:
                    raise FlinkError(f"{process.args[0]} ended by itself; see {self.place / 'log'}")
            try:
                slots = request("GET", f"http://localhost:{self.rest_port}/overview")["slots-total"]
                request("GET", f"http://localhost:{self.gateway_port}/v1/info")
                if slots >= self.slots:
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.3)
        raise FlinkError(f"the cluster was not ready after {START_SECONDS} s; see {self.place / 'log'}")

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
