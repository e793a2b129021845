//! `array_sort` with a comparing lambda.

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Int32Type;

use super::super::Table;
use super::super::elements::Pool;
use super::super::support::{Computed, list};
use super::nulls_of;
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    table.kernel(
        "array_sort(array(T), function(T, T, integer)) -> array(T)",
        "The elements in the order of a comparison, which gives -1, 0 or 1.",
        sort,
    );
}

/// One array while it is sorted: a sorted beginning into which the next element is inserted by binary search.
struct Insertion {
    row: u32,
    order: Vec<u32>,
    rest: std::vec::IntoIter<u32>,
    next: Option<u32>,
    low: usize,
    high: usize,
}

impl Insertion {
    /// Takes the next element; false if there is none.
    fn advance(&mut self) -> bool {
        self.next = self.rest.next();
        (self.low, self.high) = (0, self.order.len());
        self.next.is_some()
    }

    fn middle(&self) -> usize {
        self.low + (self.high - self.low) / 2
    }

    /// Takes in how the next element compares to the middle one; false once everything is sorted.
    fn compared(&mut self, result: i32) -> bool {
        let middle = self.middle();
        match result {
            ..0 => self.high = middle,
            _ => self.low = middle + 1,
        }
        if self.low == self.high {
            self.order.extend(self.next);
            self.order[self.low..].rotate_right(1);
            return self.advance();
        }
        true
    }
}

/// All arrays go forward by one comparison at a time, so that one evaluation compares for all of them.
fn sort(call: &Call<'_>) -> Computed {
    let (pool, compare) = (Pool::new(call, 0..1)?, call.lambda(1)?);
    let mut arrays: Vec<Insertion> = (0..call.rows)
        .map(|row| {
            let mut rest = pool.range(0, row).map(|index| index as u32).collect::<Vec<_>>().into_iter();
            Insertion { row: row as u32, order: rest.next().into_iter().collect(), rest, next: None, low: 0, high: 0 }
        })
        .collect();
    let mut active: Vec<usize> = (0..arrays.len()).filter(|index| arrays[*index].advance()).collect();
    while !active.is_empty() {
        let each = |element: fn(&Insertion) -> Option<u32>| -> UInt32Array {
            active.iter().map(|index| element(&arrays[*index])).collect()
        };
        let (new, old) = (each(|array| array.next), each(|array| array.order.get(array.middle()).copied()));
        let rows = each(|array| Some(array.row));
        let results = compare.evaluate(&[take(&pool.values, &new, None)?, take(&pool.values, &old, None)?], &rows)?;
        let results = results.as_primitive::<Int32Type>();
        let mut still = Vec::with_capacity(active.len());
        for (at, index) in active.into_iter().enumerate() {
            if results.is_null(at) || !(-1..=1).contains(&results.value(at)) {
                return Err(TrinoError::invalid("Lambda comparator must return either -1, 0, or 1"));
            }
            if arrays[index].compared(results.value(at)) {
                still.push(index);
            }
        }
        active = still;
    }
    let lengths = arrays.iter().map(|array| array.order.len()).collect();
    let order: UInt32Array = arrays.into_iter().flat_map(|array| array.order).map(Some).collect();
    list(take(&pool.values, &order, None)?, lengths, nulls_of(call, 0..1)?)
}
