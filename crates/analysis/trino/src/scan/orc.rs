//! ORC files: what their statistics don't rule out is read, stripe by stripe and only the streams of the columns that are
//! asked for.

mod columns;
mod prune;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use boathouse_orc::OrcError;
use boathouse_orc::error::guarded;
use boathouse_orc::fetched::Fetched;
use boathouse_orc::lengths;
use boathouse_orc::proto::StripeInformation;
use boathouse_orc::proto::stream::Kind as StreamKind;
use boathouse_orc::proto::r#type::Kind as TypeKind;
use boathouse_orc::stripe::{StreamAt, footer_range, streams};
use boathouse_orc::tail::Tail;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use bytes::Bytes;
use datafusion::common::Result as PlanResult;
use datafusion::common::stats::Precision;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use orc_rust::array_decoder::NaiveStripeDecoder;
use orc_rust::reader::ChunkReader;
use orc_rust::reader::metadata::FileMetadata;
use orc_rust::stripe::Stripe;
use orc_rust::{RowSelection, RowSelector};

use self::columns::Columns;
use self::prune::Pruning;
use super::lines::{bad_data, constant};
use super::places::{Live, Places};
use super::{CONCURRENCY, DataFile, ScanRequest, noted, projected, row_number};
use crate::error::of_object_store;
use crate::iceberg::ById;
use crate::operators::CountedExec;

/// How many elements all lists of a column may have in one stripe.
const MOST_ELEMENTS: u64 = 1 << 28;

/// How the table's columns are found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matching {
    /// By name, whatever the case.
    Name,
    /// By place: the first column is the file's first.
    Place,
    /// By Iceberg's field ids. Rows' places are a column behind the table's own then.
    Id(ById),
}

/// The table's columns, and what readers make themselves for tables of Iceberg.
pub(super) fn with_places(schema: &SchemaRef, by_id: bool) -> SchemaRef {
    if !by_id {
        return Arc::clone(schema);
    }
    let all: Vec<_> = schema.fields().iter().cloned().chain([row_number()]).collect();
    Arc::new(Schema::new(all))
}

/// A plan that reads ORC files, each thread its share of the stripes.
pub(super) async fn scan(request: ScanRequest<'_>, matching: Matching) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let ScanRequest { state, table, files, projection, filters, limit } = request;
    refuse_transactions(&table.definition.parameters, &files)?;
    let whole = with_places(&table.schema, matches!(matching, Matching::Id(_)));
    let schema = projected(&whole, projection)?;
    noted::note(state, &schema, &table.definition, &files);
    let all: Vec<usize> = (0..whole.fields().len()).collect();
    let pruning = Pruning::new(filters, &table.columns, &table.definition.columns)?;
    let columns = table.definition.columns.clone();
    let outputs = projection.unwrap_or(&all).clone();
    let layout = Arc::new(Layout { schema: Arc::clone(&schema), outputs, columns, matching, pruning });
    let opened = files.into_iter().map(|data| {
        let (layout, store) = (Arc::clone(&layout), table.store(&data.location));
        async move { File::open(&layout, data, store?).await }
    });
    let opened: Vec<Arc<File>> =
        futures::stream::iter(opened).buffered(CONCURRENCY).map_ok(Arc::new).try_collect().await?;
    let (mut pieces, mut rows) = (Vec::new(), 0);
    for file in opened {
        let kept = layout.pieces(&file)?;
        rows = kept.iter().fold(rows, |rows: usize, piece| rows.saturating_add(piece.live_rows()));
        pieces.extend(kept);
    }
    let whole = layout.pruning.is_none() && limit.is_none();
    let rows = if whole { Precision::Exact(rows) } else { Precision::Inexact(rows) };
    let share = |pieces| Arc::new(Share { layout: Arc::clone(&layout), pieces }) as Arc<dyn PartitionStream>;
    let shares = shares(pieces, state.config().target_partitions()).into_iter().map(share).collect();
    let scan = StreamingTableExec::try_new(schema, shares, None, None, false, limit)?;
    Ok(Arc::new(CountedExec::new(Arc::new(scan), rows)))
}

