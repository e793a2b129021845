"""The Iceberg REST catalog: PyIceberg over signed calls, and the same tables in Glue and Athena."""

import json
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pyarrow
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    ForbiddenError,
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table.update import AssertRefSnapshotId, SetPropertiesUpdate
from pyiceberg.transforms import DayTransform
from pyiceberg.types import IntegerType, LongType, NestedField, StringType, TimestampType

from test_athena import World

ACCOUNT = "000000000000"


def catalog(server, key="test", secret="test", token=None, **more):
    session = {"client.session-token": token} if token else {}
    return load_catalog(
        "boathouse",
        **{
            "type": "rest",
            "uri": f"{server.url}/iceberg",
            "warehouse": ACCOUNT,
            "rest.sigv4-enabled": "true",
            "rest.signing-name": "glue",
            "rest.signing-region": "us-east-1",
            "client.access-key-id": key,
            "client.secret-access-key": secret,
            "client.region": "us-east-1",
        },
        **session,
        **more,
    )


@pytest.fixture
def world(shared, unique):
    """A bucket and a database of this test's own, and the catalog as root."""
    world = World(shared)
    world.bucket, world.database = unique("ice"), unique("ice").replace("-", "_")
    world.s3.create_bucket(Bucket=world.bucket)
    world.catalog = catalog(shared)
    world.catalog.create_namespace(world.database, {"location": f"s3://{world.bucket}/db", "owner": "me"})
    query = {
        "QueryExecutionContext": {"Database": world.database},
        "ResultConfiguration": {"OutputLocation": f"s3://{world.bucket}/results/"},
    }
    world.select = lambda sql: world.rows(sql, **query)[1:]
    world.execute = lambda sql: world.run(sql, **query)
    return world


ROWS = pyarrow.table({"id": pyarrow.array([1, 2, 3], pyarrow.int64()), "name": ["a", "b", None]})


def signed(server, method, path, body=None, service="glue", key="test", secret="test"):
    """A call that no client library makes: status and JSON."""
    data = json.dumps(body).encode() if body is not None else b""
    request = botocore.awsrequest.AWSRequest(method, f"{server.url}{path}", data=data)
    credentials = botocore.credentials.Credentials(key, secret)
    if service:
        botocore.auth.SigV4Auth(credentials, service, "us-east-1").add_auth(request)
    call = urllib.request.Request(request.url, data=data or None, headers=dict(request.headers), method=method)
    try:
        with urllib.request.urlopen(call) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or "null")


def test_namespaces_are_databases(world):
    found = world.glue.get_database(Name=world.database)["Database"]
    assert found["LocationUri"] == f"s3://{world.bucket}/db" and found["Parameters"] == {"owner": "me"}
    assert (world.database,) in world.catalog.list_namespaces()
    assert world.catalog.load_namespace_properties(world.database)["owner"] == "me"
    changed = world.catalog.update_namespace_properties(world.database, {"owner", "x"}, {"team": "boats"})
    assert (changed.removed, changed.updated, changed.missing) == (["owner"], ["team"], ["x"])
    assert world.glue.get_database(Name=world.database)["Database"]["Parameters"] == {"team": "boats"}
    with pytest.raises(NamespaceAlreadyExistsError):
        world.catalog.create_namespace(world.database)
    with pytest.raises(NoSuchNamespaceError):
        world.catalog.load_namespace_properties("nowhere")
    assert not world.catalog.namespace_exists("nowhere")
    world.catalog.create_table(f"{world.database}.t", ROWS.schema)
    with pytest.raises(NamespaceNotEmptyError):
        world.catalog.drop_namespace(world.database)
    world.catalog.drop_table(f"{world.database}.t")
    world.catalog.drop_namespace(world.database)
    assert not world.catalog.namespace_exists(world.database)


