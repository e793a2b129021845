//! One number of a period's values ("CloudWatch statistics definitions").

use std::str::FromStr;

use boathouse_aws::measures::Summary;

/// A statistic.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// `p99`: the smallest value that so many percent of all values don't exceed.
    Percentile(f64),
    /// `tm99`, `TM(10%:90%)`, `TM(:100)` …: something of the values within bounds.
    Within(Of, Bounds),
}

/// What of the values within bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Their average.
    TrimmedMean,
    /// Their average, where those outside count as the bounds.
    WinsorizedMean,
    /// How many there are.
    TrimmedCount,
    /// Their sum.
    TrimmedSum,
    /// How many percent of all there are.
    PercentileRank,
}

/// Values from one to another, or from one percentile to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bounds {
    Percent(f64, f64),
    Values(f64, f64),
}

impl FromStr for Statistic {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            "IQM" => Self::Within(Of::TrimmedMean, Bounds::Percent(25.0, 75.0)),
            other => {
                let lower = other.to_ascii_lowercase();
                let name = lower.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
                let rest = &lower[name.len()..];
                let of = match name {
                    "p" => return percent(rest).map(Self::Percentile).ok_or(()),
                    "tm" => Of::TrimmedMean,
                    "wm" => Of::WinsorizedMean,
                    "tc" => Of::TrimmedCount,
                    "ts" => Of::TrimmedSum,
                    "pr" => Of::PercentileRank,
                    _ => return Err(()),
                };
                let short = percent(rest).filter(|_| of != Of::PercentileRank);
                let bounds = short.map(|upper| Bounds::Percent(0.0, upper)).or_else(|| bounds(rest)).ok_or(())?;
                Self::Within(of, bounds)
            }
        })
    }
}

/// `99.9`
fn percent(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|percent| plain && (0.0..=100.0).contains(percent))
}

/// `(10%:90%)`, `(:100)`, `(150:)`
fn bounds(text: &str) -> Option<Bounds> {
    let (lower, upper) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(':')?;
    if lower.contains('%') || upper.contains('%') {
        let bound = |text: &str, absent| if text.is_empty() { Some(absent) } else { percent(text.strip_suffix('%')?) };
        let (lower, upper) = (bound(lower, 0.0)?, bound(upper, 100.0)?);
        return (lower < upper).then_some(Bounds::Percent(lower, upper));
    }
    let bound = |text: &str, absent| if text.is_empty() { Some(absent) } else { text.parse().ok() };
    let (lower, upper) = (bound(lower, f64::NEG_INFINITY)?, bound(upper, f64::INFINITY)?);
    (lower < upper && (lower.is_finite() || upper.is_finite())).then_some(Bounds::Values(lower, upper))
}

impl Statistic {
    /// The statistic's value; none where the single values are not known, or negative, and it depends on them.
    pub(crate) fn of(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::SampleCount => Some(summary.count),
            Self::Average => Some(summary.sum / summary.count),
            Self::Sum => Some(summary.sum),
            Self::Minimum => Some(summary.minimum),
            Self::Maximum => Some(summary.maximum),
            Self::Percentile(percent) => percentile(summary, percent),
            Self::Within(of, bounds) => within(summary, of, bounds),
        }
    }
}

fn values(summary: &Summary) -> Option<impl Iterator<Item = (f64, f64)> + '_> {
    summary.values().filter(|_| summary.minimum >= 0.0)
}

fn percentile(summary: &Summary, percent: f64) -> Option<f64> {
    let (wanted, mut seen) = (summary.count * percent / 100.0, 0.0);
    let found = values(summary)?.find(|(_, count)| {
        seen += count;
        seen >= wanted
    });
    Some(found.map_or(summary.maximum, |(value, _)| value))
}

fn within(summary: &Summary, of: Of, bounds: Bounds) -> Option<f64> {
    let (mut seen, mut inside, mut sum) = (0.0, 0.0, 0.0);
    for (value, count) in values(summary)? {
        let part = match bounds {
            Bounds::Percent(lower, upper) => {
                let (from, to) = (summary.count * lower / 100.0, summary.count * upper / 100.0);
                (to.min(seen + count) - from.max(seen)).max(0.0)
            }
            Bounds::Values(lower, upper) => {
                if lower < value && value <= upper {
                    count
                } else {
                    0.0
                }
            }
        };
        seen += count;
        inside += part;
        sum += part * value;
    }
    match of {
        Of::TrimmedCount => Some(inside),
        Of::TrimmedSum => Some(sum),
        Of::PercentileRank => Some(inside / summary.count * 100.0),
        Of::TrimmedMean => (inside > 0.0).then(|| sum / inside),
        Of::WinsorizedMean => {
            let (lower, upper) = match bounds {
                Bounds::Percent(lower, upper) => (percentile(summary, lower)?, percentile(summary, upper)?),
                Bounds::Values(lower, upper) => (lower, upper),
            };
            let sum: f64 = values(summary)?.map(|(value, count)| value.clamp(lower, upper) * count).sum();
            Some(sum / summary.count)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hundred() -> Summary {
        let mut all = Summary::of(1.0, 1.0);
        (2..=100).for_each(|n| all.merge(&Summary::of(f64::from(n), 1.0)));
        all
    }

    fn of(text: &str, summary: &Summary) -> Option<f64> {
        text.parse::<Statistic>().unwrap().of(summary)
    }

    #[test]
    fn statistics_are_computed() {
        for (text, expected) in [
            ("SampleCount", 100.0),
            ("Sum", 5050.0),
            ("Average", 50.5),
            ("Minimum", 1.0),
            ("Maximum", 100.0),
            ("p0", 1.0),
            ("p50", 50.0),
            ("p99.5", 100.0),
            ("p100", 100.0),
            ("tm90", 45.5),
            ("TM(10%:90%)", 50.5),
            ("IQM", 50.5),
            ("tc90", 90.0),
            ("ts(:10)", 55.0),
            ("TC(90:)", 10.0),
            ("PR(:25)", 25.0),
            ("PR(25:75)", 50.0),
            ("WM(:50%)", 37.75),
        ] {
            assert_eq!(of(text, &hundred()), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_statistic_is_none() {
        for text in
            ["", "Median", "p", "p101", "p-1", "pinf", "p1e1", "TM(90%:10%)", "TM(:)", "PR50", "tm(a:b)", "TM(10%:90)"]
        {
            assert!(text.parse::<Statistic>().is_err(), "{text}");
        }
    }

    #[test]
    fn sets_and_negative_values_have_no_percentiles() {
        assert_eq!(of("p50", &Summary::of_set(2.0, 3.0, 1.0, 2.0)), None);
        assert_eq!(of("p50", &Summary::of(-1.0, 1.0)), None);
        assert_eq!(of("Average", &Summary::of_set(2.0, 3.0, 1.0, 2.0)), Some(1.5));
    }
}
