//! What the functions of a declaration see of the resource in hand.

use boathouse_aws::{ACCOUNT_ID, Arn};
use serde_json::{Map, Value};

/// A resource that is being made, changed, read or removed.
pub(crate) struct Subject<'a> {
    /// Its properties: as they should be, or, when it is removed, as they were.
    pub(crate) properties: &'a Map<String, Value>,
    /// Its properties before the change; the same as `properties` otherwise.
    pub(crate) old: &'a Map<String, Value>,
    /// Its name, given or generated.
    pub(crate) name: &'a str,
    /// Its physical id; the name as long as it is not known.
    pub(crate) physical: &'a str,
    /// Its attributes as far as they are known.
    pub(crate) attributes: &'a Map<String, Value>,
    /// The answer of the call that made it, or that read it before a change or its removal.
    pub(crate) answer: &'a Value,
    /// The region.
    pub(crate) region: &'a str,
    /// Makes calls that take a token idempotent.
    pub(crate) token: &'a str,
}

impl Subject<'_> {
    /// A property; null if it is not given.
    pub(crate) fn get(&self, name: &str) -> Value {
        self.properties.get(name).cloned().unwrap_or_default()
    }

    /// A property as text; empty if it is not given.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.properties.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The items of a property that is a list.
    pub(crate) fn items(&self, name: &str) -> &[Value] {
        items(self.properties, name)
    }

    /// The items that a list had before the change.
    pub(crate) fn old_items(&self, name: &str) -> &[Value] {
        items(self.old, name)
    }

    /// Whether any of these properties differs from what it was.
    pub(crate) fn changed(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.properties.get(*name) != self.old.get(*name))
    }

    /// An attribute as text; empty if it is not known.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A member of the answer, by JSON pointer.
    pub(crate) fn answered(&self, pointer: &str) -> Value {
        self.answer.pointer(pointer).cloned().unwrap_or_default()
    }

    /// An ARN in this account and region.
    pub(crate) fn arn(&self, service: &str, resource: impl Into<String>) -> Value {
        Arn::new(service, self.region, resource).to_string().into()
    }

    /// The account.
    pub(crate) fn account(&self) -> &'static str {
        ACCOUNT_ID
    }

    /// These properties under the same names, those that are given.
    pub(crate) fn pick(&self, names: &[&str]) -> Map<String, Value> {
        let given = names.iter().filter_map(|name| Some(((*name).to_owned(), self.properties.get(*name)?.clone())));
        given.collect()
    }

    /// All properties but these.
    pub(crate) fn without(&self, names: &[&str]) -> Map<String, Value> {
        let mut kept = self.properties.clone();
        kept.retain(|name, _| !names.contains(&name.as_str()));
        kept
    }
}

fn items<'a>(properties: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    properties.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
