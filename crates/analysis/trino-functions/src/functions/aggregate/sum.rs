//! Sums and averages of exact numbers: overflow is an error, averages of decimals keep their type and round half up.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Int64Array, PrimitiveArray,
    PrimitiveBuilder,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type};
use datafusion::common::{DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

use super::AggregatePlan;
use super::chunks::Chunks;
use crate::Typed;
use crate::error::TrinoError;
use crate::types::Type;

/// Up to so many groups are met often enough to be worth `LANES` places each.
const FEW: usize = 16;
const LANES: usize = 4;

const WIDE: DataType = DataType::Decimal128(38, 0);

pub(super) fn sum(args: Vec<Typed>, result: &Type) -> Result<AggregatePlan, TrinoError> {
    plan("sum", args, result)
}

pub(super) fn average(args: Vec<Typed>, result: &Type) -> Result<AggregatePlan, TrinoError> {
    plan("avg", args, result)
}

fn plan(name: &'static str, args: Vec<Typed>, result: &Type) -> Result<AggregatePlan, TrinoError> {
    let exact = Exact { name, result: result.clone(), signature: Signature::any(1, Volatility::Immutable) };
    let args = args.into_iter().map(|(expr, _)| expr).collect();
    Ok(AggregatePlan { function: Arc::new(AggregateUDF::new_from_impl(exact)), args, ordered: false })
}

/// Whether a function is the `sum` of bigints.
pub(super) fn is_sum_of_bigints(function: &AggregateUDF) -> bool {
    let exact = function.inner().downcast_ref::<Exact>();
    exact.is_some_and(|exact| exact.name == "sum" && exact.result == Type::Bigint)
}

/// The sum of bigints that no number of them overflows.
pub(super) fn wide_sum() -> Arc<AggregateUDF> {
    let (result, signature) = (Type::Decimal(38, 0), Signature::any(1, Volatility::Immutable));
    Arc::new(AggregateUDF::new_from_impl(Exact { name: "wide_sum", result, signature }))
}

/// `sum` of bigints and decimals, `avg` of decimals.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Exact {
    name: &'static str,
    result: Type,
    signature: Signature,
}

impl AggregateUDFImpl for Exact {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.result.to_arrow())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let groups = Groups::new(self);
        Ok(match args.is_distinct {
            true => Box::new(Distinct { seen: HashSet::new(), groups }),
            false => Box::new(Single(groups)),
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |name: &str, ty: DataType| Arc::new(Field::new(format_state_name(args.name, name), ty, true));
        if args.is_distinct {
            return Ok(vec![field("values", DataType::new_list(WIDE, true))]);
        }
        Ok(vec![field("sum", WIDE), field("count", DataType::Int64)])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(self)))
    }
}

/// The values of a group so far: without the gap that an `i128` would leave.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, packed(8))]
struct Group {
    sum: i128,
    count: i64,
}

/// A sum and a count for each group.
#[derive(Debug)]
struct Groups {
    function: Exact,
    of_bigints: bool,
    groups: Chunks<Group>,
}

impl Groups {
    fn new(function: &Exact) -> Self {
        Self { function: function.clone(), of_bigints: function.result == Type::Bigint, groups: Chunks::new() }
    }

    fn grow(&mut self, groups: usize) {
        self.groups.grow(groups);
    }

    fn add(&mut self, group: usize, value: i128, count: i64) -> Result<()> {
        let group = &mut self.groups[group];
        let known = group.sum;
        let Some(sum) = known.checked_add(value) else { return Err(overflow()) };
        if self.of_bigints && i64::try_from(sum).is_err() {
            let message = format!("bigint addition overflow: {known} + {value}");
            return Err(TrinoError::out_of_range(message).into());
        }
        *group = Group { sum, count: group.count + count };
        Ok(())
    }

    /// Adds the values that the filter lets through.
    fn update(&mut self, values: &ArrayRef, groups: &[usize], filter: Option<&BooleanArray>) -> Result<()> {
        match values.data_type() {
            DataType::Int64 => self.update_with(values.as_primitive::<Int64Type>(), groups, filter),
            _ => self.update_with(values.as_primitive::<Decimal128Type>(), groups, filter),
        }
    }

