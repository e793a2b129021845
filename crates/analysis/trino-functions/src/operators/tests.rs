use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{DFSchema, DataFusionError, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, lit};
use datafusion::prelude::SessionContext;

use super::*;

fn evaluate(expr: &Expr) -> Result<ScalarValue, DataFusionError> {
    let physical = SessionContext::new().create_physical_expr(expr.clone(), &DFSchema::empty())?;
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one_row)?;
    match physical.evaluate(&batch)? {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0),
    }
}

fn dec(value: i128, precision: u8, scale: u8) -> (Expr, Type) {
    (lit(ScalarValue::Decimal128(Some(value), precision, scale as i8)), Type::Decimal(precision, scale))
}

fn int(value: i32) -> (Expr, Type) {
    (lit(value), Type::Integer)
}

fn value(op: BinaryOp, left: (Expr, Type), right: (Expr, Type)) -> (ScalarValue, Type) {
    let (expr, ty) = binary(op, left, right).unwrap();
    let value = evaluate(&expr).unwrap();
    assert_eq!(value.data_type(), ty.to_arrow(), "the value's type is the promised one");
    (value, ty)
}

fn failure(op: BinaryOp, left: (Expr, Type), right: (Expr, Type)) -> String {
    let (expr, _) = binary(op, left, right).unwrap();
    match evaluate(&expr).unwrap_err().find_root() {
        DataFusionError::External(ours) => ours.downcast_ref::<TrinoError>().unwrap().to_string(),
        other => panic!("not one of ours: {other}"),
    }
}

fn decimal_value(value: i128, precision: u8, scale: i8) -> ScalarValue {
    ScalarValue::Decimal128(Some(value), precision, scale)
}

#[test]
fn integers_truncate_and_never_wrap() {
    assert_eq!(value(BinaryOp::Divide, int(-7), int(2)).0, ScalarValue::Int32(Some(-3)));
    assert_eq!(value(BinaryOp::Modulus, int(-7), int(2)).0, ScalarValue::Int32(Some(-1)));
    let (sum, ty) = value(BinaryOp::Add, int(i32::MAX), (lit(1_i64), Type::Bigint));
    assert_eq!((sum, ty), (ScalarValue::Int64(Some(2_147_483_648)), Type::Bigint));
    assert_eq!(
        failure(BinaryOp::Add, int(i32::MAX), int(1)),
        "NUMERIC_VALUE_OUT_OF_RANGE: integer addition overflow: 2147483647 + 1"
    );
    assert_eq!(failure(BinaryOp::Divide, int(1), int(0)), "DIVISION_BY_ZERO: Division by zero");
    assert_eq!(failure(BinaryOp::Modulus, int(1), int(0)), "DIVISION_BY_ZERO: Division by zero");
}

#[test]
fn doubles_divide_by_zero() {
    let double = |value: f64| (lit(value), Type::Double);
    assert_eq!(value(BinaryOp::Divide, double(1.0), double(0.0)).0, ScalarValue::Float64(Some(f64::INFINITY)));
    assert_eq!(value(BinaryOp::Multiply, dec(15, 2, 1), double(2.0)).0, ScalarValue::Float64(Some(3.0)));
}

#[test]
fn decimals_have_trinos_types() {
    assert_eq!(value(BinaryOp::Add, dec(15, 2, 1), dec(25, 3, 2)), (decimal_value(175, 4, 2), Type::Decimal(4, 2)));
    assert_eq!(value(BinaryOp::Subtract, int(1), dec(4, 12, 2)).1, Type::Decimal(13, 2));
    assert_eq!(
        value(BinaryOp::Multiply, dec(1050, 12, 2), dec(95, 13, 2)),
        (decimal_value(99_750, 25, 4), Type::Decimal(25, 4))
    );
    // 10.00 / 3 = 3.33, 20.00 / 3 = 6.67, -1.0 / 8 = -0.1 (half away from zero at one digit: -0.125 → -0.1)
    assert_eq!(value(BinaryOp::Divide, dec(1000, 4, 2), dec(3, 1, 0)), (decimal_value(333, 4, 2), Type::Decimal(4, 2)));
    assert_eq!(value(BinaryOp::Divide, dec(2000, 4, 2), dec(3, 1, 0)).0, decimal_value(667, 4, 2));
    assert_eq!(value(BinaryOp::Divide, dec(-10, 2, 1), dec(8, 1, 0)).0, decimal_value(-1, 2, 1));
    assert_eq!(value(BinaryOp::Divide, dec(1, 1, 0), dec(-2, 1, 0)).0, decimal_value(-1, 1, 0));
    assert_eq!(value(BinaryOp::Modulus, dec(-75, 2, 1), dec(2, 1, 0)), (decimal_value(-15, 2, 1), Type::Decimal(2, 1)));
    assert_eq!(failure(BinaryOp::Divide, dec(1, 1, 0), dec(0, 1, 0)), "DIVISION_BY_ZERO: Division by zero");
}

#[test]
fn decimals_beyond_38_digits_are_errors() {
    let most = 10_i128.pow(38) - 1;
    let message = "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow";
    assert_eq!(failure(BinaryOp::Add, dec(most, 38, 0), dec(1, 1, 0)), message);
    assert_eq!(failure(BinaryOp::Multiply, dec(most, 38, 0), dec(most, 38, 0)), message);
    let error = binary(BinaryOp::Multiply, dec(1, 38, 20), dec(1, 38, 20)).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidFunctionArgument);
}

#[test]
fn null_stays_null() {
    let null = (lit(ScalarValue::Null), Type::Unknown);
    assert_eq!(value(BinaryOp::Add, int(1), null.clone()).0, ScalarValue::Int32(None));
    assert_eq!(value(BinaryOp::Divide, null, dec(0, 3, 1)).0, ScalarValue::Decimal128(None, 3, 1));
}

#[test]
fn types_that_dont_meet_are_refused() {
    let text = || (lit("1"), Type::Varchar(Some(1)));
    let error = comparison(ComparisonOp::Equal, text(), int(1)).unwrap_err();
    assert_eq!(error.to_string(), "TYPE_MISMATCH: Cannot apply operator: varchar(1) = integer");
    let error = binary(BinaryOp::Add, text(), int(1)).unwrap_err();
    assert_eq!(error.to_string(), "TYPE_MISMATCH: Cannot apply operator: varchar(1) + integer");
    assert!(binary(BinaryOp::Add, text(), text()).is_err());
    let (expr, ty) = comparison(ComparisonOp::Less, int(1), dec(15, 2, 1)).unwrap();
    assert_eq!((evaluate(&expr).unwrap(), ty), (ScalarValue::Boolean(Some(true)), Type::Boolean));
}

#[test]
fn plans_tell_adding_an_interval_from_subtracting_it() {
    let moved = |op| {
        let (day, step) = (datafusion::logical_expr::col("day"), datafusion::logical_expr::col("step"));
        binary(op, (day, Type::Date), (step, Type::IntervalDayTime)).unwrap().0
    };
    assert_ne!(moved(BinaryOp::Add), moved(BinaryOp::Subtract));
}
