"""Changes of Iceberg tables through Athena: UPDATE, DELETE, MERGE, OPTIMIZE, VACUUM, ALTER TABLE; several writers; kill -9."""

import concurrent.futures
import time

import pytest

from conftest import Clock, wait_for
from test_athena import World

ITEMS = "id int, name string, price decimal(10,2), day date"
VALUES = """(1, 'tea', DECIMAL '1.50', DATE '2024-01-01'), (2, 'cup', DECIMAL '3.00', DATE '2024-01-01'),
            (3, NULL, DECIMAL '9.99', DATE '2024-01-02')"""


class Lake(World):
    """A database whose tables are in a bucket of their own."""

    def __init__(self, server, bucket, database):
        super().__init__(server)
        self.bucket = bucket
        self.s3.create_bucket(Bucket=bucket)
        self.glue.create_database(DatabaseInput={"Name": database})
        self.database = database

    def start(self, sql, **more):
        place = {
            "QueryExecutionContext": {"Database": self.database},
            "ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/results/"},
        }
        return super().start(sql, **(place | more))

    def select(self, sql):
        return self.rows(sql)[1:]

    def table(self, name, columns=ITEMS, partitions="", values=VALUES, **properties):
        properties = {"table_type": "ICEBERG"} | properties
        said = ", ".join(f"'{key}'='{value}'" for key, value in properties.items())
        by = f" PARTITIONED BY ({partitions})" if partitions else ""
        location = f"s3://{self.bucket}/{name}/"
        self.run(f"CREATE TABLE {name} ({columns}){by} LOCATION '{location}' TBLPROPERTIES ({said})")
        if values:
            self.run(f"INSERT INTO {name} VALUES {values}")

    def count(self, sql):
        """UpdateCount of a statement, which the answer of GetQueryResults has."""
        execution = self.run(sql)["QueryExecutionId"]
        return self.athena.get_query_results(QueryExecutionId=execution)["UpdateCount"]

    def ids(self, table="t"):
        return [int(row[0]) for row in self.select(f"SELECT id FROM {table} ORDER BY id")]

    def files(self, table="t"):
        """Data and delete files of the present snapshot, as the metadata table says: content and path."""
        return self.select(f'SELECT content, file_path FROM "{table}$files"')

    def data_objects(self, table="t"):
        return [key for key in self.objects(self.bucket, f"{table}/") if "/metadata/" not in key]


@pytest.fixture
def lake(shared, unique):
    return Lake(shared, unique("changes"), unique("changes").replace("-", "_"))


# UPDATE


def test_update_changes_what_the_condition_says(lake):
    lake.table("t")
    assert lake.count("UPDATE t SET name = upper(name), price = CAST(price * 2 AS decimal(10,2)) WHERE day = DATE '2024-01-01'") == 2
    assert lake.select("SELECT id, name, price FROM t ORDER BY id") == [
        ["1", "TEA", "3.00"], ["2", "CUP", "6.00"], ["3", None, "9.99"]]
    # A condition that is unknown is not true.
    assert lake.count("UPDATE t SET price = DECIMAL '0' WHERE name <> 'x'") == 2
    assert lake.count("UPDATE t SET price = DECIMAL '0' WHERE name IS NULL") == 1
    assert lake.count("UPDATE t SET name = NULL") == 3
    assert lake.select("SELECT DISTINCT name, price FROM t") == [[None, "0.00"]]
    assert lake.count("UPDATE t SET id = 7 WHERE false") == 0


