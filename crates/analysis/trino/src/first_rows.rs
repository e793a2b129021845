//! One row of each key: `row_number() OVER (PARTITION BY k) = 1` without an order needs no sort.
//!
//! DataFusion numbers rows by sorting all of them by their keys. Where only the first row of each key is kept and no order says
//! which one that is, it is enough to remember the keys: rows pass, or do not, as they come. The keys are held in memory,
//! within the memory limit; they do not spill.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, SortField};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{HashSet, Result, ScalarValue};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, replace_children_if_necessary};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::windows::BoundedWindowAggExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};
use futures::StreamExt;

use crate::error::internal;

/// What a key in the set takes beside its bytes.
const KEY_OVERHEAD: usize = 48;

/// Finds such plans and takes the sort out.
#[derive(Debug)]
pub(crate) struct FirstRowsRule;

impl PhysicalOptimizerRule for FirstRowsRule {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match without_sort(&plan) {
            Some(first) => Ok(Transformed::yes(replace_children_if_necessary(plan, vec![first])?)),
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "first_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What stands in for the input of a filter that keeps the first row of each key.
fn without_sort(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let filter = plan.downcast_ref::<FilterExec>()?;
    let window = filter.input().downcast_ref::<BoundedWindowAggExec>()?;
    let [number] = window.window_expr() else { return None };
    let numbers_rows = number.name().starts_with("row_number() ") && number.order_by().is_empty();
    let place = window.input().schema().fields().len();
    if !numbers_rows || number.partition_by().is_empty() || !keeps_first(filter.predicate(), place) {
        return None;
    }
    let sort = window.input().downcast_ref::<SortExec>().filter(|sort| sort.fetch().is_none())?;
    let input = Arc::clone(sort.input());
    Some(Arc::new(FirstRows::new(input, number.partition_by().to_vec(), window.schema())))
}

/// Whether the predicate is `column = 1`.
fn keeps_first(predicate: &Arc<dyn PhysicalExpr>, place: usize) -> bool {
    let Some(comparison) = predicate.downcast_ref::<BinaryExpr>() else { return false };
    let column = comparison.left().downcast_ref::<Column>().is_some_and(|column| column.index() == place);
    let one = comparison.right().downcast_ref::<Literal>();
    let one = one.is_some_and(|literal| *literal.value() == ScalarValue::Int64(Some(1)));
    *comparison.op() == Operator::Eq && column && one
}

/// Lets the first row of each key pass, with the number 1 behind its columns. All rows of a key come in one partition.
#[derive(Debug)]
struct FirstRows {
    input: Arc<dyn ExecutionPlan>,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    properties: Arc<PlanProperties>,
}

impl FirstRows {
    fn new(input: Arc<dyn ExecutionPlan>, keys: Vec<Arc<dyn PhysicalExpr>>, schema: SchemaRef) -> Self {
        let partitioning = input.output_partitioning().clone();
        let equal = EquivalenceProperties::new(schema);
        let properties = PlanProperties::new(equal, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Self { input, keys, properties: Arc::new(properties) }
    }
}

/// The keys of which a plan lets the first row of each pass, if it is such a plan.
pub(crate) fn keys_of(plan: &Arc<dyn ExecutionPlan>) -> Option<&[Arc<dyn PhysicalExpr>]> {
    plan.downcast_ref::<FirstRows>().map(|first| first.keys.as_slice())
}

impl DisplayAs for FirstRows {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        write!(f, "FirstRowsExec: keys=[{}]", keys.join(", "))
    }
}

impl ExecutionPlan for FirstRows {
    fn name(&self) -> &'static str {
        "FirstRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for key in &self.keys {
            if f(key)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(input), true) => Ok(Arc::new(Self::new(input, self.keys.clone(), self.schema()))),
            _ => Err(internal("FirstRowsExec has one child").into()),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut input = self.input.execute(partition, Arc::clone(&context))?;
        let schema = self.schema();
        let mut seen = Seen::new(self, &context)?;
        let output = Arc::clone(&schema);
        let rows = on_good(move |batch: RecordBatch| seen.first(&batch, &output));
        let rows = futures::stream::poll_fn(move |context| input.poll_next_unpin(context)).map(rows);
        let rows = rows.filter(|batch| {
            let empty = batch.as_ref().is_ok_and(|batch| batch.num_rows() == 0);
            std::future::ready(!empty)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// Applies `work` to the batches that came well.
fn on_good(
    mut work: impl FnMut(RecordBatch) -> Result<RecordBatch>,
) -> impl FnMut(Result<RecordBatch>) -> Result<RecordBatch> {
    move |batch| batch.and_then(&mut work)
}

/// The keys of a partition that have been seen.
struct Seen {
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    converter: RowConverter,
    keys: HashSet<Box<[u8]>>,
    reservation: MemoryReservation,
}

impl Seen {
    fn new(plan: &FirstRows, context: &TaskContext) -> Result<Self> {
        let input = plan.input.schema();
        let fields = plan.keys.iter().map(|key| Ok(SortField::new(key.data_type(&input)?)));
        let converter = RowConverter::new(fields.collect::<Result<_>>()?)?;
        let reservation = MemoryConsumer::new("FirstRowsExec").register(context.memory_pool());
        Ok(Self { exprs: plan.keys.clone(), converter, keys: HashSet::default(), reservation })
    }

    /// The batch's rows with keys that were not seen before.
    fn first(&mut self, batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
        let count = batch.num_rows();
        let columns = self.exprs.iter().map(|key| key.evaluate(batch)?.into_array(count));
        let rows = self.converter.convert_columns(&columns.collect::<Result<Vec<ArrayRef>>>()?)?;
        let (mut new, mut held) = (Vec::with_capacity(count), 0);
        for row in &rows {
            let bytes = row.as_ref();
            let is_new = !self.keys.contains(bytes);
            if is_new {
                held += bytes.len() + KEY_OVERHEAD;
                self.keys.insert(bytes.into());
            }
            new.push(is_new);
        }
        self.reservation.try_grow(held)?;
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(Int64Array::from(vec![1; count])));
        let numbered = RecordBatch::try_new(Arc::clone(schema), columns)?;
        Ok(filter_record_batch(&numbered, &BooleanArray::from(new))?)
    }
}
