"""Iceberg tables in Athena: made, filled, read as of then, dropped; concurrent inserts; and what PyIceberg makes of their files, and we of its."""

import datetime
import decimal
import threading
import uuid

import pyarrow
import pytest
from conftest import wait_for

BOTH = "s3://lake/results/"
EVENTS = """CREATE TABLE events (id bigint, ts timestamp, kind string, price decimal(9,2), tags array<string>, at struct<x:int,y:double>)
PARTITIONED BY (day(ts), bucket(4, id)) LOCATION 's3://lake/events/' TBLPROPERTIES ('table_type'='ICEBERG')"""
ROWS = """INSERT INTO events VALUES
  (1, TIMESTAMP '2024-01-01 10:00:00.123456', 'a', 1.50, ARRAY['x', 'y'], CAST(ROW(1, 1e0) AS ROW(x integer, y double))),
  (2, TIMESTAMP '2024-01-01 23:59:59', 'b', NULL, ARRAY[], NULL),
  (3, TIMESTAMP '2024-01-02 00:00:00', NULL, 2.25, NULL, CAST(ROW(3, NULL) AS ROW(x integer, y double)))"""


class World:
    def __init__(self, server):
        self.server = server
        self.athena, self.glue, self.s3 = (server.client(name, "test", "test") for name in ("athena", "glue", "s3"))

    def start(self, sql):
        arguments = {"QueryExecutionContext": {"Database": "lake"}, "ResultConfiguration": {"OutputLocation": BOTH}}
        return self.athena.start_query_execution(QueryString=sql, **arguments)["QueryExecutionId"]

    def state(self, execution):
        found = self.athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
        return found if found["Status"]["State"] not in ("QUEUED", "RUNNING") else None

    def ended(self, execution):
        return wait_for(lambda: self.state(execution), f"the end of {execution}")

    def run(self, sql):
        execution = self.ended(self.start(sql))
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return execution

    def rows(self, sql):
        """The rows, without the names of the columns."""
        name = self.run(sql)["QueryExecutionId"]
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=name)
        rows = [[datum.get("VarCharValue") for datum in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]
        return rows[1:] if sql.lstrip().upper().startswith("SELECT") else rows

    def value(self, sql):
        [[value]] = self.rows(sql)
        return value

    def fails(self, sql):
        execution = self.ended(self.start(sql))
        assert execution["Status"]["State"] == "FAILED", execution["Status"]
        return execution["Status"]["StateChangeReason"]

    def keys(self, prefix=""):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
        return sorted(it["Key"] for page in pages for it in page.get("Contents", []))

    def entry(self, table):
        return self.glue.get_table(DatabaseName="lake", Name=table)["Table"]

    def io(self):
        return {
            "s3.endpoint": self.server.url,
            "s3.access-key-id": "test",
            "s3.secret-access-key": "test",
            "s3.region": "us-east-1",
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
        }

    def pyiceberg(self, table):
        """The table as PyIceberg reads it from its metadata file."""
        from pyiceberg.table import StaticTable

        location = self.entry(table)["Parameters"]["metadata_location"]
        return StaticTable.from_metadata(location, properties=self.io())


@pytest.fixture
def world(start):
    world = World(start("--dev"))
    world.s3.create_bucket(Bucket="lake")
    world.glue.create_database(DatabaseInput={"Name": "lake"})
    return world


@pytest.fixture
def events(world):
    world.run(EVENTS)
    world.run(ROWS)
    return world


def test_a_table_is_an_entry_that_names_its_metadata(world):
    world.run(EVENTS)
    entry = world.entry("events")
    first = entry["Parameters"]["metadata_location"]
    assert entry["Parameters"]["table_type"] == "ICEBERG" and entry["TableType"] == "EXTERNAL_TABLE"
    assert first.startswith("s3://lake/events/metadata/00000-") and first.endswith(".metadata.json")
    columns = {column["Name"]: column for column in entry["StorageDescriptor"]["Columns"]}
    assert columns["price"]["Type"] == "decimal(9,2)" and columns["at"]["Type"] == "struct<x:int,y:double>"
    assert columns["id"]["Parameters"] == {
        "iceberg.field.current": "true",
        "iceberg.field.id": "1",
        "iceberg.field.optional": "true",
    }
    assert world.rows("SELECT * FROM events") == []
    world.run(ROWS)
    parameters = world.entry("events")["Parameters"]
    assert parameters["previous_metadata_location"] == first
    assert "/metadata/00001-" in parameters["metadata_location"]
    assert world.fails(EVENTS).find("already exists") > 0
    world.run(EVENTS.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))


