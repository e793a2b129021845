//! A set's digest: the values with the smallest hashes and how often each occurred, and a HyperLogLog of all.

use std::collections::BTreeMap;

use super::{HyperLogLog, Reader, Summary, Writer};

/// How many hashes are kept; up to here everything is exact.
const MOST: usize = 8_192;

/// About which different values there were.
#[derive(Debug, Clone, Default)]
pub(in crate::functions) struct SetDigest {
    all: HyperLogLog,
    smallest: BTreeMap<i64, i16>,
}

impl SetDigest {
    /// Adds the hash of a value.
    pub(in crate::functions) fn add(&mut self, hash: u64) {
        self.all.add(hash);
        self.count(hash as i64, 1);
    }

    fn count(&mut self, hash: i64, times: i16) {
        let count = self.smallest.entry(hash).or_insert(0);
        *count = count.saturating_add(times);
        if self.smallest.len() > MOST {
            self.smallest.pop_last();
        }
    }

    fn is_exact(&self) -> bool {
        self.smallest.len() < MOST
    }

    /// About how many different values were added.
    pub(in crate::functions) fn cardinality(&self) -> i64 {
        if self.is_exact() { self.smallest.len() as i64 } else { self.all.cardinality() }
    }

    /// About how many different values both have.
    pub(in crate::functions) fn intersection(&self, other: &Self) -> i64 {
        if self.is_exact() && other.is_exact() {
            return self.smallest.keys().filter(|hash| other.smallest.contains_key(hash)).count() as i64;
        }
        let mut both = self.clone();
        both.merge(other);
        (both.cardinality() as f64 * self.jaccard(other)).round() as i64
    }

    /// What both have in common, as a part of all that they have: judged by the smallest hashes of the union, as many as
    /// the smaller set has.
    pub(in crate::functions) fn jaccard(&self, other: &Self) -> f64 {
        let size = self.smallest.len().min(other.smallest.len());
        if size == 0 {
            return 0.0;
        }
        let mut union: Vec<i64> = self.smallest.keys().chain(other.smallest.keys()).copied().collect();
        union.sort_unstable();
        union.dedup();
        let both = |hash: &&i64| self.smallest.contains_key(hash) && other.smallest.contains_key(hash);
        union.iter().take(size).filter(both).count() as f64 / size as f64
    }

    /// The hashes with how often each occurred.
    pub(in crate::functions) fn counts(&self) -> impl Iterator<Item = (i64, i16)> {
        self.smallest.iter().map(|(hash, count)| (*hash, *count))
    }
}

impl Summary for SetDigest {
    fn write(&self, out: &mut Writer) {
        self.all.write(out);
        out.word(self.smallest.len() as u64);
        for (hash, count) in &self.smallest {
            out.word(*hash as u64);
            out.word(*count as u64);
        }
    }

    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let all = HyperLogLog::read(bytes)?;
        let count = bytes.count(16)?;
        let entry = |_| Some((bytes.word()? as i64, i16::try_from(bytes.word()?).ok()?));
        Some(Self { all, smallest: (0..count).map(entry).collect::<Option<_>>()? })
    }

    fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        other.smallest.iter().for_each(|(hash, count)| self.count(*hash, *count));
    }

    fn size(&self) -> usize {
        self.all.size() + self.smallest.len() * 24
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::hashing::murmur3;
    use super::*;

    fn of(numbers: impl Iterator<Item = u64>) -> SetDigest {
        let mut all = SetDigest::default();
        numbers.for_each(|number| all.add(murmur3(&number.to_le_bytes())[0]));
        all
    }

    #[test]
    fn small_sets_are_exact_and_large_ones_close() {
        let (left, right) = (of(0..30), of(20..40));
        assert_eq!((left.cardinality(), left.intersection(&right)), (30, 10));
        assert_eq!((left.jaccard(&left), left.jaccard(&of(50..60))), (1.0, 0.0));
        let (left, right) = (of(0..40_000), of(20_000..60_000));
        assert!((left.jaccard(&right) - 1.0 / 3.0).abs() < 0.03);
        assert!((left.intersection(&right) - 20_000).abs() < 2_000);
        let copy = SetDigest::from_bytes(&left.to_bytes()).unwrap();
        assert_eq!(copy.counts().count(), MOST);
    }
}
