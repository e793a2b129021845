//! Correlated subqueries that give a value and compare with the query around them by anything but equality.
//!
//! DataFusion joins only by keys, and so it aggregates before it joins. Here the rows of the query around are numbered and
//! joined with those of the subquery that belong to them, and each number's rows are aggregated.

use boathouse_trino_functions::error::TrinoError;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Projection, lit};

use super::lateral::inner;
use super::subquery::{correlated_in, is_correlated_loosely, unsupported_correlation};
use super::{Analyzer, planned, project};

impl Analyzer<'_> {
    /// Adds the values of such subqueries as columns to the plan.
    pub(super) fn with_loose<'e>(
        &mut self,
        mut plan: LogicalPlan,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<(LogicalPlan, Vec<(Expr, Column)>), TrinoError> {
        let mut computed = Vec::new();
        for expr in correlated_in(exprs) {
            if let Expr::ScalarSubquery(subquery) = &expr
                && is_correlated_loosely(&subquery.subquery)
            {
                let (joined, columns) = self.joined_values(plan, &subquery.subquery)?;
                plan = joined;
                let column = columns.into_iter().next().ok_or_else(unsupported_correlation)?;
                computed.push((expr, column));
            }
        }
        Ok((plan, computed))
    }

    /// LATERAL over rows that compare by anything but equality. The condition is the join's own.
    pub(super) fn joined_loosely(
        &mut self,
        left: LogicalPlan,
        right: &LogicalPlan,
        kind: JoinType,
        condition: Expr,
    ) -> Result<LogicalPlan, TrinoError> {
        if peeled(right).is_some() && condition == lit(true) {
            let kept: Vec<Expr> = left.schema().columns().into_iter().map(Expr::Column).collect();
            let (plan, values) = self.joined_values(left, right)?;
            let named = values.into_iter().zip(right.schema().columns());
            let named = named.map(|(value, column)| Expr::Column(value).alias_qualified(column.relation, column.name));
            return project(plan, kept.into_iter().chain(named).collect());
        }
        let joinable = self.joinable(right)?.ok_or_else(unsupported_correlation)?;
        LogicalPlanBuilder::from(left)
            .join_on(joinable.plan, kind, [joinable.condition, condition])
            .and_then(|builder| builder.build())
            .map_err(planned)
    }

    /// The values of the only row that a subquery gives for each row of the plan.
    fn joined_values(
        &mut self,
        plan: LogicalPlan,
        subquery: &LogicalPlan,
    ) -> Result<(LogicalPlan, Vec<Column>), TrinoError> {
        let (projections, aggregate) = peeled(subquery).ok_or_else(unsupported_correlation)?;
        let joinable = self.joinable(&aggregate.input)?.ok_or_else(unsupported_correlation)?;
        let kept: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let (plan, _) = self.ranked(plan, "row_number", Vec::new(), Vec::new())?;
        let keys: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let present = self.fresh_column("present");
        let mut rows: Vec<Expr> = joinable.plan.schema().columns().into_iter().map(Expr::Column).collect();
        rows.push(lit(true).alias(&present.name));
        let rows = project(joinable.plan, rows)?;
        let calls = aggregate.aggr_expr.iter().map(|call| only_where(inner(call)?, &present));
        let calls = calls.collect::<Result<Vec<_>, TrinoError>>()?;
        let plan = LogicalPlanBuilder::from(plan)
            .join_on(rows, JoinType::Left, [joinable.condition])
            .and_then(|builder| builder.aggregate(keys.clone(), calls))
            .and_then(|builder| builder.build())
            .map_err(planned)?;
        // The aggregates' columns are now called otherwise than where the subquery's projections expect them.
        let computed = plan.schema().columns().into_iter().skip(keys.len()).map(Expr::Column);
        let mut values: Vec<(Column, Expr)> = aggregate.schema.columns().into_iter().zip(computed).collect();
        for projection in projections.into_iter().rev() {
            let exprs = projection.expr.iter().map(|expr| substituted(inner(expr)?, &values));
            let exprs = exprs.collect::<Result<Vec<_>, TrinoError>>()?;
            values = projection.schema.columns().into_iter().zip(exprs).collect();
        }
        let columns: Vec<Column> = values.iter().map(|_| self.fresh_column("value")).collect();
        let named = values.into_iter().zip(&columns).map(|((_, value), column)| value.alias(&column.name));
        Ok((project(plan, kept.into_iter().chain(named).collect())?, columns))
    }
}

/// The projections over an aggregate of all rows, the outermost first.
fn peeled(plan: &LogicalPlan) -> Option<(Vec<&Projection>, &Aggregate)> {
    let (mut projections, mut plan) = (Vec::new(), plan);
    loop {
        match plan {
            LogicalPlan::Projection(projection) => {
                projections.push(projection);
                plan = &projection.input;
            }
            LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => {
                return Some((projections, aggregate));
            }
            _ => return None,
        }
    }
}

/// The aggregate over those rows only that the join found.
fn only_where(call: Expr, present: &Column) -> Result<Expr, TrinoError> {
    match call {
        Expr::AggregateFunction(AggregateFunction { func, mut params }) => {
            let found = Expr::Column(present.clone()).is_not_null();
            let filter = match params.filter.take() {
                Some(filter) => filter.and(found),
                None => found,
            };
            params.filter = Some(Box::new(filter));
            Ok(Expr::AggregateFunction(AggregateFunction { func, params }))
        }
        Expr::Alias(alias) => only_where(*alias.expr, present),
        _ => Err(unsupported_correlation()),
    }
}

/// The expression with other expressions in the place of columns.
fn substituted(expr: Expr, values: &[(Column, Expr)]) -> Result<Expr, TrinoError> {
    let expr = match expr {
        Expr::Alias(alias) => *alias.expr,
        expr => expr,
    };
    expr.transform(|expr| {
        let known = match &expr {
            Expr::Column(column) => values.iter().find(|(known, _)| known == column).map(|(_, value)| value.clone()),
            _ => None,
        };
        Ok(known.map_or(Transformed::no(expr), Transformed::yes))
    })
    .data()
    .map_err(planned)
}
