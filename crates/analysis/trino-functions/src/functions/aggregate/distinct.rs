//! `count(DISTINCT text)` of many groups: one table for the texts of all groups, and one for which group has which of them.
//!
//! DataFusion has this for whole numbers. For texts it keeps a table for each group, which takes a multiple of the time where
//! groups are many.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, UInt32Array, new_empty_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{HashSet, Result, ScalarValue, resources_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature,
};
use datafusion::physical_expr_common::binary_map::{ArrowBytesMap, OutputType};

/// How many bytes of texts a table may hold, so that offsets of 32 bits reach all of them.
const MOST_BYTES: usize = 1 << 30;

/// What counts with DISTINCT: the same function, faster for texts.
pub(crate) fn distinct(function: Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    match function.name() {
        "count" => Arc::new(AggregateUDF::new_from_impl(DistinctCount(function))),
        _ => function,
    }
}

/// DataFusion's `count` with an accumulator for texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct DistinctCount(Arc<AggregateUDF>);

impl DistinctCount {
    fn counts_texts(args: &AccumulatorArgs<'_>) -> bool {
        args.is_distinct && args.expr_fields.len() == 1 && args.expr_fields[0].data_type() == &DataType::Utf8
    }
}

impl AggregateUDFImpl for DistinctCount {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.0.return_type(types)
    }

    fn is_nullable(&self) -> bool {
        self.0.is_nullable()
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.accumulator(args)
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.0.create_sliding_accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.0.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        Self::counts_texts(&args) || self.0.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        match Self::counts_texts(&args) {
            true => Ok(Box::new(DistinctTexts::default())),
            false => self.0.create_groups_accumulator(args),
        }
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn default_value(&self, ty: &DataType) -> Result<ScalarValue> {
        self.0.default_value(ty)
    }
}

/// The texts of all groups.
#[derive(Default)]
struct DistinctTexts {
    texts: Texts,
    /// Which group has which text: the group's number above the text's.
    seen: HashSet<u64>,
    counts: Vec<i64>,
}

/// Texts, each with a number in the order of their first occurrence.
struct Texts {
    numbers: ArrowBytesMap<i32, u32>,
    next: u32,
    bytes: usize,
}

impl Default for Texts {
    fn default() -> Self {
        Self { numbers: ArrowBytesMap::new(OutputType::Utf8), next: 0, bytes: 0 }
    }
}

impl Texts {
    /// The number of each of the texts; NULL has one too.
    fn numbers_of(&mut self, texts: &ArrayRef) -> Result<Vec<u32>> {
        let strings = texts.as_string::<i32>();
        let offsets = strings.value_offsets();
        let more = offsets[offsets.len() - 1] - offsets[0];
        if self.bytes + more.unsigned_abs() as usize > MOST_BYTES {
            return resources_err!("count(DISTINCT) has more than {MOST_BYTES} bytes of different texts");
        }
        let (next, bytes) = (&mut self.next, &mut self.bytes);
        let mut numbers = Vec::with_capacity(texts.len());
        let make = |text: Option<&[u8]>| {
            *next += 1;
            *bytes += text.map_or(0, <[u8]>::len);
            *next - 1
        };
        self.numbers.insert_if_new(texts, make, |number| numbers.push(number));
        Ok(numbers)
    }

    /// All texts in the order of their numbers; none are left.
    fn take(&mut self) -> ArrayRef {
        std::mem::take(self).numbers.into_state()
    }
}

impl fmt::Debug for DistinctTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DistinctTexts").field("texts", &self.texts.next).field("groups", &self.counts.len()).finish()
    }
}

fn pair(group: usize, text: u32) -> u64 {
    ((group as u64) << 32) | u64::from(text)
}

fn group_of(pair: u64) -> usize {
    (pair >> 32) as usize
}

impl DistinctTexts {
    fn insert(&mut self, group: usize, text: u32) {
        if self.seen.insert(pair(group, text)) {
            self.counts[group] += 1;
        }
    }

    fn grow(&mut self, groups: usize) {
        self.counts.resize(groups.max(self.counts.len()), 0);
    }

    /// Takes out the pairs of the first groups; what stays belongs to the others, which are counted anew from zero.
    fn take_pairs(&mut self, groups: usize) -> Vec<u64> {
        let (taken, rest): (Vec<u64>, Vec<u64>) = self.seen.drain().partition(|pair| group_of(*pair) < groups);
        self.seen.extend(rest.into_iter().map(|pair| pair - ((groups as u64) << 32)));
        taken
    }

