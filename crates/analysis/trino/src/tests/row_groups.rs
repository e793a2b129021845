//! Aggregations of one row group after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::fixture::Fixture;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

const ROWS: i64 = 100_000;
const IN_ROW_GROUP: usize = 8_111;

/// A table of these keys, in row groups that end wherever they do, over several files.
async fn fixture(keys: impl Fn(i64) -> Option<i64>) -> Fixture {
    let fixture = Fixture::new();
    fixture.table("t", &[("k", "bigint"), ("i", "integer"), ("v", "bigint")], &[], Format::Parquet);
    for (file, begin) in (0..ROWS).step_by(60_000).enumerate() {
        let rows = || begin..(begin + 60_000).min(ROWS);
        let k = Arc::new(rows().map(&keys).collect::<Int64Array>()) as ArrayRef;
        let i = Arc::new(rows().map(|row| keys(row).map(|key| key as i32)).collect::<Int32Array>()) as ArrayRef;
        let v = Arc::new(Int64Array::from_iter_values(rows().map(|row| row % 7))) as ArrayRef;
        let batch = RecordBatch::try_from_iter_with_nullable([("k", k, true), ("i", i, true), ("v", v, true)]).unwrap();
        let mut bytes = Vec::new();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(IN_ROW_GROUP)).build();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        fixture.put(&format!("t/part-{file}.parquet"), bytes).await;
    }
    fixture
}

/// Count and sum of each key's rows that a condition leaves.
fn expected(keys: impl Fn(i64) -> Option<i64>, only: impl Fn(i64) -> bool) -> Vec<String> {
    let mut groups = BTreeMap::<Option<i64>, (i64, i64)>::new();
    for (row, v) in (0..ROWS).map(|row| (row, row % 7)).filter(|(_, v)| only(*v)) {
        let group = groups.entry(keys(row)).or_default();
        *group = (group.0 + 1, group.1 + v);
    }
    let key = |key: Option<i64>| key.map_or("NULL".to_owned(), |key| key.to_string());
    let mut rows: Vec<_> = groups.into_iter().map(|(k, (count, sum))| format!("{}|{count}|{sum}", key(k))).collect();
    rows.sort();
    rows
}

async fn rows(fixture: &Fixture, sql: &str) -> Vec<String> {
    let mut rows = fixture.rows(sql).await.unwrap();
    rows.sort();
    rows
}

async fn is_single(fixture: &Fixture, sql: &str) -> bool {
    fixture.explain(sql, Explain::Distributed, ExplainFormat::Text).await.contains("type = SINGLE")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_in_the_order_of_row_groups_need_no_exchange() {
    // Each key has four rows, so that some row groups end amid a key.
    let all: [fn(i64) -> Option<i64>; 4] = [
        |row| Some(row / 4),
        |row| Some(ROWS - row / 4 * 8),
        |row| Some((row / 4) ^ 5),
        |row| (row % 1000 != 999).then_some(row / 4),
    ];
    for keys in all {
        let fixture = fixture(keys).await;
        let sql = "SELECT k, count(*), sum(v) FROM t GROUP BY k";
        assert!(is_single(&fixture, sql).await);
        assert_eq!(rows(&fixture, sql).await, expected(keys, |_| true));
        let sql = "SELECT i, count(*), sum(v) FROM t WHERE v > 2 GROUP BY i";
        assert!(is_single(&fixture, sql).await);
        assert_eq!(rows(&fixture, sql).await, expected(keys, |v| v > 2));
    }
}

#[tokio::test]
async fn conditions_on_groups_and_on_aggregated_rows_hold() {
    let fixture = fixture(|row| Some(row / 4)).await;
    let sql =
        "SELECT count(*), sum(n) FROM (SELECT k, count(*) FILTER (WHERE v = 3) n FROM t GROUP BY k HAVING sum(v) > 14)";
    assert!(is_single(&fixture, sql).await);
    let (mut groups, mut threes) = (0, 0);
    for key in 0..ROWS / 4 {
        let values: Vec<i64> = (key * 4..key * 4 + 4).map(|row| row % 7).collect();
        if values.iter().sum::<i64>() > 14 {
            groups += 1;
            threes += values.iter().filter(|v| **v == 3).count();
        }
    }
    assert_eq!(rows(&fixture, sql).await, [format!("{groups}|{threes}")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn groups_find_their_partners_in_joins() {
    let fixture = fixture(|row| Some(row / 4)).await;
    let sql = "SELECT count(*), sum(a.s), sum(b.s)
        FROM (SELECT k, sum(v) s FROM t GROUP BY k) a JOIN (SELECT i, sum(v + 1) s FROM t GROUP BY i) b ON a.k = b.i";
    let sum: i64 = (0..ROWS).map(|row| row % 7).sum();
    assert_eq!(rows(&fixture, sql).await, [format!("{}|{sum}|{}", ROWS / 4, sum + ROWS)]);
    let sql = "SELECT count(*), sum(v) FROM t WHERE k IN (SELECT k FROM t GROUP BY k HAVING sum(v) > 14)";
    let found: Vec<i64> =
        (0..ROWS / 4).map(|key| (key * 4..key * 4 + 4).map(|row| row % 7).sum()).filter(|sum| *sum > 14).collect();
    let expected = format!("{}|{}", found.len() * 4, found.iter().sum::<i64>());
    assert_eq!(rows(&fixture, sql).await, [expected]);
}

#[tokio::test]
async fn what_row_groups_share_is_aggregated_as_ever() {
    let all: [fn(i64) -> Option<i64>; 2] = [|row| Some(row % 5000), |row| Some(row / 4 * (1 - row % 2 * 2))];
    for keys in all {
        let fixture = fixture(keys).await;
        let sql = "SELECT k, count(*), sum(v) FROM t GROUP BY k";
        assert!(!is_single(&fixture, sql).await);
        assert_eq!(rows(&fixture, sql).await, expected(keys, |_| true));
    }
    let fixture = fixture(|row| Some(row / 4)).await;
    for sql in [
        "SELECT k, count(DISTINCT v) FROM t GROUP BY k",
        "SELECT k, v, count(*) FROM t GROUP BY k, v",
        "SELECT k + 1, count(*) FROM t GROUP BY k + 1",
        "SELECT k, count(*) FROM (SELECT k FROM t UNION ALL SELECT k FROM t) GROUP BY k",
    ] {
        assert!(!is_single(&fixture, sql).await, "{sql}");
    }
}

#[tokio::test]
async fn a_query_that_repeats_itself_aggregates_as_ever() {
    let fixture = fixture(|row| Some(row / 4)).await;
    let sql = "WITH RECURSIVE r (n, c) AS (
            SELECT 1, BIGINT '0'
            UNION ALL SELECT n + 1, s.c FROM r JOIN (SELECT k, count(*) c FROM t GROUP BY k) s ON s.k = r.n WHERE n < 5
        ) SELECT n, c FROM r";
    assert_eq!(rows(&fixture, sql).await, ["1|0", "2|4", "3|4", "4|4", "5|4"]);
}
