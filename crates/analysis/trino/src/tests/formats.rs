//! Tables of text and JSON, partitions, and files that are broken.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch, StringArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;

use super::fixture::{Fixture, parsed};
use crate::catalog::{AvroFormat, Format, GrokFormat, JsonFormat, RegexFormat, TextFormat};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn delimited_text() {
    let fixture = Fixture::new();
    let format = TextFormat { delimiter: b',', skip_lines: 1, ..TextFormat::default() };
    fixture.table("t", &[("a", "varchar"), ("b", "integer"), ("c", "array(integer)")], &[], Format::Text(format));
    fixture.put("t/one.csv", "a,b,c\r\nx,1,1\u{2}2\r\ny,oops,\\N").await;
    fixture.put("t/sub/two.csv.gz", gzip("a,b,c\nz,\\N\n")).await;
    fixture.put("t/.hidden", "a\nno,1\n").await;
    assert_eq!(fixture.sorted("SELECT * FROM t").await, ["x|1|[1, 2]", "y|NULL|NULL", "z|NULL|NULL"]);
    assert_eq!(fixture.rows("SELECT count(*) FROM t").await.unwrap(), ["3"]);
    assert_eq!(fixture.rows("SELECT b FROM t WHERE a = 'x'").await.unwrap(), ["1"]);
}

#[tokio::test]
async fn quoted_text() {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "varchar"), ("b", "bigint")], &[], Format::Text(TextFormat::open_csv()));
    fixture.put("t/one.csv", "\"x, y\",1\n\"z\",\"2\"\n").await;
    assert_eq!(fixture.sorted("SELECT a, b + 1 FROM t").await, ["x, y|2", "z|3"]);
    fixture.put("t/two.csv", "q,\n").await;
    assert!(fixture.error("SELECT b FROM t").await.starts_with("HIVE_BAD_DATA"));
}

#[tokio::test]
async fn json_lines() {
    let fixture = Fixture::new();
    let columns = [("a", "varchar"), ("n", "double"), ("r", "row(x bigint, y array(varchar))")];
    fixture.table("t", &columns, &[], Format::Json(JsonFormat::default()));
    fixture.put("t/one.json", "{\"A\": \"x\", \"n\": 1.5, \"r\": {\"X\": 7, \"y\": [\"p\"]}}\n\n{\"n\": 2}\n").await;
    let rows = fixture.sorted("SELECT a, n, r.x, r.y FROM t").await;
    assert_eq!(rows, ["NULL|2.0|NULL|NULL", "x|1.5|7|[p]"]);
    fixture.put("t/two.json.gz", gzip("{\"a\": \n")).await;
    assert!(fixture.error("SELECT a FROM t").await.starts_with("HIVE_BAD_DATA: Row is not a valid JSON Object"));
    let lenient = JsonFormat { ignore_malformed: true, ..JsonFormat::default() };
    fixture.table("t", &columns, &[], Format::Json(lenient));
    assert_eq!(fixture.rows("SELECT count(*), count(n) FROM t").await.unwrap(), ["3|2"]);
}

#[tokio::test]
async fn partitions_are_pruned() {
    let fixture = Fixture::new();
    let format = Format::Text(TextFormat::default());
    fixture.table("t", &[("a", "integer")], &[("day", "date"), ("n", "integer")], format);
    for (day, n) in [("2024-01-01", "1"), ("2024-01-02", "2"), ("2024-01-03", "__HIVE_DEFAULT_PARTITION__")] {
        fixture.partition("t", &[day, n], &format!("s3://lake/t/day={day}/n={n}"));
        fixture.put(&format!("t/day={day}/n={n}/f"), "5\n").await;
    }
    // A partition that can't be read shows that it isn't.
    fixture.partition("t", &["2023-01-01", "9"], "s3://forbidden/t");
    let sql = "SELECT day, n, a FROM t WHERE day >= DATE '2024-01-01' ORDER BY day";
    assert_eq!(fixture.rows(sql).await.unwrap(), ["2024-01-01|1|5", "2024-01-02|2|5", "2024-01-03|NULL|5"]);
    assert_eq!(fixture.lake.filters.lock().as_slice(), ["day >= '2024-01-01'"]);
    assert_eq!(fixture.rows("SELECT sum(a) FROM t WHERE n IN (1, 2)").await.unwrap(), ["10"]);
    assert_eq!(fixture.rows("SELECT count(*) FROM \"t$partitions\"").await.unwrap(), ["4"]);
    assert!(fixture.error("SELECT a FROM t").await.starts_with("PERMISSION_DENIED"));
}

