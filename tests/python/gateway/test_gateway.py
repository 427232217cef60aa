"""What a running job shows over the gateway: while it runs, after a restart of the service, and until it is deleted."""

import json
import time
import urllib.error
import urllib.request
import uuid

import pytest
from conftest import call, log_in, running_weir

LIMIT_SECONDS = 60
SQL = """
CREATE SOURCE STREAM numbers (n BIGINT, name STRING) WITH (
  type = "datagen", rows_per_second = "2000", sequence = "n"
);
CREATE SINK STREAM as_csv (n BIGINT) WITH (type = "apig", app_id = "csv-readers", encode = "csv", field_delimiter = ";");
CREATE SINK STREAM as_json (n BIGINT, name STRING) WITH (
  type = "apig", app_id = "json-readers", encode = "json", enable_output_null = "false"
);
INSERT INTO as_csv SELECT n FROM numbers;
INSERT INTO as_json SELECT n, CAST(NULL AS STRING) FROM numbers;
"""


def get(url, **headers):
    """Returns status, type and text of an answer."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def until(question, what):
    """Asks until the answer is true, and returns it."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        answer = question()
        if answer:
            return answer
        time.sleep(0.1)
    return pytest.fail(f"{what} did not happen within {LIMIT_SECONDS} s")


class Service:
    """The CS API of a running service."""

    def __init__(self, endpoint, known):
        self.endpoint = endpoint
        self.token, self.project = known["WEIR_TOKEN"], known["WEIR_PROJECT_ID"]

    def call(self, method, path, body=None):
        return call(method, f"{self.endpoint}/v1.0/{self.project}{path}", body, self.token)[1]

    def sinks(self, job):
        """The addresses of a job's sinks, by name; those that the service listens at now."""
        payload = self.call("GET", f"/job/{job}/apig_sinks")["payload"]
        return {sink["sink_name"]: sink["url"] for sink in payload["sinks"]}, payload["metadata"]

    def numbers(self, url):
        """The numbers that the csv sink shows."""
        status, _, text = get(url + "?limit=1000", X_App_Id="csv-readers")
        assert status == 200, text
        return [int(line) for line in text.splitlines()]


def test_the_newest_records_of_a_running_job(tmp_path):
    with running_weir(tmp_path) as (endpoint, _):
        known = log_in(endpoint)
        service = Service(endpoint, known)
        body = {"name": f"g-{uuid.uuid4().hex[:8]}", "run_mode": "shared_cluster", "sql_body": SQL}
        job = service.call("POST", "/sql_job", body)["payload"]["job_id"]
        with pytest.raises(urllib.error.HTTPError):
            service.call("GET", f"/job/{job}/apig_sinks")
        service.call("POST", f"/job/{job}/run")
        until(lambda: service.call("GET", f"/job/{job}")["payload"]["status"] == "job_running", "the start")
        urls, metadata = service.sinks(job)
        assert urls == {name: f"{endpoint}/gateway/{job}/{name}" for name in ["AS_CSV", "AS_JSON"]}
        assert metadata[0]["attrs"] == [{"name": "n", "type": "BIGINT"}]
        assert (metadata[0]["delimiter"], metadata[1]["delimiter"]) == (";", None)

        first = until(lambda: service.numbers(urls["AS_CSV"]), "the first record")
        assert first == list(range(first[0], first[0] + len(first))), "records are in order"
        full = until(lambda: len(service.numbers(urls["AS_CSV"])) == 1000 and service.numbers(urls["AS_CSV"]), "a full window")
        assert full[-1] > first[-1]
        status, kind, text = get(urls["AS_JSON"] + "?limit=3", X_Auth_Token=service.token)
        assert (status, kind) == (200, "application/json"), text
        records = json.loads(text)
        assert [list(record) for record in records] == [["n"]] * 3, "NULL columns are left out"
        assert records[2]["n"] == records[0]["n"] + 2
        assert get(urls["AS_CSV"], X_App_Id="json-readers")[0] == 401

        service.call("POST", f"/job/{job}/stop")
        stopped = lambda: service.call("GET", f"/job/{job}")["payload"]["status"] == "job_cancel_success"  # noqa: E731
        until(stopped, "the stop")
        last = service.numbers(urls["AS_CSV"])
        assert len(last) == 1000

    with running_weir(tmp_path) as (endpoint, _):
        service = Service(endpoint, known)
        urls, _ = service.sinks(job)
        assert service.numbers(urls["AS_CSV"]) == last, "records survive a restart of the service"
        service.call("DELETE", f"/job/{job}")
        assert get(urls["AS_CSV"], X_App_Id="csv-readers")[0] == 401
        until(lambda: not (tmp_path / "data" / "gateway" / str(job)).exists(), "the end of the records")
