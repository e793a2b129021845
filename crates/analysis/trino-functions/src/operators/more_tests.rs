use arrow::array::{Array, ArrayRef, Int32Array, RecordBatch};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::SessionContext;

use super::*;
use crate::testing::{error, show, text, value};

fn int(value: i32) -> Typed {
    (lit(value), Type::Integer)
}

#[test]
fn choices_take_the_common_type_and_leave_the_rest_alone() {
    let condition = || (lit(true), Type::Boolean);
    let failing = || binary(BinaryOp::Divide, int(1), int(0)).unwrap();
    assert_eq!(show(if_(condition(), int(1), Some(failing())).unwrap()), "1");
    assert_eq!(
        show(
            case(Some(int(2)), vec![(int(1), failing()), (int(2), text("b").clone())], None)
                .unwrap_or(text("mismatch"))
        ),
        "mismatch"
    );
    assert_eq!(show(case(Some(int(2)), vec![(int(1), failing()), (int(2), value("7", "bigint"))], None).unwrap()), "7");
    assert_eq!(show(coalesce(vec![value("1", "integer"), value("2.5", "decimal(2,1)")]).unwrap()), "1.0");
    assert_eq!(show(nullif(int(1), int(1)).unwrap()), "NULL");
    assert_eq!(show(nullif(int(1), int(2)).unwrap()), "1");
    let error = if_(int(1), int(1), None).unwrap_err();
    assert_eq!(error.to_string(), "TYPE_MISMATCH: IF condition must evaluate to a boolean (actual: integer)");
    assert!(coalesce(vec![int(1)]).is_err());
}

#[test]
fn conditions_compare_in_the_common_type() {
    assert_eq!(show(between(int(2), value("1.5", "decimal(2,1)"), int(3), false).unwrap()), "true");
    assert_eq!(show(in_list(int(2), vec![int(1), value("2", "bigint")], true).unwrap()), "false");
    assert_eq!(show(is_distinct_from(int(2), value("2", "bigint"), false).unwrap()), "false");
    let (berlin, utc) = ("2020-01-01 01:00 Europe/Berlin", "2020-01-01 00:00 UTC");
    let zoned = |text| value(text, "timestamp(3) with time zone");
    assert_eq!(show(comparison(ComparisonOp::Equal, zoned(berlin), zoned(utc)).unwrap()), "true");
    assert!(between(int(2), text("a"), int(3), false).is_err());
    assert!(in_list(int(2), vec![text("a")], false).is_err());
}

#[test]
fn like_has_an_escape_only_if_named() {
    let matches = |value: &str, pattern: &str, escape: Option<&str>| {
        show(like(text(value), text(pattern), escape.map(text), false).unwrap())
    };
    assert_eq!(matches("a\\b", "a\\_", None), "true");
    assert_eq!(matches("a%c", "a#%c", Some("#")), "true");
    assert_eq!(matches("abc", "a#%c", Some("#")), "false");
    assert_eq!(matches("hällo", "h_llo", None), "true");
    let error = like(text("a"), text("a#b"), Some(text("#")), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "INVALID_FUNCTION_ARGUMENT: Escape character must be followed by '%', '_' or the escape character itself"
    );
    assert!(like(int(1), text("a"), None, false).is_err());
}

