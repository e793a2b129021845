//! Columns under construction: values arrive as text and become typed all at once.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryBuilder, BooleanArray, ListArray, MapArray, NullBufferBuilder, StringArray, StringBuilder,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Fields};
use arrow::error::ArrowError;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use boathouse_trino_functions::types::Type;

/// What happens to text that isn't a value of the column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// It becomes NULL.
    Lenient,
    /// It is an error.
    Strict,
    /// It is an error, and dates and timestamps are counts of days and milliseconds.
    Counts,
}

/// Values of one column.
pub(super) enum Column {
    Scalar(StringBuilder),
    List { ends: Vec<i32>, nulls: NullBufferBuilder, element: Box<Column> },
    Map { ends: Vec<i32>, nulls: NullBufferBuilder, key: Box<Column>, value: Box<Column> },
    Row { names: Vec<String>, nulls: NullBufferBuilder, fields: Vec<Column> },
}

impl Column {
    /// No values yet.
    pub(super) fn new(ty: &Type) -> Self {
        let nulls = || NullBufferBuilder::new(0);
        match ty {
            Type::Array(element) => Self::List { ends: vec![0], nulls: nulls(), element: Box::new(Self::new(element)) },
            Type::Map(key, value) => {
                let (key, value) = (Box::new(Self::new(key)), Box::new(Self::new(value)));
                Self::Map { ends: vec![0], nulls: nulls(), key, value }
            }
            Type::Row(fields) => {
                let names = fields.iter().map(|field| field.name.clone().unwrap_or_default()).collect();
                let fields = fields.iter().map(|field| Self::new(&field.ty)).collect();
                Self::Row { names, nulls: nulls(), fields }
            }
            _ => Self::Scalar(StringBuilder::new()),
        }
    }

    /// Adds a NULL.
    pub(super) fn null(&mut self) {
        match self {
            Self::Scalar(values) => values.append_null(),
            Self::List { ends, nulls, .. } | Self::Map { ends, nulls, .. } => {
                nulls.append_null();
                ends.extend(ends.last().copied());
            }
            Self::Row { nulls, fields, .. } => {
                nulls.append_null();
                fields.iter_mut().for_each(Self::null);
            }
        }
    }

    /// Adds text to a column of scalars.
    pub(super) fn text(&mut self, text: &str) {
        match self {
            Self::Scalar(values) => values.append_value(text),
            _ => self.null(),
        }
    }

