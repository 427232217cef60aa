"""Peerings with huaweicloudsdkvpc, as the owner of a named network uses it: a cluster asks, the owner answers."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import pytest
from conftest import weir_binary
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkvpc.v2 import VpcClient
from huaweicloudsdkvpc.v2 import model as m

START_LIMIT_SECONDS = 60


@pytest.fixture
def client():
    credentials = BasicCredentials(os.environ["WEIR_AK"], os.environ["WEIR_SK"], os.environ["WEIR_PROJECT_ID"])
    return VpcClient.new_builder().with_credentials(credentials).with_endpoint(os.environ["WEIR_ENDPOINT"]).build()


def call(method, path, body=None):
    """Makes a call of the CS API and returns the JSON of its answer, that of an error too."""
    url = f"{os.environ['WEIR_ENDPOINT']}/v1.0/{os.environ['WEIR_PROJECT_ID']}{path}"
    headers = {"Content-Type": "application/json", "X-Auth-Token": os.environ["WEIR_TOKEN"]}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        return json.loads(error.read())


@pytest.fixture
def network():
    """The id of a network of the project; it goes with its peerings."""
    name = f"n-{uuid.uuid4().hex[:8]}"
    command = [weir_binary(), "operate", "network"]
    added = subprocess.run([*command, "add", name, "192.168.0.0/16"], check=True, capture_output=True, text=True)
    yield added.stdout.strip()
    subprocess.run([*command, "remove", name, "--yes"], check=True)


@pytest.fixture
def cluster():
    """The path of a cluster that runs."""
    body = {"name": f"c-{uuid.uuid4().hex[:8]}", "maximum_spu_quota": 10}
    made = call("POST", "/reserved_cluster", body)["payload"]["cluster_id"]
    path = f"/reserved_cluster/{made}"
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while call("GET", path)["payload"]["status_name"] != "cluster_running":
        assert time.monotonic() < deadline, call("GET", path)
        time.sleep(0.05)
    yield path
    call("DELETE", path)


def ask(cluster, network):
    return call("POST", f"{cluster}/peering", {"name": "p1", "vpc_id": network})["peering"]["id"]


def test_what_a_cluster_asks_for_is_found_and_accepted(client, cluster, network):
    peering = ask(cluster, network)
    listed = client.list_vpc_peerings(m.ListVpcPeeringsRequest(vpc_id=network))
    assert [(found.id, found.status) for found in listed.peerings] == [(peering, "PENDING_ACCEPTANCE")]
    accepted = client.accept_vpc_peering(m.AcceptVpcPeeringRequest(peering_id=peering))
    assert (accepted.id, accepted.status) == (peering, "ACTIVE")
    assert accepted.accept_vpc_info.vpc_id == network
    assert call("GET", f"{cluster}/peering/{peering}")["peering"]["status"] == "ACTIVE"

    body = m.UpdateVpcPeeringRequestBody(peering=m.UpdateVpcPeeringOption(name="new", description="d"))
    changed = client.update_vpc_peering(m.UpdateVpcPeeringRequest(peering_id=peering, body=body)).peering
    assert (changed.name, changed.description, changed.status) == ("new", "d", "ACTIVE")

    route = call("POST", f"{cluster}/peering/{peering}/route", {"destination": "192.168.1.0/24"})["route"]["id"]
    routes = client.list_vpc_routes(m.ListVpcRoutesRequest(destination="192.168.1.0/24")).routes
    assert [(found.id, found.type, found.nexthop) for found in routes] == [(route, "peering", peering)]
    assert client.show_vpc_route(m.ShowVpcRouteRequest(route_id=route)).route.destination == "192.168.1.0/24"

    client.delete_vpc_peering(m.DeleteVpcPeeringRequest(peering_id=peering))
    assert call("GET", f"{cluster}/peering/{peering}")["error_id"] == "CS.22103"
    with pytest.raises(ClientRequestException) as refused:
        client.show_vpc_peering(m.ShowVpcPeeringRequest(peering_id=peering))
    assert (refused.value.status_code, refused.value.error_code) == (404, "VPC.0003")


def test_what_is_rejected_stays_so(client, cluster, network):
    peering = ask(cluster, network)
    rejected = client.reject_vpc_peering(m.RejectVpcPeeringRequest(peering_id=peering))
    assert (rejected.id, rejected.status) == (peering, "REJECTED")
    with pytest.raises(ClientRequestException) as refused:
        client.accept_vpc_peering(m.AcceptVpcPeeringRequest(peering_id=peering))
    assert refused.value.status_code == 400
    shown = client.show_vpc_peering(m.ShowVpcPeeringRequest(peering_id=peering)).peering
    assert (shown.status, shown.request_vpc_info.vpc_id != network) == ("REJECTED", True)
