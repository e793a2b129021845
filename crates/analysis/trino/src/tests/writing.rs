//! Rows into files and back.

use boathouse_trino_functions::types::Type;
use futures::TryStreamExt;

use super::fixture::{Fixture, parsed};
use crate::catalog::{AvroFormat, Format, JsonFormat, TextFormat};
use crate::engine::Column;
use crate::write::{Begun, Buckets, Compression, MAX_PARTITIONS, WriteFormat, WriteTarget};

fn target(table: &str, format: WriteFormat, compression: Compression) -> WriteTarget {
    WriteTarget {
        location: format!("s3://lake/{table}/"),
        format,
        compression,
        columns: None,
        partition_keys: 0,
        known_partitions: Vec::new(),
        max_new_partitions: MAX_PARTITIONS,
        file_prefix: None,
        buckets: None,
        begun: Begun::default(),
    }
}

async fn objects(fixture: &Fixture) -> Vec<String> {
    let found: Vec<_> = fixture.store.list(None).try_collect().await.unwrap();
    found.into_iter().map(|meta| meta.location.to_string()).collect()
}

#[tokio::test]
async fn every_format_reads_back() {
    let fixture = Fixture::new();
    let sql = "SELECT * FROM (VALUES (1, 'a', ARRAY[1, 2]), (2, NULL, NULL)) AS v (n, s, l)";
    let columns = [("n", "integer"), ("s", "varchar"), ("l", "array(integer)")];
    let text = TextFormat { delimiter: b',', ..TextFormat::default() };
    let (json, avro) = (Format::Json(JsonFormat::default()), Format::Avro(AvroFormat::default()));
    let csv = || (WriteFormat::Text(text.clone()), Format::Text(text.clone()));
    let cases = [
        ("p1", WriteFormat::Parquet, Compression::Zstd, Format::Parquet),
        ("p2", WriteFormat::Parquet, Compression::Gzip, Format::Parquet),
        ("p3", WriteFormat::Parquet, Compression::Lz4, Format::ParquetByPlace),
        ("j1", WriteFormat::Json, Compression::Gzip, json.clone()),
        ("j2", WriteFormat::Json, Compression::Snappy, json),
        ("c1", csv().0, Compression::Gzip, csv().1),
        ("c2", csv().0, Compression::None, csv().1),
        ("c3", csv().0, Compression::Zstd, csv().1),
        ("c4", csv().0, Compression::Bzip2, csv().1),
        ("c5", csv().0, Compression::Lz4, csv().1),
        ("c6", csv().0, Compression::Deflate, csv().1),
        ("a1", WriteFormat::Avro, Compression::Deflate, avro.clone()),
        ("a2", WriteFormat::Avro, Compression::Snappy, avro.clone()),
        ("a3", WriteFormat::Avro, Compression::Zstd, avro.clone()),
        ("a4", WriteFormat::Avro, Compression::Bzip2, avro.clone()),
        ("a5", WriteFormat::Avro, Compression::None, avro),
        ("o1", WriteFormat::Orc, Compression::Zlib, Format::Orc),
        ("o2", WriteFormat::Orc, Compression::Snappy, Format::Orc),
        ("o3", WriteFormat::Orc, Compression::Zstd, Format::OrcByName),
        ("o4", WriteFormat::Orc, Compression::Lz4, Format::Orc),
        ("o5", WriteFormat::Orc, Compression::None, Format::Orc),
    ];
    for (name, write, compression, read) in cases {
        let written =
            fixture.engine.write(&fixture.session, &parsed(sql), target(name, write, compression)).await.unwrap();
        assert_eq!(written.rows, 2, "{name}");
        assert!(!written.files.is_empty() && written.bytes > 0, "{name}");
        fixture.table(name, &columns, &[], read);
        assert_eq!(fixture.sorted(&format!("SELECT * FROM {name}")).await, ["1|a|[1, 2]", "2|NULL|NULL"], "{name}");
    }
}

#[tokio::test]
async fn partitions_get_directories() {
    let fixture = Fixture::new();
    let sql = "SELECT * FROM (VALUES (1, 'x/y'), (2, NULL), (3, 'x/y')) AS v (n, k)";
    let target = WriteTarget { partition_keys: 1, ..target("t", WriteFormat::Parquet, Compression::Snappy) };
    let written = fixture.engine.write(&fixture.session, &parsed(sql), target).await.unwrap();
    let partitions: Vec<_> =
        written.partitions.iter().map(|(values, location)| (values[0].as_str(), location.as_str())).collect();
    let expected =
        [("__HIVE_DEFAULT_PARTITION__", "s3://lake/t/k=__HIVE_DEFAULT_PARTITION__"), ("x/y", "s3://lake/t/k=x%2Fy")];
    assert_eq!(partitions, expected);
    fixture.table("t", &[("n", "integer")], &[("k", "varchar")], Format::Parquet);
    for (values, location) in &written.partitions {
        fixture.partition("t", &[&values[0]], location);
    }
    assert_eq!(fixture.sorted("SELECT n, k FROM t").await, ["1|x/y", "2|NULL", "3|x/y"]);
}

