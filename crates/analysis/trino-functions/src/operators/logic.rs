//! Conditions and choices. Branches that are not taken are not evaluated.

use arrow::array::ArrayRef;
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::DataType;
use boathouse_trino_parser::ast::ComparisonOp;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::TreeNode;
use datafusion::functions::core::nullif as nullif_function;
use datafusion::logical_expr::expr::{Case, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};

use super::access::operator;
use super::nested::is_nested;
use super::{comparable, comparison, native};
use crate::Typed;
use crate::cast::coerce;
use crate::error::TrinoError;
use crate::kernel::{Bound, Call};
use crate::types::Type;
use crate::types::coercion::{common_of, common_super_type};

/// `value [NOT] BETWEEN low AND high`
///
/// # Errors
/// TYPE_MISMATCH where they can't be compared.
pub fn between(value: Typed, low: Typed, high: Typed, negated: bool) -> Result<Typed, TrinoError> {
    let refuse = || TrinoError::mismatch(format!("Cannot check if {} is BETWEEN {} and {}", value.1, low.1, high.1));
    let common = common_of([&value.1, &low.1, &high.1]).filter(Type::is_orderable).ok_or_else(refuse)?;
    if is_nested(&common) {
        let at_least = comparison(ComparisonOp::GreaterOrEqual, value.clone(), low)?.0;
        let between = at_least.and(comparison(ComparisonOp::LessOrEqual, value, high)?.0);
        return Ok((if negated { Expr::Not(Box::new(between)) } else { between }, Type::Boolean));
    }
    let value = comparable(coerce(value, &common)?);
    let (low, high) = (comparable(coerce(low, &common)?), comparable(coerce(high, &common)?));
    let between = if negated { value.not_between(low, high) } else { value.between(low, high) };
    Ok((between, Type::Boolean))
}

/// `value [NOT] IN (list)`
///
/// # Errors
/// TYPE_MISMATCH where they have no common type.
pub fn in_list(value: Typed, list: Vec<Typed>, negated: bool) -> Result<Typed, TrinoError> {
    let mut common = value.1.clone();
    for (_, ty) in &list {
        common = common_super_type(&common, ty).ok_or_else(|| apart("IN value and list items", &common, ty))?;
    }
    if is_nested(&common) {
        let equal = |item| comparison(ComparisonOp::Equal, value.clone(), item).map(|(equal, _)| equal);
        let found = list.into_iter().map(equal).collect::<Result<Vec<_>, _>>()?;
        let found = found.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false));
        return Ok((if negated { Expr::Not(Box::new(found)) } else { found }, Type::Boolean));
    }
    let value = comparable(coerce(value, &common)?);
    let list =
        list.into_iter().map(|item| Ok(comparable(coerce(item, &common)?))).collect::<Result<_, TrinoError>>()?;
    Ok((Expr::InList(InList::new(Box::new(value), list, negated)), Type::Boolean))
}

/// `left IS [NOT] DISTINCT FROM right`
///
/// # Errors
/// TYPE_MISMATCH where they have no common type.
pub fn is_distinct_from(left: Typed, right: Typed, negated: bool) -> Result<Typed, TrinoError> {
    let refuse = || TrinoError::mismatch(format!("Cannot check if {} is distinct from {}", left.1, right.1));
    let common = common_super_type(&left.1, &right.1).ok_or_else(refuse)?;
    let operator = if negated { Operator::IsNotDistinctFrom } else { Operator::IsDistinctFrom };
    let (left, right) = (comparable(coerce(left, &common)?), comparable(coerce(right, &common)?));
    Ok((native(left, operator, right), Type::Boolean))
}

/// `CASE [operand] WHEN … THEN … [ELSE …] END`: the branches are conditions (or what the operand is compared with) and
/// results.
///
/// # Errors
/// TYPE_MISMATCH where a condition is no boolean, or results have no common type.
pub fn case(
    operand: Option<Typed>,
    branches: Vec<(Typed, Typed)>,
    otherwise: Option<Typed>,
) -> Result<Typed, TrinoError> {
    let types = branches.iter().map(|(_, result)| &result.1).chain(otherwise.iter().map(|(_, ty)| ty));
    let types: Vec<_> = types.collect();
    let mut common = Type::Unknown;
    for ty in &types {
        common = common_super_type(&common, ty).ok_or_else(|| apart("All CASE results", &common, ty))?;
    }
    let mut cases = Vec::with_capacity(branches.len());
    for (condition, result) in branches {
        let condition = match &operand {
            Some(operand) => comparison(ComparisonOp::Equal, operand.clone(), condition)?.0,
            None => boolean(condition, "CASE WHEN clause")?,
        };
        cases.push((Box::new(condition), Box::new(coerce(result, &common)?.0)));
    }
    let otherwise = match otherwise {
        Some(otherwise) => coerce(otherwise, &common)?.0,
        None => null(&common)?,
    };
    if common == Type::Boolean && (cases.iter().any(|(_, then)| is_guarded(then)) || is_guarded(&otherwise)) {
        return Ok((lazily(cases, otherwise), common));
    }
    Ok((Expr::Case(Case::new(None, cases, Some(Box::new(otherwise)))), common))
}

/// `IF(condition, then[, otherwise])`
///
/// # Errors
/// TYPE_MISMATCH where the condition is no boolean, or the results have no common type.
pub fn if_(condition: Typed, then: Typed, otherwise: Option<Typed>) -> Result<Typed, TrinoError> {
    if let Some(otherwise) = &otherwise
        && common_super_type(&then.1, &otherwise.1).is_none()
    {
        let (then, otherwise) = (&then.1, &otherwise.1);
        return Err(TrinoError::mismatch(format!("Result types for IF must be the same: {then} vs {otherwise}")));
    }
    let condition = (boolean(condition, "IF condition")?, Type::Boolean);
    case(None, vec![(condition, then)], otherwise)
}

