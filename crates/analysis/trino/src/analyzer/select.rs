//! SELECT: its columns, filters, groups, windows, duplicates and order.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_functions::{Typed, operators};
use boathouse_trino_parser::ast::{self, ExprKind, Select, SelectItemKind, SortItem};
use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::utils::find_window_exprs;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::by_row::is_row_call;
use super::grouping::{Groups, Written};
use super::query::{ordinal, sorted};
use super::recognition::is_pattern_call;
use super::scope::{Field, Relation, Scope};
use super::subquery::needs_join;
use super::{Analyzer, CallKind, Place, at, call, planned, project};

/// A column that a SELECT gives.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Its name as written.
    pub(super) label: Option<String>,
    /// Its value.
    pub(super) value: Typed,
    /// The expression, for errors; none for columns of `*`.
    pub(super) source: Option<ast::Expr>,
    /// The relation that a column of `*` belongs to.
    relation: Vec<String>,
}

impl Output {
    /// The value, and how it stands in the statement.
    pub(super) fn parts(&mut self) -> (&mut Expr, Written<'_>) {
        let written = match &self.source {
            Some(source) => Written::As(source),
            None => {
                let parts = self.relation.last().into_iter().chain(&self.label);
                Written::InAll(parts.map(String::as_str).collect::<Vec<_>>().join("."))
            }
        };
        (&mut self.value.0, written)
    }
}

/// What is said of a sort key without an order.
const NOT_ORDERABLE: &str = "is not orderable, and therefore cannot be used in ORDER BY";

