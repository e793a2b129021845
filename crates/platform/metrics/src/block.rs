//! The bytes of a block: its points one after the other, numbers in little-endian order.

use std::collections::BTreeMap;

use boathouse_aws::measures::Summary;
use bytes::{Buf, BufMut};

/// The first byte of every block: how it is laid out.
const LAYOUT: u8 = 1;
/// Stands for the number of values where they are not known.
const UNKNOWN: u32 = u32::MAX;

/// The place of a point: its time in seconds since 1970, and its unit by number.
pub(crate) type Place = (i64, u8);

/// The points of a metric in a span of time.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Block(BTreeMap<Place, Summary>);

impl Block {
    /// Adds values to the point at a place.
    pub(crate) fn add(&mut self, place: Place, summary: &Summary) {
        self.0.entry(place).and_modify(|present| present.merge(summary)).or_insert_with(|| summary.clone());
    }

    /// The points in the order of time.
    pub(crate) fn into_points(self) -> impl Iterator<Item = (Place, Summary)> {
        self.0.into_iter()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        for ((time, unit), summary) in &self.0 {
            bytes.put_i64_le(*time);
            bytes.put_u8(*unit);
            for number in [summary.count, summary.sum, summary.minimum, summary.maximum] {
                bytes.put_f64_le(number);
            }
            let values: Option<Vec<(f64, f64)>> = summary.values().map(Iterator::collect);
            bytes.put_u32_le(values.as_ref().map_or(UNKNOWN, |values| values.len() as u32));
            for (value, count) in values.into_iter().flatten() {
                bytes.put_f64_le(value);
                bytes.put_f64_le(count);
            }
        }
        bytes
    }

    /// Reads what [`Block::encode`] has written; none if it is something else.
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut points = BTreeMap::new();
        if bytes.try_get_u8().ok()? != LAYOUT {
            return None;
        }
        while bytes.has_remaining() {
            let place = (bytes.try_get_i64_le().ok()?, bytes.try_get_u8().ok()?);
            points.insert(place, summary(&mut bytes)?);
        }
        Some(Self(points))
    }
}

fn summary(bytes: &mut &[u8]) -> Option<Summary> {
    let mut number = || bytes.try_get_f64_le().ok();
    let summary = Summary::of_set(number()?, number()?, number()?, number()?);
    let count = bytes.try_get_u32_le().ok()?;
    if count == UNKNOWN {
        return Some(summary.with_values(None::<Vec<_>>));
    }
    let mut values = Vec::new();
    for _ in 0..count {
        values.push((bytes.try_get_f64_le().ok()?, bytes.try_get_f64_le().ok()?));
    }
    Some(summary.with_values(Some(values)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_are_read_as_they_were_written(
            points in proptest::collection::vec((-10i64..2_000_000_000, 0u8..27, -1e9..1e9f64, 1u32..5), 0..40),
            sets in proptest::collection::vec((0i64..100, 0.0..10.0f64), 0..3),
        ) {
            let mut block = Block::default();
            for (time, unit, value, count) in points {
                block.add((time, unit), &Summary::of(value, f64::from(count)));
            }
            for (time, value) in sets {
                block.add((time, 0), &Summary::of_set(3.0, value, 0.0, value));
            }
            prop_assert_eq!(Block::decode(&block.encode()), Some(block));
        }

        #[test]
        fn other_bytes_are_no_block(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Block::decode(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = LAYOUT;
                let _ = Block::decode(&bytes);
            }
        }
    }
}
