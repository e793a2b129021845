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
from common import ROOT, WORK, boathouse, machine, memory_mb, prose, scratch, table, timed, write

THREADS = 2
ROUNDS = 3
QUERIES = sorted((ROOT / "crates/analysis/trino-parser/tests/tpch").glob("q*.sql"))
BUCKET = "tpch"
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
        for name in duck.tables:
            self.s3.upload_file(str(directory / f"{name}.parquet"), BUCKET, f"data/{name}/{name}.parquet")
            columns = ", ".join(f"`{column}` {kind}" for column, kind in duck.columns(name))
            location = f"s3://{BUCKET}/data/{name}/"
            self.run(f"CREATE EXTERNAL TABLE {name} ({columns}) STORED AS PARQUET LOCATION '{location}'")

    def run(self, sql):
        """The execution, and the seconds from its start until it was seen to be over."""
        execution, seconds = timed(lambda: self.finished(sql))
        if execution["Status"]["State"] != "SUCCEEDED":
            raise Failed(execution["Status"].get("StateChangeReason", execution["Status"]["State"]))
        return execution, seconds

    def finished(self, sql):
        started = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": "default"},
            ResultConfiguration={"OutputLocation": RESULTS},
        )
        while True:
            execution = self.athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
            if execution["QueryExecution"]["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return execution["QueryExecution"]
            time.sleep(0.005)

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


class Comparison:
    """One query: the best of several rounds on either side, and whether the answers are the same."""

    def __init__(self, athena, duck, file):
        self.name = file.stem.upper()
        sql = file.read_text()
        answers = [duck.run(sql) for _ in range(ROUNDS)]
        self.duck = min(seconds for _, seconds in answers)
        self.wall = self.engine = None
        try:
            executions = [athena.run(sql) for _ in range(ROUNDS)]
        except Failed as failed:
            self.verdict = f"failed: {failed}".replace("\n", " ")
            return
        self.wall = min(seconds for _, seconds in executions)
        self.engine = min(execution["Statistics"]["EngineExecutionTimeInMillis"] for execution, _ in executions) / 1000
        expected = answers[-1][0]
        different = difference(athena.rows(executions[-1][0]), expected)
        self.verdict = f"**differs**: {different}" if different else f"same, {len(expected)}"

    def row(self):
        if self.wall is None:
            return [self.name, "", "", "", f"{self.duck:.3f}", self.verdict]
        return row(self.name, self.wall, self.engine, self.duck, self.verdict)


def row(name, wall, engine, duck, verdict):
    return [name, f"{wall / duck:.2f}", f"{wall:.3f}", f"{engine:.3f}", f"{duck:.3f}", verdict]


def total(comparisons):
    answered = [comparison for comparison in comparisons if comparison.wall is not None]
    sums = [sum(getattr(comparison, field) for comparison in answered) for field in ("wall", "engine", "duck")]
    same_rows = sum(comparison.verdict.startswith("same") for comparison in answered)
    yield row("**total**", *sums, f"{same_rows} of {len(comparisons)} the same")
    mean = math.exp(sum(math.log(comparison.wall / comparison.duck) for comparison in answered) / len(answered))
    yield ["**geometric mean**", f"{mean:.2f}", "", "", "", ""]


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
            f"{THREADS} cores; the best counts. Wall is from StartQueryExecution until it is seen SUCCEEDED; "
            "the result is then in S3, synced. Engine is EngineExecutionTimeInMillis. DuckDB runs in the client's "
            "process on the same files, from execute to the last row. Files are in the page cache for both. The "
            f"ratio is wall to DuckDB. The server's peak memory was {peak:.0f} MB."
        ),
        table(
            ["", "ratio", "wall, s", "engine, s", "DuckDB, s", "answer, rows"],
            [*(comparison.row() for comparison in comparisons), *total(comparisons)],
        ),
    )


main()