#[tokio::test]
async fn files_are_chosen_by_what_their_rows_share() {
    let fixture = Fixture::new();
    let columns = [("a", "integer")];
    fixture.table("t", &columns, &[("day", "varchar")], Format::Json(JsonFormat::default()));
    fixture.partition("t", &["1"], "s3://lake/t/day=1");
    fixture.put("t/day=1/one", "{\"a\": 1}\n").await;
    fixture.put("t/day=1/two", "{\"a\": 2}\n{\"a\": 3}\n").await;
    // A file that can't be read shows that it isn't.
    fixture.put("t/day=1/bad", "{\"a\"\n").await;
    let path = |name: &str| format!("'s3://lake/t/day=1/{name}'");
    let sum = |condition: &str| format!("SELECT sum(a) FROM t WHERE {condition}");
    let listed = format!("\"$path\" IN ({}, {}, 's3://lake/elsewhere')", path("one"), path("two"));
    assert_eq!(fixture.rows(&sum(&listed)).await.unwrap(), ["6"]);
    assert_eq!(fixture.rows(&sum(&format!("{listed} AND day = '1' AND a > 1"))).await.unwrap(), ["5"]);
    assert_eq!(fixture.rows(&sum("\"$path\" LIKE '%/two' AND day || \"$path\" <> 'x'")).await.unwrap(), ["5"]);
    assert_eq!(fixture.rows(&sum("\"$file_size\" > 1000")).await.unwrap(), ["NULL"]);
    assert!(fixture.error("SELECT a FROM t").await.starts_with("HIVE_BAD_DATA"));
}

#[tokio::test]
async fn parquet_of_other_types() {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "bigint"), ("missing", "varchar")], &[], Format::Parquet);
    let a = Int32Array::from(vec![1, 2]);
    fixture.put_parquet("t/f", &RecordBatch::try_from_iter([("a", Arc::new(a) as _)]).unwrap()).await;
    assert_eq!(fixture.rows("SELECT a, missing FROM t WHERE a > 1").await.unwrap(), ["2|NULL"]);
    let text = StringArray::from(vec!["x"]);
    fixture.put_parquet("t/g", &RecordBatch::try_from_iter([("a", Arc::new(text) as _)]).unwrap()).await;
    let error = fixture.error("SELECT a FROM t").await;
    assert!(error.starts_with("HIVE_BAD_DATA: Field a's type Utf8 in parquet file s3://lake/t/g"), "{error}");
}

#[tokio::test]
async fn corrupt_parquet_is_bad_data() {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "bigint")], &[], Format::Parquet);
    fixture.put("t/f", vec![7_u8; 1000]).await;
    let error = fixture.error("SELECT a FROM t").await;
    assert!(error.starts_with("HIVE_BAD_DATA: Malformed Parquet file"), "{error}");
}

