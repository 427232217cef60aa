"""Runs the tour of README.md and the guide docs/cli.md as they are printed, so that they never tell anything that does not work."""

import os
import re
import subprocess
import time

import pytest

from conftest import PASSWORD, ROOT, weir_binary

BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)


def block(word):
    """Returns the only block of the README that contains a word."""
    found = [text for text in BLOCKS if word in text]
    assert len(found) == 1, f"{len(found)} blocks of README.md contain {word!r}"
    return found[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory that looks like the root of the repository, with `weir` on the path."""
    place = tmp_path_factory.mktemp("tour")
    (place / "tests").symlink_to(ROOT / "tests")
    return place


def shell(text, place):
    # A user has none of the variables that the client tests read; `weir` would take some for its own options.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WEIR_")}
    environment["PATH"] = f"{weir_binary().parent}:{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", text], cwd=place, env=environment, capture_output=True, text=True, timeout=120
    )


def test_every_block_is_run():
    # The first two that are not: building takes minutes, and the service of the tests is started by conftest.py.
    ours = ["make build", "weir serve", "c4,many", "wrong.sql", "weir format", "weir explain", "weir test tests/jobs", "--stress", "--bind", "--variables", "TOKEN=", "sql_job", "CURSOR=", "weir bucket"]
    assert sorted(block(word) for word in ours) == sorted(BLOCKS), "a block of README.md has no test"


def test_the_first_job_is_right(place):
    text = (ROOT / "README.md").read_text()
    (place / "first.sql").write_text(re.search(r"^```sql\n(.*?)^```", text, re.MULTILINE | re.DOTALL).group(1))
    done = shell("weir check --cluster shared first.sql", place)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_job_without_a_server(place):
    done = shell("set -e\n" + block("c4,many"), place)
    assert done.returncode == 0, done.stderr
    assert "c1" in done.stdout and "c2" in done.stdout
    assert "c3" not in done.stdout and "many" not in done.stdout
    assert "1" in done.stderr, "the summary counts a dirty record"


def test_a_mistake_has_a_place_and_a_hint(place):
    done = shell(block("weir check"), place)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "wrong.sql:4:56" in said, said
    assert "prise" in said and "price" in said and "^" in said
    assert said.strip() in (ROOT / "README.md").read_text(), "README.md shows another message"


def test_a_job_is_laid_out(place):
    done = shell(block("weir format"), place)
    assert done.returncode == 0, done.stderr
    assert 'WITH (\n  type = "file",\n  path = "cars.csv",\n' in done.stdout


def test_a_job_is_explained(place):
    done = shell(block("weir explain"), place)
    assert done.returncode == 0, done.stderr
    assert "Source: FILE_0_CARS" in done.stdout and "guarantee" in done.stdout


def test_a_job_test_passes(place):
    done = shell(block("weir test tests/jobs"), place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 0 failed" in done.stdout


def test_a_job_passes_under_stress(place):
    done = shell(block("--stress"), place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stress: seed " in done.stderr and "1 passed, 0 failed" in done.stdout


def test_a_job_for_streams_runs_on_files(place):
    done = shell(block("--bind"), place)
    assert done.returncode == 0, done.stderr
    expected = (ROOT / "tests/jobs/flights_hourly/hourly_delays.out.csv").read_text()
    assert sorted((place / "delays.csv").read_text().splitlines()) == sorted(expected.splitlines())


def test_a_variable_stands_for_its_value(place):
    done = shell("set -e\n" + block("--variables"), place)
    assert done.returncode == 0, done.stderr
    assert "c1" in done.stdout and "c3" not in done.stdout
    assert shell("weir run anywhere.sql", place).returncode == 1


def test_objects_go_in(place):
    # The data directory of the service that the page has started by then.
    (place / "weir-data").mkdir(exist_ok=True)
    done = shell("set -e\n" + block("weir bucket"), place)
    assert done.returncode == 0, done.stderr
    assert "in/cars.csv" in done.stdout


def test_the_options_that_the_readme_names_exist(place):
    text = (ROOT / "README.md").read_text()
    for command in sorted(set(re.findall(r"\bweir (serve|run|check|format|explain|test|demo|bucket|variable|config|login|job)\b", text))):
        assert shell(f"weir {command} --help", place).returncode == 0
    done = shell("weir config show --origin", place)
    assert done.returncode == 0 and "listen" in done.stdout


def test_the_demo_says_what_the_readme_shows(place):
    """Every line but those with a time or an address, which differ from run to run."""
    shown = re.search(r"^```text\n(A service runs.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    done = shell("weir demo", place)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    differs = re.compile(r"^ +[0-9.]+ s  |^A service runs at ")
    missing = [line for line in shown.group(1).splitlines() if not differs.match(line) and line not in said]
    assert missing == []


def until(condition, what, limit=30):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.2)
    pytest.fail(f"{what} did not happen within {limit} s")


def test_the_tour_with_curl(weir_service, place):
    log_in = block("X-Auth-Token").replace("http://127.0.0.1:8780", weir_service["WEIR_ENDPOINT"])
    log_in = log_in.replace("Change-Me-1", PASSWORD)
    create, send = block("sql_job"), block("/records -d")
    save = 'echo "JOB=$JOB" > job.sh\n'
    done = shell(log_in + create + save, place)
    assert done.returncode == 0, done.stderr
    assert "CS." in done.stdout, done.stdout
    load = log_in + ". ./job.sh\n"
    detail = load + "api $W/v1.0/$PROJECT/job/$JOB"
    until(lambda: "job_running" in shell(detail, place).stdout, "the job's start")

    put, read = send.split("CURSOR=", 1)
    read, stop = read.rsplit("api $W/v1.0/$PROJECT/jobs/metrics", 1)
    stop = "api $W/v1.0/$PROJECT/jobs/metrics" + stop
    shell(load + put, place)
    until(lambda: '"data"' in shell(load + "CURSOR=" + read, place).stdout, "the record's arrival")
    done = shell(load + stop, place)
    assert '"records":1' in done.stdout.replace(" ", ""), done.stdout
    until(lambda: "job_cancel_success" in shell(detail, place).stdout, "the job's end")


def test_the_guide_to_the_client(weir_service, place):
    """The blocks of docs/cli.md, with the password on standard input and profiles in a place of their own."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs/cli.md").read_text(), re.MULTILINE | re.DOTALL)
    log_in, job, groups, manual = blocks
    log_in = log_in.replace("http://127.0.0.1:8780", weir_service["WEIR_ENDPOINT"])
    log_in = log_in.replace("weir login", f"echo {PASSWORD} | weir login")
    # Other tests make projects beside it.
    start = "set -e\nexport XDG_CONFIG_HOME=$PWD/config WEIR_PROJECT=local\n"
    done = shell(start + log_in, place)
    assert done.returncode == 0 and "admin" in done.stdout, done.stderr
    done = shell(start + job, place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "job_running" in done.stdout and "Source: DATAGEN" in done.stdout and "job_cancel_success" in done.stdout
    done = shell(start + groups, place)
    assert done.returncode == 0 and "admin" in done.stdout, done.stdout + done.stderr
    done = shell(start + manual + "source weir.bash\ntest -s man1/weir-job-run.1", place)
    assert done.returncode == 0, done.stderr
