//! Aggregates over the rows of a match.

use arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::formula::{Aggregate, Gathered, SourceKind, field_type};
use super::navigation::is_one_of;
use super::program::Label;

/// An aggregate of one match, which takes in row after row.
pub(super) struct Running<'a> {
    aggregate: &'a Aggregate,
    accumulator: Box<dyn Accumulator>,
    /// The values of its arguments, for the rows that may be taken in.
    arguments: Vec<ArrayRef>,
    /// These rows, counted from the match's start.
    places: Vec<usize>,
    taken: usize,
}

impl<'a> Running<'a> {
    /// Over a match with these labels, the first of them at row `start` of the input.
    pub(super) fn new(
        aggregate: &'a Aggregate,
        input: &RecordBatch,
        start: usize,
        labels: &[Label],
        number: i64,
        names: &[String],
    ) -> Result<Self> {
        let places = places(aggregate, labels, 0);
        let arguments = arguments(aggregate, input, start, labels, &places, number, names)?;
        Ok(Self { aggregate, accumulator: aggregate.function.create_accumulator()?, arguments, places, taken: 0 })
    }

    /// The value at a row, of which the first `upto` of the match are up to it. Rows ask in their order.
    pub(super) fn at(&mut self, upto: usize) -> Result<ScalarValue> {
        let end = match self.aggregate.running {
            true => self.places.partition_point(|place| *place < upto),
            false => self.places.len(),
        };
        if end > self.taken {
            let more: Vec<ArrayRef> =
                self.arguments.iter().map(|values| values.slice(self.taken, end - self.taken)).collect();
            self.accumulator.update_batch(&more)?;
            self.taken = end;
        }
        self.accumulator.evaluate()
    }
}

/// An aggregate in a condition: it is asked about longer and longer matches, and keeps what it knows of their beginning.
pub(super) struct Growing {
    start: usize,
    number: i64,
    labels: Vec<Label>,
    accumulator: Box<dyn Accumulator>,
}

impl Growing {
    pub(super) fn new(aggregate: &Aggregate) -> Result<Self> {
        let accumulator = aggregate.function.create_accumulator()?;
        Ok(Self { start: 0, number: 0, labels: Vec::new(), accumulator })
    }

    /// The value over all rows with these labels.
    pub(super) fn over(
        &mut self,
        aggregate: &Aggregate,
        input: &RecordBatch,
        start: usize,
        labels: &[Label],
        number: i64,
        names: &[String],
    ) -> Result<ScalarValue> {
        let goes_on = (self.start, self.number) == (start, number) && labels.starts_with(&self.labels);
        if !goes_on {
            *self = Self { start, number, labels: Vec::new(), accumulator: aggregate.function.create_accumulator()? };
        }
        let places = places(aggregate, labels, self.labels.len());
        if !places.is_empty() {
            let more = arguments(aggregate, input, start, labels, &places, number, names)?;
            self.accumulator.update_batch(&more)?;
        }
        self.labels.extend_from_slice(&labels[self.labels.len()..]);
        self.accumulator.evaluate()
    }

    pub(super) fn size(&self) -> usize {
        self.accumulator.size() + self.labels.capacity() * size_of::<Label>()
    }
}

/// The value over a match without rows.
pub(super) fn over_nothing(aggregate: &Aggregate) -> Result<ScalarValue> {
    aggregate.function.create_accumulator()?.evaluate()
}

/// The rows that an aggregate takes in, from some row on.
fn places(aggregate: &Aggregate, labels: &[Label], from: usize) -> Vec<usize> {
    (from..labels.len()).filter(|place| is_one_of(&aggregate.labels, labels[*place])).collect()
}

fn arguments(
    aggregate: &Aggregate,
    input: &RecordBatch,
    start: usize,
    labels: &[Label],
    places: &[usize],
    number: i64,
    names: &[String],
) -> Result<Vec<ArrayRef>> {
    let arguments = &aggregate.arguments;
    let mut slots = Vec::with_capacity(arguments.slots.len());
    for (index, source) in arguments.slots.iter().enumerate() {
        let mut gathered = match source.kind {
            SourceKind::Column(_) => Gathered::Rows(places.iter().map(|place| Some((start + place) as u64)).collect()),
            SourceKind::Classifier => Gathered::Labels(places.iter().map(|place| Some(labels[*place])).collect()),
            SourceKind::MatchNumber => Gathered::Numbers(vec![Some(number); places.len()]),
            SourceKind::Aggregate(_) => {
                return datafusion::common::internal_err!("aggregates don't stand in aggregates");
            }
        };
        slots.push(gathered.take(source, field_type(&arguments.schema, index), input, names)?);
    }
    arguments.values(slots, places.len())
}
