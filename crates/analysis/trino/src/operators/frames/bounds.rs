//! Which rows a row's frame has.

use std::cmp::Ordering;
use std::ops::Range;

use arrow::array::{Array, AsArray, DynComparator, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::Int64Type;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::Result;

/// A frame in terms of columns of the input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Frame<C> {
    /// What its bounds count.
    pub(crate) unit: Unit,
    /// Where it begins.
    pub(crate) start: Bound<C>,
    /// Where it ends, this row included.
    pub(crate) end: Bound<C>,
}

/// What the bounds of a frame count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unit {
    /// Rows.
    Rows,
    /// Groups of rows that are equal in the order.
    Groups,
}

/// Where a frame begins or ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Bound<C> {
    /// With the partition.
    Unbounded,
    /// With the row or its group.
    CurrentRow,
    /// So many rows or groups before, a bigint.
    Preceding(C),
    /// So many rows or groups after.
    Following(C),
    /// At a value.
    Value(Limit<C>),
}

impl<C> Bound<C> {
    fn columns(&self) -> Vec<&C> {
        match self {
            Self::Unbounded | Self::CurrentRow => Vec::new(),
            Self::Preceding(distance) | Self::Following(distance) => vec![distance],
            Self::Value(Limit { key, value, fits }) => vec![key, value, fits],
        }
    }
}

/// A value that a frame reaches to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Limit<C> {
    /// The key of the order, in the limit's type.
    pub(crate) key: C,
    /// The row's key with the distance added or taken away.
    pub(crate) value: C,
    /// Whether the distance is one.
    pub(crate) fits: C,
}

impl<C> Frame<C> {
    /// The whole partition.
    pub(crate) fn whole() -> Self {
        Self { unit: Unit::Rows, start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// The columns that the bounds are computed from.
    pub(crate) fn columns(&self) -> Vec<&C> {
        [&self.start, &self.end].into_iter().flat_map(Bound::columns).collect()
    }

    /// The same frame in other terms.
    pub(crate) fn map<D, E>(&self, mut to: impl FnMut(&C) -> Result<D, E>) -> Result<Frame<D>, E> {
        let mut bound = |bound: &Bound<C>| {
            Ok(match bound {
                Bound::Unbounded => Bound::Unbounded,
                Bound::CurrentRow => Bound::CurrentRow,
                Bound::Preceding(distance) => Bound::Preceding(to(distance)?),
                Bound::Following(distance) => Bound::Following(to(distance)?),
                Bound::Value(Limit { key, value, fits }) => {
                    Bound::Value(Limit { key: to(key)?, value: to(value)?, fits: to(fits)? })
                }
            })
        };
        // Trino evaluates ends first, and meets their errors.
        let end = bound(&self.end)?;
        Ok(Frame { unit: self.unit, start: bound(&self.start)?, end })
    }
}

/// A partition and its groups of rows that are equal in the order.
#[derive(Debug)]
pub(super) struct Partition {
    pub(super) rows: Range<usize>,
    pub(super) groups: Vec<Range<usize>>,
}

/// Finds the frames of an input's rows.
pub(super) struct Bounds<'a> {
    frame: &'a Frame<usize>,
    input: &'a RecordBatch,
    /// Compare keys with limits, where these are values.
    start: Option<DynComparator>,
    end: Option<DynComparator>,
}

impl<'a> Bounds<'a> {
    /// With the direction of the order's key.
    pub(super) fn new(frame: &'a Frame<usize>, input: &'a RecordBatch, order: SortOptions) -> Result<Self> {
        let comparator = |bound: &Bound<usize>| match bound {
            Bound::Value(limit) => {
                let (keys, limits) = (input.column(limit.key), input.column(limit.value));
                make_comparator(keys.as_ref(), limits.as_ref(), order).map(Some)
            }
            _ => Ok(None),
        };
        let (start, end) = (comparator(&frame.start)?, comparator(&frame.end)?);
        Ok(Self { frame, input, start, end })
    }

