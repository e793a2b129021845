"""Glue jobs through boto3: visual jobs that really compute, scripts that really run, and runs that end as their work does."""

import gzip
import io
import json
import threading

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from conftest import allow, own_call, service_role, wait_for

WORK = [
    allow("s3:*", "glue:*", "athena:*"),
    allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
]
ENDED = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}
FLIGHTS = "id,carrier,origin,delay,day\n1,UA,JFK,10,2013-01-01\n2,AA,JFK,NA,2013-01-01\n3,UA,LGA,30,2013-01-02\n4,DL,EWR,-5,2013-01-02\n5,UA,JFK,20,2013-01-02\n5,UA,JFK,20,2013-01-02\n"
AIRLINES = "carrier|name\nUA|United\nAA|American\nDL|Delta\n"
BOOKMARKS = {"--job-bookmark-option": "job-bookmark-enable"}


class World:
    """A bucket, a database and a role of one test."""

    def __init__(self, server, unique, statements=WORK):
        self.server, self.unique = server, unique
        self.s3, self.glue = server.client("s3", "test", "test"), server.client("glue", "test", "test")
        self.athena = server.client("athena", "test", "test")
        self.bucket, self.database = unique("jobs"), unique("made").replace("-", "_")
        self.s3.create_bucket(Bucket=self.bucket)
        self.glue.create_database(DatabaseInput={"Name": self.database})
        self.role = service_role(server, unique("job-role"), *statements)

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def path(self, prefix):
        return f"s3://{self.bucket}/{prefix}"

    def keys(self, prefix):
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])]

    def rows(self, prefix):
        """All rows of the Parquet files below a prefix."""
        rows = []
        for key in self.keys(prefix):
            body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            rows += pq.read_table(io.BytesIO(body), partitioning=None).to_pylist()
        return rows

    def visual(self, nodes, **options):
        name = self.unique("visual")
        command = {"Name": "glueetl", "ScriptLocation": self.path("scripts/unused.py"), "PythonVersion": "3"}
        given = {"Name": name, "Role": self.role, "Command": command, "CodeGenConfigurationNodes": nodes, "GlueVersion": "4.0"}
        self.glue.create_job(**(given | options))
        return name

    def script(self, text, **options):
        name = self.unique("script")
        self.put(f"scripts/{name}.py", text)
        command = {"Name": "pythonshell", "ScriptLocation": self.path(f"scripts/{name}.py"), "PythonVersion": "3.9"}
        self.glue.create_job(**({"Name": name, "Role": self.role, "Command": command, "MaxCapacity": 0.0625} | options))
        return name

    def get(self, job, run):
        return self.glue.get_job_run(JobName=job, RunId=run)["JobRun"]

    def end(self, job, run, timeout=60):
        def ended():
            found = self.get(job, run)
            return found if found["JobRunState"] in ENDED else None

        return wait_for(ended, f"the end of {run}", timeout)

    def run(self, job, timeout=60, **options):
        return self.end(job, self.glue.start_job_run(JobName=job, **options)["JobRunId"], timeout)

    def succeed(self, job, **options):
        run = self.run(job, **options)
        assert run["JobRunState"] == "SUCCEEDED", run
        return run

    def query(self, sql):
        given = {"OutputLocation": self.path("results/")}
        started = self.athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": self.database}, ResultConfiguration=given
        )

        def ended():
            found = self.athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
            return found["Status"] if found["Status"]["State"] in {"SUCCEEDED", "FAILED"} else None

        status = wait_for(ended, sql)
        assert status["State"] == "SUCCEEDED", status
        found = self.athena.get_query_results(QueryExecutionId=started["QueryExecutionId"])["ResultSet"]["Rows"]
        return [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in found[1:]]


@pytest.fixture
def world(shared, unique):
    return World(shared, unique)


def csv(path, separator="comma", name="source"):
    options = {"Name": name, "Paths": [path], "Separator": separator, "QuoteChar": "quote", "WithHeader": True, "Recurse": True}
    return {"S3CsvSource": options}


def target(inputs, path, **options):
    return {"S3GlueParquetTarget": {"Name": "target", "Inputs": [inputs], "Path": path, "Compression": "snappy"} | options}


def mapping(inputs, *columns):
    mapped = [
        {"FromPath": [source], "FromType": "string", "ToKey": to, "ToType": kind} for source, to, kind in columns
    ]
    return {"ApplyMapping": {"Name": "map", "Inputs": [inputs], "Mapping": mapped}}


