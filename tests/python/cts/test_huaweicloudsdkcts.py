"""The trace list with huaweicloudsdkcts: what calls of the CS API leave, page by page."""

import json
import os
import urllib.error
import urllib.request
import uuid

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcts.v3 import CtsClient
from huaweicloudsdkcts.v3 import model as m


@pytest.fixture
def client():
    credentials = BasicCredentials(os.environ["WEIR_AK"], os.environ["WEIR_SK"], os.environ["WEIR_PROJECT_ID"])
    return CtsClient.new_builder().with_credentials(credentials).with_endpoint(os.environ["WEIR_ENDPOINT"]).build()


def call(method, path, body=None):
    """Makes a call of the CS API and returns the JSON of its answer, that of an error too."""
    url = f"{os.environ['WEIR_ENDPOINT']}/v1.0/{os.environ['WEIR_PROJECT_ID']}{path}"
    headers = {"Content-Type": "application/json", "X-Auth-Token": os.environ["WEIR_TOKEN"]}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return json.loads(error.read())


@pytest.fixture
def template():
    """The name and id of a template that was made, changed three times, once in vain, and deleted."""
    name = f"t-{uuid.uuid4().hex[:8]}"
    made = call("POST", "/job_template", {"name": name})["payload"]["template_id"]
    for desc in ["one", "two", "x" * 513]:
        call("PATCH", "/job_template", {"id": made, "desc": desc})
    call("DELETE", f"/job_template/{made}")
    return name, str(made)


def test_pages_lead_from_the_newest_to_the_oldest(client, template):
    name, template_id = template
    marker, found, pages = None, [], 0
    while True:
        request = m.ListTracesRequest(
            trace_type="system", resource_type="template", resource_id=template_id, limit=2, next=marker
        )
        answer = client.list_traces(request)
        assert answer.meta_data.count == len(answer.traces) <= 2
        found += answer.traces
        pages += 1
        marker = answer.meta_data.marker
        if marker is None:
            break
    assert pages == 3
    assert [(trace.trace_name, trace.trace_rating, trace.code) for trace in found] == [
        ("deleteTemplate", "normal", "200"),
        ("updateTemplate", "warning", "400"),
        ("updateTemplate", "normal", "200"),
        ("updateTemplate", "normal", "200"),
        ("createTemplate", "normal", "200"),
    ]
    oldest = found[-1]
    assert oldest.user.name == os.environ["WEIR_USER"]
    assert oldest.user.domain.name == os.environ["WEIR_DOMAIN"]
    assert (oldest.resource_name, oldest.service_type, oldest.source_ip) == (name, "CS", "127.0.0.1")
    assert (oldest.trace_type, oldest.api_version) == ("ApiCall", "v1.0")
    assert "CS.18020::CREATE_TEMPLATE_SUCCESS" in oldest.response


def test_a_trace_is_found_by_its_id_and_by_time(client, template):
    of_template = m.ListTracesRequest(trace_type="system", resource_type="template", resource_id=template[1])
    first = client.list_traces(of_template).traces[0]
    one = client.list_traces(m.ListTracesRequest(trace_type="system", trace_id=first.trace_id))
    assert [trace.trace_id for trace in one.traces] == [first.trace_id]
    before = m.ListTracesRequest(trace_type="system", _from=first.time - 7_200_000, to=first.time - 3_600_000)
    assert client.list_traces(before).traces == []


def test_a_wrong_limit_is_refused_with_its_code(client):
    with pytest.raises(ClientRequestException) as caught:
        client.list_traces(m.ListTracesRequest(trace_type="system", limit=201))
    assert (caught.value.status_code, caught.value.error_code) == (400, "CTS.0300")
    assert "1 to 200" in caught.value.error_msg
