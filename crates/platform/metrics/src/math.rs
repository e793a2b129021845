//! Metric math ("Metric math syntax and functions"): a text becomes an [`Expression`], which is computed over the other queries.
//!
//! There are `+ - * / ^`, parentheses, lists in brackets, ids of other queries, and the functions of [`Function`]. A point that
//! can't be computed (a division by zero, a partner that is missing) is left out.

mod compute;
mod parse;

use std::collections::BTreeMap;

pub(crate) use compute::Computer;
pub(crate) use parse::parse;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    /// The result of another query.
    Id(String),
    /// `REPEAT`, `LINEAR`, or a text in quotes.
    Word(String),
    List(Vec<Expression>),
    Negative(Box<Expression>),
    Operation(char, Box<Expression>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// Of a series its sum; of several series one with their sums. So do the next three.
    Sum,
    Avg,
    Min,
    Max,
    Abs,
    Ceil,
    Floor,
    /// Puts points where there are none: a number, `REPEAT` (the last one) or `LINEAR` (between two).
    Fill,
    /// How much a series changes from point to point.
    Diff,
    /// The same for each second.
    Rate,
    /// The period of a series in seconds.
    Period,
    /// All metrics of the request, or those with a text in their id.
    Metrics,
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "SUM" => Self::Sum,
            "AVG" => Self::Avg,
            "MIN" => Self::Min,
            "MAX" => Self::Max,
            "ABS" => Self::Abs,
            "CEIL" => Self::Ceil,
            "FLOOR" => Self::Floor,
            "FILL" => Self::Fill,
            "DIFF" => Self::Diff,
            "RATE" => Self::Rate,
            "PERIOD" => Self::Period,
            "METRICS" => Self::Metrics,
            _ => return None,
        })
    }
}

/// Points by their time, one a period where there is one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) period: i64,
    pub(crate) points: BTreeMap<i64, f64>,
}

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Line(Line),
    Lines(Vec<Line>),
}
