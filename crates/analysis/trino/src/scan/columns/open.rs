//! Opening a file: which of its row groups may hold rows that are asked for.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileStreamBuilder;
use datafusion::datasource::physical_plan::parquet::{
    BloomFilterStatistics, PagePruningAccessPlanFilter, ParquetAccessPlan, ParquetFileMetrics,
    ParquetFileReaderFactory, ParquetRowSelection, RowGroupAccess, RowGroupAccessPlanFilter,
    apply_file_schema_type_coercions,
};
use datafusion::datasource::physical_plan::{
    FileGroup, FileOpenFuture, FileOpener, FileScanConfig, FileScanConfigBuilder, FileSource,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::simplifier::PhysicalExprSimplifier;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_adapter::{PhysicalExprAdapterFactory, replace_columns_with_literals};
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::stream::{BoxStream, StreamExt, empty, try_unfold};
use object_store::ObjectStore;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::{ParquetRecordBatchStreamBuilder, parquet_column};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};

use super::rows::{Nothing, Over, Window};
use super::stream::{Chosen, FileColumn, Reading, batches};
use super::{ColumnSource, Footer};
use crate::error::internal;

type Batches = BoxStream<'static, Result<arrow::array::RecordBatch>>;

/// Opens the files of one partition of a scan.
pub(super) struct Opener {
    source: ColumnSource,
    scan: FileScanConfig,
    store: Arc<dyn ObjectStore>,
    readers: Arc<dyn ParquetFileReaderFactory>,
    adapters: Arc<dyn PhysicalExprAdapterFactory>,
    partition: usize,
    output: SchemaRef,
}

impl Opener {
    pub(super) fn new(
        source: ColumnSource,
        scan: FileScanConfig,
        store: Arc<dyn ObjectStore>,
        partition: usize,
    ) -> Result<Self> {
        let missing = |what: &str| internal(format!("a scan of Parquet files has no {what}"));
        let readers = source.parquet.parquet_file_reader_factory().cloned().ok_or_else(|| missing("readers"))?;
        let adapters = scan.expr_adapter_factory.clone().ok_or_else(|| missing("adapter of expressions"))?;
        let output = source.projection.project_schema(source.table_schema().table_schema())?;
        Ok(Self { source, scan, store, readers, adapters, partition, output: Arc::new(output) })
    }

    /// All that is known of a file before it is read; none if our decoder does not read it.
    fn prepared(&self, file: &PartitionedFile) -> Result<Option<Prepared>> {
        let Some(footer) = file.extension::<Arc<Footer>>() else { return Ok(None) };
        let table = self.source.table_schema();
        let mut schema = file.arrow_schema.clone().unwrap_or_else(|| Arc::clone(&footer.schema));
        if let Some(coerced) = apply_file_schema_type_coercions(table.file_schema(), &schema) {
            schema = Arc::new(coerced);
        }
        let constants: HashMap<String, ScalarValue> = table
            .table_partition_cols()
            .iter()
            .zip(&file.partition_values)
            .map(|(field, value)| (field.name().clone(), value.clone()))
            .collect();
        let adapter = self.adapters.create(Arc::clone(table.file_schema()), Arc::clone(&schema))?;
        let simplifier = PhysicalExprSimplifier::new(&schema);
        let in_file = |expr: &Arc<dyn PhysicalExpr>| {
            let expr = replace_columns_with_literals(Arc::clone(expr), &constants)?;
            simplifier.simplify(adapter.rewrite(expr)?)
        };
        let outputs = self.source.outputs().iter().map(|output| in_file(&output.expr)).collect::<Result<Vec<_>>>()?;
        let Some((columns, outputs)) = columns(&outputs, &schema, &footer.metadata)? else { return Ok(None) };
        let predicate = self.source.parquet.filter().as_ref().map(in_file).transpose()?;
        let reading = self.reading(columns, outputs);
        Ok(Some(Prepared { metadata: Arc::clone(&footer.metadata), schema, predicate, reading }))
    }

    fn reading(&self, columns: Vec<FileColumn>, outputs: Vec<Over>) -> Reading {
        Reading {
            columns,
            outputs,
            conditions: self.source.conditions.clone(),
            kept: self.source.kept.clone(),
            schema: Arc::clone(&self.output),
            batch_size: self.source.batch_size,
        }
    }

