"""The Data Catalog through boto3, and through kill -9."""

import threading

import pytest
from botocore.exceptions import ClientError

COLUMNS = [{"Name": "carrier", "Type": "string"}, {"Name": "delay", "Type": "bigint"}]
PARQUET = {
    "Columns": COLUMNS,
    "Location": "s3://master/flights/",
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}
TABLE = {
    "Name": "Flights",
    "StorageDescriptor": PARQUET,
    "PartitionKeys": [{"Name": "month", "Type": "int"}],
    "Parameters": {"classification": "parquet"},
}


@pytest.fixture
def glue(start):
    client = start("--dev").client("glue", "test", "test")
    client.create_database(DatabaseInput={"Name": "nyc", "Description": "departures"})
    client.create_table(DatabaseName="nyc", TableInput=TABLE)
    return client


def code(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def add_months(glue, months):
    partitions = [{"Values": [str(month)], "StorageDescriptor": PARQUET} for month in months]
    return glue.batch_create_partition(DatabaseName="nyc", TableName="flights", PartitionInputList=partitions)


def test_a_table_comes_back_as_it_was_given(glue):
    table = glue.get_table(DatabaseName="nyc", Name="FLIGHTS")["Table"]
    assert table["Name"] == "flights"
    assert table["StorageDescriptor"]["Columns"] == COLUMNS
    assert table["StorageDescriptor"]["SerdeInfo"] == PARQUET["SerdeInfo"]
    assert table["PartitionKeys"] == TABLE["PartitionKeys"]
    assert table["CreateTime"].year >= 2024
    assert [found["Name"] for found in glue.get_tables(DatabaseName="nyc")["TableList"]] == ["flights"]


def test_partitions_are_found_by_expression(glue):
    assert add_months(glue, range(1, 13)).get("Errors", []) == []
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName="nyc", TableName="flights", Expression="month > 9 OR month = 2", PaginationConfig={"PageSize": 2}
    )
    found = [partition["Values"] for page in pages for partition in page["Partitions"]]
    assert sorted(found, key=lambda values: int(values[0])) == [["2"], ["10"], ["11"], ["12"]]
    broken = {"DatabaseName": "nyc", "TableName": "flights", "Expression": "month >"}
    assert code(glue.get_partitions, **broken) == "InvalidInputException"


def test_a_batch_names_the_partitions_that_exist(glue):
    add_months(glue, [1])
    (error,) = add_months(glue, [1, 2])["Errors"]
    assert error["PartitionValues"] == ["1"]
    assert error["ErrorDetail"]["ErrorCode"] == "AlreadyExistsException"
    assert glue.get_partition(DatabaseName="nyc", TableName="flights", PartitionValues=["2"])


def test_updates_make_versions_and_stale_ones_are_refused(glue):
    version = glue.get_table(DatabaseName="nyc", Name="flights")["Table"]["VersionId"]
    glue.update_table(DatabaseName="nyc", TableInput={**TABLE, "Description": "new"}, VersionId=version)
    stale = {"DatabaseName": "nyc", "TableInput": TABLE, "VersionId": version}
    assert code(glue.update_table, **stale) in ("ConcurrentModificationException", "VersionMismatchException")
    versions = glue.get_table_versions(DatabaseName="nyc", TableName="flights")["TableVersions"]
    assert len(versions) == 2
    assert glue.get_table(DatabaseName="nyc", Name="flights")["Table"]["Description"] == "new"


def test_missing_and_doubled_names_are_refused(glue):
    assert code(glue.get_table, DatabaseName="nyc", Name="none") == "EntityNotFoundException"
    assert code(glue.get_database, Name="none") == "EntityNotFoundException"
    assert code(glue.create_database, DatabaseInput={"Name": "nyc"}) == "AlreadyExistsException"
    assert code(glue.create_table, DatabaseName="none", TableInput=TABLE) == "EntityNotFoundException"


def test_another_catalog_and_transactions_are_refused(glue):
    assert glue.get_database(Name="nyc", CatalogId="000000000000")["Database"]["Name"] == "nyc"
    assert code(glue.get_database, Name="nyc", CatalogId="123456789012") == "SerializationException"
    table = {"DatabaseName": "nyc", "Name": "flights", "TransactionId": "t1"}
    assert code(glue.get_table, **table) == "SerializationException"


def test_a_deleted_database_takes_its_tables_along(glue):
    glue.delete_database(Name="nyc")
    assert code(glue.get_table, DatabaseName="nyc", Name="flights") == "EntityNotFoundException"


