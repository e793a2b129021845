"""DuckDB's httpfs extension as an S3 client: a foreign engine reads and writes what Boathouse keeps.

DuckDB runs in a process of its own, whose interpreter BOATHOUSE_DUCKDB_PYTHON names: `cargo xtask test` makes its
environment of `requirements-duckdb.txt`. Where it is missing, as in a run of this file alone, the suite is skipped.
"""

import csv
import io
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

PYTHON = os.environ.get("BOATHOUSE_DUCKDB_PYTHON", sys.executable)
# Loads the extensions that packages bring along (signed files; DuckDB checks them) and answers each statement's rows.
PROGRAM = """
import glob, importlib.util, json, os, sys
import duckdb
connection = duckdb.connect()
connection.execute("SET enable_progress_bar = false")  # it would stand among the answers when a statement is slow
for name in sys.argv[1:]:
    package = importlib.util.find_spec(f"duckdb_extension_{name}")
    if package is None:
        sys.exit(f"duckdb-extension-{name} is not installed")
    folder = os.path.dirname(package.origin)
    (file,) = glob.glob(f"{folder}/extensions/v{duckdb.__version__}/{name}.duckdb_extension") or [None]
    if file is None:
        sys.exit(f"duckdb-extension-{name} is not made for DuckDB {duckdb.__version__}")
    connection.load_extension(file)
answers = []
for statement in json.load(sys.stdin):
    try:
        answers.append(connection.execute(statement).fetchall())
    except duckdb.Error as error:
        answers.append(str(error))
print(json.dumps(answers, default=str))
"""


def duckdb(environment, *statements, extensions=("httpfs",)):
    done = subprocess.run(
        [PYTHON, "-c", PROGRAM, *extensions],
        input=json.dumps(statements),
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout), None


MISSING = duckdb(dict(os.environ), "SELECT 1")[1]
pytestmark = pytest.mark.skipif(
    MISSING is not None,
    reason=f"NO DUCKDB WITH S3: {MISSING}. Make an environment of tests/requirements-duckdb.txt and name its interpreter "
    "in BOATHOUSE_DUCKDB_PYTHON",
)


def secret(server, key="test", password="test", style="path"):
    return (
        f"CREATE OR REPLACE SECRET (TYPE s3, KEY_ID '{key}', SECRET '{password}', REGION 'us-east-1', "
        f"ENDPOINT '{server.url.removeprefix('http://')}', USE_SSL false, URL_STYLE '{style}')"
    )


@pytest.fixture
def s3(shared):
    return shared.client("s3", "test", "test")


@pytest.fixture
def bucket(s3, unique):
    name = unique("duck")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def ask(shared):
    """Runs statements on the shared server's objects and answers the rows of the last."""

    def run(*statements):
        answers, failure = duckdb(dict(os.environ), secret(shared), *statements)
        assert failure is None, failure
        for answer in answers[:-1]:
            assert not isinstance(answer, str), answer
        return answers[-1]

    return run


def parquet(**values):
    file = io.BytesIO()
    pq.write_table(pa.table(values), file, row_group_size=1000)
    return file.getvalue()


def test_parquet_is_read_in_ranges(s3, bucket, ask):
    s3.put_object(Bucket=bucket, Key="f/a.parquet", Body=parquet(n=list(range(10_000)), text=[f"row {n}" for n in range(10_000)]))
    found = ask(f"SELECT count(*), sum(n), max(text) FROM 's3://{bucket}/f/a.parquet' WHERE n >= 5000")
    assert found == [[5000, sum(range(5000, 10_000)), "row 9999"]]


def test_globs_and_hive_partitions(s3, bucket, ask):
    for year in (2013, 2014):
        for month in (1, 2, 3):
            key = f"flights/year={year}/month={month}/part 0.parquet"
            s3.put_object(Bucket=bucket, Key=key, Body=parquet(delay=[year % 100, month]))
    source = f"read_parquet('s3://{bucket}/flights/*/*/*.parquet', hive_partitioning = true)"
    assert ask(f"SELECT year, sum(delay) FROM {source} GROUP BY year ORDER BY year") == [[2013, 45], [2014, 48]]
    assert ask(f"SELECT count(*) FROM {source} WHERE year = 2014 AND month > 1") == [[4]]


def test_csv_and_json_are_read(s3, bucket, ask):
    text = io.StringIO()
    csv.writer(text).writerows([["id", "note"], [1, "late, but safe"], [2, "on\ntime"]])
    s3.put_object(Bucket=bucket, Key="notes.csv", Body=text.getvalue().encode())
    assert ask(f"SELECT note FROM read_csv('s3://{bucket}/notes.csv') ORDER BY id") == [["late, but safe"], ["on\ntime"]]
    s3.put_object(Bucket=bucket, Key="events.json", Body=b'{"a": 1, "b": ["x"]}\n{"a": 2}\n')
    assert ask(f"SELECT sum(a), first(b[1] ORDER BY a) FROM read_json('s3://{bucket}/events.json')") == [[3, "x"]]


def test_what_duckdb_writes_is_an_object(s3, bucket, ask):
    rows = 300_000
    made = f"SELECT range AS n, md5(range::VARCHAR) AS text FROM range({rows})"
    ask(
        "SET s3_uploader_max_filesize = '50GB'",  # parts of 5 MiB
        f"COPY ({made}) TO 's3://{bucket}/out/big.parquet' (FORMAT parquet, COMPRESSION uncompressed)",
    )
    body = s3.get_object(Bucket=bucket, Key="out/big.parquet")["Body"].read()
    assert len(body) > 10 * 1024 * 1024, "large enough for several parts"
    table = pq.read_table(io.BytesIO(body))
    assert table.num_rows == rows and table["n"].to_pylist()[-1] == rows - 1
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_partitioned_writes(s3, bucket, ask):
    ask(f"COPY (SELECT range AS n, range % 3 AS part FROM range(30)) TO 's3://{bucket}/parts' (FORMAT parquet, PARTITION_BY part)")
    keys = [it["Key"] for it in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert {key.split("/")[1] for key in keys} == {"part=0", "part=1", "part=2"}
    assert ask(f"SELECT sum(n) FROM 's3://{bucket}/parts/*/*.parquet'") == [[sum(range(30))]]


def test_refusals_reach_duckdb(shared, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a.parquet", Body=parquet(n=[1]))
    read = f"SELECT * FROM 's3://{bucket}/a.parquet'"
    gone = f"SELECT * FROM 's3://{bucket}/none.parquet'"
    answers, failure = duckdb(
        dict(os.environ), secret(shared, password="wrong"), read, secret(shared), gone, read
    )
    assert failure is None, failure
    assert "403" in answers[1], answers[1]
    assert "404" in answers[3], answers[3]
    assert answers[4] == [[1]]
