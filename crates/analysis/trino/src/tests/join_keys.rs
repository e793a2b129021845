//! Joins whose keys filter the scans below them give the same rows as joins of the same rows in files that nothing filters.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::physical_plan::displayable;

use super::fixture::{Fixture, parsed};
use crate::catalog::{Format, TextFormat};
use crate::engine::physical;

const TABLES: [(&str, i64); 4] = [("big", 40_000), ("middle", 3_000), ("small", 200), ("tiny", 10)];

/// The columns of a row: a number of its own, two numbers that are others' own, and something else.
fn row(table: usize, row: i64) -> [Option<i64>; 4] {
    let scattered = (row + 7 * table as i64).wrapping_mul(2_654_435_761) >> 7;
    let up = |rows: i64| scattered.rem_euclid(rows + rows / 10);
    [
        (row % 97 != 13).then_some(row),
        (row % 11 != 3).then(|| up(TABLES[(table + 1).min(3)].1)),
        (row % 13 != 5).then(|| up(TABLES[(table + 2).min(3)].1)),
        Some(scattered.rem_euclid(100)),
    ]
}

/// Each table twice: as Parquet under its name, and as text with an `x` behind.
async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    for (place, (name, rows)) in TABLES.into_iter().enumerate() {
        let columns = ["id", "a", "b", "v"];
        let types = columns.map(|column| (column, "bigint"));
        let rows: Vec<_> = (0..rows).map(|number| row(place, number)).collect();
        let arrays =
            (0..4).map(|column| Arc::new(rows.iter().map(|row| row[column]).collect::<Int64Array>()) as ArrayRef);
        let named = columns.into_iter().zip(arrays).map(|(name, array)| (name, array, true));
        fixture.table(name, &types, &[], Format::Parquet);
        let batch = RecordBatch::try_from_iter_with_nullable(named).unwrap();
        fixture.put_parquet(&format!("{name}/0.parquet"), &batch).await;
        let mut text = String::new();
        for row in rows {
            let cells = row.map(|cell| cell.map_or("\\N".to_owned(), |cell| cell.to_string()));
            writeln!(text, "{}", cells.join(",")).unwrap();
        }
        let format = TextFormat { delimiter: b',', ..TextFormat::default() };
        fixture.table(&format!("{name}x"), &types, &[], Format::Text(format));
        fixture.put(&format!("{name}x/0.csv"), text).await;
    }
    fixture
}

