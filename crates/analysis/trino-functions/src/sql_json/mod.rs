//! JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT and JSON_ARRAY ("JSON functions and operators" in Trino's
//! documentation).
//!
//! | Module | What it holds |
//! |---|---|
//! | `item` | JSON values |
//! | `path` | the path language |
//! | `evaluate` | what a path leads to |

mod evaluate;
mod item;
mod path;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray, new_null_array};
use arrow::compute::concat;
use boathouse_trino_parser::ast::{JsonExistsOnError, JsonQueryFallback, JsonWrapper, Pos};
use datafusion::logical_expr::lit;

use self::item::{Item, write_text};
use self::path::{Path, PathError};
use crate::Typed;
use crate::cast::{cast, cast_array, castable};
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::{Bound, Call, Kernel};
use crate::types::Type;

/// A JSON text, a path into it, and the path's variables.
#[derive(Debug)]
pub struct Search {
    /// The text.
    pub input: Typed,
    /// The path, such as `lax $.a`.
    pub path: String,
    /// Where it stands in the statement.
    pub path_pos: Pos,
    /// The variables with their values as `json`, see [`json_of`].
    pub passing: Vec<(String, Typed)>,
}

/// What JSON_VALUE gives instead of a value.
#[derive(Debug)]
pub enum ValueFallback {
    /// An error.
    Error,
    /// NULL.
    Null,
    /// A value.
    Default(Typed),
}

/// How JSON_QUERY gives its result.
#[derive(Debug)]
pub struct QueryOptions {
    /// Whether the result is put into an array.
    pub wrapper: JsonWrapper,
    /// Whether a text keeps its quotes.
    pub keep_quotes: bool,
    /// Where the path leads nowhere.
    pub on_empty: JsonQueryFallback,
    /// Where something goes wrong.
    pub on_error: JsonQueryFallback,
}

/// A value as `json`; with `formatted` it is a text of JSON already.
///
/// # Errors
/// TYPE_MISMATCH for what neither `json` nor text can hold.
pub fn json_of(value: Typed, formatted: bool) -> Result<Typed, TrinoError> {
    let (expr, ty) = value;
    match ty {
        ty if formatted => {
            let text = text_of((expr, ty))?;
            Ok(call("json_formatted", formatted_kernel, vec![text], Type::Json))
        }
        ty if castable(&ty, &Type::Json) => cast((expr, ty), &Type::Json),
        ty => cast(cast((expr, ty), &Type::VARCHAR)?, &Type::Json),
    }
}

/// JSON as text from text, from bytes in UTF-8, or from `json`.
///
/// # Errors
/// TYPE_MISMATCH for any other type.
pub fn text_of(value: Typed) -> Result<Typed, TrinoError> {
    match value.1 {
        Type::Json => Ok((value.0, Type::VARCHAR)),
        Type::Unknown => cast(value, &Type::VARCHAR),
        Type::Varchar(_) | Type::Char(_) => cast(value, &Type::VARCHAR),
        Type::Varbinary => crate::functions::call_scalar("from_utf8", vec![value]),
        ty => Err(TrinoError::mismatch(format!("Cannot read input of type {ty} as JSON using formatting JSON"))),
    }
}

/// `JSON_EXISTS(…)`
///
/// # Errors
/// SYNTAX_ERROR for a path that can't be read.
pub fn exists(search: Search, on_error: JsonExistsOnError) -> Result<Typed, TrinoError> {
    let options = match on_error {
        JsonExistsOnError::True => "t",
        JsonExistsOnError::False => "f",
        JsonExistsOnError::Unknown => "u",
        JsonExistsOnError::Error => "e",
    };
    let args = arguments(search, options, Vec::new())?;
    Ok(call("json_exists", exists_kernel, args, Type::Boolean))
}

/// `JSON_VALUE(…)` of the type `returning`.
///
/// # Errors
/// SYNTAX_ERROR for a path that can't be read, TYPE_MISMATCH for a type that no JSON value becomes.
pub fn value(
    search: Search,
    returning: Type,
    on_empty: ValueFallback,
    on_error: ValueFallback,
) -> Result<Typed, TrinoError> {
    if !castable(&Type::VARCHAR, &returning) || returning == Type::Json {
        let message = format!("Invalid return type of function JSON_VALUE: {returning}");
        return Err(TrinoError::mismatch(message));
    }
    let (mut options, mut defaults) = (String::new(), Vec::new());
    for fallback in [on_empty, on_error] {
        let (option, default) = match fallback {
            ValueFallback::Error => ('e', None),
            ValueFallback::Null => ('n', None),
            ValueFallback::Default(default) => ('d', Some(crate::cast::coerce(default, &returning)?)),
        };
        options.push(option);
        let null = || cast((lit(datafusion::common::ScalarValue::Null), Type::Unknown), &returning);
        defaults.push(default.map_or_else(null, Ok)?);
    }
    let args = arguments(search, &options, defaults)?;
    Ok(call("json_value", value_kernel, args, returning))
}

