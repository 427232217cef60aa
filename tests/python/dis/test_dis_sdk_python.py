"""The stream service with huaweicloud-sdk-python-dis: access keys, scoped and derived signatures.

Of this client `listApp` cannot be tested: release 2.0.8 calls its own answer class with an argument too few.
"""

import pytest
from dis_fixtures import app_name, service, stream, stream_name  # noqa: F401
from dis_sdk_python.com.huaweicloud.dis.sdk.python.client import disclient
from dis_sdk_python.com.huaweicloud.dis.sdk.python.models.disexception import DisException

# The client's generated protobuf code is old and says so at length.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def make_client(service, derived, body_type=""):
    return disclient.disclient(
        endpoint=service.endpoint,
        ak=service.ak,
        sk=service.sk,
        projectid=service.project_id,
        region=service.region,
        bodySerializeType=body_type,
        derivationKeySwitch=derived,
    )


@pytest.fixture(params=["scoped", "derived"])
def client(service, request):
    return make_client(service, request.param == "derived")


def refused(call, code):
    with pytest.raises(DisException) as caught:
        call()
    assert code in str(caught.value)


def test_streams(client, stream_name):
    assert client.createStream(stream_name, 2, "BLOB", "COMMON", 24).statusCode == 201
    refused(lambda: client.createStream(stream_name, 2, "BLOB", "COMMON"), "DIS.4307")
    described = client.describeStream(stream_name)
    assert (described.status, described.streamType, described.retentionPeriod) == ("RUNNING", "COMMON", 24)
    assert [partition["status"] for partition in described.partitions] == ["ACTIVE", "ACTIVE"]
    by_id = client.describeStream(stream_name, streamId=described.body["stream_id"])
    assert by_id.streamName == stream_name
    assert stream_name in client.listStream(startStreamName=stream_name[:-1]).stream_names
    assert client.changepartitionQuantity(stream_name, 3).statusCode == 200
    assert len(client.describeStream(stream_name).partitions) == 3
    assert client.deleteStream(stream_name).statusCode == 204
    refused(lambda: client.describeStream(stream_name), "DIS.4301")


@pytest.mark.parametrize("body_type", ["", "protobuf"])
@pytest.mark.parametrize("derived", [False, True])
def test_records(service, stream, body_type, derived):
    client = make_client(service, derived, body_type)
    records = [{"data": f"r{number}", "partition_id": "shardId-0000000000"} for number in range(3)]
    records.append({"data": "keyed", "partition_key": "abc"})
    answer = client.putRecords(stream, records)
    assert answer.failedRecordCount == 0
    assert [record["sequence_number"] for record in answer.recordResult] == ["0", "1", "2", "3"]
    stream_id = client.describeStream(stream).body["stream_id"]
    assert client.put_records("", stream_id, [{"data": "by id", "partition_id": "0"}]).failedRecordCount == 0

    def texts(cursor):
        got = client.getRecords(cursor).recordResult
        return [record["data"].decode() if isinstance(record["data"], bytes) else record["data"] for record in got]

    partition = "shardId-0000000000"
    everything = ["r0", "r1", "r2", "keyed", "by id"]
    start = client.getCursor(stream, partition, "TRIM_HORIZON").cursor
    assert texts(start) == everything
    assert client.getRecords(start).recordResult[3]["partitionKey"] == "abc"
    assert client.getRecords(start).recordResult[0]["partitionKey"] is None
    assert len(client.getRecords(start, limit=2).recordResult) == 2
    assert texts(client.getCursor(stream, "0", "AT_SEQUENCE_NUMBER", "3").cursor) == everything[3:]
    assert texts(client.getCursor(stream, "0", "AFTER_SEQUENCE_NUMBER", "3").cursor) == everything[4:]
    first_time = client.getRecords(start).recordResult[0]["timestamp"]
    assert texts(client.getCursor(stream, "0", "AT_TIMESTAMP", timestamp=first_time).cursor) == everything
    assert texts(client.getCursor("", "0", "LATEST", streamId=stream_id).cursor) == []
    wrong = client.put_records(stream, "", [{"data": "x", "partition_id": "9"}, {"data": "y", "partition_id": "0"}])
    assert wrong.failedRecordCount == 1
    assert wrong.recordResult[0]["error_code"] == "DIS.4302"
    assert wrong.recordResult[1]["sequence_number"] == "5"


def test_a_large_put_arrives_whole(client, stream):
    records = [{"data": f"{number} " + "x" * 300, "partition_key": str(number)} for number in range(2500)]
    answer = client.putRecords(stream, records)
    assert (answer.failedRecordCount, len(answer.recordResult)) == (0, 2500)
    seen = []
    for partition in ("0", "1"):
        cursor = client.getCursor(stream, partition, "TRIM_HORIZON").cursor
        while True:
            got = client.getRecords(cursor)
            if not got.recordResult:
                break
            seen += [int(record["data"].split()[0]) for record in got.recordResult]
            cursor = got.nextPartitionCursor
    assert sorted(seen) == list(range(2500))


def test_apps_and_checkpoints(client, stream, app_name):
    client.putRecords(stream, [{"data": str(number), "partition_id": "0"} for number in range(3)])
    assert client.createApp(app_name).statusCode == 201
    assert client.describeApp(app_name).body["app_name"] == app_name
    assert client.commitCheckpoint(stream, app_name, "shardId-0000000000", "2", "mine").statusCode == 201
    found = client.getCheckpoint(stream, app_name, "shardId-0000000000")
    assert (found.seqNumber, found.body["metadata"]) == ("2", "mine")
    state = client.streamConsume(stream, app_name)
    assert [one["sequence_number"] for one in state.partition_consuming_states] == ["2", "-1"]
    assert client.deleteCheckpoint(stream, app_name).statusCode == 204
    refused(lambda: client.getCheckpoint(stream, app_name, "0"), "DIS.4375")
    assert client.deleteApp(app_name).statusCode == 204
    refused(lambda: client.describeApp(app_name), "DIS.4332")


def test_metrics(client, stream):
    client.putRecords(stream, [{"data": "abc", "partition_id": "0"}])
    whole = client.streamMonitor(stream, "total_put_records_per_stream")
    assert whole.label == "total_put_records_per_stream"
    assert sum(point["value"] for point in whole.dataPoints) == 1
    one = client.partitionMonitor(stream, "0", "total_put_bytes_per_partition", "", "")
    assert sum(point["value"] for point in one.dataPoints) == 3


def test_dump_tasks_are_refused(client, stream):
    refused(lambda: client.list_dump_task(stream), "DIS.4200")
    refused(lambda: client.describe_dump_task(stream, "t1"), "DIS.4200")
