//! The tree as text. What prints parses back to an equal tree; parameters are numbered anew in the order of the text.

mod definition;
mod expression;
mod json;
mod pattern;
mod query;
mod statement;

use std::fmt::{self, Display, Formatter};

use crate::ast::{Ident, Name};
use crate::lexer::Dialect;
use crate::reserved::is_plain;

/// In Trino's spelling: `name`, `"odd name"`.
impl Display for Ident {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.quoted && is_plain(Dialect::Trino, &self.value) {
            return f.write_str(&self.value);
        }
        write!(f, "\"{}\"", self.value.replace('"', "\"\""))
    }
}

/// In Trino's spelling: `database.table`.
impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        separated(f, ".", &self.parts)
    }
}

/// A string in Trino's quotes.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

fn separated<T: Display>(f: &mut Formatter<'_>, separator: &str, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    separated(f, ", ", items)
}

/// ` (a, b)`, or nothing for an empty list.
fn names(f: &mut Formatter<'_>, items: &[Ident]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    f.write_str(" (")?;
    list(f, items)?;
    f.write_str(")")
}

/// A word and something after it, or nothing.
fn optional<T: Display>(f: &mut Formatter<'_>, before: &str, value: Option<&T>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, "{before}{value}"))
}
