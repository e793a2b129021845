//! Many values as a few numbers.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Different values that are kept exactly; more are rounded to three digits.
const EXACT_VALUES: usize = 200;

/// A number that sorts.
#[derive(Debug, Clone, Copy)]
struct Number(f64);

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What is kept of the values of a metric in a period: enough for every statistic.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How many values there were.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub minimum: f64,
    /// The largest.
    pub maximum: f64,
    /// How often each value was there; none where only sums are known, and so no percentiles.
    values: Option<BTreeMap<Number, f64>>,
}

impl Summary {
    /// The same value so many times.
    pub fn of(value: f64, count: f64) -> Self {
        let values = Some(BTreeMap::from([(Number(value), count)]));
        Self { count, sum: value * count, minimum: value, maximum: value, values }
    }

    /// Values of which only these statistics are known.
    pub fn of_set(count: f64, sum: f64, minimum: f64, maximum: f64) -> Self {
        let all_equal = minimum == maximum && sum == minimum * count;
        let values = all_equal.then(|| BTreeMap::from([(Number(minimum), count)]));
        Self { count, sum, minimum, maximum, values }
    }

    /// The same statistics with values that [`Summary::values`] gave.
    #[must_use]
    pub fn with_values(self, values: Option<impl IntoIterator<Item = (f64, f64)>>) -> Self {
        let values = values.map(|values| values.into_iter().map(|(value, count)| (Number(value), count)).collect());
        Self { values, ..self }
    }

    /// Adds the values of another summary.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
        match (&mut self.values, &other.values) {
            (Some(values), Some(others)) => {
                for (value, count) in others {
                    // Once they are many they stay rounded, and cheap to add to.
                    let many = values.len() > EXACT_VALUES;
                    let value = if many { Number(three_digits(value.0)) } else { *value };
                    *values.entry(value).or_default() += count;
                    if !many && values.len() > EXACT_VALUES {
                        *values = rounded(values);
                    }
                }
            }
            _ => self.values = None,
        }
    }

    /// The values in their order, with how often each was there. Many different ones are rounded to three digits.
    pub fn values(&self) -> Option<impl Iterator<Item = (f64, f64)> + '_> {
        let bounded = |value: f64| value.clamp(self.minimum, self.maximum);
        self.values.as_ref().map(|values| values.iter().map(move |(value, count)| (bounded(value.0), *count)))
    }
}

fn rounded(values: &BTreeMap<Number, f64>) -> BTreeMap<Number, f64> {
    values.iter().fold(BTreeMap::new(), |mut rounded, (value, count)| {
        *rounded.entry(Number(three_digits(value.0))).or_default() += count;
        rounded
    })
}

fn three_digits(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let exponent = value.abs().log10().floor() as i32 - 2;
    // Powers of ten are exact where they are not negative.
    if exponent < 0 {
        let scale = 10f64.powi(-exponent);
        return if scale.is_finite() { (value * scale).round() / scale } else { 0.0 };
    }
    let scale = 10f64.powi(exponent);
    (value / scale).round() * scale
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn summary(values: &[f64]) -> Summary {
        let mut all = values.iter().map(|value| Summary::of(*value, 1.0));
        let first = all.next().unwrap();
        all.fold(first, |mut summary, one| {
            summary.merge(&one);
            summary
        })
    }

    #[test]
    fn sets_have_values_only_where_all_are_equal() {
        assert!(Summary::of_set(2.0, 8.0, 4.0, 4.0).values().is_some());
        assert!(Summary::of_set(2.0, 9.0, 4.0, 5.0).values().is_none());
        let mut mixed = Summary::of(1.0, 1.0);
        mixed.merge(&Summary::of_set(2.0, 9.0, 4.0, 5.0));
        assert!(mixed.values().is_none());
        assert_eq!((mixed.count, mixed.sum, mixed.minimum, mixed.maximum), (3.0, 10.0, 1.0, 5.0));
    }

    #[test]
    fn three_digits_are_kept() {
        for (value, expected) in
            [(0.0, 0.0), (123.0, 123.0), (1234.0, 1230.0), (-0.001_236, -0.001_24), (9.996, 10.0), (5e-320, 0.0)]
        {
            assert_eq!(three_digits(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn many_values_take_little_room_and_keep_their_places(
            values in proptest::collection::vec(prop_oneof![0.0..1e6f64, -1e3..1e3f64], 1..2000),
        ) {
            let summary = summary(&values);
            let kept: Vec<(f64, f64)> = summary.values().unwrap().collect();
            prop_assert!(kept.len() <= 7 * 2000);
            prop_assert!(kept.is_sorted_by(|a, b| a.0 <= b.0));
            prop_assert_eq!(kept.iter().map(|(_, count)| count).sum::<f64>(), values.len() as f64);
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let (middle, mut seen) = (sorted[(sorted.len() - 1) / 2], 0.0);
            let half = kept.iter().find(|(_, count)| { seen += count; seen * 2.0 >= sorted.len() as f64 }).unwrap().0;
            prop_assert!((half - middle).abs() <= middle.abs() * 0.006, "{half} is not {middle}");
        }
    }
}
