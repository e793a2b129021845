//! The rules of Choice states ("Choice Rules").

use std::cmp::Ordering;

use chrono::{DateTime, FixedOffset};
use serde_json::Value;

use crate::definition::Language;
use crate::failure::Trouble;
use crate::numbers;
use crate::path::JsonPath;
use crate::scope::Scope;
use crate::template::{Query, Template};

/// One rule: when to go where.
#[derive(Debug)]
pub struct Rule {
    /// When.
    pub condition: Condition,
    /// Where.
    pub next: String,
    /// `Assign` of the rule.
    pub assign: Vec<(String, Template)>,
    /// `Output` of the rule.
    pub output: Option<Template>,
}

/// When a rule holds.
#[derive(Debug)]
pub enum Condition {
    /// All hold.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// A comparison of a variable.
    Test(JsonPath, Test),
    /// A JSONata condition.
    Jsonata(Query),
}

/// One comparison operator with what it compares with.
#[derive(Debug)]
pub struct Test {
    operator: Operator,
    operand: Operand,
}

#[derive(Debug)]
enum Operand {
    Literal(Value),
    Path(JsonPath),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operator {
    Compare(Sort, Order),
    BooleanEquals,
    StringMatches,
    Is(Is),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    String,
    Numeric,
    Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Is {
    Null,
    Present,
    Numeric,
    String,
    Boolean,
    Timestamp,
}

fn operator(name: &str) -> Option<Operator> {
    let is = match name {
        "BooleanEquals" => return Some(Operator::BooleanEquals),
        "StringMatches" => return Some(Operator::StringMatches),
        "IsNull" => Some(Is::Null),
        "IsPresent" => Some(Is::Present),
        "IsNumeric" => Some(Is::Numeric),
        "IsString" => Some(Is::String),
        "IsBoolean" => Some(Is::Boolean),
        "IsTimestamp" => Some(Is::Timestamp),
        _ => None,
    };
    if let Some(is) = is {
        return Some(Operator::Is(is));
    }
    let sorts = [("String", Sort::String), ("Numeric", Sort::Numeric), ("Timestamp", Sort::Timestamp)];
    let (sort, rest) = sorts.iter().find_map(|(prefix, sort)| Some((*sort, name.strip_prefix(prefix)?)))?;
    let order = match rest {
        "Equals" => Order::Equals,
        "LessThan" => Order::LessThan,
        "LessThanEquals" => Order::LessThanEquals,
        "GreaterThan" => Order::GreaterThan,
        "GreaterThanEquals" => Order::GreaterThanEquals,
        _ => return None,
    };
    Some(Operator::Compare(sort, order))
}

impl Test {
    /// Reads a comparison field, such as `"NumericLessThanPath": "$.max"`; `None` if the name is no operator's.
    pub(crate) fn parse(name: &str, value: &Value) -> Option<Result<Self, String>> {
        let plain = name.strip_suffix("Path");
        let by_path = plain
            .and_then(operator)
            .filter(|operator| matches!(operator, Operator::Compare(..) | Operator::BooleanEquals));
        if let Some(operator) = by_path {
            let path = value.as_str().and_then(|text| JsonPath::parse(text).ok());
            let path = path.ok_or_else(|| format!("The value for the field '{name}' must be a valid JSONPath"));
            return Some(path.map(|path| Self { operator, operand: Operand::Path(path) }));
        }
        let operator = operator(name)?;
        let fits = match operator {
            Operator::Compare(Sort::Numeric, _) => value.is_number(),
            Operator::Compare(Sort::Timestamp, _) => value.as_str().is_some_and(|text| timestamp(text).is_some()),
            Operator::Compare(Sort::String, _) | Operator::StringMatches => value.is_string(),
            Operator::BooleanEquals | Operator::Is(_) => value.is_boolean(),
        };
        Some(if fits {
            Ok(Self { operator, operand: Operand::Literal(value.clone()) })
        } else {
            Err(format!("The value for the field '{name}' has a wrong type or format"))
        })
    }

    fn holds(&self, path: &JsonPath, scope: &Scope<'_>) -> Result<bool, Trouble> {
        if let (Operator::Is(is), Operand::Literal(expected)) = (self.operator, &self.operand) {
            let value = scope.exists(path).then(|| scope.find(path).unwrap_or(Value::Null));
            let holds = match (is, &value) {
                (Is::Present, value) => value.is_some(),
                (_, None) => return Err(missing(path)),
                (Is::Null, Some(value)) => value.is_null(),
                (Is::Numeric, Some(value)) => value.is_number(),
                (Is::String, Some(value)) => value.is_string(),
                (Is::Boolean, Some(value)) => value.is_boolean(),
                (Is::Timestamp, Some(value)) => value.as_str().and_then(timestamp).is_some(),
            };
            return Ok(Value::Bool(holds) == *expected);
        }
        let value = scope.find(path).map_err(|_| missing(path))?;
        let operand = match &self.operand {
            Operand::Literal(value) => value.clone(),
            Operand::Path(path) => scope.find(path).map_err(|_| missing(path))?,
        };
        Ok(match self.operator {
            Operator::Compare(sort, order) => compare(sort, &value, &operand).is_some_and(|found| order.allows(found)),
            Operator::BooleanEquals => value.is_boolean() && value == operand,
            Operator::StringMatches => match (value.as_str(), operand.as_str()) {
                (Some(text), Some(pattern)) => wildcard(pattern, text),
                _ => false,
            },
            Operator::Is(_) => false,
        })
    }
}

fn missing(path: &JsonPath) -> Trouble {
    let cause = format!("Invalid path '{path}': The choice state's condition path references an invalid value.");
    Trouble::runtime(cause)
}

impl Order {
    fn allows(self, found: Ordering) -> bool {
        match self {
            Self::Equals => found == Ordering::Equal,
            Self::LessThan => found == Ordering::Less,
            Self::LessThanEquals => found != Ordering::Greater,
            Self::GreaterThan => found == Ordering::Greater,
            Self::GreaterThanEquals => found != Ordering::Less,
        }
    }
}

fn compare(sort: Sort, a: &Value, b: &Value) -> Option<Ordering> {
    match sort {
        Sort::String => Some(a.as_str()?.cmp(b.as_str()?)),
        Sort::Numeric => numbers::order(a, b),
        Sort::Timestamp => Some(timestamp(a.as_str()?)?.cmp(&timestamp(b.as_str()?)?)),
    }
}

/// An RFC 3339 timestamp with an upper-case `T`, and `Z` or an offset.
pub(crate) fn timestamp(text: &str) -> Option<DateTime<FixedOffset>> {
    if !text.contains('T') || text.contains(['t', 'z']) {
        return None;
    }
    DateTime::parse_from_rfc3339(text).ok()
}

/// `*` stands for any text, `\*` and `\\` for themselves.
fn wildcard(pattern: &str, text: &str) -> bool {
    #[derive(PartialEq)]
    enum Token {
        Any,
        Exactly(char),
    }
    let mut tokens = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(c) = characters.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '\\' if matches!(characters.peek(), Some('*' | '\\')) => Token::Exactly(characters.next().unwrap_or('\\')),
            other => Token::Exactly(other),
        });
    }
    let text: Vec<char> = text.chars().collect();
    let (mut t, mut p, mut star) = (0, 0, None);
    while t < text.len() {
        match tokens.get(p) {
            Some(Token::Exactly(c)) if *c == text[t] => (t, p) = (t + 1, p + 1),
            Some(Token::Any) => {
                star = Some((p, t));
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (t, p) = (from + 1, at + 1);
                }
                None => return false,
            },
        }
    }
    tokens[p..].iter().all(|token| *token == Token::Any)
}

