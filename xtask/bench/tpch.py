"""TPC-H's 22 queries through Athena's API, against DuckDB in this process on the same Parquet files, with two threads.

Data come from tpchgen-cli and are kept for the next run. Every answer is compared with DuckDB's.
"""

import argparse
import csv
import decimal
import io
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
from common import ROOT, WORK, boathouse, cpu_seconds, machine, memory_mb, prose, scratch, table, timed, write

THREADS = 2
# How often a running query is asked after, in seconds.
POLL = 0.05
ROUNDS = 3
QUERIES = sorted((ROOT / "crates/analysis/trino-parser/tests/tpch").glob("q*.sql"))
BUCKET = DATABASE = "tpch"
RESULTS = f"s3://{BUCKET}/results/"
HIVE_TYPES = {"BIGINT": "bigint", "INTEGER": "int", "VARCHAR": "string", "DATE": "date"}


def generated(scale):
    """The directory with one Parquet file for each table."""
    directory = WORK / f"tpch-sf{scale}"
    if not directory.exists():
        unfinished = directory.with_suffix(".part")
        command = Path(sys.executable).with_name("tpchgen-cli")
        subprocess.run([command, "parquet", "-s", scale, "--output-dir", unfinished, "--overwrite"], check=True)
        unfinished.rename(directory)
    return directory


class Duck:
    def __init__(self, directory):
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads={THREADS}")
        self.tables = [file.stem for file in sorted(directory.glob("*.parquet"))]
        for name in self.tables:
            self.connection.execute(f"CREATE VIEW {name} AS FROM read_parquet('{directory / name}.parquet')")

    def columns(self, name):
        """Names and Hive types of a table's columns."""
        described = self.connection.execute(f"DESCRIBE {name}").fetchall()
        return [(column, HIVE_TYPES.get(kind, kind.lower())) for column, kind, *_ in described]

    def run(self, sql):
        return timed(lambda: self.connection.execute(sql).fetchall())


class Failed(Exception):
    """A query that Athena did not answer."""


class Athena:
    def __init__(self, server):
        self.server = server
        self.athena = server.client("athena", "test", "test")
        self.s3 = server.client("s3", "test", "test")
        self.s3.create_bucket(Bucket=BUCKET)

    def load(self, directory, duck):
        """Uploads the files and creates the tables."""
        self.run(f"CREATE DATABASE {DATABASE}")
        for name in duck.tables:
            self.s3.upload_file(str(directory / f"{name}.parquet"), BUCKET, f"data/{name}/{name}.parquet")
            columns = ", ".join(f"`{column}` {kind}" for column, kind in duck.columns(name))
            location = f"s3://{BUCKET}/data/{name}/"
            self.run(f"CREATE EXTERNAL TABLE {name} ({columns}) STORED AS PARQUET LOCATION '{location}'")

    def run(self, sql):
        """The execution, and its seconds: from submission to completion, and those of the two calls around them.

        A client that asks all the time would take from the query the processor that it is measured on.
        """
        started, starting = timed(lambda: self.start(sql))
        while True:
            time.sleep(POLL)
            asked = lambda: self.athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
            answer, asking = timed(asked)
            execution, status = answer["QueryExecution"], answer["QueryExecution"]["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                break
        if status["State"] != "SUCCEEDED":
            raise Failed(status.get("StateChangeReason", status["State"]))
        running = (status["CompletionDateTime"] - status["SubmissionDateTime"]).total_seconds()
        return execution, starting + running + asking

    def start(self, sql):
        return self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": DATABASE},
            ResultConfiguration={"OutputLocation": RESULTS},
        )

    def rows(self, execution):
        """The result file's rows, without its head."""
        key = execution["ResultConfiguration"]["OutputLocation"].removeprefix(f"s3://{BUCKET}/")
        text = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        return list(csv.reader(io.StringIO(text)))[1:]


def same(text, value):
    """Whether a field of a result file says what DuckDB says. Trino rounds averages of decimals to their scale."""
    if isinstance(value, (int, float, decimal.Decimal)):
        return text != "" and math.isclose(float(text), float(value), rel_tol=1e-6, abs_tol=0.01)
    return text == ("" if value is None else str(value))


