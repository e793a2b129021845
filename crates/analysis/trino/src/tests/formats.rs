//! Tables of text and JSON, partitions, and files that are broken.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch, StringArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::StreamExt;

use super::fixture::{Fixture, parsed};
use crate::catalog::{Format, JsonFormat, TextFormat};

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
