//! Types as casts write them.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};
use crate::lexer::TokenKind;

impl Cursor<'_> {
    pub(crate) fn type_expr(&mut self) -> Parsed<TypeExpr> {
        self.nested(|cursor| {
            cursor.scoped(|cursor| {
                let mut ty = cursor.base_type()?;
                while cursor.is_array_suffix(0) {
                    cursor.advance();
                    if cursor.take_symbol("[") {
                        cursor.integer::<u64>()?;
                        cursor.expect_symbol("]")?;
                    }
                    cursor.wrap()?;
                    ty = Node::new(ty.pos, TypeKind::Array(Box::new(ty)));
                }
                Ok(ty)
            })
        })
    }

    fn is_array_suffix(&self, count: usize) -> bool {
        self.is_word_at(count, "ARRAY") && !self.is_symbol_at(count + 1, "(") && !self.is_symbol_at(count + 1, "<")
    }

    fn base_type(&mut self) -> Parsed<TypeExpr> {
        let pos = self.pos();
        if !self.is_identifier_at(0) {
            return self.mismatch_of(&["<type>"]);
        }
        let name = self.identifier()?.lower();
        let opens = self.is_symbol_at(0, "(") || self.is_symbol_at(0, "<");
        let kind = match name.as_str() {
            "timestamp" => {
                let precision = self.precision()?;
                TypeKind::Timestamp { precision, zoned: self.zoned()? }
            }
            "time" => {
                let precision = self.precision()?;
                TypeKind::Time { precision, zoned: self.zoned()? }
            }
            "double" if self.take("PRECISION") => TypeKind::Simple { name, parameters: Vec::new() },
            "interval" => self.interval_type()?,
            "array" if opens => {
                let close = self.open_parameters();
                let element = Box::new(self.type_expr()?);
                self.expect_symbol(close)?;
                TypeKind::Array(element)
            }
            "map" if opens => {
                let close = self.open_parameters();
                let key = Box::new(self.type_expr()?);
                self.expect_symbol(",")?;
                let value = Box::new(self.type_expr()?);
                self.expect_symbol(close)?;
                TypeKind::Map(key, value)
            }
            "row" if opens => TypeKind::Row(self.listed(Self::row_field)?),
            _ if self.is_symbol_at(0, "(") => TypeKind::Simple { name, parameters: self.listed(Self::integer)? },
            _ => TypeKind::Simple { name, parameters: Vec::new() },
        };
        Ok(Node::new(pos, kind))
    }

    /// Takes `(` or `<` and gives what closes it.
    fn open_parameters(&mut self) -> &'static str {
        let round = self.is_symbol_at(0, "(");
        self.advance();
        if round { ")" } else { ">" }
    }

    fn precision(&mut self) -> Parsed<Option<u64>> {
        if self.is_symbol_at(0, "(") { self.parenthesised(Self::integer).map(Some) } else { Ok(None) }
    }

    fn zoned(&mut self) -> Parsed<bool> {
        if self.is_word_at(0, "WITHOUT") && self.is_word_at(1, "TIME") {
            self.expect("WITHOUT TIME ZONE")?;
            return Ok(false);
        }
        if self.is_word_at(0, "WITH") && self.is_word_at(1, "TIME") {
            self.expect("WITH TIME ZONE")?;
            return Ok(true);
        }
        Ok(false)
    }

    fn interval_type(&mut self) -> Parsed<TypeKind> {
        if self.take("YEAR TO MONTH") {
            return Ok(TypeKind::IntervalYearToMonth);
        }
        self.expect("DAY TO SECOND")?;
        Ok(TypeKind::IntervalDayToSecond)
    }

    fn row_field(&mut self) -> Parsed<TypeField> {
        let named = self.is_identifier_at(0) && self.is_identifier_at(1) && !self.begins_type_of_two_words();
        let name = if named { Some(self.identifier()?) } else { None };
        Ok(TypeField { name, ty: self.type_expr()? })
    }

    /// Whether the first two words are of one type: `double precision`, `bigint array`, `time without …`, `interval day to …`.
    fn begins_type_of_two_words(&self) -> bool {
        let ends = matches!(self.ahead(2), TokenKind::Symbol("," | ")" | "["));
        (self.is_word_at(0, "DOUBLE") && self.is_word_at(1, "PRECISION"))
            || (self.is_array_suffix(1) && ends)
            || (self.is_any_word_at(0, &["TIME", "TIMESTAMP"]) && self.is_word_at(1, "WITHOUT"))
            || (self.is_word_at(0, "INTERVAL") && self.is_word_at(2, "TO"))
    }
}
