"""Formats of tables in Athena, through boto3: projected partitions, SerDes, compressed lines, Avro, Parquet by place, buckets."""

import bz2
import gzip
import io
import json
import time
import zlib

import pyarrow
import pyarrow.parquet
import pytest

RESULTS = "s3://formats/results/"
OPENX = "org.openx.data.jsonserde.JsonSerDe"


class Lake:
    """A database and a bucket of one test's own."""

    def __init__(self, server, name):
        self.athena, self.glue, self.s3 = (server.client(each, "test", "test") for each in ("athena", "glue", "s3"))
        self.name = name
        if "formats" not in [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]:
            self.s3.create_bucket(Bucket="formats")
        self.glue.create_database(DatabaseInput={"Name": name})

    def put(self, key, body):
        self.s3.put_object(Bucket="formats", Key=f"{self.name}/{key}", Body=body)

    def folder(self, key):
        return f"s3://formats/{self.name}/{key}/"

    def keys(self, key):
        listed = self.s3.list_objects_v2(Bucket="formats", Prefix=f"{self.name}/{key}/")
        return [found["Key"] for found in listed.get("Contents", [])]

    def end(self, sql):
        execution = self.athena.start_query_execution(
            QueryString=sql,
            QueryExecutionContext={"Database": self.name},
            ResultConfiguration={"OutputLocation": RESULTS},
        )["QueryExecutionId"]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = self.athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{execution} does not end")

    def run(self, sql):
        execution = self.end(sql)
        assert execution["Status"]["State"] == "SUCCEEDED", (sql, execution["Status"])
        return execution["QueryExecutionId"]

    def rows(self, sql):
        results = self.athena.get_query_results(QueryExecutionId=self.run(sql))
        rows = [[datum.get("VarCharValue") for datum in row["Data"]] for row in results["ResultSet"]["Rows"]]
        return sorted(rows[1:], key=str)

    def fails(self, sql):
        execution = self.end(sql)
        assert execution["Status"]["State"] == "FAILED", (sql, execution["Status"])
        return execution["Status"]["StateChangeReason"]


@pytest.fixture
def lake(shared, unique):
    return Lake(shared, unique("formats").replace("-", "_"))


def test_projected_partitions(lake):
    lake.put("t/2024/01/02/eu/f.csv", "1\n")
    lake.put("t/2024/03/04/us/f.csv", "2\n")
    lake.run(f"""CREATE EXTERNAL TABLE t (a int) PARTITIONED BY (day string, region string)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '{lake.folder("t")}'
        TBLPROPERTIES ('projection.enabled' = 'true', 'projection.day.type' = 'date',
        'projection.day.format' = 'yyyy/MM/dd', 'projection.day.range' = '2024/01/01,NOW',
        'projection.region.type' = 'enum', 'projection.region.values' = 'eu,us',
        'storage.location.template' = '{lake.folder("t")}${{day}}/${{region}}')""")
    assert lake.rows("SELECT * FROM t WHERE day < '2024/06'") == [["1", "2024/01/02", "eu"], ["2", "2024/03/04", "us"]]
    assert lake.rows("SELECT a FROM t WHERE day = '2024/03/04' AND region = 'us'") == [["2"]]
    assert "storage.location.template" in lake.fails("INSERT INTO t VALUES (3, '2024/01/02', 'eu')")


def test_injected_and_integer_projection(lake):
    lake.run(f"""CREATE EXTERNAL TABLE t (a string) PARTITIONED BY (device string, hour int)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION '{lake.folder("t")}'
        TBLPROPERTIES ('projection.enabled' = 'true', 'projection.device.type' = 'injected',
        'projection.hour.type' = 'integer', 'projection.hour.range' = '0,23')""")
    lake.run("INSERT INTO t VALUES ('x', 'd1', 7), ('y', 'd2', 8)")
    assert lake.rows("SELECT a, hour FROM t WHERE device IN ('d1', 'd2')") == [["x", "7"], ["y", "8"]]
    reason = lake.fails("SELECT a FROM t")
    assert reason.startswith("CONSTRAINT_VIOLATION: For the injected projected partition column device")
    lake.run(f"""CREATE EXTERNAL TABLE u (a string) PARTITIONED BY (hour int) LOCATION '{lake.folder("u")}'
        TBLPROPERTIES ('projection.enabled' = 'true')""")
    assert "missing projection configuration: [`hour`]" in lake.fails("SELECT * FROM u")


