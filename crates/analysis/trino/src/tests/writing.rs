//! Rows into files and back.

use boathouse_trino_functions::types::Type;
use futures::TryStreamExt;

use super::fixture::{Fixture, parsed};
use crate::catalog::{Format, JsonFormat, TextFormat};
use crate::engine::Column;
use crate::write::{Begun, Compression, MAX_PARTITIONS, WriteFormat, WriteTarget};

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
        begun: Begun::default(),
        bucketed_by: Vec::new(),
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
    let cases = [
        ("p", WriteFormat::Parquet, Compression::Zstd, Format::Parquet),
        ("q", WriteFormat::Parquet, Compression::Gzip, Format::Parquet),
        ("j", WriteFormat::Json, Compression::Gzip, Format::Json(JsonFormat::default())),
        ("c", WriteFormat::Text(text.clone()), Compression::Gzip, Format::Text(text.clone())),
        ("d", WriteFormat::Text(text.clone()), Compression::None, Format::Text(text)),
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
    let bucketed =
        WriteTarget { bucketed_by: vec!["a".to_owned()], ..target("t", WriteFormat::Parquet, Compression::None) };
    let error = fixture.engine.write(&fixture.session, &parsed("SELECT 1 a"), bucketed).await.unwrap_err();
    assert!(error.message.contains("bucketed_by a"), "{error}");
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
