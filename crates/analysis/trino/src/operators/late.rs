//! Wide columns for few rows: `SELECT * … ORDER BY t LIMIT 10` reads what decides about the order first, with the place of
//! each row in its file, and then the other columns of the ten rows alone.
//!
//! The plan below the LIMIT is built anew without the columns that nothing in it looks at; [`FetchLateExec`] above it reads
//! them from the row groups (where a file has an index of pages, from the pages) in which rows were found.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::filter::{FilterExec, FilterExecBuilder};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, SendableRecordBatchStream,
};
use futures::TryStreamExt;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};

use crate::scan::row_number;

/// So many rows are few.
const FEW: usize = 1000;
/// A table has at least so many rows for each that is wanted: else the other columns are read nearly as a whole anyway.
const ROWS_FOR_EACH: usize = 1000;
/// What a text counts for, compared with a number.
const TEXT: usize = 4;
/// What the columns must count for together, so that it pays to read a table twice.
const WORTH: usize = TEXT;
/// The column that tells a scan's files apart.
const FILE: &str = "$file";

/// Puts [`FetchLateExec`]s above the first rows of an order.
#[derive(Debug)]
pub(super) struct FetchLate;

impl PhysicalOptimizerRule for FetchLate {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|plan| {
            Ok(match late(&plan)? {
                Some(late) => Transformed::new(late, true, TreeNodeRecursion::Jump),
                None => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "FetchLate"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The first rows of an order, and what is computed of them above.
struct FirstRows<'p> {
    /// What stands between the sort and the merge of its partitions, from above.
    projections: Vec<&'p ProjectionExec>,
    merged: bool,
    sorted: &'p Arc<dyn ExecutionPlan>,
    sort: &'p SortExec,
    fetch: usize,
}

impl<'p> FirstRows<'p> {
    fn of(plan: &'p Arc<dyn ExecutionPlan>) -> Option<Self> {
        let merge = plan.downcast_ref::<SortPreservingMergeExec>();
        let (mut sorted, mut projections) = (merge.map_or(plan, |merge| merge.input()), Vec::new());
        while let (Some(_), Some(projection)) = (merge, sorted.downcast_ref::<ProjectionExec>()) {
            projections.push(projection);
            sorted = projection.input();
        }
        let sort = sorted.downcast_ref::<SortExec>()?;
        let fetch = sort.fetch().filter(|fetch| *fetch <= FEW)?;
        let ends_alike = merge.is_none_or(|merge| merge.fetch() == Some(fetch));
        let is_one = plan.output_partitioning().partition_count() == 1;
        (ends_alike && is_one).then_some(Self { projections, merged: merge.is_some(), sorted, sort, fetch })
    }

    /// The rows of all partitions of a sort in one, which is sorted as this one is.
    fn merged(&self, order: &LexOrdering, sorted: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        match self.merged {
            true => Arc::new(SortPreservingMergeExec::new(order.clone(), sorted).with_fetch(Some(self.fetch))),
            false => sorted,
        }
    }

    /// The order by columns of which only some are left.
    fn order(&self, kept: &[usize]) -> Result<Option<LexOrdering>> {
        let moved = self.sort.expr().iter().map(|sort| moved_sort(sort, kept));
        Ok(LexOrdering::new(moved.collect::<Result<Vec<_>>>()?))
    }
}

/// A plan that gives the same rows, if it is one for which it pays to read some columns late.
fn late(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(first) = FirstRows::of(plan) else { return Ok(None) };
    let (sort, mut used) = (first.sort, BTreeSet::new());
    let Some(Traced { origins, scan }) = traced(sort.input(), &mut used) else { return Ok(None) };
    for column in sort.expr().iter().flat_map(|sort| collect_columns(&sort.expr)) {
        used.extend(origins[column.index()]);
    }
    let stored = scan.source.table_schema().file_schema().fields().len();
    let can_wait = |origin: usize| !used.contains(&origin) && scan.columns[origin] < stored;
    let is_late = |origin: &Option<usize>| origin.is_some_and(can_wait);
    let late: BTreeSet<usize> = origins.iter().filter(|origin| is_late(origin)).flatten().copied().collect();
    let schema = scan.plan.schema();
    if late.iter().map(|column| weight(schema.field(*column).data_type())).sum::<usize>() < WORTH {
        return Ok(None);
    }
    let kept: Vec<usize> = (0..origins.len()).filter(|index| !is_late(&origins[*index])).collect();
    let (Some(scan), Some(order)) = (scan.with_places(first.fetch)?, first.order(&kept)?) else { return Ok(None) };
    let narrowed = SortExec::new(order.clone(), scan.narrowed(sort.input(), &kept)?)
        .with_fetch(Some(first.fetch))
        .with_preserve_partitioning(sort.preserve_partitioning());
    let input = first.merged(&order, Arc::new(narrowed));
    let late: Vec<usize> = late.into_iter().collect();
    let place = |origin: usize| late.iter().position(|column| *column == origin);
    let outputs = origins.iter().enumerate().map(|(index, origin)| match origin.and_then(place) {
        Some(place) => Output::Late(place),
        None => Output::Kept(kept.iter().position(|kept| *kept == index).unwrap_or_default()),
    });
    let (columns, outputs) = (scan.table_columns(&late), outputs.collect());
    let at_once = first.merged(sort.expr(), Arc::clone(first.sorted));
    let properties = Arc::clone(at_once.properties());
    let fetched = FetchLateExec { input, scan: Arc::new(scan), columns, outputs, properties };
    let mut plan: Arc<dyn ExecutionPlan> = Arc::new(fetched);
    for projection in first.projections.into_iter().rev() {
        plan = Arc::new(ProjectionExec::try_new(projection.expr().to_vec(), plan)?);
    }
    Ok(Some(plan))
}

/// What reading a column costs for each row, as far as its type tells.
fn weight(ty: &DataType) -> usize {
    if ty.is_primitive() || ty == &DataType::Boolean { 1 } else { TEXT }
}

/// Where the columns of a plan come from.
struct Traced<'p> {
    /// For each column the one of the scan that it is; none for what is computed.
    origins: Vec<Option<usize>>,
    scan: Scan<'p>,
}

/// The scan of Parquet files at the end of a plan.
struct Scan<'p> {
    plan: &'p Arc<dyn ExecutionPlan>,
    config: &'p FileScanConfig,
    source: &'p ParquetSource,
    /// The table's columns that it reads.
    columns: Vec<usize>,
}

/// Follows a plan down to its scan; `used` are the scan's columns that something on the way looks at.
fn traced<'p>(plan: &'p Arc<dyn ExecutionPlan>, used: &mut BTreeSet<usize>) -> Option<Traced<'p>> {
    if let Some(filter) = plan.downcast_ref::<FilterExec>() {
        let Traced { origins, scan } = traced(filter.input(), used).filter(|_| filter.fetch().is_none())?;
        used.extend(collect_columns(filter.predicate()).iter().filter_map(|column| origins[column.index()]));
        let origins = match filter.projection() {
            Some(kept) => kept.iter().map(|index| origins[*index]).collect(),
            None => origins,
        };
        return Some(Traced { origins, scan });
    }
    if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        let Traced { origins, scan } = traced(projection.input(), used)?;
        let mut origin = |expr: &Arc<dyn PhysicalExpr>| match expr.downcast_ref::<Column>() {
            Some(column) => origins[column.index()],
            None => {
                used.extend(collect_columns(expr).iter().filter_map(|column| origins[column.index()]));
                None
            }
        };
        let origins = projection.expr().iter().map(|output| origin(&output.expr)).collect();
        return Some(Traced { origins, scan });
    }
    if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
        let deals_out = matches!(repartition.partitioning(), Partitioning::RoundRobinBatch(_));
        return traced(repartition.input(), used).filter(|_| deals_out);
    }
    let (config, source) = plan.downcast_ref::<DataSourceExec>()?.downcast_to_file_source::<ParquetSource>()?;
    let columns = source.projection()?.iter().map(|output| {
        let column = output.expr.downcast_ref::<Column>()?;
        (column.name() == output.alias).then(|| column.index())
    });
    let columns: Vec<usize> = columns.collect::<Option<_>>()?;
    let plain = config.limit.is_none() && config.output_ordering.is_empty();
    if !plain || !source.table_schema().virtual_columns().is_empty() {
        return None;
    }
    let origins = (0..columns.len()).map(Some).collect();
    Some(Traced { origins, scan: Scan { plan, config, source, columns } })
}

