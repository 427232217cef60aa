"""The identity service with openstacksdk and with the commands of python-openstackclient."""

import json
import os
import pathlib
import subprocess
import sys
import uuid

import openstack
import pytest

# Identity of Keystone is all that these clients find here.
LOGIN = {"user_domain_name": "WEIR_DOMAIN", "username": "WEIR_USER", "password": "WEIR_PASSWORD", "project_id": "WEIR_PROJECT_ID"}


@pytest.fixture
def connection(weir_service):
    login = {name: os.environ[variable] for name, variable in LOGIN.items()}
    return openstack.connection.Connection(
        auth={"auth_url": f"{os.environ['WEIR_ENDPOINT']}/v3", **login},
        region_name="local",
        identity_api_version="3",
        identity_interface="public",
    )


def test_the_sdk_logs_in_and_finds_projects_users_and_roles(connection):
    assert connection.current_project_id == os.environ["WEIR_PROJECT_ID"]
    assert connection.current_user_id == os.environ["WEIR_USER_ID"]
    identity = connection.identity
    assert os.environ["WEIR_PROJECT_ID"] in [project.id for project in identity.projects()]
    assert identity.find_project(os.environ["WEIR_PROJECT_NAME"]).id == os.environ["WEIR_PROJECT_ID"]
    assert identity.get_user(os.environ["WEIR_USER_ID"]).name == os.environ["WEIR_USER"]
    assert identity.find_role("cs_adm").name == "cs_adm"


def test_the_sdk_makes_a_user_with_a_role(connection):
    identity = connection.identity
    name = f"u-{uuid.uuid4().hex[:8]}"
    user = identity.create_user(name=name, password="Client-Pass-7", domain_id=os.environ["WEIR_DOMAIN_ID"])
    role, project = identity.find_role("cs_user"), identity.get_project(os.environ["WEIR_PROJECT_ID"])
    identity.assign_project_role_to_user(project, user, role)
    assert identity.validate_user_has_project_role(project, user, role)
    identity.unassign_project_role_from_user(project, user, role)
    assert not identity.validate_user_has_project_role(project, user, role)
    identity.delete_user(user)
    assert identity.find_user(name) is None


def test_the_sdk_is_refused_with_a_wrong_password(weir_service):
    login = {name: os.environ[variable] for name, variable in LOGIN.items()} | {"password": "wrong"}
    connection = openstack.connection.Connection(auth={"auth_url": f"{os.environ['WEIR_ENDPOINT']}/v3", **login})
    with pytest.raises(openstack.exceptions.SDKException, match="HTTP 401"):
        connection.authorize()


def run(*words):
    """Runs a command of the OpenStack client and returns what it prints."""
    program = pathlib.Path(sys.executable).parent / "openstack"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "OS_AUTH_URL": f"{os.environ['WEIR_ENDPOINT']}/v3",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_INTERFACE": "public",
        **{f"OS_{name.upper()}": os.environ[variable] for name, variable in LOGIN.items()},
    }
    done = subprocess.run([program, *words], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def command(*words):
    """Runs a command of the OpenStack client and returns its JSON."""
    return json.loads(run(*words, "-f", "json"))


def test_commands(weir_service):
    issued = command("token", "issue")
    assert (issued["project_id"], issued["user_id"]) == (os.environ["WEIR_PROJECT_ID"], os.environ["WEIR_USER_ID"])
    assert os.environ["WEIR_PROJECT_ID"] in [project["ID"] for project in command("project", "list")]
    assert os.environ["WEIR_USER"] in [user["Name"] for user in command("user", "list")]
    assert "cs_adm" in [role["Name"] for role in command("role", "list")]
    types = [service["Type"] for service in command("catalog", "list")]
    assert {"identity", "cs", "object"} <= set(types)


def test_commands_change_a_user(weir_service):
    name = f"u-{uuid.uuid4().hex[:8]}"
    made = command("user", "create", name, "--password", "Client-Pass-7")
    run("user", "set", name, "--name", f"{name}-new", "--description", "of a test", "--disable")
    shown = command("user", "show", made["id"])
    assert (shown["name"], shown["description"], shown["enabled"]) == (f"{name}-new", "of a test", False)
    run("user", "set", made["id"], "--enable", "--password", "Other-Pass-8")
    assert command("user", "show", made["id"])["enabled"]
    run("user", "delete", made["id"])


def test_commands_change_and_delete_a_project(weir_service):
    name = f"{os.environ['WEIR_PROJECT_NAME']}_{uuid.uuid4().hex[:8]}"
    made = command("project", "create", name, "--domain", os.environ["WEIR_DOMAIN_ID"])
    run("project", "set", name, "--description", "of a test", "--disable")
    shown = command("project", "show", made["id"])
    assert (shown["description"], shown["enabled"]) == ("of a test", False)
    run("project", "set", made["id"], "--enable")
    run("project", "delete", made["id"])
    assert made["id"] not in [project["ID"] for project in command("project", "list")]
    assert os.environ["WEIR_DOMAIN"] in [domain["Name"] for domain in command("domain", "list")]


def test_commands_give_a_group_a_role(weir_service):
    name = f"g-{uuid.uuid4().hex[:8]}"
    group = command("group", "create", name)
    run("group", "add", "user", name, os.environ["WEIR_USER"])
    assert os.environ["WEIR_USER"] in run("group", "contains", "user", name, os.environ["WEIR_USER"])
    run("role", "add", "cs_readonly", "--group", name, "--project", os.environ["WEIR_PROJECT_ID"])
    run("role", "remove", "cs_readonly", "--group", name, "--project", os.environ["WEIR_PROJECT_ID"])
    run("group", "remove", "user", name, os.environ["WEIR_USER"])
    run("group", "delete", group["id"])
    assert name not in [found["Name"] for found in command("group", "list")]
