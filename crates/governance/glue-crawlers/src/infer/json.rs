//! JSON lines: one document a line, each an object.

use serde_json::{Map, Value};

use crate::schema::{Column, HiveType, merge_columns};

/// The columns and the number of the records in `text`, whole lines of a file; nothing if any line is not an object.
pub(crate) fn infer(text: &[u8]) -> Option<(Vec<Column>, u64)> {
    let mut columns = Vec::new();
    let mut records = 0;
    for document in serde_json::Deserializer::from_slice(text).into_iter::<Map<String, Value>>() {
        columns = merge_columns(columns, fields(&document.ok()?));
        records += 1;
    }
    (records > 0 && !columns.is_empty()).then_some((columns, records))
}

fn fields(object: &Map<String, Value>) -> Vec<Column> {
    object.iter().map(|(name, value)| Column { name: name.to_lowercase(), kind: kind_of(value) }).collect()
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
    fn what_is_not_a_list_of_objects_is_refused() {
        for text in ["", "1\n2\n", "{\"a\": 1}\n{broken", "[1, 2]"] {
            assert!(infer(text.as_bytes()).is_none(), "{text}");
        }
    }
}