/// `JSON_QUERY(…)` as text.
///
/// # Errors
/// SYNTAX_ERROR for a path that can't be read.
pub fn query(search: Search, options: &QueryOptions) -> Result<Typed, TrinoError> {
    let fallback = |fallback| match fallback {
        JsonQueryFallback::Error => 'e',
        JsonQueryFallback::Null => 'n',
        JsonQueryFallback::EmptyArray => 'a',
        JsonQueryFallback::EmptyObject => 'o',
    };
    let wrapper = match options.wrapper {
        JsonWrapper::Without => 'w',
        JsonWrapper::Conditional => 'c',
        JsonWrapper::Unconditional => 'u',
    };
    let quotes = if options.keep_quotes { 'k' } else { 'o' };
    let flags = String::from_iter([wrapper, quotes, fallback(options.on_empty), fallback(options.on_error)]);
    let args = arguments(search, &flags, Vec::new())?;
    Ok(call("json_query", query_kernel, args, Type::VARCHAR))
}

/// `JSON_OBJECT(…)` as text, from keys and values as `json`.
///
/// # Errors
/// TYPE_MISMATCH for a key that is no text.
pub fn object(members: Vec<(Typed, Typed)>, absent_on_null: bool, unique_keys: bool) -> Result<Typed, TrinoError> {
    let mut args = vec![text(&format!("{}{}", u8::from(absent_on_null), u8::from(unique_keys)))];
    for (key, value) in members {
        args.extend([crate::cast::coerce(key, &Type::VARCHAR)?, value]);
    }
    Ok(call("json_object", object_kernel, args, Type::VARCHAR))
}

/// `JSON_ARRAY(…)` as text, from values as `json`.
pub fn array(items: Vec<Typed>, absent_on_null: bool) -> Typed {
    let args = std::iter::once(text(&u8::from(absent_on_null).to_string())).chain(items).collect();
    call("json_array", array_kernel, args, Type::VARCHAR)
}

fn text(value: &str) -> Typed {
    (lit(value), Type::VARCHAR)
}

/// An error in a path, whose text begins after a quote.
fn refused(error: PathError, path: Pos) -> TrinoError {
    match error.at {
        Some(at) => {
            let pos = Pos { column: path.column + 1 + at as u32, ..path };
            TrinoError::at(pos, ErrorCode::SyntaxError, error.message)
        }
        None => TrinoError::at(path, ErrorCode::NotSupported, error.message),
    }
}

/// The input, the path, the variables' names, the options, then what is particular, then the variables' values.
fn arguments(search: Search, options: &str, particular: Vec<Typed>) -> Result<Vec<Typed>, TrinoError> {
    Path::parse(&search.path).map_err(|error| refused(error, search.path_pos))?;
    let (names, values): (Vec<_>, Vec<_>) = search.passing.into_iter().unzip();
    let names = Item::Array(names.into_iter().map(Item::Text).collect()).to_json();
    let fixed = [text_of(search.input)?, text(&search.path), text(&names), text(options)];
    Ok(fixed.into_iter().chain(particular).chain(values).collect())
}

fn call(name: &'static str, kernel: Kernel, args: Vec<Typed>, result: Type) -> Typed {
    let (args, types) = args.into_iter().unzip();
    let bound = Bound::operator(name, kernel, types, result.clone());
    (bound.call(args), result)
}

/// A search prepared for the rows of a batch.
struct Prepared {
    path: Path,
    names: Vec<String>,
    options: Vec<char>,
    inputs: ArrayRef,
    values: Vec<ArrayRef>,
}

fn constant(call: &Call<'_>, index: usize) -> Result<String, TrinoError> {
    let value = call.constant(index).and_then(|value| value.try_as_str().flatten());
    value.map(str::to_owned).ok_or_else(|| TrinoError::internal(format!("argument {index} is no constant text")))
}

