//! Delimited text: which delimiter, whether the first line names the columns, and what the values are.
//!
//! Follows "Built-in CSV classifier" in the Glue guide: two columns and two rows at least; the first row is a header only
//! if all its values are text, look like names, and some later row holds something other than text.

use csv::{ByteRecord, ReaderBuilder};

use crate::api::CsvClassifier;
use crate::schema::{Column, CsvShape, HiveType};

/// Delimiters that the built-in classifier knows, in the order of preference.
const DELIMITERS: [char; 5] = [',', '|', '\t', ';', '\u{1}'];
/// The longest value that may be a column's name.
const MAX_NAME: usize = 150;

/// What a sample shows: the shape, the columns, and how many records it has.
pub(crate) struct CsvSample {
    pub(crate) shape: CsvShape,
    pub(crate) columns: Vec<Column>,
    pub(crate) records: u64,
}

/// Reads `text`, whole lines of a file, as CSV: with a user's classifier or by the built-in rules.
pub(crate) fn infer(text: &[u8], custom: Option<&CsvClassifier>) -> Option<CsvSample> {
    let quote = custom.and_then(|custom| custom.quote_symbol.as_deref()).and_then(first_char).unwrap_or('"');
    let single = custom.is_some_and(|custom| custom.allow_single_column == Some(true));
    let rows = |delimiter| read(text, delimiter, quote).filter(|rows| rows[0].len() >= if single { 1 } else { 2 });
    let (delimiter, rows) = match custom.and_then(|custom| custom.delimiter.as_deref()).and_then(first_char) {
        Some(delimiter) => (delimiter, rows(delimiter)?),
        None => DELIMITERS
            .iter()
            .filter_map(|&delimiter| Some((delimiter, rows(delimiter)?)))
            .reduce(|best, next| if next.1[0].len() > best.1[0].len() { next } else { best })?,
    };
    if custom.is_none() && rows.len() < 2 {
        return None;
    }
    let header = match custom.and_then(|custom| custom.contains_header.as_deref()) {
        Some("PRESENT") => true,
        Some("ABSENT") => false,
        _ => has_header(&rows),
    };
    let data = if header { &rows[1..] } else { &rows[..] };
    let kinds = kinds(rows[0].len(), data);
    let names = custom.and_then(|custom| custom.header.clone()).unwrap_or_default();
    let columns = kinds.into_iter().enumerate().map(|(index, kind)| {
        let written = header.then(|| String::from_utf8_lossy(&rows[0][index]).trim().to_lowercase());
        let name = names.get(index).map(|name| name.to_lowercase()).or(written).filter(|name| !name.is_empty());
        Column { name: name.unwrap_or_else(|| format!("col{index}")), kind }
    });
    let quoted = text.contains(&(quote as u8)).then_some(quote);
    let shape = CsvShape { delimiter, quote: quoted, header };
    Some(CsvSample { shape, columns: distinct(columns.collect()), records: data.len() as u64 })
}

fn first_char(text: &str) -> Option<char> {
    text.chars().next().filter(char::is_ascii)
}

/// All rows, if they all have the first one's width.
fn read(text: &[u8], delimiter: char, quote: char) -> Option<Vec<ByteRecord>> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).delimiter(delimiter as u8).quote(quote as u8).from_reader(text);
    let rows: Vec<ByteRecord> = reader.byte_records().collect::<Result<_, _>>().ok()?;
    (!rows.is_empty()).then_some(rows)
}

fn has_header(rows: &[ByteRecord]) -> bool {
    let last = rows[0].len() - 1;
    let named = rows[0].iter().enumerate().all(|(index, value)| {
        let empty_last = index == last && value.is_empty();
        empty_last || (value.len() < MAX_NAME && kind_of(value) == HiveType::String && is_name(value))
    });
    named && rows[1..].iter().flatten().any(|value| !matches!(kind_of(value), HiveType::String | HiveType::Unknown))
}

/// What Glue takes for a column's name: letters, digits and a few signs.
fn is_name(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| text.chars().all(|c| c.is_alphanumeric() || " _-.#@$/()".contains(c)))
}

fn kinds(width: usize, rows: &[ByteRecord]) -> Vec<HiveType> {
    let mut kinds = vec![HiveType::Unknown; width];
    for row in rows {
        for (kind, value) in kinds.iter_mut().zip(row) {
            if *kind != HiveType::String {
                *kind = std::mem::replace(kind, HiveType::Unknown).merge(kind_of(value));
            }
        }
    }
    kinds
}

/// The type of one value: a number, a truth value, nothing, or text. Dates stay text, as in AWS's built-in classifier.
fn kind_of(value: &[u8]) -> HiveType {
    let Ok(text) = std::str::from_utf8(value) else { return HiveType::String };
    let text = text.trim();
    if text.is_empty() {
        return HiveType::Unknown;
    }
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return HiveType::Boolean;
    }
    if text.parse::<i64>().is_ok() {
        return HiveType::Bigint;
    }
    // `inf` and `nan` are words to people who write CSV.
    let numeric = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if numeric && text.parse::<f64>().is_ok() { HiveType::Double } else { HiveType::String }
}

/// Tables can't have two columns of one name: the later ones are told apart by their place.
fn distinct(mut columns: Vec<Column>) -> Vec<Column> {
    for index in 1..columns.len() {
        if columns[..index].iter().any(|column| column.name == columns[index].name) {
            columns[index].name = format!("{}_{index}", columns[index].name);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sample: &CsvSample) -> Vec<String> {
        sample.columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect()
    }

    #[test]
    fn a_header_and_types_are_found() {
        let sample = infer(b"Id,Name,Delay,Ok\n1,x,2.5,true\n2,NA,,false\n", None).unwrap();
        assert!(sample.shape.header);
        assert_eq!(names(&sample), ["id bigint", "name string", "delay double", "ok boolean"]);
        assert_eq!(sample.records, 2);
    }

    #[test]
    fn text_only_files_have_no_header_that_one_could_tell() {
        let sample = infer(b"carrier,name\nUA,United\nAA,American\n", None).unwrap();
        assert!(!sample.shape.header);
        assert_eq!(names(&sample), ["col0 string", "col1 string"]);
        let custom = CsvClassifier { contains_header: Some("PRESENT".into()), ..CsvClassifier::default() };
        assert_eq!(
            names(&infer(b"carrier,name\nUA,United\n", Some(&custom)).unwrap()),
            ["carrier string", "name string"]
        );
    }

    #[test]
    fn other_delimiters_and_quotes() {
        let sample = infer(b"1|\"a, b\"|x\n2|\"c\"|y\n", None).unwrap();
        assert_eq!(sample.shape, CsvShape { delimiter: '|', quote: Some('"'), header: false });
        assert_eq!(names(&sample), ["col0 bigint", "col1 string", "col2 string"]);
    }

    #[test]
    fn ragged_or_single_column_text_is_not_csv() {
        assert!(infer(b"a,b\nc\nd,e,f\n", None).is_none());
        assert!(infer(b"hello\nworld\n", None).is_none());
        assert!(infer(b"", None).is_none());
    }

    #[test]
    fn repeated_names_are_told_apart() {
        assert_eq!(names(&infer(b"a,a\n1,2\n", None).unwrap()), ["a bigint", "a_1 bigint"]);
    }
}
