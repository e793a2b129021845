//! Checked arithmetic as one scalar function: overflow and division by zero are Trino's errors, never wrapped values.

mod decimal;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum, Decimal128Array};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Decimal128Type};
use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use datafusion::physical_expr_common::datum::apply;

use crate::error::{ErrorCode, TrinoError};
use crate::types::Type;
use boathouse_trino_parser::ast::BinaryOp;

/// `left op right` on two arguments that already have the types that the operator wants.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Arithmetic {
    op: BinaryOp,
    result: Type,
    signature: Signature,
}

impl Arithmetic {
    /// The operator with its result type.
    pub fn new(op: BinaryOp, result: Type) -> Self {
        Self { op, result, signature: Signature::any(2, Volatility::Immutable) }
    }

    /// The operator that an expression applies, its result type and the operands.
    pub(crate) fn of(expr: &Expr) -> Option<(BinaryOp, &Type, &[Expr])> {
        let Expr::ScalarFunction(call) = expr else { return None };
        let Self { op, result, .. } = call.func.inner().downcast_ref::<Self>()?;
        Some((*op, result, &call.args))
    }

    fn compute(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
        if let (Type::Decimal(..), BinaryOp::Divide | BinaryOp::Modulus) = (&self.result, self.op) {
            return self.divide_decimals(left, right);
        }
        if let Type::Decimal(precision, scale) = self.result {
            return decimal::compute(self.op, left, right, (precision, scale));
        }
        let computed = match self.op {
            BinaryOp::Add => numeric::add(left, right),
            BinaryOp::Subtract => numeric::sub(left, right),
            BinaryOp::Multiply => numeric::mul(left, right),
            BinaryOp::Divide => numeric::div(left, right),
            BinaryOp::Modulus => numeric::rem(left, right),
            BinaryOp::Concat => Err(ArrowError::NotYetImplemented("|| is no arithmetic".into())),
        };
        computed.map_err(|error| self.name_error(error))
    }

    /// Arrow gives quotients another scale than Trino does, so decimals divide here: half away from zero.
    fn divide_decimals(&self, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef, ArrowError> {
        let Type::Decimal(precision, scale) = self.result else {
            return Err(ArrowError::ComputeError("a decimal operator needs a decimal result".into()));
        };
        let ((left, left_scalar), (right, right_scalar)) = (left.get(), right.get());
        let (dividends, divisors) = (decimals(left)?, decimals(right)?);
        let rows = if left_scalar { divisors.len() } else { dividends.len() };
        let rows = if left_scalar && right_scalar { 1 } else { rows };
        let (left_up, right_up) = self.rescaling(dividends.scale(), divisors.scale(), scale)?;
        let limit = 10_i128.pow(u32::from(precision));
        let quotient = |row: usize| -> Result<Option<i128>, ArrowError> {
            let (l, r) = (if left_scalar { 0 } else { row }, if right_scalar { 0 } else { row });
            if dividends.is_null(l) || divisors.is_null(r) {
                return Ok(None);
            }
            let divisor = divisors.value(r).checked_mul(right_up).ok_or_else(overflow)?;
            if divisor == 0 {
                return Err(external(ErrorCode::DivisionByZero, "Division by zero"));
            }
            let dividend = dividends.value(l).checked_mul(left_up).ok_or_else(overflow)?;
            let value = match self.op {
                BinaryOp::Modulus => dividend % divisor,
                _ => divide_half_up(dividend, divisor),
            };
            if value <= -limit || value >= limit { Err(overflow()) } else { Ok(Some(value)) }
        };
        let values: Decimal128Array = (0..rows).map(quotient).collect::<Result<_, _>>()?;
        Ok(Arc::new(values.with_precision_and_scale(precision, scale as i8)?))
    }

    /// What both sides are multiplied by, so that the integers' quotient (or remainder) has the result's scale.
    fn rescaling(&self, left: i8, right: i8, result: u8) -> Result<(i128, i128), ArrowError> {
        let power = |exponent: i32| {
            u32::try_from(exponent).ok().and_then(|exponent| 10_i128.checked_pow(exponent)).ok_or_else(overflow)
        };
        let (left, right, result) = (i32::from(left), i32::from(right), i32::from(result));
        match self.op {
            BinaryOp::Modulus => Ok((power(result - left)?, power(result - right)?)),
            _ => Ok((power(result - left + right)?, 1)),
        }
    }

    fn name_error(&self, error: ArrowError) -> ArrowError {
        match error {
            ArrowError::DivideByZero => external(ErrorCode::DivisionByZero, "Division by zero"),
            ArrowError::ArithmeticOverflow(text) => {
                let operands = text.split_once(": ").map_or(text.as_str(), |(_, operands)| operands);
                let noun = match self.op {
                    BinaryOp::Add => "addition",
                    BinaryOp::Subtract => "subtraction",
                    BinaryOp::Multiply => "multiplication",
                    _ => "division",
                };
                let message = format!("{} {noun} overflow: {operands}", self.result);
                external(ErrorCode::NumericValueOutOfRange, message)
            }
            other => other,
        }
    }
}

fn decimals(array: &dyn Array) -> Result<&Decimal128Array, ArrowError> {
    array
        .as_primitive_opt::<Decimal128Type>()
        .ok_or_else(|| ArrowError::ComputeError(format!("expected a decimal, got {}", array.data_type())))
}

/// The quotient rounded half away from zero; the divisor is not zero.
fn divide_half_up(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let (rest, divisor_size) = (rest.unsigned_abs(), divisor.unsigned_abs());
    let round = rest >= divisor_size - rest;
    let away = if (dividend < 0) == (divisor < 0) { 1 } else { -1 };
    if round { quotient + away } else { quotient }
}

fn overflow() -> ArrowError {
    external(ErrorCode::NumericValueOutOfRange, "Decimal overflow")
}

fn external(code: ErrorCode, message: impl Into<String>) -> ArrowError {
    ArrowError::ExternalError(Box::new(TrinoError::new(code, message)))
}

impl ScalarUDFImpl for Arithmetic {
    fn name(&self) -> &str {
        match self.op {
            BinaryOp::Add => "add",
            BinaryOp::Subtract => "subtract",
            BinaryOp::Multiply => "multiply",
            BinaryOp::Divide => "divide",
            BinaryOp::Modulus => "modulus",
            BinaryOp::Concat => "concat",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.to_arrow())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else {
            return Err(DataFusionError::Internal(format!("{} takes two arguments", self.name())));
        };
        apply(left, right, |left, right| self.compute(left, right)).map_err(|error| match error {
            DataFusionError::ArrowError(inner, trace) => match *inner {
                ArrowError::ExternalError(ours) => DataFusionError::External(ours),
                other => DataFusionError::ArrowError(Box::new(other), trace),
            },
            other => other,
        })
    }
}