    /// The frame of a row in its group of a partition.
    pub(super) fn of(&self, row: usize, group: usize, partition: &Partition) -> Result<Range<usize>> {
        let (rows, groups) = (&partition.rows, &partition.groups);
        let peers = &groups[group];
        let start = match &self.frame.start {
            Bound::Unbounded => rows.start,
            Bound::Value(limit) => match self.reached(limit, row)? {
                false => peers.start,
                true => self.first(self.start.as_ref(), rows, row, |order| order == Ordering::Less),
            },
            bound => match (self.frame.unit, self.distance(bound, row)?) {
                (Unit::Rows, (back, distance)) => moved(row - rows.start, back, distance, rows.len())
                    .map_or(if back { rows.start } else { rows.end }, |row| rows.start + row),
                (Unit::Groups, (back, distance)) => moved(group, back, distance, groups.len())
                    .map_or(if back { rows.start } else { rows.end }, |group| groups[group].start),
            },
        };
        let end = match &self.frame.end {
            Bound::Unbounded => rows.end,
            Bound::Value(limit) => match self.reached(limit, row)? {
                false => peers.end,
                true => self.first(self.end.as_ref(), rows, row, |order| order != Ordering::Greater),
            },
            bound => match (self.frame.unit, self.distance(bound, row)?) {
                (Unit::Rows, (back, distance)) => moved(row - rows.start, back, distance, rows.len())
                    .map_or(if back { rows.start } else { rows.end }, |row| rows.start + row + 1),
                (Unit::Groups, (back, distance)) => moved(group, back, distance, groups.len())
                    .map_or(if back { rows.start } else { rows.end }, |group| groups[group].end),
            },
        };
        Ok(if start < end { start..end } else { row..row })
    }

    /// Whether a bound goes back, and how far. One at the row itself goes nowhere.
    fn distance(&self, bound: &Bound<usize>, row: usize) -> Result<(bool, usize)> {
        let (back, column) = match bound {
            Bound::Preceding(column) => (true, *column),
            Bound::Following(column) => (false, *column),
            Bound::Unbounded | Bound::CurrentRow | Bound::Value(_) => return Ok((false, 0)),
        };
        let distances = self.input.column(column).as_primitive::<Int64Type>();
        match usize::try_from(distances.value(row)) {
            Ok(distance) if distances.is_valid(row) => Ok((back, distance)),
            _ => Err(wrong_distance().into()),
        }
    }

    /// Whether a row has a value that its frame reaches to; not if its key is NULL.
    fn reached(&self, limit: &Limit<usize>, row: usize) -> Result<bool> {
        let fits = self.input.column(limit.fits).as_boolean();
        if fits.is_null(row) || !fits.value(row) {
            return Err(wrong_distance().into());
        }
        Ok(self.input.column(limit.value).is_valid(row))
    }

