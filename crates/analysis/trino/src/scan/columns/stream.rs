//! Row groups as batches.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{BatchCoalescer, FilterPredicate};
use arrow::datatypes::{DataType, SchemaRef};
use boathouse_parquet::ColumnDecoder;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::{DataFusionError, Result};
use futures::stream::{BoxStream, StreamExt, try_unfold};
use parquet::arrow::arrow_reader::RowSelection;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::file::metadata::ParquetMetaData;

use super::rows::{Columns, Condition, Over, Window};

/// A column of a file.
#[derive(Debug, Clone)]
pub(super) struct FileColumn {
    /// Its place among the file's leaves.
    pub(super) leaf: usize,
    pub(super) data_type: DataType,
    /// How many outputs use it.
    pub(super) users: usize,
}

/// What is read of a file, and how.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) columns: Vec<FileColumn>,
    /// Over `columns`.
    pub(super) outputs: Vec<Over>,
    /// Over `outputs`.
    pub(super) conditions: Vec<Condition>,
    /// Places of `outputs`.
    pub(super) kept: Vec<usize>,
    /// Of what is kept.
    pub(super) schema: SchemaRef,
    pub(super) batch_size: usize,
}

/// A row group and the rows of it that count; none for all.
pub(super) type Chosen = (usize, Option<RowSelection>);

impl Reading {
    /// Batches that grow to the size that is wanted before they are given on.
    pub(super) fn coalescer(&self) -> BatchCoalescer {
        let largest = Some(self.batch_size / 2);
        BatchCoalescer::new(Arc::clone(&self.schema), self.batch_size).with_biggest_coalesce_batch_size(largest)
    }

    /// Dictionaries are those of one row group: batches of several would have to merge them.
    fn ends_with_row_groups(&self) -> bool {
        self.schema.fields().iter().any(|field| matches!(field.data_type(), DataType::Dictionary(..)))
    }
}

struct State {
    reading: Reading,
    reader: Box<dyn AsyncFileReader>,
    footer: Arc<ParquetMetaData>,
    groups: VecDeque<Chosen>,
    group: Option<RowGroup>,
    coalescer: BatchCoalescer,
}

/// The rows of a file's row groups.
pub(super) fn batches(
    reading: Reading,
    reader: Box<dyn AsyncFileReader>,
    footer: Arc<ParquetMetaData>,
    groups: VecDeque<Chosen>,
) -> BoxStream<'static, Result<RecordBatch>> {
    let coalescer = reading.coalescer();
    let state = State { reading, reader, footer, groups, group: None, coalescer };
    try_unfold(state, State::next).boxed()
}

impl State {
    async fn next(mut self) -> Result<Option<(RecordBatch, Self)>> {
        loop {
            if let Some(batch) = self.coalescer.next_completed_batch() {
                return Ok(Some((batch, self)));
            }
            if let Some(group) = &mut self.group {
                if let Some(batch) = group.window(&self.reading)? {
                    self.coalescer.push_batch(batch)?;
                }
                if group.is_done() {
                    self.end_group()?;
                }
                tokio::task::consume_budget().await;
                continue;
            }
            match self.groups.pop_front() {
                Some((group, selection)) => self.group = Some(self.begin(group, selection).await?),
                None if self.coalescer.is_empty() => return Ok(None),
                None => self.coalescer.finish_buffered_batch()?,
            }
        }
    }

    fn end_group(&mut self) -> Result<()> {
        self.group = None;
        if self.reading.ends_with_row_groups() {
            self.coalescer.finish_buffered_batch()?;
        }
        Ok(())
    }

    async fn begin(&mut self, group: usize, selection: Option<RowSelection>) -> Result<RowGroup> {
        let row_group = self.footer.row_group(group);
        let ranges = self.reading.columns.iter().map(|column| {
            let (start, length) = row_group.column(column.leaf).byte_range();
            start..start + length
        });
        let ranges: Vec<Range<u64>> = ranges.collect();
        let chunks = match ranges.is_empty() {
            true => Vec::new(),
            false => self.reader.get_byte_ranges(ranges).await?,
        };
        let row_group = self.footer.row_group(group);
        let leaves = self.footer.file_metadata().schema_descr();
        let decoders = self.reading.columns.iter().zip(chunks).map(|(column, bytes)| {
            let chunk = row_group.column(column.leaf);
            ColumnDecoder::new(bytes, &leaves.column(column.leaf), chunk, &column.data_type).map_err(bad)
        });
        Ok(RowGroup {
            decoders: decoders.collect::<Result<_>>()?,
            rows: usize::try_from(row_group.num_rows()).unwrap_or(0),
            at: 0,
            selected: selection.map(ranges_of),
        })
    }
}

