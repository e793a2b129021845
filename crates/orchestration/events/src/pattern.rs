//! Event patterns ("Amazon EventBridge event patterns", "Comparison operators for use in event patterns").
//!
//! All fields of an object must match, any value of an array may. Fields of a pattern below an array of objects must match
//! within one and the same element. A field that is absent, empty or an object has no value.

mod compile;
mod matching;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use serde_json::Value;

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPattern(Fields);

/// What must hold of an object.
#[derive(Debug, Clone, PartialEq, Default)]
struct Fields {
    all: Vec<(String, Node)>,
    /// Of each `$or`, one alternative must hold.
    any: Vec<Vec<Fields>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Object(Fields),
    /// One of these must match one of the field's values.
    Values(Vec<Match>),
}

#[derive(Debug, Clone, PartialEq)]
enum Match {
    Equal(Value),
    EqualIgnoringCase(String),
    Prefix {
        text: String,
        ignore_case: bool,
    },
    Suffix {
        text: String,
        ignore_case: bool,
    },
    Wildcard(Wildcard),
    /// Every comparison must hold.
    Numeric(Vec<(Comparison, f64)>),
    Cidr {
        network: IpAddr,
        bits: u8,
    },
    Exists(bool),
    AnythingBut(Vec<Match>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The texts between the stars: at least two, the first and the last may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wildcard(Vec<String>);

/// Why a text is no event pattern, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Event pattern is not valid. Reason: {0}")]
pub struct InvalidPattern(pub String);

impl EventPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`InvalidPattern`].
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        compile::compile(text).map(Self).map_err(InvalidPattern)
    }

    /// Whether the event matches.
    pub fn matches(&self, event: &Value) -> bool {
        let event = event.as_object();
        matching::object(&self.0, event, &event.into_iter().collect::<Vec<_>>())
    }
}
