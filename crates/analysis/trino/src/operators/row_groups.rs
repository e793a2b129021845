//! Aggregation of one row group after the other, where their keys don't overlap.
//!
//! Facts are nearly always written in the order of some number that grows: of the orders, of the calls, of what is measured.
//! The footers of Parquet files tell then that a row group has nearly all rows of its groups for itself. A thread that has
//! read such a row group knows that these groups are complete, and hands them on before it reads the next one: no table of
//! all groups is needed, no exchange of their states, and where the keys of a row group are in their order, nothing is
//! looked up at all. Rows of keys that several row groups have are put aside and aggregated at the end.

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, take_record_batch};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, HashMap, Result};
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::{FileSource as _, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, replace_children_if_necessary};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::recursive_query::RecursiveQueryExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, RecordBatchStream,
    SendableRecordBatchStream,
};
use futures::{Stream, StreamExt};
use parking_lot::Mutex;

use crate::error::internal;
use crate::scan::{RowGroup, row_groups};

/// Tables with fewer rows are aggregated as ever.
const FEWEST_ROWS: u64 = 1 << 16;
/// Which part of all keys' range row groups must have for themselves.
const OWN: f64 = 0.99;

/// Puts [`AggregateRowGroupsExec`]s into a plan.
#[derive(Debug)]
pub(super) struct AggregateRowGroups;

impl PhysicalOptimizerRule for AggregateRowGroups {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        rewritten(plan, false)
    }

    fn name(&self) -> &'static str {
        "AggregateRowGroups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// `is_merged`: whoever takes the plan's rows puts those of all partitions together.
fn rewritten(plan: Arc<dyn ExecutionPlan>, is_merged: bool) -> Result<Arc<dyn ExecutionPlan>> {
    if plan.is::<RecursiveQueryExec>() {
        // What an aggregation knows of the row groups that it has seen holds for one execution.
        return Ok(plan);
    }
    if let Some((groups, key)) = aggregated(&plan)? {
        let partitions = plan.output_partitioning().partition_count();
        return Ok(match key {
            Some(key) if !is_merged => {
                let by = Arc::new(Column::new(groups.schema().field(key).name(), key)) as Arc<dyn PhysicalExpr>;
                Arc::new(RepartitionExec::try_new(groups, Partitioning::Hash(vec![by], partitions))?)
            }
            _ => groups,
        });
    }
    let merges = plan.is::<CoalescePartitionsExec>();
    let children = plan.children().into_iter().map(|child| rewritten(Arc::clone(child), merges));
    let children = children.collect::<Result<_>>()?;
    replace_children_if_necessary(plan, children)
}

/// The plan with an aggregation of its row groups, and where it gives the key, if it does. The rows are in whatever
/// partition; conditions on the groups stay where they were.
type Aggregated = Option<(Arc<dyn ExecutionPlan>, Option<usize>)>;

fn aggregated(plan: &Arc<dyn ExecutionPlan>) -> Result<Aggregated> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>().filter(|filter| filter.fetch().is_none()) {
        let Some((groups, key)) = aggregated(filter.input())? else { return Ok(None) };
        let key = key.and_then(|key| match filter.projection() {
            Some(kept) => kept.iter().position(|kept| *kept == key),
            None => Some(key),
        });
        return Ok(Some((replace_children_if_necessary(Arc::clone(plan), vec![groups])?, key)));
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let Some((groups, key)) = aggregated(projection.input())? else { return Ok(None) };
        let is_key = |expr: &Arc<dyn PhysicalExpr>| {
            expr.downcast_ref::<Column>().is_some_and(|column| Some(column.index()) == key)
        };
        let key = projection.expr().iter().position(|output| is_key(&output.expr));
        return Ok(Some((replace_children_if_necessary(Arc::clone(plan), vec![groups])?, key)));
    }
    let Some((last, first)) = plan.downcast_ref::<AggregateExec>().and_then(steps) else { return Ok(None) };
    let Some((key, _)) = first.group_expr().expr().first() else { return Ok(None) };
    let Some(column) = key.downcast_ref::<Column>() else { return Ok(None) };
    let Some(own) = row_groups_of(first.input(), column.index()).and_then(|groups| own_ranges(&groups)) else {
        return Ok(None);
    };
    let input = rewritten(Arc::clone(first.input()), false)?;
    Ok(Some((Arc::new(AggregateRowGroupsExec::new(first, last.schema(), input, own)), Some(0))))
}

