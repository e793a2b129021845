//! Iceberg tables: which files a snapshot has, and which of their rows are left.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use boathouse_iceberg::manifest::{DataFile as IcebergFile, FileFormat};
use boathouse_iceberg::metadata::Snapshot;
use boathouse_iceberg::schema::NestedField;
use boathouse_iceberg::table::{ScanFile, Table};
use boathouse_iceberg::transform::Transform;
use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use datafusion::catalog::{Session as PlanSession, TableProvider};
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use super::{CONCURRENCY, DataFile, HiveTable, ScanRequest, avro, orc, parquet, united};
use crate::catalog::{Session, TableDefinition};
use crate::error::{of_object_store, unsupported};
use crate::iceberg::deletes::{Positions, Survives, Values};
use crate::iceberg::{self, ById, filter, of_iceberg};
use crate::storage::{Location, Statistics};

/// The hidden column of rows' places in their files.
pub(crate) const POSITION: &str = "$pos";

/// A state of an Iceberg table.
#[derive(Debug)]
pub(crate) struct IcebergTable {
    /// The columns, the hidden ones, and how files are reached.
    files: HiveTable,
    table: Arc<Table>,
    /// The state; none if nothing was ever written.
    snapshot: Option<Snapshot>,
    fields: Vec<NestedField>,
    schema: SchemaRef,
}

impl IcebergTable {
    /// The table with the columns and rows of a snapshot; without one, with those of today.
    pub(crate) fn new(
        definition: &TableDefinition,
        table: Arc<Table>,
        at: Option<&Snapshot>,
        session: Arc<Session>,
        statistics: Arc<Statistics>,
    ) -> Self {
        let metadata = table.metadata();
        let schema = at.map_or_else(|| metadata.current_schema(), |snapshot| metadata.schema_of(snapshot));
        let fields = schema.fields.clone();
        let definition = iceberg::defined(definition, metadata, at);
        let files = HiveTable::new(Arc::new(definition), session, statistics);
        let snapshot = at.or_else(|| metadata.current_snapshot()).cloned();
        let all: Vec<_> = files.schema.fields().iter().cloned().chain([parquet::row_number()]).collect();
        Self { files, table, snapshot, fields, schema: Arc::new(Schema::new(all)) }
    }

