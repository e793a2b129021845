"""ORC in Athena: files of pyarrow's writer are read, files that we write are read by pyarrow, crawlers know them."""

import datetime
import decimal
import io
import random

import pyarrow as pa
import pyarrow.orc as orc
import pytest

from test_formats import Lake

CODECS = ["zlib", "snappy", "zstd", "lz4", "none"]


@pytest.fixture
def lake(shared, unique):
    return Lake(shared, unique("orc").replace("-", "_"))


def file_of(table, **options):
    sink = io.BytesIO()
    orc.write_table(table, sink, **options)
    return sink.getvalue()


def table_at(lake, name):
    """What pyarrow reads of a table's files."""
    location = lake.glue.get_table(DatabaseName=lake.name, Name=name)["Table"]["StorageDescriptor"]["Location"]
    return files_at(lake, location)


def files_at(lake, location):
    bucket, prefix = location.removeprefix("s3://").split("/", 1)
    keys = [found["Key"] for found in lake.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    bodies = [lake.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
    return pa.concat_tables(orc.ORCFile(io.BytesIO(body)).read() for body in bodies)


ALL = pa.table({
    "b": pa.array([True, None, False]),
    "t": pa.array([1, None, -128], pa.int8()),
    "s": pa.array([1, None, -32768], pa.int16()),
    "i": pa.array([1, None, -(2**31)], pa.int32()),
    "l": pa.array([1, None, -(2**63)], pa.int64()),
    "f": pa.array([1.5, None, -0.25], pa.float32()),
    "d": pa.array([1e300, None, -0.1]),
    "m": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-0.01")], pa.decimal128(9, 2)),
    "big": pa.array([decimal.Decimal(10**37), None, decimal.Decimal(-1)], pa.decimal128(38, 0)),
    "x": pa.array(["größer", None, ""]),
    "y": pa.array([b"\x00\xff", None, b""]),
    "day": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1900, 1, 1)]),
    "at": pa.array([datetime.datetime(2024, 2, 29, 12, 30, 0, 500000), None, datetime.datetime(1900, 1, 1)], pa.timestamp("ns")),
    "elements": pa.array([[1, None], None, []], pa.list_(pa.int64())),
    "pairs": pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int32())),
    "record": pa.array([{"n": 1, "Deep": [{"x": "y"}]}, None, {"n": None, "Deep": None}],
                    pa.struct([("n", pa.int64()), ("Deep", pa.list_(pa.struct([("x", pa.string())])))])),
})
COLUMNS = """b boolean, t tinyint, s smallint, i int, l bigint, f float, d double, m decimal(9,2), big decimal(38,0), x string,
    y binary, day date, at timestamp, elements array<bigint>, pairs map<string,int>, record struct<n:bigint,deep:array<struct<x:string>>>"""
ROWS = [
    [None] * 16,
    ["false", "-128", "-32768", "-2147483648", "-9223372036854775808", "-0.25", "-0.1", "-0.01", "-1", "", "", "1900-01-01",
     "1900-01-01 00:00:00.000", "[]", "{}", "{n=null, deep=null}"],
    ["true", "1", "1", "1", "1", "1.5", "1.0E300", "1.50", "1" + "0" * 37, "größer", "00 ff", "2024-02-29",
     "2024-02-29 12:30:00.500", "[1, null]", "{k=1}", "{n=1, deep=[{x=y}]}"],
]


@pytest.mark.parametrize("codec", ["uncompressed", "snappy", "zlib", "lz4", "zstd"])
def test_pyarrows_files_are_read(lake, codec):
    lake.put("t/f.orc", file_of(ALL, compression=codec))
    lake.run(f"CREATE EXTERNAL TABLE t ({COLUMNS}) STORED AS ORC LOCATION '{lake.folder('t')}'")
    rows = lake.rows("SELECT * FROM t")
    assert sorted(rows, key=lambda row: row[4] or "") == ROWS
    assert lake.rows("SELECT x FROM t WHERE l > 0 AND record.n = 1 AND at > TIMESTAMP '2024-01-01 00:00:00'") == [["größer"]]


