//! Text → tokens, one at a time: what `/` means depends on what may come.

use std::sync::Arc;

use super::Pattern;
use crate::jsonata::patterns;
use crate::jsonata::value::EXACT;

#[derive(Debug, Clone)]
pub(super) enum Token {
    Number(f64),
    Integer(i64),
    String(String),
    Name(String),
    Variable(String),
    /// `true`, `false`, `null`.
    Bool(bool),
    Null,
    Regex(Arc<Pattern>),
    Operator(&'static str),
    End,
}

impl Token {
    pub(super) fn is(&self, operator: &str) -> bool {
        matches!(self, Self::Operator(own) if *own == operator)
    }

    /// How messages show it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Integer(integer) => integer.to_string(),
            Self::String(text) | Self::Name(text) | Self::Variable(text) => text.clone(),
            Self::Bool(value) => value.to_string(),
            Self::Null => "null".into(),
            Self::Regex(pattern) => format!("/{}/", pattern.source),
            Self::Operator(operator) => (*operator).into(),
            Self::End => "(end)".into(),
        }
    }
}

/// Longer ones first.
const OPERATORS: [&str; 32] = [
    "..", ":=", "!=", ">=", "<=", "**", "~>", ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":", "?", "+",
    "-", "*", "/", "%", "|", "=", "<", ">", "^", "&", "!",
];

/// What ends a name, beside blanks.
const STOPS: &str = ".[]{}(),@#;:?+-*/%|=<>^&!~";

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// The next token. `infix`: an operator may stand here, so `/` divides.
    pub(super) fn next(&mut self, infix: bool) -> Result<Token, String> {
        self.skip()?;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if first == '/' && !infix {
            return self.regex();
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
            self.at += operator.len();
            return Ok(Token::Operator(operator));
        }
        match first {
            '~' => {
                self.at += 1;
                Ok(Token::Operator("~"))
            }
            '"' | '\'' => self.string(first),
            '`' => self.quoted(),
            '0'..='9' => self.number(),
            _ => Ok(self.word()),
        }
    }

    /// Skips blanks and comments.
    fn skip(&mut self) -> Result<(), String> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_blank).len();
            if !self.rest().starts_with("/*") {
                return Ok(());
            }
            match self.rest()[2..].find("*/") {
                Some(end) => self.at += end + 4,
                None => return Err("S0106: Comment has no closing tag".into()),
            }
        }
    }

    fn quoted(&mut self) -> Result<Token, String> {
        let rest = &self.rest()[1..];
        let end = rest.find('`').ok_or("S0105: Quoted property name must be terminated with a backquote (`)")?;
        self.at += end + 2;
        Ok(Token::Name(rest[..end].to_owned()))
    }

    fn word(&mut self) -> Token {
        let rest = self.rest();
        let end = rest.find(|c| is_blank(c) || STOPS.contains(c)).unwrap_or(rest.len());
        self.at += end;
        let word = &rest[..end];
        if let Some(name) = word.strip_prefix('$') {
            return Token::Variable(name.to_owned());
        }
        match word {
            "or" => Token::Operator("or"),
            "in" => Token::Operator("in"),
            "and" => Token::Operator("and"),
            "true" => Token::Bool(true),
            "false" => Token::Bool(false),
            "null" => Token::Null,
            other => Token::Name(other.to_owned()),
        }
    }

    fn string(&mut self, quote: char) -> Result<Token, String> {
        let mut text = String::new();
        let mut characters = self.rest()[1..].char_indices();
        while let Some((offset, c)) = characters.next() {
            if c == quote {
                self.at += offset + 2;
                return Ok(Token::String(text));
            }
            if c != '\\' {
                text.push(c);
                continue;
            }
            match characters.next().map(|(_, c)| c) {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('u') => text.push(unicode(&mut characters)?),
                Some(c @ ('"' | '\\' | '/')) => text.push(c),
                Some(other) => return Err(format!("S0103: Unsupported escape sequence: \\\"{other}\"")),
                None => return Err("S0103: Unsupported escape sequence: \\\"\"".into()),
            }
        }
        Err("S0101: String literal must be terminated by a matching quote".into())
    }

    fn number(&mut self) -> Result<Token, String> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |mut end: usize| {
            while bytes.get(end).is_some_and(u8::is_ascii_digit) {
                end += 1;
            }
            end
        };
        let mut end = if bytes.first() == Some(&b'0') { 1 } else { digits(0) };
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
                end = digits(end + 1 + sign);
            }
        }
        self.at += end;
        if let Ok(integer) = rest[..end].parse::<i64>()
            && integer.unsigned_abs() >= EXACT
        {
            return Ok(Token::Integer(integer));
        }
        match rest[..end].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Number(number)),
            _ => Err(format!("S0102: Number out of range: \"{}\"", &rest[..end])),
        }
    }

    fn regex(&mut self) -> Result<Token, String> {
        let rest = &self.rest()[1..];
        let end = regex_end(rest).ok_or("S0302: No terminating / in regular expression")?;
        if end == 0 {
            return Err("S0301: Empty regular expressions are not allowed".into());
        }
        let after = &rest[end + 1..];
        let flags = &after[..after.len() - after.trim_start_matches(['i', 'm']).len()];
        self.at += end + 2 + flags.len();
        patterns::compile(&rest[..end], flags).map(|pattern| Token::Regex(Arc::new(pattern)))
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}')
}

/// Where the slash is that ends a regular expression: outside all brackets, not escaped.
fn regex_end(rest: &str) -> Option<usize> {
    let (mut depth, mut backslashes) = (0i32, 0usize);
    for (offset, c) in rest.char_indices() {
        match c {
            '/' if depth == 0 && backslashes.is_multiple_of(2) => return Some(offset),
            '(' | '[' | '{' if backslashes == 0 => depth += 1,
            ')' | ']' | '}' if backslashes == 0 => depth -= 1,
            _ => {}
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
    }
    None
}

/// The code point of a `\u` escape, with the second half of a surrogate pair if there is one.
fn unicode(characters: &mut std::str::CharIndices<'_>) -> Result<char, String> {
    let problem = || "S0104: The escape sequence \\u must be followed by 4 hex digits".to_owned();
    let half = |characters: &mut std::str::CharIndices<'_>| {
        let digits: String = characters.by_ref().take(4).map(|(_, c)| c).collect();
        let valid = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(&digits, 16).ok().filter(|_| valid).ok_or_else(problem)
    };
    let first = half(characters)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    let mut ahead = characters.clone();
    let escaped = ahead.next().map(|(_, c)| c) == Some('\\') && ahead.next().map(|(_, c)| c) == Some('u');
    let second = if escaped { half(&mut ahead).ok() } else { None };
    match second.filter(|second| (0xDC00..0xE000).contains(second)) {
        Some(second) => {
            *characters = ahead;
            Ok(char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).unwrap_or_default())
        }
        // Half a pair is no character here.
        None => Ok(char::REPLACEMENT_CHARACTER),
    }
}
