"""Iceberg tables whose files are ORC and Avro: written by Athena, read by PyIceberg and Spark; written by Spark, read and changed by
Athena; several formats in one table."""

import datetime
import decimal
import io

import pyarrow
import pyarrow.orc
import pytest

from test_iceberg_changes import Lake
from test_iceberg_engines import all_lists, spark, spark_jars  # noqa: F401

OTHERS = ["orc", "avro"]
ALL = """id bigint, flag boolean, small int, ratio float, size double, price decimal(9,2), big decimal(38,4), name string, raw binary,
day date, at timestamp, tags array<string>, weights map<string,double>, codes map<int,string>,
place struct<x:int,deep:struct<y:double,z:array<bigint>>>"""
ROWS = """(1, true, 7, REAL '0.5', 1e300, DECIMAL '1.50', DECIMAL '-12345678901234567890.1234', 'größer', X'00ff', DATE '2024-02-29',
  TIMESTAMP '2024-02-29 12:30:00.123456', ARRAY['a', NULL], MAP(ARRAY['k'], ARRAY[1.5e0]), MAP(ARRAY[1, 2], ARRAY['x', NULL]),
  CAST(ROW(1, ROW(2e0, ARRAY[3, NULL])) AS ROW(x integer, deep ROW(y double, z array(bigint))))),
 (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (3, false, -2147483648, REAL '-1', -0e0, DECIMAL '-0.01', DECIMAL '0', '', X'', DATE '1900-01-01', TIMESTAMP '1900-01-01 00:00:00',
  ARRAY[], MAP(), MAP(), CAST(ROW(NULL, ROW(NULL, ARRAY[])) AS ROW(x integer, deep ROW(y double, z array(bigint)))))"""
SHOWN = """SELECT id, flag, small, ratio, size, price, big, name, to_hex(raw), day, at, tags, weights, codes, place.x, place.deep.y,
place.deep.z FROM {} ORDER BY id"""


@pytest.fixture
def lake(shared, unique):
    lake = Lake(shared, unique("formats"), unique("formats").replace("-", "_"))
    place = {"Name": lake.database, "LocationUri": f"s3://{lake.bucket}/db"}
    lake.glue.update_database(Name=lake.database, DatabaseInput=place)
    return lake


def formats(lake, table="t"):
    """How many data files and files of deletes a table has in each format."""
    found = {}
    for content, name in lake.select(f'SELECT content, file_format FROM "{table}$files"'):
        found[content, name] = found.get((content, name), 0) + 1
    return found


def pyiceberg(lake, table):
    from pyiceberg.table import StaticTable

    location = lake.glue.get_table(DatabaseName=lake.database, Name=table)["Table"]["Parameters"]["metadata_location"]
    properties = {
        "s3.endpoint": lake.server.url,
        "s3.access-key-id": "test",
        "s3.secret-access-key": "test",
        "s3.region": "us-east-1",
        "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
    }
    return StaticTable.from_metadata(location, properties=properties)


@pytest.mark.parametrize("format", OTHERS)
def test_all_types_come_back(lake, format):
    lake.table("t", ALL, values=ROWS, format=format)
    lake.table("p", ALL, values=ROWS)
    assert formats(lake) == {("0", format.upper()): 1}
    assert lake.select(SHOWN.format("t")) == lake.select(SHOWN.format("p"))
    shown = lake.rows("SHOW CREATE TABLE t")
    assert any(f"'format'='{format}'" in row[0] for row in shown), shown
    assert any(path.endswith("." + format) for path in lake.data_objects())


