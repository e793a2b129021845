//! Subqueries wherever there are expressions, with SQL's three values.
//!
//! The table `t` has the rows (x, 1), (y, 2), (x, 3), (NULL, 4), (z, NULL).

use super::queries::{check, fixture};

#[tokio::test]
async fn in_is_a_value_like_any_other() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT b, b IN (SELECT b FROM t WHERE b > 2) FROM t ORDER BY b",
            &["1|false", "2|false", "3|true", "4|true", "NULL|NULL"],
        ),
        // A NULL among the values leaves it open.
        (
            "SELECT b, b IN (SELECT nullif(b, 2) FROM t WHERE b < 4) FROM t ORDER BY b",
            &["1|true", "2|NULL", "3|true", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT b, b NOT IN (SELECT nullif(b, 2) FROM t WHERE b < 4) FROM t ORDER BY b",
            &["1|false", "2|NULL", "3|false", "4|NULL", "NULL|NULL"],
        ),
        // Nothing is among no values, NULL neither.
        (
            "SELECT b IN (SELECT b FROM t WHERE b > 99), b NOT IN (SELECT b FROM t WHERE b > 99) FROM t LIMIT 1",
            &["false|true"],
        ),
        (
            "SELECT CASE WHEN a IN (SELECT a FROM t WHERE b = 2) THEN 'in' ELSE 'out' END FROM t ORDER BY 1",
            &["in", "out", "out", "out", "out"],
        ),
        ("SELECT b FROM t WHERE b = 4 OR b IN (SELECT min(b) FROM t) ORDER BY b", &["1", "4"]),
        ("SELECT b FROM t WHERE NOT (b > 3 OR b IN (SELECT nullif(b, 2) FROM t WHERE b < 3)) ORDER BY b", &[]),
        ("SELECT b FROM t WHERE NOT (b > 3 OR b IN (SELECT b FROM t WHERE b < 3)) ORDER BY b", &["3"]),
        (
            "SELECT b FROM t WHERE (b IN (SELECT nullif(b, 1) FROM t WHERE b < 3)) IS NULL ORDER BY b",
            &["1", "3", "4", "NULL"],
        ),
        ("SELECT b FROM t WHERE NOT b IN (SELECT b FROM t WHERE b < 3) ORDER BY b", &["3", "4"]),
        ("SELECT count(*) FROM t WHERE NOT b IN (SELECT nullif(b, 2) FROM t WHERE b < 3)", &["0"]),
        ("SELECT b FROM t ORDER BY b IN (SELECT b FROM t WHERE b IN (2, 4)) DESC, b", &["2", "4", "1", "3", "NULL"]),
        (
            "SELECT b IN (SELECT b FROM t WHERE b < 3) AS low, count(*) FROM t GROUP BY 1 ORDER BY 1",
            &["false|2", "true|2", "NULL|1"],
        ),
        ("SELECT count(*) IN (SELECT 5), sum(b) IN (SELECT 11) FROM t", &["true|false"]),
        ("SELECT count_if(b IN (SELECT b FROM t WHERE b < 4)), sum(b) FILTER (WHERE b IN (SELECT 3)) FROM t", &["3|3"]),
        (
            "SELECT l.b, r.b FROM t l JOIN t r ON l.a = r.a AND l.b IN (SELECT max(b) - 1 FROM t) ORDER BY 2",
            &["3|1", "3|3"],
        ),
        (
            "SELECT l.b, r.b FROM t l LEFT JOIN t r ON l.b = r.b AND r.b IN (SELECT b FROM t WHERE b < 3) ORDER BY 1",
            &["1|1", "2|2", "3|NULL", "4|NULL", "NULL|NULL"],
        ),
        ("SELECT b FROM t WHERE (a, b) IN (SELECT a, b FROM t WHERE b > 1) ORDER BY b", &["2", "3"]),
        ("SELECT b FROM t WHERE (a, b) NOT IN (SELECT a, b FROM t WHERE b > 1) ORDER BY b", &["1", "NULL"]),
        (
            "SELECT a FROM t GROUP BY a HAVING max(b) IN (SELECT b FROM t WHERE a = 'y') OR a IS NULL ORDER BY a",
            &["y", "NULL"],
        ),
        (
            "SELECT DATE '2020-01-01' IN (SELECT DATE '2020-01-01'), 1 IN (SELECT 1.0), 'a' IN (SELECT CAST(NULL AS varchar))",
            &["true|true|NULL"],
        ),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn correlated_in_and_exists_are_values_too() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT b, b IN (SELECT i.b FROM t i WHERE i.a = o.a) FROM t o ORDER BY b",
            &["1|true", "2|true", "3|true", "4|false", "NULL|NULL"],
        ),
        (
            "SELECT b, 3 IN (SELECT i.b FROM t i WHERE i.a = o.a) FROM t o ORDER BY b",
            &["1|true", "2|false", "3|true", "4|false", "NULL|NULL"],
        ),
        ("SELECT b FROM t o WHERE b NOT IN (SELECT i.b + 2 FROM t i WHERE i.a = o.a) ORDER BY b", &["1", "2", "4"]),
        ("SELECT b FROM t o WHERE 3 NOT IN (SELECT i.b FROM t i WHERE i.a = o.a) ORDER BY b", &["2", "4"]),
        (
            "SELECT b, EXISTS (SELECT 1 FROM t i WHERE i.a = o.a AND i.b = 3) FROM t o ORDER BY b",
            &["1|true", "2|false", "3|true", "4|false", "NULL|false"],
        ),
        (
            "SELECT b FROM t o WHERE b = 4 OR EXISTS (SELECT 1 FROM t i WHERE i.a = o.a AND i.b = 3) ORDER BY b",
            &["1", "3", "4"],
        ),
        (
            "SELECT b FROM t o WHERE NOT (b = 4 OR EXISTS (SELECT 1 FROM t i WHERE i.a = o.a AND i.b = 3)) ORDER BY b",
            &["2"],
        ),
        ("SELECT sum((SELECT max(i.b) FROM t i WHERE i.a = o.a)) FROM t o", &["8"]),
        (
            "SELECT (SELECT max(i.b) FROM t i WHERE i.a = o.a) AS m, count(*) FROM t o GROUP BY 1 ORDER BY 1",
            &["2|1", "3|2", "NULL|2"],
        ),
        (
            "SELECT b FROM t o ORDER BY (SELECT max(i.b) FROM t i WHERE i.a = o.a) DESC, b",
            &["1", "3", "2", "4", "NULL"],
        ),
        (
            "SELECT b, row_number() OVER (ORDER BY (SELECT max(i.b) FROM t i WHERE i.a = o.a) DESC, b) FROM t o WHERE b < 4 ORDER BY 2",
            &["1|1", "3|2", "2|3"],
        ),
        (
            "SELECT l.b FROM t l JOIN t r ON l.b = r.b AND l.b = (SELECT max(i.b) FROM t i WHERE i.a = r.a) ORDER BY 1",
            &["2", "3"],
        ),
        (
            "SELECT l.b, r.b FROM t l LEFT JOIN t r ON l.b = r.b AND (SELECT max(i.b) FROM t i WHERE i.a = r.a) = 3 ORDER BY 1",
            &["1|1", "2|NULL", "3|3", "4|NULL", "NULL|NULL"],
        ),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn existence_may_depend_on_any_comparison() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT b, EXISTS (SELECT 1 FROM t i WHERE i.b > o.b) FROM t o ORDER BY b",
            &["1|true", "2|true", "3|true", "4|false", "NULL|false"],
        ),
        (
            "SELECT b, NOT EXISTS (SELECT 1 FROM t i WHERE i.a = o.a AND i.b <> o.b) FROM t o ORDER BY b",
            &["1|false", "2|true", "3|false", "4|true", "NULL|true"],
        ),
        (
            "SELECT b FROM t o WHERE b = 4 OR EXISTS (SELECT 1 FROM t i WHERE i.a = o.a AND i.b > o.b) ORDER BY b",
            &["1", "4"],
        ),
        (
            "SELECT CASE WHEN EXISTS (SELECT 1 FROM t i WHERE i.b > o.b + 1) THEN 'more' ELSE 'few' END AS m, count(*) FROM t o GROUP BY 1 ORDER BY 1",
            &["few|3", "more|2"],
        ),
        ("SELECT count_if(EXISTS (SELECT 1 FROM t i WHERE i.b > o.b)) FROM t o", &["3"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn values_may_depend_on_any_comparison() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT b, (SELECT sum(i.b) FROM t i WHERE i.b > o.b), (SELECT count(*) FROM t i WHERE i.b <= o.b) FROM t o ORDER BY b",
            &["1|9|1", "2|7|2", "3|4|3", "4|NULL|4", "NULL|NULL|0"],
        ),
        (
            "SELECT b, (SELECT coalesce(max(i.b), 0) * 10 FROM t i WHERE i.a = o.a AND i.b <> o.b) + 1 FROM t o ORDER BY b",
            &["1|31", "2|1", "3|11", "4|1", "NULL|1"],
        ),
        ("SELECT b FROM t o WHERE (SELECT count(*) FROM t i WHERE i.b < o.b) = 2", &["3"]),
        (
            "SELECT b FROM t o WHERE b IS NULL OR b * 2 > (SELECT sum(i.b) FROM t i WHERE i.b >= o.b) ORDER BY b",
            &["4", "NULL"],
        ),
        ("SELECT b FROM t o GROUP BY b HAVING (SELECT count(*) FROM t i WHERE i.b > o.b) > 1 ORDER BY b", &["1", "2"]),
        (
            "SELECT b, (SELECT i.b FROM t i WHERE i.b > o.b AND i.b < o.b + 2) FROM t o ORDER BY b",
            &["1|2", "2|3", "3|4", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT b, b IN (SELECT i.b + 1 FROM t i WHERE i.b < o.b) FROM t o ORDER BY b",
            &["1|false", "2|true", "3|true", "4|true", "NULL|false"],
        ),
        ("SELECT sum((SELECT count(*) FROM t i WHERE i.b < o.b)) FROM t o", &["6"]),
        ("SELECT b FROM t o ORDER BY (SELECT count(*) FROM t i WHERE i.b > o.b) DESC, b LIMIT 2", &["1", "2"]),
        (
            "SELECT l.b, r.b FROM t l JOIN t r ON l.a = r.a AND r.b > (SELECT avg(i.b) FROM t i WHERE i.b < l.b) ORDER BY 1, 2",
            &["2|2", "3|3"],
        ),
        (
            "SELECT o.b, l.n, l.m FROM t o CROSS JOIN LATERAL (SELECT count(*) AS n, max(i.b) + 1 AS m FROM t i WHERE i.b < o.b) l ORDER BY 1",
            &["1|0|NULL", "2|1|2", "3|2|3", "4|3|4", "NULL|0|NULL"],
        ),
        (
            "SELECT o.b, l.b FROM t o LEFT JOIN LATERAL (SELECT i.b FROM t i WHERE i.b > o.b + 1) l ON l.b < 4 ORDER BY 1, 2",
            &["1|3", "2|NULL", "3|NULL", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT o.b, l.b FROM t o, LATERAL (SELECT i.b FROM t i WHERE i.b > o.b + 1) l ORDER BY 1, 2",
            &["1|3", "1|4", "2|4"],
        ),
        // Two equal rows of the query around stay two.
        ("SELECT x, (SELECT count(*) FROM t i WHERE i.b < x) FROM (VALUES 3, 3) v (x)", &["3|2", "3|2"]),
    ];
    check(&fixture().await, cases).await;
    let error = fixture().await.error("SELECT (SELECT i.b FROM t i WHERE i.b > o.b) FROM t o").await;
    assert!(error.starts_with("SUBQUERY_MULTIPLE_ROWS"), "{error}");
}

#[tokio::test]
async fn recursion_ends_where_trino_ends_it() {
    let fixture = fixture().await;
    for (sql, expected) in [
        (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n",
            "NOT_SUPPORTED: Recursion depth limit exceeded (10).",
        ),
        (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3 ORDER BY 1) SELECT * FROM n",
            "immediate ORDER BY clause in recursive query is not supported",
        ),
        (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT 'x' FROM n) SELECT * FROM n",
            "recursion step relation output type (varchar(1)) is not coercible to recursion base relation output type (integer) at column 1",
        ),
        (
            "WITH RECURSIVE n (i, j) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT * FROM n",
            "Column alias list has 2 entries but relation has 1 columns",
        ),
    ] {
        let error = fixture.error(sql).await;
        assert!(error.contains(expected), "{sql}: {error}");
    }
}

