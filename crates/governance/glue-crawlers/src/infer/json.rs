//! JSON: one object after the other, or one array of objects.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::schema::{Column, HiveType, merge_columns};

/// What AWS's built-in classifier calls the one column of a file that is an array.
const ARRAY: &str = "array";

/// The columns and the number of the records in `text`, whole lines of a file; nothing if it is neither a row of objects
/// nor an array of them. An array is one record with one column, as AWS's built-in classifier sees it.
pub(crate) fn infer(text: &[u8]) -> Option<(Vec<Column>, u64)> {
    if text.trim_ascii_start().starts_with(b"[") {
        let column = Column { name: ARRAY.into(), kind: HiveType::Array(Box::new(elements(text)?)) };
        return Some((vec![column], 1));
    }
    let mut columns = Vec::new();
    let mut records = 0;
    for document in serde_json::Deserializer::from_slice(text).into_iter::<Map<String, Value>>() {
        columns = merge_columns(columns, fields(&document.ok()?));
        records += 1;
    }
    (records > 0 && !columns.is_empty()).then_some((columns, records))
}

/// What an array's elements are, if all are objects. The text may end within the array: only a file's beginning is read.
fn elements(text: &[u8]) -> Option<HiveType> {
    let mut seen = Elements { kind: HiveType::Unknown, count: 0 };
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let complete = match deserializer.deserialize_seq(&mut seen) {
        Ok(()) => deserializer.end().is_ok(),
        Err(error) => error.is_eof(),
    };
    (complete && seen.count > 0).then_some(seen.kind)
}

struct Elements {
    kind: HiveType,
    count: u64,
}

impl<'de> Visitor<'de> for &mut Elements {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while let Some(Element(object)) = elements.next_element()? {
            let kind = std::mem::replace(&mut self.kind, HiveType::Unknown);
            self.kind = kind.merge(HiveType::Struct(fields(&object)));
            self.count += 1;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Element(Map<String, Value>);

/// The members that can be fields: names are compared in lower case, and the catalog has no empty ones, none of more than
/// 255 characters and none with control characters.
fn fields(object: &Map<String, Value>) -> Vec<Column> {
    let named = object.iter().filter(|(name, _)| is_name(name));
    let fields = named.map(|(name, value)| Column { name: name.to_lowercase(), kind: kind_of(value) });
    merge_columns(Vec::new(), fields.collect())
}

fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control) && !text.trim().is_empty()
}

fn kind_of(value: &Value) -> HiveType {
    match value {
        Value::Null => HiveType::Unknown,
        Value::Bool(_) => HiveType::Boolean,
        Value::Number(number) => match number.as_i64() {
            Some(integer) if i32::try_from(integer).is_ok() => HiveType::Int,
            Some(_) => HiveType::Bigint,
            None => HiveType::Double,
        },
        Value::String(_) => HiveType::String,
        Value::Array(elements) => {
            let element = elements.iter().map(kind_of).fold(HiveType::Unknown, HiveType::merge);
            HiveType::Array(Box::new(element))
        }
        Value::Object(object) => HiveType::Struct(fields(object)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_merge_into_one_schema() {
        let text = br#"{"Id": 1, "tags": ["a"], "at": {"lat": 1.5}}
{"id": 5000000000, "at": {"lon": 2}, "none": null}
"#;
        let (columns, records) = infer(text).unwrap();
        let written: Vec<String> = columns.iter().map(|column| format!("{} {}", column.name, column.kind)).collect();
        assert_eq!(records, 2);
        for expected in ["id bigint", "tags array<string>", "at struct<lat:double,lon:int>", "none string"] {
            assert!(written.iter().any(|column| column == expected), "{expected} is not in {written:?}");
        }
    }

    #[test]
    fn an_array_is_one_column() {
        for text in [r#" [{"a": 1}, {"b": [true]}]"#, r#"[{"a": 1}, {"b": [true]}, {"a": "cut of"#] {
            let (columns, records) = infer(text.as_bytes()).unwrap();
            assert_eq!((columns.len(), columns[0].name.as_str(), records), (1, "array", 1));
            assert_eq!(columns[0].kind.to_string(), "array<struct<a:int,b:array<boolean>>>");
        }
        for text in ["[", "[]", "[1]", "[{\"a\": 1}] x", "[{\"a\": 1}, 2]", "[{\"a\" 1}]"] {
            assert!(infer(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn odd_names_are_quoted_merged_or_left_out() {
        let text = r#"{"x": {"a:b": 1, "C": 1, "c": 2.5, "": 0, "d e": null}, "": 1, "a\u0001": 2}"#;
        let (columns, _) = infer(text.as_bytes()).unwrap();
        assert_eq!(columns.len(), 1);
        assert_eq!(columns[0].kind.to_string(), "struct<c:double,`a:b`:int,d e:string>");
    }

    #[test]
    fn what_is_not_a_list_of_objects_is_refused() {
        for text in ["", "1\n2\n", "{\"a\": 1}\n{broken", "[1, 2]"] {
            assert!(infer(text.as_bytes()).is_none(), "{text}");
        }
    }
}
