//! Correlated subqueries in a shape that DataFusion turns into joins: what compares with the outer query stands at the top.
//!
//! DataFusion finds such conditions below projections and groups. LIMIT, DISTINCT, window functions and grouped subqueries
//! work on the rows of one outer row; with the columns that are compared as keys they do so for all outer rows at once.

use std::sync::Arc;

use boathouse_trino_functions::error::TrinoError;
use datafusion::common::Column;
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    BinaryExpr, Expr, FetchType, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, SkipType, lit,
};

use super::{Analyzer, planned, project};

/// A subquery without what it asks of the outer row, and that as comparisons with columns that the plan still has.
struct Hoisted {
    plan: LogicalPlan,
    conditions: Vec<Condition>,
    /// What else it asks of the outer row; nothing that works on one outer row's rows may stand above it.
    others: Vec<Expr>,
}

/// `column = value of the outer query`
struct Condition {
    column: Column,
    outer: Expr,
}

/// A subquery that was prepared to be joined: its rows, and when one of them belongs to an outer row.
pub(super) struct Joinable {
    pub(super) plan: LogicalPlan,
    pub(super) condition: Expr,
}

impl Hoisted {
    /// All conditions.
    fn condition(self) -> (LogicalPlan, Option<Expr>) {
        let equal = self.conditions.into_iter().map(|condition| Expr::Column(condition.column).eq(condition.outer));
        (self.plan, conjunction(equal.chain(self.others)))
    }

    /// The same if its rows can be told apart by keys alone.
    fn keyed(self) -> Option<Self> {
        self.others.is_empty().then_some(self)
    }

    fn keys(&self) -> Vec<Expr> {
        self.conditions.iter().map(|condition| Expr::Column(condition.column.clone())).collect()
    }
}

