//! Fewer columns to group by: without those that are the same in all rows, and those that follow from others.
//!
//! `GROUP BY 1, url`, `WHERE year = 2001 GROUP BY year, customer` and `GROUP BY x, x - 1` have as many groups without the
//! year, the 1 and the difference, which a projection puts back. DataFusion would hash and compare them row by row; and where
//! one of several columns is constant, it takes the rows for sorted by it, and gives up its fast tables of groups.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, ExprSchema, JoinType, Result, ScalarValue};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Aggregate, BinaryExpr, Distinct, Expr, LogicalPlan, LogicalPlanBuilder, Operator};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// Takes such columns out of aggregations.
#[derive(Debug)]
pub(super) struct GroupByLess;

impl OptimizerRule for GroupByLess {
    fn name(&self) -> &'static str {
        "group_by_less"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else { return Ok(Transformed::no(plan)) };
        if aggregate.group_expr.len() < 2 {
            return Ok(Transformed::no(plan));
        }
        let redundant = redundant(aggregate)?;
        if redundant.iter().all(Option::is_none) {
            return Ok(Transformed::no(plan));
        }
        let kept = aggregate.group_expr.iter().zip(&redundant).filter(|(_, value)| value.is_none());
        let kept = kept.map(|(key, _)| key.clone()).collect();
        let mut outputs = Vec::new();
        for index in 0..aggregate.schema.fields().len() {
            let (qualifier, field) = aggregate.schema.qualified_field(index);
            outputs.push(match redundant.get(index).and_then(Option::as_ref) {
                Some(value) => value.clone().alias_qualified(qualifier.cloned(), field.name()),
                None => Expr::Column(Column::from((qualifier, field))),
            });
        }
        let fewer = Aggregate::try_new(Arc::clone(&aggregate.input), kept, aggregate.aggr_expr.clone())?;
        let plan = LogicalPlanBuilder::from(LogicalPlan::Aggregate(fewer)).project(outputs)?.build()?;
        Ok(Transformed::yes(plan))
    }
}

/// For each key what it is made of after the aggregation, if it may go. One of the keys always stays: without any, no rows
/// would be a group too.
fn redundant(aggregate: &Aggregate) -> Result<Vec<Option<Expr>>> {
    let input = aggregate.input.as_ref();
    let columns: Option<Vec<&Column>> = aggregate.group_expr.iter().map(Expr::try_as_col).collect();
    // Grouping sets, and keys that DataFusion's own rule looks at.
    let Some(columns) = columns else { return Ok(vec![None; aggregate.group_expr.len()]) };
    let mut values: Vec<Option<Expr>> = columns.iter().map(|column| constant_value(input, column)).collect();
    let outputs: Vec<Column> = (0..columns.len()).map(|index| column_of(&aggregate.schema, index)).collect();
    let mut bases: Vec<(&Column, &Column)> = Vec::new();
    let mut derived = Vec::new();
    for (index, column) in columns.iter().enumerate().filter(|(index, _)| values[*index].is_none()) {
        match definition(input, column) {
            Some(Expr::Column(base)) if bases.iter().all(|(known, _)| *known != base) => {
                bases.extend(is_exact(input, column).then_some((base, &outputs[index])));
            }
            Some(other) => derived.push((index, other)),
            None => {}
        }
    }
    for (index, expr) in derived {
        values[index] = expressed(expr, &bases)?;
    }
    if values.iter().all(Option::is_some) {
        values[0] = None;
    }
    Ok(values)
}

/// An expression over columns that are keys, by what the keys are called after the aggregation.
fn expressed(expr: &Expr, bases: &[(&Column, &Column)]) -> Result<Option<Expr>> {
    let key = |column: &Column| bases.iter().find(|(base, _)| *base == column).map(|(_, key)| *key);
    let columns = expr.column_refs();
    let follows = !columns.is_empty() && columns.into_iter().all(|column| key(column).is_some());
    if !follows || expr.is_volatile() || has_subquery(expr) {
        return Ok(None);
    }
    let renamed = expr.clone().transform(|expr| {
        Ok(match expr.try_as_col().and_then(key) {
            Some(key) => Transformed::yes(Expr::Column(key.clone())),
            None => Transformed::no(expr),
        })
    });
    renamed.data().map(Some)
}

fn has_subquery(expr: &Expr) -> bool {
    let asks = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::OuterReferenceColumn(..)
        ))
    };
    expr.exists(asks).unwrap_or(true)
}