    /// DataFusion's reader, and the conditions over what it gives.
    fn theirs(&self, file: PartitionedFile) -> Result<Batches> {
        let source = self.source.parquet.with_batch_size(self.source.batch_size);
        let scan = FileScanConfigBuilder::from(self.scan.clone())
            .with_source(Arc::clone(&source))
            .with_file_groups(vec![FileGroup::new(vec![file])])
            .with_limit(None)
            .build();
        let morsels = source.create_morselizer(Arc::clone(&self.store), &scan, 0)?;
        let metrics = source.metrics();
        let read =
            FileStreamBuilder::new(&scan).with_partition(0).with_morselizer(morsels).with_metrics(metrics).build()?;
        let reading = self.reading(Vec::new(), Vec::new());
        let coalescer = reading.coalescer();
        let sifted = try_unfold((read, reading, coalescer), |(mut read, reading, mut coalescer)| async move {
            loop {
                if let Some(batch) = coalescer.next_completed_batch() {
                    return Ok(Some((batch, (read, reading, coalescer))));
                }
                let Some(batch) = read.next().await.transpose()? else {
                    if coalescer.is_empty() {
                        return Ok(None);
                    }
                    coalescer.finish_buffered_batch()?;
                    continue;
                };
                let known = batch.columns().iter().cloned().map(Some).collect();
                let mut columns = Nothing;
                let window = Window::new(batch.num_rows(), None, known, &mut columns);
                if let Some(left) = window.sift(&reading.conditions, &reading.kept, &reading.schema)? {
                    coalescer.push_batch(left)?;
                }
            }
        });
        Ok(sifted.boxed())
    }
}

impl FileOpener for Opener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let Some(prepared) = self.prepared(&file)? else {
            let batches = self.theirs(file)?;
            return Ok(Box::pin(async move { Ok(batches) }));
        };
        let metrics = self.source.metrics().clone();
        let pruning = Pruning {
            counted: ParquetFileMetrics::new(self.partition, file.object_meta.location.as_ref(), &metrics),
            longest_list: self.source.parquet.max_in_list_size(),
            readers: Arc::clone(&self.readers),
            partition: self.partition,
            metrics,
            file,
        };
        Ok(Box::pin(async move {
            let groups = pruning.groups(&prepared).await?;
            match groups.is_empty() {
                true => Ok(empty().boxed()),
                false => Ok(batches(prepared.reading, pruning.reader()?, prepared.metadata, groups)),
            }
        }))
    }
}

/// A file about to be read.
struct Prepared {
    metadata: Arc<ParquetMetaData>,
    schema: SchemaRef,
    /// What prunes it, over its columns.
    predicate: Option<Arc<dyn PhysicalExpr>>,
    reading: Reading,
}

/// The columns that outputs need of a file, and the outputs over them. None if one of them is not ours to read.
fn columns(
    outputs: &[Arc<dyn PhysicalExpr>],
    schema: &Schema,
    footer: &ParquetMetaData,
) -> Result<Option<(Vec<FileColumn>, Vec<Over>)>> {
    let outputs = outputs.iter().map(|output| Over::new(output, schema)).collect::<Result<Vec<_>>>()?;
    let mut places: Vec<usize> = outputs.iter().flat_map(|output| output.uses.iter().copied()).collect();
    places.sort_unstable();
    places.dedup();
    let mut columns = Vec::new();
    for place in &places {
        let Some(mut column) = file_column(schema, *place, footer) else { return Ok(None) };
        column.users = outputs.iter().filter(|output| output.uses.contains(place)).count();
        columns.push(column);
    }
    let among = |place: usize| places.binary_search(&place).expect("invariant: all places were collected");
    Ok(Some((columns, outputs.into_iter().map(|output| output.with_places(among)).collect())))
}

/// A column of a file, if it is ours to read in all row groups.
fn file_column(schema: &Schema, place: usize, footer: &ParquetMetaData) -> Option<FileColumn> {
    let leaves = footer.file_metadata().schema_descr();
    let (leaf, field) = parquet_column(leaves, schema, schema.field(place).name())?;
    let (descriptor, data_type) = (leaves.column(leaf), field.data_type());
    let is_read =
        footer.row_groups().iter().all(|group| boathouse_parquet::reads(&descriptor, group.column(leaf), data_type));
    is_read.then(|| FileColumn { leaf, data_type: data_type.clone(), users: 0 })
}

/// What it takes to leave out row groups of a file.
struct Pruning {
    file: PartitionedFile,
    readers: Arc<dyn ParquetFileReaderFactory>,
    partition: usize,
    metrics: ExecutionPlanMetricsSet,
    counted: ParquetFileMetrics,
    longest_list: usize,
}

impl Pruning {
    fn reader(&self) -> Result<Box<dyn AsyncFileReader>> {
        Ok(self.readers.create_reader(self.partition, self.file.clone(), None, &self.metrics)?)
    }

