//! The operator: sorted rows in, what is made of each partition out.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
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

use super::gathering::Gathering;

/// Batches that may wait for whoever reads them.
const WAITING: usize = 2;

/// What is made of partitions.
#[async_trait]
pub(crate) trait Work: fmt::Debug + Send + Sync {
    /// What the operator is called in plans.
    fn name(&self) -> &'static str;

    /// Whether each row gets something of its own, instead of other rows coming out.
    fn is_window(&self) -> bool;

    /// The columns that come out.
    fn schema(&self) -> &SchemaRef;

    /// Sends what is made of some whole partitions.
    async fn run(&self, part: Part<'_>) -> Result<()>;
}

/// Rows of whole partitions, and what is needed to work on them.
pub(crate) struct Part<'a> {
    pub(crate) rows: &'a RecordBatch,
    /// Where each partition lies.
    pub(crate) partitions: &'a [Range<usize>],
    pub(crate) order_by: &'a [PhysicalSortExpr],
    pub(crate) batch_size: usize,
    /// Has the rows already.
    pub(crate) memory: &'a MemoryReservation,
    pub(crate) to: &'a Sender<Result<RecordBatch>>,
}

/// Does its work on each partition of its input. It holds a partition's rows in memory.
#[derive(Debug, Clone)]
pub(crate) struct PartitionedExec {
    input: Arc<dyn ExecutionPlan>,
    partition_by: Vec<Arc<dyn PhysicalExpr>>,
    order_by: Vec<PhysicalSortExpr>,
    work: Arc<dyn Work>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PartitionedExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        partition_by: Vec<Arc<dyn PhysicalExpr>>,
        order_by: Vec<PhysicalSortExpr>,
        work: Arc<dyn Work>,
    ) -> Self {
        let partitions = input.properties().partitioning.partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(work.schema())),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, partition_by, order_by, work, properties: Arc::new(properties), metrics }
    }

    /// As [`Work::is_window`].
    pub(crate) fn is_window(&self) -> bool {
        self.work.is_window()
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

impl DisplayAs for PartitionedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.partition_by.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.order_by.iter().map(ToString::to_string).collect();
        write!(f, "{}: partition_by=[{}], order_by=[{}]", self.name(), keys.join(", "), order.join(", "))
    }
}

impl ExecutionPlan for PartitionedExec {
    fn name(&self) -> &str {
        self.work.name()
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
        Ok(Arc::new(Self::new(children.swap_remove(0), partition_by, order_by, Arc::clone(&self.work))))
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
        let schema = Arc::clone(self.work.schema());
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&schema), WAITING);
        let memory = MemoryConsumer::new(format!("{}[{index}]", self.name())).register(context.memory_pool());
        let mut gathering = Gathering::new(input, self.partition_by.clone());
        let (work, order_by) = (Arc::clone(&self.work), self.order_by.clone());
        let (batch_size, to) = (context.session_config().batch_size(), stream.tx());
        stream.spawn(async move {
            while let Some((rows, partitions)) = gathering.next(&memory).await? {
                let (rows, partitions) = (&rows, &partitions);
                let part = Part { rows, partitions, order_by: &order_by, batch_size, memory: &memory, to: &to };
                work.run(part).await?;
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