def column(name):
    return {"Type": "COLUMNEXTRACTED", "Value": [name]}


def constant(value):
    return {"Type": "CONSTANT", "Value": [value]}


def pipeline(world, into="out/"):
    """CSV -> mapping -> filter -> distinct -> join -> aggregate -> partitioned Parquet and a table."""
    policy = {
        "EnableUpdateCatalog": True,
        "UpdateBehavior": "UPDATE_IN_DATABASE",
        "Database": world.database,
        "Table": "delays",
    }
    return {
        "node-1": csv(world.path("in/flights/"), name="flights"),
        "node-2": csv(world.path("in/airlines/"), "pipe", name="airlines"),
        "node-3": mapping(
            "node-1", ("id", "id", "int"), ("carrier", "code", "string"), ("origin", "origin", "string"),
            ("delay", "delay", "int"), ("day", "day", "date"),
        ),
        "node-4": {
            "Filter": {
                "Name": "delayed",
                "Inputs": ["node-3"],
                "LogicalOperator": "AND",
                "Filters": [{"Operation": "GT", "Values": [column("delay"), constant("0")]}],
            }
        },
        "node-5": {"DropDuplicates": {"Name": "once", "Inputs": ["node-4"], "Columns": [["id"]]}},
        "node-6": {
            "Join": {
                "Name": "named",
                "Inputs": ["node-5", "node-2"],
                "JoinType": "left",
                "Columns": [{"From": "node-5", "Keys": [["code"]]}, {"From": "node-2", "Keys": [["carrier"]]}],
            }
        },
        "node-7": {
            "Aggregate": {
                "Name": "sums",
                "Inputs": ["node-6"],
                "Groups": [["name"], ["day"]],
                "Aggs": [{"Column": ["delay"], "AggFunc": "avg"}, {"Column": ["id"], "AggFunc": "count"}],
            }
        },
        "node-8": {
            "RenameField": {"Name": "r1", "Inputs": ["node-7"], "SourcePath": ["avg(delay)"], "TargetPath": ["average"]}
        },
        "node-9": {
            "RenameField": {"Name": "r2", "Inputs": ["node-8"], "SourcePath": ["count(id)"], "TargetPath": ["flights"]}
        },
        "node-10": target("node-9", world.path(into), PartitionKeys=[["day"]], SchemaChangePolicy=policy),
    }


def test_a_visual_job_from_csv_to_a_table_that_athena_reads(world):
    world.put("in/flights/a.csv", FLIGHTS)
    world.put("in/airlines/a.csv", AIRLINES)
    job = world.visual(pipeline(world))
    run = world.succeed(job)
    assert run["CompletedOn"] >= run["StartedOn"] and run["ExecutionTime"] >= 0 and "ErrorMessage" not in run
    assert world.query("SELECT name, average, flights, day FROM delays ORDER BY day, name") == [
        ("United", "10.0", "1", "2013-01-01"),
        ("United", "25.0", "2", "2013-01-02"),
    ]
    assert {key.split("/")[1] for key in world.keys("out/")} == {"day=2013-01-01", "day=2013-01-02"}
    table = world.glue.get_table(DatabaseName=world.database, Name="delays")["Table"]
    assert [column["Type"] for column in table["StorageDescriptor"]["Columns"]] == ["string", "double", "bigint"]
    assert table["PartitionKeys"] == [{"Name": "day", "Type": "date"}]
    # As on AWS, a run adds to what is there.
    world.succeed(job)
    assert world.query("SELECT count(*) FROM delays") == [("4",)]


def preview(world, job, node, key="test", secret="test"):
    """The first rows of a node: our own address beside Glue's API."""
    return own_call(world.server, "glue", f"jobs/{job}/nodes/{node}/rows", key, secret)