    /// The columns that queries see.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (String, Type)> {
        self.files.definition.columns.iter().map(|column| (column.name.clone(), column.ty.clone()))
    }

    /// The columns that are there without being shown.
    pub(crate) fn hidden() -> impl Iterator<Item = (&'static str, Type)> {
        HiveTable::hidden().chain([(POSITION, Type::Bigint)])
    }

    /// Notes what a scan is asked for.
    fn note_read(&self, projection: Option<&Vec<usize>>, filters: &[Expr]) {
        let all: Vec<usize> = (0..self.schema.fields().len()).collect();
        let asked = projection.unwrap_or(&all).iter().map(|index| self.schema.field(*index).name().clone());
        let compared = filters.iter().flat_map(Expr::column_refs).map(|column| column.name.clone());
        let TableDefinition { database, name, .. } = self.files.definition.as_ref();
        let shown = asked.chain(compared).filter(|column| !column.starts_with('$'));
        self.files.statistics.note_read(database, name, shown);
    }

    /// The snapshot's files in which the filters may find rows.
    async fn chosen(&self, filters: &[Expr]) -> Result<Vec<ScanFile>, TrinoError> {
        let Some(snapshot) = &self.snapshot else { return Ok(Vec::new()) };
        let predicate = filter::predicate(filters, &self.fields);
        self.table.scan(snapshot, &predicate).await.map_err(of_iceberg)
    }

    async fn located(&self, file: &ScanFile, positions: &Positions) -> Result<DataFile, TrinoError> {
        let path = &file.data_file.file_path;
        let location = Location::parse(path)?;
        let store = self.files.session.buckets.bucket(&location.bucket)?;
        let meta = store.head(&location.prefix).await.map_err(|error| of_object_store(&error))?;
        let constants = vec![
            ScalarValue::Utf8(Some(path.clone())),
            ScalarValue::Int64(Some(meta.size as i64)),
            ScalarValue::TimestampMillisecond(Some(meta.last_modified.timestamp_millis()), None),
        ];
        let (deleted, needed) = (positions.of(path), self.own_columns(&file.data_file));
        Ok(DataFile { location, meta, constants, deleted, needed })
    }

    /// The columns that the file is partitioned by as they are, and that must be in the file therefore.
    fn own_columns(&self, file: &IcebergFile) -> Arc<[i32]> {
        let Some(spec) = self.table.metadata().spec(file.spec_id) else { return Arc::default() };
        let fields = spec.fields.iter().zip(&file.partition);
        let fields = fields.filter(|(field, value)| field.transform == Transform::Identity && value.is_some());
        fields.map(|(field, _)| field.source_id).collect()
    }

    /// A plan over a group of files.
    async fn plan(
        &self,
        state: &dyn PlanSession,
        Group { format, files, values }: Group,
        projection: Option<&Vec<usize>>,
        of_rows: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<usize> = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let mut read = wanted.clone();
        let mut filters = Vec::new();
        for values in values {
            let columns = values.fields.iter().map(|field| self.place(field, &mut read)).collect::<PlanResult<_>>()?;
            filters.push(Survives::new(values, columns));
        }
        let limit = limit.filter(|_| filters.is_empty());
        let request =
            ScanRequest { state, table: &self.files, files, projection: Some(&read), filters: of_rows, limit };
        let by_id = ById::new(&self.fields);
        let mut plan = match format {
            FileFormat::Parquet => parquet::scan(request, parquet::Matching::Id(by_id)).await?,
            FileFormat::Orc => orc::scan(request, orc::Matching::Id(by_id)).await?,
            FileFormat::Avro => avro::scan(request, avro::Matching::Id(by_id))?,
            FileFormat::Puffin => {
                return Err(unsupported("Iceberg data files of the format PUFFIN are not supported").into());
            }
        };
        for filter in filters {
            plan = Arc::new(FilterExec::try_new(Arc::new(filter), plan)?);
        }
        if read.len() == wanted.len() {
            return Ok(plan);
        }
        let kept = wanted.iter().enumerate().map(|(index, column)| {
            let name = self.schema.field(*column).name();
            (Arc::new(Column::new(name, index)) as Arc<dyn PhysicalExpr>, name.clone())
        });
        Ok(Arc::new(ProjectionExec::try_new(kept.collect::<Vec<_>>(), plan)?))
    }

    /// A column among those that are read; it becomes one of them.
    fn place(&self, field: &NestedField, read: &mut Vec<usize>) -> PlanResult<Arc<dyn PhysicalExpr>> {
        let name = field.name.to_lowercase();
        let column = self.schema.index_of(&name)?;
        let index = read.iter().position(|known| *known == column).unwrap_or_else(|| {
            read.push(column);
            read.len() - 1
        });
        Ok(Arc::new(Column::new(&name, index)))
    }

    /// The files with what is deleted in them, those of one format and with the same deletes by values together.
    async fn groups(&self, found: Vec<ScanFile>) -> Result<Vec<Group>, TrinoError> {
        let open = |location: &Location| self.files.store(location);
        let positions = Positions::read(&found, &open).await?;
        let located: Vec<_> = found.iter().map(|file| self.located(file, &positions)).collect();
        let files: Vec<DataFile> = futures::stream::iter(located).buffered(CONCURRENCY).try_collect().await?;
        type Together = (FileFormat, Vec<DataFile>, Vec<Arc<IcebergFile>>);
        let mut groups: BTreeMap<(&str, Vec<String>), Together> = BTreeMap::new();
        for (file, ScanFile { data_file, equality_deletes, .. }) in files.into_iter().zip(found) {
            let format = data_file.file_format;
            let key = (format.name(), equality_deletes.iter().map(|delete| delete.file_path.clone()).collect());
            groups.entry(key).or_insert_with(|| (format, Vec::new(), equality_deletes)).1.push(file);
        }
        let mut all = Vec::with_capacity(groups.len());
        for (format, files, deletes) in groups.into_values() {
            all.push(Group { format, files, values: Values::read(&deletes, &self.fields, &open).await? });
        }
        Ok(all)
    }
}

/// Files of one format to which the same deletes by values apply.
struct Group {
    format: FileFormat,
    files: Vec<DataFile>,
    values: Vec<Arc<Values>>,
}

#[async_trait]
impl TableProvider for IcebergTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        self.files.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn PlanSession,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        self.note_read(projection, filters);
        let (of_files, of_rows): (Vec<Expr>, Vec<Expr>) =
            filters.iter().cloned().partition(|filter| self.files.decides_files(filter));
        let limit = limit.filter(|_| of_rows.is_empty());
        let found = self.chosen(&of_rows).await?;
        let mut plans = Vec::new();
        for mut group in self.groups(found).await? {
            if let Some(filter) = conjunction(of_files.iter().cloned()) {
                group.files = self.files.chosen(group.files, &filter)?;
            }
            if !group.files.is_empty() {
                plans.push(self.plan(state, group, projection, &of_rows, limit).await?);
            }
        }
        united(plans, &self.schema, projection)
    }
}