def test_update_with_subqueries_casts_and_parameters(lake):
    lake.table("t")
    lake.table("discount", "id int, off int", values="(1, 1), (3, 4)")
    assert lake.count(
        """UPDATE t SET price = CAST(price - (SELECT off FROM discount d WHERE d.id = t.id) AS decimal(10,2))
        WHERE id IN (SELECT id FROM discount)"""
    ) == 2
    assert lake.select("SELECT id, price FROM t ORDER BY id") == [["1", "0.50"], ["2", "3.00"], ["3", "5.99"]]
    execution = lake.run("UPDATE t SET name = ? WHERE id = ?", ExecutionParameters=["'given'", "2"])
    assert execution["SubstatementType"] == "UPDATE" and execution["StatementType"] == "DML"
    assert lake.select("SELECT name FROM t WHERE id = 2") == [["given"]]
    # tinyint becomes int, decimal(1,0) becomes decimal(10,2): Trino's coercions.
    assert lake.count("UPDATE t SET id = CAST(9 AS tinyint), price = DECIMAL '5' WHERE id = 3") == 1
    assert lake.select("SELECT id, price FROM t WHERE price = 5") == [["9", "5.00"]]


def test_an_update_may_move_rows_to_other_partitions(lake):
    lake.table("t", partitions="day, bucket(4, id)")
    assert lake.count("UPDATE t SET day = DATE '2025-05-05', id = id + 10 WHERE id < 3") == 2
    assert lake.select("SELECT id, CAST(day AS varchar) FROM t WHERE day = DATE '2025-05-05' ORDER BY id") == [
        ["11", "2025-05-05"], ["12", "2025-05-05"]]
    assert lake.ids() == [3, 11, 12]


def test_updates_that_can_not_be(lake):
    lake.table("t")
    assert lake.fails("UPDATE t SET nothing = 1").startswith(
        "COLUMN_NOT_FOUND: line 1:14: The UPDATE SET target column nothing doesn't exist")
    assert "TYPE_MISMATCH" in (reason := lake.fails("UPDATE t SET id = 'x'"))
    assert "UPDATE table column types don't match SET expressions: Table: [integer], Expressions: [varchar(1)]" in reason
    assert "TABLE_NOT_FOUND" in lake.fails("UPDATE nowhere SET a = 1")
    assert "COLUMN_NOT_FOUND" in lake.fails("UPDATE t SET id = 1 WHERE other = 2")
    assert "DIVISION_BY_ZERO" in lake.fails("UPDATE t SET id = 1 / (id - id)")
    lake.run("CREATE VIEW v AS SELECT * FROM t")
    assert "NOT_SUPPORTED" in lake.fails("UPDATE v SET id = 1")
    lake.run(f"CREATE EXTERNAL TABLE hive (id int) LOCATION 's3://{lake.bucket}/hive/'")
    for statement in ["UPDATE hive SET id = 1", "DELETE FROM hive", "DELETE FROM hive WHERE id = 1"]:
        reason = lake.fails(statement)
        assert reason == "NOT_SUPPORTED: Modifying Hive table rows is only supported for transactional tables"
    merge = "MERGE INTO hive USING t ON hive.id = t.id WHEN MATCHED THEN DELETE"
    assert "Modifying Hive table rows is only supported for transactional tables" in lake.fails(merge)
    assert lake.ids() == [1, 2, 3]
    # What failing statements have written is gone again.
    assert len(lake.data_objects()) == len(lake.files())


# DELETE


def test_delete_writes_positions_or_drops_whole_files(lake):
    lake.table("t")
    assert lake.count("DELETE FROM t WHERE id = 2") == 1
    assert lake.ids() == [1, 3]
    assert sorted(content for content, _ in lake.files()) == ["0", "1"]
    assert lake.count("DELETE FROM t WHERE name IN (SELECT name FROM t WHERE id = 1) OR name IS NULL") == 2
    assert lake.ids() == []
    assert lake.files() == []
    assert lake.count("DELETE FROM t") == 0


def test_a_delete_of_partitions_is_metadata_alone(lake):
    lake.table("t", partitions="day")
    before = lake.data_objects()
    assert lake.count("DELETE FROM t WHERE day = DATE '2024-01-01'") == 2
    assert lake.ids() == [3]
    assert [content for content, _ in lake.files()] == ["0"]
    assert lake.data_objects() == before
    lake.run("UPDATE t SET id = 4")
    assert lake.count("DELETE FROM t") == 1
    assert lake.files() == [] and lake.ids() == []
    lake.run(f"INSERT INTO t VALUES {VALUES}")
    assert lake.ids() == [1, 2, 3]