impl Analyzer<'_> {
    /// A SELECT's rows in the order asked for, and that order in terms of its columns. Columns that are only sorted by stay in
    /// the plan if `keep_keys`.
    pub(super) fn select(
        &mut self,
        select: &Select,
        order_by: &[SortItem],
        keep_keys: bool,
        pos: ast::Pos,
        outer: Option<&Scope<'_>>,
    ) -> Result<(Relation, Vec<Sort>), TrinoError> {
        let named = select.windows.iter().enumerate();
        let twice =
            named.clone().find(|(index, (name, _))| select.windows[..*index].iter().any(|(known, _)| known == name));
        if let Some((_, (name, _))) = twice {
            let message = format!("WINDOW name '{}' specified more than once", name.value);
            return Err(TrinoError::at(name.pos, ErrorCode::DuplicateWindowName, message));
        }
        let windows = self.windows.len();
        self.windows.extend(select.windows.iter().cloned());
        let calls = std::mem::take(&mut self.calls);
        self.selects.push(pos);
        let selected = self.select_in_scope(select, order_by, keep_keys, outer);
        self.selects.pop();
        self.calls = calls;
        self.windows.truncate(windows);
        // What is wrong with the order is said of the SELECT.
        selected.map_err(|error| match error.code {
            ErrorCode::ExpressionNotInDistinct => at(pos)(error),
            ErrorCode::TypeMismatch if error.message.contains(NOT_ORDERABLE) => at(pos)(error),
            _ => error,
        })
    }

    fn select_in_scope(
        &mut self,
        select: &Select,
        order_by: &[SortItem],
        keep_keys: bool,
        outer: Option<&Scope<'_>>,
    ) -> Result<(Relation, Vec<Sort>), TrinoError> {
        let source = self.from(&select.from, outer)?;
        let scope = Scope::query(&source.fields, outer);
        for (_, window) in &select.windows {
            self.check_window(window, &scope)?;
        }
        let mut plan = self.filtered(source.plan.clone(), select.filter.as_ref(), &scope)?;
        let mut outputs = self.outputs(select, &scope)?;
        let groups = self.groups(select.group_by.as_ref(), &outputs, &scope)?;
        let before = self.calls.len();
        let mut having = match &select.having {
            Some(having) => Some((self.filter_condition(having, &scope, "HAVING clause")?, having.clone())),
            None => None,
        };
        if let Some(window) = self.calls[before..].iter().find(|call| call.kind == CallKind::Window) {
            let message = "HAVING clause cannot contain window functions or row pattern measures";
            return Err(TrinoError::at(window.pos, ErrorCode::NestedWindow, message));
        }
        let mut order = self.order(&outputs, order_by, &scope)?;
        if groups.is_none() && self.calls.iter().any(|call| call.kind == CallKind::Grouping) {
            let message = "A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/GROUP BY \
                           clause";
            return Err(self.of_select(ErrorCode::MissingGroupBy, message));
        }
        if groups.is_some() || self.has_aggregates(&outputs, &order, having.as_ref()) {
            let mut values = Values { outputs: &mut outputs, order: &mut order, having: &mut having };
            plan = self.grouped(plan, groups.unwrap_or_else(Groups::whole), &mut values)?;
        }
        if let Some((having, _)) = having {
            plan = self.filter(plan, having)?;
        }
        let (plan, values) = self.windowed(plan, &outputs, &order)?;
        let (plan, values) = self.marks_in(plan, values)?;
        let columns = (outputs, values);
        self.projected(plan, columns, order, select.distinct, keep_keys)
    }

    /// WHERE
    pub(super) fn filtered(
        &mut self,
        plan: LogicalPlan,
        condition: Option<&ast::Expr>,
        scope: &Scope<'_>,
    ) -> Result<LogicalPlan, TrinoError> {
        let Some(condition) = condition else {
            return Ok(plan);
        };
        let was = std::mem::replace(&mut self.place, Place::Condition);
        let value = self.plain(condition, scope, "WHERE clause");
        self.place = was;
        let value = super::expression::boolean(value?, "WHERE clause").map_err(at(condition.pos))?;
        self.filter(plan, value)
    }

    fn filter_condition(&mut self, condition: &ast::Expr, scope: &Scope<'_>, what: &str) -> Result<Expr, TrinoError> {
        let was = std::mem::replace(&mut self.place, Place::Condition);
        let value = self.condition(condition, scope, what);
        self.place = was;
        value
    }

    fn outputs(&mut self, select: &Select, scope: &Scope<'_>) -> Result<Vec<Output>, TrinoError> {
        let mut outputs = Vec::new();
        for item in &select.items {
            match &item.kind {
                SelectItemKind::All => {
                    let all: Vec<_> = scope.fields().iter().filter(|field| !field.hidden).map(of_field).collect();
                    if all.is_empty() {
                        let message = "SELECT * not allowed in queries without FROM clause";
                        return Err(TrinoError::at(item.pos, ErrorCode::ColumnNotFound, message));
                    }
                    outputs.extend(all);
                }
                SelectItemKind::AllOf { target, aliases } => {
                    outputs.extend(self.all_of(target, aliases, scope)?);
                }
                SelectItemKind::Expr { expr, alias } => {
                    let value = self.expr(expr, scope)?;
                    let label = alias.as_ref().map(|alias| alias.value.clone()).or_else(|| name_of(expr));
                    outputs.push(Output { label, value, source: Some(expr.clone()), relation: Vec::new() });
                }
            }
        }
        Ok(outputs)
    }

    /// `t.*` and `(row).*`
    fn all_of(
        &mut self,
        target: &ast::Expr,
        aliases: &[ast::Ident],
        scope: &Scope<'_>,
    ) -> Result<Vec<Output>, TrinoError> {
        let qualifier = target.as_name().map(|name| name.parts.iter().map(|part| part.lower()).collect::<Vec<_>>());
        let belongs = |field: &&Field| {
            !field.hidden && qualifier.as_ref().is_some_and(|qualifier| field.relation.ends_with(qualifier))
        };
        let mut outputs: Vec<_> = scope.fields().iter().filter(belongs).map(of_field).collect();
        if outputs.is_empty() {
            let value = self.expr(target, scope).map_err(|error| match error.code {
                ErrorCode::ColumnNotFound => {
                    let message = format!("Unable to resolve reference {target}");
                    TrinoError::at(target.pos, ErrorCode::TableNotFound, message)
                }
                _ => error,
            })?;
            let Type::Row(fields) = value.1.clone() else {
                let message = format!("expected expression of type Row, but got {}", value.1);
                return Err(TrinoError::at(target.pos, ErrorCode::TypeMismatch, message));
            };
            for (index, field) in fields.iter().enumerate() {
                let position = super::literal::integer(index as i64 + 1);
                let value = operators::subscript(value.clone(), position).map_err(at(target.pos))?;
                let label = field.name.clone();
                outputs.push(Output { label, value, source: Some(target.clone()), relation: Vec::new() });
            }
        }
        if !aliases.is_empty() && aliases.len() != outputs.len() {
            let message =
                format!("Column alias list has {} entries but relation has {} columns", aliases.len(), outputs.len());
            return Err(TrinoError::at(target.pos, ErrorCode::MismatchedColumnAliases, message));
        }
        for (output, alias) in outputs.iter_mut().zip(aliases) {
            // Trino writes these names in capital letters.
            output.label = Some(if alias.quoted { alias.value.clone() } else { alias.value.to_uppercase() });
        }
        Ok(outputs)
    }

    /// ORDER BY: places in the list of columns, their names, and any other expressions.
    fn order(
        &mut self,
        outputs: &[Output],
        items: &[SortItem],
        scope: &Scope<'_>,
    ) -> Result<Vec<(Sort, ast::Expr)>, TrinoError> {
        let named: Vec<_> = outputs
            .iter()
            .map(|output| (output.label.as_ref().map(|label| label.to_lowercase()), output.value.clone()))
            .collect();
        let scope = Scope::outputs(&named, scope);
        let item = |item: &SortItem| {
            let (expr, ty) = match ordinal(&item.expr, outputs.len())? {
                Some(index) => outputs[index].value.clone(),
                None => self.expr(&item.expr, &scope)?,
            };
            if !ty.is_orderable() {
                let message = format!("Type {ty} {NOT_ORDERABLE}: {}", item.expr);
                return Err(TrinoError::new(ErrorCode::TypeMismatch, message));
            }
            Ok((call::sort(expr, item), item.expr.clone()))
        };
        items.iter().map(item).collect()
    }

    fn has_aggregates(
        &self,
        outputs: &[Output],
        order: &[(Sort, ast::Expr)],
        having: Option<&(Expr, ast::Expr)>,
    ) -> bool {
        let exprs = outputs.iter().map(|output| &output.value.0).chain(order.iter().map(|(sort, _)| &sort.expr));
        let mut exprs = exprs.chain(having.map(|(having, _)| having));
        // TYPEOF knows its answer from the analysis alone, but what it is asked of makes one row of all the same.
        let called = self.calls.iter().any(|call| call.kind != CallKind::Window);
        having.is_some() || called || exprs.any(|expr| !super::grouping::aggregates_in([expr]).is_empty())
    }

    /// The rows that meet a condition.
    pub(super) fn filter(&mut self, plan: LogicalPlan, condition: Expr) -> Result<LogicalPlan, TrinoError> {
        let (plan, computed) = self.with_loose(plan, [&condition])?;
        let plan = LogicalPlanBuilder::from(plan).filter(replace(condition, &computed)?);
        plan.and_then(|plan| plan.build()).map_err(planned)
    }

    /// Joins the subqueries whose rows' existence the values ask for, and those that no key joins.
    pub(super) fn marks_in(
        &mut self,
        plan: LogicalPlan,
        values: Vec<Expr>,
    ) -> Result<(LogicalPlan, Vec<Expr>), TrinoError> {
        let asked = |expr: &Expr| match expr {
            Expr::Exists(_) => true,
            Expr::ScalarSubquery(subquery) => needs_join(&subquery.subquery),
            _ => false,
        };
        let asks = |value: &Expr| value.exists(|expr| Ok(asked(expr))).unwrap_or(false);
        if !values.iter().any(asks) {
            return Ok((plan, values));
        }
        let (plan, computed) = self.with_subqueries(plan, &values)?;
        let values = values.into_iter().map(|value| replace(value, &computed)).collect::<Result<_, _>>()?;
        Ok((plan, values))
    }

    /// Computes the window functions, and gives the columns' and sort keys' values in terms of the plan with them.
    fn windowed(
        &mut self,
        plan: LogicalPlan,
        outputs: &[Output],
        order: &[(Sort, ast::Expr)],
    ) -> Result<(LogicalPlan, Vec<Expr>), TrinoError> {
        let values = outputs.iter().map(|output| &output.value.0).chain(order.iter().map(|(sort, _)| &sort.expr));
        let values: Vec<Expr> = values.cloned().collect();
        let windows = find_window_exprs(values.iter());
        if windows.is_empty() {
            return Ok((plan, values));
        }
        let (plan, named) = self.compute_windows(plan, windows)?;
        let values = values.into_iter().map(|value| replace(value, &named)).collect::<Result<_, _>>()?;
        Ok((plan, values))
    }

    /// Adds window functions to a plan. DataFusion calls them by their text, which may be the same for two of them; so the
    /// second one is added after the first one was renamed.
    pub(super) fn compute_windows(
        &mut self,
        plan: LogicalPlan,
        windows: Vec<Expr>,
    ) -> Result<(LogicalPlan, Vec<(Expr, Column)>), TrinoError> {
        let (plan, asked) = self.with_subqueries(plan, &windows)?;
        let calls = windows.into_iter().map(|window| Ok((window.clone(), replace(window, &asked)?)));
        let calls = calls.collect::<Result<Vec<(Expr, Expr)>, TrinoError>>()?;
        let (patterns, calls): (Vec<_>, Vec<_>) = calls.into_iter().partition(|(_, call)| is_pattern_call(call));
        let (by_row, mut calls): (Vec<_>, Vec<_>) = calls.into_iter().partition(|(_, call)| is_row_call(call));
        let (plan, mut named) = self.compute_patterns(plan, patterns)?;
        let mut plan = self.compute_by_row(plan, by_row, &mut named)?;
        while !calls.is_empty() {
            let mut names = Vec::new();
            let (now, later): (Vec<_>, Vec<_>) = calls.into_iter().partition(|(_, call)| {
                let name = call.schema_name().to_string();
                let is_new = !names.contains(&name);
                names.push(name);
                is_new
            });
            let mut kept: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
            let added = now.iter().map(|(_, call)| call.clone());
            plan = LogicalPlanBuilder::window_plan(plan, added).map_err(planned)?;
            for (window, call) in now {
                let column = self.fresh_column("window");
                let computed = Column::new_unqualified(call.schema_name().to_string());
                kept.push(Expr::Column(computed).alias(&column.name));
                named.push((window, column));
            }
            plan = project(plan, kept)?;
            calls = later;
        }
        Ok((plan, named))
    }

    /// The last steps: the columns, DISTINCT, the order.
    fn projected(
        &mut self,
        plan: LogicalPlan,
        (outputs, values): (Vec<Output>, Vec<Expr>),
        order: Vec<(Sort, ast::Expr)>,
        distinct: bool,
        keep_keys: bool,
    ) -> Result<(Relation, Vec<Sort>), TrinoError> {
        let mut columns: Vec<(Expr, Column)> = Vec::new();
        let mut fields = Vec::with_capacity(outputs.len());
        let (values, keys) = values.split_at(outputs.len());
        for (output, value) in outputs.into_iter().zip(values) {
            let column = match value {
                Expr::Column(column) if columns.iter().all(|(_, taken)| taken != column) => column.clone(),
                _ => self.fresh_column("expr"),
            };
            columns.push((value.clone(), column.clone()));
            let name = output.label.as_ref().map(|label| label.to_lowercase());
            let ty = output.value.1;
            let label = output.label;
            fields.push(Field { relation: output.relation, name, label, column, ty, hidden: false });
        }
        let shown = columns.len();
        let mut sorts = Vec::with_capacity(order.len());
        for ((sort, _), key) in order.into_iter().zip(keys) {
            let known = columns.iter().find(|(value, _)| value == key).map(|(_, column)| column.clone());
            let column = match known {
                Some(column) => column,
                None if distinct => {
                    let message = "For SELECT DISTINCT, ORDER BY expressions must appear in select list";
                    return Err(TrinoError::new(ErrorCode::ExpressionNotInDistinct, message));
                }
                None => {
                    let column = match key {
                        Expr::Column(column) => column.clone(),
                        _ => self.fresh_column("key"),
                    };
                    columns.push((key.clone(), column.clone()));
                    column
                }
            };
            sorts.push(Sort { expr: Expr::Column(column), ..sort });
        }
        let exprs = columns.iter().map(|(value, column)| match value {
            Expr::Column(own) if own == column => value.clone(),
            _ => value.clone().alias(&column.name),
        });
        let mut plan = project(plan, exprs.collect())?;
        if distinct {
            plan = LogicalPlanBuilder::from(plan).distinct().and_then(|plan| plan.build()).map_err(planned)?;
        }
        let has_more = columns.len() > shown && !keep_keys;
        let mut relation = sorted(Relation { plan, fields }, sorts.clone())?;
        if has_more {
            let shown = relation.fields.iter().map(|field| Expr::Column(field.column.clone())).collect();
            relation.plan = project(relation.plan, shown)?;
        }
        Ok((relation, sorts))
    }
}

