//! Functions that take lambdas. The lambda is evaluated once for the elements of all rows of a batch, wherever no
//! evaluation depends on another's result.

mod maps;
mod reduce;
mod sort;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::take;

use super::Table;
use super::elements::Pool;
use super::support::{Computed, list};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(crate) fn register(table: &mut Table) {
    table.kernel(
        "transform(array(T), function(T, U)) -> array(U)",
        "What the function gives for each element.",
        transform,
    );
    table.kernel(
        "filter(array(T), function(T, boolean)) -> array(T)",
        "The elements for which the function gives true.",
        filter,
    );
    table.kernel(
        "any_match(array(T), function(T, boolean)) -> boolean",
        "Whether the function gives true for at least one element.",
        |call| matches(call, true, true),
    );
    table.kernel(
        "all_match(array(T), function(T, boolean)) -> boolean",
        "Whether the function gives true for all elements.",
        |call| matches(call, false, false),
    );
    table.kernel(
        "none_match(array(T), function(T, boolean)) -> boolean",
        "Whether the function gives true for no element.",
        |call| matches(call, true, false),
    );
    table.kernel(
        "zip_with(array(T), array(U), function(T, U, R)) -> array(R)",
        "What the function gives for the elements at the same index, NULL standing for what the shorter array lacks.",
        zip_with,
    );
    maps::register(table);
    reduce::register(table);
    sort::register(table);
}

/// The elements of the first argument and what the lambda gives for each.
struct Mapped {
    pool: Pool,
    elements: UInt32Array,
    lengths: Vec<usize>,
    results: ArrayRef,
}

fn map_elements(call: &Call<'_>) -> Result<Mapped, TrinoError> {
    let pool = Pool::new(call, 0..1)?;
    let flat = pool.flat(0);
    let values = take(&pool.values, &flat.elements, None)?;
    let results = call.lambda(1)?.evaluate(&[values], &flat.rows)?;
    Ok(Mapped { pool, elements: flat.elements, lengths: flat.lengths, results })
}

fn transform(call: &Call<'_>) -> Computed {
    let mapped = map_elements(call)?;
    list(mapped.results, mapped.lengths, nulls_of(call, 0..1)?)
}

/// The rows in which none of the first arguments is NULL; lambdas are no values.
pub(super) fn nulls_of(
    call: &Call<'_>,
    arguments: std::ops::Range<usize>,
) -> Result<Option<arrow::buffer::NullBuffer>, TrinoError> {
    let mut union = None;
    for index in arguments {
        let array = call.array(index)?;
        union = arrow::buffer::NullBuffer::union(union.as_ref(), array.logical_nulls().as_ref());
    }
    Ok(union)
}

fn filter(call: &Call<'_>) -> Computed {
    let mapped = map_elements(call)?;
    let keep = mapped.results.as_boolean();
    let (mut chosen, mut lengths, mut next) = (Vec::new(), Vec::with_capacity(call.rows), 0);
    for length in &mapped.lengths {
        let before = chosen.len();
        let kept = (next..next + length).filter(|index| is_true(keep, *index));
        chosen.extend(kept.map(|index| mapped.elements.value(index)));
        lengths.push(chosen.len() - before);
        next += length;
    }
    list(take(&mapped.pool.values, &UInt32Array::from(chosen), None)?, lengths, nulls_of(call, 0..1)?)
}

fn is_true(values: &BooleanArray, index: usize) -> bool {
    values.is_valid(index) && values.value(index)
}

/// `decisive` is the result that settles it, giving `settled`; else NULL if there was one, else the opposite.
fn matches(call: &Call<'_>, decisive: bool, settled: bool) -> Computed {
    let mapped = map_elements(call)?;
    let found = mapped.results.as_boolean();
    let nulls = nulls_of(call, 0..1)?;
    let mut next = 0;
    let results = (0..call.rows).map(|row| {
        let range = next..next + mapped.lengths[row];
        next = range.end;
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        if range.clone().any(|index| found.is_valid(index) && found.value(index) == decisive) {
            return Some(settled);
        }
        if range.into_iter().any(|index| found.is_null(index)) { None } else { Some(!settled) }
    });
    Ok(std::sync::Arc::new(results.collect::<BooleanArray>()))
}

fn zip_with(call: &Call<'_>) -> Computed {
    let (left, right) = (Pool::new(call, 0..1)?, Pool::new(call, 1..2)?);
    let nulls = nulls_of(call, 0..2)?;
    let (mut chosen, mut rows, mut lengths) = ([Vec::new(), Vec::new()], Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let ranges = [left.range(0, row), right.range(0, row)];
        let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let longest = ranges.iter().map(ExactSizeIterator::len).max().filter(|_| valid).unwrap_or(0);
        for (range, chosen) in ranges.into_iter().zip(&mut chosen) {
            chosen.extend((0..longest).map(|at| (at < range.len()).then(|| (range.start + at) as u32)));
        }
        rows.extend(std::iter::repeat_n(row as u32, longest));
        lengths.push(longest);
    }
    let [first, second] = chosen;
    let first = take(&left.values, &UInt32Array::from(first), None)?;
    let second = take(&right.values, &UInt32Array::from(second), None)?;
    list(call.lambda(2)?.evaluate(&[first, second], &UInt32Array::from(rows))?, lengths, nulls)
}

#[cfg(test)]
mod tests;
