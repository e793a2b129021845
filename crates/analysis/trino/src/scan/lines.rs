//! Files of lines, read as a stream: plain or compressed, text or JSON.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use bytes::Bytes;
use datafusion::common::{Result as PlanResult, ScalarValue};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::StreamExt;
use futures::stream::BoxStream;
use memchr::memchr;
use object_store::{ObjectStore, ObjectStoreExt};

use super::pattern::Pattern;
use super::values::{Column, Strictness};
use super::{DataFile, ScanRequest, json, noted, projected, text};
use crate::catalog::{GrokFormat, JsonFormat, RegexFormat, TextFormat};
use crate::codec::{Codec, Decoder};
use crate::error::{internal, of_object_store};
use crate::storage::Statistics;

/// How lines become rows.
#[derive(Debug, Clone)]
pub(super) enum Reader {
    Json(JsonFormat),
    Text(TextFormat),
    Regex(RegexFormat),
    Grok(GrokFormat),
}

/// A plan that reads files of lines, each thread its share of the files.
pub(super) fn scan(request: ScanRequest<'_>, reader: Reader) -> PlanResult<Arc<dyn ExecutionPlan>> {
    let ScanRequest { table, projection, limit, .. } = request;
    let schema = projected(&table.schema, projection)?;
    noted::note(request.state, &schema, &table.definition, &request.files);
    let layout = Arc::new(Layout::new(table, projection, reader, Arc::clone(&schema))?);
    let partition = |sources| Arc::new(Share { layout: Arc::clone(&layout), sources }) as Arc<dyn PartitionStream>;
    let partitions = shares(request)?.into_iter().map(partition).collect();
    Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, None, false, limit)?))
}

/// The files of a scan, dealt out to threads by their size.
pub(super) fn shares(request: ScanRequest<'_>) -> PlanResult<Vec<Vec<Source>>> {
    let ScanRequest { state, table, mut files, .. } = request;
    files.sort_by_key(|file| std::cmp::Reverse(file.meta.size));
    let mut shares: Vec<(u64, Vec<Source>)> = Vec::new();
    shares.resize_with(state.config().target_partitions().clamp(1, files.len().max(1)), Default::default);
    for file in files {
        let store = table.store(&file.location)?;
        if let Some((size, share)) = shares.iter_mut().min_by_key(|(size, _)| *size) {
            *size += file.meta.size;
            share.push(Source { store, file });
        }
    }
    Ok(shares.into_iter().map(|(_, sources)| sources).collect())
}

/// Where the values of a row go.
#[derive(Debug)]
struct Layout {
    reader: Reader,
    statistics: Arc<Statistics>,
    schema: SchemaRef,
    /// For each column of the output where it comes from.
    outputs: Vec<Output>,
    /// The types of the columns that are read from lines.
    types: Vec<Type>,
    /// For each value of a line its place among those columns.
    wanted: Vec<Option<usize>>,
    /// For each key of a JSON object its place among those columns.
    keys: HashMap<String, usize>,
    /// What cuts lines, for readers that have a pattern.
    pattern: Option<Pattern>,
    /// Whether values have more digits than doubles keep.
    has_decimals: bool,
}

#[derive(Debug, Clone, Copy)]
enum Output {
    Line(usize),
    Constant(usize),
}

impl Layout {
    fn new(
        table: &super::HiveTable,
        projection: Option<&Vec<usize>>,
        reader: Reader,
        schema: SchemaRef,
    ) -> Result<Self, TrinoError> {
        let columns = &table.definition.columns;
        let all: Vec<usize> = (0..table.schema.fields().len()).collect();
        let mut layout = Self {
            reader,
            statistics: Arc::clone(&table.statistics),
            schema,
            outputs: Vec::new(),
            types: Vec::new(),
            wanted: vec![None; columns.len()],
            keys: HashMap::new(),
            pattern: None,
            has_decimals: false,
        };
        for index in projection.unwrap_or(&all) {
            let Some(column) = columns.get(*index) else {
                layout.outputs.push(Output::Constant(index - columns.len()));
                continue;
            };
            let place = layout.types.len();
            layout.outputs.push(Output::Line(place));
            layout.types.push(column.ty.clone());
            layout.has_decimals |= has_decimals(&column.ty);
            layout.wanted[*index] = Some(place);
            let key = match &layout.reader {
                Reader::Json(format) => format.mappings.get(&column.name).unwrap_or(&column.name),
                Reader::Text(_) | Reader::Regex(_) | Reader::Grok(_) => &column.name,
            };
            layout.keys.insert(key.clone(), place);
        }
        // A line needs to be cut no further than its last wanted value.
        let end = layout.wanted.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        layout.wanted.truncate(end);
        layout.pattern = match &layout.reader {
            Reader::Regex(format) => Some(Pattern::of_regex(format, &layout.wanted)?),
            Reader::Grok(format) => Some(Pattern::of_grok(format, &layout.keys)?),
            Reader::Json(_) | Reader::Text(_) => None,
        };
        Ok(layout)
    }

