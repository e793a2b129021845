//! What a message is: its rules, its size, and the digests that clients compare ("Message metadata for Amazon SQS",
//! "Calculating the MD5 message digest for message attributes").

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

use crate::api::{AttributeValue, Outgoing};
use crate::error::SqsError;

/// Attributes of a message.
const MAX_ATTRIBUTES: usize = 10;
/// The only system attribute that senders may set.
const TRACE_HEADER: &str = "AWSTraceHeader";
/// Characters of a group's name or a deduplication id.
const LONGEST_ID: usize = 128;

/// A message as it is kept: what never changes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, AttributeValue>,
    pub(crate) trace_header: Option<String>,
    /// The sender's unique id.
    pub(crate) sender: String,
    pub(crate) group: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    /// The queue from which a dead letter came.
    pub(crate) source_arn: Option<String>,
}

fn invalid(message: impl Into<String>) -> SqsError {
    SqsError::InvalidParameter(message.into())
}

/// Refuses what no queue takes. Answers the message's size in bytes.
pub(crate) fn check(message: &Outgoing) -> Result<usize, SqsError> {
    let body = message.message_body.as_deref().filter(|body| !body.is_empty());
    let body = body.ok_or(SqsError::MissingParameter("MessageBody"))?;
    if !is_text(body) {
        return Err(SqsError::InvalidContents);
    }
    let attributes = &message.message_attributes;
    if attributes.len() > MAX_ATTRIBUTES {
        let count = attributes.len();
        return Err(invalid(format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
        )));
    }
    let mut size = body.len();
    for (name, value) in attributes {
        check_name(name)?;
        size += name.len() + value.data_type.len() + check_value(name, value)?;
    }
    for (name, value) in &message.message_system_attributes {
        if name != TRACE_HEADER || value.data_type != "String" || value.string_value.is_none() {
            return Err(invalid(format!(
                "Message system attribute name '{name}' is invalid: only {TRACE_HEADER} of type String can be sent."
            )));
        }
    }
    for (name, id) in
        [("MessageGroupId", &message.message_group_id), ("MessageDeduplicationId", &message.message_deduplication_id)]
    {
        if let Some(id) = id.as_deref().filter(|id| !is_id(id)) {
            let rule = format!(
                "{name} can only include alphanumeric and punctuation characters. 1 to {LONGEST_ID} in length."
            );
            return Err(SqsError::invalid(name, id, &rule));
        }
    }
    Ok(size)
}

/// What XML can carry, and therefore a message.
fn is_text(text: &str) -> bool {
    let allowed = |c| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    text.chars().all(allowed)
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn check_name(name: &str) -> Result<(), SqsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let lower = name.to_ascii_lowercase();
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if (1..=256).contains(&name.len()) && name.chars().all(allowed) && !dots && !reserved {
        return Ok(());
    }
    Err(invalid(format!(
        "The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen \
         (-), and period (.) characters, but not begin with AWS. or Amazon., or have periods at an end or in a row."
    )))
}

/// The number of bytes of a valid value.
fn check_value(name: &str, value: &AttributeValue) -> Result<usize, SqsError> {
    if !value.string_list_values.is_empty() || !value.binary_list_values.is_empty() {
        return Err(SqsError::Unsupported(
            "Message attribute list values in SendMessage operation are not supported.".into(),
        ));
    }
    let prefix = format!("The message attribute '{name}'");
    let kind = value.data_type.split('.').next().unwrap_or_default();
    let size = match (kind, &value.string_value, &value.binary_value) {
        _ if value.data_type.len() > 256 => {
            return Err(invalid(format!("{prefix} has a type of more than 256 bytes.")));
        }
        ("String" | "Number", Some(text), None) => {
            if !is_text(text) {
                return Err(SqsError::InvalidContents);
            }
            if kind == "Number" && text.parse::<f64>().is_err() {
                return Err(invalid(format!("Can't cast the value of message attribute '{name}' to a number.")));
            }
            text.len()
        }
        ("Binary", None, Some(_)) => {
            binary(value).map(|bytes| bytes.len()).map_err(|()| invalid(format!("{prefix} is not base64.")))?
        }
        ("String" | "Number" | "Binary", ..) => 0,
        ("", ..) => return Err(invalid(format!("{prefix} must contain a non-empty message attribute type."))),
        (other, ..) => {
            return Err(invalid(format!(
                "{prefix} has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and \
                 String: {other}"
            )));
        }
    };
    if size == 0 {
        return Err(invalid(format!("{prefix} must contain a non-empty message attribute value of type '{kind}'.")));
    }
    Ok(size)
}

