//! The operator: sorted rows in, matches out.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
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

use super::super::frames::Gathering;
use super::search::{Recognised, Sought, search};
use super::windows::search_frames;

/// Batches that may wait for whoever reads them.
const WAITING: usize = 2;

/// Recognises patterns in each partition of its input. It holds a partition's rows in memory.
#[derive(Debug, Clone)]
pub(crate) struct MatchRecognizeExec {
    input: Arc<dyn ExecutionPlan>,
    partition_by: Vec<Arc<dyn PhysicalExpr>>,
    order_by: Vec<PhysicalSortExpr>,
    recognised: Arc<Recognised>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl MatchRecognizeExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        partition_by: Vec<Arc<dyn PhysicalExpr>>,
        order_by: Vec<PhysicalSortExpr>,
        recognised: Arc<Recognised>,
    ) -> Self {
        let partitions = input.properties().partitioning.partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&recognised.schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { input, partition_by, order_by, recognised, properties: Arc::new(properties), metrics }
    }

    /// Whether it gives each row what is known of its frame.
    pub(crate) fn is_window(&self) -> bool {
        matches!(self.recognised.sought, Sought::Frames(_))
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

impl DisplayAs for MatchRecognizeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.partition_by.iter().map(ToString::to_string).collect();
        let order: Vec<String> = self.order_by.iter().map(ToString::to_string).collect();
        write!(f, "MatchRecognizeExec: partition_by=[{}], order_by=[{}]", keys.join(", "), order.join(", "))
    }
}

impl ExecutionPlan for MatchRecognizeExec {
    fn name(&self) -> &str {
        "MatchRecognizeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (partition_by, order_by) = (self.partition_by.clone(), self.order_by.clone());
        Ok(Arc::new(Self::new(children.swap_remove(0), partition_by, order_by, Arc::clone(&self.recognised))))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
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
        let schema = Arc::clone(&self.recognised.schema);
        let mut stream = RecordBatchReceiverStream::builder(Arc::clone(&schema), WAITING);
        let memory = MemoryConsumer::new(format!("MatchRecognize[{index}]")).register(context.memory_pool());
        let gathering = Gathering::new(input, self.partition_by.clone());
        let recognised = Arc::clone(&self.recognised);
        let (batch_size, to) = (context.session_config().batch_size(), stream.tx());
        stream.spawn(async move { run(&recognised, gathering, batch_size, &memory, &to).await });
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

async fn run(
    recognised: &Recognised,
    mut gathering: Gathering,
    batch_size: usize,
    memory: &MemoryReservation,
    to: &Sender<Result<RecordBatch>>,
) -> Result<()> {
    while let Some((whole, partitions)) = gathering.next(memory).await? {
        match &recognised.sought {
            Sought::Matches(rows) => {
                search(recognised, *rows, &whole, &partitions, batch_size, memory, to).await?;
            }
            Sought::Frames(framed) => {
                search_frames(recognised, framed, &whole, &partitions, batch_size, memory, to).await?;
            }
        }
    }
    Ok(())
}
