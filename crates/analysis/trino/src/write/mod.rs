//! Writing a query's rows into files: for INSERT, CREATE TABLE AS and UNLOAD.
//!
//! Files become visible only after all rows were computed, and go away again if anything fails after that.

pub(crate) mod avro;
mod buckets;
mod encode;
mod file;
pub(crate) mod orc;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::row::{Row, RowConverter, SortField};
use boathouse_trino_functions::cast;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::coercion::can_coerce;
use boathouse_trino_functions::types::format::write_value;
use boathouse_trino_parser::ast;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::expressions::Column as KeyColumn;
use datafusion::physical_expr::{Partitioning, PhysicalExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream, execute_stream_partitioned};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::catalog::{Session, TextFormat};
use crate::codec::Codec;
use crate::engine::{Column, Engine, physical};
use crate::error::{internal, of_datafusion, unsupported};
use crate::hive_paths::escaped;
use crate::scan::NULL_PARTITION;
use crate::storage::{Location, Statistics, TableUse};
pub use buckets::Buckets;
pub(crate) use buckets::{bucket, places};
use file::OutputFile;
pub(crate) use file::{PART, of_io, of_parquet, parquet_codec};

/// How many new partitions one statement may write, in Athena.
pub const MAX_PARTITIONS: usize = 100;

/// Where and how rows are written.
#[derive(Debug, Clone)]
pub struct WriteTarget {
    /// `s3://bucket/prefix`; the files go below it.
    pub location: String,
    /// How the files are written.
    pub format: WriteFormat,
    /// How they are compressed.
    pub compression: Compression,
    /// The table's columns in order, the partition keys last; the query's columns are coerced to them. None takes the
    /// query's columns as they are.
    pub columns: Option<Vec<Column>>,
    /// How many of the last columns are partition keys.
    pub partition_keys: usize,
    /// The partitions that exist already: they don't count as new.
    pub known_partitions: Vec<Vec<String>>,
    /// How many partitions that are not known may be written.
    pub max_new_partitions: usize,
    /// What the files' names begin with; by default the time of the session's start.
    pub file_prefix: Option<String>,
    /// How the rows of a partition are spread over files, if they are.
    pub buckets: Option<Buckets>,
    /// Where the files are noted as they are begun.
    pub begun: Begun,
}

/// The files that a statement has begun, as `s3://bucket/key`: noted before their first byte, for whoever has to remove them
/// if the statement is dropped.
#[derive(Debug, Clone, Default)]
pub struct Begun(Arc<Mutex<Vec<String>>>);

impl Begun {
    /// The files so far.
    pub fn files(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    /// Lets the files be, whatever happens to the statement.
    pub fn forget(&self) {
        self.0.lock().clear();
    }

    /// Notes a file.
    pub fn note(&self, location: String) {
        self.0.lock().push(location);
    }
}

/// The formats that can be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteFormat {
    /// Apache Parquet.
    Parquet,
    /// One JSON object in each line.
    Json,
    /// Delimited text.
    Text(TextFormat),
    /// Apache Avro.
    Avro,
    /// Apache ORC.
    Orc,
}

/// How files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the codecs'")]
pub enum Compression {
    None,
    Snappy,
    Gzip,
    Zstd,
    Lz4,
    Deflate,
    Bzip2,
    Zlib,
}

impl Compression {
    /// The codec of files of lines.
    fn of_lines(self) -> Option<Codec> {
        Some(match self {
            // Lines are refused with ORC's codec before they are written.
            Self::None | Self::Zlib => return None,
            Self::Snappy => Codec::Snappy,
            Self::Gzip => Codec::Gzip,
            Self::Zstd => Codec::Zstd,
            Self::Lz4 => Codec::Lz4,
            Self::Deflate => Codec::Deflate,
            Self::Bzip2 => Codec::Bzip2,
        })
    }
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The number of rows.
    pub rows: u64,
    /// The files as `s3://bucket/key`.
    pub files: Vec<String>,
    /// The partitions that got files, known or new: their keys' values and their locations.
    pub partitions: Vec<(Vec<String>, String)>,
    /// The size of the files.
    pub bytes: u64,
    /// What the query read.
    pub scanned_bytes: u64,
    /// The lines that could not be read and were left out, where that is wanted.
    pub skipped_lines: u64,
    /// The tables that the query read.
    pub read: Vec<TableUse>,
}

