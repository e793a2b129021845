//! Filters right above scans of Parquet files become part of them: what a filter does not ask about is decoded only of the
//! rows that it leaves.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, FileSource as _, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::dictionary::is_translation;
use super::every::Every;
use super::join_filter::JoinFilterExec;
use crate::scan::{ColumnSource, Condition};

/// Lets scans of Parquet files read column by column.
#[derive(Debug)]
pub(super) struct ReadColumns;

impl PhysicalOptimizerRule for ReadColumns {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        read(plan, false)
    }

    fn name(&self) -> &'static str {
        "ReadColumns"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `first` are the rows for which only the first ones of an order are wanted: DataFusion's reader begins with the row groups
/// that have them, and leaves out others on the way.
fn read(plan: Arc<dyn ExecutionPlan>, first: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let passes = plan.is::<FilterExec>() || plan.is::<ProjectionExec>() || plan.children().is_empty();
    let first = plan.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_some()) || (passes && first);
    if !first && let Some(scan) = Scan::of(&plan)? {
        return scan.plan();
    }
    let children = plan.children().into_iter().map(|child| read(Arc::clone(child), first)).collect::<Result<_>>()?;
    replace_children_if_necessary(plan, children)
}

/// A scan with all that filters its rows right above it.
struct Scan<'p> {
    source: &'p DataSourceExec,
    conditions: Vec<Condition>,
    kept: Vec<usize>,
    /// What turns dictionaries into texts above the filter.
    translation: Option<&'p ProjectionExec>,
}

impl<'p> Scan<'p> {
    fn of(plan: &'p Arc<dyn ExecutionPlan>) -> Result<Option<Self>> {
        if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
            let parquet = source.downcast_to_file_source::<ParquetSource>();
            let is_ours = parquet.is_some_and(|(_, parquet)| parquet.table_schema().virtual_columns().is_empty());
            let kept = (0..plan.schema().fields().len()).collect();
            return Ok(is_ours.then_some(Self { source, conditions: Vec::new(), kept, translation: None }));
        }
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            return Self::filtered(filter);
        }
        if let Some(filter) = plan.downcast_ref::<JoinFilterExec>() {
            return Self::joined(filter);
        }
        Ok(None)
    }

    fn filtered(filter: &'p FilterExec) -> Result<Option<Self>> {
        let Some(mut scan) =
            Self::of(filter.input())?.filter(|scan| scan.conditions.is_empty() && filter.fetch().is_none())
        else {
            return Ok(None);
        };
        let schema = filter.input().schema();
        for condition in by_columns(filter.predicate()) {
            scan.conditions.push(Condition::new(condition, &schema)?);
        }
        if let Some(kept) = filter.projection() {
            scan.kept = kept.to_vec();
        }
        Ok(Some(scan))
    }

    fn joined(filter: &'p JoinFilterExec) -> Result<Option<Self>> {
        let (mut input, mut condition) = (filter.input(), Arc::clone(filter.filter()));
        let translation = input.downcast_ref::<ProjectionExec>().filter(|projection| is_translation(projection));
        if let Some(translation) = translation {
            let place = |place: usize| translation.expr()[place].expr.downcast_ref::<Column>().map(Column::index);
            let Some(below) = moved(&condition, place)? else { return Ok(None) };
            (input, condition) = (translation.input(), below);
        }
        let Some(mut scan) = Self::of(input)?.filter(|scan| scan.translation.is_none()) else { return Ok(None) };
        let Some(condition) = moved(&condition, |place| scan.kept.get(place).copied())? else { return Ok(None) };
        for condition in split_conjunction(&condition) {
            scan.conditions.push(Condition::optional(Arc::clone(condition), &scan.source.schema())?);
        }
        scan.translation = translation;
        Ok(Some(scan))
    }

    fn plan(self) -> Result<Arc<dyn ExecutionPlan>> {
        let (config, parquet) = self.source.downcast_to_file_source::<ParquetSource>().expect("invariant: it was one");
        let source = ColumnSource::new(parquet, self.conditions, self.kept);
        let config = FileScanConfigBuilder::from(config.clone()).with_source(Arc::new(source)).build();
        let scan = DataSourceExec::from_data_source(config) as Arc<dyn ExecutionPlan>;
        match self.translation {
            Some(translation) => Ok(Arc::new(ProjectionExec::try_new(translation.expr().to_vec(), scan)?)),
            None => Ok(scan),
        }
    }
}

/// An expression with its columns where `place` says; none if one of them is nowhere.
fn moved(
    expr: &Arc<dyn PhysicalExpr>,
    place: impl Fn(usize) -> Option<usize>,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    if collect_columns(expr).iter().any(|column| place(column.index()).is_none()) {
        return Ok(None);
    }
    let moved = Arc::clone(expr).transform_up(|expr| {
        let Some((column, index)) = expr.downcast_ref::<Column>().and_then(|c| Some((c, place(c.index())?))) else {
            return Ok(Transformed::no(expr));
        };
        Ok(Transformed::yes(Arc::new(Column::new(column.name(), index)) as Arc<dyn PhysicalExpr>))
    });
    moved.data().map(Some)
}

/// The conditions in their order; cheap ones over the same columns as one.
fn by_columns(predicate: &Arc<dyn PhysicalExpr>) -> Vec<Arc<dyn PhysicalExpr>> {
    let mut found: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
    for condition in split_conjunction(predicate) {
        let Some(every) = condition.downcast_ref::<Every>() else {
            found.push(Arc::clone(condition));
            continue;
        };
        let mut groups: Vec<Vec<Arc<dyn PhysicalExpr>>> = Vec::new();
        for condition in every.conditions() {
            let columns = collect_columns(condition);
            match groups.iter_mut().find(|group| collect_columns(&group[0]) == columns) {
                Some(group) => group.push(Arc::clone(condition)),
                None => groups.push(vec![Arc::clone(condition)]),
            }
        }
        for mut group in groups {
            found.push(if group.len() == 1 { group.remove(0) } else { Arc::new(Every::new(group)) });
        }
    }
    found
}
