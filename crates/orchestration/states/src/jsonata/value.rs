//! Values: JSON, undefined, sequences, functions.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Number, Value};

use super::eval::Frame;
use super::functions::Builtin;
use super::parser::Node;

#[derive(Debug, Clone)]
pub(super) enum Val {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    String(Rc<str>),
    Array(List),
    Object(Rc<BTreeMap<String, Val>>),
    Function(Rc<Function>),
    Regex(Rc<regex::Regex>),
}

/// An array, and whether it is a result sequence: then one item stands for itself, and none for nothing.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) items: Rc<Vec<Val>>,
    pub(super) sequence: bool,
    pub(super) keep: bool,
    /// Made by `[…]` as a step: it is not flattened into what is around it.
    pub(super) whole: bool,
}

#[derive(Debug)]
pub(super) enum Function {
    Builtin(Builtin),
    Lambda { parameters: Arc<Vec<String>>, body: Arc<Node>, frame: Rc<Frame>, input: Val },
    Partial { of: Val, arguments: Vec<Option<Val>> },
    Composed(Val, Val),
    Transform { pattern: Arc<Node>, update: Arc<Node>, delete: Option<Arc<Node>>, frame: Rc<Frame> },
}

impl Val {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::String(text.into())
    }

    pub(super) fn array(items: Vec<Val>) -> Self {
        Self::Array(List { items: Rc::new(items), sequence: false, keep: false, whole: false })
    }

    pub(super) fn sequence(items: Vec<Val>) -> Self {
        Self::Array(List { items: Rc::new(items), sequence: true, keep: false, whole: false })
    }

    pub(super) fn object(members: BTreeMap<String, Val>) -> Self {
        Self::Object(Rc::new(members))
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    pub(super) fn is_function(&self) -> bool {
        matches!(self, Self::Function(_) | Self::Regex(_))
    }

    /// The items of an array; any other value is its own only item, undefined is none.
    pub(super) fn items(&self) -> Vec<Val> {
        match self {
            Self::Array(list) => (*list.items).clone(),
            Self::Undefined => Vec::new(),
            other => vec![other.clone()],
        }
    }

    /// What a sequence is worth: nothing, its only item, or itself.
    pub(super) fn unwrapped(self) -> Self {
        match &self {
            Self::Array(list) if list.sequence => match list.items.as_slice() {
                [] if !list.keep => Self::Undefined,
                [only] if !list.keep => only.clone(),
                _ => self,
            },
            _ => self,
        }
    }

    /// JavaScript-like truth as `$boolean` defines it; `None` for undefined.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Undefined | Self::Null | Self::Function(_) | Self::Regex(_) => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Array(list) => match list.items.as_slice() {
                [only] => only.truth(),
                items => items.iter().any(Self::truth),
            },
            Self::Object(members) => !members.is_empty(),
        }
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => {
                a.items.len() == b.items.len() && a.items.iter().zip(b.items.iter()).all(|(a, b)| a.same(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|((n, a), (m, b))| n == m && a.same(b))
            }
            _ => false,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
            Self::Function(_) | Self::Regex(_) => "function",
        }
    }

    /// As JSON; functions become empty strings, as in `$string`, and undefined is `None`.
    pub(super) fn to_json(&self) -> Option<Value> {
        Some(match self {
            Self::Undefined => return None,
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => json_number(*number),
            Self::String(text) => Value::String(text.to_string()),
            Self::Array(list) => list.items.iter().filter_map(Self::to_json).collect(),
            Self::Object(members) => {
                let members = members.iter().filter_map(|(name, value)| Some((name.clone(), value.to_json()?)));
                Value::Object(members.collect::<Map<_, _>>())
            }
            Self::Function(_) | Self::Regex(_) => Value::String(String::new()),
        })
    }
}

fn json_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

impl From<&Value> for Val {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::text(text.as_str()),
            Value::Array(elements) => Self::array(elements.iter().map(Self::from).collect()),
            Value::Object(members) => {
                Self::object(members.iter().map(|(name, value)| (name.clone(), Self::from(value))).collect())
            }
        }
    }
}

/// A number as JavaScript writes it, after rounding to 15 digits as JSONata does.
pub(super) fn number_text(number: f64) -> String {
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    let size = rounded.abs();
    if size == 0.0 {
        return "0".into();
    }
    if (1e-6..1e21).contains(&size) {
        return rounded.to_string();
    }
    let text = format!("{rounded:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}
