//! JSONata: the query and transformation language of states with `"QueryLanguage": "JSONata"` (docs.jsonata.org, 2.x).
//!
//! Written here because every crate of it forces `serde_json` to keep the order of members, for the whole program, and
//! holds values that cannot cross threads. Members of objects are therefore in the order of their names.
//!
//! Not there, and refused by name: `%` (parent), `@` and `#` (focus and index binding), `$eval` (Step Functions has none).
//! There, as in Step Functions: `$partition`, `$range`, `$hash`, `$random(seed)`, `$uuid`, `$parse`.
//!
//! | Module | What it does |
//! |---|---|
//! | `lexer`, `parser` | text → syntax tree |
//! | `value` | values: JSON, undefined, sequences, functions |
//! | `eval` | evaluation |
//! | `functions` and below | the built-in functions |

mod eval;
mod functions;
mod lexer;
mod parser;
mod value;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::rng::Rng;
use crate::scope::Variables;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    root: Arc<parser::Node>,
}

/// What an expression sees.
#[derive(Clone, Copy)]
pub struct Bindings<'a> {
    /// `$states.input`.
    pub input: &'a Value,
    /// `$states.result`.
    pub result: Option<&'a Value>,
    /// `$states.errorOutput`.
    pub error: Option<&'a Value>,
    /// Makes `$states.context`.
    pub context: &'a dyn Fn() -> Value,
    /// The variables.
    pub variables: &'a Variables,
    /// For `$random`, `$uuid` and `$shuffle`.
    pub rng: &'a Rng,
    /// For `$now` and `$millis`.
    pub now: DateTime<Utc>,
}

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing.
    Undefined,
    /// A function or a regular expression.
    Function,
    /// JSON.
    Value(Value),
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text).map(|root| Self { root: Arc::new(root) })
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// JSONata's code and message.
    pub fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Outcome, String> {
        eval::run(&self.root, bindings)
    }
}

#[cfg(test)]
mod tests;