/// The two steps of an aggregation by one whole number; `last` is the second one.
fn steps(last: &AggregateExec) -> Option<(&AggregateExec, &AggregateExec)> {
    let exchange = last.input().downcast_ref::<RepartitionExec>()?;
    let first = exchange.input().downcast_ref::<AggregateExec>()?;
    let key = first.schema().fields().first()?.data_type().clone();
    let is_simple = |call: &Arc<AggregateFunctionExpr>| {
        !call.is_distinct() && call.order_bys().is_empty() && call.groups_accumulator_supported()
    };
    let fits = *last.mode() == AggregateMode::FinalPartitioned
        && *first.mode() == AggregateMode::Partial
        && matches!(exchange.partitioning(), Partitioning::Hash(..))
        && first.group_expr().is_single()
        && first.group_expr().expr().len() == 1
        && matches!(key, DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64)
        && first.limit_options().is_none()
        && last.limit_options().is_none()
        && first.aggr_expr().iter().all(is_simple);
    fits.then_some((last, first))
}

/// The row groups that a column's values come from, if the rows come in the order of the files.
fn row_groups_of(plan: &Arc<dyn ExecutionPlan>, column: usize) -> Option<Vec<RowGroup>> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let column = match filter.projection() {
            Some(kept) => *kept.get(column)?,
            None => column,
        };
        return row_groups_of(filter.input(), column);
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let column = projection.expr().get(column)?.expr.downcast_ref::<Column>()?.index();
        return row_groups_of(projection.input(), column);
    }
    if let Some(passed) = plan.downcast_ref::<CooperativeExec>() {
        return row_groups_of(passed.input(), column);
    }
    let (scan, source) = plan.downcast_ref::<DataSourceExec>()?.downcast_to_file_source::<ParquetSource>()?;
    let column = match source.projection() {
        Some(projection) => projection.iter().nth(column)?.expr.downcast_ref::<Column>()?.index(),
        None => column,
    };
    row_groups(scan, scan.file_schema().fields().get(column)?.name())
}

/// The numbers that one row group each has for itself, ascending; none if these are too few to be worth while.
fn own_ranges(groups: &[RowGroup]) -> Option<Vec<RangeInclusive<i64>>> {
    if groups.len() < 2 || groups.iter().map(|group| group.rows).sum::<u64>() < FEWEST_ROWS {
        return None;
    }
    let mut ranges: Vec<_> = groups.iter().map(|group| group.values.clone().into_inner()).collect();
    ranges.sort_unstable();
    let (mut own, mut taken) = (Vec::with_capacity(ranges.len()), None::<i64>);
    for (index, (least, greatest)) in ranges.iter().enumerate() {
        let first = taken.map_or(Some(*least), |taken| Some(taken.checked_add(1)?.max(*least)));
        let last = match ranges.get(index + 1) {
            Some((next, _)) => next.checked_sub(1).map(|before| before.min(*greatest)),
            None => Some(*greatest),
        };
        own.extend(first.zip(last).filter(|(first, last)| first <= last).map(|(first, last)| first..=last));
        taken = Some(taken.map_or(*greatest, |taken| taken.max(*greatest)));
    }
    let width = |least: i64, greatest: i64| greatest as f64 - least as f64 + 1.0;
    let owned: f64 = own.iter().map(|range| width(*range.start(), *range.end())).sum();
    (owned >= OWN * width(ranges.first()?.0, taken?)).then_some(own)
}

/// Aggregates rows that come in the order of row groups.
#[derive(Debug, Clone)]
pub(crate) struct AggregateRowGroupsExec {
    input: Arc<dyn ExecutionPlan>,
    key: Arc<dyn PhysicalExpr>,
    aggregates: Arc<[Arc<AggregateFunctionExpr>]>,
    filters: Arc<[Option<Arc<dyn PhysicalExpr>>]>,
    properties: Arc<PlanProperties>,
    shared: Arc<Shared>,
    metrics: ExecutionPlanMetricsSet,
}

