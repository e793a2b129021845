//! The variables of a row pattern and the pattern itself.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_parser::ast::{self, Ident, RowPattern, RowPatternKind, SkipTo};

use crate::operators::{Label, Pattern, Program, Skip};

/// What may stand in a pattern.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// `^` and `$`
    pub(super) anchors: bool,
    /// `{- a -}`
    pub(super) exclusions: bool,
}

/// The largest number in a quantifier.
const MAX_BOUND: u64 = i32::MAX as u64;

/// The pattern's variables, each by the number of its label, and the names of SUBSET.
#[derive(Debug)]
pub(super) struct Variables {
    /// The names of the labels: what CLASSIFIER gives.
    pub(super) names: Vec<String>,
    /// Names for several of them.
    unions: Vec<(String, Vec<Label>)>,
}

/// A variable's name: in capital letters, unless it stands in quotes.
pub(super) fn label(name: &Ident) -> String {
    if name.quoted { name.value.clone() } else { name.value.to_uppercase() }
}

fn invalid(name: &Ident, message: String) -> TrinoError {
    TrinoError::at(name.pos, ErrorCode::InvalidLabel, message)
}

impl Variables {
    pub(super) fn new(pattern: &RowPattern, subsets: &[(Ident, Vec<Ident>)]) -> Result<Self, TrinoError> {
        let mut variables = Self { names: Vec::new(), unions: Vec::new() };
        variables.collect(pattern);
        for (name, members) in subsets {
            variables.add_union(name, members)?;
        }
        Ok(variables)
    }

    fn collect(&mut self, pattern: &RowPattern) {
        match &pattern.kind {
            RowPatternKind::Variable(name) => {
                let name = label(name);
                if !self.names.contains(&name) {
                    self.names.push(name);
                }
            }
            RowPatternKind::Empty | RowPatternKind::Start | RowPatternKind::End => {}
            RowPatternKind::Concatenation(parts)
            | RowPatternKind::Alternation(parts)
            | RowPatternKind::Permutation(parts) => parts.iter().for_each(|part| self.collect(part)),
            RowPatternKind::Excluded(part) | RowPatternKind::Quantified { pattern: part, .. } => self.collect(part),
        }
    }

    fn add_union(&mut self, name: &Ident, members: &[Ident]) -> Result<(), TrinoError> {
        let union = label(name);
        if self.names.contains(&union) {
            let message =
                format!("union pattern variable name: {name} is a duplicate of primary pattern variable name");
            return Err(invalid(name, message));
        }
        if self.unions.iter().any(|(other, _)| *other == union) {
            return Err(invalid(name, format!("union pattern variable name: {name} is declared twice")));
        }
        let mut labels = Vec::with_capacity(members.len());
        for member in members {
            let message = || format!("subset element: {member} is not a primary pattern variable");
            labels.push(self.primary(member).ok_or_else(|| invalid(member, message()))?);
        }
        labels.sort_unstable();
        labels.dedup();
        self.unions.push((union, labels));
        Ok(())
    }

    /// The label of a variable of the pattern.
    pub(super) fn primary(&self, name: &Ident) -> Option<Label> {
        let name = label(name);
        self.names.iter().position(|known| *known == name).map(|index| index as Label)
    }

    /// The labels that a variable or a name of SUBSET stands for, sorted.
    pub(super) fn labels(&self, name: &Ident) -> Option<Vec<Label>> {
        let union = || {
            let name = label(name);
            self.unions.iter().find(|(known, _)| *known == name).map(|(_, labels)| labels.clone())
        };
        self.primary(name).map(|label| vec![label]).or_else(union)
    }

    /// Where the search goes on.
    pub(super) fn skip(&self, skip: &SkipTo) -> Result<Skip, TrinoError> {
        let (name, first) = match skip {
            SkipTo::PastLastRow => return Ok(Skip::PastLast),
            SkipTo::NextRow => return Ok(Skip::Next),
            SkipTo::First(name) => (name, true),
            SkipTo::Last(name) => (name, false),
        };
        let unknown = || invalid(name, format!("{name} is not a primary or union pattern variable"));
        Ok(Skip::To { labels: self.labels(name).ok_or_else(unknown)?, first })
    }

    /// The pattern's program.
    pub(super) fn program(&self, pattern: &RowPattern, allowed: Allowed) -> Result<Program, TrinoError> {
        let program = Program::new(&self.pattern(pattern, allowed)?);
        program.map_err(|error| TrinoError { pos: error.pos.or(Some(pattern.pos)), ..error })
    }

    fn pattern(&self, pattern: &RowPattern, allowed: Allowed) -> Result<Pattern, TrinoError> {
        let all = |parts: &[RowPattern]| -> Result<Vec<Pattern>, TrinoError> {
            parts.iter().map(|part| self.pattern(part, allowed)).collect()
        };
        Ok(match &pattern.kind {
            RowPatternKind::Variable(name) => {
                Pattern::Row(self.primary(name).ok_or_else(|| invalid(name, format!("{name} is unknown")))?)
            }
            RowPatternKind::Empty => Pattern::Empty,
            RowPatternKind::Start if allowed.anchors => Pattern::Start,
            RowPatternKind::End if allowed.anchors => Pattern::End,
            RowPatternKind::Start | RowPatternKind::End => {
                let message = "Anchor pattern syntax is not allowed in window";
                return Err(TrinoError::at(pattern.pos, ErrorCode::InvalidRowPattern, message));
            }
            RowPatternKind::Concatenation(parts) => Pattern::Sequence(all(parts)?),
            RowPatternKind::Alternation(parts) => Pattern::Choice(all(parts)?),
            RowPatternKind::Permutation(parts) => Pattern::Permutation(all(parts)?),
            RowPatternKind::Excluded(part) if allowed.exclusions => {
                Pattern::Excluded(Box::new(self.pattern(part, allowed)?))
            }
            RowPatternKind::Excluded(_) => {
                let message =
                    "Pattern exclusion syntax is not allowed when ALL ROWS PER MATCH WITH UNMATCHED ROWS is specified";
                return Err(TrinoError::at(pattern.pos, ErrorCode::InvalidRowPattern, message));
            }
            RowPatternKind::Quantified { pattern: part, quantifier } => {
                let (least, most) = bounds(*quantifier, pattern.pos)?;
                let pattern = Box::new(self.pattern(part, allowed)?);
                Pattern::Repeated { pattern, least, most, reluctant: quantifier.reluctant }
            }
        })
    }
}

fn bounds(quantifier: ast::PatternQuantifier, pos: ast::Pos) -> Result<(usize, Option<usize>), TrinoError> {
    let refuse = |code, what: &str| Err(TrinoError::at(pos, code, format!("Pattern quantifier {what}")));
    let (least, most) = (quantifier.least, quantifier.most);
    if least > MAX_BOUND {
        let what = format!("lower bound must not exceed {MAX_BOUND}");
        return refuse(ErrorCode::NumericValueOutOfRange, &what);
    }
    if most == Some(0) {
        return refuse(ErrorCode::NumericValueOutOfRange, "upper bound must be greater than or equal to 1");
    }
    if most.is_some_and(|most| most > MAX_BOUND) {
        let what = format!("upper bound must not exceed {MAX_BOUND}");
        return refuse(ErrorCode::NumericValueOutOfRange, &what);
    }
    if most.is_some_and(|most| most < least) {
        return refuse(ErrorCode::InvalidRange, "lower bound must not exceed upper bound");
    }
    Ok((least as usize, most.map(|most| most as usize)))
}
