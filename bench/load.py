"""Measures how fast the service answers with many jobs, beside nginx that serves static files of the same sizes.

1,000 jobs are defined, 100 of them run and wait for records. For a minute list, detail and metrics are asked for at a fixed
rate together, by h2load; nginx gets the same rate from the same generator right after. What h2load logs of each request is
counted, none is left out.
"""

import contextlib
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from process import ROOT

PASSWORD = "Bench-Pass-4711"
JOBS = 1_000
RUNNING = 100
# Requests per second of each kind, and connections that share them.
KINDS = {"list": 334, "detail": 333, "metrics": 333}
CONNECTIONS = 20
WARM_UP = 5
GOAL_P99_MS = 50
GOAL_SERVICE_BYTES = 300 * 2**20
GOAL_WORKER_BYTES = 25 * 2**20
# Jobs in one call of getJobsMetrics, and ids that details are asked of in turn.
METRICS_OF = 1
DETAILS_OF = 200

# Waits for records that never come.
IDLE = """CREATE SOURCE STREAM events (id BIGINT, amount DOUBLE, at TIMESTAMP) WITH (
  type = "dis", region = "local", channel = "idle", encode = "csv", field_delimiter = ",");
CREATE SINK STREAM sums (id BIGINT, total DOUBLE) WITH (type = "blackhole");
INSERT INTO sums SELECT id, SUM(amount) FROM events GROUP BY id;"""

NGINX = """daemon off; worker_processes auto; pid {place}/nginx.pid; error_log {place}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{ access_log off; default_type application/json; keepalive_requests 1000000000;
  client_body_temp_path {place}; proxy_temp_path {place}; fastcgi_temp_path {place}; uwsgi_temp_path {place}; scgi_temp_path {place};
  server {{ listen 127.0.0.1:{port} reuseport; root {place}/files; }} }}
"""


