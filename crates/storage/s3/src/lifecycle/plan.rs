//! Which keys of a bucket have to be looked at again, and when.
//!
//! A look at all keys tells of each stretch of them when the first of its objects is due. What is written later is due no
//! earlier than the shortest of the rules has it. So a stretch is left alone until one of the two: a bucket whose rule says 30
//! days is not read every midnight, but about once in 30 days, a part of it each day. The plan is in memory; a new process
//! makes a new one.

use std::collections::BTreeMap;

use boathouse_objects::{BucketInfo, Versioning};

use super::rules::{DAY_MS, Rules};

/// How many keys a stretch has at most when it is made.
const STRETCH: usize = 10_000;

/// Keys in order: those behind `after`, up to and with `until`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) after: Option<String>,
    pub(super) until: Option<String>,
}

/// What is known of a bucket.
pub(super) struct Plan {
    rules: Rules,
    created_ms: u64,
    /// How many objects had been renamed: they keep their age, wherever they go.
    renames: u64,
    /// By prefix: stretches one behind the other, and when each is due.
    stretches: BTreeMap<String, Vec<(Stretch, u64)>>,
}

impl Plan {
    /// A plan that knows nothing yet; none where objects may be due at any time: versions, of which others decide, and rules
    /// for tags, which change.
    pub(super) fn new(bucket: &BucketInfo, rules: &Rules, renames: u64) -> Option<Self> {
        let good = bucket.versioning == Versioning::Off && !rules.about_tags();
        let (rules, created_ms) = (rules.clone(), bucket.created_ms);
        good.then(|| Self { rules, created_ms, renames, stretches: BTreeMap::new() })
    }

    /// Whether it still holds.
    pub(super) fn holds(&self, bucket: &BucketInfo, rules: &Rules, renames: u64) -> bool {
        let same = self.created_ms == bucket.created_ms && self.renames == renames;
        same && bucket.versioning == Versioning::Off && self.rules == *rules
    }

    /// What is due of the keys that begin so.
    pub(super) fn due(&self, prefix: &str, now_ms: u64) -> Vec<Stretch> {
        let Some(stretches) = self.stretches.get(prefix) else { return vec![Stretch::default()] };
        let mut found: Vec<Stretch> = Vec::new();
        for (stretch, _) in stretches.iter().filter(|(_, due)| *due <= now_ms) {
            match found.last_mut().filter(|last| last.until.is_some() && last.until == stretch.after) {
                Some(last) => last.until.clone_from(&stretch.until),
                None => found.push(stretch.clone()),
            }
        }
        found
    }

    /// Keeps what a look at keys has shown.
    pub(super) fn keep(&mut self, prefix: &str, looked: Look) {
        let Look { whole, done, .. } = looked;
        let stretches = self.stretches.entry(prefix.to_owned()).or_default();
        let inside = |stretch: &Stretch| {
            stretch.after >= whole.after
                && match (&stretch.until, &whole.until) {
                    (_, None) => true,
                    (None, Some(_)) => false,
                    (Some(end), Some(last)) => end <= last,
                }
        };
        stretches.retain(|(stretch, _)| !inside(stretch));
        let at = stretches.partition_point(|(stretch, _)| stretch.after < whole.after);
        stretches.splice(at..at, done);
    }
}

/// A look at a stretch of keys.
pub(super) struct Look {
    whole: Stretch,
    /// Before it nothing is due of what is written from now on.
    soonest_ms: Option<u64>,
    done: Vec<(Stretch, u64)>,
    after: Option<String>,
    first_due_ms: Option<u64>,
    count: usize,
}

impl Look {
    pub(super) fn new(whole: Stretch, rules: &Rules, now_ms: u64) -> Self {
        // Objects are as old as the beginning of their upload.
        let soonest_ms = rules.soonest(now_ms.saturating_sub(DAY_MS));
        let after = whole.after.clone();
        Self { whole, soonest_ms, done: Vec::new(), after, first_due_ms: None, count: 0 }
    }