/// Rows of Hive's transactional tables are in several directories that have to be merged.
fn refuse_transactions(properties: &BTreeMap<String, String>, files: &[DataFile]) -> Result<(), TrinoError> {
    let declared = properties.get("transactional").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let directory = files.iter().find(|file| {
        let mut below = file.meta.location.prefix_match(&file.location.prefix).into_iter().flatten();
        below.any(|part| is_of_transactions(part.as_ref()))
    });
    let message = match directory {
        Some(file) => format!("Hive's transactional (ACID) tables: {}", file.meta.location),
        None if declared => "Hive's transactional (ACID) tables".to_owned(),
        None => return Ok(()),
    };
    Err(crate::error::unsupported(format!("{message} are not supported")))
}

/// Whether a directory is called like those of Hive's transactions: `base_0000005`, `delta_0000001_0000002_0000`.
fn is_of_transactions(name: &str) -> bool {
    let rest = ["base_", "delta_", "delete_delta_"].iter().find_map(|prefix| name.strip_prefix(prefix));
    rest.is_some_and(|rest| {
        let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'v');
        rest.split('_').all(number) && rest.len() >= 7
    })
}

/// The pieces dealt out to so many threads.
fn shares(pieces: Vec<Piece>, threads: usize) -> Vec<Vec<Piece>> {
    let mut shares: Vec<(u64, Vec<Piece>)> = Vec::new();
    shares.resize_with(threads.clamp(1, pieces.len().max(1)), Default::default);
    for piece in pieces {
        if let Some((size, share)) = shares.iter_mut().min_by_key(|(size, _)| *size) {
            *size += piece.stripe().data_length();
            share.push(piece);
        }
    }
    shares.into_iter().map(|(_, pieces)| pieces).collect()
}

/// What all files of a scan are read by.
#[derive(Debug)]
struct Layout {
    schema: SchemaRef,
    /// For each column of the output its place in the table.
    outputs: Vec<usize>,
    /// The columns that are in files.
    columns: Vec<crate::catalog::ColumnDefinition>,
    matching: Matching,
    /// What rules out stripes and row groups, if anything does.
    pruning: Option<Pruning>,
}

/// A file whose end was read.
struct File {
    data: DataFile,
    store: Arc<dyn ObjectStore>,
    tail: Tail,
    metadata: FileMetadata,
    columns: Columns,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("File").field("location", &self.data.meta.location).finish_non_exhaustive()
    }
}

/// A stripe of a file.
#[derive(Debug, Clone)]
struct Piece {
    file: Arc<File>,
    index: usize,
}

impl Piece {
    fn stripe(&self) -> &StripeInformation {
        &self.file.tail.footer.stripes[self.index]
    }

    /// How many of its rows are not deleted.
    fn live_rows(&self) -> usize {
        let (first, rows) = (self.first_row(), self.stripe().number_of_rows());
        let deleted = &self.file.data.deleted;
        let before = |place: u64| deleted.partition_point(|deleted| *deleted < place);
        let gone = before(first.saturating_add(rows)) - before(first);
        usize::try_from(rows).unwrap_or(usize::MAX) - gone
    }

    /// The places of the rows that are selected; of all without a selection.
    fn selected(&self, selection: Option<&RowSelection>) -> Vec<Range<u64>> {
        let (first, rows) = (self.first_row(), self.stripe().number_of_rows());
        let all = first..first + rows;
        let Some(selection) = selection else { return vec![all] };
        let mut next = first;
        let range = |selector: &RowSelector| {
            let start = next;
            next = all.end.min(next + selector.row_count as u64);
            (!selector.skip && start < next).then_some(start..next)
        };
        selection.iter().filter_map(range).collect()
    }

    /// What makes the decoder pass over the rows before one. It takes no more than that: where many rows are selected, it goes
    /// on behind them.
    fn beginning_at(&self, place: u64) -> Option<RowSelection> {
        let skipped = usize::try_from(place - self.first_row()).ok().filter(|skipped| *skipped > 0)?;
        let rows = usize::try_from(self.stripe().number_of_rows()).ok()?;
        Some(vec![RowSelector::skip(skipped), RowSelector::select(rows - skipped)].into())
    }

