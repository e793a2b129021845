//! Types as queries write them.

use super::{Ident, Node};

/// A type as written in a cast.
pub type TypeExpr = Node<TypeKind>;

/// What a written type is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TypeKind {
    /// `bigint`, `decimal(10, 2)`, `varchar(3)`: the name in lower case (`double precision` is `double`).
    Simple {
        /// The name.
        name: String,
        /// The numbers in parentheses.
        parameters: Vec<u64>,
    },
    /// `time(p) [with time zone]`
    Time {
        /// The precision, if said.
        precision: Option<u64>,
        /// Whether with time zone.
        zoned: bool,
    },
    /// `timestamp(p) [with time zone]`
    Timestamp {
        /// The precision, if said.
        precision: Option<u64>,
        /// Whether with time zone.
        zoned: bool,
    },
    /// `interval year to month`
    IntervalYearToMonth,
    /// `interval day to second`
    IntervalDayToSecond,
    /// `array(T)`, `array<T>`
    Array(Box<TypeExpr>),
    /// `map(K, V)`, `map<K, V>`
    Map(Box<TypeExpr>, Box<TypeExpr>),
    /// `row(a T, …)`, `row(T, …)`, Hive's `struct<a:T, …>`
    Row(Vec<TypeField>),
}

/// A field of a row type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeField {
    /// The name, if it has one.
    pub name: Option<Ident>,
    /// The type.
    pub ty: TypeExpr,
}
