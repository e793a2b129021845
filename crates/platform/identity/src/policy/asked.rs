//! The condition keys that a document asks about, in conditions and in variables.

use std::collections::BTreeSet;

use super::json::Json;

/// The names of the keys as the document writes them. A text that is no JSON asks about none.
pub(crate) fn asked_keys(document: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    if let Ok(json) = serde_json::from_str::<Json>(document) {
        visit(&json, &mut keys);
    }
    keys
}

fn visit(json: &Json, keys: &mut BTreeSet<String>) {
    match json {
        Json::Text(text) => keys.extend(variables(text)),
        Json::List(items) => items.iter().for_each(|item| visit(item, keys)),
        Json::Object(members) => {
            for (name, value) in members {
                if let ("Condition", Json::Object(operators)) = (name.as_str(), value) {
                    let tests = operators.iter().filter_map(|(_, tests)| match tests {
                        Json::Object(tests) => Some(tests),
                        _ => None,
                    });
                    keys.extend(tests.flatten().map(|(key, _)| key.clone()));
                }
                visit(value, keys);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn variables(text: &str) -> impl Iterator<Item = String> + '_ {
    let pieces = text.split("${").skip(1).filter_map(|piece| piece.split_once('}'));
    pieces
        .map(|(inside, _)| inside.split(',').next().unwrap_or_default().trim().to_owned())
        .filter(|key| key.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_conditions_and_variables() {
        let document = r#"{"Statement": [{"Resource": ["arn:aws:s3:::b/${aws:username}/${*}", "*"],
            "Condition": {"StringLike": {"s3:prefix": "${aws:PrincipalTag/a, 'x'}/*"}, "Bool": {"aws:SecureTransport": true}}}]}"#;
        let keys: Vec<_> = asked_keys(document).into_iter().collect();
        assert_eq!(keys, ["aws:PrincipalTag/a", "aws:SecureTransport", "aws:username", "s3:prefix"]);
        assert!(asked_keys("no").is_empty());
    }
}
