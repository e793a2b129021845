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
//! `definition` and `alter`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod ast;
mod call;
mod cursor;
pub mod error;
mod expression;
pub mod lexer;
mod primary;
mod query;
mod relation;
mod reserved;
mod statement;
mod types;

pub use error::SyntaxError;

/// Reads one statement, which a semicolon may end.
///
/// # Errors
/// The text isn't a statement; the message says where and why, in Trino's words.
pub fn parse_statement(text: &str) -> Result<ast::Statement, SyntaxError> {
    let mut cursor = cursor::Cursor::new(text, lexer::Dialect::Trino)?;
    let statement = cursor.trino_statement()?;
    cursor.end()?;
    Ok(statement)
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

#[cfg(test)]
mod tests;
