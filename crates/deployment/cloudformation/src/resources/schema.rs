//! What properties a resource type has, written as one line of text a type.
//!
//! `Name` is text; `:i` an integer, `:n` a number, `:b` a boolean, `:j` any JSON; `{…}` a structure, `[…]` a list of what
//! stands inside (texts, when nothing does), `<…>` a map. `!` marks what is required, `^` what can't change without a new
//! resource.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::{Map, Number, Value};

/// A property.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Property {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// A change makes a new resource.
    pub(crate) replaces: bool,
    kind: Kind,
}

impl Property {
    pub(crate) fn is_list(&self) -> bool {
        matches!(self.kind, Kind::List(_))
    }
}

/// What a property's value is.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Json,
    Structure(Vec<Property>),
    List(Box<Kind>),
    Map(Box<Kind>),
}

/// The properties of a type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schema(pub(crate) Vec<Property>);

impl Schema {
    /// Reads the text. It is part of the program: a mistake in it is found by the test that reads them all.
    pub(crate) fn parse(text: &str) -> Self {
        let mut letters = text.chars().peekable();
        let properties = properties(&mut letters);
        assert!(letters.next().is_none(), "malformed schema: {text}");
        Self(properties)
    }

    /// The given properties, each of the type that it should have: templates write numbers as texts and texts as numbers.
    ///
    /// # Errors
    /// Everything that is wrong, a line each, in the words of CloudFormation's own validation.
    pub(crate) fn coerce(&self, given: &Value) -> Result<Map<String, Value>, String> {
        let mut wrong = Vec::new();
        let coerced = structure(&self.0, given, "#", &mut wrong);
        match coerced {
            Value::Object(properties) if wrong.is_empty() => Ok(properties),
            _ => Err(wrong.join("\n")),
        }
    }

    /// Whether the change touches a property that can't change.
    pub(crate) fn replaces(&self, old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
        replaces(&self.0, old, new)
    }

    pub(crate) fn property(&self, name: &str) -> Option<&Property> {
        self.0.iter().find(|property| property.name == name)
    }
}

fn replaces(properties: &[Property], old: &Map<String, Value>, new: &Map<String, Value>) -> bool {
    properties.iter().any(|property| match (&property.kind, old.get(&property.name), new.get(&property.name)) {
        (_, before, after) if before == after => false,
        (Kind::Structure(parts), Some(Value::Object(before)), Some(Value::Object(after))) if !property.replaces => {
            replaces(parts, before, after)
        }
        _ => property.replaces,
    })
}

fn blank(letters: &mut Peekable<Chars<'_>>) {
    while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
}

fn properties(letters: &mut Peekable<Chars<'_>>) -> Vec<Property> {
    let mut found = Vec::new();
    loop {
        blank(letters);
        if !letters.peek().is_some_and(char::is_ascii_alphanumeric) {
            return found;
        }
        let mut name = String::new();
        while let Some(letter) = letters.next_if(char::is_ascii_alphanumeric) {
            name.push(letter);
        }
        let (mut required, mut replaces) = (false, false);
        while let Some(mark) = letters.next_if(|letter| matches!(letter, '!' | '^')) {
            required |= mark == '!';
            replaces |= mark == '^';
        }
        found.push(Property { name, required, replaces, kind: kind(letters) });
    }
}

fn kind(letters: &mut Peekable<Chars<'_>>) -> Kind {
    let closed = |letters: &mut Peekable<Chars<'_>>, end: char| {
        blank(letters);
        assert_eq!(letters.next(), Some(end), "malformed schema");
    };
    match letters.peek() {
        Some(':') => {
            letters.next();
            match letters.next() {
                Some('i') => Kind::Integer,
                Some('n') => Kind::Number,
                Some('b') => Kind::Boolean,
                Some('j') => Kind::Json,
                other => unreachable!("no such type in a schema: {other:?}"),
            }
        }
        Some('{') => {
            letters.next();
            let members = properties(letters);
            closed(letters, '}');
            Kind::Structure(members)
        }
        Some('[') => {
            letters.next();
            let item = kind(letters);
            closed(letters, ']');
            Kind::List(Box::new(item))
        }
        Some('<') => {
            letters.next();
            let item = kind(letters);
            closed(letters, '>');
            Kind::Map(Box::new(item))
        }
        _ => Kind::Text,
    }
}

fn structure(properties: &[Property], given: &Value, path: &str, wrong: &mut Vec<String>) -> Value {
    let Value::Object(members) = given else {
        wrong.push(mismatch(path, "JSONObject", given));
        return Value::Null;
    };
    for name in members.keys() {
        if !properties.iter().any(|property| property.name == *name) {
            wrong.push(format!("{path}: extraneous key [{name}] is not permitted"));
        }
    }
    let mut coerced = Map::new();
    for property in properties {
        match members.get(&property.name) {
            None | Some(Value::Null) if property.required => {
                wrong.push(format!("{path}: required key [{}] not found", property.name));
            }
            None | Some(Value::Null) => {}
            Some(value) => {
                let below = format!("{path}/{}", property.name);
                coerced.insert(property.name.clone(), coerce(&property.kind, value, &below, wrong));
            }
        }
    }
    Value::Object(coerced)
}