@pytest.mark.parametrize("codec", CODECS)
def test_what_we_write_pyarrow_reads(lake, codec):
    lake.put("t/f.orc", file_of(ALL))
    lake.run(f"CREATE EXTERNAL TABLE t ({COLUMNS}) STORED AS ORC LOCATION '{lake.folder('t')}'")
    lake.run(f"CREATE TABLE u WITH (format = 'ORC', write_compression = '{codec}') AS SELECT * FROM t")
    found = lake.glue.get_table(DatabaseName=lake.name, Name="u")["Table"]["StorageDescriptor"]
    assert found["SerdeInfo"]["SerializationLibrary"] == "org.apache.hadoop.hive.ql.io.orc.OrcSerde"
    assert found["InputFormat"] == "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat"
    read = table_at(lake, "u")
    renamed = ALL.schema.field("record").type
    for name in ALL.column_names:
        expected = ALL.column(name).to_pylist()
        if name == "record":
            expected = [row and {"n": row["n"], "deep": row["Deep"]} for row in expected]
            assert renamed != read.schema.field("record").type
        assert sorted(read.column(name).to_pylist(), key=str) == sorted(expected, key=str), name
    assert lake.rows("SELECT * FROM u") == lake.rows("SELECT * FROM t")


def test_insert_and_unload(lake):
    lake.run(f"""CREATE EXTERNAL TABLE t (a int, c char(5), v varchar(3)) PARTITIONED BY (k string)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.orc.OrcSerde' STORED AS ORC LOCATION '{lake.folder("t")}'
        TBLPROPERTIES ('orc.compress' = 'SNAPPY')""")
    lake.run("INSERT INTO t VALUES (1, 'x', 'abc', 'one'), (2, NULL, NULL, 'two')")
    assert lake.rows("SELECT a, c, v, k FROM t WHERE c = 'x' OR k = 'two'") == [["1", "x    ", "abc", "one"], ["2", None, None, "two"]]
    lake.run(f"UNLOAD (SELECT a, v FROM t) TO '{lake.folder('unloaded')}' WITH (format = 'ORC', compression = 'zstd')")
    read = files_at(lake, lake.folder("unloaded"))
    assert sorted(read.column("a").to_pylist()) == [1, 2] and set(read.column("v").to_pylist()) == {"abc", None}
    assert "Gzip" in lake.fails(f"UNLOAD (SELECT 1 AS a) TO '{lake.folder('other')}' WITH (format = 'ORC', compression = 'gzip')")
    lake.run(f"CREATE EXTERNAL TABLE old (a int) STORED AS ORC LOCATION '{lake.folder('old')}'")
    assert "1969" in lake.fails("CREATE TABLE w WITH (format = 'ORC') AS SELECT TIMESTAMP '1969-12-31 23:59:59.500' AS a")


def test_columns_by_place_and_by_name(lake):
    lake.put("t/f.orc", file_of(pa.table({"A": [1], "b": ["x"]})))
    serde = "ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.orc.OrcSerde'"
    lake.run(f"CREATE EXTERNAL TABLE t (z bigint, y string, x int) {serde} STORED AS ORC LOCATION '{lake.folder('t')}'")
    assert lake.rows("SELECT * FROM t") == [["1", "x", None]]
    lake.run(f"""CREATE EXTERNAL TABLE u (b string, a bigint, c int) {serde}
        WITH SERDEPROPERTIES ('orc.column.index.access' = 'false') STORED AS ORC LOCATION '{lake.folder('t')}'""")
    assert lake.rows("SELECT * FROM u") == [["x", "1", None]]
    lake.run(f"CREATE EXTERNAL TABLE v (b string) STORED AS ORC LOCATION '{lake.folder('t')}'")
    assert "Cannot read SQL type 'varchar' from ORC stream '.A' of type LONG" in lake.fails("SELECT * FROM v")