def test_rows_come_back_with_their_types(events):
    found = events.rows("SELECT id, ts, kind, price, tags, at.y FROM events ORDER BY id")
    assert found == [
        ["1", "2024-01-01 10:00:00.123456", "a", "1.50", "[x, y]", "1.0"],
        ["2", "2024-01-01 23:59:59.000000", "b", None, "[]", None],
        ["3", "2024-01-02 00:00:00.000000", None, "2.25", None, None],
    ]
    assert events.run(ROWS)["QueryExecutionId"]
    assert events.value("SELECT count(*) FROM events") == "6"
    assert events.value("SELECT sum(price) FROM events WHERE tags IS NULL") == "4.50"
    events.run("INSERT INTO events (kind, id) VALUES ('only', 9)")
    assert events.rows("SELECT id, ts, kind FROM events WHERE id = 9") == [["9", None, "only"]]
    assert events.value("SELECT count(DISTINCT \"$path\") FROM events WHERE ts IS NULL") == "1"


def test_partitions_are_found_by_filters_on_columns(events):
    files = events.rows('SELECT file_path, record_count FROM "events$files"')
    assert sorted(count for _, count in files) == ["1", "2"] and all("/data/ts_day=2024-01-0" in path and "/id_bucket=" in path for path, _ in files)
    scanned = lambda sql: events.run(sql)["Statistics"]["DataScannedInBytes"]
    every = scanned("SELECT at FROM events")
    assert 0 < scanned("SELECT at FROM events WHERE ts >= TIMESTAMP '2024-01-02 00:00:00'") < every
    assert 0 < scanned("SELECT at FROM events WHERE id = 3") < every
    assert scanned("SELECT at FROM events WHERE id = 77") == 0
    found = events.rows('SELECT partition.ts_day, record_count, file_count FROM "events$partitions" ORDER BY 1')
    assert found == [["2024-01-01", "2", "1"], ["2024-01-02", "1", "1"]]
    assert events.rows('SELECT data.id.min, data.price.max FROM "events$partitions" WHERE data.id.min = 3') == [["3", "2.25"]]


def test_the_past_can_be_read(events):
    events.run("INSERT INTO events (id) VALUES (4)")
    (first, at), (second, _) = events.rows('SELECT snapshot_id, committed_at FROM "events$snapshots" ORDER BY committed_at')
    count = lambda version: events.value(f"SELECT count(*) FROM events FOR {version}")
    assert count(f"VERSION AS OF {first}") == "3" and count(f"VERSION AS OF {second}") == "4"
    assert count(f"TIMESTAMP AS OF TIMESTAMP '{at}'") == "3"
    assert count("TIMESTAMP AS OF current_timestamp") == "4"
    assert count("VERSION AS OF 'main'") == "4"
    assert "before 1999" in events.fails("SELECT * FROM events FOR TIMESTAMP AS OF TIMESTAMP '1999-01-01 00:00:00 UTC'")
    assert "does not exist" in events.fails("SELECT * FROM events FOR VERSION AS OF 5")
    assert "reference name: other" in events.fails("SELECT * FROM events FOR VERSION AS OF 'other'")
    joined = f"SELECT count(*) FROM events n LEFT JOIN events FOR VERSION AS OF {first} o ON n.id = o.id WHERE o.id IS NULL"
    assert events.value(joined) == "1"


def test_metadata_tables(events):
    events.run("INSERT INTO events (id) VALUES (4)")
    history = events.rows('SELECT snapshot_id, parent_id, is_current_ancestor FROM "events$history" ORDER BY made_current_at')
    assert history[0][1:] == [None, "true"] and history[1][1:] == [history[0][0], "true"]
    [[operation, added, total]] = events.rows(
        "SELECT operation, summary['added-records'], summary['total-records'] FROM \"events$snapshots\" WHERE parent_id IS NOT NULL"
    )
    assert (operation, added, total) == ("append", "1", "4")
    manifests = events.rows('SELECT added_data_files_count, added_rows_count, partition_summaries[1].lower_bound FROM "events$manifests"')
    assert sorted(manifests) == [["1", "1", None], ["2", "3", "2024-01-01"]]
    assert events.rows('SELECT name, type, snapshot_id FROM "events$refs"') == [["main", "BRANCH", history[1][0]]]
    bounds = events.rows('SELECT lower_bounds[1], upper_bounds[1], null_value_counts[2] FROM "events$files" WHERE lower_bounds[1] = \'4\'')
    assert bounds == [["4", "4", "1"]]
    assert len(events.rows('SELECT file FROM "events$metadata_log_entries"')) == 3
    assert ["write.format.default", "PARQUET"] in events.rows('SELECT * FROM "events$properties"')
    assert "does not exist" in events.fails('SELECT * FROM "events$wibble"')


