//! Reading tables: which partitions, which files, and how their rows become Arrow.

mod avro;
mod buckets;
mod columns;
mod dictionaries;
mod footers;
mod generated;
mod iceberg;
mod json;
mod lines;
mod noted;
mod orc;
mod parquet;
mod partitions;
mod pattern;
mod pieces;
mod places;
mod projected;
mod row_groups;
mod text;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use async_trait::async_trait;
use boathouse_iceberg::manifest::FileFormat;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use bytes::Bytes;
use datafusion::catalog::{Session as PlanSession, TableProvider};
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};

use crate::catalog::{ColumnDefinition, Format, Session, TableDefinition};
use crate::error::of_object_store;
use crate::scan::partitions::Partition;
use crate::storage::{Counting, Location, Statistics};

pub(crate) use columns::{ColumnSource, Condition};
pub(crate) use dictionaries::{Dictionaries, dictionary};
pub(crate) use footers::Footers;
pub(crate) use generated::{Generated, Rows};
pub(crate) use iceberg::{IcebergTable, POSITION};
pub(crate) use noted::{Noted, Scanned};
pub(crate) use parquet::row_number;
pub(crate) use partitions::{NULL_PARTITION, partition_values};
pub(crate) use row_groups::{RowGroup, row_groups};

/// The columns that every table has without showing them.
const HIDDEN: [(&str, Type); 3] =
    [("$path", Type::VARCHAR), ("$file_size", Type::Bigint), ("$file_modified_time", Type::Timestamp(3))];

/// How many rows of a file in memory are decoded at a time.
const BATCH: usize = 8192;

/// How many listings or footers are read at the same time.
const CONCURRENCY: usize = 16;

/// A table of files.
#[derive(Debug)]
pub(crate) struct HiveTable {
    definition: Arc<TableDefinition>,
    session: Arc<Session>,
    statistics: Arc<Statistics>,
    columns: SchemaRef,
    schema: SchemaRef,
}

/// An object and the values that all its rows share: the partition's, then the hidden columns'.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    location: Location,
    meta: ObjectMeta,
    constants: Vec<ScalarValue>,
    /// The places of rows that are deleted, in order.
    deleted: Arc<[u64]>,
    /// Ids of columns that must be in the file itself.
    needed: Arc<[i32]>,
}

impl DataFile {
    /// The ids of columns that must be in the file itself.
    pub(crate) fn needed(&self) -> &[i32] {
        &self.needed
    }

    /// `s3://bucket/key`
    pub(crate) fn path(&self) -> String {
        format!("s3://{}/{}", self.location.bucket, self.meta.location)
    }
}

/// All rows of a file of Iceberg's that is in memory, in fields that bear their ids.
///
/// # Errors
/// It makes no sense, or is of a format that has no rows.
pub(crate) fn whole(format: FileFormat, bytes: Bytes) -> Result<Vec<RecordBatch>, String> {
    match format {
        FileFormat::Parquet => {
            let reader =
                ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(ParquetRecordBatchReaderBuilder::build);
            reader.map_err(|error| error.to_string())?.collect::<Result<_, _>>().map_err(|error| error.to_string())
        }
        FileFormat::Orc => orc::whole(bytes, BATCH).map_err(|error| error.to_string()),
        FileFormat::Avro => avro::whole(bytes, BATCH),
        FileFormat::Puffin => Err("files of the format PUFFIN have no rows".to_owned()),
    }
}

/// What a format's reader is given.
struct ScanRequest<'a> {
    state: &'a dyn PlanSession,
    table: &'a HiveTable,
    files: Vec<DataFile>,
    projection: Option<&'a Vec<usize>>,
    /// What the rows are filtered by afterwards: readers may leave out what it leaves out.
    filters: &'a [Expr],
    limit: Option<usize>,
}

impl HiveTable {
    pub(crate) fn new(definition: Arc<TableDefinition>, session: Arc<Session>, statistics: Arc<Statistics>) -> Self {
        let columns: Fields = definition.columns.iter().map(field).collect();
        let constants = definition.partition_keys.iter().map(field);
        let hidden = HIDDEN.iter().map(|(name, ty)| Arc::new(Field::new(*name, ty.to_arrow(), true)));
        let all: Fields = columns.iter().cloned().chain(constants).chain(hidden).collect();
        let (columns, schema) = (Arc::new(Schema::new(columns)), Arc::new(Schema::new(all)));
        Self { definition, session, statistics, columns, schema }
    }

