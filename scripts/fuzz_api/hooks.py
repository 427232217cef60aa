"""What schemathesis is told about this API: values that lead somewhere, and what an answer must be beside its schema.

Most values that it makes are refused by the first check of a call. So ids, names and texts are replaced in part of the calls by such
as the service knows; which, follows from the value that was made, so that a seed repeats the calls.
"""

import json
import os
import zlib

import schemathesis

SQL = """CREATE SOURCE STREAM s (a INT, b STRING) WITH (type = "datagen", rows_per_second = "10");
CREATE SINK STREAM t (a INT, b STRING) WITH (type = "apig", app_id = "fuzz", encode = "json");
INSERT INTO t SELECT a, b FROM s WHERE a > 10;"""

# Codes that say that the service failed.
FAULTS = {"CS.10001", "CS.26500", "CS.10015"}


def pick(*values):
    return lambda number: values[number % len(values)]


KNOWN = {
    "job_id": lambda number: 1 + number % 16,
    "cluster_id": lambda number: 1 + number % 8,
    "template_id": lambda number: 1 + number % 4,
    "id": lambda number: 1 + number % 4,
    "host_id": lambda number: 1 + number % 4,
    "name": lambda number: f"n{number % 1000}",
    "sql_body": pick(SQL, "", "SELECT", SQL.replace('"json"', '"csv"')),
    "run_mode": pick("shared_cluster", "shared_cluster", "exclusive_cluster", "edge_node"),
    "job_type": pick("flink_sql_job", "flink_sql_job", "flink_sql_edge_job"),
    "edge_group_ids": pick("g1", "g1,g2"),
    "spu_number": lambda number: 1 + number % 6,
    "parallel_number": lambda number: 1 + number % 4,
    "maximum_spu_quota": lambda number: 1 + number % 30,
    "checkpoint_enabled": pick(False, False, True),
    "checkpoint_mode": pick("exactly_once", "at_least_once"),
    "checkpoint_interval": lambda number: 1 + number % 20,
    "obs_bucket": pick("fuzz"),
    "log_enabled": pick(False, True),
    "smn_topic": pick(""),
    "udf_jar_url": pick(""),
    "idle_state_retention": lambda number: number % 61,
    "dirty_data_strategy": pick("0", "1", "2:fuzz/dirty"),
    "tags": pick("a=b", ""),
    "desc": pick("d", ""),
    "zip_file": pick("fuzz/out"),
    "obs_dir": pick("fuzz/out"),
    "ip": lambda number: f"10.0.0.{number % 250}",
    "hostname": lambda number: f"h{number % 50}.example",
    "limit": lambda number: 1 + number % 100,
    "cursor": lambda number: number % 20,
    "resource_type": pick("job", "template", "cluster"),
    "savepoint_path": pick("fuzz/savepoints/1"),
    "status": pick("job_init", "job_running"),
    "order": pick("asc", "desc"),
    "destination": lambda number: f"192.168.{number % 200}.0/24",
    "jar_url": pick("fuzz/jars"),
    "main_class": pick("Main"),
    "manager_spu": lambda number: 1 + number % 4,
    "action": pick("TRIGGER"),
    # Those of what was made beforehand.
    **{name: pick(id) for name, id in json.loads(os.environ.get("FUZZ_IDS", "{}")).items()},
}  # fmt: skip


def replaced(name, value):
    """Returns the value, or in three of four cases one that the service knows."""
    number = zlib.crc32(f"{name}={value!r}".encode("utf-8", "surrogatepass"))
    if name not in KNOWN or number % 4 == 0:
        return value
    return KNOWN[name](number // 4)


def mapped(values):
    if isinstance(values, dict):
        return {name: mapped(replaced(name, value)) for name, value in values.items()}
    if isinstance(values, list):
        return [replaced("job_id", value) if isinstance(value, int) else mapped(value) for value in values]
    return values


@schemathesis.hook
def map_path_parameters(_context, path_parameters):
    return mapped(path_parameters)


@schemathesis.hook
def map_query(_context, query):
    return mapped(query)


@schemathesis.hook
def map_body(_context, body):
    return mapped(body)


def answer_of(response):
    try:
        answer = response.json()
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


@schemathesis.check
def no_fault_of_the_service(_context, response, _case):
    """No call makes the service fail: such a code would hide what 5xx says elsewhere."""
    code = (answer_of(response).get("error_id") or answer_of(response).get("error_code") or "").replace("DLI.", "CS.")
    assert code not in FAULTS, f"{code}: {response.text}"


@schemathesis.check
def code_of_the_operation(_context, response, case):
    """An error has a code that the description of the operation lists, a success its message id."""
    described = case.operation.definition.raw
    answer = answer_of(response)
    code = (answer.get("error_id") or answer.get("error_code") or "").replace("DLI.", "CS.")
    # A method that the route does not have is no operation.
    is_route = case.method.lower() == case.operation.method.lower()
    if code and is_route:
        assert code in described["x-errors"] or code == "CS.10003", f"{code} is not among the codes of the operation"
    if "message_id" in answer and "x-message-id" in described:
        assert answer["message_id"] == described["x-message-id"], answer["message_id"]