def test_a_nodes_first_rows_are_those_that_a_run_would_see(world):
    world.put("in/flights/a.csv", FLIGHTS)
    world.put("in/airlines/a.csv", AIRLINES)
    job = world.visual(pipeline(world))
    status, source = preview(world, job, "node-1")
    assert status == 200 and [column["Name"] for column in source["Columns"]] == ["id", "carrier", "origin", "delay", "day"]
    assert source["Rows"][0] == ["1", "UA", "JFK", "10", "2013-01-01"] and len(source["Rows"]) == 6
    _, once = preview(world, job, "node-5")
    assert sorted(once["Rows"]) == [
        ["1", "UA", "JFK", "10", "2013-01-01"],
        ["3", "UA", "LGA", "30", "2013-01-02"],
        ["5", "UA", "JFK", "20", "2013-01-02"],
    ]
    assert [column["Type"] for column in once["Columns"]] == ["integer", "varchar", "varchar", "integer", "date"]
    _, written = preview(world, job, "node-10")
    assert sorted(written["Rows"]) == [["United", "2013-01-01", "10.0", "1"], ["United", "2013-01-02", "25.0", "2"]]
    assert not written["Truncated"] and world.keys("out/") == []
    world.put("in/flights/b.csv", "id,carrier,origin,delay,day\n" + "".join(f"{n},UA,JFK,1,2013-01-01\n" for n in range(300)))
    _, many = preview(world, job, "node-1")
    assert many["Truncated"] and len(many["Rows"]) == 200