#[test]
fn subscripts_start_at_one_and_miss_with_an_error() {
    let json = |text: &str, ty: &str| cast::cast((lit(text), Type::Json), &Type::parse_trino(ty).unwrap()).unwrap();
    let array = || json("[10, 20]", "array(integer)");
    assert_eq!(show(subscript(array(), int(2)).unwrap()), "20");
    assert_eq!(
        error(subscript(array(), int(3)).unwrap()),
        "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 3 > 2"
    );
    assert_eq!(error(subscript(array(), int(0)).unwrap()), "INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1");
    assert_eq!(
        error(subscript(array(), int(-1)).unwrap()),
        "INVALID_FUNCTION_ARGUMENT: Array subscript is negative: -1"
    );
    let map = || json(r#"{"a": 1}"#, "map(varchar, bigint)");
    assert_eq!(show(subscript(map(), text("a")).unwrap()), "1");
    assert_eq!(error(subscript(map(), text("b")).unwrap()), "INVALID_FUNCTION_ARGUMENT: Key not present in map: b");
    let row = || json(r#"{"a": 1, "b": "x"}"#, "row(a bigint, b varchar)");
    assert_eq!(show(dereference(row(), "B").unwrap()), "x");
    assert_eq!(show(subscript(row(), int(1)).unwrap()), "1");
    assert!(dereference(row(), "c").is_err());
    assert!(subscript(row(), int(3)).is_err());
    assert!(subscript(array(), text("a")).is_err());
}

#[test]
fn dates_move_by_intervals() {
    let days = |millis: i64| (lit(ScalarValue::DurationMillisecond(Some(millis))), Type::IntervalDayTime);
    let months = |months: i32| (lit(ScalarValue::IntervalYearMonth(Some(months))), Type::IntervalYearMonth);
    let add = |left: Typed, right: Typed| binary(BinaryOp::Add, left, right).unwrap();
    assert_eq!(show(add(value("2020-02-28", "date"), days(86_400_000))), "2020-02-29");
    assert_eq!(show(add(months(1), value("2020-01-31", "date"))), "2020-02-29");
    assert_eq!(
        error(add(value("2020-02-28", "date"), days(1))),
        "INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date"
    );
    let at = |text: &str| value(text, "timestamp(3)");
    let difference = binary(BinaryOp::Subtract, at("2020-01-02 00:00"), at("2020-01-01 12:00")).unwrap();
    assert_eq!(show(difference), "0 12:00:00.000");
    assert_eq!(show(binary(BinaryOp::Multiply, days(1000), int(3)).unwrap()), "0 00:00:03.000");
    assert_eq!(show(negate(months(14)).unwrap()), "-1-2");
    // The clocks went forward in between.
    let berlin = value("2020-03-28 12:00 Europe/Berlin", "timestamp(3) with time zone");
    assert_eq!(show(add(berlin.clone(), days(86_400_000))), "2020-03-29 13:00:00.000 Europe/Berlin");
    assert_eq!(show(add(berlin, months(1))), "2020-04-28 12:00:00.000 Europe/Berlin");
    assert!(binary(BinaryOp::Add, value("2020-01-01", "date"), int(1)).is_err());
}

#[test]
fn zones_are_applied() {
    let utc = || value("2020-07-01 10:00 UTC", "timestamp(3) with time zone");
    assert_eq!(
        show(at_time_zone(utc(), text("America/Los_Angeles"), 0).unwrap()),
        "2020-07-01 03:00:00.000 America/Los_Angeles"
    );
    let error = error(at_time_zone(utc(), text("Nowhere/Land"), 0).unwrap());
    assert_eq!(error, "INVALID_FUNCTION_ARGUMENT: 'Nowhere/Land' is not a valid time zone");
    assert!(at_time_zone(value("2020-01-01", "date"), text("UTC"), 0).is_err());
}

#[test]
fn signs_never_wrap() {
    assert_eq!(show(negate(int(5)).unwrap()), "-5");
    assert_eq!(
        error(negate(int(i32::MIN)).unwrap()),
        "NUMERIC_VALUE_OUT_OF_RANGE: integer negation overflow: -2147483648"
    );
    assert!(negate(text("a")).is_err());
}

/// Through the optimizer, over a column: only the failing row is NULL.
#[test]
fn try_nulls_only_the_failing_rows() {
    let divided = binary(BinaryOp::Divide, int(12), (col("x"), Type::Integer)).unwrap();
    let constant = binary(BinaryOp::Divide, int(1), int(0)).unwrap();
    let (tried, _) = try_(divided);
    let (never, _) = try_(constant);
    let column: ArrayRef = std::sync::Arc::new(Int32Array::from(vec![3, 0, 4]));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let context = SessionContext::new();
    let frame = context.read_batch(batch).unwrap().select(vec![tried.alias("a"), never.alias("b")]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let result = runtime.block_on(frame.collect()).unwrap();
    let values = result[0].column(0).as_any().downcast_ref::<Int32Array>().unwrap().clone();
    assert_eq!(values, Int32Array::from(vec![Some(4), None, Some(3)]));
    assert_eq!(result[0].column(1).null_count(), 3);
}