def test_stripes_and_row_groups_are_left_out(lake):
    numbers = list(range(200_000))
    words = [f"word {number:06}" for number in numbers]
    chance = random.Random(7)
    table = pa.table({"n": numbers, "w": words, "r": [chance.random() for _ in numbers],
                      "x": [chance.randbytes(40).hex() for _ in numbers]})
    lake.put("t/f.orc", file_of(table, stripe_size=1 << 20, row_index_stride=10_000, bloom_filter_columns=[0, 1],
                                dictionary_key_size_threshold=0, compression="zlib"))
    lake.run(f"CREATE EXTERNAL TABLE t (n bigint, w string, r double, x string) STORED AS ORC LOCATION '{lake.folder('t')}'")

    def scanned(sql):
        execution = lake.end(sql)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return execution["Statistics"]["DataScannedInBytes"]

    everything = scanned("SELECT * FROM t")
    for condition, rows in [
        ("n = 123456", 1), ("n BETWEEN 9990 AND 10009", 20), ("n < 5 OR n >= 199995", 10), ("w = 'word 077777'", 1),
        ("w > 'word 199989'", 10), ("n IN (5, 150000, 300000)", 2), ("n = 150000 AND w = 'word 000001'", 0),
    ]:
        assert lake.rows(f"SELECT count(*), count(w), count(x) FROM t WHERE {condition}") == [[str(rows)] * 3], condition
    assert scanned("SELECT * FROM t WHERE n = 123456") < everything / 2
    assert scanned("SELECT n FROM t") < everything / 2
    assert scanned("SELECT count(*) FROM t") < everything / 10
    assert lake.rows("SELECT sum(n), count(DISTINCT w) FROM t") == [[str(sum(numbers)), "200000"]]


def test_random_tables_come_back_from_pyarrow(lake):
    chance = random.Random(11)

    def value(kind):
        if chance.random() < 0.2:
            return None
        if pa.types.is_list(kind):
            return [value(kind.value_type) for _ in range(chance.randrange(4))]
        if pa.types.is_struct(kind):
            return {field.name: value(field.type) for field in kind}
        if pa.types.is_integer(kind):
            return chance.randrange(-(2**40), 2**40) if chance.random() < 0.5 else chance.randrange(10)
        return "".join(chance.choice("aäß€😀 ") for _ in range(chance.randrange(5)))

    inner = pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])
    schema = pa.schema([("id", pa.int64()), ("s", pa.string()), ("l", pa.list_(inner)), ("r", inner)])
    rows = [{"id": index} | {field.name: value(field.type) for field in list(schema)[1:]} for index in range(3000)]
    lake.put("t/f.orc", file_of(pa.Table.from_pylist(rows, schema), compression="zlib"))
    hive = "struct<a:bigint,b:array<string>>"
    lake.run(f"CREATE EXTERNAL TABLE t (id bigint, s string, l array<{hive}>, r {hive}) STORED AS ORC LOCATION '{lake.folder('t')}'")
    lake.run("CREATE TABLE u WITH (format = 'ORC') AS SELECT * FROM t")
    assert sorted(table_at(lake, "u").to_pylist(), key=lambda row: row["id"]) == rows


def test_what_is_broken_or_of_transactions_is_named(lake):
    lake.run(f"CREATE EXTERNAL TABLE t (a int) STORED AS ORC LOCATION '{lake.folder('t')}'")
    lake.put("t/f", b"ORC and nothing else")
    assert lake.fails("SELECT * FROM t").startswith("HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split")
    lake.run(f"CREATE EXTERNAL TABLE u (a int) STORED AS ORC LOCATION '{lake.folder('u')}'")
    lake.put("u/delta_0000001_0000001_0000/bucket_00000", file_of(pa.table({"a": [1]})))
    assert "transactional (ACID)" in lake.fails("SELECT * FROM u")


def test_crawlers_know_orc(shared, unique):
    from test_crawlers import World, columns

    world = World(shared, unique)
    table = pa.table({"Id": pa.array([1, 2], pa.int32()), "m": pa.array([decimal.Decimal("1.5")] * 2, pa.decimal128(9, 2)),
                      "l": [[{"x": "y"}], None], "at": pa.array([datetime.datetime(2024, 1, 1)] * 2, pa.timestamp("ns"))})
    found = world.crawl({"data/day=1/f.orc": file_of(table), "data/day=2/f.orc": file_of(table)})["data"]
    assert columns(found) == {"id": "int", "m": "decimal(9,2)", "l": "array<struct<x:string>>", "at": "timestamp"}
    storage = found["StorageDescriptor"]
    assert storage["InputFormat"] == "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat"
    assert storage["OutputFormat"] == "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat"
    assert storage["SerdeInfo"]["SerializationLibrary"] == "org.apache.hadoop.hive.ql.io.orc.OrcSerde"
    assert (found["Parameters"]["classification"], found["Parameters"]["recordCount"]) == ("orc", "4")
    assert [key["Name"] for key in found["PartitionKeys"]] == ["day"]
