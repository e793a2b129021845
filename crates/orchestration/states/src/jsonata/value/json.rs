//! Values from and to JSON.

use std::rc::Rc;

use serde_json::{Map, Number, Value};

use super::{Object, Val};

impl From<&Value> for Val {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::integer(integer),
                None => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::text(text.as_str()),
            Value::Array(elements) => Self::array(elements.iter().map(Self::from).collect()),
            Value::Object(members) => Self::object(
                members.iter().map(|(name, value)| (Rc::from(name.as_str()), Self::from(value))).collect::<Object>(),
            ),
        }
    }
}

impl Val {
    /// As JSON; `None` when there is none: for undefined, and for functions wherever they are.
    pub(in crate::jsonata) fn to_json(&self) -> Option<Value> {
        Some(match self {
            Self::Undefined | Self::Function(_) => return None,
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => json_number(*number),
            Self::Integer(integer) => Value::from(*integer),
            Self::String(text) => Value::String(text.to_string()),
            Self::Array(list) => {
                let element = |item: &Self| if item.is_undefined() { Some(Value::Null) } else { item.to_json() };
                Value::Array(list.items.iter().map(element).collect::<Option<_>>()?)
            }
            Self::Tuples(tuples) => {
                Value::Array(tuples.iter().map(|tuple| tuple.value.to_json()).collect::<Option<_>>()?)
            }
            Self::Object(members) => {
                let members = members.iter().filter(|(_, value)| !value.is_undefined());
                let members = members.map(|(name, value)| Some((name.to_string(), value.to_json()?)));
                Value::Object(members.collect::<Option<Map<_, _>>>()?)
            }
        })
    }
}

/// Step Functions writes numbers that JSON does not know as the texts that JavaScript writes for them.
fn json_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 {
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or_else(|| Value::String(javascript(number)), Value::Number)
}

/// A number as JSONata writes it: rounded to 15 digits.
pub(in crate::jsonata) fn number_text(number: f64) -> String {
    javascript(rounded(number))
}

/// Rounded to the 15 digits that JSONata keeps in texts.
pub(in crate::jsonata) fn rounded(number: f64) -> f64 {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return number;
    }
    format!("{number:.14e}").parse().unwrap_or(number)
}

/// A number as JavaScript writes it.
pub(in crate::jsonata) fn javascript(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = number.abs();
    if size == 0.0 {
        return "0".into();
    }
    if (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) if !power.starts_with('-') => format!("{digits}e+{power}"),
        _ => text,
    }
}