/// What the threads know of each other.
#[derive(Debug)]
struct Shared {
    own: Vec<RangeInclusive<i64>>,
    /// Which of these somebody has aggregated.
    is_done: Vec<AtomicBool>,
    aside: Mutex<Aside>,
}

/// Rows of keys that several row groups have.
#[derive(Debug)]
struct Aside {
    rows: Vec<RecordBatch>,
    /// How many partitions may put more aside.
    open: usize,
}

impl AggregateRowGroupsExec {
    /// Does all that `first` is the first step of.
    fn new(
        first: &AggregateExec,
        schema: SchemaRef,
        input: Arc<dyn ExecutionPlan>,
        own: Vec<RangeInclusive<i64>>,
    ) -> Self {
        let partitions = input.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let is_done = own.iter().map(|_| AtomicBool::new(false)).collect();
        let aside = Mutex::new(Aside { rows: Vec::new(), open: partitions });
        Self {
            input,
            key: Arc::clone(&first.group_expr().expr()[0].0),
            aggregates: first.aggr_expr().into(),
            filters: first.filter_expr().into(),
            properties: Arc::new(properties),
            shared: Arc::new(Shared { own, is_done, aside }),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// What the rows are grouped by.
    pub(super) fn key(&self) -> &Arc<dyn PhysicalExpr> {
        &self.key
    }

    pub(super) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// What is aggregated, and of which rows.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&AggregateFunctionExpr, Option<&Arc<dyn PhysicalExpr>>)> {
        self.aggregates.iter().map(AsRef::as_ref).zip(self.filters.iter().map(Option::as_ref))
    }
}

impl DisplayAs for AggregateRowGroupsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.aggregates.iter().map(|call| call.name()).collect();
        write!(f, "AggregateRowGroupsExec: by={}, aggr=[{}]", self.key, names.join(", "))
    }
}

impl ExecutionPlan for AggregateRowGroupsExec {
    fn name(&self) -> &str {
        "AggregateRowGroupsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut all = visit(&self.key)?;
        for expr in self.aggregates.iter().flat_map(|call| call.expressions()) {
            all = all.visit_sibling(|| visit(&expr))?;
        }
        for filter in self.filters.iter().flatten() {
            all = all.visit_sibling(|| visit(filter))?;
        }
        Ok(all)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: children.swap_remove(0), ..self.as_ref().clone() }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let consumer = MemoryConsumer::new(format!("AggregateRowGroups[{partition}]"));
        let memory = consumer.register(context.memory_pool());
        Ok(Box::pin(Aggregating {
            input: self.input.execute(partition, Arc::clone(&context))?,
            key: Arc::clone(&self.key),
            arguments: self.aggregates.iter().map(|call| call.expressions()).collect(),
            filters: Arc::clone(&self.filters),
            shared: Arc::clone(&self.shared),
            groups: Groups::new(&self.aggregates, self.schema())?,
            range: None,
            waiting: VecDeque::new(),
            has_ended: false,
            batch_size: context.session_config().batch_size(),
            memory,
            aside_bytes: 0,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        }))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Groups and their states.
struct Groups {
    schema: SchemaRef,
    /// Each group's key. That of the NULLs is any.
    keys: Vec<i64>,
    null: Option<usize>,
    /// The group of the last row.
    last: usize,
    /// The groups by their keys, once these came in another order than ascending.
    places: Option<HashMap<i64, usize>>,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// The groups of the rows at hand.
    found: Vec<usize>,
}

impl Groups {
    fn new(aggregates: &[Arc<AggregateFunctionExpr>], schema: SchemaRef) -> Result<Self> {
        let accumulators = aggregates.iter().map(|call| call.create_groups_accumulator()).collect::<Result<_>>()?;
        Ok(Self { schema, keys: Vec::new(), null: None, last: 0, places: None, accumulators, found: Vec::new() })
    }

    fn bytes(&self) -> usize {
        let places = self.places.as_ref().map_or(0, |places| places.capacity() * 2 * size_of::<(i64, usize)>());
        let states: usize = self.accumulators.iter().map(|states| states.size()).sum();
        self.keys.capacity() * size_of::<i64>() + self.found.capacity() * size_of::<usize>() + places + states
    }

