//! GROUP BY and aggregates.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{self, ExprKind, GroupBy, GroupingElement};
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr, GroupingSet, LogicalPlan, LogicalPlanBuilder, Subquery};

use super::scope::Scope;
use super::select::{Output, Values, replace};
use super::{Analyzer, CallKind, planned, project};

/// How many grouping sets a query may have.
const MAX_SETS: usize = 2048;

/// The grouping sets of a SELECT.
#[derive(Debug)]
pub(super) struct Groups {
    sets: Vec<Vec<Expr>>,
}

impl Groups {
    /// All rows as one group.
    pub(super) fn whole() -> Self {
        Self { sets: vec![Vec::new()] }
    }

    /// All expressions of all sets, each once.
    fn keys(&self) -> Vec<Expr> {
        let mut keys: Vec<Expr> = Vec::new();
        for key in self.sets.iter().flatten() {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }
}

impl Analyzer<'_> {
    /// The GROUP BY clause: ordinals, expressions and grouping sets, whose product counts.
    pub(super) fn groups(
        &mut self,
        group_by: Option<&GroupBy>,
        outputs: &[Output],
        scope: &Scope<'_>,
    ) -> Result<Option<Groups>, TrinoError> {
        let Some(group_by) = group_by else {
            return Ok(None);
        };
        let mut sets: Vec<Vec<Expr>> = vec![Vec::new()];
        for element in &group_by.elements {
            let choices = self.element(element, outputs, scope)?;
            sets = sets
                .iter()
                .flat_map(|set| choices.iter().map(move |choice| [set.as_slice(), choice.as_slice()].concat()))
                .collect();
            if sets.len() > MAX_SETS {
                let message = format!("GROUP BY has {} grouping sets but can contain at most {MAX_SETS}", sets.len());
                return Err(TrinoError::new(ErrorCode::NotSupported, message));
            }
        }
        if group_by.distinct {
            let mut seen: Vec<Vec<Expr>> = Vec::new();
            sets.retain(|set| {
                let is_new = !seen.iter().any(|other| same_members(set, other));
                seen.extend(is_new.then(|| set.clone()));
                is_new
            });
        }
        Ok(Some(Groups { sets }))
    }

    fn element(
        &mut self,
        element: &GroupingElement,
        outputs: &[Output],
        scope: &Scope<'_>,
    ) -> Result<Vec<Vec<Expr>>, TrinoError> {
        let mut set = |exprs: &[ast::Expr]| -> Result<Vec<Expr>, TrinoError> {
            exprs.iter().map(|expr| self.key(expr, outputs, scope)).collect()
        };
        Ok(match element {
            GroupingElement::Set(exprs) => vec![set(exprs)?],
            GroupingElement::Sets(sets) => sets.iter().map(|exprs| set(exprs)).collect::<Result<_, _>>()?,
            GroupingElement::Rollup(parts) => {
                let parts = parts.iter().map(|exprs| set(exprs)).collect::<Result<Vec<_>, _>>()?;
                (0..=parts.len()).rev().map(|end| parts[..end].concat()).collect()
            }
            GroupingElement::Cube(parts) => {
                let parts = parts.iter().map(|exprs| set(exprs)).collect::<Result<Vec<_>, _>>()?;
                if parts.len() > 11 {
                    let message = format!("CUBE of {} elements has too many grouping sets", parts.len());
                    return Err(TrinoError::new(ErrorCode::NotSupported, message));
                }
                let chosen = |mask: usize| {
                    let members = parts.iter().enumerate().filter(move |(index, _)| mask & (1 << index) == 0);
                    members.flat_map(|(_, part)| part.clone()).collect()
                };
                (0..1_usize << parts.len()).map(chosen).collect()
            }
            GroupingElement::Auto => {
                let plain = outputs.iter().filter(|output| aggregates_in([&output.value.0]).is_empty());
                vec![plain.map(|output| output.value.0.clone()).collect()]
            }
        })
    }

