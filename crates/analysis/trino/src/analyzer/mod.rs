//! From the syntax tree to DataFusion's logical plan: names, types, Trino's rules and its refusals.
//!
//! Every column of the plan has a name of its own: a scan's columns carry the scan's number as their qualifier, and what
//! is computed is called `expr_7`. So no rewrite of the plan can mix up two columns, and SQL's names live in
//! [`scope::Field`]s only.
//!
//! The analysis itself never waits. Where it needs a table that isn't known yet it stops and says which; the engine asks
//! the catalog and starts over.

mod by_row;
mod call;
pub(crate) mod change;
mod correlated;
mod domain;
mod expression;
mod frame;
mod grouping;
mod iceberg;
mod information;
mod join;
mod json;
mod lateral;
mod literal;
mod loose;
mod membership;
mod query;
mod recognition;
pub(crate) mod scope;
mod select;
mod set_operation;
mod single;
mod subquery;
mod table;
mod table_function;
mod unnest;

use std::collections::HashMap;
use std::sync::Arc;

use boathouse_iceberg::table::Table;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast;
use datafusion::common::{Column, DataFusionError};
use datafusion::logical_expr::{Expr, LogicalPlan};

use crate::catalog::{Session, TableDefinition};
use crate::error::of_datafusion;
use crate::storage::Statistics;
pub(crate) use change::Change;
use scope::{Relation, Scope};
pub(crate) use subquery::{is_correlated, unsupported_correlation};

/// What the catalog has said so far, by database and name.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Tables, or none where there is no such table.
    pub(crate) tables: HashMap<(String, String), Option<Arc<TableDefinition>>>,
    /// The Iceberg tables among them, as their metadata describes them.
    pub(crate) iceberg: HashMap<(String, String), Arc<Table>>,
    /// The databases, once they were asked for.
    pub(crate) databases: Option<Vec<String>>,
}

/// What the analysis needs to know before it can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Needed {
    /// A table.
    Table(String, String),
    /// The names of all databases.
    Databases,
}

/// The result of an analysis: a plan, and its columns as the statement calls them.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// The plan; its columns are those of `columns`, in order.
    pub(crate) plan: LogicalPlan,
    /// The names and types.
    pub(crate) columns: Vec<(String, Type)>,
}

/// Analyzes one statement.
pub(crate) struct Analyzer<'a> {
    session: Arc<Session>,
    statistics: Arc<Statistics>,
    known: &'a Known,
    needed: Option<Needed>,
    /// How many internal names are taken.
    names: usize,
    /// The named queries in scope, the innermost last.
    named: Vec<Arc<Named>>,
    /// The views being expanded, the innermost last.
    views: Vec<(String, String)>,
    /// The database that bare names mean.
    database: String,
    /// The aggregates and window functions met so far, with their text.
    calls: Vec<Called>,
    /// Where the SELECTs around stand, the innermost last.
    selects: Vec<ast::Pos>,
    /// The windows of the WINDOW clauses around, the innermost last.
    windows: Vec<(ast::Ident, ast::Window)>,
    /// What the expression at hand is to the filter that it stands in, if it stands in one.
    place: Place,
    /// Whether it stands in a lambda.
    in_lambda: bool,
}

/// A query of a WITH clause.
#[derive(Debug)]
struct Named {
    name: String,
    source: NamedSource,
}

#[derive(Debug)]
enum NamedSource {
    /// An ordinary query, analyzed anew wherever it is named.
    Query(ast::NamedQuery),
    /// A recursive query's own rows while its recursive part is analyzed.
    Working(Relation),
    /// A recursive query.
    Recursive(ast::NamedQuery),
}

/// Where an expression stands, which decides how DataFusion can turn a subquery in it into a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    /// In no filter: only values become joins there.
    #[default]
    Value,
    /// Somewhere in a filter.
    InFilter,
    /// It filters rows by itself, as each term of AND does.
    Condition,
}

/// Functions that aren't allowed everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallKind {
    Aggregate,
    Window,
    Grouping,
}

/// A call of such a function, as it is written.
#[derive(Debug, Clone)]
struct Called {
    kind: CallKind,
    text: String,
    pos: ast::Pos,
}

/// What is analyzed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Statement<'a> {
    /// A query.
    Query(&'a ast::Query),
    /// A change of a table's rows.
    Change(Change<'a>),
}

impl<'a> From<&'a ast::Query> for Statement<'a> {
    fn from(query: &'a ast::Query) -> Self {
        Self::Query(query)
    }
}

impl<'a> From<Change<'a>> for Statement<'a> {
    fn from(change: Change<'a>) -> Self {
        Self::Change(change)
    }
}

