//! Statements of Trino's grammar.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};

impl Cursor<'_> {
    pub(crate) fn trino_statement(&mut self) -> Parsed<Statement> {
        Ok(Statement::Query(Box::new(self.query()?)))
    }
}
