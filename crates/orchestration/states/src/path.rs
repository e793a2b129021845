//! JSONPath as the States language uses it ("Paths", "Reference Paths"): compiled once, evaluated often.
//!
//! The dialect is Jayway's, with what AWS adds: `$$` is the context object, `$name` a variable. A definite path gives its
//! value or an error; a path with wildcards, slices, filters or descent gives an array, which may be empty.

mod filter;
mod parse;

use std::fmt;

use serde_json::Value;

use filter::Filter;

/// What a path starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Root {
    /// `$`: the state's input, or what the field's documentation says `$` is.
    Input,
    /// `$$`: the context object.
    Context,
    /// `$name`: a variable.
    Variable(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    Child(String),
    Children(Vec<String>),
    Index(i64),
    Indices(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    Wildcard,
    Descend,
    Filter(Filter),
    Length,
}

impl Step {
    fn is_definite(&self) -> bool {
        matches!(self, Self::Child(_) | Self::Index(_) | Self::Length)
    }
}

/// A compiled path.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonPath {
    text: String,
    root: Root,
    steps: Vec<Step>,
}

/// The text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPath(pub String);

/// A definite path led nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// The last member or element is missing.
    #[error("No results for path: {0}")]
    Leaf(String),
    /// Something before the last member is missing.
    #[error("Missing property in path {0}")]
    Parent(String),
}

/// The value could not be put where the reference path points.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unable to apply ReferencePath {0} to input {1}")]
pub struct Unapplicable(pub String, pub String);

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl JsonPath {
    /// Compiles `text`.
    ///
    /// # Errors
    /// [`InvalidPath`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        parse::path(text)
    }

    /// What the path starts from.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Whether the path names at most one value.
    pub fn is_definite(&self) -> bool {
        self.steps.iter().all(Step::is_definite)
    }

    /// Whether the path is a Reference Path: members and elements of `$` only.
    pub fn is_reference(&self) -> bool {
        self.root == Root::Input && self.steps.iter().all(|step| matches!(step, Step::Child(_) | Step::Index(_)))
    }

    /// The path's value below `root`.
    ///
    /// # Errors
    /// [`NotFound`] if the path is definite and leads nowhere.
    pub fn get(&self, root: &Value) -> Result<Value, NotFound> {
        if self.is_definite() { self.definite(root) } else { Ok(self.indefinite(root)) }
    }

    /// Whether the path leads anywhere below `root`.
    pub fn exists(&self, root: &Value) -> bool {
        if self.is_definite() { self.definite(root).is_ok() } else { !self.matches(root).is_empty() }
    }

    fn definite(&self, root: &Value) -> Result<Value, NotFound> {
        let mut value = root;
        for (position, step) in self.steps.iter().enumerate() {
            let next = match step {
                Step::Child(name) => value.get(name.as_str()),
                Step::Index(index) => element(value, *index),
                Step::Length => return length(value).ok_or_else(|| NotFound::Leaf(self.normal(position + 1))),
                _ => None,
            };
            value = next.ok_or_else(|| {
                let path = self.normal(position + 1);
                if position + 1 == self.steps.len() { NotFound::Leaf(path) } else { NotFound::Parent(path) }
            })?;
        }
        Ok(value.clone())
    }

    fn matches<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![root];
        for step in &self.steps {
            let mut next = Vec::new();
            for value in found {
                apply(step, value, root, &mut next);
            }
            found = next;
        }
        found
    }

    fn indefinite(&self, root: &Value) -> Value {
        if let Some((Step::Length, before)) = self.steps.split_last() {
            let list = Self { steps: before.to_vec(), ..self.clone() };
            return Value::from(list.matches(root).len());
        }
        let found = self.matches(root);
        // AWS unwraps the one element that a trailing index picks, as in `$..[?(@.a)][0]`.
        match (self.steps.last(), found.as_slice()) {
            (Some(Step::Index(_)), [only]) => (*only).clone(),
            _ => Value::Array(found.into_iter().cloned().collect()),
        }
    }

    /// The first `steps` steps as Jayway writes a path: `$['a'][0]`.
    fn normal(&self, steps: usize) -> String {
        let mut text = String::from("$");
        for step in &self.steps[..steps] {
            match step {
                Step::Child(name) => text.push_str(&format!("['{name}']")),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
                _ => text.push_str(".length()"),
            }
        }
        text
    }

    /// Puts `value` where this reference path points in `target`, making objects on the way.
    ///
    /// # Errors
    /// [`Unapplicable`] when something on the way is neither an object nor absent, or an element does not exist.
    pub fn set(&self, target: &mut Value, value: Value) -> Result<(), Unapplicable> {
        let refusal = |target: &Value| Unapplicable(self.text.clone(), target.to_string());
        if !self.can_set(target) {
            return Err(refusal(target));
        }
        let mut place = target;
        for step in &self.steps {
            place = match step {
                Step::Child(name) => {
                    if place.is_null() {
                        *place = Value::Object(serde_json::Map::new());
                    }
                    match place {
                        Value::Object(members) => members.entry(name.clone()).or_insert(Value::Null),
                        other => return Err(Unapplicable(self.text.clone(), other.to_string())),
                    }
                }
                Step::Index(index) => {
                    let shown = self.text.clone();
                    let element = place.get_mut(*index as usize);
                    element.ok_or_else(|| Unapplicable(shown, String::new()))?
                }
                _ => return Err(refusal(place)),
            };
        }
        *place = value;
        Ok(())
    }

    /// Whether [`JsonPath::set`] can go all the way, so that it changes nothing when it can't.
    fn can_set(&self, target: &Value) -> bool {
        let mut place = Some(target);
        for (position, step) in self.steps.iter().enumerate() {
            place = match (step, place) {
                (Step::Child(_), None) => None,
                (Step::Child(_), Some(Value::Null)) if position > 0 => None,
                (Step::Child(name), Some(Value::Object(members))) => members.get(name),
                (Step::Index(index), Some(Value::Array(elements))) => match elements.get(*index as usize) {
                    Some(element) => Some(element),
                    None => return false,
                },
                _ => return false,
            };
        }
        true
    }
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    let elements = value.as_array()?;
    let index = if index < 0 { index + elements.len() as i64 } else { index };
    usize::try_from(index).ok().and_then(|index| elements.get(index))
}

