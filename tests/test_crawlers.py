"""Glue crawlers through boto3: files in S3 become tables and partitions, and stay in step with them."""

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from conftest import allow, service_role, wait_for

WORK = allow("s3:GetObject", "s3:ListBucket", "glue:*")
FLIGHTS = b"Id,Carrier,Delay,On Time\n1,UA,2.5,true\n2,AA,,false\n3,DL,-1,true\n"


class World:
    """A bucket, a database and a role of one test, on the server that all share."""

    def __init__(self, server, unique):
        self.server, self.unique = server, unique
        self.s3, self.glue = server.client("s3", "test", "test"), server.client("glue", "test", "test")
        self.bucket, self.database = unique("crawled"), unique("found").replace("-", "_")
        self.s3.create_bucket(Bucket=self.bucket)
        self.glue.create_database(DatabaseInput={"Name": self.database})
        self.role = service_role(server, unique("crawler-role"), WORK)

    def put(self, files):
        for key, body in files.items():
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def path(self, prefix="data/"):
        return f"s3://{self.bucket}/{prefix}"

    def crawler(self, target=None, **options):
        name = self.unique("crawler")
        target = {"Path": self.path()} | (target or {})
        given = {"Role": self.role, "DatabaseName": self.database, "Targets": {"S3Targets": [target]}}
        self.glue.create_crawler(Name=name, **(given | options))
        return name

    def run(self, name):
        """Runs a crawler to its end and answers its LastCrawl."""
        self.glue.start_crawler(Name=name)

        def ended():
            found = self.glue.get_crawler(Name=name)["Crawler"]
            return found if found["State"] == "READY" else None

        return wait_for(ended, f"the end of {name}")["LastCrawl"]

    def crawl(self, files, target=None, **options):
        """Puts files, crawls them with a new crawler, and answers the tables by name."""
        self.put(files)
        name = self.crawler(target, **options)
        last = self.run(name)
        assert last["Status"] == "SUCCEEDED", last
        return self.tables()

    def tables(self):
        return {it["Name"]: it for it in self.glue.get_tables(DatabaseName=self.database)["TableList"]}

    def partitions(self, table):
        found = self.glue.get_partitions(DatabaseName=self.database, TableName=table)["Partitions"]
        return {tuple(it["Values"]): it for it in found}


@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


def columns(entity):
    return {column["Name"]: column["Type"] for column in entity["StorageDescriptor"]["Columns"]}


def parquet(**values):
    file = io.BytesIO()
    pq.write_table(pa.table(values), file)
    return file.getvalue()


