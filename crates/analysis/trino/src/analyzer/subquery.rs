//! Subqueries in expressions. DataFusion's optimizer turns them into joins.

use std::sync::Arc;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::coercion::common_super_type;
use boathouse_trino_functions::types::{RowField, Type};
use boathouse_trino_functions::{AggregateCall, Typed, aggregate, cast, operators};
use boathouse_trino_parser::ast::{self, ComparisonOp, Quantifier};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Spans};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, LogicalPlanBuilder, Subquery, lit};

use super::correlated::sides;
use super::scope::{Field, Relation, Scope};
use super::select::replace;
use super::{Analyzer, Place, at, loose, membership, planned, project, single};
use crate::error::unsupported;

impl Analyzer<'_> {
    /// A subquery's rows; its names may be columns of the query around it.
    fn subquery(&mut self, query: &ast::Query, scope: &Scope<'_>) -> Result<Relation, TrinoError> {
        if self.in_lambda {
            return Err(unsupported("Lambda expression cannot contain subqueries"));
        }
        let (place, calls) = (std::mem::take(&mut self.place), std::mem::take(&mut self.calls));
        let relation = self.query(query, Some(scope));
        (self.place, self.calls) = (place, calls);
        let mut relation = relation?;
        relation.fields.retain(|field| !field.hidden);
        relation.plan = self.prepared(relation.plan)?;
        Ok(relation)
    }

    /// A subquery of one column; several are the fields of a row where `rows` are wanted.
    fn column(
        &mut self,
        query: &ast::Query,
        scope: &Scope<'_>,
        rows: bool,
    ) -> Result<(LogicalPlan, Typed), TrinoError> {
        let relation = self.subquery(query, scope)?;
        only_column(relation, rows)
    }

    /// What is looked up by IN, and the type of the rows that it is looked up in.
    fn looked_up(
        &mut self,
        value: &Typed,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<(LogicalPlan, Typed), TrinoError> {
        let relation = self.subquery(query, scope)?;
        let field = |field: &Field| RowField { name: field.name.clone(), ty: field.ty.clone() };
        let rows = Type::Row(relation.fields.iter().map(field).collect());
        let is_row = matches!(value.1, Type::Row(_));
        let one = || Type::Row([RowField { name: None, ty: value.1.clone() }].into());
        let wanted = if is_row { value.1.clone() } else { one() };
        if common_super_type(&wanted, &rows).is_none() {
            let message =
                format!("Value expression and result of subquery must be of the same type: {wanted} vs {rows}");
            return Err(TrinoError::new(ErrorCode::TypeMismatch, message));
        }
        if is_row {
            let row = super::expression::row(relation.fields.iter().map(Field::typed).collect());
            return Ok((relation.plan, row));
        }
        only_column(relation, true)
    }

    pub(super) fn scalar_subquery(&mut self, query: &ast::Query, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        let (plan, (expr, ty)) = self.column(query, scope, true)?;
        let plan = project(plan, vec![expr])?;
        // Trino looks for no more in a row's own arrays.
        if unnests_outer(&plan) && !loose::expands(&plan) && !loose::reads_nothing(&plan) {
            return Err(at(query.body.pos)(unsupported_correlation()));
        }
        if let Some(value) = of_the_row(&plan, scope) {
            return Ok((value, ty));
        }
        // DataFusion takes a column without NULLs for a value that is always there.
        let whole = is_one_row(&plan);
        let may_be_absent = || plan.schema().fields().iter().all(|field| field.is_nullable());
        if whole || (plan.all_out_ref_exprs().is_empty() && may_be_absent()) {
            return Ok((Expr::ScalarSubquery(subquery(plan)), ty));
        }
        // Only an aggregate can be joined to each row of the outer query: all values. There may be one of them, but only
        // for the rows that are left after the join.
        let column = plan.schema().columns().into_iter().map(Expr::Column).map(|column| (column, ty.clone())).collect();
        let (plan, mut values) = self.aggregated(plan, vec![call("array_agg", column)?])?;
        let (values, _) = values.pop().ok_or_else(|| unsupported("an aggregate without a column"))?;
        let values = Expr::ScalarSubquery(subquery(project(plan, vec![values])?));
        Ok((single::single(values), ty))
    }

    pub(super) fn exists(&mut self, query: &ast::Query, scope: &Scope<'_>) -> Result<Typed, TrinoError> {
        let relation = self.subquery(query, scope)?;
        let unnests = unnests_outer(&relation.plan);
        if unnests && !loose::reads_nothing(&relation.plan) {
            return Err(unsupported_correlation());
        }
        if self.place != Place::Value && !unnests {
            return Ok((Expr::Exists(Exists::new(subquery(relation.plan), false)), Type::Boolean));
        }
        // A comparison that is no equality can't group rows: those that belong to a row are looked for by a join.
        if is_correlated_loosely(&relation.plan) && !unnests {
            return Ok((Expr::Exists(Exists::new(subquery(relation.plan), false)), Type::Boolean));
        }
        // Elsewhere than in a filter only a value can become a join.
        let relation = match relation.plan.all_out_ref_exprs().is_empty() {
            true => first_row(relation)?,
            false => relation,
        };
        let count = count(vec![])?;
        let (plan, count) = self.aggregated(relation.plan, vec![count])?;
        let (count, _) = count.into_iter().next().ok_or_else(|| unsupported("a count without a column"))?;
        let counted = Expr::ScalarSubquery(subquery(project(plan, vec![count])?));
        Ok((counted.gt(lit(0_i64)), Type::Boolean))
    }

    pub(super) fn in_subquery(
        &mut self,
        value: &ast::Expr,
        query: &ast::Query,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let value = self.expr(value, scope)?;
        self.in_values(value, query, negated, scope)
    }

    /// Whether a value is among those of a subquery.
    pub(super) fn in_values(
        &mut self,
        value: Typed,
        query: &ast::Query,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let is_condition = self.place == Place::Condition;
        let (plan, column) = self.looked_up(&value, query, scope)?;
        if unnests_outer(&plan) {
            return Err(unsupported_correlation());
        }
        let is_row = matches!(value.1, Type::Row(_));
        let correlated = !plan.all_out_ref_exprs().is_empty();
        // Of the rows that a condition keeps, none has a NULL inside of its value.
        let known = match is_condition && is_row && !negated {
            true => Some(operators::comparison(ast::ComparisonOp::Equal, value.clone(), value.clone())?.0),
            false => None,
        };
        let (value, plan) = self.compared(value, plan, column)?;
        // DataFusion's joins know of NULL only where a value is compared with all rows alike.
        if is_condition && !is_row && !(negated && correlated) {
            let within = InSubquery::new(Box::new(value), subquery(plan), negated);
            return Ok((Expr::InSubquery(within), Type::Boolean));
        }
        let list = self.list_of(plan, correlated)?;
        let found = membership::is_among(value, list);
        let found = known.into_iter().fold(found, Expr::and);
        Ok((if negated { Expr::Not(Box::new(found)) } else { found }, Type::Boolean))
    }

    /// The values of a plan's only column as one value.
    fn list_of(&mut self, plan: LogicalPlan, correlated: bool) -> Result<Expr, TrinoError> {
        let plan = match correlated {
            true => plan,
            false => LogicalPlanBuilder::from(plan).distinct().and_then(|plan| plan.build()).map_err(planned)?,
        };
        let column = plan.schema().columns().into_iter().map(Expr::Column).next();
        let column = column.ok_or_else(|| unsupported("a subquery without a column"))?;
        let list = datafusion::functions_aggregate::expr_fn::array_agg(column);
        let (plan, mut values) = self.aggregated(plan, vec![(list, Type::Unknown)])?;
        let (values, _) = values.pop().ok_or_else(|| unsupported("an aggregate without a column"))?;
        Ok(Expr::ScalarSubquery(subquery(project(plan, vec![values])?)))
    }

    /// A value and a subquery's column in their common type.
    fn compared(&mut self, value: Typed, plan: LogicalPlan, column: Typed) -> Result<(Expr, LogicalPlan), TrinoError> {
        let refuse = || {
            let message = format!(
                "Value expression and result of subquery must be of the same type: row({}) vs row({})",
                value.1, column.1
            );
            TrinoError::new(ErrorCode::TypeMismatch, message)
        };
        let common = common_super_type(&value.1, &column.1).ok_or_else(refuse)?;
        let value = operators::comparable(cast::coerce(value, &common)?);
        let column = operators::comparable(cast::coerce(column, &common)?);
        let column = if matches!(column, Expr::Column(_)) { column } else { column.alias(self.fresh("value")) };
        Ok((value, project(plan, vec![column])?))
    }

    /// `left op ALL|ANY (query)`
    pub(super) fn quantified(
        &mut self,
        op: ComparisonOp,
        quantifier: Quantifier,
        left: &ast::Expr,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let left = self.expr(left, scope)?;
        self.quantified_values(op, quantifier, left, query, scope)
    }

    /// The same with a value that has been analyzed.
    pub(super) fn quantified_values(
        &mut self,
        op: ComparisonOp,
        quantifier: Quantifier,
        left: Typed,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        match (quantifier, op) {
            (Quantifier::Any, ComparisonOp::Equal) => self.in_values(left, query, false, scope),
            (Quantifier::All, ComparisonOp::NotEqual) => self.in_values(left, query, true, scope),
            (Quantifier::All, op) => self.compare_all(op, left, query, scope),
            (Quantifier::Any, op) => {
                let (all, ty) = self.compare_all(inverse(op), left, query, scope)?;
                Ok((Expr::Not(Box::new(all)), ty))
            }
        }
    }

    /// `left op ALL (query)` by the extremes of the query's values: true if there are none, false if an extreme refuses,
    /// unknown if there is a NULL, else true.
    fn compare_all(
        &mut self,
        op: ComparisonOp,
        left: Typed,
        query: &ast::Query,
        scope: &Scope<'_>,
    ) -> Result<Typed, TrinoError> {
        let extreme = |analyzer: &mut Self, name: &str, count_all: bool| -> Result<Typed, TrinoError> {
            let (plan, column) = analyzer.column(query, scope, false)?;
            let args = if count_all { vec![] } else { vec![column] };
            let (plan, values) = analyzer.aggregated(plan, vec![call(name, args)?])?;
            let (value, ty) = values.into_iter().next().ok_or_else(|| unsupported("an aggregate without a column"))?;
            Ok((Expr::ScalarSubquery(subquery(project(plan, vec![value])?)), ty))
        };
        let (all, present) = (extreme(self, "count", true)?, extreme(self, "count", false)?);
        let compared = match op {
            ComparisonOp::Greater | ComparisonOp::GreaterOrEqual => {
                operators::comparison(op, left, extreme(self, "max", false)?)?.0
            }
            ComparisonOp::Less | ComparisonOp::LessOrEqual => {
                operators::comparison(op, left, extreme(self, "min", false)?)?.0
            }
            ComparisonOp::Equal | ComparisonOp::NotEqual => {
                let least = operators::comparison(ComparisonOp::Equal, left.clone(), extreme(self, "min", false)?)?.0;
                let most = operators::comparison(ComparisonOp::Equal, left, extreme(self, "max", false)?)?.0;
                least.and(most)
            }
        };
        let unknown = (lit(datafusion::common::ScalarValue::Boolean(None)), Type::Boolean);
        let yes = |value: bool| (lit(value), Type::Boolean);
        let branches = vec![
            ((all.0.clone().eq(lit(0_i64)), Type::Boolean), yes(true)),
            ((Expr::IsFalse(Box::new(compared.clone())), Type::Boolean), yes(false)),
            ((all.0.not_eq(present.0), Type::Boolean), unknown),
        ];
        operators::case(None, branches, Some((compared, Type::Boolean)))
    }

    /// The correlated subqueries in expressions as columns of the plan: DataFusion finds them in projections and filters only.
    pub(super) fn with_subqueries<'e>(
        &mut self,
        plan: LogicalPlan,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Result<(LogicalPlan, Vec<(Expr, Column)>), TrinoError> {
        let exprs: Vec<&Expr> = exprs.into_iter().collect();
        let (plan, loose) = self.with_loose(plan, exprs.iter().copied())?;
        let mut subqueries = Vec::new();
        let mut marks = Vec::new();
        for found in correlated_in(exprs) {
            match found {
                Expr::Exists(exists) => marks.push(exists),
                value if loose.iter().all(|(known, _)| *known != value) => subqueries.push(value),
                _ => {}
            }
        }
        let (mut plan, mut computed) = self.with_keys(plan, &subqueries)?;
        computed.extend(loose);
        for exists in marks {
            let (marked, column) = self.marked(plan, &exists)?;
            plan = marked;
            computed.push((Expr::Exists(exists), column));
        }
        Ok((plan, computed))
    }

    /// Adds a column that says whether the subquery has rows.
    fn marked(&mut self, plan: LogicalPlan, exists: &Exists) -> Result<(LogicalPlan, Column), TrinoError> {
        let joinable = self.joinable_to(&plan, &exists.subquery.subquery)?;
        let mut kept: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let joined = LogicalPlanBuilder::from(plan)
            .join_on(joinable.plan, JoinType::LeftMark, [joinable.condition])
            .and_then(|builder| builder.build())
            .map_err(planned)?;
        let mark = joined.schema().columns().pop().ok_or_else(unsupported_correlation)?;
        let column = self.fresh_column("exists");
        kept.push(Expr::Column(mark).alias(&column.name));
        Ok((project(joined, kept)?, column))
    }

    /// The same for a join's condition, whose subqueries belong to the side that they take all their columns from.
    pub(super) fn with_sides_subqueries(
        &mut self,
        mut left: LogicalPlan,
        mut right: LogicalPlan,
        condition: Expr,
    ) -> Result<(LogicalPlan, LogicalPlan, Expr), TrinoError> {
        let mut computed = Vec::new();
        for subquery in correlated_in([&condition]) {
            let belongs = |side: &LogicalPlan| taken(&subquery).iter().all(|column| side.schema().has_column(column));
            let side = match (belongs(&left), belongs(&right)) {
                (true, _) => &mut left,
                (_, true) => &mut right,
                _ => return Err(unsupported_correlation()),
            };
            let (plan, columns) = self.with_subqueries(side.clone(), [&subquery])?;
            *side = plan;
            computed.extend(columns);
        }
        Ok((left, right, replace(condition, &computed)?))
    }

    /// Aggregates over all rows of a plan, and their columns.
    fn aggregated(
        &mut self,
        plan: LogicalPlan,
        aggregates: Vec<Typed>,
    ) -> Result<(LogicalPlan, Vec<Typed>), TrinoError> {
        let exprs: Vec<Expr> = aggregates.iter().map(|(expr, _)| expr.clone()).collect();
        let plan = LogicalPlanBuilder::from(plan)
            .aggregate(Vec::<Expr>::new(), exprs)
            .and_then(|builder| builder.build())
            .map_err(planned)?;
        let columns = plan.schema().columns();
        let renamed: Vec<(Expr, Column)> = columns
            .into_iter()
            .map(|column| {
                let name = self.fresh_column("value");
                (Expr::Column(column).alias(&name.name), name)
            })
            .collect();
        let (exprs, names): (Vec<_>, Vec<_>) = renamed.into_iter().unzip();
        let typed = names.into_iter().zip(aggregates).map(|(name, (_, ty))| (Expr::Column(name), ty)).collect();
        Ok((project(plan, exprs)?, typed))
    }
}

