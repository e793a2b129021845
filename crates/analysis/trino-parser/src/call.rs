//! Function calls with what may stand in and after them, and windows.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};

impl Cursor<'_> {
    pub(crate) fn call(&mut self) -> Parsed<FunctionCall> {
        let mut call = FunctionCall::new(self.name()?, Vec::new());
        self.parenthesised(|cursor| cursor.arguments(&mut call))?;
        self.call_tail(&mut call)?;
        Ok(call)
    }

    fn arguments(&mut self, call: &mut FunctionCall) -> Parsed<()> {
        if self.is_identifier_at(0) && self.is_symbol_at(1, ".") && self.is_symbol_at(2, "*") {
            call.label = Some(self.identifier()?);
            self.advance();
        }
        call.star = self.is_symbol_at(0, "*");
        if call.star {
            self.advance();
            return Ok(());
        }
        if self.is_symbol_at(0, ")") {
            return Ok(());
        }
        call.distinct = self.set_quantifier();
        if call.distinct || !self.is_word_at(0, "ORDER") {
            call.args = self.list(Self::expression)?;
        }
        call.order_by = self.order_by()?;
        Ok(())
    }

    /// `DISTINCT` (true) or `ALL`, if there; ALL may also be a name.
    pub(crate) fn set_quantifier(&mut self) -> bool {
        let name = [",", ")", ".", "(", "[", "=", "+", "-", "/", "||", "<", ">", "->"];
        if self.is_word_at(0, "ALL") {
            let measure = self.is_word_at(1, "OVER") && (self.is_symbol_at(2, "(") || self.is_identifier_at(2));
            let named = measure
                || name.iter().any(|symbol| self.is_symbol_at(1, symbol))
                || self.is_any_word_at(1, &["FROM", "AS", "IS", "IN", "AND", "OR", "ORDER"])
                || *self.ahead(1) == crate::lexer::TokenKind::End;
            if !named {
                self.advance();
            }
            return false;
        }
        let distinct = self.is_word_at(0, "DISTINCT");
        if distinct {
            self.advance();
        }
        distinct
    }

    pub(crate) fn listagg(&mut self) -> Parsed<ExprKind> {
        self.advance();
        let mut call = FunctionCall::new(Name::of("listagg"), Vec::new());
        self.parenthesised(|cursor| {
            call.distinct = cursor.set_quantifier();
            call.args.push(cursor.expression()?);
            if cursor.take_symbol(",") {
                let pos = cursor.pos();
                call.args.push(Node::new(pos, ExprKind::String(cursor.string()?)));
            }
            if cursor.take("ON OVERFLOW") {
                call.overflow = Some(cursor.overflow()?);
            }
            Ok(())
        })?;
        if !self.is_word_at(0, "WITHIN") {
            return self.mismatch_of(&["WITHIN"]);
        }
        // It is no window function: OVER would be the column's name.
        self.grouped_tail(&mut call)?;
        Ok(ExprKind::Function(Box::new(call)))
    }

    fn overflow(&mut self) -> Parsed<ListaggOverflow> {
        if self.take("ERROR") {
            return Ok(ListaggOverflow::Error);
        }
        self.expect("TRUNCATE")?;
        let filler = self.take_string();
        let with_count = self.take("WITH COUNT");
        if !with_count {
            self.expect("WITHOUT COUNT")?;
        }
        Ok(ListaggOverflow::Truncate { filler, with_count })
    }

    /// What may follow a call; words that also may be an alias count only with what has to follow them.
    fn call_tail(&mut self, call: &mut FunctionCall) -> Parsed<()> {
        self.grouped_tail(call)?;
        if self.is_any_word_at(0, &["IGNORE", "RESPECT"]) && self.is_word_at(1, "NULLS") {
            let ignore = self.is_word_at(0, "IGNORE");
            call.nulls = Some(if ignore { NullTreatment::Ignore } else { NullTreatment::Respect });
            self.advance();
            self.advance();
            if !self.begins_over() {
                return self.mismatch_of(&["OVER"]);
            }
        }
        if self.begins_over() {
            self.expect("OVER")?;
            call.over = Some(self.over()?);
        }
        Ok(())
    }

    /// WITHIN GROUP and FILTER.
    fn grouped_tail(&mut self, call: &mut FunctionCall) -> Parsed<()> {
        if self.is_word_at(0, "WITHIN") && self.is_word_at(1, "GROUP") {
            self.expect("WITHIN GROUP")?;
            call.within_group = self.parenthesised(Self::required_order_by)?;
        }
        if self.is_word_at(0, "FILTER") && self.is_symbol_at(1, "(") {
            self.advance();
            call.filter = Some(self.parenthesised(|cursor| {
                cursor.expect("WHERE")?;
                cursor.expression()
            })?);
        }
        Ok(())
    }

    pub(crate) fn begins_over(&self) -> bool {
        self.is_word_at(0, "OVER") && (self.is_symbol_at(1, "(") || self.is_identifier_at(1))
    }

    pub(crate) fn over(&mut self) -> Parsed<Over> {
        if self.is_symbol_at(0, "(") {
            return Ok(Over::Window(self.parenthesised(Self::window)?));
        }
        Ok(Over::Named(self.identifier()?))
    }

    /// A window's specification, without its parentheses.
    pub(crate) fn window(&mut self) -> Parsed<Window> {
        let pos = Mark(self.pos());
        let begins_clause = self.begins_partition_by(0)
            || (self.is_any_word_at(0, &["ROWS", "RANGE", "GROUPS", "MEASURES"]) && self.begins_frame_bound(1));
        let base = if begins_clause { None } else { self.take_identifier() };
        let partition_by = if self.take("PARTITION BY") { self.list(Self::expression)? } else { Vec::new() };
        let order_by = self.order_by()?;
        Ok(Window { pos, base, partition_by, order_by, frame: self.frame()? })
    }

    fn begins_partition_by(&self, count: usize) -> bool {
        self.is_word_at(count, "PARTITION") && self.is_word_at(count + 1, "BY")
    }

    fn begins_frame_bound(&self, count: usize) -> bool {
        let ends_base = self.is_symbol_at(count, ")") || self.is_word_at(count, "ORDER");
        !ends_base && !self.begins_partition_by(count)
    }

    fn frame(&mut self) -> Parsed<Option<Frame>> {
        let pos = Mark(self.pos());
        let measures = self.measures()?;
        let units = [("ROWS", FrameUnit::Rows), ("RANGE", FrameUnit::Range), ("GROUPS", FrameUnit::Groups)];
        let unit = units.into_iter().find(|(keyword, _)| self.take(keyword));
        let Some((_, unit)) = unit else {
            return if measures.is_empty() { Ok(None) } else { self.mismatch() };
        };
        let between = self.take("BETWEEN");
        let start = self.frame_bound()?;
        if between {
            self.expect("AND")?;
        }
        let end = if between { Some(self.frame_bound()?) } else { None };
        let pattern = self.frame_pattern(measures)?;
        let recognition = (pattern != FramePattern::default()).then(|| Box::new(pattern));
        Ok(Some(Frame { pos, unit, start, end, recognition }))
    }

    fn frame_bound(&mut self) -> Parsed<FrameBound> {
        if self.take("UNBOUNDED PRECEDING") {
            return Ok(FrameBound::UnboundedPreceding);
        }
        if self.take("UNBOUNDED FOLLOWING") {
            return Ok(FrameBound::UnboundedFollowing);
        }
        if self.take("CURRENT ROW") {
            return Ok(FrameBound::CurrentRow);
        }
        let distance = Box::new(self.value()?);
        if self.take("PRECEDING") {
            return Ok(FrameBound::Preceding(distance));
        }
        self.expect("FOLLOWING")?;
        Ok(FrameBound::Following(distance))
    }

    /// `ORDER BY …`, if it comes.
    pub(crate) fn order_by(&mut self) -> Parsed<Vec<SortItem>> {
        if self.take("ORDER BY") { self.list(Self::sort_item) } else { Ok(Vec::new()) }
    }

    fn required_order_by(&mut self) -> Parsed<Vec<SortItem>> {
        self.expect("ORDER BY")?;
        self.list(Self::sort_item)
    }

    fn sort_item(&mut self) -> Parsed<SortItem> {
        let expr = self.expression()?;
        let descending = !self.take("ASC") && self.take("DESC");
        let nulls_first = if self.take("NULLS") {
            let first = self.take("FIRST");
            if !first {
                self.expect("LAST")?;
            }
            Some(first)
        } else {
            None
        };
        Ok(SortItem { expr, descending, nulls_first })
    }
}
