//! Whether two plans give the same rows.
//!
//! Names don't count: the analyzer gives every mention of a table columns with names of their own. What isn't known here is
//! not the same as anything.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr};
use datafusion::physical_expr::{Partitioning, PhysicalExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;

type Expr = Arc<dyn PhysicalExpr>;
type Plan = Arc<dyn ExecutionPlan>;

/// Whether the plans give the same rows, and in as many partitions.
pub(super) fn same(one: &Plan, other: &Plan) -> bool {
    let (children, others) = (one.children(), other.children());
    same_node(one, other).unwrap_or(false)
        && children.len() == others.len()
        && children.into_iter().zip(others).all(|(one, other)| same(one, other))
}

/// Whether the plans do the same with what is below them; none where it isn't known what they do.
fn same_node(one: &Plan, other: &Plan) -> Option<bool> {
    if one.name() != other.name() {
        return Some(false);
    }
    if let Some(one) = one.downcast_ref::<AggregateExec>() {
        return Some(same_aggregation(one, other.downcast_ref()?));
    }
    if let Some(one) = one.downcast_ref::<FilterExec>() {
        let other = other.downcast_ref::<FilterExec>()?;
        let alike = one.projection() == other.projection() && one.fetch() == other.fetch();
        return Some(alike && same_expr(one.predicate(), other.predicate()));
    }
    if let Some(one) = one.downcast_ref::<ProjectionExec>() {
        let other = other.downcast_ref::<ProjectionExec>()?;
        let exprs =
            |plan: &ProjectionExec| plan.expr().iter().map(|output| Arc::clone(&output.expr)).collect::<Vec<_>>();
        return Some(same_exprs(&exprs(one), &exprs(other)));
    }
    if let Some(one) = one.downcast_ref::<RepartitionExec>() {
        let other = other.downcast_ref::<RepartitionExec>()?;
        return Some(
            one.preserve_order() == other.preserve_order()
                && same_partitioning(one.partitioning(), other.partitioning()),
        );
    }
    if let Some(one) = one.downcast_ref::<HashJoinExec>() {
        return Some(same_join(one, other.downcast_ref()?));
    }
    if one.is::<CoalescePartitionsExec>() || one.is::<CooperativeExec>() {
        return Some(one.fetch() == other.fetch());
    }
    let (one, other) = (one.downcast_ref::<DataSourceExec>()?, other.downcast_ref::<DataSourceExec>()?);
    Some(same_scan(one.downcast_to_file_source()?, other.downcast_to_file_source()?))
}

fn same_aggregation(one: &AggregateExec, other: &AggregateExec) -> bool {
    let groups =
        |plan: &AggregateExec| plan.group_expr().expr().iter().map(|(expr, _)| Arc::clone(expr)).collect::<Vec<_>>();
    let filters = one.filter_expr().iter().zip(other.filter_expr().iter());
    one.mode() == other.mode()
        && one.limit_options() == other.limit_options()
        && one.group_expr().is_single()
        && other.group_expr().is_single()
        && same_exprs(&groups(one), &groups(other))
        && one.aggr_expr().len() == other.aggr_expr().len()
        && one.aggr_expr().iter().zip(other.aggr_expr().iter()).all(|(one, other)| same_function(one, other))
        && filters.into_iter().all(|pair| match pair {
            (Some(one), Some(other)) => same_expr(one, other),
            (one, other) => one.is_none() && other.is_none(),
        })
}

fn same_function(one: &AggregateFunctionExpr, other: &AggregateFunctionExpr) -> bool {
    one.fun() == other.fun()
        && one.is_distinct() == other.is_distinct()
        && one.ignore_nulls() == other.ignore_nulls()
        && one.is_reversed() == other.is_reversed()
        && one.order_bys().is_empty()
        && other.order_bys().is_empty()
        && same_exprs(&one.expressions(), &other.expressions())
}

fn same_join(one: &HashJoinExec, other: &HashJoinExec) -> bool {
    let sides = |plan: &HashJoinExec| {
        plan.on().iter().flat_map(|(left, right)| [Arc::clone(left), Arc::clone(right)]).collect::<Vec<_>>()
    };
    one.join_type() == other.join_type()
        && one.partition_mode() == other.partition_mode()
        && one.null_equality() == other.null_equality()
        && one.null_aware == other.null_aware
        && one.projection == other.projection
        && one.fetch() == other.fetch()
        && one.filter().is_none()
        && other.filter().is_none()
        && same_exprs(&sides(one), &sides(other))
}

fn same_partitioning(one: &Partitioning, other: &Partitioning) -> bool {
    match (one, other) {
        (Partitioning::Hash(one, parts), Partitioning::Hash(other, others)) => {
            parts == others && same_exprs(one, other)
        }
        (Partitioning::RoundRobinBatch(one), Partitioning::RoundRobinBatch(other)) => one == other,
        _ => false,
    }
}

fn same_scan(
    (one, source): (&FileScanConfig, &ParquetSource),
    (other, others): (&FileScanConfig, &ParquetSource),
) -> bool {
    let filters = match (source.filter(), others.filter()) {
        (Some(one), Some(other)) => same_expr(&one, &other),
        (one, other) => one.is_none() && other.is_none(),
    };
    let outputs = |source: &ParquetSource| {
        source.projection().map(|outputs| outputs.iter().map(|output| Arc::clone(&output.expr)).collect::<Vec<_>>())
    };
    let outputs = match (outputs(source), outputs(others)) {
        (Some(one), Some(other)) => same_exprs(&one, &other),
        (one, other) => one.is_none() && other.is_none(),
    };
    filters && outputs && same_files((one, source), (other, others))
}

/// Whether the scans read the same rows, of whatever columns, before anything filters them.
pub(super) fn same_files(
    (one, source): (&FileScanConfig, &ParquetSource),
    (other, others): (&FileScanConfig, &ParquetSource),
) -> bool {
    let files =
        |config: &FileScanConfig| config.file_groups.iter().map(|group| group.files().to_vec()).collect::<Vec<_>>();
    let (files, other_files) = (files(one), files(other));
    one.object_store_url == other.object_store_url
        && one.limit == other.limit
        && source.table_schema().table_schema() == others.table_schema().table_schema()
        && files.len() == other_files.len()
        && files
            .iter()
            .zip(&other_files)
            .all(|(one, other)| one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_file(a, b)))
}

fn same_file(one: &PartitionedFile, other: &PartitionedFile) -> bool {
    one.object_meta == other.object_meta && one.range == other.range && one.partition_values == other.partition_values
}

fn same_exprs(one: &[Expr], other: &[Expr]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_expr(one, other))
}

fn same_expr(one: &Expr, other: &Expr) -> bool {
    is_repeatable(one) && nameless(one) == nameless(other)
}

/// Whether the expression gives the same for the same row whenever it is asked.
fn is_repeatable(expr: &Expr) -> bool {
    let mut repeatable = true;
    let walked = expr.apply(|expr| {
        repeatable &= !expr.is_volatile_node() && !expr.is::<DynamicFilterPhysicalExpr>();
        Ok(if repeatable { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && repeatable
}

fn nameless(expr: &Expr) -> Option<Expr> {
    let renamed = Arc::clone(expr).transform(|expr| {
        let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
        Ok(Transformed::yes(Arc::new(Column::new("", column.index())) as Expr))
    });
    renamed.data().ok()
}