#[tokio::test]
async fn quantified_comparisons_know_of_null() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT b, b > ALL (SELECT b FROM t WHERE b < 3) FROM t ORDER BY b",
            &["1|false", "2|false", "3|true", "4|true", "NULL|NULL"],
        ),
        (
            "SELECT b, b > ALL (SELECT nullif(b, 2) FROM t WHERE b < 3) FROM t ORDER BY b",
            &["1|false", "2|NULL", "3|NULL", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT b, b = ANY (SELECT nullif(b, 2) FROM t WHERE b < 3) FROM t ORDER BY b",
            &["1|true", "2|NULL", "3|NULL", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT b, b <> ALL (SELECT b FROM t WHERE b < 3) FROM t ORDER BY b",
            &["1|false", "2|false", "3|true", "4|true", "NULL|NULL"],
        ),
        (
            "SELECT b < SOME (SELECT b FROM t WHERE b > 99), b < ALL (SELECT b FROM t WHERE b > 99) FROM t LIMIT 1",
            &["false|true"],
        ),
        ("SELECT b FROM t o WHERE b >= ALL (SELECT i.b FROM t i WHERE i.a = o.a) ORDER BY b", &["2", "3", "4"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn correlated_subqueries_may_sort_and_limit() {
    let cases: &[(&str, &[&str])] = &[
        (
            "SELECT b, (SELECT i.b FROM t i WHERE i.a = o.a ORDER BY i.b DESC LIMIT 1) FROM t o ORDER BY b",
            &["1|3", "2|2", "3|3", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT b, (SELECT i.a FROM t i WHERE i.a = o.a ORDER BY i.b DESC OFFSET 1 LIMIT 1) FROM t o ORDER BY b",
            &["1|x", "2|NULL", "3|x", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT b FROM t o WHERE b IN (SELECT i.b FROM t i WHERE i.a = o.a ORDER BY i.b LIMIT 1) ORDER BY b",
            &["1", "2"],
        ),
        (
            "SELECT b, (SELECT count(*) FROM (SELECT DISTINCT i.a FROM t i WHERE i.a = o.a)) FROM t o ORDER BY b",
            &["1|1", "2|1", "3|1", "4|0", "NULL|1"],
        ),
        (
            "SELECT b, (SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY i.b) AS n FROM t i WHERE i.a = o.a)) FROM t o ORDER BY b",
            &["1|2", "2|1", "3|2", "4|NULL", "NULL|1"],
        ),
        (
            "SELECT o.b, l.b FROM t o, LATERAL (SELECT i.b FROM t i WHERE i.a = o.a ORDER BY i.b DESC LIMIT 1) l ORDER BY 1",
            &["1|3", "2|2", "3|3", "NULL|NULL"],
        ),
        (
            "SELECT o.b, l.b FROM t o LEFT JOIN LATERAL (SELECT i.b FROM t i WHERE i.a = o.a ORDER BY i.b DESC LIMIT 1) l ON TRUE ORDER BY 1",
            &["1|3", "2|2", "3|3", "4|NULL", "NULL|NULL"],
        ),
        (
            "SELECT o.b, l.n FROM t o CROSS JOIN LATERAL (SELECT count(*) AS n FROM t i WHERE i.a = o.a) l ORDER BY 1",
            &["1|2", "2|1", "3|2", "4|0", "NULL|1"],
        ),
        (
            "SELECT o.b, v.x FROM t o CROSS JOIN LATERAL (VALUES o.b, o.b * 10) v (x) WHERE b < 3 ORDER BY 1, 2",
            &["1|1", "1|10", "2|2", "2|20"],
        ),
        ("SELECT x FROM (VALUES (SELECT max(b) FROM t), 7) v (x) ORDER BY 1", &["4", "7"]),
    ];
    check(&fixture().await, cases).await;
}

#[tokio::test]
async fn what_is_not_carried_is_refused_by_name() {
    let fixture = fixture().await;
    for sql in ["SELECT l.b FROM t l LEFT JOIN t r ON (SELECT max(i.b) FROM t i WHERE i.a = l.a AND i.b = r.b) = 3"] {
        let error = fixture.error(sql).await;
        assert!(
            error.starts_with("NOT_SUPPORTED") && error.contains("Given correlated subquery is not supported"),
            "{sql}: {error}"
        );
    }
    let columns = fixture.error("SELECT b IN (SELECT a, b FROM t) FROM t").await;
    assert!(columns.starts_with("TYPE_MISMATCH") && columns.contains(" vs row("), "{columns}");
    let types = fixture.error("SELECT b IN (SELECT a FROM t) FROM t").await;
    assert!(types.starts_with("TYPE_MISMATCH"), "{types}");
}
