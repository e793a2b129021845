//! MATCH_RECOGNIZE.

use std::time::Duration;

use futures::StreamExt;

use super::fixture::{Fixture, parsed};

/// Prices of two shares, day by day.
const PRICES: &str =
    "(VALUES ('a', 1, 10), ('a', 2, 8), ('a', 3, 6), ('a', 4, 7), ('a', 5, 9), ('a', 6, 5), ('a', 7, 4),
    ('a', 8, 6), ('b', 1, 5), ('b', 2, 4), ('b', 3, 3)) AS t (sym, d, p)";

/// What is recognised in the prices.
fn prices(clauses: &str) -> String {
    format!("SELECT * FROM {PRICES} MATCH_RECOGNIZE (PARTITION BY sym ORDER BY d {clauses}) AS m ORDER BY 1, 2")
}

const DOWN_UP: &str = "PATTERN (A DOWN+ UP+) DEFINE DOWN AS p < PREV(p), UP AS UP.p > PREV(UP.p)";

async fn check(cases: &[(String, &[&str])]) {
    let fixture = Fixture::new();
    for (sql, expected) in cases {
        let rows = fixture.rows(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(rows, *expected, "{sql}");
    }
}

#[tokio::test]
async fn one_row_tells_of_a_match() {
    check(&[
        (
            prices(&format!(
                "MEASURES FIRST(d) AS since, LAST(DOWN.p) AS low, UP.p AS high, MATCH_NUMBER() AS n, count(*) AS days,
                     CLASSIFIER() AS label, count(DOWN.*) + 0 AS downs, LAST(DOWN.p, 1) AS before_low,
                     FIRST(p, 1) AS second, PREV(FIRST(p)) AS before, NEXT(LAST(p)) AS after, NEXT(p, 0) AS same {DOWN_UP}"
            )),
            &["a|1|6|9|1|5|UP|2|8|8|NULL|5|9", "a|6|4|6|2|3|UP|1|NULL|4|9|NULL|6"],
        ),
        (
            prices(
                "MEASURES avg(U.p) AS mean, CLASSIFIER(U) AS label, array_agg(CLASSIFIER(U)) AS labels,
                     max_by(U.d, U.p) AS best, sum(p * MATCH_NUMBER()) AS weighted
                 PATTERN (A DOWN+ UP+) SUBSET U = (DOWN, A) DEFINE DOWN AS p < PREV(p), UP AS p > PREV(p)",
            ),
            &["a|4.5|DOWN|[A, DOWN]|6|30", "a|8.0|DOWN|[A, DOWN, DOWN]|1|40"],
        ),
        // Without partitions and an order the rows come as they are.
        (
            "SELECT * FROM (VALUES 1, 2, 3) AS t (x) MATCH_RECOGNIZE (MEASURES sum(x) AS total PATTERN (A+) DEFINE A AS true)"
                .to_owned(),
            &["6"],
        ),
        (
            "SELECT total, m.top FROM (VALUES 1, 2, 3) AS t (x) MATCH_RECOGNIZE (ORDER BY x DESC MEASURES sum(x), x
                 PATTERN (A+) DEFINE A AS true) AS m (total, top)"
                .replace("sum(x), x", "sum(x) AS a, FIRST(x) AS b"),
            &["6|3"],
        ),
        ("SELECT count(*) FROM (SELECT 1 AS x WHERE false) MATCH_RECOGNIZE (MEASURES x AS y PATTERN (A*) DEFINE A AS true)".to_owned(), &["0"]),
    ])
    .await;
}