    fn key(&mut self, expr: &ast::Expr, outputs: &[Output], scope: &Scope<'_>) -> Result<Expr, TrinoError> {
        let (value, ty) = match expr.kind {
            ExprKind::Integer(position) => {
                let place = usize::try_from(position).ok().and_then(|position| position.checked_sub(1));
                let Some(output) = place.and_then(|place| outputs.get(place)) else {
                    let message = format!("GROUP BY position {position} is not in select list");
                    return Err(TrinoError::at(expr.pos, ErrorCode::InvalidColumnReference, message));
                };
                let has_calls = !aggregates_in([&output.value.0]).is_empty()
                    || !datafusion::logical_expr::utils::find_window_exprs([&output.value.0]).is_empty();
                if has_calls {
                    let text = output.source.as_ref().map(ToString::to_string).unwrap_or_default();
                    let message = format!(
                        "GROUP BY clause cannot contain aggregations, window functions or grouping operations: [{text}]"
                    );
                    return Err(TrinoError::at(expr.pos, ErrorCode::ExpressionNotScalar, message));
                }
                output.value.clone()
            }
            _ => self.plain(expr, scope, "GROUP BY clause")?,
        };
        if ty.is_comparable() {
            return Ok(value);
        }
        let message = format!("{ty} is not comparable, and therefore cannot be used in GROUP BY");
        Err(TrinoError::at(expr.pos, ErrorCode::TypeMismatch, message))
    }

