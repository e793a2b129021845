"""Athena through boto3: workgroups, executions, results, definitions, rows that are written, and kill -9."""

import time

import pytest
from botocore.exceptions import ClientError

RESULTS = "s3://results/out/"
FLIGHTS = """CREATE EXTERNAL TABLE flights (carrier string, delay bigint) PARTITIONED BY (month int)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/flights/'"""


class World:
    def __init__(self, server):
        self.server = server
        self.athena, self.glue, self.s3 = (server.client(name, "test", "test") for name in ("athena", "glue", "s3"))

    def start(self, sql, **more):
        arguments = {
            "QueryExecutionContext": {"Database": "lake"},
            "ResultConfiguration": {"OutputLocation": RESULTS},
        } | more
        return self.athena.start_query_execution(QueryString=sql, **arguments)["QueryExecutionId"]

    def ended(self, execution):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found = self.athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{execution} does not end")

    def run(self, sql, **more):
        execution = self.ended(self.start(sql, **more))
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return execution

    def rows(self, sql, **more):
        execution = self.run(sql, **more)
        pages = self.athena.get_paginator("get_query_results").paginate(
            QueryExecutionId=execution["QueryExecutionId"]
        )
        rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
        return [[datum.get("VarCharValue") for datum in row] for row in rows]

    def fails(self, sql):
        execution = self.ended(self.start(sql))
        assert execution["Status"]["State"] == "FAILED", execution["Status"]
        return execution["Status"]["StateChangeReason"]

    def objects(self, bucket, prefix=""):
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return sorted(found["Key"] for found in listed.get("Contents", []))


@pytest.fixture
def world(start):
    world = World(start("--dev"))
    for bucket in ("lake", "results"):
        world.s3.create_bucket(Bucket=bucket)
    world.glue.create_database(DatabaseInput={"Name": "lake"})
    return world


def refused(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]


def with_flights(world):
    world.run(FLIGHTS)
    world.s3.put_object(Bucket="lake", Key="flights/month=1/a.csv", Body=b"AA,5\nBB,-3\n")
    world.s3.put_object(Bucket="lake", Key="flights/month=2/b.csv", Body=b"AA,7\n")
    world.run("MSCK REPAIR TABLE flights")


def test_a_result_is_a_csv_object_with_its_metadata(world):
    execution = world.run("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t (n, s) ORDER BY n")
    name = execution["QueryExecutionId"]
    assert execution["ResultConfiguration"]["OutputLocation"] == f"{RESULTS}{name}.csv"
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
    assert world.objects("results") == [f"out/{name}.csv", f"out/{name}.csv.metadata"]
    body = world.s3.get_object(Bucket="results", Key=f"out/{name}.csv")["Body"].read()
    assert body == b'"n","s"\n"1","a"\n"2",\n'
    results = world.athena.get_query_results(QueryExecutionId=name)
    info = results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"][0]
    assert (info["Name"], info["Type"], info["Precision"]) == ("n", "integer", 10)
    assert results["ResultSet"]["Rows"][2]["Data"] == [{"VarCharValue": "2"}, {}]
    status = execution["Status"]
    assert status["SubmissionDateTime"] <= status["CompletionDateTime"]


def test_results_come_in_pages(world):
    execution = world.run("SELECT x FROM UNNEST(sequence(1, 2500)) AS t (x)")["QueryExecutionId"]
    pages = world.athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=execution, PaginationConfig={"PageSize": 1000}
    )
    sizes, values = [], []
    for page in pages:
        sizes.append(len(page["ResultSet"]["Rows"]))
        values += [row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]]
    assert sizes == [1000, 1000, 501]
    assert values == ["x"] + [str(n) for n in range(1, 2501)]
    error = refused(world.athena.get_query_results, QueryExecutionId=execution, NextToken="nonsense")
    assert error["Code"] == "InvalidRequestException"