    /// The row groups that may hold rows that are asked for.
    async fn groups(&self, prepared: &Prepared) -> Result<VecDeque<Chosen>> {
        let file = &self.file;
        let groups = prepared.metadata.row_groups();
        let plan = match file.extension::<ParquetRowSelection>() {
            Some(rows) => ParquetAccessPlan::try_new_from_overall_row_selection(rows.selection().clone(), groups)?,
            None => ParquetAccessPlan::new_all(groups.len()),
        };
        let mut left = RowGroupAccessPlanFilter::new(plan);
        if let Some(range) = &file.range {
            left.prune_by_range(groups, range);
        }
        let Some(predicate) = &prepared.predicate else { return Ok(chosen(left.build())) };
        if let Some(predicate) = self.predicate(predicate, &prepared.schema) {
            let leaves = prepared.metadata.file_metadata().schema_descr();
            left.prune_by_statistics(&prepared.schema, leaves, groups, &predicate, &self.counted);
            if !left.is_empty() {
                self.by_bloom_filters(prepared, &predicate, &mut left).await?;
            }
        }
        let pages = PagePruningAccessPlanFilter::new(predicate, Arc::clone(&prepared.schema));
        if left.is_empty() || pages.filter_number() == 0 || !has_page_index(prepared, predicate, &left) {
            return Ok(chosen(left.build()));
        }
        let metadata = with_page_index(&prepared.metadata, &mut self.reader()?).await?;
        let leaves = metadata.file_metadata().schema_descr();
        let plan = pages.prune_plan_with_page_index(left.build(), &prepared.schema, leaves, &metadata, &self.counted);
        Ok(chosen(plan))
    }

    fn predicate(&self, predicate: &Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> Option<Arc<PruningPredicate>> {
        PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(schema))
            .with_error_counter(&self.counted.predicate_evaluation_errors)
            .with_max_in_list_size(self.longest_list)
            .build(Arc::clone(predicate))
    }

    /// Leaves out row groups that hold none of the values that the predicate names, as their Bloom filters say.
    async fn by_bloom_filters(
        &self,
        prepared: &Prepared,
        predicate: &PruningPredicate,
        left: &mut RowGroupAccessPlanFilter,
    ) -> Result<()> {
        let (footer, leaves) = (&prepared.metadata, prepared.metadata.file_metadata().schema_descr());
        let named: Vec<(String, usize)> = predicate
            .literal_columns()
            .into_iter()
            .filter_map(|name| parquet_column(leaves, &prepared.schema, &name).map(|(leaf, _)| (name, leaf)))
            .filter(|(_, leaf)| {
                footer.row_groups().iter().any(|group| group.column(*leaf).bloom_filter_offset().is_some())
            })
            .collect();
        if named.is_empty() {
            return Ok(());
        }
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Skip);
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(footer), options)?;
        let mut builder = ParquetRecordBatchStreamBuilder::new_with_metadata(self.reader()?, metadata);
        let mut filters = vec![BloomFilterStatistics::new(); footer.num_row_groups()];
        for group in left.row_group_indexes().collect::<Vec<_>>() {
            for (name, leaf) in &named {
                let column = leaves.column(*leaf);
                // One that can't be read leaves out nothing.
                if let Ok(Some(filter)) = builder.get_row_group_column_bloom_filter(group, *leaf).await {
                    filters[group].insert(name, filter, column.physical_type(), column.type_length());
                }
            }
        }
        left.prune_by_bloom_filters(predicate, &self.counted, &filters);
        Ok(())
    }
}

/// Whether a page index can leave out pages of row groups that are left.
fn has_page_index(prepared: &Prepared, predicate: &Arc<dyn PhysicalExpr>, left: &RowGroupAccessPlanFilter) -> bool {
    let leaves = prepared.metadata.file_metadata().schema_descr();
    let matched = left.is_fully_matched();
    collect_columns(predicate).iter().any(|column| {
        parquet_column(leaves, &prepared.schema, column.name()).is_some_and(|(leaf, _)| {
            left.row_group_indexes().filter(|group| !matched[*group]).any(|group| {
                let chunk = prepared.metadata.row_group(group).column(leaf);
                chunk.column_index_offset().is_some() && chunk.offset_index_offset().is_some()
            })
        })
    })
}

async fn with_page_index(
    footer: &Arc<ParquetMetaData>,
    reader: &mut Box<dyn AsyncFileReader>,
) -> Result<Arc<ParquetMetaData>> {
    if footer.column_index().is_some() && footer.offset_index().is_some() {
        return Ok(Arc::clone(footer));
    }
    let with_index = ParquetMetaDataReader::new_with_metadata(footer.as_ref().clone());
    let mut with_index = with_index.with_page_index_policy(PageIndexPolicy::Optional);
    with_index.load_page_index(reader).await?;
    Ok(Arc::new(with_index.finish()?))
}

fn chosen(plan: ParquetAccessPlan) -> VecDeque<Chosen> {
    let groups = plan.into_inner().into_iter().enumerate().filter_map(|(group, access)| match access {
        RowGroupAccess::Skip => None,
        RowGroupAccess::Scan => Some((group, None)),
        RowGroupAccess::Selection(rows) => Some((group, Some(rows))),
    });
    groups.collect()
}