fn coerce(kind: &Kind, value: &Value, path: &str, wrong: &mut Vec<String>) -> Value {
    let fitting = match (kind, value) {
        (Kind::Json, any) => Some(any.clone()),
        (Kind::Structure(properties), _) => return structure(properties, value, path, wrong),
        (Kind::List(item), Value::Array(items)) => {
            let each = items.iter().enumerate().map(|(at, it)| coerce(item, it, &format!("{path}/{at}"), wrong));
            return Value::Array(each.collect());
        }
        (Kind::Map(item), Value::Object(members)) => {
            let each =
                members.iter().map(|(name, it)| (name.clone(), coerce(item, it, &format!("{path}/{name}"), wrong)));
            return Value::Object(each.collect());
        }
        (Kind::Text, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) | (Kind::Number, Value::Number(_)) => {
            Some(value.clone())
        }
        (Kind::Text, Value::Bool(_) | Value::Number(_)) => Some(Value::String(value.to_string())),
        (Kind::Integer, Value::Number(number)) => whole(number),
        (Kind::Integer, Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
        (Kind::Number, Value::String(text)) => {
            text.trim().parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
        }
        (Kind::Boolean, Value::String(text)) => text.to_lowercase().parse::<bool>().ok().map(Value::Bool),
        _ => None,
    };
    fitting.unwrap_or_else(|| {
        wrong.push(mismatch(path, name_of(kind), value));
        Value::Null
    })
}

fn whole(number: &Number) -> Option<Value> {
    match number.as_i64() {
        Some(integer) => Some(integer.into()),
        None => number.as_f64().filter(|float| float.fract() == 0.0).map(|float| Value::from(float as i64)),
    }
}

fn name_of(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "String",
        Kind::Integer => "Integer",
        Kind::Number => "Number",
        Kind::Boolean => "Boolean",
        Kind::List(_) => "JSONArray",
        Kind::Json | Kind::Structure(_) | Kind::Map(_) => "JSONObject",
    }
}

fn mismatch(path: &str, expected: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    };
    format!("{path}: expected type: {expected}, found: {found}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        Schema::parse("Name^ Role! Days:i Share:n On:b Doc:j Part{A! B:i} Names[] Parts[{X:i}] Tags<> Deep<{Y}>")
    }

    #[test]
    fn values_get_their_types() {
        let given = json!({"Role": 5, "Days": "7", "Share": "0.5", "On": "True", "Doc": [1], "Part": {"A": 3.9, "B": 2.0},
                           "Names": ["a", 1], "Parts": [{"X": "1"}], "Tags": {"k": true}, "Deep": {"k": {"Y": "z"}}});
        let expected = json!({"Role": "5", "Days": 7, "Share": 0.5, "On": true, "Doc": [1], "Part": {"A": "3.9", "B": 2},
                              "Names": ["a", "1"], "Parts": [{"X": 1}], "Tags": {"k": "true"}, "Deep": {"k": {"Y": "z"}}});
        assert_eq!(Value::Object(schema().coerce(&given).unwrap()), expected);
        assert!(schema().property("Name").unwrap().replaces);
        assert!(!schema().property("Role").unwrap().replaces);
    }

    #[test]
    fn changes_within_structures_may_replace() {
        let schema = Schema::parse("Input!{Name^ Text} Other^{A}");
        let map = |value: Value| value.as_object().cloned().unwrap();
        let replaces = |old: Value, new: Value| schema.replaces(&map(old), &map(new));
        let named = |name: &str, text: &str| json!({"Input": {"Name": name, "Text": text}});
        assert!(replaces(named("a", "x"), named("b", "x")));
        assert!(!replaces(named("a", "x"), named("a", "y")));
        assert!(replaces(json!({"Other": {"A": "1"}}), json!({})));
    }

    #[test]
    fn everything_wrong_is_told() {
        let given = json!({"Nmae": "x", "Days": "soon", "Part": {"B": 1, "C": 1}, "Names": "a"});
        let wrong = schema().coerce(&given).unwrap_err();
        assert_eq!(
            wrong.lines().collect::<Vec<_>>(),
            [
                "#: extraneous key [Nmae] is not permitted",
                "#: required key [Role] not found",
                "#/Days: expected type: Integer, found: String",
                "#/Part: extraneous key [C] is not permitted",
                "#/Part: required key [A] not found",
                "#/Names: expected type: JSONArray, found: String",
            ]
        );
    }
}