#[tokio::test]
async fn too_many_partitions_leave_nothing() {
    let fixture = Fixture::new();
    let sql = "SELECT x, x AS k FROM UNNEST(sequence(1, 101)) AS u (x)";
    let many = WriteTarget { partition_keys: 1, ..target("t", WriteFormat::Json, Compression::None) };
    let error = fixture.engine.write(&fixture.session, &parsed(sql), many.clone()).await.unwrap_err();
    assert_eq!(error.message, "Exceeded limit of 100 open writers for partitions/buckets");
    assert!(objects(&fixture).await.is_empty());
    let known = WriteTarget { known_partitions: vec![vec!["7".to_owned()]], ..many };
    let written = fixture.engine.write(&fixture.session, &parsed(sql), known).await.unwrap();
    assert_eq!((written.rows, written.partitions.len()), (101, 101));
}

#[tokio::test]
async fn failures_leave_nothing() {
    let fixture = Fixture::new();
    let sql = "SELECT 10 / (x - 20000) FROM UNNEST(sequence(1, 10000), sequence(10001, 20000)) AS u (y, x)";
    let failing = target("t", WriteFormat::Parquet, Compression::None);
    let error = fixture.engine.write(&fixture.session, &parsed(sql), failing).await.unwrap_err();
    assert_eq!(error.to_string(), "DIVISION_BY_ZERO: Division by zero");
    assert!(objects(&fixture).await.is_empty());
}

#[tokio::test]
async fn columns_are_coerced_or_refused() {
    let fixture = Fixture::new();
    let column = |ty| Some(vec![Column { name: "n".to_owned(), ty }]);
    let wide = WriteTarget { columns: column(Type::Double), ..target("t", WriteFormat::Parquet, Compression::None) };
    fixture.engine.write(&fixture.session, &parsed("SELECT 1"), wide).await.unwrap();
    fixture.table("t", &[("n", "double")], &[], Format::Parquet);
    assert_eq!(fixture.rows("SELECT n FROM t").await.unwrap(), ["1.0"]);
    let narrow = WriteTarget { columns: column(Type::Date), ..target("t", WriteFormat::Parquet, Compression::None) };
    let error = fixture.engine.write(&fixture.session, &parsed("SELECT 1"), narrow).await.unwrap_err();
    assert_eq!(error.message, "Insert query has mismatched column types: Table: [date], Query: [integer]");
}

#[tokio::test]
async fn buckets_are_files() {
    let fixture = Fixture::new();
    let buckets = Some(Buckets { columns: vec!["x".to_owned()], count: 3 });
    let bucketed = WriteTarget { buckets, ..target("t", WriteFormat::Parquet, Compression::None) };
    let sql = "SELECT x, CAST(x AS varchar) AS s FROM UNNEST(sequence(1, 60)) AS u (x)";
    let written = fixture.engine.write(&fixture.session, &parsed(sql), bucketed.clone()).await.unwrap();
    assert_eq!((written.rows, written.files.len()), (60, 3));
    let name = |file: &String| file.rsplit('/').next().unwrap()[..9].to_owned();
    assert_eq!(written.files.iter().map(name).collect::<Vec<_>>(), ["000000_0_", "000001_0_", "000002_0_"]);
    fixture.table("t", &[("x", "bigint"), ("s", "varchar")], &[], Format::Parquet);
    let sql = "SELECT count(*), count(DISTINCT x % 3) FROM t WHERE \"$path\" LIKE '%/000001_0_%'";
    assert_eq!(fixture.rows(sql).await.unwrap(), ["20|1"]);
    // A file that can't be read shows that it isn't.
    fixture.put("t/000000_0_bad", "x").await;
    fixture.bucketed("t", &["x"], 3);
    let found = |condition: &str| format!("SELECT count(*) FROM t WHERE {condition}");
    for (condition, rows) in
        [("x = 7", "1"), ("x IN (7, 8, 10)", "3"), ("s = '7' AND (x = 7 OR x = 8)", "1"), ("x = 61", "0")]
    {
        assert_eq!(fixture.rows(&found(condition)).await.unwrap(), [rows], "{condition}");
    }
    for condition in ["x = 9", "x IN (7, 9)", "s = '7'", "x = 7 OR s = '8'", "x > 59", "x NOT IN (9)"] {
        assert!(fixture.error(&found(condition)).await.starts_with("HIVE_BAD_DATA"), "{condition}");
    }
    let unknown = Some(Buckets { columns: vec!["y".to_owned()], count: 3 });
    let unknown = WriteTarget { buckets: unknown, ..bucketed };
    let error = fixture.engine.write(&fixture.session, &parsed("SELECT 1 x"), unknown).await.unwrap_err();
    assert!(error.message.contains("Bucketing columns [y] not present"), "{error}");
}

#[tokio::test]
async fn codecs_that_a_format_lacks_are_named() {
    let fixture = Fixture::new();
    for (format, compression) in [
        (WriteFormat::Parquet, Compression::Bzip2),
        (WriteFormat::Avro, Compression::Gzip),
        (WriteFormat::Orc, Compression::Gzip),
        (WriteFormat::Json, Compression::Zlib),
    ] {
        let query = parsed("SELECT 1 a");
        let written = fixture.engine.write(&fixture.session, &query, target("t", format, compression)).await;
        let error = written.unwrap_err();
        assert!(error.message.contains(&format!("{compression:?} is not supported")), "{error}");
    }
}
