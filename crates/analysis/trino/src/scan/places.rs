//! Where rows stand in their file, in the order in which they are decoded, and which of them are deleted.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use arrow::compute::filter;
use arrow::error::ArrowError;

/// The place of the next row that is decoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places(u64);

impl Places {
    /// All rows from one on.
    pub(super) fn from(first: u64) -> Self {
        Self(first)
    }

    /// The place of the next row.
    pub(super) fn upcoming(self) -> u64 {
        self.0
    }

    /// The places of the next rows.
    pub(super) fn take(&mut self, rows: usize) -> Vec<u64> {
        let first = self.0;
        self.0 += rows as u64;
        (first..self.0).collect()
    }
}

/// Rows as they were decoded, without those that are deleted.
pub(super) struct Live {
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: usize,
    pub(super) places: Vec<u64>,
}

impl Live {
    /// The rows at these places of a file without the deleted ones, which are in order.
    pub(super) fn new(columns: Vec<ArrayRef>, places: Vec<u64>, deleted: &[u64]) -> Result<Self, ArrowError> {
        let rows = places.len();
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return Ok(Self { columns, rows, places });
        };
        let from = deleted.partition_point(|place| place < first);
        let concerned = &deleted[from..];
        let concerned = &concerned[..concerned.partition_point(|place| place <= last)];
        if concerned.is_empty() {
            return Ok(Self { columns, rows, places });
        }
        let keep: Vec<bool> = places.iter().map(|place| concerned.binary_search(place).is_err()).collect();
        let places: Vec<u64> = places.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(place, _)| *place).collect();
        let keep = BooleanArray::from(keep);
        let columns = columns.iter().map(|column| filter(column, &keep)).collect::<Result<_, _>>()?;
        Ok(Self { columns, rows: places.len(), places })
    }

    /// The places as a column.
    pub(super) fn column(&self) -> ArrayRef {
        Arc::new(self.places.iter().map(|place| *place as i64).collect::<Int64Array>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_on() {
        let mut places = Places::from(100);
        assert_eq!(places.take(2), [100, 101]);
        assert_eq!(places.take(1), [102]);
    }

    #[test]
    fn deleted_rows_are_left_out() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2, 3]));
        let of = |deleted: &[u64]| Live::new(vec![Arc::clone(&column)], vec![10, 11, 20, 21], deleted).unwrap();
        assert_eq!(of(&[1, 9, 15, 99]).rows, 4);
        let live = of(&[1, 11, 20, 99]);
        assert_eq!((live.rows, live.places.clone(), live.columns[0].len()), (2, vec![10, 21], 2));
        assert_eq!(&live.column(), &(Arc::new(Int64Array::from(vec![10, 21])) as ArrayRef));
        assert_eq!(Live::new(Vec::new(), Vec::new(), &[1]).unwrap().rows, 0);
    }
}
