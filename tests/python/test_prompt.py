"""Passwords that are typed on a terminal: hidden while they are typed, and nothing is hidden afterwards."""

import fcntl
import os
import pty
import signal
import subprocess
import termios
import time

import pytest
from conftest import PASSWORD, weir_binary

LIMIT_SECONDS = 20


class Prompt:
    """`weir login` on a terminal of its own."""

    def __init__(self, home):
        self.master, self.terminal = pty.openpty()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
        environment["XDG_CONFIG_HOME"] = str(home)
        self.process = subprocess.Popen(
            [weir_binary(), "login", "--endpoint", os.environ["WEIR_ENDPOINT"], "--project", os.environ["WEIR_PROJECT_NAME"]],
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            env=environment,
            start_new_session=True,
            preexec_fn=self.begin,
        )

    @staticmethod
    def begin():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # A shell that runs the tests in the background has them ignore it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def shows_what_is_typed(self):
        return bool(termios.tcgetattr(self.terminal)[3] & termios.ECHO)

    def wait_until(self, is_so, what):
        deadline = time.monotonic() + LIMIT_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, what
            time.sleep(0.02)

    def type(self, text):
        self.wait_until(lambda: not self.shows_what_is_typed(), "the prompt did not hide what is typed")
        os.write(self.master, text)

    def end(self):
        """Waits for the end of the command and returns its exit code and what the terminal showed."""
        code = self.process.wait(timeout=LIMIT_SECONDS)
        self.wait_until(self.shows_what_is_typed, "the terminal still hides what is typed")
        os.set_blocking(self.master, False)
        return code, os.read(self.master, 65_536).decode()


@pytest.fixture
def prompt(tmp_path):
    prompt = Prompt(tmp_path)
    yield prompt
    prompt.process.kill()
    prompt.process.wait()
    os.close(prompt.master)
    os.close(prompt.terminal)


def test_a_password_is_read_and_not_shown(prompt):
    prompt.type(f"{PASSWORD}\n".encode())
    code, shown = prompt.end()
    assert code == 0, shown
    assert "password of `admin`" in shown and "logged in" in shown and PASSWORD not in shown


def test_an_interrupted_prompt_leaves_a_terminal_that_shows_what_is_typed(prompt):
    prompt.type(b"half\x03")
    code, shown = prompt.end()
    assert code != 0 and "logged in" not in shown