impl Scan<'_> {
    /// The same scan with the places of rows, if the table is large enough.
    fn with_places(&self, fetch: usize) -> Result<Option<PlacedScan>> {
        let statistics = self.config.statistics();
        let rows = statistics.num_rows.get_value().copied();
        if rows.is_none_or(|rows| rows < fetch.saturating_mul(ROWS_FOR_EACH)) {
            return Ok(None);
        }
        let (Some(files), Some(reader)) =
            (Files::of(&self.config.file_groups), self.source.parquet_file_reader_factory())
        else {
            return Ok(None);
        };
        let table = self.source.table_schema();
        let mut constants = table.table_partition_cols().to_vec();
        constants.push(Arc::new(Field::new(FILE, DataType::Int32, false)));
        let own = table.table_schema().fields().len();
        let schema = TableSchema::builder(Arc::clone(table.file_schema()))
            .with_table_partition_cols(constants)
            .with_virtual_columns(vec![row_number()])
            .build();
        let mut source = ParquetSource::new(schema)
            .with_table_parquet_options(self.source.table_parquet_options().clone())
            .with_parquet_file_reader_factory(Arc::clone(reader));
        if let Some(predicate) = self.source.filter() {
            source = source.with_predicate(predicate);
        }
        let mut statistics = statistics;
        statistics.column_statistics.extend([ColumnStatistics::new_unknown(), ColumnStatistics::new_unknown()]);
        let config = FileScanConfigBuilder::from(self.config.clone())
            .with_statistics(statistics)
            .with_file_groups(files.groups(&self.config.file_groups));
        Ok(Some(PlacedScan { config, source, columns: self.columns.clone(), own, files }))
    }
}

