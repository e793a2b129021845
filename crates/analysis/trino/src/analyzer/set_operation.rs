//! UNION, INTERSECT, EXCEPT, VALUES and recursive queries.

use std::sync::Arc;

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::types::coercion::common_super_type;
use boathouse_trino_functions::{Typed, cast};
use boathouse_trino_parser::ast::{self, ExprKind, QueryBodyKind, RelationKind, SetOp};
use datafusion::catalog::cte_worktable::CteWorkTable;
use datafusion::common::{Column, UnnestOptions};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::scope::{Field, Relation, Scope};
use super::{Analyzer, Named, NamedSource, planned, project};
use crate::error::unsupported;

impl Analyzer<'_> {
    pub(super) fn set_operation(
        &mut self,
        op: SetOp,
        all: bool,
        left: &ast::QueryBody,
        right: &ast::QueryBody,
        pos: ast::Pos,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        let (mut left, mut right) = (self.body(left, outer)?, self.body(right, outer)?);
        left.fields.retain(|field| !field.hidden);
        right.fields.retain(|field| !field.hidden);
        let types = common_types(&left, &right, op, pos)?;
        let columns: Vec<Column> = types.iter().map(|_| self.fresh_column("set")).collect();
        let left_plan = shaped(&left, &types, &columns)?;
        let plan = match op {
            SetOp::Union => {
                let right_plan = shaped(&right, &types, &columns)?;
                let builder = LogicalPlanBuilder::from(left_plan);
                let union = if all { builder.union(right_plan) } else { builder.union_distinct(right_plan) };
                union.and_then(|plan| plan.build()).map_err(planned)?
            }
            SetOp::Intersect | SetOp::Except => {
                let others: Vec<Column> = types.iter().map(|_| self.fresh_column("set")).collect();
                let right_plan = shaped(&right, &types, &others)?;
                self.difference(op, all, (left_plan, &columns), (right_plan, &others))?
            }
        };
        let fields = left.fields.into_iter().zip(types).zip(columns);
        let fields = fields.map(|((field, ty), column)| Field { relation: Vec::new(), column, ty, ..field }).collect();
        Ok(Relation { plan, fields })
    }

    /// INTERSECT and EXCEPT. With ALL, the copies of a row are numbered, so that each counts once.
    fn difference(
        &mut self,
        op: SetOp,
        all: bool,
        (left, columns): (LogicalPlan, &[Column]),
        (right, others): (LogicalPlan, &[Column]),
    ) -> Result<LogicalPlan, TrinoError> {
        let (mut left, mut right) = (left, right);
        if all {
            let by = |columns: &[Column]| columns.iter().cloned().map(Expr::Column).collect();
            left = self.ranked(left, "row_number", by(columns), Vec::new())?.0;
            right = self.ranked(right, "row_number", by(others), Vec::new())?.0;
        }
        let plan = match op {
            SetOp::Intersect => LogicalPlanBuilder::intersect(left, right, all),
            _ => LogicalPlanBuilder::except(left, right, all),
        };
        project(plan.map_err(planned)?, columns.iter().cloned().map(Expr::Column).collect())
    }

    pub(super) fn values(&mut self, rows: &[ast::Expr], outer: Option<&Scope<'_>>) -> Result<Relation, TrinoError> {
        let scope = Scope::query(&[], outer);
        let mut analyzed: Vec<Vec<Typed>> = Vec::with_capacity(rows.len());
        for row in rows {
            let cells = match &row.kind {
                ExprKind::Row(cells) => self.exprs(cells, &scope)?,
                _ => vec![self.expr(row, &scope)?],
            };
            if let Some(first) = analyzed.first()
                && first.len() != cells.len()
            {
                let message = format!("Values rows have mismatched sizes: {} vs {}", first.len(), cells.len());
                return Err(TrinoError::new(ErrorCode::TypeMismatch, message));
            }
            analyzed.push(cells);
        }
        let mut types: Vec<Type> =
            analyzed.first().map_or(Vec::new(), |row| row.iter().map(|(_, ty)| ty.clone()).collect());
        for row in analyzed.iter().skip(1) {
            let common = types.iter().zip(row).map(|(ty, (_, other))| common_super_type(ty, other));
            types = common.collect::<Option<_>>().ok_or_else(|| {
                let as_row = |types: Vec<&Type>| {
                    let types: Vec<_> = types.into_iter().map(ToString::to_string).collect();
                    format!("row({})", types.join(", "))
                };
                let (known, other) = (as_row(types.iter().collect()), as_row(row.iter().map(|(_, ty)| ty).collect()));
                let message = format!("Values rows have mismatched types: {known} vs {other}");
                TrinoError::new(ErrorCode::TypeMismatch, message)
            })?;
        }
        let coerced = analyzed.into_iter().map(|row| {
            row.into_iter().zip(&types).map(|(cell, ty)| Ok(cast::coerce(cell, ty)?.0)).collect::<Result<Vec<_>, _>>()
        });
        let coerced = coerced.collect::<Result<Vec<_>, TrinoError>>()?;
        let columns: Vec<Column> = types.iter().map(|_| self.fresh_column("value")).collect();
        let field = |(column, ty)| Field { relation: Vec::new(), name: None, label: None, column, ty, hidden: false };
        let fields = columns.iter().cloned().zip(types).map(field).collect();
        if coerced.iter().flatten().any(super::subquery::asks_elsewhere) {
            return Ok(Relation { plan: unnested(coerced, &columns)?, fields });
        }
        let plan = LogicalPlanBuilder::values(coerced).and_then(|plan| plan.build()).map_err(planned)?;
        let renamed = plan.schema().columns().into_iter().zip(&columns);
        let renamed = renamed.map(|(column, new)| Expr::Column(column).alias(&new.name)).collect();
        Ok(Relation { plan: project(plan, renamed)?, fields })
    }

    /// `WITH RECURSIVE`: the rows of the first part, then again and again those of the second part.
    pub(super) fn recursive(&mut self, named: &ast::NamedQuery, depth: usize) -> Result<Relation, TrinoError> {
        let QueryBodyKind::SetOperation { op: SetOp::Union, all, left, right } = &named.query.body.kind else {
            return Err(unsupported("A recursive query must be a UNION of its start and its step"));
        };
        if named.columns.is_empty() {
            let message = "missing column aliases in recursive WITH query";
            return Err(TrinoError::at(named.name.pos, ErrorCode::MissingColumnAliases, message));
        }
        refuse_clauses(&named.query)?;
        let mut start = self.body(left, None)?;
        start.fields.retain(|field| !field.hidden);
        if named.columns.len() != start.fields.len() {
            let message = format!(
                "Column alias list has {} entries but relation has {} columns",
                named.columns.len(),
                start.fields.len()
            );
            return Err(TrinoError::at(named.name.pos, ErrorCode::MismatchedColumnAliases, message));
        }
        let names: Vec<Column> = start.fields.iter().map(|_| self.fresh_column("recursive")).collect();
        let types: Vec<Type> = start.fields.iter().map(|field| field.ty.clone()).collect();
        let plan = shaped(&start, &types, &names)?;
        let table = self.fresh("working");
        let source =
            provider_as_source(Arc::new(CteWorkTable::new(&table, Arc::new(plan.schema().as_arrow().clone()))));
        let working =
            LogicalPlanBuilder::scan(table.clone(), source, None).and_then(|plan| plan.build()).map_err(planned)?;
        let working_columns = working.schema().columns();
        let fields = |columns: Vec<Column>| {
            let named = columns.into_iter().zip(&types).zip(&named.columns);
            named
                .map(|((column, ty), name)| Field {
                    relation: Vec::new(),
                    name: Some(name.lower()),
                    label: Some(name.value.clone()),
                    column,
                    ty: ty.clone(),
                    hidden: false,
                })
                .collect::<Vec<_>>()
        };
        let relation = Relation { plan: working, fields: fields(working_columns) };
        self.named.truncate(depth);
        self.named.push(Arc::new(Named { name: named.name.lower(), source: NamedSource::Working(relation) }));
        let mut step = self.body(right, None)?;
        step.fields.retain(|field| !field.hidden);
        steps_fit(&types, &step, right.pos)?;
        let step = shaped(&step, &types, &names)?;
        let plan = LogicalPlanBuilder::from(plan)
            .to_recursive_query(table.clone(), step, !all)
            .and_then(|plan| plan.build())
            .map_err(planned)?;
        Ok(Relation { fields: fields(names), plan })
    }
}

