//! Filters: `[?(@.price < 10 && @.tag)]`.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Step, apply};
use crate::numbers;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Or(Box<Filter>, Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
}

#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// A path below `@`.
    Current(Vec<Step>),
    /// A path below `$`.
    Root(Vec<Step>),
    Literal(Value),
    Pattern(regex::Regex),
}

impl PartialEq for Operand {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Current(a), Self::Current(b)) | (Self::Root(a), Self::Root(b)) => a == b,
            (Self::Literal(a), Self::Literal(b)) => a == b,
            (Self::Pattern(a), Self::Pattern(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Comparison {
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
    Matches,
    In,
    NotIn,
}

impl Operand {
    fn value<'v>(&'v self, current: &'v Value, root: &'v Value) -> Option<&'v Value> {
        let (steps, start) = match self {
            Self::Current(steps) => (steps, current),
            Self::Root(steps) => (steps, root),
            Self::Literal(value) => return Some(value),
            Self::Pattern(_) => return None,
        };
        let mut found = vec![start];
        for step in steps {
            let mut next = Vec::new();
            found.into_iter().for_each(|value| apply(step, value, root, &mut next));
            found = next;
        }
        found.first().copied()
    }
}

impl Filter {
    pub(super) fn holds(&self, current: &Value, root: &Value) -> bool {
        match self {
            Self::Or(a, b) => a.holds(current, root) || b.holds(current, root),
            Self::And(a, b) => a.holds(current, root) && b.holds(current, root),
            Self::Not(inner) => !inner.holds(current, root),
            Self::Exists(Operand::Literal(value)) => value.as_bool().unwrap_or(true),
            Self::Exists(operand) => operand.value(current, root).is_some(),
            Self::Compare(left, comparison, right) => compare(left, *comparison, right, current, root),
        }
    }
}

fn compare(left: &Operand, comparison: Comparison, right: &Operand, current: &Value, root: &Value) -> bool {
    let a = left.value(current, root);
    if let (Comparison::Matches, Operand::Pattern(pattern)) = (comparison, right) {
        return a.and_then(Value::as_str).is_some_and(|text| pattern.is_match(text));
    }
    let (Some(a), Some(b)) = (a, right.value(current, root)) else {
        return comparison == Comparison::Different;
    };
    let among = || b.as_array().is_some_and(|elements| elements.iter().any(|element| same(a, element)));
    let order = order(a, b);
    match comparison {
        Comparison::Equal => same(a, b),
        Comparison::Different => !same(a, b),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::More => order == Some(Ordering::Greater),
        Comparison::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Comparison::In => among(),
        Comparison::NotIn => !among(),
        Comparison::Matches => false,
    }
}

fn same(a: &Value, b: &Value) -> bool {
    numbers::order(a, b).map_or_else(|| a == b, |order| order == Ordering::Equal)
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => numbers::order(a, b),
    }
}
