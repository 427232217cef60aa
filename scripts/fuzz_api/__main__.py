"""Random calls of the API, made by schemathesis from the description that the service gives of itself.

    .venv/bin/python scripts/fuzz_api --weir target/debug/weir --seconds 60 --seed 1

A service of its own is started and furnished with jobs, one of which runs, a template, a cluster and a bucket. Each answer must come
in time and have a status, type and form that the description has; an error must have a code that its operation has, and none that
tells of a fault of the service (`hooks.py`). What the calls leave behind must not stop the service either. The same seed makes the
same calls, as far as the service answers alike. With `--seconds` above those of the fixed calls, random ones go on until then.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "code_of_the_operation",
    "no_fault_of_the_service",
]
# The longest that an answer may take, in seconds.
ANSWER_LIMIT = 10
# Room for what the calls create.
OPTIONS = ["--draft-limit", "100000", "--edge-groups", "g1,g2", "--billing", "on", "--log-level", "warn"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weir", required=True, help="the binary")
    parser.add_argument("--seconds", type=int, default=60, help="about how long to go on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="fuzzing,stateful", help="phases of schemathesis; `coverage` adds its fixed calls")
    parser.add_argument("more", nargs="*", help="more arguments for `schemathesis run`, after --")
    return parser.parse_args()


class Api:
    """Calls with a token."""

    def __init__(self, endpoint, known):
        self.endpoint = endpoint
        self.base = f"/v1.0/{known['WEIR_PROJECT_ID']}"
        self.token = known["WEIR_TOKEN"]

    def call(self, method, path, body=None):
        return self.call_at(method, self.base + path, body)

    def call_at(self, method, path, body=None):
        headers = {"Content-Type": "application/json", "X-Auth-Token": self.token}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.endpoint + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.read().decode()}") from error


def furnish(api, data, weir):
    """Makes something of everything, so that random ids find it. Returns ids that no random value would be."""
    from hooks import SQL

    subprocess.run([weir, "bucket", "create", "fuzz", "--data", data], check=True, capture_output=True)
    (data / "objects" / "fuzz" / "jars").mkdir()
    with zipfile.ZipFile(data / "objects" / "fuzz" / "jars" / "a.jar", "w") as jar:
        jar.writestr("Main.class", "")
    api.call("POST", "/obs_authorize", ["fuzz"])
    api.call("POST", "/billing/top_up", {"amount": 1_000_000})
    for number in range(4):
        api.call("POST", "/job_template", {"name": f"t{number}", "sql_body": SQL})
    # Some, as random calls delete and stop them.
    for number in range(6):
        api.call("POST", "/reserved_cluster", {"name": f"c{number}", "maximum_spu_quota": 20})
    for number in range(16):
        job = {"name": f"j{number}", "run_mode": "shared_cluster", "sql_body": SQL, "log_enabled": True, "obs_bucket": "fuzz"}
        api.call("POST", "/sql_job", job)
    for number in range(1, 9):
        api.call("POST", f"/job/{number}/run")
    return connect(api, data, weir)


def connect(api, data, weir):
    """Connects the first cluster with a network, when it runs, and gives it a mapping."""
    command = [weir, "operate", "network", "add", "fuzz", "192.168.0.0/16", "--data", data]
    vpc = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1]
    deadline = time.monotonic() + 60
    while api.call("GET", "/reserved_cluster/1")["payload"]["status_code"] != 5:
        if time.monotonic() > deadline:
            raise SystemExit("the cluster does not run")
        time.sleep(0.1)
    api.call("POST", "/reserved_cluster/1/hosts", {"hosts_info": [{"hostname": "db.example", "ip": "10.0.0.8"}]})
    peering = api.call("POST", "/reserved_cluster/1/peering", {"vpc_id": vpc, "name": "p"})["peering"]["id"]
    api.call_at("PUT", f"/v2.0/vpc/peerings/{peering}/accept")
    destination = {"destination": "192.168.0.0/24"}
    route = api.call("POST", f"/reserved_cluster/1/peering/{peering}/route", destination)["route"]["id"]
    user = api.call("GET", "/user_quotas")["payload"]["users"][0]["user_id"]
    return {"vpc_id": vpc, "peering_id": peering, "route_id": route, "user_id": user}


def main():
    asked = arguments()
    os.environ["WEIR_BIN"] = str(pathlib.Path(asked.weir).resolve())
    from conftest import log_in, running_weir

    sys.path.insert(0, str(HERE))
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as stack:
        place = pathlib.Path(place)
        endpoint, process = stack.enter_context(running_weir(place, *OPTIONS))
        metrics = (place / "data" / "metrics-endpoint").read_text().strip()
        known = log_in(endpoint)
        ids = furnish(Api(endpoint, known), place / "data", os.environ["WEIR_BIN"])
        config = place / "schemathesis.toml"
        config.write_text(f'[parameters]\n"path.project_id" = "{known["WEIR_PROJECT_ID"]}"\n')
        program = pathlib.Path(sys.executable).parent / "schemathesis"
        command = [
            program, "--config-file", config, "run", f"{endpoint}/openapi.json",
            "--header", f"X-Auth-Token: {known['WEIR_TOKEN']}",
            "--checks", ",".join(CHECKS),
            # The services beside CS would be asked to revoke the token and to delete the key that the rest needs.
            "--include-path-regex", "^/v1[.]0/",
            "--phases", asked.phases,
            "--seed", str(asked.seed),
            "--max-time", str(asked.seconds),
            "--request-timeout", str(ANSWER_LIMIT),
            "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure",
            *asked.more,
        ]  # fmt: skip
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE), "FUZZ_IDS": json.dumps(ids)}
        done = subprocess.run(command, env=environment, cwd=place)
        log = (place / "service.log").read_text()
        faults = [line for line in log.splitlines() if "panicked" in line or " ERROR " in line]
        with urllib.request.urlopen(f"{endpoint}/healthz", timeout=ANSWER_LIMIT) as answer:
            healthy = answer.status == 200
        with urllib.request.urlopen(f"{metrics}/metrics", timeout=ANSWER_LIMIT) as answer:
            reached = reached_operations(answer.read().decode())
    print(f"operations that answered a success: {len(reached)}: {', '.join(sorted(reached))}")
    if faults:
        print("faults in the log of the service:", *faults[:20], sep="\n")
    failed = done.returncode != 0 or faults or not healthy or process.returncode != 0
    print(f"fuzz: {'FAILED' if failed else 'no call was answered wrongly'}; seed {asked.seed}")
    return 1 if failed else 0


def reached_operations(metrics):
    """Returns method and route of each operation of the CS API that has succeeded."""
    reached = set()
    for line in metrics.splitlines():
        if line.startswith("weir_api_requests_total") and 'route="/v1' in line and 'status="20' in line:
            labels = dict(pair.split("=", 1) for pair in line[line.index("{") + 1 : line.index("} ")].split('",') if "=" in pair)
            reached.add(f"{labels['method'].strip(chr(34))} {labels['route'].strip(chr(34)).replace('/v1.0/{project_id}', '')}")
    return reached


if __name__ == "__main__":
    sys.exit(main())
