//! Text → tokens, for both grammars.
//!
//! They differ in quotes only: in Trino's `"x"` is an identifier and a backslash is a character like any other; in Hive's
//! `"x"` is a string, strings have backslash escapes, and backticks quote identifiers.

use std::iter::Peekable;
use std::ops::Range;
use std::str::Chars;

use super::error::{Pos, SyntaxError};

/// Which of Athena's two grammars the text is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Queries and statements on data.
    Trino,
    /// Statements on the catalog.
    Hive,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Where its first character stands.
    pub pos: Pos,
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// What it is.
    pub kind: TokenKind,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or an unquoted identifier, as written.
    Word(String),
    /// An identifier in double quotes or backticks, without them.
    Quoted(String),
    /// `'text'` or `U&'text'`, unescaped.
    String(String),
    /// `X'0aff'`
    Binary(Vec<u8>),
    /// A whole number as written: with underscores, and in hexadecimal, octal or binary digits after `0x`, `0o` or `0b`.
    Integer(String),
    /// Digits with a point, as written.
    Decimal(String),
    /// Digits with an exponent, as written.
    Double(String),
    /// An operator or a punctuation mark.
    Symbol(&'static str),
    /// A character that begins no token.
    Unrecognized(char),
    /// The end of the text.
    End,
}

/// Longest first, so that the first match is the right one.
const SYMBOLS: [&str; 32] = [
    "{-", "-}", "->", "=>", "<=", ">=", "<>", "!=", "||", "(", ")", "[", "]", "{", "}", ",", ".", ";", ":", "?", "+",
    "-", "*", "/", "%", "=", "<", ">", "|", "^", "$", "@",
];

/// Splits a statement into tokens; the last one is [`TokenKind::End`].
///
/// # Errors
/// A malformed number or escape; in Hive's spelling also a string, identifier or comment that doesn't end, or a character
/// that no token begins with. In Trino's these are tokens that no grammar takes.
pub fn tokenize(text: &str, dialect: Dialect) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer::new(text, dialect);
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next_token()?;
        let done = token.kind == TokenKind::End;
        tokens.push(token);
        if done {
            return Ok(tokens);
        }
    }
}

/// The first words of a statement in upper case, as far as they are words, quoted names and marks that both dialects
/// read alike; a quoted name is `"`.
pub(crate) fn beginning(text: &str, count: usize) -> Vec<String> {
    let mut lexer = Lexer::new(text, Dialect::Trino);
    lexer.backticks = true;
    let mut words = Vec::new();
    while let (true, Ok(token)) = (words.len() < count, lexer.next_token()) {
        words.push(match token.kind {
            TokenKind::Word(word) => word.to_ascii_uppercase(),
            TokenKind::Quoted(_) => "\"".into(),
            TokenKind::Symbol(symbol) => symbol.into(),
            _ => break,
        });
    }
    words
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    pos: Pos,
    offset: usize,
    backticks: bool,
    dialect: Dialect,
    /// Whether a comment was met that doesn't end: then none does from there on.
    open_comment: bool,
}

fn error<T>(pos: Pos, message: impl Into<String>) -> Result<T, SyntaxError> {
    Err(SyntaxError { pos, message: message.into() })
}