def test_previews_show_nobody_what_they_may_not_read(world, shared, unique):
    world.put("in/flights/a.csv", FLIGHTS)
    job = world.visual({"s": csv(world.path("in/flights/")), "t": target("s", world.path("out/"))})
    assert preview(world, job, "s", key=None)[0] == 403
    identity = shared.client("iam", "test", "test")
    for statements, expected in [
        ([allow("glue:*")], "AccessDenied"),
        ([allow("s3:*")], "glue:GetJob"),
    ]:
        name = unique("looker")
        identity.create_user(UserName=name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        identity.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
        key = identity.create_access_key(UserName=name)["AccessKey"]
        status, answer = preview(world, job, "s", key["AccessKeyId"], key["SecretAccessKey"])
        assert status in (400, 403) and expected in answer["message"], answer
    assert preview(world, job, "u")[0] == 400
    assert preview(world, "no-such-job", "u")[1]["__type"] == "EntityNotFoundException"


def test_json_parquet_and_catalogue_sources_meet(world):
    lines = [{"id": 1, "userId": "a", "n": 5}, {"id": 2, "userId": "b", "n": "many"}]
    world.put("in/j/a.json.gz", gzip.compress("\n".join([*map(json.dumps, lines), "broken {"]).encode()))
    world.put("in/flights/a.csv", FLIGHTS)
    first = {
        "s": {"S3JsonSource": {"Name": "j", "Paths": [world.path("in/j/")], "Recurse": True}},
        "t": {
            "S3DirectTarget": {
                "Name": "t", "Inputs": ["s"], "Path": world.path("p/"), "Format": "parquet",
                "SchemaChangePolicy": {"EnableUpdateCatalog": True, "Database": world.database, "Table": "lines"},
            }
        },
    }
    world.succeed(world.visual(first))
    # A field of several types is text; a line that is no JSON is no row.
    assert sorted(world.query("SELECT id, userid, n FROM lines")) == [("1", "a", "5"), ("2", "b", "many")]
    second = {
        "c": {"S3CatalogSource": {"Name": "c", "Database": world.database, "Table": "lines"}},
        "p": {"S3ParquetSource": {"Name": "p", "Paths": [world.path("p/")], "Recurse": True}},
        "q": {
            "SparkSQL": {
                "Name": "sql", "Inputs": ["c", "p"],
                "SqlAliases": [{"From": "c", "Alias": "c"}, {"From": "p", "Alias": "p"}],
                "SqlQuery": "SELECT c.id, p.`userId` AS who FROM c JOIN p ON c.id = p.id",
            }
        },
        "u": {"Union": {"Name": "u", "Inputs": ["q", "q"], "UnionType": "ALL"}},
        "t": {"S3DirectTarget": {"Name": "t", "Inputs": ["u"], "Path": world.path("o/"), "Format": "json", "Compression": "gzip"}},
    }
    world.succeed(world.visual(second))
    body = b"".join(
        gzip.decompress(world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read()) for key in world.keys("o/")
    )
    assert sorted(json.loads(line)["who"] for line in body.splitlines()) == ["a", "a", "b", "b"]


@pytest.mark.parametrize("format,codec", [("orc", "zlib"), ("orc", None), ("avro", "snappy"), ("avro", None)])
def test_orc_and_avro_are_written_and_read(world, format, codec):
    world.put("in/a.csv", "id,name,day\n1,x,mo\n2,,tu\n")
    policy = {"EnableUpdateCatalog": True, "Database": world.database, "Table": "made"}
    options = {"Name": "t", "Inputs": ["m"], "Path": world.path("out/"), "Format": format, "SchemaChangePolicy": policy, "PartitionKeys": [["day"]]}
    first = {
        "s": csv(world.path("in/")),
        "m": mapping("s", ("id", "id", "bigint"), ("name", "name", "string"), ("day", "day", "string")),
        "t": {"S3DirectTarget": options | ({"Compression": codec} if codec else {})},
    }
    world.succeed(world.visual(first))
    begin = {"orc": b"ORC", "avro": b"Obj\x01"}[format]
    bodies = [world.s3.get_object(Bucket=world.bucket, Key=key)["Body"].read() for key in world.keys("out/")]
    assert len(bodies) == 2 and all(body.startswith(begin) for body in bodies)
    # What a job wrote another one reads, and adds to.
    second = {
        "s": {"S3CatalogSource": {"Name": "c", "Database": world.database, "Table": "made", "PartitionPredicate": "day = 'mo'"}},
        "t": {"S3CatalogTarget": {"Name": "t", "Inputs": ["s"], "Database": world.database, "Table": "made", "PartitionKeys": [["day"]]}},
    }
    world.succeed(world.visual(second))
    assert sorted(world.query("SELECT id, name, day FROM made"), key=str) == [("1", "x", "mo"), ("1", "x", "mo"), ("2", "", "tu")]
    refused = first | {"t": {"S3DirectTarget": options | {"Format": "hudi"}}}
    with pytest.raises(ClientError, match="hudi"):
        world.visual(refused)


def test_nulls_merges_and_fields(world):
    world.put("in/a.csv", "id,keep,empty\n1,x,\n2,y,\n")
    world.put("in/b.csv", "id,keep,empty\n2,z,\n3,w,\n")
    nodes = {
        "a": csv(world.path("in/a.csv"), name="a"),
        "b": csv(world.path("in/b.csv"), name="b"),
        "m": {"Merge": {"Name": "m", "Inputs": ["a", "b"], "Source": "b", "PrimaryKeys": [["id"]]}},
        "n": {"DropNullFields": {"Name": "n", "Inputs": ["m"], "NullCheckBoxList": {"IsEmpty": True}}},
        "t": target("n", world.path("out/")),
    }
    world.succeed(world.visual(nodes))
    rows = sorted(world.rows("out/"), key=lambda row: row["id"])
    assert rows == [{"id": "1", "keep": "x"}, {"id": "2", "keep": "z"}, {"id": "3", "keep": "w"}]


def test_a_catalogue_target_adds_columns_and_partitions(world):
    world.put("in/a.csv", "id,day\n1,mo\n2,tu\n")
    classes = "org.apache.hadoop.hive.ql.io.parquet"
    storage = {
        "Columns": [{"Name": "id", "Type": "int"}],
        "Location": world.path("table/"),
        "InputFormat": f"{classes}.MapredParquetInputFormat",
        "OutputFormat": f"{classes}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{classes}.serde.ParquetHiveSerDe"},
    }
    keys = [{"Name": "day", "Type": "string"}]
    world.glue.create_table(
        DatabaseName=world.database, TableInput={"Name": "t", "StorageDescriptor": storage, "PartitionKeys": keys}
    )

    def job(policy, *more):
        nodes = {
            "s": csv(world.path("in/")),
            "m": mapping("s", ("id", "id", "int"), ("day", "day", "string"), *more),
            "t": {
                "S3CatalogTarget": {
                    "Name": "t", "Inputs": ["m"], "Database": world.database, "Table": "t",
                    "PartitionKeys": [["day"]], "SchemaChangePolicy": policy,
                }
            },
        }
        return world.visual(nodes)

    update = {"EnableUpdateCatalog": True, "UpdateBehavior": "UPDATE_IN_DATABASE"}
    failed = world.run(job({"EnableUpdateCatalog": True, "UpdateBehavior": "LOG"}, ("id", "twice", "long")))
    assert failed["JobRunState"] == "FAILED" and "'twice'" in failed["ErrorMessage"]
    world.succeed(job(update, ("id", "twice", "long")))
    assert sorted(world.query("SELECT id, twice, day FROM t")) == [("1", "1", "mo"), ("2", "2", "tu")]


