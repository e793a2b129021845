//! Correlated subqueries of any shape that can be joined: computed at once for all values that the outer rows have.
//!
//! These values are rows of their own, the domain. Where the subquery reads something, it reads it together with the
//! domain; from there on the outer row's columns are columns of its own, which tell the rows of one outer row from those of
//! another.

use boathouse_trino_functions::error::TrinoError;
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, FetchType, Join, JoinType, Limit, LogicalPlan, LogicalPlanBuilder, Operator, SkipType,
    binary_expr, lit,
};

use super::correlated::Joinable;
use super::loose::only_where;
use super::subquery::{has_subquery, unsupported_correlation};
use super::{Analyzer, planned, project};

/// The different values that a subquery takes from the outer rows.
struct Domain {
    plan: LogicalPlan,
    /// The outer query's columns, and what they are called here.
    columns: Vec<(Column, Column)>,
}

impl Domain {
    fn keys(&self) -> Vec<Expr> {
        self.columns.iter().map(|(_, own)| Expr::Column(own.clone())).collect()
    }

    /// The expression with its own columns for those of the outer row; none if it asks elsewhere.
    fn own(&self, expr: &Expr) -> Result<Option<Expr>, TrinoError> {
        if has_subquery(expr) {
            return Ok(None);
        }
        let own = expr.clone().transform(|expr| {
            let Expr::OuterReferenceColumn(_, column) = &expr else { return Ok(Transformed::no(expr)) };
            let known = self.columns.iter().find(|(outer, _)| outer == column);
            Ok(known.map_or(Transformed::no(expr), |(_, own)| Transformed::yes(Expr::Column(own.clone()))))
        });
        own.data().map(Some).map_err(planned)
    }

    fn all(&self, exprs: &[Expr]) -> Result<Option<Vec<Expr>>, TrinoError> {
        exprs.iter().map(|expr| self.own(expr)).collect()
    }
}

