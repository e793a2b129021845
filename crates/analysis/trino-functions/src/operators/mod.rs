//! Operators on typed expressions: Trino's result types and its refusals, then DataFusion's expression where that means
//! the same, or our own checked function where it doesn't.

mod access;
mod attempt;
mod like;
mod logic;
pub(crate) mod nested;
pub(crate) mod temporal;

pub use access::{concat, dereference, negate, subscript};
pub use attempt::try_;
pub use like::like;
pub use logic::{between, case, coalesce, if_, in_list, is_distinct_from, nullif, unless};
pub use temporal::{at_time_zone, extract};

pub(crate) use access::map_positions;
pub(crate) use temporal::{add_months, calendar, in_zone, known_zone, local_value, of_calendar};

use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn::get_field;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, ScalarUDF, lit};

use crate::Typed;
use crate::arithmetic::Arithmetic;
use crate::cast;
use crate::error::{ErrorCode, TrinoError};
use crate::functions::call_scalar;
use crate::types::Type;
use crate::types::coercion::{as_decimal, common_super_type};
use boathouse_trino_parser::ast::{BinaryOp, ComparisonOp};

/// The greatest precision a decimal may have.
const MAX_PRECISION: u8 = 38;

/// `left op right` for the arithmetic operators on numbers.
///
/// # Errors
/// TYPE_MISMATCH where Trino has no such operator; there is no arithmetic on text.
pub fn binary(op: BinaryOp, left: Typed, right: Typed) -> Result<Typed, TrinoError> {
    let refuse = || {
        let message = format!("Cannot apply operator: {} {} {}", left.1, symbol(op), right.1);
        TrinoError::new(ErrorCode::TypeMismatch, message)
    };
    if op == BinaryOp::Concat {
        return concat(left, right);
    }
    if let Some(kernel) = temporal::operator(op, &left.1, &right.1) {
        return Ok(kernel.apply(left, right));
    }
    let common = common_super_type(&left.1, &right.1).ok_or_else(refuse)?;
    // A bare NULL on both sides is an integer's, as in Trino's SELECT NULL + NULL.
    let common = if common == Type::Unknown { Type::Integer } else { common };
    if !common.is_numeric() {
        return Err(refuse());
    }
    if !matches!(common, Type::Decimal(..)) {
        let operands = vec![cast::coerce(left, &common)?.0, cast::coerce(right, &common)?.0];
        return Ok((call(op, &common, operands), common));
    }
    let Some((l, r)) = decimal_of(&left.1, &common).zip(decimal_of(&right.1, &common)) else {
        return Err(refuse());
    };
    let result = decimal_result(op, l, r)?;
    let left = cast::coerce(left, &Type::Decimal(l.0, l.1))?.0;
    let right = cast::coerce(right, &Type::Decimal(r.0, r.1))?.0;
    Ok((call(op, &result, vec![left, right]), result))
}

/// `left op right` as a boolean: both sides meet in their common type first.
///
/// # Errors
/// TYPE_MISMATCH where the two have no common type, as in `'1' = 1`.
pub fn comparison(op: ComparisonOp, left: Typed, right: Typed) -> Result<Typed, TrinoError> {
    // Trino has three operators of its own and names these in its refusals, whichever way they are written.
    let (symbol, operator) = match op {
        ComparisonOp::Equal => ("=", Operator::Eq),
        ComparisonOp::NotEqual => ("=", Operator::NotEq),
        ComparisonOp::Less => ("<", Operator::Lt),
        ComparisonOp::LessOrEqual => ("<=", Operator::LtEq),
        ComparisonOp::Greater => ("<", Operator::Gt),
        ComparisonOp::GreaterOrEqual => ("<=", Operator::GtEq),
    };
    let refuse = || {
        let message = format!("Cannot apply operator: {} {symbol} {}", left.1, right.1);
        TrinoError::new(ErrorCode::TypeMismatch, message)
    };
    let common = common_super_type(&left.1, &right.1).ok_or_else(refuse)?;
    let ordered = !matches!(op, ComparisonOp::Equal | ComparisonOp::NotEqual);
    if !common.is_comparable() || (ordered && !common.is_orderable()) {
        return Err(refuse());
    }
    if op == ComparisonOp::Equal
        && let Some(pairs) = nested::members(&left, &right)
    {
        // Members are equal each by itself, so that joins can look rows up by them.
        let equal = |(left, right)| comparison(ComparisonOp::Equal, left, right).map(|(equal, _)| equal);
        let all = pairs.into_iter().map(equal).collect::<Result<Vec<_>, _>>()?;
        return Ok((all.into_iter().reduce(Expr::and).unwrap_or_else(|| lit(true)), Type::Boolean));
    }
    if nested::is_nested(&common) {
        let (name, kernel): (_, crate::kernel::Kernel) = match op {
            ComparisonOp::Equal => ("=", nested::equal),
            ComparisonOp::NotEqual => ("<>", nested::not_equal),
            ComparisonOp::Less => ("<", nested::less),
            ComparisonOp::LessOrEqual => ("<=", nested::less_or_equal),
            ComparisonOp::Greater => (">", nested::greater),
            ComparisonOp::GreaterOrEqual => (">=", nested::greater_or_equal),
        };
        let sides = vec![cast::coerce(left, &common)?, cast::coerce(right, &common)?];
        return Ok((access::operator(name, kernel, sides, &Type::Boolean), Type::Boolean));
    }
    let (left, right) = (cast::coerce(left, &common)?, cast::coerce(right, &common)?);
    if matches!(common, Type::Real | Type::Double) {
        return Ok((numbers(op, operator, left, right)?, Type::Boolean));
    }
    Ok((native(comparable(left), operator, comparable(right)), Type::Boolean))
}

