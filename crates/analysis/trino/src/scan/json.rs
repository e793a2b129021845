//! JSON lines: only the wanted keys of an object become values.

use std::collections::HashMap;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::values::Column;

/// Reads an object into the columns that its keys name; columns without a key get NULL.
pub(super) fn read_line(
    line: &[u8],
    keys: &HashMap<String, usize>,
    columns: &mut [Column],
) -> Result<(), serde_json::Error> {
    let mut values: Vec<Option<Value>> = Vec::new();
    values.resize_with(columns.len(), || None);
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let read = deserializer.deserialize_map(Object { keys, values: &mut values }).and_then(|()| deserializer.end());
    // Nothing is added before the whole line is known to be readable.
    read?;
    for (column, value) in columns.iter_mut().zip(values) {
        column.json(&value.unwrap_or(Value::Null));
    }
    Ok(())
}

struct Object<'a> {
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
            let exact = self.keys.get(key.as_ref());
            match exact.or_else(|| self.keys.get(&key.to_lowercase())) {
                Some(place) => self.values[*place] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
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
        read_line(br#"{"A": 7, "c": [1]}"#, &keys, &mut columns).unwrap();
        let numbers = columns[0].finish(&Type::Bigint, Strictness::Strict).unwrap();
        assert_eq!(numbers.as_primitive::<arrow::datatypes::Int64Type>().value(0), 7);
        assert!(columns[1].finish(&Type::VARCHAR, Strictness::Strict).unwrap().is_null(0));
    }

    #[test]
    fn malformed_lines_leave_no_trace() {
        let keys = HashMap::from([("a".to_owned(), 0)]);
        let mut columns = vec![Column::new(&Type::Bigint)];
        assert!(read_line(br#"{"a": 7"#, &keys, &mut columns).is_err());
        assert!(read_line(b"[]", &keys, &mut columns).is_err());
        assert_eq!(columns[0].finish(&Type::Bigint, Strictness::Strict).unwrap().len(), 0);
    }
}
