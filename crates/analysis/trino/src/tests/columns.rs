//! Filters that are answered while files are read, over files of every make.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
};
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};

use super::fixture::Fixture;
use crate::catalog::Format;

const ROWS: i64 = 20_000;

/// A row of the table: what stands in it follows from its id.
#[derive(Clone)]
struct Row {
    id: i64,
    n: Option<i64>,
    word: Option<String>,
    text: String,
    price: i128,
    ratio: f64,
    day: i32,
    part: &'static str,
}

fn row(id: i64, part: &'static str) -> Row {
    let mixed = (id as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
    Row {
        id,
        n: (!mixed.is_multiple_of(7)).then_some((mixed % 1_000) as i64),
        word: (!mixed.is_multiple_of(5)).then(|| format!("word {}", mixed % 13)),
        text: format!("text {mixed}"),
        price: i128::from(mixed % 100_000),
        ratio: mixed as f64 / 7.0,
        day: (id / 100) as i32,
        part,
    }
}

impl Row {
    fn shown(&self) -> String {
        let or_null = |text: Option<String>| text.unwrap_or_else(|| "NULL".to_owned());
        let n = or_null(self.n.map(|n| n.to_string()));
        let price = format!("{}.{:02}", self.price / 100, self.price % 100);
        format!("{}|{n}|{}|{}|{price}|{}", self.id, or_null(self.word.clone()), self.text, self.part)
    }
}

/// A file of those rows; with `narrow` numbers those of 32 bits.
fn file(rows: &[Row], properties: WriterPropertiesBuilder, narrow: bool) -> Vec<u8> {
    let numbers: ArrayRef = match narrow {
        true => Arc::new(rows.iter().map(|row| row.n.map(|n| n as i32)).collect::<Int32Array>()),
        false => Arc::new(rows.iter().map(|row| row.n).collect::<Int64Array>()),
    };
    let prices = Decimal128Array::from_iter_values(rows.iter().map(|row| row.price));
    let columns: [(&str, ArrayRef); 7] = [
        ("id", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.id)))),
        ("n", numbers),
        ("word", Arc::new(rows.iter().map(|row| row.word.clone()).collect::<StringArray>())),
        ("text", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.text)))),
        ("price", Arc::new(prices.with_precision_and_scale(12, 2).unwrap())),
        ("ratio", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.ratio)))),
        ("day", Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.day)))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

/// Files of four makes in two partitions, and their rows.
async fn fixture() -> (Fixture, Vec<Row>) {
    let fixture = Fixture::new();
    let columns = [
        ("id", "bigint"),
        ("n", "bigint"),
        ("word", "varchar"),
        ("text", "varchar"),
        ("price", "decimal(12,2)"),
        ("ratio", "double"),
        ("day", "date"),
        ("none", "bigint"),
    ];
    fixture.table("t", &columns, &[("part", "varchar")], Format::Parquet);
    let small = || WriterProperties::builder().set_max_row_group_row_count(Some(6_000)).set_write_batch_size(100);
    let makes = [
        (small().set_data_page_row_count_limit(500).set_bloom_filter_enabled(true), false),
        (small().set_writer_version(WriterVersion::PARQUET_2_0).set_compression(Compression::SNAPPY), true),
        (small().set_dictionary_enabled(false).set_statistics_enabled(EnabledStatistics::None), false),
        (small().set_dictionary_enabled(false).set_column_encoding("id".into(), Encoding::DELTA_BINARY_PACKED), false),
    ];
    let mut all = Vec::new();
    for (index, (properties, narrow)) in makes.into_iter().enumerate() {
        let part = if index % 2 == 0 { "even" } else { "odd" };
        let from = index as i64 * ROWS;
        let rows: Vec<Row> = (from..from + ROWS).map(|id| row(id, part)).collect();
        fixture.put(&format!("t/{part}/{index}.parquet"), file(&rows, properties, narrow)).await;
        all.extend(rows);
    }
    fixture.partition("t", &["even"], "s3://lake/t/even");
    fixture.partition("t", &["odd"], "s3://lake/t/odd");
    (fixture, all)
}

const ALL: &str = "SELECT id, n, word, text, price, part FROM t";

