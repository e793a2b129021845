//! Token buckets: so many requests a second, and so many at once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;

/// The buckets of all throttled routes.
#[derive(Default)]
pub(crate) struct Buckets(Mutex<HashMap<(String, String, String), Bucket>>);

struct Bucket {
    tokens: f64,
    filled: DateTime<Utc>,
}

/// How much a route takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limit {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Requests at once.
    pub(crate) burst: f64,
}

impl Buckets {
    /// Takes a token out of the bucket of (API, stage, route); says whether there was one.
    pub(crate) fn take(&self, key: (String, String, String), limit: Limit, now: DateTime<Utc>) -> bool {
        let mut buckets = self.0.lock();
        let bucket = buckets.entry(key).or_insert(Bucket { tokens: limit.burst, filled: now });
        let seconds = (now - bucket.filled).num_microseconds().unwrap_or(i64::MAX).max(0) as f64 / 1e6;
        bucket.tokens = (bucket.tokens + seconds * limit.rate).min(limit.burst);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let (buckets, start) = (Buckets::default(), DateTime::<Utc>::default());
        let limit = Limit { rate: 2.0, burst: 3.0 };
        let take = |route: &str, ms| {
            buckets.take(("api".into(), "stage".into(), route.into()), limit, start + TimeDelta::milliseconds(ms))
        };
        assert_eq!([0, 0, 0, 0].map(|ms| take("a", ms)), [true, true, true, false]);
        assert!(take("b", 0), "routes have their own buckets");
        assert!(!take("a", 499));
        assert!(take("a", 500));
        assert!(!take("a", 999));
        assert_eq!([60_000; 4].map(|ms| take("a", ms)), [true, true, true, false]);
        let none = Limit { rate: 0.0, burst: 0.0 };
        assert!(!buckets.take(("api".into(), "stage".into(), "c".into()), none, start));
    }
}
