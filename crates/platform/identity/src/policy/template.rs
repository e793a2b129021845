//! Policy values with variables, such as `home/${aws:username}/*`.

use std::borrow::Cow;

use super::glob::{self, Glyph};
use super::keys::RequestKeys;

/// A value as a policy writes it; variables take their text from the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    /// A value without variables, with its glyphs at hand.
    Fixed { text: String, glyphs: Vec<Glyph> },
    /// A value whose parts depend on the request.
    Parts(Vec<Part>),
}

/// A piece of a value with variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The policy's own text, where wildcards count.
    Text(String),
    /// One of `${*}`, `${?}`, `${$}`: the character itself.
    Literal(char),
    /// A condition key's value, where wildcards don't count.
    Variable { key: String, default: Option<String> },
}

impl Template {
    /// A value of a policy of the version 2012-10-17.
    pub(crate) fn with_variables(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, variable, after)) = split_variable(rest) {
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(variable);
            rest = after;
        }
        if parts.is_empty() {
            return Self::fixed(text);
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Self::Parts(parts)
    }

    /// A value of an older policy, where `${` is plain text.
    pub(crate) fn fixed(text: &str) -> Self {
        Self::Fixed { text: text.to_owned(), glyphs: glob::glyphs(text).collect() }
    }

    /// The value as plain text; none if a variable has no value and no default.
    pub(crate) fn text(&self, keys: &RequestKeys<'_>) -> Option<Cow<'_, str>> {
        match self {
            Self::Fixed { text, .. } => Some(Cow::Borrowed(text)),
            Self::Parts(parts) => {
                let pieces = parts.iter().map(|part| match part {
                    Part::Text(text) => Some(Cow::Borrowed(text.as_str())),
                    Part::Literal(c) => Some(Cow::Owned(c.to_string())),
                    Part::Variable { key, default } => variable(keys, key, default.as_deref()),
                });
                pieces.collect::<Option<String>>().map(Cow::Owned)
            }
        }
    }

    /// The value as a pattern; none if a variable has no value and no default.
    pub(crate) fn pattern(&self, keys: &RequestKeys<'_>) -> Option<Cow<'_, [Glyph]>> {
        match self {
            Self::Fixed { glyphs, .. } => Some(Cow::Borrowed(glyphs)),
            Self::Parts(parts) => {
                let mut pattern = Vec::new();
                for part in parts {
                    match part {
                        Part::Text(text) => pattern.extend(glob::glyphs(text)),
                        Part::Literal(c) => pattern.push(Glyph::Char(*c)),
                        Part::Variable { key, default } => {
                            pattern.extend(variable(keys, key, default.as_deref())?.chars().map(Glyph::Char));
                        }
                    }
                }
                Some(Cow::Owned(pattern))
            }
        }
    }

    /// Whether the value, as a pattern, matches the text. A value that can't be filled in matches nothing.
    pub(crate) fn is_like(&self, text: &str, keys: &RequestKeys<'_>) -> bool {
        self.pattern(keys).is_some_and(|pattern| glob::matches(&pattern, text))
    }
}

/// A variable stands for one value; a key with several has none that could be meant.
fn variable<'a>(keys: &RequestKeys<'_>, key: &str, default: Option<&'a str>) -> Option<Cow<'a, str>> {
    match keys.values(key).as_deref() {
        Some([only]) => Some(Cow::Owned(only.clone().into_owned())),
        _ => default.map(Cow::Borrowed),
    }
}

fn split_variable(text: &str) -> Option<(&str, Part, &str)> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find("${")?;
        let inside = &text[start + 2..];
        let end = inside.find('}')?;
        if let Some(part) = parse_variable(&inside[..end]) {
            return Some((&text[..start], part, &inside[end + 1..]));
        }
        from = start + 2;
    }
}

fn parse_variable(inside: &str) -> Option<Part> {
    if let "*" | "?" | "$" = inside {
        return inside.chars().next().map(Part::Literal);
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => (key, Some(default.trim().strip_prefix('\'')?.strip_suffix('\'')?.to_owned())),
        None => (inside, None),
    };
    let key = key.trim();
    let plain = |c: char| c.is_alphanumeric() || ":/_.+-@= ".contains(c);
    (key.contains(':') && key.chars().all(plain)).then(|| Part::Variable { key: key.to_lowercase(), default })
}