#[tokio::test]
async fn scanned_bytes_are_those_of_the_columns() {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "varchar"), ("b", "integer")], &[], Format::Parquet);
    let a: StringArray = (0..50_000).map(|n| Some(format!("value {n} {}", n * 7919 % 10_007))).collect();
    let b: Int32Array = (0..50_000).map(Some).collect();
    let batch = RecordBatch::try_from_iter([("a", Arc::new(a) as _), ("b", Arc::new(b) as _)]).unwrap();
    fixture.put_parquet("t/f", &batch).await;
    let mut scanned = Vec::new();
    for sql in ["SELECT max(length(a)) FROM t", "SELECT sum(b) FROM t WHERE b + 0 > 5"] {
        let mut stream = fixture.engine.query(&fixture.session, &parsed(sql)).await.unwrap();
        while let Some(batch) = stream.next().await {
            batch.unwrap();
        }
        assert_eq!(stream.statistics.rows(), 1);
        scanned.push(stream.statistics.scanned_bytes());
    }
    assert!(scanned[0] > scanned[1] && scanned[1] > 0, "{scanned:?}");
}

#[tokio::test]
async fn memory_is_limited_and_sorts_spill() {
    let fixture = Fixture::with_memory(24 << 20);
    fixture.table("t", &[("a", "varchar"), ("b", "integer")], &[], Format::Parquet);
    let a: StringArray = (0..400_000).map(|n: i64| Some(format!("{:040}", n * 7919 % 400_009))).collect();
    let b: Int32Array = (0..400_000).map(Some).collect();
    let batch = RecordBatch::try_from_iter([("a", Arc::new(a) as _), ("b", Arc::new(b) as _)]).unwrap();
    fixture.put_parquet("t/f", &batch).await;
    let sql = "SELECT count(*) FROM (SELECT a, row_number() OVER (ORDER BY a, b) AS n FROM t) WHERE n > 0";
    assert_eq!(fixture.rows(sql).await.unwrap(), ["400000"]);
    let error = fixture.error("SELECT cardinality(array_agg(a || a || a)) FROM t").await;
    assert!(error.starts_with("EXCEEDED_MEMORY_LIMIT"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_query_gives_its_memory_back() {
    let fixture = Fixture::new();
    let sql = "SELECT a.x, count(*) FROM UNNEST(sequence(1, 5000)) AS a (x), UNNEST(sequence(1, 5000)) AS b (y), UNNEST(sequence(1, 5000)) AS c (z) GROUP BY a.x";
    let mut stream = fixture.engine.query(&fixture.session, &parsed(sql)).await.unwrap();
    let patience = std::time::Duration::from_millis(200);
    assert!(tokio::time::timeout(patience, stream.next()).await.is_err(), "the query was to run for long");
    drop(stream);
    for _ in 0..100 {
        if fixture.engine.reserved_memory() == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{} bytes are still reserved", fixture.engine.reserved_memory());
}

#[tokio::test]
async fn projected_partitions_need_no_catalog() {
    let fixture = Fixture::new();
    let keys = [("day", "varchar"), ("hour", "integer"), ("device", "varchar")];
    fixture.table("t", &[("a", "integer")], &keys, Format::Text(TextFormat::default()));
    fixture.properties(
        "t",
        &[
            ("projection.enabled", "true"),
            ("projection.day.type", "date"),
            ("projection.day.format", "yyyy/MM/dd"),
            ("projection.day.range", "2024/01/01,NOW"),
            ("projection.hour.type", "integer"),
            ("projection.hour.range", "0,9223372036854775807"),
            ("projection.hour.digits", "2"),
            ("projection.device.type", "injected"),
            ("storage.location.template", "s3://lake/t/${device}/${day}/${hour}/"),
        ],
    );
    fixture.put("t/x/2024/01/02/07/f", "1\n").await;
    fixture.put("t/x/2024/05/06/07/f", "2\n").await;
    fixture.put("t/y/2024/05/06/08/f", "3\n").await;
    fixture.put("t/y/2024/05/07/08/f", "4\n").await;
    let where_x = "SELECT day, hour, device, a FROM t WHERE device = 'x' AND hour BETWEEN 5 AND 8";
    assert_eq!(fixture.sorted(where_x).await, ["2024/01/02|7|x|1", "2024/05/06|7|x|2"]);
    let both = "SELECT sum(a) FROM t WHERE device IN ('x', 'y') AND hour IN (7, 8) AND day > '2024/05'";
    assert_eq!(fixture.rows(both).await.unwrap(), ["5"]);
    let either = "SELECT a FROM t WHERE device IN ('x', 'y') AND hour < 9 AND (day = '2024/01/02' OR hour = 8)";
    assert_eq!(fixture.sorted(either).await, ["1", "3"]);
    let error = fixture.error("SELECT a FROM t WHERE hour = 7").await;
    assert!(error.starts_with("CONSTRAINT_VIOLATION: For the injected projected partition column device"), "{error}");
    assert!(fixture.error("SELECT a FROM t WHERE device > 'x' AND hour = 7").await.starts_with("CONSTRAINT_VIOLATION"));
    let error = fixture.error("SELECT a FROM t WHERE device = 'x'").await;
    assert!(error.contains("projects more than 1000000 partitions"), "{error}");
    assert!(fixture.lake.filters.lock().is_empty(), "the catalog was asked for partitions");
}

#[tokio::test]
async fn projected_dates_are_dates() {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "integer")], &[("day", "date")], Format::Text(TextFormat::default()));
    fixture.properties(
        "t",
        &[
            ("projection.enabled", "true"),
            ("projection.day.type", "date"),
            ("projection.day.format", "yyyy-MM-dd"),
            ("projection.day.range", "NOW-30DAYS,NOW"),
        ],
    );
    fixture.put("t/day=2024-05-05/f", "1\n").await;
    fixture.put("t/day=2024-01-01/f", "2\n").await;
    assert_eq!(fixture.rows("SELECT a, day FROM t").await.unwrap(), ["1|2024-05-05"]);
    assert_eq!(fixture.rows("SELECT a FROM t WHERE day = DATE '2024-05-05'").await.unwrap(), ["1"]);
    assert!(fixture.rows("SELECT a FROM t WHERE day < DATE '2024-05-05'").await.unwrap().is_empty());
    fixture.properties("t", &[("projection.enabled", "true")]);
    let error = fixture.error("SELECT a FROM t").await;
    assert!(error.starts_with("INVALID_TABLE_PROPERTY: Table db.t is configured for partition projection"), "{error}");
}

#[tokio::test]
async fn patterns_cut_lines() {
    let fixture = Fixture::new();
    let regex = RegexFormat { pattern: r"(\S+) (\d+)(?: (\S+))?".to_owned(), ignores_case: false };
    let columns = [("name", "varchar"), ("n", "integer"), ("more", "varchar")];
    fixture.table("t", &columns, &[], Format::Regex(regex));
    fixture.put("t/f", "a 1 x\nb 2\nnot a row\n").await;
    let rows = fixture.sorted("SELECT * FROM t").await;
    assert_eq!(rows, ["NULL|NULL|NULL", "a|1|x", "b|2|NULL"]);
    assert_eq!(fixture.rows("SELECT sum(n) FROM t WHERE more IS NULL").await.unwrap(), ["2"]);
    let grok = GrokFormat { pattern: "%{IP:client} %{NUMBER:ms}".to_owned(), ..GrokFormat::default() };
    fixture.table("g", &[("ms", "double"), ("client", "varchar")], &[], Format::Grok(grok));
    fixture.put("g/f.gz", gzip("10.0.0.1 1.5\n-\n")).await;
    assert_eq!(fixture.sorted("SELECT * FROM g").await, ["1.5|10.0.0.1", "NULL|NULL"]);
    let broken = RegexFormat { pattern: "(".to_owned(), ignores_case: false };
    fixture.table("t", &columns, &[], Format::Regex(broken));
    assert!(fixture.error("SELECT * FROM t").await.starts_with("INVALID_TABLE_PROPERTY"));
}

#[tokio::test]
async fn parquet_columns_by_name_or_by_place() {
    let fixture = Fixture::new();
    let columns = [("renamed", "bigint"), ("b", "varchar")];
    let file = RecordBatch::try_from_iter([
        ("A", Arc::new(Int32Array::from(vec![7])) as _),
        ("B", Arc::new(StringArray::from(vec!["x"])) as _),
        ("k", Arc::new(StringArray::from(vec!["not the key"])) as _),
    ]);
    fixture.put_parquet("t/k=1/f", &file.unwrap()).await;
    for (format, expected) in [(Format::Parquet, "NULL|x|1"), (Format::ParquetByPlace, "7|x|1")] {
        fixture.table("t", &columns, &[("k", "integer")], format);
        fixture.partition_once("t", &["1"], "s3://lake/t/k=1");
        assert_eq!(fixture.rows("SELECT * FROM t").await.unwrap(), [expected]);
    }
    assert_eq!(fixture.rows("SELECT renamed FROM t WHERE renamed > 6 AND b = 'x'").await.unwrap(), ["7"]);
    let longer = [("a", "bigint"), ("b", "varchar"), ("c", "varchar"), ("later", "date")];
    fixture.table("t", &longer, &[("k", "integer")], Format::ParquetByPlace);
    assert_eq!(fixture.rows("SELECT later, c FROM t").await.unwrap(), ["NULL|not the key"]);
}

#[tokio::test]
async fn parquet_of_every_physical_type() {
    let fixture = Fixture::new();
    fixture.table(
        "t",
        &[("t", "timestamp(3)"), ("s", "decimal(9,2)"), ("m", "decimal(18,2)"), ("l", "decimal(38,2)")],
        &[],
        Format::Parquet,
    );
    fixture.put("t/f", physical_types()).await;
    assert_eq!(fixture.rows("SELECT * FROM t").await.unwrap(), ["2024-02-29 12:30:00.500|1.50|-2.50|3.50"]);
    let sql = "SELECT count(*) FROM t WHERE t > TIMESTAMP '2024-02-29 12:00:00' AND s = 1.5 AND m < 0 AND l > 3";
    assert_eq!(fixture.rows(sql).await.unwrap(), ["1"]);
}

/// A Parquet file as older writers make it: a timestamp of 96 bits, and decimals in 32 and 64 bits and in bytes.
fn physical_types() -> Vec<u8> {
    use parquet::data_type::{FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type, Int96, Int96Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    let schema = "message m { optional int96 t; optional int32 s (decimal(9,2)); optional int64 m (decimal(18,2));
        optional fixed_len_byte_array(16) l (decimal(38,2)); }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::new())).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let mut time = Int96::new();
    // Nanoseconds of the day, and the Julian day.
    let nanos: u64 = (12 * 3600 + 30 * 60) * 1_000_000_000 + 500_000_000;
    time.set_data(nanos as u32, (nanos >> 32) as u32, 2_460_370);
    column.typed::<Int96Type>().write_batch(&[time], Some(&[1]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[150], Some(&[1]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&[-250], Some(&[1]), None).unwrap();
    column.close().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    let bytes = FixedLenByteArray::from(350_i128.to_be_bytes().to_vec());
    column.typed::<FixedLenByteArrayType>().write_batch(&[bytes], Some(&[1]), None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.into_inner().unwrap()
}

#[tokio::test]
async fn broken_avro_is_bad_data() {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "bigint")], &[], Format::Avro(AvroFormat::default()));
    for body in [&b"Obj\x01 and nothing that makes sense"[..], b"not avro at all", &[0xff; 300]] {
        fixture.put("t/f", body.to_vec()).await;
        let error = fixture.error("SELECT a FROM t").await;
        assert!(error.starts_with("HIVE_BAD_DATA: Malformed Avro file"), "{error}");
    }
}
