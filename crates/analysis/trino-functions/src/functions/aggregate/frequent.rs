//! Histograms of limited size: `numeric_histogram` and `approx_most_frequent`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, Float32Array, Float64Array, Int64Array, StringArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::super::Table;
use super::super::sketch::{Reader, Writer};
use super::super::support::map;
use super::fold::{Fold, folded};
use crate::error::TrinoError;
use crate::types::Type;

pub(super) fn register(table: &mut Table) {
    let histogram = "The values' distribution in so many buckets: the mean of each with its weight.";
    for signature in [
        "numeric_histogram(bigint, double) -> map(double, double)",
        "numeric_histogram(bigint, double, double) -> map(double, double)",
        "numeric_histogram(bigint, real) -> map(real, real)",
        "numeric_histogram(bigint, real, double) -> map(real, real)",
    ] {
        table.aggregate(signature, histogram, |args, result| {
            Ok(folded("numeric_histogram", |_| Box::new(Histogram::default()), args, result))
        });
    }
    let frequent = "The most frequent values with about how often each occurs: buckets, value, capacity.";
    table.aggregate("approx_most_frequent(bigint, bigint, bigint) -> map(bigint, bigint)", frequent, |args, result| {
        Ok(folded("approx_most_frequent", |_| Box::new(Frequent::<i64>::default()), args, result))
    });
    table.aggregate(
        "approx_most_frequent(bigint, varchar, bigint) -> map(varchar, bigint)",
        frequent,
        |args, result| Ok(folded("approx_most_frequent", |_| Box::new(Frequent::<String>::default()), args, result)),
    );
}

/// The first value of an argument that is the same for all rows.
fn constant<T: ArrowPrimitiveType>(array: &ArrayRef) -> Option<T::Native> {
    let values = array.as_primitive::<T>();
    (!values.is_empty() && values.is_valid(0)).then(|| values.value(0))
}

/// How many values wait for the next merging of buckets.
const PENDING: usize = 1_000;

/// Means with weights, the nearest of which merge where there are too many.
#[derive(Debug, Default)]
struct Histogram {
    buckets: usize,
    entries: Vec<(f64, f64)>,
}

impl Histogram {
    fn push(&mut self, value: f64, weight: f64) {
        self.entries.push((value, weight));
        if self.entries.len() >= self.buckets + PENDING {
            self.shrink();
        }
    }

    /// Merges equal values, then the pair that costs the least, until few enough are left.
    fn shrink(&mut self) {
        self.entries.sort_by(|one, other| one.0.total_cmp(&other.0));
        self.entries.dedup_by(|next, kept| {
            let equal = next.0 == kept.0;
            kept.1 += if equal { next.1 } else { 0.0 };
            equal
        });
        while self.entries.len() > self.buckets {
            let cost =
                |pair: &[(f64, f64)]| (pair[1].0 - pair[0].0).powi(2) * pair[0].1 * pair[1].1 / (pair[0].1 + pair[1].1);
            let costs = self.entries.windows(2).map(cost).enumerate();
            let Some((at, _)) = costs.min_by(|one, other| one.1.total_cmp(&other.1)) else { return };
            let (right, left) = (self.entries.remove(at + 1), self.entries[at]);
            let weight = left.1 + right.1;
            self.entries[at] = ((left.0 * left.1 + right.0 * right.1) / weight, weight);
        }
    }
}

impl Fold for Histogram {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        if let Some(buckets) = constant::<Int64Type>(&args[0]) {
            if buckets < 2 {
                return Err(TrinoError::invalid("numeric_histogram bucket count must be greater than one"));
            }
            self.buckets = usize::try_from(buckets).unwrap_or(usize::MAX).min(1_000_000);
        }
        let values = cast(&args[1], &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let weights = args.get(2).map(|weights| weights.as_primitive::<Float64Type>());
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            match weights {
                Some(weights) if weights.is_null(row) => {}
                weights => self.push(values.value(row), weights.map_or(1.0, |weights| weights.value(row))),
            }
        }
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.word(self.buckets as u64);
        for (value, weight) in &self.entries {
            out.double(*value);
            out.double(*weight);
        }
        out.0
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        let mut reader = Reader(saved);
        self.buckets = self.buckets.max(reader.word().unwrap_or_default() as usize);
        while let Some((value, weight)) = reader.double().zip(reader.double()) {
            self.push(value, weight);
        }
        Ok(())
    }

    fn finish(&mut self, result: &Type) -> Result<ArrayRef, TrinoError> {
        self.shrink();
        if self.entries.is_empty() {
            return Ok(new_null_array(&result.to_arrow(), 1));
        }
        let (means, weights): (Vec<f64>, Vec<f64>) = self.entries.iter().copied().unzip();
        let count = means.len();
        let numbers = |values: Vec<f64>| -> ArrayRef {
            match result {
                Type::Map(key, _) if **key == Type::Real => {
                    Arc::new(values.into_iter().map(|value| value as f32).collect::<Float32Array>())
                }
                _ => Arc::new(Float64Array::from(values)),
            }
        };
        map(numbers(means), numbers(weights), vec![count], None)
    }

    fn size(&self) -> usize {
        self.entries.capacity() * size_of::<(f64, f64)>()
    }
}

