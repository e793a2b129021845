//! Queries and relations.

use std::fmt::{self, Display, Formatter};

use super::expression::{Base, order_by, value};
use super::{list, names, optional};
use crate::ast::*;

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        optional(f, "", self.with.as_ref())?;
        write!(f, "{}", self.body)?;
        order_by(f, " ", &self.order_by)?;
        optional(f, " OFFSET ", self.offset.as_ref())?;
        optional(f, " ", self.limit.as_ref())
    }
}

/// With a blank at its end.
impl Display for With {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.recursive { "WITH RECURSIVE " } else { "WITH " })?;
        list(f, &self.queries)?;
        f.write_str(" ")
    }
}

impl Display for NamedQuery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        names(f, &self.columns)?;
        write!(f, " AS ({})", self.query)
    }
}

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("LIMIT ALL"),
            Self::Rows(rows) => write!(f, "LIMIT {rows}"),
            Self::Fetch { rows, with_ties, .. } => {
                f.write_str("FETCH FIRST ")?;
                rows.as_ref().map_or(Ok(()), |rows| write!(f, "{rows} "))?;
                f.write_str(if *with_ties { "ROWS WITH TIES" } else { "ROWS ONLY" })
            }
        }
    }
}

impl Display for QueryBody {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            QueryBodyKind::Select(select) => write!(f, "{select}"),
            QueryBodyKind::Values(rows) => {
                f.write_str("VALUES ")?;
                list(f, rows)
            }
            QueryBodyKind::Table(name) => write!(f, "TABLE {name}"),
            QueryBodyKind::Subquery(query) => write!(f, "({query})"),
            QueryBodyKind::SetOperation { op, all, left, right } => {
                let word = match op {
                    SetOp::Union => "UNION",
                    SetOp::Intersect => "INTERSECT",
                    SetOp::Except => "EXCEPT",
                };
                let loose = |side: &QueryBody, tight: &[SetOp]| matches!(&side.kind, QueryBodyKind::SetOperation { op, .. } if !tight.contains(op));
                let intersects = *op == SetOp::Intersect;
                let chained = [SetOp::Intersect, SetOp::Union, SetOp::Except];
                side(f, left, loose(left, if intersects { &chained[..1] } else { &chained }))?;
                write!(f, " {word}{} ", if *all { " ALL" } else { "" })?;
                side(f, right, loose(right, if intersects { &[] } else { &chained[..1] }))
            }
        }
    }
}

fn side(f: &mut Formatter<'_>, body: &QueryBody, enclosed: bool) -> fmt::Result {
    if enclosed { write!(f, "({body})") } else { write!(f, "{body}") }
}

impl Display for Select {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.distinct { "SELECT DISTINCT " } else { "SELECT " })?;
        list(f, &self.items)?;
        if !self.from.is_empty() {
            f.write_str(" FROM ")?;
            list(f, &self.from)?;
        }
        optional(f, " WHERE ", self.filter.as_ref())?;
        optional(f, " GROUP BY ", self.group_by.as_ref())?;
        optional(f, " HAVING ", self.having.as_ref())?;
        for (index, (name, window)) in self.windows.iter().enumerate() {
            write!(f, "{} {name} AS ({window})", if index == 0 { " WINDOW" } else { "," })?;
        }
        Ok(())
    }
}

impl Display for SelectItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SelectItemKind::All => f.write_str("*"),
            SelectItemKind::AllOf { target, aliases } => {
                write!(f, "{}.*", Base(target))?;
                if aliases.is_empty() {
                    return Ok(());
                }
                f.write_str(" AS")?;
                names(f, aliases)
            }
            SelectItemKind::Expr { expr, alias } => {
                write!(f, "{expr}")?;
                optional(f, " AS ", alias.as_ref())
            }
        }
    }
}

impl Display for GroupBy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.distinct { "DISTINCT " } else { "" })?;
        list(f, &self.elements)
    }
}

impl Display for GroupingElement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(set) => write!(f, "{}", Set(set)),
            Self::Rollup(sets) => grouping_sets(f, "ROLLUP", sets),
            Self::Cube(sets) => grouping_sets(f, "CUBE", sets),
            Self::Sets(sets) => grouping_sets(f, "GROUPING SETS", sets),
            Self::Auto => f.write_str("AUTO"),
        }
    }
}