@pytest.mark.parametrize("codec", ["gzip", "zstd", "bzip2", "snappy", "lz4", "deflate", "none"])
@pytest.mark.parametrize("format", ["TEXTFILE", "JSON"])
def test_compressed_lines_are_written_and_read(lake, format, codec):
    lake.run(f"CREATE TABLE t WITH (format = '{format}', write_compression = '{codec}') AS "
             "SELECT * FROM (VALUES (1, 'x', ARRAY[1, 2]), (2, NULL, NULL)) AS v (n, s, l)")
    assert lake.rows("SELECT * FROM t") == [["1", "x", "[1, 2]"], ["2", None, None]]
    assert lake.rows("SELECT sum(n) FROM t WHERE \"$path\" LIKE '%.%'") == [[None if codec == "none" else "3"]]


def test_lines_of_other_compressors(lake):
    lake.run(f"""CREATE EXTERNAL TABLE t (a string, b int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
        LOCATION '{lake.folder("t")}' TBLPROPERTIES ('skip.header.line.count' = '1')""")
    text = b"a,b\n" + b"x,1\n" * 5000
    lake.put("t/1.csv.bz2", bz2.compress(text))
    lake.put("t/2.csv.gz", gzip.compress(text))
    lake.put("t/3.csv.deflate", zlib.compress(text))
    for ending, codec in (("zst", "zstd"), ("lz4", "lz4")):
        sink = pyarrow.BufferOutputStream()
        with pyarrow.CompressedOutputStream(sink, codec) as out:
            out.write(text)
        lake.put(f"t/4.csv.{ending}", sink.getvalue().to_pybytes())
    assert lake.rows("SELECT count(*), sum(b) FROM t") == [["25000", "25000"]]
    lake.put("t/5.csv.lzo", b"x")
    assert ".lzo" in lake.fails("SELECT count(*) FROM t WHERE \"$path\" LIKE '%5%'")


def test_delimited_text_and_its_properties(lake):
    lake.run(f"""CREATE EXTERNAL TABLE t (a string, l array<int>, m map<string,int>)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY ','
        MAP KEYS TERMINATED BY ':' NULL DEFINED AS '-' LOCATION '{lake.folder("t")}'""")
    lake.put("t/f", "x\\|y|1,2|k:1,l:2\n-|-|-\n")
    assert lake.rows("SELECT * FROM t") == [["x|y", "[1, 2]", "{k=1, l=2}"], [None, None, None]]


def test_open_csv(lake):
    lake.run(f"""CREATE EXTERNAL TABLE t (s string, n bigint, d date, t timestamp, b boolean)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'
        WITH SERDEPROPERTIES ('separatorChar' = ';', 'quoteChar' = '\\'', 'escapeChar' = '\\\\')
        LOCATION '{lake.folder("t")}'""")
    lake.put("t/f", "'a;b';'7';18262;1577836800000;true\n")
    assert lake.rows("SELECT * FROM t") == [["a;b", "7", "2020-01-01", "2020-01-01 00:00:00.000", "true"]]
    lake.put("t/g", "x;;1;1;true\n")
    assert lake.fails("SELECT n FROM t").startswith("HIVE_BAD_DATA")


