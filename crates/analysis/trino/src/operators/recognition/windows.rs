//! Looks for a match in the frame of each row, and gives the row what is known of it.

use std::ops::Range;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute::nullif;
use arrow::datatypes::Int64Type;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::super::frames::{Evaluation, Function, Place, wrong_distance};
use super::super::partitions::Part;
use super::conditions::Asked;
use super::formula::{Gathered, field_type};
use super::matcher::{Matcher, Outcome};
use super::search::{Asking, Match, OutputColumn, Recognised, STEPS, TURN, gone, nothing};

/// [`super::Framing`] that can be carried out.
#[derive(Debug)]
pub(super) struct Framed {
    /// Whether a frame is the row itself.
    pub(super) only_row: bool,
    /// The column that says how far frames reach, if not to the partition's end.
    pub(super) end: Option<usize>,
    pub(super) seeks: bool,
    pub(super) functions: Vec<Function>,
}

impl Framed {
    /// The end of a row's frame in its partition.
    fn end(&self, input: &RecordBatch, row: usize, partition: &Range<usize>) -> Result<usize> {
        if self.only_row {
            return Ok(row + 1);
        }
        let Some(column) = self.end else { return Ok(partition.end) };
        let distances = input.column(column).as_primitive::<Int64Type>();
        match usize::try_from(distances.value(row)) {
            Ok(distance) if distances.is_valid(row) => {
                Ok(partition.end.min(row.saturating_add(distance).saturating_add(1)))
            }
            _ => Err(wrong_distance().into()),
        }
    }
}

/// Looks through the frames of whole partitions.
pub(super) async fn search_frames(recognised: &Recognised, framed: &Framed, part: Part<'_>) -> Result<()> {
    let Part { rows: input, partitions, batch_size, memory, to, .. } = part;
    let mut search = Search {
        framed,
        asked: Asked::in_frames(&recognised.define, input, &recognised.names, partitions),
        turn: Instant::now(),
        held: memory.size(),
        memory,
    };
    let mut known = Known::new(recognised, framed, input);
    for partition in partitions {
        let mut matcher = Matcher::new(&recognised.program, partition.clone());
        let mut next = partition.start;
        for row in partition.clone() {
            if row < next {
                known.left_out()?;
                search.give_way(&matcher).await?;
            } else {
                let frame = row..framed.end(input, row, partition)?;
                match search.first_match(&mut matcher, &frame).await? {
                    None => known.left_out()?,
                    Some(_) if matcher.labels.is_empty() => known.empty()?,
                    Some(start) => {
                        known.matched(&Match { start, labels: &matcher.labels, number: 1, partition: &frame })?;
                        next = recognised.skip.next_frame(row, start, &matcher.labels)?;
                    }
                }
            }
            if known.frames.len() >= batch_size {
                to.send(known.batch()).await.map_err(gone)?;
            }
        }
    }
    if !known.frames.is_empty() {
        to.send(known.batch()).await.map_err(gone)?;
    }
    memory.try_resize(search.held)
}

/// What looks through one frame after the other.
struct Search<'a> {
    framed: &'a Framed,
    asked: Asked<'a>,
    /// When the task gave way last.
    turn: Instant,
    /// The bytes that were held before.
    held: usize,
    memory: &'a MemoryReservation,
}

impl Search<'_> {
    /// Where the frame's match begins, if there is one.
    async fn first_match(&mut self, matcher: &mut Matcher<'_>, frame: &Range<usize>) -> Result<Option<usize>> {
        matcher.within(frame.clone(), self.asked.back());
        self.asked.partition = frame.clone();
        let last = if self.framed.seeks { frame.end } else { frame.start + 1 };
        for start in frame.start..last {
            matcher.begin(start);
            let outcome = loop {
                self.give_way(matcher).await?;
                match matcher.advance(&mut self.asked, STEPS)? {
                    Outcome::Paused => {}
                    outcome => break outcome,
                }
            };
            if outcome == Outcome::Matched {
                return Ok(Some(start));
            }
        }
        Ok(None)
    }

    /// Lets others compute when it is their turn.
    async fn give_way(&mut self, matcher: &Matcher<'_>) -> Result<()> {
        if self.turn.elapsed() > TURN {
            self.memory.try_resize(self.held + self.asked.size() + matcher.size())?;
            tokio::task::yield_now().await;
            self.turn = Instant::now();
        }
        Ok(())
    }
}

/// What is known of rows one after the other, until there are enough of them for a batch.
struct Known<'a> {
    recognised: &'a Recognised,
    framed: &'a Framed,
    input: &'a RecordBatch,
    /// The first of the rows.
    first: usize,
    /// Each row's match.
    frames: Vec<Range<usize>>,
    /// What the measures are computed from.
    gathered: Vec<Gathered>,
    /// Which rows have no match and so no measures.
    without: Vec<bool>,
}

impl<'a> Known<'a> {
    fn new(recognised: &'a Recognised, framed: &'a Framed, input: &'a RecordBatch) -> Self {
        let gathered = recognised.measures.slots.iter().map(Gathered::of).collect();
        Self { recognised, framed, input, first: 0, frames: Vec::new(), gathered, without: Vec::new() }
    }

    fn matched(&mut self, one: &Match<'_>) -> Result<()> {
        self.frames.push(one.start..one.start + one.labels.len());
        self.without.push(false);
        for (gathered, source) in self.gathered.iter_mut().zip(&self.recognised.measures.slots) {
            let mut asking = Asking::new(source, self.recognised, self.input, one, false)?;
            asking.at(one, one.labels.len(), gathered)?;
        }
        Ok(())
    }

    /// A match without rows.
    fn empty(&mut self) -> Result<()> {
        self.frames.push(0..0);
        self.without.push(false);
        nothing(&mut self.gathered, &self.recognised.measures.slots)
    }

    /// A row without a match, or one that a match before it has left out.
    fn left_out(&mut self) -> Result<()> {
        self.empty()?;
        if let Some(last) = self.without.last_mut() {
            *last = true;
        }
        Ok(())
    }

    fn batch(&mut self) -> Result<RecordBatch> {
        let rows = self.frames.len();
        let measures = &self.recognised.measures;
        let mut slots = Vec::with_capacity(measures.slots.len());
        for (index, (gathered, source)) in self.gathered.iter_mut().zip(&measures.slots).enumerate() {
            let ty = field_type(&measures.schema, index);
            slots.push(gathered.take(source, ty, self.input, &self.recognised.names)?);
        }
        let mut values = measures.values(slots, rows)?;
        let without = std::mem::take(&mut self.without);
        if without.contains(&true) {
            let without = BooleanArray::from(without);
            values = values.iter().map(|values| nullif(values.as_ref(), &without)).collect::<Result<_, _>>()?;
        }
        let frames = std::mem::take(&mut self.frames);
        let column = |output: &OutputColumn| -> Result<ArrayRef> {
            match output {
                OutputColumn::Input(column) => Ok(self.input.column(*column).slice(self.first, rows)),
                OutputColumn::Measure(measure) => Ok(values[*measure].clone()),
                OutputColumn::Function(place) => {
                    let mut evaluation = Evaluation::new(&self.framed.functions[*place], self.input);
                    for (index, frame) in frames.iter().enumerate() {
                        evaluation.add(&Place::in_frame(self.first + index, frame.clone()))?;
                    }
                    evaluation.take()
                }
            }
        };
        let columns = self.recognised.outputs.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        self.first += rows;
        Ok(RecordBatch::try_new_with_options(self.recognised.schema.clone(), columns, &options)?)
    }
}
