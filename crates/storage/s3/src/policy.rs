//! What a bucket policy says, as far as S3 itself must know. Its evaluation is IAM's business.

use boathouse_aws::AwsError;
use serde_json::Value;

use crate::error::Result;
use crate::{actions, condition_keys};

/// The largest bucket policy.
const MAX_BYTES: usize = 20 * 1024;

/// Condition keys that bind a statement to known callers when compared with fixed values ("The meaning of public").
const BINDING_KEYS: [&str; 13] = [
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceip",
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:userid",
    "aws:principalarn",
    "aws:principalaccount",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

/// Whether some statement lets everybody in, as S3 Block Public Access defines it. Unreadable policies count as public.
pub(crate) fn is_public(text: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(text) else { return true };
    statements(&document).iter().any(|statement| {
        let allows = statement["Effect"].as_str() == Some("Allow");
        allows
            && (!statement["NotPrincipal"].is_null() || is_everybody(&statement["Principal"]))
            && !is_bound(statement)
    })
}

fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn is_everybody(principal: &Value) -> bool {
    match principal {
        Value::String(text) => text == "*",
        Value::Array(members) => members.iter().any(is_everybody),
        Value::Object(kinds) => kinds.get("AWS").is_some_and(is_everybody),
        _ => false,
    }
}

fn is_bound(statement: &Value) -> bool {
    let Some(conditions) = statement["Condition"].as_object() else { return false };
    conditions.iter().any(|(operator, keys)| {
        let operator = operator.to_ascii_lowercase();
        let compares = ["stringequals", "stringlike", "arnequals", "arnlike", "ipaddress"];
        let fixed = compares.iter().any(|it| operator.trim_end_matches("ignorecase").ends_with(it));
        fixed && !operator.contains("not") && keys.as_object().is_some_and(|keys| keys.iter().any(|(k, v)| binds(k, v)))
    })
}

fn binds(key: &str, values: &Value) -> bool {
    let fixed =
        |value: &Value| value.as_str().is_some_and(|text| !text.starts_with('*') && !text.starts_with("0.0.0.0/0"));
    let values = match values {
        Value::Array(values) => values.iter().all(fixed),
        one => fixed(one),
    };
    values && BINDING_KEYS.contains(&key.to_ascii_lowercase().as_str())
}

/// Checks what S3 checks when a policy is put: JSON with statements, each with a principal, all about this bucket.
///
/// # Errors
/// `MalformedPolicy`; `NotImplemented` for condition keys that would not be honoured.
pub(crate) fn check(text: &str, bucket: &str) -> Result<()> {
    let malformed = |message: &str| Err(AwsError::bad_request("MalformedPolicy", message.to_owned()));
    if text.len() > MAX_BYTES {
        return malformed("Policies must not be larger than 20 KB");
    }
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        return malformed("Policies must be valid JSON and the first byte must be '{'");
    };
    let statements = statements(&document);
    if !document.is_object() || statements.is_empty() {
        return malformed("Missing required field Statement");
    }
    for statement in statements {
        if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
            return malformed("Missing required field Effect");
        }
        if statement["Principal"].is_null() && statement["NotPrincipal"].is_null() {
            return malformed("Missing required field Principal");
        }
        if statement["Action"].is_null() && statement["NotAction"].is_null() {
            return malformed("Missing required field Action");
        }
        let actions = texts(&statement["Action"]);
        if actions.iter().chain(&texts(&statement["NotAction"])).any(|action| actions::scope(action).is_none()) {
            return malformed("Policy has invalid action");
        }
        let operators = statement["Condition"].as_object().into_iter().flatten();
        for key in operators.filter_map(|(_, keys)| keys.as_object()).flat_map(|keys| keys.keys()) {
            condition_keys::check(key)?;
        }
        if !is_about(&statement["Resource"], bucket) && !is_about(&statement["NotResource"], bucket) {
            return malformed("Policy has invalid resource");
        }
        let resources = texts(&statement["Resource"]);
        if !resources.is_empty() && !actions.iter().all(|action| applies(action, &resources)) {
            return malformed("Action does not apply to any resource(s) in statement");
        }
    }
    Ok(())
}

/// One text or several; what is no text is a name that nothing has.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().map(|value| value.as_str().unwrap_or_default()).collect(),
        Value::Null => Vec::new(),
        one => vec![one.as_str().unwrap_or_default()],
    }
}

/// Whether an action can be done to one of the resources: to a bucket, or to objects in it.
fn applies(action: &str, resources: &[&str]) -> bool {
    let Some(scope) = actions::scope(action) else { return false };
    resources.iter().any(|resource| {
        let about_objects = resource.contains('/') || resource.ends_with('*');
        let about_bucket = !resource.contains('/');
        scope.objects && about_objects || scope.buckets && about_bucket
    })
}

fn is_about(resource: &Value, bucket: &str) -> bool {
    let own = format!("arn:aws:s3:::{bucket}");
    let about = |value: &Value| {
        let rest = value.as_str().and_then(|text| text.strip_prefix(&own));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('*'))
    };
    match resource {
        Value::Array(resources) => !resources.is_empty() && resources.iter().all(about),
        one => about(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(principal: &str, condition: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"s3:GetObject",
            "Resource":"arn:aws:s3:::b/*"{condition}}}]}}"#
        )
    }

    #[test]
    fn everybody_without_a_binding_condition_is_public() {
        assert!(is_public(&policy("\"*\"", "")));
        assert!(is_public(&policy(r#"{"AWS":["*"]}"#, "")));
        assert!(is_public(&policy("\"*\"", r#","Condition":{"StringLike":{"aws:UserAgent":"x"}}"#)));
        assert!(is_public("not json"));
        assert!(!is_public(&policy(r#"{"AWS":"arn:aws:iam::000000000000:root"}"#, "")));
        assert!(!is_public(&policy("\"*\"", r#","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#)));
        assert!(!is_public(&policy("\"*\"", "").replace("Allow", "Deny")));
    }

    #[test]
    fn policies_are_about_their_bucket() {
        assert!(check(&policy("\"*\"", ""), "b").is_ok());
        assert_eq!(check(&policy("\"*\"", ""), "other").unwrap_err().message, "Policy has invalid resource");
        let other = policy("\"*\"", "").replace("s3:GetObject", "sqs:SendMessage");
        assert_eq!(check(&other, "b").unwrap_err().message, "Policy has invalid action");
        let unknown = policy("\"*\"", "").replace("s3:GetObject", "s3:ListObjects");
        assert_eq!(check(&unknown, "b").unwrap_err().message, "Policy has invalid action");
        let elsewhere = policy("\"*\"", "").replace("s3:GetObject", "s3:ListBucket");
        let said = check(&elsewhere, "b").unwrap_err().message;
        assert_eq!(said, "Action does not apply to any resource(s) in statement");
        assert!(check(&elsewhere.replace("b/*", "b*"), "b").is_ok());
        let asking = |key: &str| policy("\"*\"", &format!(r#","Condition":{{"StringEquals":{{"{key}":"1"}}}}"#));
        assert!(check(&asking("s3:signatureAge"), "b").is_ok());
        assert_eq!(check(&asking("s3:locationConstraint"), "b").unwrap_err().code, "NotImplemented");
        assert_eq!(check("{}", "b").unwrap_err().code, "MalformedPolicy");
        assert_eq!(check("[", "b").unwrap_err().code, "MalformedPolicy");
    }
}
