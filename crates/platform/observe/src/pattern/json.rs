//! Conditions on JSON messages: `{ ($.level = "ERROR") && ($.ms > 100) || $.user IS NULL }`.

use regex::Regex;
use serde_json::Value;

use super::{delimited, expression, malformed, wildcard};
use crate::error::LogsError;

/// How deep conditions may be nested in parentheses.
const MAX_DEPTH: usize = 32;

#[derive(Debug, Clone)]
pub(super) enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Test(Selector, Test),
}

/// A path below the message's root.
#[derive(Debug, Clone)]
pub(super) struct Selector(Vec<Step>);

#[derive(Debug, Clone)]
enum Step {
    Member(String),
    Element(usize),
    Elements,
}

#[derive(Debug, Clone)]
pub(super) enum Test {
    /// A text with wildcards.
    Text {
        pattern: String,
        equal: bool,
    },
    Number {
        operator: Operator,
        number: f64,
    },
    Expression {
        expression: Regex,
        equal: bool,
    },
    Is(Value),
    NotExists,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    pub(super) fn holds(&self, message: &Value) -> bool {
        match self {
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(message)),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(message)),
            Self::Test(selector, test) => {
                let found = selector.select(message);
                match test {
                    Test::NotExists => found.is_empty(),
                    test => found.iter().any(|value| test.holds(value)),
                }
            }
        }
    }
}

impl Selector {
    fn select<'a>(&self, message: &'a Value) -> Vec<&'a Value> {
        self.0.iter().fold(vec![message], |found, step| match step {
            Step::Member(name) => found.iter().filter_map(|value| value.get(name)).collect(),
            Step::Element(n) => found.iter().filter_map(|value| value.as_array()?.get(*n)).collect(),
            Step::Elements => found.iter().filter_map(|value| value.as_array()).flatten().collect(),
        })
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::Text { pattern, equal } => value.as_str().is_some_and(|text| wildcard(pattern, text) == *equal),
            Self::Expression { expression, equal } => {
                value.as_str().is_some_and(|text| expression.is_match(text) == *equal)
            }
            Self::Number { operator, number } => value.as_f64().is_some_and(|value| operator.holds(value, *number)),
            Self::Is(wanted) => value == wanted,
            Self::NotExists => false,
        }
    }
}

impl Operator {
    fn holds(self, value: f64, number: f64) -> bool {
        match self {
            Self::Equal => value == number,
            Self::NotEqual => value != number,
            Self::Less => value < number,
            Self::LessOrEqual => value <= number,
            Self::Greater => value > number,
            Self::GreaterOrEqual => value >= number,
        }
    }
}

pub(super) fn parse(pattern: &str) -> Result<Condition, LogsError> {
    let inner = pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let mut parser = Parser { rest: inner.ok_or_else(|| malformed("a brace is not closed"))? };
    let condition = parser.any(0)?;
    parser.space();
    if parser.rest.is_empty() {
        return Ok(condition);
    }
    Err(malformed(format!("&& or || is missing before {:?}", parser.rest)))
}