@pytest.mark.parametrize("format", OTHERS)
def test_rows_change(lake, format):
    lake.table("t", "id bigint, name string, day date", "day", values=None, format=format)
    lake.run("INSERT INTO t SELECT x, 'n' || CAST(x AS varchar), DATE '2024-01-01' + INTERVAL '1' DAY * (x % 2) FROM UNNEST(sequence(1, 20)) v(x)")
    assert lake.count("UPDATE t SET name = 'new' WHERE id IN (3, 4)") == 2
    assert lake.count("DELETE FROM t WHERE id = 7") == 1
    assert formats(lake)["1", format.upper()] >= 2
    assert lake.ids() == [n for n in range(1, 21) if n != 7]
    merged = "MERGE INTO t USING (VALUES (1, 'm'), (99, 'added')) s(i, n) ON t.id = s.i WHEN MATCHED THEN UPDATE SET name = s.n WHEN NOT MATCHED THEN INSERT (id, name, day) VALUES (s.i, s.n, DATE '2024-01-01')"
    assert lake.count(merged) == 2
    assert lake.count("DELETE FROM t WHERE id = 8") == 1, "rows after deleted ones keep their places"
    assert lake.select("SELECT id, name FROM t WHERE name NOT LIKE 'n_' AND name NOT LIKE 'n1_' AND name <> 'n20' ORDER BY id") == [
        ["1", "m"], ["3", "new"], ["4", "new"], ["99", "added"]
    ]
    assert lake.select("SELECT count(*), sum(id) FROM t") == [["19", str(sum(range(1, 21)) - 15 + 99)]]
    assert lake.select("SELECT count(*) FROM t WHERE day = DATE '2024-01-02' AND id > 10") == [["5"]]
    lake.run("OPTIMIZE t REWRITE DATA USING BIN_PACK")
    assert formats(lake) == {("0", format.upper()): 2}
    assert len(lake.ids()) == 19


@pytest.mark.parametrize("format", OTHERS)
def test_columns_are_found_by_their_ids(lake, format):
    lake.table("t", "id int, a int, s struct<x:int,y:int>", values="(1, 10, CAST(ROW(100, 200) AS ROW(x integer, y integer)))", format=format)
    lake.run("ALTER TABLE t CHANGE COLUMN a b bigint")
    lake.run("ALTER TABLE t ADD COLUMNS (a string)")
    lake.run("INSERT INTO t (id, b, a) VALUES (2, 5000000000, 'text')")
    assert lake.select("SELECT id, b, a, s.x FROM t ORDER BY id") == [["1", "10", None, "100"], ["2", "5000000000", "text", None]]
    lake.run("ALTER TABLE t DROP COLUMN b")
    lake.run("ALTER TABLE t ADD COLUMNS (b int)")
    assert lake.select("SELECT id, b, a FROM t ORDER BY id") == [["1", None, None], ["2", None, "text"]]
    assert lake.select("SELECT id FROM t WHERE b IS NULL AND a = 'text'") == [["2"]]


def test_formats_in_one_table(lake):
    lake.table("t", "id int, name string", values="(1, 'parquet'), (2, 'gone')")
    for number, format in enumerate(["orc", "avro"], 3):
        lake.run(f"ALTER TABLE t SET TBLPROPERTIES ('format'='{format}')")
        lake.run(f"INSERT INTO t VALUES ({number}, '{format}'), ({number * 10}, 'gone')")
    lake.run("DELETE FROM t WHERE name = 'gone'")
    assert formats(lake) == {("0", "PARQUET"): 1, ("0", "ORC"): 1, ("0", "AVRO"): 1, ("1", "AVRO"): 3}
    assert lake.select("SELECT * FROM t ORDER BY id") == [["1", "parquet"], ["3", "orc"], ["4", "avro"]]
    assert lake.select('SELECT count(*) FROM (SELECT DISTINCT "$path" FROM t)') == [["3"]]
    lake.run("UPDATE t SET name = upper(name)")
    assert lake.select("SELECT * FROM t ORDER BY id") == [["1", "PARQUET"], ["3", "ORC"], ["4", "AVRO"]]
    reason = lake.fails("ALTER TABLE t SET TBLPROPERTIES ('format'='xml')")
    assert "Unsupported format: xml" in reason
    reason = lake.fails("ALTER TABLE t SET TBLPROPERTIES ('write_compression'='lz4')")
    assert "lz4" in reason and "AVRO" in reason