/// A scan with two columns behind the table's own: the file, and the row's place in it.
struct PlacedScan {
    config: FileScanConfigBuilder,
    source: ParquetSource,
    /// The table's columns that the original scan reads, and how many there are.
    columns: Vec<usize>,
    own: usize,
    files: Files,
}

impl PlacedScan {
    fn table_columns(&self, columns: &[usize]) -> Vec<usize> {
        columns.iter().map(|column| self.columns[*column]).collect()
    }

    /// The plan that reads some of the table's columns and the places.
    fn reading(
        &self,
        config: FileScanConfigBuilder,
        source: ParquetSource,
        columns: &[usize],
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns = columns.iter().copied().chain([self.own, self.own + 1]).collect();
        let config = config.with_source(Arc::new(source)).with_projection_indices(Some(columns))?;
        Ok(DataSourceExec::from_data_source(config.build()))
    }

    /// A plan with some of its columns, in this order, and the places behind them.
    fn narrowed(&self, plan: &Arc<dyn ExecutionPlan>, wanted: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
        if let Some(filter) = plan.downcast_ref::<FilterExec>() {
            return self.narrowed_filter(filter, wanted);
        }
        if let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
            return self.narrowed_projection(projection, wanted);
        }
        if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
            let input = self.narrowed(repartition.input(), wanted)?;
            return Ok(Arc::new(RepartitionExec::try_new(input, repartition.partitioning().clone())?));
        }
        self.reading(self.config.clone(), self.source.clone(), &self.table_columns(wanted))
    }

    fn narrowed_filter(&self, filter: &FilterExec, wanted: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
        let below = |index: &usize| filter.projection().as_ref().map_or(*index, |kept| kept[*index]);
        let wanted: Vec<usize> = wanted.iter().map(below).collect();
        let looked_at = collect_columns(filter.predicate());
        let read: BTreeSet<usize> = wanted.iter().copied().chain(looked_at.iter().map(Column::index)).collect();
        let read: Vec<usize> = read.into_iter().collect();
        let kept = wanted.iter().filter_map(|column| read.iter().position(|read| read == column));
        let kept = kept.chain([read.len(), read.len() + 1]).collect();
        let input = self.narrowed(filter.input(), &read)?;
        let narrowed = FilterExecBuilder::new(moved(filter.predicate(), &read)?, input)
            .apply_projection(Some(kept))?
            .with_default_selectivity(filter.default_selectivity())
            .with_batch_size(filter.batch_size());
        Ok(Arc::new(narrowed.build()?))
    }

    fn narrowed_projection(&self, projection: &ProjectionExec, wanted: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted: Vec<_> = wanted.iter().map(|index| &projection.expr()[*index]).collect();
        let read: BTreeSet<usize> =
            wanted.iter().flat_map(|output| collect_columns(&output.expr)).map(|column| column.index()).collect();
        let read: Vec<usize> = read.into_iter().collect();
        let input = self.narrowed(projection.input(), &read)?;
        let mut outputs: Vec<(Arc<dyn PhysicalExpr>, String)> = Vec::new();
        for output in wanted {
            outputs.push((moved(&output.expr, &read)?, output.alias.clone()));
        }
        for index in [read.len(), read.len() + 1] {
            let name = input.schema().field(index).name().clone();
            outputs.push((Arc::new(Column::new(&name, index)), name));
        }
        Ok(Arc::new(ProjectionExec::try_new(outputs, input)?))
    }

    /// The rows at these places with some of the table's columns, in any order, and the places behind them.
    async fn rows(&self, columns: &[usize], places: &Places, context: Arc<TaskContext>) -> Result<RecordBatch> {
        let mut wanted: BTreeMap<i32, BTreeSet<usize>> = BTreeMap::new();
        for (file, position) in places.all() {
            wanted.entry(file).or_default().insert(position as usize);
        }
        let files: Vec<PartitionedFile> = wanted
            .iter()
            .map(|(file, rows)| self.files.selected(*file, rows))
            .collect::<Option<_>>()
            .unwrap_or_default();
        // What the predicate says of row groups is known: it has let these rows pass.
        let source = ParquetSource::new(self.source.table_schema().clone())
            .with_table_parquet_options(self.source.table_parquet_options().clone());
        let source = match self.source.parquet_file_reader_factory() {
            Some(reader) => source.with_parquet_file_reader_factory(Arc::clone(reader)),
            None => source,
        };
        let config = self.config.clone().with_file_groups(vec![FileGroup::new(files)]);
        let plan = self.reading(config, source, columns)?;
        let batches: Vec<RecordBatch> = plan.execute(0, context)?.try_collect().await?;
        Ok(concat_batches(&plan.schema(), &batches)?)
    }
}

