//! TRY: NULL where a value can't be computed.
//!
//! What can't fail stands in no need of TRY, and a function whose errors are single rows' own is asked to leave those rows
//! NULL. Only the rest becomes a lambda, of which the rows that fail are searched for. Thus what a statement has inside TRY
//! and outside is one expression, and is computed once.

use arrow::array::ArrayRef;
use datafusion::logical_expr::expr::{Case, InList, Lambda};
use datafusion::logical_expr::{Expr, Operator};

use crate::Typed;
use crate::cast::{nulls_for_errors, tried as tried_cast};
use crate::error::TrinoError;
use crate::kernel::{Bound, Call, Failure};
use crate::types::Type;

/// `TRY(value)`: NULL in the rows where the value can't be computed.
pub fn try_((expr, ty): Typed) -> Typed {
    (tried(expr, &ty), ty)
}

fn tried(expr: Expr, ty: &Type) -> Expr {
    if never_fails(&expr) {
        return expr;
    }
    let row_by_row = Bound::of(&expr).filter(|(bound, _)| matches!(bound.failure, Failure::OfRows));
    let Some((bound, args)) = row_by_row else { return searched(expr, ty) };
    // An argument that is an error becomes NULL, and so does the result.
    let args: Vec<Expr> = args.iter().cloned().zip(&bound.types).map(|(arg, ty)| tried(arg, ty)).collect();
    tried_cast(bound, &args).unwrap_or_else(|| {
        let (name, failure) = (format!("try_{}", bound.name), Failure::Never(|_| true));
        Bound { name, tolerant: true, failure, ..bound.clone() }.call(args)
    })
}

/// The value as a lambda without parameters, so that it is evaluated here and the rows can be chosen.
fn searched(expr: Expr, ty: &Type) -> Expr {
    let bound = Bound { lambdas: vec![Vec::new()], ..Bound::operator("try", try_rows, vec![ty.clone()], ty.clone()) };
    bound.call(vec![Expr::Lambda(Lambda::new(Vec::new(), expr))])
}

fn try_rows(call: &Call<'_>) -> Result<ArrayRef, TrinoError> {
    let value = call.lambda(0)?;
    nulls_for_errors(call.rows, call.result, &|offset, length| value.evaluate_slice(offset, length))
}

/// Whether no row of an expression is an error.
fn never_fails(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) | Expr::Literal(..) | Expr::LambdaVariable(_) => true,
        Expr::Not(inner) | Expr::IsNull(inner) | Expr::IsNotNull(inner) => never_fails(inner),
        Expr::BinaryExpr(binary) => is_comparison(binary.op) && never_fails(&binary.left) && never_fails(&binary.right),
        Expr::Between(between) => {
            [&between.expr, &between.low, &between.high].into_iter().all(|expr| never_fails(expr))
        }
        Expr::InList(InList { expr, list, .. }) => never_fails(expr) && list.iter().all(never_fails),
        Expr::Case(Case { expr, when_then_expr, else_expr }) => {
            let branches = when_then_expr.iter().flat_map(|(when, then)| [when, then]);
            expr.iter().chain(branches).chain(else_expr).all(|expr| never_fails(expr))
        }
        Expr::ScalarFunction(call) => {
            let known = match Bound::of(expr) {
                Some((bound, args)) => matches!(bound.failure, Failure::Never(holds) if holds(args)),
                None => call.func.name() == "nullif",
            };
            known && call.args.iter().all(never_fails)
        }
        _ => false,
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{And, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq, Or};
    matches!(op, And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

#[cfg(test)]
mod tests {
    use crate::functions::call_scalar;
    use crate::testing::{show, text};
    use crate::types::Type;
    use crate::{Typed, cast};

    use super::*;

    fn is_searched(value: &Typed) -> bool {
        matches!(value.0, Expr::HigherOrderFunction(_))
    }

    #[test]
    fn what_cannot_fail_is_left_alone() {
        let value = call_scalar("trim", vec![text(" a ")]).unwrap();
        assert_eq!(try_(value.clone()).0, value.0);
    }

    #[test]
    fn functions_that_fail_row_by_row_need_no_search() {
        let (bad, good) = (text("{"), text("[1]"));
        for (argument, expected) in [(bad, "NULL"), (good, "[1]")] {
            let value = try_(call_scalar("json_parse", vec![argument]).unwrap());
            assert!(!is_searched(&value));
            assert_eq!(show(value), expected);
        }
        let time = |value: &str| call_scalar("from_iso8601_timestamp", vec![text(value)]).unwrap();
        for (argument, expected) in [("soon", "NULL"), ("2013-01-01T05:00:00Z", "2013-01-01 05:00:00.000")] {
            let value = try_(cast::cast(time(argument), &Type::Timestamp(3)).unwrap());
            assert!(!is_searched(&value));
            assert_eq!(show(value), expected);
        }
    }

    #[test]
    fn other_errors_are_searched_for() {
        let value = call_scalar("repeat", vec![text("a"), crate::testing::value("100000000", "integer")]).unwrap();
        assert!(is_searched(&try_(value)));
    }
}
