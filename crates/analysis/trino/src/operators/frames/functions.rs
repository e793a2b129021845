//! Functions over the rows of a frame or of a partition.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, UInt64Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::compute::{interleave, take};
use arrow::datatypes::Int64Type;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::{Column, DFSchema, Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, AggregateUDF};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::Column as PhysicalColumn;

/// A function with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FrameFunction {
    /// The function.
    pub(crate) value: FrameValue,
    /// Columns of the input.
    pub(crate) arguments: Vec<Column>,
}

/// What is made of a frame's rows, or of the row's place in its partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum FrameValue {
    /// The frame's first value.
    First {
        /// Whether it is the first one that is there.
        ignore_nulls: bool,
    },
    /// The frame's last value.
    Last {
        /// Whether it is the last one that is there.
        ignore_nulls: bool,
    },
    /// The frame's n-th value; n is the second argument.
    Nth {
        /// Whether only those that are there count.
        ignore_nulls: bool,
    },
    /// An aggregate of the frame's rows.
    Aggregate(Arc<AggregateUDF>),
    /// The value of a row before or after; how far is the second argument, what it is without such a row the third.
    Shifted {
        /// Whether before.
        back: bool,
        /// Whether only rows with a value count.
        ignore_nulls: bool,
    },
    /// The place in the partition.
    Placed(Placed),
}

/// What the place in a partition is told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Placed {
    /// `row_number`
    Row,
    /// `rank`
    Rank,
    /// `dense_rank`
    Group,
    /// `percent_rank`
    PartOfRanks,
    /// `cume_dist`
    PartOfRows,
    /// `ntile`; the argument says how many buckets there are.
    Bucket,
}

impl FrameValue {
    /// Whether frames make a difference.
    pub(crate) fn is_of_frame(&self) -> bool {
        !matches!(self, Self::Shifted { .. } | Self::Placed(_))
    }
}

/// A [`FrameFunction`] that can be computed.
#[derive(Debug)]
pub(crate) enum Function {
    /// A value of the frame.
    Value { which: Which, ignore_nulls: bool, column: usize },
    /// An aggregate of columns.
    Aggregate { function: Box<AggregateFunctionExpr>, columns: Vec<usize> },
    /// A value of the partition.
    Shifted { back: bool, ignore_nulls: bool, column: usize, distance: usize, default: Option<usize> },
    /// The place in the partition.
    Placed { by: Placed, buckets: Option<usize> },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Which {
    First,
    Last,
    /// The column that says which.
    Nth(usize),
}

impl FrameFunction {
    pub(in crate::operators) fn plan(&self, input: &DFSchema) -> Result<Function> {
        let columns = self.arguments.iter().map(|column| input.index_of_column(column)).collect::<Result<Vec<_>>>()?;
        let (which, ignore_nulls) = match (&self.value, columns.as_slice()) {
            (FrameValue::First { ignore_nulls }, _) => (Which::First, *ignore_nulls),
            (FrameValue::Last { ignore_nulls }, _) => (Which::Last, *ignore_nulls),
            (FrameValue::Nth { ignore_nulls }, [_, offset]) => (Which::Nth(*offset), *ignore_nulls),
            (FrameValue::Aggregate(function), _) => return aggregate(function, columns, input),
            (FrameValue::Shifted { back, ignore_nulls }, [column, distance, default @ ..]) => {
                return Ok(Function::Shifted {
                    back: *back,
                    ignore_nulls: *ignore_nulls,
                    column: *column,
                    distance: *distance,
                    default: default.first().copied(),
                });
            }
            (FrameValue::Placed(by), buckets) => {
                return Ok(Function::Placed { by: *by, buckets: buckets.first().copied() });
            }
            (FrameValue::Nth { .. } | FrameValue::Shifted { .. }, _) => {
                return internal_err!("nth_value, lag and lead have two arguments");
            }
        };
        let Some(column) = columns.first().copied() else {
            return internal_err!("a value of a frame is one of a column");
        };
        Ok(Function::Value { which, ignore_nulls, column })
    }
}

fn aggregate(function: &Arc<AggregateUDF>, columns: Vec<usize>, input: &DFSchema) -> Result<Function> {
    let argument =
        |index: &usize| -> Arc<dyn PhysicalExpr> { Arc::new(PhysicalColumn::new(input.field(*index).name(), *index)) };
    let arguments = columns.iter().map(argument).collect();
    let function = AggregateExprBuilder::new(Arc::clone(function), arguments)
        .schema(Arc::clone(input.inner()))
        .alias(function.name())
        .build()?;
    Ok(Function::Aggregate { function: Box::new(function), columns })
}

/// Where a row stands.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The row.
    pub(crate) row: usize,
    /// The rows of its frame; none are an empty range.
    pub(crate) frame: Range<usize>,
    /// The rows of its partition.
    pub(crate) partition: Range<usize>,
    /// The rows of its partition that are equal in the order.
    pub(crate) peers: Range<usize>,
    /// How many groups of such rows come before.
    pub(crate) group: usize,
}