def test_create_append_read_and_athena_sees_the_same(world):
    name = f"{world.database}.t"
    table = world.catalog.create_table(name, ROWS.schema, properties={"write.parquet.compression-codec": "zstd"})
    assert table.location() == f"s3://{world.bucket}/db/t"
    assert world.select("SELECT count(*) FROM t") == [["0"]]
    table.append(ROWS)
    assert world.catalog.load_table(name).scan().to_arrow().sort_by("id") == ROWS
    assert world.select("SELECT id, name FROM t ORDER BY id") == [["1", "a"], ["2", "b"], ["3", None]]
    in_glue = world.glue.get_table(DatabaseName=world.database, Name="t")["Table"]
    assert in_glue["Parameters"]["table_type"] == "ICEBERG"
    assert in_glue["Parameters"]["metadata_location"] == world.catalog.load_table(name).metadata_location
    assert [(c["Name"], c["Type"]) for c in in_glue["StorageDescriptor"]["Columns"]] == [("id", "bigint"), ("name", "string")]
    world.execute("INSERT INTO t VALUES (4, 'd')")
    assert sorted(world.catalog.load_table(name).scan().to_arrow()["id"].to_pylist()) == [1, 2, 3, 4]
    table.refresh().delete("id = 2")
    assert world.select("SELECT id FROM t ORDER BY id") == [["1"], ["3"], ["4"]]
    with pytest.raises(TableAlreadyExistsError):
        world.catalog.create_table(name, ROWS.schema)


def test_schemas_and_partitions_evolve(world):
    name = f"{world.database}.t"
    schema = Schema(
        NestedField(1, "id", IntegerType(), required=False),
        NestedField(2, "at", TimestampType(), required=False),
        NestedField(3, "gone", StringType(), required=False),
    )
    spec = PartitionSpec(PartitionField(2, 1000, DayTransform(), "at_day"))
    world.catalog.create_table(name, schema, partition_spec=spec)
    world.execute("INSERT INTO t VALUES (1, TIMESTAMP '2024-01-01 10:00:00', 'x')")
    table = world.catalog.load_table(name)
    with table.update_schema() as update:
        update.add_column("more", StringType()).update_column("id", LongType())
        update.delete_column("gone").rename_column("at", "seen")
    with table.update_spec() as update:
        update.add_field("id", "bucket[4]", "id_bucket")
    world.execute("INSERT INTO t (more, id, seen) VALUES ('new', 5000000000, TIMESTAMP '2024-01-02 10:00:00')")
    assert world.select("SELECT id, more FROM t ORDER BY id") == [["1", None], ["5000000000", "new"]]
    found = world.catalog.load_table(name).scan().to_arrow().to_pylist()
    assert sorted((row["id"], row["more"]) for row in found) == [(1, None), (5_000_000_000, "new")]
    columns = world.glue.get_table(DatabaseName=world.database, Name="t")["Table"]["StorageDescriptor"]["Columns"]
    assert [(c["Name"], c["Type"]) for c in columns] == [("id", "bigint"), ("seen", "timestamp"), ("more", "string")]


def test_a_commit_on_an_old_state_conflicts(world):
    name = f"{world.database}.t"
    world.catalog.create_table(name, ROWS.schema)
    first = world.catalog.load_table(name)
    first.append(ROWS)
    stale = {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None}
    change = {"requirements": [stale], "updates": [{"action": "set-properties", "updates": {"b": "2"}}]}
    path = f"/iceberg/v1/catalogs/{ACCOUNT}/namespaces/{world.database}/tables/t"
    status, answer = signed(world.server, "POST", path, change)
    assert (status, answer["error"]["type"]) == (409, "CommitFailedException")
    assert "main has changed" in answer["error"]["message"]
    requirement = AssertRefSnapshotId(ref="main", snapshot_id=None)
    with pytest.raises(CommitFailedException, match="main has changed"):
        world.catalog.commit_table(first, (requirement,), (SetPropertiesUpdate(updates={"b": "2"}),))
    assert "b" not in first.refresh().properties
    assert world.select("SELECT count(*) FROM t") == [["3"]]
    with first.transaction() as transaction:
        transaction.set_properties(a="1")
    assert world.catalog.load_table(name).properties["a"] == "1"


