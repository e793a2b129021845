//! Texts that files keep in dictionaries, or don't.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use object_store::ObjectStoreExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::fixture::Fixture;
use crate::catalog::Format;
use crate::explain::{Explain, ExplainFormat};

const ROWS: i64 = 30_000;

/// Rows whose kinds are one of three or missing, and whose names are all different.
fn rows(from: i64) -> RecordBatch {
    let numbers = from..from + ROWS;
    let kind = |number: i64| ["red", "green", "blue"].get((number % 4) as usize).copied();
    let kinds: StringArray = numbers.clone().map(kind).collect();
    let names: StringArray = numbers.clone().map(|number| Some(format!("name {number}"))).collect();
    let columns: [(&str, ArrayRef); 3] = [
        ("number", Arc::new(Int64Array::from_iter_values(numbers))),
        ("kind", Arc::new(kinds)),
        ("name", Arc::new(names)),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

async fn put(fixture: &Fixture, path: &str, batch: &RecordBatch, dictionaries: bool) {
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(dictionaries)
        .set_max_row_group_row_count(Some(10_000))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    fixture.store.put(&path.into(), writer.into_inner().unwrap().into()).await.unwrap();
}

async fn fixture(second_has_dictionaries: bool) -> Fixture {
    let fixture = Fixture::new();
    let columns = [("number", "bigint"), ("kind", "varchar"), ("name", "varchar")];
    fixture.table("t", &columns, &[], Format::Parquet);
    put(&fixture, "t/part-0.parquet", &rows(0), true).await;
    put(&fixture, "t/part-1.parquet", &rows(ROWS), second_has_dictionaries).await;
    fixture
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_the_same_with_and_without() {
    for fixture in [fixture(true).await, fixture(false).await] {
        for (condition, expected) in [
            ("kind = 'red'", "15000|0|59996|1"),
            ("kind IN ('green', 'blue', 'black')", "30000|1|59998|2"),
            ("kind IS NULL", "15000|3|59999|0"),
            ("kind IS NOT NULL AND number > 59990", "6|59992|59998|3"),
            ("NOT kind LIKE '%e%'", "0|NULL|NULL|0"),
            ("kind LIKE 'gr%' OR name = 'name 7'", "15001|1|59997|1"),
            ("kind < name AND kind > 'c'", "15000|1|59997|1"),
            ("number < 8 AND (kind = 'blue' OR number = 3)", "3|2|6|1"),
        ] {
            let sql =
                format!("SELECT count(*), min(number), max(number), count(DISTINCT kind) FROM t WHERE {condition}");
            assert_eq!(fixture.rows(&sql).await.unwrap(), [expected], "{condition}");
        }
        let found =
            fixture.sorted("SELECT kind, count(*), max(number + 1) FROM t WHERE number > 3 GROUP BY kind").await;
        assert_eq!(found, ["NULL|14999|60000", "blue|14999|59999", "green|14999|59998", "red|14999|59997"]);
        let found = fixture.sorted("SELECT kind, min(kind), number % 2 FROM t WHERE number > 3 GROUP BY 1, 3").await;
        assert_eq!(found, ["NULL|NULL|1", "blue|blue|0", "green|green|1", "red|red|0"]);
        let found = fixture.sorted("SELECT DISTINCT kind, kind || '!' FROM t WHERE kind <> 'red'").await;
        assert_eq!(found, ["blue|blue!", "green|green!"]);
    }
}

#[tokio::test]
async fn plans_do_not_speak_of_them() {
    let sql = "SELECT number, kind FROM t WHERE kind = 'red'";
    let explain = async |dictionaries| {
        let fixture = fixture(dictionaries).await;
        fixture.explain(sql, Explain::Logical, ExplainFormat::Text).await
    };
    let (with, without) = (explain(true).await, explain(false).await);
    assert!(with.contains("kind\" = 'red'") || with.contains("(\"kind\" = "), "{with}");
    assert_eq!(with.lines().count(), without.lines().count(), "{with}\n{without}");
}
