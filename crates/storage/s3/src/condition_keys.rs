//! The condition keys of S3's own ("Actions, resources, and condition keys for Amazon S3"), but those of listings and of
//! how a request was signed.

use std::collections::BTreeMap;

use boathouse_aws::AwsError;
use boathouse_aws::access::ConditionKeys;
use boathouse_objects::Metadata;
use chrono::{DateTime, SecondsFormat, Utc};

use crate::call::Call;
use crate::error::Result;
use crate::tags;

/// Headers of a write, and the keys that they are, where these are not called after them.
const HEADERS: [(&str, &str); 17] = [
    ("x-amz-server-side-encryption", "x-amz-server-side-encryption"),
    ("x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-aws-kms-key-id"),
    ("x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-algorithm"),
    ("x-amz-acl", "x-amz-acl"),
    ("x-amz-grant-full-control", "x-amz-grant-full-control"),
    ("x-amz-grant-read", "x-amz-grant-read"),
    ("x-amz-grant-read-acp", "x-amz-grant-read-acp"),
    ("x-amz-grant-write", "x-amz-grant-write"),
    ("x-amz-grant-write-acp", "x-amz-grant-write-acp"),
    ("x-amz-copy-source", "x-amz-copy-source"),
    ("x-amz-metadata-directive", "x-amz-metadata-directive"),
    ("x-amz-storage-class", "x-amz-storage-class"),
    ("x-amz-object-lock-mode", "object-lock-mode"),
    ("x-amz-object-lock-retain-until-date", "object-lock-retain-until-date"),
    ("x-amz-object-lock-legal-hold", "object-lock-legal-hold"),
    ("if-match", "if-match"),
    ("if-none-match", "if-none-match"),
];

/// Keys that requests carry, in lower case; those that end in a slash go on with the name of a tag.
const KNOWN: [&str; 39] = [
    "s3:authtype",
    "s3:delimiter",
    "s3:existingobjecttag/",
    "s3:max-keys",
    "s3:prefix",
    "s3:requestobjecttag/",
    "s3:requestobjecttagkeys",
    "s3:resourceaccount",
    "s3:signatureage",
    "s3:signatureversion",
    "s3:tlsversion",
    "s3:versionid",
    "s3:if-match",
    "s3:if-none-match",
    "s3:x-amz-acl",
    "s3:x-amz-content-sha256",
    "s3:x-amz-copy-source",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-metadata-directive",
    "s3:x-amz-object-lock-mode",
    "s3:x-amz-object-ownership",
    "s3:object-lock-mode",
    "s3:object-lock-legal-hold",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
    // Of things that are refused or that no request has here: they match nothing, which is what they mean.
    "s3:accesspointnetworkorigin",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:accessgrantsinstancearn",
    "s3:jobsuspendedcause",
];
/// Keys of AWS that would be taken for absent though requests have them: policies with these are refused.
const REFUSED: [&str; 4] = [
    "s3:locationconstraint",
    "s3:inventoryaccessibleoptionalfields",
    "s3:destinationregion",
    "s3:objectcreationoperation",
];

/// Checks a key of a bucket policy's condition.
///
/// # Errors
/// `NotImplemented`, `MalformedPolicy`.
pub(crate) fn check(key: &str) -> Result<()> {
    let lower = key.to_ascii_lowercase();
    let known = |it: &str| lower == it || (it.ends_with('/') && lower.starts_with(it));
    match lower.starts_with("s3:") {
        true if REFUSED.contains(&lower.as_str()) => {
            Err(AwsError::not_implemented(format!("the condition key {key} in a bucket policy")))
        }
        true if !KNOWN.iter().any(|it| known(it)) => {
            Err(AwsError::bad_request("MalformedPolicy", "Policy has an invalid condition key"))
        }
        _ => Ok(()),
    }
}