fn length(value: &Value) -> Option<Value> {
    match value {
        Value::Array(elements) => Some(Value::from(elements.len())),
        Value::Object(members) => Some(Value::from(members.len())),
        Value::String(text) => Some(Value::from(text.chars().count())),
        _ => None,
    }
}

fn apply<'v>(step: &Step, value: &'v Value, root: &'v Value, out: &mut Vec<&'v Value>) {
    match step {
        Step::Child(name) => out.extend(value.get(name.as_str())),
        Step::Children(names) => out.extend(names.iter().filter_map(|name| value.get(name.as_str()))),
        Step::Index(index) => out.extend(element(value, *index)),
        Step::Indices(indices) => out.extend(indices.iter().filter_map(|index| element(value, *index))),
        Step::Slice(from, to) => {
            let Some(elements) = value.as_array() else { return };
            let count = elements.len() as i64;
            let clamp = |bound: i64| (if bound < 0 { bound + count } else { bound }).clamp(0, count) as usize;
            let (from, to) = (clamp(from.unwrap_or(0)), clamp(to.unwrap_or(count)));
            out.extend(elements.get(from..to.max(from)).into_iter().flatten());
        }
        Step::Wildcard => match value {
            Value::Array(elements) => out.extend(elements),
            Value::Object(members) => out.extend(members.values()),
            _ => {}
        },
        Step::Descend => descend(value, out),
        Step::Filter(filter) => match value {
            Value::Array(elements) => out.extend(elements.iter().filter(|element| filter.holds(element, root))),
            Value::Object(_) if filter.holds(value, root) => out.push(value),
            _ => {}
        },
        Step::Length => {}
    }
}