    /// An object that stays, and when it is due.
    pub(super) fn see(&mut self, key: &str, due_ms: Option<u64>) {
        self.first_due_ms = self.first_due_ms.into_iter().chain(due_ms).min();
        self.count += 1;
        if self.count >= STRETCH {
            self.end(Some(key.to_owned()));
        }
    }

    fn end(&mut self, until: Option<String>) {
        let due = self.soonest_ms.into_iter().chain(self.first_due_ms.take()).min();
        let after = std::mem::replace(&mut self.after, until.clone());
        self.done.push((Stretch { after, until }, due.unwrap_or(u64::MAX)));
        self.count = 0;
    }

    /// All keys were seen.
    pub(super) fn ended(mut self) -> Self {
        if self.whole.until.is_none() || self.after != self.whole.until {
            self.end(self.whole.until.clone());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(&BucketInfo::default(), &Rules::default(), 0).unwrap()
    }

    fn stretch(after: &str, until: &str) -> Stretch {
        let some = |key: &str| (!key.is_empty()).then(|| key.to_owned());
        Stretch { after: some(after), until: some(until) }
    }

    fn look(whole: Stretch, soonest: Option<u64>, keys: impl IntoIterator<Item = (usize, u64)>) -> Look {
        let mut look = Look::new(whole, &Rules::default(), 0);
        look.soonest_ms = soonest;
        keys.into_iter().for_each(|(number, due)| look.see(&format!("{number:06}"), Some(due)));
        look.ended()
    }

    #[test]
    fn only_what_is_due_is_looked_at_again() {
        let mut plan = plan();
        assert_eq!(plan.due("", 0), [Stretch::default()]);
        // 25,000 keys, a day for each 5,000 of them.
        let keys = (0..25_000).map(|number| (number, (number as u64 / 5000 + 10) * 100));
        plan.keep("", look(plan.due("", 0).remove(0), Some(5000), keys));
        assert_eq!(plan.due("", 999), []);
        assert_eq!(plan.due("", 1000), [stretch("", "009999")]);
        assert_eq!(plan.due("", 1200), [stretch("", "019999")]);
        assert_eq!(plan.due("", 1400), [stretch("", "")]);
        // The first 5,000 are gone; the rest of the stretch is due a day later.
        let keys = (5000..10_000).map(|number| (number, 1100));
        plan.keep("", look(stretch("", "009999"), Some(5000), keys));
        assert_eq!(plan.due("", 1099), []);
        assert_eq!(plan.due("", 1100), [stretch("", "009999")]);
        // Two that are due together become one.
        plan.keep("", look(stretch("", "019999"), Some(3000), []));
        assert_eq!(plan.due("", 1400), [stretch("019999", "")]);
        assert_eq!(plan.due("", 3000), [stretch("", "")]);
    }

    #[test]
    fn prefixes_are_planned_for_themselves() {
        let mut plan = plan();
        plan.keep("a/", look(Stretch::default(), Some(50), [(1, 70)]));
        assert_eq!((plan.due("a/", 49), plan.due("b/", 49)), (vec![], vec![Stretch::default()]));
        assert_eq!(plan.due("a/", 50), [Stretch::default()]);
        plan.keep("a/", look(Stretch::default(), None, []));
        assert_eq!(plan.due("a/", u64::MAX - 1), []);
    }

    #[test]
    fn a_plan_holds_as_long_as_nothing_else_changes() {
        let (bucket, rules) = (BucketInfo { created_ms: 5, ..BucketInfo::default() }, Rules::default());
        let plan = Plan::new(&bucket, &rules, 3).unwrap();
        assert!(plan.holds(&bucket, &rules, 3) && !plan.holds(&bucket, &rules, 4));
        assert!(!plan.holds(&BucketInfo { created_ms: 6, ..bucket.clone() }, &rules, 3));
        let versioned = BucketInfo { versioning: Versioning::Enabled, ..bucket };
        assert!(!plan.holds(&versioned, &rules, 3) && Plan::new(&versioned, &rules, 3).is_none());
    }
}