    /// Groups the rows, and turns all values into values of the groups.
    pub(super) fn grouped(
        &mut self,
        plan: LogicalPlan,
        groups: Groups,
        values: &mut Values<'_>,
    ) -> Result<LogicalPlan, TrinoError> {
        let source = plan.schema().columns();
        let keys = groups.keys();
        let (plan, computed) = self.with_group_keys(plan, &keys)?;
        let aggregates = {
            let outputs = values.outputs.iter().map(|output| &output.value.0);
            let order = values.order.iter().map(|(sort, _)| &sort.expr);
            aggregates_in(outputs.chain(order).chain(values.having.iter().map(|(having, _)| having)))
        };
        let (plan, asked) = self.with_subqueries(plan, &aggregates)?;
        let is_new = |known: &[(Expr, Column)], name: &str| known.iter().all(|(_, column)| column.name != name);
        let mut named: Vec<(Expr, Column)> = Vec::new();
        let mut calls = Vec::new();
        for aggregate in aggregates {
            // GROUPING takes the keys themselves; nothing else is computed from them beforehand.
            let call = match is_grouping(&aggregate) {
                true => grouping_of(&aggregate, &computed).map_err(|error| {
                    let asks = |output: &&Output| output.value.0.exists(|expr| Ok(*expr == aggregate)).unwrap_or(false);
                    let source = values.outputs.iter().find(asks).and_then(|output| output.source.as_ref());
                    TrinoError { pos: source.map(|source| source.pos), ..error }
                })?,
                false => replace(aggregate.clone(), &asked)?,
            };
            let name = call.schema_name().to_string();
            // Two aggregates may look the same as text and differ in a type.
            let (call, column) = match is_new(&named, &name) {
                true => (call, Column::new_unqualified(name)),
                false => {
                    let column = self.fresh_column("aggregate");
                    (call.alias(&column.name), column)
                }
            };
            calls.push(call);
            named.push((aggregate, column));
        }
        let keys_by =
            |set: &Vec<Expr>| set.iter().map(|key| replace(key.clone(), &computed)).collect::<Result<Vec<_>, _>>();
        let group_by = match groups.sets.as_slice() {
            [only] => {
                let mut keys = keys_by(only)?;
                dedup(&mut keys);
                keys
            }
            sets => {
                let sets = sets.iter().map(keys_by).collect::<Result<Vec<_>, _>>()?;
                vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets))]
            }
        };
        // A SELECT DISTINCT in other words has no aggregates; without keys too it would have no columns at all.
        if group_by.is_empty() && calls.is_empty() {
            return self.one_group(plan, values, &source);
        }
        let plan = LogicalPlanBuilder::from(plan)
            .aggregate(group_by, calls)
            .and_then(|builder| builder.build())
            .map_err(planned)?;
        // The aggregates get names that are used nowhere else; what DataFusion adds to grouping sets goes.
        let mut exprs: Vec<Expr> = computed.iter().map(|(_, column)| Expr::Column(column.clone())).collect();
        dedup(&mut exprs);
        for (_, column) in &mut named {
            let own = self.fresh_column("aggregate");
            exprs.push(Expr::Column(column.clone()).alias(&own.name));
            *column = own;
        }
        let plan = project(plan, exprs)?;
        let mut replacements = computed;
        replacements.extend(named);
        self.regroup(values, &replacements, &source)?;
        Ok(plan)
    }

    /// `SELECT 1 … HAVING …`: one row from however many.
    fn one_group(
        &mut self,
        plan: LogicalPlan,
        values: &mut Values<'_>,
        source: &[Column],
    ) -> Result<LogicalPlan, TrinoError> {
        let call = boathouse_trino_functions::AggregateCall {
            name: "count".to_owned(),
            args: Vec::new(),
            distinct: false,
            filter: None,
            order_by: Vec::new(),
        };
        let (count, _) = boathouse_trino_functions::aggregate(call)?;
        let plan = LogicalPlanBuilder::from(plan)
            .aggregate(Vec::<Expr>::new(), vec![count])
            .and_then(|builder| builder.build())
            .map_err(planned)?;
        self.regroup(values, &[], source)?;
        Ok(plan)
    }

    /// The same for keys that may ask whether a subquery has rows, which only a join can tell.
    fn with_group_keys(
        &mut self,
        plan: LogicalPlan,
        keys: &[Expr],
    ) -> Result<(LogicalPlan, Vec<(Expr, Column)>), TrinoError> {
        let (plan, asked) = self.with_subqueries(plan, keys)?;
        let replaced = keys.iter().map(|key| replace(key.clone(), &asked)).collect::<Result<Vec<_>, _>>()?;
        let (plan, computed) = self.with_keys(plan, &replaced)?;
        let computed = computed.into_iter().map(|(_, column)| column);
        Ok((plan, keys.iter().cloned().zip(computed).collect()))
    }

    /// Adds the keys that aren't columns yet to the plan. The answer holds a column for each key.
    pub(super) fn with_keys(
        &mut self,
        plan: LogicalPlan,
        keys: &[Expr],
    ) -> Result<(LogicalPlan, Vec<(Expr, Column)>), TrinoError> {
        let mut computed = Vec::with_capacity(keys.len());
        let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let columns = exprs.len();
        for key in keys {
            let column = match key {
                Expr::Column(column) => column.clone(),
                _ => {
                    let column = self.fresh_column("key");
                    exprs.push(key.clone().alias(&column.name));
                    column
                }
            };
            computed.push((key.clone(), column));
        }
        let plan = if exprs.len() > columns { project(plan, exprs)? } else { plan };
        Ok((plan, computed))
    }

    fn regroup(
        &mut self,
        values: &mut Values<'_>,
        replacements: &[(Expr, Column)],
        source: &[Column],
    ) -> Result<(), TrinoError> {
        let kept = |column: &Column| replacements.iter().any(|(_, known)| known == column);
        let regroup = |expr: &mut Expr, written: Written<'_>| {
            let replaced = in_subqueries(replace(expr.clone(), replacements)?, replacements)?;
            let lost = columns_of(&replaced)?.into_iter().find(|column| source.contains(column) && !kept(column));
            if let Some(column) = lost {
                return Err(not_grouped(&column, &written));
            }
            *expr = replaced;
            Ok(())
        };
        for output in values.outputs.iter_mut() {
            let (value, written) = output.parts();
            regroup(value, written)?;
        }
        for (sort, written) in values.order.iter_mut() {
            regroup(&mut sort.expr, Written::As(written))?;
        }
        if let Some((having, written)) = values.having.as_mut() {
            regroup(having, Written::As(written))?;
        }
        self.calls.retain(|call| call.kind == CallKind::Window);
        Ok(())
    }
}

/// How a value stands in the statement.
pub(super) enum Written<'w> {
    /// As an expression.
    As(&'w ast::Expr),
    /// As a column of `*`, which has this name with its relation's.
    InAll(String),
}

/// A value that a group has many of.
fn not_grouped(column: &Column, written: &Written<'_>) -> TrinoError {
    let written = match written {
        Written::As(written) => written,
        Written::InAll(name) => {
            let name = if name.is_empty() { &column.name } else { name };
            let message = format!("Column '{name}' not in GROUP BY clause");
            return TrinoError::new(ErrorCode::ExpressionNotAggregate, message);
        }
    };
    let text = match written.kind {
        ExprKind::Binary { .. } | ExprKind::Comparison { .. } => format!("({written})"),
        _ => written.to_string(),
    };
    let message = format!("'{text}' must be an aggregate expression or appear in GROUP BY clause");
    TrinoError::at(written.pos, ErrorCode::ExpressionNotAggregate, message)
}

