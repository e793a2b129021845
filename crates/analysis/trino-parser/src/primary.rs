//! Operands: literals, names, parentheses, the forms with words of their own.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};
use crate::error::Pos;
use crate::lexer::TokenKind;

impl Cursor<'_> {
    pub(crate) fn primary(&mut self) -> Parsed<Expr> {
        let pos = self.pos();
        let kind = match self.token().clone() {
            TokenKind::Symbol("-") | TokenKind::Integer(_) | TokenKind::Decimal(_) | TokenKind::Double(_) => {
                return self.number(pos);
            }
            TokenKind::String(text) => ExprKind::String(text),
            TokenKind::Binary(bytes) => ExprKind::Bytes(bytes),
            TokenKind::Symbol("?") => ExprKind::Parameter(self.next_parameter()),
            TokenKind::Symbol("(") => return self.in_parentheses(pos),
            TokenKind::Word(word) => return self.word(pos, &word),
            TokenKind::Quoted(_) => return self.name_or_call(pos),
            _ => return self.mismatch_of(&["<expression>"]),
        };
        self.advance();
        Ok(Node::new(pos, kind))
    }

    fn in_parentheses(&mut self, pos: Pos) -> Parsed<Expr> {
        if self.closing(0).is_some_and(|close| self.is_symbol_at(close + 1, "->")) {
            let parameters = self.listed_or_empty(Self::identifier)?;
            return self.lambda(pos, parameters);
        }
        if self.begins_query(1) {
            let query = self.boxed_subquery()?;
            return Ok(Node::new(pos, ExprKind::Subquery(query)));
        }
        let mut items = self.listed(Self::expression)?;
        if items.len() == 1 { Ok(items.remove(0)) } else { Ok(Node::new(pos, ExprKind::Row(items))) }
    }

    fn lambda(&mut self, pos: Pos, parameters: Vec<Ident>) -> Parsed<Expr> {
        self.expect_symbol("->")?;
        let body = Box::new(self.expression()?);
        Ok(Node::new(pos, ExprKind::Lambda { parameters, body }))
    }

    fn word(&mut self, pos: Pos, word: &str) -> Parsed<Expr> {
        let kind = match word.to_ascii_uppercase().as_str() {
            "NULL" => self.constant(ExprKind::Null),
            "TRUE" => self.constant(ExprKind::Boolean(true)),
            "FALSE" => self.constant(ExprKind::Boolean(false)),
            "CASE" => self.case()?,
            "CAST" => self.cast(false)?,
            "EXISTS" => self.exists()?,
            "EXTRACT" => self.extract()?,
            "TRIM" => self.trim()?,
            "NORMALIZE" => self.normalize()?,
            "LISTAGG" => self.listagg()?,
            "GROUPING" => self.grouping()?,
            upper if upper.starts_with("CURRENT_") || upper.starts_with("LOCALTIME") => self.current(upper)?,
            upper if upper.starts_with("JSON_") && !self.is_identifier_at(0) => self.json_call(upper)?,
            "RUNNING" | "FINAL" if self.begins_call(1) => return self.call_in_mode(pos),
            upper if self.is_symbol_at(1, "(") => match self.special_call(upper)? {
                Some(kind) => kind,
                None => return self.name_or_call(pos),
            },
            "ARRAY" if self.is_symbol_at(1, "[") => self.array()?,
            "INTERVAL" if self.begins_interval() && !self.is_of_type_interval() => return self.interval(pos),
            "DOUBLE" if self.is_word_at(1, "PRECISION") && self.is_string_at(2) => {
                self.advance();
                self.typed_literal("double")?
            }
            _ if self.is_identifier_at(0) && self.is_string_at(1) => self.typed_literal(word)?,
            _ => return self.name_or_call(pos),
        };
        Ok(Node::new(pos, kind))
    }

    fn is_string_at(&self, count: usize) -> bool {
        matches!(self.ahead(count), TokenKind::String(_))
    }

    fn constant(&mut self, kind: ExprKind) -> ExprKind {
        self.advance();
        kind
    }

    fn typed_literal(&mut self, type_name: &str) -> Parsed<ExprKind> {
        self.advance();
        Ok(ExprKind::TypedLiteral { type_name: type_name.into(), value: self.string()? })
    }

    /// Whether a text follows without a field of time after it: then INTERVAL is the name of a type.
    fn is_of_type_interval(&self) -> bool {
        let fields = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];
        self.is_string_at(1) && !self.is_any_word_at(2, &fields)
    }

    fn begins_interval(&self) -> bool {
        let signed = self.is_symbol_at(1, "-") || self.is_symbol_at(1, "+");
        self.is_string_at(1 + usize::from(signed))
    }

    pub(crate) fn interval(&mut self, pos: Pos) -> Parsed<Expr> {
        self.expect("INTERVAL")?;
        let negative = self.is_symbol_at(0, "-");
        if negative || self.is_symbol_at(0, "+") {
            self.advance();
        }
        let value = self.string()?;
        let from = self.interval_field()?;
        let to = if self.take("TO") { Some(self.interval_field()?) } else { None };
        Ok(Node::new(pos, ExprKind::Interval { negative, value, from, to }))
    }

    pub(crate) fn interval_field(&mut self) -> Parsed<IntervalField> {
        use IntervalField::{Day, Hour, Minute, Month, Second, Year};
        self.one_of(&[
            ("YEAR", Year),
            ("MONTH", Month),
            ("DAY", Day),
            ("HOUR", Hour),
            ("MINUTE", Minute),
            ("SECOND", Second),
        ])
    }

    fn case(&mut self) -> Parsed<ExprKind> {
        self.expect("CASE")?;
        let operand = if self.is_word_at(0, "WHEN") { None } else { Some(Box::new(self.expression()?)) };
        let mut branches = Vec::new();
        while self.take("WHEN") {
            let condition = self.expression()?;
            self.expect("THEN")?;
            branches.push(WhenClause { condition, result: self.expression()? });
        }
        if branches.is_empty() {
            return self.mismatch();
        }
        let otherwise = if self.take("ELSE") { Some(Box::new(self.expression()?)) } else { None };
        self.expect("END")?;
        Ok(ExprKind::Case { operand, branches, otherwise })
    }

    fn cast(&mut self, safe: bool) -> Parsed<ExprKind> {
        self.advance();
        self.parenthesised(|cursor| {
            let expr = Box::new(cursor.expression()?);
            cursor.expect("AS")?;
            Ok(ExprKind::Cast { expr, target: cursor.type_expr()?, safe })
        })
    }

    fn exists(&mut self) -> Parsed<ExprKind> {
        self.advance();
        Ok(ExprKind::Exists(self.boxed_subquery()?))
    }

    fn extract(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.parenthesised(|cursor| {
            let field = cursor.identifier()?;
            cursor.expect("FROM")?;
            Ok(ExprKind::Extract { field, expr: Box::new(cursor.value()?) })
        })
    }

    fn trim(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.parenthesised(|cursor| {
            let (side, said) = cursor.trim_side();
            let first = if said && cursor.is_word_at(0, "FROM") { None } else { Some(Box::new(cursor.value()?)) };
            let (characters, expr) = match first {
                Some(first) if !said && cursor.take_symbol(",") => (Some(Box::new(cursor.value()?)), first),
                Some(first) if !said && !cursor.is_word_at(0, "FROM") => (None, first),
                characters => {
                    cursor.expect("FROM")?;
                    (characters, Box::new(cursor.value()?))
                }
            };
            Ok(ExprKind::Trim { side, characters, expr })
        })
    }

    /// The ends that TRIM works on, and whether the text says it.
    fn trim_side(&mut self) -> (TrimSide, bool) {
        let ends_argument = self.is_symbol_at(1, ")") || self.is_symbol_at(1, ",");
        for (keyword, side) in
            [("BOTH", TrimSide::Both), ("LEADING", TrimSide::Leading), ("TRAILING", TrimSide::Trailing)]
        {
            if !ends_argument && self.take(keyword) {
                return (side, true);
            }
        }
        (TrimSide::Both, false)
    }

    fn normalize(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.parenthesised(|cursor| {
            let mut args = vec![cursor.value()?];
            if cursor.take_symbol(",") {
                let pos = cursor.pos();
                let Some(form) = ["NFD", "NFC", "NFKD", "NFKC"].into_iter().find(|form| cursor.take(form)) else {
                    return cursor.mismatch();
                };
                args.push(Node::new(pos, ExprKind::String(form.into())));
            }
            Ok(ExprKind::Function(Box::new(FunctionCall::new(Name::of("normalize"), args))))
        })
    }

    fn grouping(&mut self) -> Parsed<ExprKind> {
        self.advance();
        Ok(ExprKind::Grouping(self.listed_or_empty(Self::column)?))
    }

    /// A column with the names before it.
    fn column(&mut self) -> Parsed<Expr> {
        let first = self.identifier()?;
        let mut expr = Node::new(first.pos, ExprKind::Identifier(first));
        while self.take_symbol(".") {
            let field = self.identifier()?;
            expr = Node::new(expr.pos, ExprKind::Dereference { base: Box::new(expr), field });
        }
        Ok(expr)
    }

    fn current(&mut self, word: &str) -> Parsed<ExprKind> {
        let (item, timed) = match word {
            "CURRENT_DATE" => (CurrentItem::Date, false),
            "CURRENT_TIME" => (CurrentItem::Time, true),
            "CURRENT_TIMESTAMP" => (CurrentItem::Timestamp, true),
            "LOCALTIME" => (CurrentItem::LocalTime, true),
            "LOCALTIMESTAMP" => (CurrentItem::LocalTimestamp, true),
            "CURRENT_USER" => (CurrentItem::User, false),
            "CURRENT_CATALOG" => (CurrentItem::Catalog, false),
            "CURRENT_SCHEMA" => (CurrentItem::Schema, false),
            "CURRENT_PATH" => (CurrentItem::Path, false),
            _ => return Ok(self.name_or_call(self.pos())?.kind),
        };
        self.advance();
        let precision =
            if timed && self.is_symbol_at(0, "(") { Some(self.parenthesised(Self::integer)?) } else { None };
        Ok(ExprKind::Current { item, precision })
    }

    fn array(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.expect_symbol("[")?;
        let items = if self.is_symbol_at(0, "]") { Vec::new() } else { self.list(Self::expression)? };
        self.expect_symbol("]")?;
        Ok(ExprKind::Array(items))
    }

    /// The forms whose words are no keywords and that only a parenthesis tells from names.
    fn special_call(&mut self, word: &str) -> Parsed<Option<ExprKind>> {
        Ok(Some(match word {
            "ROW" => {
                self.advance();
                ExprKind::Row(self.listed(Self::expression)?)
            }
            "TRY_CAST" => self.cast(true)?,
            "POSITION" => self.position()?,
            "SUBSTRING" => self.substring()?,
            _ => return Ok(None),
        }))
    }

    fn position(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.parenthesised(|cursor| {
            let part = cursor.value()?;
            cursor.expect("IN")?;
            let args = vec![cursor.value()?, part];
            Ok(ExprKind::Function(Box::new(FunctionCall::new(Name::of("strpos"), args))))
        })
    }

    fn substring(&mut self) -> Parsed<ExprKind> {
        self.advance();
        self.parenthesised(|cursor| {
            let mut args = vec![cursor.expression()?];
            let spelled = cursor.take("FROM");
            if spelled {
                args.push(cursor.value()?);
                if cursor.take("FOR") {
                    args.push(cursor.value()?);
                }
            }
            while !spelled && cursor.take_symbol(",") {
                args.push(cursor.expression()?);
            }
            let name = if spelled { "substr" } else { "substring" };
            Ok(ExprKind::Function(Box::new(FunctionCall::new(Name::of(name), args))))
        })
    }

    pub(crate) fn name_or_call(&mut self, pos: Pos) -> Parsed<Expr> {
        if self.begins_call(0) {
            let call = self.call()?;
            return Ok(Node::new(pos, ExprKind::Function(Box::new(call))));
        }
        if !self.is_identifier_at(0) {
            return self.mismatch_of(&["<expression>"]);
        }
        let ident = self.identifier()?;
        if self.is_symbol_at(0, "->") {
            return self.lambda(pos, vec![ident]);
        }
        if self.begins_over() {
            self.expect("OVER")?;
            let over = Box::new(self.over()?);
            return Ok(Node::new(pos, ExprKind::Measure { name: ident, over }));
        }
        Ok(Node::new(pos, ExprKind::Identifier(ident)))
    }

    /// `RUNNING f(…)`, `FINAL f(…)`
    fn call_in_mode(&mut self, pos: Pos) -> Parsed<Expr> {
        let mode = if self.is_word_at(0, "FINAL") { ProcessingMode::Final } else { ProcessingMode::Running };
        self.advance();
        let call = FunctionCall { mode: Some(mode), ..self.call()? };
        Ok(Node::new(pos, ExprKind::Function(Box::new(call))))
    }

    /// Whether a name with dots and then a parenthesis come, `count` tokens ahead.
    fn begins_call(&self, mut count: usize) -> bool {
        while self.is_identifier_at(count) && self.is_symbol_at(count + 1, ".") {
            count += 2;
        }
        self.is_identifier_at(count) && self.is_symbol_at(count + 1, "(")
    }
}
