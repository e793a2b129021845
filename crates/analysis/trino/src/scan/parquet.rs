//! Parquet files: DataFusion's reader over columns matched by name, whatever their case, or by place.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{ColumnStatistics, DataFusionError, Result as PlanResult, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::parquet::{CachedParquetFileReaderFactory, ParquetRowSelection};
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use parquet::arrow::{RowNumber, parquet_to_arrow_schema};
use parquet::file::metadata::ParquetMetaData;

use super::columns::Footer;
use super::dictionaries::Dictionaries;
use super::footers::{self, Footers};
use super::pieces::{self, Described};
use super::{CONCURRENCY, DataFile, ScanRequest, is_text, noted};
use crate::adapt;
use crate::error::of_datafusion;
use crate::iceberg::ById;

/// A plan that reads Parquet files, with their statistics.
pub(super) async fn scan(request: ScanRequest<'_>, matching: Matching) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let ScanRequest { state, table, files, projection, limit, .. } = request;
    // What stands behind the table's own columns is made by the reader.
    let own = table.schema.fields().len();
    let positions = projection.is_none_or(|indices| indices.iter().any(|index| *index >= own));
    let virtual_columns =
        if matches!(matching, Matching::Id(_)) && positions { vec![row_number()] } else { Vec::new() };
    noted::note(state, &table.columns, &table.definition, &files);
    let mut plans = Vec::new();
    // One plan reads one bucket; nearly always there is only one.
    for (location, files) in by_bucket(files) {
        let store = table.store(&location)?;
        let url = location.url()?;
        state.runtime_env().register_object_store(url.as_ref(), Arc::clone(&store));
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let described: Vec<Described> = futures::stream::iter(files)
            .map(|file| describe(file, store.as_ref(), state, &table.columns, &matching))
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let schema = TableSchema::builder(Arc::clone(&table.columns))
            .with_table_partition_cols(table.constant_fields())
            .with_virtual_columns(virtual_columns.clone())
            .build();
        let mut statistics = merged(&described, schema.schema_without_virtual_columns())?;
        statistics.column_statistics.extend(virtual_columns.iter().map(|_| ColumnStatistics::new_unknown()));
        let groups = pieces::groups(described, state.config().target_partitions().max(1));
        let mut options = state.table_options().parquet.clone();
        options.global.binary_as_string = false;
        // Nanoseconds of 64 bits end in 2262.
        options.global.coerce_int96 = Some("us".to_owned());
        let source = ParquetSource::new(schema)
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(CachedParquetFileReaderFactory::new(store, cache)));
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(matching.clone().adapter()))
            .build();
        plans.push(DataSourceExec::from_data_source(config) as Arc<dyn ExecutionPlan>);
    }
    UnionExec::try_new(plans)
}

/// What the files' footers say about all their rows together.
fn merged(files: &[Described], schema: &SchemaRef) -> PlanResult<Statistics> {
    Statistics::try_merge_iter(files.iter().filter_map(|described| described.file.statistics.as_deref()), schema)
}

fn by_bucket(files: Vec<DataFile>) -> Vec<(crate::storage::Location, Vec<DataFile>)> {
    let mut buckets: Vec<(crate::storage::Location, Vec<DataFile>)> = Vec::new();
    for file in files {
        match buckets.iter_mut().find(|(location, _)| location.bucket == file.location.bucket) {
            Some((_, files)) => files.push(file),
            None => buckets.push((file.location.clone(), vec![file])),
        }
    }
    buckets
}