    /// How many rows stand before it.
    fn first_row(&self) -> u64 {
        self.file.tail.footer.stripes[..self.index].iter().map(StripeInformation::number_of_rows).sum()
    }
}

impl File {
    async fn open(layout: &Layout, data: DataFile, store: Arc<dyn ObjectStore>) -> Result<Self, TrinoError> {
        let tail = Tail::read(store.as_ref(), &data.meta).await.map_err(|error| in_file(&data, error))?;
        let metadata = tail.metadata().map_err(|error| in_file(&data, error))?;
        let columns = Columns::new(layout, &metadata, &tail, &data)?;
        Ok(Self { data, store, tail, metadata, columns })
    }

    /// Parts of the file; a short one is at hand since its end was read.
    async fn parts(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, TrinoError> {
        if let Some(held) = ranges.iter().map(|range| self.tail.held(range)).collect() {
            return Ok(held);
        }
        let location = &self.data.meta.location;
        self.store.get_ranges(location, ranges).await.map_err(|error| of_object_store(&error))
    }

    async fn fetch(&self, wanted: &[&StreamAt]) -> Result<Fetched, TrinoError> {
        let mut fetched = Fetched::new(self.tail.size());
        let ranges: Vec<_> =
            wanted.iter().map(|stream| stream.range.clone()).filter(|range| !range.is_empty()).collect();
        for (range, part) in ranges.iter().zip(self.parts(&ranges).await?) {
            fetched.add(range.start, part);
        }
        Ok(fetched)
    }
}

/// What is wrong with a file.
fn in_file(file: &DataFile, error: OrcError) -> TrinoError {
    let path = format!("s3://{}/{}", file.location.bucket, file.meta.location);
    match error {
        OrcError::Store(error) => of_object_store(&error),
        OrcError::Corrupt(_) => {
            TrinoError::new(ErrorCode::HiveCannotOpenSplit, format!("Error opening Hive split {path}: {error}"))
        }
        OrcError::Unsupported(what) => crate::error::unsupported(format!("{what} are not supported ({path})")),
    }
}

impl Layout {
    /// The stripes of a file that may hold rows which the filters leave.
    fn pieces(&self, file: &Arc<File>) -> PlanResult<Vec<Piece>> {
        let all = 0..file.tail.footer.stripes.len();
        let keep = match &self.pruning {
            Some(pruning) => pruning.stripes(file)?,
            None => vec![true; all.len()],
        };
        let kept = all.zip(keep).filter(|(_, keep)| *keep);
        Ok(kept.map(|(index, _)| Piece { file: Arc::clone(file), index }).collect())
    }

    /// The table's values of what was decoded.
    fn output(&self, live: &Live, file: &File) -> PlanResult<RecordBatch> {
        let column = |(at, (field, index)): (usize, (&Arc<Field>, &usize))| -> PlanResult<ArrayRef> {
            if let Some(constant_at) = index.checked_sub(self.columns.len()) {
                return match constant_at < file.data.constants.len() {
                    true => constant(&file.data, constant_at).to_array_of_size(live.rows),
                    false => Ok(live.column()),
                };
            }
            let Some(found) = file.columns.places[at].and_then(|place| live.columns.get(place)) else {
                return Ok(new_null_array(field.data_type(), live.rows));
            };
            let shaped = match &self.matching {
                Matching::Id(columns) => columns.read(*index, found),
                _ => columns::shaped(found, &self.columns[*index].ty),
            };
            Ok(shaped.map_err(|error| {
                let message = format!("Malformed ORC file. Column {} can't be read: {error}", field.name());
                bad_data(&file.data, &message)
            })?)
        };
        let arrays = self.schema.fields().iter().zip(&self.outputs).enumerate().map(column);
        let options = RecordBatchOptions::new().with_row_count(Some(live.rows));
        let arrays = arrays.collect::<PlanResult<Vec<_>>>()?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}

#[derive(Debug)]
struct Share {
    layout: Arc<Layout>,
    pieces: Vec<Piece>,
}

impl PartitionStream for Share {
    fn schema(&self) -> &SchemaRef {
        &self.layout.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let reading = Reading {
            layout: Arc::clone(&self.layout),
            waiting: self.pieces.iter().cloned().collect(),
            open: None,
            batch_size: context.session_config().batch_size(),
            memory: MemoryConsumer::new("orc stripe").register(context.memory_pool()),
        };
        let batches = futures::stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.layout.schema), batches))
    }
}