    fn strictness(&self) -> Strictness {
        match &self.reader {
            Reader::Json(_) => Strictness::Strict,
            Reader::Text(format) if format.quote.is_some() => Strictness::Counts,
            Reader::Text(_) | Reader::Regex(_) | Reader::Grok(_) => Strictness::Lenient,
        }
    }

    /// A line of JSON in which no number loses digits.
    fn exact<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        if self.has_decimals { json::with_long_numbers_as_text(line) } else { Cow::Borrowed(line) }
    }

    fn skipped_lines(&self) -> usize {
        match &self.reader {
            Reader::Text(format) => format.skip_lines,
            Reader::Json(_) | Reader::Regex(_) | Reader::Grok(_) => 0,
        }
    }

    /// Adds a line's values; false if the line holds no row.
    fn read(&self, line: &[u8], columns: &mut [Column], file: &DataFile) -> Result<bool, TrinoError> {
        match &self.reader {
            Reader::Text(format) if format.skip_blank_lines && line.is_empty() => return Ok(false),
            Reader::Text(format) => text::read_line(format, line, &self.wanted, &self.types, columns),
            Reader::Regex(_) | Reader::Grok(_) => match &self.pattern {
                Some(pattern) => pattern.read_line(line, columns)?,
                None => columns.iter_mut().for_each(Column::null),
            },
            Reader::Json(_) if line.trim_ascii().is_empty() => return Ok(false),
            Reader::Json(format) => match json::read_line(format, &self.exact(line), &self.keys, columns) {
                Ok(()) => {}
                Err(_) if format.skip_malformed => {
                    self.statistics.add_skipped_line();
                    return Ok(false);
                }
                Err(_) if format.ignore_malformed => columns.iter_mut().for_each(Column::null),
                Err(error) => return Err(bad_data(file, &format!("Row is not a valid JSON Object - {error}"))),
            },
        }
        Ok(true)
    }

    fn batch(&self, columns: &mut [Column], rows: usize, file: &DataFile) -> PlanResult<RecordBatch> {
        let finish = |(column, ty): (&mut Column, &Type)| {
            column
                .finish(ty, self.strictness())
                .map_err(|error| bad_data(file, &format!("Error parsing a column's value: {error}")))
        };
        let values = columns.iter_mut().zip(&self.types).map(finish).collect::<Result<Vec<ArrayRef>, _>>()?;
        let output = |output: &Output| match output {
            Output::Line(place) => Ok(Arc::clone(&values[*place])),
            Output::Constant(index) => constant(file, *index).to_array_of_size(rows),
        };
        let arrays = self.outputs.iter().map(output).collect::<PlanResult<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)?)
    }
}

fn has_decimals(ty: &Type) -> bool {
    match ty {
        Type::Decimal(..) => true,
        Type::Array(element) => has_decimals(element),
        Type::Map(key, value) => has_decimals(key) || has_decimals(value),
        Type::Row(fields) => fields.iter().any(|field| has_decimals(&field.ty)),
        _ => false,
    }
}

pub(super) fn constant(file: &DataFile, index: usize) -> ScalarValue {
    file.constants.get(index).cloned().unwrap_or(ScalarValue::Null)
}

pub(super) fn bad_data(file: &DataFile, message: &str) -> TrinoError {
    let path = format!("s3://{}/{}", file.location.bucket, file.meta.location);
    TrinoError::new(ErrorCode::HiveBadData, format!("{message} ({path})"))
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) file: DataFile,
}

