//! Functions over the rows of a frame that was reduced to a match.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::Int64Type;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;
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

/// What is made of a frame's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum FrameValue {
    /// The first value.
    First {
        /// Whether it is the first one that is there.
        ignore_nulls: bool,
    },
    /// The last value.
    Last {
        /// Whether it is the last one that is there.
        ignore_nulls: bool,
    },
    /// The n-th value; n is the second argument.
    Nth {
        /// Whether only those that are there count.
        ignore_nulls: bool,
    },
    /// An aggregate.
    Aggregate(Arc<AggregateUDF>),
}

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

/// A [`FrameFunction`] that can be computed.
#[derive(Debug)]
pub(super) enum Function {
    /// A value of the frame.
    Value { which: Which, ignore_nulls: bool, column: usize },
    /// An aggregate of columns.
    Aggregate { function: Box<AggregateFunctionExpr>, columns: Vec<usize> },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    First,
    Last,
    /// The column that says which.
    Nth(usize),
}

impl FrameFunction {
    pub(super) fn plan(&self, input: &DFSchema) -> Result<Function> {
        let columns = self.arguments.iter().map(|column| input.index_of_column(column)).collect::<Result<Vec<_>>>()?;
        let (which, ignore_nulls) = match (&self.value, columns.get(1)) {
            (FrameValue::First { ignore_nulls }, _) => (Which::First, *ignore_nulls),
            (FrameValue::Last { ignore_nulls }, _) => (Which::Last, *ignore_nulls),
            (FrameValue::Nth { ignore_nulls }, Some(offset)) => (Which::Nth(*offset), *ignore_nulls),
            (FrameValue::Nth { .. }, None) => return datafusion::common::internal_err!("nth_value has two arguments"),
            (FrameValue::Aggregate(function), _) => return aggregate(function, columns, input),
        };
        let Some(column) = columns.first().copied() else {
            return datafusion::common::internal_err!("a value of a frame is one of a column");
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

impl Function {
    /// The values for rows from `first` on, each with the rows of its match; none are an empty range.
    pub(super) fn values(&self, input: &RecordBatch, first: usize, frames: &[Range<usize>]) -> Result<ArrayRef> {
        match self {
            Self::Value { which, ignore_nulls, column } => {
                let column = input.column(*column);
                let nulls = if *ignore_nulls { column.logical_nulls() } else { None };
                let fits = |row: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
                let place = |(index, frame): (usize, &Range<usize>)| -> Result<Option<u64>> {
                    let row = match which {
                        Which::First => frame.clone().find(fits),
                        Which::Last => frame.clone().rev().find(fits),
                        Which::Nth(_) if frame.is_empty() => None,
                        Which::Nth(offset) => match nth(input.column(*offset), first + index)? {
                            Some(offset) => frame.clone().filter(fits).nth(offset),
                            None => None,
                        },
                    };
                    Ok(row.map(|row| row as u64))
                };
                let rows = frames.iter().enumerate().map(place).collect::<Result<Vec<_>>>()?;
                Ok(take(column, &UInt64Array::from(rows), None)?)
            }
            Self::Aggregate { function, columns } => {
                let columns: Vec<ArrayRef> = columns.iter().map(|column| Arc::clone(input.column(*column))).collect();
                let values = frames.iter().map(|frame| aggregated(function, &columns, frame));
                ScalarValue::iter_to_array(values.collect::<Result<Vec<_>>>()?)
            }
        }
    }
}

fn aggregated(function: &AggregateFunctionExpr, columns: &[ArrayRef], frame: &Range<usize>) -> Result<ScalarValue> {
    let mut accumulator = function.create_accumulator()?;
    if !frame.is_empty() {
        let values: Vec<ArrayRef> = columns.iter().map(|column| column.slice(frame.start, frame.len())).collect();
        accumulator.update_batch(&values)?;
    }
    accumulator.evaluate()
}

/// How many values come before the one that a row asks for; none if it asks for none.
fn nth(offsets: &ArrayRef, row: usize) -> Result<Option<usize>> {
    let offsets = offsets.as_primitive::<Int64Type>();
    if offsets.is_null(row) {
        return Ok(None);
    }
    match usize::try_from(offsets.value(row) - 1) {
        Ok(offset) => Ok(Some(offset)),
        Err(_) => Err(TrinoError::new(ErrorCode::InvalidFunctionArgument, "Offset must be at least 1").into()),
    }
}

impl Framed {
    /// The end of a row's frame in its partition.
    pub(super) fn end(&self, input: &RecordBatch, row: usize, partition: &Range<usize>) -> Result<usize> {
        if self.only_row {
            return Ok(row + 1);
        }
        let Some(column) = self.end else { return Ok(partition.end) };
        let distances = input.column(column).as_primitive::<Int64Type>();
        match usize::try_from(distances.value(row)) {
            Ok(distance) if distances.is_valid(row) => {
                Ok(partition.end.min(row.saturating_add(distance).saturating_add(1)))
            }
            _ => {
                let message = "Window frame offset value must not be negative or null";
                Err(TrinoError::new(ErrorCode::InvalidWindowFrame, message).into())
            }
        }
    }
}
