//! Arrays from several arrays, and arrays of arrays.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;

use super::super::Table;
use super::super::elements::{Pool, choose};
use super::super::support::{Computed, integers, list, nulls};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

/// How many combinations an array may have.
const MOST_COMBINATIONS: usize = 100_000;

pub(super) fn register(table: &mut Table) {
    table.kernel("concat(array(E), E) -> array(E)", "The array with one more element.", |call| attach(call, 0));
    table
        .kernel("concat(E, array(E)) -> array(E)", "The array with one more element in front.", |call| attach(call, 1));
    table.kernel("concat(array(E), array(E)...) -> array(E)", "The elements of one array after the other.", concat);
    table.kernel("flatten(array(array(E))) -> array(E)", "The elements of all inner arrays.", flatten);
    table.kernel("ngrams(array(T), integer) -> array(array(T))", "All runs of so many elements.", ngrams);
    table.kernel(
        "combinations(array(T), integer) -> array(array(T))",
        "All choices of so many elements.",
        combinations,
    );
    let text = "Rows of the elements at the same index, NULL where an array is shorter.";
    table.kernel("zip(array(A), array(B)) -> array(row(A, B))", text, zip);
    table.kernel("zip(array(A), array(B), array(C)) -> array(row(A, B, C))", text, zip);
    table.kernel("zip(array(A), array(B), array(C), array(D)) -> array(row(A, B, C, D))", text, zip);
    table.kernel("zip(array(A), array(B), array(C), array(D), array(F)) -> array(row(A, B, C, D, F))", text, zip);
}

fn concat(call: &Call<'_>) -> Computed {
    if call.len() < 2 {
        return Err(TrinoError::invalid("There must be two or more concatenation arguments"));
    }
    let pool = Pool::new(call, 0..call.len())?;
    choose(call, &pool, |row, chosen| {
        let elements = (0..call.len()).flat_map(|list| pool.range(list, row));
        chosen.extend(elements.map(|index| Some(index as u32)));
        Ok(())
    })
}

/// A NULL element gives NULL, as a NULL array does.
fn attach(call: &Call<'_>, array: usize) -> Computed {
    let pool = Pool::new(call, array..array + 1)?;
    let single = call.array(1 - array)?;
    let nulls = nulls(call)?;
    let values = arrow::compute::concat(&[pool.values.as_ref(), single.as_ref()])?;
    let (mut chosen, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = chosen.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let element = (pool.values.len() + row) as u32;
            chosen.extend((array == 1).then_some(element));
            chosen.extend(pool.range(0, row).map(|index| index as u32));
            chosen.extend((array == 0).then_some(element));
        }
        lengths.push(chosen.len() - before);
    }
    list(take(&values, &UInt32Array::from(chosen), None)?, lengths, nulls)
}

fn flatten(call: &Call<'_>) -> Computed {
    let outer = Pool::new(call, 0..1)?;
    let inner = outer.values.as_list::<i32>();
    let nulls = nulls(call)?;
    let (mut chosen, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = chosen.len();
        for index in outer.range(0, row).filter(|index| inner.is_valid(*index)) {
            chosen.extend(inner.value_offsets()[index] as u32..inner.value_offsets()[index + 1] as u32);
        }
        lengths.push(chosen.len() - before);
    }
    list(take(inner.values(), &UInt32Array::from(chosen), None)?, lengths, nulls)
}

/// Arrays of arrays: each row pushes the indices of inner arrays one after the other.
fn nested(
    call: &Call<'_>,
    pool: &Pool,
    mut each: impl FnMut(usize, &mut dyn FnMut(&mut dyn Iterator<Item = usize>)) -> Result<(), TrinoError>,
) -> Computed {
    let nulls = nulls(call)?;
    let (mut chosen, mut inner, mut outer) = (Vec::new(), Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = inner.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            each(row, &mut |indices| {
                let before = chosen.len();
                chosen.extend(indices.map(|index| index as u32));
                inner.push(chosen.len() - before);
            })?;
        }
        outer.push(inner.len() - before);
    }
    let inner = list(take(&pool.values, &UInt32Array::from(chosen), None)?, inner, None)?;
    list(inner, outer, nulls)
}