impl Engine {
    /// Runs a query and writes its rows.
    ///
    /// # Errors
    /// What is wrong with the query or the target. No file of the statement is left behind then.
    pub async fn write(
        &self,
        session: &Session,
        query: &ast::Query,
        target: WriteTarget,
    ) -> Result<Written, TrinoError> {
        let target = Arc::new(target);
        refuse_unsupported(&target)?;
        let statistics = Arc::new(Statistics::default());
        let analysis = self.analysis(session, &statistics, query).await?;
        let (plan, columns) = coerced(analysis.plan, analysis.columns, target.columns.as_deref())?;
        if target.partition_keys >= columns.len() {
            let message = "Table contains only partition columns";
            return Err(TrinoError::new(ErrorCode::GenericUserError, message));
        }
        let location = Location::parse(&target.location)?;
        let store = session.buckets.bucket(&location.bucket)?;
        let state = self.state(session)?;
        let plan = physical(&state, &plan).await?;
        let streams = match target.buckets {
            Some(_) => vec![execute_stream(plan, state.task_ctx()).map_err(of_datafusion)?],
            None => {
                let plan = by_partition(plan, target.partition_keys, self.threads()).map_err(of_datafusion)?;
                execute_stream_partitioned(plan, state.task_ctx()).map_err(of_datafusion)?
            }
        };
        let output = Arc::new(Output::new(target, columns, location, store, session)?);
        let cleanup = Cleanup { output: Arc::clone(&output), armed: true };
        let mut tasks = JoinSet::new();
        for stream in streams {
            let reservation = MemoryConsumer::new("writer").register(&state.runtime_env().memory_pool);
            tasks.spawn(Writer::new(Arc::clone(&output), reservation).run(stream));
        }
        match output.finish(&mut tasks).await {
            Ok(written) => {
                cleanup.disarm();
                let (scanned_bytes, skipped_lines) = (statistics.scanned_bytes(), statistics.skipped_lines());
                Ok(Written { scanned_bytes, skipped_lines, read: statistics.read(), ..written })
            }
            Err(error) => {
                tasks.shutdown().await;
                output.remove().await;
                cleanup.disarm();
                Err(error)
            }
        }
    }
}

/// All rows of a partition in one stream: a partition has one writer, and not one for each thread.
fn by_partition(
    plan: Arc<dyn ExecutionPlan>,
    partition_keys: usize,
    threads: usize,
) -> datafusion::common::Result<Arc<dyn ExecutionPlan>> {
    if partition_keys == 0 {
        return Ok(plan);
    }
    let schema = plan.schema();
    let keys = schema.fields().iter().enumerate().skip(schema.fields().len() - partition_keys);
    let keys = keys.map(|(index, field)| Arc::new(KeyColumn::new(field.name(), index)) as Arc<dyn PhysicalExpr>);
    Ok(Arc::new(RepartitionExec::try_new(plan, Partitioning::Hash(keys.collect(), threads))?))
}

fn refuse_unsupported(target: &WriteTarget) -> Result<(), TrinoError> {
    match target.format {
        WriteFormat::Parquet => file::parquet_codec(target.compression).map(drop),
        WriteFormat::Avro => avro::codec(target.compression).map(drop),
        WriteFormat::Orc => orc::codec(target.compression).map(drop),
        WriteFormat::Json | WriteFormat::Text(_) if target.compression == Compression::Zlib => {
            Err(unsupported("Writing lines with the compression Zlib is not supported"))
        }
        WriteFormat::Json | WriteFormat::Text(_) => Ok(()),
    }
}

