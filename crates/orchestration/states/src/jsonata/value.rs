//! Values: JSON, undefined, sequences, tuples, functions.

mod json;
mod number;
mod object;

use std::cmp::Ordering;
use std::rc::Rc;
use std::sync::Arc;

pub(super) use json::{javascript, number_text, rounded};
pub(super) use number::{EXACT, calculate};
pub(super) use object::Object;

use super::eval::Frame;
use super::functions::Builtin;
use super::syntax::{Lambda, Name, Pattern, Transform};
use crate::numbers::order_mixed;

#[derive(Debug, Clone)]
pub(super) enum Val {
    Undefined,
    Null,
    Bool(bool),
    /// A number of at most 15 digits, or one that is not whole.
    Number(f64),
    /// An integer of more digits, which a double would not keep. What is smaller is a `Number`: see [`Val::integer`].
    Integer(i64),
    String(Rc<str>),
    Array(List),
    Object(Rc<Object>),
    Function(Rc<Function>),
    /// What a step with bindings gives to the step after it.
    Tuples(Rc<Vec<Tuple>>),
}

/// An array and what is special about it.
#[derive(Debug, Clone)]
pub(super) struct List {
    pub(super) items: Rc<Vec<Val>>,
    /// A result sequence: one item stands for itself, none for nothing.
    pub(super) sequence: bool,
    /// A sequence of which one item stays an array.
    pub(super) keep: bool,
    /// Made by `[…]` at the edge of a path: it is not flattened into what is around it.
    pub(super) whole: bool,
    /// The input, put into an array because it is one.
    pub(super) wrapper: bool,
}

/// A value on a path, and the variables that were bound on the way to it.
#[derive(Debug, Clone)]
pub(super) struct Tuple {
    pub(super) value: Val,
    pub(super) names: Vec<(Name, Val)>,
}

impl Tuple {
    pub(super) fn bind(&mut self, name: &Name, value: Val) {
        match self.names.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => self.names.push((name.clone(), value)),
        }
    }
}

#[derive(Debug)]
pub(super) enum Function {
    Builtin(Builtin),
    Lambda(Closure),
    /// A call in tail position, to be made by who called the function around it.
    Thunk(Arc<super::syntax::Call>, Rc<Frame>, Val),
    /// A function with some arguments given; `None` are still to come.
    Partial(Val, Vec<Option<Val>>),
    Composed(Val, Val),
    Transform(Arc<Transform>, Rc<Frame>),
    Regex(Arc<Pattern>),
    /// The next match of a regular expression, from a byte of the text.
    NextMatch(Arc<Pattern>, Rc<str>, usize),
}

#[derive(Debug)]
pub(super) struct Closure {
    pub(super) lambda: Arc<Lambda>,
    pub(super) frame: Rc<Frame>,
    pub(super) input: Val,
}

impl List {
    pub(super) fn sequence(items: Vec<Val>) -> Self {
        Self { sequence: true, ..Self::plain(items) }
    }

    pub(super) fn plain(items: Vec<Val>) -> Self {
        Self { items: Rc::new(items), sequence: false, keep: false, whole: false, wrapper: false }
    }
}

impl Val {
    pub(super) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::String(text.into())
    }

    pub(super) fn array(items: Vec<Val>) -> Self {
        Self::Array(List::plain(items))
    }

    pub(super) fn sequence(items: Vec<Val>) -> Self {
        Self::Array(List::sequence(items))
    }

    pub(super) fn object(members: Object) -> Self {
        Self::Object(Rc::new(members))
    }

    pub(super) fn function(function: Function) -> Self {
        Self::Function(Rc::new(function))
    }

    pub(super) fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    pub(super) fn is_function(&self) -> bool {
        matches!(self, Self::Function(_))
    }

    /// The items of an array; any other value is its own only item, undefined is none.
    pub(super) fn items(&self) -> Vec<Val> {
        match self {
            Self::Array(list) => (*list.items).clone(),
            Self::Undefined => Vec::new(),
            other => vec![other.clone()],
        }
    }

    /// What a sequence is worth: nothing, its only item, or itself.
    pub(super) fn unwrapped(self) -> Self {
        match &self {
            Self::Array(list) if list.sequence => match list.items.as_slice() {
                [] => Self::Undefined,
                [only] if !list.keep => only.clone(),
                _ => self,
            },
            _ => self,
        }
    }

    /// A number that can be calculated with.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) if !number.is_nan() => Some(*number),
            Self::Integer(integer) => Some(*integer as f64),
            _ => None,
        }
    }

    /// Truth as conditions and predicates see it.
    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Undefined | Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Integer(_) => true,
            Self::String(text) => !text.is_empty(),
            Self::Array(list) => list.items.iter().any(Self::truth),
            Self::Tuples(tuples) => !tuples.is_empty(),
            Self::Object(members) => !members.is_empty(),
            Self::Function(function) => !matches!(**function, Function::Regex(_) | Function::NextMatch(..)),
        }
    }

    /// Truth as JavaScript sees it, which is asked what a comparison of `$sort` gives.
    pub(super) fn truthy(&self) -> bool {
        match self {
            Self::Array(_) | Self::Object(_) | Self::Function(_) | Self::Tuples(_) => true,
            simple => simple.truth(),
        }
    }

    /// Deep equality.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => {
                a.items.len() == b.items.len() && a.items.iter().zip(b.items.iter()).all(|(a, b)| a.same(b))
            }
            (Self::Object(a), Self::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|other| value.same(other)))
            }
            _ => self.identical(other),
        }
    }

    /// The same simple value, or the very same array, object or function.
    pub(super) fn identical(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Undefined, Self::Undefined) | (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Integer(a), Self::Number(b)) | (Self::Number(b), Self::Integer(a)) => {
                order_mixed(*a, *b) == Some(Ordering::Equal)
            }
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => Rc::ptr_eq(&a.items, &b.items),
            (Self::Object(a), Self::Object(b)) => Rc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) | Self::Integer(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) | Self::Tuples(_) => "array",
            Self::Object(_) => "object",
            Self::Function(_) => "function",
        }
    }
}

/// The order of two numbers or two texts.
#[inline]
pub(super) fn order(a: &Val, b: &Val) -> Option<Ordering> {
    if let (Val::Number(a), Val::Number(b)) = (a, b) {
        return a.partial_cmp(b);
    }
    match (a, b) {
        (Val::Integer(a), Val::Integer(b)) => Some(a.cmp(b)),
        (Val::Integer(a), Val::Number(b)) => order_mixed(*a, *b),
        (Val::Number(a), Val::Integer(b)) => order_mixed(*b, *a).map(Ordering::reverse),
        (Val::String(a), Val::String(b)) if a.is_ascii() && b.is_ascii() => Some(a.cmp(b)),
        // By UTF-16 code units, as JavaScript orders.
        (Val::String(a), Val::String(b)) => Some(a.encode_utf16().cmp(b.encode_utf16())),
        _ => None,
    }
}
