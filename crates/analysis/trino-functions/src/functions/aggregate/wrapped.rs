//! Aggregates of DataFusion's with their result converted at the end: to Trino's type, or from all values collected by
//! `array_agg` (which knows ORDER BY and DISTINCT) to a map, a text or a number.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, MapArray, StringArray, StructArray, UInt32Array,
    new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, FieldRef, Float64Type, Int64Type};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions::core::expr_fn::named_struct;
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Expr, Signature, Volatility, lit};

use super::super::{AggregatePlan, Table};
use crate::Typed;
use crate::error::TrinoError;
use crate::types::Type;

/// Turns what the inner aggregate gave into the result.
pub(super) type Finish = fn(&ArrayRef, &Type) -> Result<ArrayRef, TrinoError>;

pub(super) fn register(table: &mut Table) {
    let histogram = "How often each value occurs.";
    table.aggregate("histogram(K) -> map(K, bigint) where K:comparable", histogram, |args, result| {
        collected(histogram_of, args, result)
    });
    table.aggregate("map_agg(K, V) -> map(K, V) where K:comparable", "A map of keys and values.", |args, result| {
        collected(map_of, args, result)
    });
    let multimap = "A map of keys and all their values.";
    table.aggregate("multimap_agg(K, V) -> map(K, array(V)) where K:comparable", multimap, |args, result| {
        collected(multimap_of, args, result)
    });
    let union = "The union of maps; one value is kept for each key.";
    table.aggregate("map_union(map(K, V)) -> map(K, V) where K:comparable", union, |args, result| {
        collected(union_of, args, result)
    });
    let listagg = "The values as one text with a separator between them, in the given order.";
    table.aggregate("listagg(varchar) -> varchar", listagg, list_texts);
    table.aggregate("listagg(varchar, varchar) -> varchar", listagg, list_texts);
    let signature = "listagg(varchar, varchar, varchar, boolean) -> varchar";
    table.aggregate(signature, "The values as one text that is cut off where it would be too long.", |args, result| {
        collected(cut_off, args, result)
    });
    table.aggregate("geometric_mean(double) -> double", "The geometric mean of the values.", |args, result| {
        collected(geometric_mean, args, result)
    });
    table.aggregate("bitwise_and_agg(bigint) -> bigint", "Bitwise AND of all values.", |args, result| {
        collected(|values, _| bits(values, -1, |all, value| all & value), args, result)
    });
    table.aggregate("bitwise_or_agg(bigint) -> bigint", "Bitwise OR of all values.", |args, result| {
        collected(|values, _| bits(values, 0, |all, value| all | value), args, result)
    });
    table.aggregate("bitwise_xor_agg(bigint) -> bigint", "Bitwise XOR of all values.", |args, result| {
        collected(|values, _| bits(values, 0, |all, value| all ^ value), args, result)
    });
}

/// An aggregate whose result is cast to Trino's type.
pub(super) fn retyped(inner: Arc<AggregateUDF>, args: Vec<Typed>, result: &Type) -> Result<AggregatePlan, TrinoError> {
    let convert: Finish = |value, result| Ok(cast(value, &result.to_arrow())?);
    let args = args.into_iter().map(|(expr, _)| expr).collect();
    Ok(AggregatePlan { function: wrapped(inner, convert, result), args, ordered: false })
}

/// An aggregate of intervals' numbers, whose result becomes an interval again.
pub(super) fn interval(whole: AggregatePlan, result: &Type) -> AggregatePlan {
    let finish: Finish = |value, result| {
        let whole = crate::cast::cast_array(value, &number_type(value.data_type()), &Type::Bigint)?;
        let first = if result == &Type::IntervalYearMonth { DataType::Int32 } else { DataType::Int64 };
        Ok(cast(&cast(&whole, &first)?, &result.to_arrow())?)
    };
    AggregatePlan { function: wrapped(whole.function, finish, result), ..whole }
}

fn number_type(ty: &DataType) -> Type {
    if ty == &DataType::Float64 { Type::Double } else { Type::Bigint }
}

/// An aggregate over all rows' arguments, which are collected as rows of their own.
pub(super) fn collected(finish: Finish, args: Vec<Typed>, result: &Type) -> Result<AggregatePlan, TrinoError> {
    let members = args.into_iter().enumerate().flat_map(|(index, (expr, _))| [lit(format!("c{index}")), expr]);
    let row: Expr = named_struct(members.collect());
    Ok(AggregatePlan { function: wrapped(array_agg_udaf(), finish, result), args: vec![row], ordered: true })
}

fn list_texts(mut args: Vec<Typed>, result: &Type) -> Result<AggregatePlan, TrinoError> {
    if args.len() == 1 {
        args.push((lit(""), Type::VARCHAR));
    }
    collected(joined, args, result)
}

fn wrapped(inner: Arc<AggregateUDF>, finish: Finish, result: &Type) -> Arc<AggregateUDF> {
    let signature = Signature::variadic_any(Volatility::Immutable);
    let name = inner.name().to_owned();
    Arc::new(AggregateUDF::new_from_impl(Wrapped { name, inner, finish, result: result.clone(), signature }))
}