def test_bookmarks_skip_what_a_run_that_succeeded_has_read(world):
    world.put("in/a.csv", "id\n1\n")
    job = world.visual({"s": csv(world.path("in/")), "t": target("s", world.path("out/"))}, DefaultArguments=BOOKMARKS)
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        world.glue.get_job_bookmark(JobName=job)
    world.succeed(job)
    world.succeed(job)
    assert [row["id"] for row in world.rows("out/")] == ["1"]
    world.put("in/b.csv", "id\n2\n")
    world.succeed(job, Arguments={"--job-bookmark-option": "job-bookmark-pause"})
    assert sorted(row["id"] for row in world.rows("out/")) == ["1", "2"]
    world.succeed(job)  # a paused run has read b, and remembers nothing
    assert sorted(row["id"] for row in world.rows("out/")) == ["1", "2", "2"]
    world.put("in/a.csv", "id\n9\n")  # a changed object is a new one
    world.succeed(job)
    assert sorted(row["id"] for row in world.rows("out/")) == ["1", "2", "2", "9"]
    entry = world.glue.get_job_bookmark(JobName=job)["JobBookmarkEntry"]
    assert entry["Run"] == 4 and entry["RunId"].startswith("jr_")
    world.glue.reset_job_bookmark(JobName=job)
    world.succeed(job)
    assert len(world.rows("out/")) == 6


def test_a_failed_run_moves_no_bookmark(world):
    world.put("in/a.csv", "id\n1\n")
    nodes = {"s": csv(world.path("in/")), "t": target("s", "s3://no-such-bucket-here/out/")}
    job = world.visual(nodes, DefaultArguments=BOOKMARKS)
    assert world.run(job)["JobRunState"] == "FAILED"
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        world.glue.get_job_bookmark(JobName=job)


@pytest.mark.parametrize(
    "node, said",
    [
        ({"SelectFields": {"Name": "pick", "Inputs": ["s"], "Paths": [["carier"]]}}, "'carier'"),
        ({"RenameField": {"Name": "pick", "Inputs": ["s"], "SourcePath": ["carier"], "TargetPath": ["c"]}}, "'carier'"),
        (
            {
                "SparkSQL": {
                    "Name": "pick", "Inputs": ["s"], "SqlAliases": [{"From": "s", "Alias": "t"}],
                    "SqlQuery": "SELECT carier FROM t",
                }
            },
            "'carier'",
        ),
        (
            {"Aggregate": {"Name": "pick", "Inputs": ["s"], "Groups": [], "Aggs": [{"Column": ["id"], "AggFunc": "sum"}]}},
            "'id'",
        ),
    ],
)
def test_a_wrong_column_fails_the_run_with_node_and_column(world, node, said):
    world.put("in/a.csv", FLIGHTS)
    job = world.visual({"s": csv(world.path("in/")), "x": node, "t": target("x", world.path("out/"))})
    run = world.run(job)
    assert run["JobRunState"] == "FAILED"
    assert said in run["ErrorMessage"] and "node 'pick' (x)" in run["ErrorMessage"], run["ErrorMessage"]
    assert world.keys("out/") == []


def test_a_role_without_permission_fails_the_run_and_leaves_nothing(shared, unique):
    readable = allow("s3:GetObject", "s3:ListBucket")
    world = World(shared, unique, [readable])
    world.put("in/a.csv", FLIGHTS)
    run = world.run(world.visual({"s": csv(world.path("in/")), "t": target("s", world.path("out/"))}))
    assert run["JobRunState"] == "FAILED" and "s3:PutObject" in run["ErrorMessage"], run
    assert world.keys("out/") == []
    blind = World(shared, unique, [allow("glue:*")])
    run = blind.run(blind.visual({"s": csv(blind.path("in/")), "t": target("s", blind.path("out/"))}))
    assert run["JobRunState"] == "FAILED" and "s3:ListBucket" in run["ErrorMessage"], run


def test_who_makes_a_job_must_be_allowed_to_pass_its_role(world, shared, unique):
    iam = shared.client("iam", "test", "test")
    user = unique("maker")
    iam.create_user(UserName=user)
    policy = {"Version": "2012-10-17", "Statement": [allow("glue:*")]}
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    glue = shared.client("glue", key["AccessKeyId"], key["SecretAccessKey"])
    command = {"Name": "pythonshell", "ScriptLocation": world.path("s.py")}
    with pytest.raises(ClientError, match="iam:PassRole"):
        glue.create_job(Name=unique("j"), Role=world.role, Command=command)
    stranger = service_role(shared, unique("stranger"), *WORK, service="lambda.amazonaws.com")
    with pytest.raises(ClientError, match="InvalidInputException.*assume role"):
        world.glue.create_job(Name=unique("j"), Role=stranger, Command=command)


