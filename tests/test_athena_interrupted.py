"""kill -9 while a statement writes: afterwards nothing of it is there, and everything of others is.

Files become visible one by one once all rows are computed. The statements write a hundred partitions, so that there is time
to see the first files and to kill the server before the last ones and before the catalogue knows of them.
"""

import pytest
from conftest import wait_for

ROUNDS = 3
ROWS = "SELECT n, CAST(n % 100 AS varchar) AS p FROM UNNEST(sequence(1, 10000)) AS t (n)"


class Lake:
    def __init__(self, server):
        self.server = server
        self.s3 = server.client("s3", "test", "test")
        self.athena = server.client("athena", "test", "test")
        self.glue = server.client("glue", "test", "test")

    def start(self, statement):
        return self.athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": "lake"},
            ResultConfiguration={"OutputLocation": "s3://lake/results/"},
        )["QueryExecutionId"]

    def status(self, name):
        return self.athena.get_query_execution(QueryExecutionId=name)["QueryExecution"]["Status"]

    def run(self, statement):
        name = self.start(statement)
        status = wait_for(
            lambda: s if (s := self.status(name))["State"] not in ("QUEUED", "RUNNING") else None, f"the end of {statement}"
        )
        assert status["State"] == "SUCCEEDED", status
        return name

    def values(self, statement):
        rows = self.athena.get_query_results(QueryExecutionId=self.run(statement))["ResultSet"]["Rows"]
        return [row["Data"][0].get("VarCharValue") for row in rows]

    def keys(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
        return {it["Key"]: it["ETag"] for page in pages for it in page.get("Contents", [])}


@pytest.fixture
def restarted(start):
    """A lake with a table of one partition, whose server can be killed and started again."""
    lake = Lake(start("--dev"))
    lake.s3.create_bucket(Bucket="lake")
    lake.glue.create_database(DatabaseInput={"Name": "lake"})
    lake.run(
        "CREATE EXTERNAL TABLE t (n bigint) PARTITIONED BY (p string) STORED AS PARQUET LOCATION 's3://lake/t/'"
    )
    lake.run("INSERT INTO t VALUES (1, '7'), (2, '7')")

    def killed(statement, prefix):
        """Kills the server when the statement's first files are there; a lake on the server that follows, and the execution."""
        before = lake.keys(prefix)
        name = lake.start(statement)
        while len(lake.keys(prefix)) < len(before) + 2:
            status = lake.status(name)
            assert status["State"] in ("QUEUED", "RUNNING"), status
        lake.server.kill()
        again = Lake(start("--dev"))
        lake.__dict__.update(again.__dict__)
        return lake, name

    return lake, killed


def failed(lake, name):
    status = lake.status(name)
    assert status["State"] == "FAILED" and status["AthenaError"]["Retryable"], status
    assert not [key for key in lake.keys("results/") if name in key]
    assert "Uploads" not in lake.s3.list_multipart_uploads(Bucket="lake")


def test_an_insert_leaves_existing_rows_alone_and_nothing_else(restarted):
    lake, killed = restarted
    before = lake.keys("t/")
    for _ in range(ROUNDS):
        lake, name = killed(f"INSERT INTO t {ROWS}", "t/")
        if lake.status(name)["State"] == "SUCCEEDED":
            pytest.fail("the kill came too late")
        failed(lake, name)
        assert lake.keys("t/") == before
        assert lake.values("SHOW PARTITIONS t") == ["p=7"]
        assert lake.values("SELECT count(*) FROM t")[1] == "2"
    lake.run(f"INSERT INTO t {ROWS}")
    assert lake.values("SELECT count(*) FROM t")[1] == "10002"


def test_a_table_made_by_a_query_is_not_there_and_can_be_made_again(restarted):
    lake, killed = restarted
    lake.s3.put_object(Bucket="lake", Key="made-by-somebody-else/x", Body=b"x")
    statement = (
        "CREATE TABLE made WITH (external_location = 's3://lake/made/', partitioned_by = ARRAY['p'], format = 'JSON') "
        f"AS {ROWS}"
    )
    for _ in range(ROUNDS):
        lake, name = killed(statement, "made/")
        failed(lake, name)
        assert lake.keys("made/") == {}
        assert [table["Name"] for table in lake.glue.get_tables(DatabaseName="lake")["TableList"]] == ["t"]
    assert "made-by-somebody-else/x" in lake.keys()
    lake.run(statement)
    assert lake.values("SELECT count(*) FROM made")[1] == "10000"


def test_an_unload_leaves_no_file(restarted):
    lake, killed = restarted
    statement = f"UNLOAD ({ROWS}) TO 's3://lake/out/' WITH (format = 'TEXTFILE', partitioned_by = ARRAY['p'])"
    lake, name = killed(statement, "out/")
    failed(lake, name)
    assert lake.keys("out/") == {}


def test_a_stopped_statement_leaves_only_what_others_wrote(restarted):
    lake, _ = restarted
    endless = "SELECT a.n * b.n AS n FROM UNNEST(sequence(1, 9999)) a (n) CROSS JOIN UNNEST(sequence(1, 9999)) b (n)"
    name = lake.start(f"CREATE TABLE made WITH (external_location = 's3://lake/made/') AS {endless}")
    wait_for(lambda: lake.s3.list_multipart_uploads(Bucket="lake").get("Uploads"), "the first part")
    lake.s3.put_object(Bucket="lake", Key="made/of-somebody-else", Body=b"x")
    lake.athena.stop_query_execution(QueryExecutionId=name)
    assert lake.status(name)["State"] == "CANCELLED"
    assert list(lake.keys("made/")) == ["made/of-somebody-else"]
    wait_for(lambda: "Uploads" not in lake.s3.list_multipart_uploads(Bucket="lake"), "the end of the uploads")