#[tokio::test]
async fn all_rows_have_their_own_measures() {
    let measures = "MEASURES MATCH_NUMBER() AS n, CLASSIFIER() AS label, DOWN.p AS low, FINAL LAST(UP.p) AS high,
        RUNNING count(*) AS days, FINAL count(UP.*) AS ups, array_agg(d) AS so_far";
    let first: &[&str] = &[
        "a|1|1|A|NULL|9|1|2|[1]|10",
        "a|2|1|DOWN|8|9|2|2|[1, 2]|8",
        "a|3|1|DOWN|6|9|3|2|[1, 2, 3]|6",
        "a|4|1|UP|6|9|4|2|[1, 2, 3, 4]|7",
        "a|5|1|UP|6|9|5|2|[1, 2, 3, 4, 5]|9",
        "a|6|2|A|NULL|6|1|1|[6]|5",
        "a|7|2|DOWN|4|6|2|1|[6, 7]|4",
        "a|8|2|UP|4|6|3|1|[6, 7, 8]|6",
    ];
    let unmatched = [
        first,
        &[
            "b|1|NULL|NULL|NULL|NULL|NULL|NULL|NULL|5",
            "b|2|NULL|NULL|NULL|NULL|NULL|NULL|NULL|4",
            "b|3|NULL|NULL|NULL|NULL|NULL|NULL|NULL|3",
        ],
    ]
    .concat();
    check(&[
        (prices(&format!("{measures} ALL ROWS PER MATCH {DOWN_UP}")), first),
        (prices(&format!("{measures} ALL ROWS PER MATCH WITH UNMATCHED ROWS {DOWN_UP}")), &unmatched),
        (
            prices(&format!(
                "MEASURES count(*) AS days ALL ROWS PER MATCH {}",
                DOWN_UP.replace("DOWN+ UP+", "{- DOWN+ -} UP+")
            )),
            &["a|1|1|10", "a|4|4|7", "a|5|5|9", "a|6|1|5", "a|8|3|6"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn matches_without_rows_are_shown_or_omitted() {
    let never = "PATTERN (A*) DEFINE A AS p > 8";
    let measures = "MEASURES MATCH_NUMBER() AS n, count(*) AS days, CLASSIFIER() AS label, LAST(p) AS last, 7 AS seven";
    check(&[
        (
            format!(
                "SELECT sym, n, days, label, last, seven FROM {PRICES} MATCH_RECOGNIZE (PARTITION BY sym ORDER BY d {measures} {never})
                 WHERE sym = 'a' ORDER BY n"
            ),
            &[
                "a|1|1|A|10|7",
                "a|2|0|NULL|NULL|7",
                "a|3|0|NULL|NULL|7",
                "a|4|0|NULL|NULL|7",
                "a|5|1|A|9|7",
                "a|6|0|NULL|NULL|7",
                "a|7|0|NULL|NULL|7",
                "a|8|0|NULL|NULL|7",
            ],
        ),
        (
            prices(&format!("{measures} ALL ROWS PER MATCH OMIT EMPTY MATCHES {never}")),
            &["a|1|1|1|A|10|7|10", "a|5|5|1|A|9|7|9"],
        ),
        (
            prices(&format!("{measures} ALL ROWS PER MATCH {never}")).replace("ORDER BY 1, 2", "WHERE d < 3 ORDER BY 1, 2"),
            &["a|1|1|1|A|10|7|10", "a|2|2|0|NULL|NULL|7|8", "b|1|1|0|NULL|NULL|7|5", "b|2|2|0|NULL|NULL|7|4"],
        ),
        // Measures of rows without a match are NULL, whatever they are.
        (
            prices("MEASURES 7 AS seven ALL ROWS PER MATCH WITH UNMATCHED ROWS PATTERN (A) DEFINE A AS p = 10")
                .replace("ORDER BY 1, 2", "WHERE d < 3 ORDER BY 1, 2"),
            &["a|1|7|10", "a|2|NULL|8", "b|1|NULL|5", "b|2|NULL|4"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_search_goes_on_where_it_is_told() {
    let since = "MEASURES FIRST(d) AS since, LAST(d) AS until";
    let down = "PATTERN (A B+) DEFINE B AS p < PREV(p)";
    check(&[
        (prices(&format!("{since} {down}")), &["a|1|3", "a|5|7", "b|1|3"]),
        (
            prices(&format!("{since} AFTER MATCH SKIP TO NEXT ROW {down}")),
            &["a|1|3", "a|2|3", "a|5|7", "a|6|7", "b|1|3", "b|2|3"],
        ),
        (
            prices(&format!("{since} AFTER MATCH SKIP TO FIRST B {down}")),
            &["a|1|3", "a|2|3", "a|5|7", "a|6|7", "b|1|3", "b|2|3"],
        ),
        (prices(&format!("{since} AFTER MATCH SKIP TO B {down}")), &["a|1|3", "a|5|7", "b|1|3"]),
        (
            prices(&format!("{since} AFTER MATCH SKIP TO LAST U {down}")).replace("DEFINE", "SUBSET U = (B) DEFINE"),
            &["a|1|3", "a|5|7", "b|1|3"],
        ),
        // A row that an earlier match has is not unmatched.
        (
            prices(
                "MEASURES MATCH_NUMBER() AS n ALL ROWS PER MATCH WITH UNMATCHED ROWS AFTER MATCH SKIP TO NEXT ROW
                    PATTERN (A B) DEFINE B AS p = 8",
            )
            .replace("ORDER BY 1, 2", "WHERE sym = 'a' AND d < 5 ORDER BY 1, 2"),
            &["a|1|1|10", "a|2|1|8", "a|3|NULL|6", "a|4|NULL|7"],
        ),
    ])
    .await;
    let fixture = Fixture::new();
    let error = fixture.error(&prices(&format!("MEASURES 1 AS one AFTER MATCH SKIP TO FIRST A {down}"))).await;
    assert_eq!(error, "GENERIC_USER_ERROR: AFTER MATCH SKIP failed: cannot skip to first row of match");
    let error =
        fixture.error(&prices("MEASURES 1 AS one AFTER MATCH SKIP TO C PATTERN (A C?) DEFINE C AS p > 99")).await;
    assert_eq!(error, "GENERIC_USER_ERROR: AFTER MATCH SKIP failed: pattern variable is not present in match");
}

#[tokio::test]
async fn conditions_look_at_what_matched_so_far() {
    let counted = "MEASURES FIRST(d) AS since, count(*) AS days";
    check(&[
        (prices(&format!("{counted} PATTERN (A+) DEFINE A AS sum(A.p) < 25")), &["a|1|3", "a|4|3", "a|7|2", "b|1|3"]),
        (prices(&format!("{counted} PATTERN (A+) DEFINE A AS count(*) <= 3")), &["a|1|3", "a|4|3", "a|7|2", "b|1|3"]),
        (prices(&format!("{counted} PATTERN (A B*) DEFINE B AS p < FIRST(A.p)")), &["a|1|8", "b|1|3"]),
        (prices(&format!("{counted} PATTERN (A B* C) DEFINE B AS p < A.p, C AS C.p > LAST(B.p, 1)")), &["a|1|8"]),
        (prices(&format!("{counted} PATTERN (A+) DEFINE A AS MATCH_NUMBER() = 1 OR p > 5")), &["a|1|8", "b|1|3"]),
        (
            prices(&format!("{counted} PATTERN ((A | B)+) DEFINE A AS p > 6, B AS PREV(CLASSIFIER()) = 'A' AND p > 3")),
            &["a|1|6"],
        ),
        (
            prices(&format!("{counted} PATTERN (A B) DEFINE B AS array_agg(CLASSIFIER()) = ARRAY['A', 'B'] AND d = 2")),
            &["a|1|2", "b|1|2"],
        ),
        (
            prices(&format!("{counted} PATTERN (A DOWN+? UP) DEFINE DOWN AS p < PREV(p), UP AS p > PREV(p)")),
            &["a|1|4", "a|5|4"],
        ),
        (prices(&format!("{counted} PATTERN (^ A B) DEFINE B AS p < PREV(p)")), &["a|1|2", "b|1|2"]),
        (prices(&format!("{counted} PATTERN (A B $) DEFINE B AS p < PREV(p)")), &["b|2|2"]),
        (prices(&format!("{counted} PATTERN (PERMUTE(X, Y)) DEFINE X AS p = 8, Y AS p = 10")), &["a|1|2"]),
        (prices(&format!("{counted} PATTERN (A{{2}} B{{1,2}}) DEFINE A AS p > 5, B AS p > 5")), &["a|1|4"]),
        (prices(&format!("{counted} PATTERN (A) DEFINE A AS NEXT(p, 2) > p AND PREV(p) IS NULL OR NULL")), &[]),
        (prices(&format!("{counted} PATTERN (\"a\" A) DEFINE \"a\" AS p = 10, A AS A.p < \"a\".p")), &["a|1|2"]),
        // What is never asked about doesn't fail.
        (prices(&format!("{counted} PATTERN (^ A) DEFINE A AS 1 / (d - 2) < 0")), &["a|1|1", "b|1|1"]),
    ])
    .await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let fixture = Fixture::new();
    let cases = [
        ("PATTERN (A) DEFINE B AS true", "INVALID_LABEL: defined variable: B is not a primary pattern variable"),
        ("PATTERN (A) DEFINE A AS true, a AS false", "INVALID_LABEL: pattern variable with name: a is defined twice"),
        (
            "PATTERN (A) DEFINE A AS p",
            "TYPE_MISMATCH: Expression defining a label must be boolean (actual type: integer)",
        ),
        (
            "PATTERN (A) DEFINE A AS FINAL LAST(p) > 1",
            "INVALID_PROCESSING_MODE: FINAL semantics is not supported in DEFINE clause",
        ),
        (
            "PATTERN (A) SUBSET A = (A) DEFINE A AS true",
            "INVALID_LABEL: union pattern variable name: A is a duplicate of primary pattern variable name",
        ),
        (
            "PATTERN (A) SUBSET U = (B) DEFINE A AS true",
            "INVALID_LABEL: subset element: B is not a primary pattern variable",
        ),
        (
            "AFTER MATCH SKIP TO B PATTERN (A) DEFINE A AS true",
            "INVALID_LABEL: B is not a primary or union pattern variable",
        ),
        (
            "PATTERN (A{3,2}) DEFINE A AS true",
            "INVALID_RANGE: Pattern quantifier lower bound must not exceed upper bound",
        ),
        (
            "PATTERN (A{0}) DEFINE A AS true",
            "NUMERIC_VALUE_OUT_OF_RANGE: Pattern quantifier upper bound must be greater than or equal to 1",
        ),
        (
            "ALL ROWS PER MATCH WITH UNMATCHED ROWS PATTERN ({- A -}) DEFINE A AS true",
            "INVALID_ROW_PATTERN: Pattern exclusion syntax is not allowed when ALL ROWS PER MATCH WITH UNMATCHED ROWS is specified",
        ),
        (
            "MEASURES LAST(PREV(p)) AS x PATTERN (A) DEFINE A AS true",
            "INVALID_NAVIGATION_NESTING: Cannot nest PREV pattern navigation function inside LAST pattern navigation function",
        ),
        (
            "MEASURES PREV(1 + LAST(p)) AS x PATTERN (A) DEFINE A AS true",
            "INVALID_NAVIGATION_NESTING: Immediate nesting is required for pattern navigation functions",
        ),
        (
            "MEASURES PREV(1) AS x PATTERN (A) DEFINE A AS true",
            "INVALID_ARGUMENTS: Pattern navigation function 'PREV' must contain at least one column reference or CLASSIFIER()",
        ),
        (
            "MEASURES PREV(p, -1) AS x PATTERN (A) DEFINE A AS true",
            "NUMERIC_VALUE_OUT_OF_RANGE: PREV pattern recognition navigation function requires a non-negative number as the second argument (actual: -1)",
        ),
        (
            "MEASURES LAST(A.p + B.p) AS x PATTERN (A B) DEFINE A AS true",
            "INVALID_ARGUMENTS: Column references inside argument of function LAST must all either be prefixed with the same label or be not prefixed",
        ),
        (
            "MEASURES sum(LAST(p)) AS x PATTERN (A) DEFINE A AS true",
            "INVALID_NAVIGATION_NESTING: Cannot nest LAST pattern navigation function inside sum function",
        ),
        (
            "MEASURES LAST(sum(p)) AS x PATTERN (A) DEFINE A AS true",
            "NESTED_AGGREGATION: Cannot nest sum aggregate function inside LAST function",
        ),
        (
            "MEASURES sum(DISTINCT p) AS x PATTERN (A) DEFINE A AS true",
            "NOT_SUPPORTED: Cannot use DISTINCT with sum aggregate function in pattern recognition context",
        ),
        (
            "MEASURES sum(A.*) AS x PATTERN (A) DEFINE A AS true",
            "INVALID_FUNCTION_ARGUMENT: label.* syntax is only supported as the only argument of row pattern count function",
        ),
        (
            "MEASURES CLASSIFIER(X) AS x PATTERN (A) DEFINE A AS true",
            "INVALID_FUNCTION_ARGUMENT: X is not a primary pattern variable or subset name",
        ),
        (
            "MEASURES RUNNING abs(p) AS x PATTERN (A) DEFINE A AS true",
            "INVALID_PROCESSING_MODE: RUNNING semantics is supported only for FIRST(), LAST() and aggregation functions in row pattern recognition. Actual: abs",
        ),
        (
            "MEASURES A.nothing AS x PATTERN (A) DEFINE A AS true",
            "COLUMN_NOT_FOUND: Column nothing prefixed with label A cannot be resolved",
        ),
        ("MEASURES t.p AS x PATTERN (A) DEFINE A AS true", "COLUMN_NOT_FOUND: Column 't.p' cannot be resolved"),
        (
            "MEASURES rank() OVER () AS x PATTERN (A) DEFINE A AS true",
            "NESTED_WINDOW: Cannot nest window functions or row pattern measures inside pattern recognition expressions",
        ),
        (
            "MEASURES p OVER w AS x PATTERN (A) DEFINE A AS true",
            "NESTED_WINDOW: Cannot nest window functions or row pattern measures inside pattern recognition expressions",
        ),
        (
            "MEASURES transform(ARRAY[1], q -> q + p) AS x PATTERN (A) DEFINE A AS true",
            "NOT_SUPPORTED: Lambda expression in pattern recognition context is not yet supported",
        ),
        (
            "MEASURES 1 AS x PATTERN (A) DEFINE A AS p < (SELECT max(y) FROM (VALUES 1) AS u (y) WHERE y < p)",
            "NOT_SUPPORTED: Reference to column 'p' from outer scope not allowed in this context",
        ),
        (
            "MEASURES 1 AS x PATTERN (A) DEFINE A AS A.p IN (SELECT 1)",
            "NOT_SUPPORTED: IN-PREDICATE with labeled column reference is not yet supported",
        ),
        (
            "MEASURES 1 AS x PATTERN (A) DEFINE A AS CLASSIFIER() IN (SELECT 'A')",
            "NOT_SUPPORTED: IN-PREDICATE with classifier function is not yet supported",
        ),
    ];
    for (clauses, expected) in cases {
        let error = fixture.error(&prices(clauses)).await;
        let (code, rest) = error.split_once(": ").unwrap();
        let message =
            rest.strip_prefix("line ").and_then(|rest| rest.split_once(": ")).map_or(rest, |(_, message)| message);
        assert_eq!(format!("{code}: {message}"), expected, "{clauses}");
    }
    for (sql, expected) in [
        (
            "SELECT * FROM (VALUES 1) t (x) MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS true)",
            "pattern recognition output table has no columns",
        ),
        (
            "SELECT * FROM (VALUES 1) t (x) MATCH_RECOGNIZE (ORDER BY x + 1 PATTERN (A) DEFINE A AS true)",
            "Expected column reference. Actual: x + 1",
        ),
        ("SELECT RUNNING count(*) FROM (VALUES 1)", "RUNNING semantics is supported only for"),
        ("SELECT count(t.*) FROM (VALUES 1) t (x)", "label.* syntax is only supported"),
    ] {
        let error = fixture.error(sql).await;
        assert!(error.contains(expected), "{sql}: {error}");
    }
}

#[tokio::test]
async fn many_rows_are_looked_through_in_their_partitions() {
    check(&[
        (
            "SELECT count(*), sum(days), min(days), max(days) FROM
             (SELECT n % 1000 AS k, n AS d FROM TABLE(sequence(0, 49999)) AS t (n))
             MATCH_RECOGNIZE (PARTITION BY k ORDER BY d MEASURES count(*) AS days PATTERN (A B{0,9}) DEFINE A AS true)"
                .to_owned(),
            &["5000|50000|10|10"],
        ),
        (
            "SELECT count(*), max(so_far), count(DISTINCT first) FROM TABLE(sequence(1, 40000)) AS t (n)
             MATCH_RECOGNIZE (ORDER BY n MEASURES sum(n) AS so_far, FIRST(A.n) AS first ALL ROWS PER MATCH PATTERN (A B*) DEFINE A AS n > 0)"
                .to_owned(),
            &["40000|800020000|1"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_partition_that_does_not_fit_into_memory_fails() {
    let fixture = Fixture::with_memory(4 << 20);
    let error = fixture
        .error(
            "SELECT count(*) FROM TABLE(sequence(1, 2000000)) AS t (n)
             MATCH_RECOGNIZE (ORDER BY n MEASURES LAST(n) AS x PATTERN (A+) DEFINE A AS n > 0)",
        )
        .await;
    assert!(error.starts_with("EXCEEDED_MEMORY_LIMIT"), "{error}");
}

/// A search that tries all ways gives way to others while it does, so that it can be stopped.
#[tokio::test]
async fn an_endless_search_can_be_stopped() {
    let fixture = Fixture::new();
    let sql = "SELECT * FROM UNNEST(sequence(1, 60)) AS t (n) MATCH_RECOGNIZE (ORDER BY n MEASURES LAST(n) AS x
        PATTERN ((A+)+ B) DEFINE A AS n >= FIRST(A.n), B AS count(*) < 0)";
    let mut stream = fixture.engine.query(&fixture.session, &parsed(sql)).await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(300), stream.next()).await;
    assert!(waited.is_err(), "the search ended");
    drop(stream);
    while fixture.engine.reserved_memory() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn subqueries_answer_for_each_row() {
    check(&[
        (
            prices(
                "MEASURES (SELECT 7) AS seven, FIRST(d) AS since, sum(p + (SELECT 1)) AS more, count_if(p IN (SELECT 8 UNION ALL SELECT 6)) AS hits
                 PATTERN (A B+) DEFINE B AS p < (SELECT 9) AND EXISTS (SELECT 1) AND p NOT IN (SELECT 7)",
            ),
            &["a|7|1|27|2", "a|7|5|28|1", "b|7|1|15|0"],
        ),
        (
            prices(
                "MEASURES PREV(p + (SELECT 1)) AS before, p > ALL (SELECT 5) AS above ALL ROWS PER MATCH
                 PATTERN (A B+) DEFINE B AS p < PREV(p + (SELECT -1))",
            ),
            &["a|1|NULL|true|10", "a|2|11|true|8", "a|3|9|true|6", "a|5|8|true|9", "a|6|10|false|5"],
        ),
        // Where a match has no rows there is no row that an answer belongs to.
        (
            "SELECT * FROM (VALUES 1) AS t (x) MATCH_RECOGNIZE (MEASURES (SELECT 7) AS a, 7 AS b PATTERN (A*) DEFINE A AS x > 1)"
                .to_owned(),
            &["NULL|7"],
        ),
    ])
    .await;
}

/// What windows give that recognise in the prices of one share.
fn windows(columns: &str, window: &str) -> String {
    format!(
        "SELECT d, {columns} FROM {PRICES} WHERE sym = 'a' WINDOW w AS (PARTITION BY sym ORDER BY d {window}) ORDER BY d"
    )
}

const FRAME: &str = "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING";

#[tokio::test]
async fn a_window_is_reduced_to_its_match() {
    let measures = "MEASURES CLASSIFIER() AS label, LAST(DOWN.p) AS low, count(*) AS days, 7 AS seven";
    check(&[
        (
            windows("label OVER w, low OVER w, days OVER w, seven OVER w, count(*) OVER w, array_agg(p) OVER w, sum(p + 1) OVER w,
                     first_value(p) OVER w, last_value(d) OVER w, nth_value(p, 2) OVER w, row_number() OVER w",
                &format!("{measures} {FRAME} {DOWN_UP}")),
            &[
                "1|UP|6|5|7|5|[10, 8, 6, 7, 9]|45|10|5|8|1",
                "2|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|NULL|2",
                "3|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|NULL|3",
                "4|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|NULL|4",
                "5|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|NULL|5",
                "6|UP|4|3|7|3|[5, 4, 6]|18|5|8|4|6",
                "7|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|NULL|7",
                "8|NULL|NULL|NULL|NULL|0|NULL|NULL|NULL|NULL|NULL|8",
            ],
        ),
        // A match without rows has constants and counts; no row is looked at before the frame.
        (
            windows("days OVER w, seven OVER w, label OVER w, max(p) OVER w",
                &format!("MEASURES CLASSIFIER() AS label, count(*) AS days, 7 AS seven {FRAME} AFTER MATCH SKIP TO NEXT ROW
                          PATTERN (A*) DEFINE A AS p < COALESCE(PREV(p), 9)")),
            &["1|0|7|NULL|NULL", "2|2|7|A|8", "3|1|7|A|6", "4|1|7|A|7", "5|0|7|NULL|NULL", "6|2|7|A|5", "7|1|7|A|4", "8|1|7|A|6"],
        ),
        // SEEK finds a match that begins later; FOLLOWING may differ from row to row.
        (
            windows("days OVER w, first_value(d) OVER w, after OVER w",
                "MEASURES count(*) AS days, NEXT(d) AS after ROWS BETWEEN CURRENT ROW AND 3 FOLLOWING AFTER MATCH SKIP TO NEXT ROW SEEK
                 PATTERN (A B) DEFINE B AS p < PREV(p)"),
            &["1|2|1|3", "2|2|2|4", "3|2|5|NULL", "4|2|5|7", "5|2|5|7", "6|2|6|8", "7|NULL|NULL|NULL", "8|NULL|NULL|NULL"],
        ),
        (
            windows("count(*) OVER w", "ROWS BETWEEN CURRENT ROW AND d - 1 FOLLOWING AFTER MATCH SKIP TO NEXT ROW PATTERN (A+) DEFINE A AS true"),
            &["1|1", "2|2", "3|3", "4|4", "5|4", "6|3", "7|2", "8|1"],
        ),
        (
            windows("days OVER w", &format!("MEASURES count(*) AS days {FRAME} AFTER MATCH SKIP TO LAST DOWN PATTERN (A DOWN+ UP+) DEFINE DOWN AS p < PREV(p), UP AS p > PREV(p)")),
            &["1|5", "2|NULL", "3|NULL", "4|NULL", "5|4", "6|NULL", "7|NULL", "8|NULL"],
        ),
        (
            format!("SELECT x, first_value(x) IGNORE NULLS OVER w, last_value(x) IGNORE NULLS OVER w, nth_value(x, 2) IGNORE NULLS OVER w,
                     nth_value(x, n) OVER w FROM (VALUES (1, 1), (2, NULL), (3, 3), (2, NULL)) AS t (n, x)
                     WINDOW w AS ({FRAME} AFTER MATCH SKIP TO NEXT ROW PATTERN (A+) DEFINE A AS true)"),
            &["1|1|3|3|1", "NULL|3|3|NULL|3", "3|3|3|NULL|NULL", "NULL|NULL|NULL|NULL|NULL"],
        ),
        // Over groups, and two windows at once.
        (
            format!("SELECT sym, x OVER w, sum(sum(p)) OVER w, y OVER (ORDER BY sum(p) MEASURES FIRST(sym) AS y {FRAME} PATTERN (A) DEFINE A AS (SELECT true))
                     FROM {PRICES} GROUP BY sym WINDOW w AS (ORDER BY sym MEASURES LAST(sym) AS x {FRAME} PATTERN (A+) DEFINE A AS sym > 'A') ORDER BY 1"),
            &["a|b|67|a", "b|NULL|NULL|b"],
        ),
    ])
    .await;
}

#[tokio::test]
async fn windows_that_recognise_are_refused_as_trino_does() {
    let fixture = Fixture::new();
    let a = "PATTERN (A) DEFINE A AS true";
    let cases = [
        (
            "count(*) OVER w",
            format!("{FRAME} PATTERN (A)"),
            "MISSING_VARIABLE_DEFINITIONS: Pattern recognition requires DEFINE clause",
        ),
        (
            "count(*) OVER w",
            format!("RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING {a}"),
            "INVALID_WINDOW_FRAME: Pattern recognition requires ROWS frame type",
        ),
        (
            "count(*) OVER w",
            format!("ROWS CURRENT ROW {a}"),
            "INVALID_WINDOW_FRAME: Pattern recognition requires frame specified as BETWEEN CURRENT ROW AND ...",
        ),
        (
            "count(*) OVER w",
            format!("ROWS BETWEEN CURRENT ROW AND 1 PRECEDING {a}"),
            "INVALID_WINDOW_FRAME: Window frame starting from CURRENT ROW cannot end with PRECEDING",
        ),
        (
            "count(*) OVER w",
            format!("ROWS BETWEEN CURRENT ROW AND -1 FOLLOWING {a}"),
            "INVALID_WINDOW_FRAME: Window frame offset value must not be negative or null",
        ),
        (
            "x OVER w",
            format!("MEASURES 1 AS x {FRAME}"),
            "MISSING_ROW_PATTERN: Row pattern measures require PATTERN clause",
        ),
        (
            "count(*) OVER w",
            format!("{FRAME} AFTER MATCH SKIP TO NEXT ROW"),
            "MISSING_ROW_PATTERN: AFTER MATCH SKIP clause requires PATTERN clause",
        ),
        ("count(*) OVER w", format!("{FRAME} SEEK"), "MISSING_ROW_PATTERN: SEEK modifier requires PATTERN clause"),
        (
            "count(*) OVER w",
            format!("{FRAME} SUBSET U = (A)"),
            "MISSING_ROW_PATTERN: Union variable definitions require PATTERN clause",
        ),
        (
            "count(*) OVER w",
            format!("{FRAME} DEFINE A AS true"),
            "MISSING_ROW_PATTERN: Primary pattern variable definitions require PATTERN clause",
        ),
        (
            "nothing OVER w",
            format!("{FRAME} {a}"),
            "INVALID_WINDOW_MEASURE: Measure nothing is not defined in the corresponding window",
        ),
        (
            "nothing OVER w",
            String::new(),
            "INVALID_WINDOW_MEASURE: Measure nothing is not defined in the corresponding window",
        ),
        (
            "x OVER w",
            format!("MEASURES 1 AS x, 2 AS X {FRAME} {a}"),
            "AMBIGUOUS_NAME: Measure x is defined more than once",
        ),
        (
            "x OVER w",
            format!("MEASURES MATCH_NUMBER() AS x {FRAME} {a}"),
            "INVALID_PATTERN_RECOGNITION_FUNCTION: MATCH_NUMBER function is not supported in window",
        ),
        (
            "x OVER w",
            format!("MEASURES sum(p) OVER () AS x {FRAME} {a}"),
            "NESTED_WINDOW: Cannot nest window functions or row pattern measures inside window specification",
        ),
        (
            "count(*) OVER w",
            format!("{FRAME} PATTERN (^ A $) DEFINE A AS true"),
            "INVALID_ROW_PATTERN: Anchor pattern syntax is not allowed in window",
        ),
        ("lag(p) OVER w", format!("{FRAME} {a}"), "INVALID_WINDOW_FRAME: Cannot specify window frame for lag function"),
        (
            "count(*) OVER (w)",
            format!("{FRAME} {a}"),
            "INVALID_WINDOW_REFERENCE: Cannot reference named WINDOW containing frame specification",
        ),
        (
            "count(*) OVER (w ORDER BY p)",
            String::new(),
            "INVALID_ORDER_BY: Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY",
        ),
        (
            "sum(x OVER w)",
            format!("MEASURES 1 AS x {FRAME} {a}"),
            "NESTED_WINDOW: Cannot nest window functions or row pattern measures inside aggregation 'sum': [x OVER w]",
        ),
        (
            "count(*) OVER w",
            format!("{FRAME} AFTER MATCH SKIP TO FIRST A {a}"),
            "GENERIC_USER_ERROR: AFTER MATCH SKIP failed: cannot skip to first row of match",
        ),
        ("nth_value(p, 1 - d) OVER w", format!("{FRAME} {a}"), "INVALID_FUNCTION_ARGUMENT: Offset must be at least 1"),
        // Windows that nobody uses are read too.
        (
            "1",
            format!("{FRAME} PATTERN (A) DEFINE A AS nothing"),
            "COLUMN_NOT_FOUND: Column 'nothing' cannot be resolved",
        ),
    ];
    for (columns, window, expected) in &cases {
        let error = fixture.error(&windows(columns, window)).await;
        let (code, rest) = error.split_once(": ").unwrap();
        let message =
            rest.strip_prefix("line ").and_then(|rest| rest.split_once(": ")).map_or(rest, |(_, message)| message);
        assert_eq!(format!("{code}: {message}"), *expected, "{columns} {window}");
    }
    let outer = format!(
        "SELECT (SELECT sum(x) OVER ({FRAME} PATTERN (A) DEFINE A AS x > q) FROM (VALUES 1) AS t (x)) FROM (VALUES 1) AS o (q)"
    );
    assert!(
        fixture.error(&outer).await.contains("Reference to column 'q' from outer scope not allowed in this context")
    );
}