fn grouping_sets(f: &mut Formatter<'_>, word: &str, sets: &[Vec<Expr>]) -> fmt::Result {
    let sets: Vec<_> = sets.iter().map(|set| Set(set)).collect();
    write!(f, "{word} (")?;
    list(f, &sets)?;
    f.write_str(")")
}

/// A grouping set: one expression, or a list in parentheses.
struct Set<'a>(&'a [Expr]);

impl Display for Set<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let [expr] = self.0 {
            return write!(f, "{expr}");
        }
        f.write_str("(")?;
        list(f, self.0)?;
        f.write_str(")")
    }
}

/// Whether a relation needs no parentheses before an alias.
pub(super) fn is_plain(relation: &Relation) -> bool {
    matches!(
        relation.kind,
        RelationKind::Table { .. }
            | RelationKind::Subquery(_)
            | RelationKind::Lateral(_)
            | RelationKind::Unnest { .. }
            | RelationKind::MatchRecognize(_)
            | RelationKind::TableFunction { .. }
    )
}

pub(super) fn enclosed(f: &mut Formatter<'_>, relation: &Relation, plain: bool) -> fmt::Result {
    if plain { write!(f, "{relation}") } else { write!(f, "({relation})") }
}

impl Display for Relation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            RelationKind::Table { name, version } => {
                write!(f, "{name}")?;
                optional(f, " FOR ", version.as_ref())
            }
            RelationKind::Subquery(query) => write!(f, "({query})"),
            RelationKind::Lateral(query) => write!(f, "LATERAL ({query})"),
            RelationKind::Unnest { exprs, ordinality } => {
                f.write_str("UNNEST(")?;
                list(f, exprs)?;
                f.write_str(if *ordinality { ") WITH ORDINALITY" } else { ")" })
            }
            RelationKind::TableFunction { name, args } => {
                write!(f, "TABLE({name}(")?;
                for (index, (name, value)) in args.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    name.as_ref().map_or(Ok(()), |name| write!(f, "{name} => "))?;
                    write!(f, "{value}")?;
                }
                f.write_str("))")
            }
            RelationKind::Join { kind, left, right, constraint } => join(f, *kind, left, right, constraint),
            RelationKind::Aliased { relation, alias, columns } => {
                enclosed(f, relation, is_plain(relation))?;
                write!(f, " AS {alias}")?;
                names(f, columns)
            }
            RelationKind::MatchRecognize(recognition) => write!(f, "{recognition}"),
            RelationKind::Sampled { relation, method, percentage } => {
                let aliased = matches!(relation.kind, RelationKind::Aliased { .. });
                enclosed(f, relation, aliased || is_plain(relation))?;
                let method = match method {
                    SampleMethod::Bernoulli => "BERNOULLI",
                    SampleMethod::System => "SYSTEM",
                };
                write!(f, " TABLESAMPLE {method} ({percentage})")
            }
        }
    }
}

fn join(
    f: &mut Formatter<'_>,
    kind: JoinKind,
    left: &Relation,
    right: &Relation,
    constraint: &JoinConstraint,
) -> fmt::Result {
    let natural = if matches!(constraint, JoinConstraint::Natural) { "NATURAL " } else { "" };
    write!(f, "{left} {natural}{kind} JOIN ")?;
    enclosed(f, right, !matches!(right.kind, RelationKind::Join { .. }))?;
    match constraint {
        JoinConstraint::None | JoinConstraint::Natural => Ok(()),
        JoinConstraint::Using(columns) => {
            f.write_str(" USING")?;
            names(f, columns)
        }
        JoinConstraint::On(condition) => write!(f, " ON {condition}"),
    }
}

impl Display for TableArgument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::Table(rows) => match &rows.kind {
                RelationKind::Subquery(query) => write!(f, "TABLE({query})"),
                _ => write!(f, "TABLE({rows})"),
            },
            Self::Descriptor(columns) => {
                f.write_str("DESCRIPTOR(")?;
                list(f, columns)?;
                f.write_str(")")
            }
        }
    }
}

impl Display for JoinKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cross => "CROSS",
            Self::Inner => "INNER",
            Self::Left => "LEFT",
            Self::Right => "RIGHT",
            Self::Full => "FULL",
        })
    }
}

impl Display for TableVersion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timestamp(at) => write!(f, "TIMESTAMP AS OF {}", value(at)),
            Self::Version(at) => write!(f, "VERSION AS OF {}", value(at)),
        }
    }
}
