"""Apache Flink as the other engine of a run: the same jobs, as `weir explain --flink` translates them, over the same files."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from process import ROOT, cpu_seconds

sys.path.insert(0, str(ROOT / "scripts" / "conformance"))

import flink

# As much memory as any job here can use, so that Flink does not spend its time collecting garbage.
MEMORY = "8g"

# The second run of a job is the one that counts: the first warms the virtual machine up.
RUNS = 2

# Longest run of one job.
flink.JOB_SECONDS = 900


class Roomy(flink.Cluster):
    """A cluster with one large TaskManager."""

    def _write_configuration(self):
        super()._write_configuration()
        path = self.place / "conf" / "config.yaml"
        text = path.read_text()
        path.write_text(re.sub(r"(taskmanager\.memory\.process\.size): .*", rf"\1: {MEMORY}", text))


class Peer:
    """Use it with `with`: the cluster ends with the block."""

    def __enter__(self):
        home = subprocess.run(["sh", "scripts/setup_flink.sh"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        self.directory = tempfile.TemporaryDirectory()
        self.cluster = Roomy(home.stdout.strip(), pathlib.Path(self.directory.name)).__enter__()
        return self

    def __exit__(self, *_):
        self.cluster.__exit__()
        self.directory.cleanup()

    @property
    def _task_manager(self):
        return next(process.pid for process in self.cluster.processes if "taskmanager" in str(process.args[0]))

    def cpu_seconds(self, weir, text, files, own_query=None):
        """Returns the CPU-seconds that the TaskManager takes for a job, or why there is no such figure.

        `own_query` takes the place of the job's queries where Flink has a form of its own for them. Planning and the
        JobManager are left out, which is in Flink's favour.
        """
        script = translated(weir, text, files)
        if isinstance(script, str):
            return script
        if own_query:
            script["queries"] = [{"sink": "result", "sql": own_query}]
        return self.cpu_seconds_of(script)

    def cpu_seconds_of(self, script):
        taken = None
        for _ in range(RUNS):
            before = cpu_seconds(self._task_manager)
            try:
                with self.cluster.session() as session:
                    submit(session, script, wait=True)
            except flink.FlinkError as error:
                return str(error)
            taken = cpu_seconds(self._task_manager) - before
        return taken

    def heap_bytes(self, script, seconds=120):
        """Returns the bytes that live objects take while a job waits for more input, or why there is no such figure."""
        try:
            with self.cluster.session() as session:
                submit(session, script, wait=False)
                self._rest(seconds)
                return self._live_bytes()
        except flink.FlinkError as error:
            return str(error)

    def _rest(self, seconds):
        """Waits until the TaskManager has read everything and does nothing any more."""
        deadline = time.monotonic() + seconds
        time.sleep(5)
        before = cpu_seconds(self._task_manager)
        while time.monotonic() < deadline:
            time.sleep(3)
            now = cpu_seconds(self._task_manager)
            if now - before < 0.15:
                return
            before = now
        raise flink.FlinkError(f"the job did not come to rest within {seconds} s")

    def _live_bytes(self):
        # `jcmd` counts after a full collection; the class histogram's last line is the sum.
        answer = subprocess.run(
            ["jcmd", str(self._task_manager), "GC.class_histogram"], check=True, capture_output=True, text=True
        )
        return int(re.search(r"^Total\s+\d+\s+(\d+)", answer.stdout, re.M).group(1))


def translated(weir, text, files):
    """Returns the statements that Flink is given, or why there are none."""
    with tempfile.TemporaryDirectory() as place:
        job = pathlib.Path(place) / "job.sql"
        job.write_text(text)
        command = [weir, "explain", "--flink", "--json", job]
        for stream, path in files.items():
            command += ["--bind", f"{stream}={path}"]
        answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        return answer.stderr.strip().splitlines()[-1].split(": ", 2)[-1]
    return json.loads(answer.stdout)


def submit(session, script, wait):
    """Runs the statements of a script into a sink that throws rows away."""
    for statement in [*script["setup"], f"SET 'table.dml-sync' = '{str(wait).lower()}'"]:
        session.execute(statement)
    inserts = []
    for number, query in enumerate(script["queries"]):
        session.execute(f"CREATE TEMPORARY VIEW result_{number} AS\n{query['sql']}")
        columns = ", ".join(
            f"`{fields[0]}` {re.sub(r' NOT NULL| [*]ROWTIME[*]| [*]PROCTIME[*]', '', fields[1])}"
            for _, fields in session.execute(f"DESCRIBE result_{number}")
        )
        session.execute(f"CREATE TEMPORARY TABLE sink_{number} ({columns}) WITH ('connector' = 'blackhole')")
        inserts.append(f"INSERT INTO sink_{number} SELECT * FROM result_{number};")
    session.execute(f"EXECUTE STATEMENT SET BEGIN {' '.join(inserts)} END")