impl Place {
    /// A row of which only the frame matters.
    pub(crate) fn in_frame(row: usize, frame: Range<usize>) -> Self {
        Self { row, partition: frame.clone(), peers: frame.clone(), frame, group: 0 }
    }
}

/// A function's values for the rows of an input, one after the other.
pub(crate) struct Evaluation<'a> {
    function: &'a Function,
    input: &'a RecordBatch,
    /// The column whose values are chosen from, if NULLs are left out.
    nulls: Option<NullBuffer>,
    found: Found,
    aggregated: Option<Aggregated>,
}

/// Values that are known and not yet taken.
enum Found {
    /// Rows whose value it is.
    Rows(Vec<Option<u64>>),
    /// The same, and rows whose default it is.
    Shifted(Vec<Option<(bool, usize)>>),
    Integers(Vec<Option<i64>>),
    Doubles(Vec<f64>),
    Scalars(Vec<ScalarValue>),
}

/// An aggregate of rows that the next frame may share.
struct Aggregated {
    accumulator: Box<dyn Accumulator>,
    rows: Range<usize>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(function: &'a Function, input: &'a RecordBatch) -> Self {
        let nulls = match function {
            Function::Value { ignore_nulls: true, column, .. }
            | Function::Shifted { ignore_nulls: true, column, .. } => input.column(*column).logical_nulls(),
            _ => None,
        };
        let found = match function {
            Function::Value { .. } => Found::Rows(Vec::new()),
            Function::Aggregate { .. } => Found::Scalars(Vec::new()),
            Function::Shifted { .. } => Found::Shifted(Vec::new()),
            Function::Placed { by: Placed::PartOfRanks | Placed::PartOfRows, .. } => Found::Doubles(Vec::new()),
            Function::Placed { .. } => Found::Integers(Vec::new()),
        };
        Self { function, input, nulls, found, aggregated: None }
    }

    /// Computes the value of the next row.
    pub(crate) fn add(&mut self, place: &Place) -> Result<()> {
        match (self.function, &mut self.found) {
            (Function::Value { which, .. }, Found::Rows(rows)) => {
                let fits = |row: &usize| self.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
                let mut frame = place.frame.clone();
                let row = match which {
                    Which::First => frame.find(fits),
                    Which::Last => frame.rev().find(fits),
                    Which::Nth(_) if frame.is_empty() => None,
                    Which::Nth(offset) => match (nth(self.input.column(*offset), place.row)?, &self.nulls) {
                        (None, _) => None,
                        (Some(offset), None) => frame.nth(offset),
                        (Some(offset), Some(_)) => frame.filter(fits).nth(offset),
                    },
                };
                rows.push(row.map(|row| row as u64));
            }
            (Function::Aggregate { function, columns }, Found::Scalars(scalars)) => {
                let aggregated = Aggregated::of(self.aggregated.take(), function, columns, self.input, &place.frame)?;
                scalars.push(self.aggregated.insert(aggregated).accumulator.evaluate()?);
            }
            (Function::Shifted { back, distance, default, .. }, Found::Shifted(rows)) => {
                let distance = distance_of(self.input.column(*distance), place.row)?;
                let found = shifted(place, *back, distance, self.nulls.as_ref());
                rows.push(found.map(|row| (false, row)).or_else(|| default.map(|_| (true, place.row))));
            }
            (Function::Placed { by, buckets }, Found::Integers(values)) => {
                let (before, rows) = (place.row - place.partition.start, place.partition.len());
                values.push(match (by, buckets) {
                    (Placed::Rank, _) => Some((place.peers.start - place.partition.start) as i64 + 1),
                    (Placed::Group, _) => Some(place.group as i64 + 1),
                    (Placed::Bucket, Some(buckets)) => bucket(self.input.column(*buckets), place.row, before, rows)?,
                    _ => Some(before as i64 + 1),
                });
            }
            (Function::Placed { by, .. }, Found::Doubles(values)) => {
                let (rows, start) = (place.partition.len(), place.partition.start);
                values.push(match by {
                    Placed::PartOfRanks if rows == 1 => 0.0,
                    Placed::PartOfRanks => (place.peers.start - start) as f64 / (rows - 1) as f64,
                    _ => (place.peers.end - start) as f64 / rows as f64,
                });
            }
            _ => return internal_err!("a function's values are of another kind"),
        }
        Ok(())
    }

