//! Lambdas over the entries of maps.

use arrow::array::{Array, ArrayRef, AsArray, MapArray, UInt32Array};
use arrow::compute::take;

use super::super::Table;
use super::super::elements::{check_keys, keys};
use super::super::support::{Computed, map};
use super::{is_true, nulls_of};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

pub(super) fn register(table: &mut Table) {
    table.kernel(
        "map_filter(map(K, V), function(K, V, boolean)) -> map(K, V)",
        "The entries for which the function gives true.",
        map_filter,
    );
    table.kernel(
        "transform_keys(map(K1, V), function(K1, V, K2)) -> map(K2, V)",
        "The map with the keys that the function gives.",
        transform_keys,
    );
    table.kernel(
        "transform_values(map(K, V1), function(K, V1, V2)) -> map(K, V2)",
        "The map with the values that the function gives.",
        transform_values,
    );
    table.kernel(
        "map_zip_with(map(K, V1), map(K, V2), function(K, V1, V2, V3)) -> map(K, V3)",
        "What the function gives for the values of each key in either map, NULL standing for what a map lacks.",
        map_zip_with,
    );
}

/// The entries of a map argument, row after row.
struct Entries {
    keys: ArrayRef,
    values: ArrayRef,
    rows: UInt32Array,
    lengths: Vec<usize>,
}

impl Entries {
    fn new(call: &Call<'_>) -> Result<Self, TrinoError> {
        let array = call.array(0)?;
        let map = array.as_map();
        let (mut entries, mut rows, mut lengths) = (Vec::new(), Vec::new(), Vec::with_capacity(call.rows));
        for row in 0..map.len() {
            let range = entries_of(map, row);
            lengths.push(range.len());
            rows.extend(std::iter::repeat_n(row as u32, range.len()));
            entries.extend(range);
        }
        let entries = UInt32Array::from(entries);
        let (keys, values) = (take(map.keys(), &entries, None)?, take(map.values(), &entries, None)?);
        Ok(Self { keys, values, rows: UInt32Array::from(rows), lengths })
    }

    fn evaluate(&self, call: &Call<'_>) -> Computed {
        call.lambda(1)?.evaluate(&[self.keys.clone(), self.values.clone()], &self.rows)
    }
}

/// Where a row's entries are; nowhere if it is NULL.
fn entries_of(map: &MapArray, row: usize) -> std::ops::Range<u32> {
    match map.is_null(row) {
        true => 0..0,
        false => map.value_offsets()[row] as u32..map.value_offsets()[row + 1] as u32,
    }
}

fn map_filter(call: &Call<'_>) -> Computed {
    let entries = Entries::new(call)?;
    let results = entries.evaluate(call)?;
    let keep = results.as_boolean();
    let (mut chosen, mut lengths, mut next) = (Vec::new(), Vec::with_capacity(call.rows), 0);
    for length in &entries.lengths {
        let before = chosen.len();
        chosen.extend((next..next + length).filter(|index| is_true(keep, *index)).map(|index| index as u32));
        lengths.push(chosen.len() - before);
        next += length;
    }
    let chosen = UInt32Array::from(chosen);
    let (keys, values) = (take(&entries.keys, &chosen, None)?, take(&entries.values, &chosen, None)?);
    map(keys, values, lengths, nulls_of(call, 0..1)?)
}

fn transform_values(call: &Call<'_>) -> Computed {
    let entries = Entries::new(call)?;
    let values = entries.evaluate(call)?;
    map(entries.keys, values, entries.lengths, nulls_of(call, 0..1)?)
}

fn transform_keys(call: &Call<'_>) -> Computed {
    let entries = Entries::new(call)?;
    let new_keys = entries.evaluate(call)?;
    let Type::Map(key, _) = call.result else { return Err(TrinoError::internal("transform_keys gives maps")) };
    check_keys(&new_keys, key, &entries.lengths, "Duplicate map keys")?;
    map(new_keys, entries.values, entries.lengths, nulls_of(call, 0..1)?)
}

fn map_zip_with(call: &Call<'_>) -> Computed {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let (left, right) = (left.as_map(), right.as_map());
    let Type::Map(key, _) = call.result else { return Err(TrinoError::internal("map_zip_with gives maps")) };
    let all_keys = arrow::compute::concat(&[left.keys().as_ref(), right.keys().as_ref()])?;
    let (order, base) = (keys(&all_keys, key)?, left.keys().len() as u32);
    let nulls = nulls_of(call, 0..2)?;
    let (mut chosen, mut first, mut second) = (Vec::new(), Vec::new(), Vec::new());
    let (mut rows, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = chosen.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let same = |one: u32, other: u32| order.row(one as usize) == order.row((base + other) as usize);
            let (lefts, rights) = (entries_of(left, row), entries_of(right, row));
            for entry in lefts.clone() {
                chosen.push(entry);
                first.push(Some(entry));
                second.push(rights.clone().find(|other| same(entry, *other)));
            }
            for entry in rights.filter(|entry| !lefts.clone().any(|other| same(other, *entry))) {
                chosen.push(base + entry);
                first.push(None);
                second.push(Some(entry));
            }
        }
        lengths.push(chosen.len() - before);
        rows.extend(std::iter::repeat_n(row as u32, chosen.len() - before));
    }
    let new_keys = take(&all_keys, &UInt32Array::from(chosen), None)?;
    let first = take(left.values(), &UInt32Array::from(first), None)?;
    let second = take(right.values(), &UInt32Array::from(second), None)?;
    let values = call.lambda(2)?.evaluate(&[new_keys.clone(), first, second], &UInt32Array::from(rows))?;
    map(new_keys, values, lengths, nulls)
}