struct Parser<'a> {
    rest: &'a str,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `token` if it comes next.
    fn take(&mut self, token: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes the word `word` if it comes next, as a whole.
    fn take_word(&mut self, word: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(word);
        let rest = rest.filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn any(&mut self, depth: usize) -> Result<Condition, LogsError> {
        if depth > MAX_DEPTH {
            return Err(malformed(format!("conditions are nested more than {MAX_DEPTH} deep")));
        }
        let mut conditions = vec![self.all(depth)?];
        while self.take("||") {
            conditions.push(self.all(depth)?);
        }
        Ok(Condition::Any(conditions))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, LogsError> {
        let mut conditions = vec![self.one(depth)?];
        while self.take("&&") {
            conditions.push(self.one(depth)?);
        }
        Ok(Condition::All(conditions))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, LogsError> {
        if self.take("(") {
            let inner = self.any(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { Err(malformed("a parenthesis is not closed")) };
        }
        let selector = self.selector()?;
        Ok(Condition::Test(selector, self.test()?))
    }

    fn selector(&mut self) -> Result<Selector, LogsError> {
        if !self.take("$") {
            return Err(malformed(format!("a selector that begins with $. is missing before {:?}", self.rest)));
        }
        let mut steps = Vec::new();
        loop {
            if let Some(rest) = self.rest.strip_prefix(".[").or_else(|| self.rest.strip_prefix('[')) {
                self.rest = rest;
                steps.push(self.bracket()?);
            } else if let Some(rest) = self.rest.strip_prefix('.') {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).unwrap_or(rest.len());
                if end == 0 {
                    return Err(malformed("a selector's member has no name"));
                }
                steps.push(Step::Member(rest[..end].to_owned()));
                self.rest = &rest[end..];
            } else {
                break;
            }
        }
        if steps.is_empty() {
            return Err(malformed("$ needs a member, such as $.level"));
        }
        Ok(Selector(steps))
    }

    fn bracket(&mut self) -> Result<Step, LogsError> {
        let unclosed = || malformed("a bracket is not closed");
        let quote = self.rest.chars().next().filter(|c| "'\"".contains(*c));
        if let Some(quote) = quote {
            let (name, rest) = delimited(&self.rest[1..], quote, false).ok_or_else(unclosed)?;
            self.rest = rest.strip_prefix(']').ok_or_else(unclosed)?;
            return Ok(Step::Member(name));
        }
        let (inner, rest) = self.rest.split_once(']').ok_or_else(unclosed)?;
        self.rest = rest;
        match inner.trim() {
            "*" => Ok(Step::Elements),
            number => {
                let wrong = || malformed(format!("{number:?} is not the number of an element"));
                number.parse().map(Step::Element).map_err(|_| wrong())
            }
        }
    }

    fn test(&mut self) -> Result<Test, LogsError> {
        if self.take_word("IS") {
            return match () {
                () if self.take_word("NULL") => Ok(Test::Is(Value::Null)),
                () if self.take_word("TRUE") => Ok(Test::Is(Value::Bool(true))),
                () if self.take_word("FALSE") => Ok(Test::Is(Value::Bool(false))),
                () => Err(malformed("IS must be followed by NULL, TRUE or FALSE")),
            };
        }
        if self.take_word("NOT") {
            return if self.take_word("EXISTS") {
                Ok(Test::NotExists)
            } else {
                Err(malformed("NOT must be followed by EXISTS"))
            };
        }
        let operator = self.operator()?;
        self.comparison(operator)
    }

    fn operator(&mut self) -> Result<Operator, LogsError> {
        let operators = [
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = operators.into_iter().find(|(sign, _)| self.take(sign));
        found.map(|(_, operator)| operator).ok_or_else(|| {
            malformed(format!("one of = != < <= > >= IS and NOT EXISTS is missing before {:?}", self.rest))
        })
    }

    fn comparison(&mut self, operator: Operator) -> Result<Test, LogsError> {
        self.space();
        let equality = match operator {
            Operator::Equal => Some(true),
            Operator::NotEqual => Some(false),
            _ => None,
        };
        let need_equality = || equality.ok_or_else(|| malformed("< <= > >= compare numbers only"));
        if let Some(rest) = self.rest.strip_prefix('"') {
            let (pattern, rest) = delimited(rest, '"', false).ok_or_else(|| malformed("a quote is not closed"))?;
            self.rest = rest;
            return Ok(Test::Text { pattern, equal: need_equality()? });
        }
        if let Some(rest) = self.rest.strip_prefix('%') {
            let unclosed = || malformed("a regular expression is not closed");
            let (inner, rest) = delimited(rest, '%', true).ok_or_else(unclosed)?;
            self.rest = rest;
            return Ok(Test::Expression { expression: expression(&inner)?, equal: need_equality()? });
        }
        let end = self.rest.find(|c: char| c.is_whitespace() || ")&|".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        let supported = |c: char| c.is_alphanumeric() || "_-.*+:/".contains(c);
        if word.is_empty() || !word.chars().all(supported) {
            return Err(malformed(format!("{word:?} is not a value; put texts in double quotation marks")));
        }
        let numeric = word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        match word.parse::<f64>() {
            Ok(number) if numeric => Ok(Test::Number { operator, number }),
            _ => Ok(Test::Text { pattern: word.to_owned(), equal: need_equality()? }),
        }
    }
}