/// Reads a file's footer: its statistics, and whether its columns have the table's types.
async fn describe(
    file: DataFile,
    store: &dyn ObjectStore,
    state: &dyn datafusion::catalog::Session,
    columns: &SchemaRef,
    matching: &Matching,
) -> PlanResult<Described> {
    let path = format!("s3://{}/{}", file.location.bucket, file.meta.location);
    let fetched = footer(&file, store, state).await;
    let metadata = fetched.map_err(|error| in_file(of_datafusion(error), &path))?;
    let file_metadata = metadata.file_metadata();
    let physical = parquet_to_arrow_schema(file_metadata.schema_descr(), file_metadata.key_value_metadata())
        .map_err(|error| in_file(of_datafusion(error.into()), &path))?;
    let physical: SchemaRef = Arc::new(physical);
    let logical = matching.renamed(columns, &physical);
    for field in logical.fields() {
        if let Ok(found) = physical.field_with_name(field.name())
            && !is_readable_as(found.data_type(), field.data_type())
        {
            let (name, found, wanted) = (field.name(), found.data_type(), field.data_type());
            let message = format!(
                "Field {name}'s type {found} in parquet file {path} is incompatible with type {wanted} defined in table schema"
            );
            return Err(TrinoError::new(ErrorCode::HiveBadData, message).into());
        }
    }
    if let Matching::Id(columns) = matching {
        columns.check_needed(physical.fields(), &file)?;
    }
    let mut statistics = DFParquetMetadata::statistics_from_parquet_metadata(&metadata, &logical)?;
    for (column, field) in statistics.column_statistics.iter_mut().zip(logical.fields()) {
        if matches!(matching, Matching::Id(_)) && physical.index_of(field.name()).is_err() {
            *column = ColumnStatistics::new_unknown();
        }
    }
    let mut read = PartitionedFile::new_from_meta(file.meta).with_partition_values(file.constants);
    if !file.deleted.is_empty() {
        let rows = usize::try_from(file_metadata.num_rows()).unwrap_or(0);
        let (kept, selection) = without(&file.deleted, rows);
        statistics = Statistics { num_rows: Precision::Exact(kept), ..statistics.to_inexact() };
        read = read.with_extension(ParquetRowSelection::new(selection));
    }
    if let Some(dictionaries) = Dictionaries::of(&metadata, &physical, &logical) {
        read = read.with_extension(Arc::new(dictionaries));
    }
    let row_groups = pieces::starts(&metadata);
    let file =
        read.with_statistics(Arc::new(statistics)).with_extension(Arc::new(Footer { metadata, schema: physical }));
    Ok(Described { file, row_groups })
}

/// The rows of a file that are not deleted: how many, and which.
fn without(deleted: &[u64], rows: usize) -> (usize, RowSelection) {
    let deleted = deleted.iter().filter_map(|place| usize::try_from(*place).ok()).filter(|place| *place < rows);
    let (mut kept, mut next, mut selectors) = (0, 0, Vec::new());
    for place in deleted {
        if place > next {
            selectors.push(RowSelector::select(place - next));
        }
        kept += place - next;
        selectors.push(RowSelector::skip(1));
        next = place + 1;
    }
    if next < rows {
        selectors.push(RowSelector::select(rows - next));
    }
    (kept + rows - next, RowSelection::from(selectors))
}

/// The column of rows' places in their files.
pub(crate) fn row_number() -> Arc<Field> {
    Arc::new(Field::new(super::POSITION, DataType::Int64, false).with_extension_type(RowNumber))
}

/// A file's footer as it was read before, or else as it is read now.
async fn footer(
    file: &DataFile,
    store: &dyn ObjectStore,
    state: &dyn datafusion::catalog::Session,
) -> PlanResult<Arc<ParquetMetaData>> {
    let (bucket, object) = (&file.location.bucket, &file.meta);
    let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
    let footers = state.config().get_extension::<Footers>().unwrap_or_default();
    if let Some(kept) = footers.get(bucket, object, store, cache.as_ref()).await? {
        return Ok(kept);
    }
    let hint = state.config().options().execution.parquet.metadata_size_hint.unwrap_or(64 << 10);
    let reader = DFParquetMetadata::new(store, object)
        .with_file_metadata_cache(Some(Arc::clone(&cache)))
        .with_metadata_size_hint(Some(hint));
    // The Parquet reader panics on some footers whose lengths make no sense.
    let read = AssertUnwindSafe(reader.fetch_metadata()).catch_unwind().await.unwrap_or_else(|_| {
        Err(TrinoError::new(ErrorCode::HiveBadData, "the footer of the Parquet file makes no sense").into())
    })?;
    let read = footers::without_arrow_schema(read);
    footers.keep(bucket, object, cache.as_ref(), &read);
    Ok(read)
}

fn in_file(error: TrinoError, path: &str) -> DataFusionError {
    TrinoError { message: format!("{} ({path})", error.message), ..error }.into()
}

/// Whether values of a file's type become values of the table's type without loss of meaning.
fn is_readable_as(found: &DataType, wanted: &DataType) -> bool {
    use DataType::{Binary, BinaryView, Date32, Decimal128, FixedSizeBinary, Float32, Float64, LargeBinary, Timestamp};
    if found == wanted || found.is_nested() {
        return found.is_nested() == wanted.is_nested();
    }
    let is_binary = |ty: &DataType| matches!(ty, Binary | LargeBinary | BinaryView | FixedSizeBinary(_));
    match (found, wanted) {
        (found, wanted) if is_text(found) || is_binary(found) => is_text(wanted) || is_binary(wanted),
        (found, wanted) if found.is_integer() => {
            wanted.is_integer() || matches!(wanted, Decimal128(..) | Float32 | Float64)
        }
        (Float32 | Float64, Float32 | Float64) | (Timestamp(..), Timestamp(..)) => true,
        (Date32, Timestamp(..)) => true,
        (found, Decimal128(..)) => found.is_decimal(),
        _ => false,
    }
}

