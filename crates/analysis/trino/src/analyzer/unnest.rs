//! UNNEST: arrays and maps become rows, several of them side by side.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::{Typed, operators};
use boathouse_trino_parser::ast;
use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::functions::core::expr_fn::{coalesce, get_field, greatest};
use datafusion::functions_nested::expr_fn::{array_length, gen_series, map_entries};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, lit};

use super::scope::{Field, Relation, Scope};
use super::{Analyzer, at, planned, project};

impl Analyzer<'_> {
    /// Each row of the left side with each element. Where `keep_empty`, rows without elements stay.
    pub(super) fn unnest(
        &mut self,
        left: Relation,
        exprs: &[ast::Expr],
        ordinality: bool,
        keep_empty: bool,
        alias: Option<(&ast::Ident, &[ast::Ident])>,
        outer: Option<&Scope<'_>>,
    ) -> Result<Relation, TrinoError> {
        let scope = Scope::query(&left.fields, outer);
        let mut lists = Vec::new();
        for expr in exprs {
            let (list, ty) = self.plain(expr, &scope, "UNNEST")?;
            lists.push(match &ty {
                Type::Array(_) => (list, ty),
                Type::Map(..) => (map_entries(list), ty),
                _ => {
                    let message = format!("Cannot unnest type: {ty}");
                    return Err(TrinoError::new(ErrorCode::InvalidFunctionArgument, message));
                }
            });
        }
        let mut columns: Vec<Expr> = left.plan.schema().columns().into_iter().map(Expr::Column).collect();
        let mut unnested: Vec<(Column, Type)> = Vec::new();
        let lengths: Vec<Expr> = lists.iter().map(|(list, _)| length(list)).collect();
        for (list, ty) in lists {
            let column = self.fresh_column("unnest");
            columns.push(list.alias(&column.name));
            unnested.push((column, ty));
        }
        let counter = self.fresh_column("ordinality");
        if ordinality {
            let longest = if lengths.len() == 1 { lengths[0].clone() } else { greatest(lengths) };
            let series = gen_series(lit(1_i64), longest, lit(1_i64));
            columns.push(series.alias(&counter.name));
        }
        let mut names: Vec<Column> = unnested.iter().map(|(column, _)| column.clone()).collect();
        names.extend(ordinality.then(|| counter.clone()));
        let empty = if keep_empty { NullHandling::PreserveAndExpandEmpty } else { NullHandling::Drop };
        let options = UnnestOptions::new().with_null_handling(empty);
        let plan = LogicalPlanBuilder::from(project(left.plan, columns)?)
            .unnest_columns_with_options(names, options)
            .and_then(|plan| plan.build())
            .map_err(planned)?;
        let mut values: Vec<(Option<String>, Typed)> =
            unnested.into_iter().map(elements).collect::<Result<Vec<_>, _>>()?.concat();
        if ordinality {
            values.push((None, (Expr::Column(counter), Type::Bigint)));
        }
        self.with_values(Relation { plan, fields: left.fields }, values, alias)
    }

    /// Adds the elements' values as columns after the left side's.
    fn with_values(
        &mut self,
        left: Relation,
        values: Vec<(Option<String>, Typed)>,
        alias: Option<(&ast::Ident, &[ast::Ident])>,
    ) -> Result<Relation, TrinoError> {
        let mut exprs: Vec<Expr> = left.fields.iter().map(|field| Expr::Column(field.column.clone())).collect();
        let mut fields = Vec::with_capacity(values.len());
        for (name, (expr, ty)) in values {
            let column = match &expr {
                Expr::Column(column) => column.clone(),
                _ => self.fresh_column("element"),
            };
            exprs.push(if matches!(expr, Expr::Column(_)) { expr } else { expr.alias(&column.name) });
            fields.push(Field { relation: Vec::new(), label: name.clone(), name, column, ty, hidden: false });
        }
        let plan = self.select_columns(left.plan, exprs)?;
        let right = Relation { plan, fields };
        let right = match alias {
            Some((alias, columns)) => super::join::aliased(right, alias, columns).map_err(at(alias.pos))?,
            None => right,
        };
        Ok(Relation { plan: right.plan, fields: [left.fields, right.fields].concat() })
    }
}

/// An array's element: its fields if it is a row. A map's entry: its key and value.
fn elements((column, ty): (Column, Type)) -> Result<Vec<(Option<String>, Typed)>, TrinoError> {
    let element = Expr::Column(column);
    match ty {
        Type::Array(ty) => match ty.as_ref() {
            Type::Row(fields) => {
                let field = |(index, field): (usize, &boathouse_trino_functions::types::RowField)| {
                    let position = super::literal::integer(index as i64 + 1);
                    let value = operators::subscript((element.clone(), (*ty).clone()), position)?;
                    Ok((field.name.clone(), value))
                };
                fields.iter().enumerate().map(field).collect()
            }
            ty => Ok(vec![(None, (element, ty.clone()))]),
        },
        Type::Map(key, value) => Ok(vec![
            (None, (get_field(element.clone(), "key"), (*key).clone())),
            (None, (get_field(element, "value"), (*value).clone())),
        ]),
        _ => Ok(Vec::new()),
    }
}

/// How many elements there are; none in NULL.
pub(super) fn length(list: &Expr) -> Expr {
    coalesce(vec![cast(array_length(list.clone()), Type::Bigint.to_arrow()), lit(0_i64)])
}
