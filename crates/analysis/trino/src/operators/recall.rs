//! Rows that a statement reads twice, and needs few of: they are remembered from the first time.
//!
//! `WHERE l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)` reads a table a second time for
//! the keys of rows that were found in it the first time. What was read then, and filtered by the same column, has all that
//! is needed now, if it is little enough to be kept.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, RecordBatchStream, SendableRecordBatchStream,
};
use futures::{Stream, StreamExt};
use parking_lot::Mutex;

/// How many bytes are remembered at most.
const MOST: usize = 32 << 20;

/// What was read, as long as all of it can be kept.
#[derive(Debug)]
pub(super) struct Memory {
    /// None after it was too much.
    rows: Mutex<Option<Rows>>,
}

#[derive(Debug, Default)]
struct Rows {
    batches: Vec<RecordBatch>,
    bytes: usize,
    /// How many partitions have not been read to their ends.
    open: usize,
    held: Option<MemoryReservation>,
}

impl Memory {
    /// Of so many partitions.
    pub(super) fn of(partitions: usize) -> Arc<Self> {
        Arc::new(Self { rows: Mutex::new(Some(Rows { open: partitions, ..Rows::default() })) })
    }

    fn keep(&self, batch: &RecordBatch, context: &TaskContext) {
        let mut kept = self.rows.lock();
        let Some(rows) = kept.as_mut() else { return };
        let register = || MemoryConsumer::new("RememberExec").register(context.memory_pool());
        rows.bytes += batch.get_array_memory_size();
        let has_room = rows.bytes <= MOST && rows.held.get_or_insert_with(register).try_resize(rows.bytes).is_ok();
        if has_room {
            rows.batches.push(batch.clone());
        } else {
            *kept = None;
        }
    }

    fn end(&self) {
        if let Some(rows) = self.rows.lock().as_mut() {
            rows.open -= 1;
        }
    }

    /// All rows, if they are known.
    fn all(&self) -> Option<Vec<RecordBatch>> {
        let rows = self.rows.lock();
        rows.as_ref().filter(|rows| rows.open == 0).map(|rows| rows.batches.clone())
    }
}

/// Hands on rows and remembers them.
#[derive(Debug, Clone)]
pub(crate) struct RememberExec {
    input: Arc<dyn ExecutionPlan>,
    memory: Arc<Memory>,
}

impl RememberExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, memory: Arc<Memory>) -> Self {
        Self { input, memory }
    }

    /// What it hands on.
    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl DisplayAs for RememberExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RememberExec")
    }
}

impl ExecutionPlan for RememberExec {
    fn name(&self) -> &str {
        "RememberExec"
    }

    one_input!(without expressions);

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        Ok(Box::pin(Remembering { input, memory: Some(Arc::clone(&self.memory)), context }))
    }
}

struct Remembering {
    input: SendableRecordBatchStream,
    /// None after the last row.
    memory: Option<Arc<Memory>>,
    context: Arc<TaskContext>,
}

impl Stream for Remembering {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(self.input.poll_next_unpin(context));
        match &next {
            Some(Ok(batch)) => {
                if let Some(memory) = &self.memory {
                    memory.keep(batch, &self.context);
                }
            }
            Some(Err(_)) => self.memory = None,
            None => {
                if let Some(memory) = self.memory.take() {
                    memory.end();
                }
            }
        }
        Poll::Ready(next)
    }
}

impl RecordBatchStream for Remembering {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

/// Gives rows that are remembered, else those of its input.
#[derive(Debug, Clone)]
pub(super) struct RecallExec {
    input: Arc<dyn ExecutionPlan>,
    memory: Arc<Memory>,
    /// The columns' places among those that are remembered.
    columns: Vec<usize>,
}

impl RecallExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, memory: Arc<Memory>, columns: Vec<usize>) -> Self {
        Self { input, memory, columns }
    }
}

impl DisplayAs for RecallExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecallExec")
    }
}

impl ExecutionPlan for RecallExec {
    fn name(&self) -> &str {
        "RecallExec"
    }

    one_input!(without expressions);

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(rows) = self.memory.all() else { return self.input.execute(partition, context) };
        let (schema, columns) = (self.schema(), self.columns.clone());
        let partitions = self.input.output_partitioning().partition_count();
        let own = rows.into_iter().skip(partition).step_by(partitions);
        let given = {
            let schema = Arc::clone(&schema);
            own.map(move |batch| {
                let columns = columns.iter().map(|place| Arc::clone(batch.column(*place))).collect();
                Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
            })
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(given))))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringArray};
    use datafusion::datasource::memory::MemorySourceConfig;
    use futures::TryStreamExt;

    use super::*;

    fn batch(from: i64, rows: i64) -> RecordBatch {
        let numbers = Arc::new(Int64Array::from_iter_values(from..from + rows)) as ArrayRef;
        let texts = Arc::new(StringArray::from_iter_values((0..rows).map(|row| row.to_string()))) as ArrayRef;
        RecordBatch::try_from_iter([("a", numbers), ("b", texts)]).unwrap()
    }

    fn table(partitions: &[Vec<RecordBatch>]) -> Arc<dyn ExecutionPlan> {
        MemorySourceConfig::try_new_exec(partitions, partitions[0][0].schema(), None).unwrap()
    }

    async fn rows(plan: &dyn ExecutionPlan) -> Vec<RecordBatch> {
        let mut all = Vec::new();
        for partition in 0..plan.output_partitioning().partition_count() {
            let stream = plan.execute(partition, Arc::default()).unwrap();
            all.extend(stream.try_collect::<Vec<_>>().await.unwrap());
        }
        all
    }

    fn numbers(of: &[RecordBatch]) -> Vec<i64> {
        of.iter()
            .flat_map(|batch| batch.column(0).as_any().downcast_ref::<Int64Array>().unwrap().values().to_vec())
            .collect()
    }

    /// What is recalled while this is remembered; what is read else is -1.
    async fn recalled(partitions: &[Vec<RecordBatch>], read: usize) -> Vec<i64> {
        let memory = Memory::of(partitions.len());
        let first = RememberExec::new(table(partitions), Arc::clone(&memory));
        for partition in 0..read {
            let stream = first.execute(partition, Arc::default()).unwrap();
            stream.try_collect::<Vec<_>>().await.unwrap();
        }
        let other = batch(-1, 1).project(&[0]).unwrap();
        let again = RecallExec::new(table(&[vec![other.clone()], vec![other]]), memory, vec![0]);
        numbers(&rows(&again).await)
    }

    #[tokio::test]
    async fn what_was_read_is_not_read_again() {
        let partitions = [vec![batch(0, 2), batch(2, 2)], vec![batch(4, 1)]];
        let mut all = recalled(&partitions, 2).await;
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
        // Not to its end.
        assert_eq!(recalled(&partitions, 1).await, [-1, -1]);
    }

    #[tokio::test]
    async fn what_is_too_much_is_read_again() {
        assert_eq!(recalled(&[vec![batch(0, 1 << 21), batch(0, 1 << 21)]], 1).await, [-1, -1]);
    }
}
