//! Grouping sets over groups instead of rows: ROLLUP and CUBE aggregate their rows once, by all keys, and what comes of that
//! for each of the sets.
//!
//! DataFusion puts every row into a group of each set. Here the partial aggregation knows one set only, that of all keys; its
//! groups, nearly always far fewer than the rows, are repeated for each set, and their states merged.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy, evaluate_group_by};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, RecordBatchStream,
    SendableRecordBatchStream,
};
use futures::{Stream, StreamExt, ready};

/// Divides such partial aggregations in two.
#[derive(Debug)]
pub(super) struct GroupSetsLate;

impl PhysicalOptimizerRule for GroupSetsLate {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let aggregate = plan.downcast_ref::<AggregateExec>().filter(|aggregate| is_worth_it(aggregate));
            let Some(aggregate) = aggregate else { return Ok(Transformed::no(plan)) };
            let divided = divided(aggregate)?;
            // What comes above knows the columns by their names and types.
            Ok(if divided.schema().fields() == plan.schema().fields() {
                Transformed::yes(divided)
            } else {
                Transformed::no(plan)
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "GroupSetsLate"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Whether one of the sets has all keys, so that its groups have to be found anyway. Aggregates whose states hold all values
/// are nothing to be merged for each set.
fn is_worth_it(aggregate: &AggregateExec) -> bool {
    let groups = aggregate.group_expr().groups();
    let has_all_keys = groups.iter().any(|omitted| omitted.iter().all(|omitted| !omitted));
    let is_simple = |index: usize| {
        let call = &aggregate.aggr_expr()[index];
        !call.is_distinct() && call.order_bys().is_empty() && call.groups_accumulator_supported()
    };
    *aggregate.mode() == AggregateMode::Partial
        && groups.len() > 1
        && has_all_keys
        && (0..aggregate.aggr_expr().len()).all(is_simple)
}

/// The same states from an aggregation by all keys, one of its groups for each set.
fn divided(aggregate: &AggregateExec) -> Result<Arc<dyn ExecutionPlan>> {
    let sets = aggregate.group_expr();
    let aggregates = aggregate.aggr_expr().to_vec();
    let by_all = Arc::new(AggregateExec::try_new(
        AggregateMode::Partial,
        PhysicalGroupBy::new_single(sets.expr().to_vec()),
        aggregates.clone(),
        aggregate.filter_expr().to_vec(),
        Arc::clone(aggregate.input()),
        aggregate.input_schema(),
    )?);
    let places = sets.expr().iter().enumerate();
    let keys = places.map(|(index, (_, name))| (column(name, index), name.clone())).collect();
    let sets = PhysicalGroupBy::new(keys, sets.null_expr().to_vec(), sets.groups().to_vec(), true);
    let repeated = Arc::new(RepeatGroupsExec::new(by_all, sets, aggregate.schema()));
    let filters = vec![None; aggregates.len()];
    let keys = aggregate.group_expr().output_exprs().into_iter().enumerate();
    let schema = aggregate.schema();
    let keys = keys.map(|(index, key)| (key, schema.field(index).name().clone())).collect();
    Ok(Arc::new(AggregateExec::try_new(
        AggregateMode::PartialReduce,
        PhysicalGroupBy::new_single(keys),
        aggregates,
        filters,
        repeated,
        aggregate.input_schema(),
    )?))
}

fn column(name: &str, index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(name, index))
}

/// Repeats groups with their states for each grouping set, without the keys that the set leaves out.
#[derive(Debug, Clone)]
struct RepeatGroupsExec {
    input: Arc<dyn ExecutionPlan>,
    sets: Arc<PhysicalGroupBy>,
    properties: Arc<PlanProperties>,
}

impl RepeatGroupsExec {
    fn new(input: Arc<dyn ExecutionPlan>, sets: PhysicalGroupBy, schema: SchemaRef) -> Self {
        let partitioning = Partitioning::UnknownPartitioning(input.output_partitioning().partition_count());
        let equal = EquivalenceProperties::new(schema);
        let properties = PlanProperties::new(equal, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Self { input, sets: Arc::new(sets), properties: Arc::new(properties) }
    }
}

impl DisplayAs for RepeatGroupsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepeatGroupsExec: sets={}", self.sets.groups().len())
    }
}

impl ExecutionPlan for RepeatGroupsExec {
    fn name(&self) -> &str {
        "RepeatGroupsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        each: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for (key, _) in self.sets.expr() {
            if each(key)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(children.swap_remove(0), self.sets.as_ref().clone(), self.schema())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        Ok(Box::pin(Repeated { input, sets: Arc::clone(&self.sets), schema: self.schema(), waiting: Vec::new() }))
    }
}

struct Repeated {
    input: SendableRecordBatchStream,
    sets: Arc<PhysicalGroupBy>,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
}

impl Repeated {
    fn repeat(&mut self, batch: &RecordBatch) -> Result<()> {
        let states = &batch.columns()[self.sets.expr().len()..];
        for keys in evaluate_group_by(&self.sets, batch)? {
            let columns: Vec<ArrayRef> = keys.into_iter().chain(states.iter().cloned()).collect();
            self.waiting.push(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        }
        Ok(())
    }
}

impl Stream for Repeated {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(batch) = self.waiting.pop() {
                return Poll::Ready(Some(Ok(batch)));
            }
            match ready!(self.input.poll_next_unpin(context)) {
                Some(Ok(batch)) => self.repeat(&batch)?,
                end => return Poll::Ready(end),
            }
        }
    }
}

impl RecordBatchStream for Repeated {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
