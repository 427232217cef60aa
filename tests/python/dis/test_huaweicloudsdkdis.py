"""The stream service with huaweicloudsdkdis: access keys, plain and derived signatures."""

import base64
import time

import pytest
from dis_fixtures import app_name, service, stream, stream_name  # noqa: F401
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdis.v2 import DisClient
from huaweicloudsdkdis.v2 import model as m


@pytest.fixture(params=["plain", "derived"])
def client(service, request):
    credentials = BasicCredentials(service.ak, service.sk, service.project_id)
    # The clients of services with derived signatures name their service in this way; that of DIS does not.
    builder = DisClient.new_builder()._with_derived_auth_service_name("dis")
    if request.param == "plain":
        return builder.with_credentials(credentials).with_endpoint(service.endpoint).build()
    credentials.with_derived_predicate(lambda _request: True)
    return builder.with_credentials(credentials).with_region(Region(service.region, service.endpoint)).build()


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def cursor(client, stream, partition, kind, **more):
    request = m.ShowCursorRequest(stream_name=stream, partition_id=partition, cursor_type=kind, **more)
    return client.show_cursor(request).partition_cursor


def read(client, cursor_text, **more):
    answer = client.consume_records(m.ConsumeRecordsRequest(partition_cursor=cursor_text, **more))
    return [base64.b64decode(record.data).decode() for record in answer.records], answer.next_partition_cursor


def put(client, stream, *entries):
    records = [m.PutRecordsRequestEntry(**entry) for entry in entries]
    body = m.PutRecordsRequest(stream_name=stream, records=records)
    return client.send_records(m.SendRecordsRequest(body=body))


def refused(call, code):
    with pytest.raises(ClientRequestException) as caught:
        call()
    assert caught.value.error_code == code
    return caught.value


def test_streams(client, stream_name):
    tags = [m.Tag(key="team", value="a1")]
    body = m.CreateStreamReq(
        stream_name=stream_name, partition_count=3, stream_type="ADVANCED", data_type="JSON", data_duration=48, tags=tags
    )
    assert client.create_stream(m.CreateStreamRequest(body=body)).status_code == 201
    refused(lambda: client.create_stream(m.CreateStreamRequest(body=body)), "DIS.4307")
    shown = client.show_stream(m.ShowStreamRequest(stream_name=stream_name))
    assert (shown.status, shown.stream_type, shown.data_type) == ("RUNNING", "ADVANCED", "JSON")
    assert (shown.retention_period, shown.writable_partition_count, len(shown.partitions)) == (48, 3, 3)
    assert shown.partitions[2].partition_id == "shardId-0000000002"
    assert not shown.has_more_partitions
    names, start = [], None
    while True:
        page = client.list_streams(m.ListStreamsRequest(limit=1, start_stream_name=start))
        names += page.stream_names
        if not page.has_more_streams:
            break
        start = names[-1]
    assert stream_name in names and names == sorted(names) and page.total_number == len(names)
    resize = m.UpdatePartitionCountReq(stream_name=stream_name, target_partition_count=2)
    client.update_partition_count(m.UpdatePartitionCountRequest(stream_name=stream_name, body=resize))
    update = m.UpdateStreamReq(stream_name=stream_name, data_duration=72)
    client.update_stream(m.UpdateStreamRequest(stream_name=stream_name, body=update))
    shown = client.show_stream(m.ShowStreamRequest(stream_name=stream_name))
    assert (shown.writable_partition_count, shown.readable_partition_count, shown.retention_period) == (2, 3, 72)
    assert [partition.status for partition in shown.partitions] == ["ACTIVE", "ACTIVE", "DELETED"]
    assert shown.update_partition_counts[0].src_partition_count == 3
    assert client.delete_stream(m.DeleteStreamRequest(stream_name=stream_name)).status_code == 204
    refused(lambda: client.show_stream(m.ShowStreamRequest(stream_name=stream_name)), "DIS.4301")


