//! Nodes → one query: every node is a named query in it, analyzed by itself, so that errors name the node.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use boathouse_aws::Ctx;
use boathouse_trino::catalog::Session;
use boathouse_trino::engine::Engine;
use boathouse_trino_functions::types::Type;
use boathouse_trino_parser::ast::{Query, Statement};
use futures::TryStreamExt;

use super::files::JobBuckets;
use super::glue::JobCatalog;
use super::graph::Graph;
use super::nodes::{DropNullFields, Node, SparkSql};
use super::sources::Sources;
use super::spark_sql;
use super::transform::{self, Body, Input, quoted};
use crate::failure::Failure;
use crate::s3::Buckets;

/// The database of the sources' tables.
pub(super) const DATABASE: &str = "job";

/// A column of a node.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    /// Its name, in the case that its maker wrote.
    pub(super) name: String,
    pub(super) ty: Type,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, ty: Type) -> Self {
        Self { name: name.into(), ty }
    }

    /// Its name in a query.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.name)
    }
}

/// The columns of a node: their names differ by more than case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns(Vec<Column>);

impl Columns {
    pub(super) fn new(columns: Vec<Column>) -> Result<Self, String> {
        for (index, column) in columns.iter().enumerate() {
            let name = column.name.to_lowercase();
            if columns[..index].iter().any(|other| other.name.to_lowercase() == name) {
                return Err(format!("two columns are called '{name}'"));
            }
        }
        Ok(Self(columns))
    }

    /// The column of that name, in any case.
    pub(super) fn find(&self, name: &str) -> Result<&Column, String> {
        let wanted = name.to_lowercase();
        let found = self.0.iter().find(|column| column.name.to_lowercase() == wanted);
        found.ok_or_else(|| format!("there is no column '{name}' (there are: {self})"))
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Column> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|column| column.name.as_str()).collect();
        f.write_str(&names.join(", "))
    }
}

struct Compiled {
    /// Its name in the query.
    relation: String,
    sql: String,
    columns: Columns,
}

/// Makes queries of a job's nodes.
pub(super) struct Compiler<'a> {
    graph: &'a Graph,
    engine: &'a Engine,
    session: Session,
    buckets: Arc<JobBuckets>,
    /// The queries that read the sources.
    reading: HashMap<String, (String, Columns)>,
    compiled: HashMap<String, Compiled>,
}

