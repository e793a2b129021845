//! Operators between two values.

use std::cmp::Ordering;
use std::rc::Rc;

use super::{Evaluator, Frame, MAX_VALUE, Result, decided, too_much};
use crate::jsonata::functions::string_of;
use crate::jsonata::syntax::{Node, Operator};
use crate::jsonata::value::{List, Val, calculate, javascript, order};

impl Evaluator<'_> {
    pub(super) fn binary(
        &self,
        operator: Operator,
        left: &Node,
        right: &Node,
        input: &Val,
        frame: &Rc<Frame>,
    ) -> Result {
        let a = self.evaluate(left, input, frame)?;
        finite_truth(operator, &a)?;
        if let Some(value) = decided(operator, &a) {
            return Ok(value);
        }
        let b = self.evaluate(right, input, frame)?;
        finite_truth(operator, &b)?;
        Ok(match operator {
            Operator::And | Operator::Or => Val::Bool(b.truth()),
            // Nothing is neither equal to anything nor different from it.
            Operator::Equal | Operator::Different if a.is_undefined() || b.is_undefined() => Val::Bool(false),
            Operator::Equal => Val::Bool(a.same(&b)),
            Operator::Different => Val::Bool(!a.same(&b)),
            Operator::In => Val::Bool(!a.is_undefined() && b.items().iter().any(|item| item.identical(&a))),
            Operator::Concatenate => self.concatenate(&a, &b)?,
            Operator::Range => self.range(&a, &b)?,
            Operator::Less | Operator::AtMost | Operator::More | Operator::AtLeast => compare(operator, &a, &b)?,
            _ => arithmetic(operator, &a, &b)?,
        })
    }

    fn concatenate(&self, a: &Val, b: &Val) -> Result {
        let text = |value: &Val| match value {
            Val::Undefined => Ok(String::new()),
            other => string_of(other, false),
        };
        let (mut a, b) = (text(a)?, text(b)?);
        self.charge(a.len() + b.len())?;
        a.push_str(&b);
        Ok(Val::text(a))
    }

    fn range(&self, from: &Val, to: &Val) -> Result {
        let check = |value: &Val, code: &str, side: &str| match value {
            Val::Undefined | Val::Integer(_) => Ok(()),
            Val::Number(number) if number.fract() == 0.0 => Ok(()),
            _ => Err(format!("{code}: The {side} side of the range operator (..) must evaluate to an integer")),
        };
        check(from, "T2003", "left")?;
        check(to, "T2004", "right")?;
        let Some(length) = calculate(Operator::Subtract, to, from).and_then(|length| length.number()) else {
            return Ok(Val::Undefined);
        };
        if length < 0.0 {
            return Ok(Val::Undefined);
        }
        let size = length + 1.0;
        if size > 1e7 {
            return Err(format!(
                "D2014: The size of the sequence allocated by the range operator (..) must not exceed 1e6. \
                 Attempted to allocate {}.",
                javascript(size)
            ));
        }
        // Counted before it is made.
        if size as usize * 8 > MAX_VALUE {
            return Err(too_much());
        }
        self.charge(size as usize * 8)?;
        let item = |at: usize| calculate(Operator::Add, from, &Val::Number(at as f64));
        Ok(Val::Array(List::sequence((0..size as usize).filter_map(item).collect())))
    }
}

/// The items of both; nothing and something is something.
pub(in crate::jsonata) fn append(first: Val, second: Val) -> Val {
    match (first, second) {
        (Val::Undefined, other) | (other, Val::Undefined) => other,
        (first, second) => Val::array(first.items().into_iter().chain(second.items()).collect()),
    }
}

fn out_of_range(number: f64) -> String {
    // As JSON, which knows no infinity.
    let shown = if number.is_finite() { javascript(number) } else { "null".into() };
    format!("D1001: Number out of range: {shown}")
}

/// The number in a value, if it is one; infinity is none that can be worked with.
pub(in crate::jsonata) fn numeric(value: &Val) -> Result<Option<f64>> {
    match value.number() {
        Some(number) if number.is_infinite() => Err(out_of_range(number)),
        other => Ok(other),
    }
}

fn finite_truth(operator: Operator, value: &Val) -> Result<()> {
    if matches!(operator, Operator::And | Operator::Or) {
        numeric(value)?;
    }
    Ok(())
}

pub(super) fn negate(value: &Val) -> Result {
    match (value, numeric(value)?) {
        (Val::Undefined, _) => Ok(Val::Undefined),
        (Val::Integer(integer), _) if *integer != i64::MIN => Ok(Val::integer(-integer)),
        (_, Some(number)) => Ok(Val::Number(-number)),
        (other, None) => Err(format!("D1002: Cannot negate a non-numeric value: {}", shown(other))),
    }
}

pub(super) fn shown(value: &Val) -> String {
    value.to_json().map_or_else(|| "undefined".into(), |value| value.to_string())
}

fn compare(operator: Operator, a: &Val, b: &Val) -> Result {
    let comparable = |value: &Val| matches!(value, Val::Undefined | Val::Number(_) | Val::Integer(_) | Val::String(_));
    let symbol = operator.symbol();
    if !comparable(a) || !comparable(b) {
        return Err(format!(
            "T2010: The expressions either side of operator \"{symbol}\" must evaluate to numeric or string values"
        ));
    }
    if a.is_undefined() || b.is_undefined() {
        return Ok(Val::Undefined);
    }
    if a.kind() != b.kind() {
        return Err(format!(
            "T2009: The values {} and {} either side of operator \"{symbol}\" must be of the same data type",
            shown(a),
            shown(b)
        ));
    }
    // Nothing can be said of what is not a number.
    let Some(order) = order(a, b) else { return Ok(Val::Bool(false)) };
    Ok(Val::Bool(match operator {
        Operator::Less => order == Ordering::Less,
        Operator::AtMost => order != Ordering::Greater,
        Operator::More => order == Ordering::Greater,
        _ => order != Ordering::Less,
    }))
}

fn arithmetic(operator: Operator, a: &Val, b: &Val) -> Result {
    let check = |value: &Val, code: &str, side: &str| match (value, numeric(value)?) {
        (Val::Undefined, _) | (_, Some(_)) => Ok(()),
        _ => {
            Err(format!("{code}: The {side} side of the \"{}\" operator must evaluate to a number", operator.symbol()))
        }
    };
    check(a, "T2001", "left")?;
    check(b, "T2002", "right")?;
    Ok(calculate(operator, a, b).unwrap_or(Val::Undefined))
}
