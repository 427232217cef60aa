"""The identity service, used by keystoneauth1 and by plain HTTP."""

import json
import os
import urllib.error
import urllib.request
import uuid

import keystoneauth1.exceptions
import pytest
from keystoneauth1 import session
from keystoneauth1.identity import generic, v3


def needed(name):
    """Returns a variable of the environment; a test without it fails instead of being left out."""
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"{name} is not set; see tests/python/conftest.py")
    return value


def login(**options):
    options.setdefault("password", needed("WEIR_PASSWORD"))
    return {
        "username": os.environ.get("WEIR_USER", "admin"),
        "user_domain_name": os.environ.get("WEIR_DOMAIN", "admin"),
        **options,
    }


def project():
    return {"project_id": needed("WEIR_PROJECT_ID")}


@pytest.fixture(autouse=True)
def service(weir_service):
    return weir_service


@pytest.mark.parametrize("plugin", [v3.Password, generic.Password])
@pytest.mark.parametrize("path", ["/v3", "/v3/", "", "/"])
def test_password_with_project_scope(plugin, path):
    if plugin is v3.Password and "v3" not in path:
        path = "/v3"
    auth = plugin(auth_url=needed("WEIR_ENDPOINT") + path, **login(**project()))
    connection = session.Session(auth=auth)
    access = auth.get_access(connection)
    assert access.project_id == needed("WEIR_PROJECT_ID")
    assert "cs_adm" in access.role_names
    endpoint = connection.get_endpoint(service_type="cs", interface="public")
    assert endpoint == f"{needed('WEIR_ENDPOINT')}/v1.0/{needed('WEIR_PROJECT_ID')}"
    assert connection.get_endpoint(service_type="object", interface="public") == needed("WEIR_S3_ENDPOINT")
    answer = connection.get("/auth/projects", endpoint_filter={"service_type": "identity", "interface": "public"})
    assert needed("WEIR_PROJECT_ID") in [found["id"] for found in answer.json()["projects"]]


def test_scope_by_name_with_domain():
    auth = v3.Password(auth_url=needed("WEIR_ENDPOINT") + "/v3", **login(**project()))
    name = auth.get_access(session.Session()).project_name
    domain = {"project_name": name, "project_domain_name": os.environ.get("WEIR_DOMAIN", "admin")}
    by_name = v3.Password(auth_url=needed("WEIR_ENDPOINT") + "/v3", **login(**domain))
    assert by_name.get_access(session.Session()).project_id == needed("WEIR_PROJECT_ID")


def test_token_gives_token():
    first = v3.Password(auth_url=needed("WEIR_ENDPOINT") + "/v3", unscoped=True, **login())
    access = first.get_access(session.Session())
    assert access.project_id is None
    second = v3.Token(auth_url=needed("WEIR_ENDPOINT") + "/v3", token=access.auth_token, **project())
    assert second.get_access(session.Session()).project_id == needed("WEIR_PROJECT_ID")


def test_domain_scope():
    domain = {"domain_name": os.environ.get("WEIR_DOMAIN", "admin")}
    auth = v3.Password(auth_url=needed("WEIR_ENDPOINT") + "/v3", **login(**domain))
    assert "te_admin" in auth.get_access(session.Session()).role_names


def test_wrong_password_names_its_reason():
    options = login(password="wrong-password", **project())
    auth = v3.Password(auth_url=needed("WEIR_ENDPOINT") + "/v3", **options)
    with pytest.raises(keystoneauth1.exceptions.http.Unauthorized) as failure:
        auth.get_access(session.Session())
    assert "password is wrong" in str(failure.value)


def test_revoked_token_is_refused():
    auth = v3.Password(auth_url=needed("WEIR_ENDPOINT") + "/v3", **login(**project()))
    token = auth.get_access(session.Session()).auth_token
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    assert call("GET", "/v3/auth/tokens", headers=headers)[0] == 200
    assert call("DELETE", "/v3/auth/tokens", headers=headers)[0] == 204
    assert call("GET", "/v3/auth/tokens", headers=headers)[0] == 401


def call(method, path, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(needed("WEIR_ENDPOINT") + path, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as failure:
        return failure.code, json.loads(failure.read())


def test_administrator_makes_a_user_of_a_second_project():
    auth = v3.Password(auth_url=needed("WEIR_ENDPOINT") + "/v3", **login(**project()))
    headers = {"X-Auth-Token": auth.get_access(session.Session()).auth_token, "Content-Type": "application/json"}
    suffix = uuid.uuid4().hex[:8]
    status, made = call("POST", "/v3/projects", {"project": {"name": f"second_{suffix}"}}, headers)
    assert status == 201
    second = made["project"]["id"]
    user = {"name": f"user{suffix}", "password": "a-password"}
    status, made = call("POST", "/v3/users", {"user": user}, headers)
    assert status == 201
    path = f"/v3/projects/{second}/users/{made['user']['id']}/roles/cs_user"
    assert call("PUT", path, headers=headers)[0] == 204
    auth = v3.Password(
        auth_url=needed("WEIR_ENDPOINT") + "/v3",
        username=user["name"],
        password=user["password"],
        user_domain_name=os.environ.get("WEIR_DOMAIN", "admin"),
        project_id=second,
    )
    assert auth.get_access(session.Session()).role_names == ["cs_user"]
    assert call("DELETE", f"/v3/users/{made['user']['id']}", headers=headers)[0] == 204
