//! Avro files: a file's own schema says how it is written, the table's columns are found in it by name.

use std::collections::VecDeque;
use std::io::Cursor;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::SchemaRef;
use arrow_avro::reader::{Reader, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, SCHEMA_METADATA_KEY};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use bytes::Bytes;
use datafusion::common::Result as PlanResult;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use object_store::ObjectStoreExt;
use serde_json::{Value, json};

use super::lines::{Source, bad_data, constant, shares};
use super::{DataFile, ScanRequest, noted, projected};
use crate::adapt::{adapted, place};
use crate::catalog::AvroFormat;
use crate::error::of_object_store;

/// A plan that reads Avro files, each thread its share of the files.
pub(super) fn scan(request: ScanRequest<'_>, format: AvroFormat) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let schema = projected(&request.table.schema, request.projection)?;
    noted::note(request.state, &schema, &request.table.definition, &request.files);
    let stored = request.table.definition.columns.len();
    let all: Vec<usize> = (0..request.table.schema.fields().len()).collect();
    let outputs = request.projection.unwrap_or(&all).clone();
    let layout = Arc::new(Layout { schema: Arc::clone(&schema), outputs, stored, format });
    let limit = request.limit;
    let share = |sources| Arc::new(Share { layout: Arc::clone(&layout), sources }) as Arc<dyn PartitionStream>;
    let partitions = shares(request)?.into_iter().map(share).collect();
    Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, None, false, limit)?))
}

/// Where the values of the output come from.
#[derive(Debug)]
struct Layout {
    schema: SchemaRef,
    /// For each column of the output its place in the table.
    outputs: Vec<usize>,
    /// How many of the table's columns are in files.
    stored: usize,
    format: AvroFormat,
}

#[derive(Debug)]
struct Share {
    layout: Arc<Layout>,
    sources: Vec<Source>,
}

impl PartitionStream for Share {
    fn schema(&self) -> &SchemaRef {
        &self.layout.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reading = Reading {
            layout: Arc::clone(&self.layout),
            waiting: self.sources.iter().cloned().collect(),
            open: None,
            batch_size: context.session_config().batch_size(),
            memory: MemoryConsumer::new("avro file").register(context.memory_pool()),
        };
        let batches = futures::stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.layout.schema), batches))
    }
}

struct Reading {
    layout: Arc<Layout>,
    waiting: VecDeque<Source>,
    open: Option<(DataFile, Box<Reader<Cursor<Bytes>>>)>,
    batch_size: usize,
    /// A file is in memory as a whole while it is read.
    memory: MemoryReservation,
}

impl Reading {
    async fn next(&mut self) -> PlanResult<Option<RecordBatch>> {
        loop {
            let Some((file, reader)) = &mut self.open else {
                let Some(source) = self.waiting.pop_front() else { return Ok(None) };
                self.memory.try_resize(usize::try_from(source.file.meta.size).unwrap_or(usize::MAX))?;
                let bytes = async { source.store.get(&source.file.meta.location).await?.bytes().await };
                let bytes = bytes.await.map_err(|error| of_object_store(&error))?;
                let reader = self.layout.open(bytes, self.batch_size, &source.file)?;
                self.open = Some((source.file, Box::new(reader)));
                continue;
            };
            match guarded(file, || reader.next().transpose())? {
                Some(batch) => return Ok(Some(self.layout.output(&batch, file)?)),
                None => {
                    self.open = None;
                    self.memory.free();
                }
            }
        }
    }
}

/// What a file's own schema calls its record.
fn record_name(reader: &Reader<Cursor<Bytes>>) -> Option<String> {
    let schema: Value = serde_json::from_slice(reader.avro_header().get(SCHEMA_METADATA_KEY)?).ok()?;
    let name = schema.get("name")?.as_str()?;
    Some(match schema.get("namespace").and_then(Value::as_str) {
        Some(namespace) if !name.contains('.') => format!("{namespace}.{name}"),
        _ => name.to_owned(),
    })
}

/// Runs the reader, which may panic on files that make no sense.
fn guarded<T, E: std::fmt::Display>(file: &DataFile, read: impl FnOnce() -> Result<T, E>) -> Result<T, TrinoError> {
    match std::panic::catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| bad_data(file, &format!("Malformed Avro file: {error}"))),
        Err(_) => Err(bad_data(file, "Malformed Avro file: it makes no sense")),
    }
}

impl Layout {
    fn open(&self, bytes: Bytes, batch_size: usize, file: &DataFile) -> Result<Reader<Cursor<Bytes>>, TrinoError> {
        let builder = ReaderBuilder::new().with_batch_size(batch_size);
        let Some(schema) = &self.format.schema else { return guarded(file, || builder.build(Cursor::new(bytes))) };
        let mut schema: Value = serde_json::from_str(schema).map_err(|error| {
            let message = format!("avro.schema.literal is no JSON: {error}");
            TrinoError::new(ErrorCode::InvalidTableProperty, message)
        })?;
        let as_written = guarded(file, || ReaderBuilder::new().build(Cursor::new(bytes.clone())))?;
        // Hive does not mind what the record of a whole file is called.
        if let (Some(name), Some(schema)) = (record_name(&as_written), schema.as_object_mut()) {
            schema.insert("aliases".to_owned(), json!([name]));
        }
        let builder = builder.with_reader_schema(AvroSchema::new(schema.to_string()));
        guarded(file, || builder.build(Cursor::new(bytes)))
    }

    fn output(&self, batch: &RecordBatch, file: &DataFile) -> PlanResult<RecordBatch> {
        let rows = batch.num_rows();
        let column = |(field, index): (&Arc<arrow::datatypes::Field>, &usize)| -> PlanResult<ArrayRef> {
            if *index >= self.stored {
                return constant(file, index - self.stored).to_array_of_size(rows);
            }
            let Some(place) = place(batch.schema_ref().fields(), field.name()) else {
                return Ok(new_null_array(field.data_type(), rows));
            };
            let found = batch.column(place);
            adapted(found, field.data_type()).map_err(|error| {
                let message = format!("Field {} of type {} can't be read: {error}", field.name(), found.data_type());
                bad_data(file, &message).into()
            })
        };
        let arrays = self.schema.fields().iter().zip(&self.outputs).map(column).collect::<PlanResult<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}