# MERGE


def test_merge_with_all_its_clauses(lake):
    lake.table("t")
    lake.table("s", "id int, name string, what string",
               values="(1, 'oolong', 'change'), (2, 'x', 'drop'), (3, 'keep me', 'none'), (4, 'new', 'add'), (5, 'no', 'skip')")
    changed = lake.count("""MERGE INTO t AS target USING s ON target.id = s.id
        WHEN MATCHED AND s.what = 'drop' THEN DELETE
        WHEN MATCHED AND s.what = 'change' THEN UPDATE SET name = s.name, price = CAST(target.price + 1 AS decimal(10,2))
        WHEN MATCHED AND s.what = 'change' THEN DELETE
        WHEN NOT MATCHED AND s.what = 'add' THEN INSERT (day, id, name) VALUES (DATE '2030-01-01', s.id, s.name)
        WHEN NOT MATCHED AND s.what = 'never' THEN INSERT VALUES (0, 'x', DECIMAL '1.00', NULL)""")
    assert changed == 3
    assert lake.select("SELECT id, name, price FROM t ORDER BY id") == [
        ["1", "oolong", "2.50"], ["3", None, "9.99"], ["4", "new", None]]


def test_merge_from_queries_and_itself(lake):
    lake.table("t")
    assert lake.count("""MERGE INTO t USING (VALUES (1, 'a'), (9, 'z'), (10, NULL)) AS s (k, v) ON t.id = s.k
        WHEN NOT MATCHED THEN INSERT (id, name) VALUES (k, v) WHEN MATCHED THEN UPDATE SET name = v""") == 3
    assert lake.select("SELECT id, name FROM t ORDER BY id") == [
        ["1", "a"], ["2", "cup"], ["3", None], ["9", "z"], ["10", None]]
    assert lake.count("""MERGE INTO t USING (SELECT id + 1 AS id FROM t) AS s ON t.id = s.id
        WHEN MATCHED THEN DELETE""") == 3
    assert lake.ids() == [1, 9]
    # No clause fits: nothing happens.
    assert lake.count("MERGE INTO t USING (SELECT 1 AS k) s ON t.id = s.k WHEN MATCHED AND false THEN DELETE") == 0
    # What is not chosen is not evaluated.
    assert lake.count("""MERGE INTO t USING (VALUES (1, 0), (20, 5)) AS s (k, v) ON t.id = s.k
        WHEN NOT MATCHED AND 10 / v = 2 THEN INSERT (id) VALUES (100 / v)
        WHEN MATCHED THEN UPDATE SET id = v""") == 2
    assert lake.ids() == [0, 9, 20]


def test_merges_that_can_not_be(lake):
    lake.table("t")
    twice = "MERGE INTO t USING (VALUES (1, 'a'), (1, 'b')) AS s (k, v) ON t.id = s.k "
    reason = lake.fails(twice + "WHEN MATCHED THEN UPDATE SET name = v")
    assert reason == "MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than one source row"
    assert "MERGE_TARGET_ROW_MULTIPLE_MATCHES" in lake.fails(twice + "WHEN MATCHED THEN DELETE")
    # Only rows that would change count.
    assert lake.count(twice + "WHEN MATCHED AND v = 'b' THEN UPDATE SET name = v") == 1
    assert lake.select("SELECT name FROM t WHERE id = 1") == [["b"]]
    once = "MERGE INTO t USING (VALUES (7, 'a')) AS s (k, v) ON t.id = s.k "
    assert "COLUMN_NOT_FOUND" in lake.fails(once + "WHEN MATCHED THEN UPDATE SET nothing = v")
    assert "DUPLICATE_COLUMN_NAME" in lake.fails(once + "WHEN NOT MATCHED THEN INSERT (id, id) VALUES (k, k)")
    assert "TYPE_MISMATCH" in lake.fails(once + "WHEN NOT MATCHED THEN INSERT (id) VALUES (v)")
    assert "INVALID_ARGUMENTS" in lake.fails(once + "WHEN NOT MATCHED THEN INSERT (id) VALUES (k, v)")
    assert "TYPE_MISMATCH" in lake.fails("MERGE INTO t USING t s ON s.id WHEN MATCHED THEN DELETE")
    assert lake.ids() == [1, 2, 3]