fn binary(value: &AttributeValue) -> Result<Vec<u8>, ()> {
    BASE64.decode(value.binary_value.as_deref().unwrap_or_default()).map_err(|_| ())
}

/// The digest of a body, in hexadecimal digits.
pub(crate) fn body_digest(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}

/// The digest of attributes, if there are any.
pub(crate) fn attributes_digest(attributes: &BTreeMap<String, AttributeValue>) -> Option<String> {
    fn part(hash: &mut Md5, bytes: &[u8]) {
        hash.update((bytes.len() as u32).to_be_bytes());
        hash.update(bytes);
    }
    let mut hash = Md5::new();
    for (name, value) in attributes {
        part(&mut hash, name.as_bytes());
        part(&mut hash, value.data_type.as_bytes());
        match &value.string_value {
            Some(text) => {
                hash.update([1]);
                part(&mut hash, text.as_bytes());
            }
            None => {
                hash.update([2]);
                part(&mut hash, &binary(value).unwrap_or_default());
            }
        }
    }
    (!attributes.is_empty()).then(|| hex::encode(hash.finalize()))
}

/// The trace header among a sender's system attributes.
pub(crate) fn trace_header(attributes: &BTreeMap<String, AttributeValue>) -> Option<String> {
    attributes.get(TRACE_HEADER).and_then(|value| value.string_value.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn outgoing(more: serde_json::Value) -> Outgoing {
        let mut message = json!({"MessageBody": "hello"});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(message).unwrap()
    }

    fn attribute(name: &str, kind: &str, value: &str) -> serde_json::Value {
        let member = if kind.starts_with("Binary") { "BinaryValue" } else { "StringValue" };
        json!({"MessageAttributes": {name: {"DataType": kind, member: value}}})
    }

    #[test]
    fn digests_are_those_of_aws() {
        assert_eq!(body_digest("hello"), "5d41402abc4b2a76b9719d911017c592");
        let message = outgoing(json!({"MessageAttributes": {
            "b": {"DataType": "Binary", "BinaryValue": "AQI="}, "a": {"DataType": "String", "StringValue": "x"},
        }}));
        // Spelt out: lengths of four bytes, the attributes by name, 1 before text and 2 before bytes.
        let spelt = b"\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x01x\0\0\0\x01b\0\0\0\x06Binary\x02\0\0\0\x02\x01\x02";
        let expected = hex::encode(Md5::digest(spelt));
        assert_eq!(attributes_digest(&message.message_attributes), Some(expected));
        assert_eq!(attributes_digest(&BTreeMap::new()), None);
    }

    #[test]
    fn names_types_and_values_count() {
        assert_eq!(check(&outgoing(json!({}))).unwrap(), 5);
        assert_eq!(check(&outgoing(attribute("name", "String", "value"))).unwrap(), 5 + 4 + 6 + 5);
        assert_eq!(check(&outgoing(attribute("n", "Binary.x", "AQI="))).unwrap(), 5 + 1 + 8 + 2);
    }

    #[test]
    fn what_breaks_a_rule_is_refused() {
        for (name, kind, value) in [
            ("AWS.x", "String", "v"),
            ("a..b", "String", "v"),
            ("a b", "String", "v"),
            ("n", "Text", "v"),
            ("n", "", "v"),
            ("n", "String", ""),
            ("n", "Number", "many"),
            ("n", "Binary", "?"),
        ] {
            let refused = check(&outgoing(attribute(name, kind, value))).unwrap_err();
            assert!(matches!(refused, SqsError::InvalidParameter(_)), "{name} {kind} {value}: {refused}");
        }
        assert!(matches!(check(&outgoing(json!({"MessageBody": ""}))), Err(SqsError::MissingParameter(_))));
        assert!(matches!(check(&outgoing(json!({"MessageBody": "\u{1}"}))), Err(SqsError::InvalidContents)));
        assert!(check(&outgoing(json!({"MessageGroupId": "a b"}))).is_err());
        let listed = json!({"MessageAttributes": {"n": {"DataType": "String", "StringListValues": ["a"]}}});
        assert!(matches!(check(&outgoing(listed)), Err(SqsError::Unsupported(_))));
    }
}
