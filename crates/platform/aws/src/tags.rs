//! Tags as policies ask about them: those of a resource, and those that a request gives or takes.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::service::OperationInput;

/// Says the tags of a service's resource by its ARN; none of what is not there.
pub type ResourceTags = dyn Fn(&str) -> BTreeMap<String, String> + Send + Sync;

/// Where operations have the tags that they give, as a map or as a list of keys and values.
const GIVEN: [&str; 3] = ["Tags", "tags", "TagsToAdd"];
/// Where they have the keys of those that they take away.
const TAKEN: [&str; 3] = ["TagKeys", "tagKeys", "TagsToRemove"];

/// The tags in a request: the condition keys `aws:RequestTag/` and `aws:TagKeys`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestTags {
    /// The service that was asked. What it goes on to ask of others carries no tags.
    pub service: &'static str,
    /// The tags that the request gives.
    pub given: BTreeMap<String, String>,
    /// The keys of the tags that it takes away.
    pub taken: Vec<String>,
}

impl RequestTags {
    /// The tags in the input of an operation that may have some.
    pub(crate) fn of(service: &'static str, operation: &str, input: &OperationInput) -> Self {
        let speaks_of_tags = ["Tag", "tag"].iter().any(|word| operation.contains(word));
        let may_have = operation.starts_with("Create") || speaks_of_tags || operation == "PutRule";
        let parsed = match input {
            _ if !may_have => return Self::default(),
            OperationInput::Json(body) => &serde_json::from_slice(body).unwrap_or_default(),
            OperationInput::Value(value) => value,
            OperationInput::Query(_) => return Self::default(),
        };
        let member = |names: [&str; 3]| names.into_iter().find_map(|name| parsed.get(name)).unwrap_or(&Value::Null);
        let taken = member(TAKEN).as_array().into_iter().flatten();
        let taken = taken.filter_map(Value::as_str).map(str::to_owned).collect();
        Self { service, given: pairs(member(GIVEN)), taken }
    }

    /// The keys of all tags that the request is about.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.given.keys().chain(&self.taken).map(String::as_str)
    }
}

/// The tags of `{"a": "b"}`, `[{"Key": "a", "Value": "b"}]` or the same in small letters.
fn pairs(tags: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match tags {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
        Value::Array(list) => {
            let member = |tag: &Value, names: [&str; 2]| names.iter().find_map(|name| tag.get(name)).map(text);
            let pair = |tag| Some((member(tag, ["Key", "key"])?, member(tag, ["Value", "value"]).unwrap_or_default()));
            list.iter().filter_map(pair).collect()
        }
        _ => BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(operation: &str, input: Value) -> RequestTags {
        let json = RequestTags::of("x", operation, &OperationInput::Json(input.to_string().into()));
        assert_eq!(json, RequestTags::of("x", operation, &OperationInput::Value(input)));
        json
    }

    #[test]
    fn all_ways_to_write_tags() {
        let one = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        for (name, tags) in [
            ("Tags", json!({"a": "b"})),
            ("tags", json!([{"key": "a", "value": "b"}])),
            ("Tags", json!([{"Key": "a", "Value": "b"}])),
            ("TagsToAdd", json!({"a": "b"})),
        ] {
            assert_eq!(of("TagResource", json!({ name: tags })).given, one);
        }
        assert_eq!(of("CreateStream", json!({"Tags": [{"Key": "a"}]})).given["a"], "");
        let taken = of("UntagResource", json!({"tagKeys": ["a", "b"]}));
        assert_eq!(taken.keys().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn others_have_none() {
        assert_eq!(of("Invoke", json!({"Tags": {"a": "b"}})), RequestTags::default());
        assert!(of("CreateJob", json!("text")).given.is_empty());
        assert!(of("CreateJob", json!({"Tags": 5, "TagKeys": {"a": 1}})).keys().next().is_none());
    }
}
