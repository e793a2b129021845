use boathouse_trino_parser::ast::{JsonExistsOnError, JsonQueryFallback, JsonWrapper};

use super::*;
use crate::testing::{error, show, text, value as typed};

fn search(input: &str, path: &str) -> Search {
    Search { input: text(input), path: path.to_owned(), path_pos: Pos { line: 1, column: 1 }, passing: Vec::new() }
}

fn value_of(input: &str, path: &str, returning: &str) -> Typed {
    let returning = Type::parse_trino(returning).unwrap();
    value(search(input, path), returning, ValueFallback::Null, ValueFallback::Error).unwrap()
}

fn queried(input: &str, path: &str, wrapper: JsonWrapper, keep_quotes: bool) -> String {
    let (on_empty, on_error) = (JsonQueryFallback::EmptyArray, JsonQueryFallback::Null);
    show(query(search(input, path), &QueryOptions { wrapper, keep_quotes, on_empty, on_error }).unwrap())
}

#[test]
fn whether_something_exists() {
    let found = |path, on_error| show(exists(search(r#"{"a": 1}"#, path), on_error).unwrap());
    assert_eq!(found("lax $.a", JsonExistsOnError::False), "true");
    assert_eq!(found("lax $.b", JsonExistsOnError::True), "false");
    assert_eq!(found("strict $.b", JsonExistsOnError::True), "true");
    assert_eq!(found("strict $.b", JsonExistsOnError::Unknown), "NULL");
    let failed = exists(search("{", "lax $"), JsonExistsOnError::Error).unwrap();
    assert!(error(failed).starts_with("JSON_INPUT_CONVERSION_ERROR: conversion to JSON failed: "));
    let failed = exists(search("{}", "lax $."), JsonExistsOnError::Error).unwrap_err();
    assert_eq!(failed.code, ErrorCode::SyntaxError);
}

#[test]
fn values_have_the_wanted_type() {
    assert_eq!(show(value_of("[7, 2.5, true]", "lax $[0]", "integer")), "7");
    assert_eq!(show(value_of("[7, 2.5, true]", "lax $[1]", "varchar")), "2.5E0");
    assert_eq!(show(value_of("[7, 2.5, true]", "lax $[2]", "boolean")), "true");
    assert_eq!(show(value_of("[7]", "lax $[9]", "varchar")), "NULL");
    assert_eq!(show(value_of(r#"["2020-01-01"]"#, "lax $[0]", "date")), "2020-01-01");
    assert_eq!(
        error(value_of("[7, 8]", "lax $[*]", "varchar")),
        "JSON_VALUE_RESULT_ERROR: cannot extract SQL scalar from JSON: JSON path found multiple items"
    );
    let fallback = || ValueFallback::Default(typed("0", "integer"));
    let given = value(search("[]", "lax $[0]"), Type::Integer, fallback(), ValueFallback::Null).unwrap();
    assert_eq!(show(given), "0");
}

#[test]
fn queries_are_wrapped_or_not() {
    let json = r#"{"a": [1, 2], "b": "x", "c": {"z": 1, "a": 2}}"#;
    assert_eq!(queried(json, "lax $.a", JsonWrapper::Without, true), "[1,2]");
    assert_eq!(queried(json, "lax $.a[*]", JsonWrapper::Without, true), "NULL");
    assert_eq!(queried(json, "lax $.a[*]", JsonWrapper::Unconditional, true), "[1,2]");
    assert_eq!(queried(json, "lax $.a", JsonWrapper::Unconditional, true), "[[1,2]]");
    assert_eq!(queried(json, "lax $.a", JsonWrapper::Conditional, true), "[1,2]");
    assert_eq!(queried(json, "lax $.b", JsonWrapper::Conditional, true), r#"["x"]"#);
    assert_eq!(queried(json, "lax $.b", JsonWrapper::Without, false), "x");
    assert_eq!(queried(json, "lax $.c", JsonWrapper::Without, true), r#"{"z":1,"a":2}"#);
    assert_eq!(queried(json, "lax $.nope", JsonWrapper::Without, true), "[]");
}

#[test]
fn objects_and_arrays_are_made() {
    let json = |text: &str, ty: &str| json_of(typed(text, ty), false).unwrap();
    let null = || json_of((lit(datafusion::common::ScalarValue::Null), Type::Unknown), false).unwrap();
    let members = || vec![(text("a"), json("1", "integer")), (text("b"), null())];
    assert_eq!(show(object(members(), false, false).unwrap()), r#"{"a":1,"b":null}"#);
    assert_eq!(show(object(members(), true, false).unwrap()), r#"{"a":1}"#);
    let twice = vec![(text("a"), json("1", "integer")), (text("a"), json("x", "varchar"))];
    assert!(error(object(twice, false, true).unwrap()).starts_with("INVALID_FUNCTION_ARGUMENT: "));
    let items = vec![json("x", "varchar"), null(), json_of(text("[ 2 ]"), true).unwrap()];
    assert_eq!(show(array(items.clone(), true)), r#"["x",[2]]"#);
    assert_eq!(show(array(items, false)), r#"["x",null,[2]]"#);
    assert_eq!(show(array(Vec::new(), true)), "[]");
}
