//! `sequence`: arrays of numbers and points in time.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, DurationMillisecondType, Int64Type, IntervalYearMonthType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};

use super::super::Table;
use super::super::support::{Computed, list, nulls};
use super::LONGEST;
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::operators::temporal::{add_months, local_value};
use crate::types::Type;

const DAY: i128 = 86_400_000_000_000;
const MILLISECOND: i128 = 1_000_000;

pub(super) fn register(table: &mut Table) {
    let text = "All values from one to another, a step apart (one or a day if left out).";
    for signature in [
        "sequence(bigint, bigint) -> array(bigint)",
        "sequence(bigint, bigint, bigint) -> array(bigint)",
        "sequence(date, date) -> array(date)",
        "sequence(date, date, interval day to second) -> array(date)",
        "sequence(date, date, interval year to month) -> array(date)",
        "sequence(timestamp(p), timestamp(p), interval day to second) -> array(timestamp(p))",
        "sequence(timestamp(p), timestamp(p), interval year to month) -> array(timestamp(p))",
    ] {
        table.kernel(signature, text, sequence);
    }
}

/// How far apart the values are: in units (numbers or nanoseconds), or in months.
#[derive(Clone, Copy)]
enum Step {
    Units(i128),
    Months(i64),
}

fn sequence(call: &Call<'_>) -> Computed {
    let nulls = nulls(call)?;
    let (first, last) = (call.array(0)?, call.array(1)?);
    let steps = (call.len() > 2).then(|| call.array(2)).transpose()?;
    let (mut values, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        let before = values.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let (first, last) = (point(&first, row, &call.types[0]), point(&last, row, &call.types[0]));
            fill(&mut values, first, last, step(call, steps.as_ref(), row, last < first)?)?;
        }
        lengths.push(values.len() - before);
    }
    list(array_of(&call.types[0], &values)?, lengths, nulls)
}

fn point(array: &ArrayRef, row: usize, ty: &Type) -> i128 {
    match ty {
        Type::Bigint => array.as_primitive::<Int64Type>().value(row).into(),
        _ => local_value(array, row, ty),
    }
}

fn step(call: &Call<'_>, steps: Option<&ArrayRef>, row: usize, downwards: bool) -> Result<Step, TrinoError> {
    let first = &call.types[0];
    let Some(steps) = steps else {
        let unit = if *first == Type::Date { DAY } else { 1 };
        return Ok(Step::Units(if downwards { -unit } else { unit }));
    };
    Ok(match call.types[2] {
        Type::IntervalYearMonth => Step::Months(steps.as_primitive::<IntervalYearMonthType>().value(row).into()),
        Type::IntervalDayTime => {
            let nanos = i128::from(steps.as_primitive::<DurationMillisecondType>().value(row)) * MILLISECOND;
            if *first == Type::Date && nanos % DAY != 0 {
                let message = "sequence step must be a day interval if start and end values are dates";
                return Err(TrinoError::invalid(message));
            }
            Step::Units(nanos)
        }
        _ => Step::Units(steps.as_primitive::<Int64Type>().value(row).into()),
    })
}

fn fill(values: &mut Vec<i128>, first: i128, last: i128, step: Step) -> Result<(), TrinoError> {
    let sign = match step {
        Step::Units(units) => units.signum(),
        Step::Months(months) => months.signum().into(),
    };
    if sign == 0 {
        return Err(TrinoError::invalid("step must not be zero"));
    }
    if (last - first) * sign < 0 {
        return Err(TrinoError::invalid(
            "sequence stop value should be greater than or equal to start value if step is greater than zero \
             otherwise stop should be less than or equal to start",
        ));
    }
    let mut next = first;
    let mut count = 0;
    while (last - next) * sign >= 0 {
        if count as usize == LONGEST {
            return Err(TrinoError::invalid("result of sequence function must not have more than 10000 entries"));
        }
        values.push(next);
        count += 1;
        // Months count from the start, so that the 31st comes back after shorter months.
        next = match step {
            Step::Units(units) => next + units,
            Step::Months(months) => add_months(first, months * count)?,
        };
    }
    Ok(())
}

fn array_of(ty: &Type, values: &[i128]) -> Computed {
    Ok(match ty {
        Type::Bigint => of::<Int64Type>(values, 1),
        Type::Date => Arc::new(PrimitiveArray::<Date32Type>::from_iter_values(
            values.iter().map(|value| value.div_euclid(DAY) as i32),
        )),
        Type::Timestamp(0..=3) => of::<TimestampMillisecondType>(values, MILLISECOND),
        Type::Timestamp(4..=6) => of::<TimestampMicrosecondType>(values, 1_000),
        Type::Timestamp(_) => of::<TimestampNanosecondType>(values, 1),
        other => return Err(TrinoError::internal(format!("a sequence of {other}"))),
    })
}

fn of<T: ArrowPrimitiveType<Native = i64>>(values: &[i128], unit: i128) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_iter_values(values.iter().map(|value| value.div_euclid(unit) as i64)))
}
