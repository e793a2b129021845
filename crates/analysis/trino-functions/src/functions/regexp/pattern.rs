//! Compiled patterns: the linear-time engine where it can, the backtracking one for lookaround and backreferences.

use std::ops::Range;

use super::super::support::{Arg, text};
use super::mistakes;
use crate::error::TrinoError;
use crate::kernel::Call;
use arrow::array::StringArray;

/// How many steps the backtracking engine may take on one text.
const MOST_STEPS: usize = 1_000_000;

/// The pattern argument, with the last pattern compiled.
pub(super) struct Cache {
    texts: Arg<StringArray>,
    last: Option<(String, Pattern)>,
}

impl Cache {
    pub(super) fn new(call: &Call<'_>, index: usize) -> Result<Self, TrinoError> {
        Ok(Self { texts: text(call, index)?, last: None })
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.texts.is_null(row)
    }

    /// The row's pattern.
    pub(super) fn get(&mut self, row: usize) -> Result<&Pattern, TrinoError> {
        let text = self.texts.value(row);
        if self.last.as_ref().is_none_or(|(last, _)| last != text) {
            self.last = Some((text.to_owned(), Pattern::compile(text)?));
        }
        self.last.as_ref().map(|(_, pattern)| pattern).ok_or_else(|| TrinoError::internal("a pattern was compiled"))
    }
}

/// A compiled pattern.
pub(super) enum Pattern {
    Linear(regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
}

/// A part of a replacement.
pub(super) enum Piece {
    Text(String),
    Group(usize),
}

impl Pattern {
    fn compile(text: &str) -> Result<Self, TrinoError> {
        let translated = translate(text);
        if let Ok(regex) = regex::Regex::new(&translated) {
            return Ok(Self::Linear(regex));
        }
        let regex = fancy_regex::RegexBuilder::new(&translated).backtrack_limit(MOST_STEPS).build();
        let regex = regex.map_err(|error| {
            let known = mistakes::first(text).map(str::to_owned);
            TrinoError::invalid(known.unwrap_or_else(|| format!("Invalid regular expression: {text}: {error}")))
        })?;
        Ok(Self::Backtracking(Box::new(regex)))
    }

    pub(super) fn is_match(&self, value: &str) -> Result<bool, TrinoError> {
        match self {
            Self::Linear(regex) => Ok(regex.is_match(value)),
            Self::Backtracking(regex) => regex.is_match(value).map_err(|error| gave_up(&error)),
        }
    }

    /// The number of groups, the whole being one.
    pub(super) fn groups(&self) -> usize {
        match self {
            Self::Linear(regex) => regex.captures_len(),
            Self::Backtracking(regex) => regex.captures_len(),
        }
    }

    pub(super) fn find<'p, 'v>(&'p self, value: &'v str) -> Found<'p, 'v> {
        self.find_from(value, 0)
    }

    pub(super) fn find_from<'p, 'v>(&'p self, value: &'v str, from: usize) -> Found<'p, 'v> {
        Found { pattern: self, value, next: Some(from) }
    }

    fn captures_at(&self, value: &str, from: usize) -> Result<Option<Vec<Option<Range<usize>>>>, TrinoError> {
        match self {
            Self::Linear(regex) => Ok(regex
                .captures_at(value, from)
                .map(|captures| captures.iter().map(|group| group.map(|group| group.range())).collect())),
            Self::Backtracking(regex) => {
                let captures = regex.captures_from_pos(value, from).map_err(|error| gave_up(&error))?;
                Ok(captures.map(|captures| captures.iter().map(|group| group.map(|group| group.range())).collect()))
            }
        }
    }

    fn group_named(&self, name: &str) -> Option<usize> {
        match self {
            Self::Linear(regex) => regex.capture_names().position(|known| known == Some(name)),
            Self::Backtracking(regex) => regex.capture_names().position(|known| known == Some(name)),
        }
    }

    /// A replacement as Java reads it: `$1` takes as many digits as there are groups, `\` takes the next character.
    pub(super) fn template(&self, text: &str) -> Result<Vec<Piece>, TrinoError> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text.chars());
        while let Some(letter) = rest.next() {
            match letter {
                '\\' => match rest.next() {
                    Some(escaped) => plain.push(escaped),
                    None => return Err(TrinoError::invalid(format!("Illegal replacement sequence: {text}"))),
                },
                '$' => {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    let (group, after) = self.reference(rest.as_str(), text)?;
                    pieces.push(Piece::Group(group));
                    rest = after.chars();
                }
                _ => plain.push(letter),
            }
        }
        pieces.push(Piece::Text(plain));
        Ok(pieces)
    }

    /// The group that a text after `$` names, and what comes after.
    fn reference<'t>(&self, text: &'t str, whole: &str) -> Result<(usize, &'t str), TrinoError> {
        if let Some((name, after)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
            let unknown = || TrinoError::invalid(format!("Illegal replacement sequence: unknown group {{ {name} }}"));
            return Ok((self.group_named(name).ok_or_else(unknown)?, after));
        }
        let mut digits = text.char_indices().map_while(|(at, letter)| Some((at, letter.to_digit(10)? as usize)));
        let Some((_, mut group)) = digits.next() else {
            return Err(TrinoError::invalid(format!("Illegal replacement sequence: {whole}")));
        };
        if group >= self.groups() {
            return Err(TrinoError::invalid(format!("Illegal replacement sequence: unknown group {group}")));
        }
        let mut end = 1;
        for (at, digit) in digits {
            let longer = group * 10 + digit;
            if longer >= self.groups() {
                break;
            }
            (group, end) = (longer, at + 1);
        }
        Ok((group, &text[end..]))
    }
}