def test_what_is_missing_is_refused_by_name_when_the_job_is_made(world, unique):
    etl = {"Name": "glueetl", "ScriptLocation": world.path("s.py")}
    shell = {"Name": "pythonshell", "ScriptLocation": world.path("s.py")}
    source, out = csv(world.path("in/")), target("x", world.path("out/"))
    code = {"CustomCode": {"Name": "c", "Inputs": ["s"], "Code": "x = 1", "ClassName": "C"}}
    fill = {"FillMissingValues": {"Name": "f", "Inputs": ["s"], "ImputedPath": "a"}}
    banded = {"S3CsvSource": source["S3CsvSource"] | {"MaxBand": 3}}
    divided = {
        "SparkSQL": {"Name": "q", "Inputs": ["s"], "SqlAliases": [{"From": "s", "Alias": "t"}], "SqlQuery": "SELECT a / b FROM t"}
    }
    for options, name in [
        ({"Command": etl}, "PySpark"),
        ({"Command": {"Name": "gluestreaming", "ScriptLocation": world.path("s.py")}}, "gluestreaming"),
        ({"Command": {"Name": "glueray", "ScriptLocation": world.path("s.py")}}, "glueray"),
        ({"Command": etl, "CodeGenConfigurationNodes": {"s": source, "x": code, "t": out}}, "CustomCode"),
        ({"Command": etl, "CodeGenConfigurationNodes": {"s": source, "x": fill, "t": out}}, "FillMissingValues"),
        ({"Command": etl, "CodeGenConfigurationNodes": {"x": banded, "t": out}}, "MaxBand"),
        ({"Command": etl, "CodeGenConfigurationNodes": {"s": source, "x": divided, "t": out}}, "CAST"),
        ({"Command": etl, "CodeGenConfigurationNodes": {"x": source}}, "target"),
        ({"Command": shell, "Connections": {"Connections": ["c"]}}, "Connections"),
        ({"Command": shell, "DefaultArguments": {"--extra-py-files": "s3://b/x.py"}}, "--extra-py-files"),
    ]:
        with pytest.raises(ClientError, match=name) as error:
            world.glue.create_job(Name=unique("j"), Role=world.role, **options)
        assert error.value.response["Error"]["Code"] == "InvalidInputException", options


def test_jobs_are_made_changed_listed_and_deleted(world):
    job = world.script("print(1)", Tags={"team": "data"}, MaxRetries=2, Timeout=5, Description="first")
    shown = world.glue.get_job(JobName=job)["Job"]
    assert (shown["Description"], shown["Timeout"], shown["MaxRetries"]) == ("first", 5, 2)
    assert shown["ExecutionProperty"] == {"MaxConcurrentRuns": 1} and shown["Role"] == world.role
    assert job in world.glue.list_jobs(Tags={"team": "data"})["JobNames"]
    assert job not in world.glue.list_jobs(Tags={"team": "other"})["JobNames"]
    arn = f"arn:aws:glue:us-east-1:000000000000:job/{job}"
    assert world.glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "data"}
    update = {"Role": world.role, "Command": shown["Command"], "Description": "second"}
    world.glue.update_job(JobName=job, JobUpdate=update)
    changed = world.glue.get_job(JobName=job)["Job"]
    assert (changed["Description"], changed["MaxRetries"], changed["CreatedOn"]) == ("second", 0, shown["CreatedOn"])
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        world.glue.create_job(Name=job, Role=world.role, Command=shown["Command"])
    found = world.glue.batch_get_jobs(JobNames=[job, "no-such"])
    assert [found["Jobs"][0]["Name"], found["JobsNotFound"]] == [job, ["no-such"]]
    assert job in [each["Name"] for page in world.glue.get_paginator("get_jobs").paginate() for each in page["Jobs"]]
    world.glue.delete_job(JobName=job)
    for call in (world.glue.get_job, world.glue.start_job_run, world.glue.get_job_runs):
        with pytest.raises(ClientError, match="EntityNotFoundException"):
            call(JobName=job)
    world.glue.delete_job(JobName=job)