def test_mistakes_have_athenas_words(world):
    where = {"ResultConfiguration": {"OutputLocation": RESULTS}}
    start = world.athena.start_query_execution
    assert refused(start, QueryString="SELECT 1")["Message"].startswith("No output location provided.")
    assert "line 1:1: mismatched input 'SELEC'" in refused(start, QueryString="SELEC 1", **where)["Message"]
    assert "WorkGroup x is not found." in refused(start, QueryString="SELECT 1", WorkGroup="x", **where)["Message"]
    assert world.fails("SELECT nope").startswith("COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved")
    execution = world.ended(world.start("SELECT 1 / (x - 1) FROM (VALUES 1) AS t (x)"))
    assert execution["Status"]["StateChangeReason"] == "DIVISION_BY_ZERO: Division by zero"
    assert execution["Status"]["AthenaError"]["ErrorCategory"] == 2
    error = refused(world.athena.get_query_results, QueryExecutionId=execution["QueryExecutionId"])
    assert error["Message"] == "Query did not finish successfully. Final query state: FAILED"
    error = refused(world.athena.get_query_execution, QueryExecutionId="none")
    assert error["Message"] == "QueryExecution none was not found"


def test_a_token_starts_one_execution(world):
    token = "0123456789abcdef0123456789abcdef"
    first = world.start("SELECT 1", ClientRequestToken=token)
    assert world.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        world.start("SELECT 2", ClientRequestToken=token)


def test_a_stopped_query_is_cancelled(world):
    series = "UNNEST(sequence(1, 9999))"
    execution = world.start(f"SELECT sum(sqrt(x * y)) FROM {series} a (x) CROSS JOIN {series} b (y)")
    world.athena.stop_query_execution(QueryExecutionId=execution)
    assert world.ended(execution)["Status"]["State"] == "CANCELLED"


def test_workgroups(world):
    athena = world.athena
    athena.create_work_group(
        Name="team",
        Configuration={"ResultConfiguration": {"OutputLocation": "s3://results/team/"}},
        Tags=[{"Key": "k", "Value": "v"}],
    )
    assert refused(athena.create_work_group, Name="team")["Message"] == "WorkGroup is already created"
    execution = world.run("SELECT 1", WorkGroup="team")
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://results/team/")
    listed = athena.list_query_executions(WorkGroup="team")["QueryExecutionIds"]
    assert listed == [execution["QueryExecutionId"]]
    athena.update_work_group(WorkGroup="team", State="DISABLED")
    assert athena.get_work_group(WorkGroup="team")["WorkGroup"]["State"] == "DISABLED"
    with pytest.raises(ClientError, match="disabled"):
        world.start("SELECT 1", WorkGroup="team")
    assert [group["Name"] for group in athena.list_work_groups()["WorkGroups"]] == ["primary", "team"]
    assert "is not empty" in refused(athena.delete_work_group, WorkGroup="team")["Message"]
    athena.delete_work_group(WorkGroup="team", RecursiveDeleteOption=True)
    assert refused(athena.get_work_group, WorkGroup="team")["Message"] == "WorkGroup team is not found."


def test_parameters_and_prepared_statements(world):
    assert world.rows("SELECT ? + 1 AS n", ExecutionParameters=["41"]) == [["n"], ["42"]]
    world.run("PREPARE plus FROM SELECT ? + ? AS n")
    found = world.athena.get_prepared_statement(StatementName="plus", WorkGroup="primary")["PreparedStatement"]
    assert found["QueryStatement"] == "SELECT ? + ? AS n"
    assert world.rows("EXECUTE plus USING 1, 2") == [["n"], ["3"]]
    world.run("DEALLOCATE PREPARE plus")
    error = refused(world.athena.get_prepared_statement, StatementName="plus", WorkGroup="primary")
    assert error["Code"] == "ResourceNotFoundException"


def test_results_are_reused_by_age(world):
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}
    seen = [world.run("SELECT 5 AS n", ResultReuseConfiguration=reuse)["Statistics"] for _ in range(2)]
    assert [found["ResultReuseInformation"]["ReusedPreviousResult"] for found in seen] == [False, True]