fn gave_up(error: &fancy_regex::Error) -> TrinoError {
    TrinoError::invalid(format!("Regexp matching interrupted: {error}"))
}

/// The matches of a pattern in a text, from left to right. An empty match may follow right after another one.
pub(super) struct Found<'p, 'v> {
    pub(super) pattern: &'p Pattern,
    value: &'v str,
    next: Option<usize>,
}

impl Found<'_, '_> {
    /// The next match's groups, the whole being the first.
    pub(super) fn next(&mut self) -> Result<Option<Vec<Option<Range<usize>>>>, TrinoError> {
        let Some(from) = self.next else { return Ok(None) };
        let found = self.pattern.captures_at(self.value, from)?;
        let whole = found.as_ref().and_then(|groups| groups.first().cloned().flatten());
        self.next = whole.and_then(|whole| match whole.is_empty() {
            false => Some(whole.end),
            // An empty match moves on by one character, and ends with the text.
            true => self.value[whole.end..].chars().next().map(|letter| whole.end + letter.len_utf8()),
        });
        Ok(found)
    }
}

/// What Java writes otherwise than the engines do.
fn translate(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut class_depth = 0_usize;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                // Literal text up to \E.
                Some('Q') => {
                    let rest: String = letters.by_ref().collect();
                    let (literal, after) = rest.split_once("\\E").unwrap_or((&rest, ""));
                    return out + &regex::escape(literal) + &translate(after);
                }
                Some('Z') => out.push_str("\\n?\\z"),
                Some('h') => out.push_str(if class_depth > 0 { "\\t\\p{Zs}" } else { "[\\t\\p{Zs}]" }),
                Some('R') => out.push_str("(?:\\r\\n|[\\n\\x0b\\x0c\\r\\x{85}\\x{2028}\\x{2029}])"),
                Some('e') => out.push_str("\\x1b"),
                // Java's classes are ASCII's unless said otherwise.
                Some('d') => out.push_str(if class_depth > 0 { "0-9" } else { "[0-9]" }),
                Some('D') if class_depth == 0 => out.push_str("[^0-9]"),
                Some('w') => out.push_str(if class_depth > 0 { "a-zA-Z0-9_" } else { "[a-zA-Z0-9_]" }),
                Some('W') if class_depth == 0 => out.push_str("[^a-zA-Z0-9_]"),
                Some('s') => {
                    out.push_str(if class_depth > 0 { " \\t\\n\\x0b\\x0c\\r" } else { "[ \\t\\n\\x0b\\x0c\\r]" })
                }
                Some('S') if class_depth == 0 => out.push_str("[^ \\t\\n\\x0b\\x0c\\r]"),
                Some(sign @ ('p' | 'P')) if letters.peek() == Some(&'{') => {
                    let name: String = letters.by_ref().skip(1).take_while(|letter| *letter != '}').collect();
                    out.push_str(&property(sign, &name));
                }
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if class_depth > 0 => {
                class_depth += 1;
                out.push('[');
            }
            '[' => {
                class_depth = 1;
                out.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // A bracket right at the beginning stands for itself.
                if letters.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' if class_depth > 0 => {
                class_depth -= 1;
                out.push(']');
            }
            _ => out.push(letter),
        }
    }
    out
}

/// Java's names of properties: POSIX classes in ASCII, and scripts, categories and blocks with `Is` and `In`.
fn property(sign: char, name: &str) -> String {
    let posix = match name {
        "Lower" => "lower",
        "Upper" => "upper",
        "ASCII" => "ascii",
        "Alpha" => "alpha",
        "Digit" => "digit",
        "Alnum" => "alnum",
        "Punct" => "punct",
        "Graph" => "graph",
        "Print" => "print",
        "Blank" => "blank",
        "Cntrl" => "cntrl",
        "XDigit" => "xdigit",
        "Space" => "space",
        _ => {
            let name = match name {
                "javaLowerCase" => "Lowercase",
                "javaUpperCase" => "Uppercase",
                "javaWhitespace" => "White_Space",
                _ => name.strip_prefix("Is").unwrap_or(name),
            };
            return format!("\\{sign}{{{name}}}");
        }
    };
    let negation = if sign == 'P' { "^" } else { "" };
    format!("[[:{negation}{posix}:]]")
}