def test_what_is_shown(events):
    text = "\n".join(row[0] for row in events.rows("SHOW CREATE TABLE events"))
    assert "PARTITIONED BY (day(`ts`), bucket(4, `id`))" in text and "'table_type'='iceberg'" in text
    events.run(text.replace("lake.events", "lake.again").replace("s3://lake/events", "s3://lake/again"))
    again = "\n".join(row[0] for row in events.rows("SHOW CREATE TABLE again"))
    assert again == text.replace("lake.events", "lake.again").replace("s3://lake/events", "s3://lake/again")
    described = [row[0] for row in events.rows("DESCRIBE events")]
    assert "price\tdecimal(9,2)\t" in described and "ts_day\tday\tts" in described
    assert [row[0].strip() for row in events.rows("SHOW COLUMNS IN events")] == ["id", "ts", "kind", "price", "tags", "at"]


def test_tables_made_by_queries(world):
    properties = "table_type = 'ICEBERG', is_external = false, location = 's3://lake/made/'"
    made = world.run(
        f"CREATE TABLE made WITH ({properties}, partitioning = ARRAY['bucket(n, 2)'], write_compression = 'snappy') AS "
        "SELECT n, CAST(n % 3 AS varchar) s FROM UNNEST(sequence(1, 100)) t (n)"
    )
    assert made["Statistics"]["DataManifestLocation"]
    assert world.rows("SELECT count(*), min(n), max(s) FROM made") == [["100", "1", "2"]]
    world.run(f"CREATE TABLE none WITH ({properties.replace('made', 'none')}) AS SELECT 1 a WHERE false")
    assert world.rows("SELECT * FROM none") == []
    world.run("INSERT INTO none SELECT 7")
    assert world.rows("SELECT * FROM none") == [["7"]]
    before = world.keys()
    assert "already exists" in world.fails(f"CREATE TABLE made WITH ({properties}) AS SELECT 1 a")
    assert "timestamp(6)" in world.fails(
        f"CREATE TABLE x WITH ({properties.replace('made', 'x')}) AS SELECT TIMESTAMP '2024-01-01 00:00:00.000' a"
    )
    assert "DIVISION_BY_ZERO" in world.fails(f"CREATE TABLE x WITH ({properties.replace('made', 'x')}) AS SELECT 1 / (n - 5) a FROM made")
    assert [key for key in world.keys() if not key.startswith("results/")] == [key for key in before if not key.startswith("results/")]


def test_what_is_dropped_is_gone(events):
    events.s3.put_object(Bucket="lake", Key="events/of-somebody-else", Body=b"x")
    events.run("DROP TABLE events")
    assert events.keys("events/") == ["events/of-somebody-else"]
    assert "does not exist" in events.fails("SELECT * FROM events")


def test_refusals_name_what_is_refused(events):
    assert "puffin" in events.fails(EVENTS.replace("events", "other").replace("'table_type'", "'format'='puffin', 'table_type'"))
    assert "colour" in events.fails(EVENTS.replace("events", "other").replace("'table_type'", "'colour'='x', 'table_type'"))
    assert "tinyint" in events.fails(EVENTS.replace("events", "other").replace("id bigint", "id tinyint"))
    assert "100 open writers" in events.fails("INSERT INTO events (id, ts) SELECT n, TIMESTAMP '2024-01-01 00:00:00' + n * INTERVAL '1' DAY FROM UNNEST(sequence(1, 101)) t (n)")
    assert "mismatched column types" in events.fails("INSERT INTO events VALUES (1)")
    files = events.keys("events/")
    assert "DIVISION_BY_ZERO" in events.fails("INSERT INTO events (id) SELECT 1 / (n - 3) FROM UNNEST(sequence(1, 5)) t (n)")
    assert events.keys("events/") == files