impl Prepared {
    /// The variables' values begin at an index.
    fn new(call: &Call<'_>, values: usize) -> Result<Self, TrinoError> {
        let path = Path::parse(&constant(call, 1)?).map_err(|error| TrinoError::internal(error.message))?;
        let names =
            serde_json::from_str(&constant(call, 2)?).map_err(|error| TrinoError::internal(error.to_string()))?;
        let options = constant(call, 3)?.chars().collect();
        let values = (values..call.len()).map(|index| call.array(index)).collect::<Result<_, _>>()?;
        Ok(Self { path, names, options, inputs: call.array(0)?, values })
    }

    /// What the row's path leads to.
    fn found(&self, row: usize) -> Result<Vec<Item>, TrinoError> {
        let root = parsed(self.inputs.as_string::<i32>().value(row))?;
        let variable = |(name, values): (&String, &ArrayRef)| {
            let item = match values.is_null(row) {
                true => Item::Null,
                false => parsed(values.as_string::<i32>().value(row))?,
            };
            Ok((name.clone(), item))
        };
        let variables = self.names.iter().zip(&self.values).map(variable).collect::<Result<Vec<_>, TrinoError>>()?;
        evaluate::evaluate(&self.path, &root, &variables).map_err(|error| {
            TrinoError::new(ErrorCode::PathEvaluationError, format!("path evaluation failed: {error}"))
        })
    }
}

fn parsed(text: &str) -> Result<Item, TrinoError> {
    let failed = |_| "conversion to JSON failed: ".to_owned();
    Item::parse(text).map_err(|error| TrinoError::new(ErrorCode::JsonInputConversionError, failed(error)))
}

fn exists_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let search = Prepared::new(call, 4)?;
    let exists = |row: usize| {
        if search.inputs.is_null(row) {
            return Ok(None);
        }
        match (search.found(row), search.options.as_slice()) {
            (Ok(items), _) => Ok(Some(!items.is_empty())),
            (Err(error), ['e']) => Err(error),
            (Err(_), ['u']) => Ok(None),
            (Err(_), options) => Ok(Some(options == ['t'])),
        }
    };
    Ok(Arc::new((0..call.rows).map(exists).collect::<Result<BooleanArray, TrinoError>>()?))
}

fn value_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let search = Prepared::new(call, 6)?;
    let defaults = [call.array(4)?, call.array(5)?];
    let null = || new_null_array(&call.result.to_arrow(), 1);
    let instead = |which: usize, row: usize, error: TrinoError| match search.options[which] {
        'e' => Err(error),
        'd' => Ok(defaults[which].slice(row, 1)),
        _ => Ok(null()),
    };
    let unfit = |why: &str| {
        let message = format!("cannot extract SQL scalar from JSON: {why}");
        TrinoError::new(ErrorCode::JsonValueResultError, message)
    };
    let value = |row: usize| {
        if search.inputs.is_null(row) {
            return Ok(null());
        }
        let items = match search.found(row) {
            Ok(items) => items,
            Err(error) => return instead(1, row, error),
        };
        match items.as_slice() {
            [] => instead(0, row, unfit("JSON path found no items")),
            [Item::Null] => Ok(null()),
            [item] => match scalar(item, call.result) {
                Some(Ok(value)) => Ok(value),
                Some(Err(error)) => instead(1, row, error),
                None => instead(1, row, unfit("JSON path found an item that cannot be converted to an SQL value")),
            },
            _ => instead(1, row, unfit("JSON path found multiple items")),
        }
    };
    let values = (0..call.rows).map(value).collect::<Result<Vec<_>, TrinoError>>()?;
    if values.is_empty() {
        return Ok(new_null_array(&call.result.to_arrow(), 0));
    }
    Ok(concat(&values.iter().map(AsRef::as_ref).collect::<Vec<_>>())?)
}

/// A scalar as a value of a type; none for arrays and objects.
fn scalar(item: &Item, ty: &Type) -> Option<Result<ArrayRef, TrinoError>> {
    let (value, from): (ArrayRef, Type) = match item {
        Item::Boolean(value) => (Arc::new(BooleanArray::from(vec![*value])), Type::Boolean),
        Item::Whole(value) => (Arc::new(Int64Array::from(vec![*value])), Type::Bigint),
        Item::Double(value) => (Arc::new(Float64Array::from(vec![*value])), Type::Double),
        Item::Text(text) => (Arc::new(StringArray::from(vec![text.as_str()])), Type::VARCHAR),
        Item::Null | Item::Array(_) | Item::Object(_) => return None,
    };
    let cast = castable(&from, ty).then(|| cast_array(&value, &from, ty).ok()).flatten();
    // Small numbers count as integers.
    let shown = if matches!(item, Item::Whole(value) if i32::try_from(*value).is_ok()) { Type::Integer } else { from };
    Some(cast.ok_or_else(|| {
        let message = format!(
            "cannot extract SQL scalar from JSON: Cannot cast value of type {shown} to declared return type of function \
             JSON_VALUE: {ty}"
        );
        TrinoError::new(ErrorCode::JsonValueResultError, message)
    }))
}