/// The value and everything below it, parents first.
fn descend<'v>(value: &'v Value, out: &mut Vec<&'v Value>) {
    match value {
        Value::Array(elements) => {
            out.push(value);
            elements.iter().for_each(|element| descend(element, out));
        }
        Value::Object(members) => {
            out.push(value);
            members.values().for_each(|member| descend(member, out));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn get(path: &str, value: &Value) -> Result<Value, NotFound> {
        JsonPath::parse(path).unwrap().get(value)
    }

    fn store() -> Value {
        json!({"store": {"book": [
            {"title": "A", "price": 8, "tags": ["x", "y"]},
            {"title": "B", "price": 12.5, "isbn": "1"},
            {"title": "C", "price": 9}
        ], "open": true}, "odd name": 1})
    }

    #[test]
    fn definite_paths_give_the_value_or_say_what_is_missing() {
        let value = store();
        assert_eq!(get("$.store.open", &value), Ok(json!(true)));
        assert_eq!(get("$['odd name']", &value), Ok(json!(1)));
        assert_eq!(get("$.store.book[1].title", &value), Ok(json!("B")));
        assert_eq!(get("$.store.book[-1].title", &value), Ok(json!("C")));
        assert_eq!(get("$", &value), Ok(value.clone()));
        assert_eq!(get("$.nothing", &value), Err(NotFound::Leaf("$['nothing']".into())));
        assert_eq!(get("$.nothing.below", &value), Err(NotFound::Parent("$['nothing']".into())));
        assert_eq!(get("$.store.book[7]", &value), Err(NotFound::Leaf("$['store']['book'][7]".into())));
        assert_eq!(get("$.store.book.length()", &value), Ok(json!(3)));
    }

    #[test]
    fn indefinite_paths_give_arrays() {
        let value = store();
        assert_eq!(get("$.store.book[*].title", &value), Ok(json!(["A", "B", "C"])));
        assert_eq!(get("$.store.book[0:2].title", &value), Ok(json!(["A", "B"])));
        assert_eq!(get("$.store.book[-2:].title", &value), Ok(json!(["B", "C"])));
        assert_eq!(get("$.store.book[0,2].title", &value), Ok(json!(["A", "C"])));
        assert_eq!(get("$..title", &value), Ok(json!(["A", "B", "C"])));
        assert_eq!(get("$..book[*].nothing", &value), Ok(json!([])));
        assert_eq!(get("$.store.book[0]['title','price']", &value), Ok(json!(["A", 8])));
    }

    #[test]
    fn filters_compare_and_combine() {
        let value = store();
        assert_eq!(get("$.store.book[?(@.price < 9)].title", &value), Ok(json!(["A"])));
        assert_eq!(get("$.store.book[?(@.isbn)].title", &value), Ok(json!(["B"])));
        assert_eq!(get("$.store.book[?(!@.isbn)].title", &value), Ok(json!(["A", "C"])));
        let both = "$.store.book[?(@.price > 8 && @.title != 'B')].title";
        assert_eq!(get(both, &value), Ok(json!(["C"])));
        assert_eq!(get("$.store.book[?(@.title == 'A' || @.title == 'C')].price", &value), Ok(json!([8, 9])));
        assert_eq!(get("$.store.book[?(@.title in ['A','B'])].title", &value), Ok(json!(["A", "B"])));
        assert_eq!(get("$.store.book[?(@.title =~ /[bc]/i)].title", &value), Ok(json!(["B", "C"])));
    }

    #[test]
    fn a_trailing_index_unwraps_a_single_match() {
        let value = json!([{"a": [1, 2]}]);
        assert_eq!(get("$[*].a[0]", &value), Ok(json!(1)));
        assert_eq!(get("$[?(@.a)].a[0]", &value), Ok(json!(1)));
    }

    #[test]
    fn roots_are_told_apart() {
        assert_eq!(JsonPath::parse("$$.Task.Token").unwrap().root(), &Root::Context);
        assert_eq!(JsonPath::parse("$name.a[0]").unwrap().root(), &Root::Variable("name".into()));
        assert!(JsonPath::parse("$.a.b").unwrap().is_reference());
        assert!(!JsonPath::parse("$.a[*]").unwrap().is_reference());
        assert!(!JsonPath::parse("$$.a").unwrap().is_reference());
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "a", "$.", "$[", "$[abc]", "$.a[?(", "$.a b", "$['a'", "$..", "$.a[1:2:3:4]"] {
            assert!(JsonPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reference_paths_make_what_is_missing() {
        let mut value = json!({"a": 1});
        JsonPath::parse("$.b.c").unwrap().set(&mut value, json!(2)).unwrap();
        assert_eq!(value, json!({"a": 1, "b": {"c": 2}}));
        let before = value.clone();
        assert!(JsonPath::parse("$.a.c").unwrap().set(&mut value, json!(3)).is_err());
        assert!(JsonPath::parse("$.d[0]").unwrap().set(&mut value, json!(3)).is_err());
        assert_eq!(value, before);
        JsonPath::parse("$").unwrap().set(&mut value, json!("all")).unwrap();
        assert_eq!(value, json!("all"));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,40}") {
            let _ = JsonPath::parse(&text);
        }

        #[test]
        fn what_is_set_is_found(names in prop::collection::vec("[a-z '\\.\\-]{1,6}", 1..5), number in any::<i32>()) {
            let names: Vec<String> = names.into_iter().map(|name| name.replace('\'', "_")).collect();
            let text = names.iter().fold(String::from("$"), |path, name| format!("{path}['{name}']"));
            let path = JsonPath::parse(&text).unwrap();
            let mut value = json!({});
            path.set(&mut value, json!(number)).unwrap();
            prop_assert_eq!(path.get(&value), Ok(json!(number)));
        }

        #[test]
        fn descent_finds_every_scalar_by_name(depth in 1usize..6) {
            let value = (0..depth).fold(json!({"leaf": 1}), |inner, level| json!({"leaf": level, "in": [inner]}));
            let found = get("$..leaf", &value).unwrap();
            prop_assert_eq!(found.as_array().map(Vec::len), Some(depth + 1));
        }
    }
}
