//! Rows as lines: Hive's text and JSON.

use std::io::Write;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::format::write_value;
use serde_json::{Map, Number, Value};

use crate::catalog::TextFormat;
use crate::error::internal;

/// A row as Hive's LazySimpleSerDe writes it, or as quoted values if the format has a quote.
pub(super) fn text_line(out: &mut Vec<u8>, format: &TextFormat, rows: &RecordBatch, row: usize, types: &[Type]) {
    for (index, (column, ty)) in rows.columns().iter().zip(types).enumerate() {
        if index > 0 {
            out.push(format.delimiter);
        }
        match format.quote {
            Some(quote) => quoted(out, quote, column.as_ref(), row, ty),
            None => text_value(out, format, column.as_ref(), row, ty, 0),
        }
    }
    out.push(b'\n');
}

fn quoted(out: &mut Vec<u8>, quote: u8, array: &dyn Array, row: usize, ty: &Type) {
    if array.is_null(row) {
        return;
    }
    let mut text = String::new();
    write_value(&mut text, array, row, ty);
    out.push(quote);
    for byte in text.bytes() {
        if byte == quote {
            out.push(quote);
        }
        out.push(byte);
    }
    out.push(quote);
}

fn text_value(out: &mut Vec<u8>, format: &TextFormat, array: &dyn Array, row: usize, ty: &Type, depth: usize) {
    if array.is_null(row) {
        out.extend_from_slice(format.null_text.as_deref().unwrap_or_default().as_bytes());
        return;
    }
    let separator = match depth {
        0 => format.collection_delimiter,
        1 => format.map_key_delimiter,
        deeper => deeper as u8 + 2,
    };
    match ty {
        Type::Array(element) => {
            let items = array.as_list::<i32>().value(row);
            for index in 0..items.len() {
                if index > 0 {
                    out.push(separator);
                }
                text_value(out, format, items.as_ref(), index, element, depth + 1);
            }
        }
        Type::Map(key, value) => {
            let entries = array.as_map().value(row);
            let key_separator = if depth == 0 { format.map_key_delimiter } else { depth as u8 + 3 };
            for index in 0..entries.len() {
                if index > 0 {
                    out.push(separator);
                }
                text_value(out, format, entries.column(0).as_ref(), index, key, depth + 2);
                out.push(key_separator);
                text_value(out, format, entries.column(1).as_ref(), index, value, depth + 2);
            }
        }
        Type::Row(fields) => {
            let columns = array.as_struct();
            for (index, field) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(separator);
                }
                text_value(out, format, columns.column(index).as_ref(), row, &field.ty, depth + 1);
            }
        }
        Type::Varbinary => {
            out.extend_from_slice(BASE64_STANDARD.encode(array.as_binary::<i32>().value(row)).as_bytes())
        }
        _ => escaped_text(out, format, array, row, ty),
    }
}

fn escaped_text(out: &mut Vec<u8>, format: &TextFormat, array: &dyn Array, row: usize, ty: &Type) {
    let mut text = String::new();
    write_value(&mut text, array, row, ty);
    for byte in text.bytes() {
        let special = byte == format.delimiter || Some(byte) == format.escape;
        if let Some(escape) = format.escape.filter(|_| special) {
            out.push(escape);
        }
        out.push(byte);
    }
}

/// A row as a JSON object.
pub(super) fn json_line(
    out: &mut Vec<u8>,
    rows: &RecordBatch,
    row: usize,
    types: &[Type],
    names: &[String],
) -> Result<(), TrinoError> {
    let columns = rows.columns().iter().zip(types).zip(names);
    let object: Map<String, Value> = columns
        .filter(|((column, _), _)| column.is_valid(row))
        .map(|((column, ty), name)| (name.clone(), json_value(column.as_ref(), row, ty)))
        .collect();
    serde_json::to_writer(&mut *out, &object).map_err(|error| internal(error.to_string()))?;
    out.write_all(b"\n").map_err(|error| internal(error.to_string()))
}

fn json_value(array: &dyn Array, row: usize, ty: &Type) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    let text = || {
        let mut text = String::new();
        write_value(&mut text, array, row, ty);
        text
    };
    match ty {
        Type::Boolean => Value::Bool(array.as_boolean().value(row)),
        Type::Tinyint => array.as_primitive::<Int8Type>().value(row).into(),
        Type::Smallint => array.as_primitive::<Int16Type>().value(row).into(),
        Type::Integer => array.as_primitive::<Int32Type>().value(row).into(),
        Type::Bigint => array.as_primitive::<Int64Type>().value(row).into(),
        Type::Real => number(f64::from(array.as_primitive::<Float32Type>().value(row)), text),
        Type::Double => number(array.as_primitive::<Float64Type>().value(row), text),
        Type::Decimal(..) => decimal(text()),
        Type::Varbinary => Value::String(BASE64_STANDARD.encode(array.as_binary::<i32>().value(row))),
        Type::Array(element) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|index| json_value(items.as_ref(), index, element)).collect())
        }
        Type::Map(key, value) => {
            let entries = array.as_map().value(row);
            let entry = |index| {
                let mut name = String::new();
                write_value(&mut name, entries.column(0).as_ref(), index, key);
                (name, json_value(entries.column(1).as_ref(), index, value))
            };
            Value::Object((0..entries.len()).map(entry).collect())
        }
        Type::Row(fields) => {
            let columns = array.as_struct();
            let field = |(index, field): (usize, &boathouse_trino_functions::types::RowField)| {
                let name = field.name.clone().unwrap_or_else(|| format!("field{index}"));
                (name, json_value(columns.column(index).as_ref(), row, &field.ty))
            };
            Value::Object(fields.iter().enumerate().map(field).collect())
        }
        _ => Value::String(text()),
    }
}

/// A decimal is a number, or text if it has more digits than readers of JSON numbers keep.
fn decimal(text: String) -> Value {
    let number = serde_json::from_str::<Number>(&text).ok();
    // As it is printed: a double's own digits may be more than it takes to tell it from others.
    let number = number.filter(|number| without_zeros(&number.to_string()) == without_zeros(&text));
    number.map_or(Value::String(text), Value::Number)
}

/// A decimal number without the zeros at its end.
fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// JSON has no NaN and no infinities; they are written as text.
fn number(value: f64, text: impl Fn() -> String) -> Value {
    Number::from_f64(value).map_or_else(|| Value::String(text()), Value::Number)
}
