//! Dunning's t-digest: centroids that are the lighter the nearer they are to the ends.

use super::{Reader, Summary, Writer};

/// The more, the more exact.
const COMPRESSION: f64 = 100.0;
/// How many values wait for the next compression.
const PENDING: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Centroid {
    mean: f64,
    weight: f64,
}

/// About how doubles were distributed.
#[derive(Debug, Clone)]
pub(in crate::functions) struct TDigest {
    centroids: Vec<Centroid>,
    pending: Vec<Centroid>,
    least: f64,
    greatest: f64,
}

impl Default for TDigest {
    fn default() -> Self {
        Self { centroids: Vec::new(), pending: Vec::new(), least: f64::INFINITY, greatest: f64::NEG_INFINITY }
    }
}

impl TDigest {
    /// Adds a value so many times.
    pub(in crate::functions) fn add(&mut self, value: f64, weight: f64) {
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        self.push(Centroid { mean: value, weight });
    }

    fn push(&mut self, centroid: Centroid) {
        self.pending.push(centroid);
        if self.pending.len() >= PENDING {
            self.compress();
        }
    }

    fn compress(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.centroids);
        all.append(&mut self.pending);
        all.sort_by(|one, other| one.mean.total_cmp(&other.mean));
        let total: f64 = all.iter().map(|centroid| centroid.weight).sum();
        let mut before = 0.0;
        for next in all {
            let Some(last) = self.centroids.last_mut() else {
                self.centroids.push(next);
                continue;
            };
            let weight = last.weight + next.weight;
            let spread = |q: f64| 4.0 * total * q * (1.0 - q) / COMPRESSION;
            if weight <= spread(before / total).min(spread((before + weight) / total)) {
                last.mean += (next.mean - last.mean) * next.weight / weight;
                last.weight = weight;
            } else {
                before += last.weight;
                self.centroids.push(next);
            }
        }
    }

    /// About the value below which this part of the values lies; none without values.
    pub(in crate::functions) fn quantile(&mut self, quantile: f64) -> Option<f64> {
        self.compress();
        let (first, last) = (*self.centroids.first()?, *self.centroids.last()?);
        if self.centroids.len() == 1 {
            return Some(first.mean);
        }
        let total: f64 = self.centroids.iter().map(|centroid| centroid.weight).sum();
        let offset = quantile * total;
        if offset < 1.0 {
            return Some(self.least);
        }
        if first.weight > 1.0 && offset < first.weight / 2.0 {
            let part = (offset - 1.0) / (first.weight / 2.0 - 1.0);
            return Some(self.least + part * (first.mean - self.least));
        }
        if offset > total - 1.0 {
            return Some(self.greatest);
        }
        if last.weight > 1.0 && total - offset <= last.weight / 2.0 {
            let part = (total - offset - 1.0) / (last.weight / 2.0 - 1.0);
            return Some(self.greatest - part * (self.greatest - last.mean));
        }
        let mut middle = first.weight / 2.0;
        for pair in self.centroids.windows(2) {
            let distance = (pair[0].weight + pair[1].weight) / 2.0;
            if middle + distance > offset {
                return Some(inside(pair[0], pair[1], offset - middle, middle + distance - offset));
            }
            middle += distance;
        }
        let behind = offset - middle;
        Some(weighted(last.mean, last.weight / 2.0 - behind, self.greatest, behind))
    }
}

/// Between two centroids; single values reach half a step to each side.
fn inside(left: Centroid, right: Centroid, from_left: f64, to_right: f64) -> f64 {
    let half = |centroid: Centroid| if centroid.weight == 1.0 { 0.5 } else { 0.0 };
    if left.weight == 1.0 && from_left < 0.5 {
        return left.mean;
    }
    if right.weight == 1.0 && to_right <= 0.5 {
        return right.mean;
    }
    weighted(left.mean, to_right - half(right), right.mean, from_left - half(left))
}

fn weighted(one: f64, one_weight: f64, other: f64, other_weight: f64) -> f64 {
    let value = (one * one_weight + other * other_weight) / (one_weight + other_weight);
    value.clamp(one.min(other), one.max(other))
}

impl Summary for TDigest {
    fn write(&self, out: &mut Writer) {
        out.double(self.least);
        out.double(self.greatest);
        out.word((self.centroids.len() + self.pending.len()) as u64);
        for centroid in self.centroids.iter().chain(&self.pending) {
            out.double(centroid.mean);
            out.double(centroid.weight);
        }
    }

    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        let (least, greatest) = (bytes.double()?, bytes.double()?);
        let count = bytes.count(16)?;
        let centroid = |_| Some(Centroid { mean: bytes.double()?, weight: bytes.double()? });
        let pending: Vec<_> = (0..count).map(centroid).collect::<Option<_>>()?;
        Some(Self { centroids: Vec::new(), pending, least, greatest })
    }

    fn merge(&mut self, other: &Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        other.centroids.iter().chain(&other.pending).for_each(|centroid| self.push(*centroid));
    }

    fn size(&self) -> usize {
        (self.centroids.capacity() + self.pending.capacity()) * size_of::<Centroid>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_exact_and_many_are_close() {
        let mut few = TDigest::default();
        [5.0, 1.0, 4.0, 2.0, 3.0].into_iter().for_each(|value| few.add(value, 1.0));
        assert_eq!([0.0, 0.5, 1.0].map(|q| few.quantile(q)), [Some(1.0), Some(3.0), Some(5.0)]);
        let mut many = TDigest::default();
        (0..100_000).for_each(|value| many.add(f64::from(value * 7_919 % 100_000), 1.0));
        for q in [0.001, 0.25, 0.5, 0.99] {
            let error = many.quantile(q).unwrap() - q * 100_000.0;
            assert!(error.abs() < 1_000.0, "{q}: {error}");
        }
        assert!(many.centroids.len() < 1_000);
        assert_eq!(TDigest::default().quantile(0.5), None);
    }

    #[test]
    fn weights_count_and_merging_keeps_them() {
        let mut left = TDigest::default();
        left.add(1.0, 9.0);
        let mut right = TDigest::from_bytes(&TDigest::default().to_bytes()).unwrap();
        right.add(10.0, 1.0);
        left.merge(&TDigest::from_bytes(&right.to_bytes()).unwrap());
        assert_eq!(left.quantile(1.0), Some(10.0));
        assert!(left.quantile(0.3).unwrap() < 2.0);
    }
}
