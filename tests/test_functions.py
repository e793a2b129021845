"""The functions of Athena's SQL by boto3, some hundred calls in a few statements, and their documentation."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import function_cases as cases
from test_athena import World

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    from conftest import Server

    server = Server(tmp_path_factory.mktemp("functions") / "data", "--dev")
    world = World(server)
    for bucket in ("lake", "results"):
        world.s3.create_bucket(Bucket=bucket)
    world.glue.create_database(DatabaseInput={"Name": "lake"})
    yield world
    server.stop()


def compare(world, statement, table):
    """All calls in one statement; if that fails, each in one of its own, so that the wrong ones are named."""
    execution = world.ended(world.start(statement([call for call, _ in table])))
    if execution["Status"]["State"] == "SUCCEEDED":
        found = world.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
        row = found["ResultSet"]["Rows"][1]["Data"]
        values = [datum.get("VarCharValue") for datum in row]
    else:
        values = [alone(world, statement([call])) for call, _ in table]
    wrong = {call: (value, wanted) for (call, wanted), value in zip(table, values) if value != wanted}
    assert not wrong


def alone(world, statement):
    execution = world.ended(world.start(statement))
    if execution["Status"]["State"] != "SUCCEEDED":
        return execution["Status"]["StateChangeReason"]
    found = world.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    return found["ResultSet"]["Rows"][1]["Data"][0].get("VarCharValue")


@pytest.mark.parametrize("topic", cases.SCALAR)
def test_scalar_functions(lake, topic):
    compare(lake, lambda calls: f"SELECT {', '.join(calls)}", cases.SCALAR[topic])


def test_aggregates(lake):
    compare(lake, lambda calls: f"SELECT {', '.join(calls)} FROM {cases.AGGREGATED}", cases.AGGREGATE)


def test_window_functions(lake):
    def statement(calls):
        windows = ", ".join(f"{call} AS w{index}" for index, call in enumerate(calls))
        rows = f"SELECT n, {windows} FROM {cases.WINDOWED} WINDOW w AS (ORDER BY n)"
        return f"SELECT {', '.join(f'array_agg(w{index} ORDER BY n)' for index in range(len(calls)))} FROM ({rows})"

    compare(lake, statement, cases.WINDOW)


@pytest.mark.parametrize(("call", "message"), cases.ERRORS, ids=[call for call, _ in cases.ERRORS])
def test_what_is_refused_has_athenas_words(lake, call, message):
    assert lake.fails(f"SELECT {call}").startswith(message)


def test_the_matrix_of_functions_is_up_to_date():
    command = [sys.executable, "xtask/functions.py", "--check"]
    checked = subprocess.run(command, cwd=PROJECT, env=os.environ, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