    fn update_with<T: ArrowPrimitiveType<Native: Into<i128>>>(
        &mut self,
        values: &PrimitiveArray<T>,
        groups: &[usize],
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        if values.null_count() == 0 && filter.is_none() {
            if self.groups.len() <= FEW && !may_overflow(values) {
                return self.update_few(values.values(), groups);
            }
            for (group, value) in groups.iter().zip(values.values().iter()) {
                self.add(*group, (*value).into(), 1)?;
            }
            return Ok(());
        }
        let taken = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        for (row, group) in groups.iter().enumerate() {
            if values.is_valid(row) && taken(row) {
                self.add(*group, values.value(row).into(), 1)?;
            }
        }
        Ok(())
    }

    /// Few groups are met again and again: in turn in four places, so that no addition waits for the one before.
    fn update_few<N: Copy + Into<i128>>(&mut self, values: &[N], groups: &[usize]) -> Result<()> {
        let mut lanes = [[Group::default(); FEW]; LANES];
        let rows = groups.chunks_exact(LANES).zip(values.chunks_exact(LANES));
        for (groups, values) in rows {
            for lane in 0..LANES {
                let group = &mut lanes[lane][groups[lane] % FEW];
                *group = Group { sum: group.sum.wrapping_add(values[lane].into()), count: group.count + 1 };
            }
        }
        let mut totals = [Group::default(); FEW];
        for lane in lanes {
            for (total, found) in totals.iter_mut().zip(lane) {
                *total = Group { sum: total.sum.wrapping_add(found.sum), count: total.count + found.count };
            }
        }
        let too_much = |(known, new): (&Group, &Group)| i64::try_from(known.sum + new.sum).is_err();
        if self.of_bigints && self.groups.iter().zip(&totals).any(too_much) {
            // The value is looked for that makes it so.
            return groups.iter().zip(values).try_for_each(|(group, value)| self.add(*group, (*value).into(), 1));
        }
        for (place, Group { sum, count }) in totals.into_iter().enumerate().filter(|(_, group)| group.count > 0) {
            self.add(place, sum, count)?;
        }
        let done = groups.len() / LANES * LANES;
        for (group, value) in groups[done..].iter().zip(&values[done..]) {
            self.add(*group, (*value).into(), 1)?;
        }
        Ok(())
    }

    /// The sum and the number of all values together.
    fn total(values: &ArrayRef) -> Result<Group> {
        fn of<T: ArrowPrimitiveType<Native: Into<i128>>>(values: &PrimitiveArray<T>) -> Option<i128> {
            if values.null_count() == 0 {
                return values.values().iter().try_fold(0_i128, |sum, value| sum.checked_add((*value).into()));
            }
            values.iter().flatten().try_fold(0_i128, |sum, value| sum.checked_add(value.into()))
        }
        let sum = match values.data_type() {
            DataType::Int64 => of(values.as_primitive::<Int64Type>()),
            _ => of(values.as_primitive::<Decimal128Type>()),
        };
        Ok(Group { sum: sum.ok_or_else(overflow)?, count: (values.len() - values.null_count()) as i64 })
    }

    /// The result of a group; no rows give NULL.
    fn result(&self, Group { sum, count }: Group) -> Result<Option<i128>> {
        let (sum, digits) = match &self.function.result {
            _ if count == 0 => return Ok(None),
            Type::Decimal(precision, _) if self.function.name == "avg" => {
                (round_quotient(sum, count.into()), *precision)
            }
            Type::Decimal(precision, _) => (sum, *precision),
            _ => match i64::try_from(sum) {
                Ok(sum) => return Ok(Some(sum.into())),
                Err(_) => return Err(TrinoError::out_of_range(format!("bigint addition overflow: {sum}")).into()),
            },
        };
        match sum.unsigned_abs() < 10_u128.pow(digits.into()) {
            true => Ok(Some(sum)),
            false => Err(overflow()),
        }
    }

    fn results(&self, count: usize, groups: impl IntoIterator<Item = Group>) -> Result<ArrayRef> {
        fn array<T: ArrowPrimitiveType>(
            count: usize,
            results: impl Iterator<Item = Result<Option<T::Native>>>,
        ) -> Result<PrimitiveArray<T>> {
            let mut array = PrimitiveBuilder::with_capacity(count);
            for result in results {
                array.append_option(result?);
            }
            Ok(array.finish())
        }
        let results = groups.into_iter().map(|group| self.result(group));
        Ok(match &self.function.result {
            Type::Decimal(precision, scale) => {
                let results = array::<Decimal128Type>(count, results)?;
                Arc::new(results.with_precision_and_scale(*precision, *scale as i8)?)
            }
            _ => Arc::new(array::<Int64Type>(count, results.map(|sum| Ok(sum?.map(|sum| sum as i64))))?),
        })
    }
}