/// The rows' only column, or all of them as one row where that is wanted.
fn only_column(relation: Relation, rows: bool) -> Result<(LogicalPlan, Typed), TrinoError> {
    if rows && relation.fields.len() > 1 {
        let row = super::expression::row(relation.fields.iter().map(Field::typed).collect());
        return Ok((relation.plan, row));
    }
    let [field] = relation.fields.as_slice() else {
        let message =
            format!("Multiple columns returned by subquery are not yet supported. Found {}", relation.fields.len());
        return Err(TrinoError::new(ErrorCode::NotSupported, message));
    };
    let typed = field.typed();
    Ok((relation.plan, typed))
}

fn count(args: Vec<Typed>) -> Result<Typed, TrinoError> {
    call("count", args)
}

fn call(name: &str, args: Vec<Typed>) -> Result<Typed, TrinoError> {
    aggregate(AggregateCall { name: name.to_owned(), args, distinct: false, filter: None, order_by: Vec::new() })
}

/// What a subquery without FROM makes of the outer row alone.
fn of_the_row(plan: &LogicalPlan, scope: &Scope<'_>) -> Option<Expr> {
    let LogicalPlan::Projection(outermost) = plan else { return None };
    let [value] = outermost.expr.as_slice() else { return None };
    let value = match (value, outermost.input.as_ref()) {
        // The column of the SELECT, which computes it.
        (Expr::Column(column), LogicalPlan::Projection(inner)) => {
            let place = inner.schema.maybe_index_of_column(column)?;
            matches!(inner.input.as_ref(), LogicalPlan::EmptyRelation(empty) if empty.produce_one_row)
                .then(|| inner.expr.get(place))
                .flatten()?
        }
        (value, LogicalPlan::EmptyRelation(empty)) if empty.produce_one_row => value,
        _ => return None,
    };
    let is_own = |column: &Column| scope.fields().iter().any(|field| field.column == *column);
    let foreign = |expr: &Expr| match expr {
        Expr::OuterReferenceColumn(_, column) => Ok(!is_own(column)),
        expr => Ok(is_subquery(expr)),
    };
    if !value.contains_outer() || value.exists(foreign).unwrap_or(true) {
        return None;
    }
    super::lateral::inner(value).ok().map(Expr::unalias)
}

