"""dbt with its Athena adapter, unmodified: seeds, views, tables, incremental models, snapshots, tests and docs."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

HIVE = ("--exclude", "tag:lake")
PROJECT = Path(__file__).parent / "dbt"
# The adapter wants an older PyAthena than the other suites, so dbt lives in an environment of its own.
DBT = os.environ.get("BOATHOUSE_DBT")
pytestmark = pytest.mark.skipif(DBT is None, reason="BOATHOUSE_DBT names no dbt: `cargo xtask test` makes one")


class Dbt:
    """The project in a directory of its own, on a bucket and a database of its own."""

    def __init__(self, server, directory, name):
        self.directory = directory / "project"
        shutil.copytree(PROJECT, self.directory)
        self.schema = name.replace("-", "_")
        names = {"DBT_BUCKET": name, "DBT_SCHEMA": self.schema, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
        self.environment = server.environment() | names
        self.athena = server.client("athena", "test", "test")
        self.glue = server.client("glue", "test", "test")
        self.results = f"s3://{name}/results/"
        server.client("s3", "test", "test").create_bucket(Bucket=name)

    def attempt(self, command, *arguments, **variables):
        line = [DBT, "--quiet", command, *arguments, "--profiles-dir", self.directory, "--project-dir", self.directory]
        if variables:
            line += ["--vars", json.dumps(variables)]
        return subprocess.run(line, env=self.environment, capture_output=True, text=True, timeout=300)

    def run(self, command, *arguments, **variables):
        done = self.attempt(command, *arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr

    def rows(self, sql):
        """Rows of a query over the project's tables, as texts."""
        started = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.schema},
            ResultConfiguration={"OutputLocation": self.results},
        )
        asked = {"QueryExecutionId": started["QueryExecutionId"]}
        while (status := self.athena.get_query_execution(**asked)["QueryExecution"]["Status"])["State"] in (
            "QUEUED",
            "RUNNING",
        ):
            time.sleep(0.02)
        assert status["State"] == "SUCCEEDED", status
        rows = self.athena.get_query_results(**asked)["ResultSet"]["Rows"][1:]
        return [tuple(value.get("VarCharValue") for value in row["Data"]) for row in rows]

    def table(self, name):
        return self.glue.get_table(DatabaseName=self.schema, Name=name)["Table"]


@pytest.fixture
def dbt(shared, unique, tmp_path):
    return Dbt(shared, tmp_path, unique("dbt-flights"))


def test_a_project_is_built_grows_and_is_documented(dbt):
    dbt.run("seed")
    assert dbt.rows("SELECT name FROM airlines WHERE carrier = 'UA'") == [('United, formerly "Continental"',)]
    dbt.run("run", *HIVE)
    dbt.run("test", *HIVE)
    assert dbt.rows("SELECT * FROM delays ORDER BY name") == [
        ("American Airlines", "1", "2.00"),
        ("Delta Air Lines", "1", "-6.00"),
        ("JetBlue Airways", "1", "-1.00"),
        ('United, formerly "Continental"', "3", "3.00"),
    ]
    assert [key["Name"] for key in dbt.table("by_day")["PartitionKeys"]] == ["day"]
    assert dbt.rows('SELECT day FROM "by_day$partitions" ORDER BY day') == [("2013-01-01",), ("2013-01-02",)]
    # A day comes anew: what is incremental takes up its rows, and no others twice.
    dbt.run("run", *HIVE, until="2013-01-03")
    for name in ("replaced", "appended"):
        assert dbt.rows(f"SELECT id FROM {name} ORDER BY id") == [(str(number),) for number in range(1, 8)]
    dbt.run("docs", "generate")
    catalog = json.loads((dbt.directory / "target/catalog.json").read_text())
    columns = catalog["nodes"]["model.flights.delays"]["columns"]
    assert [columns[name]["type"] for name in columns] == ["string", "bigint", "decimal(10,2)"]


def test_iceberg_models_are_merged_and_replaced(dbt):
    dbt.run("seed")
    for until in ("2013-01-02", "2013-01-03"):
        dbt.run("run", "--select", "departures_read tag:lake", until=until)
    assert dbt.table("lake")["Parameters"]["table_type"].upper() == "ICEBERG"
    assert dbt.rows("SELECT count(*), count(DISTINCT id) FROM lake") == [("7", "7")]
    assert dbt.rows("SELECT * FROM merged ORDER BY carrier") == [
        ("AA", "1", "2013-01-01"),
        ("B6", "2", "2013-01-03"),
        ("DL", "1", "2013-01-02"),
        ("UA", "3", "2013-01-02"),
    ]


@pytest.mark.parametrize("snapshot", ["airlines_known", "airlines_in_lake"])
def test_snapshots_keep_what_was(dbt, snapshot):
    dbt.run("seed")
    dbt.run("snapshot", "--select", snapshot)
    dbt.run("snapshot", "--select", snapshot)
    assert dbt.rows(f"SELECT count(*), count(dbt_valid_to) FROM {snapshot}") == [("4", "0")]
    dbt.run("snapshot", "--select", snapshot, american="American")
    assert dbt.rows(f"SELECT name, dbt_valid_to IS NULL FROM {snapshot} WHERE carrier = 'AA' ORDER BY 2") == [
        ("American Airlines", "false"),
        ("American", "true"),
    ]


def test_failures_are_dbts(dbt):
    dbt.run("seed")
    dbt.run("run", "--select", "departures_read")
    failed = dbt.attempt("test", "--select", "delays_are_plausible", plausible=3)
    assert failed.returncode == 1 and "Got 1 result" in failed.stdout
    broken = dbt.directory / "models/broken.sql"
    broken.write_text("select carrier + 1 as nonsense from {{ ref('airlines') }}")
    failed = dbt.attempt("run", "--select", "broken")
    assert failed.returncode == 1 and "TYPE_MISMATCH" in failed.stdout
