//! A query's rows as the data files of an Iceberg table.
//!
//! Nothing is committed here: whoever has the files written makes them the table's, or removes them.

mod file;
mod partition;
mod rows;

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use boathouse_iceberg::Datum;
use boathouse_iceberg::manifest::{DataFile, FileFormat};
use boathouse_iceberg::metadata::PartitionColumn;
use boathouse_iceberg::schema::NestedField;
use boathouse_iceberg::table::Table;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_parser::ast;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::physical_plan::execute_stream_partitioned;
use futures::StreamExt;
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::task::JoinSet;

use self::file::{Columns, Writing};
use self::partition::Partitioner;
pub(crate) use self::rows::Rows;
use super::types::{file_field, to_trino};
use super::{convert, of_iceberg};
use crate::catalog::Session;
use crate::engine::{Column, Engine, physical};
use crate::error::{internal, of_datafusion, unsupported};
use crate::storage::{Location, Statistics, TableUse};
use crate::write::{Begun, Compression, coerced};

/// The property that says how large data files become.
const TARGET_SIZE_PROPERTY: &str = "write.target-file-size-bytes";
/// How large they become otherwise, in bytes.
const TARGET_SIZE: u64 = 512 << 20;
/// The property that says where data files go, if not below the table's location.
const DATA_PATH_PROPERTY: &str = "write.data.path";
/// The property that says in which format data files are written.
const FORMAT_PROPERTY: &str = "write.format.default";
/// The property that says in which format files of deletes are written, if not in that of data files.
const DELETE_FORMAT_PROPERTY: &str = "write.delete.format.default";

/// Into which table rows are written, and how.
#[derive(Debug, Clone)]
pub struct IcebergTarget {
    /// The table's state: its current schema and default partitions count.
    pub table: Table,
    /// What the files' names begin with.
    pub file_prefix: String,
    /// How many partitions may be written.
    pub max_partitions: usize,
    /// Where the files are noted as they are begun.
    pub begun: Begun,
}

/// What was written.
#[derive(Debug, Clone, Default)]
pub struct IcebergWritten {
    /// The number of rows.
    pub rows: u64,
    /// The files, for a commit.
    pub files: Vec<DataFile>,
    /// Their size.
    pub bytes: u64,
    /// What the query read.
    pub scanned_bytes: u64,
    /// The tables and columns that the query read.
    pub read: Vec<TableUse>,
}

impl IcebergTarget {
    /// The table's columns as a query has to give them.
    pub fn columns(&self) -> Vec<Column> {
        let fields = &self.table.metadata().current_schema().fields;
        fields.iter().map(|field| Column { name: field.name.to_lowercase(), ty: to_trino(&field.ty) }).collect()
    }

    fn target_size(&self) -> u64 {
        self.table.metadata().property(TARGET_SIZE_PROPERTY).unwrap_or(TARGET_SIZE)
    }

    /// Where data files go.
    fn folder(&self) -> String {
        let metadata = self.table.metadata();
        let own = metadata.properties.get(DATA_PATH_PROPERTY).map(|path| path.trim_end_matches('/').to_owned());
        own.unwrap_or_else(|| format!("{}/data", metadata.location))
    }

    /// A new file for the deletes of a data file's rows, noted as begun.
    pub(crate) fn new_deletes(&self, file: &DataFile, format: FileFormat) -> String {
        let spec = self.table.metadata().spec(file.spec_id);
        let path = spec.map(|spec| spec.path(&file.partition)).unwrap_or_default();
        let name = format!("{}-{}-deletes.{}", self.file_prefix, uuid::Uuid::new_v4(), extension(format));
        let parts = [self.folder(), path, name];
        let location = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        self.begun.note(location.clone());
        location
    }

    /// In which format data files are written.
    pub(crate) fn format(&self) -> Result<FileFormat, TrinoError> {
        self.format_of(FORMAT_PROPERTY).map(Option::unwrap_or_default)
    }

    /// In which format files of deletes are written.
    pub(crate) fn delete_format(&self) -> Result<FileFormat, TrinoError> {
        match self.format_of(DELETE_FORMAT_PROPERTY)? {
            Some(format) => Ok(format),
            None => self.format(),
        }
    }

    fn format_of(&self, property: &str) -> Result<Option<FileFormat>, TrinoError> {
        let Some(name) = self.table.metadata().properties.get(property) else { return Ok(None) };
        let format = FileFormat::named(name).filter(|format| *format != FileFormat::Puffin);
        let message = || unsupported(format!("Iceberg tables of the format {name} are not supported"));
        format.map(Some).ok_or_else(message)
    }

