"""Runs a real Keystone on a database of its own, with an administrator and one project."""

import contextlib
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
PASSWORD = "Keystone-Pass-1"
START_LIMIT_SECONDS = 120


def home():
    """Returns where Keystone is installed, or leaves the test out; in CI it must be there."""
    script = ["sh", str(ROOT / "scripts" / "setup_keystone.sh"), "--where"]
    place = pathlib.Path(subprocess.run(script, check=True, capture_output=True, text=True).stdout.strip())
    if not (place / "installed-requirements.txt").exists():
        if os.environ.get("WEIR_TEST_SERVERS") == "required":
            pytest.fail(f"there is no Keystone in {place}; run scripts/setup_keystone.sh")
        pytest.skip("Keystone is not installed; run scripts/setup_keystone.sh")
    return place


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running_keystone(place):
    """Yields the address of a Keystone that keeps its things in a directory."""
    bin_of = home() / "bin"
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}/v3"
    for name in ("fernet", "credential"):
        (place / name).mkdir()
    settings = place / "keystone.conf"
    settings.write_text(
        f"[DEFAULT]\nlog_file = {place}/keystone.log\n"
        f"[database]\nconnection = sqlite:///{place}/keystone.db\n"
        f"[fernet_tokens]\nkey_repository = {place}/fernet\n"
        f"[credential]\nkey_repository = {place}/credential\n"
    )

    def manage(*arguments):
        command = [bin_of / "keystone-manage", "--config-file", settings, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_LIMIT_SECONDS)
        assert done.returncode == 0, done.stderr

    manage("db_sync")
    manage("fernet_setup", "--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid()))
    manage("bootstrap", "--bootstrap-password", PASSWORD, "--bootstrap-public-url", endpoint, "--bootstrap-region-id", "local")
    environment = {**os.environ, "OS_KEYSTONE_CONFIG_FILES": str(settings), "KEYSTONE_PORT": str(port)}
    with (place / "serve.log").open("wb") as output:
        process = subprocess.Popen([bin_of / "python", HERE / "serve.py"], env=environment, stdout=output, stderr=output)
    try:
        wait_for(process, endpoint, place / "serve.log")
        yield endpoint
    finally:
        process.terminate()
        process.wait(timeout=15)


def wait_for(process, endpoint, log):
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(endpoint, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()[-4000:]
            time.sleep(0.1)
    pytest.fail(f"Keystone did not start in {START_LIMIT_SECONDS} s:\n{log.read_text()[-4000:]}")