/// All that a SELECT evaluates after grouping.
pub(super) struct Values<'v> {
    pub(super) outputs: &'v mut Vec<Output>,
    pub(super) order: &'v mut Vec<(Sort, ast::Expr)>,
    pub(super) having: &'v mut Option<(Expr, ast::Expr)>,
}

fn of_field(field: &Field) -> Output {
    let (label, relation) = (field.label.clone(), field.relation.clone());
    Output { label, value: field.typed(), source: None, relation }
}

/// The name that a column gets from its expression.
fn name_of(expr: &ast::Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Identifier(name) => Some(name.value.clone()),
        // A field has its name only where a name leads to it, not an expression.
        ExprKind::Dereference { field, .. } => expr.as_name().map(|_| field.value.clone()),
        _ => None,
    }
}

/// Puts columns in the place of expressions that are already computed.
pub(super) fn replace(expr: Expr, computed: &[(Expr, Column)]) -> Result<Expr, TrinoError> {
    expr.transform_down(|expr| match computed.iter().find(|(known, _)| *known == expr) {
        Some((_, column)) => Ok(Transformed::new(
            Expr::Column(column.clone()),
            true,
            datafusion::common::tree_node::TreeNodeRecursion::Jump,
        )),
        None => Ok(Transformed::no(expr)),
    })
    .data()
    .map_err(planned)
}