/// No more than one of the rows.
fn first_row(relation: Relation) -> Result<Relation, TrinoError> {
    let plan = LogicalPlanBuilder::from(relation.plan).limit(0, Some(1)).and_then(|plan| plan.build());
    Ok(Relation { plan: plan.map_err(planned)?, fields: relation.fields })
}

/// Whether a plan gives one row whatever it reads.
fn is_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(projection) => is_one_row(&projection.input),
        LogicalPlan::Sort(sort) => is_one_row(&sort.input),
        _ => false,
    }
}

/// The comparison that is true where this one is false.
fn inverse(op: ComparisonOp) -> ComparisonOp {
    match op {
        ComparisonOp::Equal => ComparisonOp::NotEqual,
        ComparisonOp::NotEqual => ComparisonOp::Equal,
        ComparisonOp::Less => ComparisonOp::GreaterOrEqual,
        ComparisonOp::LessOrEqual => ComparisonOp::Greater,
        ComparisonOp::Greater => ComparisonOp::LessOrEqual,
        ComparisonOp::GreaterOrEqual => ComparisonOp::Less,
    }
}

/// Whether an expression takes values from a subquery or from the query around.
pub(super) fn asks_elsewhere(expr: &Expr) -> bool {
    let asks = |expr: &Expr| matches!(expr, Expr::OuterReferenceColumn(..)) || is_subquery(expr);
    expr.exists(|expr| Ok(asks(expr))).unwrap_or(false)
}

