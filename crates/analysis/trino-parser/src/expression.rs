//! Expressions, by precedence: OR, AND, NOT, predicates, `||`, `+ -`, `* / %`, signs, AT TIME ZONE, postfixes.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};
use crate::error::{Pos, SyntaxError};
use crate::lexer::{TokenKind, decimal_digits};

/// How strongly an operator binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// Everything may come.
    Loosest,
    Or,
    And,
    Not,
    Predicate,
    Concat,
    Add,
    Multiply,
    Sign,
    Zone,
    Postfix,
}

#[derive(Clone, Copy)]
enum Infix {
    Logical(LogicalOp),
    Predicate,
    Binary(BinaryOp),
    Zone,
}

/// How strongly an expression's outermost operator binds.
pub(crate) fn strength(kind: &ExprKind) -> Strength {
    match kind {
        ExprKind::Lambda { .. } => Strength::Loosest,
        ExprKind::Logical { op: LogicalOp::Or, .. } => Strength::Or,
        ExprKind::Logical { op: LogicalOp::And, .. } => Strength::And,
        ExprKind::Not(_) => Strength::Not,
        ExprKind::Comparison { .. }
        | ExprKind::IsNull { .. }
        | ExprKind::IsDistinctFrom { .. }
        | ExprKind::Between { .. }
        | ExprKind::InList { .. }
        | ExprKind::InSubquery { .. }
        | ExprKind::Like { .. }
        | ExprKind::Quantified { .. } => Strength::Predicate,
        ExprKind::Binary { op, .. } => binary_strength(*op),
        ExprKind::Unary { .. } => Strength::Sign,
        ExprKind::AtTimeZone { .. } => Strength::Zone,
        _ => Strength::Postfix,
    }
}

pub(crate) fn binary_strength(op: BinaryOp) -> Strength {
    match op {
        BinaryOp::Concat => Strength::Concat,
        BinaryOp::Add | BinaryOp::Subtract => Strength::Add,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulus => Strength::Multiply,
    }
}

