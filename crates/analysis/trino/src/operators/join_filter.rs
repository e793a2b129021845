//! Join filters above scans.
//!
//! A hash join knows its build side's keys before it asks for the first row of its other side. DataFusion hands that
//! knowledge down to the scans as a dynamic filter, which prunes row groups and pages there. Here the same filter drops
//! single rows before they are repartitioned, joined or aggregated on their way up; where it drops too few to be worth its
//! time, it steps aside.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::expressions::{Column, DynamicFilterPhysicalExpr};
use datafusion::physical_expr::utils::{collect_columns, conjunction};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, RecordBatchStream, SendableRecordBatchStream,
};
use futures::{Stream, StreamExt, ready};

use super::key_targets::{Targets, id_of};
use super::keys::{AmongKeys, AwaitKeysExec, GatherKeysExec};
use super::recall::{RecallExec, RememberExec};

/// After so many rows a filter has shown what it is worth.
const SAMPLE: usize = 65_536;
/// A filter that keeps more than this part of its rows steps aside.
const WORTHLESS: f64 = 0.8;

/// Puts [`JoinFilterExec`]s above the scans that were given dynamic filters.
#[derive(Debug)]
pub(super) struct PlaceJoinFilters;

impl PhysicalOptimizerRule for PlaceJoinFilters {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let targets = Targets::of(&plan);
        place(plan, &[], &targets)
    }

    fn name(&self) -> &'static str {
        "PlaceJoinFilters"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `direct` are the filters of the joins that the rows reach next, one after the other and without a stay in between: each
/// finds its matches by the same look-up, so that to do it before is no gain, unless bits tell it in less time.
fn place(plan: Arc<dyn ExecutionPlan>, direct: &[u64], targets: &Targets) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
        let mut own = direct.to_vec();
        own.extend(id_of(join));
        let right = place(Arc::clone(join.right()), &own, targets)?;
        let mut left = place(Arc::clone(join.left()), &[], targets)?;
        if let Some(keys) = targets.gathered(&plan) {
            left = Arc::new(GatherKeysExec::new(left, keys.to_vec()));
        }
        return replace_children_if_necessary(plan, vec![left, right]);
    }
    let targeted = targets.filtered(&plan);
    if let Some(filters) = filters(&plan, direct, targets)? {
        let awaited: Vec<_> =
            targeted.iter().filter(|target| !target.is_direct).map(|target| Arc::clone(&target.keys)).collect();
        let (remembered, recalled) = (targets.remembered(&plan), targets.recalled(&plan));
        let mut filtered: Arc<dyn ExecutionPlan> = Arc::new(JoinFilterExec::new(plan, filters));
        if let Some(memory) = remembered {
            filtered = Arc::new(RememberExec::new(filtered, memory));
        }
        if let Some((memory, columns)) = recalled {
            filtered = Arc::new(RecallExec::new(filtered, memory, columns));
        }
        if !awaited.is_empty() {
            filtered = Arc::new(AwaitKeysExec::new(filtered, awaited));
        }
        return Ok(filtered);
    }
    let passes = plan.is::<FilterExec>() || plan.is::<ProjectionExec>() || plan.is::<CooperativeExec>();
    let direct = if passes { direct } else { &[] };
    let children = plan.children().into_iter().map(|child| place(Arc::clone(child), direct, targets));
    let children = children.collect::<Result<_>>()?;
    replace_children_if_necessary(plan, children)
}

/// The filters of a scan, or of a scan below its static filter, over the plan's columns: the keys of joins, and what joins
/// of other keys hand down to it.
fn filters(plan: &Arc<dyn ExecutionPlan>, direct: &[u64], targets: &Targets) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let (scan, kept) = match plan.downcast_ref::<FilterExec>() {
        Some(filter) => (filter.input(), filter.projection().as_ref()),
        None => (plan, None),
    };
    let Some((config, source)) =
        scan.downcast_ref::<DataSourceExec>().and_then(DataSourceExec::downcast_to_file_source::<ParquetSource>)
    else {
        return Ok(None);
    };
    let mut handed_down = Vec::new();
    let predicate = source.filter();
    for filter in predicate.iter().flat_map(split_conjunction) {
        let id = filter.downcast_ref::<DynamicFilterPhysicalExpr>().and_then(PhysicalExpr::expression_id);
        if let Some(id) = id.filter(|id| !direct.contains(id) && !targets.is_useless(*id))
            && let Some(filter) = above_scan(filter, config, kept.map(AsRef::as_ref))?
        {
            handed_down.push((id, filter));
        }
    }
    let schema = plan.schema();
    let mut found: Vec<Arc<dyn PhysicalExpr>> = Vec::new();
    for target in targets.filtered(plan) {
        let column = Arc::new(Column::new(schema.field(target.column).name(), target.column));
        let of_join = |(id, _): &(u64, _)| Some(*id) == target.join;
        let otherwise = handed_down.iter().position(of_join).map(|place| handed_down.swap_remove(place).1);
        let otherwise = otherwise.filter(|_| target.is_only_key);
        found.push(Arc::new(AmongKeys::new(column, Arc::clone(&target.keys), otherwise, target.is_direct)));
    }
    found.extend(handed_down.into_iter().map(|(_, filter)| filter));
    Ok((!found.is_empty()).then(|| conjunction(found)))
}

