//! Correlated subqueries that give a value and compare with the query around them by anything but equality.
//!
//! DataFusion joins only by keys, and so it aggregates before it joins. Here the rows of the query around are numbered and
//! joined with those of the subquery that belong to them, and each number's rows are aggregated.

use boathouse_trino_functions::error::TrinoError;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::functions::core::expr_fn::greatest;
use datafusion::functions_nested::expr_fn::gen_series;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{Aggregate, Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Projection, lit};

use super::lateral::inner;
use super::subquery::{correlated_in, needs_join, unsupported_correlation};
use super::unnest::length;
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
                && needs_join(&subquery.subquery)
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
        let joinable = self.joinable_to(&left, right)?;
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
        let kept: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let (plan, _) = self.ranked(plan, "row_number", Vec::new(), Vec::new())?;
        let keys: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let present = self.fresh_column("present");
        let joined = match expanded(&plan, &aggregate.input, &present)? {
            Some(expanded) => LogicalPlanBuilder::from(expanded),
            None => {
                let joinable = self.joinable_to(&plan, &aggregate.input)?;
                let mut rows: Vec<Expr> = joinable.plan.schema().columns().into_iter().map(Expr::Column).collect();
                rows.push(lit(true).alias(&present.name));
                let rows = project(joinable.plan, rows)?;
                let builder = LogicalPlanBuilder::from(plan);
                builder.join_on(rows, JoinType::Left, [joinable.condition]).map_err(planned)?
            }
        };
        let calls = aggregate.aggr_expr.iter().map(|call| only_where(inner(call)?, &present));
        let calls = calls.collect::<Result<Vec<_>, TrinoError>>()?;
        let plan = joined.aggregate(keys.clone(), calls).and_then(|builder| builder.build()).map_err(planned)?;
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

/// Whether a subquery counts or sums the elements of the outer row's own arrays, and nothing else.
pub(super) fn expands(subquery: &LogicalPlan) -> bool {
    peeled(subquery).is_some_and(|(_, aggregate)| reads_nothing(&aggregate.input))
}

/// Whether a plan's rows are elements of the outer row's own arrays: all of them, or the first ones.
pub(super) fn reads_nothing(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        LogicalPlan::Projection(projection) => reads_nothing(&projection.input),
        LogicalPlan::Sort(sort) => reads_nothing(&sort.input),
        LogicalPlan::Limit(limit) => reads_nothing(&limit.input),
        LogicalPlan::Unnest(unnest) => match unnest.input.as_ref() {
            LogicalPlan::Projection(projection) => reads_nothing(&projection.input),
            _ => false,
        },
        _ => false,
    }
}

/// Each row with the elements of its own arrays: one row for each of them, and one without the mark where there are none.
/// None if the rows come from elsewhere too.
fn expanded(left: &LogicalPlan, right: &LogicalPlan, present: &Column) -> Result<Option<LogicalPlan>, TrinoError> {
    let kept = || left.schema().columns().into_iter().map(Expr::Column);
    match right {
        LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => Ok(Some(left.clone())),
        LogicalPlan::Projection(projection) => {
            let Some(plan) = expanded(left, &projection.input, present)? else { return Ok(None) };
            let mark = plan.schema().has_column(present).then(|| Expr::Column(present.clone()));
            let own = projection.expr.iter().map(inner).collect::<Result<Vec<_>, _>>()?;
            project(plan, kept().chain(mark).chain(own).collect()).map(Some)
        }
        LogicalPlan::Unnest(unnest) => {
            let LogicalPlan::Projection(projection) = unnest.input.as_ref() else { return Ok(None) };
            let Some(plan) = expanded(left, &projection.input, present)? else { return Ok(None) };
            let own = projection.expr.iter().map(inner).collect::<Result<Vec<_>, _>>()?;
            let named = |column: &Column| own.iter().find(|expr| expr.qualified_name().1 == column.name);
            let lengths: Vec<Expr> =
                unnest.exec_columns.iter().filter_map(named).map(|list| length(bare(list))).collect();
            let longest = if lengths.len() == 1 { lengths[0].clone() } else { greatest(lengths) };
            let marks = gen_series(lit(1_i64), longest, lit(1_i64)).alias(&present.name);
            let plan = project(plan, kept().chain(own.iter().cloned()).chain([marks]).collect())?;
            let columns = unnest.exec_columns.iter().cloned().chain([present.clone()]).collect();
            let options = UnnestOptions::new().with_null_handling(NullHandling::PreserveAndExpandEmpty);
            let plan = LogicalPlanBuilder::from(plan).unnest_columns_with_options(columns, options);
            plan.and_then(|plan| plan.build()).map(Some).map_err(planned)
        }
        _ => Ok(None),
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => &alias.expr,
        expr => expr,
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
pub(super) fn only_where(call: Expr, present: &Column) -> Result<Expr, TrinoError> {
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