def test_kill_9_loses_no_acknowledged_table(start, tmp_path):
    acknowledged = []
    for round_number in range(3):
        server = start("--dev")
        glue = server.client("glue", "test", "test")
        if round_number == 0:
            glue.create_database(DatabaseInput={"Name": "nyc"})
        enough = threading.Event()

        def create_tables():
            for number in range(100_000):
                name = f"t{round_number}_{number}"
                try:
                    glue.create_table(DatabaseName="nyc", TableInput={**TABLE, "Name": name})
                except Exception:
                    return
                acknowledged.append(name)
                if number == 40:
                    enough.set()

        writer = threading.Thread(target=create_tables)
        writer.start()
        assert enough.wait(timeout=30)
        server.process.kill()
        server.process.wait()
        writer.join()
    glue = start("--dev").client("glue", "test", "test")
    pages = glue.get_paginator("get_tables").paginate(DatabaseName="nyc")
    kept = {table["Name"] for page in pages for table in page["TableList"]}
    assert len(acknowledged) > 120 and set(acknowledged) <= kept
    assert len(kept) <= len(acknowledged) + 3, "at most the one unanswered call of each round"


def test_a_new_catalog_has_the_database_default_until_it_is_deleted(start):
    server = start("--dev")
    glue = server.client("glue", "test", "test")
    assert glue.get_database(Name="default")["Database"]["Description"] == "Default Hive database"
    athena = server.client("athena", "test", "test")
    listed = athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
    assert [database["Name"] for database in listed] == ["default"]
    glue.delete_database(Name="default")
    server.kill()
    glue = start("--dev").client("glue", "test", "test")
    assert glue.get_databases()["DatabaseList"] == []


def delays(nulls, **more):
    figures = {"MinimumValue": -30, "MaximumValue": 900, "NumberOfNulls": nulls, "NumberOfDistinctValues": 500}
    data = {"Type": "LONG", "LongColumnStatisticsData": figures}
    return {"ColumnName": "delay", "ColumnType": "bigint", "AnalyzedTime": 1.7e9, "StatisticsData": data, **more}


def test_statistics_of_columns_are_kept_for_the_table_and_for_each_partition(glue):
    table = {"DatabaseName": "nyc", "TableName": "flights"}
    wrong = delays(0, ColumnName="nowhere")
    answer = glue.update_column_statistics_for_table(**table, ColumnStatisticsList=[delays(7), wrong])
    assert [error["Error"]["ErrorCode"] for error in answer["Errors"]] == ["EntityNotFoundException"]
    answer = glue.get_column_statistics_for_table(**table, ColumnNames=["DELAY", "carrier"])
    (found,) = answer["ColumnStatisticsList"]
    assert found["StatisticsData"] == delays(7)["StatisticsData"]
    assert [(error["ColumnName"], error["Error"]["ErrorCode"]) for error in answer["Errors"]] == [
        ("carrier", "EntityNotFoundException")
    ]
    add_months(glue, [1])
    month = {**table, "PartitionValues": ["1"]}
    assert glue.update_column_statistics_for_partition(**month, ColumnStatisticsList=[delays(1)])["Errors"] == []
    (found,) = glue.get_column_statistics_for_partition(**month, ColumnNames=["delay"])["ColumnStatisticsList"]
    assert found["StatisticsData"]["LongColumnStatisticsData"]["NumberOfNulls"] == 1
    missing = {**table, "PartitionValues": ["2"], "ColumnStatisticsList": [delays(1)]}
    assert code(glue.update_column_statistics_for_partition, **missing) == "EntityNotFoundException"
    for _ in range(2):
        glue.delete_column_statistics_for_table(**table, ColumnName="delay")
    assert glue.get_column_statistics_for_table(**table, ColumnNames=["delay"])["ColumnStatisticsList"] == []
    nowhere = {"DatabaseName": "nyc", "TableName": "nowhere", "ColumnName": "delay"}
    assert code(glue.delete_column_statistics_for_table, **nowhere) == "EntityNotFoundException"
    # With its partition, statistics are gone; those of a new one of the same values begin anew.
    glue.delete_partition(**month)
    add_months(glue, [1])
    assert glue.get_column_statistics_for_partition(**month, ColumnNames=["delay"])["ColumnStatisticsList"] == []


def test_statistics_without_their_figures_are_not_kept(glue):
    table = {"DatabaseName": "nyc", "TableName": "flights"}
    data = {"Type": "DOUBLE", **{k: v for k, v in delays(1)["StatisticsData"].items() if k != "Type"}}
    answer = glue.update_column_statistics_for_table(**table, ColumnStatisticsList=[delays(1, StatisticsData=data)])
    assert answer["Errors"][0]["Error"]["ErrorCode"] == "InvalidInputException"
    assert "DoubleColumnStatisticsData.NumberOfNulls" in answer["Errors"][0]["Error"]["ErrorMessage"]