    /// Adds a JSON value.
    pub(super) fn json(&mut self, json: &Value) {
        match (self, json) {
            (column, Value::Null) => column.null(),
            (Self::Scalar(values), Value::String(text)) => values.append_value(text),
            (Self::Scalar(values), other) => values.append_value(other.to_string()),
            (Self::List { ends, nulls, element }, Value::Array(items)) => {
                items.iter().for_each(|item| element.json(item));
                nulls.append_non_null();
                ends.push(element.len() as i32);
            }
            (Self::Map { ends, nulls, key, value }, Value::Object(entries)) => {
                for (name, entry) in entries {
                    key.text(name);
                    value.json(entry);
                }
                nulls.append_non_null();
                ends.push(key.len() as i32);
            }
            (Self::Row { names, nulls, fields }, Value::Object(entries)) => {
                nulls.append_non_null();
                for (name, field) in names.iter().zip(fields) {
                    let folded = || entries.iter().find(|(key, _)| key.to_lowercase() == *name);
                    let value = entries.get(name).or_else(|| folded().map(|(_, value)| value));
                    field.json(value.unwrap_or(&Value::Null));
                }
            }
            (Self::Row { nulls, fields, .. }, Value::Array(items)) => {
                nulls.append_non_null();
                for (index, field) in fields.iter_mut().enumerate() {
                    field.json(items.get(index).unwrap_or(&Value::Null));
                }
            }
            (column, _) => column.null(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Scalar(values) => arrow::array::ArrayBuilder::len(values),
            Self::List { ends, .. } | Self::Map { ends, .. } => ends.len() - 1,
            Self::Row { nulls, .. } => nulls.len(),
        }
    }

    /// The values so far; the column starts anew.
    pub(super) fn finish(&mut self, ty: &Type, strictness: Strictness) -> Result<ArrayRef, ArrowError> {
        match (self, ty) {
            (Self::Scalar(values), _) => scalars(values.finish(), ty, strictness),
            (Self::List { ends, nulls, element }, Type::Array(element_type)) => {
                let DataType::List(field) = ty.to_arrow() else {
                    return Err(ArrowError::SchemaError(format!("{ty} is no list")));
                };
                let values = element.finish(element_type, strictness)?;
                Ok(Arc::new(ListArray::try_new(field, offsets(ends), values, nulls.finish())?))
            }
            (Self::Map { ends, nulls, key, value }, Type::Map(key_type, value_type)) => {
                let DataType::Map(field, sorted) = ty.to_arrow() else {
                    return Err(ArrowError::SchemaError(format!("{ty} is no map")));
                };
                let DataType::Struct(entry) = field.data_type() else {
                    return Err(ArrowError::SchemaError(format!("{ty} has no entries")));
                };
                let columns = vec![key.finish(key_type, strictness)?, value.finish(value_type, strictness)?];
                let entries = StructArray::try_new(entry.clone(), columns, None)?;
                Ok(Arc::new(MapArray::try_new(field, offsets(ends), entries, nulls.finish(), sorted)?))
            }
            (Self::Row { nulls, fields, .. }, Type::Row(types)) => {
                let columns = fields.iter_mut().zip(types.iter());
                let columns = columns.map(|(column, field)| column.finish(&field.ty, strictness));
                let columns = columns.collect::<Result<Vec<_>, _>>()?;
                let names: Fields = match ty.to_arrow() {
                    DataType::Struct(names) => names,
                    _ => Fields::empty(),
                };
                Ok(Arc::new(StructArray::try_new(names, columns, nulls.finish())?))
            }
            _ => Err(ArrowError::SchemaError(format!("the column is no {ty}"))),
        }
    }
}

fn offsets(ends: &mut Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(std::mem::replace(ends, vec![0]).into())
}

/// Text as values of a type.
fn scalars(text: StringArray, ty: &Type, strictness: Strictness) -> Result<ArrayRef, ArrowError> {
    let safe = strictness == Strictness::Lenient;
    let cast = |array: &dyn Array, to: &DataType| {
        cast_with_options(array, to, &CastOptions { safe, ..CastOptions::default() })
    };
    match ty {
        Type::Varchar(_) | Type::Json | Type::Uuid => Ok(Arc::new(text)),
        Type::Char(_) => {
            let trimmed = text.iter().map(|value| value.map(|value| value.trim_end_matches(' ')));
            Ok(Arc::new(trimmed.collect::<StringArray>()))
        }
        Type::Boolean => Ok(Arc::new(text.iter().map(|value| value.and_then(boolean)).collect::<BooleanArray>())),
        Type::Varbinary => Ok(binary(&text)),
        Type::Date if strictness == Strictness::Counts => cast(&cast(&text, &DataType::Int32)?, &DataType::Date32),
        Type::Timestamp(_) if strictness == Strictness::Counts => cast(&cast(&text, &DataType::Int64)?, &ty.to_arrow()),
        _ => cast(&text, &ty.to_arrow()),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Hive writes bytes in text as base64; what isn't base64 is taken as it stands.
fn binary(text: &StringArray) -> ArrayRef {
    let mut bytes = BinaryBuilder::new();
    for value in text {
        match value.map(|value| (value, BASE64_STANDARD.decode(value))) {
            Some((_, Ok(decoded))) => bytes.append_value(decoded),
            Some((plain, Err(_))) => bytes.append_value(plain),
            None => bytes.append_null(),
        }
    }
    Arc::new(bytes.finish())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int32Array};
    use serde_json::json;

    use super::*;

    #[test]
    fn lenient_columns_take_what_they_can() {
        let mut column = Column::new(&Type::Integer);
        ["1", "x", "-3"].iter().for_each(|text| column.text(text));
        let values = column.finish(&Type::Integer, Strictness::Lenient).unwrap();
        assert_eq!(values.as_primitive(), &Int32Array::from(vec![Some(1), None, Some(-3)]));
        column.text("x");
        assert!(column.finish(&Type::Integer, Strictness::Strict).is_err());
    }

    #[test]
    fn nested_values_come_from_json() {
        let ty = Type::map(Type::VARCHAR, Type::array(Type::Bigint));
        let mut column = Column::new(&ty);
        column.json(&json!({"a": [1, null], "b": null}));
        column.json(&Value::Null);
        let values = column.finish(&ty, Strictness::Strict).unwrap();
        assert_eq!(values.len(), 2);
        assert_eq!(values.as_map().value(0).len(), 2);
        assert!(values.is_null(1));
    }

    #[test]
    fn counts_are_days() {
        let mut column = Column::new(&Type::Date);
        column.text("18262");
        let values = column.finish(&Type::Date, Strictness::Counts).unwrap();
        assert_eq!(values.as_primitive::<arrow::datatypes::Date32Type>().value(0), 18262);
    }
}