/// How the table's columns are found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matching {
    /// By name, whatever the case.
    Name,
    /// By place: the first column is the file's first.
    Place,
    /// By Iceberg's field ids.
    Id(ById),
}

impl Matching {
    /// The table's columns, each called as the file calls it; a name that no file has where the file has no such column.
    fn renamed(&self, logical: &SchemaRef, physical: &SchemaRef) -> SchemaRef {
        let fields = logical.fields().iter().enumerate();
        let found = |(index, field): (usize, &Arc<Field>)| {
            let found = match self {
                Self::Id(columns) => return columns.renamed(field, physical),
                Self::Name => adapt::place(physical.fields(), field.name()),
                Self::Place => Some(index).filter(|index| *index < physical.fields().len()),
            };
            match found {
                Some(place) => field.as_ref().clone().with_name(physical.field(place).name()),
                None if *self == Self::Place => field.as_ref().clone().with_name(format!("{} (missing)", field.name())),
                None => field.as_ref().clone(),
            }
        };
        Arc::new(Schema::new(fields.map(found).collect::<Vec<_>>()))
    }

    fn adapter(self) -> Arc<dyn PhysicalExprAdapterFactory> {
        match self {
            Self::Id(columns) => Arc::new(columns),
            other => Arc::new(other),
        }
    }
}

impl PhysicalExprAdapterFactory for Matching {
    fn create(&self, logical: SchemaRef, physical: SchemaRef) -> PlanResult<Arc<dyn PhysicalExprAdapter>> {
        let renamed = self.renamed(&logical, &physical);
        let (mut as_stored, mut nested) = (Vec::new(), Vec::new());
        for field in renamed.fields() {
            match physical.field_with_name(field.name()) {
                Ok(found) if adapt::differs_in_case(found.data_type(), field.data_type()) => {
                    as_stored.push(Arc::new(field.as_ref().clone().with_data_type(found.data_type().clone())));
                    nested.push((field.name().clone(), field.data_type().clone()));
                }
                _ => as_stored.push(Arc::clone(field)),
            }
        }
        let by_name = DefaultPhysicalExprAdapterFactory.create(Arc::new(Schema::new(as_stored)), physical)?;
        let is_named_alike = renamed.fields().iter().zip(logical.fields()).all(|(new, old)| new.name() == old.name());
        if is_named_alike && nested.is_empty() {
            return Ok(by_name);
        }
        Ok(Arc::new(Renaming { logical, renamed, by_name, nested }))
    }
}

#[derive(Debug)]
struct Renaming {
    logical: SchemaRef,
    renamed: SchemaRef,
    by_name: Arc<dyn PhysicalExprAdapter>,
    /// The columns of the file in which the case of nested names differs, and what they are in the table.
    nested: Vec<(String, DataType)>,
}

impl PhysicalExprAdapter for Renaming {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> PlanResult<Arc<dyn PhysicalExpr>> {
        let renamed = expr
            .transform(|expr| {
                let Some(column) = expr.downcast_ref::<Column>() else {
                    return Ok(Transformed::no(expr));
                };
                let Ok(index) = self.logical.index_of(column.name()) else {
                    return Ok(Transformed::no(expr));
                };
                let name = self.renamed.field(index).name();
                Ok(Transformed::yes(Arc::new(Column::new(name, column.index())) as Arc<dyn PhysicalExpr>))
            })
            .data()?;
        let stored = self.by_name.rewrite(renamed)?;
        let adapted = |expr: Arc<dyn PhysicalExpr>| {
            let name = expr.downcast_ref::<Column>().map(Column::name);
            match self.nested.iter().find(|(nested, _)| name == Some(nested)) {
                Some((_, ty)) => {
                    let adapted = adapt::Adapted::new(Arc::clone(&expr), ty.clone());
                    Ok(Transformed::yes(Arc::new(adapted) as Arc<dyn PhysicalExpr>))
                }
                None => Ok(Transformed::no(expr)),
            }
        };
        stored.transform_up(adapted).data()
    }
}
