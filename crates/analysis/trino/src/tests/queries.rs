//! Queries over Parquet, from the simple to the nested.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};

use super::fixture::Fixture;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

pub(super) async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    fixture.table("t", &[("a", "varchar"), ("b", "bigint")], &[], Format::Parquet);
    let a = StringArray::from(vec![Some("x"), Some("y"), Some("x"), None, Some("z")]);
    let b = Int64Array::from(vec![Some(1), Some(2), Some(3), Some(4), None]);
    let batch = RecordBatch::try_from_iter([("A", Arc::new(a) as _), ("b", Arc::new(b) as _)]).unwrap();
    fixture.put_parquet("t/part-0.parquet", &batch).await;
    fixture.put("t/_SUCCESS", "x").await;
    fixture
}

#[tokio::test]
async fn the_first_slice() {
    let fixture = fixture().await;
    let sql = "SELECT a, count(*) FROM t WHERE b >= 1 GROUP BY a ORDER BY 2 DESC, a LIMIT 5";
    assert_eq!(fixture.rows(sql).await.unwrap(), ["x|2", "y|1", "NULL|1"]);
}

/// Runs queries and compares their rows.
pub(super) async fn check(fixture: &Fixture, cases: &[(&str, &[&str])]) {
    for (sql, expected) in cases {
        match fixture.rows(sql).await {
            Ok(rows) => assert_eq!(&rows, expected, "{sql}"),
            Err(error) => panic!("{sql}: {error}"),
        }
    }
}

#[tokio::test]
async fn expressions_without_a_table() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT 1, 'a', 1.50, 1e0, NULL, true", &["1|a|1.50|1.0|NULL|true"]),
        ("SELECT 7 / 2, -7 % 3, 1 + 2 * 3", &["3|-1|7"]),
        ("SELECT 'a' || 'b', upper('x'), CAST('12' AS integer) + 1", &["ab|X|13"]),
        (
            "SELECT CASE WHEN 1 > 2 THEN 'a' ELSE 'b' END, IF(true, 1, 2), COALESCE(NULL, 3), NULLIF(1, 1)",
            &["b|1|3|NULL"],
        ),
        ("SELECT DATE '2020-02-28' + INTERVAL '2' DAY, CURRENT_DATE", &["2020-03-01|2024-05-06"]),
        ("SELECT 5 BETWEEN 1 AND 10, 'abc' LIKE 'a%', 2 IN (1, 2), NULL IS NULL", &["true|true|true|true"]),
        ("SELECT ARRAY[1, 2][2], ROW(1, 'x')[2]", &["2|x"]),
        ("VALUES (1, 'a'), (2, 'b')", &["1|a", "2|b"]),
        ("SELECT x + 1 FROM (VALUES 1, 2) AS v (x) ORDER BY 1 DESC", &["3", "2"]),
        ("SELECT TRY(1 / 0)", &["NULL"]),
    ];
    check(&Fixture::new(), cases).await;
}

