//! From `json` and to `json`, which travels as its text.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StringBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use serde_json::Value;

use super::text::{invalid, write_scientific};
use super::{cast_array, not_castable};
use crate::error::TrinoError;
use crate::types::Type;
use crate::types::format::{java_double, write_value};

/// Whether a type has a cast to `json`.
pub(super) fn is_jsonable(ty: &Type) -> bool {
    match ty {
        Type::Array(element) => is_jsonable(element),
        Type::Map(key, value) => is_key(key) && is_jsonable(value),
        Type::Row(fields) => fields.iter().all(|field| is_jsonable(&field.ty)),
        Type::Date | Type::Timestamp(_) | Type::Json | Type::Unknown => true,
        _ => is_key(ty),
    }
}

/// Whether `json` has a cast to a type.
pub(super) fn is_from_json(ty: &Type) -> bool {
    match ty {
        Type::Array(element) => is_from_json(element),
        Type::Map(key, value) => is_key(key) && is_from_json(value),
        Type::Row(fields) => fields.iter().all(|field| is_from_json(&field.ty)),
        _ => is_key(ty) || ty == &Type::Json,
    }
}

fn is_key(ty: &Type) -> bool {
    ty.is_numeric() || ty.is_varchar() || ty == &Type::Boolean
}

pub(super) fn to_json(array: &ArrayRef, from: &Type) -> Result<ArrayRef, TrinoError> {
    let mut out = StringBuilder::new();
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            out.append_null();
            continue;
        }
        text.clear();
        write_json(&mut text, array, row, from);
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}

/// Appends a value as JSON. Maps are ordered by their keys.
pub(crate) fn write_json(out: &mut String, array: &dyn Array, row: usize, ty: &Type) {
    if array.is_null(row) {
        return out.push_str("null");
    }
    match ty {
        Type::Json => out.push_str(array.as_string::<i32>().value(row)),
        Type::Double => write_double(out, array.as_primitive::<Float64Type>().value(row)),
        Type::Real => write_double(out, array.as_primitive::<Float32Type>().value(row).into()),
        Type::Boolean
        | Type::Unknown
        | Type::Tinyint
        | Type::Smallint
        | Type::Integer
        | Type::Bigint
        | Type::Decimal(..) => {
            write_value(out, array, row, ty);
        }
        Type::Array(element) => {
            let values = array.as_list::<i32>().value(row);
            write_list(out, ('[', ']'), values.len(), |out, index| write_json(out, &values, index, element));
        }
        Type::Map(key, value) => {
            let entries = array.as_map().value(row);
            let mut named: Vec<_> = (0..entries.len())
                .map(|index| {
                    let mut name = String::new();
                    write_value(&mut name, entries.column(0), index, key);
                    (name, index)
                })
                .collect();
            named.sort();
            write_list(out, ('{', '}'), named.len(), |out, index| {
                write_string(out, &named[index].0);
                out.push(':');
                write_json(out, entries.column(1), named[index].1, value);
            });
        }
        Type::Row(fields) => {
            let columns = array.as_struct();
            write_list(out, ('{', '}'), fields.len(), |out, index| {
                write_string(out, fields[index].name.as_deref().unwrap_or_default());
                out.push(':');
                write_json(out, columns.column(index), row, &fields[index].ty);
            });
        }
        _ => {
            let mut text = String::new();
            write_value(&mut text, array, row, ty);
            write_string(out, &text);
        }
    }
}

fn write_list(out: &mut String, (open, close): (char, char), count: usize, mut each: impl FnMut(&mut String, usize)) {
    out.push(open);
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        each(out, index);
    }
    out.push(close);
}

fn write_double(out: &mut String, value: f64) {
    let text = java_double(value);
    if value.is_finite() { out.push_str(&text) } else { write_string(out, &text) }
}

fn write_string(out: &mut String, text: &str) {
    // Writing into a string cannot fail.
    let _ = write!(out, "{}", Value::from(text));
}

pub(super) fn from_json(array: &ArrayRef, to: &Type) -> Result<ArrayRef, TrinoError> {
    let texts = array.as_string::<i32>();
    let values: Vec<Option<Value>> = (texts.iter())
        .map(|text| text.map(|text| serde_json::from_str(text).map_err(|_| refused(text, to))).transpose())
        .collect::<Result<_, _>>()?;
    build(&values.iter().map(Option::as_ref).collect::<Vec<_>>(), to)
}

