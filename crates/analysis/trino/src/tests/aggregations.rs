//! Aggregations that are written anew: grouped by fewer columns, summed once.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray};

use super::fixture::Fixture;
use super::queries::check;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let columns = [
        ("k", "varchar"),
        ("x", "integer"),
        ("small", "smallint"),
        ("big", "bigint"),
        ("d", "double"),
        ("y", "integer"),
    ];
    fixture.table("t", &columns, &[], Format::Parquet);
    fixture.table("empty", &columns, &[], Format::Parquet);
    let columns: [(&str, ArrayRef); 6] = [
        ("k", Arc::new(StringArray::from(vec![Some("a"), Some("b"), Some("a"), None, Some("b"), Some("a")]))),
        ("x", Arc::new(Int32Array::from(vec![Some(1), Some(1), Some(2), Some(2), None, Some(1)]))),
        ("small", Arc::new(Int16Array::from(vec![Some(10), None, Some(-3), Some(7), Some(0), Some(32_767)]))),
        ("big", Arc::new(Int64Array::from(vec![1, 2, 3, i64::MAX, 5, 6]))),
        ("d", Arc::new(Float64Array::from(vec![0.0, -0.0, 1.5, 0.0, 2.5, -0.0]))),
        ("y", Arc::new(Int32Array::from(vec![2001, 2001, 2002, 2001, 2002, 2001]))),
    ];
    fixture
        .put_parquet(
            "t/part-0.parquet",
            &RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap(),
        )
        .await;
    fixture
}

/// The keys that the plan's last aggregation groups by.
async fn keys(fixture: &Fixture, sql: &str) -> usize {
    let plan = fixture.explain(sql, Explain::Distributed, ExplainFormat::Text).await;
    let line = plan.lines().find(|line| line.contains("Aggregate")).unwrap_or_else(|| panic!("{plan}"));
    let keys = line.split_once("keys = [").map_or("", |(_, rest)| rest.split(']').next().unwrap_or_default());
    keys.split(", ").filter(|key| !key.is_empty()).count()
}

