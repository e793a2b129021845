//! Values as they are read.

use std::sync::Arc;

use super::schema::{Field, Schema};
use super::{Input, invalid};
use crate::error::Result;

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Long(i64),
    Float(f32),
    Double(f64),
    Bytes(Vec<u8>),
    String(String),
    Array(Vec<Value>),
    Map(Vec<(String, Value)>),
    Record(Arc<Vec<Field>>, Vec<Value>),
}

/// Two records are compared by their values alone.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Long(a), Self::Long(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Double(a), Self::Double(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) | (Self::Record(_, a), Self::Record(_, b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// A record's field by its id, else by its name; none if it is not there or NULL.
    pub(crate) fn get(&self, id: i32, name: &str) -> Option<&Self> {
        let Self::Record(fields, values) = self else { return None };
        let place = fields.iter().position(|field| field.id == Some(id));
        let place = place.or_else(|| fields.iter().position(|field| field.name == name))?;
        values.get(place).filter(|value| !matches!(value, Self::Null))
    }

    pub(crate) fn long(&self) -> Option<i64> {
        if let Self::Long(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn int(&self) -> Option<i32> {
        self.long().and_then(|value| i32::try_from(value).ok())
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(crate) fn items(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self { Some(items) } else { None }
    }
}

pub(super) fn decode(schema: &Schema, input: &mut Input<'_>) -> Result<Value> {
    input.count_value()?;
    Ok(match schema {
        Schema::Null => Value::Null,
        Schema::Boolean => Value::Boolean(input.take(1)?[0] != 0),
        Schema::Long => Value::Long(input.long()?),
        Schema::Float => Value::Float(f32::from_le_bytes(input.take(4)?.try_into().map_err(invalid)?)),
        Schema::Double => Value::Double(f64::from_le_bytes(input.take(8)?.try_into().map_err(invalid)?)),
        Schema::Bytes => Value::Bytes(input.bytes()?.to_vec()),
        Schema::String => Value::String(String::from_utf8(input.bytes()?.to_vec()).map_err(invalid)?),
        Schema::Fixed(size) => Value::Bytes(input.take(*size)?.to_vec()),
        Schema::Array(item) => {
            let mut items = Vec::new();
            loop {
                let count = input.count()?;
                if count == 0 {
                    break Value::Array(items);
                }
                for _ in 0..count {
                    items.push(decode(item, input)?);
                }
            }
        }
        Schema::Map(item) => {
            let mut entries = Vec::new();
            loop {
                let count = input.count()?;
                if count == 0 {
                    break Value::Map(entries);
                }
                for _ in 0..count {
                    let key = String::from_utf8(input.bytes()?.to_vec()).map_err(invalid)?;
                    entries.push((key, decode(item, input)?));
                }
            }
        }
        Schema::Union(options) => {
            let option = options.get(input.length()?).ok_or_else(|| invalid("a union has no such option"))?;
            decode(option, input)?
        }
        Schema::Record(fields) => {
            let values = fields.iter().map(|field| decode(&field.schema, input)).collect::<Result<_>>()?;
            Value::Record(Arc::clone(fields), values)
        }
    })
}