#[tokio::test]
async fn grouping() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT sum(b), min(a), max(a), count(b) FROM t", &["10|x|z|4"]),
        ("SELECT a, sum(b) s FROM t GROUP BY 1 HAVING sum(b) > 2 ORDER BY s, a", &["x|4", "NULL|4"]),
        ("SELECT b % 2, count(*) FROM t GROUP BY b % 2 ORDER BY 1", &["0|2", "1|2", "NULL|1"]),
        ("SELECT count(DISTINCT a), count(*) FILTER (WHERE b > 2) FROM t", &["3|2"]),
        (
            "SELECT a, grouping(a), sum(b) FROM t WHERE a IS NOT NULL GROUP BY ROLLUP (a) ORDER BY 2, 1",
            &["x|0|4", "y|0|2", "z|0|NULL", "NULL|1|6"],
        ),
        ("SELECT 1 FROM t HAVING count(*) > 100", &[]),
        ("SELECT sum(b) + count(*) FROM t GROUP BY ()", &["15"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn windows() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT b, row_number() OVER (ORDER BY b DESC), sum(b) OVER (ORDER BY b) FROM t WHERE b > 1 ORDER BY b",
            &["2|3|2", "3|2|5", "4|1|9"],
        ),
        (
            "SELECT a, rank() OVER (ORDER BY sum(b) DESC) FROM t WHERE b > 0 GROUP BY a ORDER BY 2, 1",
            &["x|1", "NULL|1", "y|3"],
        ),
        ("SELECT lag(b) OVER w FROM t WHERE b < 3 WINDOW w AS (ORDER BY b) ORDER BY b", &["NULL", "1"]),
        (
            "SELECT b, sum(b) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t WHERE b IS NOT NULL ORDER BY b",
            &["1|1", "2|3", "3|5", "4|7"],
        ),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn one_row_of_each_key_needs_no_sort() {
    let first = |keys: &str, kept: i32| {
        format!("SELECT a, n FROM (SELECT a, b, row_number() OVER (PARTITION BY {keys}) AS n FROM t) WHERE n = {kept}")
    };
    let fixture = fixture().await;
    assert_eq!(fixture.sorted(&first("a", 1)).await, ["NULL|1", "x|1", "y|1", "z|1"]);
    assert_eq!(fixture.sorted(&first("a", 2)).await, ["x|2"]);
    assert_eq!(fixture.sorted(&first("b IS NULL, a = 'x'", 1)).await.len(), 4);
    let plan = async |sql: &str| fixture.explain(sql, Explain::Logical, ExplainFormat::Text).await;
    let without = plan(&first("a", 1)).await;
    assert!(without.contains("RowNumber[partitionBy = [a], limit = 1]") && !without.contains("Sort["), "{without}");
    for with in [first("a", 2), first("a ORDER BY b", 1)] {
        assert!(plan(&with).await.contains("Sort["), "{with}");
    }
}

#[tokio::test]
async fn sorted_rows_are_counted() {
    let fixture = Fixture::new();
    fixture.table("t", &[("k", "bigint"), ("v", "bigint")], &[], Format::Parquet);
    // Keys run on over the ends of batches, and one of them is NULL.
    let k: Int64Array = (0..60_000_i64).map(|row| (row % 1000 != 7).then_some(row / 7 % 4000)).collect();
    let v = Int64Array::from_iter_values((0..60_000).map(|row| row * 7919 % 60_013));
    let batch = RecordBatch::try_from_iter([("k", Arc::new(k) as _), ("v", Arc::new(v) as _)]).unwrap();
    fixture.put_parquet("t/f", &batch).await;
    let numbered = "SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM t";
    // Everything that is asked is known without it.
    let checks = format!(
        "SELECT count(*), sum(n), count_if(n = 1), max(n) FILTER (WHERE k IS NULL), count(DISTINCT k) + 1 FROM ({numbered})"
    );
    let counts = "SELECT sum(c), sum(c * (c + 1) / 2), count(*), max(c) FILTER (WHERE k IS NULL), count(*) \
                  FROM (SELECT k, count(*) AS c FROM t GROUP BY k)";
    assert_eq!(fixture.rows(&checks).await.unwrap(), fixture.rows(counts).await.unwrap());
    let least = format!(
        "SELECT count(*) FROM ({numbered}) a JOIN (SELECT k, min(v) AS m FROM t GROUP BY k) b ON a.k IS NOT DISTINCT FROM b.k WHERE n = 1 AND v <> m"
    );
    assert_eq!(fixture.rows(&least).await.unwrap(), ["0"]);
    assert_eq!(
        fixture.rows("SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY v) AS n FROM t)").await.unwrap(),
        ["60000"]
    );
    let plan = fixture.explain(numbered, Explain::Distributed, ExplainFormat::Text).await;
    assert!(plan.contains("RowNumberExec[") && !plan.contains("WindowAgg"), "{plan}");
}

#[tokio::test]
async fn joins_and_subqueries() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT l.b, r.b FROM t l JOIN t r ON l.a = r.a AND l.b < r.b", &["1|3"]),
        ("SELECT count(*) FROM t l LEFT JOIN t r ON l.b = r.b + 3", &["5"]),
        ("SELECT a, count(*) FROM t JOIN t u USING (a) GROUP BY a ORDER BY a", &["x|4", "y|1", "z|1"]),
        ("SELECT count(*) FROM t CROSS JOIN t u", &["25"]),
        ("SELECT b FROM t WHERE b > (SELECT avg(b) FROM t) ORDER BY b", &["3", "4"]),
        ("SELECT b FROM t o WHERE b = (SELECT max(b) FROM t i WHERE i.a = o.a) ORDER BY b", &["2", "3"]),
        ("SELECT b FROM t WHERE a IN (SELECT a FROM t WHERE b > 1) ORDER BY b", &["1", "2", "3"]),
        ("SELECT b FROM t WHERE b NOT IN (SELECT b FROM t)", &[]),
        ("SELECT b FROM t WHERE b NOT IN (SELECT b FROM t WHERE b > 2) ORDER BY b", &["1", "2"]),
        ("SELECT b FROM t o WHERE EXISTS (SELECT 1 FROM t i WHERE i.a = o.a AND i.b > o.b)", &["1"]),
        ("SELECT b FROM t o WHERE NOT EXISTS (SELECT 1 FROM t i WHERE i.b > o.b) ORDER BY b", &["4", "NULL"]),
        ("SELECT EXISTS (SELECT 1 FROM t WHERE b > 100)", &["false"]),
        ("SELECT b FROM t WHERE b >= ALL (SELECT b FROM t WHERE b IS NOT NULL)", &["4"]),
        ("SELECT b FROM t WHERE b > ANY (SELECT b FROM t) ORDER BY b", &["2", "3", "4"]),
        ("SELECT (SELECT i.b FROM t i WHERE i.a = o.a) FROM t o WHERE b = 2", &["2"]),
        ("SELECT (SELECT count(*) FROM t i WHERE i.a = o.a) FROM t o WHERE b = 1", &["2"]),
        ("SELECT x FROM t, LATERAL (SELECT b * 2 AS x) WHERE b < 3 ORDER BY x", &["2", "4"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn sets_and_named_queries() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT a FROM t UNION SELECT 'q' ORDER BY 1", &["q", "x", "y", "z", "NULL"]),
        ("SELECT 1 UNION ALL SELECT 2.5 ORDER BY 1", &["1.0", "2.5"]),
        ("SELECT a FROM t INTERSECT SELECT 'x'", &["x"]),
        ("SELECT a FROM t EXCEPT SELECT 'x' ORDER BY 1", &["y", "z", "NULL"]),
        ("SELECT * FROM (VALUES 1, 1, 1, 2) EXCEPT ALL SELECT * FROM (VALUES 1, 2) ORDER BY 1", &["1", "1"]),
        ("WITH q AS (SELECT b FROM t WHERE b > 2) SELECT count(*) FROM q a, q b", &["4"]),
        ("WITH q (n) AS (SELECT 1), r AS (SELECT n + 1 AS m FROM q) SELECT n, m FROM q, r", &["1|2"]),
        ("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4) SELECT sum(i) FROM n", &["10"]),
        ("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= 10) SELECT max(i) FROM n", &["11"]),
        ("SELECT a FROM t WHERE b < 4 ORDER BY b % 2 FETCH FIRST 2 ROWS WITH TIES", &["y", "x", "x"]),
        ("SELECT max(b) OVER (ORDER BY b), min(b) OVER (ORDER BY b DESC) FROM t WHERE b < 3 ORDER BY 1", &["1|1", "2|2"]),
        ("SELECT * FROM (SELECT count(*) AS m FROM t) x, (SELECT count(*) AS n FROM t WHERE b > 2) y", &["5|2"]),
        (
            "SELECT grouping(a), rank() OVER (PARTITION BY grouping(a) ORDER BY sum(b)) FROM t WHERE b < 4 GROUP BY ROLLUP (a) ORDER BY 1, 2",
            &["0|1", "0|2", "1|1"],
        ),
        ("SELECT sequential_number FROM TABLE(sequence(start => 5, stop => -4, step => -3))", &["5", "2", "-1", "-4"]),
        ("SELECT count(*), sum(s.n) FROM TABLE(sequence(stop => 100000)) AS s (n)", &["100001|5000050000"]),
        (
            "SELECT * FROM TABLE(exclude_columns(TABLE(SELECT * FROM (VALUES (1, 2, 3)) t (a, b, c)), DESCRIPTOR(A, c)))",
            &["2"],
        ),
        (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5),
                 m (j) AS (SELECT BIGINT '0' UNION SELECT j + (SELECT count(*) FROM n) FROM m WHERE j < 12) SELECT max(j) FROM m",
            &["15"],
        ),
        ("SELECT DISTINCT a FROM t ORDER BY a DESC", &["z", "y", "x", "NULL"]),
        ("SELECT b FROM t ORDER BY b DESC NULLS FIRST OFFSET 1 LIMIT 2", &["4", "3"]),
        ("SELECT b % 2 FROM t WHERE b > 0 ORDER BY 1 FETCH FIRST 1 ROW WITH TIES", &["0", "0"]),
        ("TABLE t ORDER BY b LIMIT 1", &["x|1"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn unnesting() {
    let cases: &[(&str, &[&str])] = &[
        ("SELECT * FROM UNNEST(ARRAY[1, 2]) AS u (x)", &["1", "2"]),
        ("SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY['a']) WITH ORDINALITY", &["1|a|1", "2|NULL|2"]),
        ("SELECT k, v FROM UNNEST(MAP(ARRAY['a'], ARRAY[7])) AS u (k, v)", &["a|7"]),
        ("SELECT b, x FROM t CROSS JOIN UNNEST(ARRAY[b, b * 10]) AS u (x) WHERE b = 2", &["2|2", "2|20"]),
        (
            "SELECT n, x FROM (VALUES 1) v (n) LEFT JOIN UNNEST(CAST(ARRAY[] AS array(integer))) AS u (x) ON TRUE",
            &["1|NULL"],
        ),
        ("SELECT * FROM UNNEST(ARRAY[ROW(1, 'a'), ROW(2, 'b')]) AS u (n, s)", &["1|a", "2|b"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn views_and_the_catalog_as_tables() {
    let fixture = fixture().await;
    fixture.view("v", &[("total", "bigint")], "SELECT sum(b) AS total FROM t");
    fixture.view("loop", &[("x", "bigint")], "SELECT x FROM loop");
    let cases: &[(&str, &[&str])] = &[
        ("SELECT total + 1 FROM v", &["11"]),
        ("SELECT schema_name FROM information_schema.schemata ORDER BY 1", &["db", "information_schema"]),
        (
            "SELECT table_name, table_type FROM information_schema.tables WHERE table_name <> 'loop' ORDER BY 1",
            &["t|BASE TABLE", "v|VIEW"],
        ),
        (
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 't' ORDER BY ordinal_position",
            &["a|varchar", "b|bigint"],
        ),
        ("SELECT DISTINCT \"$path\" FROM t", &["s3://lake/t/part-0.parquet"]),
        ("SELECT awsdatacatalog.db.t.b FROM awsdatacatalog.db.t WHERE db.t.b = 1", &["1"]),
    ];
    check(&fixture, cases).await;
    assert!(fixture.error("SELECT * FROM loop").await.contains("View is recursive"));
}

#[tokio::test]
async fn errors_have_trinos_words_and_positions() {
    let cases = [
        ("SELECT c FROM t", "COLUMN_NOT_FOUND: line 1:8: Column 'c' cannot be resolved"),
        ("SELECT * FROM u", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.u' does not exist"),
        ("SELECT * FROM nope.u", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"),
        (
            "SELECT a, b FROM t GROUP BY a",
            "EXPRESSION_NOT_AGGREGATE: line 1:11: 'b' must be an aggregate expression or appear in GROUP BY clause",
        ),
        ("SELECT a FROM t, t u", "AMBIGUOUS_NAME: line 1:8: Column 'a' is ambiguous"),
        ("SELECT 1 WHERE 1", "TYPE_MISMATCH: line 1:16: WHERE clause must evaluate to a boolean: actual type integer"),
        (
            "SELECT 1 UNION SELECT 'a'",
            "TYPE_MISMATCH: line 1:10: column 1 in UNION query has incompatible types: integer, varchar(1)",
        ),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        (
            "SELECT b FROM t ORDER BY 2",
            "INVALID_COLUMN_REFERENCE: line 1:26: ORDER BY position 2 is not in select list",
        ),
    ];
    let fixture = fixture().await;
    for (sql, expected) in cases {
        assert_eq!(fixture.error(sql).await, expected, "{sql}");
    }
    let multiple = fixture.error("SELECT b FROM t o WHERE b < (SELECT i.b FROM t i WHERE i.a = o.a)").await;
    assert_eq!(multiple, "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows");
    let multiple = fixture.error("SELECT b FROM t WHERE b = (SELECT b FROM t)").await;
    assert_eq!(multiple, "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows");
    let nested = fixture.error("SELECT sum(sum(b)) FROM t").await;
    assert!(nested.starts_with("NESTED_AGGREGATION: line 1:8: Cannot nest aggregations"), "{nested}");
    let filter = fixture.error("SELECT a FROM t WHERE sum(b) > 1").await;
    assert!(filter.contains("WHERE clause cannot contain aggregations"), "{filter}");
}

#[tokio::test]
async fn distinct_values_of_many_groups_take_what_they_need() {
    let rows =
        "SELECT x % 2000 AS g, x * 600 + y AS n FROM UNNEST(sequence(1, 1000)) a(x), UNNEST(sequence(1, 600)) b(y)";
    let grouped = format!(
        "SELECT g, count(DISTINCT n) AS different, count(*) AS all_of_it, sum(n) AS s FROM ({rows}) GROUP BY g"
    );
    let asked = format!("SELECT count(*), sum(different), sum(all_of_it) FROM ({grouped})");
    assert_eq!(Fixture::new().rows(&asked).await.unwrap(), ["1000|600000|600000"]);
}