    /// The values of the rows since the last time.
    pub(crate) fn take(&mut self) -> Result<ArrayRef> {
        Ok(match (&mut self.found, self.function) {
            (Found::Rows(rows), Function::Value { column, .. }) => {
                take(self.input.column(*column), &UInt64Array::from(std::mem::take(rows)), None)?
            }
            (Found::Shifted(rows), Function::Shifted { column, default, .. }) => {
                let values = self.input.column(*column);
                let null = new_null_array(values.data_type(), 1);
                let defaults = default.map_or(&null, |default| self.input.column(default));
                let places: Vec<(usize, usize)> = std::mem::take(rows)
                    .into_iter()
                    .map(|found| found.map_or((2, 0), |(is_default, row)| (usize::from(is_default), row)))
                    .collect();
                interleave(&[values.as_ref(), defaults.as_ref(), null.as_ref()], &places)?
            }
            (Found::Integers(values), _) => Arc::new(Int64Array::from(std::mem::take(values))),
            (Found::Doubles(values), _) => Arc::new(Float64Array::from(std::mem::take(values))),
            (Found::Scalars(values), _) => ScalarValue::iter_to_array(std::mem::take(values))?,
            _ => return internal_err!("a function's values are of another kind"),
        })
    }
}

impl Aggregated {
    /// The aggregate of a frame's rows: what is known of the last frame goes on where it has the same beginning, or can be
    /// taken back from it.
    fn of(
        known: Option<Self>,
        function: &AggregateFunctionExpr,
        columns: &[usize],
        input: &RecordBatch,
        frame: &Range<usize>,
    ) -> Result<Self> {
        let values = |rows: Range<usize>| -> Vec<ArrayRef> {
            columns.iter().map(|column| input.column(*column).slice(rows.start, rows.len())).collect()
        };
        if let Some(mut known) = known.filter(|known| known.leads_to(frame)) {
            if frame.start > known.rows.start {
                known.accumulator.retract_batch(&values(known.rows.start..frame.start))?;
            }
            if frame.end > known.rows.end {
                known.accumulator.update_batch(&values(known.rows.end..frame.end))?;
            }
            known.rows = frame.clone();
            return Ok(known);
        }
        let mut accumulator = match function.create_sliding_accumulator() {
            Ok(sliding) if sliding.supports_retract_batch() => sliding,
            _ => function.create_accumulator()?,
        };
        if !frame.is_empty() {
            accumulator.update_batch(&values(frame.clone()))?;
        }
        Ok(Self { accumulator, rows: frame.clone() })
    }

    /// Whether less has to be done than for the frame's rows alone.
    fn leads_to(&self, frame: &Range<usize>) -> bool {
        let goes_on = frame.start >= self.rows.start && frame.end >= self.rows.end && !self.rows.is_empty();
        let left = frame.start.saturating_sub(self.rows.start);
        goes_on && (left == 0 || self.accumulator.supports_retract_batch() && left < frame.len() / 2)
    }
}

/// How many values come before the one that a row asks for; none if it asks for none.
fn nth(offsets: &ArrayRef, row: usize) -> Result<Option<usize>> {
    let offsets = offsets.as_primitive::<Int64Type>();
    if offsets.is_null(row) {
        return Ok(None);
    }
    match usize::try_from(offsets.value(row) - 1) {
        Ok(offset) => Ok(Some(offset)),
        Err(_) => invalid("Offset must be at least 1"),
    }
}