def difference(rows, expected):
    """What the first difference is, or nothing."""
    if len(rows) != len(expected):
        return f"{len(rows)} rows, not {len(expected)}"
    for number, (row, values) in enumerate(zip(rows, expected, strict=True), 1):
        if len(row) != len(values) or not all(map(same, row, values)):
            return f"row {number}: {row}, not {values}"
    return ""


def rounds(pid, action):
    """What each round answers, and the processor time that the process spent on one."""
    before = cpu_seconds(pid)
    answers = [action() for _ in range(ROUNDS)]
    return answers, max(cpu_seconds(pid) - before, 0.001) / ROUNDS


class Comparison:
    """One query: the best of several rounds on either side, and whether the answers are the same."""

    def __init__(self, athena, duck, file):
        self.name = file.stem.upper()
        sql = file.read_text()
        answers, self.duck_cpu = rounds(os.getpid(), lambda: duck.run(sql))
        self.duck = min(seconds for _, seconds in answers)
        self.answered = False
        try:
            executions, self.cpu = rounds(athena.server.process.pid, lambda: athena.run(sql))
        except Failed as failed:
            self.verdict = f"failed: {failed}".replace("\n", " ")
            return
        self.answered = True
        self.wall = min(seconds for _, seconds in executions)
        self.engine = min(execution["Statistics"]["EngineExecutionTimeInMillis"] for execution, _ in executions) / 1000
        expected = answers[-1][0]
        different = difference(athena.rows(executions[-1][0]), expected)
        self.verdict = f"**differs**: {different}" if different else f"same, {len(expected)}"

    def row(self):
        if not self.answered:
            return [self.name, "", "", "", "", f"{self.duck:.3f}", self.verdict]
        ratios = [f"{self.wall / self.duck:.2f}", f"{self.cpu / self.duck_cpu:.2f}"]
        return [self.name, *ratios, f"{self.wall:.3f}", f"{self.engine:.3f}", f"{self.duck:.3f}", self.verdict]


class Total(Comparison):
    """The sums over all queries that were answered."""

    def __init__(self, comparisons):
        answered = [comparison for comparison in comparisons if comparison.answered]
        for field in ("wall", "engine", "cpu", "duck", "duck_cpu"):
            setattr(self, field, sum(getattr(comparison, field) for comparison in answered))
        self.name, self.answered = "**total**", True
        same_answers = sum(comparison.verdict.startswith("same") for comparison in answered)
        self.verdict = f"{same_answers} of {len(comparisons)} the same"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", default="1")
    scale = parser.parse_args().scale
    # The server and DuckDB are both held to as many cores as they have threads.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    directory = generated(scale)
    duck = Duck(directory)
    with scratch() as data, boathouse(data) as server:
        athena = Athena(server)
        _, loading = timed(lambda: athena.load(directory, duck))
        comparisons = []
        for file in QUERIES:
            comparisons.append(Comparison(athena, duck, file))
            print(comparisons[-1].row(), flush=True)
        peak = memory_mb(server.process, "VmHWM")
    megabytes = sum(file.stat().st_size for file in directory.glob("*.parquet")) / 1e6
    write(
        "tpch",
        f"TPC-H, scale factor {scale}",
        machine("duckdb", "tpchgen-cli"),
        prose(
            f"{megabytes:.0f} MB of Parquet, one file a table, uploaded to S3 and declared with CREATE EXTERNAL TABLE "
            f"in {loading:.1f} s. Every query runs {ROUNDS} times on either side, one side after the other, on "
            f"{THREADS} cores; the best counts. Wall is from SubmissionDateTime to CompletionDateTime, when the result is in "
            "S3, synced, and the time of one call of StartQueryExecution and one of GetQueryExecution. Engine is "
            "EngineExecutionTimeInMillis. DuckDB runs in the client's "
            "process on the same files, from execute to the last row. Files are in the page cache for both. The "
            "ratio is wall to DuckDB; the processor time is of whole processes, and hardly feels what else runs. "
            f"The server's peak memory was {peak:.0f} MB."
        ),
        table(
            ["", "ratio", "CPU ratio", "wall, s", "engine, s", "DuckDB, s", "answer, rows"],
            [comparison.row() for comparison in (*comparisons, Total(comparisons))],
        ),
    )


main()