@pytest.mark.parametrize("format,codec", [("orc", "zstd"), ("orc", "snappy"), ("orc", "lz4"), ("orc", "none"), ("avro", "zstd"), ("avro", "snappy"), ("avro", "none")])
def test_compressions_and_ctas(lake, format, codec):
    lake.run(
        f"CREATE TABLE t WITH (table_type = 'ICEBERG', is_external = false, location = 's3://{lake.bucket}/t/', "
        f"format = '{format}', write_compression = '{codec}', partitioning = ARRAY['bucket(id, 2)']) AS "
        "SELECT x AS id, 'name ' || CAST(x AS varchar) AS name FROM UNNEST(sequence(1, 1000)) v(x)"
    )
    assert set(formats(lake)) == {("0", format.upper())}
    assert lake.select("SELECT count(*), sum(id), max(name) FROM t") == [["1000", "500500", "name 999"]]
    assert lake.select("SELECT name FROM t WHERE id = 321") == [["name 321"]]


def test_statistics_of_orc_leave_out_files(lake):
    lake.table("t", "id int, name string, at timestamp", values="(1, 'a', TIMESTAMP '2024-01-01 00:00:00.000001')", format="orc")
    lake.run("INSERT INTO t VALUES (1000, 'z', TIMESTAMP '2025-01-01 00:00:00')")
    bounds = lake.select('SELECT lower_bounds, upper_bounds, null_value_counts FROM "t$files"')
    assert all(lower and upper for lower, upper, _ in bounds), bounds
    for condition in ("id = 1", "name < 'b'", "at < TIMESTAMP '2024-06-01 00:00:00'"):
        execution = lake.run(f"SELECT name FROM t WHERE {condition}")
        one = execution["Statistics"]["DataScannedInBytes"]
        both = lake.run("SELECT name FROM t")["Statistics"]["DataScannedInBytes"]
        assert 0 < one < both, condition


def test_deletes_beside_row_groups_that_are_ruled_out(lake):
    """PyArrow's files have indexes of row groups: what is read begins in the middle of a stripe, and places count all the same."""
    lake.table("t", "n bigint, text string", values=None, format="orc")
    # Bounds that leave the other file in, and more rows than a statement deletes.
    lake.run("INSERT INTO t VALUES (-1, ''), (1000000, '~'), (0, 'x')")
    [[path]] = lake.select('SELECT DISTINCT "$path" FROM t')
    key = path.removeprefix(f"s3://{lake.bucket}/")
    rows = 100_000
    sink = io.BytesIO()
    table = pyarrow.table({"n": pyarrow.array(range(rows)), "text": [f"text {n}" for n in range(rows)]})
    pyarrow.orc.write_table(table, sink, row_index_stride=1000, compression="zlib")
    # No ids: columns are found by their names.
    lake.s3.put_object(Bucket=lake.bucket, Key=key, Body=sink.getvalue())
    lake.run("DELETE FROM t WHERE n IN (50001, 70000)")
    assert lake.select("SELECT count(*), sum(n) FROM t") == [[str(rows - 2), str(sum(range(rows)) - 120001)]]
    assert lake.select("SELECT text FROM t WHERE n BETWEEN 50000 AND 50002 ORDER BY n") == [["text 50000"], ["text 50002"]]
    assert lake.select("SELECT count(*) FROM t WHERE n >= 69999") == [["30000"]]
    lake.run("UPDATE t SET text = 'new' WHERE n = 88888")
    assert lake.select("SELECT n FROM t WHERE text = 'new'") == [["88888"]]
    assert lake.select("SELECT count(*), count(DISTINCT n) FROM t WHERE n > 88000") == [["11999", "11999"]]


def test_pyiceberg_reads_orc(lake):
    lake.table("t", ALL.replace(", codes map<int,string>", ""), values=None, format="orc")
    columns = "id, flag, small, ratio, size, price, big, name, raw, day, at, tags, weights, place"
    lake.table("p", ALL, values=ROWS)
    lake.run(f"INSERT INTO t ({columns}) SELECT {columns} FROM p")
    lake.run("DELETE FROM t WHERE id = 2")
    table = pyiceberg(lake, "t")
    rows = table.scan().to_arrow().sort_by("id").to_pylist()
    assert [row["id"] for row in rows] == [1, 3]
    first = rows[0]
    assert first["price"] == decimal.Decimal("1.50") and first["big"] == decimal.Decimal("-12345678901234567890.1234")
    assert first["at"] == datetime.datetime(2024, 2, 29, 12, 30, 0, 123456)
    assert first["day"] == datetime.date(2024, 2, 29) and first["name"] == "größer"
    assert first["tags"] == ["a", None] and first["place"] == {"x": 1, "deep": {"y": 2.0, "z": [3, None]}}
    assert len(list(table.scan(row_filter="id = 77").plan_files())) == 0