def test_a_staged_table_appears_with_its_first_rows(world):
    name = f"{world.database}.staged"
    with world.catalog.create_table_transaction(name, ROWS.schema) as transaction:
        assert not world.catalog.table_exists(name)
        transaction.update_snapshot().fast_append().commit()
    assert world.catalog.table_exists(name)
    assert world.catalog.load_table(name).current_snapshot().snapshot_id is not None
    with pytest.raises(TableAlreadyExistsError):
        world.catalog.create_table_transaction(name, ROWS.schema)


def test_tables_are_listed_renamed_registered_and_dropped(world):
    name, other = f"{world.database}.t", f"{world.database}.u"
    location = world.catalog.create_table(name, ROWS.schema).metadata_location
    world.catalog.load_table(name).append(ROWS)
    assert world.catalog.list_tables(world.database) == [(world.database, "t")]
    world.catalog.rename_table(name, other)
    assert world.catalog.list_tables(world.database) == [(world.database, "u")]
    assert world.select("SELECT count(*) FROM u") == [["3"]]
    with pytest.raises(NoSuchTableError):
        world.catalog.load_table(name)
    latest = world.catalog.load_table(other).metadata_location
    world.catalog.drop_table(other)
    assert not world.catalog.table_exists(other)
    assert world.catalog.register_table(other, latest).scan().to_arrow().num_rows == 3
    assert world.catalog.register_table(name, location).scan().to_arrow().num_rows == 0
    with pytest.raises(TableAlreadyExistsError):
        world.catalog.register_table(name, location)


def test_a_purged_table_leaves_no_file(world):
    name = f"{world.database}.t"
    table = world.catalog.create_table(name, ROWS.schema)
    table.append(ROWS)
    table.append(ROWS)
    prefix = table.location().removeprefix(f"s3://{world.bucket}/")
    assert world.s3.list_objects_v2(Bucket=world.bucket, Prefix=prefix)["KeyCount"] > 4
    world.catalog.purge_table(name)
    assert not world.catalog.table_exists(name)
    assert world.s3.list_objects_v2(Bucket=world.bucket, Prefix=prefix)["KeyCount"] == 0


def test_statistics_files_belong_to_snapshots(world):
    name = f"{world.database}.t"
    table = world.catalog.create_table(name, ROWS.schema)
    table.append(ROWS)
    snapshot = table.current_snapshot().snapshot_id
    file = {
        "snapshot-id": snapshot,
        "statistics-path": f"{table.location()}/metadata/one.stats",
        "file-size-in-bytes": 100,
        "file-footer-size-in-bytes": 40,
        "blob-metadata": [],
    }

    def commit(*updates):
        body = {"requirements": [], "updates": updates}
        path = f"/iceberg/v1/catalogs/{ACCOUNT}/namespaces/{world.database}/tables/t"
        return signed(world.server, "POST", path, body)

    status, answer = commit({"action": "set-statistics", "snapshot-id": snapshot, "statistics": file})
    assert (status, answer["metadata"]["statistics"]) == (200, [file])
    later = {**file, "statistics-path": f"{table.location()}/metadata/two.stats"}
    _, answer = commit({"action": "set-statistics", "statistics": later})
    assert answer["metadata"]["statistics"] == [later]
    status, answer = commit({"action": "set-statistics", "statistics": {**file, "snapshot-id": 1}})
    assert (status, answer["error"]["message"]) == (400, "there is no snapshot 1")
    _, answer = commit({"action": "remove-statistics", "snapshot-id": snapshot})
    assert "statistics" not in answer["metadata"]