/// What a projection computes for one of its columns.
fn definition<'p>(plan: &'p LogicalPlan, column: &Column) -> Option<&'p Expr> {
    let LogicalPlan::Projection(projection) = plan else { return None };
    let index = projection.schema.maybe_index_of_column(column)?;
    Some(unnamed(&projection.expr[index]))
}

/// Whether equal values of a column are the same in all respects, so that everything follows from them: zeros have signs,
/// and instants have zones.
fn is_exact(plan: &LogicalPlan, column: &Column) -> bool {
    let field = plan.schema().field_from_column(column);
    field.is_ok_and(|field| is_exact_type(field.data_type()))
}

fn is_exact_type(ty: &DataType) -> bool {
    use DataType::{Binary, Boolean, Date32, Decimal128, Time32, Time64, Timestamp, Utf8};
    ty.is_integer()
        || matches!(ty, Binary | Boolean | Date32 | Decimal128(..) | Time32(_) | Time64(_) | Utf8)
        || matches!(ty, Timestamp(_, None))
}

/// The value that a column has in all rows, in the column's type.
fn constant_value(plan: &LogicalPlan, column: &Column) -> Option<Expr> {
    let value = constant(plan, column)?;
    let field = plan.schema().field_from_column(column).ok()?;
    (value.data_type() == *field.data_type()).then(|| Expr::Literal(value.clone(), None))
}

/// The value that a column has in all rows, as far as the plan's text tells.
fn constant<'p>(plan: &'p LogicalPlan, column: &Column) -> Option<&'p ScalarValue> {
    let index = plan.schema().maybe_index_of_column(column)?;
    match plan {
        LogicalPlan::Filter(filter) => {
            demanded([&filter.predicate], column).or_else(|| constant(&filter.input, column))
        }
        LogicalPlan::TableScan(scan) => demanded(&scan.filters, column),
        LogicalPlan::Projection(projection) => match unnamed(&projection.expr[index]) {
            Expr::Literal(value, _) => Some(value),
            Expr::Column(column) => constant(&projection.input, column),
            _ => None,
        },
        LogicalPlan::SubqueryAlias(alias) => constant(&alias.input, &column_of(alias.input.schema(), index)),
        LogicalPlan::Aggregate(aggregate) => constant(&aggregate.input, aggregate.group_expr.get(index)?.try_as_col()?),
        LogicalPlan::Union(union) => {
            let mut values = union.inputs.iter().map(|input| constant(input, &column_of(input.schema(), index)));
            let first = values.next()??;
            values.all(|value| value == Some(first)).then_some(first)
        }
        LogicalPlan::Join(join) => constant_of_join(join, column),
        LogicalPlan::Window(window) => constant(&window.input, column),
        LogicalPlan::Sort(sort) => constant(&sort.input, column),
        LogicalPlan::Limit(limit) => constant(&limit.input, column),
        LogicalPlan::Distinct(Distinct::All(input)) => constant(input, column),
        _ => None,
    }
}

/// A join's rows have the values of the side's rows, where that side can't be filled up with NULLs.
fn constant_of_join<'p>(join: &'p datafusion::logical_expr::Join, column: &Column) -> Option<&'p ScalarValue> {
    let left = match join.join_type {
        JoinType::Inner | JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            constant(&join.left, column)
        }
        _ => None,
    };
    let right = || match join.join_type {
        JoinType::Inner | JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            constant(&join.right, column)
        }
        _ => None,
    };
    left.or_else(right).or_else(|| {
        let is_inner = join.join_type == JoinType::Inner;
        join.on.iter().filter(|_| is_inner).find_map(|pair| match pair {
            (Expr::Column(left), Expr::Column(right)) if left == column => constant(&join.right, right),
            (Expr::Column(left), Expr::Column(right)) if right == column => constant(&join.left, left),
            _ => None,
        })
    })
}

/// What conditions want a column to equal.
fn demanded<'p>(conditions: impl IntoIterator<Item = &'p Expr>, column: &Column) -> Option<&'p ScalarValue> {
    let wanted = |condition: &'p Expr| {
        let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return None };
        match (left.as_ref(), right.as_ref()) {
            (Expr::Column(found), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(found))
                if found == column && is_exact_type(&value.data_type()) =>
            {
                Some(value)
            }
            _ => None,
        }
    };
    conditions.into_iter().flat_map(split_conjunction).find_map(wanted)
}

fn unnamed(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unnamed(&alias.expr),
        other => other,
    }
}

/// A column by its place.
pub(super) fn column_of(schema: &DFSchema, index: usize) -> Column {
    Column::from(schema.qualified_field(index))
}
