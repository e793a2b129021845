//! The place in the tokens where the grammars are, and the questions they ask there.

use crate::ast::{Ident, Name};
use crate::error::{Pos, SyntaxError};
use crate::lexer::{Dialect, Token, TokenKind, decimal_digits, tokenize};
use crate::reserved;

pub(crate) type Parsed<T> = Result<T, SyntaxError>;

/// How deep grammar rules may nest: a debug build needs under 1.5 MB of stack for it, a thread has 2 MB.
const MAX_NESTING: usize = 100;

/// How high trees may grow, for those who walk over them: chains such as `a || b || c` grow without any nesting of rules.
const MAX_HEIGHT: usize = 250;

pub(crate) struct Cursor<'a> {
    text: &'a str,
    dialect: Dialect,
    tokens: Vec<Token>,
    /// For the index of each opening parenthesis, the index of the closing one.
    closing: Vec<Option<usize>>,
    at: usize,
    depth: usize,
    /// The depth of the deepest node since the innermost [`Cursor::scoped`] rule began.
    deepest: usize,
    parameters: usize,
    /// The furthest token that anything was expected at, and what was.
    expected_at: usize,
    expected: Vec<&'static str>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, dialect: Dialect) -> Parsed<Self> {
        let tokens = tokenize(text, dialect)?;
        let closing = matching_parentheses(&tokens);
        Ok(Self {
            text,
            dialect,
            tokens,
            closing,
            at: 0,
            depth: 0,
            deepest: 0,
            parameters: 0,
            expected_at: 0,
            expected: Vec::new(),
        })
    }

    pub(crate) fn token(&self) -> &TokenKind {
        self.ahead(0)
    }

    /// The token `count` further on; the end, when there are not so many.
    pub(crate) fn ahead(&self, count: usize) -> &TokenKind {
        self.tokens.get(self.at + count).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn pos_at(&self, at: usize) -> Pos {
        let last = self.tokens.len() - 1;
        self.tokens[at.min(last)].pos
    }

    pub(crate) fn pos(&self) -> Pos {
        self.pos_at(self.at)
    }

    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }

    /// How far the parenthesis that opens `count` tokens ahead is from the one that closes it.
    pub(crate) fn closing(&self, count: usize) -> Option<usize> {
        let close = self.closing.get(self.at + count).copied().flatten()?;
        Some(close - self.at)
    }

    /// Number of the next `?`, from 0.
    pub(crate) fn next_parameter(&mut self) -> usize {
        self.parameters += 1;
        self.parameters - 1
    }

    /// How many `?` have come so far.
    pub(crate) fn parameters(&self) -> usize {
        self.parameters
    }

    pub(crate) fn is_word_at(&self, count: usize, keyword: &str) -> bool {
        matches!(self.ahead(count), TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(crate) fn is_any_word_at(&self, count: usize, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is_word_at(count, keyword))
    }

    pub(crate) fn is_symbol_at(&self, count: usize, symbol: &str) -> bool {
        matches!(self.ahead(count), TokenKind::Symbol(found) if *found == symbol)
    }

    pub(crate) fn is_identifier_at(&self, count: usize) -> bool {
        match self.ahead(count) {
            TokenKind::Word(word) => !reserved::is_reserved(self.dialect, word),
            TokenKind::Quoted(_) => true,
            _ => false,
        }
    }

    /// Remembers what would have been right at a token, for the message if nothing else is.
    fn expected(&mut self, at: usize, what: &'static str) {
        if at > self.expected_at || self.expected.is_empty() {
            self.expected.clear();
            self.expected_at = at;
        }
        if at == self.expected_at {
            self.expected.push(what);
        }
    }

    /// Says what would also be right here.
    pub(crate) fn could_be(&mut self, what: &'static str) {
        self.expected(self.at, what);
    }

    /// Takes the keywords if all of them come now.
    pub(crate) fn take(&mut self, keywords: &'static str) -> bool {
        for (index, keyword) in keywords.split(' ').enumerate() {
            if !self.is_word_at(index, keyword) {
                self.expected(self.at + index, keyword);
                return false;
            }
        }
        self.at += keywords.split(' ').count();
        true
    }

    pub(crate) fn take_symbol(&mut self, symbol: &'static str) -> bool {
        let fits = self.is_symbol_at(0, symbol);
        if fits {
            self.at += 1;
        } else {
            self.could_be(symbol);
        }
        fits
    }

    pub(crate) fn expect(&mut self, keywords: &'static str) -> Parsed<()> {
        if self.take(keywords) { Ok(()) } else { self.mismatch() }
    }

    pub(crate) fn expect_symbol(&mut self, symbol: &'static str) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { self.mismatch() }
    }

    pub(crate) fn identifier(&mut self) -> Parsed<Ident> {
        self.take_identifier().map_or_else(|| self.mismatch(), Ok)
    }

    pub(crate) fn take_identifier(&mut self) -> Option<Ident> {
        if !self.is_identifier_at(0) {
            self.could_be("<identifier>");
            return None;
        }
        self.any_word()
    }

    /// A word without quotes, whether a keyword or not.
    pub(crate) fn take_word(&mut self) -> Option<Ident> {
        if matches!(self.token(), TokenKind::Word(_)) { self.any_word() } else { None }
    }

    /// An identifier, or a keyword in its place.
    pub(crate) fn any_word(&mut self) -> Option<Ident> {
        let pos = self.pos();
        let ident = match self.token() {
            TokenKind::Word(word) => Ident { pos, value: word.clone(), quoted: false },
            TokenKind::Quoted(name) => Ident { pos, value: name.clone(), quoted: true },
            _ => return None,
        };
        self.advance();
        Some(ident)
    }

    pub(crate) fn name(&mut self) -> Parsed<Name> {
        let mut parts = vec![self.identifier()?];
        while self.take_symbol(".") {
            parts.push(self.identifier()?);
        }
        Ok(Name { parts })
    }

    pub(crate) fn string(&mut self) -> Parsed<String> {
        self.take_string().map_or_else(|| self.mismatch(), Ok)
    }

    pub(crate) fn take_string(&mut self) -> Option<String> {
        let TokenKind::String(text) = self.token() else {
            self.could_be("<string>");
            return None;
        };
        let text = text.clone();
        self.advance();
        Some(text)
    }

    /// A number without sign and point.
    pub(crate) fn integer<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        let TokenKind::Integer(digits) = self.token() else {
            self.could_be("<integer>");
            return self.mismatch();
        };
        let number = decimal_digits(digits).and_then(|digits| digits.parse().ok());
        let Some(number) = number else { return self.refuse(&format!("Invalid numeric literal: {digits}")) };
        self.advance();
        Ok(number)
    }

    /// One of these keywords, and what it means.
    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[(&'static str, T)]) -> Parsed<T> {
        for (keywords, value) in choices {
            if self.take(keywords) {
                return Ok(*value);
            }
        }
        self.mismatch()
    }

    /// One item or more, with commas between them.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A rule in parentheses.
    pub(crate) fn parenthesised<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.expect_symbol("(")?;
        let result = rule(self)?;
        self.expect_symbol(")")?;
        Ok(result)
    }

    /// A list in parentheses.
    pub(crate) fn listed<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.parenthesised(|cursor| cursor.list(item))
    }

    /// A list in parentheses that may be empty.
    pub(crate) fn listed_or_empty<T>(&mut self, item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.is_symbol_at(0, "(") && self.is_symbol_at(1, ")") {
            self.at += 2;
            return Ok(Vec::new());
        }
        self.listed(item)
    }

    /// What a rule reads, and its text as it was written.
    pub(crate) fn with_text<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<(T, String)> {
        let from = self.tokens[self.at.min(self.tokens.len() - 1)].span.start;
        let result = rule(self)?;
        let to = self.tokens[self.at - 1].span.end;
        Ok((result, self.text[from..to].to_owned()))
    }

    /// Runs a rule that may contain itself, one level further down.
    pub(crate) fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let result = if self.depth > MAX_NESTING { self.too_deep() } else { rule(self) };
        self.depth -= 1;
        result
    }

    /// Runs a rule that may [wrap](Self::wrap) what it has read.
    pub(crate) fn scoped<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outside = std::mem::replace(&mut self.deepest, self.depth);
        let result = rule(self);
        self.deepest = self.deepest.max(outside);
        result
    }

    /// Says that what the scoped rule has read so far becomes the left child of a new node, and so gets one level deeper:
    /// a chain such as `1 + 1 + 1` grows its tree without any nesting of rules.
    pub(crate) fn wrap(&mut self) -> Parsed<()> {
        self.deepest += 1;
        if self.deepest > MAX_HEIGHT { self.too_deep() } else { Ok(()) }
    }

    fn too_deep<T>(&self) -> Parsed<T> {
        self.refuse("statement is too deeply nested")
    }

    pub(crate) fn refuse<T>(&self, message: &str) -> Parsed<T> {
        Err(SyntaxError { pos: self.pos(), message: message.into() })
    }

    /// Refuses the statement for a part of SQL that is known and not built.
    pub(crate) fn unsupported<T>(&self, what: &str) -> Parsed<T> {
        self.refuse(&format!("{what} is not supported"))
    }

    /// One of these was expected here.
    pub(crate) fn mismatch_of<T>(&mut self, what: &[&'static str]) -> Parsed<T> {
        for one in what {
            self.could_be(one);
        }
        self.mismatch()
    }

    /// Nothing that was expected has come.
    pub(crate) fn mismatch<T>(&self) -> Parsed<T> {
        let mut expected: Vec<String> = self.expected.iter().map(|what| display_expected(what)).collect();
        expected.sort();
        expected.dedup();
        let at = self.expected_at.max(self.at);
        let found = match self.tokens.get(at) {
            Some(token) if token.kind != TokenKind::End => &self.text[token.span.clone()],
            _ => "<EOF>",
        };
        let message = format!("mismatched input '{found}'. Expecting: {}", expected.join(", "));
        Err(SyntaxError { pos: self.pos_at(at), message })
    }

    /// The end of the statement, after an optional semicolon.
    pub(crate) fn end(&mut self) -> Parsed<()> {
        if self.is_symbol_at(0, ";") {
            self.advance();
            if *self.token() != TokenKind::End {
                return self.refuse(&format!("Only one sql statement is allowed. Got: {}", self.text));
            }
        }
        if *self.token() == TokenKind::End { Ok(()) } else { self.mismatch_of(&["<EOF>"]) }
    }
}

/// Rules such as `<expression>` stand for themselves, words and marks in quotes.
fn display_expected(what: &str) -> String {
    if what.len() > 2 && what.starts_with('<') { what.into() } else { format!("'{what}'") }
}

fn matching_parentheses(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut closing = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Symbol("(") => open.push(index),
            TokenKind::Symbol(")") => {
                if let Some(start) = open.pop() {
                    closing[start] = Some(index);
                }
            }
            _ => {}
        }
    }
    closing
}