#[tokio::test]
async fn constants_and_what_follows_from_others_are_no_keys() {
    let fixture = fixture().await;
    for (sql, expected) in [
        ("SELECT 1, k, count(*) FROM t GROUP BY 1, 2", 1),
        ("SELECT x, x - 1, x - 2, count(*) FROM t GROUP BY 1, 2, 3", 1),
        ("SELECT x, x + small, small, count(*) FROM t GROUP BY 1, 2, 3", 2),
        ("SELECT y, k, count(*) FROM t WHERE y = 2001 GROUP BY y, k", 1),
        ("SELECT k, y, count(*) FROM t GROUP BY y, k HAVING y = 2001", 1),
        ("SELECT c, k, count(*) FROM (SELECT 's' c, k FROM t WHERE x > 0) GROUP BY c, k", 1),
        ("SELECT a.y, b.y, a.k FROM t a JOIN t b ON a.y = b.y WHERE a.y = 2001 GROUP BY a.y, b.y, a.k", 1),
        ("SELECT a.y, a.k FROM t a LEFT JOIN t b ON a.y = b.y WHERE a.y = 2001 GROUP BY a.y, a.k", 1),
        ("SELECT y, 1, count(*) FROM t WHERE y = 2001 GROUP BY 1, 2", 1),
        ("SELECT a, b, count(*) FROM (SELECT k a, k b FROM t) GROUP BY 1, 2", 1),
        ("SELECT d, d + 1, count(*) FROM t GROUP BY 1, 2", 2),
        ("SELECT d, k, count(*) FROM t WHERE d = 0 GROUP BY d, k", 2),
        ("SELECT x + 1, x + 2, count(*) FROM t GROUP BY 1, 2", 2),
        ("SELECT x, x + random(9), count(*) FROM t GROUP BY 1, 2", 2),
        ("SELECT b.y, b.k FROM t a LEFT JOIN (SELECT * FROM t WHERE y = 2001) b ON a.x = b.x GROUP BY b.y, b.k", 2),
    ] {
        assert_eq!(keys(&fixture, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn groups_are_the_same_by_fewer_keys() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT 1, k, count(*) FROM t GROUP BY 1, 2 ORDER BY 2", &["1|a|3", "1|b|2", "1|NULL|1"]),
        ("SELECT 1, 'z', count(*) FROM t GROUP BY 1, 2", &["1|z|6"]),
        ("SELECT 1, 'z', count(*) FROM empty GROUP BY 1, 2", &[]),
        ("SELECT 1, k, count(*) FROM empty GROUP BY 1, 2", &[]),
        (
            "SELECT x, x - 1, x * 2, count(*) FROM t GROUP BY 1, 2, 3 ORDER BY 1",
            &["1|0|2|3", "2|1|4|2", "NULL|NULL|NULL|1"],
        ),
        (
            "SELECT y, k, sum(x) FROM t WHERE y = 2001 GROUP BY y, k ORDER BY k",
            &["2001|a|2", "2001|b|1", "2001|NULL|2"],
        ),
        ("SELECT NULL, k, count(*) FROM t GROUP BY 1, 2 ORDER BY 2", &["NULL|a|3", "NULL|b|2", "NULL|NULL|1"]),
        (
            "SELECT s, k, count(*) FROM (SELECT 's' s, k FROM t UNION ALL SELECT 'w', k FROM t) GROUP BY 1, 2 ORDER BY 1, 2",
            &["s|a|3", "s|b|2", "s|NULL|1", "w|a|3", "w|b|2", "w|NULL|1"],
        ),
        (
            "SELECT b.y, b.k, count(*) FROM t a LEFT JOIN (SELECT * FROM t WHERE y = 2002) b ON a.big = b.big
             GROUP BY b.y, b.k ORDER BY 1, 2",
            &["2002|a|1", "2002|b|1", "NULL|NULL|4"],
        ),
        (
            "SELECT y, k, grouping(y), count(*) FROM t WHERE y = 2001 GROUP BY ROLLUP (y, k) ORDER BY 3, 1, 2, 4",
            &["2001|a|0|2", "2001|b|0|1", "2001|NULL|0|1", "2001|NULL|0|4", "NULL|NULL|1|4"],
        ),
        ("SELECT x, x - 1, count(DISTINCT k) FROM t GROUP BY 1, 2 ORDER BY 1", &["1|0|2", "2|1|1", "NULL|NULL|1"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn what_follows_fails_as_before() {
    let fixture = fixture().await;
    let error = fixture.error("SELECT big, big + 1, count(*) FROM t GROUP BY 1, 2").await;
    assert_eq!(error, "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 9223372036854775807 + 1");
}

#[tokio::test]
async fn sums_are_computed_once() {
    let fixture = fixture().await;
    let sums = |terms: &[&str]| terms.iter().map(|term| format!("sum({term})")).collect::<Vec<_>>().join(", ");
    let small = sums(&["small", "small + 1", "2 + small", "small - 3"]);
    let plan = fixture.explain(&format!("SELECT {small} FROM t"), Explain::Distributed, ExplainFormat::Text).await;
    assert!(plan.contains("wide_sum") && !plan.contains("min("), "{plan}");
    let wide = sums(&["x", "x + 1", "x + 2", "x + 3", "x + 4"]);
    let plan = fixture.explain(&format!("SELECT {wide} FROM t"), Explain::Distributed, ExplainFormat::Text).await;
    assert!(plan.contains("wide_sum") && plan.contains("min("), "{plan}");
    let cases = [
        (format!("SELECT {small} FROM t"), vec!["32781|32786|32791|32766"]),
        (format!("SELECT {small} FROM empty"), vec!["NULL|NULL|NULL|NULL"]),
        (
            format!("SELECT k, {small}, count(*), sum(x + 7) FROM t GROUP BY k ORDER BY k"),
            vec!["a|32774|32777|32780|32765|3|25", "b|0|1|2|-3|2|8", "NULL|7|8|9|4|1|9"],
        ),
        (format!("SELECT {wide} FROM t"), vec!["7|12|17|22|27"]),
        (
            "SELECT sum(x), sum(x + 1), sum(x + 2) FILTER (WHERE k = 'a'), sum(x + 3) FILTER (WHERE k = 'a'),
             sum(x) FILTER (WHERE k = 'a'), sum(DISTINCT x + 1) FROM t"
                .to_owned(),
            vec!["7|12|10|13|4|5"],
        ),
    ];
    for (sql, expected) in cases {
        assert_eq!(fixture.rows(&sql).await.unwrap(), expected, "{sql}");
    }
    let big = sums(&["big", "big + 1", "big + 2", "big + 3", "big + 4"]);
    let error = fixture.error(&format!("SELECT {big} FROM t WHERE big > 6")).await;
    assert_eq!(error, "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: 9223372036854775807 + 1");
    let error = fixture.error(&format!("SELECT {big} FROM t")).await;
    assert!(error.starts_with("NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: "), "{error}");
}

#[tokio::test]
async fn grouping_sets_are_made_of_groups() {
    let fixture = fixture().await;
    let is_divided = async |sql: &str| {
        fixture.explain(sql, Explain::Distributed, ExplainFormat::Text).await.contains("RepeatGroups")
    };
    for (sql, divided) in [
        ("SELECT k, x, count(*) FROM t GROUP BY ROLLUP (k, x)", true),
        ("SELECT k, x, count(*) FROM t GROUP BY CUBE (k, x)", true),
        ("SELECT k, x, count(*) FROM t GROUP BY GROUPING SETS ((k), (k, x), (k))", true),
        ("SELECT k, x, count(*) FROM t GROUP BY GROUPING SETS ((k), (x))", false),
        ("SELECT k, x, count(DISTINCT y) FROM t GROUP BY ROLLUP (k, x)", false),
        ("SELECT k, x, count(*) FROM t GROUP BY k, x", false),
    ] {
        assert_eq!(is_divided(sql).await, divided, "{sql}");
    }
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT k, x, count(*), sum(small), avg(CAST(x AS double)), min(y), count(*) FILTER (WHERE d > 0), grouping(k, x)
             FROM t GROUP BY ROLLUP (k, x) ORDER BY 8, 1, 2",
            &[
                "a|1|2|32777|1.0|2001|0|0",
                "a|2|1|-3|2.0|2002|1|0",
                "b|1|1|NULL|1.0|2001|0|0",
                "b|NULL|1|0|NULL|2002|1|0",
                "NULL|2|1|7|2.0|2001|0|0",
                "a|NULL|3|32774|1.3333333333333333|2001|1|1",
                "b|NULL|2|0|1.0|2001|1|1",
                "NULL|NULL|1|7|2.0|2001|0|1",
                "NULL|NULL|6|32781|1.4|2001|2|3",
            ],
        ),
        (
            "SELECT k, count(*) FROM t GROUP BY GROUPING SETS ((k), (k, x), (k)) ORDER BY 1, 2",
            &["a|1", "a|2", "a|3", "a|3", "b|1", "b|1", "b|2", "b|2", "NULL|1", "NULL|1", "NULL|1"],
        ),
        ("SELECT k, count(*), sum(x), avg(d), max(y) FROM empty GROUP BY ROLLUP (k)", &["NULL|0|NULL|NULL|NULL"]),
        ("SELECT k, count(*), sum(x) FROM t WHERE x > 99 GROUP BY CUBE (k, y)", &["NULL|0|NULL"]),
        ("SELECT k, count(*) FROM t WHERE x > 99 GROUP BY GROUPING SETS ((k), ())", &["NULL|0"]),
    ];
    check(&fixture, cases).await;
}

#[tokio::test]
async fn distinct_texts_are_counted_in_groups() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT y, count(DISTINCT k), count(DISTINCT x), count(*) FROM t GROUP BY y ORDER BY y",
            &["2001|2|2|4", "2002|2|1|2"],
        ),
        (
            "SELECT y, count(DISTINCT k) FILTER (WHERE x = 1), count(DISTINCT upper(k) || k) FROM t GROUP BY y ORDER BY y",
            &["2001|2|2", "2002|0|2"],
        ),
        (
            "SELECT y, x, count(DISTINCT k), count(*) FROM t GROUP BY ROLLUP (y, x) ORDER BY 4 DESC, 1, 2 LIMIT 2",
            &["NULL|NULL|2|6", "2001|NULL|2|4"],
        ),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_without_room_in_memory_are_repeated_from_disk() {
    const ROWS: i64 = 300_000;
    let fixture = Fixture::with_memory(40 << 20);
    fixture.table("t", &[("k", "varchar"), ("x", "bigint")], &[], Format::Parquet);
    let columns: [(&str, ArrayRef); 2] = [
        ("k", Arc::new((0..ROWS).map(|row| Some(format!("a long key {}", row / 2))).collect::<StringArray>())),
        ("x", Arc::new(Int64Array::from_iter_values(0..ROWS))),
    ];
    fixture.put_parquet("t/part-0.parquet", &RecordBatch::try_from_iter(columns).unwrap()).await;
    let sql = "SELECT g, count(*), sum(n), sum(s) FROM (
         SELECT grouping(k, x) g, count(*) n, sum(x) s FROM t GROUP BY ROLLUP (k, x)) GROUP BY g ORDER BY g";
    let sum = ROWS * (ROWS - 1) / 2;
    let of_set = |mask: i64, groups: i64| format!("{mask}|{groups}|{ROWS}|{sum}");
    assert_eq!(fixture.rows(sql).await.unwrap(), [of_set(0, ROWS), of_set(1, ROWS / 2), of_set(3, 1)]);
}
