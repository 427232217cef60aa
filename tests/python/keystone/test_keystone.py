"""A real Keystone has the accounts: `keystone_endpoint`."""

import json
import urllib.error
import urllib.request

import pytest
from conftest import call, running_weir
from keystone_fixtures import PASSWORD, running_keystone
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3


def logged_in(endpoint, user="admin", password=PASSWORD, **scope):
    """Logs in by the client of OpenStack; returns its plugin and session."""
    scope = scope or {"project_name": "admin", "project_domain_id": "default"}
    plugin = v3.Password(auth_url=endpoint, username=user, user_domain_id="default", password=password, **scope)
    return plugin, session.Session(auth=plugin)


def role(keystone, token, name, user, project):
    _, made = call("POST", f"{keystone}/roles", {"role": {"name": name}}, token)
    give(keystone, token, made["role"]["id"], user, project)
    return made["role"]["id"]


def give(keystone, token, role_id, user, project):
    call("PUT", f"{keystone}/projects/{project}/users/{user}/roles/{role_id}", None, token)


def refused(method, url, body=None, token=None):
    with pytest.raises(urllib.error.HTTPError) as caught:
        call(method, url, body, token)
    return caught.value.code, json.loads(caught.value.read())


def draft(name):
    return {"name": name, "run_mode": "shared_cluster", "sql_body": ""}


@pytest.fixture(scope="module")
def keystone(tmp_path_factory):
    with running_keystone(tmp_path_factory.mktemp("keystone")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def weir(keystone, tmp_path_factory):
    with running_weir(tmp_path_factory.mktemp("weir"), "--keystone-endpoint", keystone) as (endpoint, _):
        yield endpoint


@pytest.fixture(scope="module")
def people(keystone):
    """Ids of a project and its administrator, of a reader, and of another project that the reader has nothing to do with."""
    plugin, connection = logged_in(keystone)
    token, access = plugin.get_token(connection), plugin.get_access(connection)
    project, admin = access.project_id, access.user_id
    role(keystone, token, "cs_adm", admin, project)
    _, other = call("POST", f"{keystone}/projects", {"project": {"name": "other", "domain_id": "default"}}, token)
    _, made = call(
        "POST", f"{keystone}/users", {"user": {"name": "rita", "password": PASSWORD, "domain_id": "default"}}, token
    )
    rita = made["user"]["id"]
    reader = role(keystone, token, "cs_readonly", rita, project)
    return {"project": project, "admin": admin, "other": other["project"]["id"], "rita": rita, "reader": reader}


def test_a_token_of_the_keystone_opens_its_project(keystone, weir, people):
    plugin, connection = logged_in(keystone)
    token = plugin.get_token(connection)
    jobs = f"{weir}/v1.0/{people['project']}"
    _, answer = call("POST", f"{jobs}/sql_job", draft("of_keystone"), token)
    assert answer["payload"]["job_id"]
    _, listed = call("GET", f"{jobs}/jobs", token=token)
    (job,) = listed["payload"]["jobs"]
    assert job["name"] == "of_keystone"
    _, audit = call("GET", f"{jobs}/audit_logs?resource_type=job", token=token)
    assert "createJob" in json.dumps(audit)


def test_another_project_stays_closed(keystone, weir, people):
    plugin, connection = logged_in(keystone)
    token = plugin.get_token(connection)
    status, answer = refused("GET", f"{weir}/v1.0/{people['other']}/jobs", token=token)
    assert (status, answer["error_id"]) == (400, "CS.10006")
    # A token that the Keystone does not know.
    status, _ = refused("GET", f"{weir}/v1.0/{people['project']}/jobs", token="gAAAAAB-made-up")
    assert status in (400, 401)


def test_logging_in_at_the_service_is_logging_in_at_the_keystone(keystone, weir, people):
    plugin, connection = logged_in(f"{weir}/v3")
    access = plugin.get_access(connection)
    assert access.project_id == people["project"] and "cs_adm" in access.role_names
    # The catalog is the service's, the token the Keystone's.
    assert plugin.get_endpoint(connection, service_type="cs") == f"{weir}/v1.0/{people['project']}"
    headers = {"X-Subject-Token": access.auth_token}
    request = urllib.request.Request(f"{keystone}/auth/tokens", headers={**headers, "X-Auth-Token": access.auth_token})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["token"]["user"]["id"] == people["admin"]
    with pytest.raises(exceptions.Unauthorized):
        plugin, connection = logged_in(f"{weir}/v3", password="wrong")
        plugin.get_token(connection)


def test_roles_are_those_of_the_keystone(keystone, weir, people):
    admin, connection = logged_in(keystone)
    admin = admin.get_token(connection)
    url = f"{weir}/v1.0/{people['project']}"
    plugin, connection = logged_in(keystone, user="rita")
    token = plugin.get_token(connection)
    call("GET", f"{url}/jobs", token=token)
    status, _ = refused("POST", f"{url}/sql_job", draft("of_rita"), token)
    assert status in (400, 403)
    _, roles = call("GET", f"{keystone}/roles?name=cs_adm", token=admin)
    give(keystone, admin, roles["roles"][0]["id"], people["rita"], people["project"])
    plugin, connection = logged_in(keystone, user="rita")
    call("POST", f"{url}/sql_job", draft("of_rita"), plugin.get_token(connection))


def test_accounts_are_changed_there_and_keys_are_made_here(keystone, weir, people):
    plugin, connection = logged_in(keystone)
    token = plugin.get_token(connection)
    user = {"user": {"name": "new_one", "password": PASSWORD, "domain_id": "default"}}
    # Who may make users here at all is an administrator of the domain.
    status, answer = refused("POST", f"{weir}/v3/users", user, token)
    assert status == 403
    wanted = {"credential": {"user_id": people["admin"], "description": "of a test"}}
    _, made = call("POST", f"{weir}/v3.0/OS-CREDENTIAL/credentials", wanted, token)
    assert made["credential"]["secret"]


def test_administering_the_account_needs_a_scope_on_the_domain(keystone, weir, people):
    plugin, connection = logged_in(keystone)
    token = plugin.get_token(connection)
    te_admin = role(keystone, token, "te_admin", people["admin"], people["project"])
    # Her first call makes her known here.
    plugin, connection = logged_in(keystone, user="rita")
    call("GET", f"{weir}/v1.0/{people['project']}/jobs", token=plugin.get_token(connection))
    keys, wanted = f"{weir}/v3.0/OS-CREDENTIAL/credentials", {"credential": {"user_id": people["rita"]}}
    plugin, connection = logged_in(keystone)
    status, _ = refused("POST", keys, wanted, plugin.get_token(connection))
    assert status == 403
    call("PUT", f"{keystone}/domains/default/users/{people['admin']}/roles/{te_admin}", None, token)
    plugin, connection = logged_in(keystone, domain_id="default")
    _, made = call("POST", keys, wanted, plugin.get_token(connection))
    assert made["credential"]["user_id"] == people["rita"]


def test_a_token_that_is_revoked_is_refused(keystone, weir, people):
    plugin, connection = logged_in(f"{weir}/v3")
    token = plugin.get_token(connection)
    jobs = f"{weir}/v1.0/{people['project']}/jobs"
    call("GET", jobs, token=token)
    request = urllib.request.Request(
        f"{weir}/v3/auth/tokens", headers={"X-Auth-Token": token, "X-Subject-Token": token}, method="DELETE"
    )
    urllib.request.urlopen(request).close()
    status, _ = refused("GET", jobs, token=token)
    assert status in (400, 401)
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(f"{keystone}/auth/tokens", headers=headers))
