"""The object endpoint, used by boto3 (signature version 4)."""

import io
import json
import os
import sys
import urllib.error
import urllib.request

import boto3
import boto3.s3.transfer
import botocore.config
import botocore.exceptions
import pytest

sys.path.insert(0, os.path.dirname(__file__))
from s3_fixtures import needed, new_name  # noqa: E402

MEGABYTE = 1024 * 1024


def make_client(**options):
    config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, **options)
    return boto3.client(
        "s3",
        endpoint_url=needed("WEIR_S3_ENDPOINT"),
        region_name="local",
        aws_access_key_id=needed("WEIR_AK"),
        aws_secret_access_key=needed("WEIR_SK"),
        config=config,
    )


@pytest.fixture
def client(weir_service):
    return make_client()


@pytest.fixture
def bucket(client):
    name = new_name("boto3")
    client.create_bucket(Bucket=name)
    yield name
    for upload in client.list_multipart_uploads(Bucket=name).get("Uploads", []):
        client.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for found in page.get("Contents", []):
            client.delete_object(Bucket=name, Key=found["Key"])
    client.delete_bucket(Bucket=name)


def code_of(failure):
    return failure.value.response["Error"]["Code"]


def test_bucket_life(client):
    name = new_name("life")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "local"})
    assert name in [found["Name"] for found in client.list_buckets()["Buckets"]]
    client.head_bucket(Bucket=name)
    assert client.get_bucket_location(Bucket=name)["LocationConstraint"] in (None, "")
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        client.create_bucket(Bucket=name)
    assert code_of(failure) == "BucketAlreadyOwnedByYou"
    client.put_object(Bucket=name, Key="k", Body=b"x")
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        client.delete_bucket(Bucket=name)
    assert code_of(failure) == "BucketNotEmpty"
    client.delete_object(Bucket=name, Key="k")
    client.delete_bucket(Bucket=name)
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        client.list_objects_v2(Bucket=name)
    assert code_of(failure) == "NoSuchBucket"


def test_put_get_head_delete(client, bucket):
    put = client.put_object(
        Bucket=bucket, Key="a/b c.txt", Body=b"hello", ContentType="text/plain", Metadata={"k": "v"}
    )
    found = client.get_object(Bucket=bucket, Key="a/b c.txt")
    assert found["Body"].read() == b"hello"
    assert found["ContentType"] == "text/plain"
    assert found["Metadata"] == {"k": "v"}
    assert found["ETag"] == put["ETag"]
    head = client.head_object(Bucket=bucket, Key="a/b c.txt")
    assert (head["ContentLength"], head["ETag"]) == (5, put["ETag"])
    client.delete_object(Bucket=bucket, Key="a/b c.txt")
    client.delete_object(Bucket=bucket, Key="a/b c.txt")
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        client.get_object(Bucket=bucket, Key="a/b c.txt")
    assert code_of(failure) == "NoSuchKey"


@pytest.mark.parametrize("key", ["plain", "with blank", "ü/ö", "100%", "a+b", "q?x=1&y", "x#y", "~tilde", "a%2Fb"])
def test_keys_of_all_kinds(client, bucket, key):
    client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [found["Key"] for found in client.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert [found["Key"] for found in client.list_objects(Bucket=bucket)["Contents"]] == [key]


def test_the_file_is_where_jobs_read_it(client, bucket):
    directory = os.path.join(needed("WEIR_DATA"), "objects", bucket)
    client.put_object(Bucket=bucket, Key="in/1.csv", Body=b"1,2\n")
    with open(os.path.join(directory, "in", "1.csv"), "rb") as file:
        assert file.read() == b"1,2\n"
    with open(os.path.join(directory, "in", "2.csv"), "wb") as file:
        file.write(b"3,4\n")
    assert client.get_object(Bucket=bucket, Key="in/2.csv")["Body"].read() == b"3,4\n"


def test_ranges(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    found = client.get_object(Bucket=bucket, Key="k", Range="bytes=2-4")
    assert (found["Body"].read(), found["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert client.get_object(Bucket=bucket, Key="k", Range="bytes=-2")["Body"].read() == b"89"
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        client.get_object(Bucket=bucket, Key="k", Range="bytes=10-")
    assert code_of(failure) == "InvalidRange"


def test_lists_with_folders_and_pages(client, bucket):
    keys = [f"a/{number}" for number in range(5)] + ["b/1", "c", "ab"]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    top = client.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [found["Prefix"] for found in top["CommonPrefixes"]] == ["a/", "b/"]
    assert [found["Key"] for found in top["Contents"]] == ["ab", "c"]
    for call in ("list_objects_v2", "list_objects"):
        pages = client.get_paginator(call).paginate(Bucket=bucket, PaginationConfig={"PageSize": 3})
        assert [found["Key"] for page in pages for found in page["Contents"]] == sorted(keys)
    prefixed = client.list_objects_v2(Bucket=bucket, Prefix="a")
    assert [found["Key"] for found in prefixed["Contents"]] == sorted(key for key in keys if key[0] == "a")
    after = client.list_objects_v2(Bucket=bucket, StartAfter="a/3")
    assert [found["Key"] for found in after["Contents"]] == ["a/4", "ab", "b/1", "c"]


def test_many_are_deleted_at_once(client, bucket):
    for number in range(3):
        client.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    answer = client.delete_objects(
        Bucket=bucket, Delete={"Objects": [{"Key": "k0"}, {"Key": "k1"}, {"Key": "not-there"}]}
    )
    assert sorted(found["Key"] for found in answer["Deleted"]) == ["k0", "k1", "not-there"]
    assert [found["Key"] for found in client.list_objects_v2(Bucket=bucket)["Contents"]] == ["k2"]


def test_copies(client, bucket):
    client.put_object(Bucket=bucket, Key="a", Body=b"x", Metadata={"k": "v"})
    client.copy_object(Bucket=bucket, Key="b/c", CopySource={"Bucket": bucket, "Key": "a"})
    found = client.get_object(Bucket=bucket, Key="b/c")
    assert (found["Body"].read(), found["Metadata"]) == (b"x", {"k": "v"})
    for _ in range(2):
        client.copy_object(
            Bucket=bucket,
            Key="a",
            CopySource={"Bucket": bucket, "Key": "a"},
            Metadata={"k": "w"},
            MetadataDirective="REPLACE",
        )
    assert client.head_object(Bucket=bucket, Key="a")["Metadata"] == {"k": "w"}


def test_uploads_in_parts(client, bucket):
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 * MEGABYTE, multipart_chunksize=5 * MEGABYTE)
    body = os.urandom(12 * MEGABYTE)
    client.upload_fileobj(io.BytesIO(body), bucket, "big", Config=config, ExtraArgs={"ContentType": "text/x"})
    received = io.BytesIO()
    client.download_fileobj(bucket, "big", received, Config=config)
    assert received.getvalue() == body
    assert client.head_object(Bucket=bucket, Key="big")["ContentType"] == "text/x"
    client.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy", Config=config)
    assert client.get_object(Bucket=bucket, Key="copy")["Body"].read() == body


def test_parts_are_hidden_and_can_be_given_up(client, bucket):
    upload = client.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    client.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"x")
    parts = client.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in parts] == [(1, 1)]
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)
    client.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        client.list_parts(Bucket=bucket, Key="k", UploadId=upload)
    assert code_of(failure) == "NoSuchUpload"


