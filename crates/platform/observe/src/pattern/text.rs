//! Terms: all of `term`, none of `-term`; or any of `?term`, if there are no others.

use regex::Regex;

use super::{delimited, expression, malformed};
use crate::error::LogsError;

#[derive(Debug, Clone)]
enum Term {
    Text(String),
    Expression(Regex),
}

impl Term {
    fn is_in(&self, message: &str) -> bool {
        match self {
            Self::Text(text) => message.contains(text.as_str()),
            Self::Expression(expression) => expression.is_match(message),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    all: Vec<Term>,
    none: Vec<Term>,
    any: Vec<Term>,
}

impl Terms {
    pub(super) fn match_text(&self, message: &str) -> bool {
        let is_in = |term: &Term| term.is_in(message);
        if self.all.is_empty() && self.none.is_empty() {
            return self.any.iter().any(is_in);
        }
        // As on AWS, optional terms beside others count for nothing.
        self.all.iter().all(is_in) && !self.none.iter().any(is_in)
    }
}

pub(super) fn parse(pattern: &str) -> Result<Terms, LogsError> {
    let mut terms = Terms::default();
    let mut rest = pattern.trim_start();
    while let Some(first) = rest.chars().next() {
        let list = match first {
            '?' => &mut terms.any,
            '-' => &mut terms.none,
            _ => &mut terms.all,
        };
        let (term, after) = term(rest.strip_prefix(['?', '-']).unwrap_or(rest))?;
        list.push(term);
        if !after.is_empty() && !after.starts_with(char::is_whitespace) {
            return Err(malformed(format!("a space is missing before {after:?}")));
        }
        rest = after.trim_start();
    }
    Ok(terms)
}

fn term(text: &str) -> Result<(Term, &str), LogsError> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (inner, rest) = delimited(quoted, '"', false).ok_or_else(|| malformed("a quote is not closed"))?;
        return Ok((Term::Text(inner), rest));
    }
    if let Some(inside) = text.strip_prefix('%') {
        let (inner, rest) =
            delimited(inside, '%', true).ok_or_else(|| malformed("a regular expression is not closed"))?;
        return Ok((Term::Expression(expression(&inner)?), rest));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() || !word.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(malformed(format!("Invalid character(s) in term '{word}'; put it in double quotation marks")));
    }
    Ok((Term::Text(word.to_owned()), rest))
}
