//! `width_bucket`.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Float64Type, Int64Type};

use super::super::Table;
use super::super::support::{Computed, bigints, numbers, primitives};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    table.kernel(
        "width_bucket(double, double, double, bigint) -> bigint",
        "Which of so many buckets of the same width between two bounds a number falls into.",
        equal_widths,
    );
    table.kernel(
        "width_bucket(double, array(double)) -> bigint",
        "Which bucket a number falls into, by the buckets' lower bounds.",
        given_bounds,
    );
}

fn equal_widths(call: &Call<'_>) -> Computed {
    let (values, first) = (numbers::<Float64Type>(call, 0)?, numbers::<Float64Type>(call, 1)?);
    let (second, counts) = (numbers::<Float64Type>(call, 2)?, bigints(call, 3)?);
    primitives::<Int64Type>(call, |row| {
        let (value, count) = (values.value(row), counts.value(row));
        let (first, second) = (first.value(row), second.value(row));
        let problem = match () {
            () if count <= 0 => Some("bucketCount must be greater than 0"),
            () if value.is_nan() => Some("operand must not be NaN"),
            () if !first.is_finite() => Some("first bound must be finite"),
            () if !second.is_finite() => Some("second bound must be finite"),
            () if first == second => Some("bounds cannot equal each other"),
            () => None,
        };
        if let Some(problem) = problem {
            return Err(TrinoError::invalid(problem));
        }
        let (lower, upper) = (first.min(second), first.max(second));
        let bucket = if value < lower {
            0
        } else if value >= upper {
            let overflow = || TrinoError::out_of_range(format!("Bucket for value {value} is out of range"));
            count.checked_add(1).ok_or_else(overflow)?
        } else {
            (count as f64 * (value - lower) / (upper - lower) + 1.0) as i64
        };
        Ok(Some(if first > second { count - bucket + 1 } else { bucket }))
    })
}

fn given_bounds(call: &Call<'_>) -> Computed {
    let (values, arrays) = (numbers::<Float64Type>(call, 0)?, call.array(1)?);
    let lists = arrays.as_list::<i32>();
    primitives::<Int64Type>(call, |row| {
        let (value, bounds) = (values.value(row), lists.value(row));
        let bounds = bounds.as_primitive::<Float64Type>();
        if bounds.is_empty() {
            return Err(TrinoError::invalid("Bins cannot be an empty array"));
        }
        if value.is_nan() {
            return Err(TrinoError::invalid("Operand cannot be NaN"));
        }
        if bounds.null_count() > 0 || bounds.values().iter().any(|bound| !bound.is_finite()) {
            return Err(TrinoError::invalid("Bin values must be finite"));
        }
        if !bounds.values().is_sorted() {
            return Err(TrinoError::invalid("Bin values are not sorted in ascending order"));
        }
        Ok(Some(bounds.values().partition_point(|bound| *bound <= value) as i64))
    })
}