fn query_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let search = Prepared::new(call, 4)?;
    let query = |row: usize| {
        if search.inputs.is_null(row) {
            return Ok(None);
        }
        let &[wrapper, quotes, on_empty, on_error] = search.options.as_slice() else {
            return Err(TrinoError::internal("JSON_QUERY has four options"));
        };
        let instead = |option: char, error: TrinoError| match option {
            'e' => Err(error),
            'a' => Ok(Some("[]".to_owned())),
            'o' => Ok(Some("{}".to_owned())),
            _ => Ok(None),
        };
        let unfit = |why: &str| {
            let message = format!("conversion from JSON failed: {why}");
            TrinoError::new(ErrorCode::JsonOutputConversionError, message)
        };
        let items = match search.found(row) {
            Ok(items) if items.is_empty() => return instead(on_empty, unfit("JSON path found no items")),
            Ok(items) => items,
            Err(error) => return instead(on_error, error),
        };
        let item = match (wrapper, items.as_slice()) {
            ('w', [_]) | ('c', [Item::Array(_) | Item::Object(_)]) => items.into_iter().next(),
            ('w', _) => None,
            _ => Some(Item::Array(items)),
        };
        match item {
            Some(Item::Text(text)) if quotes == 'o' => Ok(Some(text)),
            Some(item) => Ok(Some(item.to_json())),
            None => instead(on_error, unfit("JSON path found multiple items")),
        }
    };
    Ok(Arc::new((0..call.rows).map(query).collect::<Result<StringArray, TrinoError>>()?))
}

fn object_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let options = constant(call, 0)?;
    let (absent_on_null, unique_keys) = (options.starts_with('1'), options.ends_with('1'));
    let args = (1..call.len()).map(|index| call.array(index)).collect::<Result<Vec<_>, _>>()?;
    let object = |row: usize| {
        let mut members: Vec<(&str, String)> = Vec::with_capacity(args.len() / 2);
        for pair in args.chunks_exact(2) {
            if pair[0].is_null(row) {
                return Err(TrinoError::invalid("null value passed for JSON object key to JSON_OBJECT function"));
            }
            let key = pair[0].as_string::<i32>().value(row);
            let Some(value) = element(&pair[1], row, absent_on_null) else { continue };
            match members.iter_mut().find(|(known, _)| *known == key) {
                Some(_) if unique_keys => {
                    return Err(TrinoError::invalid("duplicate key passed to JSON_OBJECT function"));
                }
                Some(_) => {
                    let message = "cannot construct a JSON object with duplicate key";
                    return Err(TrinoError::new(ErrorCode::NotSupported, message));
                }
                None => members.push((key, value)),
            }
        }
        let mut out = String::from("{");
        for (index, (key, value)) in members.iter().enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            write_text(&mut out, key);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Ok(Some(out))
    };
    Ok(Arc::new((0..call.rows).map(object).collect::<Result<StringArray, TrinoError>>()?))
}

fn array_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let absent_on_null = constant(call, 0)? == "1";
    let args = (1..call.len()).map(|index| call.array(index)).collect::<Result<Vec<_>, _>>()?;
    let array = |row: usize| {
        let elements = args.iter().filter_map(|arg| element(arg, row, absent_on_null));
        Some(format!("[{}]", elements.collect::<Vec<_>>().join(",")))
    };
    Ok(Arc::new((0..call.rows).map(array).collect::<StringArray>()))
}

/// A value of `json`; none where it is NULL and NULLs are left out.
fn element(values: &ArrayRef, row: usize, absent_on_null: bool) -> Option<String> {
    match values.is_null(row) {
        true => (!absent_on_null).then(|| "null".to_owned()),
        false => Some(values.as_string::<i32>().value(row).to_owned()),
    }
}

/// JSON in its plainest form, from text of JSON.
fn formatted_kernel(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let texts = call.array(0)?;
    let plain = |text: Option<&str>| text.map(|text| parsed(text).map(|item| item.to_json())).transpose();
    Ok(Arc::new(texts.as_string::<i32>().iter().map(plain).collect::<Result<StringArray, _>>()?))
}

#[cfg(test)]
mod tests;
