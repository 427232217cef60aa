"""Edge groups with huaweicloudsdkief: those of the operator's configuration, and jobs that name them."""

import json
import urllib.error
import urllib.request

import pytest
from conftest import log_in, running_weir
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkief.v1 import IefClient
from huaweicloudsdkief.v1 import model as m


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with two groups: its address, and what a client of it needs."""
    with running_weir(tmp_path_factory.mktemp("ief"), "--edge-groups", "line-1=First line, line-2") as (endpoint, _):
        yield endpoint, log_in(endpoint)


@pytest.fixture(scope="module")
def client(service):
    endpoint, known = service
    credentials = BasicCredentials(known["WEIR_AK"], known["WEIR_SK"], known["WEIR_PROJECT_ID"])
    return IefClient.new_builder().with_credentials(credentials).with_endpoint(endpoint).build()


def test_groups_are_listed(client, service):
    listed = client.list_edge_groups(m.ListEdgeGroupsRequest(ief_instance_id="any"))
    assert listed.count == 2
    assert [(group.id, group.name) for group in listed.edge_groups] == [("line-1", "First line"), ("line-2", "line-2")]
    assert {group.project_id for group in listed.edge_groups} == {service[1]["WEIR_PROJECT_ID"]}
    page = client.list_edge_groups(m.ListEdgeGroupsRequest(limit=1, offset=1, sort="created_at:desc"))
    assert (page.count, [group.id for group in page.edge_groups]) == (2, ["line-1"])
    found = client.list_edge_groups(m.ListEdgeGroupsRequest(name="First"))
    assert [group.id for group in found.edge_groups] == ["line-1"]


def test_a_group_is_shown(client):
    shown = client.show_edge_group_detail(m.ShowEdgeGroupDetailRequest(group_id="line-1"))
    assert (shown.name, shown.cpu, shown.nodes) == ("First line", 0, [])
    with pytest.raises(ClientRequestException) as refused:
        client.show_edge_group_detail(m.ShowEdgeGroupDetailRequest(group_id="line-3"))
    assert (refused.value.status_code, refused.value.error_code) == (404, "IEF.0404")


def test_groups_are_not_deleted(client):
    with pytest.raises(ClientRequestException) as refused:
        client.delete_edge_group(m.DeleteEdgeGroupRequest(group_id="line-1"))
    assert 400 <= refused.value.status_code < 500


def test_a_job_names_a_group(service):
    endpoint, known = service

    def create(name, groups):
        body = {"name": name, "run_mode": "edge_node", "job_type": "flink_sql_edge_job", "sql_body": "", "edge_group_ids": groups}
        url = f"{endpoint}/v1.0/{known['WEIR_PROJECT_ID']}/sql_job"
        headers = {"Content-Type": "application/json", "X-Auth-Token": known["WEIR_TOKEN"]}
        request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())["message_id"]
        except urllib.error.HTTPError as error:
            return json.loads(error.read())["error_id"]

    assert create("e1", "line-1,line-2") == "CS.11000"
    assert create("e2", "line-3") == "CS.11023"
