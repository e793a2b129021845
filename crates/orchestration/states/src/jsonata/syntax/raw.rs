//! The tree as it is written, before paths are joined.

use std::sync::Arc;

use super::signature::Signature;
use super::{Operator, Pattern};

#[derive(Debug)]
pub(super) struct Raw {
    pub(super) kind: RawKind,
    /// `[]` follows.
    pub(super) keep: bool,
}

#[derive(Debug)]
pub(super) enum RawKind {
    /// The end of the text where an operand should be.
    End,
    Null,
    Bool(bool),
    Number(f64),
    Integer(i64),
    String(String),
    Regex(Arc<Pattern>),
    Variable(String),
    Name(String),
    Wildcard,
    Descendants,
    Parent,
    Dot(Box<Raw>, Box<Raw>),
    Index(Box<Raw>, Box<Raw>),
    Group(Box<Raw>, Vec<(Raw, Raw)>),
    Sort(Box<Raw>, Vec<(bool, Raw)>),
    Bind(String, Box<Raw>),
    Focus(Box<Raw>, String),
    Position(Box<Raw>, String),
    Apply(Box<Raw>, Box<Raw>),
    Binary(Operator, Box<Raw>, Box<Raw>),
    Negate(Box<Raw>),
    Array(Vec<Raw>),
    Object(Vec<(Raw, Raw)>),
    /// Arguments; those that are `?` are none.
    Call(Box<Raw>, Vec<Option<Raw>>),
    Lambda(Vec<String>, Option<Signature>, Box<Raw>),
    Condition(Box<Raw>, Box<Raw>, Option<Box<Raw>>),
    Transform(Box<Raw>, Box<Raw>, Option<Box<Raw>>),
    Block(Vec<Raw>),
}

impl From<RawKind> for Raw {
    fn from(kind: RawKind) -> Self {
        Self { kind, keep: false }
    }
}