    fn group_of(&mut self, key: i64) -> usize {
        if self.keys.get(self.last) == Some(&key) && self.null != Some(self.last) {
            return self.last;
        }
        self.last = match &mut self.places {
            Some(places) => *places.entry(key).or_insert_with(|| pushed(&mut self.keys, key)),
            None if self.keys.last().is_none_or(|greatest| *greatest < key) => pushed(&mut self.keys, key),
            None => {
                let known = self.keys.iter().enumerate().map(|(place, key)| (*key, place));
                let mut places: HashMap<_, _> = known.collect();
                let place = *places.entry(key).or_insert_with(|| pushed(&mut self.keys, key));
                self.places = Some(places);
                place
            }
        };
        self.last
    }

    fn group_of_null(&mut self) -> usize {
        if self.null.is_none() {
            // Among ascending keys it has no place.
            let known = self.keys.iter().enumerate().map(|(place, key)| (*key, place));
            self.places.get_or_insert_with(|| known.collect());
            self.null = Some(pushed(&mut self.keys, 0));
        }
        self.null.expect("invariant: it was made just now")
    }

    /// Adds some of the rows.
    fn add(&mut self, keys: &Int64Array, rows: Range<usize>, arguments: &Arguments) -> Result<()> {
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        match keys.nulls() {
            None => found.extend(keys.values()[rows.clone()].iter().map(|key| self.group_of(*key))),
            Some(valid) => found.extend(rows.clone().map(|row| match valid.is_valid(row) {
                true => self.group_of(keys.value(row)),
                false => self.group_of_null(),
            })),
        }
        for (states, (values, filter)) in self.accumulators.iter_mut().zip(arguments) {
            let values: Vec<ArrayRef> = values.iter().map(|values| values.slice(rows.start, rows.len())).collect();
            let filter = filter.as_ref().map(|filter| filter.slice(rows.start, rows.len()));
            states.update_batch(&values, &found, filter.as_ref(), self.keys.len())?;
        }
        self.found = found;
        Ok(())
    }

    /// All groups, of which nothing stays.
    fn take(&mut self) -> Result<Option<RecordBatch>> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let keys = std::mem::take(&mut self.keys);
        let valid = self.null.take().map(|null| (0..keys.len()).map(|place| place != null).collect::<NullBuffer>());
        let keys = Int64Array::new(keys.into(), valid);
        (self.last, self.places) = (0, None);
        let mut columns = vec![cast(&keys, self.schema.field(0).data_type())?];
        for states in &mut self.accumulators {
            columns.push(states.evaluate(EmitTo::All)?);
        }
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), columns)?))
    }
}

fn pushed(keys: &mut Vec<i64>, key: i64) -> usize {
    keys.push(key);
    keys.len() - 1
}

/// By aggregate: what it aggregates, and of which rows.
type Arguments = Vec<(Vec<ArrayRef>, Option<BooleanArray>)>;

struct Aggregating {
    input: SendableRecordBatchStream,
    key: Arc<dyn PhysicalExpr>,
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
    filters: Arc<[Option<Arc<dyn PhysicalExpr>>]>,
    shared: Arc<Shared>,
    groups: Groups,
    /// The keys of the row group that is being read.
    range: Option<RangeInclusive<i64>>,
    waiting: VecDeque<RecordBatch>,
    has_ended: bool,
    batch_size: usize,
    memory: MemoryReservation,
    /// How many bytes were put aside.
    aside_bytes: usize,
    metrics: BaselineMetrics,
}