# Several writers


def test_concurrent_updates_lose_and_double_nothing(lake):
    lake.table("t", "id int, n int", values=", ".join(f"({i}, 0)" for i in range(10)))
    running = [lake.start(f"UPDATE t SET n = n + 1 WHERE id = {i % 10}") for i in range(12)]
    ended = [lake.ended(name) for name in running]
    states = [one["Status"]["State"] for one in ended]
    for one in ended:
        if one["Status"]["State"] != "SUCCEEDED":
            assert "ICEBERG_COMMIT_ERROR" in one["Status"]["StateChangeReason"]
    assert states.count("SUCCEEDED") >= 1
    expected = [0] * 10
    for i, state in enumerate(states):
        expected[i % 10] += state == "SUCCEEDED"
    assert [[int(a), int(b)] for a, b in lake.select("SELECT id, n FROM t ORDER BY id")] == [
        [i, n] for i, n in enumerate(expected)]


def test_writers_of_all_kinds_beside_each_other(lake):
    lake.table("t", "id int, n int", values="(0, 0)")

    def work(number):
        lake.run(f"INSERT INTO t VALUES ({number}, 0)")
        return lake.ended(lake.start(f"""MERGE INTO t USING (SELECT {number} AS id) s ON t.id = s.id
            WHEN MATCHED THEN UPDATE SET n = {number}"""))["Status"]["State"]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        states = list(pool.map(work, range(1, 9)))
    found = {int(a): int(b) for a, b in lake.select("SELECT id, n FROM t")}
    assert found == {0: 0} | {i: i if state == "SUCCEEDED" else 0 for i, state in zip(range(1, 9), states)}
    assert lake.select("SELECT count(*) FROM t") == [["9"]]


def test_time_travel_sees_what_was_before_a_change(lake):
    lake.table("t")
    snapshot = lake.select('SELECT snapshot_id FROM "t$snapshots"')[0][0]
    lake.run("DELETE FROM t WHERE id < 3")
    assert lake.ids() == [3]
    assert lake.select(f"SELECT count(*) FROM t FOR VERSION AS OF {snapshot}") == [["3"]]


# OPTIMIZE and VACUUM


def test_optimize_packs_small_files_and_keeps_the_rows(lake):
    lake.table("t", "id int, day date", "day", values=None)
    for i in range(12):
        lake.run(f"INSERT INTO t VALUES ({i}, DATE '2024-01-0{1 + i % 2}')")
    lake.run("UPDATE t SET id = id + 100 WHERE id = 3")
    before = lake.ids()
    assert len(lake.files()) == 12
    assert lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE day = DATE '2024-01-01'")["SubstatementType"] == "OPTIMIZE"
    assert len(lake.files()) == 7
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    assert sorted(content for content, _ in lake.files()) == ["0", "0"]
    assert lake.ids() == before
    snapshots = lake.select('SELECT operation FROM "t$snapshots" ORDER BY committed_at')
    assert snapshots[-1] == ["replace"]
    # There is nothing more to do.
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    assert len(lake.select('SELECT operation FROM "t$snapshots"')) == len(snapshots)