def test_concurrent_inserts_all_land(world):
    world.run("CREATE TABLE c (who int, n int) LOCATION 's3://lake/c/' TBLPROPERTIES ('table_type'='ICEBERG')")
    names = []

    def work(who):
        for n in range(4):
            names.append(world.start(f"INSERT INTO c VALUES ({who}, {n})"))
            world.ended(names[-1])

    workers = [threading.Thread(target=work, args=(who,)) for who in range(6)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert [world.ended(name)["Status"]["State"] for name in names] == ["SUCCEEDED"] * 24
    assert world.rows("SELECT count(*), count(DISTINCT who * 10 + n) FROM c") == [["24", "24"]]
    assert world.value('SELECT count(*) FROM "c$snapshots"') == "24"
    # Nothing of commits that came too late is left.
    assert len([key for key in world.keys("c/metadata/") if key.endswith(".metadata.json")]) == 25
    assert len([key for key in world.keys("c/metadata/") if "/snap-" in key]) == 24


def test_kill_9_leaves_all_or_nothing(start):
    world = World(start("--dev"))
    world.s3.create_bucket(Bucket="lake")
    world.glue.create_database(DatabaseInput={"Name": "lake"})
    world.run("CREATE TABLE t (n bigint, p string) PARTITIONED BY (p) LOCATION 's3://lake/t/' TBLPROPERTIES ('table_type'='ICEBERG')")
    world.run("INSERT INTO t VALUES (1, '7')")
    rows = "SELECT n, CAST(n % 100 AS varchar) AS p FROM UNNEST(sequence(1, 10000)) AS t (n)"
    made = "table_type = 'ICEBERG', is_external = false, location = 's3://lake/made/', partitioning = ARRAY['p']"
    count = 1
    for statement, prefix in [(f"INSERT INTO t {rows}", "t/data/"), (f"CREATE TABLE made WITH ({made}) AS {rows}", "made/data/")] * 2:
        before = world.keys("t/"), world.keys("made/")
        name = world.start(statement)
        wait_for(lambda: len(world.keys(prefix)) > len([key for key in sum(before, []) if key.startswith(prefix)]) + 2, "the first files")
        world.server.kill()
        world = World(start("--dev"))
        assert world.state(name)["Status"]["State"] in ("FAILED", "SUCCEEDED")
        found = int(world.value("SELECT count(*) FROM t"))
        assert found in (count, count + 10000)
        if found == count:
            assert world.keys("t/") == before[0]
        count = found
        tables = [table["Name"] for table in world.glue.get_tables(DatabaseName="lake")["TableList"]]
        if "made" in tables:
            assert world.value("SELECT count(*) FROM made") == "10000"
            world.run("DROP TABLE made")
        assert world.keys("made/") == []
    world.run(f"INSERT INTO t {rows}")
    assert world.value("SELECT count(*) FROM t") == str(count + 10000)


def test_pyiceberg_reads_what_athena_wrote(events):
    table = events.pyiceberg("events")
    assert str(table.spec()).find("day") > 0 and table.metadata.format_version == 2
    rows = table.scan().to_arrow().sort_by("id").to_pylist()
    assert rows == [
        {
            "id": 1,
            "ts": datetime.datetime(2024, 1, 1, 10, 0, 0, 123456),
            "kind": "a",
            "price": decimal.Decimal("1.50"),
            "tags": ["x", "y"],
            "at": {"x": 1, "y": 1.0},
        },
        {"id": 2, "ts": datetime.datetime(2024, 1, 1, 23, 59, 59), "kind": "b", "price": None, "tags": [], "at": None},
        {"id": 3, "ts": datetime.datetime(2024, 1, 2), "kind": None, "price": decimal.Decimal("2.25"), "tags": None, "at": {"x": 3, "y": None}},
    ]
    # Planned by partitions and by bounds.
    assert len(list(table.scan(row_filter="ts >= '2024-01-02T00:00:00'").plan_files())) == 1
    assert len(list(table.scan(row_filter="id = 77").plan_files())) == 0
    assert table.scan(row_filter="kind = 'b'").to_arrow()["id"].to_pylist() == [2]
    files = table.inspect.files().to_pylist()
    assert sum(file["record_count"] for file in files) == 3


def test_athena_reads_what_pyiceberg_wrote_and_changed(world):
    from pyiceberg.catalog.memory import InMemoryCatalog
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.transforms import IdentityTransform
    from pyiceberg.types import IntegerType, LongType, NestedField, StringType, StructType, TimestamptzType, UUIDType

    catalog = InMemoryCatalog("local", warehouse="s3://lake/py", **world.io())
    catalog.create_namespace("lake")
    schema = Schema(
        NestedField(1, "id", IntegerType(), required=False),
        NestedField(2, "name", StringType(), required=False),
        NestedField(3, "home", StructType(NestedField(5, "city", StringType(), required=False)), required=False),
        NestedField(4, "seen", TimestamptzType(), required=False),
        NestedField(6, "key", UUIDType(), required=False),
    )
    table = catalog.create_table("lake.people", schema, partition_spec=PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "name")))
    key = uuid.UUID("12151fd2-7586-11e9-8f9e-2a86e4085a59")
    first = pyarrow.table(
        {
            "id": pyarrow.array([1, 2], pyarrow.int32()),
            "name": ["ann", "bob"],
            "home": [{"city": "Rome"}, None],
            "seen": pyarrow.array([datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc), None], pyarrow.timestamp("us", "UTC")),
            "key": pyarrow.array([key.bytes, None], pyarrow.uuid() if hasattr(pyarrow, "uuid") else pyarrow.binary(16)),
        }
    )
    table.append(first)

    def register():
        parameters = {"table_type": "ICEBERG", "metadata_location": table.metadata_location}
        entry = {"Name": "people", "TableType": "EXTERNAL_TABLE", "Parameters": parameters, "StorageDescriptor": {"Columns": []}}
        present = [found["Name"] for found in world.glue.get_tables(DatabaseName="lake")["TableList"]]
        (world.glue.update_table if "people" in present else world.glue.create_table)(DatabaseName="lake", TableInput=entry)

    register()
    old = world.rows("SELECT * FROM people ORDER BY id")
    assert old == [["1", "ann", "{city=Rome}", "2024-01-01 00:00:00.000000 UTC", str(key)], ["2", "bob", None, None, None]]
    assert world.rows("SELECT name FROM people WHERE seen < TIMESTAMP '2025-01-01 00:00:00 UTC'") == [["ann"]]
    assert world.rows(f"SELECT name FROM people WHERE key = UUID '{key}'") == [["ann"]]
    snapshot = table.current_snapshot().snapshot_id
    with table.update_schema() as change:
        change.update_column("id", LongType())
        change.rename_column("name", "called")
        change.rename_column("home.city", "town")
        change.add_column(("home", "zip"), IntegerType())
        change.add_column("age", IntegerType())
        change.delete_column("key")
        change.move_first("age")
    with table.update_spec() as spec:
        spec.add_field("age", IdentityTransform(), "at_age")
    second = pyarrow.table(
        {
            "age": pyarrow.array([33], pyarrow.int32()),
            "id": pyarrow.array([3], pyarrow.int64()),
            "called": ["cid"],
            "home": pyarrow.array([{"town": "Bern", "zip": 3000}], pyarrow.struct([("town", pyarrow.string()), ("zip", pyarrow.int32())])),
            "seen": pyarrow.array([datetime.datetime(2024, 2, 1, tzinfo=datetime.timezone.utc)], pyarrow.timestamp("us", "UTC")),
        }
    )
    table.append(second)
    register()
    new = world.rows("SELECT * FROM people ORDER BY id")
    assert new == [
        [None, "1", "ann", "{town=Rome, zip=null}", "2024-01-01 00:00:00.000000 UTC"],
        [None, "2", "bob", None, None],
        ["33", "3", "cid", "{town=Bern, zip=3000}", "2024-02-01 00:00:00.000000 UTC"],
    ]
    assert world.rows("SELECT called FROM people WHERE id > 1 AND home.town = 'Bern'") == [["cid"]]
    assert world.rows("SELECT called FROM people WHERE age IS NULL AND id = 2") == [["bob"]]
    assert world.rows(f"SELECT * FROM people FOR VERSION AS OF {snapshot} ORDER BY id") == old
    # And further, by Athena, where PyIceberg left off.
    world.run("INSERT INTO people (id, called, age) VALUES (4, 'dan', 44)")
    rows = world.pyiceberg("people").scan().to_arrow().sort_by("id").to_pylist()
    assert [(row["id"], row["called"], row["age"]) for row in rows] == [(1, "ann", None), (2, "bob", None), (3, "cid", 33), (4, "dan", 44)]
