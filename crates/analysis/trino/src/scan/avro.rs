//! Avro files: a file's own schema says how it is written, the table's columns are found in it by name or by field id.

use std::collections::VecDeque;
use std::io::Cursor;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
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
use super::orc::with_places;
use super::places::{Live, Places};
use super::{DataFile, ScanRequest, noted, projected};
use crate::adapt::{adapted, place};
use crate::catalog::AvroFormat;
use crate::error::of_object_store;
use crate::iceberg::labels::Labels;
use crate::iceberg::{ById, by_place};

/// How the table's columns are found in a file.
#[derive(Debug)]
pub(super) enum Matching {
    /// By name, whatever the case.
    Name(AvroFormat),
    /// By Iceberg's field ids. Rows' places are a column behind the table's own then.
    Id(ById),
}

/// A plan that reads Avro files, each thread its share of the files.
pub(super) fn scan(request: ScanRequest<'_>, matching: Matching) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let whole = with_places(&request.table.schema, matches!(matching, Matching::Id(_)));
    let schema = projected(&whole, request.projection)?;
    noted::note(request.state, &schema, &request.table.definition, &request.files);
    let stored = request.table.definition.columns.len();
    let all: Vec<usize> = (0..whole.fields().len()).collect();
    let outputs = request.projection.unwrap_or(&all).clone();
    let layout = Arc::new(Layout { schema: Arc::clone(&schema), outputs, stored, matching });
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
    matching: Matching,
}

/// A file while it is read.
struct Open {
    file: DataFile,
    reader: Box<Reader<Cursor<Bytes>>>,
    /// The fields of the file, with their ids.
    fields: Fields,
    places: Places,
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
    open: Option<Open>,
    batch_size: usize,
    /// A file is in memory as a whole while it is read.
    memory: MemoryReservation,
}

impl Reading {
    async fn next(&mut self) -> PlanResult<Option<RecordBatch>> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(source) = self.waiting.pop_front() else { return Ok(None) };
                self.memory.try_resize(usize::try_from(source.file.meta.size).unwrap_or(usize::MAX))?;
                let bytes = async { source.store.get(&source.file.meta.location).await?.bytes().await };
                let bytes = bytes.await.map_err(|error| of_object_store(&error))?;
                self.open = Some(self.layout.open(bytes, self.batch_size, source.file)?);
                continue;
            };
            match guarded(&open.file, || open.reader.next().transpose())? {
                Some(batch) => {
                    let places = open.places.take(batch.num_rows());
                    let live = Live::new(batch.columns().to_vec(), places, &open.file.deleted)?;
                    return Ok(Some(self.layout.output(&live, open)?));
                }
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

/// The fields of a file, with the ids that its schema gives them.
fn labelled(reader: &Reader<Cursor<Bytes>>) -> Fields {
    let labels = reader.avro_header().get(SCHEMA_METADATA_KEY).map(Labels::of_avro).unwrap_or_default();
    let schema = reader.schema();
    let field = |(index, field): (usize, &Arc<Field>)| match labels.fields().get(index) {
        Some(labels) => Arc::new(labels.put_on(field)),
        None => Arc::clone(field),
    };
    schema.fields().iter().enumerate().map(field).collect()
}

/// All rows of a file that is in memory, in fields that bear their ids.
pub(super) fn whole(bytes: Bytes, batch_size: usize) -> Result<Vec<RecordBatch>, String> {
    let read = || -> Result<Vec<RecordBatch>, ArrowError> {
        let reader = ReaderBuilder::new().with_batch_size(batch_size).build(Cursor::new(bytes))?;
        let schema = Arc::new(Schema::new(labelled(&reader)));
        let batch = |batch: Result<RecordBatch, ArrowError>| {
            let batch = batch?;
            let columns = batch.columns().iter().zip(schema.fields());
            let columns = columns.map(|(column, field)| by_place(column, field.data_type()));
            RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Result<_, _>>()?)
        };
        reader.map(batch).collect()
    };
    match std::panic::catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("it makes no sense".to_owned()),
    }
}

impl Layout {
    fn open(&self, bytes: Bytes, batch_size: usize, file: DataFile) -> Result<Open, TrinoError> {
        let reader = self.reader(bytes, batch_size, &file)?;
        let fields = labelled(&reader);
        if let Matching::Id(by_id) = &self.matching {
            by_id.check_needed(&fields, &file)?;
        }
        Ok(Open { file, reader: Box::new(reader), fields, places: Places::from(0) })
    }

    fn reader(&self, bytes: Bytes, batch_size: usize, file: &DataFile) -> Result<Reader<Cursor<Bytes>>, TrinoError> {
        let builder = ReaderBuilder::new().with_batch_size(batch_size);
        let Matching::Name(AvroFormat { schema: Some(schema), .. }) = &self.matching else {
            return guarded(file, || builder.build(Cursor::new(bytes)));
        };
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

    fn output(&self, live: &Live, open: &Open) -> PlanResult<RecordBatch> {
        let file = &open.file;
        let column = |(field, index): (&Arc<Field>, &usize)| -> PlanResult<ArrayRef> {
            if let Some(constant_at) = index.checked_sub(self.stored) {
                return match constant_at < file.constants.len() {
                    true => constant(file, constant_at).to_array_of_size(live.rows),
                    false => Ok(live.column()),
                };
            }
            let place = match &self.matching {
                Matching::Id(by_id) => by_id.place(*index, &open.fields),
                Matching::Name(_) => place(&open.fields, field.name()),
            };
            let Some(place) = place else { return Ok(new_null_array(field.data_type(), live.rows)) };
            let found = &live.columns[place];
            let read = match &self.matching {
                Matching::Id(by_id) => {
                    by_place(found, open.fields[place].data_type()).and_then(|found| by_id.read(*index, &found))
                }
                Matching::Name(_) => adapted(found, field.data_type()),
            };
            read.map_err(|error| {
                let message = format!("Field {} of type {} can't be read: {error}", field.name(), found.data_type());
                bad_data(file, &message).into()
            })
        };
        let arrays = self.schema.fields().iter().zip(&self.outputs).map(column).collect::<PlanResult<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(live.rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}
