//! FROM: relations, their aliases and joins.

use std::sync::Arc;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::coercion::common_super_type;
use boathouse_trino_functions::{Typed, cast, operators};
use boathouse_trino_parser::ast::{
    self, ComparisonOp, JoinConstraint, JoinKind, Relation as Source, RelationKind, SampleMethod,
};
use datafusion::common::JoinType;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::scope::{Field, Relation, Scope};
use super::{Analyzer, Place, at, lateral, planned, project, subquery};
use crate::error::unsupported;

impl Analyzer<'_> {
    /// The relations of FROM, joined by commas; one empty row without any.
    pub(super) fn from(&mut self, from: &[Source], outer: Option<&Scope<'_>>) -> Result<Relation, TrinoError> {
        let mut joined: Option<Relation> = None;
        for source in from {
            joined = Some(match joined {
                None => self.relation(source, outer)?,
                Some(left) => self.joined(JoinKind::Cross, left, source, &JoinConstraint::None, source.pos, outer)?,
            });
        }
        Ok(joined.unwrap_or_else(one_row))
    }

    pub(super) fn relation(&mut self, source: &Source, outer: Option<&Scope<'_>>) -> Result<Relation, TrinoError> {
        match &source.kind {
            RelationKind::Table { name, version } => self.table(name, version.as_ref()),
            RelationKind::Subquery(query) => {
                let mut relation = self.query(query, outer)?;
                relation.fields.iter_mut().for_each(|field| field.relation.clear());
                Ok(relation)
            }
            RelationKind::Lateral(query) => self.query(query, outer),
            RelationKind::Unnest { exprs, ordinality } => {
                self.unnest(one_row(), exprs, *ordinality, false, None, outer)
            }
            RelationKind::Join { kind, left, right, constraint } => {
                let left = self.relation(left, outer)?;
                self.joined(*kind, left, right, constraint, source.pos, outer)
            }
            RelationKind::Aliased { relation, alias, columns } => {
                let relation = self.relation(relation, outer)?;
                aliased(relation, alias, columns).map_err(at(source.pos))
            }
            RelationKind::TableFunction { name, args } => self.table_function(name, args, outer),
            RelationKind::MatchRecognize(recognition) => {
                let input = self.relation(&recognition.input, outer)?;
                self.match_recognize(recognition, input, source.pos, outer)
            }
            RelationKind::Sampled { relation, method, percentage } => {
                let relation = self.relation(relation, outer)?;
                self.sampled(relation, *method, percentage)
            }
        }
    }

    fn sampled(
        &mut self,
        relation: Relation,
        method: SampleMethod,
        percentage: &ast::Expr,
    ) -> Result<Relation, TrinoError> {
        let share = cast::cast(
            self.expr(percentage, &Scope::query(&[], None))?,
            &boathouse_trino_functions::types::Type::Double,
        )?;
        let Expr::Literal(datafusion::common::ScalarValue::Float64(Some(share)), _) = share.0 else {
            return Err(TrinoError::at(
                percentage.pos,
                ErrorCode::NotSupported,
                "Sample percentage must be a constant",
            ));
        };
        let message = match share {
            ..0.0 => Some("Sample percentage must be greater than or equal to 0"),
            _ if share > 100.0 => Some("Sample percentage must be less than or equal to 100"),
            _ => None,
        };
        if let Some(message) = message {
            return Err(TrinoError::at(percentage.pos, ErrorCode::NumericValueOutOfRange, message));
        }
        // SYSTEM may choose in any units, and a row is one.
        debug_assert!(matches!(method, SampleMethod::Bernoulli | SampleMethod::System));
        let chosen = datafusion::functions::math::expr_fn::random().lt(lit(share / 100.0));
        let plan = LogicalPlanBuilder::from(relation.plan).filter(chosen).and_then(|plan| plan.build());
        Ok(Relation { plan: plan.map_err(planned)?, fields: relation.fields })
    }

    pub(super) fn joined(
        &mut self,
        kind: JoinKind,
        left: Relation,
        right: &Source,
        constraint: &JoinConstraint,
        pos: ast::Pos,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        if matches!(constraint, JoinConstraint::Natural) {
            return Err(TrinoError::at(pos, ErrorCode::NotSupported, "Natural join not supported"));
        }
        if let Some((exprs, ordinality, names)) = as_unnest(right) {
            return self.joined_unnest(kind, left, (exprs, ordinality, names), constraint, pos, outer);
        }
        if is_lateral(right) {
            return self.joined_lateral(kind, left, right, constraint, outer);
        }
        let right = self.relation(right, outer)?;
        match constraint {
            JoinConstraint::None => {
                let plan = LogicalPlanBuilder::from(left.plan).cross_join(right.plan).and_then(|plan| plan.build());
                Ok(Relation { plan: plan.map_err(planned)?, fields: [left.fields, right.fields].concat() })
            }
            JoinConstraint::On(condition) => {
                let fields = [left.fields, right.fields].concat();
                let scope = Scope::query(&fields, outer);
                let inner = matches!(kind, JoinKind::Inner | JoinKind::Cross);
                let place = if inner { Place::Condition } else { Place::Value };
                let was = std::mem::replace(&mut self.place, place);
                let value = self.plain(condition, &scope, "JOIN clause");
                self.place = was;
                let value = super::expression::boolean(value?, "JOIN ON clause").map_err(at(condition.pos))?;
                let plan = match (inner, subquery::has_subquery(&value)) {
                    (_, false) => join(left.plan, right.plan, kind, vec![value])?,
                    // All the same to an inner join, and a filter may hold any subquery.
                    (true, true) => {
                        let pairs = LogicalPlanBuilder::from(left.plan).cross_join(right.plan);
                        self.filter(pairs.and_then(|plan| plan.build()).map_err(planned)?, value)?
                    }
                    (false, true) => {
                        let sides = self.with_sides_subqueries(left.plan, right.plan, value);
                        let (left, right, value) = sides.map_err(at(condition.pos))?;
                        join(left, right, kind, vec![value])?
                    }
                };
                Ok(Relation { plan, fields })
            }
            JoinConstraint::Using(columns) => self.joined_using(kind, left, right, columns),
            JoinConstraint::Natural => Err(unsupported("Natural join not supported")),
        }
    }

    /// USING: the shared columns come once and first, without a relation's name.
    fn joined_using(
        &mut self,
        kind: JoinKind,
        left: Relation,
        right: Relation,
        columns: &[ast::Ident],
    ) -> Result<Relation, TrinoError> {
        let mut conditions = Vec::new();
        let (mut shared, mut computed) = (Vec::new(), Vec::new());
        for name in columns {
            let (l, r) = (one(&left, name, "left")?, one(&right, name, "right")?);
            let (condition, _) =
                operators::comparison(ComparisonOp::Equal, l.typed(), r.typed()).map_err(at(name.pos))?;
            conditions.push(condition);
            let ty = common_super_type(&l.ty, &r.ty).unwrap_or_else(|| l.ty.clone());
            let value: Typed = match kind {
                JoinKind::Full => operators::coalesce(vec![l.typed(), r.typed()])?,
                JoinKind::Right => cast::coerce(r.typed(), &ty)?,
                _ => cast::coerce(l.typed(), &ty)?,
            };
            let column = match &value.0 {
                Expr::Column(column) => column.clone(),
                _ => {
                    let column = self.fresh_column("using");
                    computed.push(value.0.alias(&column.name));
                    column
                }
            };
            let (name, label) = (Some(name.lower()), l.label.clone());
            shared.push(Field { relation: Vec::new(), name, label, column, ty: value.1, hidden: false });
        }
        let mut plan = join(left.plan, right.plan, kind, conditions)?;
        if !computed.is_empty() {
            let all = plan.schema().columns().into_iter().map(Expr::Column);
            let all = all.chain(computed).collect();
            plan = project(plan, all)?;
        }
        // The originals can still be named with their relation, but `*` and bare names mean the shared columns.
        let is_shared =
            |field: &Field| columns.iter().any(|column| field.name.as_deref() == Some(column.lower().as_str()));
        let rest = left.fields.into_iter().chain(right.fields).filter(|field| !is_shared(field));
        let fields = shared.into_iter().chain(rest).collect();
        Ok(Relation { plan, fields })
    }

    fn joined_unnest(
        &mut self,
        kind: JoinKind,
        left: Relation,
        (exprs, ordinality, alias): Unnested<'_>,
        constraint: &JoinConstraint,
        pos: ast::Pos,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        let is_true = match constraint {
            JoinConstraint::None => true,
            JoinConstraint::On(condition) => matches!(condition.kind, ast::ExprKind::Boolean(true)),
            _ => false,
        };
        if !is_true || matches!(kind, JoinKind::Right | JoinKind::Full) {
            let (name, pos) = match (kind, constraint) {
                (JoinKind::Right | JoinKind::Full, _) => ("RIGHT and FULL JOIN", pos),
                (JoinKind::Left, JoinConstraint::On(condition)) => ("LEFT JOIN", condition.pos),
                (_, JoinConstraint::On(condition)) => ("INNER JOIN", condition.pos),
                _ => ("JOIN", pos),
            };
            let message = format!("{name} involving UNNEST is only supported with condition ON TRUE");
            return Err(TrinoError::at(pos, ErrorCode::NotSupported, message));
        }
        self.unnest(left, exprs, ordinality, kind == JoinKind::Left, alias, outer)
    }

    /// LATERAL: the right side sees the left side's columns.
    fn joined_lateral(
        &mut self,
        kind: JoinKind,
        left: Relation,
        right: &Source,
        constraint: &JoinConstraint,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        let right = {
            let scope = Scope::query(&left.fields, outer);
            self.relation(right, Some(&scope))?
        };
        let fields = [left.fields, right.fields].concat();
        let condition = match constraint {
            JoinConstraint::None => lit(true),
            JoinConstraint::On(condition) => {
                self.condition(condition, &Scope::query(&fields, outer), "JOIN ON clause")?
            }
            _ => return Err(unsupported("LATERAL can be joined by ON only")),
        };
        let plan = match lateral::fused(&left.plan, &right.plan, kind == JoinKind::Left)? {
            Some(plan) if condition == lit(true) => plan,
            _ if subquery::needs_join(&right.plan)
                && matches!(kind, JoinKind::Cross | JoinKind::Inner | JoinKind::Left) =>
            {
                let kind = if kind == JoinKind::Left { JoinType::Left } else { JoinType::Inner };
                self.joined_loosely(left.plan, &right.plan, kind, condition)?
            }
            _ => {
                let right = LogicalPlan::Subquery(subquery::subquery(self.prepared(right.plan)?));
                join(left.plan, right, kind, vec![condition])?
            }
        };
        Ok(Relation { plan, fields })
    }
}

