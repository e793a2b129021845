//! Conditional requests (RFC 9110, section 13) as S3 answers them.

use boathouse_aws::AwsError;
use boathouse_objects::{ObjectInfo, WriteCondition};
use chrono::{DateTime, NaiveDateTime, Utc};
use http::HeaderMap;

use crate::error::{Result, not_modified, precondition_failed};

/// The four conditions of a read, or of the source of a copy.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_modified_since: Option<DateTime<Utc>>,
    if_unmodified_since: Option<DateTime<Utc>>,
}

impl Conditions {
    /// Those of a read.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self::prefixed(headers, "")
    }

    /// Those on the source of a copy.
    pub(crate) fn of_source(headers: &HeaderMap) -> Self {
        Self::prefixed(headers, "x-amz-copy-source-")
    }

    /// Dates that can't be read are ignored, as HTTP demands.
    fn prefixed(headers: &HeaderMap, prefix: &str) -> Self {
        let text = |name: &str| {
            let named = |it: &str| it.strip_prefix(prefix) == Some(name);
            let found = headers.iter().find(|(it, _)| named(it.as_str()));
            found.and_then(|(_, value)| value.to_str().ok()).map(str::to_owned)
        };
        Self {
            if_match: text("if-match"),
            if_none_match: text("if-none-match"),
            if_modified_since: text("if-modified-since").and_then(|text| parse_date(&text)),
            if_unmodified_since: text("if-unmodified-since").and_then(|text| parse_date(&text)),
        }
    }

    /// What a read is answered with when a condition does not hold.
    pub(crate) fn check_read(&self, info: &ObjectInfo) -> Result<()> {
        match self.failed(info) {
            Some("If-None-Match" | "If-Modified-Since") => Err(not_modified()),
            Some(condition) => Err(precondition_failed(condition)),
            None => Ok(()),
        }
    }

    /// What a copy is answered with: there is no 304 for writes.
    pub(crate) fn check_source(&self, info: &ObjectInfo) -> Result<()> {
        self.failed(info).map_or(Ok(()), |condition| Err(precondition_failed(condition)))
    }

    /// Entity tags win over dates: a date counts only without its tag.
    fn failed(&self, info: &ObjectInfo) -> Option<&'static str> {
        let modified = DateTime::from_timestamp_millis(info.modified_ms as i64).unwrap_or_default();
        // HTTP dates have seconds.
        let modified = modified.timestamp();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !matches(tags, &info.etag) => return Some("If-Match"),
            (None, Some(date)) if modified > date.timestamp() => return Some("If-Unmodified-Since"),
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if matches(tags, &info.etag) => Some("If-None-Match"),
            (None, Some(date)) if modified <= date.timestamp() => Some("If-Modified-Since"),
            _ => None,
        }
    }
}

/// The condition of a write.
///
/// # Errors
/// `NotImplemented` for the combinations that S3 refuses too.
pub(crate) fn of_write(headers: &HeaderMap) -> Result<WriteCondition> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match (text("if-match"), text("if-none-match")) {
        (None, None) => Ok(WriteCondition::Always),
        (None, Some("*")) => Ok(WriteCondition::Absent),
        (Some(tag), None) if tag != "*" => Ok(WriteCondition::Matches(unquoted(tag).to_owned())),
        _ => Err(AwsError::not_implemented("this combination of If-Match and If-None-Match in a write")),
    }
}

/// The condition of a deletion.
pub(crate) fn of_deletion(if_match: Option<&str>) -> WriteCondition {
    match if_match {
        None => WriteCondition::Always,
        Some("*") => WriteCondition::Present,
        Some(tag) => WriteCondition::Matches(unquoted(tag).to_owned()),
    }
}

fn matches(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || unquoted(tag) == etag)
}

fn unquoted(tag: &str) -> &str {
    let tag = tag.trim().strip_prefix("W/").unwrap_or(tag.trim());
    tag.trim_matches('"')
}

fn parse_date(text: &str) -> Option<DateTime<Utc>> {
    let http = NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT").map(|date| date.and_utc());
    http.ok().or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const INFO_MS: u64 = 1_700_000_000_500;
    const SAME: &str = "Tue, 14 Nov 2023 22:13:20 GMT";
    const BEFORE: &str = "Tue, 14 Nov 2023 22:13:19 GMT";

    fn outcome(pairs: &[(&'static str, &'static str)]) -> u16 {
        let headers: HeaderMap =
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect();
        let info = ObjectInfo { size: 1, etag: "abc".into(), modified_ms: INFO_MS, ..ObjectInfo::default() };
        Conditions::of(&headers).check_read(&info).err().map_or(200, |error| error.status.as_u16())
    }

    #[test]
    fn tags_and_dates() {
        assert_eq!(outcome(&[("if-match", "\"abc\"")]), 200);
        assert_eq!(outcome(&[("if-match", "\"x\", \"abc\"")]), 200);
        assert_eq!(outcome(&[("if-match", "x")]), 412);
        assert_eq!(outcome(&[("if-none-match", "abc")]), 304);
        assert_eq!(outcome(&[("if-none-match", "*")]), 304);
        assert_eq!(outcome(&[("if-modified-since", SAME)]), 304);
        assert_eq!(outcome(&[("if-modified-since", BEFORE)]), 200);
        assert_eq!(outcome(&[("if-unmodified-since", SAME)]), 200);
        assert_eq!(outcome(&[("if-unmodified-since", BEFORE)]), 412);
        assert_eq!(outcome(&[("if-modified-since", "yesterday")]), 200);
    }

    #[test]
    fn a_tag_outweighs_its_date() {
        assert_eq!(outcome(&[("if-match", "abc"), ("if-unmodified-since", BEFORE)]), 200);
        assert_eq!(outcome(&[("if-none-match", "x"), ("if-modified-since", SAME)]), 200);
    }

    #[test]
    fn writes_know_two_conditions() {
        let of = |name: &'static str, value: &'static str| {
            of_write(&HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]))
        };
        assert_eq!(of("if-none-match", "*").unwrap(), WriteCondition::Absent);
        assert_eq!(of("if-match", "\"abc\"").unwrap(), WriteCondition::Matches("abc".into()));
        assert_eq!(of("if-none-match", "\"abc\"").unwrap_err().code, "NotImplemented");
    }
}