/// The function under the name that it is called by: DataFusion tells aggregates over the same arguments apart by names.
pub(crate) fn named(function: Arc<AggregateUDF>, name: &str) -> Arc<AggregateUDF> {
    match function.inner().downcast_ref::<Wrapped>() {
        Some(wrapped) => Arc::new(AggregateUDF::new_from_impl(Wrapped { name: name.to_owned(), ..wrapped.clone() })),
        None => function,
    }
}

#[derive(Debug, Clone)]
struct Wrapped {
    name: String,
    inner: Arc<AggregateUDF>,
    finish: Finish,
    result: Type,
    signature: Signature,
}

impl PartialEq for Wrapped {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.inner == other.inner
            && self.result == other.result
            && std::ptr::fn_addr_eq(self.finish, other.finish)
    }
}

impl Eq for Wrapped {}

impl Hash for Wrapped {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, &self.inner, &self.result).hash(state);
    }
}

impl Wrapped {
    /// What the inner aggregate promises to give.
    fn inner_args<'a>(&self, args: AccumulatorArgs<'a>) -> Result<AccumulatorArgs<'a>> {
        Ok(AccumulatorArgs { return_field: self.inner.return_field(args.expr_fields)?, ..args })
    }
}

impl AggregateUDFImpl for Wrapped {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.to_arrow())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let inner = self.inner.accumulator(self.inner_args(args)?)?;
        Ok(Box::new(Finishing { inner, finish: self.finish, result: self.result.clone(), bytes: 0 }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let inner = self.inner.create_sliding_accumulator(self.inner_args(args)?)?;
        Ok(Box::new(Finishing { inner, finish: self.finish, result: self.result.clone(), bytes: 0 }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let return_field = self.inner.return_field(args.input_fields)?;
        self.inner.state_fields(StateFieldsArgs { return_field, ..args })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner.order_sensitivity()
    }

    fn with_beneficial_ordering(self: Arc<Self>, ordered: bool) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let inner = self.inner.as_ref().clone().with_beneficial_ordering(ordered)?;
        Ok(inner.map(|inner| -> Arc<dyn AggregateUDFImpl> {
            Arc::new(Self { inner: Arc::new(inner), ..self.as_ref().clone() })
        }))
    }
}

#[derive(Debug)]
struct Finishing {
    inner: Box<dyn Accumulator>,
    finish: Finish,
    result: Type,
    /// What all values took that came in.
    bytes: usize,
}

impl Finishing {
    fn count(&mut self, values: &[ArrayRef]) -> Result<()> {
        for values in values {
            self.bytes += values.to_data().get_slice_memory_size()?;
        }
        Ok(())
    }
}

impl Accumulator for Finishing {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count(values)?;
        self.inner.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = self.inner.evaluate()?;
        let finished = match &value {
            ScalarValue::List(list) if list.is_null(0) => new_null_array(&self.result.to_arrow(), 1),
            ScalarValue::List(list) => (self.finish)(&list.value(0), &self.result)?,
            _ => (self.finish)(&value.to_array()?, &self.result)?,
        };
        ScalarValue::try_from_array(&finished, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.count(states)?;
        self.inner.merge_batch(states)
    }

    /// Values that are kept in an order count the batch that they came from each time; they take no more than came in,
    /// with something for each of them.
    fn size(&self) -> usize {
        size_of::<Self>() + self.inner.size().min(self.bytes.saturating_mul(4))
    }
}

/// The positions of each different value that isn't NULL, in the order of its first occurrence.
fn groups(values: &ArrayRef) -> Result<Vec<Vec<u32>>, TrinoError> {
    let converter = RowConverter::new(vec![SortField::new(values.data_type().clone())])?;
    let rows = converter.convert_columns(&[Arc::clone(values)])?;
    let mut numbers = BTreeMap::new();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    let nulls = values.logical_nulls();
    let valid = |position: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(position));
    for (position, row) in rows.iter().enumerate().filter(|(position, _)| valid(*position)) {
        let number = *numbers.entry(row.as_ref().to_vec()).or_insert(groups.len());
        if number == groups.len() {
            groups.push(Vec::new());
        }
        groups[number].push(position as u32);
    }
    Ok(groups)
}

/// One map; no entries at all mean no rows that counted, which is NULL.
fn one_map(keys: ArrayRef, values: ArrayRef, result: &Type) -> Result<ArrayRef, TrinoError> {
    let DataType::Map(entries, _) = result.to_arrow() else { return Err(TrinoError::internal("not a map")) };
    let DataType::Struct(fields) = entries.data_type() else { return Err(TrinoError::internal("not a map")) };
    if keys.is_empty() {
        return Ok(new_null_array(&result.to_arrow(), 1));
    }
    let offsets = OffsetBuffer::from_lengths([keys.len()]);
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(entries, offsets, pairs, None, false)?))
}

fn first_of(groups: &[Vec<u32>]) -> UInt32Array {
    groups.iter().filter_map(|group| group.first().copied()).map(Some).collect()
}