/// Whether a row is to be left.
type Holds = Box<dyn Fn(&Row) -> bool>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_leave_what_they_should() {
    let (fixture, rows) = fixture().await;
    let holds = |least: i64| move |row: &Row| row.n.is_some_and(|n| n > least);
    let cases: Vec<(&str, Holds)> = vec![
        ("n > 990", Box::new(holds(990))),
        ("n > 990 AND word = 'word 3'", Box::new(move |row| holds(990)(row) && row.word.as_deref() == Some("word 3"))),
        ("word IS NULL AND n IS NULL", Box::new(|row| row.word.is_none() && row.n.is_none())),
        (
            "word LIKE '%1' AND price < 20.00",
            Box::new(|row| row.word.as_ref().is_some_and(|word| word.ends_with('1')) && row.price < 2_000),
        ),
        ("id = 4711 OR text = 'text 5'", Box::new(|row| row.id == 4_711 || row.text == "text 5")),
        ("day BETWEEN DATE '1970-02-01' AND DATE '1970-02-03'", Box::new(|row| (31..=33).contains(&row.day))),
        ("id IN (1, 20001, 40001, 60001, 99999)", Box::new(|row| row.id % ROWS == 1)),
        (
            "part = 'odd' AND n = 5 AND ratio > 1e5",
            Box::new(|row| row.part == "odd" && row.n == Some(5) && row.ratio > 1e5),
        ),
        ("none IS NULL AND n = 77", Box::new(|row| row.n == Some(77))),
        ("none = 1", Box::new(|_| false)),
        ("n + 1 = 100 AND \"$path\" LIKE '%/2.parquet'", Box::new(|row| row.n == Some(99) && row.id / ROWS == 2)),
        ("n % 10 = 0 AND 100 / n = 1", Box::new(|row| row.n.is_some_and(|n| n % 10 == 0 && n != 0 && 100 / n == 1))),
    ];
    for (condition, keeps) in cases {
        // What divides by zero fails, whether or not others would have dropped the row.
        let guarded = condition.replace("100 / n", "100 / nullif(n, 0)");
        let expected: Vec<String> = {
            let mut found: Vec<_> = rows.iter().filter(|row| keeps(row)).map(Row::shown).collect();
            found.sort();
            found
        };
        assert_eq!(fixture.sorted(&format!("{ALL} WHERE {guarded}")).await, expected, "{condition}");
        let counted = fixture.rows(&format!("SELECT count(*), sum(price) FROM t WHERE {guarded}")).await.unwrap();
        let sum: i128 = rows.iter().filter(|row| keeps(row)).map(|row| row.price).sum();
        let sum = if expected.is_empty() { "NULL".to_owned() } else { format!("{}.{:02}", sum / 100, sum % 100) };
        assert_eq!(counted, [format!("{}|{sum}", expected.len())], "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_filter_what_is_read() {
    let (fixture, rows) = fixture().await;
    let few = "(SELECT DISTINCT n AS m FROM t WHERE id < 40 AND n > 500)";
    let wanted: std::collections::BTreeSet<i64> =
        rows[..40].iter().filter_map(|row| row.n.filter(|n| *n > 500)).collect();
    assert!(!wanted.is_empty());
    let mut expected: Vec<String> = rows
        .iter()
        .filter(|row| row.n.is_some_and(|n| wanted.contains(&n)) && row.price > 50_000)
        .map(Row::shown)
        .collect();
    expected.sort();
    let joined = format!("{ALL} JOIN {few} f ON n = m WHERE price > 500.00");
    assert_eq!(fixture.sorted(&joined).await, expected);
    let within = format!("{ALL} WHERE price > 500.00 AND n IN (SELECT m FROM {few})");
    assert_eq!(fixture.sorted(&within).await, expected);
}

#[tokio::test]
async fn a_limit_ends_a_scan() {
    let (fixture, _) = fixture().await;
    assert_eq!(fixture.rows("SELECT text FROM t LIMIT 7").await.unwrap().len(), 7);
    assert_eq!(fixture.rows("SELECT text FROM t WHERE n > 10 LIMIT 9").await.unwrap().len(), 9);
    assert_eq!(fixture.rows("SELECT count(*) FROM t").await.unwrap(), [(4 * ROWS).to_string()]);
}

#[tokio::test]
async fn damaged_columns_are_bad_data() {
    let fixture = Fixture::new();
    fixture.table("d", &[("id", "bigint"), ("text", "varchar")], &[], Format::Parquet);
    let rows: Vec<Row> = (0..ROWS).map(|id| row(id, "")).collect();
    let mut bytes = file(&rows, WriterProperties::builder().set_compression(Compression::SNAPPY), false);
    let third = bytes.len() / 3;
    bytes[third..third + 2_000].fill(0xA5);
    fixture.put("d/0.parquet", bytes).await;
    let error = fixture.error("SELECT sum(id), max(text) FROM d").await;
    assert!(error.contains("HIVE_BAD_DATA"), "{error}");
}
