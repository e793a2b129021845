//! The n greatest or least values, and the values of the n rows where something is greatest or least.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::Int64Type;

use super::super::Table;
use super::super::elements::keys;
use super::super::support::list;
use super::wrapped::collected;
use crate::error::TrinoError;
use crate::types::Type;

/// The most that may be asked for.
const MOST: i64 = 10_000;

pub(super) fn register(table: &mut Table) {
    let greatest = "The n greatest values, the greatest first.";
    table.aggregate("max(T, bigint) -> array(T) where T:orderable", greatest, |args, result| {
        collected(|rows, result| values(rows, result, true), args, result)
    });
    let least = "The n least values, the least first.";
    table.aggregate("min(T, bigint) -> array(T) where T:orderable", least, |args, result| {
        collected(|rows, result| values(rows, result, false), args, result)
    });
    // The key's type is known only here; the kernel compares by the column's own order.
    let greatest = "The first argument where the second one is among the n greatest, from the greatest on.";
    table.aggregate("max_by(V, K, bigint) -> array(V) where K:orderable", greatest, |args, result| {
        collected(|rows, _| by_key(rows, true), args, result)
    });
    let least = "The first argument where the second one is among the n least, from the least on.";
    table.aggregate("min_by(V, K, bigint) -> array(V) where K:orderable", least, |args, result| {
        collected(|rows, _| by_key(rows, false), args, result)
    });
}

fn values(rows: &ArrayRef, result: &Type, greatest: bool) -> Result<ArrayRef, TrinoError> {
    let Type::Array(element) = result else { return Err(TrinoError::internal("several values are an array")) };
    let columns = rows.as_struct().columns();
    let name = if greatest { "max_n" } else { "min_n" };
    let count = wanted(&columns[1], &format!("second argument of {name}"), "positive")?;
    chosen(&columns[0], &columns[0], element, count, greatest)
}

fn by_key(rows: &ArrayRef, greatest: bool) -> Result<ArrayRef, TrinoError> {
    let columns = rows.as_struct().columns();
    let name = if greatest { "max_by" } else { "min_by" };
    let count = wanted(&columns[2], &format!("third argument of {name}"), "a positive integer")?;
    chosen(&columns[0], &columns[1], &Type::Unknown, count, greatest)
}

/// How many are wanted, which is the same in all rows.
fn wanted(counts: &ArrayRef, what: &str, positive: &str) -> Result<usize, TrinoError> {
    let counts = counts.as_primitive::<Int64Type>();
    match counts.iter().flatten().next() {
        Some(count @ 1..=MOST) => Ok(count as usize),
        Some(count) if count > MOST => {
            Err(TrinoError::invalid(format!("{what} must be less than or equal to {MOST}; found {count}")))
        }
        _ => Err(TrinoError::invalid(format!("{what} must be {positive}"))),
    }
}

fn chosen(values: &ArrayRef, by: &ArrayRef, ty: &Type, count: usize, greatest: bool) -> Result<ArrayRef, TrinoError> {
    let order = keys(by, ty)?;
    let mut rows: Vec<u32> = (0..by.len() as u32).filter(|row| by.is_valid(*row as usize)).collect();
    if rows.is_empty() {
        let element = arrow::datatypes::Field::new_list_field(values.data_type().clone(), true);
        return Ok(new_null_array(&arrow::datatypes::DataType::List(element.into()), 1));
    }
    rows.sort_by(|one, other| {
        let order = order.row(*one as usize).cmp(&order.row(*other as usize));
        if greatest { order.reverse() } else { order }
    });
    rows.truncate(count);
    let lengths = vec![rows.len()];
    list(take(values, &UInt32Array::from(rows), None)?, lengths, None)
}
