//! The abstract syntax tree of Trino's queries and statements.
//!
//! Equality and hashing look at structure only: positions don't count and identifiers compare without regard to case, so
//! that `SELECT a + 1 … GROUP BY A + 1` finds the same expression twice. Queries are in the module
//! below and seen as one with the expressions from outside.

mod definition;
mod expression;
mod hive_type;
mod json;
mod pattern;
mod query;
mod statement;
mod types;

use std::hash::{Hash, Hasher};

pub use definition::*;
pub use expression::*;
pub use hive_type::*;
pub use json::*;
pub use pattern::*;
pub use query::*;
pub use statement::*;
pub use types::*;

pub use crate::error::Pos;

/// A node of the tree and where it stands, as Trino reports it: arithmetic, comparisons and other predicates stand at
/// their operator, AND, OR and AT TIME ZONE where their first operand begins.
#[derive(Debug, Clone)]
pub struct Node<K> {
    /// Where it begins.
    pub pos: Pos,
    /// What it is.
    pub kind: K,
}

impl<K> Node<K> {
    /// A node at a position.
    pub fn new(pos: Pos, kind: K) -> Self {
        Self { pos, kind }
    }
}

impl<K: PartialEq> PartialEq for Node<K> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl<K: Eq> Eq for Node<K> {}

impl<K: Hash> Hash for Node<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

/// Where a part without a node of its own begins. Trees that differ in nothing else are equal.
#[derive(Debug, Clone, Copy)]
pub struct Mark(pub Pos);

impl Default for Mark {
    fn default() -> Self {
        Self(Pos { line: 1, column: 1 })
    }
}

impl PartialEq for Mark {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Mark {}

impl Hash for Mark {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// An identifier. Athena's identifiers are case-insensitive, even quoted ones.
#[derive(Debug, Clone)]
pub struct Ident {
    /// Where it stands.
    pub pos: Pos,
    /// The name as written, without quotes.
    pub value: String,
    /// Whether it was written in quotes.
    pub quoted: bool,
}

impl Ident {
    /// An unquoted identifier that stands nowhere in particular.
    pub fn new(value: impl Into<String>) -> Self {
        Self { pos: Pos { line: 1, column: 1 }, value: value.into(), quoted: false }
    }

    /// The name in lower case: what scopes and the catalog compare.
    pub fn lower(&self) -> String {
        self.value.to_lowercase()
    }
}

impl PartialEq for Ident {
    fn eq(&self, other: &Self) -> bool {
        self.value.len() == other.value.len() && self.lower() == other.lower()
    }
}

impl Eq for Ident {}

impl Hash for Ident {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.lower().hash(state);
    }
}

/// A name with dots: `table`, `database.table`, `catalog.database.table`. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    /// The parts from left to right.
    pub parts: Vec<Ident>,
}

impl Name {
    /// A name of one unquoted part.
    pub fn of(value: impl Into<String>) -> Self {
        Self { parts: vec![Ident::new(value)] }
    }

    /// Where its first part stands.
    pub fn pos(&self) -> Pos {
        self.parts.first().map_or(Pos { line: 1, column: 1 }, |part| part.pos)
    }

    /// The last part, in lower case.
    pub fn last_lower(&self) -> String {
        self.parts.last().map(Ident::lower).unwrap_or_default()
    }
}