def test_a_wrong_checksum_leaves_nothing(client, bucket):
    with pytest.raises(botocore.exceptions.ClientError) as failure:
        client.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumCRC32="AAAAAA==")
    assert code_of(failure) == "BadDigest"
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_links(bucket, client, version):
    signer = make_client(signature_version=version)
    link = signer.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    # An empty type keeps the library from inventing one, which the older signature would cover.
    request = urllib.request.Request(link, data=b"x", method="PUT", headers={"Content-Type": ""})
    urllib.request.urlopen(request, timeout=10).close()
    link = signer.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a b"}, ExpiresIn=60)
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == b"x"
    with pytest.raises(urllib.error.HTTPError) as failure:
        urllib.request.urlopen(link.replace("a%20b", "other"), timeout=10)
    assert failure.value.code == 403


def test_wrong_keys_are_refused(bucket):
    for access, secret, code in [
        ("AKNONE", needed("WEIR_SK"), "InvalidAccessKeyId"),
        (needed("WEIR_AK"), "wrong", "SignatureDoesNotMatch"),
    ]:
        client = boto3.client(
            "s3",
            endpoint_url=needed("WEIR_S3_ENDPOINT"),
            region_name="local",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
        )
        with pytest.raises(botocore.exceptions.ClientError) as failure:
            client.list_objects_v2(Bucket=bucket)
        assert code_of(failure) == code


def temporary_key():
    """Returns a temporary access key of the user."""
    identity = {"methods": ["token"], "token": {"id": needed("WEIR_TOKEN")}}
    request = urllib.request.Request(
        f"{needed('WEIR_ENDPOINT')}/v3.0/OS-CREDENTIAL/securitytokens",
        data=json.dumps({"auth": {"identity": identity}}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())["credential"]


def test_a_temporary_key_needs_its_security_token(weir_service):
    key = temporary_key()

    def client_with(token, signature="s3v4"):
        return boto3.client(
            "s3",
            endpoint_url=needed("WEIR_S3_ENDPOINT"),
            region_name="local",
            aws_access_key_id=key["access"],
            aws_secret_access_key=key["secret"],
            aws_session_token=token,
            config=botocore.config.Config(
                signature_version=signature, s3={"addressing_style": "path"}, retries={"max_attempts": 0}
            ),
        )

    client, bucket = client_with(key["securitytoken"]), new_name("temporary")
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key="a", Body=b"text")
    for signature in ["s3v4", "s3"]:
        signer = client_with(key["securitytoken"], signature)
        link = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a"})
        with urllib.request.urlopen(link, timeout=30) as answer:
            assert answer.read() == b"text"
    for token in [None, "wrong"]:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            client_with(token).list_objects_v2(Bucket=bucket)
        assert refused.value.response["Error"]["Code"] == "InvalidToken"
    client.delete_object(Bucket=bucket, Key="a")
    client.delete_bucket(Bucket=bucket)