/// Rows whose values are known only while the query runs: a list for each column, taken apart.
fn unnested(rows: Vec<Vec<Expr>>, columns: &[Column]) -> Result<LogicalPlan, TrinoError> {
    let lists = columns.iter().enumerate().map(|(index, column)| {
        let cells = rows.iter().map(|row| row[index].clone()).collect();
        datafusion::functions_nested::expr_fn::make_array(cells).alias(&column.name)
    });
    let plan = project(super::join::one_row().plan, lists.collect())?;
    let plan = LogicalPlanBuilder::from(plan).unnest_columns_with_options(columns.to_vec(), UnnestOptions::new());
    plan.and_then(|plan| plan.build()).map_err(planned)
}

/// What follows or precedes the UNION of a recursive query has no meaning that every round could give it.
fn refuse_clauses(query: &ast::Query) -> Result<(), TrinoError> {
    let clauses = [
        (query.with.is_some(), "WITH"),
        (!query.order_by.is_empty(), "ORDER BY"),
        (query.offset.is_some(), "OFFSET"),
        (matches!(query.limit, Some(ast::Limit::Fetch { .. })), "FETCH FIRST"),
        (query.limit.is_some(), "LIMIT"),
    ];
    match clauses.into_iter().find(|(is_there, _)| *is_there) {
        Some((_, clause)) => Err(unsupported(format!("immediate {clause} clause in recursive query is not supported"))),
        None => Ok(()),
    }
}

