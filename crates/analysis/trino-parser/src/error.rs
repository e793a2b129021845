//! What is wrong with a statement's text.

use std::fmt;

/// A place in the text of a statement; both numbers count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pos {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

/// `line:column`
impl fmt::Display for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A statement that the grammar refuses; prints as Trino does: `line 1:8: mismatched input 'FORM'. Expecting: 'FROM'`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {pos}: {message}")]
pub struct SyntaxError {
    /// Where.
    pub pos: Pos,
    /// What, without the position.
    pub message: String,
}