/// Whether an expression holds a subquery.
pub(super) fn has_subquery(expr: &Expr) -> bool {
    expr.exists(|expr| Ok(is_subquery(expr))).unwrap_or(false)
}

fn is_subquery(expr: &Expr) -> bool {
    matches!(expr, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_))
}

/// The correlated subqueries in expressions that give values, each once.
pub(super) fn correlated_in<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> Vec<Expr> {
    let mut found: Vec<Expr> = Vec::new();
    for expr in exprs {
        let visited = expr.apply(|expr| {
            let correlated = match expr {
                Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
                Expr::Exists(_) => true,
                _ => false,
            };
            if correlated && !found.contains(expr) {
                found.push(expr.clone());
            }
            Ok(TreeNodeRecursion::Continue)
        });
        debug_assert!(visited.is_ok(), "the visitor never fails");
    }
    found
}

/// Whether a subquery compares with the query around it by anything but equality.
pub(super) fn is_correlated_loosely(plan: &LogicalPlan) -> bool {
    let mut loosely = false;
    let visited = plan.apply(|plan| {
        if let LogicalPlan::Filter(filter) = plan {
            let mut terms = split_conjunction(&filter.predicate).into_iter().filter(|term| term.contains_outer());
            loosely |= terms.any(|term| sides(term).is_none());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(visited.is_ok(), "the visitor never fails");
    loosely
}

/// Whether a subquery makes rows of the outer row's own arrays.
fn unnests_outer(plan: &LogicalPlan) -> bool {
    let unnests = |plan: &LogicalPlan| match plan {
        LogicalPlan::Unnest(unnest) => Ok(!unnest.input.all_out_ref_exprs().is_empty()),
        _ => Ok(false),
    };
    plan.exists(unnests).unwrap_or(false)
}

/// Whether a subquery's values need a join by the rows' own numbers.
pub(super) fn needs_join(plan: &LogicalPlan) -> bool {
    is_correlated_loosely(plan) || unnests_outer(plan)
}

/// The columns that a subquery takes from the query around it.
fn taken(subquery: &Expr) -> Vec<Column> {
    let subquery = match subquery {
        Expr::ScalarSubquery(subquery) => subquery,
        Expr::Exists(exists) => &exists.subquery,
        _ => return Vec::new(),
    };
    let columns = subquery.outer_ref_columns.iter().map(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) => Some(column.clone()),
        _ => None,
    });
    columns.flatten().collect()
}

/// What no plan was found for.
pub(crate) fn unsupported_correlation() -> TrinoError {
    unsupported("Given correlated subquery is not supported")
}

/// Whether a plan holds subqueries that take values from outside of them.
pub(crate) fn is_correlated(plan: &LogicalPlan) -> bool {
    let mut correlated = false;
    let visited = plan.apply_with_subqueries(|plan| {
        correlated |= plan.contains_outer_reference();
        Ok(if correlated { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    debug_assert!(visited.is_ok(), "the visitor never fails");
    correlated
}

/// A plan as a subquery of another plan.
pub(super) fn subquery(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}