/// Whether a query of WITH RECURSIVE names itself where it may.
pub(super) fn is_recursive(named: &ast::NamedQuery) -> bool {
    let QueryBodyKind::SetOperation { op: SetOp::Union, right, .. } = &named.query.body.kind else {
        return false;
    };
    body_names(right, &named.name)
}

fn body_names(body: &ast::QueryBody, name: &ast::Ident) -> bool {
    match &body.kind {
        QueryBodyKind::Select(select) => select.from.iter().any(|source| source_names(source, name)),
        QueryBodyKind::Table(table) => table.parts.len() == 1 && table.parts[0] == *name,
        QueryBodyKind::Subquery(query) => body_names(&query.body, name),
        QueryBodyKind::SetOperation { left, right, .. } => body_names(left, name) || body_names(right, name),
        QueryBodyKind::Values(_) => false,
    }
}

fn source_names(source: &ast::Relation, name: &ast::Ident) -> bool {
    match &source.kind {
        RelationKind::Table { name: table, .. } => table.parts.len() == 1 && table.parts[0] == *name,
        RelationKind::Subquery(query) | RelationKind::Lateral(query) => body_names(&query.body, name),
        RelationKind::Unnest { .. } => false,
        RelationKind::TableFunction { args, .. } => args.iter().any(|(_, argument)| match argument {
            ast::TableArgument::Table(rows) => source_names(rows, name),
            ast::TableArgument::Value(_) | ast::TableArgument::Descriptor(_) => false,
        }),
        RelationKind::MatchRecognize(recognition) => source_names(&recognition.input, name),
        RelationKind::Join { left, right, .. } => source_names(left, name) || source_names(right, name),
        RelationKind::Aliased { relation, .. } | RelationKind::Sampled { relation, .. } => source_names(relation, name),
    }
}

fn common_types(left: &Relation, right: &Relation, op: SetOp, pos: ast::Pos) -> Result<Vec<Type>, TrinoError> {
    let name = match op {
        SetOp::Union => "UNION",
        SetOp::Intersect => "INTERSECT",
        SetOp::Except => "EXCEPT",
    };
    let (l, r) = (left.fields.len(), right.fields.len());
    if l != r {
        let message = format!("{name} query has different number of fields: {l}, {r}");
        return Err(TrinoError::at(pos, ErrorCode::TypeMismatch, message));
    }
    let pairs = left.fields.iter().zip(&right.fields).enumerate();
    let common = pairs.map(|(index, (left, right))| {
        common_super_type(&left.ty, &right.ty).ok_or_else(|| {
            let message =
                format!("column {} in {name} query has incompatible types: {}, {}", index + 1, left.ty, right.ty);
            TrinoError::at(pos, ErrorCode::TypeMismatch, message)
        })
    });
    common.collect()
}

/// Whether the rows of a recursive query's step can be those of its start.
fn steps_fit(types: &[Type], step: &Relation, pos: ast::Pos) -> Result<(), TrinoError> {
    let mismatch = |message| Err(TrinoError::at(pos, ErrorCode::TypeMismatch, message));
    let (base, found) = (types.len(), step.fields.len());
    if base != found {
        return mismatch(format!(
            "base and step relations of recursion have different number of fields: {base}, {found}"
        ));
    }
    for (index, (ty, field)) in types.iter().zip(&step.fields).enumerate() {
        if common_super_type(ty, &field.ty).as_ref() != Some(ty) {
            return mismatch(format!(
                "recursion step relation output type ({}) is not coercible to recursion base relation output type ({ty}) at column {}",
                field.ty,
                index + 1
            ));
        }
    }
    Ok(())
}

/// The relation's visible columns with these types and names.
fn shaped(relation: &Relation, types: &[Type], names: &[Column]) -> Result<LogicalPlan, TrinoError> {
    let columns = relation.fields.iter().zip(types).zip(names).map(|((field, ty), name)| {
        let (value, _) = cast::cast(field.typed(), ty)?;
        Ok(value.alias(&name.name))
    });
    let plan = project(relation.plan.clone(), columns.collect::<Result<Vec<_>, TrinoError>>()?)?;
    Ok(plan)
}
