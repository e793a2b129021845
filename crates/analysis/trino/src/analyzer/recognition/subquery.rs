//! Subqueries in MEASURES and DEFINE: they may not look at the match, so each row of the input has its answer beforehand.

use std::cell::RefCell;

use boathouse_trino_functions::Typed;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_parser::ast::{self, ExprKind};
use datafusion::common::Column;
use datafusion::logical_expr::Expr;

use super::PatternScope;
use crate::analyzer::Analyzer;
use crate::analyzer::scope::Scope;
use crate::analyzer::select::replace;
use crate::error::unsupported;
use crate::operators::{Navigation, Slot, Value};

impl Analyzer<'_> {
    /// A subquery, with the value that it is compared with if there is one.
    pub(in crate::analyzer) fn pattern_subquery(
        &mut self,
        expr: &ast::Expr,
        scope: &Scope<'_>,
        pattern: &PatternScope<'_>,
    ) -> Result<Typed, TrinoError> {
        let around = Scope::query(pattern.fields(), pattern.matched.around);
        let refused = Scope::refused(&around);
        let value = match &expr.kind {
            ExprKind::Exists(query) => self.exists(query, &refused)?,
            ExprKind::Subquery(query) => self.scalar_subquery(query, &refused)?,
            ExprKind::InSubquery { expr: value, query, negated } => {
                let value = self.compared_in_pattern(value, scope, pattern)?;
                self.in_values(value, query, *negated, &refused)?
            }
            ExprKind::Quantified { op, quantifier, left, query } => {
                let left = self.compared_in_pattern(left, scope, pattern)?;
                self.quantified_values(*op, *quantifier, left, query, &refused)?
            }
            _ => return Err(unsupported("This subquery is not supported")),
        };
        Ok(pattern.computed(value, self.fresh_column("answer")))
    }

    /// A value over the columns of the row that it stands for. It may not depend on the match.
    fn compared_in_pattern(
        &mut self,
        value: &ast::Expr,
        scope: &Scope<'_>,
        pattern: &PatternScope<'_>,
    ) -> Result<Typed, TrinoError> {
        let slots = RefCell::default();
        let inner = pattern.within(&slots, Navigation::default(), pattern.inside);
        let (compared, ty) = self.expr(value, &Scope::pattern(&inner, Some(scope)))?;
        pattern.used.borrow_mut().append(&mut inner.used.borrow_mut());
        drop(inner);
        let column = |slot: Slot| match own_column(&slot) {
            Ok(column) => Ok((Expr::Column(Column::new_unqualified(slot.name)), column)),
            Err(what) => {
                let message = format!("IN-PREDICATE with {what} is not yet supported");
                Err(TrinoError::at(value.pos, ErrorCode::NotSupported, message))
            }
        };
        let columns = slots.into_inner().into_iter().map(column).collect::<Result<Vec<_>, _>>()?;
        Ok((replace(compared, &columns)?, ty))
    }
}

/// The column that a slot is for every row, or what it takes from the match.
fn own_column(slot: &Slot) -> Result<Column, String> {
    let navigation = &slot.navigation;
    match &slot.value {
        Value::Classifier => Err("classifier function".to_owned()),
        Value::MatchNumber => Err("match_number function".to_owned()),
        Value::Aggregate(aggregation) => Err(format!("{} function", aggregation.function.name())),
        Value::Column(_) if navigation.physical < 0 => Err("prev function".to_owned()),
        Value::Column(_) if navigation.physical > 0 => Err("next function".to_owned()),
        Value::Column(_) if navigation.first => Err("first function".to_owned()),
        Value::Column(_) if !navigation.labels.is_empty() => Err("labeled column reference".to_owned()),
        Value::Column(_) if *navigation != Navigation::default() => Err("last function".to_owned()),
        Value::Column(column) => Ok(column.clone()),
    }
}
