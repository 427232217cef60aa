"""Conditional requests to the object endpoint, by boto3."""

import datetime
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import botocore.exceptions
import pytest

sys.path.insert(0, os.path.dirname(__file__))
from s3_fixtures import needed  # noqa: E402
from test_boto3 import bucket, client, make_client  # noqa: E402, F401


def outcome(call, **arguments):
    """Returns status and code of a call; the code is empty when it succeeded, or its answer has no body."""
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"], ""
    except botocore.exceptions.ClientError as error:
        response = error.response
        return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def read(client, bucket, key):
    return client.get_object(Bucket=bucket, Key=key)["Body"].read()


UNMET = (412, "PreconditionFailed")
MISSING = (404, "NoSuchKey")


def test_an_object_is_made_once(client, bucket):
    def put(body):
        return outcome(client.put_object, Bucket=bucket, Key="a/k", Body=body, IfNoneMatch="*", Metadata={"by": body})

    assert put("first") == (200, "")
    assert put("second") == UNMET
    assert read(client, bucket, "a/k") == b"first"
    head = client.head_object(Bucket=bucket, Key="a/k")
    assert head["Metadata"] == {"by": "first"}
    client.delete_object(Bucket=bucket, Key="a/k")
    assert put("third") == (200, "")
    # One that a job has written, which the endpoint did not see.
    with open(os.path.join(needed("WEIR_DATA"), "objects", bucket, "by-a-job"), "wb") as file:
        file.write(b"rows")
    assert outcome(client.put_object, Bucket=bucket, Key="by-a-job", IfNoneMatch="*") == UNMET
    # A folder is no object, and there cannot be one of its name.
    assert outcome(client.put_object, Bucket=bucket, Key="a", IfNoneMatch="*") == (400, "InvalidArgument")
    assert [found["Key"] for found in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["a/k", "by-a-job"]
    staged = os.path.join(needed("WEIR_DATA"), "objects", ".staged")
    assert os.listdir(staged) == [], "what was refused leaves nothing"


def test_one_of_many_makes_an_object(client, bucket):
    def put(number):
        return outcome(client.put_object, Bucket=bucket, Key="k", Body=str(number).encode() * 100_000, IfNoneMatch="*")

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(put, range(32)))
    assert sorted(outcomes) == [(200, "")] + [UNMET] * 31
    winner = outcomes.index((200, ""))
    assert read(client, bucket, "k") == str(winner).encode() * 100_000


def test_an_object_is_replaced_by_whoever_has_seen_it(client, bucket):
    def put(body, tag):
        return outcome(client.put_object, Bucket=bucket, Key="k", Body=body, IfMatch=tag)

    assert put(b"1", '"none"') == MISSING
    first = client.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert put(b"2", first) == (200, "")
    assert put(b"3", first) == UNMET
    assert read(client, bucket, "k") == b"2"
    assert put(b"4", "*") == (200, "")


def test_no_change_is_lost_between_many(bucket):
    threads, changes = 4, 8
    key = {"Bucket": bucket, "Key": "counter"}
    make_client().put_object(Body=b"0", **key)

    def count(_):
        client, done = make_client(), 0
        while done < changes:
            found = client.get_object(**key)
            body = str(int(found["Body"].read()) + 1).encode()
            result = outcome(client.put_object, Body=body, IfMatch=found["ETag"], **key)
            assert result in [(200, ""), UNMET], result
            done += result[0] == 200

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(count, range(threads)))
    assert read(make_client(), bucket, "counter") == str(threads * changes).encode()


def test_an_upload_in_parts_has_its_condition_at_the_end(client, bucket):
    def upload(body):
        begun = client.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
        part = client.upload_part(Bucket=bucket, Key="big", UploadId=begun, PartNumber=1, Body=body)
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        return {"Bucket": bucket, "Key": "big", "UploadId": begun, "MultipartUpload": parts}

    first, second = upload(b"first"), upload(b"second")
    tag = client.complete_multipart_upload(IfNoneMatch="*", **first)["ETag"]
    assert outcome(client.complete_multipart_upload, IfNoneMatch="*", **second) == UNMET
    assert outcome(client.complete_multipart_upload, IfMatch='"other"', **second) == UNMET
    assert read(client, bucket, "big") == b"first"
    assert outcome(client.complete_multipart_upload, IfMatch=tag, **second) == (200, "")
    assert read(client, bucket, "big") == b"second"


def test_a_copy_has_conditions_on_both_sides(client, bucket):
    source = client.put_object(Bucket=bucket, Key="from", Body=b"1")["ETag"]

    def copy(**conditions):
        arguments = {"Bucket": bucket, "Key": "to", "CopySource": {"Bucket": bucket, "Key": "from"}}
        return outcome(client.copy_object, **arguments, **conditions)

    assert copy(CopySourceIfMatch='"other"') == UNMET
    assert copy(IfMatch='"none"') == MISSING
    assert copy(CopySourceIfMatch=source, IfNoneMatch="*") == (200, "")
    assert copy(IfNoneMatch="*") == UNMET
    tag = client.head_object(Bucket=bucket, Key="to")["ETag"]
    assert copy(IfMatch=source) == UNMET
    assert copy(IfMatch=tag) == (200, "")


def test_an_object_is_deleted_by_whoever_has_seen_it(client, bucket):
    tag = client.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert outcome(client.delete_object, Bucket=bucket, Key="k", IfMatch='"other"') == UNMET
    assert read(client, bucket, "k") == b"1"
    many = {"Objects": [{"Key": "k", "ETag": '"other"'}, {"Key": "none", "ETag": tag}, {"Key": "gone"}]}
    deleted = client.delete_objects(Bucket=bucket, Delete=many)
    assert [found["Key"] for found in deleted["Deleted"]] == ["gone"]
    assert [(found["Key"], found["Code"]) for found in deleted["Errors"]] == [
        ("k", "PreconditionFailed"),
        ("none", "NoSuchKey"),
    ]
    assert outcome(client.delete_object, Bucket=bucket, Key="k", IfMatch=tag) == (204, "")


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_reads_have_conditions(client, bucket, operation):
    tag = client.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    at = client.head_object(Bucket=bucket, Key="k")["LastModified"]
    before, after = at - datetime.timedelta(hours=1), at + datetime.timedelta(hours=1)
    for status, conditions in [
        (200, {"IfMatch": tag}),
        (412, {"IfMatch": '"other"'}),
        (304, {"IfNoneMatch": tag}),
        (304, {"IfNoneMatch": "*"}),
        (200, {"IfNoneMatch": '"other"'}),
        (200, {"IfModifiedSince": before}),
        (304, {"IfModifiedSince": at}),
        (200, {"IfUnmodifiedSince": at}),
        (200, {"IfUnmodifiedSince": after}),
        (412, {"IfUnmodifiedSince": before}),
        # A tag tells more than a date.
        (200, {"IfMatch": tag, "IfUnmodifiedSince": before}),
        (200, {"IfNoneMatch": '"other"', "IfModifiedSince": after}),
    ]:
        found = outcome(getattr(client, operation), Bucket=bucket, Key="k", **conditions)
        assert found[0] == status, conditions


def test_conditions_that_s3_does_not_have_are_refused(client, bucket):
    put = {"Bucket": bucket, "Key": "k", "Body": b"1"}
    assert outcome(client.put_object, IfNoneMatch='"tag"', **put) == (501, "NotImplemented")
    assert outcome(client.put_object, IfNoneMatch="*", IfMatch='"tag"', **put) == (501, "NotImplemented")
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