impl Condition {
    pub(crate) fn language(&self) -> Language {
        if matches!(self, Self::Jsonata(_)) { Language::Jsonata } else { Language::JsonPath }
    }

    /// Whether a JSONPath condition holds.
    pub(crate) fn holds(&self, scope: &Scope<'_>) -> Result<bool, Trouble> {
        match self {
            Self::And(all) => {
                for condition in all {
                    if !condition.holds(scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(any) => {
                for condition in any {
                    if condition.holds(scope)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(inner) => Ok(!inner.holds(scope)?),
            Self::Test(path, test) => test.holds(path, scope),
            Self::Jsonata(_) => Err(Trouble::runtime("a JSONata condition stands in a JSONPath state")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rng::Rng;
    use crate::scope::Variables;

    fn holds(input: &Value, path: &str, operator: &str, value: Value) -> Result<bool, Trouble> {
        let (variables, rng) = (Variables::default(), Rng::new(0));
        let scope = Scope { input, context: &|| Value::Null, variables: &variables, rng: &rng };
        let test = Test::parse(operator, &value).unwrap().unwrap();
        Condition::Test(JsonPath::parse(path).unwrap(), test).holds(&scope)
    }

    #[test]
    fn every_sort_of_comparison() {
        let input = json!({"n": 5, "s": "bcd", "t": "2024-01-02T00:00:00Z", "b": true, "z": null, "m": 5.0});
        for (path, operator, value, expected) in [
            ("$.n", "NumericEquals", json!(5), true),
            ("$.m", "NumericEqualsPath", json!("$.n"), true),
            ("$.n", "NumericLessThan", json!(5), false),
            ("$.n", "NumericGreaterThanEquals", json!(4.5), true),
            ("$.s", "NumericEquals", json!(5), false),
            ("$.s", "StringGreaterThan", json!("abc"), true),
            ("$.s", "StringMatches", json!("b*d"), true),
            ("$.s", "StringMatches", json!("b\\*d"), false),
            ("$.t", "TimestampLessThan", json!("2024-01-02T01:00:00+00:30"), true),
            ("$.b", "BooleanEquals", json!(true), true),
            ("$.z", "IsNull", json!(true), true),
            ("$.n", "IsNull", json!(true), false),
            ("$.nothing", "IsPresent", json!(false), true),
            ("$.t", "IsTimestamp", json!(true), true),
            ("$.s", "IsTimestamp", json!(true), false),
            ("$.s", "IsString", json!(true), true),
            ("$.n", "IsNumeric", json!(true), true),
            ("$.b", "IsBoolean", json!(false), false),
        ] {
            assert_eq!(holds(&input, path, operator, value.clone()), Ok(expected), "{path} {operator} {value}");
        }
    }

    #[test]
    fn a_missing_variable_is_a_runtime_error() {
        let trouble = holds(&json!({}), "$.x", "StringEquals", json!("a")).unwrap_err();
        assert!(
            trouble.cause.starts_with("Invalid path '$.x': The choice state's condition path"),
            "{}",
            trouble.cause
        );
        assert!(Test::parse("NumericEquals", &json!("5")).unwrap().is_err());
        assert!(Test::parse("Nonsense", &json!("5")).is_none());
    }

    #[test]
    fn wildcards() {
        assert!(wildcard("*.log", "a.log") && wildcard("*", "") && wildcard("a*b*c", "aXbbYc"));
        assert!(!wildcard("*.log", "a.txt") && !wildcard("a", "ab"));
    }
}