def test_records_and_every_type_of_cursor(client, stream):
    before = int(time.time() * 1000)
    for text in ("r0", "r1", "r2"):
        answer = put(client, stream, {"data": encoded(text), "partition_id": "shardId-0000000001"})
        assert answer.failed_record_count == 0
        assert answer.records[0].partition_id == "shardId-0000000001"
    assert answer.records[0].sequence_number == "2"
    partition = "shardId-0000000001"
    start = cursor(client, stream, partition, "TRIM_HORIZON")
    assert read(client, start)[0] == ["r0", "r1", "r2"]
    assert read(client, start, max_fetch_bytes=4)[0] == ["r0", "r1"]
    assert read(client, cursor(client, stream, "1", "AT_SEQUENCE_NUMBER", starting_sequence_number="1"))[0] == ["r1", "r2"]
    assert read(client, cursor(client, stream, "1", "AFTER_SEQUENCE_NUMBER", starting_sequence_number="1"))[0] == ["r2"]
    assert read(client, cursor(client, stream, "1", "AT_TIMESTAMP", timestamp=before - 1000))[0] == ["r0", "r1", "r2"]
    texts, following = read(client, cursor(client, stream, partition, "LATEST"))
    assert texts == []
    put(client, stream, {"data": encoded("r3"), "partition_id": "1"})
    assert read(client, following)[0] == ["r3"]
    beyond = lambda: cursor(client, stream, "1", "AT_SEQUENCE_NUMBER", starting_sequence_number="99")
    assert "Sequence_number out of range" in refused(beyond, "DIS.4224").error_msg
    refused(lambda: cursor(client, stream, "7", "LATEST"), "DIS.4302")
    refused(lambda: read(client, "nonsense"), "DIS.4217")


def test_keys_choose_the_partition_and_come_back(client, stream):
    # SHA-256 of `0` falls into the second half of the hashes, that of `abc` into the first.
    entries = [
        {"data": encoded("a"), "partition_key": "0"},
        {"data": encoded("b"), "partition_key": "abc"},
        {"data": encoded("c"), "explicit_hash_key": "9223372036854775807"},
        {"data": encoded("d"), "partition_id": "9"},
    ]
    answer = put(client, stream, *entries)
    partitions = [record.partition_id for record in answer.records]
    assert partitions == ["shardId-0000000001", "shardId-0000000000", "shardId-0000000001", None]
    assert answer.failed_record_count == 1
    assert answer.records[3].error_code == "DIS.4302" and answer.records[3].sequence_number is None
    start = cursor(client, stream, "1", "TRIM_HORIZON")
    records = client.consume_records(m.ConsumeRecordsRequest(partition_cursor=start)).records
    assert [record.partition_key for record in records] == ["0", None]


def test_apps_and_checkpoints(client, stream, app_name):
    put(client, stream, *[{"data": encoded(str(number)), "partition_id": "0"} for number in range(5)])
    body = m.CreateAppReq(app_name=app_name)
    client.create_app(m.CreateAppRequest(body=body))
    refused(lambda: client.create_app(m.CreateAppRequest(body=body)), "DIS.4330")
    commit = m.CommitCheckpointReq(
        app_name=app_name, checkpoint_type="LAST_READ", stream_name=stream, partition_id="0", sequence_number="3", metadata="x"
    )
    client.commit_checkpoint(m.CommitCheckpointRequest(body=commit))
    ask = dict(stream_name=stream, partition_id="0", app_name=app_name, checkpoint_type="LAST_READ")
    found = client.show_checkpoint(m.ShowCheckpointRequest(**ask))
    assert (found.sequence_number, found.metadata) == ("3", "x")
    shown = client.show_app(m.ShowAppRequest(app_name=app_name))
    assert shown.commit_checkpoint_stream_names == [stream]
    listed = client.list_app(m.ListAppRequest(stream_name=stream, limit=100))
    assert [app.app_name for app in listed.apps] == [app_name] and not listed.has_more_app
    state = client.show_consumer_state(
        m.ShowConsumerStateRequest(app_name=app_name, stream_name=stream, checkpoint_type="LAST_READ")
    )
    states = state.partition_consuming_states
    assert [one.sequence_number for one in states] == ["3", "-1"]
    assert (states[0].earliest_offset, states[0].latest_offset) == (0, 5)
    gone = dict(stream_name=stream, app_name=app_name, checkpoint_type="LAST_READ", partition_id="0")
    client.delete_checkpoint(m.DeleteCheckpointRequest(**gone))
    refused(lambda: client.show_checkpoint(m.ShowCheckpointRequest(**ask)), "DIS.4375")
    client.delete_app(m.DeleteAppRequest(app_name=app_name))
    refused(lambda: client.show_app(m.ShowAppRequest(app_name=app_name)), "DIS.4332")