/// What `approx_most_frequent` counts.
trait Counted: Clone + Eq + Ord + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static {
    fn read(array: &ArrayRef, row: usize) -> Self;
    fn column(values: Vec<Self>) -> ArrayRef;
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

impl Counted for i64 {
    fn read(array: &ArrayRef, row: usize) -> Self {
        array.as_primitive::<Int64Type>().value(row)
    }

    fn column(values: Vec<Self>) -> ArrayRef {
        Arc::new(Int64Array::from(values))
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::from_le_bytes)
    }
}

impl Counted for String {
    fn read(array: &ArrayRef, row: usize) -> Self {
        array.as_string::<i32>().value(row).to_owned()
    }

    fn column(values: Vec<Self>) -> ArrayRef {
        Arc::new(StringArray::from(values))
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::from_utf8(bytes.to_vec()).ok()
    }
}

/// Counters of values; a new value beyond the capacity takes the place, and the count, of the rarest.
#[derive(Debug)]
struct Frequent<T> {
    buckets: usize,
    capacity: usize,
    counts: HashMap<T, i64>,
}

impl<T> Default for Frequent<T> {
    fn default() -> Self {
        Self { buckets: 0, capacity: 0, counts: HashMap::new() }
    }
}

impl<T: Counted> Frequent<T> {
    fn add(&mut self, value: T, times: i64) {
        if let Some(count) = self.counts.get_mut(&value) {
            *count += times;
            return;
        }
        let mut before = 0;
        if self.counts.len() >= self.capacity {
            let rarest = self.counts.iter().min_by_key(|(value, count)| (**count, *value));
            if let Some((rarest, count)) = rarest.map(|(value, count)| (value.clone(), *count)) {
                self.counts.remove(&rarest);
                before = count;
            }
        }
        self.counts.insert(value, before + times);
    }
}

impl<T: Counted> Fold for Frequent<T> {
    fn update(&mut self, args: &[ArrayRef]) -> Result<(), TrinoError> {
        let (Some(buckets), Some(capacity)) = (constant::<Int64Type>(&args[0]), constant::<Int64Type>(&args[2])) else {
            return Ok(());
        };
        if buckets < 2 {
            return Err(TrinoError::invalid("approx_most_frequent bucket count must be greater than one"));
        }
        if capacity < 1 {
            return Err(TrinoError::invalid("approx_most_frequent capacity must be positive"));
        }
        (self.buckets, self.capacity) = (buckets as usize, capacity as usize);
        for row in (0..args[1].len()).filter(|row| args[1].is_valid(*row)) {
            self.add(T::read(&args[1], row), 1);
        }
        Ok(())
    }

    fn save(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.word(self.buckets as u64);
        out.word(self.capacity as u64);
        for (value, count) in &self.counts {
            out.word(*count as u64);
            out.slice(&value.to_bytes());
        }
        out.0
    }

    fn absorb(&mut self, saved: &[u8]) -> Result<(), TrinoError> {
        let mut reader = Reader(saved);
        let (buckets, capacity) = (reader.word().unwrap_or_default(), reader.word().unwrap_or_default());
        self.buckets = self.buckets.max(buckets as usize);
        self.capacity = self.capacity.max(capacity as usize);
        while let Some((count, value)) = reader.word().zip(reader.slice()) {
            let value = T::from_bytes(value).ok_or_else(|| TrinoError::internal("values can't be read back"))?;
            self.add(value, count as i64);
        }
        Ok(())
    }

    fn finish(&mut self, result: &Type) -> Result<ArrayRef, TrinoError> {
        if self.counts.is_empty() {
            return Ok(new_null_array(&result.to_arrow(), 1));
        }
        let mut entries: Vec<_> = self.counts.iter().map(|(value, count)| (value.clone(), *count)).collect();
        entries.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        entries.truncate(self.buckets);
        let (values, counts): (Vec<T>, Vec<i64>) = entries.into_iter().unzip();
        let count = values.len();
        map(T::column(values), Arc::new(Int64Array::from(counts)), vec![count], None)
    }

    fn size(&self) -> usize {
        self.counts.len() * 64
    }
}
