//! The policy of a form: what it may upload, and until when ("Creating a POST policy").

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::AwsError;
use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Map, Value};

use super::multipart::Fields;
use crate::error::Result;

/// Fields that no condition has to allow; so are all that begin with `x-ignore-`.
const FREE: [&str; 5] = ["awsaccesskeyid", "file", "policy", "signature", "x-amz-signature"];

/// What a field must be.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Equals { field: String, value: String },
    StartsWith { field: String, prefix: String },
}

/// A policy that could be read.
#[derive(Debug)]
pub(crate) struct Policy {
    expires: DateTime<Utc>,
    conditions: Vec<Condition>,
    /// How long the file may be.
    pub(crate) length: RangeInclusive<u64>,
}

fn invalid(message: impl std::fmt::Display) -> AwsError {
    AwsError::bad_request("InvalidPolicyDocument", format!("Invalid Policy: {message}"))
}

fn denied(message: impl std::fmt::Display) -> AwsError {
    AwsError::new("AccessDenied", StatusCode::FORBIDDEN, format!("Invalid according to Policy: {message}"))
}

impl Policy {
    /// Reads a policy, as it is sent: JSON in Base64.
    ///
    /// # Errors
    /// `InvalidPolicyDocument`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let raw = STANDARD.decode(text.trim()).map_err(|_| invalid("Invalid Base64."))?;
        let document: Value = serde_json::from_slice(&raw).map_err(|_| invalid("Invalid JSON."))?;
        let expiration = document.get("expiration").ok_or_else(|| invalid("Policy missing expiration."))?;
        let expires = expiration.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let expires = expires.ok_or_else(|| invalid(format_args!("Invalid 'expiration' value: {expiration}")))?;
        let listed = document.get("conditions").ok_or_else(|| invalid("Policy missing conditions."))?;
        let listed = listed.as_array().ok_or_else(|| invalid("Invalid 'conditions' value: must be a List."))?;
        let mut policy = Self { expires: expires.to_utc(), conditions: Vec::new(), length: 0..=u64::MAX };
        listed.iter().try_for_each(|condition| policy.add(condition))?;
        Ok(policy)
    }

    fn add(&mut self, condition: &Value) -> Result<()> {
        match condition {
            Value::Object(pair) => self.conditions.push(simple(pair)?),
            Value::Array(members) => {
                let [Value::String(operator), first, second] = members.as_slice() else {
                    return Err(invalid("Invalid Condition: a List must be an operator with two arguments."));
                };
                if operator.eq_ignore_ascii_case("content-length-range") {
                    self.length = range(first, second)?;
                } else {
                    self.conditions.push(compared(operator, first, second)?);
                }
            }
            _ => return Err(invalid("Invalid Condition: must be an Object or a List.")),
        }
        Ok(())
    }

    /// Whether a form of the bucket may be taken at the time `now`.
    ///
    /// # Errors
    /// `AccessDenied` that names the condition or the field.
    pub(crate) fn check(&self, bucket: &str, key: &str, fields: &Fields, now: DateTime<Utc>) -> Result<()> {
        if now > self.expires {
            return Err(denied("Policy expired."));
        }
        let value = |field: &str| match field {
            "bucket" => bucket,
            "key" => key,
            // Two names of the same.
            "redirect" | "success_action_redirect" => {
                fields.get("success_action_redirect").or(fields.get("redirect")).unwrap_or_default()
            }
            other => fields.get(other).unwrap_or_default(),
        };
        if let Some(failed) = self.conditions.iter().find(|condition| !condition.holds(&value)) {
            return Err(denied(format_args!("Policy Condition failed: {}", failed.shown())));
        }
        let covered = |name: &str| {
            FREE.contains(&name)
                || name.starts_with("x-ignore-")
                || self.conditions.iter().any(|condition| same(condition.field(), name))
        };
        match fields.iter().find(|(name, _)| !covered(name)) {
            Some((name, _)) => Err(denied(format_args!("Extra input fields: {name}"))),
            None => Ok(()),
        }
    }
}

fn same(a: &str, b: &str) -> bool {
    const REDIRECTS: [&str; 2] = ["redirect", "success_action_redirect"];
    a == b || (REDIRECTS.contains(&a) && REDIRECTS.contains(&b))
}

fn simple(pair: &Map<String, Value>) -> Result<Condition> {
    let mut members = pair.iter();
    let (Some((field, value)), None) = (members.next(), members.next()) else {
        return Err(invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."));
    };
    let value = value.as_str().ok_or_else(|| invalid("Invalid Simple-Condition: value must be a string."))?;
    Ok(Condition::Equals { field: field.to_ascii_lowercase(), value: value.to_owned() })
}

fn compared(operator: &str, field: &Value, value: &Value) -> Result<Condition> {
    let (Some(field), Some(value)) = (field.as_str().and_then(|field| field.strip_prefix('$')), value.as_str()) else {
        return Err(invalid(format_args!(
            "Invalid {operator}: the arguments must be a field such as $key and a string."
        )));
    };
    let (field, value) = (field.to_ascii_lowercase(), value.to_owned());
    match operator.to_ascii_lowercase().as_str() {
        "eq" => Ok(Condition::Equals { field, value }),
        "starts-with" => Ok(Condition::StartsWith { field, prefix: value }),
        _ => Err(invalid(format_args!("Invalid Condition: unknown operator '{operator}'."))),
    }
}

fn range(first: &Value, last: &Value) -> Result<RangeInclusive<u64>> {
    // Some libraries write numbers as texts.
    let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err(invalid("Invalid content-length-range: the arguments must be two numbers of bytes in order.")),
    }
}