def test_other_tables_are_none_of_icebergs(world):
    world.execute(f"CREATE EXTERNAL TABLE hive (a int) LOCATION 's3://{world.bucket}/hive/'")
    with pytest.raises(NoSuchTableError, match="no Iceberg table"):
        world.catalog.load_table(f"{world.database}.hive")
    status, answer = signed(world.server, "POST", f"/iceberg/v1/namespaces/{world.database}/tables/hive",
                            {"requirements": [], "updates": []})
    assert (status, answer["error"]["type"]) == (404, "NoSuchIcebergTableException")


def test_bad_calls_are_told_what_is_wrong(world, shared):
    status, config = signed(shared, "GET", "/iceberg/v1/config")
    assert status == 200 and config["overrides"] == {"prefix": f"catalogs/{ACCOUNT}"}
    assert "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}" in config["endpoints"]
    tables = f"/iceberg/v1/catalogs/%3A/namespaces/{world.database}/tables"
    cases = [
        ("GET", "/iceberg/v1/config?warehouse=elsewhere", None, 404, "NoSuchWarehouseException"),
        ("GET", "/iceberg/v1/catalogs/123456789012/namespaces", None, 404, "NoSuchCatalogException"),
        ("GET", "/iceberg/v1/namespaces/a%1Fb", None, 404, "NoSuchNamespaceException"),
        ("POST", "/iceberg/v1/transactions/commit", {}, 406, "UnsupportedOperationException"),
        ("POST", tables, {"name": "t"}, 400, "BadRequestException"),
        ("GET", f"{tables}/nothing", None, 404, "NoSuchTableException"),
        ("POST", f"{tables}/nothing", {"requirements": [], "updates": []}, 404, "NoSuchTableException"),
        ("POST", f"{tables}/t", {"requirements": [], "updates": [{"action": "explode"}]}, 400, "BadRequestException"),
    ]
    for method, path, body, status, kind in cases:
        got, answer = signed(shared, method, path, body)
        assert (got, answer["error"]["type"], answer["error"]["code"]) == (status, kind, status), path
        assert answer["error"]["message"]
    got, answer = signed(shared, "GET", "/iceberg/v1/config", service=None)
    assert (got, answer["error"]["type"]) == (403, "ForbiddenException")
    got, answer = signed(shared, "GET", "/iceberg/v1/config", secret="wrong")
    assert got == 403 and answer["error"]["code"] == 403


def test_a_bucket_of_that_name_stays_reachable(world):
    world.s3.create_bucket(Bucket="iceberg")
    world.s3.put_object(Bucket="iceberg", Key="v1/config", Body=b"mine")
    assert world.s3.get_object(Bucket="iceberg", Key="v1/config")["Body"].read() == b"mine"


def test_iam_decides(world, unique):
    iam = world.server.client("iam", "test", "test")
    user = unique("reader")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    name = f"{world.database}.t"
    world.catalog.create_table(name, ROWS.schema)

    def may(*actions):
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=user, PolicyName="work", PolicyDocument=document)
        return catalog(world.server, key["AccessKeyId"], key["SecretAccessKey"])

    with pytest.raises(ForbiddenError, match="glue:GetCatalog"):
        may("glue:GetTable")
    with pytest.raises(ForbiddenError, match="glue:GetTable"):
        may("glue:GetCatalog").load_table(name)
    with pytest.raises(ForbiddenError):
        may("glue:GetCatalog", "glue:GetTable").load_table(name)  # the metadata file is in S3
    reader = may("glue:GetCatalog", "glue:GetTable", "glue:GetDatabase", "s3:*")
    assert reader.load_table(name).scan().to_arrow().num_rows == 0
    with pytest.raises(ForbiddenError, match="glue:UpdateTable"):
        reader.load_table(name).append(ROWS)
    with pytest.raises(ForbiddenError, match="glue:CreateTable"):
        reader.create_table(f"{world.database}.u", ROWS.schema)
    assert world.catalog.load_table(name).scan().to_arrow().num_rows == 0
    # What a refused creation has written is gone again.
    assert not world.objects(world.bucket, "db/u/")
