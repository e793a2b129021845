//! Helpers that bring properties into the shape of an operation's input.

use serde_json::{Map, Value, json};

use super::subject::Subject;

/// An object with more members.
pub(crate) fn with(mut members: Map<String, Value>, more: Value) -> Value {
    if let Value::Object(more) = more {
        members.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(members)
}

/// The same value with the names of its members beginning in lower case, at every depth.
pub(crate) fn camel(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (lower_first(&name), camel(member))).collect()
        }
        Value::Array(items) => items.into_iter().map(camel).collect(),
        scalar => scalar,
    }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A document as the text that operations take; texts stay as they are.
pub(crate) fn document(value: &Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value.clone(),
        other => other.to_string().into(),
    }
}

/// Tags as a map, whether they are given as one or as a list.
pub(crate) fn tag_map(tags: &Value) -> Value {
    match tags {
        Value::Array(items) => {
            let pair = |tag: &Value| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].clone()));
            Value::Object(items.iter().filter_map(pair).collect())
        }
        other => other.clone(),
    }
}

/// Tags as a list of keys and values, whether they are given as one or as a map.
pub(crate) fn tag_list(tags: &Value) -> Value {
    match tags {
        Value::Object(members) => members.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect(),
        other => other.clone(),
    }
}

/// The keys of tags that are gone.
pub(crate) fn removed_tags(subject: &Subject<'_>) -> Vec<String> {
    let keys = |tags: Option<&Value>| match tag_map(tags.unwrap_or(&Value::Null)) {
        Value::Object(members) => members.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let kept = keys(subject.properties.get("Tags"));
    keys(subject.old.get("Tags")).into_iter().filter(|key| !kept.contains(key)).collect()
}

/// The input once, if the condition holds.
pub(crate) fn when(condition: bool, input: impl FnOnce() -> Value) -> Vec<Value> {
    if condition { vec![input()] } else { Vec::new() }
}

/// The items of a new list that the old one lacks.
pub(crate) fn added<'a>(new: &'a [Value], old: &[Value]) -> Vec<&'a Value> {
    new.iter().filter(|item| !old.contains(item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_brought_over() {
        assert_eq!(camel(json!({"RoleArn": [{"A": "B"}]})), json!({"roleArn": [{"a": "B"}]}));
        assert_eq!(document(&json!({"a": 1})), json!("{\"a\":1}"));
        assert_eq!(tag_map(&json!([{"Key": "k", "Value": "v"}])), json!({"k": "v"}));
        assert_eq!(tag_list(&json!({"k": "v"})), json!([{"Key": "k", "Value": "v"}]));
    }
}
