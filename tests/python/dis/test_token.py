"""The stream service with a token, over plain HTTP: what an OpenStack client sends."""

import base64

import requests
from dis_fixtures import service, stream, stream_name  # noqa: F401


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def test_whole_way_with_and_without_slash(service, stream_name):
    for slash in ("", "/"):
        created = service.call("POST", f"/streams{slash}", json={"stream_name": stream_name, "partition_count": 1})
        assert (created.status_code, created.content) == (201, b"")
        described = service.call("GET", f"/streams/{stream_name}{slash}").json()
        assert described["status"] == "RUNNING"
        assert described["partitions"][0]["hash_range"] == "[0 : 9223372036854775807]"
        assert described["partitions"][0]["sequence_number_range"] == "[0 : 0]"
        records = [{"data": encoded("a"), "partition_key": "k"}, {"data": encoded("b"), "partition_id": "0"}]
        put = service.call("POST", f"/records{slash}", json={"stream_name": stream_name, "records": records})
        assert put.json()["failed_record_count"] == 0
        where = {"stream-name": stream_name, "partition-id": "0", "cursor-type": "TRIM_HORIZON"}
        cursor = service.call("GET", f"/cursors{slash}", params=where).json()["partition_cursor"]
        got = service.call("GET", f"/records{slash}", params={"partition-cursor": cursor}).json()
        assert [base64.b64decode(record["data"]) for record in got["records"]] == [b"a", b"b"]
        assert [record.get("partition_key") for record in got["records"]] == ["k", None]
        deleted = service.call("DELETE", f"/streams/{stream_name}{slash}")
        assert (deleted.status_code, deleted.content) == (204, b"")


def test_errors_have_both_pairs_of_members(service):
    answer = service.call("GET", "/streams/nothing-has-this-name")
    body = answer.json()
    assert answer.status_code == 400
    assert body["errorCode"] == body["error_code"] == "DIS.4301"
    assert body["message"] == body["error_msg"]
    assert "Stream does not exist" in body["message"]


def test_strangers_are_refused(service):
    nobody = requests.get(service.url("/streams"), timeout=30)
    assert nobody.status_code in (401, 441)
    assert nobody.json()["error_code"].startswith("DIS.41")
    wrong = requests.get(service.url("/streams"), headers={"X-Auth-Token": "x"}, timeout=30)
    assert wrong.status_code in (401, 441)
    foreign = service.url("/streams").replace(service.project_id, "f" * 32)
    other = requests.get(foreign, headers={"X-Auth-Token": service.token}, timeout=30)
    assert (other.status_code, other.json()["error_code"]) == (403, "DIS.4116")


def test_too_large_bodies_are_refused(service, stream):
    answer = service.call("POST", "/streams", data=b" " * (2 << 20), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    large = {"stream_name": stream, "records": [{"data": base64.b64encode(bytes((1 << 20) + 1)).decode()}]}
    answer = service.call("POST", "/records", json=large)
    assert answer.status_code == 413


def test_dump_tasks_are_refused(service, stream):
    for path in (f"/streams/{stream}/transfer-tasks", f"/stream/{stream}/transfer-tasks/"):
        answer = service.call("POST", path, json={"destination_type": "OBS"})
        assert answer.status_code == 400
        assert "not supported" in answer.json()["message"]