def test_optimize_goes_by_the_tables_properties(lake):
    lake.table("t", "id int", values=None, optimize_rewrite_data_file_threshold=3, optimize_rewrite_delete_file_threshold=1)
    lake.run("INSERT INTO t VALUES 1, 2")
    lake.run("INSERT INTO t VALUES 3")
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    assert len(lake.files()) == 2
    lake.run("DELETE FROM t WHERE id = 1")
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    assert [content for content, _ in lake.files()] in (["0"], ["0", "0"])
    assert lake.ids() == [2, 3]
    assert "COLUMN_NOT_FOUND" in lake.fails("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE nothing = 1")
    assert "partition columns" in lake.fails("OPTIMIZE t REWRITE DATA USING BIN_PACK WHERE id = 1")
    lake.run(f"CREATE EXTERNAL TABLE hive (id int) LOCATION 's3://{lake.bucket}/hive/'")
    assert "NOT_SUPPORTED" in lake.fails("OPTIMIZE hive REWRITE DATA USING BIN_PACK")
    assert "NOT_SUPPORTED" in lake.fails("VACUUM hive")
    assert "TABLE_NOT_FOUND" in lake.fails("VACUUM nowhere")


def test_vacuum_expires_snapshots_and_removes_their_files(lake):
    lake.table("t", vacuum_max_snapshot_age_seconds=1, vacuum_min_snapshots_to_keep=1)
    lake.run("DELETE FROM t WHERE id = 1")
    lake.run("UPDATE t SET name = 'new'")
    lake.run("DELETE FROM t")
    lake.run("INSERT INTO t VALUES (9, 'x', DECIMAL '1.00', DATE '2024-01-01')")
    assert len(lake.select('SELECT snapshot_id FROM "t$snapshots"')) == 5
    assert len(lake.data_objects()) > 2
    time.sleep(1.2)
    assert lake.run("VACUUM t")["SubstatementType"] == "VACUUM"
    assert len(lake.select('SELECT snapshot_id FROM "t$snapshots"')) == 1
    assert lake.ids() == [9]
    paths = {path.split("/", 3)[3] for _, path in lake.files()}
    assert set(lake.data_objects()) == paths
    lake.run("VACUUM t")
    assert lake.ids() == [9]


def test_vacuum_removes_orphans_once_they_are_old(start, tmp_path):
    clock = Clock(tmp_path / "clock-ahead")
    lake = Lake(start("--dev", *clock.flags), "orphans", "orphans")
    lake.table("t")
    lake.s3.put_object(Bucket=lake.bucket, Key="t/data/orphan.parquet", Body=b"x")
    lake.s3.put_object(Bucket=lake.bucket, Key="t-not/data/other.parquet", Body=b"x")
    lake.run("VACUUM t")
    assert "t/data/orphan.parquet" in lake.data_objects()
    clock.move(10 * 86_400)
    lake.run("VACUUM t")
    assert "t/data/orphan.parquet" not in lake.data_objects()
    assert lake.objects(lake.bucket, "t-not/") == ["t-not/data/other.parquet"]
    assert lake.ids() == [1, 2, 3]


# ALTER TABLE


def test_columns_come_go_and_change(lake):
    lake.table("t")
    lake.run("ALTER TABLE t ADD COLUMNS (tags array<string> COMMENT 'labels', size struct<w:int,h:int>)")
    assert lake.select("SELECT count(tags), count(*) FROM t") == [["0", "3"]]
    lake.run("INSERT INTO t VALUES (4, 'd', DECIMAL '1.00', NULL, ARRAY['x'], CAST(ROW(1, 2) AS ROW(w int, h int)))")
    lake.run("ALTER TABLE t CHANGE COLUMN id number bigint COMMENT 'wider'")
    lake.run("ALTER TABLE t CHANGE price price decimal(20,2) FIRST")
    lake.run("ALTER TABLE t DROP COLUMN day")
    described = [row[0].split("\t")[0].strip() for row in lake.rows("DESCRIBE t")]
    assert described[2:7] == ["price", "number", "name", "tags", "size"]
    assert lake.select("SELECT number, price, tags, size FROM t WHERE number IN (1, 4) ORDER BY 1") == [
        ["1", "1.50", None, None], ["4", "1.00", "[x]", "{w=1, h=2}"]]
    lake.run("INSERT INTO t (number, price) VALUES (5000000000, DECIMAL '123456789012345.00')")
    assert lake.count("UPDATE t SET name = 'big' WHERE number > 4000000000") == 1
    # A column of an old name is a new column.
    lake.run("ALTER TABLE t ADD COLUMNS (day date)")
    assert lake.select("SELECT count(day) FROM t") == [["0"]]