def test_json_of_openx(lake):
    row = {"Name": "x", "a.b": 1, "@at": "z", "r": {"L": [1, None], "m": {"K": 1.5}}}
    lake.put("t/f.json", json.dumps(row) + "\nbroken\n")
    lake.run(f"""CREATE EXTERNAL TABLE t (name string, a_b int, happened string, r struct<l:array<int>,m:map<string,double>>)
        ROW FORMAT SERDE '{OPENX}' WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true', 'dots.in.keys' = 'true',
        'mapping.happened' = '@at') LOCATION '{lake.folder("t")}'""")
    assert lake.rows("SELECT * FROM t") == [["x", "1", "z", "{l=[1, null], m={K=1.5}}"], [None] * 4]
    lake.run(f"""CREATE EXTERNAL TABLE u (name string) ROW FORMAT SERDE '{OPENX}'
        WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true', 'case.insensitive' = 'false') LOCATION '{lake.folder("t")}'""")
    assert lake.rows("SELECT * FROM u") == [[None], [None]]
    lake.run(f"""CREATE EXTERNAL TABLE v (name string) ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
        LOCATION '{lake.folder("t")}'""")
    assert "Row is not a valid JSON Object" in lake.fails("SELECT * FROM v")


def test_regex_and_grok(lake):
    lake.put("t/f.log", "10.0.0.1 GET /a 200\nnonsense\n")
    lake.run(f"""CREATE EXTERNAL TABLE t (ip string, verb string, path string, status int)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
        WITH SERDEPROPERTIES ('input.regex' = '^([0-9.]+) (\\\\w+) (\\\\S+) (\\\\d+)$') LOCATION '{lake.folder("t")}'""")
    expected = [["10.0.0.1", "GET", "/a", "200"], [None] * 4]
    assert lake.rows("SELECT * FROM t") == sorted(expected, key=str)
    lake.run(f"""CREATE EXTERNAL TABLE g (status int, ip string)
        ROW FORMAT SERDE 'com.amazonaws.glue.serde.GrokSerDe'
        WITH SERDEPROPERTIES ('input.grokCustomPatterns' = 'CODE [0-9][0-9][0-9]',
        'input.format' = '%{{IP:ip}} %{{WORD}} %{{NOTSPACE}} %{{CODE:status}}')
        STORED AS INPUTFORMAT 'org.apache.hadoop.mapred.TextInputFormat'
        OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat' LOCATION '{lake.folder("t")}'""")
    assert lake.rows("SELECT * FROM g") == [["200", "10.0.0.1"], [None, None]]
    assert "NOT_SUPPORTED" in lake.fails("INSERT INTO g VALUES (1, 'x')")