    /// The hidden columns with their types.
    pub(crate) fn hidden() -> impl Iterator<Item = (&'static str, Type)> {
        HIDDEN.iter().map(|(name, ty)| (*name, ty.clone()))
    }

    /// Notes what a scan is asked for.
    fn note_read(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let asked = projection.unwrap_or(&all).iter().map(|index| self.schema.field(*index).name().clone());
        let compared = filters.iter().flat_map(Expr::column_refs).map(|column| column.name.clone());
        let TableDefinition { database, name, .. } = self.definition.as_ref();
        self.statistics.note_read(database, name, asked.chain(compared));
    }

    /// Whether a filter can be answered by what all rows of a file share.
    fn decides_files(&self, filter: &Expr) -> bool {
        let columns = filter.column_refs();
        let is_shared = |name: &str| self.constant_fields().iter().any(|field| field.name() == name);
        !columns.is_empty() && columns.iter().all(|column| is_shared(&column.name)) && !filter.is_volatile()
    }

    /// The files whose rows a filter leaves.
    fn chosen(&self, files: Vec<DataFile>, filter: &Expr) -> PlanResult<Vec<DataFile>> {
        if files.is_empty() {
            return Ok(files);
        }
        let fields = self.constant_fields();
        let column = |index: usize| ScalarValue::iter_to_array(files.iter().map(|file| file.constants[index].clone()));
        let columns = (0..fields.len()).map(column).collect::<PlanResult<_>>()?;
        let mut keep = partitions::holds(fields.into(), columns, filter)?.into_iter();
        Ok(files.into_iter().filter(|_| keep.next() == Some(true)).collect())
    }

    /// The fields of partition keys and hidden columns.
    fn constant_fields(&self) -> Vec<FieldRef> {
        self.schema.fields().iter().skip(self.definition.columns.len()).cloned().collect()
    }

    fn store(&self, location: &Location) -> Result<Arc<dyn ObjectStore>, TrinoError> {
        let bucket = self.session.buckets.bucket(&location.bucket)?;
        Ok(Arc::new(Counting::new(bucket, Arc::clone(&self.statistics))))
    }

    /// The files of the partitions, by the format they are read as.
    async fn files(&self, partitions: Vec<Partition>) -> Result<BTreeMap<usize, (Format, Vec<DataFile>)>, TrinoError> {
        let listed: Vec<(Format, Vec<DataFile>)> = futures::stream::iter(partitions)
            .map(|partition| self.list(partition))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut formats: BTreeMap<usize, (Format, Vec<DataFile>)> = BTreeMap::new();
        for (format, files) in listed.into_iter().filter(|(_, files)| !files.is_empty()) {
            let known = formats.iter().find(|(_, (other, _))| *other == format).map(|(index, _)| *index);
            let index = known.unwrap_or(formats.len());
            formats.entry(index).or_insert_with(|| (format, Vec::new())).1.extend(files);
        }
        Ok(formats)
    }

    async fn list(&self, partition: Partition) -> Result<(Format, Vec<DataFile>), TrinoError> {
        let location = Location::parse(&partition.location)?;
        let store = self.store(&location)?;
        let prefix = Some(&location.prefix).filter(|prefix| !prefix.as_ref().is_empty());
        let mut found: Vec<ObjectMeta> = store
            .list(prefix)
            .try_filter(|meta| std::future::ready(meta.size > 0 && is_visible(&location, meta)))
            .try_collect()
            .await
            .map_err(|error| of_object_store(&error))?;
        found.sort_by(|a, b| a.location.cmp(&b.location));
        let file = |meta: ObjectMeta| {
            let path = format!("s3://{}/{}", location.bucket, self.session.buckets.key(&meta.location));
            let hidden = [
                ScalarValue::Utf8(Some(path)),
                ScalarValue::Int64(Some(meta.size as i64)),
                ScalarValue::TimestampMillisecond(Some(meta.last_modified.timestamp_millis()), None),
            ];
            let constants = partition.values.iter().cloned().chain(hidden).collect();
            DataFile { location: location.clone(), meta, constants, deleted: Arc::default(), needed: Arc::default() }
        };
        let files = found.into_iter().map(file).collect();
        Ok((partition.format, files))
    }