/// UNNEST's arguments, whether it counts, and its alias.
type Unnested<'a> = (&'a [ast::Expr], bool, Option<(&'a ast::Ident, &'a [ast::Ident])>);

fn as_unnest(source: &Source) -> Option<Unnested<'_>> {
    match &source.kind {
        RelationKind::Unnest { exprs, ordinality } => Some((exprs, *ordinality, None)),
        RelationKind::Aliased { relation, alias, columns } => match &relation.kind {
            RelationKind::Unnest { exprs, ordinality } => Some((exprs, *ordinality, Some((alias, columns)))),
            _ => None,
        },
        _ => None,
    }
}

fn is_lateral(source: &Source) -> bool {
    match &source.kind {
        RelationKind::Lateral(_) => true,
        RelationKind::Aliased { relation, .. } => is_lateral(relation),
        _ => false,
    }
}

/// The only column of this name on one side.
fn one<'r>(relation: &'r Relation, name: &ast::Ident, side: &str) -> Result<&'r Field, TrinoError> {
    let lower = name.lower();
    let mut found = relation.fields.iter().filter(|field| field.name.as_ref() == Some(&lower));
    match (found.next(), found.next()) {
        (Some(field), None) => Ok(field),
        (Some(_), Some(_)) => {
            Err(TrinoError::at(name.pos, ErrorCode::AmbiguousName, format!("Column '{}' is ambiguous", name.value)))
        }
        (None, _) => {
            let message = format!("Column '{}' is missing from {side} side of join", name.value);
            Err(TrinoError::at(name.pos, ErrorCode::ColumnNotFound, message))
        }
    }
}