fn ngrams(call: &Call<'_>) -> Computed {
    let (pool, sizes) = (Pool::new(call, 0..1)?, integers(call, 1)?);
    nested(call, &pool, |row, push| {
        let range = pool.range(0, row);
        let size = usize::try_from(sizes.value(row)).unwrap_or(0).min(range.len().max(1));
        if size == 0 {
            return Err(TrinoError::invalid("N must be positive"));
        }
        if range.is_empty() {
            push(&mut range.clone());
            return Ok(());
        }
        (range.start..=range.end - size).for_each(|start| push(&mut (start..start + size)));
        Ok(())
    })
}

/// In the order of the last chosen element, then of the one before, and so on.
fn combinations(call: &Call<'_>) -> Computed {
    let (pool, sizes) = (Pool::new(call, 0..1)?, integers(call, 1)?);
    nested(call, &pool, |row, push| {
        let (range, size) = (pool.range(0, row), sizes.value(row));
        let size = match usize::try_from(size) {
            Ok(size @ 0..=5) => size,
            Ok(size) => return Err(TrinoError::invalid(format!("combination size must not exceed 5: {size}"))),
            Err(_) => return Err(TrinoError::invalid(format!("combination size must not be negative: {size}"))),
        };
        if size > range.len() {
            return Ok(());
        }
        let count = (0..size).try_fold(1_usize, |count, at| count.checked_mul(range.len() - at).map(|n| n / (at + 1)));
        if count.is_none_or(|count| count > MOST_COMBINATIONS) {
            return Err(TrinoError::invalid(format!("combinations exceed max size {MOST_COMBINATIONS}")));
        }
        let mut places: Vec<usize> = (0..size).collect();
        loop {
            push(&mut places.iter().map(|place| range.start + place));
            // The first place that can move on before the next one; those below start again.
            let next = |at: usize| places.get(at + 1).copied().unwrap_or(range.len());
            let Some(at) = (0..size).find(|at| places[*at] + 1 < next(*at)) else { return Ok(()) };
            places[at] += 1;
            places[..at].iter_mut().enumerate().for_each(|(start, place)| *place = start);
        }
    })
}

fn zip(call: &Call<'_>) -> Computed {
    let pools = (0..call.len()).map(|index| Pool::new(call, index..index + 1)).collect::<Result<Vec<_>, _>>()?;
    let nulls = nulls(call)?;
    let mut chosen: Vec<Vec<Option<u32>>> = vec![Vec::new(); pools.len()];
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let longest = pools.iter().map(|pool| pool.range(0, row).len()).max().filter(|_| valid).unwrap_or(0);
        for (pool, chosen) in pools.iter().zip(&mut chosen) {
            let range = pool.range(0, row);
            chosen.extend((0..longest).map(|at| (at < range.len()).then(|| (range.start + at) as u32)));
        }
        lengths.push(longest);
    }
    let columns = pools.iter().zip(chosen);
    let columns = columns.map(|(pool, chosen)| Ok(take(&pool.values, &UInt32Array::from(chosen), None)?));
    list(row_of(call.result, columns.collect::<Result<_, TrinoError>>()?)?, lengths, nulls)
}

/// Rows as the elements of an array type.
fn row_of(array: &Type, columns: Vec<ArrayRef>) -> Computed {
    match array.to_arrow() {
        DataType::List(field) => match field.data_type() {
            DataType::Struct(fields) => Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?)),
            other => Err(TrinoError::internal(format!("rows came as {other}"))),
        },
        other => Err(TrinoError::internal(format!("rows came in {other}"))),
    }
}