impl Cursor<'_> {
    pub(crate) fn expression(&mut self) -> Parsed<Expr> {
        self.operand(Strength::Loosest)
    }

    /// An expression without AND, OR, NOT and predicates.
    pub(crate) fn value(&mut self) -> Parsed<Expr> {
        self.operand(Strength::Predicate)
    }

    /// An expression of the operators that bind more strongly than one.
    fn operand(&mut self, above: Strength) -> Parsed<Expr> {
        self.nested(|cursor| {
            cursor.scoped(|cursor| {
                let (mut left, mut at_most) = cursor.prefix(above)?;
                while let Some((infix, strength)) = cursor.infix(above, at_most) {
                    cursor.wrap()?;
                    left = cursor.infix_tail(left, infix, strength)?;
                    at_most = if strength == Strength::Predicate { Strength::Not } else { strength };
                }
                Ok(left)
            })
        })
    }

    /// The expression's first operand, and the strongest operator that may follow it.
    fn prefix(&mut self, above: Strength) -> Parsed<(Expr, Strength)> {
        let pos = self.pos();
        if self.is_word_at(0, "NOT") && above < Strength::Not {
            self.advance();
            let term = self.operand(Strength::And)?;
            return Ok((Node::new(pos, ExprKind::Not(Box::new(term))), Strength::And));
        }
        let op = match self.token() {
            TokenKind::Symbol("-") if !self.number_at(1) => UnaryOp::Minus,
            TokenKind::Symbol("+") => UnaryOp::Plus,
            _ => return Ok((self.postfix()?, Strength::Postfix)),
        };
        self.advance();
        let expr = Box::new(self.operand(Strength::Sign)?);
        Ok((Node::new(pos, ExprKind::Unary { op, expr }), Strength::Multiply))
    }

    fn number_at(&self, count: usize) -> bool {
        matches!(self.ahead(count), TokenKind::Integer(_) | TokenKind::Decimal(_) | TokenKind::Double(_))
    }

    /// The next operator, if its strength fits.
    fn infix(&mut self, above: Strength, at_most: Strength) -> Option<(Infix, Strength)> {
        let fits = |strength: Strength| above < strength && strength <= at_most;
        let found = self.infix_here();
        let fitting = found.filter(|(_, strength)| fits(*strength));
        if fitting.is_none() {
            self.could_be_infix(fits);
        }
        fitting
    }

    fn infix_here(&self) -> Option<(Infix, Strength)> {
        let op = match self.token() {
            TokenKind::Symbol("||") => BinaryOp::Concat,
            TokenKind::Symbol("+") => BinaryOp::Add,
            TokenKind::Symbol("-") => BinaryOp::Subtract,
            TokenKind::Symbol("*") => BinaryOp::Multiply,
            TokenKind::Symbol("/") => BinaryOp::Divide,
            TokenKind::Symbol("%") => BinaryOp::Modulus,
            TokenKind::Symbol("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=") => {
                return Some((Infix::Predicate, Strength::Predicate));
            }
            TokenKind::Word(word) => return self.infix_word(&word.to_ascii_uppercase()),
            _ => return None,
        };
        Some((Infix::Binary(op), binary_strength(op)))
    }

    fn infix_word(&self, word: &str) -> Option<(Infix, Strength)> {
        Some(match word {
            "OR" => (Infix::Logical(LogicalOp::Or), Strength::Or),
            "AND" => (Infix::Logical(LogicalOp::And), Strength::And),
            "IS" | "BETWEEN" | "IN" | "LIKE" | "NOT" => (Infix::Predicate, Strength::Predicate),
            "AT" if self.is_word_at(1, "TIME") => (Infix::Zone, Strength::Zone),
            _ => return None,
        })
    }

    fn could_be_infix(&mut self, fits: impl Fn(Strength) -> bool) {
        const OPERATORS: [(&str, Strength); 10] = [
            ("OR", Strength::Or),
            ("AND", Strength::And),
            ("<predicate>", Strength::Predicate),
            ("||", Strength::Concat),
            ("+", Strength::Add),
            ("-", Strength::Add),
            ("*", Strength::Multiply),
            ("/", Strength::Multiply),
            ("%", Strength::Multiply),
            ("AT", Strength::Zone),
        ];
        for (operator, strength) in OPERATORS {
            if fits(strength) {
                self.could_be(operator);
            }
        }
    }

    fn infix_tail(&mut self, left: Expr, infix: Infix, strength: Strength) -> Parsed<Expr> {
        // Trino says where an operator stands, and not its first operand.
        let pos = if matches!(infix, Infix::Binary(_)) { self.pos() } else { left.pos };
        let kind = match infix {
            Infix::Logical(op) => return self.logical(left, op, strength),
            Infix::Predicate => return self.predicate(left),
            Infix::Binary(op) => {
                self.advance();
                let right = Box::new(self.operand(strength)?);
                ExprKind::Binary { op, left: Box::new(left), right }
            }
            Infix::Zone => {
                self.expect("AT TIME ZONE")?;
                ExprKind::AtTimeZone { expr: Box::new(left), zone: Box::new(self.zone()?) }
            }
        };
        Ok(Node::new(pos, kind))
    }

    fn zone(&mut self) -> Parsed<Expr> {
        let pos = self.pos();
        if self.is_word_at(0, "INTERVAL") {
            return self.interval(pos);
        }
        self.could_be("INTERVAL");
        Ok(Node::new(pos, ExprKind::String(self.string()?)))
    }

    fn logical(&mut self, first: Expr, op: LogicalOp, strength: Strength) -> Parsed<Expr> {
        let pos = first.pos;
        let keyword = if op == LogicalOp::Or { "OR" } else { "AND" };
        let mut terms = vec![first];
        while self.take(keyword) {
            terms.push(self.operand(strength)?);
        }
        Ok(Node::new(pos, ExprKind::Logical { op, terms }))
    }

    pub(crate) fn comparison(&mut self) -> Option<ComparisonOp> {
        let op = match self.token() {
            TokenKind::Symbol("=") => ComparisonOp::Equal,
            TokenKind::Symbol("<>" | "!=") => ComparisonOp::NotEqual,
            TokenKind::Symbol("<") => ComparisonOp::Less,
            TokenKind::Symbol("<=") => ComparisonOp::LessOrEqual,
            TokenKind::Symbol(">") => ComparisonOp::Greater,
            TokenKind::Symbol(">=") => ComparisonOp::GreaterOrEqual,
            _ => return None,
        };
        self.advance();
        Some(op)
    }

    fn predicate(&mut self, subject: Expr) -> Parsed<Expr> {
        let pos = self.pos();
        let expr = Box::new(subject);
        let kind = if let Some(op) = self.comparison() {
            self.compared(op, expr)?
        } else if self.take("IS") {
            self.tested(expr)?
        } else {
            self.matched(expr)?
        };
        Ok(Node::new(pos, kind))
    }

    fn compared(&mut self, op: ComparisonOp, left: Box<Expr>) -> Parsed<ExprKind> {
        if self.is_any_word_at(0, &["ALL", "ANY", "SOME"]) && self.is_symbol_at(1, "(") && self.begins_query(2) {
            let quantifier = if self.is_word_at(0, "ALL") { Quantifier::All } else { Quantifier::Any };
            self.advance();
            let query = self.boxed_subquery()?;
            return Ok(ExprKind::Quantified { op, quantifier, left, query });
        }
        Ok(ExprKind::Comparison { op, left, right: Box::new(self.value()?) })
    }

    /// `IS …`
    fn tested(&mut self, expr: Box<Expr>) -> Parsed<ExprKind> {
        let negated = self.take("NOT");
        if self.take("NULL") {
            return Ok(ExprKind::IsNull { expr, negated });
        }
        self.expect("DISTINCT FROM")?;
        Ok(ExprKind::IsDistinctFrom { left: expr, right: Box::new(self.value()?), negated })
    }

    /// `[NOT] BETWEEN …`, `[NOT] IN …`, `[NOT] LIKE …`
    fn matched(&mut self, expr: Box<Expr>) -> Parsed<ExprKind> {
        let negated = self.take("NOT");
        if self.take("BETWEEN") {
            let low = Box::new(self.value()?);
            self.expect("AND")?;
            return Ok(ExprKind::Between { expr, low, high: Box::new(self.value()?), negated });
        }
        // An empty list is none, and so IN is a word too many.
        if !negated && self.is_word_at(0, "IN") && self.is_symbol_at(1, "(") && self.is_symbol_at(2, ")") {
            return self.mismatch();
        }
        if self.take("IN") {
            if self.is_symbol_at(0, "(") && self.begins_query(1) && !self.is_wrapped_at(1) {
                let query = self.boxed_subquery()?;
                return Ok(ExprKind::InSubquery { expr, query, negated });
            }
            return Ok(ExprKind::InList { expr, list: self.listed(Self::expression)?, negated });
        }
        self.expect("LIKE")?;
        let pattern = Box::new(self.value()?);
        let escape = if self.take("ESCAPE") { Some(Box::new(self.value()?)) } else { None };
        Ok(ExprKind::Like { expr, pattern, escape, negated })
    }

    /// Whether a parenthesis opens here that the enclosing one's directly follows: then a query in it is a value in a list.
    fn is_wrapped_at(&self, count: usize) -> bool {
        self.is_symbol_at(count, "(") && self.closing(count).is_some_and(|close| self.is_symbol_at(close + 1, ")"))
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        self.scoped(|cursor| {
            let mut base = cursor.primary()?;
            let pos = base.pos;
            loop {
                if cursor.take_symbol("[") {
                    let index = Box::new(cursor.value()?);
                    cursor.expect_symbol("]")?;
                    base = Node::new(pos, ExprKind::Subscript { base: Box::new(base), index });
                } else if !cursor.is_symbol_at(1, "*") && cursor.take_symbol(".") {
                    let field = cursor.identifier()?;
                    base = Node::new(pos, ExprKind::Dereference { base: Box::new(base), field });
                } else {
                    return Ok(base);
                }
                cursor.wrap()?;
            }
        })
    }

    /// A number with its sign.
    pub(crate) fn number(&mut self, pos: Pos) -> Parsed<Expr> {
        let minus = self.is_symbol_at(0, "-");
        if minus {
            self.advance();
        }
        let sign = if minus { "-" } else { "" };
        let kind = match self.token() {
            TokenKind::Integer(digits) => match signed(sign, digits) {
                Some(value) => ExprKind::Integer(value),
                // Trino says so of the whole statement.
                None => {
                    let message = format!("Invalid numeric literal: {sign}{digits}");
                    return Err(SyntaxError { pos: Mark::default().0, message });
                }
            },
            TokenKind::Decimal(digits) => ExprKind::Decimal(format!("{sign}{digits}")),
            TokenKind::Double(digits) => ExprKind::Double(format!("{sign}{digits}")),
            _ => return self.mismatch_of(&["<number>"]),
        };
        self.advance();
        Ok(Node::new(pos, kind))
    }
}

/// A whole number with its sign; hexadecimal, octal and binary ones have none.
fn signed(sign: &str, digits: &str) -> Option<i64> {
    let decimal = decimal_digits(digits)?;
    let is_decimal = digits.bytes().all(|digit| digit.is_ascii_digit() || digit == b'_');
    (sign.is_empty() || is_decimal).then(|| format!("{sign}{decimal}").parse().ok()).flatten()
}
