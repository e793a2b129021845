//! Text → tokens → AST, for both of Athena's grammars: Trino's queries and Hive's definitions.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`ast`] | the syntax tree; it prints as SQL |
//! | [`lexer`] | tokens, in Trino's and Hive's spelling |
//! | [`error`] | what is wrong with a text, and where |
//!
//! Inside, `cursor` walks over the tokens, and each of the other modules adds the rules of one part of the grammar to it:
//! `expression` (operators), `primary` (operands), `call`, `json`, `types`, `query`, `relation`, `statement`, `show`,
//! `definition`, `alter` and `hive_type`. `display` is the way back.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod alter;
pub mod ast;
mod call;
mod cursor;
mod definition;
mod display;
pub mod error;
mod expression;
mod hive_type;
mod json;
pub mod lexer;
mod pattern;
mod primary;
mod query;
mod relation;
mod reserved;
mod show;
mod statement;
mod types;

pub use error::SyntaxError;

/// A statement and how many parameters (`?`) it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The statement.
    pub statement: ast::Statement,
    /// The number of its parameters.
    pub parameters: usize,
}

/// Reads one statement, which a semicolon may end.
///
/// # Errors
/// The text isn't a statement; the message says where and why, in Trino's words.
pub fn parse_statement(text: &str) -> Result<ast::Statement, SyntaxError> {
    parse(text).map(|parsed| parsed.statement)
}

/// Reads one statement as [`parse_statement`] does, and counts its parameters.
///
/// # Errors
/// As [`parse_statement`]'s.
pub fn parse(text: &str) -> Result<Parsed, SyntaxError> {
    let dialect = statement::dialect(text);
    let mut cursor = cursor::Cursor::new(text, dialect)?;
    let statement = match dialect {
        lexer::Dialect::Trino => cursor.trino_statement()?,
        lexer::Dialect::Hive => cursor.hive_statement()?,
    };
    cursor.end()?;
    Ok(Parsed { statement, parameters: cursor.parameters() })
}

/// Reads one expression of Trino's SQL.
///
/// # Errors
/// The text isn't an expression; the message says where and why.
pub fn parse_expression(text: &str) -> Result<ast::Expr, SyntaxError> {
    let mut cursor = cursor::Cursor::new(text, lexer::Dialect::Trino)?;
    let expr = cursor.expression()?;
    cursor.end()?;
    Ok(expr)
}

/// Reads a type as Hive and the Glue catalog write it.
///
/// # Errors
/// The text isn't such a type.
pub fn parse_hive_type(text: &str) -> Result<ast::HiveType, SyntaxError> {
    let mut cursor = cursor::Cursor::new(text, lexer::Dialect::Hive)?;
    let ty = cursor.hive_type()?;
    cursor.end()?;
    Ok(ty)
}

#[cfg(test)]
mod tests;