SCRIPT = """
import sys, boto3, os
from awsglue.utils import getResolvedOptions
args = getResolvedOptions(sys.argv, ["bucket", "word"])
print("hello", args["word"])
print("to stderr", file=sys.stderr)
boto3.client("s3").put_object(Bucket=args["bucket"], Key="out/answer.txt", Body=args["word"].encode())
print(boto3.client("sts").get_caller_identity()["Arn"])
"""


def test_a_script_works_as_its_role_with_its_arguments(world):
    job = world.script(SCRIPT, DefaultArguments={"--bucket": world.bucket, "--word": "default"})
    run = world.succeed(job, Arguments={"--word": "given"})
    assert world.s3.get_object(Bucket=world.bucket, Key="out/answer.txt")["Body"].read() == b"given"
    assert run["Arguments"] == {"--word": "given"} and run["LogGroupName"] == "/aws-glue/python-jobs"


def test_a_scripts_lines_are_in_cloudwatch_logs(world, shared):
    logs = shared.client("logs", "test", "test")
    job = world.script(SCRIPT, DefaultArguments={"--bucket": world.bucket, "--word": "logged"})
    run = world.succeed(job)

    def lines(kind):
        found = logs.get_log_events(logGroupName=f"/aws-glue/python-jobs/{kind}", logStreamName=run["Id"])
        return [event["message"] for event in found["events"]]

    assert "hello logged" in lines("output") and "to stderr" in lines("error")


def test_a_script_that_exits_with_a_code_has_failed(world):
    run = world.run(world.script("import sys; print('no', file=sys.stderr); sys.exit(3)"))
    assert run["JobRunState"] == "FAILED" and "exit code 3" in run["ErrorMessage"], run
    run = world.run(world.script("raise ValueError('odd')"))
    assert run["JobRunState"] == "FAILED" and "ValueError: odd" in run["ErrorMessage"], run
    job = world.script("print(1)")
    world.s3.delete_object(Bucket=world.bucket, Key=f"scripts/{job}.py")
    run = world.run(job)
    assert run["JobRunState"] == "FAILED" and "can't be read" in run["ErrorMessage"], run


def test_a_script_sees_only_what_it_was_given(world):
    text = "import os, socket\nassert not os.path.exists('/root/.ssh')\ntry:\n    socket.create_connection(('192.0.2.1', 53), 2)\nexcept OSError:\n    print('no way out')\nelse:\n    raise SystemExit('reached the network')\n"
    world.succeed(world.script(text))


def test_failed_runs_are_tried_again_as_often_as_the_job_says(world):
    job = world.script("raise SystemExit(1)", MaxRetries=2)
    run = world.glue.start_job_run(JobName=job)["JobRunId"]
    last = wait_for(
        lambda: next((r for r in world.glue.get_job_runs(JobName=job)["JobRuns"] if r["Id"] == f"{run}_attempt_2" and r["JobRunState"] == "FAILED"), None),
        "the last attempt",
        60,
    )
    assert (last["Attempt"], last["PreviousRunId"]) == (2, f"{run}_attempt_1")
    runs = world.glue.get_job_runs(JobName=job)["JobRuns"]
    assert [r["JobRunState"] for r in runs] == ["FAILED"] * 3


SLOW = "import time\nprint('begun', flush=True)\ntime.sleep(600)\n"


def running(world, job, run):
    return wait_for(lambda: world.get(job, run)["JobRunState"] == "RUNNING", f"{run} is running")


