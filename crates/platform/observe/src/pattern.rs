//! Filter patterns ("Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail").
//!
//! A pattern is empty (everything matches), one regular expression between `%`, terms, or a JSON condition in braces. A
//! term matches wherever its text stands in the message. Space-delimited patterns in brackets are refused.

mod json;
#[cfg(test)]
mod tests;
mod text;

use regex::Regex;

use crate::error::LogsError;
use crate::store::invalid;

/// Characters of a pattern.
const MAX_LENGTH: usize = 1024;

/// A parsed pattern.
#[derive(Debug, Clone)]
pub struct Pattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Everything,
    Text(text::Terms),
    Json(json::Condition),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`LogsError::InvalidParameter`] with what is wrong; [`LogsError::NotImplemented`] for space-delimited patterns.
    pub fn parse(pattern: &str) -> Result<Self, LogsError> {
        if pattern.chars().count() > MAX_LENGTH {
            return Err(invalid(format!("a filter pattern has at most {MAX_LENGTH} characters")));
        }
        let trimmed = pattern.trim();
        Ok(Self(match trimmed.chars().next() {
            None => Kind::Everything,
            Some('[') => return Err(LogsError::NotImplemented("space-delimited filter patterns".into())),
            Some('{') => Kind::Json(json::parse(trimmed)?),
            Some(_) => Kind::Text(text::parse(trimmed)?),
        }))
    }

    /// Whether an event's text matches.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Everything => true,
            Kind::Text(terms) => terms.match_text(message),
            Kind::Json(condition) => serde_json::from_str(message).is_ok_and(|value| condition.holds(&value)),
        }
    }
}

fn malformed(reason: impl std::fmt::Display) -> LogsError {
    invalid(format!("Invalid filter pattern: {reason}"))
}

/// The part of `text` (which follows an opening `delimiter`) up to the closing one, and what follows it. A backslash
/// before the delimiter takes its meaning away; `keep` says whether other backslashes stay (as in regular expressions).
fn delimited(text: &str, delimiter: char, keep: bool) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                let (_, escaped) = characters.next()?;
                if keep && escaped != delimiter {
                    inner.push('\\');
                }
                inner.push(escaped);
            }
            c if c == delimiter => return Some((inner, &text[at + c.len_utf8()..])),
            c => inner.push(c),
        }
    }
    None
}

/// AWS's regular expressions are few: no groups, no characters but letters, digits and some symbols.
fn expression(text: &str) -> Result<Regex, LogsError> {
    let supported = |c: char| c.is_ascii_alphanumeric() || c == ' ' || "_#=@/;,-:^$?[]{}|\\*+.".contains(c);
    if let Some(other) = text.chars().find(|c| !supported(*c)) {
        let escaped = text.contains(&format!("\\{other}"));
        if !escaped {
            return Err(malformed(format!("the character {other:?} is not supported in a regular expression")));
        }
    }
    Regex::new(text).map_err(|_| malformed(format!("{text:?} is not a regular expression")))
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty(); // no star at all
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
