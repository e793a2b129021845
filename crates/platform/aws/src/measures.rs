//! What services measure of themselves, for CloudWatch: the metrics that AWS's services publish about their resources.
//!
//! A front adds a value ([`crate::Platform::measure`]); values of a minute become one [`Summary`] in memory, so nothing waits
//! for a disk. The front of CloudWatch takes the summaries every minute and keeps them. Names, units and dimensions are those of
//! each service's page on CloudWatch metrics.

mod summary;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

pub use self::summary::Summary;

/// Parts of the memory that are locked apart.
const SHARDS: usize = 16;

/// A metric that a service publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Metric {
    /// Such as `AWS/Lambda`.
    pub namespace: &'static str,
    /// Such as `Invocations`.
    pub name: &'static str,
    /// Such as `Count`.
    pub unit: &'static str,
}

/// A metric of one resource in one minute.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Measured {
    /// The metric.
    pub metric: Metric,
    /// Names and values of the dimensions.
    pub dimensions: Vec<(&'static str, String)>,
    /// Minutes since 1970.
    pub minute: i64,
}

type Shard = Mutex<HashMap<Measured, Summary>>;

/// The values that were measured and not taken yet. Cheap to clone.
#[derive(Clone)]
pub struct Measures {
    shards: Arc<[Shard; SHARDS]>,
    hasher: RandomState,
}

impl std::fmt::Debug for Measures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Measures")
    }
}

impl Default for Measures {
    fn default() -> Self {
        Self { shards: Arc::new(std::array::from_fn(|_| Shard::default())), hasher: RandomState::new() }
    }
}

impl Measures {
    /// Adds a value that was measured at this time.
    pub fn add(&self, at: DateTime<Utc>, metric: Metric, dimensions: &[(&'static str, &str)], value: f64) {
        let dimensions = dimensions.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let measured = Measured { metric, dimensions, minute: at.timestamp().div_euclid(60) };
        let shard = self.hasher.hash_one(&measured) as usize % SHARDS;
        let one = Summary::of(value, 1.0);
        self.shards[shard].lock().entry(measured).and_modify(|summary| summary.merge(&one)).or_insert(one);
    }

    /// Takes what was measured since it was taken last.
    pub fn take(&self) -> Vec<(Measured, Summary)> {
        self.shards.iter().flat_map(|shard| std::mem::take(&mut *shard.lock())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: Metric = Metric { namespace: "AWS/Test", name: "Calls", unit: "Count" };

    #[test]
    fn values_of_a_minute_are_summed_up() {
        let measures = Measures::default();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        measures.add(at(60), CALLS, &[("Name", "a")], 1.0);
        measures.add(at(119), CALLS, &[("Name", "a")], 3.0);
        measures.add(at(120), CALLS, &[("Name", "a")], 5.0);
        measures.add(at(60), CALLS, &[("Name", "b")], 7.0);
        let mut taken = measures.take();
        taken.sort_by_key(|(measured, _)| (measured.minute, measured.dimensions.clone()));
        let sums: Vec<(i64, &str, f64, f64)> = taken
            .iter()
            .map(|(measured, summary)| (measured.minute, &*measured.dimensions[0].1, summary.count, summary.sum))
            .collect();
        assert_eq!(sums, [(1, "a", 2.0, 4.0), (1, "b", 1.0, 7.0), (2, "a", 1.0, 5.0)]);
        assert!(measures.take().is_empty());
    }
}
