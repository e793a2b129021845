//! What comes from outside and makes no sense is an error, and never a panic: lines of all SerDes, patterns of rows.

use proptest::prelude::*;

use super::fixture::Fixture;
use crate::catalog::{AvroFormat, Format, GrokFormat, JsonFormat, RegexFormat, TextFormat};

const COLUMNS: [(&str, &str); 8] = [
    ("a", "varchar"),
    ("b", "integer"),
    ("c", "decimal(9,2)"),
    ("d", "date"),
    ("e", "timestamp(3)"),
    ("f", "array(map(varchar, double))"),
    ("g", "row(x boolean, y varbinary, z array(row(w tinyint)))"),
    ("h", "char(3)"),
];

fn formats() -> Vec<Format> {
    let regex = RegexFormat { pattern: "(.)(\\d*) ?(.*?)(x|y)?(z.*)?(.)?(.)?(.)?".to_owned(), ignores_case: true };
    let grok = GrokFormat { pattern: "%{WORD:a} %{NUMBER:b}%{GREEDYDATA:h}".to_owned(), ..GrokFormat::default() };
    vec![
        Format::Json(JsonFormat::default()),
        Format::Json(JsonFormat { ignore_malformed: true, dots_in_keys: true, ..JsonFormat::default() }),
        Format::Text(TextFormat { delimiter: b',', escape: Some(b'\\'), ..TextFormat::default() }),
        Format::Text(TextFormat::open_csv()),
        Format::Regex(regex),
        Format::Grok(grok),
        Format::Avro(AvroFormat::default()),
        Format::Parquet,
        Format::Orc,
    ]
}

/// Pieces of what lines are made of, and anything else.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "{\"a\": \"x\"",
        "\"b\": 1e999",
        ", ",
        "}",
        "[",
        "]",
        "\"g\": {\"z\": [{\"w\": 300}]}",
        "\\",
        "\"",
        "\\u12",
        "\n",
        "\r",
        "\u{1}",
        "\u{2}",
        "\u{3}",
        ",",
        "'",
        "1582-10-15",
        "9999999999",
        "-",
        "null",
        "\\N",
        "x 7 z",
        "0000-00-00 99:99",
        "Obj\u{1}",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Patterns, most of which are none.
fn patterns() -> impl Strategy<Value = String> {
    let pieces = [
        "A",
        "B",
        "U",
        "(",
        ")",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        "{,3}",
        "{1,2}",
        "{4294967296}",
        "^",
        "$",
        "{-",
        "-}",
        " ",
        "PERMUTE(",
        ",",
        "()",
        "{",
        "}",
        "é",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn lines_are_rows_or_errors(bytes in lines(), ending in prop::sample::select(vec!["", ".gz", ".zst", ".snappy", ".lz4", ".bz2", ".deflate"])) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let fixture = Fixture::new();
            fixture.put(&format!("t/f{ending}"), bytes).await;
            for format in formats() {
                fixture.table("t", &COLUMNS, &[], format);
                let _ = fixture.rows("SELECT * FROM t").await;
                let _ = fixture.rows("SELECT b, g.z FROM t WHERE a > 'a' AND b > 0").await;
            }
        });
    }

    #[test]
    fn patterns_match_or_are_errors(pattern in patterns(), skip in prop::sample::select(vec!["TO NEXT ROW", "PAST LAST ROW", "TO FIRST B"])) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let fixture = Fixture::new();
            let sql = format!(
                "SELECT * FROM (VALUES 1, 5, 2, 7, 3, NULL) AS t (x) MATCH_RECOGNIZE (ORDER BY x MEASURES MATCH_NUMBER() AS n, \
                 CLASSIFIER() AS c, LAST(A.x) AS l ALL ROWS PER MATCH AFTER MATCH SKIP {skip} PATTERN ({pattern}) \
                 SUBSET U = (A, B) DEFINE B AS B.x > PREV(x))"
            );
            if let Ok(boathouse_trino_parser::ast::Statement::Query(query)) = boathouse_trino_parser::parse_statement(&sql)
                && let Ok(stream) = fixture.engine.query(&fixture.session, &query).await
            {
                let _: Result<Vec<_>, _> = futures::TryStreamExt::try_collect(stream).await;
            }
        });
    }
}
