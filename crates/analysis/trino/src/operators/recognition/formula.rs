//! Expressions over the rows of a match. What they take from there are the columns of a table of its own, the slots, with a
//! row for each row that asks.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{AggregateUDF, Expr};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};

use super::navigation::Navigation;
use super::program::Label;

/// Expressions and what they take from a match.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Formulas {
    /// The columns that they are computed from.
    pub(crate) slots: Vec<Slot>,
    /// The expressions over these columns.
    pub(crate) exprs: Vec<Expr>,
}

/// Something that an expression takes from a match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    /// The column's name, used once among the slots.
    pub(crate) name: String,
    /// Its type.
    pub(crate) ty: DataType,
    /// What it is.
    pub(crate) value: Value,
    /// Which row it is taken from.
    pub(crate) navigation: Navigation,
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// A column of the input.
    Column(Column),
    /// The row's label.
    Classifier,
    /// The match's number.
    MatchNumber,
    /// An aggregate over rows of the match.
    Aggregate(Box<Aggregation>),
}

/// An aggregate over the rows of a match that have one of some labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Aggregation {
    /// The function.
    pub(crate) function: Arc<AggregateUDF>,
    /// Its arguments, over columns of their own, which all belong to the row that is aggregated.
    pub(crate) arguments: Formulas,
    /// The labels, sorted; none for all rows.
    pub(crate) labels: Vec<Label>,
    /// Whether rows after the one at hand don't count.
    pub(crate) running: bool,
}

/// Makes physical expressions of logical ones.
pub(super) type Planner<'a> = dyn Fn(&Expr, &DFSchema) -> Result<Arc<dyn PhysicalExpr>> + 'a;

/// [`Formulas`] that can be computed.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) slots: Vec<Source>,
    pub(super) exprs: Vec<Arc<dyn PhysicalExpr>>,
    pub(super) schema: SchemaRef,
}

/// A [`Slot`] whose column is known by its place.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) kind: SourceKind,
    pub(super) navigation: Navigation,
}

#[derive(Debug)]
pub(super) enum SourceKind {
    Column(usize),
    Classifier,
    MatchNumber,
    Aggregate(Arc<Aggregate>),
}

/// An [`Aggregation`] that can be computed.
#[derive(Debug)]
pub(super) struct Aggregate {
    pub(super) function: AggregateFunctionExpr,
    pub(super) arguments: Computed,
    pub(super) labels: Vec<Label>,
    pub(super) running: bool,
}

impl Formulas {
    /// The columns of the input that are needed.
    pub(crate) fn columns(&self) -> Vec<&Column> {
        let columns = self.slots.iter().flat_map(|slot| match &slot.value {
            Value::Column(column) => vec![column],
            Value::Aggregate(aggregation) => aggregation.arguments.columns(),
            Value::Classifier | Value::MatchNumber => Vec::new(),
        });
        columns.collect()
    }

    /// The same over other columns of the input.
    pub(crate) fn renamed(&self, column: &impl Fn(&Column) -> Column) -> Self {
        let slot = |slot: &Slot| {
            let value = match &slot.value {
                Value::Column(known) => Value::Column(column(known)),
                Value::Aggregate(aggregation) => {
                    let arguments = aggregation.arguments.renamed(column);
                    Value::Aggregate(Box::new(Aggregation { arguments, ..aggregation.as_ref().clone() }))
                }
                other => other.clone(),
            };
            Slot { value, ..slot.clone() }
        };
        Self { slots: self.slots.iter().map(slot).collect(), exprs: self.exprs.clone() }
    }