class Service:
    """A service on an empty directory; use it with `with`."""

    def __init__(self, weir):
        self.weir = weir

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory()
        place = pathlib.Path(self.directory.name)
        self.data = place / "data"
        self.log = (place / "log").open("w+")
        chosen = {"WEIR_ADMIN_PASSWORD": PASSWORD, "WEIR_DRAFT_LIMIT": str(JOBS), "WEIR_LOG_LEVEL": "warn"}
        command = [self.weir, "serve", "--listen", "127.0.0.1:0", "--data", self.data]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, env={**os.environ, **chosen})
        address = self.data / "endpoint"
        wait_until(lambda: address.exists() and address.read_text().strip(), 30, "the service to be up")
        told = address.read_text().strip()
        self.endpoint = told if told.startswith("http") else f"http://{told}"
        self.token = None
        self.log_in()
        return self

    def log_in(self):
        identity = {
            "methods": ["password"],
            "password": {"user": {"name": "admin", "password": PASSWORD, "domain": {"name": "weir"}}},
        }
        headers, _ = self.call("POST", "/v3/auth/tokens", {"auth": {"identity": identity}})
        self.token = headers["X-Subject-Token"]
        project = self.call("GET", "/v3/auth/projects")[1]["projects"][0]["id"]
        scope = {"project": {"id": project}}
        headers, _ = self.call("POST", "/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
        self.token, self.project = headers["X-Subject-Token"], project

    def call(self, method, path, body=None):
        """Sends JSON; returns headers and JSON of the answer."""
        headers, answer = self.raw(method, path, body)
        return headers, json.loads(answer) if answer else None

    def raw(self, method, path, body=None):
        headers = {"Content-Type": "application/json", **({"X-Auth-Token": self.token} if self.token else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoint + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path} was answered with {error.code}: {error.read().decode()}")

    def workers(self):
        """Returns the process ids of the workers."""
        return [int(file.read_text().split()[0]) for file in self.data.glob("workers/*/pid")]

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.log.close()
        self.directory.cleanup()


def wait_until(is_so, seconds, what):
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            sys.exit(f"waited {seconds} s for {what}")
        time.sleep(0.05)


def memory(process, name):
    """Returns a line of the kernel's account of a process, in bytes."""
    lines = pathlib.Path(f"/proc/{process}/smaps_rollup" if name == "Pss" else f"/proc/{process}/status").read_text()
    return int(lines.split(f"{name}:")[1].split()[0]) * 1024


def define_jobs(service):
    """Defines all jobs and runs some. Returns their ids, those that run first."""
    base = f"/v1.0/{service.project}"
    stream = {"stream_name": "idle", "partition_count": 1, "stream_type": "ADVANCED"}
    service.call("POST", f"/v2/{service.project}/streams", stream)
    ids = []
    for number in range(JOBS):
        job = {"name": f"job-{number}", "run_mode": "shared_cluster", "spu_number": 2, "sql_body": IDLE}
        ids.append(service.call("POST", f"{base}/sql_job", job)[1]["payload"]["job_id"])
    for start in range(0, RUNNING, 10):
        service.call("POST", f"{base}/job/run", ids[start : start + 10])
    running = f"{base}/jobs?status=job_running&limit=1"
    wait_until(lambda: service.call("GET", running)[1]["payload"]["total"] == RUNNING, 120, "the jobs to run")
    return ids


def requests_of(service, ids, place):
    """Returns what h2load is given for each kind: arguments, and the paths that are asked for in turn."""
    base = f"/v1.0/{service.project}"
    body = place / "metrics.json"
    body.write_text(json.dumps({"job_ids": ids[:METRICS_OF]}))
    return {
        "list": ([], [f"{base}/jobs?limit=20"]),
        "detail": ([], [f"{base}/job/{job}" for job in ids[:DETAILS_OF]]),
        "metrics": (["-d", body, "-H", "content-type: application/json"], [f"{base}/jobs/metrics"]),
    }


def attack(endpoint, requests, headers, seconds, place):
    """Sends all kinds at their rates at the same time; returns the milliseconds of each request, and the failed ones, by kind."""
    generators = {}
    for kind, (arguments, paths) in requests.items():
        targets, log = place / f"{kind}.targets", place / f"{kind}.log"
        targets.write_text("".join(f"{endpoint}{path}\n" for path in paths))
        log.unlink(missing_ok=True)
        rate = KINDS[kind] / CONNECTIONS
        command = ["h2load", "--h1", "-t", "1", "-c", CONNECTIONS, "-D", seconds, "--rps", rate, "-i", targets]
        command += ["--log-file", log, *headers, *arguments]
        output = (place / f"{kind}.output").open("w")
        generators[kind] = (subprocess.Popen([*map(str, command)], stdout=output, stderr=output), log)
    found = {}
    for kind, (process, log) in generators.items():
        if process.wait() != 0:
            sys.exit(f"h2load ended with {process.returncode}:\n{(place / f'{kind}.output').read_text()}")
        lines = [line.split("\t") for line in log.read_text().splitlines()]
        found[kind] = ([int(took) / 1000 for _, _, took in lines], sum(status != "200" for _, status, _ in lines))
    return found


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextlib.contextmanager
def nginx(sizes, place):
    """Runs nginx over a file of each size; yields its address."""
    (place / "files").mkdir()
    for kind, size in sizes.items():
        (place / "files" / kind).write_text("x" * size)
    # A port that was free a moment ago.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (place / "nginx.conf").write_text(NGINX.format(place=place, port=port))
    command = ["nginx", "-p", place, "-c", place / "nginx.conf"]
    process = subprocess.Popen(command, env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}, start_new_session=True)
    try:
        wait_until((place / "nginx.pid").exists, 10, "nginx to be up")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


class LoadAverage:
    """Watches what else the machine does, in a thread; use it with `with`."""

    def __enter__(self):
        self.seen, self.done = [], threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.done.wait(2):
            self.seen.append(os.getloadavg()[0])

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def show(server, kind, size, seconds, times, failed):
    figure = {
        "server": server,
        "kind": kind,
        "bytes": size,
        "per_second": len(times) / seconds,
        "p50_ms": statistics.median(times),
        "p99_ms": percentile(times, 0.99),
        "longest_ms": max(times),
        "failed": failed,
    }
    print(
        f"{server:<8} {kind:<8} {size:>7} {figure['per_second']:>8.0f}/s {figure['p50_ms']:>8.2f} {figure['p99_ms']:>8.2f}"
        f" {figure['longest_ms']:>8.2f} {failed:>7}",
        flush=True,
    )
    return figure


def measure_all(weir, options, _):
    """Measures the service, then nginx; returns the figures."""
    subprocess.run(["sh", ROOT / "scripts" / "setup_packages.sh", "nginx-light", "nghttp2-client"], check=True)
    seconds = options.load_seconds
    figures = []
    with Service(weir) as service, tempfile.TemporaryDirectory() as place, LoadAverage() as load:
        place = pathlib.Path(place)
        ids = define_jobs(service)
        requests = requests_of(service, ids, place)
        headers = ["-H", f"x-auth-token: {service.token}"]
        first = {kind: paths[0] for kind, (_, paths) in requests.items()}
        bodies = {"metrics": {"job_ids": ids[:METRICS_OF]}}
        sizes = {
            kind: len(service.raw("POST" if kind in bodies else "GET", path, bodies.get(kind))[1])
            for kind, path in first.items()
        }
        attack(service.endpoint, requests, headers, WARM_UP, place)
        before = cpu_of(service.process.pid)
        print(f"{'server':<8} {'request':<8} {'bytes':>7} {'rate':>10} {'p50 ms':>8} {'p99 ms':>8} {'longest':>8} {'failed':>7}")
        for kind, (times, failed) in attack(service.endpoint, requests, headers, seconds, place).items():
            figures.append(show("weir", kind, sizes[kind], seconds, times, failed))
        cpu = (cpu_of(service.process.pid) - before) / seconds
        figures.append(show_memory(service, cpu))
        with nginx(sizes, place) as endpoint:
            static = {kind: ([], [f"/{kind}"]) for kind in requests}
            attack(endpoint, static, [], WARM_UP, place)
            for kind, (times, failed) in attack(endpoint, static, [], seconds, place).items():
                figures.append(show("nginx", kind, sizes[kind], seconds, times, failed))
    seen = load.seen or [os.getloadavg()[0]]
    print(f"load of the machine meanwhile: {min(seen):.1f} to {max(seen):.1f}, {os.cpu_count()} cores")
    judge(figures, seconds)
    return figures


def cpu_of(process):
    """Returns the user and system time of a process so far, in seconds."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def show_memory(service, cpu):
    workers = service.workers()
    own = [memory(worker, "RssAnon") for worker in workers]
    shared = [memory(worker, "Pss") for worker in workers]
    figure = {
        "server": "weir",
        "kind": "memory",
        "service_bytes": memory(service.process.pid, "VmHWM"),
        "workers": len(workers),
        "worker_bytes": max(shared),
        "worker_anonymous_bytes": max(own),
        "cpu_cores": cpu,
    }
    print(
        f"weir: the service took {figure['service_bytes'] / 2**20:.0f} MB at most and {cpu:.2f} cores; {len(workers)} idle workers,"
        f" the largest {max(own) / 2**20:.1f} MB of its own and {max(shared) / 2**20:.1f} MB with its share of the program",
        flush=True,
    )
    return figure


def judge(figures, seconds):
    """Ends with an error when a goal is missed."""
    missed = []
    for figure in (figure for figure in figures if figure["server"] == "weir"):
        if figure["kind"] == "memory":
            if figure["service_bytes"] > GOAL_SERVICE_BYTES:
                missed.append(f"the service took {figure['service_bytes'] / 2**20:.0f} MB")
            if figure["worker_bytes"] > GOAL_WORKER_BYTES:
                missed.append(f"an idle worker took {figure['worker_bytes'] / 2**20:.1f} MB")
            if figure["workers"] != RUNNING:
                missed.append(f"{figure['workers']} workers ran")
            continue
        if figure["p99_ms"] > GOAL_P99_MS:
            missed.append(f"{figure['kind']}: p99 is {figure['p99_ms']:.1f} ms")
        if figure["failed"]:
            missed.append(f"{figure['kind']}: {figure['failed']} requests failed")
        if figure["per_second"] < 0.99 * KINDS[figure["kind"]]:
            missed.append(f"{figure['kind']}: {figure['per_second']:.0f} requests per second were answered")
    if missed:
        sys.exit("goals missed: " + "; ".join(missed))
    print("all goals are met")