fn join(
    left: LogicalPlan,
    right: LogicalPlan,
    kind: JoinKind,
    conditions: Vec<Expr>,
) -> Result<LogicalPlan, TrinoError> {
    let kind = match kind {
        JoinKind::Cross | JoinKind::Inner => JoinType::Inner,
        JoinKind::Left => JoinType::Left,
        JoinKind::Right => JoinType::Right,
        JoinKind::Full => JoinType::Full,
    };
    let conditions = if conditions.is_empty() { vec![lit(true)] } else { conditions };
    let plan = LogicalPlanBuilder::from(left).join_on(right, kind, conditions).and_then(|plan| plan.build());
    plan.map_err(planned)
}

/// A relation under another name.
pub(super) fn aliased(
    mut relation: Relation,
    alias: &ast::Ident,
    columns: &[ast::Ident],
) -> Result<Relation, TrinoError> {
    let visible = relation.fields.iter().filter(|field| !field.hidden).count();
    if !columns.is_empty() && columns.len() != visible {
        let message = format!(
            "Column alias list has {} entries but '{}' has {visible} columns available",
            columns.len(),
            alias.value
        );
        return Err(TrinoError::new(ErrorCode::MismatchedColumnAliases, message));
    }
    let mut names = columns.iter();
    for field in &mut relation.fields {
        field.relation = vec![alias.lower()];
        if let Some(name) = if field.hidden { None } else { names.next() } {
            field.name = Some(name.lower());
            field.label = Some(name.value.clone());
        }
    }
    Ok(relation)
}

/// One row without columns.
pub(super) fn one_row() -> Relation {
    let schema = Arc::new(datafusion::common::DFSchema::empty());
    let empty = datafusion::logical_expr::EmptyRelation { produce_one_row: true, schema };
    Relation { plan: LogicalPlan::EmptyRelation(empty), fields: Vec::new() }
}