impl<'a> Compiler<'a> {
    /// Queries of a graph that read as the caller of `ctx` may.
    pub(super) fn new(ctx: &Ctx, engine: &'a Engine, graph: &'a Graph, buckets: &Buckets, sources: Sources) -> Self {
        let Sources { catalog, reading, files } = sources;
        let buckets = Arc::new(files.with(buckets.clone()));
        let session = Session {
            catalog: Arc::new(JobCatalog::new(catalog)),
            buckets: Arc::clone(&buckets) as _,
            database: DATABASE.to_owned(),
            catalog_name: "awsdatacatalog".to_owned(),
            user: ctx.principal.arn.clone(),
            start: ctx.now(),
            zone: "UTC".to_owned(),
            parameters: Vec::new(),
        };
        Self { graph, engine, session, buckets, reading, compiled: HashMap::new() }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// A message of the engine with the names of the real buckets.
    pub(super) fn real(&self, message: &str) -> String {
        self.buckets.real(message)
    }

    pub(super) fn engine(&self) -> &Engine {
        self.engine
    }

    /// Compiles every node but the targets.
    pub(super) async fn nodes(&mut self) -> Result<(), Failure> {
        let graph = self.graph;
        for id in graph.order().iter().filter(|id| !graph.node(id).is_target()) {
            let compiled = self.compile(id).await.map_err(|failure| failure.at(&graph.title(id)))?;
            self.compiled.insert(id.clone(), compiled);
        }
        Ok(())
    }

    /// The columns of a node.
    pub(super) fn columns(&self, id: &str) -> &Columns {
        &self.done(id).columns
    }

    fn done(&self, id: &str) -> &Compiled {
        self.compiled.get(id).expect("invariant: inputs are compiled first")
    }

    fn input<'s>(&'s self, id: &'s str) -> Input<'s> {
        let Compiled { relation, columns, .. } = self.done(id);
        Input { id, relation, columns }
    }

    async fn compile(&self, id: &str) -> Result<Compiled, Failure> {
        let node = self.graph.node(id);
        let relation = format!("\"node {}\"", self.compiled.len());
        if let Some((sql, columns)) = self.reading.get(id) {
            return Ok(Compiled { relation, sql: sql.clone(), columns: columns.clone() });
        }
        let inputs: Vec<Input<'_>> = node.inputs().iter().map(|id| self.input(id)).collect();
        if let Node::SparkSql(node) = node {
            let sql = self.spark_sql(node)?;
            let found = self.engine.analyze(&self.session, &self.query_over(node_inputs(&inputs), &sql)?).await?;
            let columns = found.into_iter().map(|column| Column::new(column.name, column.ty)).collect();
            return Ok(Compiled { relation, sql, columns: Columns::new(columns).map_err(Failure::new)? });
        }
        let Body { sql, names } = match node {
            Node::DropNullFields(node) => self.drop_null_fields(node, &inputs[0]).await?,
            node => transform::body(node, &inputs).map_err(Failure::new)?,
        };
        let found = self.engine.analyze(&self.session, &self.query_over(node_inputs(&inputs), &sql)?).await?;
        let columns = found.into_iter().zip(names).map(|(column, name)| Column::new(name, column.ty)).collect();
        Ok(Compiled { relation, sql, columns: Columns::new(columns).map_err(Failure::new)? })
    }

    /// A query over one node and all that it needs.
    pub(super) fn query(&self, id: &str, sql: impl FnOnce(&str) -> String) -> Result<Query, Failure> {
        self.query_over(vec![id], &sql(&self.done(id).relation))
    }

    fn query_over(&self, ids: Vec<&str>, sql: &str) -> Result<Query, Failure> {
        let needed: Vec<&str> = ids.into_iter().flat_map(|id| self.graph.needed(id)).collect();
        let named = self.graph.order().iter().filter(|id| needed.contains(&id.as_str()));
        let named: Vec<String> = named
            .map(|id| self.done(id))
            .map(|compiled| format!("{} AS ({})", compiled.relation, compiled.sql))
            .collect();
        let text = format!("WITH {} SELECT * FROM ({sql})", named.join(", "));
        match boathouse_trino_parser::parse_statement(&text) {
            Ok(Statement::Query(query)) => Ok(*query),
            Ok(_) => Err(Failure::new("Internal service error : a node's query is none")),
            Err(error) => Err(Failure::new(format!("Internal service error : a node's query can't be read: {error}"))),
        }
    }

    fn spark_sql(&self, node: &SparkSql) -> Result<String, Failure> {
        let query = spark_sql::read(&node.sql_query).map_err(Failure::new)?;
        let aliases = node.sql_aliases.iter().map(|alias| {
            let name = quoted(alias.alias.trim_matches(['"', '\'', '`']));
            let input = self.compiled.get(&alias.from).filter(|_| node.inputs.contains(&alias.from));
            let input = input.ok_or_else(|| Failure::new(format!("{} is not one of its inputs", alias.from)))?;
            let items = input.columns.iter().map(Column::quoted).collect::<Vec<_>>().join(", ");
            Ok(format!("{name} AS (SELECT {items} FROM {})", input.relation))
        });
        let aliases = aliases.collect::<Result<Vec<_>, Failure>>()?;
        Ok(format!("WITH {} SELECT * FROM ({query})", aliases.join(", ")))
    }

    /// Looks which columns have a value at all.
    async fn drop_null_fields(&self, node: &DropNullFields, input: &Input<'_>) -> Result<Body, Failure> {
        let counts = input.columns.iter().map(|column| Ok(format!("count_if({})", has_value(node, column)?)));
        let counts = counts.collect::<Result<Vec<_>, String>>().map_err(Failure::new)?;
        let sql = format!("SELECT {} FROM {}", counts.join(", "), input.relation);
        let query = self.query_over(vec![input.id], &sql)?;
        let mut rows = self.engine.query(&self.session, &query).await?;
        let mut present = vec![0; counts.len()];
        while let Some(batch) = rows.try_next().await? {
            for (count, column) in present.iter_mut().zip(batch.columns()) {
                *count += column.as_primitive::<Int64Type>().values().iter().sum::<i64>();
            }
        }
        let empty = input.columns.iter().zip(&present).filter(|(_, count)| **count == 0);
        let empty: Vec<&Column> = empty.map(|(column, _)| column).collect();
        transform::without(&empty, input).map_err(Failure::new)
    }
}

fn node_inputs<'s>(inputs: &[Input<'s>]) -> Vec<&'s str> {
    inputs.iter().map(|input| input.id).collect()
}

/// Whether a value counts as one.
fn has_value(node: &DropNullFields, column: &Column) -> Result<String, String> {
    let (value, text) = (column.quoted(), matches!(column.ty, Type::Varchar(_)));
    let mut terms = vec![format!("{value} IS NOT NULL")];
    let boxes = node.null_check_box_list.as_ref();
    if text && boxes.is_some_and(|boxes| boxes.is_empty == Some(true)) {
        terms.push(format!("{value} <> ''"));
    }
    if text && boxes.is_some_and(|boxes| boxes.is_null_string == Some(true)) {
        terms.push(format!("lower({value}) <> 'null'"));
    }
    if column.ty.is_numeric() && boxes.is_some_and(|boxes| boxes.is_neg_one == Some(true)) {
        terms.push(format!("{value} <> -1"));
    }
    for null in node.null_text_list.iter().flatten() {
        let applies = if null.datatype.id.eq_ignore_ascii_case("string") { text } else { column.ty.is_numeric() };
        if applies {
            terms.push(format!("{value} <> {}", transform::literal(&null.value, &column.ty)?));
        }
    }
    Ok(terms.join(" AND "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_only_are_one() {
        let twice = vec![Column::new("a", Type::Integer), Column::new("A", Type::Date)];
        assert_eq!(Columns::new(twice).unwrap_err(), "two columns are called 'a'");
        let columns = Columns::new(vec![Column::new("Ab", Type::Integer)]).unwrap();
        assert_eq!(columns.find("aB").unwrap().name, "Ab");
        assert!(columns.find("c").unwrap_err().contains("Ab"));
    }
}