    /// How files of a format are compressed.
    pub(crate) fn compression(&self, format: FileFormat) -> Result<Compression, TrinoError> {
        let property = format!("write.{}.compression-codec", format.name().to_lowercase());
        let codec = self.table.metadata().properties.get(&property).map(|codec| codec.to_lowercase());
        Ok(match (format, codec.as_deref()) {
            (FileFormat::Orc, None | Some("zlib" | "gzip")) => Compression::Zlib,
            (FileFormat::Avro, None | Some("gzip" | "deflate" | "zlib")) => Compression::Deflate,
            (FileFormat::Parquet, None) | (_, Some("zstd")) => Compression::Zstd,
            (_, Some("snappy")) => Compression::Snappy,
            (_, Some("uncompressed" | "none")) => Compression::None,
            (FileFormat::Parquet, Some("gzip")) => Compression::Gzip,
            (FileFormat::Parquet | FileFormat::Orc, Some("lz4")) => Compression::Lz4,
            (format, codec) => {
                let codec = codec.unwrap_or_default();
                let message = format!("Iceberg {} files with the compression {codec} are not supported", format.name());
                return Err(TrinoError::new(ErrorCode::NotSupported, message));
            }
        })
    }
}

/// How the names of a format's files end.
fn extension(format: FileFormat) -> String {
    format.name().to_lowercase()
}

impl Engine {
    /// Runs a query and writes its rows, which are coerced to the table's columns, into data files.
    ///
    /// # Errors
    /// What is wrong with the query or the table. No file of the statement is left behind then.
    pub async fn write_iceberg(
        &self,
        session: &Session,
        query: &ast::Query,
        target: IcebergTarget,
    ) -> Result<IcebergWritten, TrinoError> {
        let statistics = Arc::new(Statistics::default());
        let analysis = self.analysis(session, &statistics, query).await?;
        let (plan, _) = coerced(analysis.plan, analysis.columns, Some(&target.columns()))?;
        let state = self.state(session)?;
        let plan = physical(&state, &plan).await?;
        let streams = execute_stream_partitioned(plan, state.task_ctx()).map_err(of_datafusion)?;
        let written = write_streams(session, streams, target, &state.runtime_env().memory_pool).await?;
        Ok(IcebergWritten { scanned_bytes: statistics.scanned_bytes(), read: statistics.read(), ..written })
    }
}

/// Writes streams of rows, whose columns are the table's in order, beside each other.
///
/// # Errors
/// What goes wrong in the streams or with the files. No file is left behind then.
pub(crate) async fn write_streams(
    session: &Session,
    streams: Vec<SendableRecordBatchStream>,
    target: IcebergTarget,
    memory: &Arc<dyn MemoryPool>,
) -> Result<IcebergWritten, TrinoError> {
    let output = Arc::new(Output::new(session, target)?);
    let cleanup = Cleanup(Some(Arc::clone(&output)));
    let mut tasks = JoinSet::new();
    for stream in streams {
        let reservation = MemoryConsumer::new("writer").register(memory);
        tasks.spawn(
            Writer { output: Arc::clone(&output), open: HashMap::new(), done: Vec::new(), reservation }.run(stream),
        );
    }
    let outcome = gathered(&mut tasks).await;
    cleanup.disarm();
    if outcome.is_err() {
        tasks.shutdown().await;
        output.remove().await;
    }
    outcome
}

async fn gathered(tasks: &mut JoinSet<Result<Vec<DataFile>, TrinoError>>) -> Result<IcebergWritten, TrinoError> {
    let mut written = IcebergWritten::default();
    while let Some(task) = tasks.join_next().await {
        written.files.extend(task.map_err(|error| internal(format!("a writer ended early: {error}")))??);
    }
    written.files.sort_by(|a, b| a.file_path.cmp(&b.file_path));
    written.rows = written.files.iter().map(|file| file.record_count as u64).sum();
    written.bytes = written.files.iter().map(|file| file.file_size_in_bytes as u64).sum();
    Ok(written)
}

/// What all writers of a statement share.
struct Output {
    target: IcebergTarget,
    fields: Vec<NestedField>,
    /// The columns as files hold them.
    schema: SchemaRef,
    partitioned_by: Vec<PartitionColumn>,
    folder: Location,
    store: Arc<dyn ObjectStore>,
    format: FileFormat,
    compression: Compression,
    target_size: u64,
    partitions: Mutex<HashSet<String>>,
}

impl Output {
    fn new(session: &Session, target: IcebergTarget) -> Result<Self, TrinoError> {
        let metadata = Arc::clone(target.table.metadata());
        let fields = metadata.current_schema().fields.clone();
        let schema = Arc::new(Schema::new(fields.iter().map(file_field).collect::<Vec<_>>()));
        let partitioned_by = metadata.partition_columns(metadata.default_spec()).map_err(of_iceberg)?;
        let folder = Location::parse(&target.folder())?;
        let store = session.buckets.bucket(&folder.bucket)?;
        let format = target.format()?;
        let (compression, target_size) = (target.compression(format)?, target.target_size());
        let partitions = Mutex::default();
        Ok(Self { target, fields, schema, partitioned_by, folder, store, format, compression, target_size, partitions })
    }

