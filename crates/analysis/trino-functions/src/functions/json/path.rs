//! The paths of `json_extract`: `$`, `.name`, `[0]`, `["any name"]`.

use crate::error::TrinoError;

/// A path from the top of a JSON value.
pub(super) struct Path(Vec<Step>);

impl From<Path> for Vec<Step> {
    fn from(path: Path) -> Self {
        path.0
    }
}

/// One step down: a member's name, or an element's index where the name is a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Step {
    /// The name as text.
    pub(super) name: String,
    /// The name as an index.
    pub(super) index: Option<usize>,
}

impl Path {
    pub(super) fn steps(&self) -> &[Step] {
        &self.0
    }

    pub(super) fn parse(text: &str) -> Result<Self, TrinoError> {
        let invalid = || TrinoError::invalid(format!("Invalid JSON path: '{text}'"));
        let mut rest = text.strip_prefix('$').ok_or_else(invalid)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (name, after) = step(rest).ok_or_else(invalid)?;
            if name.parse::<i64>().is_ok_and(|index| index < 0) {
                return Err(invalid());
            }
            steps.push(Step { index: name.parse().ok(), name });
            rest = after;
        }
        Ok(Self(steps))
    }
}

/// The first step of a path and what comes after it.
fn step(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('.') {
        return unquoted(rest, |letter| is_word(letter) || ":$-/@|#".contains(letter));
    }
    let rest = text.strip_prefix('[')?.trim_start();
    let (name, rest) = match rest.strip_prefix('"') {
        Some(rest) => quoted(rest)?,
        None => unquoted(rest, |letter| is_word(letter) || letter == '-')?,
    };
    Some((name, rest.trim_start().strip_prefix(']')?))
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn unquoted(text: &str, allowed: impl Fn(char) -> bool) -> Option<(String, &str)> {
    let end = text.find(|letter| !allowed(letter)).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

/// A backslash may stand before a quote or another backslash.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return Some((name, letters.as_str())),
            '\\' => name.push(letters.next().filter(|letter| matches!(letter, '"' | '\\'))?),
            letter => name.push(letter),
        }
    }
}