/// A stripe while it is read.
struct Open {
    file: Arc<File>,
    rows: Rows,
    places: Places,
    /// The rows that may be left, by their places.
    selected: Vec<Range<u64>>,
}

enum Rows {
    /// Nobody asks for their values: so many are left.
    Counted(u64),
    Decoded(Box<NaiveStripeDecoder>),
}

struct Reading {
    layout: Arc<Layout>,
    waiting: VecDeque<Piece>,
    open: Option<Open>,
    batch_size: usize,
    /// A stripe's streams are in memory while it is read.
    memory: MemoryReservation,
}

impl Reading {
    async fn next(&mut self) -> PlanResult<Option<RecordBatch>> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(piece) = self.waiting.pop_front() else { return Ok(None) };
                self.open = self.begin(piece).await?;
                continue;
            };
            let decoded = if open.goes_on() { open.next(self.batch_size)? } else { None };
            match decoded {
                Some((decoded, rows)) => {
                    let places = open.places.take(rows);
                    if open.is_wanted(&places) {
                        let live = Live::new(decoded, places, &open.file.data.deleted)?;
                        return Ok(Some(self.layout.output(&live, &open.file)?));
                    }
                }
                None => {
                    self.open = None;
                    self.memory.free();
                }
            }
        }
    }

    /// Fetches a stripe; nothing if its indexes rule out all rows.
    async fn begin(&mut self, piece: Piece) -> PlanResult<Option<Open>> {
        let (file, stripe) = (Arc::clone(&piece.file), piece.stripe().clone());
        if file.columns.is_empty() {
            let (rows, places) = (Rows::Counted(stripe.number_of_rows()), Places::from(piece.first_row()));
            return Ok(Some(Open { file, rows, places, selected: piece.selected(None) }));
        }
        let footer = footer_range(&stripe);
        let bytes = file.parts(std::slice::from_ref(&footer)).await?.swap_remove(0);
        let streams = streams(&file.tail, &stripe, &bytes).map_err(|error| in_file(&file.data, error))?;
        let selection = match &self.layout.pruning {
            Some(pruning) => pruning.rows(&file, &stripe, &streams).await?,
            None => None,
        };
        let selected = piece.selected(selection.as_ref());
        let Some(first) = selected.first().map(|range| range.start) else { return Ok(None) };
        let wanted = |stream: &&StreamAt| !stream.is_index() && file.columns.reads(stream.column);
        let wanted: Vec<&StreamAt> = streams.iter().filter(wanted).collect();
        let bytes_wanted: u64 = wanted.iter().map(|stream| stream.range.end - stream.range.start).sum();
        self.memory.try_resize(usize::try_from(bytes_wanted).unwrap_or(usize::MAX))?;
        let mut fetched = file.fetch(&wanted).await?;
        let checked = check_lengths(&file.tail, &wanted, &fetched);
        checked.map_err(|error| bad_data(&file.data, &error.to_string()))?;
        fetched.add(footer.start, bytes);
        let decoder = decoder(&file, &mut fetched, (piece.index, piece.beginning_at(first)), self.batch_size)?;
        Ok(Some(Open { file, rows: Rows::Decoded(Box::new(decoder)), places: Places::from(first), selected }))
    }
}

/// Refuses lists and maps with more elements than a stripe can have: the decoder would make room for all of them.
fn check_lengths(tail: &Tail, streams: &[&StreamAt], fetched: &Fetched) -> Result<(), OrcError> {
    let is_list = |stream: &&&StreamAt| {
        let ty = tail.footer.types.get(stream.column as usize).map(|ty| ty.kind());
        stream.kind == StreamKind::Length && matches!(ty, Some(TypeKind::List | TypeKind::Map))
    };
    for stream in streams.iter().filter(is_list) {
        let bytes = fetched.get_bytes(stream.range.start, stream.range.end - stream.range.start).unwrap_or_default();
        let total = lengths::total(&tail.unpack(&bytes)?, stream.second)?;
        if total > MOST_ELEMENTS {
            return Err(OrcError::Corrupt(format!("A stripe has lists of {total} elements")));
        }
    }
    Ok(())
}

