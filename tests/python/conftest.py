"""Starts one service for all client tests and tells them where it is.

What the tests read from the environment:

    WEIR_ENDPOINT, WEIR_DIS_ENDPOINT  address of the API and of the stream API (the same)
    WEIR_S3_ENDPOINT                  address of the object endpoint
    WEIR_AK, WEIR_SK                  an access key pair of the user `admin`
    WEIR_TOKEN                        a token with a scope on the default project
    WEIR_PROJECT_ID, WEIR_DOMAIN_ID   ids of the default project and domain
    WEIR_USER, WEIR_PASSWORD          name and password of the user
    WEIR_DATA                         the data directory

When WEIR_ENDPOINT is set already, that service is used and nothing is started.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PASSWORD = "Test-Pass-4711"
START_LIMIT_SECONDS = 30
END_LIMIT_SECONDS = 15


def weir_binary():
    """Returns the binary under test: WEIR_BIN, else the debug build."""
    path = pathlib.Path(os.environ.get("WEIR_BIN", ROOT / "target" / "debug" / "weir"))
    if not path.exists():
        pytest.exit(f"there is no {path}; run `cargo build --package weir` or set WEIR_BIN", returncode=2)
    return path


def call(method, url, body=None, token=None):
    """Sends JSON and returns the headers and the JSON of the answer."""
    headers = {"Content-Type": "application/json"}
    if token:
        headers["X-Auth-Token"] = token
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
        return answer.headers, json.loads(text) if text else None


def read_address(path):
    try:
        address = path.read_text().strip()
    except FileNotFoundError:
        return None
    if not address:
        return None
    return address if address.startswith("http") else f"http://{address}"


def wait_for_address(process, path, log):
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline:
        address = read_address(path)
        if address:
            return address
        if process.poll() is not None:
            pytest.exit(f"weir serve ended with {process.returncode}:\n{log.read_text()}", returncode=2)
        time.sleep(0.02)
    process.kill()
    pytest.exit(f"weir serve wrote no {path} in {START_LIMIT_SECONDS} s:\n{log.read_text()}", returncode=2)


def log_in(endpoint):
    """Returns the variables that a client of this service needs."""
    user = {"name": "admin", "password": PASSWORD, "domain": {"name": "weir"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    headers, body = call("POST", f"{endpoint}/v3/auth/tokens", {"auth": {"identity": identity}})
    user_id = body["token"]["user"]["id"]
    _, projects = call("GET", f"{endpoint}/v3/auth/projects", token=headers["X-Subject-Token"])
    project = projects["projects"][0]
    scope = {"project": {"id": project["id"]}}
    headers, _ = call("POST", f"{endpoint}/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope}})
    token = headers["X-Subject-Token"]
    _, created = call(
        "POST",
        f"{endpoint}/v3.0/OS-CREDENTIAL/credentials",
        {"credential": {"user_id": user_id, "description": "client tests"}},
        token,
    )
    return {
        "WEIR_AK": created["credential"]["access"],
        "WEIR_SK": created["credential"]["secret"],
        "WEIR_TOKEN": token,
        "WEIR_PROJECT_ID": project["id"],
        "WEIR_PROJECT_NAME": project["name"],
        "WEIR_DOMAIN_ID": project["domain_id"],
        "WEIR_USER_ID": user_id,
    }


@contextlib.contextmanager
def running_weir(place, *options):
    """Runs a service of its own in a directory; yields its address and process. SIGTERM ends it, unless it has ended."""
    data, log = place / "data", place / "service.log"
    # Left by one that was killed.
    (data / "endpoint").unlink(missing_ok=True)
    command = [weir_binary(), "serve", "--listen", "127.0.0.1:0", "--data", data, *options]
    environment = {**os.environ, "WEIR_ADMIN_PASSWORD": PASSWORD}
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment)
    try:
        yield wait_for_address(process, data / "endpoint", log), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=END_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                pytest.fail(f"weir serve did not end in {END_LIMIT_SECONDS} s:\n{log.read_text()[-4000:]}")


@pytest.fixture(scope="session", autouse=True)
def weir_service(tmp_path_factory):
    """Yields the environment of the service; ends the service after the last test."""
    if os.environ.get("WEIR_ENDPOINT"):
        yield os.environ
        return
    place = tmp_path_factory.mktemp("weir")
    data, log = place / "data", place / "service.log"
    command = [weir_binary(), "serve", "--listen", "127.0.0.1:0", "--data", data]
    environment = {**os.environ, "WEIR_ADMIN_PASSWORD": PASSWORD}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment)
    endpoint = wait_for_address(process, data / "endpoint", log)
    s3_endpoint = wait_for_address(process, data / "s3-endpoint", log)
    os.environ.update(
        {
            "WEIR_ENDPOINT": endpoint,
            "WEIR_DIS_ENDPOINT": endpoint,
            "WEIR_S3_ENDPOINT": s3_endpoint,
            "WEIR_USER": "admin",
            "WEIR_DOMAIN": "weir",
            "WEIR_PASSWORD": PASSWORD,
            "WEIR_DATA": str(data),
            **log_in(endpoint),
        }
    )
    yield os.environ
    process.send_signal(signal.SIGTERM)
    try:
        code = process.wait(timeout=END_LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"weir serve did not end within {END_LIMIT_SECONDS} s of SIGTERM:\n{log.read_text()[-4000:]}")
    if code != 0:
        pytest.fail(f"weir serve ended with {code} after SIGTERM:\n{log.read_text()[-4000:]}")