/// The files that one thread reads, one after the other.
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
            columns: self.layout.types.iter().map(Column::new).collect(),
            waiting: self.sources.iter().cloned().collect(),
            open: None,
            batch_size: context.session_config().batch_size(),
        };
        let batches = futures::stream::try_unfold(reading, |mut reading| async move {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.layout.schema), batches))
    }
}

struct Reading {
    layout: Arc<Layout>,
    columns: Vec<Column>,
    waiting: VecDeque<Source>,
    open: Option<OpenFile>,
    batch_size: usize,
}

/// A file while it is read.
struct OpenFile {
    file: DataFile,
    body: BoxStream<'static, object_store::Result<Bytes>>,
    decoder: Option<Decoder>,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    lines_to_skip: usize,
}

impl Reading {
    async fn next(&mut self) -> PlanResult<Option<RecordBatch>> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(source) = self.waiting.pop_front() else {
                    return Ok(None);
                };
                self.open = Some(OpenFile::new(source, self.layout.skipped_lines()).await?);
                continue;
            };
            let mut rows = 0;
            while rows < self.batch_size {
                let Some(line) = open.next_line().await? else {
                    break;
                };
                let line = &open.buffer[line.0..line.1];
                rows += usize::from(self.layout.read(line, &mut self.columns, &open.file)?);
            }
            let file = open.file.clone();
            if rows < self.batch_size {
                self.open = None;
            }
            if rows > 0 {
                return Ok(Some(self.layout.batch(&mut self.columns, rows, &file)?));
            }
        }
    }
}

impl OpenFile {
    async fn new(Source { store, file }: Source, lines_to_skip: usize) -> Result<Self, TrinoError> {
        let name = file.meta.location.filename().unwrap_or_default();
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        if extension == Some("lzo") {
            let message = format!("Files compressed as .lzo can't be read: {name}");
            return Err(TrinoError::new(ErrorCode::NotSupported, message));
        }
        let decoder = extension.and_then(Codec::of_extension).map(Decoder::new).transpose();
        let decoder = decoder.map_err(|error| internal(error.to_string()))?;
        let result = store.get(&file.meta.location).await.map_err(|error| of_object_store(&error))?;
        let body = result.into_stream();
        Ok(Self { file, body, decoder, buffer: Vec::new(), start: 0, ended: false, lines_to_skip })
    }

    /// Where the next line stands in the buffer, without its end.
    async fn next_line(&mut self) -> Result<Option<(usize, usize)>, TrinoError> {
        let mut searched = self.start;
        loop {
            if let Some(found) = memchr(b'\n', &self.buffer[searched..]) {
                let (start, end) = (self.start, searched + found);
                self.start = end + 1;
                if self.lines_to_skip > 0 {
                    self.lines_to_skip -= 1;
                    searched = self.start;
                    continue;
                }
                return Ok(Some((start, self.without_return(start, end))));
            }
            if self.ended {
                let (start, end) = (self.start, self.buffer.len());
                self.start = end;
                let is_row = start < end && self.lines_to_skip == 0;
                return Ok(is_row.then(|| (start, self.without_return(start, end))));
            }
            searched = self.buffer.len() - self.start;
            self.buffer.drain(..self.start);
            self.start = 0;
            self.fill().await?;
        }
    }

    fn without_return(&self, start: usize, end: usize) -> usize {
        if end > start && self.buffer[end - 1] == b'\r' { end - 1 } else { end }
    }

    async fn fill(&mut self) -> Result<(), TrinoError> {
        let chunk = self.body.next().await.transpose().map_err(|error| of_object_store(&error))?;
        let Some(decoder) = &mut self.decoder else {
            match chunk {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => self.ended = true,
            }
            return Ok(());
        };
        let decoded = match &chunk {
            Some(chunk) => decoder.push(chunk, &mut self.buffer),
            None => decoder.finish(&mut self.buffer),
        };
        decoded.map_err(|error| bad_data(&self.file, &format!("Corrupt compressed data: {error}")))?;
        self.ended = chunk.is_none();
        Ok(())
    }
}
