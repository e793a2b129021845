//! Gathers sorted rows until partitions are whole.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, partition, take};
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_expr::PhysicalExpr;
use futures::StreamExt;

use super::super::row_number::is_same;

/// The rows of whole partitions, one partition after the other.
pub(crate) struct Gathering {
    input: SendableRecordBatchStream,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    /// The rows of the partition whose end has not come yet.
    rows: Vec<RecordBatch>,
    /// The last row's keys.
    last: Vec<ArrayRef>,
    /// Whether there may be more.
    more: bool,
}

impl Gathering {
    pub(crate) fn new(input: SendableRecordBatchStream, keys: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Self { input, keys, rows: Vec::new(), last: Vec::new(), more: true }
    }

    /// The next rows of whole partitions, and where each of these lies; none after the last one. What is held is reserved.
    pub(crate) async fn next(
        &mut self,
        memory: &MemoryReservation,
    ) -> Result<Option<(RecordBatch, Vec<Range<usize>>)>> {
        while self.more {
            let whole = match self.input.next().await {
                Some(batch) => self.add(batch?)?,
                None => {
                    self.more = false;
                    std::mem::take(&mut self.rows)
                }
            };
            memory.try_resize(size(&whole) + size(&self.rows))?;
            let Some(first) = whole.first() else { continue };
            let whole = match whole.len() {
                1 => first.clone(),
                _ => {
                    memory.try_grow(size(&whole))?;
                    concat_batches(&first.schema(), &whole)?
                }
            };
            memory.try_resize(whole.get_array_memory_size() + size(&self.rows))?;
            let partitions = self.partitions(&whole)?;
            return Ok(Some((whole, partitions)));
        }
        Ok(None)
    }

    /// The rows of all partitions that end in this batch.
    fn add(&mut self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        let rows = batch.num_rows();
        if rows == 0 {
            return Ok(Vec::new());
        }
        let keys = self.values(&batch)?;
        let partitions = self.partitions(&batch)?;
        let goes_on = self.rows.is_empty() || is_same(&self.last, &keys)?;
        let last = partitions.last().map_or(0, |last| last.start);
        // Copied, so that one row does not keep its batch in memory.
        let row = UInt64Array::from(vec![rows as u64 - 1]);
        self.last = keys.iter().map(|key| Ok(take(key, &row, None)?)).collect::<Result<_>>()?;
        if last == 0 && goes_on {
            self.rows.push(batch);
            return Ok(Vec::new());
        }
        let mut whole = std::mem::take(&mut self.rows);
        if last > 0 {
            whole.push(batch.slice(0, last));
        }
        self.rows.push(batch.slice(last, rows - last));
        Ok(whole)
    }

    fn values(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        self.keys.iter().map(|key| key.evaluate(batch)?.into_array(batch.num_rows())).collect()
    }

    fn partitions(&self, batch: &RecordBatch) -> Result<Vec<Range<usize>>> {
        alike(&self.values(batch)?, 0..batch.num_rows())
    }
}

/// The neighbours among some rows that have the same keys; without keys, all of them.
pub(in crate::operators) fn alike(keys: &[ArrayRef], rows: Range<usize>) -> Result<Vec<Range<usize>>> {
    if keys.is_empty() {
        return Ok(std::iter::once(rows).collect());
    }
    let keys: Vec<ArrayRef> = keys.iter().map(|key| key.slice(rows.start, rows.len())).collect();
    let found = partition(&keys)?.ranges().into_iter();
    Ok(found.map(|range| rows.start + range.start..rows.start + range.end).collect())
}

fn size(batches: &[RecordBatch]) -> usize {
    batches.iter().map(RecordBatch::get_array_memory_size).sum()
}
