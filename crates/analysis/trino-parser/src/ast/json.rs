//! The SQL/JSON functions with their clauses.

use super::{Expr, Ident, Mark, TypeExpr};

/// A call of an SQL/JSON function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JsonCall {
    /// `JSON_EXISTS(input, path [TRUE|FALSE|UNKNOWN|ERROR ON ERROR])`
    Exists {
        /// The input and the path.
        path: JsonPath,
        /// FALSE if not said.
        on_error: Option<JsonExistsOnError>,
    },
    /// `JSON_VALUE(input, path [RETURNING type] [… ON EMPTY] [… ON ERROR])`
    Value {
        /// The input and the path.
        path: JsonPath,
        /// The type of the result; varchar if not said.
        returning: Option<TypeExpr>,
        /// NULL if not said.
        on_empty: Option<JsonValueFallback>,
        /// NULL if not said.
        on_error: Option<JsonValueFallback>,
    },
    /// `JSON_QUERY(input, path [RETURNING type] [… WRAPPER] [… QUOTES] [… ON EMPTY] [… ON ERROR])`
    Query {
        /// The input and the path.
        path: JsonPath,
        /// The type of the result; varchar if not said.
        returning: Option<JsonOutput>,
        /// WITHOUT ARRAY if not said.
        wrapper: Option<JsonWrapper>,
        /// `KEEP QUOTES` (true), `OMIT QUOTES` (false); KEEP if not said.
        keep_quotes: Option<bool>,
        /// NULL if not said.
        on_empty: Option<JsonQueryFallback>,
        /// NULL if not said.
        on_error: Option<JsonQueryFallback>,
    },
    /// `JSON_OBJECT(KEY k VALUE v, k : v … [NULL|ABSENT ON NULL] [WITH|WITHOUT UNIQUE KEYS] [RETURNING type])`
    Object {
        /// The keys and values.
        members: Vec<JsonMember>,
        /// `NULL ON NULL` (false), `ABSENT ON NULL` (true); NULL if not said.
        absent_on_null: Option<bool>,
        /// Whether equal keys are an error; not if not said.
        unique_keys: Option<bool>,
        /// The type of the result; varchar if not said.
        returning: Option<JsonOutput>,
    },
    /// `JSON_ARRAY(v, … [NULL|ABSENT ON NULL] [RETURNING type])`
    Array {
        /// The elements.
        items: Vec<JsonItem>,
        /// `NULL ON NULL` (false), `ABSENT ON NULL` (true); ABSENT if not said.
        absent_on_null: Option<bool>,
        /// The type of the result; varchar if not said.
        returning: Option<JsonOutput>,
    },
}

/// `input, 'path' [AS name] [PASSING a AS x, …]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonPath {
    /// The JSON text.
    pub input: JsonItem,
    /// The path's text.
    pub path: String,
    /// Where that stands.
    pub pos: Mark,
    /// The path's name; it means nothing.
    pub name: Option<Ident>,
    /// The path's variables.
    pub passing: Vec<(JsonItem, Ident)>,
}

/// `expr [FORMAT JSON [ENCODING …]]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonItem {
    /// The value.
    pub expr: Expr,
    /// How it is JSON, if it isn't a plain SQL value.
    pub format: Option<JsonFormat>,
}

/// `type [FORMAT JSON [ENCODING …]]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonOutput {
    /// The type.
    pub ty: TypeExpr,
    /// The encoding of a binary result.
    pub format: Option<JsonFormat>,
}

/// `FORMAT JSON [ENCODING …]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum JsonFormat {
    Json,
    Utf8,
    Utf16,
    Utf32,
}

/// A key with its value: `KEY k VALUE v`, `k VALUE v`, `k : v`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JsonMember {
    /// The key.
    pub key: Expr,
    /// The value.
    pub value: JsonItem,
}

/// What JSON_EXISTS gives for an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum JsonExistsOnError {
    True,
    False,
    Unknown,
    Error,
}

/// What JSON_VALUE gives instead of a value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum JsonValueFallback {
    Error,
    Null,
    Default(Expr),
}

/// What JSON_QUERY gives instead of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum JsonQueryFallback {
    Error,
    Null,
    EmptyArray,
    EmptyObject,
}

/// When JSON_QUERY puts its result into an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonWrapper {
    /// `WITHOUT [ARRAY] WRAPPER`
    Without,
    /// `WITH CONDITIONAL [ARRAY] WRAPPER`
    Conditional,
    /// `WITH [UNCONDITIONAL] [ARRAY] WRAPPER`
    Unconditional,
}