/// Whether the sum of an array may have more than 128 bits on the way.
fn may_overflow<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>) -> bool {
    let digits = match values.data_type() {
        DataType::Decimal128(precision, _) => u32::from(*precision),
        _ => 19,
    };
    digits + values.len().checked_ilog10().unwrap_or(0) >= 38
}

/// Half away from zero; the divisor is positive.
fn round_quotient(sum: i128, count: i128) -> i128 {
    let (quotient, rest) = (sum / count, sum % count);
    if rest.abs() >= count - rest.abs() { quotient + sum.signum() } else { quotient }
}

fn overflow() -> DataFusionError {
    TrinoError::out_of_range("Decimal overflow").into()
}

/// Sums travel as wide decimals between the stages.
fn state(groups: &Chunks<Group>) -> Vec<ArrayRef> {
    let (mut sums, mut counts) = (Vec::with_capacity(groups.len()), Vec::with_capacity(groups.len()));
    for Group { sum, count } in groups.iter().copied() {
        sums.push(sum);
        counts.push(count);
    }
    vec![Arc::new(Decimal128Array::from(sums).with_data_type(WIDE)), Arc::new(Int64Array::from(counts))]
}

impl GroupsAccumulator for Groups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        self.update(&values[0], groups, filter)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.groups.take(emit_to);
        self.results(groups.len(), groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(state(&self.groups.take(emit_to)))
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let (sums, counts) = (values[0].as_primitive::<Decimal128Type>(), values[1].as_primitive::<Int64Type>());
        for (row, group) in groups.iter().enumerate() {
            self.add(*group, sums.value(row), counts.value(row))?;
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let mut each = Self::new(&self.function);
        let groups: Vec<_> = (0..values[0].len()).collect();
        each.grow(groups.len());
        each.update(&values[0], &groups, filter)?;
        Ok(state(&each.groups))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.groups.size()
    }
}

/// One group, as windows want it.
#[derive(Debug)]
struct Single(Groups);

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.grow(1);
        let Group { sum, count } = Groups::total(&values[0])?;
        // Where it is too much, the value is looked for that makes it so.
        match self.0.add(0, sum, count) {
            Err(_) => self.0.update(&values[0], &vec![0; values[0].len()], None),
            added => added,
        }
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.grow(1);
        let Group { sum, count } = Groups::total(&values[0])?;
        self.0.add(0, -sum, -count)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.0.grow(1);
        ScalarValue::try_from_array(&self.0.results(1, self.0.groups.iter().copied())?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.grow(1);
        let arrays = state(&self.0.groups);
        arrays.iter().map(|array| ScalarValue::try_from_array(array, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        GroupsAccumulator::merge_batch(&mut self.0, states, &vec![0; states[0].len()], 1)
    }

    fn size(&self) -> usize {
        GroupsAccumulator::size(&self.0)
    }
}

/// One group where every value counts once.
#[derive(Debug)]
struct Distinct {
    seen: HashSet<i128>,
    groups: Groups,
}

impl Distinct {
    fn insert(&mut self, values: &ArrayRef) -> Result<()> {
        let values = match values.data_type() {
            DataType::Int64 => cast(values, &WIDE)?,
            _ => Arc::clone(values),
        };
        self.seen.extend(values.as_primitive::<Decimal128Type>().iter().flatten());
        Ok(())
    }
}

impl Accumulator for Distinct {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.insert(&values[0])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut groups = Groups::new(&self.groups.function);
        groups.grow(1);
        for value in &self.seen {
            groups.add(0, *value, 1)?;
        }
        ScalarValue::try_from_array(&groups.results(1, groups.groups.iter().copied())?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Vec<_> = self.seen.iter().map(|value| ScalarValue::Decimal128(Some(*value), 38, 0)).collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&values, &WIDE))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        (0..lists.len()).filter(|row| lists.is_valid(*row)).try_for_each(|row| self.insert(&lists.value(row)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.seen.capacity() * size_of::<i128>()
    }
}
