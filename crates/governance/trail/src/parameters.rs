//! A request's members without secrets, named as AWS names them: with a small letter at the beginning.

use serde_json::{Map, Value};

/// Bytes of members that are kept; a larger request's are left out.
const LARGEST: usize = 100 << 10;
/// What stands in the place of a secret, as on AWS.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// Words in the names of members that hold secrets.
const SECRETS: [&str; 10] = [
    "password",
    "secret",
    "sessiontoken",
    "webidentitytoken",
    "samlassertion",
    "tokencode",
    "privatekey",
    "customerkey",
    "credentialreport",
    "authorizationtoken",
];
/// Members that hold what people put in, which may be secrets or large, and are left out, as on AWS.
const LEFT_OUT: [&str; 5] = ["environment", "zipfile", "payload", "templatebody", "stackpolicybody"];
/// Members whose own members are names that people gave.
const MAPS: [&str; 8] = [
    "tags",
    "parameters",
    "attributes",
    "arguments",
    "defaultarguments",
    "nonoverridablearguments",
    "stagevariables",
    "variables",
];

/// The members to show; none if there are none or too many.
pub(crate) fn shown(parameters: &Value) -> Option<Value> {
    let Value::Object(members) = parameters else { return None };
    let shown = Value::Object(object(members, false));
    let empty = shown.as_object().is_some_and(Map::is_empty);
    (!empty && shown.to_string().len() <= LARGEST).then_some(shown)
}

fn object(members: &Map<String, Value>, names_are_data: bool) -> Map<String, Value> {
    let shown = members.iter().filter_map(|(name, value)| {
        let plain = name.to_ascii_lowercase();
        if SECRETS.iter().any(|word| plain.contains(word)) {
            return Some((cased(name, names_are_data), HIDDEN.into()));
        }
        if !names_are_data && LEFT_OUT.contains(&plain.as_str()) {
            return None;
        }
        let inside_map = !names_are_data && MAPS.contains(&plain.as_str()) && value.is_object();
        Some((cased(name, names_are_data), inner(value, inside_map)))
    });
    shown.collect()
}

fn inner(value: &Value, names_are_data: bool) -> Value {
    match value {
        Value::Object(members) => object(members, names_are_data).into(),
        Value::Array(items) => items.iter().map(|item| inner(item, false)).collect(),
        other => other.clone(),
    }
}

fn cased(name: &str, is_data: bool) -> String {
    let mut letters = name.chars();
    match letters.next() {
        // The header that AWS shows among S3's members keeps its name.
        Some(first) if !is_data && first.is_ascii_uppercase() && name != "Host" => {
            first.to_ascii_lowercase().to_string() + letters.as_str()
        }
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_begin_small_and_secrets_stay_hidden() {
        let request = json!({
            "RoleArn": "r",
            "WebIdentityToken": "secret1",
            "Tags": {"Team": "a", "SecretThing": "secret2"},
            "Environment": {"Variables": {"KEY": "secret3"}},
            "Code": {"ZipFile": "secret4", "S3Bucket": "b"},
            "List": [{"Key": "K", "SecretString": "secret5"}],
        });
        let shown = shown(&request).unwrap();
        assert_eq!(shown["tags"]["Team"], "a");
        assert_eq!(shown["code"], json!({"s3Bucket": "b"}));
        assert_eq!(shown["list"][0]["key"], "K");
        assert_eq!(shown["webIdentityToken"], HIDDEN);
        assert!(!shown.to_string().contains("secret1") && !shown.to_string().contains("secret2"));
        assert!(!shown.to_string().contains("secret3") && !shown.to_string().contains("secret4"));
        assert!(!shown.to_string().contains("secret5"));
    }

    #[test]
    fn large_requests_are_left_out() {
        assert_eq!(shown(&json!({"A": "x".repeat(LARGEST)})), None);
        assert_eq!(shown(&json!({})), None);
        assert_eq!(shown(&json!([1])), None);
    }

    proptest! {
        #[test]
        fn what_a_secret_is_called_decides(prefix in "[A-Z][a-z]{0,5}", value in "[a-z0-9]{12,20}") {
            let request = json!({format!("{prefix}Password"): value, "Other": {"SecretAccessKey": value}});
            prop_assert!(!shown(&request).unwrap().to_string().contains(&value));
        }
    }
}