    /// The texts of pairs as a list for each group, which has so many of them.
    fn lists(pairs: &[u64], counts: &[i64], texts: &ArrayRef) -> Result<ArrayRef> {
        let offsets = OffsetBuffer::<i32>::from_lengths(counts.iter().map(|count| *count as usize));
        let mut places: Vec<i32> = offsets.to_vec();
        let mut numbers = vec![0_u32; pairs.len()];
        for pair in pairs {
            let place = &mut places[group_of(*pair)];
            numbers[*place as usize] = *pair as u32;
            *place += 1;
        }
        let values = match numbers.is_empty() {
            true => new_empty_array(&DataType::Utf8),
            false => take(texts, &UInt32Array::from(numbers), None)?,
        };
        let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
        Ok(Arc::new(ListArray::try_new(field, offsets, values, None)?))
    }
}

impl GroupsAccumulator for DistinctTexts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.grow(total);
        let numbers = self.texts.numbers_of(&values[0])?;
        let counts = |row: usize| {
            values[0].is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
        };
        for (row, (group, number)) in groups.iter().zip(numbers).enumerate() {
            if counts(row) {
                self.insert(*group, number);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let counts = emit_to.take_needed(&mut self.counts);
        self.take_pairs(counts.len());
        if self.counts.is_empty() {
            self.texts.take();
        }
        Ok(Arc::new(Int64Array::from(counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let counts = emit_to.take_needed(&mut self.counts);
        let pairs = self.take_pairs(counts.len());
        let texts = self.texts.take();
        if !self.counts.is_empty() {
            // They get the same numbers again.
            self.texts.numbers_of(&texts)?;
        }
        Ok(vec![Self::lists(&pairs, &counts, &texts)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.grow(total);
        let lists = values[0].as_list::<i32>();
        let numbers = self.texts.numbers_of(lists.values())?;
        for (row, group) in groups.iter().enumerate() {
            let (from, to) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
            for place in (from..to).filter(|place| lists.is_valid(row) && lists.values().is_valid(*place)) {
                self.insert(*group, numbers[place]);
            }
        }
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let counts = |row: &usize| {
            values[0].is_valid(*row) && filter.is_none_or(|filter| filter.is_valid(*row) && filter.value(*row))
        };
        let rows: Vec<u32> = (0..values[0].len()).filter(counts).map(|row| row as u32).collect();
        let lengths = (0..values[0].len()).map(|row| usize::from(counts(&row)));
        let field = Arc::new(Field::new_list_field(DataType::Utf8, true));
        let texts = take(&values[0], &UInt32Array::from(rows), None)?;
        Ok(vec![Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), texts, None)?)])
    }

    fn size(&self) -> usize {
        let pairs = self.seen.capacity() * (size_of::<u64>() + 1);
        size_of::<Self>() + self.texts.numbers.size() + pairs + self.counts.capacity() * size_of::<i64>()
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::*;

    fn texts(values: &[Option<&str>]) -> Vec<ArrayRef> {
        vec![Arc::new(StringArray::from(values.to_vec()))]
    }

    fn counts(accumulator: &mut DistinctTexts, emit_to: EmitTo) -> Vec<i64> {
        accumulator.evaluate(emit_to).unwrap().as_primitive::<arrow::datatypes::Int64Type>().values().to_vec()
    }

    #[test]
    fn each_group_counts_its_texts_once() {
        let mut accumulator = DistinctTexts::default();
        let values = texts(&[Some("a"), Some("b"), None, Some("a"), Some("a"), Some("")]);
        accumulator.update_batch(&values, &[0, 0, 0, 0, 2, 2], None, 4).unwrap();
        let filter = BooleanArray::from(vec![Some(false), None, Some(true)]);
        accumulator.update_batch(&texts(&[Some("x"), Some("y"), Some("z")]), &[1, 1, 3], Some(&filter), 4).unwrap();
        assert_eq!(counts(&mut accumulator, EmitTo::First(1)), [2]);
        accumulator.update_batch(&texts(&[Some("a"), Some("c")]), &[1, 1], None, 3).unwrap();
        assert_eq!(counts(&mut accumulator, EmitTo::All), [0, 3, 1]);
        assert_eq!(counts(&mut accumulator, EmitTo::All), [0_i64; 0]);
    }

    #[test]
    fn states_are_merged() {
        let mut first = DistinctTexts::default();
        first.update_batch(&texts(&[Some("a"), Some("b"), Some("a"), None]), &[0, 1, 1, 2], None, 3).unwrap();
        let one = first.state(EmitTo::First(1)).unwrap();
        let rest = first.state(EmitTo::All).unwrap();
        let single = first.convert_to_state(&texts(&[Some("b"), None, Some("c")]), None).unwrap();
        let mut merged = DistinctTexts::default();
        merged.merge_batch(&one, &[0], 1).unwrap();
        merged.merge_batch(&rest, &[1, 2], 3).unwrap();
        merged.merge_batch(&single, &[1, 1, 2], 3).unwrap();
        assert_eq!(counts(&mut merged, EmitTo::All), [1, 2, 1]);
        assert_eq!(rest[0].as_list::<i32>().value_offsets(), [0, 2, 2]);
        assert!(first.state(EmitTo::All).unwrap()[0].is_empty());
    }
}
