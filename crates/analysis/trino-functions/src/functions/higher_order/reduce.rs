//! `reduce`: one step at a time, but each step for all rows at once.

use arrow::array::UInt32Array;
use arrow::compute::{interleave, take};

use super::super::Table;
use super::super::elements::Pool;
use super::super::support::Computed;
use super::nulls_of;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    table.kernel(
        "reduce(array(T), S, function(S, T, S), function(S, R)) -> R",
        "One value from all elements: state by state from a first one, then the result from the last.",
        reduce,
    );
}

fn reduce(call: &Call<'_>) -> Computed {
    let pool = Pool::new(call, 0..1)?;
    let (step, finish) = (call.lambda(2)?, call.lambda(3)?);
    let mut states = call.array(1)?;
    let longest = (0..call.rows).map(|row| pool.range(0, row).len()).max().unwrap_or(0);
    for at in 0..longest {
        let active: Vec<u32> =
            (0..call.rows).filter(|row| pool.range(0, *row).len() > at).map(|row| row as u32).collect();
        let elements: UInt32Array =
            active.iter().map(|row| Some((pool.range(0, *row as usize).start + at) as u32)).collect();
        let active = UInt32Array::from(active);
        let inputs = [take(&states, &active, None)?, take(&pool.values, &elements, None)?];
        let computed = step.evaluate(&inputs, &active)?;
        // The rows that took a step get the new state, the others keep theirs.
        let mut choice: Vec<(usize, usize)> = (0..call.rows).map(|row| (0, row)).collect();
        for (index, row) in active.values().iter().enumerate() {
            choice[*row as usize] = (1, index);
        }
        states = match active.len() == call.rows {
            true => computed,
            false => interleave(&[states.as_ref(), computed.as_ref()], &choice)?,
        };
    }
    let rows: UInt32Array = (0..call.rows as u32).map(Some).collect();
    let results = finish.evaluate(&[states], &rows)?;
    match nulls_of(call, 0..1)? {
        None => Ok(results),
        Some(nulls) => {
            let kept: UInt32Array = (0..call.rows).map(|row| nulls.is_valid(row).then_some(row as u32)).collect();
            Ok(take(&results, &kept, None)?)
        }
    }
}