fn distance_of(distances: &ArrayRef, row: usize) -> Result<usize> {
    let distances = distances.as_primitive::<Int64Type>();
    match usize::try_from(distances.value(row)) {
        _ if distances.is_null(row) => invalid("Offset must not be null"),
        Ok(distance) => Ok(distance),
        Err(_) => invalid("Offset must be at least 0"),
    }
}

/// The row so far away, if the partition has it. Only rows with a value count, if it is told which these are.
fn shifted(place: &Place, back: bool, distance: usize, nulls: Option<&NullBuffer>) -> Option<usize> {
    let Place { row, partition, .. } = place;
    let fits = |row: &usize| nulls.is_none_or(|nulls| nulls.is_valid(*row));
    match (back, distance.checked_sub(1), nulls) {
        (_, None, _) => Some(*row),
        (true, Some(_), None) => row.checked_sub(distance).filter(|row| *row >= partition.start),
        (false, Some(_), None) => row.checked_add(distance).filter(|row| *row < partition.end),
        (true, Some(before), Some(_)) => (partition.start..*row).rev().filter(fits).nth(before),
        (false, Some(before), Some(_)) => (*row + 1..partition.end).filter(fits).nth(before),
    }
}

/// The bucket of a row with so many rows before it; the first buckets have one row more where they can't be equal.
fn bucket(buckets: &ArrayRef, row: usize, before: usize, rows: usize) -> Result<Option<i64>> {
    let buckets = buckets.as_primitive::<Int64Type>();
    if buckets.is_null(row) {
        return Ok(None);
    }
    let Some(buckets) = usize::try_from(buckets.value(row)).ok().filter(|buckets| *buckets > 0) else {
        return invalid("Buckets must be greater than 0");
    };
    let (size, larger) = (rows / buckets, rows % buckets);
    let in_larger = larger * (size + 1);
    let bucket = if before < in_larger { before / (size + 1) } else { larger + (before - in_larger) / size };
    Ok(Some(bucket as i64 + 1))
}

fn invalid<T>(message: &str) -> Result<T> {
    Err(TrinoError::new(ErrorCode::InvalidFunctionArgument, message).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: usize, rows: usize) -> Place {
        Place { row, frame: 0..rows, partition: 0..rows, peers: row..row + 1, group: row }
    }

    fn values(function: &Function, columns: Vec<(&str, ArrayRef)>) -> Result<ArrayRef> {
        let input = RecordBatch::try_from_iter(columns).unwrap();
        let mut evaluation = Evaluation::new(function, &input);
        for row in 0..input.num_rows() {
            evaluation.add(&place(row, input.num_rows()))?;
        }
        evaluation.take()
    }

    fn integers(values: &[Option<i64>]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    #[test]
    fn rows_are_as_far_away_as_each_row_says() {
        let columns = || {
            vec![
                ("value", integers(&[Some(10), None, Some(30), Some(40)])),
                ("distance", integers(&[Some(0), Some(1), Some(2), Some(5)])),
                ("default", integers(&[Some(-1), Some(-2), Some(-3), Some(-4)])),
            ]
        };
        let lag =
            |ignore_nulls, default| Function::Shifted { back: true, ignore_nulls, column: 0, distance: 1, default };
        assert_eq!(&values(&lag(false, None), columns()).unwrap(), &integers(&[Some(10), Some(10), Some(10), None]));
        assert_eq!(
            &values(&lag(true, Some(2)), columns()).unwrap(),
            &integers(&[Some(10), Some(10), Some(-3), Some(-4)])
        );
        let mut without = columns();
        without[1].1 = integers(&[Some(0), None, Some(2), Some(5)]);
        let error = values(&lag(false, None), without).unwrap_err();
        assert!(error.to_string().contains("Offset must not be null"), "{error}");
    }

    #[test]
    fn buckets_are_as_many_as_each_row_says() {
        let ntile = Function::Placed { by: Placed::Bucket, buckets: Some(0) };
        let buckets = vec![("buckets", integers(&[Some(1), Some(3), None, Some(9), Some(2)]))];
        assert_eq!(&values(&ntile, buckets).unwrap(), &integers(&[Some(1), Some(1), None, Some(4), Some(2)]));
        assert!(values(&ntile, vec![("buckets", integers(&[Some(0)]))]).is_err());
    }
}