impl fmt::Debug for PlacedScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlacedScan").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// The files of a scan, each once, and how many rows each has.
struct Files(Vec<(PartitionedFile, usize)>);

impl Files {
    /// None if it isn't known of all how many rows they have.
    fn of(groups: &[FileGroup]) -> Option<Self> {
        let mut files: Vec<(PartitionedFile, usize)> = Vec::new();
        for file in groups.iter().flat_map(FileGroup::iter) {
            let last = files.last().map(|(file, _)| &file.object_meta.location);
            if last == Some(&file.object_meta.location) {
                continue; // a further piece
            }
            let rows = match file.extension::<ParquetRowSelection>() {
                Some(kept) => kept.selection().iter().map(|selector| selector.row_count).sum(),
                None => *file.statistics.as_ref()?.num_rows.get_value()?,
            };
            files.push((file.clone(), rows));
        }
        Some(Self(files))
    }

    /// The pieces of files with the number of their file as a further constant.
    fn groups(&self, groups: &[FileGroup]) -> Vec<FileGroup> {
        let mut number = 0;
        let mut numbered = |file: &PartitionedFile| {
            while self.0[number].0.object_meta.location != file.object_meta.location {
                number += 1;
            }
            Self::numbered(file, number as i32)
        };
        groups.iter().map(|group| FileGroup::new(group.iter().map(&mut numbered).collect())).collect()
    }

    fn numbered(file: &PartitionedFile, number: i32) -> PartitionedFile {
        let mut file = file.clone();
        file.partition_values.push(ScalarValue::Int32(Some(number)));
        if let Some(statistics) = file.statistics.take() {
            let mut statistics: Statistics = Arc::unwrap_or_clone(statistics);
            statistics.column_statistics.push(ColumnStatistics::new_unknown());
            file.statistics = Some(Arc::new(statistics));
        }
        file
    }

    /// A file of which only some rows are read.
    fn selected(&self, number: i32, rows: &BTreeSet<usize>) -> Option<PartitionedFile> {
        let (file, total) = self.0.get(usize::try_from(number).ok()?)?;
        let mut file = Self::numbered(file, number).with_extension(ParquetRowSelection::new(selection(rows, *total)));
        file.range = None;
        Some(file)
    }
}

/// These rows of so many.
fn selection(rows: &BTreeSet<usize>, total: usize) -> RowSelection {
    let (mut selectors, mut next) = (Vec::new(), 0);
    for row in rows {
        if *row > next {
            selectors.push(RowSelector::skip(row - next));
        }
        selectors.push(RowSelector::select(1));
        next = row + 1;
    }
    if next < total {
        selectors.push(RowSelector::skip(total - next));
    }
    RowSelection::from(selectors)
}