const QUERIES: [&str; 18] = [
    "SELECT count(*), sum(big.v) FROM big{} big JOIN middle{} middle ON big.a = middle.id WHERE middle.v < 5",
    "SELECT count(*), sum(big.v), count(middle.id) FROM big{} big LEFT JOIN middle{} middle ON big.a = middle.id AND middle.v < 5",
    "SELECT count(*), sum(big.v), count(middle.id) FROM middle{} middle LEFT JOIN big{} big ON big.a = middle.id WHERE middle.v < 5",
    "SELECT count(*), sum(big.v), sum(middle.v) FROM (SELECT * FROM middle{} WHERE v < 5) middle FULL JOIN (SELECT * FROM big{} WHERE v > 50) big ON big.a = middle.id",
    "SELECT count(*), sum(v) FROM big{} WHERE a IN (SELECT id FROM middle{} WHERE v < 5)",
    "SELECT count(*), sum(v) FROM big{} WHERE a NOT IN (SELECT id FROM middle{} WHERE v < 5 AND id IS NOT NULL)",
    "SELECT count(*), sum(v) FROM big{} WHERE a NOT IN (SELECT id FROM middle{} WHERE v < 5)",
    "SELECT count(*), sum(v) FROM middle{} m WHERE v < 5 AND NOT EXISTS (SELECT 1 FROM big{} b WHERE b.a = m.id AND b.v > 90)",
    "SELECT count(*), sum(v) FROM middle{} m WHERE v < 5 AND EXISTS (SELECT 1 FROM big{} b WHERE b.a = m.id AND b.v > m.v)",
    "SELECT count(*), sum(b.v + m.v + s.v) FROM tiny{} t JOIN small{} s ON s.a = t.id JOIN middle{} m ON m.a = s.id JOIN big{} b ON b.a = m.id WHERE t.v < 50",
    "SELECT count(*), sum(b.v) FROM big{} b JOIN middle{} m ON b.a = m.id JOIN small{} s ON m.a = s.id AND b.b = s.id JOIN tiny{} t ON s.a = t.id WHERE t.v < 40",
    "SELECT count(*), sum(m.v * x.s) FROM middle{} m JOIN (SELECT a, sum(v) s, count(*) c FROM big{} GROUP BY a) x ON x.a = m.id AND x.c > 5 WHERE m.v < 10",
    "SELECT count(*), sum(v) FROM middle{} m WHERE v < 10 AND v < (SELECT 0.2 * avg(v) FROM big{} b WHERE b.a = m.id)",
    "SELECT count(*), sum(x.v) FROM small{} s JOIN (SELECT a, v FROM middle{} UNION ALL SELECT b, v FROM big{}) x ON x.a = s.id WHERE s.v < 20",
    "SELECT count(*), sum(b.v), count(s.id) FROM middle{} m LEFT JOIN small{} s ON m.a = s.id JOIN big{} b ON b.a = m.id AND b.b = s.id WHERE m.v < 30",
    "SELECT count(*), sum(y.v) FROM tiny{} t JOIN (SELECT s.a, m.v FROM small{} s RIGHT JOIN middle{} m ON m.a = s.id) y ON y.a = t.id WHERE t.v < 60",
    "SELECT count(*), sum(b.v) FROM big{} b, middle{} m WHERE b.a = m.id AND m.v < 5 AND b.id < (SELECT 0.9 * avg(id) FROM big{} x WHERE x.a = m.id)",
    "SELECT count(*), sum(b.v) FROM big{} b, middle{} m, small{} s WHERE b.a = m.id AND m.v < 5 AND b.b = s.id AND s.v < 50 AND b.id < (SELECT 0.9 * avg(id) FROM big{} x WHERE x.a = m.id)",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_drop_only_what_joins_would() {
    let fixture = fixture().await;
    for query in QUERIES {
        let expected = fixture.rows(&query.replace("{}", "x")).await.unwrap();
        for _ in 0..3 {
            assert_eq!(fixture.rows(&query.replace("{}", "")).await.unwrap(), expected, "{query}");
        }
        assert!(!expected[0].starts_with("0|"), "{query}");
    }
}

async fn plan(fixture: &Fixture, query: &str) -> String {
    let query = parsed(&query.replace("{}", ""));
    let analysis = fixture.engine.analysis(&fixture.session, &Arc::default(), &query).await.unwrap();
    let state = fixture.engine.state(&fixture.session).unwrap();
    let plan = physical(&state, &analysis.plan).await.unwrap();
    displayable(plan.as_ref()).indent(false).to_string()
}

#[tokio::test]
async fn keys_filter_through_joins_and_aggregations() {
    let fixture = fixture().await;
    let none = plan(&fixture, QUERIES[3]).await;
    assert!(!none.contains("AmongKeys"), "{none}");
    for (query, columns) in [(QUERIES[0], 1), (QUERIES[9], 3), (QUERIES[11], 1)] {
        let plan = plan(&fixture, query).await;
        assert!(plan.matches("AmongKeys(").count() >= columns, "{plan}");
    }
}

#[tokio::test]
async fn what_has_not_all_that_is_needed_is_not_recalled() {
    let fixture = fixture().await;
    for query in [QUERIES[12], QUERIES[17]] {
        let plan = plan(&fixture, query).await;
        assert!(!plan.contains("RecallExec"), "{plan}");
    }
}

#[tokio::test]
async fn what_repeats_itself_is_filtered_by_no_keys_of_before() {
    let fixture = fixture().await;
    let sql = "WITH RECURSIVE r (id, n) AS (
            SELECT id, 1 FROM small{} WHERE id < 3
            UNION ALL SELECT m.id, n + 1 FROM r JOIN middle{} m ON m.a = r.id WHERE n < 3
        ) SELECT n, count(*), sum(id) FROM r GROUP BY n ORDER BY n";
    let expected = fixture.rows(&sql.replace("{}", "x")).await.unwrap();
    assert!(expected.len() > 1);
    assert_eq!(fixture.rows(&sql.replace("{}", "")).await.unwrap(), expected);
}