def test_tags(client, stream):
    stream_id = client.show_stream(m.ShowStreamRequest(stream_name=stream)).stream_id
    first = m.CreateTagReq(tag=m.Tag(key="k1", value=stream[-12:]))
    client.create_tag(m.CreateTagRequest(stream_id=stream_id, body=first))
    more = m.BatchCreateTagsReq(action="create", tags=[m.Tag(key="k2", value="v2")])
    client.batch_create_tags(m.BatchCreateTagsRequest(stream_id=stream_id, body=more))
    shown = client.show_stream_tags(m.ShowStreamTagsRequest(stream_id=stream_id))
    assert [tag.key for tag in shown.tags] == ["k1", "k2"]
    listed = client.list_tags(m.ListTagsRequest())
    assert any(tag.key == "k1" and stream[-12:] in tag.values for tag in listed.tags)
    wanted = [m.Tags(key="k1", values=[stream[-12:]])]
    find = m.ListResourceInstancesReq(action="filter", tags=wanted, limit="10", offset="0")
    found = client.list_resources_by_tags(m.ListResourcesByTagsRequest(body=find))
    assert [resource.resource_id for resource in found.resources] == [stream_id]
    drop = m.BatchDeleteTagsReq(action="delete", tags=[m.Tag(key="k2", value="v2")])
    client.batch_delete_tags(m.BatchDeleteTagsRequest(stream_id=stream_id, body=drop))
    client.delete_tag(m.DeleteTagRequest(stream_id=stream_id, key="k1"))
    assert client.show_stream_tags(m.ShowStreamTagsRequest(stream_id=stream_id)).tags == []


def test_metrics(client, stream):
    put(client, stream, {"data": encoded("abc"), "partition_id": "0"}, {"data": encoded("de"), "partition_id": "1"})
    span = dict(start_time=int(time.time()) - 300, end_time=int(time.time()) + 60)
    asked = m.ShowStreamMetricsRequest(stream_name=stream, label="total_put_bytes_per_stream", **span)
    metrics = client.show_stream_metrics(asked).metrics
    assert sum(point.value for point in metrics.data_points) == 5
    labels = "total_put_records_per_stream,total_get_records_per_stream"
    several = client.show_stream_metrics(m.ShowStreamMetricsRequest(stream_name=stream, label_list=labels, **span))
    sums = {one.label: sum(point.value for point in one.data_points) for one in several.metrics_list}
    assert sums == {"total_put_records_per_stream": 2, "total_get_records_per_stream": 0}
    one = m.ShowPartitionMetricsRequest(
        stream_name=stream, partition_id="shardId-0000000001", label="total_put_bytes_per_partition", **span
    )
    assert sum(point.value for point in client.show_partition_metrics(one).metrics.data_points) == 2


def test_dump_tasks_are_refused(client, stream):
    error = refused(lambda: client.list_transfer_tasks(m.ListTransferTasksRequest(stream_name=stream)), "DIS.4200")
    assert "not supported" in error.error_msg
