//! First rows of an order whose wide columns are read last.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::file::properties::WriterProperties;

use super::fixture::Fixture;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

const ROWS: i64 = 30_000;

/// Two files of several row groups each, of a table with a partition key.
async fn fixture() -> Fixture {
    let fixture = Fixture::new();
    let columns = [("id", "bigint"), ("at", "bigint"), ("title", "varchar"), ("url", "varchar"), ("kind", "varchar")];
    fixture.table("t", &columns, &[("day", "varchar")], Format::Parquet);
    for (day, from) in [("mon", 0), ("tue", ROWS)] {
        let ids = from..from + ROWS;
        let texts = |prefix: &str| -> ArrayRef {
            let text = |id: i64| (id % 11 != 0).then(|| format!("{prefix} {id}"));
            Arc::new(ids.clone().map(text).collect::<StringArray>())
        };
        let columns: [(&str, ArrayRef); 5] = [
            ("id", Arc::new(Int64Array::from_iter_values(ids.clone()))),
            // Every number below 2 * ROWS once, in disorder.
            ("at", Arc::new(Int64Array::from_iter_values(ids.clone().map(|id| id * 7_919 % (2 * ROWS))))),
            ("title", texts("title")),
            ("url", texts("http://example.com")),
            ("kind", Arc::new(ids.clone().map(|id| Some(format!("kind {}", id % 3))).collect::<StringArray>())),
        ];
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap();
        let properties = WriterProperties::builder().set_max_row_group_row_count(Some(7_000)).build();
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        fixture.put(&format!("t/{day}/part-0.parquet"), bytes).await;
        fixture.partition("t", &[day], &format!("s3://lake/t/{day}"));
    }
    fixture
}

async fn is_late(fixture: &Fixture, sql: &str) -> bool {
    fixture.explain(sql, Explain::Distributed, ExplainFormat::Text).await.contains("FetchLate")
}

/// The id of the row whose `at` is this.
fn id_at(at: i64) -> i64 {
    (0..2 * ROWS).find(|id| id * 7_919 % (2 * ROWS) == at).unwrap()
}

fn text(prefix: &str, id: i64) -> String {
    if id % 11 == 0 { "NULL".to_owned() } else { format!("{prefix} {id}") }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_columns_of_the_first_rows() {
    let fixture = fixture().await;
    let sql = "SELECT * FROM t ORDER BY at DESC LIMIT 20";
    assert!(is_late(&fixture, sql).await);
    let expected: Vec<String> = (0..20)
        .map(|place| {
            let at = 2 * ROWS - 1 - place;
            let id = id_at(at);
            let day = if id < ROWS { "mon" } else { "tue" };
            format!("{id}|{at}|{}|{}|kind {}|{day}", text("title", id), text("http://example.com", id), id % 3)
        })
        .collect();
    assert_eq!(fixture.rows(sql).await.unwrap(), expected);
    let some = "SELECT title t, at + 1, title || 'x', url FROM t WHERE id % 2 = 0 AND day = 'mon' ORDER BY 2 LIMIT 3";
    assert!(is_late(&fixture, some).await);
    let rows = (0..2 * ROWS).map(|at| (at, id_at(at))).filter(|(_, id)| id % 2 == 0 && *id < ROWS).take(3);
    let expected: Vec<String> = rows
        .map(|(at, id)| {
            let title = text("title", id);
            let longer = if title == "NULL" { title.clone() } else { format!("{title}x") };
            format!("{title}|{}|{longer}|{}", at + 1, text("http://example.com", id))
        })
        .collect();
    assert_eq!(fixture.rows(some).await.unwrap(), expected);
}

#[tokio::test]
async fn what_decides_may_stand_in_dictionaries() {
    let fixture = fixture().await;
    let sql = "SELECT kind, title FROM t WHERE kind = 'kind 2' AND title <> '' ORDER BY at LIMIT 4";
    assert!(!is_late(&fixture, sql).await);
    let sql = "SELECT kind, title, url FROM t WHERE kind = 'kind 2' ORDER BY at LIMIT 4";
    assert!(is_late(&fixture, sql).await);
    let found = (0..2 * ROWS).map(id_at).filter(|id| id % 3 == 2).take(4);
    let expected: Vec<String> =
        found.map(|id| format!("kind 2|{}|{}", text("title", id), text("http://example.com", id))).collect();
    assert_eq!(fixture.rows(sql).await.unwrap(), expected);
}

#[tokio::test]
async fn what_decides_is_not_read_late() {
    let fixture = fixture().await;
    for (sql, late) in [
        ("SELECT title FROM t WHERE url LIKE '%7%' ORDER BY at, url LIMIT 5", true),
        ("SELECT url FROM t WHERE url LIKE '%7%' ORDER BY at LIMIT 5", false),
        ("SELECT url FROM t ORDER BY url LIMIT 5", false),
        ("SELECT id FROM t ORDER BY at LIMIT 5", false),
        ("SELECT title FROM t ORDER BY at LIMIT 5000", false),
        ("SELECT title FROM t ORDER BY at", false),
        ("SELECT title FROM t LIMIT 5", false),
        ("SELECT a.title FROM t a JOIN t b ON a.id = b.id ORDER BY a.at LIMIT 5", false),
    ] {
        assert_eq!(is_late(&fixture, sql).await, late, "{sql}");
    }
    let none = "SELECT title FROM t WHERE url LIKE 'nowhere%' ORDER BY at LIMIT 5";
    assert!(is_late(&fixture, none).await);
    assert!(fixture.rows(none).await.unwrap().is_empty());
}

#[tokio::test]
async fn less_is_read() {
    let fixture = fixture().await;
    let read = async |sql: &str| {
        let stream = fixture.engine.query(&fixture.session, &super::fixture::parsed(sql)).await.unwrap();
        let statistics = Arc::clone(&stream.statistics);
        let _: Vec<RecordBatch> = futures::TryStreamExt::try_collect(stream).await.unwrap();
        statistics.scanned_bytes()
    };
    let (late, at_once) =
        (read("SELECT * FROM t ORDER BY at LIMIT 1").await, read("SELECT * FROM t ORDER BY at").await);
    assert!(late < at_once / 2, "{late} of {at_once} bytes");
}
