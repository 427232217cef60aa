"""Column (b): the job on Apache Flink, as `weir explain --flink` translates it."""

import datetime
import json
import pathlib
import re
import subprocess
import tempfile

import respell
from flink import FlinkError

EPOCH = datetime.datetime(1970, 1, 1)


class Refused(Exception):
    """The translator says that Flink cannot run the job."""

    def words(self):
        """Returns the first line of what it says, without the place."""
        line = next(iter(str(self).splitlines()), "")
        return re.sub(r"^error(\[[^]]*\])?: (job\.sql(:\d+:\d+)?: )?", "", line)


def json_value(value):
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03d}"
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    raise TypeError(type(value))


class Decimals(json.JSONEncoder):
    """Writes a DECIMAL as the number it is."""

    def default(self, value):
        return json_value(value)


def write_records(case, stream, path):
    with path.open("w") as file:
        for row in case.records(stream.name):
            document = {name: numbers(value) for (name, _), value in zip(stream.columns, row)}
            file.write(json.dumps(document, default=json_value, ensure_ascii=False) + "\n")


def numbers(value):
    """DECIMAL goes as text, which the JSON format of Flink reads without loss."""
    if isinstance(value, dict):
        return {key: numbers(one) for key, one in value.items()}
    if isinstance(value, list):
        return [numbers(one) for one in value]
    return str(value) if type(value).__name__ == "Decimal" else value


def files(case, place):
    """Writes the records of every source and dimension table; returns the files by name."""
    paths = {}
    for stream in case.job.streams.values():
        if stream.kind in ("source", "table"):
            paths[stream.name] = place / f"{stream.name}.json"
            write_records(case, stream, paths[stream.name])
    return paths


def respelled(_weir, case, place):
    """Returns the statements of the job's own text, respelled."""
    return respell.Respelling(case.job).script(files(case, place))


def translated(weir, case, place):
    """Returns the statements of `weir explain --flink --json` over the case's records."""
    job = place / "job.sql"
    job.write_text(case.sql)
    command = [weir, "explain", "--flink", "--json", job]
    for name, path in files(case, place).items():
        command += ["--bind", f"{name}={path}"]
    if "time_zone" in case.keys:
        command += ["--time-zone", case.keys["time_zone"]]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode == 1:
        # The place of the temporary file would differ at every run.
        raise Refused(answer.stderr.strip().replace(f"{place}/", ""))
    if answer.returncode != 0:
        raise FlinkError(f"weir explain ended with {answer.returncode}: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def check(case, cluster, weir, translate=translated):
    """Returns what differs, or None. Raises `Refused` when there is no translation."""
    with tempfile.TemporaryDirectory() as place, cluster.session() as session:
        script = translate(weir, case, pathlib.Path(place))
        changes = {}
        for statement in script["setup"]:
            session.execute(statement)
        for query in script["queries"]:
            changes[query["sink"].lower()] = session.execute(query["sql"])
    for output, keys in case.outputs.items():
        found = [(kind, case.converted(output, row)) for kind, row in changes[output.lower()]]
        text = case.compare(output, found, "flink" if "flink" in keys else None, in_order=False)
        if text:
            return text
    return None