impl Aggregating {
    fn evaluated(&self, batch: &RecordBatch) -> Result<(Int64Array, Arguments)> {
        let rows = batch.num_rows();
        let keys = cast(&self.key.evaluate(batch)?.into_array(rows)?, &DataType::Int64)?;
        let values = |exprs: &Vec<Arc<dyn PhysicalExpr>>| {
            exprs.iter().map(|expr| expr.evaluate(batch)?.into_array(rows)).collect::<Result<Vec<_>>>()
        };
        let filter = |filter: &Option<Arc<dyn PhysicalExpr>>| match filter {
            Some(filter) => Ok(Some(filter.evaluate(batch)?.into_array(rows)?.as_boolean().clone())),
            None => Ok::<_, DataFusionError>(None),
        };
        let calls = self.arguments.iter().zip(self.filters.iter());
        let arguments = calls.map(|(exprs, only)| Ok((values(exprs)?, filter(only)?))).collect::<Result<_>>()?;
        Ok((keys.as_primitive::<Int64Type>().clone(), arguments))
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let elapsed = self.metrics.elapsed_compute().clone();
        let _timer = elapsed.timer();
        let (keys, arguments) = self.evaluated(batch)?;
        let (values, nulls) = (keys.values(), keys.nulls());
        let is_in = |range: &RangeInclusive<i64>, row: usize| {
            nulls.is_none_or(|valid| valid.is_valid(row)) && range.contains(&values[row])
        };
        let mut aside: Vec<u32> = Vec::new();
        let mut row = 0;
        while row < values.len() {
            let begin = row;
            if let Some(range) = &self.range {
                while row < values.len() && is_in(range, row) {
                    row += 1;
                }
            }
            if row > begin {
                self.groups.add(&keys, begin..row, &arguments)?;
                continue;
            }
            match nulls.is_none_or(|valid| valid.is_valid(row)).then(|| self.shared.place(values[row])).flatten() {
                Some(place) => {
                    self.hand_on()?;
                    self.range = Some(self.shared.begun(place)?);
                }
                None => {
                    aside.push(row as u32);
                    row += 1;
                }
            }
        }
        if !aside.is_empty() {
            let rows = take_record_batch(batch, &UInt32Array::from(aside))?;
            self.aside_bytes += rows.get_array_memory_size();
            self.shared.aside.lock().rows.push(rows);
        }
        self.memory.try_resize(self.groups.bytes() + self.aside_bytes)
    }

    /// The groups are complete.
    fn hand_on(&mut self) -> Result<()> {
        let Some(groups) = self.groups.take()? else { return Ok(()) };
        let starts = (0..groups.num_rows()).step_by(self.batch_size);
        self.waiting.extend(starts.map(|at| groups.slice(at, self.batch_size.min(groups.num_rows() - at))));
        Ok(())
    }

    /// What comes after the last row: the last one who comes here has what all have put aside.
    fn end(&mut self) -> Result<()> {
        self.has_ended = true;
        self.hand_on()?;
        let rows = {
            let mut aside = self.shared.aside.lock();
            aside.open -= 1;
            if aside.open > 0 {
                return Ok(());
            }
            std::mem::take(&mut aside.rows)
        };
        for batch in rows {
            let (keys, arguments) = self.evaluated(&batch)?;
            self.groups.add(&keys, 0..keys.len(), &arguments)?;
            self.memory.try_resize(self.groups.bytes() + self.aside_bytes)?;
        }
        self.hand_on()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<RecordBatch>>> {
        loop {
            if let Some(batch) = self.waiting.pop_front() {
                return Poll::Ready(Some(Ok(batch)));
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
            let added = match ready!(self.input.poll_next_unpin(context)) {
                Some(batch) => batch.and_then(|batch| self.add(&batch)),
                None => self.end(),
            };
            if let Err(error) = added {
                self.has_ended = true;
                self.waiting.clear();
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl Shared {
    /// Which row group has a key for itself.
    fn place(&self, key: i64) -> Option<usize> {
        let place = self.own.partition_point(|range| *range.end() < key);
        self.own.get(place).is_some_and(|range| range.contains(&key)).then_some(place)
    }

    /// The keys of a row group that is read from now on.
    fn begun(&self, place: usize) -> Result<RangeInclusive<i64>> {
        if self.is_done[place].swap(true, Ordering::Relaxed) {
            // Groups that were handed on would come again.
            return Err(internal("A row group has values that its file's footer denies".to_owned()).into());
        }
        Ok(self.own[place].clone())
    }
}

impl Stream for Aggregating {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.poll(context);
        if let Poll::Ready(Some(Ok(batch))) = &polled {
            batch.record_output(&self.metrics);
        }
        polled
    }
}

impl RecordBatchStream for Aggregating {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.groups.schema)
    }
}