impl Analyzer<'_> {
    /// A correlated subquery's rows and the condition that joins them to those of the outer query.
    pub(super) fn joinable_to(&mut self, left: &LogicalPlan, plan: &LogicalPlan) -> Result<Joinable, TrinoError> {
        if let Some(joinable) = self.joinable(plan)? {
            return Ok(joinable);
        }
        let domain = self.domain(left, plan)?.ok_or_else(unsupported_correlation)?;
        let plan = self.over(&domain, plan)?.ok_or_else(unsupported_correlation)?;
        let columns = domain.columns.into_iter().map(|(outer, own)| same(own, outer));
        Ok(Joinable { plan, condition: conjunction(columns).unwrap_or_else(|| lit(true)) })
    }

    fn domain(&mut self, left: &LogicalPlan, plan: &LogicalPlan) -> Result<Option<Domain>, TrinoError> {
        let mut columns: Vec<(Column, Column)> = Vec::new();
        for expr in plan.all_out_ref_exprs() {
            let Expr::OuterReferenceColumn(_, column) = expr else { continue };
            if !left.schema().has_column(&column) {
                return Ok(None);
            }
            if columns.iter().all(|(known, _)| *known != column) {
                let own = self.fresh_column("outer");
                columns.push((column, own));
            }
        }
        let values = columns.iter().map(|(outer, own)| Expr::Column(outer.clone()).alias(&own.name)).collect();
        let plan = LogicalPlanBuilder::from(project(left.clone(), values)?).distinct().and_then(|plan| plan.build());
        Ok(Some(Domain { plan: plan.map_err(planned)?, columns }))
    }

    /// The plan's rows for each row of the domain, with the domain's columns behind its own.
    fn over(&mut self, domain: &Domain, plan: &LogicalPlan) -> Result<Option<LogicalPlan>, TrinoError> {
        if let LogicalPlan::EmptyRelation(empty) = plan
            && empty.produce_one_row
        {
            return Ok(Some(domain.plan.clone()));
        }
        if plan.all_out_ref_exprs().is_empty() {
            let joined = LogicalPlanBuilder::from(plan.clone()).cross_join(domain.plan.clone());
            return joined.and_then(|plan| plan.build()).map(Some).map_err(planned);
        }
        match plan {
            LogicalPlan::Projection(node) => {
                let (Some(input), Some(exprs)) = (self.over(domain, &node.input)?, domain.all(&node.expr)?) else {
                    return Ok(None);
                };
                let named = exprs.into_iter().zip(node.schema.columns()).map(named);
                project(input, named.chain(domain.keys()).collect()).map(Some)
            }
            LogicalPlan::Filter(node) => {
                let (Some(input), Some(predicate)) = (self.over(domain, &node.input)?, domain.own(&node.predicate)?)
                else {
                    return Ok(None);
                };
                let plan = LogicalPlanBuilder::from(input).filter(predicate).and_then(|plan| plan.build());
                plan.map(Some).map_err(planned)
            }
            // An order is nothing to a join.
            LogicalPlan::Sort(node) if node.fetch.is_none() => self.over(domain, &node.input),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let Some(input) = self.over(domain, input)? else { return Ok(None) };
                let plan = LogicalPlanBuilder::from(input).distinct().and_then(|plan| plan.build());
                plan.map(Some).map_err(planned)
            }
            LogicalPlan::Aggregate(node) => self.aggregate_over(domain, node),
            LogicalPlan::Window(node) => {
                let (Some(input), Some(windows)) = (self.over(domain, &node.input)?, domain.all(&node.window_expr)?)
                else {
                    return Ok(None);
                };
                let names = node.schema.columns().into_iter().skip(node.input.schema().fields().len());
                self.windows_over(domain, input, windows.into_iter().zip(names).collect())
            }
            LogicalPlan::Limit(node) => self.limit_over(domain, node),
            LogicalPlan::Join(node) => self.join_over(domain, plan, node),
            LogicalPlan::Unnest(node) => {
                let Some(input) = self.over(domain, &node.input)? else { return Ok(None) };
                let plan = LogicalPlanBuilder::from(input)
                    .unnest_columns_with_options(node.exec_columns.clone(), node.options.clone());
                plan.and_then(|plan| plan.build()).map(Some).map_err(planned)
            }
            _ => Ok(None),
        }
    }

    /// Groups of each row of the domain; where there are no keys, one for each row.
    fn aggregate_over(&mut self, domain: &Domain, node: &Aggregate) -> Result<Option<LogicalPlan>, TrinoError> {
        let keys = node.group_expr.iter();
        if keys.clone().any(|key| key.contains_outer() || matches!(key, Expr::GroupingSet(_))) {
            return Ok(None);
        }
        let (Some(input), Some(calls)) = (self.over(domain, &node.input)?, domain.all(&node.aggr_expr)?) else {
            return Ok(None);
        };
        let whole = node.group_expr.is_empty();
        let (input, calls, own) =
            if whole { self.each_of(domain, input, calls)? } else { (input, calls, domain.keys()) };
        let groups = own.iter().cloned().chain(keys.cloned());
        let plan = LogicalPlanBuilder::from(input).aggregate(groups, calls).and_then(|plan| plan.build());
        let plan = plan.map_err(planned)?;
        let values = plan.schema().columns().into_iter().skip(own.len()).map(Expr::Column);
        let values: Vec<Expr> = values.zip(node.schema.columns()).map(named).collect();
        let own = own.into_iter().zip(&domain.columns).map(|(key, (_, own))| named((key, own.clone())));
        project(plan, values.into_iter().chain(own).collect()).map(Some)
    }

    /// Every row of the domain with its rows, if it has any; then aggregates count only those.
    fn each_of(
        &mut self,
        domain: &Domain,
        input: LogicalPlan,
        calls: Vec<Expr>,
    ) -> Result<(LogicalPlan, Vec<Expr>, Vec<Expr>), TrinoError> {
        let present = self.fresh_column("present");
        let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let input = project(input, columns.into_iter().chain([lit(true).alias(&present.name)]).collect())?;
        let every: Vec<Column> = domain.columns.iter().map(|_| self.fresh_column("outer")).collect();
        let values = domain
            .columns
            .iter()
            .zip(&every)
            .map(|((_, own), every)| named((Expr::Column(own.clone()), every.clone())));
        let rows = project(domain.plan.clone(), values.collect())?;
        let on = domain.columns.iter().zip(&every).map(|((_, own), every)| same(own.clone(), every.clone()));
        let joined = LogicalPlanBuilder::from(rows).join_on(input, JoinType::Left, on);
        let joined = joined.and_then(|plan| plan.build()).map_err(planned)?;
        let calls = calls.into_iter().map(|call| only_where(call, &present)).collect::<Result<_, _>>()?;
        Ok((joined, calls, every.into_iter().map(Expr::Column).collect()))
    }

    /// Windows whose partitions are parts of one row's rows.
    fn windows_over(
        &mut self,
        domain: &Domain,
        input: LogicalPlan,
        windows: Vec<(Expr, Column)>,
    ) -> Result<Option<LogicalPlan>, TrinoError> {
        let mut exprs: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let mut calls = Vec::with_capacity(windows.len());
        for (window, column) in windows {
            let Expr::WindowFunction(mut call) = window else { return Ok(None) };
            call.params.partition_by.extend(domain.keys());
            let call = Expr::WindowFunction(call);
            let computed = Column::new_unqualified(call.schema_name().to_string());
            exprs.push(named((Expr::Column(computed), column)));
            calls.push(call);
        }
        let plan = LogicalPlanBuilder::window_plan(input, calls).map_err(planned)?;
        project(plan, exprs).map(Some)
    }

    /// The first rows of each row of the domain.
    fn limit_over(&mut self, domain: &Domain, node: &Limit) -> Result<Option<LogicalPlan>, TrinoError> {
        let (Ok(SkipType::Literal(skip)), Ok(FetchType::Literal(fetch))) =
            (node.get_skip_type(), node.get_fetch_type())
        else {
            return Ok(None);
        };
        let (input, order, above) = match node.input.as_ref() {
            LogicalPlan::Sort(sort) => (sort.input.as_ref(), sort.expr.clone(), None),
            // The projection drops sort keys that are no columns of the result: it is done last.
            LogicalPlan::Projection(projection) => match projection.input.as_ref() {
                LogicalPlan::Sort(sort) => (sort.input.as_ref(), sort.expr.clone(), Some(projection)),
                _ => (node.input.as_ref(), Vec::new(), None),
            },
            other => (other, Vec::new(), None),
        };
        let Some(input) = self.over(domain, input)? else { return Ok(None) };
        let mut ordered: Vec<Sort> = Vec::with_capacity(order.len());
        for sort in order {
            let Some(expr) = domain.own(&sort.expr)? else { return Ok(None) };
            ordered.push(Sort { expr, ..sort });
        }
        let columns: Vec<Expr> = input.schema().columns().into_iter().map(Expr::Column).collect();
        let (plan, (number, _)) = self.ranked(input, "row_number", domain.keys(), ordered)?;
        let first = number.clone().gt(lit(skip as i64));
        let last = fetch.map(|fetch| number.lt_eq(lit((skip + fetch) as i64)));
        let wanted = conjunction([first].into_iter().chain(last)).unwrap_or_else(|| lit(true));
        let plan = LogicalPlanBuilder::from(plan).filter(wanted).and_then(|plan| plan.build()).map_err(planned)?;
        let Some(above) = above else { return project(plan, columns).map(Some) };
        let Some(exprs) = domain.all(&above.expr)? else { return Ok(None) };
        let shown = exprs.into_iter().zip(above.schema.columns()).map(named);
        project(plan, shown.chain(domain.keys()).collect()).map(Some)
    }

    /// Both sides for each row of the domain, joined where they are of the same one.
    fn join_over(
        &mut self,
        domain: &Domain,
        plan: &LogicalPlan,
        node: &Join,
    ) -> Result<Option<LogicalPlan>, TrinoError> {
        if !matches!(node.join_type, JoinType::Inner | JoinType::Left) {
            return Ok(None);
        }
        let Some(left) = self.over(domain, &node.left)? else { return Ok(None) };
        let columns: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let equal = node.on.iter().map(|(left, right)| binary_expr(left.clone(), Operator::Eq, right.clone()));
        let Some(mut on) = domain.all(&equal.chain(node.filter.clone()).collect::<Vec<_>>())? else { return Ok(None) };
        let right = if node.right.all_out_ref_exprs().is_empty() {
            node.right.as_ref().clone()
        } else {
            let Some(right) = self.over(domain, &node.right)? else { return Ok(None) };
            let others: Vec<Column> = domain.columns.iter().map(|_| self.fresh_column("outer")).collect();
            let own = node.right.schema().columns().into_iter().map(Expr::Column);
            let pairs = domain.columns.iter().zip(&others);
            let renamed = pairs.clone().map(|((_, own), other)| named((Expr::Column(own.clone()), other.clone())));
            let right = project(right, own.chain(renamed).collect())?;
            on.extend(pairs.map(|((_, own), other)| same(own.clone(), other.clone())));
            right
        };
        let joined = match on.is_empty() {
            true => LogicalPlanBuilder::from(left).cross_join(right),
            false => LogicalPlanBuilder::from(left).join_on(right, node.join_type, on),
        };
        let joined = joined.and_then(|plan| plan.build()).map_err(planned)?;
        project(joined, columns.into_iter().chain(domain.keys()).collect()).map(Some)
    }
}

/// Equal, or both NULL.
fn same(one: Column, other: Column) -> Expr {
    binary_expr(Expr::Column(one), Operator::IsNotDistinctFrom, Expr::Column(other))
}

/// An expression as a column of this name.
fn named((expr, column): (Expr, Column)) -> Expr {
    match expr {
        Expr::Column(known) if known == column => Expr::Column(known),
        Expr::Alias(alias) => alias.expr.alias_qualified(column.relation, column.name),
        expr => expr.alias_qualified(column.relation, column.name),
    }
}