def test_avro_is_written_and_read(lake):
    lake.run("CREATE TABLE t WITH (format = 'AVRO') AS SELECT 1 AS n, 'x' AS s, DATE '2024-02-29' AS d, "
             "TIMESTAMP '2024-02-29 12:30:00.500' AS t, DECIMAL '1.50' AS m, ARRAY[1, 2] AS l, MAP(ARRAY['k'], ARRAY[1]) AS k")
    lake.run("INSERT INTO t (n, s) VALUES (2, 'y')")
    rows = lake.rows("SELECT * FROM t")
    assert rows[0] == ["1", "x", "2024-02-29", "2024-02-29 12:30:00.500", "1.50", "[1, 2]", "{k=1}"]
    assert rows[1] == ["2", "y"] + [None] * 5
    location = lake.glue.get_table(DatabaseName=lake.name, Name="t")["Table"]["StorageDescriptor"]["Location"]
    schema = {"type": "record", "name": "root", "fields": [
        {"name": "s", "type": ["null", "string"]},
        {"name": "extra", "type": "string", "default": "none"},
    ]}
    lake.run(f"""CREATE EXTERNAL TABLE u (s string, extra string)
        ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
        WITH SERDEPROPERTIES ('avro.schema.literal' = '{json.dumps(schema)}') STORED AS AVRO LOCATION '{location}'""")
    assert lake.rows("SELECT s FROM u") == [["x"], ["y"]]
    lake.run(f"UNLOAD (SELECT 1 AS a) TO '{lake.folder('unloaded')}' WITH (format = 'AVRO', compression = 'SNAPPY')")
    assert lake.keys("unloaded")
    lake.run(f"CREATE EXTERNAL TABLE v (a int) STORED AS AVRO LOCATION '{lake.folder('v')}'")
    lake.put("v/f.avro", b"not avro")
    assert lake.fails("SELECT * FROM v").startswith("HIVE_BAD_DATA: Malformed Avro file")


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
def test_parquet_of_others(lake, codec):
    table = pyarrow.table({
        "A": pyarrow.array([1, 2], pyarrow.int32()),
        "r": pyarrow.array([{"x": 1, "Y": ["p"]}, None]),
        "t": pyarrow.array([1709209800500, None], pyarrow.timestamp("ms")),
    })
    sink = io.BytesIO()
    pyarrow.parquet.write_table(table, sink, compression=codec, use_deprecated_int96_timestamps=True)
    lake.put("t/f.parquet", sink.getvalue())
    serde = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    lake.run(f"""CREATE EXTERNAL TABLE t (a bigint, r struct<y:array<string>,x:bigint,z:string>, t timestamp)
        STORED AS PARQUET LOCATION '{lake.folder("t")}'""")
    assert lake.rows("SELECT a, r.y, r.x, r.z, t FROM t") == [
        ["1", "[p]", "1", None, "2024-02-29 12:30:00.500"],
        ["2", None, None, None, None],
    ]
    lake.run(f"""CREATE EXTERNAL TABLE u (renamed bigint) ROW FORMAT SERDE '{serde}'
        WITH SERDEPROPERTIES ('parquet.column.index.access' = 'true') STORED AS PARQUET LOCATION '{lake.folder("t")}'""")
    assert lake.rows("SELECT renamed FROM u") == [["1"], ["2"]]


def test_buckets(lake):
    lake.run("CREATE TABLE t WITH (format = 'PARQUET', bucketed_by = ARRAY['n'], bucket_count = 4) AS "
             "SELECT n, CAST(n AS varchar) AS s FROM UNNEST(sequence(1, 100)) AS u (n)")
    described = lake.glue.get_table(DatabaseName=lake.name, Name="t")["Table"]["StorageDescriptor"]
    assert (described["BucketColumns"], described["NumberOfBuckets"]) == (["n"], 4)
    assert lake.rows("SELECT count(*), count(DISTINCT \"$path\"), sum(n) FROM t") == [["100", "4", "5050"]]
    assert "bucketed" in lake.fails("INSERT INTO t VALUES (1, 'x')")
    assert "bucket_count" in lake.fails("CREATE TABLE u WITH (bucketed_by = ARRAY['n']) AS SELECT 1 AS n")


def test_buckets_are_pruned(lake):
    lake.run("CREATE TABLE t WITH (format = 'JSON', bucketed_by = ARRAY['s'], bucket_count = 8) AS "
             "SELECT n, CAST(n AS varchar) AS s FROM UNNEST(sequence(1, 400)) AS u (n)")

    def scanned(condition):
        execution = lake.end(f"SELECT n FROM t WHERE {condition}")
        assert execution["Status"]["State"] == "SUCCEEDED"
        rows = lake.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["ResultSet"]["Rows"]
        return len(rows) - 1, execution["Statistics"]["DataScannedInBytes"]

    (rows, everything), (found, one), (both, two) = scanned("n > 0"), scanned("s = '17'"), scanned("s IN ('17', '18')")
    assert (rows, found, both) == (400, 1, 2)
    assert one < everything / 4 and one <= two < everything / 2
    assert scanned("s = '17' AND n = 18") == (0, one)


def test_what_cannot_be_read_is_named(lake):
    lake.run(f"CREATE EXTERNAL TABLE t (a int) STORED AS RCFILE LOCATION '{lake.folder('t')}'")
    lake.put("t/f", b"RCF")
    assert "LazyBinaryColumnarSerDe" in lake.fails("SELECT * FROM t")
    assert "ION" in lake.fails("CREATE TABLE u WITH (format = 'ION') AS SELECT 1 AS a")
