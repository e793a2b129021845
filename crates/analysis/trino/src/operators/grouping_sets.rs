//! Grouping sets over groups instead of rows: ROLLUP and CUBE aggregate their rows once, by all keys, and what comes of that
//! for each of the sets.
//!
//! DataFusion puts every row into a group of each set. Here the partial aggregation knows one set only, that of all keys; its
//! groups, nearly always far fewer than the rows, are repeated for each set, and their states merged.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::EmitTo;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
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
    let repeated = Arc::new(RepeatGroupsExec::new(by_all, sets, aggregate));
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

/// Repeats groups with their states for each grouping set, without the keys that the set leaves out. Without any groups there
/// is one of a set without keys still: no rows have a total too.
#[derive(Debug, Clone)]
struct RepeatGroupsExec {
    input: Arc<dyn ExecutionPlan>,
    sets: Arc<PhysicalGroupBy>,
    aggregates: Arc<[Arc<AggregateFunctionExpr>]>,
    /// The schema of the rows that are aggregated.
    rows: SchemaRef,
    properties: Arc<PlanProperties>,
}

impl RepeatGroupsExec {
    /// The groups of `by_all` for the sets of the aggregation that it is made of.
    fn new(by_all: Arc<dyn ExecutionPlan>, sets: PhysicalGroupBy, aggregate: &AggregateExec) -> Self {
        let partitioning = Partitioning::UnknownPartitioning(by_all.output_partitioning().partition_count());
        let equal = EquivalenceProperties::new(aggregate.schema());
        let properties = PlanProperties::new(equal, partitioning, EmissionType::Incremental, Boundedness::Bounded);
        Self {
            input: by_all,
            sets: Arc::new(sets),
            aggregates: aggregate.aggr_expr().into(),
            rows: aggregate.input().schema(),
            properties: Arc::new(properties),
        }
    }

    /// The states of no rows at all, under keys that are NULL.
    fn no_rows(&self) -> Result<RecordBatch> {
        let schema = self.input.schema();
        let nullable = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let nullable = Arc::new(Schema::new(nullable.collect::<Vec<_>>()));
        let keys = nullable.fields().iter().take(self.sets.expr().len());
        let mut columns: Vec<ArrayRef> = keys.map(|key| new_null_array(key.data_type(), 1)).collect();
        // One row that a filter drops.
        let dropped = BooleanArray::from(vec![false]);
        for aggregate in self.aggregates.iter() {
            let mut accumulator = aggregate.create_groups_accumulator()?;
            let nothing = |expr: Arc<dyn PhysicalExpr>| Ok(new_null_array(&expr.data_type(&self.rows)?, 1));
            let args = aggregate.expressions().into_iter().map(nothing).collect::<Result<Vec<_>>>()?;
            accumulator.update_batch(&args, &[0], Some(&dropped), 1)?;
            columns.extend(accumulator.state(EmitTo::All)?);
        }
        Ok(RecordBatch::try_new(nullable, columns)?)
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
        Ok(Arc::new(Self { input: children.swap_remove(0), ..self.as_ref().clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let no_rows = Some(self.no_rows()?);
        Ok(Box::pin(Repeated {
            input,
            sets: Arc::clone(&self.sets),
            schema: self.schema(),
            no_rows,
            waiting: Vec::new(),
        }))
    }
}

struct Repeated {
    input: SendableRecordBatchStream,
    sets: Arc<PhysicalGroupBy>,
    schema: SchemaRef,
    /// What there is if no groups come.
    no_rows: Option<RecordBatch>,
    waiting: Vec<RecordBatch>,
}

impl Repeated {
    /// The groups once more for each of the sets that are asked for.
    fn repeat(&mut self, batch: &RecordBatch, of_set: impl Fn(&[bool]) -> bool) -> Result<()> {
        let states = &batch.columns()[self.sets.expr().len()..];
        let all = evaluate_group_by(&self.sets, batch)?.into_iter().zip(self.sets.groups());
        for (keys, _) in all.filter(|(_, omitted)| of_set(omitted)) {
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
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => {
                    self.no_rows = None;
                    self.repeat(&batch, |_| true)?;
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => match self.no_rows.take() {
                    Some(none) => self.repeat(&none, |omitted| omitted.iter().all(|omitted| *omitted))?,
                    None => return Poll::Ready(None),
                },
            }
        }
    }
}

impl RecordBatchStream for Repeated {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