/// What a write's headers say.
///
/// # Errors
/// Tags that can't be read.
pub(crate) fn of_write(call: &Call) -> Result<ConditionKeys> {
    let named = |&(header, key): &(&str, &str)| Some((format!("s3:{key}"), vec![call.header(header)?.to_owned()]));
    let mut keys: ConditionKeys = HEADERS.iter().filter_map(named).collect();
    // `/bucket/key` and `bucket/key?versionId=x` are the same source.
    if let Some(sources) = keys.get_mut("s3:x-amz-copy-source") {
        sources.iter_mut().for_each(|source| *source = source.trim_start_matches('/').to_owned());
    }
    if let Some(days) =
        call.header("x-amz-object-lock-retain-until-date").and_then(|date| days_until(date, call.ctx.now()))
    {
        keys.insert("s3:object-lock-remaining-retention-days".into(), vec![days.to_string()]);
    }
    if let hash @ Some(_) = call.header("x-amz-content-sha256") {
        keys.insert("s3:x-amz-content-sha256".into(), hash.map(str::to_owned).into_iter().collect());
    }
    keys.extend(of_tags(&tags::from_header(call.header("x-amz-tagging"))?));
    Ok(keys)
}

/// What a request for a new bucket says.
pub(crate) fn of_new_bucket(call: &Call, location: Option<&str>, tags: &BTreeMap<String, String>) -> ConditionKeys {
    let grants = HEADERS.iter().filter(|(header, _)| *header == "x-amz-acl" || header.starts_with("x-amz-grant-"));
    let given = grants.map(|(header, _)| *header).chain(["x-amz-object-ownership"]);
    let mut keys: ConditionKeys =
        given.filter_map(|it| Some((format!("s3:{it}"), vec![call.header(it)?.to_owned()]))).collect();
    keys.extend(location.map(|region| ("s3:LocationConstraint".to_owned(), vec![region.to_owned()])));
    keys.extend(tags.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![value.clone()])));
    if !tags.is_empty() {
        keys.insert("aws:TagKeys".into(), tags.keys().cloned().collect());
    }
    keys
}

/// Which tags a request sets.
pub(crate) fn of_tags(tags: &BTreeMap<String, String>) -> ConditionKeys {
    let mut keys: ConditionKeys =
        tags.iter().map(|(key, value)| (format!("s3:RequestObjectTag/{key}"), vec![value.clone()])).collect();
    if !tags.is_empty() {
        keys.insert("s3:RequestObjectTagKeys".into(), tags.keys().cloned().collect());
    }
    keys
}

/// What is known of an object that is there.
pub(crate) fn of_object(metadata: Option<&Metadata>, version: Option<&str>) -> ConditionKeys {
    let tags = metadata.into_iter().flat_map(|metadata| &metadata.tags);
    let mut keys: ConditionKeys =
        tags.map(|(key, value)| (format!("s3:ExistingObjectTag/{key}"), vec![value.clone()])).collect();
    keys.extend(version.map(|version| ("s3:VersionId".to_owned(), vec![version.to_owned()])));
    keys
}

/// What a retention that ends in the millisecond `until_ms` is.
pub(crate) fn of_retention(mode: &str, until_ms: u64, now: DateTime<Utc>) -> ConditionKeys {
    let until = i64::try_from(until_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or(now);
    let days = (until - now).num_days().max(0);
    ConditionKeys::from([
        ("s3:object-lock-mode".into(), vec![mode.to_owned()]),
        ("s3:object-lock-retain-until-date".into(), vec![until.to_rfc3339_opts(SecondsFormat::Secs, true)]),
        ("s3:object-lock-remaining-retention-days".into(), vec![days.to_string()]),
    ])
}

fn days_until(date: &str, now: DateTime<Utc>) -> Option<i64> {
    let until = DateTime::parse_from_rfc3339(date).ok()?;
    Some((until.to_utc() - now).num_days().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_honoured_refused_or_unknown() {
        assert!(
            check("s3:ExistingObjectTag/Team").is_ok() && check("aws:SourceIp").is_ok() && check("s3:Prefix").is_ok()
        );
        assert_eq!(check("s3:locationConstraint").unwrap_err().code, "NotImplemented");
        assert_eq!(check("s3:weather").unwrap_err().code, "MalformedPolicy");
    }

    #[test]
    fn tags_are_keys() {
        let tags = BTreeMap::from([("team".to_owned(), "a".to_owned())]);
        let mut keys = of_tags(&tags);
        assert_eq!(keys["s3:RequestObjectTag/team"], ["a"]);
        assert_eq!(keys["s3:RequestObjectTagKeys"], ["team"]);
        keys.extend(of_object(Some(&Metadata { tags, ..Metadata::default() }), Some("v")));
        assert_eq!((&keys["s3:ExistingObjectTag/team"][0], &keys["s3:VersionId"][0]), (&"a".into(), &"v".into()));
        assert!(of_tags(&BTreeMap::new()).is_empty());
    }
}
