//! Aggregations that a statement needs in several places.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};

use super::fixture::Fixture;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

const ROWS: i64 = 200_000;
const TWICE: &str = "WITH s (k, total) AS (SELECT k, sum(v) FROM t WHERE v > 1 GROUP BY k)
    SELECT count(*), sum(a.total + b.total), (SELECT max(total) FROM s) FROM s a JOIN s b ON a.k = b.k";

async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.table("t", &[("k", "bigint"), ("v", "bigint")], &[], Format::Parquet);
    let k = Int64Array::from_iter_values((0..ROWS).map(|row| row / 2));
    let v = Int64Array::from_iter_values((0..ROWS).map(|row| row % 7));
    let batch = RecordBatch::try_from_iter([("k", Arc::new(k) as _), ("v", Arc::new(v) as _)]).unwrap();
    fixture.put_parquet("t/part-0.parquet", &batch).await;
    fixture
}

/// What [`TWICE`] gives, counted by hand.
fn expected() -> String {
    let mut totals = std::collections::BTreeMap::<i64, i64>::new();
    for (k, v) in (0..ROWS).map(|row| (row / 2, row % 7)).filter(|(_, v)| *v > 1) {
        *totals.entry(k).or_default() += v;
    }
    let sum: i64 = totals.values().sum();
    format!("{}|{}|{}", totals.len(), 2 * sum, totals.values().max().unwrap())
}

async fn shared(fixture: &Fixture, sql: &str) -> usize {
    let plan = fixture.explain(sql, Explain::Distributed, ExplainFormat::Text).await;
    plan.matches("Shared").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_named_thrice_is_computed_once() {
    let fixture = fixture().await;
    assert_eq!(shared(&fixture, TWICE).await, 3);
    for _ in 0..20 {
        assert_eq!(fixture.rows(TWICE).await.unwrap(), [expected()]);
    }
    // Who needs only some of the rows leaves the others their own.
    let some = TWICE.replace("a.k = b.k", "a.k = b.k LIMIT 1");
    assert_eq!(fixture.rows(&some).await.unwrap(), [expected()]);
}

#[tokio::test]
async fn what_differs_is_not_shared() {
    let fixture = fixture().await;
    let with = |one: &str, other: &str| {
        format!(
            "SELECT * FROM (SELECT {one} FROM t GROUP BY k) UNION ALL SELECT * FROM (SELECT {other} FROM t GROUP BY k)"
        )
    };
    assert_eq!(shared(&fixture, &with("sum(v)", "sum(v)")).await, 2);
    for (one, other) in [
        ("sum(v)", "sum(k)"),
        ("sum(v)", "max(v)"),
        ("sum(v + 1)", "sum(v + 2)"),
        ("count(v)", "count(DISTINCT v)"),
        ("sum(v) FILTER (WHERE v > 1)", "sum(v) FILTER (WHERE v > 2)"),
        ("sum(random(9))", "sum(random(9))"),
    ] {
        assert_eq!(shared(&fixture, &with(one, other)).await, 0, "{one}, {other}");
    }
}
