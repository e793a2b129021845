//! Functions of JSON, as text or as the type `json` (which travels as its text).

mod document;
mod path;
mod reader;

pub use document::{JsonQuestion, answer, answers};

use std::borrow::Cow;

use arrow::array::StringArray;
use arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use self::path::Path;
use self::reader::{Kind, Reader};
use super::Table;
use super::support::{Arg, Computed, bigints, numbers, primitives, text, truth, truths, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

const PARSE: &str = "json_parse(varchar) -> json";

pub(crate) fn register(table: &mut Table) {
    table.kernel(PARSE, "The JSON value that text spells.", parse).fails_by_row();
    table.kernel("json_format(json) -> varchar", "The text of a JSON value.", |call| call.array(0));
    for signature in ["json_extract(varchar, varchar) -> json", "json_extract(json, varchar) -> json"] {
        table
            .kernel(signature, "The value at a path such as `$.a[0]`; NULL if there is none.", extract)
            .never_fails_if(has_known_path);
    }
    for signature in
        ["json_extract_scalar(varchar(x), varchar) -> varchar(x)", "json_extract_scalar(json, varchar) -> varchar"]
    {
        table
            .kernel(signature, "The boolean, number or text at a path, as text.", extract_scalar)
            .never_fails_if(has_known_path);
    }
    for signature in ["json_size(varchar, varchar) -> bigint", "json_size(json, varchar) -> bigint"] {
        table.kernel(signature, "The number of members or elements at a path; 0 for scalars.", size);
    }
    for signature in ["json_array_length(varchar) -> bigint", "json_array_length(json) -> bigint"] {
        table.kernel(signature, "The number of elements; NULL for what is no array.", array_length);
    }
    for signature in ["json_array_get(varchar, bigint) -> json", "json_array_get(json, bigint) -> json"] {
        table.kernel(signature, "The element at an index from 0, from the end if negative.", array_get);
    }
    for signature in ["is_json_scalar(varchar) -> boolean", "is_json_scalar(json) -> boolean"] {
        table.kernel(signature, "Whether it is null, a boolean, a number or text.", is_scalar);
    }
    for signature in [
        "json_array_contains(varchar, boolean) -> boolean",
        "json_array_contains(varchar, bigint) -> boolean",
        "json_array_contains(varchar, double) -> boolean",
        "json_array_contains(varchar, varchar) -> boolean",
        "json_array_contains(json, boolean) -> boolean",
        "json_array_contains(json, bigint) -> boolean",
        "json_array_contains(json, double) -> boolean",
        "json_array_contains(json, varchar) -> boolean",
    ] {
        table.kernel(signature, "Whether a value is an element; NULL for what is no array.", array_contains);
    }
}

/// Whether the path is known before any document is read, and is one.
fn has_known_path(args: &[Expr]) -> bool {
    matches!(args, [_, Expr::Literal(ScalarValue::Utf8(Some(path)), _)] if Path::parse(path).is_ok())
}

fn parse(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    let mut written = String::new();
    write_texts(call, |row, out| {
        let value = values.value(row);
        written.clear();
        let invalid = |_| TrinoError::invalid(format!("Cannot convert value to JSON: '{value}'"));
        reader::write_whole(&mut written, value).map_err(invalid)?;
        out.push_str(&written);
        Ok(Some(()))
    })
}

/// The path argument, with the last path parsed.
struct Paths {
    texts: Arg<StringArray>,
    last: Option<(String, Path)>,
}

impl Paths {
    fn new(call: &Call<'_>) -> Result<Self, TrinoError> {
        Ok(Self { texts: text(call, 1)?, last: None })
    }

    /// Moves to what the row's path leads to; none if there is nothing or the text is no JSON.
    fn find<'a>(&mut self, row: usize, value: &'a str) -> Result<Option<Reader<'a>>, TrinoError> {
        let text = self.texts.value(row);
        if self.last.as_ref().is_none_or(|(last, _)| last != text) {
            self.last = Some((text.to_owned(), Path::parse(text)?));
        }
        let mut reader = Reader::new(value);
        for step in self.last.iter().flat_map(|(_, path)| path.steps()) {
            if !reader.enter(step).unwrap_or(false) {
                return Ok(None);
            }
        }
        Ok(Some(reader))
    }
}

fn extract(call: &Call<'_>) -> Computed {
    let (values, mut paths) = (text(call, 0)?, Paths::new(call)?);
    let mut written = String::new();
    write_texts(call, |row, out| {
        written.clear();
        let Some(mut reader) = paths.find(row, values.value(row))? else { return Ok(None) };
        let valid = reader.value().and_then(|value| reader::write(&mut written, value, false)).is_ok();
        Ok(valid.then(|| out.push_str(&written)))
    })
}