/// Analyzes a statement with what is known of the catalog. On `Err(Ok(needed))` it has to be told more.
pub(crate) fn analyze(
    session: &Arc<Session>,
    statistics: &Arc<Statistics>,
    known: &Known,
    statement: Statement<'_>,
) -> Result<Analysis, Result<Needed, TrinoError>> {
    let mut analyzer = Analyzer {
        session: Arc::clone(session),
        statistics: Arc::clone(statistics),
        known,
        needed: None,
        names: 0,
        named: Vec::new(),
        views: Vec::new(),
        database: session.database.to_lowercase(),
        calls: Vec::new(),
        selects: Vec::new(),
        windows: Vec::new(),
        place: Place::Value,
        in_lambda: false,
    };
    let analysis = match statement {
        Statement::Query(query) => analyzer.statement(query),
        Statement::Change(change) => analyzer.change(change),
    };
    match (analysis, analyzer.needed) {
        (_, Some(needed)) => Err(Ok(needed)),
        (Ok(analysis), None) => Ok(analysis),
        (Err(error), None) => Err(Err(error)),
    }
}

impl Analyzer<'_> {
    fn statement(&mut self, query: &ast::Query) -> Result<Analysis, TrinoError> {
        let relation = self.query(query, None)?;
        let visible: Vec<_> = relation.fields.into_iter().filter(|field| !field.hidden).collect();
        let plan =
            self.select_columns(relation.plan, visible.iter().map(|field| Expr::Column(field.column.clone())))?;
        let name = |index: usize, label: Option<String>| label.unwrap_or_else(|| format!("_col{index}"));
        let columns =
            visible.into_iter().enumerate().map(|(index, field)| (name(index, field.label), field.ty)).collect();
        Ok(Analysis { plan, columns })
    }

    /// Remembers a call.
    fn called(&mut self, kind: CallKind, expr: &ast::Expr) {
        self.calls.push(Called { kind, text: expr.to_string(), pos: expr.pos });
    }

    /// What is wrong with a window function is said of the SELECT that it stands in.
    fn of_select(&self, code: ErrorCode, message: impl Into<String>) -> TrinoError {
        TrinoError { pos: self.selects.last().copied(), ..TrinoError::new(code, message) }
    }

    /// A name that is used nowhere else in the statement.
    fn fresh(&mut self, hint: &str) -> String {
        self.names += 1;
        format!("{hint}_{}", self.names)
    }

    /// A column with a name that is used nowhere else.
    fn fresh_column(&mut self, hint: &str) -> Column {
        Column::new_unqualified(self.fresh(hint))
    }

    /// Gives the plan exactly these columns; a column that comes twice gets a name of its own.
    fn select_columns(
        &mut self,
        plan: LogicalPlan,
        exprs: impl IntoIterator<Item = Expr>,
    ) -> Result<LogicalPlan, TrinoError> {
        let mut taken: Vec<Expr> = Vec::new();
        for expr in exprs {
            let expr = if taken.contains(&expr) { expr.alias(self.fresh("expr")) } else { expr };
            taken.push(expr);
        }
        let same = plan.schema().columns().into_iter().map(Expr::Column).eq(taken.iter().cloned());
        if same { Ok(plan) } else { project(plan, taken) }
    }

    /// The expression, which may hold no aggregate or window function.
    fn plain(&mut self, expr: &ast::Expr, scope: &Scope<'_>, clause: &str) -> Result<(Expr, Type), TrinoError> {
        let before = self.calls.len();
        let value = self.expr(expr, scope)?;
        let calls: Vec<_> = self.calls.drain(before..).map(|call| call.text).collect();
        if calls.is_empty() {
            return Ok(value);
        }
        let message = format!(
            "{clause} cannot contain aggregations, window functions or grouping operations: [{}]",
            calls.join(", ")
        );
        Err(TrinoError::at(expr.pos, ErrorCode::ExpressionNotScalar, message))
    }
}

/// A projection over a plan.
fn project(plan: LogicalPlan, exprs: Vec<Expr>) -> Result<LogicalPlan, TrinoError> {
    let plan = datafusion::logical_expr::LogicalPlanBuilder::from(plan).project(exprs);
    plan.and_then(|builder| builder.build()).map_err(planned)
}

/// What an error of DataFusion's plan builder means.
fn planned(error: DataFusionError) -> TrinoError {
    of_datafusion(error)
}

/// The error at this position, unless it knows its own.
fn at(pos: ast::Pos) -> impl Fn(TrinoError) -> TrinoError {
    move |error| TrinoError { pos: error.pos.or(Some(pos)), ..error }
}
