//! The operator: sorted rows in, the same rows with what is made of their frames out.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{
    Distribution, EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr,
    PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use super::bounds::{Bounds, Partition};
use super::gathering::alike;
use super::{Evaluation, Frame, FramedOutput, Function, Gathering, Place};

/// Batches that may wait for whoever reads them.
const WAITING: usize = 2;
/// How long the operator computes before others have their turn.
const TURN: Duration = Duration::from_millis(10);

/// What is computed of the rows of partitions.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) frame: Frame<usize>,
    pub(super) functions: Vec<Function>,
    pub(super) outputs: Vec<FramedOutput<usize>>,
    pub(super) schema: SchemaRef,
}

/// Computes functions over frames that differ from row to row. It holds a partition's rows in memory.
#[derive(Debug, Clone)]
pub(crate) struct FramedWindowExec {
    input: Arc<dyn ExecutionPlan>,
    partition_by: Vec<Arc<dyn PhysicalExpr>>,
    order_by: Vec<PhysicalSortExpr>,
    windows: Arc<Windows>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FramedWindowExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        partition_by: Vec<Arc<dyn PhysicalExpr>>,
        order_by: Vec<PhysicalSortExpr>,
        windows: Arc<Windows>,
    ) -> Self {
        let partitions = input.properties().partitioning.partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&windows.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, partition_by, order_by, windows, properties: Arc::new(properties), metrics }
    }

    /// The keys of partitions.
    pub(crate) fn partition_by(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.partition_by
    }

    /// The order in a partition.
    pub(crate) fn order_by(&self) -> &[PhysicalSortExpr] {
        &self.order_by
    }
}

impl DisplayAs for FramedWindowExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.partition_by.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.order_by.iter().map(ToString::to_string).collect();
        write!(f, "FramedWindowExec: partition_by=[{}], order_by=[{}]", keys.join(", "), order.join(", "))
    }
}

impl ExecutionPlan for FramedWindowExec {
    fn name(&self) -> &str {
        "FramedWindowExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (partition_by, order_by) = (self.partition_by.clone(), self.order_by.clone());
        Ok(Arc::new(Self::new(children.swap_remove(0), partition_by, order_by, Arc::clone(&self.windows))))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![match self.partition_by.is_empty() {
            true => Distribution::SinglePartition,
            false => Distribution::KeyPartitioned(self.partition_by.clone()),
        }])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let keys = self.partition_by.iter().map(|key| PhysicalSortExpr::new_default(Arc::clone(key)));
        let order = LexOrdering::new(keys.chain(self.order_by.iter().cloned()));
        vec![order.map(OrderingRequirements::from)]
    }

    fn apply_expressions(
        &self,
        each: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        for expr in self.partition_by.iter().chain(self.order_by.iter().map(|sort| &sort.expr)) {
            if each(expr)? == TreeNodeRecursion::Stop {
                return Ok(TreeNodeRecursion::Stop);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    }

    fn execute(&self, index: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(index, Arc::clone(&context))?;
        let schema = Arc::clone(&self.windows.schema);
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&schema), WAITING);
        let memory = MemoryConsumer::new(format!("FramedWindow[{index}]")).register(context.memory_pool());
        let mut gathering = Gathering::new(input, self.partition_by.clone());
        let (windows, order_by) = (Arc::clone(&self.windows), self.order_by.clone());
        let (batch_size, to) = (context.session_config().batch_size(), stream.tx());
        stream.spawn(async move {
            while let Some((input, partitions)) = gathering.next(&memory).await? {
                let mut rows = Rows::new(&windows, &input, &order_by, batch_size)?;
                for partition in partitions {
                    rows.compute(partition, &memory, &to).await?;
                }
                rows.pass_on(&to).await?;
            }
            Ok(())
        });
        let metrics = BaselineMetrics::new(&self.metrics, index);
        let rows = stream.build().map(move |batch| {
            if let Ok(batch) = &batch {
                metrics.record_output(batch.num_rows());
            }
            batch
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// Rows one after the other, until there are enough of them for a batch.
struct Rows<'a> {
    windows: &'a Windows,
    input: &'a RecordBatch,
    /// The values of the order's keys.
    keys: Vec<ArrayRef>,
    bounds: Bounds<'a>,
    evaluations: Vec<Evaluation<'a>>,
    /// The rows that are computed and not passed on.
    computed: Range<usize>,
    batch_size: usize,
    /// When the task gave way last.
    turn: Instant,
}

impl<'a> Rows<'a> {
    fn new(
        windows: &'a Windows,
        input: &'a RecordBatch,
        order_by: &[PhysicalSortExpr],
        batch_size: usize,
    ) -> Result<Self> {
        let order = order_by.first().map_or_else(SortOptions::default, |sort| sort.options);
        let keys = order_by.iter().map(|sort| sort.expr.evaluate(input)?.into_array(input.num_rows()));
        Ok(Self {
            windows,
            input,
            keys: keys.collect::<Result<_>>()?,
            bounds: Bounds::new(&windows.frame, input, order)?,
            evaluations: windows.functions.iter().map(|function| Evaluation::new(function, input)).collect(),
            computed: 0..0,
            batch_size,
            turn: Instant::now(),
        })
    }

    async fn compute(
        &mut self,
        rows: Range<usize>,
        memory: &MemoryReservation,
        to: &Sender<Result<RecordBatch>>,
    ) -> Result<()> {
        let groups = alike(&self.keys, rows.clone())?;
        let known = groups.capacity() * size_of::<Range<usize>>();
        memory.try_grow(known)?;
        let partition = Partition { rows, groups };
        for (group, peers) in partition.groups.iter().enumerate() {
            for row in peers.clone() {
                let frame = self.bounds.of(row, group, &partition)?;
                let place = Place { row, frame, partition: partition.rows.clone(), peers: peers.clone(), group };
                for evaluation in &mut self.evaluations {
                    evaluation.add(&place)?;
                }
                self.computed.end = row + 1;
                if self.computed.len() >= self.batch_size {
                    self.pass_on(to).await?;
                }
                if self.turn.elapsed() > TURN {
                    tokio::task::yield_now().await;
                    self.turn = Instant::now();
                }
            }
        }
        memory.shrink(known);
        Ok(())
    }

    /// Passes on the rows that are computed.
    async fn pass_on(&mut self, to: &Sender<Result<RecordBatch>>) -> Result<()> {
        if self.computed.is_empty() {
            return Ok(());
        }
        let (first, rows) = (self.computed.start, self.computed.len());
        let values = self.evaluations.iter_mut().map(Evaluation::take).collect::<Result<Vec<_>>>()?;
        let column = |output: &FramedOutput<usize>| match output {
            FramedOutput::Input(column) => self.input.column(*column).slice(first, rows),
            FramedOutput::Function(place) => Arc::clone(&values[*place]),
        };
        let columns = self.windows.outputs.iter().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.windows.schema), columns, &options)?;
        self.computed.start = self.computed.end;
        to.send(Ok(batch)).await.map_err(|_| DataFusionError::Execution("nobody reads the rows any more".to_owned()))
    }
}
