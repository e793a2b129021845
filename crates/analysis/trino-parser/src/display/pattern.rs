//! MATCH_RECOGNIZE, windows that recognise, and their patterns.

use std::fmt::{self, Display, Formatter};

use super::expression::order_by;
use super::query::{enclosed, is_plain};
use super::{list, separated};
use crate::ast::*;

impl Display for MatchRecognize {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let bare = match &self.input.kind {
            RelationKind::Aliased { relation, .. } => !matches!(relation.kind, RelationKind::MatchRecognize(_)),
            RelationKind::MatchRecognize(_) => false,
            _ => is_plain(&self.input),
        };
        enclosed(f, &self.input, bare)?;
        f.write_str(" MATCH_RECOGNIZE (")?;
        if !self.partition_by.is_empty() {
            f.write_str("PARTITION BY ")?;
            list(f, &self.partition_by)?;
            f.write_str(" ")?;
        }
        if !self.order_by.is_empty() {
            order_by(f, "", &self.order_by)?;
            f.write_str(" ")?;
        }
        measures(f, &self.measures)?;
        write!(f, "{} AFTER MATCH SKIP {} PATTERN ({})", self.rows, self.skip, self.pattern)?;
        variables(f, &self.subsets, &self.define)?;
        f.write_str(")")
    }
}

/// With the blank that follows, if there are any.
pub(super) fn measures(f: &mut Formatter<'_>, measures: &[(Expr, Ident)]) -> fmt::Result {
    for (index, (value, name)) in measures.iter().enumerate() {
        write!(f, "{}{value} AS {name}", if index == 0 { "MEASURES " } else { ", " })?;
    }
    f.write_str(if measures.is_empty() { "" } else { " " })
}

/// SUBSET and DEFINE, each with the blank before it.
fn variables(f: &mut Formatter<'_>, subsets: &[(Ident, Vec<Ident>)], define: &[(Ident, Expr)]) -> fmt::Result {
    for (index, (name, members)) in subsets.iter().enumerate() {
        write!(f, "{}{name} = (", if index == 0 { " SUBSET " } else { ", " })?;
        list(f, members)?;
        f.write_str(")")?;
    }
    for (index, (variable, condition)) in define.iter().enumerate() {
        write!(f, "{}{variable} AS {condition}", if index == 0 { " DEFINE " } else { ", " })?;
    }
    Ok(())
}

/// What follows the frame's bounds, each part with the blank before it.
impl Display for FramePattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some((_, skip)) = &self.skip {
            write!(f, " AFTER MATCH SKIP {skip}")?;
        }
        f.write_str(match self.search {
            Some((_, PatternSearch::Initial)) => " INITIAL",
            Some((_, PatternSearch::Seek)) => " SEEK",
            None => "",
        })?;
        if let Some(pattern) = &self.pattern {
            write!(f, " PATTERN ({pattern})")?;
        }
        variables(f, &self.subsets, &self.define)
    }
}

impl Display for RowsPerMatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::One => "ONE ROW PER MATCH",
            Self::AllWithEmpty => "ALL ROWS PER MATCH",
            Self::AllWithoutEmpty => "ALL ROWS PER MATCH OMIT EMPTY MATCHES",
            Self::AllWithUnmatched => "ALL ROWS PER MATCH WITH UNMATCHED ROWS",
        })
    }
}

impl Display for SkipTo {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::PastLastRow => f.write_str("PAST LAST ROW"),
            Self::NextRow => f.write_str("TO NEXT ROW"),
            Self::First(variable) => write!(f, "TO FIRST {variable}"),
            Self::Last(variable) => write!(f, "TO LAST {variable}"),
        }
    }
}

/// A part of a pattern, in parentheses where they are needed.
struct Part<'a>(&'a RowPattern, bool);

impl Display for Part<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.1 { write!(f, "({})", self.0) } else { write!(f, "{}", self.0) }
    }
}

impl Display for RowPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let alternates = |part: &RowPattern| matches!(part.kind, RowPatternKind::Alternation(_));
        let follows = |part: &RowPattern| alternates(part) || matches!(part.kind, RowPatternKind::Concatenation(_));
        match &self.kind {
            RowPatternKind::Variable(name) => write!(f, "{name}"),
            RowPatternKind::Empty => f.write_str("()"),
            RowPatternKind::Start => f.write_str("^"),
            RowPatternKind::End => f.write_str("$"),
            RowPatternKind::Concatenation(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| Part(part, follows(part))).collect();
                separated(f, " ", &parts)
            }
            RowPatternKind::Alternation(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| Part(part, alternates(part))).collect();
                separated(f, " | ", &parts)
            }
            RowPatternKind::Permutation(parts) => {
                f.write_str("PERMUTE(")?;
                list(f, parts)?;
                f.write_str(")")
            }
            RowPatternKind::Excluded(part) => write!(f, "{{- {part} -}}"),
            RowPatternKind::Quantified { pattern, quantifier } => {
                let several = follows(pattern) || matches!(pattern.kind, RowPatternKind::Quantified { .. });
                write!(f, "{}{quantifier}", Part(pattern, several))
            }
        }
    }
}

impl Display for PatternQuantifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (0, None) => f.write_str("*")?,
            (1, None) => f.write_str("+")?,
            (0, Some(1)) => f.write_str("?")?,
            (least, None) => write!(f, "{{{least},}}")?,
            (least, Some(most)) if least == most => write!(f, "{{{least}}}")?,
            (least, Some(most)) => write!(f, "{{{least},{most}}}")?,
        }
        f.write_str(if self.reluctant { "?" } else { "" })
    }
}