    async fn scan_files(&self, format: Format, request: ScanRequest<'_>) -> PlanResult<Arc<dyn ExecutionPlan>> {
        match format {
            Format::Parquet => parquet::scan(request, parquet::Matching::Name).await,
            Format::ParquetByPlace => parquet::scan(request, parquet::Matching::Place).await,
            Format::Avro(format) => avro::scan(request, avro::Matching::Name(format)),
            Format::Orc => orc::scan(request, orc::Matching::Place).await,
            Format::OrcByName => orc::scan(request, orc::Matching::Name).await,
            Format::Regex(format) => lines::scan(request, lines::Reader::Regex(format)),
            Format::Grok(format) => lines::scan(request, lines::Reader::Grok(format)),
            Format::Json(format) => lines::scan(request, lines::Reader::Json(format)),
            Format::Text(format) => lines::scan(request, lines::Reader::Text(format)),
            Format::Iceberg { .. } => {
                Err(crate::error::internal("an Iceberg table was taken for one of Hive's").into())
            }
            Format::Unsupported(name) => {
                let TableDefinition { database, name: table, .. } = self.definition.as_ref();
                let message = format!("Table {database}.{table} is stored in a format that can't be read: {name}");
                Err(TrinoError::new(ErrorCode::NotSupported, message).into())
            }
        }
    }
}

#[async_trait]
impl TableProvider for HiveTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match self.decides_files(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn PlanSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        self.note_read(projection, filters);
        let shared: Vec<Expr> = filters.iter().filter(|filter| self.decides_files(filter)).cloned().collect();
        let limit = limit.filter(|_| shared.len() == filters.len());
        let (of_keys, of_files): (Vec<Expr>, Vec<Expr>) =
            shared.into_iter().partition(|filter| partitions::decides(&self.definition, filter));
        let partitions = partitions::select(&self.session, &self.definition, &of_keys).await?;
        let mut plans = Vec::new();
        for (format, files) in self.files(partitions).await?.into_values() {
            let mut files = buckets::chosen(&self.definition, files, filters)?;
            if let Some(filter) = conjunction(of_files.iter().cloned()) {
                files = self.chosen(files, &filter)?;
            }
            if files.is_empty() {
                continue;
            }
            let request = ScanRequest { state, table: self, files, projection, filters, limit };
            plans.push(self.scan_files(format, request).await?);
        }
        united(plans, &self.schema, projection)
    }
}

/// The rows of all plans; none, in the columns that are asked for, without any plan.
fn united(
    plans: Vec<Arc<dyn ExecutionPlan>>,
    schema: &SchemaRef,
    projection: Option<&Vec<usize>>,
) -> PlanResult<Arc<dyn ExecutionPlan>> {
    match plans.is_empty() {
        true => Ok(Arc::new(EmptyExec::new(projected(schema, projection)?))),
        false => UnionExec::try_new(plans),
    }
}

/// The schema's columns that are asked for, in that order.
fn projected(schema: &SchemaRef, projection: Option<&Vec<usize>>) -> PlanResult<SchemaRef> {
    match projection {
        Some(indices) => Ok(Arc::new(schema.project(indices)?)),
        None => Ok(Arc::clone(schema)),
    }
}

/// Hive passes over objects that are called like `_SUCCESS` or `.metadata`, and over all below such directories.
fn is_visible(location: &Location, meta: &ObjectMeta) -> bool {
    let below = meta.location.prefix_match(&location.prefix);
    below.is_some_and(|mut parts| !parts.any(|part| part.as_ref().starts_with(['_', '.'])))
}

fn field(column: &ColumnDefinition) -> FieldRef {
    Arc::new(Field::new(&column.name, column.ty.to_arrow(), true))
}

/// Whether a column's values are text for Arrow.
fn is_text(ty: &DataType) -> bool {
    matches!(ty, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