fn begins_word(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn continues_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, dialect: Dialect) -> Self {
        let pos = Pos { line: 1, column: 1 };
        Self {
            rest: text.chars().peekable(),
            pos,
            offset: 0,
            backticks: dialect == Dialect::Hive,
            dialect,
            open_comment: false,
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn peek_second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    fn advance(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        self.offset += letter.len_utf8();
        if letter == '\n' {
            self.pos = Pos { line: self.pos.line + 1, column: 1 };
        } else {
            self.pos.column += 1;
        }
        Some(letter)
    }

    fn take_while(&mut self, text: &mut String, fits: impl Fn(char) -> bool) {
        while let Some(letter) = self.peek().filter(|letter| fits(*letter)) {
            text.push(letter);
            self.advance();
        }
    }

    fn next_token(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks()?;
        let (pos, start) = (self.pos, self.offset);
        let kind = match self.peek() {
            Some(quote @ ('\'' | '"')) if self.dialect == Dialect::Trino && !self.closes(quote) => self.open(quote),
            None => TokenKind::End,
            Some('\'') => TokenKind::String(self.string(pos, '\'')?),
            Some('"') if self.dialect == Dialect::Hive => TokenKind::String(self.string(pos, '"')?),
            Some('`') if !self.backticks => {
                return error(pos, "backquoted identifiers are not supported; use double quotes to quote identifiers");
            }
            Some(quote @ ('"' | '`')) => self.quoted_identifier(pos, quote)?,
            Some('x' | 'X') if self.begins_literal("'") => self.binary(pos)?,
            Some('u' | 'U') if self.begins_literal("&'") => self.unicode_string(pos)?,
            Some(letter) if begins_word(letter) => {
                let mut word = String::new();
                self.take_while(&mut word, continues_word);
                TokenKind::Word(word)
            }
            Some(letter) if letter.is_ascii_digit() => self.number(pos)?,
            Some('.') if self.peek_second().is_some_and(|next| next.is_ascii_digit()) => self.number(pos)?,
            Some(letter) => self.symbol(pos, letter)?,
        };
        Ok(Token { pos, span: start..self.offset, kind })
    }

    fn skip_blanks(&mut self) -> Result<(), SyntaxError> {
        loop {
            match (self.peek(), self.peek_second()) {
                (Some(letter), _) if letter.is_whitespace() => {
                    self.advance();
                }
                (Some('-'), Some('-')) => while self.advance().is_some_and(|letter| letter != '\n') {},
                (Some('/'), Some('*')) if self.dialect == Dialect::Hive || self.comment_ends() => {
                    self.skip_block_comment()?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn comment_ends(&mut self) -> bool {
        let (ahead, next) = (self.rest.clone().skip(2), self.rest.clone().skip(3));
        self.open_comment = self.open_comment || !ahead.zip(next).any(|pair| pair == ('*', '/'));
        !self.open_comment
    }

    fn skip_block_comment(&mut self) -> Result<(), SyntaxError> {
        let pos = self.pos;
        self.advance();
        self.advance();
        loop {
            match self.advance() {
                Some('*') if self.peek() == Some('/') => {
                    self.advance();
                    return Ok(());
                }
                Some(_) => {}
                None => return error(pos, "comment is not terminated: '*/' is missing"),
            }
        }
    }

    /// The text between two quotes; a doubled quote stands for one.
    fn string(&mut self, pos: Pos, quote: char) -> Result<String, SyntaxError> {
        self.advance();
        let mut text = String::new();
        loop {
            match self.advance() {
                Some(letter) if letter == quote => {
                    if self.peek() != Some(quote) {
                        return Ok(text);
                    }
                    self.advance();
                    text.push(quote);
                }
                Some('\\') if self.dialect == Dialect::Hive => self.hive_escape(&mut text),
                Some(letter) => text.push(letter),
                None => return error(pos, format!("string is not terminated: the closing {quote} is missing")),
            }
        }
    }

    /// Hive's escapes: `\n`, `\001` (octal), `\u0041`; `\%` and `\_` keep their backslash, others lose it.
    fn hive_escape(&mut self, text: &mut String) {
        if let Some(letter) = self.coded(0, 3, 8).or_else(|| self.coded_unicode()) {
            text.push(letter);
            return;
        }
        match self.advance() {
            Some('0') => text.push('\0'),
            Some('b') => text.push('\u{8}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('Z') => text.push('\u{1a}'),
            Some(letter @ ('%' | '_')) => text.extend(['\\', letter]),
            Some(letter) => text.push(letter),
            None => {}
        }
    }

    fn coded_unicode(&mut self) -> Option<char> {
        (self.peek() == Some('u')).then(|| self.coded(1, 4, 16)).flatten()
    }

    /// Takes the character whose code stands in `digits` digits after `skip` characters; takes nothing if it isn't one.
    fn coded(&mut self, skip: usize, digits: usize, radix: u32) -> Option<char> {
        let code: String = self.rest.clone().skip(skip).take(digits).collect();
        if code.chars().count() != digits || !code.chars().all(|digit| digit.is_digit(radix)) {
            return None;
        }
        let letter = char::from_u32(u32::from_str_radix(&code, radix).ok()?)?;
        for _ in 0..skip + digits {
            self.advance();
        }
        Some(letter)
    }

    fn quoted_identifier(&mut self, pos: Pos, quote: char) -> Result<TokenKind, SyntaxError> {
        self.advance();
        let mut name = String::new();
        loop {
            match self.advance() {
                Some(letter) if letter == quote && self.peek() == Some(quote) => {
                    self.advance();
                    name.push(quote);
                }
                Some(letter) if letter == quote => break,
                Some(letter) => name.push(letter),
                None => return error(pos, format!("identifier is not terminated: the closing {quote} is missing")),
            }
        }
        if name.is_empty() {
            error(pos, "Zero-length delimited identifier not allowed")
        } else {
            Ok(TokenKind::Quoted(name))
        }
    }

    fn binary(&mut self, pos: Pos) -> Result<TokenKind, SyntaxError> {
        self.advance();
        let text: Vec<char> = self.string(pos, '\'')?.chars().filter(|letter| !letter.is_whitespace()).collect();
        let digits: Option<Vec<u8>> = text.iter().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
        match digits {
            None => error(pos, "Binary literal can only contain hexadecimal digits"),
            Some(digits) if digits.len() % 2 == 1 => error(pos, "Binary literal must contain an even number of digits"),
            Some(digits) => Ok(TokenKind::Binary(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())),
        }
    }

    /// Whether this comes after the next character, and a text begins with it that ends.
    fn begins_literal(&self, mark: &str) -> bool {
        let mut ahead = self.rest.clone().skip(1);
        let begins = mark.chars().all(|letter| ahead.next() == Some(letter));
        begins && (self.dialect == Dialect::Hive || ahead.any(|letter| letter == '\''))
    }

    /// Whether the quote that comes is closed by one that isn't doubled.
    fn closes(&self, quote: char) -> bool {
        let mut letters = self.rest.clone().skip(1).peekable();
        while let Some(letter) = letters.next() {
            if letter == quote && letters.next_if_eq(&quote).is_none() {
                return true;
            }
        }
        false
    }

    /// A quote that nothing closes. As much as can be read as a text or a name is one: up to the last doubled quote, whose
    /// first half closes it.
    fn open(&mut self, quote: char) -> TokenKind {
        let mut letters = self.rest.clone().enumerate().skip(1).peekable();
        let mut end = None;
        while let Some((at, letter)) = letters.next() {
            if letter == quote && letters.next_if(|(_, next)| *next == quote).is_some() {
                end = Some(at);
            }
        }
        self.advance();
        let Some(end) = end else { return TokenKind::Unrecognized(quote) };
        let mut text = String::new();
        for _ in 1..end {
            text.extend(self.advance());
        }
        self.advance();
        let text = text.replace(&format!("{quote}{quote}"), &quote.to_string());
        if quote == '"' { TokenKind::Quoted(text) } else { TokenKind::String(text) }
    }

    /// `U&'…\00e9…\+01f600…\\'`
    fn unicode_string(&mut self, pos: Pos) -> Result<TokenKind, SyntaxError> {
        self.advance();
        self.advance();
        let mut text = String::new();
        let body = self.string(pos, '\'')?;
        let escape = self.escape_character(pos)?.unwrap_or('\\');
        let mut rest = body.as_str();
        while let Some(at) = rest.find(escape) {
            text.push_str(&rest[..at]);
            rest = &rest[at + escape.len_utf8()..];
            if let Some(after) = rest.strip_prefix(escape) {
                text.push(escape);
                rest = after;
                continue;
            }
            let (skip, digits) = if rest.starts_with('+') { (1, 6) } else { (0, 4) };
            let code = rest.get(skip..skip + digits).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let Some(code) = code else {
                let mut letters = rest.chars().skip(skip).take(digits).peekable();
                let known: String = std::iter::from_fn(|| letters.next_if(char::is_ascii_hexdigit)).collect();
                return match letters.next().filter(|_| known.is_empty()) {
                    Some(letter) => error(pos, format!("Invalid hexadecimal digit: {letter}")),
                    None => error(pos, format!("Incomplete escape sequence: {known}")),
                };
            };
            let Some(letter) = u32::from_str_radix(code, 16).ok().and_then(char::from_u32) else {
                let why = match u32::from_str_radix(code, 16) {
                    Ok(0xD800..=0xDFFF) => ". Escaped character is a surrogate. Use '\\+123456' instead.",
                    _ => "",
                };
                return error(pos, format!("Invalid escaped character: {code}{why}"));
            };
            text.push(letter);
            rest = &rest[skip + digits..];
        }
        text.push_str(rest);
        Ok(TokenKind::String(text))
    }

    /// The character of `UESCAPE '#'`, if that follows.
    fn escape_character(&mut self, literal: Pos) -> Result<Option<char>, SyntaxError> {
        const WORD: &str = "UESCAPE";
        let blanks = self.rest.clone().take_while(|letter| letter.is_whitespace()).count();
        let mut word = self.rest.clone().skip(blanks);
        if !WORD.chars().all(|letter| word.next().is_some_and(|next| next.eq_ignore_ascii_case(&letter))) {
            return Ok(None);
        }
        for _ in 0..blanks + WORD.len() {
            self.advance();
        }
        self.skip_blanks()?;
        let pos = self.pos;
        let text = if self.peek() == Some('\'') { self.string(pos, '\'')? } else { String::new() };
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_ascii_hexdigit() && !matches!(letter, '\'' | '"' | '+') => {
                Ok(Some(letter))
            }
            _ => error(literal, format!("Invalid Unicode escape character: {text}")),
        }
    }

    /// A number, with the underscores that make it readable only in whole numbers. What continues digits as a name would is
    /// refused, but after a point a name may follow: `1.5x` is `1.5 x`.
    fn number(&mut self, pos: Pos) -> Result<TokenKind, SyntaxError> {
        let written = self.ahead_of_number();
        let name = length(&written, |letter| letter.is_ascii_alphanumeric() || letter == b'_');
        let radix = if self.dialect == Dialect::Trino { radix_digits(&written) } else { 0 };
        let whole = digits(&written, u8::is_ascii_digit);
        let decimal = match written.as_bytes().get(whole) {
            Some(b'.') => {
                let fraction = digits(&written[whole + 1..], u8::is_ascii_digit);
                if whole + fraction == 0 { 0 } else { whole + 1 + fraction }
            }
            _ => 0,
        };
        let double = double(&written);
        let longest = radix.max(whole).max(decimal).max(double);
        if longest == 0 || (name > longest && written.as_bytes()[0].is_ascii_digit()) {
            return error(pos, "identifiers must not start with a digit; surround the identifier with double quotes");
        }
        for _ in 0..longest {
            self.advance();
        }
        if self.peek().is_some_and(|letter| !letter.is_ascii() && begins_word(letter)) {
            return error(pos, "identifiers must not start with a digit; surround the identifier with double quotes");
        }
        let text = written[..longest].to_owned();
        Ok(match longest {
            longest if longest == double => TokenKind::Double(text),
            longest if longest == decimal => TokenKind::Decimal(text.replace('_', "")),
            _ => TokenKind::Integer(text),
        })
    }

    /// What comes next as far as it may belong to a number or to a name that begins with digits.
    fn ahead_of_number(&self) -> String {
        let mut text = String::new();
        for letter in self.rest.clone() {
            let signs = matches!(letter, '+' | '-') && text.ends_with(['e', 'E']);
            if !signs && !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | '.') {
                break;
            }
            text.push(letter);
        }
        text
    }

    fn symbol(&mut self, pos: Pos, letter: char) -> Result<TokenKind, SyntaxError> {
        let second = self.peek_second();
        let fits = |symbol: &&&str| {
            let mut letters = symbol.chars();
            letters.next() == Some(letter) && letters.next().is_none_or(|next| Some(next) == second)
        };
        let Some(symbol) = SYMBOLS.iter().find(fits) else {
            if self.dialect == Dialect::Hive {
                return error(pos, format!("mismatched input '{letter}'"));
            }
            self.advance();
            return Ok(TokenKind::Unrecognized(letter));
        };
        for _ in 0..symbol.len() {
            self.advance();
        }
        Ok(TokenKind::Symbol(symbol))
    }
}

/// How many bytes at the beginning are of a kind.
fn length(text: &str, fits: impl Fn(u8) -> bool) -> usize {
    text.bytes().take_while(|letter| fits(*letter)).count()
}

/// The length of the digits that a text begins with, each after at most one underscore, the first after none.
fn digits(text: &str, is_digit: impl Fn(&u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    loop {
        let skip = usize::from(end > 0 && bytes.get(end) == Some(&b'_'));
        if !bytes.get(end + skip).is_some_and(&is_digit) {
            return end;
        }
        end += skip + 1;
    }
}

/// The length of `0x_1F` and its like, if a text begins with that.
fn radix_digits(text: &str) -> usize {
    let Some(radix) = text.get(..2).and_then(radix_of) else { return 0 };
    let rest = &text[2..];
    let skip = usize::from(rest.starts_with('_'));
    match digits(&rest[skip..], |digit| char::from(*digit).is_digit(radix)) {
        0 => 0,
        count => 2 + skip + count,
    }
}

/// What `0x`, `0o` and `0b` stand for.
fn radix_of(prefix: &str) -> Option<u32> {
    match prefix {
        "0x" | "0X" => Some(16),
        "0o" | "0O" => Some(8),
        "0b" | "0B" => Some(2),
        _ => None,
    }
}

/// The length of `1.5e-3` and its like, if a text begins with that.
fn double(text: &str) -> usize {
    let mut end = length(text, |digit| digit.is_ascii_digit());
    if text[end..].starts_with('.') {
        let fraction = length(&text[end + 1..], |digit| digit.is_ascii_digit());
        if end + fraction == 0 {
            return 0;
        }
        end += 1 + fraction;
    }
    if end == 0 || !text[end..].starts_with(['e', 'E']) {
        return 0;
    }
    let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
    match length(&text[end + 1 + sign..], |digit| digit.is_ascii_digit()) {
        0 => 0,
        count => end + 1 + sign + count,
    }
}

/// The number that a token [`TokenKind::Integer`] stands for, in decimal digits; none if it is more than a bigint.
pub(crate) fn decimal_digits(written: &str) -> Option<String> {
    let plain: String = written.chars().filter(|letter| *letter != '_').collect();
    match plain.get(..2).and_then(radix_of) {
        Some(radix) => i64::from_str_radix(&plain[2..], radix).ok().map(|number| number.to_string()),
        None => Some(plain),
    }
}

#[cfg(test)]
mod tests;