/// The plan with the target's columns.
pub(crate) fn coerced(
    plan: LogicalPlan,
    columns: Vec<(String, Type)>,
    wanted: Option<&[Column]>,
) -> Result<(LogicalPlan, Vec<Column>), TrinoError> {
    let Some(wanted) = wanted else {
        return Ok((plan, columns.into_iter().map(|(name, ty)| Column { name, ty }).collect()));
    };
    let fits = columns.len() == wanted.len()
        && columns.iter().zip(wanted).all(|((_, from), to)| can_coerce(from, &to.ty) || shrinks(from, &to.ty));
    if !fits {
        let shown = |types: Vec<String>| types.join(", ");
        let message = format!(
            "Insert query has mismatched column types: Table: [{}], Query: [{}]",
            shown(wanted.iter().map(|column| column.ty.to_string()).collect()),
            shown(columns.iter().map(|(_, ty)| ty.to_string()).collect()),
        );
        return Err(TrinoError::new(ErrorCode::TypeMismatch, message));
    }
    let values = plan.schema().columns().into_iter().zip(&columns).zip(wanted);
    let values = values.enumerate().map(|(index, ((column, (_, from)), to))| {
        let (value, _) = cast::cast((Expr::Column(column), from.clone()), &to.ty)?;
        Ok(value.alias(format!("out_{index}")))
    });
    let values = values.collect::<Result<Vec<_>, TrinoError>>()?;
    let plan = LogicalPlanBuilder::from(plan).project(values).and_then(|plan| plan.build()).map_err(of_datafusion)?;
    Ok((plan, wanted.to_vec()))
}

/// Texts and times may be inserted into shorter columns.
fn shrinks(from: &Type, to: &Type) -> bool {
    matches!(
        (from, to),
        (Type::Varchar(_), Type::Varchar(_) | Type::Char(_))
            | (Type::Char(_), Type::Char(_))
            | (Type::Timestamp(_), Type::Timestamp(_))
    )
}

/// What all writers of a statement share.
struct Output {
    target: Arc<WriteTarget>,
    columns: Vec<Column>,
    /// The columns that are in the files.
    schema: SchemaRef,
    location: Location,
    store: Arc<dyn ObjectStore>,
    prefix: String,
    /// The places of the columns that rows are bucketed by.
    bucketed_by: Vec<(usize, Type)>,
    progress: Mutex<Progress>,
}

/// What a file is for: the values of its partition, and the number of its bucket.
type Part = (Vec<String>, Option<u32>);

#[derive(Default)]
struct Progress {
    /// The partitions met so far, and where each begins to be written.
    partitions: HashMap<Vec<String>, Path>,
    new_partitions: usize,
    files: Vec<Path>,
}

impl Output {
    fn new(
        target: Arc<WriteTarget>,
        columns: Vec<Column>,
        location: Location,
        store: Arc<dyn ObjectStore>,
        session: &Session,
    ) -> Result<Self, TrinoError> {
        let stored = &columns[..columns.len() - target.partition_keys];
        let bucketed_by = target.buckets.as_ref().map(|buckets| buckets::places(buckets, stored));
        let bucketed_by = bucketed_by.transpose()?.unwrap_or_default();
        let fields: Vec<_> = stored.iter().map(|column| Field::new(&column.name, column.ty.to_arrow(), true)).collect();
        let prefix = target.file_prefix.clone().unwrap_or_else(|| session.start.format("%Y%m%d_%H%M%S").to_string());
        let (schema, progress) = (Arc::new(Schema::new(fields)), Mutex::default());
        Ok(Self { target, columns, schema, location, store, prefix, bucketed_by, progress })
    }

