"""All of TPC-DS's queries through Athena, with DuckDB's answers on the same small tables.

Data and queries come from DuckDB's extension, which an interpreter of its own has: BOATHOUSE_DUCKDB_PYTHON names it, and
`cargo xtask test` makes it of `requirements-duckdb.txt`. Where it is missing, as in a run of this file alone, the suite is
skipped.
"""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import wait_for

sys.path.insert(0, str(Path(__file__).parents[1] / "xtask/bench"))
from answers import Duck, difference, unordered_difference  # noqa: E402
from tpcds_data import prepared, to_trino, without_limit  # noqa: E402

SCALE = "0.01"
LAKE = "tpcds"


class Lake:
    def __init__(self, server, directory, duck):
        self.athena, self.s3 = server.client("athena", "test", "test"), server.client("s3", "test", "test")
        self.s3.create_bucket(Bucket=LAKE)
        self.succeeded(f"CREATE DATABASE {LAKE}")
        for name in duck.tables:
            self.s3.upload_file(str(directory / f"{name}.parquet"), LAKE, f"data/{name}/{name}.parquet")
            columns = ", ".join(f"`{column}` {kind}" for column, kind in duck.columns(name))
            location = f"s3://{LAKE}/data/{name}/"
            self.succeeded(f"CREATE EXTERNAL TABLE {name} ({columns}) STORED AS PARQUET LOCATION '{location}'")

    def execution(self, sql):
        name = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": LAKE},
            ResultConfiguration={"OutputLocation": f"s3://{LAKE}/results/"},
        )["QueryExecutionId"]

        def ended():
            found = self.athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]
            return found if found["Status"]["State"] not in ("QUEUED", "RUNNING") else None

        return wait_for(ended, f"the end of {sql}", timeout=120)

    def succeeded(self, sql):
        execution = self.execution(sql)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"].get("StateChangeReason")
        return execution

    def rows(self, sql):
        location = self.succeeded(sql)["ResultConfiguration"]["OutputLocation"]
        body = self.s3.get_object(Bucket=LAKE, Key=location.removeprefix(f"s3://{LAKE}/"))["Body"].read().decode()
        # A line without anything is a row of one NULL.
        return [row or [""] for row in csv.reader(io.StringIO(body))][1:]


def what_differs(lake, duck, text):
    """Nothing, if Athena says what DuckDB says; where an order leaves open which rows a LIMIT cuts off, without it."""
    try:
        if not difference(lake.rows(to_trino(text)), duck.rows(text)):
            return ""
        text = without_limit(text)
        return unordered_difference(lake.rows(to_trino(text)), duck.rows(text))
    except AssertionError as failed:
        return str(failed).splitlines()[0]


def test_all_queries_give_the_same_rows_as_duckdb(shared, tmp_path):
    try:
        texts = prepared(os.environ.get("BOATHOUSE_DUCKDB_PYTHON", sys.executable), SCALE, tmp_path / "data")
    except subprocess.CalledProcessError:
        pytest.skip(
            "NO TPC-DS: make an environment of tests/requirements-duckdb.txt and name its interpreter in "
            "BOATHOUSE_DUCKDB_PYTHON"
        )
    duck = Duck(tmp_path / "data", threads=1)
    lake = Lake(shared, tmp_path / "data", duck)
    differences = {number: what_differs(lake, duck, text) for number, text in texts.items()}
    assert len(differences) == 99
    assert {number: what for number, what in differences.items() if what} == {}