/// An expression whose columns are some of those that it had before: the i-th is now what was the `kept[i]`-th.
fn moved(expr: &Arc<dyn PhysicalExpr>, kept: &[usize]) -> Result<Arc<dyn PhysicalExpr>> {
    let moved = Arc::clone(expr).transform(|expr| {
        let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
        let Some(index) = kept.iter().position(|kept| *kept == column.index()) else {
            return internal_err!("column {column} is not read");
        };
        Ok(Transformed::yes(Arc::new(Column::new(column.name(), index)) as Arc<dyn PhysicalExpr>))
    });
    moved.data()
}

fn moved_sort(sort: &PhysicalSortExpr, kept: &[usize]) -> Result<PhysicalSortExpr> {
    Ok(PhysicalSortExpr::new(moved(&sort.expr, kept)?, sort.options))
}

/// Files and places in them, a pair for each row.
struct Places {
    files: ArrayRef,
    positions: ArrayRef,
}

impl Places {
    /// Those of rows, whose last two columns they are.
    fn of(rows: &RecordBatch) -> Self {
        let column = |from_end: usize| Arc::clone(rows.column(rows.num_columns() - from_end));
        Self { files: column(2), positions: column(1) }
    }

    fn all(&self) -> impl Iterator<Item = (i32, i64)> {
        let files = self.files.as_primitive::<Int32Type>().values().iter().copied();
        files.zip(self.positions.as_primitive::<Int64Type>().values().iter().copied())
    }
}

/// Where an output column is found.
#[derive(Debug, Clone, Copy)]
enum Output {
    /// Among the input's columns.
    Kept(usize),
    /// Among those that are read late.
    Late(usize),
}

/// Adds columns to its few input rows, whose last columns say where they are in which file.
#[derive(Debug, Clone)]
struct FetchLateExec {
    input: Arc<dyn ExecutionPlan>,
    scan: Arc<PlacedScan>,
    /// The table's columns that are read late.
    columns: Vec<usize>,
    outputs: Vec<Output>,
    /// Those of the plan that reads all columns at once.
    properties: Arc<PlanProperties>,
}

impl DisplayAs for FetchLateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let late = self.outputs.iter().zip(schema.fields()).filter(|(output, _)| matches!(output, Output::Late(_)));
        let late: Vec<&str> = late.map(|(_, field)| field.name().as_str()).collect();
        write!(f, "FetchLateExec: columns=[{}]", late.join(", "))
    }
}

impl ExecutionPlan for FetchLateExec {
    fn name(&self) -> &str {
        "FetchLateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    one_input!();

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (fetch, schema) = (self.clone(), self.schema());
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let rows = futures::stream::once(async move { fetch.fetched(input, context).await });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

impl FetchLateExec {
    async fn fetched(&self, input: SendableRecordBatchStream, context: Arc<TaskContext>) -> Result<RecordBatch> {
        let schema = input.schema();
        let batches: Vec<RecordBatch> = input.try_collect().await?;
        let found = concat_batches(&schema, &batches)?;
        if found.num_rows() == 0 {
            return Ok(RecordBatch::new_empty(self.schema()));
        }
        let places = Places::of(&found);
        let read = self.scan.rows(&self.columns, &places, context).await?;
        let at: HashMap<(i32, i64), u64> = Places::of(&read).all().zip(0..).collect();
        let order: Option<UInt64Array> = places.all().map(|place| at.get(&place).map(|row| Some(*row))).collect();
        let Some(order) = order else { return internal_err!("a row that was found is not in its file any more") };
        let column = |output: &Output| match output {
            Output::Kept(index) => Ok(Arc::clone(found.column(*index))),
            Output::Late(index) => Ok(take(read.column(*index), &order, None)?),
        };
        let columns = self.outputs.iter().map(column).collect::<Result<Vec<ArrayRef>>>()?;
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_covers_all_rows() {
        let select = |rows: &[usize], total| selection(&rows.iter().copied().collect(), total);
        let (skip, take) = (RowSelector::skip, RowSelector::select);
        assert_eq!(select(&[0, 1, 5], 9), RowSelection::from(vec![take(2), skip(3), take(1), skip(3)]));
        assert_eq!(select(&[8], 9), RowSelection::from(vec![skip(8), take(1)]));
        assert_eq!(select(&[], 9), RowSelection::from(vec![skip(9)]));
    }

    #[test]
    fn columns_keep_their_names_at_new_places() {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new("c", 7));
        assert_eq!(moved(&column, &[2, 7]).unwrap().to_string(), "c@1");
        assert!(moved(&column, &[2]).is_err());
    }
}