    /// The first row whose key doesn't come before a row's limit.
    fn first(
        &self,
        compare: Option<&DynComparator>,
        rows: &Range<usize>,
        row: usize,
        before: impl Fn(Ordering) -> bool,
    ) -> usize {
        let Some(compare) = compare else { return rows.start };
        let (mut low, mut high) = (rows.start, rows.end);
        while low < high {
            let middle = low + (high - low) / 2;
            match before(compare(middle, row)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }
}

/// A place so far from another; none if it lies outside.
fn moved(place: usize, back: bool, distance: usize, count: usize) -> Option<usize> {
    match back {
        true => place.checked_sub(distance),
        false => place.checked_add(distance).filter(|place| *place < count),
    }
}

/// A distance that is none.
pub(crate) fn wrong_distance() -> TrinoError {
    TrinoError::new(ErrorCode::InvalidWindowFrame, "Window frame offset value must not be negative or null")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, BooleanArray, Int64Array};

    use super::*;

    fn frames(frame: &Frame<usize>, columns: Vec<(&str, ArrayRef)>, groups: &[usize]) -> Result<Vec<Range<usize>>> {
        let input = RecordBatch::try_from_iter(columns).unwrap();
        let ends = groups.iter().scan(0, |end, size| {
            *end += size;
            Some(*end - size..*end)
        });
        let partition = Partition { rows: 0..input.num_rows(), groups: ends.collect() };
        let bounds = Bounds::new(frame, &input, SortOptions::default())?;
        let group_of = |row: usize| partition.groups.iter().position(|group| group.contains(&row)).unwrap();
        (0..input.num_rows()).map(|row| bounds.of(row, group_of(row), &partition)).collect()
    }

    fn integers(values: &[Option<i64>]) -> ArrayRef {
        Arc::new(Int64Array::from(values.to_vec()))
    }

    #[test]
    fn rows_reach_as_far_as_each_row_says() {
        let distances = || vec![("n", integers(&[Some(0), Some(1), Some(9), Some(2)]))];
        let mut frame = Frame { unit: Unit::Rows, start: Bound::Preceding(0), end: Bound::CurrentRow };
        assert_eq!(frames(&frame, distances(), &[4]).unwrap(), [0..1, 0..2, 0..3, 1..4]);
        frame = Frame { unit: Unit::Rows, start: Bound::CurrentRow, end: Bound::Following(0) };
        assert_eq!(frames(&frame, distances(), &[4]).unwrap(), [0..1, 1..3, 2..4, 3..4]);
        frame = Frame { unit: Unit::Rows, start: Bound::Unbounded, end: Bound::Preceding(0) };
        assert_eq!(frames(&frame, distances(), &[4]).unwrap(), [0..1, 0..1, 2..2, 0..2]);
        frame = Frame { unit: Unit::Rows, start: Bound::Following(0), end: Bound::Unbounded };
        assert_eq!(frames(&frame, distances(), &[4]).unwrap(), [0..4, 2..4, 2..2, 3..3]);
    }

    #[test]
    fn groups_are_those_of_equal_rows() {
        let distances = || vec![("n", integers(&[Some(1), Some(0), Some(1), Some(5)]))];
        let mut frame = Frame { unit: Unit::Groups, start: Bound::Preceding(0), end: Bound::CurrentRow };
        assert_eq!(frames(&frame, distances(), &[2, 1, 1]).unwrap(), [0..2, 0..2, 0..3, 0..4]);
        frame = Frame { unit: Unit::Groups, start: Bound::CurrentRow, end: Bound::Following(0) };
        assert_eq!(frames(&frame, distances(), &[2, 1, 1]).unwrap(), [0..3, 0..2, 2..4, 3..4]);
    }

    #[test]
    fn values_reach_to_limits_and_nulls_to_their_peers() {
        let columns = |fits: bool| {
            vec![
                ("key", integers(&[Some(1), Some(2), Some(5), None])),
                ("limit", integers(&[Some(0), Some(1), Some(3), None])),
                ("fits", Arc::new(BooleanArray::from(vec![fits; 4])) as ArrayRef),
            ]
        };
        let limit = Bound::Value(Limit { key: 0, value: 1, fits: 2 });
        let frame = Frame { unit: Unit::Groups, start: limit, end: Bound::CurrentRow };
        assert_eq!(frames(&frame, columns(true), &[1, 1, 1, 1]).unwrap(), [0..1, 0..2, 2..3, 3..4]);
        assert!(frames(&frame, columns(false), &[1, 1, 1, 1]).is_err());
    }

    #[test]
    fn a_distance_is_neither_negative_nor_null() {
        let frame = Frame { unit: Unit::Rows, start: Bound::Preceding(0), end: Bound::CurrentRow };
        for wrong in [Some(-1), None] {
            let error = frames(&frame, vec![("n", integers(&[wrong]))], &[1]).unwrap_err();
            assert!(error.to_string().contains("must not be negative or null"), "{error}");
        }
    }
}
