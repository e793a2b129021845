//! MATCH_RECOGNIZE, windows that recognise, and their patterns.

use crate::ast::*;
use crate::cursor::{Cursor, Parsed};

impl Cursor<'_> {
    pub(crate) fn begins_match_recognize(&self) -> bool {
        self.is_word_at(0, "MATCH_RECOGNIZE") && self.is_symbol_at(1, "(")
    }

    /// `MATCH_RECOGNIZE (…)` after the relation that it looks through.
    pub(crate) fn match_recognize(&mut self, input: Relation) -> Parsed<MatchRecognize> {
        self.expect("MATCH_RECOGNIZE")?;
        self.nested(|cursor| cursor.parenthesised(|cursor| cursor.recognition(input)))
    }

    fn recognition(&mut self, input: Relation) -> Parsed<MatchRecognize> {
        let partition_by = if self.take("PARTITION BY") { self.list(Self::expression)? } else { Vec::new() };
        let order_by = self.order_by()?;
        let measures = self.measures()?;
        let rows = self.rows_per_match()?;
        let skip = if self.take("AFTER MATCH SKIP") { self.skip_to()? } else { SkipTo::PastLastRow };
        for modifier in ["INITIAL", "SEEK"] {
            if self.is_word_at(0, modifier) {
                let message = format!("Pattern search modifier: {modifier} is not allowed in MATCH_RECOGNIZE clause");
                return self.refuse(&message);
            }
        }
        self.expect("PATTERN")?;
        let pattern = self.parenthesised(Self::row_pattern)?;
        let subsets = self.subsets()?;
        self.expect("DEFINE")?;
        let define = self.list(Self::variable_definition)?;
        Ok(MatchRecognize { input, partition_by, order_by, measures, rows, skip, pattern, subsets, define })
    }

    /// What follows the bounds of a window's frame, all of it if there.
    pub(crate) fn frame_pattern(&mut self, measures: Vec<(Expr, Ident)>) -> Parsed<FramePattern> {
        let skip = if self.take("AFTER MATCH") {
            let pos = Mark(self.pos());
            self.expect("SKIP")?;
            Some((pos, self.skip_to()?))
        } else {
            None
        };
        let pos = Mark(self.pos());
        let searches = [("INITIAL", PatternSearch::Initial), ("SEEK", PatternSearch::Seek)];
        let search = searches.into_iter().find(|(word, _)| self.take(word)).map(|(_, search)| (pos, search));
        let pattern = if self.take("PATTERN") { Some(self.parenthesised(Self::row_pattern)?) } else { None };
        let subsets = self.subsets()?;
        let define = if self.take("DEFINE") { self.list(Self::variable_definition)? } else { Vec::new() };
        Ok(FramePattern { measures, skip, search, pattern, subsets, define })
    }

    /// MEASURES, if it comes.
    pub(crate) fn measures(&mut self) -> Parsed<Vec<(Expr, Ident)>> {
        if self.take("MEASURES") { self.list(Self::measure) } else { Ok(Vec::new()) }
    }

    /// SUBSET, if it comes.
    fn subsets(&mut self) -> Parsed<Vec<(Ident, Vec<Ident>)>> {
        if self.take("SUBSET") { self.list(Self::subset) } else { Ok(Vec::new()) }
    }

    fn measure(&mut self) -> Parsed<(Expr, Ident)> {
        let value = self.expression()?;
        self.expect("AS")?;
        Ok((value, self.identifier()?))
    }

    fn rows_per_match(&mut self) -> Parsed<RowsPerMatch> {
        if self.take("ONE ROW PER MATCH") {
            return Ok(RowsPerMatch::One);
        }
        if !self.take("ALL ROWS PER MATCH") {
            return Ok(RowsPerMatch::One);
        }
        Ok(if self.take("OMIT EMPTY MATCHES") {
            RowsPerMatch::AllWithoutEmpty
        } else if self.take("WITH UNMATCHED ROWS") {
            RowsPerMatch::AllWithUnmatched
        } else {
            self.take("SHOW EMPTY MATCHES");
            RowsPerMatch::AllWithEmpty
        })
    }

    fn skip_to(&mut self) -> Parsed<SkipTo> {
        if self.take("PAST LAST ROW") {
            return Ok(SkipTo::PastLastRow);
        }
        self.expect("TO")?;
        if self.take("NEXT ROW") {
            return Ok(SkipTo::NextRow);
        }
        let names_end = self.is_any_word_at(0, &["FIRST", "LAST"]) && self.is_identifier_at(1);
        // A variable may be called FIRST, and then the pattern comes.
        if names_end && !(self.is_word_at(1, "PATTERN") && self.is_symbol_at(2, "(")) {
            let first = self.is_word_at(0, "FIRST");
            self.advance();
            let variable = self.identifier()?;
            return Ok(if first { SkipTo::First(variable) } else { SkipTo::Last(variable) });
        }
        Ok(SkipTo::Last(self.identifier()?))
    }

    fn subset(&mut self) -> Parsed<(Ident, Vec<Ident>)> {
        let name = self.identifier()?;
        self.expect_symbol("=")?;
        Ok((name, self.listed(Self::identifier)?))
    }

    fn variable_definition(&mut self) -> Parsed<(Ident, Expr)> {
        let variable = self.identifier()?;
        self.expect("AS")?;
        Ok((variable, self.expression()?))
    }

    /// A pattern: alternatives of sequences.
    fn row_pattern(&mut self) -> Parsed<RowPattern> {
        self.nested(|cursor| {
            let pos = cursor.pos();
            let first = cursor.pattern_sequence()?;
            if !cursor.is_symbol_at(0, "|") {
                return Ok(first);
            }
            let mut choices = vec![first];
            while cursor.take_symbol("|") {
                choices.push(cursor.pattern_sequence()?);
            }
            Ok(Node::new(pos, RowPatternKind::Alternation(choices)))
        })
    }

    fn pattern_sequence(&mut self) -> Parsed<RowPattern> {
        let pos = self.pos();
        let first = self.quantified_pattern()?;
        if !self.begins_pattern() {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.begins_pattern() {
            parts.push(self.quantified_pattern()?);
        }
        Ok(Node::new(pos, RowPatternKind::Concatenation(parts)))
    }

    fn begins_pattern(&self) -> bool {
        self.is_identifier_at(0) || ["(", "^", "$", "{-"].iter().any(|symbol| self.is_symbol_at(0, symbol))
    }

    fn quantified_pattern(&mut self) -> Parsed<RowPattern> {
        let pattern = self.pattern_primary()?;
        let pos = pattern.pos;
        let (least, most) = if self.take_symbol("*") {
            (0, None)
        } else if self.take_symbol("+") {
            (1, None)
        } else if self.take_symbol("?") {
            (0, Some(1))
        } else if self.take_symbol("{") {
            self.pattern_bounds()?
        } else {
            return Ok(pattern);
        };
        let quantifier = PatternQuantifier { least, most, reluctant: self.take_symbol("?") };
        Ok(Node::new(pos, RowPatternKind::Quantified { pattern: Box::new(pattern), quantifier }))
    }

    /// `n}`, `n,}`, `,m}`, `n,m}`
    fn pattern_bounds(&mut self) -> Parsed<(u64, Option<u64>)> {
        let least = if self.is_symbol_at(0, ",") { None } else { Some(self.integer::<u64>()?) };
        let bounds = if self.take_symbol(",") {
            let most = if self.is_symbol_at(0, "}") { None } else { Some(self.integer::<u64>()?) };
            (least.unwrap_or(0), most)
        } else {
            (least.unwrap_or(0), least)
        };
        self.expect_symbol("}")?;
        Ok(bounds)
    }

    fn pattern_primary(&mut self) -> Parsed<RowPattern> {
        let pos = self.pos();
        let kind = if self.is_word_at(0, "PERMUTE") && self.is_symbol_at(1, "(") {
            self.advance();
            RowPatternKind::Permutation(self.listed(Self::row_pattern)?)
        } else if self.is_symbol_at(0, "(") && self.is_symbol_at(1, ")") {
            self.advance();
            self.advance();
            RowPatternKind::Empty
        } else if self.is_symbol_at(0, "(") {
            return self.parenthesised(Self::row_pattern);
        } else if self.take_symbol("^") {
            RowPatternKind::Start
        } else if self.take_symbol("$") {
            RowPatternKind::End
        } else if self.take_symbol("{-") {
            let excluded = Box::new(self.row_pattern()?);
            self.expect_symbol("-}")?;
            RowPatternKind::Excluded(excluded)
        } else if self.is_identifier_at(0) {
            RowPatternKind::Variable(self.identifier()?)
        } else {
            return self.mismatch_of(&["<row pattern>"]);
        };
        Ok(Node::new(pos, kind))
    }
}