def test_spark_and_athena_share_tables(lake, spark_jars):  # noqa: F811
    lake.table("seen_orc", ALL, values=ROWS, format="orc")
    lake.table("seen_avro", ALL, values=ROWS, format="avro")
    for format in OTHERS:
        lake.run(f"DELETE FROM seen_{format} WHERE id = 2")
    statements = []
    for format in OTHERS:
        t = f"rest.{lake.database}.by_{format}"
        statements += [
            f"SELECT id, name, price, day, at, tags, codes, place.deep.z, hex(raw) FROM rest.{lake.database}.seen_{format} ORDER BY id",
            f"CREATE TABLE {t} (id bigint, name string, day date, at timestamp_ntz, seen timestamp, price decimal(10,2), "
            "codes map<int,string>, tags map<string,array<struct<x:int>>>) USING iceberg PARTITIONED BY (months(day)) "
            f"TBLPROPERTIES ('write.format.default'='{format}', 'write.delete.mode'='merge-on-read', 'write.update.mode'='merge-on-read')",
            f"INSERT INTO {t} VALUES (1, 'a', date'2024-01-01', timestamp_ntz'2024-01-01 10:00:00.123456', timestamp'2024-01-01 10:00:00.5', 1.25, map(1, 'x'), map('k', array(struct(7)))), "
            "(2, 'b', date'2024-02-02', null, null, null, null, null), (3, 'c', date'2024-02-03', null, null, null, null, null)",
            f"INSERT INTO {t} SELECT id + 10, 'more', date'2024-01-01', null, null, null, null, null FROM range(50)",
            f"DELETE FROM {t} WHERE id = 12",
            f"UPDATE {t} SET name = 'zz' WHERE id = 1",
            f"SELECT count(*) FROM {t}.delete_files WHERE file_format = '{format.upper()}'",
        ]
    answers = all_lists(spark(lake, spark_jars, *statements))
    for number, format in enumerate(OTHERS):
        found = answers[number * 7 : (number + 1) * 7]
        assert found[0][0] == [1, "größer", "1.50", "2024-02-29", "2024-02-29 12:30:00.123456", ["a", None], {"1": "x", "2": None}, [3, None], "00FF"]
        assert [row[0] for row in found[0]] == [1, 3]
        assert found[6][0][0] >= 1, "Spark wrote deletes"
        table = f"by_{format}"
        assert lake.select(f"SELECT count(*), sum(id) FROM {table}") == [["52", str(1 + 2 + 3 + sum(range(10, 60)) - 12)]]
        assert lake.select(f"SELECT name, day, at, price, codes, tags['k'][1].x, CAST(seen AS varchar) FROM {table} WHERE id = 1") == [
            ["zz", "2024-01-01", "2024-01-01 10:00:00.123456", "1.25", "{1=x}", "7", "2024-01-01 10:00:00.500000 UTC"]
        ]
        lake.run(f"UPDATE {table} SET name = 'both' WHERE id IN (2, 20)")
        lake.run(f"INSERT INTO {table} (id, name) VALUES (77, 'athena')")
        assert set(formats(lake, table)) == {("0", format.upper()), ("1", format.upper())}
    reads = [f"SELECT id, name FROM rest.{lake.database}.by_{format} WHERE name IN ('both', 'athena', 'zz') ORDER BY id" for format in OTHERS]
    assert all_lists(spark(lake, spark_jars, *reads)) == [[[1, "zz"], [2, "both"], [20, "both"], [77, "athena"]]] * 2
