//! LATERAL over nothing but the left side's row: its steps are put on top of the left side, without a join.
//!
//! DataFusion's optimizer turns other lateral queries into joins, where their WHERE compares with the left side.

use std::sync::Arc;

use boathouse_trino_functions::error::TrinoError;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::{planned, project};

/// The left side's rows with what the right side makes of each of them. None if the right side reads rows of its own, or
/// might drop rows that a left join keeps.
pub(super) fn fused(
    left: &LogicalPlan,
    right: &LogicalPlan,
    keep_all: bool,
) -> Result<Option<LogicalPlan>, TrinoError> {
    let input = |plan: &Arc<LogicalPlan>| fused(left, plan, keep_all);
    match right {
        LogicalPlan::EmptyRelation(empty) if empty.produce_one_row => Ok(Some(left.clone())),
        LogicalPlan::Projection(projection) => {
            let Some(plan) = input(&projection.input)? else {
                return Ok(None);
            };
            let mut exprs: Vec<Expr> = left.schema().columns().into_iter().map(Expr::Column).collect();
            for expr in &projection.expr {
                exprs.push(inner(expr)?);
            }
            Ok(Some(project(plan, exprs)?))
        }
        LogicalPlan::Filter(filter) if !keep_all => {
            let Some(plan) = input(&filter.input)? else {
                return Ok(None);
            };
            let plan = LogicalPlanBuilder::from(plan).filter(inner(&filter.predicate)?);
            plan.and_then(|plan| plan.build()).map(Some).map_err(planned)
        }
        LogicalPlan::Unnest(unnest) if !keep_all || unnest.options.null_handling != NullHandling::Drop => {
            let Some(plan) = input(&unnest.input)? else {
                return Ok(None);
            };
            let columns: Vec<Column> = unnest.exec_columns.clone();
            let options = UnnestOptions { ..unnest.options.clone() };
            let plan = LogicalPlanBuilder::from(plan).unnest_columns_with_options(columns, options);
            plan.and_then(|plan| plan.build()).map(Some).map_err(planned)
        }
        _ => Ok(None),
    }
}

/// The expression where what was the outer query's is the plan's own.
pub(super) fn inner(expr: &Expr) -> Result<Expr, TrinoError> {
    expr.clone()
        .transform(|expr| match expr {
            Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
            other => Ok(Transformed::no(other)),
        })
        .data()
        .map_err(planned)
}
