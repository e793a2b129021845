//! A digest of quantiles over numbers in order: each different value with its weight, and where there are too many of
//! them, neighbours together under the greatest of them.

use std::collections::BTreeMap;

use super::{Reader, Summary, Writer};

/// How many values are kept apart; ranks are off by less than 0.1 %.
const MOST: usize = 8_192;

/// About how numbers were distributed.
#[derive(Debug, Clone, Default)]
pub(in crate::functions) struct QDigest {
    weights: BTreeMap<i64, f64>,
}

impl QDigest {
    /// Adds a value so many times.
    pub(in crate::functions) fn add(&mut self, value: i64, weight: f64) {
        *self.weights.entry(value).or_insert(0.0) += weight;
        if self.weights.len() > MOST {
            self.compress();
        }
    }

    fn total(&self) -> f64 {
        self.weights.values().sum()
    }

    fn compress(&mut self) {
        let most = self.total() / (MOST / 2) as f64;
        let mut kept = BTreeMap::new();
        let mut group: Option<(i64, f64)> = None;
        for (value, weight) in std::mem::take(&mut self.weights) {
            group = Some(match group {
                Some((_, together)) if together + weight <= most => (value, together + weight),
                full => {
                    kept.extend(full);
                    (value, weight)
                }
            });
        }
        kept.extend(group);
        self.weights = kept;
    }

    /// About the value below which this part of the values lies; none without values.
    pub(in crate::functions) fn quantile(&self, quantile: f64) -> Option<i64> {
        let (offset, mut before) = (quantile * self.total(), 0.0);
        for (value, weight) in &self.weights {
            before += weight;
            if before > offset {
                return Some(*value);
            }
        }
        self.weights.keys().next_back().copied()
    }
}

/// A double as a number of the same order.
pub(in crate::functions) fn sortable(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ (bits >> 63 & i64::MAX)
}

/// The double of `sortable`.
pub(in crate::functions) fn unsortable(value: i64) -> f64 {
    f64::from_bits((value ^ (value >> 63 & i64::MAX)) as u64)
}

/// A real as a number of the same order.
pub(in crate::functions) fn sortable_real(value: f32) -> i64 {
    let bits = value.to_bits() as i32;
    (bits ^ (bits >> 31 & i32::MAX)).into()
}

/// The real of `sortable_real`.
pub(in crate::functions) fn unsortable_real(value: i64) -> f32 {
    let value = value as i32;
    f32::from_bits((value ^ (value >> 31 & i32::MAX)) as u32)
}

impl Summary for QDigest {
    fn write(&self, out: &mut Writer) {
        out.word(self.weights.len() as u64);
        for (value, weight) in &self.weights {
            out.word(*value as u64);
            out.double(*weight);
        }
    }

    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let count = bytes.count(16)?;
        let entry = |_| Some((bytes.word()? as i64, bytes.double()?));
        Some(Self { weights: (0..count).map(entry).collect::<Option<_>>()? })
    }

    fn merge(&mut self, other: &Self) {
        other.weights.iter().for_each(|(value, weight)| self.add(*value, *weight));
    }

    fn size(&self) -> usize {
        self.weights.len() * 24
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_exact_and_many_are_close() {
        let mut digest = QDigest::default();
        (1..=5).for_each(|value| digest.add(value, 1.0));
        assert_eq!([0.0, 0.5, 0.8, 1.0].map(|q| digest.quantile(q)), [Some(1), Some(3), Some(5), Some(5)]);
        let mut many = QDigest::default();
        (0..100_000).for_each(|value| many.add(value * 7_919 % 100_000, 1.0));
        assert!(many.weights.len() <= MOST);
        let error = many.quantile(0.3).unwrap() - 30_000;
        assert!(error.abs() < 100, "{error}");
        let mut merged = QDigest::from_bytes(&many.to_bytes()).unwrap();
        merged.merge(&digest);
        assert_eq!(merged.quantile(1.0), Some(99_999));
    }

    #[test]
    fn doubles_keep_their_order() {
        let values = [f64::NEG_INFINITY, -1.5, -0.0, 0.0, 1e-300, 2.0, f64::INFINITY];
        assert!(values.windows(2).all(|pair| sortable(pair[0]) < sortable(pair[1])));
        assert!(values.iter().all(|value| unsortable(sortable(*value)) == *value));
        assert!([-3.5_f32, 0.0, 7.25].iter().all(|value| unsortable_real(sortable_real(*value)) == *value));
    }
}
