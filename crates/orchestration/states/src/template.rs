//! Payload templates: JSON in which some strings are paths, intrinsic calls or JSONata expressions.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::failure::Trouble;
use crate::intrinsics::Intrinsic;
use crate::jsonata::{Bindings, Expression, Outcome};
use crate::path::JsonPath;
use crate::scope::Scope;

/// A compiled template.
#[derive(Debug, Clone)]
pub enum Template {
    /// Nothing to evaluate.
    Constant(Arc<Value>),
    /// An object with something to evaluate in it.
    Object(Vec<(String, Template)>),
    /// An array with something to evaluate in it.
    Array(Vec<Template>),
    /// A JSONPath, with the field that names it (`name.$`).
    Path(JsonPath, String),
    /// An intrinsic call, with the field that names it.
    Intrinsic(Intrinsic, String),
    /// A JSONata expression.
    Jsonata(Query),
}

/// A JSONata expression and the field it stands in, such as `Arguments/Bucket`.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
    expression: Expression,
    location: String,
}

/// What is wrong with a JSONPath template.
pub(crate) type Problem = String;

/// What is wrong with a JSONata expression.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// AWS's code.
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// The field that the expression stands in, such as `Output/total`.
    pub(crate) location: String,
}

/// The expression in `{% … %}`, if the string is one.
pub(crate) fn delimited(text: &str) -> Option<&str> {
    Some(text.strip_prefix("{%")?.strip_suffix("%}")?.trim())
}

impl Query {
    /// Compiles the text between the delimiters.
    pub(crate) fn parse(text: &str, location: &str) -> Result<Self, Vec<Refusal>> {
        let refusal = |code, message| Refusal { code, message, location: location.to_owned() };
        let expression = Expression::parse(text).map_err(|error| {
            let message = if has_code(&error) { error[CODE_LENGTH..].to_owned() } else { error };
            vec![refusal("INVALID_JSONATA_EXPRESSION", message)]
        })?;
        let refused = expression.refusals();
        if !refused.is_empty() {
            return Err(refused
                .into_iter()
                .map(|message| refusal("UNSUPPORTED_JSONATA_EXPRESSION", message))
                .collect());
        }
        Ok(Self { text: text.to_owned(), expression, location: location.to_owned() })
    }

    pub(crate) fn evaluate(&self, bindings: &Bindings<'_>) -> Result<Value, Trouble> {
        let problem = |what: String| {
            let cause =
                format!("The JSONata expression '{}' specified for the field '{}' {what}", self.text, self.location);
            Trouble::evaluation(&self.location, cause)
        };
        match self.expression.evaluate(bindings) {
            Ok(Outcome::Value(value)) => Ok(value),
            Ok(Outcome::Undefined) => Err(problem("returned nothing (undefined).".into())),
            Ok(Outcome::Function) => Err(problem("returned an unsupported result type.".into())),
            Err(error) => {
                let joint = if has_code(&error) { "." } else { ":" };
                Err(problem(format!("threw an error during evaluation{joint} {error}")))
            }
        }
    }

    /// Evaluates to a value of one kind, as fields such as `Items` and `Seconds` want it.
    pub(crate) fn evaluate_as(&self, bindings: &Bindings<'_>, kind: &str) -> Result<Value, Trouble> {
        let value = self.evaluate(bindings)?;
        let found = kind_of(&value);
        if found == kind {
            return Ok(value);
        }
        let cause = format!(
            "The JSONata expression '{}' specified for the field '{}' returned an unexpected result type. \
             Expected '{kind}', but was '{found}' for value: {value}",
            self.text, self.location
        );
        Err(Trouble::evaluation(&self.location, cause))
    }
}

/// A code such as `T2001`, with the colon and the blank after it.
const CODE_LENGTH: usize = 7;

/// Whether a message of JSONata starts with a code.
fn has_code(message: &str) -> bool {
    message.split_once(": ").is_some_and(|(code, _)| {
        code.len() == 5
            && code.starts_with(|c: char| c.is_ascii_uppercase())
            && code[1..].bytes().all(|byte| byte.is_ascii_digit())
    })
}

pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

