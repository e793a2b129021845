//! JSON lines: only the wanted keys of an object become values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::values::Column;
use crate::catalog::JsonFormat;

/// Numbers of no more characters than this lose nothing as doubles.
const EXACT_DIGITS: usize = 15;

/// Reads an object into the columns that its keys name; columns without a key get NULL.
pub(super) fn read_line(
    format: &JsonFormat,
    line: &[u8],
    keys: &HashMap<String, usize>,
    columns: &mut [Column],
) -> Result<(), serde_json::Error> {
    let mut values: Vec<Option<Value>> = Vec::new();
    values.resize_with(columns.len(), || None);
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let read =
        deserializer.deserialize_map(Object { format, keys, values: &mut values }).and_then(|()| deserializer.end());
    // Nothing is added before the whole line is known to be readable.
    read?;
    for (column, value) in columns.iter_mut().zip(values) {
        column.json(&value.unwrap_or(Value::Null));
    }
    Ok(())
}

struct Object<'a> {
    format: &'a JsonFormat,
    keys: &'a HashMap<String, usize>,
    values: &'a mut [Option<Value>],
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let key = if self.format.dots_in_keys { key.replace('.', "_").into() } else { key };
            let folded = || self.keys.get(&key.to_lowercase()).filter(|_| !self.format.case_sensitive);
            match self.keys.get(key.as_ref()).or_else(folded) {
                Some(place) => {
                    let mut value = map.next_value()?;
                    if self.format.dots_in_keys {
                        without_dots(&mut value);
                    }
                    self.values[*place] = Some(value);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A line whose long numbers are texts, so that decimals keep all of their digits.
pub(super) fn with_long_numbers_as_text(line: &[u8]) -> Cow<'_, [u8]> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let (mut changed, mut copied, mut at, mut in_text) = (Vec::new(), 0, 0, false);
    while let Some(byte) = line.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b'-' | b'0'..=b'9' if !in_text => {
                let length = line[at..].iter().take_while(|byte| is_part(byte)).count();
                if length > EXACT_DIGITS {
                    changed.extend_from_slice(&line[copied..at]);
                    changed.push(b'"');
                    changed.extend_from_slice(&line[at..at + length]);
                    changed.push(b'"');
                    copied = at + length;
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(line);
    }
    changed.extend_from_slice(&line[copied..]);
    Cow::Owned(changed)
}

/// Writes the dots of all keys within a value as underscores.
fn without_dots(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_dots),
        Value::Object(entries) => {
            let renamed = std::mem::take(entries).into_iter().map(|(key, mut value)| {
                without_dots(&mut value);
                (key.replace('.', "_"), value)
            });
            *entries = renamed.collect();
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use boathouse_trino_functions::types::Type;

    use super::super::values::Strictness;
    use super::*;

    #[test]
    fn keys_match_in_any_case_and_may_be_missing() {
        let keys = HashMap::from([("a".to_owned(), 0), ("b".to_owned(), 1)]);
        let mut columns = vec![Column::new(&Type::Bigint), Column::new(&Type::VARCHAR)];
        read_line(&JsonFormat::default(), br#"{"A": 7, "c": [1]}"#, &keys, &mut columns).unwrap();
        let numbers = columns[0].finish(&Type::Bigint, Strictness::Strict).unwrap();
        assert_eq!(numbers.as_primitive::<arrow::datatypes::Int64Type>().value(0), 7);
        assert!(columns[1].finish(&Type::VARCHAR, Strictness::Strict).unwrap().is_null(0));
    }

    #[test]
    fn malformed_lines_leave_no_trace() {
        let keys = HashMap::from([("a".to_owned(), 0)]);
        let mut columns = vec![Column::new(&Type::Bigint)];
        assert!(read_line(&JsonFormat::default(), br#"{"a": 7"#, &keys, &mut columns).is_err());
        assert!(read_line(&JsonFormat::default(), b"[]", &keys, &mut columns).is_err());
        assert_eq!(columns[0].finish(&Type::Bigint, Strictness::Strict).unwrap().len(), 0);
    }

    #[test]
    fn long_numbers_keep_their_digits() {
        let line = br#"{"a": 12345678901234567890.5, "b\\": "12345678901234567890.5", "c": [-1, 2]}"#;
        let changed = br#"{"a": "12345678901234567890.5", "b\\": "12345678901234567890.5", "c": [-1, 2]}"#;
        assert_eq!(with_long_numbers_as_text(line).as_ref(), changed);
        assert!(matches!(with_long_numbers_as_text(b"[1, 2]"), Cow::Borrowed(_)));
    }

    #[test]
    fn case_and_dots_are_as_the_properties_say() {
        let keys = HashMap::from([("a_b".to_owned(), 0), ("c".to_owned(), 1)]);
        let format = JsonFormat { case_sensitive: true, dots_in_keys: true, ..JsonFormat::default() };
        let row = Type::parse_trino("row(x_y bigint)").unwrap();
        let mut columns = vec![Column::new(&row), Column::new(&Type::VARCHAR)];
        read_line(&format, br#"{"a.b": {"x.y": 7}, "C": "no"}"#, &keys, &mut columns).unwrap();
        let rows = columns[0].finish(&row, Strictness::Strict).unwrap();
        let inner = rows.as_struct().column(0).as_primitive::<arrow::datatypes::Int64Type>().value(0);
        assert_eq!(inner, 7);
        assert!(columns[1].finish(&Type::VARCHAR, Strictness::Strict).unwrap().is_null(0));
    }
}