fn extract_scalar(call: &Call<'_>) -> Computed {
    let (values, mut paths) = (text(call, 0)?, Paths::new(call)?);
    write_texts(call, |row, out| {
        let Some(mut reader) = paths.find(row, values.value(row))? else { return Ok(None) };
        Ok(scalar(&mut reader).map(|text| out.push_str(&text)))
    })
}

/// A boolean, number or text as text.
fn scalar<'a>(reader: &mut Reader<'a>) -> Option<Cow<'a, str>> {
    match reader.kind().ok()? {
        Kind::Text => reader.text().ok(),
        Kind::Boolean | Kind::Number => reader.value().ok().map(Cow::Borrowed),
        _ => None,
    }
}

fn size(call: &Call<'_>) -> Computed {
    let (values, mut paths) = (text(call, 0)?, Paths::new(call)?);
    primitives::<Int64Type>(call, |row| {
        let Some(mut reader) = paths.find(row, values.value(row))? else { return Ok(None) };
        let mut count = 0;
        let counted = match reader.kind() {
            Ok(Kind::Object) => reader.members(|_, _| count += 1),
            Ok(Kind::Array) => reader.elements(|_| count += 1),
            other => other.map(|_| ()),
        };
        Ok(counted.ok().map(|()| count))
    })
}

/// The elements of an array; none for what is no array, or no JSON.
fn elements(value: &str) -> Option<Vec<&str>> {
    let (mut reader, mut all) = (Reader::new(value), Vec::new());
    match reader.kind() {
        Ok(Kind::Array) => reader.elements(|element| all.push(element)).ok().map(|()| all),
        _ => None,
    }
}

fn array_length(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    primitives::<Int64Type>(call, |row| Ok(elements(values.value(row)).map(|all| all.len() as i64)))
}

/// Text comes without its quotes, as Trino documents it.
fn array_get(call: &Call<'_>) -> Computed {
    let (values, indices) = (text(call, 0)?, bigints(call, 1)?);
    let mut written = String::new();
    write_texts(call, |row, out| {
        let Some(all) = elements(values.value(row)) else { return Ok(None) };
        let index = indices.value(row);
        let index = if index < 0 { index.saturating_add(all.len() as i64) } else { index };
        let element = usize::try_from(index).ok().and_then(|index| all.get(index));
        let Some(element) = element.filter(|element| **element != "null") else { return Ok(None) };
        let mut reader = Reader::new(element);
        if let Some(text) = scalar(&mut reader) {
            out.push_str(&text);
            return Ok(Some(()));
        }
        written.clear();
        Ok(reader::write(&mut written, element, false).ok().map(|()| out.push_str(&written)))
    })
}

fn is_scalar(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    truths(call, |row| {
        let value = values.value(row);
        let invalid = |_| TrinoError::invalid(format!("Invalid JSON value: {value}"));
        let mut reader = Reader::new(value);
        let kind = reader.kind().map_err(invalid)?;
        reader.value().and_then(|_| reader.end()).map_err(invalid)?;
        Ok(Some(!matches!(kind, Kind::Object | Kind::Array)))
    })
}

fn array_contains(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    let any =
        |row: usize, test: &dyn Fn(&str) -> bool| Ok(elements(values.value(row)).map(|all| all.into_iter().any(test)));
    match call.types.get(1) {
        Some(Type::Boolean) => {
            let wanted = truth(call, 1)?;
            truths(call, |row| any(row, &|element| element == if wanted.value(row) { "true" } else { "false" }))
        }
        Some(Type::Bigint) => {
            let wanted = bigints(call, 1)?;
            truths(call, |row| any(row, &|element| element.parse() == Ok(wanted.value(row))))
        }
        Some(Type::Double) => {
            let wanted = numbers::<Float64Type>(call, 1)?;
            // A number without a fraction is none of the doubles here.
            let is_fraction =
                |element: &str| element.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
            truths(call, |row| {
                any(row, &|element| {
                    is_fraction(element)
                        && element.contains(['.', 'e', 'E'])
                        && element.parse() == Ok(wanted.value(row))
                })
            })
        }
        _ => {
            let wanted = text(call, 1)?;
            truths(call, |row| {
                any(row, &|element| {
                    element.starts_with('"') && Reader::new(element).text().is_ok_and(|text| text == wanted.value(row))
                })
            })
        }
    }
}

#[cfg(test)]
mod tests;