    pub(super) fn plan(&self, input: &DFSchema, planner: &Planner<'_>) -> Result<Computed> {
        let fields: Vec<Field> = self.slots.iter().map(|slot| Field::new(&slot.name, slot.ty.clone(), true)).collect();
        let schema = DFSchema::from_unqualified_fields(fields.into(), Default::default())?;
        let exprs = self.exprs.iter().map(|expr| planner(expr, &schema)).collect::<Result<_>>()?;
        let slots = self.slots.iter().map(|slot| slot.plan(input, planner)).collect::<Result<_>>()?;
        Ok(Computed { slots, exprs, schema: Arc::clone(schema.inner()) })
    }
}

impl Slot {
    fn plan(&self, input: &DFSchema, planner: &Planner<'_>) -> Result<Source> {
        let kind = match &self.value {
            Value::Column(column) => SourceKind::Column(input.index_of_column(column)?),
            Value::Classifier => SourceKind::Classifier,
            Value::MatchNumber => SourceKind::MatchNumber,
            Value::Aggregate(aggregation) => SourceKind::Aggregate(Arc::new(aggregation.plan(input, planner)?)),
        };
        Ok(Source { kind, navigation: self.navigation.clone() })
    }
}

impl Aggregation {
    fn plan(&self, input: &DFSchema, planner: &Planner<'_>) -> Result<Aggregate> {
        let arguments = self.arguments.plan(input, planner)?;
        let function = AggregateExprBuilder::new(Arc::clone(&self.function), arguments.exprs.clone())
            .schema(Arc::clone(&arguments.schema))
            .alias(self.function.name())
            .build()?;
        Ok(Aggregate { function, arguments, labels: self.labels.clone(), running: self.running })
    }
}

impl Computed {
    /// The expressions' values from those of the slots.
    pub(super) fn values(&self, slots: Vec<ArrayRef>, rows: usize) -> Result<Vec<ArrayRef>> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), slots, &options)?;
        self.exprs.iter().map(|expr| expr.evaluate(&batch)?.into_array(rows)).collect()
    }
}

/// The values of slots for rows that ask one after the other, until they are taken all at once.
#[derive(Debug)]
pub(super) enum Gathered {
    Rows(Vec<Option<u64>>),
    Labels(Vec<Option<Label>>),
    Numbers(Vec<Option<i64>>),
    Values(Vec<ScalarValue>),
}

impl Gathered {
    pub(super) fn of(source: &Source) -> Self {
        match source.kind {
            SourceKind::Column(_) => Self::Rows(Vec::new()),
            SourceKind::Classifier => Self::Labels(Vec::new()),
            SourceKind::MatchNumber => Self::Numbers(Vec::new()),
            SourceKind::Aggregate(_) => Self::Values(Vec::new()),
        }
    }

    /// What has been gathered, which is then gone. `ty` is the slot's type.
    pub(super) fn take(
        &mut self,
        source: &Source,
        ty: &DataType,
        input: &RecordBatch,
        names: &[String],
    ) -> Result<ArrayRef> {
        Ok(match self {
            Self::Rows(rows) => {
                let SourceKind::Column(column) = source.kind else {
                    return datafusion::common::internal_err!("rows are gathered for columns only");
                };
                take(input.column(column), &UInt64Array::from(std::mem::take(rows)), None)?
            }
            Self::Labels(labels) => {
                let names = labels.drain(..).map(|label| label.map(|label| names[label as usize].as_str()));
                Arc::new(names.collect::<StringArray>())
            }
            Self::Numbers(numbers) => Arc::new(Int64Array::from(std::mem::take(numbers))),
            Self::Values(values) if values.is_empty() => arrow::array::new_empty_array(ty),
            Self::Values(values) => ScalarValue::iter_to_array(values.drain(..))?,
        })
    }
}

/// An array's only row that is wanted, or NULL.
pub(super) fn one(column: &ArrayRef, row: Option<usize>) -> ArrayRef {
    match row {
        Some(row) => column.slice(row, 1),
        None => arrow::array::new_null_array(column.data_type(), 1),
    }
}

/// The type of a slot.
pub(super) fn field_type(schema: &Schema, index: usize) -> &DataType {
    schema.field(index).data_type()
}
