//! Queries: WITH, the body, ORDER BY, OFFSET and LIMIT.

use std::sync::Arc;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::{Typed, window};
use boathouse_trino_parser::ast::{self, ExprKind, Limit, QueryBodyKind, SortItem};
use datafusion::logical_expr::expr::{Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, WindowFrame, lit};

use super::scope::{Relation, Scope};
use super::{Analyzer, Named, NamedSource, at, call, planned};

impl Analyzer<'_> {
    /// A query's rows. An outer scope makes it a subquery that may name the outer query's columns.
    pub(super) fn query(&mut self, query: &ast::Query, outer: Option<&Scope<'_>>) -> Result<Relation, TrinoError> {
        let depth = self.named.len();
        let relation = self.with(query).and_then(|()| self.query_body(query, outer));
        self.named.truncate(depth);
        relation
    }

    fn with(&mut self, query: &ast::Query) -> Result<(), TrinoError> {
        let Some(with) = &query.with else {
            return Ok(());
        };
        let start = self.named.len();
        for named in &with.queries {
            let name = named.name.lower();
            if self.named[start..].iter().any(|other| other.name == name) {
                let message = format!("WITH query name '{}' specified more than once", named.name.value);
                return Err(TrinoError::at(named.name.pos, ErrorCode::DuplicateNamedQuery, message));
            }
            let source = if with.recursive && super::set_operation::is_recursive(named) {
                NamedSource::Recursive(named.clone())
            } else {
                NamedSource::Query(named.clone())
            };
            self.named.push(Arc::new(Named { name, source }));
        }
        Ok(())
    }

    fn query_body(&mut self, query: &ast::Query, outer: Option<&Scope<'_>>) -> Result<Relation, TrinoError> {
        let (relation, order) = match &query.body.kind {
            QueryBodyKind::Select(select) => {
                let ties = matches!(query.limit, Some(Limit::Fetch { with_ties: true, .. }));
                self.select(select, &query.order_by, ties, query.body.pos, outer)?
            }
            _ => {
                let relation = self.body(&query.body, outer)?;
                let order = self.output_order(&relation, &query.order_by, outer)?;
                let relation = sorted(relation, order.clone())?;
                (relation, order)
            }
        };
        self.limited(relation, query, order)
    }

    /// The rows of a query's body without its order.
    pub(super) fn body(&mut self, body: &ast::QueryBody, outer: Option<&Scope<'_>>) -> Result<Relation, TrinoError> {
        match &body.kind {
            QueryBodyKind::Select(select) => Ok(self.select(select, &[], false, body.pos, outer)?.0),
            QueryBodyKind::Values(rows) => self.values(rows, outer).map_err(at(body.pos)),
            QueryBodyKind::Table(name) => {
                let mut relation = self.table(name, None)?;
                relation.fields.retain(|field| !field.hidden);
                Ok(relation)
            }
            QueryBodyKind::Subquery(query) => self.query(query, outer),
            QueryBodyKind::SetOperation { op, all, left, right } => {
                self.set_operation(*op, *all, left, right, body.pos, outer)
            }
        }
    }

    /// ORDER BY over the columns of a body that is no SELECT.
    fn output_order(
        &mut self,
        relation: &Relation,
        items: &[SortItem],
        outer: Option<&Scope<'_>>,
    ) -> Result<Vec<Sort>, TrinoError> {
        let scope = Scope::query(&relation.fields, outer);
        let item = |item: &SortItem| {
            let (expr, ty) = match ordinal(&item.expr, relation.fields.len())? {
                Some(index) => relation.fields[index].typed(),
                None => self.plain(&item.expr, &scope, "ORDER BY clause")?,
            };
            call::orderable(&ty, item.expr.pos)?;
            Ok(call::sort(expr, item))
        };
        items.iter().map(item).collect()
    }

    fn limited(&mut self, relation: Relation, query: &ast::Query, order: Vec<Sort>) -> Result<Relation, TrinoError> {
        let offset = query.offset.as_ref().map(|offset| self.count_of(offset, "OFFSET")).transpose()?.unwrap_or(0);
        let fetch = match &query.limit {
            None | Some(Limit::All) => None,
            Some(Limit::Rows(rows)) => Some(self.count_of(rows, "LIMIT")?),
            Some(Limit::Fetch { pos, rows, with_ties }) => {
                let count = rows.as_ref().map(|rows| self.count_of(rows, "FETCH FIRST")).transpose()?.unwrap_or(1);
                if count == 0 {
                    let message = "FETCH FIRST row count must be positive (actual value: 0)";
                    return Err(TrinoError::at(pos.0, ErrorCode::NumericValueOutOfRange, message));
                }
                if *with_ties && order.is_empty() {
                    let message = "FETCH FIRST WITH TIES clause requires ORDER BY";
                    return Err(TrinoError::at(pos.0, ErrorCode::MissingOrderBy, message));
                }
                if *with_ties {
                    return self.with_ties(relation, order, offset, count);
                }
                Some(count)
            }
        };
        if offset == 0 && fetch.is_none() {
            return Ok(relation);
        }
        let plan = LogicalPlanBuilder::from(relation.plan).limit(offset, fetch).and_then(|plan| plan.build());
        Ok(Relation { plan: plan.map_err(planned)?, fields: relation.fields })
    }

    fn count_of(&mut self, rows: &ast::Expr, clause: &str) -> Result<usize, TrinoError> {
        let count = match self.expr(rows, &Scope::query(&[], None))? {
            (Expr::Literal(value, _), ty) if ty.is_integer() => {
                value.cast_to(&arrow::datatypes::DataType::Int64).ok().and_then(|value| match value {
                    datafusion::common::ScalarValue::Int64(Some(count)) => usize::try_from(count).ok(),
                    _ => None,
                })
            }
            _ => None,
        };
        count.ok_or_else(|| {
            let message = format!("{clause} row count must be a whole number, not less than 0");
            TrinoError::at(rows.pos, ErrorCode::InvalidLimitClause, message)
        })
    }

    /// The first rows and all that are equal to the last of them, by their rank.
    fn with_ties(
        &mut self,
        relation: Relation,
        order: Vec<Sort>,
        offset: usize,
        count: usize,
    ) -> Result<Relation, TrinoError> {
        let mut plan = relation.plan;
        if offset > 0 {
            plan = LogicalPlanBuilder::from(plan).limit(offset, None).and_then(|plan| plan.build()).map_err(planned)?;
        }
        let (plan, (rank, _)) = self.ranked(plan, "rank", Vec::new(), order.clone())?;
        let builder = LogicalPlanBuilder::from(plan).filter(rank.lt_eq(lit(count as i64)));
        let plan = builder.and_then(|plan| plan.sort(order)).and_then(|plan| plan.build()).map_err(planned)?;
        Ok(Relation { plan, fields: relation.fields })
    }

    /// Adds `rank()` or `row_number()` as a column.
    pub(super) fn ranked(
        &mut self,
        plan: LogicalPlan,
        function: &str,
        partition_by: Vec<Expr>,
        order_by: Vec<Sort>,
    ) -> Result<(LogicalPlan, Typed), TrinoError> {
        let (fun, args, ty) = window(function, Vec::new(), false)?;
        let params = WindowFunctionParams {
            args,
            partition_by,
            window_frame: WindowFrame::new((!order_by.is_empty()).then_some(false)),
            order_by,
            filter: None,
            null_treatment: None,
            distinct: false,
        };
        let ranked = Expr::WindowFunction(Box::new(WindowFunction { fun, params }));
        let (plan, mut named) = self.compute_windows(plan, vec![ranked])?;
        match named.pop() {
            Some((_, column)) => Ok((plan, (Expr::Column(column), ty))),
            None => Err(crate::error::internal("a window function without a column")),
        }
    }
}

/// The plan with an order, if there is one.
pub(super) fn sorted(relation: Relation, order: Vec<Sort>) -> Result<Relation, TrinoError> {
    if order.is_empty() {
        return Ok(relation);
    }
    let plan = LogicalPlanBuilder::from(relation.plan).sort(order).and_then(|plan| plan.build()).map_err(planned)?;
    Ok(Relation { plan, fields: relation.fields })
}

/// The place (from 0) that an ordinal such as `ORDER BY 2` means.
pub(super) fn ordinal(expr: &ast::Expr, columns: usize) -> Result<Option<usize>, TrinoError> {
    let ExprKind::Integer(position) = expr.kind else {
        return Ok(None);
    };
    match usize::try_from(position).ok().and_then(|position| position.checked_sub(1)) {
        Some(index) if index < columns => Ok(Some(index)),
        _ => {
            let message = format!("ORDER BY position {position} is not in select list");
            Err(TrinoError::at(expr.pos, ErrorCode::InvalidColumnReference, message))
        }
    }
}