/// A filter over the table's columns as one over the scan's output, of which `kept` pass the filter above it.
fn above_scan(
    filter: &Arc<dyn PhysicalExpr>,
    scan: &FileScanConfig,
    kept: Option<&[usize]>,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let position = |column: &Column| {
        let read = match scan.file_source().projection() {
            Some(projection) => projection.iter().position(|output| {
                output.expr.downcast_ref::<Column>().is_some_and(|read| read.index() == column.index())
            }),
            None => Some(column.index()),
        };
        match kept {
            Some(kept) => kept.iter().position(|output| Some(*output) == read),
            None => read,
        }
    };
    if collect_columns(filter).iter().any(|column| position(column).is_none()) {
        return Ok(None);
    }
    let moved = Arc::clone(filter).transform(|expr| {
        let Some((column, index)) = expr.downcast_ref::<Column>().and_then(|c| Some((c, position(c)?))) else {
            return Ok(Transformed::no(expr));
        };
        Ok(Transformed::yes(Arc::new(Column::new(column.name(), index)) as Arc<dyn PhysicalExpr>))
    });
    moved.data().map(Some)
}

/// Passes on the rows that joins further up may match.
#[derive(Debug, Clone)]
pub(super) struct JoinFilterExec {
    input: Arc<dyn ExecutionPlan>,
    filter: Arc<dyn PhysicalExpr>,
    metrics: ExecutionPlanMetricsSet,
}

impl JoinFilterExec {
    fn new(input: Arc<dyn ExecutionPlan>, filter: Arc<dyn PhysicalExpr>) -> Self {
        Self { input, filter, metrics: ExecutionPlanMetricsSet::new() }
    }

    pub(super) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    pub(super) fn filter(&self) -> &Arc<dyn PhysicalExpr> {
        &self.filter
    }
}

impl DisplayAs for JoinFilterExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinFilterExec: {}", self.filter)
    }
}

impl ExecutionPlan for JoinFilterExec {
    fn name(&self) -> &str {
        "JoinFilterExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    one_input!();

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        visit(&self.filter)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let batch_size = context.session_config().batch_size();
        let schema = self.schema();
        Ok(Box::pin(Filtered {
            input: self.input.execute(partition, context)?,
            filter: Some(Arc::clone(&self.filter)),
            seen: 0,
            kept: 0,
            coalescer: BatchCoalescer::new(Arc::clone(&schema), batch_size)
                .with_biggest_coalesce_batch_size(Some(batch_size / 2)),
            ended: false,
            schema,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

struct Filtered {
    input: SendableRecordBatchStream,
    /// None after it stepped aside.
    filter: Option<Arc<dyn PhysicalExpr>>,
    seen: usize,
    kept: usize,
    coalescer: BatchCoalescer,
    ended: bool,
    schema: SchemaRef,
    metrics: BaselineMetrics,
}

impl Filtered {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let Some(filter) = &self.filter else {
            return Ok(self.coalescer.push_batch(batch)?);
        };
        let _timer = self.metrics.elapsed_compute().timer();
        let keep = match filter.evaluate(&batch)? {
            ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))) => return Ok(self.coalescer.push_batch(batch)?),
            keep => keep.into_array(batch.num_rows())?,
        };
        let keep = keep.as_boolean();
        self.seen += batch.num_rows();
        self.kept += keep.true_count();
        self.coalescer.push_batch_with_filter(batch, keep)?;
        if self.seen >= SAMPLE && self.kept as f64 > WORTHLESS * self.seen as f64 {
            self.filter = None;
        }
        Ok(())
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        loop {
            if let Some(batch) = self.coalescer.next_completed_batch() {
                return Poll::Ready(Some(Ok(batch)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let pushed = match ready!(self.input.poll_next_unpin(context)) {
                Some(batch) => batch.and_then(|batch| self.push(batch)),
                None => {
                    self.ended = true;
                    self.coalescer.finish_buffered_batch().map_err(Into::into)
                }
            };
            if let Err(error) = pushed {
                self.ended = true;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl Stream for Filtered {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.poll(context);
        if let Poll::Ready(Some(Ok(batch))) = &polled {
            batch.record_output(&self.metrics);
        }
        polled
    }
}

impl RecordBatchStream for Filtered {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