def test_definitions(world):
    with_flights(world)
    assert world.rows("SHOW TABLES") == [["flights"]]
    assert world.rows("SHOW PARTITIONS flights") == [["month=1"], ["month=2"]]
    assert world.rows("DESCRIBE flights")[0] == ["carrier             \tstring              \t                    "]
    table = world.glue.get_table(DatabaseName="lake", Name="flights")["Table"]
    serde = table["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    assert serde["Parameters"]["field.delim"] == ","
    world.run("ALTER TABLE flights ADD COLUMNS (origin string)")
    metadata = world.athena.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName="lake", TableName="flights"
    )["TableMetadata"]
    assert [column["Name"] for column in metadata["Columns"]] == ["carrier", "delay", "origin"]
    world.run("ALTER TABLE flights DROP PARTITION (month = 2)")
    assert world.rows("SELECT carrier, delay FROM flights ORDER BY 1")[1:] == [["AA", "5"], ["BB", "-3"]]
    world.run("CREATE VIEW late AS SELECT carrier FROM flights WHERE delay > 0")
    view = world.glue.get_table(DatabaseName="lake", Name="late")["Table"]
    assert view["TableType"] == "VIRTUAL_VIEW" and view["ViewOriginalText"].startswith("/* Presto View: ")
    assert world.rows("SELECT * FROM late") == [["carrier"], ["AA"]]
    assert "AlreadyExistsException" in world.fails(FLIGHTS)
    world.run("DROP TABLE flights")
    assert "Table not found" in world.fails("DROP TABLE flights")


def test_rows_are_written(world):
    with_flights(world)
    execution = world.run(
        "CREATE TABLE totals WITH (partitioned_by = ARRAY['carrier'], external_location = 's3://lake/totals/') "
        "AS SELECT sum(delay) AS total, carrier FROM flights GROUP BY carrier"
    )
    results = world.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert results["UpdateCount"] == 2
    assert execution["Statistics"]["DataManifestLocation"].endswith("-manifest.csv")
    assert execution["Statistics"]["DataScannedInBytes"] > 0
    assert world.rows("SELECT total FROM totals WHERE carrier = 'AA'") == [["total"], ["12"]]
    world.run("INSERT INTO totals VALUES (9, 'CC')")
    assert world.rows("SHOW PARTITIONS totals") == [["carrier=AA"], ["carrier=BB"], ["carrier=CC"]]
    world.run("UNLOAD (SELECT * FROM totals) TO 's3://lake/unloaded/' WITH (format = 'PARQUET')")
    assert len(world.objects("lake", "unloaded/")) > 0
    reason = world.fails("CREATE TABLE again WITH (external_location = 's3://lake/totals/') AS SELECT 1 AS a")
    assert reason.startswith("HIVE_PATH_ALREADY_EXISTS")
    broken = "SELECT 1 / (x - 3) AS n FROM UNNEST(sequence(1, 5)) AS t (x)"
    world.fails(f"CREATE TABLE broken WITH (external_location = 's3://lake/broken/') AS {broken}")
    assert world.objects("lake", "broken/") == []


def test_kill_9_loses_no_execution(start, tmp_path):
    first = World(start("--dev", data_dir=tmp_path / "killed"))
    for bucket in ("lake", "results"):
        first.s3.create_bucket(Bucket=bucket)
    done = first.run("SELECT 7 AS n")["QueryExecutionId"]
    series = "UNNEST(sequence(1, 9999))"
    running = first.start(f"SELECT sum(sqrt(x * y)) FROM {series} a (x) CROSS JOIN {series} b (y)")
    first.server.process.kill()
    first.server.process.wait()
    again = World(start("--dev", data_dir=tmp_path / "killed"))
    status = again.ended(running)["Status"]
    assert status["State"] == "FAILED" and "restart" in status["StateChangeReason"]
    rows = again.athena.get_query_results(QueryExecutionId=done)["ResultSet"]["Rows"]
    assert rows[1]["Data"] == [{"VarCharValue": "7"}]