/// A comparison of floating-point numbers. NaN equals nothing and is neither less nor greater, while DataFusion takes it
/// for the greatest number, equal to itself.
fn numbers(op: ComparisonOp, operator: Operator, left: Typed, right: Typed) -> Result<Expr, TrinoError> {
    let is_known = |side: &Typed| match &side.0 {
        Expr::Literal(ScalarValue::Float64(Some(value)), _) => !value.is_nan(),
        Expr::Literal(ScalarValue::Float32(Some(value)), _) => !value.is_nan(),
        other => matches!(other, Expr::Literal(..)),
    };
    let doubtful = match op {
        ComparisonOp::Greater | ComparisonOp::GreaterOrEqual => Some(&left).filter(|left| !is_known(left)),
        ComparisonOp::Less | ComparisonOp::LessOrEqual => Some(&right).filter(|right| !is_known(right)),
        ComparisonOp::Equal | ComparisonOp::NotEqual => Some(&left).filter(|left| !is_known(left) && !is_known(&right)),
    };
    let nan = doubtful.map(|side| call_scalar("is_nan", vec![side.clone()])).transpose()?;
    let compared = native(left.0, operator, right.0);
    Ok(match nan {
        None => compared,
        Some((nan, _)) if op == ComparisonOp::NotEqual => compared.or(nan),
        Some((nan, _)) => compared.and(Expr::Not(Box::new(nan))),
    })
}

/// Trino's type for `left op right` on decimals of these precisions and scales ("Decimal functions and operators").
fn decimal_result(op: BinaryOp, (lp, ls): (u8, u8), (rp, rs): (u8, u8)) -> Result<Type, TrinoError> {
    let scale = ls.max(rs);
    let whole = (lp - ls).max(rp - rs);
    let (precision, scale) = match op {
        BinaryOp::Multiply => (lp + rp, ls + rs),
        BinaryOp::Divide => (lp + rs + rs.saturating_sub(ls), scale),
        BinaryOp::Modulus => ((lp - ls).min(rp - rs) + scale, scale),
        _ => (whole + scale + 1, scale),
    };
    if scale > MAX_PRECISION {
        let message = format!("DECIMAL scale must be in range [0, precision ({MAX_PRECISION})]: {scale}");
        return Err(TrinoError::new(ErrorCode::InvalidFunctionArgument, message));
    }
    // decimal(1,1) % decimal(1,1) has no digits at all by the rule; a decimal needs one.
    Ok(Type::Decimal(precision.clamp(1, MAX_PRECISION), scale))
}

fn decimal_of(ty: &Type, common: &Type) -> Option<(u8, u8)> {
    // A bare NULL is the narrowest decimal.
    as_decimal(ty).or_else(|| as_decimal(common).filter(|_| ty == &Type::Unknown).map(|_| (1, 0)))
}

/// What a value is compared by: times and timestamps with time zone by their instants alone.
pub fn comparable((expr, ty): Typed) -> Expr {
    match ty {
        Type::TimestampTz(_) | Type::TimeTz(_) => get_field(expr, "instant"),
        _ => expr,
    }
}

fn call(op: BinaryOp, result: &Type, operands: Vec<Expr>) -> Expr {
    ScalarUDF::new_from_impl(Arithmetic::new(op, result.clone())).call(operands)
}

fn native(left: Expr, operator: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)))
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Modulus => "%",
        BinaryOp::Concat => "||",
    }
}

#[cfg(test)]
mod more_tests;
#[cfg(test)]
mod tests;
