use datafusion::logical_expr::lit;

use super::*;
use crate::testing::{error, show};

fn literal(text: &str) -> Typed {
    (lit(text), Type::Varchar(Some(text.len() as u32)))
}

fn ty(text: &str) -> Type {
    Type::parse_trino(text).unwrap()
}

/// `CAST(CAST(text AS each) AS …)` as text.
fn through(text: &str, types: &[&str]) -> String {
    show(types.iter().fold(literal(text), |value, next| cast(value, &ty(next)).unwrap()))
}

fn failure(text: &str, types: &[&str]) -> String {
    error(types.iter().fold(literal(text), |value, next| cast(value, &ty(next)).unwrap()))
}

#[test]
fn text_becomes_numbers_and_back() {
    assert_eq!(through("12", &["integer"]), "12");
    assert_eq!(through("1.5", &["double", "varchar"]), "1.5E0");
    assert_eq!(through("0", &["double", "varchar"]), "0E0");
    assert_eq!(through("12345.678", &["decimal(7,2)", "varchar"]), "12345.68");
    assert_eq!(through("TRUE", &["boolean", "integer"]), "1");
    assert_eq!(failure("12x", &["integer"]), "INVALID_CAST_ARGUMENT: Cannot cast '12x' to INT");
    assert_eq!(failure("yes", &["boolean"]), "INVALID_CAST_ARGUMENT: Cannot cast 'yes' to BOOLEAN");
    assert_eq!(
        failure("x", &["decimal(3,1)"]),
        "INVALID_CAST_ARGUMENT: Cannot cast VARCHAR 'x' to DECIMAL(3, 1). Value is not a number."
    );
    assert_eq!(
        failure("12345", &["integer", "varchar(3)"]),
        "INVALID_CAST_ARGUMENT: Value 12345 cannot be represented as varchar(3)"
    );
}

#[test]
fn numbers_round_half_up_and_must_fit() {
    assert_eq!(through("2.5", &["double", "bigint"]), "3");
    assert_eq!(through("-2.5", &["double", "bigint"]), "-3");
    assert_eq!(through("2.5", &["decimal(2,1)", "integer"]), "3");
    assert_eq!(through("0.125", &["double", "decimal(3,2)"]), "0.13");
    assert_eq!(through("99.95", &["decimal(4,2)", "decimal(4,1)"]), "100.0");
    assert_eq!(failure("300", &["integer", "tinyint"]), "NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: 300");
    assert_eq!(
        failure("99.95", &["decimal(4,2)", "decimal(3,1)"]),
        "INVALID_CAST_ARGUMENT: Cannot cast DECIMAL(4, 2) '99.95' to DECIMAL(3, 1)"
    );
    assert_eq!(failure("NaN", &["double", "integer"]), "INVALID_CAST_ARGUMENT: Cannot cast double NaN to integer");
    assert_eq!(
        failure("1e300", &["double", "decimal(38,0)"]),
        "INVALID_CAST_ARGUMENT: Cannot cast DOUBLE '1.0E300' to DECIMAL(38, 0)"
    );
}

#[test]
fn text_is_cut_and_padded() {
    assert_eq!(through("häuser", &["varchar(2)"]), "hä");
    assert_eq!(through("ab", &["char(4)"]), "ab  ");
    assert_eq!(through("ab", &["char(4)", "varchar"]), "ab  ");
    assert_eq!(through("abc", &["char(2)"]), "ab");
}

#[test]
fn instants_follow_their_zones() {
    assert_eq!(through("2020-1-31", &["date"]), "2020-01-31");
    assert_eq!(through("2020-01-31 05:06:07.1239", &["timestamp(3)"]), "2020-01-31 05:06:07.124");
    assert_eq!(through("2020-01-31 05:06:07.1239", &["timestamp(6)", "timestamp(0)"]), "2020-01-31 05:06:07");
    assert_eq!(through("2020-01-31 23:00 America/New_York", &["timestamp(3) with time zone", "date"]), "2020-01-31");
    assert_eq!(
        through("2020-01-31 23:00 +01:00", &["timestamp(3) with time zone", "varchar"]),
        "2020-01-31 23:00:00.000 +01:00"
    );
    assert_eq!(through("2020-01-31", &["date", "timestamp(3) with time zone"]), "2020-01-31 00:00:00.000 UTC");
    assert_eq!(through("05:06", &["time(3)", "varchar"]), "05:06:00.000");
    assert_eq!(failure("2020-13-01", &["date"]), "INVALID_CAST_ARGUMENT: Value cannot be cast to date: 2020-13-01");
    assert_eq!(failure("x", &["timestamp(3)"]), "INVALID_CAST_ARGUMENT: Value cannot be cast to timestamp: x");
    assert_eq!(failure("1:2:3:4", &["time(3)"]), "INVALID_CAST_ARGUMENT: Value cannot be cast to time: 1:2:3:4");
}

#[test]
fn json_goes_both_ways() {
    let json = |text: &str| (lit(text), Type::Json);
    let get = |text: &str, to: &str| show(cast(json(text), &ty(to)).unwrap());
    assert_eq!(get("[1, 2, null]", "array(bigint)"), "[1, 2, null]");
    assert_eq!(get(r#"{"a": 1, "b": 2.5}"#, "map(varchar, double)"), "{a=1.0, b=2.5}");
    assert_eq!(get(r#"{"B": [1], "a": "x"}"#, "row(a varchar, b array(json))"), "{a=x, b=[1]}");
    assert_eq!(get(r#""12""#, "integer"), "12");
    assert_eq!(get("null", "integer"), "NULL");
    assert_eq!(error(cast(json("[1]"), &Type::Bigint).unwrap()), "INVALID_CAST_ARGUMENT: Cannot cast '[1]' to bigint");
    let row = cast(json(r#"["x", 1.5]"#), &ty("row(a varchar, b double)")).unwrap();
    assert_eq!(show(cast(row, &Type::Json).unwrap()), r#"{"a":"x","b":1.5}"#);
    assert_eq!(through("a\"b", &["json"]), r#""a\"b""#);
}

#[test]
fn try_cast_gives_null_row_by_row() {
    let column: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["1", "x", "3", "4", ""]));
    let from = Type::VARCHAR;
    let converted = nulls_for_errors(5, &Type::Bigint, &|offset, length| {
        cast_array(&column.slice(offset, length), &from, &Type::Bigint)
    })
    .unwrap();
    let expected = arrow::array::Int64Array::from(vec![Some(1), None, Some(3), Some(4), None]);
    assert_eq!(converted.as_primitive::<arrow::datatypes::Int64Type>(), &expected);
    assert_eq!(show(try_cast(literal("12x"), &Type::Integer).unwrap()), "NULL");
}

#[test]
fn what_trino_cannot_cast_is_refused() {
    for (from, to) in [("date", "bigint"), ("boolean", "date"), ("integer", "array(integer)"), ("varbinary", "varchar")]
    {
        let error = cast((lit(ScalarValue::Null), ty(from)), &ty(to)).unwrap_err();
        assert_eq!(error.to_string(), format!("TYPE_MISMATCH: Cannot cast {from} to {to}"));
    }
    assert!(coerce(literal("1"), &Type::Bigint).is_err());
    assert_eq!(show(coerce((lit(1_i32), Type::Integer), &ty("decimal(12,2)")).unwrap()), "1.00");
}