/// `COALESCE(a, b, …)`
///
/// # Errors
/// TYPE_MISMATCH where they have no common type; SYNTAX_ERROR for fewer than two.
pub fn coalesce(values: Vec<Typed>) -> Result<Typed, TrinoError> {
    if values.len() < 2 {
        let message = "The 'coalesce' function must have at least two arguments";
        return Err(TrinoError::new(crate::error::ErrorCode::SyntaxError, message));
    }
    let mut common = Type::Unknown;
    for (_, ty) in &values {
        common = common_super_type(&common, ty).ok_or_else(|| apart("All COALESCE operands", &common, ty))?;
    }
    let mut values: Vec<_> =
        values.into_iter().map(|value| Ok(coerce(value, &common)?.0)).collect::<Result<_, TrinoError>>()?;
    let last = values.pop().map(Box::new);
    let cases = values.into_iter().map(|value| (Box::new(value.clone().is_not_null()), Box::new(value)));
    Ok((Expr::Case(Case::new(None, cases.collect(), last)), common))
}

/// `NULLIF(first, second)`, of the first one's type.
///
/// # Errors
/// TYPE_MISMATCH where they can't be compared.
pub fn nullif(first: Typed, second: Typed) -> Result<Typed, TrinoError> {
    let ty = first.1.clone();
    let refuse = || TrinoError::mismatch(format!("Types are not comparable with NULLIF: {ty} vs {}", second.1));
    common_super_type(&ty, &second.1).ok_or_else(refuse)?;
    if is_compared_as_stored(&ty, &second.1) {
        // The values stay where they are; only what is NULL changes.
        return Ok((nullif_function().call(vec![first.0, second.0]), ty));
    }
    let equal = comparison(ComparisonOp::Equal, first.clone(), second)?;
    let nothing = (null(&ty)?, ty);
    case(None, vec![(equal, nothing)], Some(first))
}

/// Whether values of these types are equal where Arrow's are, without a conversion.
fn is_compared_as_stored(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Varchar(_), Type::Varchar(_)) => true,
        (Type::Boolean | Type::Date, _) => one == other,
        _ => one.is_integer() && one == other,
    }
}

/// A NULL of a type.
pub(crate) fn null(ty: &Type) -> Result<Expr, TrinoError> {
    Ok(Expr::Literal(ScalarValue::try_from(ty.to_arrow())?, None))
}

fn boolean(condition: Typed, what: &str) -> Result<Expr, TrinoError> {
    match condition.1 {
        Type::Boolean | Type::Unknown => Ok(coerce(condition, &Type::Boolean)?.0),
        other => Err(TrinoError::mismatch(format!("{what} must evaluate to a boolean (actual: {other})"))),
    }
}

fn apart(what: &str, common: &Type, other: &Type) -> TrinoError {
    TrinoError::mismatch(format!(
        "{what} must be the same type or coercible to a common type. Cannot find common type between {common} and {other}"
    ))
}

/// What is computed only where the condition isn't known to be `decided`: where it is, `decided` is the answer, as AND
/// wants it of false and OR of true. Only what people guard by a condition needs that; all else stays as it is, and
/// equalities of columns do too, so that joins and scans recognise them.
pub fn unless(condition: &Expr, decided: bool, value: Expr) -> Expr {
    let joins = |value: &Expr| match value {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            !left.column_refs().is_empty() && !right.column_refs().is_empty()
        }
        _ => false,
    };
    if !is_guarded(condition) && is_guarded(&value) && !joins(&value) {
        let open = if decided { condition.clone().is_not_true() } else { condition.clone().is_not_false() };
        return lazily(vec![(Box::new(open), Box::new(value))], lit(decided));
    }
    value
}

/// Whether an expression divides, reads text as another type, or takes an element: what fails for some rows, and what
/// statements keep those rows from.
fn is_guarded(expr: &Expr) -> bool {
    let here = |expr: &Expr| {
        let Expr::ScalarFunction(call) = expr else { return false };
        match (call.func.name(), call.args.as_slice()) {
            ("divide" | "modulus", [_, divisor]) => !matches!(divisor, Expr::Literal(..)),
            ("subscript", _) => true,
            ("cast", _) => {
                Bound::of(expr).is_some_and(|(bound, _)| matches!(bound.types[0], Type::Varchar(_) | Type::Json))
            }
            _ => false,
        }
    };
    expr.exists(|expr| Ok(here(expr))).unwrap_or(false)
}

/// A CASE of booleans. DataFusion would write that as AND and OR, and evaluate all of it; as a CASE of numbers it stays.
fn lazily(cases: Vec<(Box<Expr>, Box<Expr>)>, otherwise: Expr) -> Expr {
    let number = |expr: Expr| operator("number_of", number_of, vec![(expr, Type::Boolean)], &Type::Tinyint);
    let cases = cases.into_iter().map(|(when, then)| (when, Box::new(number(*then)))).collect();
    let case = Expr::Case(Case::new(None, cases, Some(Box::new(number(otherwise)))));
    operator("is_one", is_one, vec![(case, Type::Tinyint)], &Type::Boolean)
}

fn number_of(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    Ok(arrow_cast(&call.array(0)?, &DataType::Int8)?)
}

fn is_one(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    Ok(arrow_cast(&call.array(0)?, &DataType::Boolean)?)
}
