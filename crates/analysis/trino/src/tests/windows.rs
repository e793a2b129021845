//! Windows whose frames or arguments differ from row to row.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};

use super::fixture::Fixture;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

/// Sixty thousand rows in seven partitions of different sizes; `one` and `two` are the same in all of them.
async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let columns = [("k", "bigint"), ("v", "bigint"), ("one", "bigint"), ("two", "bigint")];
    fixture.table("t", &columns, &[], Format::Parquet);
    let all = |value: &dyn Fn(i64) -> i64| Arc::new(Int64Array::from_iter_values((0..60_000).map(value)));
    let batch = RecordBatch::try_from_iter([
        ("k", all(&|row| (row % 28) / 4 * (row % 3)) as _),
        ("v", all(&|row| row * 7919 % 60_013) as _),
        ("one", all(&|_| 1) as _),
        ("two", all(&|_| 2) as _),
    ]);
    fixture.put_parquet("t/f", &batch.unwrap()).await;
    fixture
}

/// What two ways to say the same give.
async fn alike(fixture: &Fixture, by_row: &str, plain: &str) {
    let of = |call: &str| format!("SELECT checksum(w), count(w), min(w), max(w) FROM (SELECT {call} AS w FROM t)");
    let (found, wanted) = (fixture.rows(&of(by_row)).await.unwrap(), fixture.rows(&of(plain)).await.unwrap());
    assert_eq!(found, wanted, "{by_row}");
}

#[tokio::test]
async fn the_same_distance_in_all_rows_is_that_distance() {
    let fixture = fixture().await;
    for function in ["sum(v)", "max(v)", "count(*)", "first_value(v)", "last_value(v)", "nth_value(v, 2)", "avg(v)"] {
        let over = |bounds: &str| format!("{function} OVER (PARTITION BY k ORDER BY v {bounds})");
        let by_row = over("ROWS BETWEEN two PRECEDING AND one FOLLOWING");
        alike(&fixture, &by_row, &over("ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING")).await;
        let by_row = over("GROUPS BETWEEN two FOLLOWING AND two + one FOLLOWING");
        alike(&fixture, &by_row, &over("GROUPS BETWEEN 2 FOLLOWING AND 3 FOLLOWING")).await;
        let by_row = over("ROWS BETWEEN UNBOUNDED PRECEDING AND one PRECEDING");
        alike(&fixture, &by_row, &over("ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING")).await;
    }
    for (by_row, plain) in [
        ("lag(v, two)", "lag(v, 2)"),
        ("lead(v, two, -one)", "lead(v, 2, -1)"),
        ("lag(v, one) IGNORE NULLS", "lag(v) IGNORE NULLS"),
        ("ntile(two + one)", "ntile(3)"),
        ("nth_value(v, two)", "nth_value(v, 2)"),
    ] {
        let over = |call: &str| format!("{call} OVER (PARTITION BY k ORDER BY v)");
        alike(&fixture, &over(by_row), &over(plain)).await;
    }
    for function in ["row_number()", "rank()", "dense_rank()", "percent_rank()", "cume_dist()"] {
        let over = |bounds: &str| format!("{function} OVER (PARTITION BY k ORDER BY v / 10 {bounds})");
        alike(&fixture, &over("ROWS two PRECEDING"), &over("")).await;
    }
}

#[tokio::test]
async fn a_range_is_a_range_of_values() {
    let fixture = fixture().await;
    // Values are all different, so that a range of them is counted by a join as well.
    let counted = "SELECT sum(n) FROM (SELECT count(*) OVER (ORDER BY v RANGE BETWEEN two PRECEDING AND one FOLLOWING) AS n \
                   FROM t WHERE v < 1000)";
    let joined = "SELECT count(*) FROM t a JOIN t b ON b.v BETWEEN a.v - 2 AND a.v + 1 WHERE a.v < 1000 AND b.v < 1000";
    assert_eq!(fixture.rows(counted).await.unwrap(), fixture.rows(joined).await.unwrap());
}

#[tokio::test]
async fn calls_over_one_window_are_computed_together() {
    let fixture = fixture().await;
    let sql = "SELECT sum(v) OVER w, count(*) OVER w, lag(v, two) OVER (PARTITION BY k ORDER BY v) FROM t \
               WINDOW w AS (PARTITION BY k ORDER BY v ROWS two PRECEDING)";
    let plan = fixture.explain(sql, Explain::Logical, ExplainFormat::Text).await;
    assert_eq!(plan.matches("Window[").count(), 2, "{plan}");
    assert!(plan.contains("Window[partitionBy = [k], orderBy = [v ASC NULLS LAST]]"), "{plan}");
}

#[tokio::test]
async fn distances_that_are_none_are_refused() {
    let fixture = fixture().await;
    let wrong = "INVALID_WINDOW_FRAME: Window frame offset value must not be negative or null";
    for frame in
        ["ROWS v - 3 PRECEDING", "GROUPS nullif(v, 3) PRECEDING", "RANGE BETWEEN CURRENT ROW AND 3 - v FOLLOWING"]
    {
        let sql = format!("SELECT count(*) OVER (ORDER BY v {frame}) FROM t");
        assert_eq!(fixture.error(&sql).await, wrong, "{frame}");
    }
    for (call, wrong) in [
        ("lag(v, v - 3)", "INVALID_FUNCTION_ARGUMENT: Offset must be at least 0"),
        ("lead(v, nullif(v, 3))", "INVALID_FUNCTION_ARGUMENT: Offset must not be null"),
        ("nth_value(v, v)", "INVALID_FUNCTION_ARGUMENT: Offset must be at least 1"),
        ("ntile(v)", "INVALID_FUNCTION_ARGUMENT: Buckets must be greater than 0"),
    ] {
        assert_eq!(fixture.error(&format!("SELECT {call} OVER (ORDER BY v) FROM t")).await, wrong, "{call}");
    }
}
