//! The rows that come, while those that go are noted.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Schema, SchemaRef};
use boathouse_trino_functions::error::TrinoError;
use datafusion::common::Result as PlanResult;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use futures::{Stream, StreamExt};
use parking_lot::Mutex;

use super::{Gone, LEADING};
use crate::error::internal;

/// What all streams of a change note.
#[derive(Debug)]
pub(super) struct Notes {
    gone: Mutex<Gone>,
    changed: AtomicU64,
}

impl Notes {
    pub(super) fn new(gone: Gone) -> Self {
        Self { gone: Mutex::new(gone), changed: AtomicU64::new(0) }
    }

    /// How many rows have gone, come, or got other values, and those that go.
    pub(super) fn taken(&self) -> (u64, Gone) {
        let empty = self.gone.lock().emptied();
        (self.changed.load(Ordering::Relaxed), empty)
    }
}

/// A change's stream without its leading columns and without the rows that don't come.
pub(super) struct Coming {
    rows: SendableRecordBatchStream,
    schema: SchemaRef,
    notes: Arc<Notes>,
}

impl Coming {
    pub(super) fn new(rows: SendableRecordBatchStream, notes: Arc<Notes>) -> Self {
        let fields: Vec<_> = rows.schema().fields().iter().skip(LEADING.len()).cloned().collect();
        Self { rows, schema: Arc::new(Schema::new(fields)), notes }
    }

    fn note(&self, batch: &RecordBatch) -> Result<RecordBatch, TrinoError> {
        self.notes.changed.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        self.notes.gone.lock().add(batch.column(0), batch.column(1))?;
        let comes = batch.column(2).as_boolean_opt();
        let comes = comes.ok_or_else(|| internal("whether a row comes has another type"))?;
        let shown: Vec<usize> = (LEADING.len()..batch.num_columns()).collect();
        let rows = batch.project(&shown)?;
        Ok(if comes.true_count() == rows.num_rows() { rows } else { filter_record_batch(&rows, comes)? })
    }
}

impl Stream for Coming {
    type Item = PlanResult<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.rows.poll_next_unpin(context);
        polled.map(|batch| Some(batch?.and_then(|batch| Ok(self.note(&batch)?))))
    }
}

impl RecordBatchStream for Coming {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
