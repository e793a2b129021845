//! The SQL/JSON functions with their clauses.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::sql_json::{self, QueryOptions, Search, ValueFallback};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::{Typed, cast};
use boathouse_trino_parser::ast::{
    ExprKind, JsonCall, JsonExistsOnError, JsonFormat, JsonItem, JsonOutput, JsonPath, JsonQueryFallback,
    JsonValueFallback, JsonWrapper,
};

use super::scope::Scope;
use super::{Analyzer, literal};
use crate::error::unsupported;

impl Analyzer<'_> {
    /// The SQL/JSON functions.
    pub(super) fn json_call(&mut self, call: &JsonCall, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        match call {
            JsonCall::Exists { path, on_error } => {
                let search = self.search(path, scope)?;
                sql_json::exists(search, on_error.unwrap_or(JsonExistsOnError::False))
            }
            JsonCall::Value { path, returning, on_empty, on_error } => {
                let search = self.search(path, scope)?;
                let returning = returning.as_ref().map_or(Ok(Type::VARCHAR), literal::written_type)?;
                let on_empty = self.value_fallback(on_empty.as_ref(), scope)?;
                let on_error = self.value_fallback(on_error.as_ref(), scope)?;
                sql_json::value(search, returning, on_empty, on_error)
            }
            JsonCall::Query { path, returning, wrapper, keep_quotes, on_empty, on_error } => {
                let wrapper = wrapper.unwrap_or(JsonWrapper::Without);
                if keep_quotes.is_some() && wrapper != JsonWrapper::Without {
                    let message = "OMIT QUOTES behavior specified with WITH ARRAY WRAPPER behavior";
                    return Err(TrinoError::new(ErrorCode::InvalidArguments, message));
                }
                let options = QueryOptions {
                    wrapper,
                    keep_quotes: keep_quotes.unwrap_or(true),
                    on_empty: on_empty.unwrap_or(JsonQueryFallback::Null),
                    on_error: on_error.unwrap_or(JsonQueryFallback::Null),
                };
                returned(sql_json::query(self.search(path, scope)?, &options)?, returning.as_ref())
            }
            JsonCall::Object { members, absent_on_null, unique_keys, returning } => {
                let mut pairs = Vec::with_capacity(members.len());
                for member in members {
                    let key = self.expr(&member.key, scope)?;
                    if !matches!(key.1, Type::Varchar(_) | Type::Char(_)) {
                        let message = format!("Invalid type of JSON object key: {}", key.1);
                        return Err(TrinoError::at(member.key.pos, ErrorCode::InvalidFunctionArgument, message));
                    }
                    pairs.push((key, self.json_item(&member.value, "value passed to JSON_OBJECT function", scope)?));
                }
                let absent_on_null = absent_on_null.unwrap_or(false);
                let object = sql_json::object(pairs, absent_on_null, unique_keys.unwrap_or(false))?;
                returned(object, returning.as_ref())
            }
            JsonCall::Array { items, absent_on_null, returning } => {
                let items = items.iter().map(|item| self.json_item(item, "value passed to JSON_ARRAY function", scope));
                let items = items.collect::<Result<_, _>>()?;
                returned(sql_json::array(items, absent_on_null.unwrap_or(true)), returning.as_ref())
            }
        }
    }

    fn search(&mut self, path: &JsonPath, scope: &Scope<'_>) -> Result<Search, TrinoError> {
        supported(path.input.format)?;
        let written = &path.input.expr;
        let input = self.expr(written, scope)?;
        if !matches!(input.1, Type::Unknown | Type::Varchar(_) | Type::Char(_) | Type::Varbinary) {
            let message = format!("Cannot read input of type {} as JSON using formatting JSON", input.1);
            return Err(TrinoError::at(written.pos, ErrorCode::TypeMismatch, message));
        }
        let mut passing = Vec::with_capacity(path.passing.len());
        for (item, name) in &path.passing {
            // Names of variables keep their case only in quotes, as in Trino.
            let name = if name.quoted { name.value.clone() } else { name.value.to_uppercase() };
            passing.push((name, self.json_item(item, "JSON path parameter", scope)?));
        }
        Ok(Search { input, path: path.path.clone(), path_pos: path.pos.0, passing })
    }

    /// A value as JSON; what another of these functions gives is JSON already.
    fn json_item(&mut self, item: &JsonItem, place: &str, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        supported(item.format)?;
        let nested = match &item.expr.kind {
            ExprKind::Json(call) => !matches!(**call, JsonCall::Exists { .. } | JsonCall::Value { .. }),
            _ => false,
        };
        let value = self.expr(&item.expr, scope)?;
        if matches!(value.1, Type::Array(_) | Type::Map(..) | Type::Row(_)) {
            return Err(unsupported(format!("Unsupported type of {place}: {}", value.1)));
        }
        sql_json::json_of(value, nested || item.format.is_some())
    }

    fn value_fallback(
        &mut self,
        fallback: Option<&JsonValueFallback>,
        scope: &Scope<'_>,
    ) -> Result<ValueFallback, TrinoError> {
        Ok(match fallback {
            Some(JsonValueFallback::Error) => ValueFallback::Error,
            Some(JsonValueFallback::Null) | None => ValueFallback::Null,
            Some(JsonValueFallback::Default(expr)) => ValueFallback::Default(self.expr(expr, scope)?),
        })
    }
}

fn supported(format: Option<JsonFormat>) -> Result<(), TrinoError> {
    match format {
        Some(JsonFormat::Utf16 | JsonFormat::Utf32) => Err(unsupported("JSON in UTF16 or UTF32 is not supported")),
        _ => Ok(()),
    }
}

/// The text as the type after RETURNING.
fn returned(text: Typed, returning: Option<&JsonOutput>) -> Result<Typed, TrinoError> {
    let Some(output) = returning else { return Ok(text) };
    supported(output.format)?;
    let ty = literal::written_type(&output.ty)?;
    match ty {
        Type::Varchar(_) | Type::Char(_) | Type::Varbinary => cast::cast(text, &ty),
        ty => Err(TrinoError::new(ErrorCode::TypeMismatch, format!("Cannot output JSON value as {ty}"))),
    }
}
