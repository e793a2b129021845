//! What condition operators compare: text, numbers, dates, truth values, bytes, addresses, ARNs.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

use super::glob::{self, Glyph};
use super::keys::RequestKeys;
use super::template::Template;

/// A comparison of a policy's value with a request's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Relation),
    Date(Relation),
    Bool,
    Binary,
    IpAddress,
    Arn,
}

/// How the request's value must stand to the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Relation {
    fn parse(name: &str) -> Option<(Self, bool)> {
        Some(match name {
            "Equals" => (Self::Equals, false),
            "NotEquals" => (Self::Equals, true),
            "LessThan" => (Self::LessThan, false),
            "LessThanEquals" => (Self::LessThanEquals, false),
            "GreaterThan" => (Self::GreaterThan, false),
            "GreaterThanEquals" => (Self::GreaterThanEquals, false),
            _ => return None,
        })
    }

    fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equals => order.is_eq(),
            Self::LessThan => order.is_lt(),
            Self::LessThanEquals => order.is_le(),
            Self::GreaterThan => order.is_gt(),
            Self::GreaterThanEquals => order.is_ge(),
        }
    }
}

impl Comparison {
    /// The comparison of an operator's name without prefix and suffix, and whether it is negated.
    pub(crate) fn parse(name: &str) -> Option<(Self, bool)> {
        if let Some(relation) = name.strip_prefix("Numeric") {
            return Relation::parse(relation).map(|(relation, negated)| (Self::Numeric(relation), negated));
        }
        if let Some(relation) = name.strip_prefix("Date") {
            return Relation::parse(relation).map(|(relation, negated)| (Self::Date(relation), negated));
        }
        Some(match name {
            "StringEquals" => (Self::StringEquals, false),
            "StringNotEquals" => (Self::StringEquals, true),
            "StringEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Self::StringEqualsIgnoreCase, true),
            "StringLike" => (Self::StringLike, false),
            "StringNotLike" => (Self::StringLike, true),
            "Bool" => (Self::Bool, false),
            "BinaryEquals" => (Self::Binary, false),
            "IpAddress" => (Self::IpAddress, false),
            "NotIpAddress" => (Self::IpAddress, true),
            "ArnEquals" | "ArnLike" => (Self::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Self::Arn, true),
            _ => return None,
        })
    }

    /// Whether the request's `value` matches what the policy wants.
    pub(crate) fn matches(self, wanted: &Template, value: &str, keys: &RequestKeys<'_>) -> bool {
        match self {
            Self::StringLike => return wanted.is_like(value, keys),
            Self::Arn => return wanted.pattern(keys).is_some_and(|pattern| is_arn_like(&pattern, value)),
            _ => {}
        }
        let Some(wanted) = wanted.text(keys) else { return false };
        let wanted = &*wanted;
        match self {
            Self::StringEquals => wanted == value,
            Self::StringEqualsIgnoreCase => wanted.to_lowercase() == value.to_lowercase(),
            Self::Bool => wanted.eq_ignore_ascii_case(value),
            Self::Numeric(relation) => both(number, value, wanted)
                .and_then(|(value, wanted)| value.partial_cmp(&wanted))
                .is_some_and(|order| relation.accepts(order)),
            Self::Date(relation) => {
                both(date, value, wanted).is_some_and(|(value, wanted)| relation.accepts(value.cmp(&wanted)))
            }
            Self::Binary => both(|text| STANDARD.decode(text).ok(), value, wanted).is_some_and(|(a, b)| a == b),
            Self::IpAddress => value.parse().is_ok_and(|ip| in_network(ip, wanted)),
            Self::StringLike | Self::Arn => false,
        }
    }
}

fn both<T>(parse: impl Fn(&str) -> Option<T>, value: &str, wanted: &str) -> Option<(T, T)> {
    Some((parse(value)?, parse(wanted)?))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// A date of ISO 8601 in the forms that W3C's note allows, or seconds since 1970.
fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.to_utc());
    }
    if let Ok(seconds) = text.parse() {
        return DateTime::from_timestamp(seconds, 0);
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(NaiveTime::MIN).and_utc());
    }
    let plain = text.strip_suffix('Z').unwrap_or(text);
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(plain, format).ok())
        .map(|time| time.and_utc())
}

/// Whether an address is in `network`, an address or a CIDR block.
fn in_network(ip: IpAddr, network: &str) -> bool {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (network, Some(u32::MAX)),
    };
    let (Ok(base), Some(length)) = (base.parse::<IpAddr>(), length) else { return false };
    match (ip.to_canonical(), base) {
        (IpAddr::V4(ip), IpAddr::V4(base)) => same_prefix(ip.to_bits().into(), base.to_bits().into(), 32, length),
        (IpAddr::V6(ip), IpAddr::V6(base)) => same_prefix(ip.to_bits(), base.to_bits(), 128, length),
        _ => false,
    }
}

fn same_prefix(a: u128, b: u128, width: u32, length: u32) -> bool {
    let dropped = width.saturating_sub(length);
    let shifted = |bits: u128| bits.checked_shr(dropped).unwrap_or(0);
    shifted(a) == shifted(b)
}

/// The six parts of an ARN are matched one by one, so a wildcard stays in its part; the last may hold colons.
fn is_arn_like(pattern: &[Glyph], value: &str) -> bool {
    let patterns: Vec<_> = pattern.splitn(6, |glyph| *glyph == Glyph::Char(':')).collect();
    let values: Vec<_> = value.splitn(6, ':').collect();
    if let [[Glyph::Any]] = patterns[..] {
        return true;
    }
    values.len() == 6
        && patterns.len() == 6
        && patterns.iter().zip(values).all(|(pattern, value)| glob::matches(pattern, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_many_forms() {
        let expected = date("2026-03-01T00:00:00Z");
        assert!(expected.is_some());
        for text in
            ["2026-03-01", "1772323200", "2026-03-01T00:00Z", "2026-03-01T02:00:00+02:00", "2026-03-01T00:00:00"]
        {
            assert_eq!(date(text), expected, "{text}");
        }
        assert_eq!(date("yesterday"), None);
    }

    #[test]
    fn networks_hold_their_addresses() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(in_network(ip("203.0.113.9"), "203.0.113.0/24"));
        assert!(!in_network(ip("203.0.114.9"), "203.0.113.0/24"));
        assert!(in_network(ip("::ffff:10.1.2.3"), "10.0.0.0/8"));
        assert!(in_network(ip("10.1.2.3"), "0.0.0.0/0"));
        assert!(in_network(ip("2001:db8::1"), "2001:db8::/32"));
        assert!(!in_network(ip("10.1.2.3"), "10.1.2.4"));
        assert!(!in_network(ip("10.1.2.3"), "10.0.0.0/x"));
    }

    #[test]
    fn arn_wildcards_stay_in_their_part() {
        let like = |pattern: &str, value| is_arn_like(&glob::glyphs(pattern).collect::<Vec<_>>(), value);
        assert!(like("arn:aws:iam::*:role/*", "arn:aws:iam::000000000000:role/a/b"));
        assert!(!like("arn:aws:iam:*:role/*", "arn:aws:iam::000000000000:role/a"));
        assert!(like("arn:aws:states:*:*:*", "arn:aws:states:us-east-1:000000000000:execution:a:b"));
        assert!(!like("arn:aws:s3:::b", "b"));
    }
}
