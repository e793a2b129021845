//! Tables of ORC files.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use boathouse_trino_functions::types::Type;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use proptest::prelude::*;

use super::fixture::{Fixture, parsed};
use super::schemas::target;
use crate::catalog::Format;
use crate::write::{Compression, WriteFormat};

/// Writes a query's rows into a table's folder.
async fn written(fixture: &Fixture, table: &str, sql: &str) {
    let target = target(table, WriteFormat::Orc, Compression::Zlib);
    fixture.engine.write(&fixture.session, &parsed(sql), target).await.unwrap();
}

/// The rows of a query, and how many bytes it read.
async fn scanned(fixture: &Fixture, sql: &str) -> (usize, u64) {
    let stream = fixture.engine.query(&fixture.session, &parsed(sql)).await.unwrap();
    let statistics = Arc::clone(&stream.statistics);
    let batches: Vec<RecordBatch> = stream.try_collect().await.unwrap();
    (batches.iter().map(RecordBatch::num_rows).sum(), statistics.scanned_bytes())
}

/// The only file of a table.
async fn file_of(fixture: &Fixture, table: &str) -> Vec<u8> {
    let listed: Vec<_> = fixture.store.list(Some(&Path::from(table))).try_collect().await.unwrap();
    let [file] = listed.as_slice() else { panic!("{listed:?}") };
    fixture.store.get(&file.location).await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn columns_are_found_by_place_or_by_name() {
    let fixture = Fixture::new();
    written(&fixture, "t", "SELECT 1 AS a, 'x' AS \"B\", ROW(1, 'y') AS r").await;
    let columns = [("b", "bigint"), ("c", "varchar"), ("a", "row(field1 varchar, z integer)"), ("d", "date")];
    fixture.table("t", &columns, &[], Format::Orc);
    assert_eq!(fixture.rows("SELECT * FROM t").await.unwrap(), ["1|x|{field1=y, z=null}|NULL"]);
    fixture.table("t", &[("b", "varchar"), ("a", "integer"), ("d", "date")], &[], Format::OrcByName);
    assert_eq!(fixture.rows("SELECT * FROM t").await.unwrap(), ["x|1|NULL"]);
    assert_eq!(fixture.rows("SELECT count(*), count(d) FROM t").await.unwrap(), ["1|0"]);
    fixture.table("t", &[("b", "bigint")], &[], Format::OrcByName);
    let error = fixture.error("SELECT * FROM t").await;
    let expected = "HIVE_BAD_DATA: Malformed ORC file. Cannot read SQL type 'bigint' from ORC stream '.B' of type";
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn stripes_without_matching_rows_are_not_read() {
    let fixture = Fixture::new();
    for part in 0..3 {
        let rows = format!(
            "SELECT n + {part}0000 AS n, 't' || to_hex(sha256(to_utf8(CAST(n AS varchar)))) AS s \
             FROM UNNEST(sequence(1, 8000)) AS u (n)"
        );
        written(&fixture, "t", &rows).await;
    }
    fixture.table("t", &[("n", "bigint"), ("s", "varchar")], &[], Format::Orc);
    let (all, everything) = scanned(&fixture, "SELECT * FROM t").await;
    let (some, part) = scanned(&fixture, "SELECT * FROM t WHERE n BETWEEN 10005 AND 10006").await;
    let (none, ends) = scanned(&fixture, "SELECT * FROM t WHERE n > 50000 OR s < 'a'").await;
    let (counted, counting) = scanned(&fixture, "SELECT 1 FROM t").await;
    assert_eq!((all, some, none, counted), (24_000, 2, 0, 24_000));
    assert!(part < everything * 2 / 3 && ends < part && counting == ends, "{everything} {part} {ends} {counting}");
    let (_, one_column) = scanned(&fixture, "SELECT n FROM t").await;
    assert!(one_column < everything / 3, "{one_column} {everything}");
}

#[tokio::test]
async fn every_kind_of_statistics_rules_out_what_is_not_there() {
    let fixture = Fixture::new();
    let row = "SELECT true AS b, TINYINT '5' AS t, BIGINT '-5' AS i, DATE '2024-05-06' AS d, 1.5e0 AS f, REAL '2.5' AS r, \
               DECIMAL '-12.50' AS m, 'größer' AS s, TIMESTAMP '2024-05-06 07:08:09.123' AS ts, CAST(NULL AS bigint) AS z";
    written(&fixture, "t", row).await;
    let columns = [
        ("b", "boolean"),
        ("t", "tinyint"),
        ("i", "bigint"),
        ("d", "date"),
        ("f", "double"),
        ("r", "real"),
        ("m", "decimal(4,2)"),
        ("s", "varchar"),
        ("ts", "timestamp(3)"),
        ("z", "bigint"),
    ];
    fixture.table("t", &columns, &[], Format::Orc);
    // A stripe that can't be read shows that it isn't.
    let mut broken = file_of(&fixture, "t").await;
    broken[3..40].fill(0x7f);
    fixture.put("broken/f", broken).await;
    fixture.table("broken", &columns, &[], Format::Orc);
    for (there, not_there) in [
        ("b", "NOT b"),
        ("t = 5", "t < 5"),
        ("i = -5", "i > 0"),
        ("d = DATE '2024-05-06'", "d > DATE '2024-05-06'"),
        ("f < 2e0", "f > 1.6e0"),
        ("r >= REAL '2.5'", "r < REAL '2.5'"),
        ("m = DECIMAL '-12.50'", "m > DECIMAL '0.00'"),
        ("s = 'größer'", "s = 'kleiner'"),
        ("ts = TIMESTAMP '2024-05-06 07:08:09.123'", "ts > TIMESTAMP '2024-05-06 07:08:10.000'"),
        ("z IS NULL", "z IS NOT NULL"),
    ] {
        let of = |table: &str, condition: &str| format!("SELECT * FROM {table} WHERE {condition}");
        assert_eq!(fixture.rows(&of("t", there)).await.unwrap().len(), 1, "{there}");
        assert!(fixture.error(&of("broken", there)).await.starts_with("HIVE_BAD_DATA"), "{there}");
        assert!(fixture.rows(&of("broken", not_there)).await.unwrap().is_empty(), "{not_there}");
    }
}

#[tokio::test]
async fn what_cannot_be_held_or_read_is_refused() {
    let fixture = Fixture::new();
    let target = || target("t", WriteFormat::Orc, Compression::None);
    let sql = "SELECT TIMESTAMP '1969-12-31 23:59:59.500' AS a";
    let error = fixture.engine.write(&fixture.session, &parsed(sql), target()).await.unwrap_err();
    assert!(error.message.contains("1969-12-31 23:59:59.001"), "{}", error.message);
    let sql = "SELECT JSON '1' AS a";
    let error = fixture.engine.write(&fixture.session, &parsed(sql), target()).await.unwrap_err();
    assert!(error.message.contains("json"), "{}", error.message);
    fixture.table("t", &[("a", "bigint")], &[], Format::Orc);
    assert!(fixture.rows("SELECT * FROM t").await.unwrap().is_empty(), "refused rows left a file behind");
    fixture.put("t/delta_0000001_0000001_0000/bucket_00000", "x").await;
    assert!(fixture.error("SELECT * FROM t").await.starts_with("NOT_SUPPORTED: Hive's transactional (ACID) tables"));
    fixture.table("u", &[("a", "bigint")], &[], Format::Orc);
    fixture.put("u/f", "x").await;
    let error = fixture.error("SELECT * FROM u").await;
    assert!(
        error.starts_with("HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://lake/u/f: Malformed ORC file"),
        "{error}"
    );
}

#[tokio::test]
async fn several_stripes_and_dictionaries_come_back() {
    let fixture = Fixture::new();
    let n: Vec<Option<i64>> = (0..200_000).map(|n| (n % 7 != 0).then_some(n * n)).collect();
    let s: Vec<String> = (0..200_000).map(|n| format!("{:0>500}", n % 31)).collect();
    let columns: [(&str, ArrayRef); 2] =
        [("n", Arc::new(Int64Array::from(n.clone()))), ("s", Arc::new(StringArray::from(s)))];
    fixture.put_parquet("source/f", &RecordBatch::try_from_iter(columns).unwrap()).await;
    fixture.table("source", &[("n", "bigint"), ("s", "varchar")], &[], Format::Parquet);
    written(&fixture, "t", "SELECT * FROM source").await;
    fixture.table("t", &[("n", "bigint"), ("s", "varchar")], &[], Format::Orc);
    let sql = |table: &str| {
        format!("SELECT count(*), count(n), sum(n), count(DISTINCT s), sum(n * CAST(s AS bigint)) FROM {table}")
    };
    assert_eq!(fixture.rows(&sql("t")).await.unwrap(), fixture.rows(&sql("source")).await.unwrap());
}

/// A file with all kinds of streams.
async fn sample(fixture: &Fixture) -> Vec<u8> {
    let row = "SELECT n AS n, 'text' AS s, ARRAY[n, NULL] AS l, MAP(ARRAY['k'], ARRAY[1.5]) AS m, \
               ROW(DATE '2024-05-06', true) AS r, CAST(n AS varchar) || 'x' AS v, TIMESTAMP '2024-05-06 07:08:09.123' AS t \
               FROM UNNEST(sequence(1, 40)) AS u (n)";
    let written = fixture
        .engine
        .write(&fixture.session, &parsed(row), target("t", WriteFormat::Orc, Compression::None))
        .await
        .unwrap();
    let path = Path::from(written.files[0].trim_start_matches("s3://lake/"));
    let bytes = fixture.store.get(&path).await.unwrap().bytes().await.unwrap().to_vec();
    fixture.store.delete(&path).await.unwrap();
    let ty = |ty: &str| Type::parse_trino(ty).unwrap().to_string();
    let columns = [
        ("n", ty("bigint")),
        ("s", ty("varchar")),
        ("l", ty("array(bigint)")),
        ("m", ty("map(varchar, decimal(2,1))")),
        ("r", ty("row(field0 date, field1 boolean)")),
        ("v", ty("varchar")),
        ("t", ty("timestamp(3)")),
    ];
    let columns: Vec<(&str, &str)> = columns.iter().map(|(name, ty)| (*name, ty.as_str())).collect();
    fixture.table("t", &columns, &[], Format::Orc);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damaged_files_are_errors(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let fixture = Fixture::new();
            let mut bytes = sample(&fixture).await;
            let at = at.index(bytes.len());
            bytes[at] = byte;
            fixture.put("t/changed", bytes.clone()).await;
            let _ = fixture.rows("SELECT * FROM t WHERE n > 5").await;
            fixture.put("t/changed", bytes[cut.index(bytes.len())..].to_vec()).await;
            let _ = fixture.rows("SELECT * FROM t").await;
        });
    }
}
