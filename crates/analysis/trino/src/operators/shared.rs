//! One computation for all who need its rows: a WITH query or a view that a statement names twice is aggregated once.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::config::ConfigOptions;
use datafusion::execution::SpillFile;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet, SpillMetrics};
use datafusion::physical_plan::spill::SpillManager;
use datafusion::physical_plan::statistics::{ChildStats, StatisticsArgs};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, SendableRecordBatchStream};
use futures::{Stream, StreamExt, TryStreamExt};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::same::same;

/// Puts a [`SharedExec`] above each of several aggregations that give the same rows. It runs before join filters are handed
/// down: they are each place's own.
#[derive(Debug)]
pub(super) struct ShareAggregations;

impl PhysicalOptimizerRule for ShareAggregations {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let classes = classes(&plan)?;
        if classes.iter().all(|class| class.members.len() < 2) {
            return Ok(plan);
        }
        plan.transform_down(|plan| {
            let class = classes.iter().find(|class| class.members.iter().any(|member| Arc::ptr_eq(member, &plan)));
            Ok(match class {
                Some(class) if class.members.len() > 1 => {
                    let shared = SharedExec::new(plan, Arc::clone(&class.rows));
                    Transformed::new(Arc::new(shared), true, TreeNodeRecursion::Jump)
                }
                _ => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "ShareAggregations"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Aggregations that give the same rows.
struct Class {
    members: Vec<Arc<dyn ExecutionPlan>>,
    rows: Arc<Rows>,
}

fn classes(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<Class>> {
    let mut classes: Vec<Class> = Vec::new();
    plan.apply(|plan| {
        if plan.downcast_ref::<AggregateExec>().is_some_and(|aggregate| *aggregate.mode() != AggregateMode::Partial) {
            match classes.iter_mut().find(|class| same(&class.members[0], plan)) {
                Some(class) => class.members.push(Arc::clone(plan)),
                None => classes.push(Class { members: vec![Arc::clone(plan)], rows: Arc::default() }),
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(classes)
}

/// Gives rows that are computed once for all operators that share them.
#[derive(Debug, Clone)]
struct SharedExec {
    input: Arc<dyn ExecutionPlan>,
    rows: Arc<Rows>,
    metrics: ExecutionPlanMetricsSet,
}

impl SharedExec {
    fn new(input: Arc<dyn ExecutionPlan>, rows: Arc<Rows>) -> Self {
        Self { input, rows, metrics: ExecutionPlanMetricsSet::new() }
    }
}

impl DisplayAs for SharedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedExec")
    }
}

impl ExecutionPlan for SharedExec {
    fn name(&self) -> &str {
        "SharedExec"
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    one_input!(without expressions);

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.rows.partition(partition, &self.input, &context, &self.metrics)?.stream();
        let schema = self.schema();
        let rows = rows.map_ok({
            let schema = Arc::clone(&schema);
            move |batch| renamed(&batch, &schema)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(&self, inputs: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::clone(&inputs[0]))
    }
}

/// The same values under the names of another place.
fn renamed(batch: &RecordBatch, schema: &SchemaRef) -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)
        .expect("invariant: plans that give the same rows differ in names only")
}

/// The rows of all partitions; computed by the plan that is asked first.
#[derive(Default)]
struct Rows(Mutex<Vec<Arc<Partition>>>);

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").field("started", &!self.0.lock().is_empty()).finish()
    }
}

impl Rows {
    fn partition(
        &self,
        index: usize,
        plan: &Arc<dyn ExecutionPlan>,
        context: &Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Arc<Partition>> {
        // Locked while they start: a plan's partitions can be executed only once.
        let mut partitions = self.0.lock();
        if partitions.is_empty() {
            let count = plan.properties().partitioning.partition_count();
            let start = |partition| Partition::start(plan, partition, context, metrics);
            *partitions = (0..count).map(start).collect::<Result<_>>()?;
        }
        Ok(Arc::clone(&partitions[index]))
    }
}

/// A part of the rows, in memory or where there is no room for it on disk.
#[derive(Clone)]
enum Chunk {
    Memory(RecordBatch),
    File(Arc<dyn SpillFile>),
}

/// How far the computation of a partition is.
#[derive(Debug, Clone, Default)]
struct Progress {
    chunks: usize,
    ended: Option<Result<(), Arc<DataFusionError>>>,
}

/// One partition's rows.
struct Partition {
    buffer: Arc<Buffer>,
    /// The computation, which ends when nobody needs it any more.
    _task: JoinSet<()>,
}

struct Buffer {
    chunks: Mutex<Vec<Chunk>>,
    progress: watch::Sender<Progress>,
    memory: MemoryReservation,
    spills: SpillManager,
}

impl Partition {
    fn start(
        plan: &Arc<dyn ExecutionPlan>,
        partition: usize,
        context: &Arc<TaskContext>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Arc<Self>> {
        let rows = plan.execute(partition, Arc::clone(context))?;
        let consumer = MemoryConsumer::new(format!("SharedExec[{partition}]")).with_can_spill(true);
        let spill_metrics = SpillMetrics::new(metrics, partition);
        let buffer = Arc::new(Buffer {
            chunks: Mutex::default(),
            progress: watch::Sender::default(),
            memory: consumer.register(context.memory_pool()),
            spills: SpillManager::new(context.runtime_env(), spill_metrics, plan.schema()),
        });
        let filled = Arc::clone(&buffer);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let ended = filled.fill(rows).await.map_err(Arc::new);
            filled.progress.send_modify(|progress| progress.ended = Some(ended));
        });
        Ok(Arc::new(Self { buffer, _task: task }))
    }

    /// All rows from the first on, as they come.
    fn stream(self: Arc<Self>) -> impl Stream<Item = Result<RecordBatch>> + Send {
        let chunks = futures::stream::try_unfold((self, 0), |(partition, index)| async move {
            let Some(chunk) = partition.buffer.chunk(index).await? else { return Ok(None) };
            let rows = match chunk {
                Chunk::Memory(batch) => futures::stream::once(std::future::ready(Ok(batch))).boxed(),
                Chunk::File(file) => partition.buffer.spills.read_spill_as_stream(file, None)?.boxed(),
            };
            Ok::<_, DataFusionError>(Some((rows, (partition, index + 1))))
        });
        chunks.try_flatten()
    }
}

impl Buffer {
    async fn fill(&self, mut rows: SendableRecordBatchStream) -> Result<()> {
        while let Some(batch) = rows.try_next().await? {
            let chunk = match self.memory.try_grow(batch.get_array_memory_size()) {
                Ok(()) => Some(Chunk::Memory(batch)),
                Err(_) => self.spills.spill_record_batch_and_finish(&[batch], "SharedExec")?.map(Chunk::File),
            };
            let chunks = {
                let mut chunks = self.chunks.lock();
                chunks.extend(chunk);
                chunks.len()
            };
            self.progress.send_modify(|progress| progress.chunks = chunks);
        }
        Ok(())
    }

    /// One chunk, once it is there; none after the last.
    async fn chunk(&self, index: usize) -> Result<Option<Chunk>> {
        let mut progress = self.progress.subscribe();
        let now = progress.wait_for(|progress| progress.chunks > index || progress.ended.is_some()).await;
        let now = now.expect("invariant: the sender is this buffer's").clone();
        match now.ended {
            _ if now.chunks > index => Ok(self.chunks.lock().get(index).cloned()),
            Some(Err(error)) => Err(DataFusionError::Shared(error)),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use datafusion::datasource::memory::MemorySourceConfig;
    use datafusion::execution::memory_pool::GreedyMemoryPool;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;

    use super::*;

    fn plan() -> (Arc<dyn ExecutionPlan>, Vec<RecordBatch>) {
        let column = |from: i64| Arc::new(Int64Array::from_iter_values(from..from + 1000)) as _;
        let batches: Vec<_> =
            (0..10).map(|from| RecordBatch::try_from_iter([("a", column(from))]).expect("a batch")).collect();
        let plan = MemorySourceConfig::try_new_exec(std::slice::from_ref(&batches), batches[0].schema(), None)
            .expect("a plan");
        (plan, batches)
    }

    #[tokio::test]
    async fn what_has_no_room_in_memory_is_shared_on_disk() {
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(30_000)));
        let runtime = runtime.build_arc().expect("a runtime");
        let context = Arc::new(TaskContext::default().with_runtime(runtime));
        let (plan, batches) = plan();
        let rows = Arc::<Rows>::default();
        let places = [SharedExec::new(Arc::clone(&plan), Arc::clone(&rows)), SharedExec::new(plan, rows)];
        for place in &places {
            let read: Vec<_> = place.execute(0, Arc::clone(&context)).unwrap().try_collect().await.unwrap();
            assert_eq!(read, batches);
        }
        let spilled = places[0].metrics().and_then(|metrics| metrics.spill_count()).unwrap();
        assert!((1..10).contains(&spilled), "{spilled} of 10 batches");
        assert_eq!(context.memory_pool().reserved(), batches[0].get_array_memory_size() * (10 - spilled));
        drop((places, batches));
        assert_eq!(context.memory_pool().reserved(), 0);
    }
}