    /// The directory of a partition. Too many new ones are refused.
    fn directory(&self, values: &[String]) -> Result<Path, TrinoError> {
        let mut progress = self.progress.lock();
        if let Some(known) = progress.partitions.get(values) {
            return Ok(known.clone());
        }
        if !values.is_empty() && !self.target.known_partitions.iter().any(|known| known == values) {
            progress.new_partitions += 1;
            let limit = self.target.max_new_partitions;
            if progress.new_partitions > limit {
                let message = format!("Exceeded limit of {limit} open writers for partitions/buckets");
                return Err(TrinoError::new(ErrorCode::HiveExceededPartitionLimit, message));
            }
        }
        let keys = &self.columns[self.schema.fields().len()..];
        let names = keys.iter().zip(values);
        let names = names.map(|(key, value)| format!("{}={}", escaped(&key.name), escaped(value)));
        let parts: Vec<String> = std::iter::once(self.location.prefix.as_ref().to_owned())
            .filter(|part| !part.is_empty())
            .chain(names)
            .collect();
        let directory = Path::parse(parts.join("/")).map_err(|error| internal(error.to_string()))?;
        progress.partitions.insert(values.to_vec(), directory.clone());
        Ok(directory)
    }

    fn new_file(&self, directory: &Path, bucket: Option<u32>) -> Path {
        let codec = match &self.target.format {
            WriteFormat::Json | WriteFormat::Text(_) => self.target.compression.of_lines(),
            WriteFormat::Parquet | WriteFormat::Avro | WriteFormat::Orc => None,
        };
        let extension = codec.map(|codec| format!(".{}", codec.extension())).unwrap_or_default();
        // Hive knows a file's bucket by the number that its name begins with.
        let bucket = bucket.map(|bucket| format!("{bucket:06}_0_")).unwrap_or_default();
        let name = format!("{bucket}{}_{}{extension}", self.prefix, uuid::Uuid::new_v4().simple());
        let path = directory.clone().join(name);
        self.target.begun.note(format!("s3://{}/{path}", self.location.bucket));
        self.progress.lock().files.push(path.clone());
        path
    }

    /// Waits for all writers, then makes their files visible.
    async fn finish(&self, tasks: &mut JoinSet<Result<Vec<OutputFile>, TrinoError>>) -> Result<Written, TrinoError> {
        let mut files = Vec::new();
        while let Some(task) = tasks.join_next().await {
            files.extend(task.map_err(|error| internal(format!("a writer ended early: {error}")))??);
        }
        let mut written = Written::default();
        for file in files {
            written.rows += file.rows();
            let path = file.close().await?;
            let size = self.store.head(&path).await.map_err(|error| crate::error::of_object_store(&error))?.size;
            written.bytes += size;
            written.files.push(format!("s3://{}/{path}", self.location.bucket));
        }
        if self.target.partition_keys > 0 {
            let progress = self.progress.lock();
            let located = |(values, path): (&Vec<String>, &Path)| {
                (values.clone(), format!("s3://{}/{path}", self.location.bucket))
            };
            written.partitions = progress.partitions.iter().map(located).collect();
            written.partitions.sort();
        }
        written.files.sort();
        Ok(written)
    }

    /// Deletes whatever the statement has written.
    async fn remove(&self) {
        let files = std::mem::take(&mut self.progress.lock().files);
        for path in files {
            match self.store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%path, %error, "a file of a failed statement is left behind"),
            }
        }
    }
}

/// Removes the files of a statement that was cancelled.
struct Cleanup {
    output: Arc<Output>,
    armed: bool,
}

impl Cleanup {
    fn disarm(mut self) {
        self.armed = false;
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        if self.armed
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let output = Arc::clone(&self.output);
            runtime.spawn(async move { output.remove().await });
        }
    }
}

/// Writes one stream of rows, into one file for each partition.
struct Writer {
    output: Arc<Output>,
    open: HashMap<Part, OutputFile>,
    reservation: MemoryReservation,
}

impl Writer {
    fn new(output: Arc<Output>, reservation: MemoryReservation) -> Self {
        Self { output, open: HashMap::new(), reservation }
    }