def test_a_job_has_no_more_runs_at_once_than_it_may(world):
    job = world.script(SLOW, ExecutionProperty={"MaxConcurrentRuns": 2})
    runs = [world.glue.start_job_run(JobName=job)["JobRunId"] for _ in range(2)]
    with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
        world.glue.start_job_run(JobName=job)
    with pytest.raises(ClientError, match="stop them first"):
        world.glue.delete_job(JobName=job)
    stopped = world.glue.batch_stop_job_run(JobName=job, JobRunIds=[*runs, "jr_unknown"])
    assert [s["JobRunId"] for s in stopped["SuccessfulSubmissions"]] == runs
    assert stopped["Errors"][0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    for run in runs:
        assert world.end(job, run)["JobRunState"] == "STOPPED"
    again = world.glue.batch_stop_job_run(JobName=job, JobRunIds=runs[:1])
    assert again["Errors"][0]["JobRunId"] == runs[0]
    world.glue.start_job_run(JobName=job)


def big(world, files=6, rows=60_000):
    """Enough rows for a join that keeps a run busy."""
    for file in range(files):
        body = "k,v\n" + "".join(f"{row % 50},{file}-{row}\n" for row in range(rows))
        world.put(f"big/{file}.csv", body)
    keys = [["k"]]
    return {
        "s": csv(world.path("big/")),
        "j": {
            "Join": {
                "Name": "explode", "Inputs": ["s", "s"], "JoinType": "equijoin",
                "Columns": [{"From": "s", "Keys": keys}, {"From": "s", "Keys": keys}],
            }
        },
        "a": {
            "SparkSQL": {
                "Name": "count", "Inputs": ["j"], "SqlAliases": [{"From": "j", "Alias": "t"}],
                "SqlQuery": "SELECT k, count(*) AS n, max(length(v || `.v`)) AS m FROM t GROUP BY k",
            }
        },
        "t": target("a", world.path("out/")),
    }


def test_a_visual_run_is_stopped_while_it_computes(world):
    job = world.visual(big(world))
    run = world.glue.start_job_run(JobName=job)["JobRunId"]
    running(world, job, run)
    world.glue.batch_stop_job_run(JobName=job, JobRunIds=[run])
    assert world.end(job, run)["JobRunState"] == "STOPPED"
    assert world.keys("out/") == []


def test_runs_end_when_their_time_is_over(world):
    visual, script = world.visual(big(world), Timeout=1), world.script(SLOW, Timeout=1)
    runs = [(job, world.glue.start_job_run(JobName=job)["JobRunId"]) for job in (visual, script)]
    for job, run in runs:
        ended = world.end(job, run, timeout=120)
        assert ended["JobRunState"] == "TIMEOUT" and "timed out" in ended["ErrorMessage"], ended
        assert ended["ExecutionTime"] >= 60
    assert world.keys("out/") == []


@pytest.fixture
def own(start, tmp_path, unique):
    """A server of the test's own, which it may kill."""
    server = start("--dev")
    return World(server, unique)


def move(world, server):
    """The same world on a server that was started again."""
    world.server, world.s3 = server, server.client("s3", "test", "test")
    world.glue, world.athena = server.client("glue", "test", "test"), server.client("athena", "test", "test")


def test_a_visual_run_is_taken_up_after_a_kill_and_leaves_each_row_once(own, start):
    rows = 40_000
    for file in range(8):
        own.put(f"in/{file}.csv", "id,part\n" + "".join(f"{file}-{row},{row % 4}\n" for row in range(rows)))
    nodes = {
        "s": csv(own.path("in/")),
        "d": {"DropDuplicates": {"Name": "d", "Inputs": ["s"]}},
        "t": target("d", own.path("out/"), PartitionKeys=[["part"]]),
    }
    job = own.visual(nodes, DefaultArguments=BOOKMARKS)
    run = own.glue.start_job_run(JobName=job)["JobRunId"]
    running(own, job, run)
    own.server.kill()
    server = start("--dev")
    move(own, server)
    assert own.end(job, run, timeout=90)["JobRunState"] == "SUCCEEDED"
    found = [row["id"] for row in own.rows("out/")]
    assert len(found) == 8 * rows == len(set(found))
    own.succeed(job)
    assert len(own.rows("out/")) == 8 * rows


def test_a_script_that_loses_its_server_fails_and_is_tried_again(own, start):
    job = own.script("import time\nprint('x', flush=True)\ntime.sleep(3)\n", MaxRetries=1)
    run = own.glue.start_job_run(JobName=job)["JobRunId"]
    running(own, job, run)
    own.server.kill()
    server = start("--dev")
    move(own, server)
    lost = own.end(job, run)
    assert lost["JobRunState"] == "FAILED" and "worker was lost" in lost["ErrorMessage"], lost
    assert own.end(job, f"{run}_attempt_1")["JobRunState"] == "SUCCEEDED"


def test_many_runs_at_once_each_end(world):
    world.put("in/a.csv", FLIGHTS)
    job = world.visual(
        {"s": csv(world.path("in/")), "t": target("s", world.path("out/"))}, ExecutionProperty={"MaxConcurrentRuns": 50}
    )
    runs, lock = [], threading.Lock()

    def begin():
        run = world.glue.start_job_run(JobName=job)["JobRunId"]
        with lock:
            runs.append(run)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert {world.end(job, run)["JobRunState"] for run in runs} == {"SUCCEEDED"} and len(set(runs)) == 8
    assert len(world.rows("out/")) == 8 * 6
