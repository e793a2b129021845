//! JSONata 2.0.6, the query and transformation language of states with `"QueryLanguage": "JSONata"` (docs.jsonata.org).
//!
//! Written here because every crate of it forces `serde_json` to keep the order of members, for the whole program, and
//! holds values that cannot cross threads. Members of inputs are therefore in the order of their names; members of objects
//! that an expression makes are in the order in which it makes them.
//!
//! There is no document around an expression: what reads one is refused ([`Expression::refusals`]).
//!
//! Numbers are doubles, but integers of more than 15 digits are kept as 64 bits wherever doubles would lose some.
//!
//! The tests compare it with the reference implementation (`tests/jsonata`). As in Step Functions there is no `$eval`, and
//! there are `$partition`, `$range`, `$hash`, `$random(seed)`, `$uuid` and `$parse`. Limits, those of Step Functions where
//! they are known: 100 nested evaluations, 6.99 MB for one value, 360,145 elements of `$range`; and 10,000,000 steps,
//! 512 MB of values in all, 500 nested expressions in a text. Not there, and refused by name: look-around and
//! back-references in regular expressions.
//!
//! | Module | What it does |
//! |---|---|
//! | `syntax` | text → syntax tree |
//! | `value` | values: JSON, undefined, sequences, tuples, functions |
//! | `eval` | evaluation |
//! | `functions` | the built-in functions |
//! | `patterns` | regular expressions |

mod eval;
mod functions;
mod patterns;
mod syntax;
mod value;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::rng::Rng;
use crate::scope::Variables;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    program: Arc<syntax::Program>,
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
    /// A function or a regular expression, or something with one in it.
    Function,
    /// JSON.
    Value(Value),
}

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it: JSONata's code and message.
    pub fn parse(text: &str) -> Result<Self, String> {
        syntax::compile(text).map(|program| Self { program: Arc::new(program) })
    }

    /// What it refers to although Step Functions has no such thing, in AWS's words: `$` and names of the document around
    /// the expression, and `$$` anywhere.
    pub fn refusals(&self) -> Vec<String> {
        syntax::refusals(&self.program)
    }

    /// Evaluates it.
    ///
    /// # Errors
    /// JSONata's code and message, or only a message for what has no code.
    pub fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Outcome, String> {
        eval::run(&self.program, bindings, value::Val::Undefined)
    }
}

#[cfg(test)]
mod tests;
