"""The object endpoint, used by the OBS Python client.

An IPv4 address makes the client choose path style and `AWS` signatures of version 2; with
`signature='obs'` forced, links carry OBS signatures.
"""

import os
import sys
import urllib.request

import obs
import pytest

sys.path.insert(0, os.path.dirname(__file__))
from s3_fixtures import address, needed, new_name  # noqa: E402


@pytest.fixture
def client(weir_service):
    host, port = address()
    client = obs.ObsClient(
        access_key_id=needed("WEIR_AK"),
        secret_access_key=needed("WEIR_SK"),
        server=f"http://{host}:{port}",
        max_retry_count=0,
    )
    yield client
    client.close()


def good(answer):
    assert answer.status < 300, (answer.status, answer.errorCode, answer.errorMessage)
    return answer


@pytest.fixture
def bucket(client):
    name = new_name("obs")
    good(client.createBucket(name))
    yield name
    for found in good(client.listObjects(name)).body.contents:
        good(client.deleteObject(name, found.key))
    good(client.deleteBucket(name))


def test_bucket_is_found(client, bucket):
    good(client.headBucket(bucket))
    assert bucket in [found.name for found in good(client.listBuckets()).body.buckets]
    missing = client.headBucket(new_name("none"))
    assert missing.status == 404


@pytest.mark.parametrize("key", ["a/b c.txt", "ü", "100%", "a+b"])
def test_put_get_delete(client, bucket, key):
    headers = obs.PutObjectHeader(contentType="text/plain")
    good(client.putContent(bucket, key, "hello", metadata={"k": "v"}, headers=headers))
    found = good(client.getObject(bucket, key, loadStreamInMemory=True))
    assert found.body.buffer == b"hello"
    head = good(client.getObjectMetadata(bucket, key))
    assert head.body.contentLength == 5
    assert head.body.contentType == "text/plain"
    assert ("k", "v") in [(name.rsplit("-", 1)[-1], value) for name, value in head.header]
    assert [entry.key for entry in good(client.listObjects(bucket)).body.contents] == [key]
    good(client.deleteObject(bucket, key))
    gone = client.getObject(bucket, key)
    assert (gone.status, gone.errorCode) == (404, "NoSuchKey")


def test_lists(client, bucket):
    for key in ("a/1", "a/2", "b"):
        good(client.putContent(bucket, key, "x"))
    top = good(client.listObjects(bucket, delimiter="/")).body
    assert [entry.key for entry in top.contents] == ["b"]
    assert [entry.prefix for entry in top.commonPrefixs] == ["a/"]
    first = good(client.listObjects(bucket, max_keys=2)).body
    assert first.is_truncated
    rest = good(client.listObjects(bucket, marker=first.contents[-1].key)).body
    assert [entry.key for entry in first.contents + rest.contents] == ["a/1", "a/2", "b"]


def test_copy_and_delete_many(client, bucket):
    good(client.putContent(bucket, "a", "x"))
    good(client.copyObject(bucket, "a", bucket, "b"))
    keys = [obs.Object("a"), obs.Object("b")]
    good(client.deleteObjects(bucket, obs.DeleteObjectsRequest(quiet=False, objects=keys)))
    assert good(client.listObjects(bucket)).body.contents == []


def test_upload_in_parts(client, bucket):
    upload = good(client.initiateMultipartUpload(bucket, "big")).body.uploadId
    parts = []
    for number, content in ((1, "hello "), (2, "world")):
        answer = good(client.uploadPart(bucket, "big", number, upload, content))
        parts.append(obs.CompletePart(partNum=number, etag=answer.body.etag))
    assert len(good(client.listParts(bucket, "big", upload)).body.parts) == 2
    good(client.completeMultipartUpload(bucket, "big", upload, obs.CompleteMultipartUploadRequest(parts=parts)))
    found = good(client.getObject(bucket, "big", loadStreamInMemory=True))
    assert found.body.buffer == b"hello world"


def test_ranges(client, bucket):
    good(client.putContent(bucket, "k", "0123456789"))
    found = good(client.getObject(bucket, "k", headers=obs.GetObjectHeader(range="2-4"), loadStreamInMemory=True))
    assert found.body.buffer == b"234"


def test_files(client, bucket, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(300_000))
    good(client.putFile(bucket, "file", str(source)))
    good(client.getObject(bucket, "file", downloadPath=str(target)))
    assert target.read_bytes() == source.read_bytes()


def test_links(client, bucket):
    good(client.putContent(bucket, "a b", "x"))
    link = client.createSignedUrl("GET", bucket, "a b", expires=60).signedUrl
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == b"x"


def test_a_wrong_secret_is_refused(bucket):
    host, port = address()
    client = obs.ObsClient(
        access_key_id=needed("WEIR_AK"), secret_access_key="wrong", server=f"http://{host}:{port}", max_retry_count=0
    )
    answer = client.listObjects(bucket)
    assert (answer.status, answer.errorCode) == (403, "SignatureDoesNotMatch")
