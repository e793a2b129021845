//! Text → tokens → AST, for Trino's queries and Hive's DDL.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod ast;
mod cursor;
pub mod error;
mod expression;
pub mod lexer;

pub use error::SyntaxError;

/// Reads one expression of Trino's SQL.
///
/// # Errors
/// The text isn't an expression, or has parts that this parser doesn't know yet; the message says where and what.
pub fn parse_expression(text: &str) -> Result<ast::Expr, SyntaxError> {
    let mut cursor = cursor::Cursor::new(text, lexer::Dialect::Trino)?;
    let expr = cursor.expression()?;
    if *cursor.token() == lexer::TokenKind::End { Ok(expr) } else { cursor.mismatch("<EOF>") }
}

#[cfg(test)]
mod tests;