fn decoder(
    file: &File,
    fetched: &mut Fetched,
    (stripe, selection): (usize, Option<RowSelection>),
    batch_size: usize,
) -> Result<NaiveStripeDecoder, TrinoError> {
    let decoder = guarded(|| {
        let information = file.metadata.stripe_metadatas().get(stripe);
        let information = information.ok_or_else(|| "a stripe is missing".to_owned())?;
        let stripe = Stripe::new(fetched, &file.metadata, &file.columns.read, information);
        let stripe = stripe.map_err(|error| error.to_string())?;
        let hints = Arc::clone(&file.columns.hints);
        NaiveStripeDecoder::new_with_selection(stripe, hints, batch_size, selection).map_err(|error| error.to_string())
    });
    decoder.map_err(|error| bad_data(&file.data, &error.to_string()))
}

/// All rows of a file that is in memory, in fields that bear their ids.
pub(super) fn whole(bytes: Bytes, batch_size: usize) -> Result<Vec<RecordBatch>, OrcError> {
    let tail = Tail::whole(bytes.clone())?;
    let metadata = tail.metadata()?;
    let root = metadata.root_data_type();
    let schema = columns::hints(root.children(), &tail);
    let mut batches = Vec::new();
    for (information, stripe) in metadata.stripe_metadatas().iter().zip(&tail.footer.stripes) {
        let mut fetched = Fetched::new(tail.size()).with(0, bytes.clone());
        let footer = footer_range(stripe);
        let footer = fetched.get_bytes(footer.start, footer.end - footer.start).unwrap_or_default();
        let streams = streams(&tail, stripe, &footer)?;
        check_lengths(&tail, &streams.iter().collect::<Vec<_>>(), &fetched)?;
        let decoded = guarded(|| -> Result<Vec<RecordBatch>, String> {
            let stripe = Stripe::new(&mut fetched, &metadata, root, information).map_err(|error| error.to_string())?;
            let decoder = NaiveStripeDecoder::new(stripe, Arc::clone(&schema), batch_size);
            let decoder = decoder.map_err(|error| error.to_string())?;
            decoder.collect::<Result<_, _>>().map_err(|error| error.to_string())
        })?;
        for batch in decoded {
            let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec());
            batches.push(batch.map_err(|error| OrcError::Corrupt(error.to_string()))?);
        }
    }
    Ok(batches)
}

impl Open {
    /// Whether selected rows are still to come.
    fn goes_on(&self) -> bool {
        self.selected.last().is_some_and(|range| self.places.upcoming() < range.end)
    }

    /// Whether rows at some places, one behind the other, may be left.
    fn is_wanted(&self, places: &[u64]) -> bool {
        let (Some(first), Some(last)) = (places.first(), places.last()) else { return false };
        self.selected.iter().any(|range| range.start <= *last && *first < range.end)
    }

    /// The next values, and how many rows they are of.
    fn next(&mut self, batch_size: usize) -> PlanResult<Option<(Vec<ArrayRef>, usize)>> {
        match &mut self.rows {
            Rows::Counted(0) => Ok(None),
            Rows::Counted(left) => {
                let rows = batch_size.min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= rows as u64;
                Ok(Some((Vec::new(), rows)))
            }
            Rows::Decoded(decoder) => {
                let decoded = guarded(|| decoder.next().transpose());
                let decoded = decoded.map_err(|error| bad_data(&self.file.data, &error.to_string()))?;
                Ok(decoded.map(|batch| (batch.columns().to_vec(), batch.num_rows())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_transactions_are_known_by_name() {
        for name in
            ["base_0000005", "delta_0000001_0000002", "delta_0000001_0000001_0000", "delete_delta_0000003_0000003"]
        {
            assert!(is_of_transactions(name), "{name}");
        }
        for name in ["base_camp", "delta_1", "base_", "year=2024", "part-0.orc"] {
            assert!(!is_of_transactions(name), "{name}");
        }
    }
}
