//! The place in the tokens where the grammars are, and the questions they ask there.

use super::ast::Ident;
use super::error::{Pos, SyntaxError};
use super::lexer::{Dialect, Token, TokenKind, tokenize};

pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// How deep grammar rules may nest and trees may grow: a debug build needs under 1.5 MB of stack for it, a thread has 2 MB.
const MAX_DEPTH: usize = 100;

/// Trino's reserved words ("Keywords and identifiers"): no identifier without quotes.
const RESERVED: &str = " ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE \
    CURRENT_PATH CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE \
    DISTINCT DROP ELSE END ESCAPE EXCEPT EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT \
    INTERSECT INTO IS JOIN JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_TABLE JSON_VALUE LEFT LIKE LISTAGG \
    LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE RIGHT ROLLUP SELECT SKIP \
    TABLE THEN TRIM TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WITH ";

pub(super) struct Cursor {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// The depth of the deepest node since the innermost [`Cursor::scoped`] rule began.
    deepest: usize,
    parameters: usize,
}

impl Cursor {
    pub(super) fn new(text: &str, dialect: Dialect) -> Parsed<Self> {
        Ok(Self { tokens: tokenize(text, dialect)?, at: 0, depth: 0, deepest: 0, parameters: 0 })
    }

    pub(super) fn token(&self) -> &TokenKind {
        self.ahead(0)
    }

    /// The token `count` further on; the end, when there are not so many.
    pub(super) fn ahead(&self, count: usize) -> &TokenKind {
        self.tokens.get(self.at + count).map_or(&TokenKind::End, |token| &token.kind)
    }

    pub(super) fn pos(&self) -> Pos {
        let last = self.tokens.len() - 1;
        self.tokens[self.at.min(last)].pos
    }

    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    /// Number of the next `?`, from 0.
    pub(super) fn next_parameter(&mut self) -> usize {
        self.parameters += 1;
        self.parameters - 1
    }

    pub(super) fn is_word_at(&self, count: usize, keyword: &str) -> bool {
        matches!(self.ahead(count), TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn is_symbol_at(&self, count: usize, symbol: &str) -> bool {
        matches!(self.ahead(count), TokenKind::Symbol(found) if *found == symbol)
    }

    /// Takes the keywords if all of them come now.
    pub(super) fn take(&mut self, keywords: &str) -> bool {
        let count = keywords.split(' ').count();
        let fits = keywords.split(' ').enumerate().all(|(index, keyword)| self.is_word_at(index, keyword));
        if fits {
            self.at += count;
        }
        fits
    }

    pub(super) fn take_symbol(&mut self, symbol: &str) -> bool {
        let fits = self.is_symbol_at(0, symbol);
        self.at += usize::from(fits);
        fits
    }

    pub(super) fn expect(&mut self, keyword: &str) -> Parsed<()> {
        if self.take(keyword) { Ok(()) } else { self.mismatch(&format!("'{keyword}'")) }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.take_symbol(symbol) { Ok(()) } else { self.mismatch(&format!("'{symbol}'")) }
    }

    pub(super) fn identifier(&mut self) -> Parsed<Ident> {
        self.take_identifier().map_or_else(|| self.mismatch("<identifier>"), Ok)
    }

    pub(super) fn take_identifier(&mut self) -> Option<Ident> {
        let pos = self.pos();
        let ident = match self.token() {
            TokenKind::Word(word) if !is_reserved(word) => Ident { pos, value: word.clone(), quoted: false },
            TokenKind::Quoted(name) => Ident { pos, value: name.clone(), quoted: true },
            _ => return None,
        };
        self.advance();
        Some(ident)
    }

    /// One item or more, with commas between them.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Runs a rule that may contain itself, one level further down.
    pub(super) fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let result = if self.depth > MAX_DEPTH { self.too_deep() } else { rule(self) };
        self.depth -= 1;
        result
    }

    /// Runs a rule that may [wrap](Self::wrap) what it has read.
    pub(super) fn scoped<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outside = std::mem::replace(&mut self.deepest, self.depth);
        let result = rule(self);
        self.deepest = self.deepest.max(outside);
        result
    }

    /// Says that what the scoped rule has read so far becomes the left child of a new node, and so gets one level deeper:
    /// a chain such as `1 + 1 + 1` grows its tree without any nesting of rules.
    pub(super) fn wrap(&mut self) -> Parsed<()> {
        self.deepest += 1;
        if self.deepest > MAX_DEPTH { self.too_deep() } else { Ok(()) }
    }

    fn too_deep<T>(&self) -> Parsed<T> {
        self.refuse("statement is too deeply nested")
    }

    pub(super) fn refuse<T>(&self, message: &str) -> Parsed<T> {
        Err(SyntaxError { pos: self.pos(), message: message.into() })
    }

    pub(super) fn mismatch<T>(&self, expecting: &str) -> Parsed<T> {
        let found = match self.token() {
            TokenKind::Word(text) | TokenKind::Integer(text) | TokenKind::Decimal(text) | TokenKind::Double(text) => {
                text.clone()
            }
            TokenKind::Quoted(name) => format!("\"{name}\""),
            TokenKind::String(text) => format!("'{text}'"),
            TokenKind::Binary(_) => "X'…'".into(),
            TokenKind::Symbol(symbol) => (*symbol).into(),
            TokenKind::End => "<EOF>".into(),
        };
        self.refuse(&format!("mismatched input '{found}'. Expecting: {expecting}"))
    }
}

pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&format!(" {} ", word.to_ascii_uppercase()))
}
