//! Expressions, by precedence: OR, AND, NOT, predicates, `+ - ||`, `* / %`, signs, postfixes.

use super::ast::*;
use super::cursor::{Cursor, Parsed};
use super::error::Pos;
use super::lexer::TokenKind;

impl Cursor {
    pub(super) fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|cursor| cursor.logical(LogicalOp::Or))
    }

    fn logical(&mut self, op: LogicalOp) -> Parsed<Expr> {
        let pos = self.pos();
        let keyword = if op == LogicalOp::Or { "OR" } else { "AND" };
        let mut terms = Vec::new();
        loop {
            terms.push(if op == LogicalOp::Or { self.logical(LogicalOp::And)? } else { self.negation()? });
            if !self.take(keyword) {
                break;
            }
        }
        if terms.len() == 1 { Ok(terms.remove(0)) } else { Ok(Node::new(pos, ExprKind::Logical { op, terms })) }
    }

    fn negation(&mut self) -> Parsed<Expr> {
        let pos = self.pos();
        if !self.take("NOT") {
            return self.predicate();
        }
        let term = self.nested(Self::negation)?;
        Ok(Node::new(pos, ExprKind::Not(Box::new(term))))
    }

    fn predicate(&mut self) -> Parsed<Expr> {
        self.scoped(|cursor| {
            let mut expr = cursor.value(0)?;
            while let Some(next) = cursor.predicate_tail(&expr)? {
                cursor.wrap()?;
                expr = next;
            }
            Ok(expr)
        })
    }

    fn comparison(&mut self) -> Option<ComparisonOp> {
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

    fn predicate_tail(&mut self, subject: &Expr) -> Parsed<Option<Expr>> {
        let pos = subject.pos;
        let expr = || Box::new(subject.clone());
        if let Some(op) = self.comparison() {
            let right = Box::new(self.value(0)?);
            return Ok(Some(Node::new(pos, ExprKind::Comparison { op, left: expr(), right })));
        }
        if self.take("IS") {
            let negated = self.take("NOT");
            if self.take("NULL") {
                return Ok(Some(Node::new(pos, ExprKind::IsNull { expr: expr(), negated })));
            }
            self.expect("DISTINCT FROM")?;
            let right = Box::new(self.value(0)?);
            return Ok(Some(Node::new(pos, ExprKind::IsDistinctFrom { left: expr(), right, negated })));
        }
        let negated = self.take("NOT");
        let kind = if self.take("BETWEEN") {
            let low = Box::new(self.value(0)?);
            self.expect("AND")?;
            ExprKind::Between { expr: expr(), low, high: Box::new(self.value(0)?), negated }
        } else if self.take("IN") {
            self.expect_symbol("(")?;
            let list = self.list(Self::expression)?;
            self.expect_symbol(")")?;
            ExprKind::InList { expr: expr(), list, negated }
        } else if self.take("LIKE") {
            let pattern = Box::new(self.value(0)?);
            let escape = if self.take("ESCAPE") { Some(Box::new(self.value(0)?)) } else { None };
            ExprKind::Like { expr: expr(), pattern, escape, negated }
        } else if negated {
            return self.mismatch("'BETWEEN', 'IN', 'LIKE'");
        } else {
            return Ok(None);
        };
        Ok(Some(Node::new(pos, kind)))
    }

    fn binary_operator(&self) -> Option<(BinaryOp, u8)> {
        Some(match self.token() {
            TokenKind::Symbol("||") => (BinaryOp::Concat, 1),
            TokenKind::Symbol("+") => (BinaryOp::Add, 1),
            TokenKind::Symbol("-") => (BinaryOp::Subtract, 1),
            TokenKind::Symbol("*") => (BinaryOp::Multiply, 2),
            TokenKind::Symbol("/") => (BinaryOp::Divide, 2),
            TokenKind::Symbol("%") => (BinaryOp::Modulus, 2),
            _ => return None,
        })
    }

    fn value(&mut self, above: u8) -> Parsed<Expr> {
        self.scoped(|cursor| {
            let mut left = cursor.signed()?;
            while let Some((op, strength)) = cursor.binary_operator().filter(|(_, strength)| *strength > above) {
                cursor.advance();
                cursor.wrap()?;
                let right = cursor.value(strength)?;
                let pos = left.pos;
                left = Node::new(pos, ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) });
            }
            Ok(left)
        })
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let pos = self.pos();
        let op = match self.token() {
            TokenKind::Symbol("-") => UnaryOp::Minus,
            TokenKind::Symbol("+") => UnaryOp::Plus,
            _ => return self.postfix(),
        };
        if op == UnaryOp::Minus && self.number_at(1) {
            return self.postfix();
        }
        self.advance();
        let expr = Box::new(self.nested(Self::signed)?);
        Ok(Node::new(pos, ExprKind::Unary { op, expr }))
    }

    fn number_at(&self, count: usize) -> bool {
        matches!(self.ahead(count), TokenKind::Integer(_) | TokenKind::Decimal(_) | TokenKind::Double(_))
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        self.scoped(|cursor| {
            let mut base = cursor.primary()?;
            let pos = base.pos;
            loop {
                if cursor.take_symbol("[") {
                    let index = Box::new(cursor.expression()?);
                    cursor.expect_symbol("]")?;
                    base = Node::new(pos, ExprKind::Subscript { base: Box::new(base), index });
                } else if cursor.take_symbol(".") {
                    let field = cursor.identifier()?;
                    base = Node::new(pos, ExprKind::Dereference { base: Box::new(base), field });
                } else {
                    return Ok(base);
                }
                cursor.wrap()?;
            }
        })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let pos = self.pos();
        let kind = match self.token().clone() {
            TokenKind::Symbol("-") | TokenKind::Integer(_) | TokenKind::Decimal(_) | TokenKind::Double(_) => {
                return self.number(pos);
            }
            TokenKind::String(text) => ExprKind::String(text),
            TokenKind::Binary(bytes) => ExprKind::Bytes(bytes),
            TokenKind::Symbol("?") => ExprKind::Parameter(self.next_parameter()),
            TokenKind::Symbol("(") => return self.parenthesised(pos),
            TokenKind::Word(word) => return self.word(pos, &word),
            TokenKind::Quoted(_) => return self.name_or_call(pos),
            _ => return self.mismatch("<expression>"),
        };
        self.advance();
        Ok(Node::new(pos, kind))
    }

    fn number(&mut self, pos: Pos) -> Parsed<Expr> {
        let sign = if self.take_symbol("-") { "-" } else { "" };
        let kind = match self.token() {
            TokenKind::Integer(digits) => match format!("{sign}{digits}").parse() {
                Ok(value) => ExprKind::Integer(value),
                Err(_) => return self.refuse(&format!("Invalid numeric literal: {digits}")),
            },
            TokenKind::Decimal(digits) => ExprKind::Decimal(format!("{sign}{digits}")),
            TokenKind::Double(digits) => ExprKind::Double(format!("{sign}{digits}")),
            _ => return self.mismatch("<number>"),
        };
        self.advance();
        Ok(Node::new(pos, kind))
    }

    fn parenthesised(&mut self, pos: Pos) -> Parsed<Expr> {
        self.expect_symbol("(")?;
        if self.is_word_at(0, "SELECT") || self.is_word_at(0, "WITH") {
            return self.refuse("subqueries are not supported by this parser yet");
        }
        let mut items = self.list(Self::expression)?;
        self.expect_symbol(")")?;
        if items.len() == 1 { Ok(items.remove(0)) } else { Ok(Node::new(pos, ExprKind::Row(items))) }
    }

    fn word(&mut self, pos: Pos, word: &str) -> Parsed<Expr> {
        let kind = match word.to_ascii_uppercase().as_str() {
            "NULL" => ExprKind::Null,
            "TRUE" => ExprKind::Boolean(true),
            "FALSE" => ExprKind::Boolean(false),
            "CASE" => return self.case(pos),
            "ARRAY" if self.is_symbol_at(1, "[") => return self.array(pos),
            _ => {
                if let TokenKind::String(value) = self.ahead(1).clone() {
                    return self.typed_literal(pos, word, value);
                }
                return self.name_or_call(pos);
            }
        };
        self.advance();
        Ok(Node::new(pos, kind))
    }

    fn typed_literal(&mut self, pos: Pos, word: &str, value: String) -> Parsed<Expr> {
        if word.eq_ignore_ascii_case("INTERVAL") {
            return self.interval(pos);
        }
        self.identifier()?;
        self.advance();
        Ok(Node::new(pos, ExprKind::TypedLiteral { type_name: word.to_lowercase(), value }))
    }

    fn interval(&mut self, pos: Pos) -> Parsed<Expr> {
        self.advance();
        let TokenKind::String(value) = self.token().clone() else { return self.mismatch("<string>") };
        self.advance();
        let from = self.interval_field()?;
        let to = if self.take("TO") { Some(self.interval_field()?) } else { None };
        Ok(Node::new(pos, ExprKind::Interval { negative: false, value, from, to }))
    }

    fn interval_field(&mut self) -> Parsed<IntervalField> {
        use IntervalField::{Day, Hour, Minute, Month, Second, Year};
        let fields =
            [("YEAR", Year), ("MONTH", Month), ("DAY", Day), ("HOUR", Hour), ("MINUTE", Minute), ("SECOND", Second)];
        for (keyword, field) in fields {
            if self.take(keyword) {
                return Ok(field);
            }
        }
        self.mismatch("'DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'YEAR'")
    }

    fn case(&mut self, pos: Pos) -> Parsed<Expr> {
        self.expect("CASE")?;
        let operand = if self.is_word_at(0, "WHEN") { None } else { Some(Box::new(self.expression()?)) };
        let mut branches = Vec::new();
        while self.take("WHEN") {
            let condition = self.expression()?;
            self.expect("THEN")?;
            branches.push(WhenClause { condition, result: self.expression()? });
        }
        if branches.is_empty() {
            return self.mismatch("'WHEN'");
        }
        let otherwise = if self.take("ELSE") { Some(Box::new(self.expression()?)) } else { None };
        self.expect("END")?;
        Ok(Node::new(pos, ExprKind::Case { operand, branches, otherwise }))
    }

    fn array(&mut self, pos: Pos) -> Parsed<Expr> {
        self.advance();
        self.expect_symbol("[")?;
        let items = if self.is_symbol_at(0, "]") { Vec::new() } else { self.list(Self::expression)? };
        self.expect_symbol("]")?;
        Ok(Node::new(pos, ExprKind::Array(items)))
    }

    fn name_or_call(&mut self, pos: Pos) -> Parsed<Expr> {
        let Some(ident) = self.take_identifier() else { return self.mismatch("<expression>") };
        if !self.take_symbol("(") {
            return Ok(Node::new(pos, ExprKind::Identifier(ident)));
        }
        let mut call = FunctionCall::new(Name { parts: vec![ident] }, Vec::new());
        call.star = self.take_symbol("*");
        if !call.star {
            call.distinct = self.take("DISTINCT");
            if call.distinct || !self.is_symbol_at(0, ")") {
                call.args = self.list(Self::expression)?;
            }
        }
        self.expect_symbol(")")?;
        for clause in ["FILTER", "OVER", "WITHIN"] {
            if self.is_word_at(0, clause) && self.is_symbol_at(1, "(") {
                return self.refuse(&format!("{clause} is not supported by this parser yet"));
            }
        }
        Ok(Node::new(pos, ExprKind::Function(Box::new(call))))
    }
}
