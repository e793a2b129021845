//! Functions of arrays. Indices count from 1.

mod combine;
mod reorder;
mod search;
mod sequence;

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Int32Type, Int64Type};

use super::Table;
use super::elements::{Pool, choose, choose_one};
use super::support::{Computed, bigints, list, numbers, primitives, text};
use crate::cast::cast_array;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

/// The longest array that `repeat` and `sequence` make.
const LONGEST: usize = 10_000;

pub(crate) fn register(table: &mut Table) {
    table.kernel("cardinality(array(E)) -> bigint", "The number of elements.", |call| {
        let array = call.array(0)?;
        let lists = array.as_list::<i32>();
        primitives::<Int64Type>(call, |row| Ok(Some(lists.value_length(row).into())))
    });
    table.kernel(
        "element_at(array(E), bigint) -> E",
        "The element at an index, from the end if negative; NULL if there is none.",
        element_at,
    );
    table.kernel("array_join(array(T), varchar) -> varchar", "The elements as text with a delimiter between.", join);
    table.kernel(
        "array_join(array(T), varchar, varchar) -> varchar",
        "The elements as text with a delimiter between and a text for NULLs.",
        join,
    );
    table.kernel("slice(array(E), bigint, bigint) -> array(E)", "So many elements from an index on.", slice);
    table.kernel("trim_array(array(E), bigint) -> array(E)", "The array without its last elements.", trim_array);
    table.kernel("repeat(T, integer) -> array(T)", "An array with a value so many times.", repeat);
    combine::register(table);
    reorder::register(table);
    search::register(table);
    sequence::register(table);
}

fn element_at(call: &Call<'_>) -> Computed {
    let (pool, indices) = (Pool::new(call, 0..1)?, bigints(call, 1)?);
    choose_one(call, &pool, |row| {
        let (range, index) = (pool.range(0, row), indices.value(row));
        if index == 0 {
            return Err(TrinoError::invalid("SQL array indices start at 1"));
        }
        let length = range.len() as i64;
        let at = if index > 0 { index - 1 } else { length.saturating_add(index) };
        Ok((0..length).contains(&at).then(|| (range.start as i64 + at) as u32))
    })
}

fn join(call: &Call<'_>) -> Computed {
    let (pool, delimiters) = (Pool::new(call, 0..1)?, text(call, 1)?);
    let replacements = (call.len() > 2).then(|| text(call, 2)).transpose()?;
    let element = match &call.types[0] {
        Type::Array(element) => element,
        other => return Err(TrinoError::internal(format!("array_join of {other}"))),
    };
    let values = cast_array(&pool.values, element, &Type::VARCHAR)?;
    let values = values.as_string::<i32>();
    super::support::write_texts(call, |row, out| {
        let mut first = true;
        for index in pool.range(0, row) {
            let piece = match values.is_valid(index) {
                true => Some(values.value(index)),
                false => replacements.as_ref().map(|texts| texts.value(row)),
            };
            let Some(piece) = piece else { continue };
            if !first {
                out.push_str(delimiters.value(row));
            }
            out.push_str(piece);
            first = false;
        }
        Ok(Some(()))
    })
}

fn slice(call: &Call<'_>) -> Computed {
    let (pool, starts, lengths) = (Pool::new(call, 0..1)?, bigints(call, 1)?, bigints(call, 2)?);
    choose(call, &pool, |row, chosen| {
        let (range, start, length) = (pool.range(0, row), starts.value(row), lengths.value(row));
        if length < 0 {
            return Err(TrinoError::invalid("length must be greater than or equal to 0"));
        }
        if start == 0 {
            return Err(TrinoError::invalid("SQL array indices start at 1"));
        }
        let size = range.len() as i64;
        let from = if start > 0 { start - 1 } else { size.saturating_add(start) };
        if (0..size).contains(&from) {
            let to = from.saturating_add(length).min(size);
            chosen.extend((from..to).map(|index| Some((range.start as i64 + index) as u32)));
        }
        Ok(())
    })
}

fn trim_array(call: &Call<'_>) -> Computed {
    let (pool, sizes) = (Pool::new(call, 0..1)?, bigints(call, 1)?);
    choose(call, &pool, |row, chosen| {
        let (range, size) = (pool.range(0, row), sizes.value(row));
        let Ok(size) = usize::try_from(size) else {
            return Err(TrinoError::invalid(format!("size must not be negative: {size}")));
        };
        let Some(kept) = range.len().checked_sub(size) else {
            let message = format!("size must not exceed array cardinality {}: {size}", range.len());
            return Err(TrinoError::invalid(message));
        };
        chosen.extend(range.take(kept).map(|index| Some(index as u32)));
        Ok(())
    })
}

/// A NULL is repeated like any other value.
fn repeat(call: &Call<'_>) -> Computed {
    let (values, counts) = (call.array(0)?, numbers::<Int32Type>(call, 1)?);
    let (mut chosen, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let count = if counts.is_null(row) { 0 } else { counts.value(row) };
        let Ok(count) = usize::try_from(count) else {
            let message = "count argument of repeat function must be greater than or equal to 0";
            return Err(TrinoError::invalid(message));
        };
        if count > LONGEST {
            let message = "count argument of repeat function must be less than or equal to 10000";
            return Err(TrinoError::invalid(message));
        }
        chosen.extend(std::iter::repeat_n(row as u32, count));
        lengths.push(count);
    }
    let nulls = (0..call.rows).map(|row| !counts.is_null(row)).collect();
    list(take(&values, &UInt32Array::from(chosen), None)?, lengths, Some(nulls))
}

#[cfg(test)]
mod tests;