impl Analyzer<'_> {
    /// The same subquery, where DataFusion alone would not find the conditions; unchanged where they are no equalities.
    pub(super) fn prepared(&mut self, plan: LogicalPlan) -> Result<LogicalPlan, TrinoError> {
        if plan.all_out_ref_exprs().is_empty() || !needs_help(&plan) {
            return Ok(plan);
        }
        match &plan {
            // DataFusion knows what an aggregate without rows gives; the conditions go right below it.
            LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => {
                let input = self.prepared(aggregate.input.as_ref().clone())?;
                plan.with_new_exprs(plan.expressions(), vec![input]).map_err(planned)
            }
            LogicalPlan::Projection(projection) if counts_whole(&projection.input) => {
                let input = self.prepared(projection.input.as_ref().clone())?;
                plan.with_new_exprs(plan.expressions(), vec![input]).map_err(planned)
            }
            _ => {
                let columns = plan.schema().columns();
                let Some(hoisted) = self.hoisted(&plan)? else { return Ok(plan) };
                let (plan, condition) = hoisted.condition();
                let filtered = filter(plan, condition)?;
                project(filtered, columns.into_iter().map(Expr::Column).collect())
            }
        }
    }

    /// A correlated subquery's rows and the condition that joins them to the outer query's; none if it can't be told.
    pub(super) fn joinable(&mut self, plan: &LogicalPlan) -> Result<Option<Joinable>, TrinoError> {
        let Some(hoisted) = self.hoisted(plan)? else { return Ok(None) };
        let (plan, condition) = hoisted.condition();
        let Some(condition) = condition else { return Ok(None) };
        Ok(Some(Joinable { plan, condition: super::lateral::inner(&condition)? }))
    }

    fn hoisted(&mut self, plan: &LogicalPlan) -> Result<Option<Hoisted>, TrinoError> {
        if plan.all_out_ref_exprs().is_empty() {
            return Ok(Some(Hoisted { plan: plan.clone(), conditions: Vec::new(), others: Vec::new() }));
        }
        match plan {
            LogicalPlan::Filter(node) => {
                let Some(input) = self.hoisted(&node.input)? else { return Ok(None) };
                self.hoisted_filter(input, node.predicate.clone())
            }
            LogicalPlan::Projection(node) if !node.expr.iter().any(Expr::contains_outer) => {
                let Some(input) = self.hoisted(&node.input)? else { return Ok(None) };
                let exprs = [node.expr.clone(), new_keys(&input, &node.expr)].concat();
                let Hoisted { plan, conditions, others } = input;
                Ok(Some(Hoisted { plan: project(plan, exprs)?, conditions, others }))
            }
            LogicalPlan::Sort(node) if node.fetch.is_none() => {
                let Some(input) = self.hoisted(&node.input)? else { return Ok(None) };
                let sorted = LogicalPlanBuilder::from(input.plan).sort(node.expr.clone());
                let plan = sorted.and_then(|plan| plan.build()).map_err(planned)?;
                Ok(Some(Hoisted { plan, ..input }))
            }
            LogicalPlan::Distinct(datafusion::logical_expr::Distinct::All(input)) => {
                let Some(input) = self.hoisted(input)?.and_then(Hoisted::keyed) else { return Ok(None) };
                let plan = LogicalPlanBuilder::from(input.plan).distinct().and_then(|plan| plan.build());
                Ok(Some(Hoisted { plan: plan.map_err(planned)?, ..input }))
            }
            LogicalPlan::Aggregate(node) if !node.group_expr.is_empty() => {
                let sets = node.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_)));
                let calls = node.aggr_expr.iter().any(Expr::contains_outer);
                if sets || calls {
                    return Ok(None);
                }
                let Some(input) = self.hoisted(&node.input)?.and_then(Hoisted::keyed) else { return Ok(None) };
                let keys = [node.group_expr.clone(), new_keys(&input, &node.group_expr)].concat();
                let Hoisted { plan, conditions, others } = input;
                let plan = LogicalPlanBuilder::from(plan).aggregate(keys, node.aggr_expr.clone());
                let plan = plan.and_then(|plan| plan.build()).map_err(planned)?;
                Ok(Some(Hoisted { plan, conditions, others }))
            }
            LogicalPlan::Window(node) if !node.window_expr.iter().any(Expr::contains_outer) => {
                let Some(input) = self.hoisted(&node.input)?.and_then(Hoisted::keyed) else { return Ok(None) };
                self.hoisted_window(input, &node.window_expr)
            }
            LogicalPlan::Limit(node) => {
                let (Ok(SkipType::Literal(skip)), Ok(FetchType::Literal(fetch))) =
                    (node.get_skip_type(), node.get_fetch_type())
                else {
                    return Ok(None);
                };
                self.hoisted_limit(&node.input, skip, fetch)
            }
            LogicalPlan::Join(node) => self.hoisted_join(plan, node),
            _ => Ok(None),
        }
    }

    fn hoisted_filter(&mut self, input: Hoisted, predicate: Expr) -> Result<Option<Hoisted>, TrinoError> {
        let (correlated, own): (Vec<_>, Vec<_>) =
            split_conjunction_owned(predicate).into_iter().partition(Expr::contains_outer);
        let Hoisted { plan, mut conditions, mut others } = filter_hoisted(input, conjunction(own))?;
        let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        for condition in correlated {
            let Some((inner, outer)) = sides(&condition) else {
                others.push(condition);
                continue;
            };
            let column = match inner {
                Expr::Column(column) => column,
                inner => {
                    let column = self.fresh_column("key");
                    exprs.push(inner.alias(&column.name));
                    column
                }
            };
            conditions.push(Condition { column, outer });
        }
        let plan = if exprs.len() > plan.schema().fields().len() { project(plan, exprs)? } else { plan };
        Ok(Some(Hoisted { plan, conditions, others }))
    }

    /// Windows of one outer row's rows are windows of the rows with the same keys.
    fn hoisted_window(&mut self, input: Hoisted, windows: &[Expr]) -> Result<Option<Hoisted>, TrinoError> {
        let keys = input.keys();
        let mut exprs: Vec<Expr> = input.plan.schema().columns().into_iter().map(Expr::Column).collect();
        let mut keyed = Vec::with_capacity(windows.len());
        for window in windows {
            let (name, Expr::WindowFunction(mut call)) = (window.schema_name().to_string(), window.clone()) else {
                return Ok(None);
            };
            call.params.partition_by.extend(keys.clone());
            let call = Expr::WindowFunction(call);
            exprs.push(Expr::Column(Column::new_unqualified(call.schema_name().to_string())).alias(name));
            keyed.push(call);
        }
        let plan = LogicalPlanBuilder::window_plan(input.plan, keyed).map_err(planned)?;
        Ok(Some(Hoisted { plan: project(plan, exprs)?, conditions: input.conditions, others: Vec::new() }))
    }

    /// The first rows of one outer row are those with the lowest numbers among the rows with the same keys.
    fn hoisted_limit(
        &mut self,
        input: &LogicalPlan,
        skip: usize,
        fetch: Option<usize>,
    ) -> Result<Option<Hoisted>, TrinoError> {
        let (input, order) = match input {
            LogicalPlan::Sort(sort) => (sort.input.as_ref(), sort.expr.clone()),
            // The projection drops sort keys that are no columns of the result: it is done last.
            LogicalPlan::Projection(projection) if matches!(projection.input.as_ref(), LogicalPlan::Sort(_)) => {
                let limited = LogicalPlanBuilder::from(projection.input.as_ref().clone()).limit(skip, fetch);
                let limited = limited.and_then(|plan| plan.build()).map_err(planned)?;
                return self.hoisted(&project(limited, projection.expr.clone())?);
            }
            other => (other, Vec::new()),
        };
        let Some(hoisted) = self.hoisted(input)?.and_then(Hoisted::keyed) else { return Ok(None) };
        let keys = hoisted.keys();
        let (plan, (number, _)) = self.ranked(hoisted.plan, "row_number", keys, order)?;
        let first = number.clone().gt(lit(skip as i64));
        let last = fetch.map(|fetch| number.lt_eq(lit((skip + fetch) as i64)));
        let plan = filter(plan, conjunction([first].into_iter().chain(last)))?;
        Ok(Some(Hoisted { plan, conditions: hoisted.conditions, others: Vec::new() }))
    }

    /// Conditions pass a join where it keeps rows only together.
    fn hoisted_join(
        &mut self,
        plan: &LogicalPlan,
        node: &datafusion::logical_expr::Join,
    ) -> Result<Option<Hoisted>, TrinoError> {
        let right_passes = node.join_type == JoinType::Inner || node.right.all_out_ref_exprs().is_empty();
        let own = plan.expressions().iter().any(Expr::contains_outer);
        if !matches!(node.join_type, JoinType::Inner | JoinType::Left) || !right_passes || own {
            return Ok(None);
        }
        let (Some(left), Some(right)) = (self.hoisted(&node.left)?, self.hoisted(&node.right)?) else {
            return Ok(None);
        };
        let joined = plan.with_new_exprs(plan.expressions(), vec![left.plan, right.plan]).map_err(planned)?;
        let conditions = left.conditions.into_iter().chain(right.conditions).collect();
        let others = left.others.into_iter().chain(right.others).collect();
        Ok(Some(Hoisted { plan: joined, conditions, others }))
    }
}

