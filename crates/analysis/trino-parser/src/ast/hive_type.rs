//! Types as Hive's DDL and the Glue catalog write them.

use super::Ident;

/// A column's type; prints as the Glue catalog keeps it: `array<struct<a:int,b:decimal(10,2)>>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HiveType {
    /// A type without parameters, in lower case: `int` (also for `integer`), `string` …
    Primitive(String),
    /// `decimal(p,s)`; `decimal` is `decimal(10,0)`.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// `char(n)`
    Char(u32),
    /// `varchar(n)`
    Varchar(u32),
    /// `array<T>`
    Array(Box<HiveType>),
    /// `map<K,V>`
    Map(Box<HiveType>, Box<HiveType>),
    /// `struct<a:T,…>`: one field at least.
    Struct(Vec<(Ident, HiveType)>),
}