/// The places of rows that a selection names.
fn ranges_of(selection: RowSelection) -> VecDeque<Range<usize>> {
    let mut at = 0;
    let mut found = VecDeque::new();
    for selector in selection.iter() {
        if !selector.skip {
            found.push_back(at..at + selector.row_count);
        }
        at += selector.row_count;
    }
    found
}

/// A row group that is being read.
struct RowGroup {
    decoders: Vec<ColumnDecoder>,
    rows: usize,
    at: usize,
    /// The rows that count, those before `at` left out; none for all.
    selected: Option<VecDeque<Range<usize>>>,
}

impl RowGroup {
    fn is_done(&self) -> bool {
        self.at == self.rows
    }

    /// What is left of the next rows.
    fn window(&mut self, reading: &Reading) -> Result<Option<RecordBatch>> {
        let rows = reading.batch_size.min(self.rows - self.at);
        let wanted = self.wanted(rows);
        let mut columns = OfFile {
            group: self,
            reading,
            rows,
            given: vec![false; reading.columns.len()],
            shared: vec![None; reading.columns.len()],
        };
        let known = vec![None; reading.outputs.len()];
        let found =
            Window::new(rows, wanted, known, &mut columns).sift(&reading.conditions, &reading.kept, &reading.schema)?;
        columns.end()?;
        self.at += rows;
        Ok(found)
    }

    /// Which of the next rows count; none if all do.
    fn wanted(&mut self, rows: usize) -> Option<Vec<u32>> {
        let selected = self.selected.as_mut()?;
        let end = self.at + rows;
        let mut wanted = Vec::new();
        while let Some(range) = selected.front_mut().filter(|range| range.start < end) {
            let stop = range.end.min(end);
            wanted.extend((range.start - self.at) as u32..(stop - self.at) as u32);
            range.start = stop;
            if range.start == range.end {
                selected.pop_front();
            }
        }
        (wanted.len() < rows).then_some(wanted)
    }
}

/// Gives the outputs of a window of rows, which need columns of the file.
struct OfFile<'g> {
    group: &'g mut RowGroup,
    reading: &'g Reading,
    rows: usize,
    /// Which columns of the file were decoded.
    given: Vec<bool>,
    /// The decoded columns that several outputs use.
    shared: Vec<Option<ArrayRef>>,
}

impl OfFile<'_> {
    fn decoded(&mut self, column: usize, wanted: Option<&[u32]>) -> Result<ArrayRef> {
        if let Some(known) = &self.shared[column] {
            return Ok(Arc::clone(known));
        }
        let found = self.group.decoders[column].read(self.rows, wanted).map_err(bad)?;
        self.given[column] = true;
        if self.reading.columns[column].users > 1 {
            self.shared[column] = Some(Arc::clone(&found));
        }
        Ok(found)
    }

    /// Passes over the rows in all columns that nobody needed.
    fn end(self) -> Result<()> {
        for (decoder, given) in self.group.decoders.iter_mut().zip(self.given) {
            if !given {
                decoder.skip(self.rows).map_err(bad)?;
            }
        }
        Ok(())
    }
}

impl Columns for OfFile<'_> {
    fn column(&mut self, place: usize, rows: usize, wanted: Option<&[u32]>) -> Result<ArrayRef> {
        let output = &self.reading.outputs[place];
        let columns = output.uses.iter().map(|column| self.decoded(*column, wanted)).collect::<Result<_>>()?;
        output.evaluate(columns, rows)
    }

    fn narrow(&mut self, kept: &FilterPredicate) -> Result<()> {
        for column in self.shared.iter_mut().flatten() {
            *column = kept.filter(column)?;
        }
        Ok(())
    }
}

fn bad(error: boathouse_parquet::Error) -> DataFusionError {
    TrinoError::new(ErrorCode::HiveBadData, error.to_string()).into()
}