    /// A new file of a partition. Too many partitions are refused.
    fn open(&self, partition: Vec<Option<Datum>>) -> Result<Writing, TrinoError> {
        let spec = self.target.table.metadata().default_spec();
        let path = spec.path(&partition);
        {
            let mut partitions = self.partitions.lock();
            partitions.insert(path.clone());
            let limit = self.target.max_partitions;
            if !path.is_empty() && partitions.len() > limit {
                let message = format!("Exceeded limit of {limit} open writers for partitions");
                return Err(TrinoError::new(ErrorCode::IcebergTooManyOpenPartitions, message));
            }
        }
        let name = format!("{}-{}.{}", self.target.file_prefix, uuid::Uuid::new_v4(), extension(self.format));
        let parts = [self.folder.prefix.as_ref(), path.as_str(), name.as_str()];
        let key = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
        let location = format!("s3://{}/{key}", self.folder.bucket);
        self.target.begun.note(location.clone());
        let (file_format, spec_id) = (self.format, spec.spec_id);
        let file = DataFile { file_path: location, file_format, spec_id, partition, ..DataFile::default() };
        let columns = Columns { fields: &self.fields, schema: &self.schema };
        Writing::begin(file, &columns, self.compression, &self.store, &key)
    }

    /// The rows as files hold them.
    fn stored(&self, rows: &RecordBatch) -> Result<RecordBatch, TrinoError> {
        let columns = rows.columns().iter().zip(self.schema.fields());
        let columns = columns.map(|(column, field)| {
            if !field.is_nullable() && column.null_count() > 0 {
                let message = format!("NULL value not allowed for NOT NULL column: {}", field.name());
                return Err(TrinoError::new(ErrorCode::ConstraintViolation, message));
            }
            Ok(convert::write(column, field)?)
        });
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<Vec<_>, TrinoError>>()?)?)
    }

    /// Deletes whatever was begun.
    async fn remove(&self) {
        let files = self.target.table.files();
        if let Err(error) = boathouse_iceberg::files::delete(files.as_ref(), &self.target.begun.files()).await {
            tracing::warn!(%error, "files of a failed statement are left behind");
        }
    }
}

/// Removes the files of a statement that was cancelled.
struct Cleanup(Option<Arc<Output>>);

impl Cleanup {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if let Some(output) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move { output.remove().await });
        }
    }
}

/// Writes one stream of rows, into one file at a time for each partition.
struct Writer {
    output: Arc<Output>,
    open: HashMap<Vec<u8>, Writing>,
    done: Vec<DataFile>,
    reservation: MemoryReservation,
}

impl Writer {
    async fn run(mut self, mut stream: SendableRecordBatchStream) -> Result<Vec<DataFile>, TrinoError> {
        let mut partitioner = Partitioner::new(&self.output.partitioned_by, &self.output.fields)?;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(of_datafusion)?;
            if batch.num_rows() == 0 {
                continue;
            }
            let stored = self.output.stored(&batch)?;
            for part in partitioner.split(&stored)? {
                let writing = match self.open.entry(part.key.clone()) {
                    Entry::Occupied(open) => open.into_mut(),
                    Entry::Vacant(free) => free.insert(self.output.open(part.values)?),
                };
                writing.write(&part.rows).await?;
                if writing.size() >= self.output.target_size {
                    self.end(&part.key).await?;
                }
            }
            self.make_room().await?;
        }
        let keys: Vec<Vec<u8>> = self.open.keys().cloned().collect();
        for key in keys {
            self.end(&key).await?;
        }
        Ok(self.done)
    }

    async fn end(&mut self, key: &[u8]) -> Result<(), TrinoError> {
        if let Some(writing) = self.open.remove(key) {
            let schema = self.output.target.table.metadata().current_schema();
            self.done.push(writing.finish(schema).await?);
        }
        Ok(())
    }

    /// Holds no more than the memory pool grants: the largest file gives up what it holds first.
    async fn make_room(&mut self) -> Result<(), TrinoError> {
        let held: usize = self.open.values().map(Writing::memory).sum();
        if self.reservation.try_resize(held).is_ok() {
            return Ok(());
        }
        if let Some(largest) = self.open.values_mut().max_by_key(|writing| writing.memory()) {
            largest.flush().await?;
        }
        let held = self.open.values().map(Writing::memory).sum();
        self.reservation.try_resize(held).map_err(of_datafusion)
    }
}