    async fn run(mut self, mut stream: SendableRecordBatchStream) -> Result<Vec<OutputFile>, TrinoError> {
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(of_datafusion)?;
            for (part, rows) in self.split(&batch)? {
                self.write(part, &rows).await?;
            }
            self.make_room().await?;
        }
        // Here and not when the file is closed: the writers work beside each other.
        for file in self.open.values_mut() {
            file.flush().await?;
        }
        Ok(self.open.into_values().collect())
    }

    /// The batch's rows by partition and bucket, without the partition keys.
    fn split(&self, batch: &RecordBatch) -> Result<Vec<(Part, RecordBatch)>, TrinoError> {
        let stored = self.output.schema.fields().len();
        let columns: Vec<ArrayRef> = batch.columns()[..stored].to_vec();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.output.schema), columns, &options)?;
        let buckets = self.output.target.buckets.as_ref();
        if self.output.target.partition_keys == 0 && buckets.is_none() {
            return Ok(vec![((Vec::new(), None), rows)]);
        }
        let keys = &batch.columns()[stored..];
        let fields = keys.iter().map(|key| SortField::new(key.data_type().clone())).collect();
        let encoded = (!keys.is_empty()).then(|| RowConverter::new(fields)?.convert_columns(keys)).transpose()?;
        let mut groups: HashMap<(Option<Row<'_>>, Option<u32>), Vec<u32>> = HashMap::new();
        for row in 0..batch.num_rows() {
            let key = encoded.as_ref().map(|encoded| encoded.row(row));
            let bucketed_by = &self.output.bucketed_by;
            let bucket = buckets.map(|buckets| buckets::bucket(rows.columns(), bucketed_by, row, buckets.count));
            groups.entry((key, bucket)).or_default().push(row as u32);
        }
        let value = |row: u32| {
            let keys = keys.iter().zip(&self.output.columns[stored..]);
            keys.map(|(array, column)| partition_text(array, row as usize, &column.ty)).collect()
        };
        let part = |((_, bucket), indices): ((Option<Row<'_>>, Option<u32>), Vec<u32>)| {
            let values = value(indices[0]);
            let is_all = indices.len() == rows.num_rows();
            let part = if is_all { rows.clone() } else { take_record_batch(&rows, &UInt32Array::from(indices))? };
            Ok(((values, bucket), part))
        };
        groups.into_iter().map(part).collect()
    }

    async fn write(&mut self, part: Part, rows: &RecordBatch) -> Result<(), TrinoError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        if !self.open.contains_key(&part) {
            let output = &self.output;
            let path = output.new_file(&output.directory(&part.0)?, part.1);
            let types = output.columns.iter().take(output.schema.fields().len()).map(|column| column.ty.clone());
            let file =
                OutputFile::open(&output.target, Arc::clone(&output.schema), types.collect(), &output.store, path)?;
            self.open.insert(part.clone(), file);
        }
        match self.open.get_mut(&part) {
            Some(file) => file.write(rows).await,
            None => Err(internal("a file that was just opened is gone")),
        }
    }

    /// Holds no more than the memory pool grants: the largest file gives up what it holds first.
    async fn make_room(&mut self) -> Result<(), TrinoError> {
        let held: usize = self.open.values().map(OutputFile::memory).sum();
        if self.reservation.try_resize(held).is_ok() {
            return Ok(());
        }
        if let Some(largest) = self.open.values_mut().max_by_key(|file| file.memory()) {
            largest.flush().await?;
        }
        let held = self.open.values().map(OutputFile::memory).sum();
        self.reservation.try_resize(held).map_err(of_datafusion)
    }
}

fn partition_text(array: &ArrayRef, row: usize, ty: &Type) -> String {
    if array.is_null(row) {
        return NULL_PARTITION.to_owned();
    }
    let mut text = String::new();
    write_value(&mut text, array.as_ref(), row, ty);
    if text.is_empty() { NULL_PARTITION.to_owned() } else { text }
}