def test_changes_of_columns_that_can_not_be(lake):
    lake.table("t", partitions="day")
    for statement, reason in [
        ("ALTER TABLE t ADD COLUMNS (Name string)", "already exists"),
        ("ALTER TABLE t DROP COLUMN nothing", "does not exist"),
        ("ALTER TABLE t DROP COLUMN day", "partition"),
        ("ALTER TABLE t CHANGE name name int", "Cannot change the type"),
        ("ALTER TABLE t CHANGE id name int", "already exists"),
        ("ALTER TABLE t REPLACE COLUMNS (id int)", "Query type not supported by Athena Iceberg at this time"),
        ("ALTER TABLE t ADD PARTITION (day = '2024-01-01')", "Query type not supported by Athena Iceberg at this time"),
        (f"ALTER TABLE t SET LOCATION 's3://{lake.bucket}/x/'", "Query type not supported by Athena Iceberg at this time"),
        ("ALTER TABLE t SET TBLPROPERTIES ('colour' = 'blue')", "Unsupported table property key: colour"),
        ("ALTER TABLE t UNSET TBLPROPERTIES ('colour')", "Table property colour is not supported by Athena"),
    ]:
        assert reason in lake.fails(statement), statement
    assert lake.ids() == [1, 2, 3]


def test_properties_and_names_change(lake):
    lake.table("t")
    lake.run("ALTER TABLE t SET TBLPROPERTIES ('optimize_rewrite_data_file_threshold' = '2', 'write_compression' = 'snappy')")
    shown = {row[0]: row[1] if len(row) > 1 else None for row in
             (line[0].split("\t") if len(line) == 1 else line for line in lake.rows("SHOW TBLPROPERTIES t"))}
    assert shown["optimize_rewrite_data_file_threshold"] == "2"
    lake.run("ALTER TABLE t UNSET TBLPROPERTIES ('optimize_rewrite_data_file_threshold')")
    assert "optimize_rewrite_data_file_threshold" not in str(lake.rows("SHOW TBLPROPERTIES t"))
    lake.run("ALTER TABLE t RENAME TO u")
    assert lake.ids("u") == [1, 2, 3]
    assert "TABLE_NOT_FOUND" in lake.fails("SELECT * FROM t")
    lake.table("t")
    assert "already exists" in lake.fails("ALTER TABLE t RENAME TO u").lower()


# kill -9


@pytest.mark.parametrize("moment", range(3))
def test_a_killed_merge_is_whole_or_nothing(start, moment):
    lake = Lake(start("--dev"), "crash", "crash")
    lake.table("t", "id int, n int, p int", "p", values=None)
    lake.run("INSERT INTO t SELECT CAST(x AS int), 0, CAST(x % 40 AS int) FROM UNNEST(sequence(1, 4000)) AS u (x)")
    lake.table("s", "id int", values=None)
    lake.run("INSERT INTO s SELECT CAST(x AS int) FROM UNNEST(sequence(2001, 6000)) AS u (x)")
    before = set(lake.data_objects())
    lake.start("""MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = 1
        WHEN NOT MATCHED THEN INSERT VALUES (s.id, 2, s.id % 40)""")
    # The files appear when all rows are computed; the commit follows.
    wait_for(lambda: len(set(lake.data_objects()) - before) > moment * 40, "the first files")
    lake.server.kill()
    World.__init__(lake, start("--dev"))
    counts = lake.select("SELECT n, count(*) FROM t GROUP BY n ORDER BY n")
    assert counts in ([["0", "4000"]], [["0", "2000"], ["1", "2000"], ["2", "2000"]])
    if len(counts) == 1:
        assert set(lake.data_objects()) == before
    else:
        assert {path.split("/", 3)[3] for _, path in lake.files()} <= set(lake.data_objects())
    assert lake.count("UPDATE t SET n = 5 WHERE id = 1") == 1
