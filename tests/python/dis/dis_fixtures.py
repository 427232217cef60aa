"""Fixtures of the tests that drive the stream service with published clients.

The service to test is named by the environment: WEIR_DIS_ENDPOINT (http://host:port), WEIR_AK, WEIR_SK,
WEIR_PROJECT_ID, WEIR_TOKEN, and optionally WEIR_REGION. A missing variable fails the tests: a skipped test
proves nothing.

These are no `conftest.py`, as a second module of that name would hide the one above for `from conftest import`.
Test files import the fixtures they use.
"""

import os
import uuid
from dataclasses import dataclass

# The generated code inside huaweicloud-sdk-python-dis is older than the C++ form of protobuf accepts.
os.environ.setdefault("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "python")

import pytest
import requests


@dataclass(frozen=True)
class Service:
    endpoint: str
    ak: str
    sk: str
    project_id: str
    token: str
    region: str

    def url(self, path):
        return f"{self.endpoint}/v2/{self.project_id}{path}"

    def call(self, method, path, **options):
        """Sends a request with the token and returns the answer."""
        headers = {"X-Auth-Token": self.token, **options.pop("headers", {})}
        return requests.request(method, self.url(path), headers=headers, timeout=30, **options)


def required(name):
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"environment variable {name} is not set; see {__file__}", pytrace=False)
    return value


@pytest.fixture(scope="session")
def service():
    return Service(
        endpoint=required("WEIR_DIS_ENDPOINT").rstrip("/"),
        ak=required("WEIR_AK"),
        sk=required("WEIR_SK"),
        project_id=required("WEIR_PROJECT_ID"),
        token=required("WEIR_TOKEN"),
        region=os.environ.get("WEIR_REGION", "local"),
    )


@pytest.fixture
def stream_name(service):
    """A name that no stream has; the stream is deleted afterwards if the test made one."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    yield name
    service.call("DELETE", f"/streams/{name}")


@pytest.fixture
def app_name(service):
    """A name that no app has; the app is deleted afterwards if the test made one."""
    name = f"app-{uuid.uuid4().hex[:12]}"
    yield name
    service.call("DELETE", f"/apps/{name}")


@pytest.fixture
def stream(service, stream_name):
    """A stream of two partitions."""
    answer = service.call("POST", "/streams", json={"stream_name": stream_name, "partition_count": 2})
    assert answer.status_code == 201, answer.text
    return stream_name