/// Arrow values from JSON's; JSON's `null` is NULL.
fn build(values: &[Option<&Value>], to: &Type) -> Result<ArrayRef, TrinoError> {
    let values: Vec<_> =
        values.iter().map(|value| value.filter(|value| to == &Type::Json || !value.is_null())).collect();
    let nulls: NullBuffer = values.iter().map(Option::is_some).collect();
    match to {
        Type::Json => Ok(Arc::new(values.iter().map(|value| value.map(Value::to_string)).collect::<StringArray>())),
        Type::Array(element) => {
            let lists = collect(&values, to, Value::as_array)?;
            let inner: Vec<_> = lists.iter().flatten().flat_map(|list| list.iter().map(Some)).collect();
            let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.map_or(0, Vec::len)));
            let DataType::List(field) = to.to_arrow() else { return Err(not_castable(&Type::Json, to)) };
            Ok(Arc::new(ListArray::try_new(field, offsets, build(&inner, element)?, Some(nulls))?))
        }
        Type::Map(key, value) => {
            let objects = collect(&values, to, Value::as_object)?;
            let names: StringArray = objects.iter().flatten().flat_map(|object| object.keys().map(Some)).collect();
            let inner: Vec<_> = objects.iter().flatten().flat_map(|object| object.values().map(Some)).collect();
            let keys = cast_array(&(Arc::new(names) as ArrayRef), &Type::VARCHAR, key)?;
            let offsets =
                OffsetBuffer::from_lengths(objects.iter().map(|object| object.map_or(0, serde_json::Map::len)));
            let DataType::Map(field, _) = to.to_arrow() else { return Err(not_castable(&Type::Json, to)) };
            let DataType::Struct(fields) = field.data_type() else { return Err(not_castable(&Type::Json, to)) };
            let entries = StructArray::try_new(fields.clone(), vec![keys, build(&inner, value)?], None)?;
            Ok(Arc::new(MapArray::try_new(field, offsets, entries, Some(nulls), false)?))
        }
        Type::Row(fields) => {
            let surplus = values.iter().flatten().find_map(|value| Some((value, value.as_array()?.get(fields.len())?)));
            if let Some((value, next)) = surplus {
                return Err(invalid(format!(
                    "Cannot cast to {to}. Expected json array ending, but got {next}\n{value}"
                )));
            }
            let columns: Vec<_> = fields
                .iter()
                .enumerate()
                .map(|(index, field)| {
                    let inner = values.iter().map(|value| {
                        value
                            .map(|value| member(value, index, field.name.as_deref(), to))
                            .transpose()
                            .map(Option::flatten)
                    });
                    build(&inner.collect::<Result<Vec<_>, _>>()?, &field.ty)
                })
                .collect::<Result<_, _>>()?;
            let DataType::Struct(fields) = to.to_arrow() else { return Err(not_castable(&Type::Json, to)) };
            Ok(Arc::new(StructArray::try_new(fields, columns, Some(nulls))?))
        }
        _ => {
            let texts: Vec<_> =
                values.iter().map(|value| value.map(|value| plain(value, to)).transpose()).collect::<Result<_, _>>()?;
            let texts: ArrayRef = Arc::new(texts.into_iter().collect::<StringArray>());
            cast_array(&texts, &Type::VARCHAR, to)
        }
    }
}

/// A row's field: of an object by name without regard to case, of an array by position.
fn member<'a>(value: &'a Value, index: usize, name: Option<&str>, to: &Type) -> Result<Option<&'a Value>, TrinoError> {
    match value {
        Value::Array(values) => Ok(values.get(index)),
        Value::Object(members) => {
            let name = name.unwrap_or_default();
            Ok(members.iter().find(|(key, _)| key.to_lowercase() == name.to_lowercase()).map(|(_, value)| value))
        }
        _ => Err(refused(&value.to_string(), to)),
    }
}

fn collect<'a, T: ?Sized>(
    values: &[Option<&'a Value>],
    to: &Type,
    read: impl Fn(&'a Value) -> Option<&'a T>,
) -> Result<Vec<Option<&'a T>>, TrinoError> {
    let convert = |value: &'a Value| read(value).ok_or_else(|| refused(&value.to_string(), to));
    values.iter().map(|value| value.map(convert).transpose()).collect()
}

/// A scalar as the text that casts to the target.
fn plain(value: &Value, to: &Type) -> Result<String, TrinoError> {
    match (value, to) {
        (Value::String(text), _) => Ok(text.clone()),
        (Value::Bool(value), Type::Boolean | Type::Varchar(_)) => Ok(value.to_string()),
        (Value::Bool(value), _) => Ok(u8::from(*value).to_string()),
        (Value::Number(number), Type::Boolean) => {
            Ok(if number.as_f64() == Some(0.0) { "false" } else { "true" }.to_owned())
        }
        (Value::Number(number), _) if to.is_integer() && !number.is_i64() => {
            let rounded = number.as_f64().map(f64::round).ok_or_else(|| refused(&number.to_string(), to))?;
            Ok(format!("{rounded:.0}"))
        }
        (Value::Number(number), Type::Varchar(_)) if number.is_f64() => {
            let mut text = String::new();
            write_scientific(&mut text, &format!("{:e}", number.as_f64().unwrap_or(f64::NAN)));
            Ok(text)
        }
        (Value::Number(number), _) => Ok(number.to_string()),
        _ => Err(refused(&value.to_string(), to)),
    }
}

fn refused(text: &str, to: &Type) -> TrinoError {
    let expected = match to {
        Type::Array(_) => "array",
        Type::Map(..) => "object",
        Type::Row(_) => "array or object",
        _ => return invalid(format!("Cannot cast '{text}' to {to}")),
    };
    let got = if text.starts_with(['[', '{']) { &text[..1] } else { text };
    invalid(format!("Cannot cast to {to}. Expected a json {expected}, but got {got}\n{text}"))
}