fn histogram_of(rows: &ArrayRef, result: &Type) -> Result<ArrayRef, TrinoError> {
    let values = rows.as_struct().column(0);
    let groups = groups(values)?;
    let counts = Int64Array::from_iter_values(groups.iter().map(|group| group.len() as i64));
    one_map(take(values, &first_of(&groups), None)?, Arc::new(counts), result)
}

fn map_of(rows: &ArrayRef, result: &Type) -> Result<ArrayRef, TrinoError> {
    let (keys, values) = (rows.as_struct().column(0), rows.as_struct().column(1));
    let first = first_of(&groups(keys)?);
    one_map(take(keys, &first, None)?, take(values, &first, None)?, result)
}

fn multimap_of(rows: &ArrayRef, result: &Type) -> Result<ArrayRef, TrinoError> {
    let (keys, values) = (rows.as_struct().column(0), rows.as_struct().column(1));
    let groups = groups(keys)?;
    let order: UInt32Array = groups.iter().flatten().copied().map(Some).collect();
    let Type::Map(_, lists) = result else { return Err(TrinoError::internal("not a map")) };
    let DataType::List(field) = lists.to_arrow() else { return Err(TrinoError::internal("not a list")) };
    let offsets = OffsetBuffer::from_lengths(groups.iter().map(Vec::len));
    let lists = ListArray::try_new(field, offsets, take(values, &order, None)?, None)?;
    one_map(take(keys, &first_of(&groups), None)?, Arc::new(lists), result)
}

fn union_of(rows: &ArrayRef, result: &Type) -> Result<ArrayRef, TrinoError> {
    let maps = rows.as_struct().column(0).as_map();
    let present: Vec<_> = (0..maps.len()).filter(|row| maps.is_valid(*row)).map(|row| maps.value(row)).collect();
    if present.is_empty() {
        return Ok(new_null_array(&result.to_arrow(), 1));
    }
    let column = |index: usize| {
        let parts: Vec<&dyn Array> = present.iter().map(|entries| entries.column(index).as_ref()).collect();
        concat(&parts)
    };
    let (keys, values) = (column(0)?, column(1)?);
    let first = first_of(&groups(&keys)?);
    one_map(take(&keys, &first, None)?, take(&values, &first, None)?, result)
}

/// The longest text that `listagg` makes, in bytes.
const LONGEST_TEXT: usize = 1_048_576;

fn joined(rows: &ArrayRef, _: &Type) -> Result<ArrayRef, TrinoError> {
    let (out, left) = join(rows);
    if left > 0 {
        return Err(TrinoError::invalid(format!(
            "Concatenated string has the length in bytes larger than the maximum output length {LONGEST_TEXT}",
        )));
    }
    Ok(Arc::new(StringArray::from(vec![out])))
}

/// The third column stands in for what is left out, the fourth says whether its number follows.
fn cut_off(rows: &ArrayRef, _: &Type) -> Result<ArrayRef, TrinoError> {
    let (mut out, left) = join(rows);
    if let Some(out) = out.as_mut().filter(|_| left > 0) {
        let columns = rows.as_struct();
        out.push_str(columns.column(1).as_string::<i32>().value(0));
        out.push_str(columns.column(2).as_string::<i32>().value(0));
        if columns.column(3).as_boolean().value(0) {
            out.push_str(&format!("({left})"));
        }
    }
    Ok(Arc::new(StringArray::from(vec![out])))
}

/// As many values as the longest text holds, and how many are left; no text without values.
fn join(rows: &ArrayRef) -> (Option<String>, usize) {
    let texts = rows.as_struct().column(0).as_string::<i32>();
    let separators = rows.as_struct().column(1).as_string::<i32>();
    let (mut out, mut left): (Option<String>, _) = (None, 0);
    for (text, separator) in texts.iter().zip(separators.iter()) {
        let (Some(text), separator) = (text, separator.unwrap_or_default()) else { continue };
        match &mut out {
            Some(out) if left > 0 || out.len() + separator.len() + text.len() > LONGEST_TEXT => left += 1,
            Some(out) => {
                out.push_str(separator);
                out.push_str(text);
            }
            None if text.len() > LONGEST_TEXT => {
                out = Some(String::new());
                left += 1;
            }
            None => out = Some(text.to_owned()),
        }
    }
    (out, left)
}

fn geometric_mean(rows: &ArrayRef, _: &Type) -> Result<ArrayRef, TrinoError> {
    let values = rows.as_struct().column(0).as_primitive::<Float64Type>();
    let count = values.iter().flatten().count();
    let mean = (values.iter().flatten().map(f64::ln).sum::<f64>() / count as f64).exp();
    Ok(Arc::new(Float64Array::from(vec![(count > 0).then_some(mean)])))
}

fn bits(rows: &ArrayRef, start: i64, combine: fn(i64, i64) -> i64) -> Result<ArrayRef, TrinoError> {
    let values = rows.as_struct().column(0).as_primitive::<Int64Type>();
    let some = values.null_count() < values.len();
    Ok(Arc::new(Int64Array::from(vec![some.then(|| values.iter().flatten().fold(start, combine))])))
}