/// The columns of conditions that a list of expressions has not got yet.
fn new_keys(input: &Hoisted, exprs: &[Expr]) -> Vec<Expr> {
    let mut keys: Vec<Expr> = Vec::new();
    let others = input.others.iter().flat_map(Expr::column_refs).map(|column| Expr::Column(column.clone()));
    for key in input.keys().into_iter().chain(others) {
        if !exprs.contains(&key) && !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

fn filter(plan: LogicalPlan, condition: Option<Expr>) -> Result<LogicalPlan, TrinoError> {
    match condition {
        Some(condition) => {
            LogicalPlanBuilder::from(plan).filter(condition).and_then(|plan| plan.build()).map_err(planned)
        }
        None => Ok(plan),
    }
}

fn filter_hoisted(input: Hoisted, condition: Option<Expr>) -> Result<Hoisted, TrinoError> {
    Ok(Hoisted { plan: filter(input.plan, condition)?, ..input })
}

/// The inner and the outer side of an equality between them.
pub(super) fn sides(condition: &Expr) -> Option<(Expr, Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition.clone() else { return None };
    let is_inner = |expr: &Expr| !expr.contains_outer() && expr.any_column_refs();
    let is_outer = |expr: &Expr| expr.contains_outer() && !expr.any_column_refs();
    match (*left, *right) {
        (left, right) if is_inner(&left) && is_outer(&right) => Some((left, right)),
        (left, right) if is_outer(&left) && is_inner(&right) => Some((right, left)),
        _ => None,
    }
}

/// Whether there is anything that DataFusion's own rules stop at.
fn needs_help(plan: &LogicalPlan) -> bool {
    let here = match plan {
        LogicalPlan::Limit(_) | LogicalPlan::Distinct(_) | LogicalPlan::Window(_) | LogicalPlan::Sort(_) => true,
        LogicalPlan::Aggregate(aggregate) => !aggregate.group_expr.is_empty(),
        // It only finds equalities of columns.
        LogicalPlan::Filter(filter) => split_conjunction(&filter.predicate)
            .into_iter()
            .filter_map(sides)
            .any(|(inner, _)| !matches!(inner, Expr::Column(_))),
        _ => false,
    };
    here || plan.inputs().into_iter().any(|input| !input.all_out_ref_exprs().is_empty() && needs_help(input))
}

/// Whether a plan is an aggregate of all its rows, under projections.
fn counts_whole(plan: &Arc<LogicalPlan>) -> bool {
    match plan.as_ref() {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(projection) => counts_whole(&projection.input),
        _ => false,
    }
}