def code(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def message(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Message"]


# Formats


def test_csv_with_a_header(world):
    table = world.crawl({"data/flights.csv": FLIGHTS})["data"]
    assert columns(table) == {"id": "bigint", "carrier": "string", "delay": "double", "on time": "boolean"}
    assert table["StorageDescriptor"]["Location"] == world.path()
    assert table["PartitionKeys"] == []
    assert table["TableType"] == "EXTERNAL_TABLE"
    found = table["Parameters"]
    assert (found["classification"], found["delimiter"], found["skip.header.line.count"]) == ("csv", ",", "1")
    assert (found["recordCount"], found["objectCount"], found["sizeKey"]) == ("3", "1", str(len(FLIGHTS)))
    serde = table["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
    assert serde["Parameters"]["field.delim"] == ","


def test_text_only_csv_needs_a_classifier_for_its_header(world):
    names = b"carrier,name\nUA,United\nAA,American\n"
    assert columns(world.crawl({"data/carriers.csv": names})["data"]) == {"col0": "string", "col1": "string"}
    classifier = world.unique("carriers")
    world.glue.create_classifier(CsvClassifier={"Name": classifier, "ContainsHeader": "PRESENT", "Delimiter": ","})
    tables = world.crawl({}, Classifiers=[classifier], TablePrefix="named_")
    assert columns(tables["named_data"]) == {"carrier": "string", "name": "string"}
    assert tables["named_data"]["Parameters"]["skip.header.line.count"] == "1"


def test_a_classifier_names_columns_and_delimiters(world):
    classifier = world.unique("pipes")
    csv = {"Name": classifier, "Delimiter": "|", "ContainsHeader": "ABSENT", "Header": ["Code", "Seats"]}
    world.glue.create_classifier(CsvClassifier=csv)
    tables = world.crawl({"data/planes.txt": b"A320|180\nB747|410\n"}, Classifiers=[classifier])
    assert columns(tables["data"]) == {"code": "string", "seats": "bigint"}
    assert tables["data"]["Parameters"]["delimiter"] == "|"
    assert "skip.header.line.count" not in tables["data"]["Parameters"]


def test_quoted_csv_is_read_by_the_serde_that_knows_quotes(world):
    table = world.crawl({"data/quoted.csv": b'id,note\n1,"late, but safe"\n2,"on ""time"""\n'})["data"]
    serde = table["StorageDescriptor"]["SerdeInfo"]
    assert serde["SerializationLibrary"] == "org.apache.hadoop.hive.serde2.OpenCSVSerde"
    assert serde["Parameters"]["quoteChar"] == '"'
    assert columns(table) == {"id": "string", "note": "string"}, "OpenCSVSerDe reads text only"


def test_json_lines(world):
    lines = b'{"Id": 1, "tags": ["a"], "at": {"lat": 1.5}}\n{"Id": 5000000000, "tags": [], "at": {"lon": 2}}\n'
    table = world.crawl({"data/events.json": lines})["data"]
    assert table["Parameters"]["classification"] == "json"
    found = columns(table)
    assert (found["id"], found["tags"]) == ("bigint", "array<string>")
    assert found["at"] == "struct<lat:double,lon:int>"
    assert table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"] == "org.openx.data.jsonserde.JsonSerDe"


def test_json_names_that_types_cannot_hold(world):
    document = {"at": {"a:b": 1, "<c>,`": "x", "D": 1, "d": 2.5, "": 0, "e f": [True]}, "": 1, "plain": "y"}
    table = world.crawl({"data/odd.json": json.dumps(document).encode()})["data"]
    assert columns(table) == {"at": "struct<`<c>,```:string,d:double,`a:b`:int,e f:array<boolean>>", "plain": "string"}
    athena = world.server.client("athena", "test", "test")
    done = athena.start_query_execution(
        QueryString=f"SELECT plain, at.\"a:b\", at.\"<c>,`\" FROM {world.database}.data",
        ResultConfiguration={"OutputLocation": world.path("results/")},
    )["QueryExecutionId"]

    def status():
        found = athena.get_query_execution(QueryExecutionId=done)["QueryExecution"]["Status"]
        return found if found["State"] in ("SUCCEEDED", "FAILED") else None

    assert wait_for(status, "the query")["State"] == "SUCCEEDED", status()
    rows = athena.get_query_results(QueryExecutionId=done)["ResultSet"]["Rows"]
    assert [cell["VarCharValue"] for cell in rows[1]["Data"]] == ["y", "1", "x"]


def test_a_json_array_is_one_column_as_aws_sees_it(world):
    records = [{"id": number, "tags": ["a"]} for number in range(3)]
    table = world.crawl({"data/list.json": json.dumps(records, indent=1).encode()})["data"]
    assert table["Parameters"]["classification"] == "json"
    assert columns(table) == {"array": "array<struct<id:int,tags:array<string>>>"}


def test_parquet_names_that_differ_in_case_only(world):
    table = world.crawl({"data/p.parquet": parquet(Id=[1, 2], ID=["x", "y"], other=[1.5, 2.5])})["data"]
    assert columns(table) == {"id": "bigint", "other": "double"}


def test_folders_without_a_name_are_left_out(world):
    table = world.crawl({"data/a.csv": FLIGHTS, "data//b.csv": b"x,y\n1,2\n"})["data"]
    assert table["Parameters"]["objectCount"] == "1"


def test_parquet_types(world):
    body = parquet(
        tiny=pa.array([1], pa.int8()),
        small=pa.array([1], pa.int16()),
        whole=pa.array([1], pa.int32()),
        big=pa.array([1], pa.int64()),
        real=pa.array([1.0], pa.float32()),
        double=pa.array([1.0], pa.float64()),
        money=pa.array([1], pa.decimal128(12, 2)),
        yes=pa.array([True]),
        day=pa.array([0], pa.date32()),
        at=pa.array([0], pa.timestamp("us")),
        raw=pa.array([b"x"]),
        Text=pa.array(["x"]),
        list=pa.array([[1]], pa.list_(pa.int32())),
        map=pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
        struct=pa.array([{"a": 1, "b": "x"}], pa.struct({"a": pa.int32(), "b": pa.string()})),
    )
    table = world.crawl({"data/part-0.parquet": body})["data"]
    assert columns(table) == {
        "tiny": "tinyint",
        "small": "smallint",
        "whole": "int",
        "big": "bigint",
        "real": "float",
        "double": "double",
        "money": "decimal(12,2)",
        "yes": "boolean",
        "day": "date",
        "at": "timestamp",
        "raw": "binary",
        "text": "string",
        "list": "array<int>",
        "map": "map<string,bigint>",
        "struct": "struct<a:int,b:string>",
    }
    assert table["Parameters"]["classification"] == "parquet"
    assert table["Parameters"]["recordCount"] == "1"
    input_format = table["StorageDescriptor"]["InputFormat"]
    assert input_format == "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"


def test_gzip_is_looked_into(world):
    table = world.crawl({"data/flights.csv.gz": gzip.compress(FLIGHTS)})["data"]
    assert columns(table)["delay"] == "double"
    assert table["Parameters"]["compressionType"] == "gzip"
    assert table["StorageDescriptor"]["Compressed"] is True


# Layout


def test_hive_partitions(world):
    files = {f"data/flights/year={year}/month={month:02}/a.csv": FLIGHTS for year in (2013, 2014) for month in (1, 2)}
    table = world.crawl(files, {"Path": world.path("data/flights")})["flights"]
    assert table["PartitionKeys"] == [{"Name": "year", "Type": "string"}, {"Name": "month", "Type": "string"}]
    found = world.partitions("flights")
    assert sorted(found) == [("2013", "01"), ("2013", "02"), ("2014", "01"), ("2014", "02")]
    location = found["2014", "02"]["StorageDescriptor"]["Location"]
    assert location == world.path("data/flights/year=2014/month=02/")
    expression = "year = '2013' AND month > '01'"
    wanted = world.glue.get_partitions(DatabaseName=world.database, TableName="flights", Expression=expression)
    assert [it["Values"] for it in wanted["Partitions"]] == [["2013", "02"]]


def test_positional_partitions(world):
    files = {f"data/{year}/{month}/a.csv": FLIGHTS for year in (2013, 2014) for month in ("jan", "feb")}
    table = world.crawl(files)["data"]
    assert [key["Name"] for key in table["PartitionKeys"]] == ["partition_0", "partition_1"]
    assert sorted(world.partitions("data")) == [("2013", "feb"), ("2013", "jan"), ("2014", "feb"), ("2014", "jan")]


def test_escaped_partition_values(world):
    world.crawl({"data/at=10%3A30/a.csv": FLIGHTS, "data/at=11%3A00/a.csv": FLIGHTS})
    found = world.partitions("data")
    assert sorted(found) == [("10:30",), ("11:00",)]
    assert found["10:30",]["StorageDescriptor"]["Location"] == world.path("data/at=10%3A30/")


def test_many_partitions_come_in_batches(world):
    world.crawl({f"data/day={day:03}/a.csv": FLIGHTS for day in range(130)})
    pages = world.glue.get_paginator("get_partitions").paginate(DatabaseName=world.database, TableName="data")
    assert sum(len(page["Partitions"]) for page in pages) == 130


def test_folders_of_different_files_are_different_tables(world):
    tables = world.crawl({"data/flights/a.csv": FLIGHTS, "data/planes/a.json": b'{"tail": "N1", "seats": 2}\n'})
    assert set(tables) == {"flights", "planes"}
    assert tables["planes"]["StorageDescriptor"]["Location"] == world.path("data/planes/")


def test_a_single_file_is_a_target(world):
    tables = world.crawl({"data/a.csv": FLIGHTS, "data/b.json": b'{"x": 1}\n'}, {"Path": world.path("data/a.csv")})
    assert set(tables) == {"a_csv"}
    assert tables["a_csv"]["StorageDescriptor"]["Location"] == world.path("data/a.csv")


def test_folders_may_have_any_name(world):
    files = {"data/Größe 1/at=10%3A30/a.csv": FLIGHTS, "data/Größe 1/at=11%3A30/a.csv": FLIGHTS}
    tables = world.crawl(files, {"Path": world.path("data/Größe 1")})
    assert set(tables) == {"größe_1"} and len(world.partitions("größe_1")) == 2
    tables = world.crawl({}, {"Path": world.path("data/Größe 1/at=10%3A30/")}, TablePrefix="one_")
    assert "one_at_10_3a30" in tables


def test_partitions_go_when_a_table_is_no_longer_partitioned(world):
    world.put({"data/day=1/a.csv": FLIGHTS, "data/day=2/a.csv": FLIGHTS})
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    name = world.crawler(SchemaChangePolicy=policy)
    world.run(name)
    for day in (1, 2):
        world.s3.delete_object(Bucket=world.bucket, Key=f"data/day={day}/a.csv")
    world.put({"data/a.csv": FLIGHTS})
    assert world.run(name)["Status"] == "SUCCEEDED"
    assert world.tables()["data"]["PartitionKeys"] == [] and world.partitions("data") == {}


def test_lines_within_quotes_go_on_behind_the_sample(world):
    text = "\n".join(["x" * 30] * 43)
    rows = "".join(f'{number},"{text}",{number}\n' for number in range(1200))
    assert len(rows) > 1024 * 1024, "more than a crawler looks at"
    table = world.crawl({"data/a.csv": f"id,text,size\n{rows}".encode()})["data"]
    assert list(columns(table)) == ["id", "text", "size"]


def test_two_targets_whose_names_begin_alike(world):
    world.put({"data/a.csv": FLIGHTS, "data-old/a.csv": FLIGHTS})
    targets = {"S3Targets": [{"Path": world.path("data")}, {"Path": world.path("data-old")}]}
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    name = world.crawler(Targets=targets, SchemaChangePolicy=policy)
    for _ in range(2):
        assert world.run(name)["Status"] == "SUCCEEDED"
        assert set(world.tables()) == {"data", "data_old"}
    world.glue.update_table(DatabaseName=world.database, TableInput={**named(world.tables()["data_old"]), "Owner": "me"})
    world.run(name)
    assert world.tables()["data_old"]["Owner"] == "me", "the first target's crawl is not to touch the second's table"


def named(table):
    """A table as UpdateTable takes it."""
    kept = ("Name", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
    return {member: table[member] for member in kept if member in table}


# Changes


def test_later_files_widen_the_schema(world):
    world.put({"data/1.parquet": parquet(id=[1], delay=pa.array([1], pa.int32()), name=["a"], code=["x"])})
    name = world.crawler()
    world.run(name)
    assert columns(world.tables()["data"])["delay"] == "int"
    wider = parquet(id=[1], delay=[1.5], name=["a"], code=["x"], gate=["B1"])
    world.put({"data/2.parquet": wider})
    world.run(name)
    table = world.tables()["data"]
    assert columns(table) == {"id": "bigint", "delay": "double", "name": "string", "code": "string", "gate": "string"}
    assert int(table["VersionId"]) >= 1, "a changed schema is a new version"
    metrics = world.glue.get_crawler_metrics(CrawlerNameList=[name])["CrawlerMetricsList"]
    assert [(it["TablesCreated"], it["TablesUpdated"]) for it in metrics] == [(1, 1)]


def test_policy_log_leaves_schemas_alone(world):
    world.put({"data/1.json": b'{"a": 1, "b": 1, "c": 1}\n'})
    policy = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}
    name = world.crawler(SchemaChangePolicy=policy)
    world.run(name)
    world.put({"data/2.json": b'{"a": 1, "b": 1, "c": 1, "d": 1}\n'})
    assert world.run(name)["Status"] == "SUCCEEDED"
    assert set(columns(world.tables()["data"])) == {"a", "b", "c"}
    world.glue.update_crawler(Name=name, SchemaChangePolicy={**policy, "UpdateBehavior": "UPDATE_IN_DATABASE"})
    world.run(name)
    assert set(columns(world.tables()["data"])) == {"a", "b", "c", "d"}


def test_merge_new_columns_keeps_what_people_added(world):
    world.put({"data/1.csv": FLIGHTS})
    output = {"Version": 1.0, "CrawlerOutput": {"Tables": {"AddOrUpdateBehavior": "MergeNewColumns"}}}
    name = world.crawler(Configuration=json.dumps(output))
    world.run(name)
    edited = named(world.tables()["data"])
    edited["StorageDescriptor"]["Columns"].append({"Name": "mine", "Type": "string"})
    world.glue.update_table(DatabaseName=world.database, TableInput=edited)
    world.run(name)
    assert "mine" in columns(world.tables()["data"])


@pytest.mark.parametrize("policy", ["LOG", "DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE"])
def test_delete_policies_for_tables(world, policy):
    world.put({"data/flights/a.csv": FLIGHTS, "data/planes/a.json": b'{"tail": "N1", "seats": 2}\n'})
    change = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": policy}
    name = world.crawler(SchemaChangePolicy=change)
    world.run(name)
    world.s3.delete_object(Bucket=world.bucket, Key="data/planes/a.json")
    world.put({"data/boats/a.json": b'{"sail": 1, "mast": 2}\n'})
    world.run(name)
    tables = world.tables()
    assert "boats" in tables and "DEPRECATED_BY_CRAWLER" not in tables["flights"]["Parameters"]
    if policy == "DELETE_FROM_DATABASE":
        assert "planes" not in tables
    else:
        assert ("DEPRECATED_BY_CRAWLER" in tables["planes"]["Parameters"]) == (policy == "DEPRECATE_IN_DATABASE")
    assert set(columns(tables["flights"])) == {"id", "carrier", "delay", "on time"}


@pytest.mark.parametrize("policy", ["LOG", "DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE"])
def test_delete_policies_for_partitions(world, policy):
    world.put({f"data/day={day}/a.csv": FLIGHTS for day in (1, 2, 3)})
    change = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": policy}
    name = world.crawler(SchemaChangePolicy=change)
    world.run(name)
    world.s3.delete_object(Bucket=world.bucket, Key="data/day=2/a.csv")
    world.put({"data/day=4/a.csv": FLIGHTS})
    world.run(name)
    found = world.partitions("data")
    assert {("1",), ("3",), ("4",)} <= set(found)
    if policy == "DELETE_FROM_DATABASE":
        assert ("2",) not in found
    else:
        marked = "DEPRECATED_BY_CRAWLER" in found["2",]["Parameters"]
        assert marked == (policy == "DEPRECATE_IN_DATABASE")


def test_files_that_come_back_are_no_longer_deprecated(world):
    world.put({"data/flights/a.csv": FLIGHTS, "data/planes/a.json": b'{"tail": "N1", "seats": 2}\n'})
    name = world.crawler()
    world.run(name)
    world.s3.delete_object(Bucket=world.bucket, Key="data/planes/a.json")
    world.put({"data/boats/a.json": b'{"sail": 1, "mast": 2}\n'})
    world.run(name)
    assert "DEPRECATED_BY_CRAWLER" in world.tables()["planes"]["Parameters"]
    world.put({"data/planes/a.json": b'{"tail": "N1", "seats": 2}\n'})
    world.run(name)
    assert "DEPRECATED_BY_CRAWLER" not in world.tables()["planes"]["Parameters"]


def test_peoples_tables_stay(world):
    table = {"Name": "mine", "StorageDescriptor": {"Location": world.path("data/gone/"), "Columns": []}}
    world.glue.create_table(DatabaseName=world.database, TableInput=table)
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    assert set(world.crawl({"data/a.csv": FLIGHTS}, SchemaChangePolicy=policy)) == {"data", "mine"}


def test_partitions_that_people_made_stay(world):
    world.put({"data/day=1/a.csv": FLIGHTS, "data/day=2/a.csv": FLIGHTS})
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    name = world.crawler(SchemaChangePolicy=policy)
    world.run(name)
    mine = {"Values": ["9"], "StorageDescriptor": {"Location": world.path("elsewhere/"), "Columns": []}}
    world.glue.create_partition(DatabaseName=world.database, TableName="data", PartitionInput=mine)
    assert world.run(name)["Status"] == "SUCCEEDED"
    assert set(world.partitions("data")) == {("1",), ("2",), ("9",)}


# Options


def test_exclusions_and_hidden_files(world):
    files = {"data/a.csv": FLIGHTS, "data/_SUCCESS": b"x,1\ny,2\n", "data/old/b.json": b'{"a": 1}\n', "data/c.tmp": b"?"}
    target = {"Path": world.path(), "Exclusions": ["old/**", "*.tmp"]}
    tables = world.crawl(files, target)
    assert set(tables) == {"data"}
    assert tables["data"]["Parameters"]["objectCount"] == "1"


def test_table_prefix_and_odd_names(world):
    tables = world.crawl({"data/My Flights-2013/a.csv": FLIGHTS}, {"Path": world.path("data/My Flights-2013/")}, TablePrefix="raw_")
    assert set(tables) == {"raw_my_flights_2013"}


def test_sample_size_limits_the_files_looked_at(world):
    files = {f"data/{number}.csv": FLIGHTS for number in range(5)}
    tables = world.crawl(files, {"Path": world.path(), "SampleSize": 2})
    assert columns(tables["data"])["id"] == "bigint"


def test_nothing_found_says_so(world):
    name = world.crawler()
    last = world.run(name)
    assert last["Status"] == "SUCCEEDED"
    assert world.path() in last["ErrorMessage"] and "No files were found" in last["ErrorMessage"]
    assert world.tables() == {}


def test_unknown_formats_are_named(world):
    world.put({"data/a.csv": FLIGHTS, "data/picture.bin": bytes(range(32)) * 10})
    last = world.run(world.crawler())
    assert last["Status"] == "SUCCEEDED" and "data/picture.bin" in last["ErrorMessage"]
    assert set(world.tables()) == {"data"}


# Failures


def failure(world, **options):
    last = world.run(world.crawler(**options))
    assert last["Status"] == "FAILED", last
    assert world.tables() == {}
    return last["ErrorMessage"]


def test_a_missing_bucket_fails_the_crawl(world):
    gone = world.unique("never-made")
    assert gone in failure(world, target={"Path": f"s3://{gone}/data/"})


def test_a_missing_database_fails_the_crawl(world):
    world.put({"data/a.csv": FLIGHTS})
    last = world.run(world.crawler(DatabaseName="never_made"))
    assert last["Status"] == "FAILED" and "never_made" in last["ErrorMessage"]


def test_a_role_without_s3_fails_the_crawl(world):
    world.put({"data/a.csv": FLIGHTS})
    blind = service_role(world.server, world.unique("blind"), allow("glue:*"))
    told = failure(world, Role=blind)
    assert "s3:ListBucket" in told or "Access Denied" in told, told


def test_a_role_that_may_list_but_not_read_fails_the_crawl(world):
    world.put({"data/a.csv": FLIGHTS})
    half = service_role(world.server, world.unique("half"), allow("glue:*", "s3:ListBucket"))
    told = failure(world, Role=half)
    assert "s3:GetObject" in told or "Access Denied" in told, told


def test_a_role_without_glue_fails_the_crawl(world):
    world.put({"data/a.csv": FLIGHTS})
    mute = service_role(world.server, world.unique("mute"), allow("s3:*"))
    assert "glue:" in failure(world, Role=mute)


def test_a_role_that_does_not_trust_glue_is_refused(world):
    stranger = service_role(world.server, world.unique("stranger"), WORK, service="lambda.amazonaws.com")
    told = message(world.crawler, Role=stranger)
    assert "assume" in told and stranger in told
    assert code(world.crawler, Role="arn:aws:iam::000000000000:role/nobody") == "InvalidInputException"


def test_a_role_that_stops_trusting_glue_fails_the_crawl(world):
    world.put({"data/a.csv": FLIGHTS})
    name = world.crawler()
    iam = world.server.client("iam", "test", "test")
    iam.delete_role_policy(RoleName=world.role.rsplit("/")[-1], PolicyName="work")
    iam.delete_role(RoleName=world.role.rsplit("/")[-1])
    last = world.run(name)
    assert last["Status"] == "FAILED" and world.role.rsplit("/")[-1] in last["ErrorMessage"]


def test_roles_may_be_given_by_name(world):
    tables = world.crawl({"data/a.csv": FLIGHTS}, Role=world.role.rsplit("/")[-1])
    assert set(tables) == {"data"}


def test_broken_parquet_fails_the_crawl(world):
    body = parquet(id=[1, 2, 3])
    world.put({"data/good.parquet": body, "data/broken.parquet": body[:-20]})
    told = failure(world)
    assert "data/broken.parquet" in told and "Parquet" in told


def test_a_failed_crawl_can_be_run_again(world):
    world.put({"data/a.parquet": b"PAR1 and no more"})
    name = world.crawler()
    assert world.run(name)["Status"] == "FAILED"
    world.put({"data/a.parquet": parquet(id=[1])})
    last = world.run(name)
    assert last["Status"] == "SUCCEEDED" and "ErrorMessage" not in last
    crawls = world.glue.list_crawls(CrawlerName=name)["Crawls"]
    assert [it["State"] for it in crawls] == ["COMPLETED", "FAILED"], "newest first"
    assert "Parquet" in crawls[1]["ErrorMessage"]


# Life of a crawler


def test_a_running_crawler_is_not_started_changed_or_deleted(world):
    world.put({f"data/day={day:04}/a.csv": FLIGHTS for day in range(400)})

    def while_running(call, **more):
        """A crawl may end before the call comes: then it is tried with another crawl."""
        for _ in range(20):
            name = world.crawler()
            world.glue.start_crawler(Name=name)
            try:
                call(Name=name, **more)
            except ClientError as refused:
                return name, refused.response["Error"]["Code"]
        raise AssertionError("every crawl was faster than the call")

    for call, more in (("start_crawler", {}), ("update_crawler", {"Description": "x"}), ("delete_crawler", {})):
        assert while_running(getattr(world.glue, call), **more)[1] == "CrawlerRunningException", call


def test_a_running_crawler_is_stopped(world):
    world.put({f"data/day={day:04}/a.csv": FLIGHTS for day in range(400)})
    for _ in range(20):
        name = world.crawler()
        world.glue.start_crawler(Name=name)
        try:
            world.glue.stop_crawler(Name=name)
        except ClientError as late:
            assert late.response["Error"]["Code"] in ("CrawlerNotRunningException", "CrawlerStoppingException")
            continue
        found = wait_for(lambda: ready(world, name), "the stop")
        assert found["LastCrawl"]["Status"] == "CANCELLED"
        assert world.glue.list_crawls(CrawlerName=name)["Crawls"][0]["State"] == "CANCELLED"
        assert world.run(name)["Status"] == "SUCCEEDED"
        return
    raise AssertionError("every crawl was faster than its stop")


def ready(world, name):
    found = world.glue.get_crawler(Name=name)["Crawler"]
    return found if found["State"] == "READY" else None


def test_an_idle_crawler_is_not_stopped(world):
    name = world.crawler()
    assert code(world.glue.stop_crawler, Name=name) == "CrawlerNotRunningException"
    for call in ("start_crawler", "stop_crawler", "get_crawler", "delete_crawler"):
        assert code(getattr(world.glue, call), Name="nobody") == "EntityNotFoundException"


def test_names_and_targets_are_checked(world):
    name = world.crawler()
    given = {"Role": world.role, "DatabaseName": world.database, "Targets": {"S3Targets": [{"Path": world.path()}]}}
    assert code(world.glue.create_crawler, Name=name, **given) == "AlreadyExistsException"
    assert code(world.crawler, Targets={"S3Targets": []}) == "InvalidInputException"
    assert code(world.crawler, Targets={"S3Targets": [{"Path": "http://x/y"}]}) == "InvalidInputException"
    assert code(world.crawler, Classifiers=["nobody"]) == "EntityNotFoundException"


@pytest.mark.parametrize(
    "targets",
    [
        {"JdbcTargets": [{"ConnectionName": "c", "Path": "db/%"}]},
        {"DynamoDBTargets": [{"Path": "orders"}]},
        {"MongoDBTargets": [{"ConnectionName": "c", "Path": "db/c"}]},
        {"DeltaTargets": [{"DeltaTables": ["s3://b/t/"]}]},
    ],
    ids=lambda targets: next(iter(targets)),
)
def test_targets_that_are_missing_are_named(world, targets):
    (kind,) = targets
    told = message(world.crawler, Targets=targets)
    assert kind in told and "not implement" in told


def test_what_crawlers_lack_is_named(world):
    assert "Schedule" in message(world.crawler, Schedule="cron(0 12 * * ? *)")
    assert "LineageConfiguration" in message(world.crawler, LineageConfiguration={"CrawlerLineageSettings": "ENABLE"})
    grok = {"Classification": "x", "Name": "g", "GrokPattern": "%{WORD}"}
    assert "GrokClassifier" in message(world.glue.create_classifier, GrokClassifier=grok)


def test_history_and_metrics(world):
    world.put({f"data/day={day}/a.csv": FLIGHTS for day in (1, 2)})
    name = world.crawler()
    for _ in range(3):
        world.run(name)
    first = world.glue.list_crawls(CrawlerName=name, MaxResults=2)
    rest = world.glue.list_crawls(CrawlerName=name, MaxResults=2, NextToken=first["NextToken"])
    crawls = first["Crawls"] + rest["Crawls"]
    assert [it["State"] for it in crawls] == ["COMPLETED"] * 3
    starts = [it["StartTime"] for it in crawls]
    assert starts == sorted(starts, reverse=True) and all(it["EndTime"] >= it["StartTime"] for it in crawls)
    summary = json.loads(crawls[-1]["Summary"])
    assert summary["TABLE"]["ADD"] == 1 and summary["PARTITION"]["ADD"] == 2
    (metrics,) = world.glue.get_crawler_metrics(CrawlerNameList=[name])["CrawlerMetricsList"]
    assert metrics["TablesCreated"] == 1 and metrics["StillEstimating"] is False
    assert metrics["LastRuntimeSeconds"] >= 0


def test_crawlers_are_listed_changed_and_deleted(world):
    name = world.crawler(Description="first")
    world.glue.update_crawler(Name=name, Description="second")
    found = world.glue.get_crawler(Name=name)["Crawler"]
    assert (found["Description"], found["Version"], found["TablePrefix"] if "TablePrefix" in found else "") == ("second", 2, "")
    assert found["Role"] == world.role and found["LastUpdated"] >= found["CreationTime"]
    assert name in [it for page in world.glue.get_paginator("get_crawlers").paginate() for it in names(page)]
    both = world.glue.batch_get_crawlers(CrawlerNames=[name, "nobody"])
    assert names(both) == [name] and both["CrawlersNotFound"] == ["nobody"]
    world.glue.delete_crawler(Name=name)
    assert code(world.glue.get_crawler, Name=name) == "EntityNotFoundException"


def names(page):
    return [crawler["Name"] for crawler in page["Crawlers"]]


def test_a_crawler_needs_leave_to_pass_its_role(world):
    iam = world.server.client("iam", "test", "test")
    user = world.unique("engineer")
    iam.create_user(UserName=user)
    policy = {"Version": "2012-10-17", "Statement": [allow("glue:*", "s3:*")]}
    iam.put_user_policy(UserName=user, PolicyName="glue", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    glue = world.server.client("glue", key["AccessKeyId"], key["SecretAccessKey"])
    given = {"Role": world.role, "DatabaseName": world.database, "Targets": {"S3Targets": [{"Path": world.path()}]}}
    told = message(glue.create_crawler, Name=world.unique("refused"), **given)
    assert "iam:PassRole" in told


def test_crawlers_survive_restarts_and_kills(start, unique):
    server = start("--dev")
    world = World(server, unique)
    classifier = unique("kept")
    world.glue.create_classifier(CsvClassifier={"Name": classifier, "ContainsHeader": "PRESENT"})
    world.put({f"data/day={day:03}/a.csv": FLIGHTS for day in range(150)})
    name = world.crawler(Classifiers=[classifier])
    assert world.run(name)["Status"] == "SUCCEEDED"
    before = world.glue.get_crawler(Name=name)["Crawler"]
    server.stop()

    world.server = start("--dev")
    world.glue = world.server.client("glue", "test", "test")
    assert world.glue.get_crawler(Name=name)["Crawler"] == before
    assert world.glue.get_classifier(Name=classifier)["Classifier"]["CsvClassifier"]["ContainsHeader"] == "PRESENT"
    assert len(world.glue.list_crawls(CrawlerName=name)["Crawls"]) == 1

    world.glue.delete_table(DatabaseName=world.database, Name="data")
    world.glue.start_crawler(Name=name)
    world.server.kill()
    world.server = start("--dev")
    world.glue = world.server.client("glue", "test", "test")
    found = wait_for(lambda: ready(world, name), "the end of the crawl that the kill interrupted")
    assert found["LastCrawl"]["Status"] == "SUCCEEDED"
    pages = world.glue.get_paginator("get_partitions").paginate(DatabaseName=world.database, TableName="data")
    assert sum(len(page["Partitions"]) for page in pages) == 150