impl Template {
    /// Compiles a JSONPath template: members whose names end in `.$` are evaluated.
    pub(crate) fn jsonpath(value: &Value) -> Result<Self, Problem> {
        match value {
            Value::Object(members) => {
                let compiled = members.iter().map(|(name, member)| Self::jsonpath_member(name, member));
                Ok(Self::object(compiled.collect::<Result<_, _>>()?, value))
            }
            Value::Array(elements) => {
                let compiled = elements.iter().map(Self::jsonpath).collect::<Result<_, _>>()?;
                Ok(Self::array(compiled, value))
            }
            other => Ok(Self::Constant(Arc::new(other.clone()))),
        }
    }

    fn jsonpath_member(name: &str, member: &Value) -> Result<(String, Self), Problem> {
        let Some(plain) = name.strip_suffix(".$") else {
            return Ok((name.to_owned(), Self::jsonpath(member)?));
        };
        let problem =
            || format!("The value for the field '{name}' must be a valid JSONPath or a valid intrinsic function call");
        let text = member.as_str().ok_or_else(|| format!("The value for the field '{name}' must be a STRING"))?;
        let template = if text.starts_with('$') {
            Self::Path(JsonPath::parse(text).map_err(|_| problem())?, name.to_owned())
        } else {
            Self::Intrinsic(Intrinsic::parse(text).map_err(|_| problem())?, name.to_owned())
        };
        Ok((plain.to_owned(), template))
    }

    /// Compiles a JSONata template: strings in `{% %}` are evaluated.
    pub(crate) fn jsonata(value: &Value, location: &str) -> Result<Self, Vec<Refusal>> {
        match value {
            Value::Object(members) => {
                let compiled = members
                    .iter()
                    .map(|(name, member)| Ok((name.clone(), Self::jsonata(member, &format!("{location}/{name}"))?)));
                Ok(Self::object(all(compiled)?, value))
            }
            Value::Array(elements) => {
                let compiled = elements.iter().enumerate();
                let compiled = compiled.map(|(index, element)| Self::jsonata(element, &format!("{location}[{index}]")));
                Ok(Self::array(all(compiled)?, value))
            }
            Value::String(text) => match delimited(text) {
                Some(expression) => Ok(Self::Jsonata(Query::parse(expression, location)?)),
                None => Ok(Self::Constant(Arc::new(value.clone()))),
            },
            other => Ok(Self::Constant(Arc::new(other.clone()))),
        }
    }

    fn object(members: Vec<(String, Self)>, original: &Value) -> Self {
        let constant = members.iter().all(|(_, member)| matches!(member, Self::Constant(_)));
        if constant { Self::Constant(Arc::new(original.clone())) } else { Self::Object(members) }
    }

    fn array(elements: Vec<Self>, original: &Value) -> Self {
        let constant = elements.iter().all(|element| matches!(element, Self::Constant(_)));
        if constant { Self::Constant(Arc::new(original.clone())) } else { Self::Array(elements) }
    }

    /// The value with everything evaluated. `scope` serves JSONPath, `bindings` JSONata.
    pub(crate) fn evaluate(&self, with: &With<'_>) -> Result<Value, Trouble> {
        match (self, with) {
            (Self::Constant(value), _) => Ok((**value).clone()),
            (Self::Object(members), _) => {
                let evaluated = members.iter().map(|(name, member)| Ok((name.clone(), member.evaluate(with)?)));
                Ok(Value::Object(evaluated.collect::<Result<Map<_, _>, Trouble>>()?))
            }
            (Self::Array(elements), _) => {
                Ok(Value::Array(elements.iter().map(|element| element.evaluate(with)).collect::<Result<_, _>>()?))
            }
            (Self::Path(path, field), With::Path(scope)) => scope.path_in_field(path, field),
            (Self::Intrinsic(call, field), With::Path(scope)) => call.evaluate(scope, field),
            (Self::Jsonata(query), With::Jsonata(bindings)) => query.evaluate(bindings),
            _ => Err(Trouble::runtime("a template of one query language was evaluated in the other")),
        }
    }
}

/// All of the parts, or all that is wrong with any of them.
fn all<T>(parts: impl Iterator<Item = Result<T, Vec<Refusal>>>) -> Result<Vec<T>, Vec<Refusal>> {
    let (mut whole, mut refused) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Ok(part) => whole.push(part),
            Err(more) => refused.extend(more),
        }
    }
    if refused.is_empty() { Ok(whole) } else { Err(refused) }
}

/// What a template is evaluated with, by query language.
pub(crate) enum With<'a> {
    Path(Scope<'a>),
    Jsonata(Bindings<'a>),
}