/// The aggregates in expressions, also those that a window function takes as arguments.
pub(super) fn aggregates_in<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<Expr> {
    find_aggregate_exprs(exprs)
}

fn is_grouping(aggregate: &Expr) -> bool {
    matches!(aggregate, Expr::AggregateFunction(call) if call.func.name() == "grouping")
}

fn grouping_of(aggregate: &Expr, computed: &[(Expr, Column)]) -> Result<Expr, TrinoError> {
    let Expr::AggregateFunction(call) = aggregate else {
        return Ok(aggregate.clone());
    };
    let mut call = call.clone();
    for arg in &mut call.params.args {
        let Some((_, column)) = computed.iter().find(|(key, _)| key == arg) else {
            let message = format!(
                "The arguments to GROUPING() must be expressions referenced by the GROUP BY at the associated query level. \
                 Mismatch due to {}.",
                arg.qualified_name().1
            );
            return Err(TrinoError::new(ErrorCode::InvalidArguments, message));
        };
        *arg = Expr::Column(column.clone());
    }
    Ok(Expr::AggregateFunction(call))
}

fn dedup(keys: &mut Vec<Expr>) {
    let mut seen: Vec<Expr> = Vec::new();
    keys.retain(|key| {
        let is_new = !seen.contains(key);
        seen.extend(is_new.then(|| key.clone()));
        is_new
    });
}

fn same_members(a: &[Expr], b: &[Expr]) -> bool {
    a.iter().all(|expr| b.contains(expr)) && b.iter().all(|expr| a.contains(expr))
}

/// Points the outer references of subqueries to the groups' columns.
fn in_subqueries(expr: Expr, replacements: &[(Expr, Column)]) -> Result<Expr, TrinoError> {
    expr.transform_up(|expr| {
        Ok(match expr {
            Expr::ScalarSubquery(subquery) => Transformed::yes(Expr::ScalarSubquery(renamed(subquery, replacements)?)),
            Expr::Exists(mut exists) => {
                exists.subquery = renamed(exists.subquery, replacements)?;
                Transformed::yes(Expr::Exists(exists))
            }
            Expr::InSubquery(mut within) => {
                within.subquery = renamed(within.subquery, replacements)?;
                Transformed::yes(Expr::InSubquery(within))
            }
            other => Transformed::no(other),
        })
    })
    .data()
    .map_err(planned)
}

fn renamed(subquery: Subquery, replacements: &[(Expr, Column)]) -> datafusion::common::Result<Subquery> {
    let rename = |expr: Expr| {
        expr.transform(|expr| {
            let Expr::OuterReferenceColumn(field, column) = &expr else {
                return Ok(Transformed::no(expr));
            };
            let inner = Expr::Column(column.clone());
            match replacements.iter().find(|(known, _)| *known == inner) {
                Some((_, column)) => {
                    Ok(Transformed::yes(Expr::OuterReferenceColumn(std::sync::Arc::clone(field), column.clone())))
                }
                None => Ok(Transformed::no(expr)),
            }
        })
    };
    let plan = std::sync::Arc::unwrap_or_clone(subquery.subquery);
    let plan = plan.transform_down_with_subqueries(|plan| plan.map_expressions(rename)).data()?;
    Ok(super::subquery::subquery(plan))
}

/// The columns of the plan that an expression needs, also those that its subqueries take from outside.
fn columns_of(expr: &Expr) -> Result<Vec<Column>, TrinoError> {
    let mut columns: Vec<Column> = expr.column_refs().into_iter().cloned().collect();
    expr.apply(|expr| {
        let subquery = match expr {
            Expr::ScalarSubquery(subquery) => Some(subquery),
            Expr::Exists(exists) => Some(&exists.subquery),
            Expr::InSubquery(within) => Some(&within.subquery),
            _ => None,
        };
        for outer in subquery.iter().flat_map(|subquery| &subquery.outer_ref_columns) {
            if let Expr::OuterReferenceColumn(_, column) = outer {
                columns.push(column.clone());
            }
        }
        Ok(datafusion::common::tree_node::TreeNodeRecursion::Continue)
    })
    .map_err(planned)?;
    Ok(columns)
}

/// The type of GROUPING.
pub(super) const GROUPING: Type = Type::Integer;