impl Condition {
    fn field(&self) -> &str {
        match self {
            Self::Equals { field, .. } | Self::StartsWith { field, .. } => field,
        }
    }

    fn holds<'a>(&self, value: &impl Fn(&str) -> &'a str) -> bool {
        match self {
            Self::Equals { field, value: wanted } => value(field) == wanted,
            // A list of types must be allowed one by one.
            Self::StartsWith { field, prefix } if field == "content-type" => {
                value(field).split(',').all(|one| one.trim_start().starts_with(prefix.as_str()))
            }
            Self::StartsWith { field, prefix } => value(field).starts_with(prefix.as_str()),
        }
    }

    fn shown(&self) -> String {
        let (operator, field, value) = match self {
            Self::Equals { field, value } => ("eq", field, value),
            Self::StartsWith { field, prefix } => ("starts-with", field, prefix),
        };
        serde_json::json!([operator, format!("${field}"), value]).to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parsed(document: &Value) -> Result<Policy> {
        Policy::parse(&STANDARD.encode(document.to_string()))
    }

    fn policy(conditions: &Value) -> Result<Policy> {
        parsed(&json!({"expiration": "2026-03-01T00:00:00.000Z", "conditions": conditions}))
    }

    fn check(conditions: &Value, fields: &[(&str, &str)], now: &str) -> Option<String> {
        let fields = Fields::of(fields);
        let key = fields.get("key").unwrap_or_default();
        let checked = policy(conditions).unwrap().check("raw", key, &fields, now.parse().unwrap());
        checked.err().map(|error| error.message.split_once("Policy: ").unwrap().1.to_owned())
    }

    const NOW: &str = "2026-02-28T00:00:00Z";

    #[test]
    fn conditions_hold_or_are_named() {
        let conditions = json!([{"bucket": "raw"}, ["StArTs-WiTh", "$KeY", "in/"], ["eq", "$acl", "private"],
            ["starts-with", "$Content-Type", "image/"]]);
        let fields =
            [("key", "in/a"), ("acl", "private"), ("content-type", "image/png,image/gif"), ("x-ignore-a", "b")];
        assert_eq!(check(&conditions, &fields, NOW), None);
        assert_eq!(check(&conditions, &fields, "2026-03-01T00:00:01Z").as_deref(), Some("Policy expired."));
        let other = [("key", "out/a"), fields[1], fields[2]];
        let failed = check(&conditions, &other, NOW).unwrap();
        assert_eq!(failed, "Policy Condition failed: [\"starts-with\",\"$key\",\"in/\"]");
        let mixed = [fields[0], fields[1], ("content-type", "image/png,text/html")];
        assert!(check(&conditions, &mixed, NOW).unwrap().starts_with("Policy Condition failed"));
        let extra = [fields[0], fields[1], fields[2], ("x-amz-meta-a", "b")];
        assert_eq!(check(&conditions, &extra, NOW).as_deref(), Some("Extra input fields: x-amz-meta-a"));
        assert!(check(&conditions, &fields[..1], NOW).is_some());
    }

    #[test]
    fn lengths_are_two_numbers_in_order() {
        assert_eq!(policy(&json!([["content-length-range", "1", 9]])).unwrap().length, 1..=9);
        for wrong in [
            json!([["content-length-range", 0]]),
            json!([["content-length-range", -1, 0]]),
            json!([["content-length-range", 2, 1]]),
        ] {
            assert_eq!(policy(&wrong).unwrap_err().code, "InvalidPolicyDocument", "{wrong}");
        }
    }

    #[test]
    fn documents_must_be_policies() {
        for wrong in [
            json!({"conditions": []}),
            json!({"EXPIRATION": "2026-03-01T00:00:00Z", "conditions": []}),
            json!({"expiration": "2026-03-01T00:00:00Z", "CONDITIONS": []}),
            json!({"expiration": "2026-03-01 00:00:00+00:00:00", "conditions": []}),
            json!({"expiration": "2026-03-01T00:00:00Z", "conditions": [{}]}),
            json!({"expiration": "2026-03-01T00:00:00Z", "conditions": [["like", "$key", "a"]]}),
            json!({"expiration": "2026-03-01T00:00:00Z", "conditions": [["eq", "key", "a"]]}),
            json!({"expiration": "2026-03-01T00:00:00Z"}),
        ] {
            assert_eq!(parsed(&wrong).unwrap_err().code, "InvalidPolicyDocument", "{wrong}");
        }
        assert_eq!(Policy::parse("no base64").unwrap_err().code, "InvalidPolicyDocument");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,200}") {
            let _ = Policy::parse(&text);
            let _ = Policy::parse(&STANDARD.encode(&text));
        }
    }
}
