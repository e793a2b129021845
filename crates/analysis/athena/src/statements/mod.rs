//! What each kind of statement does.
//!
//! | Module | What it does |
//! |---|---|
//! | `kind` | the names of the kinds, the ends of results' names |
//! | `select` | queries, EXPLAIN |
//! | `create_as`, `insert`, `unload` | statements that write rows, with `properties` and `target` |
//! | `iceberg` | Iceberg tables: made, filled, dropped, shown |
//! | `databases`, `create_table`, `drop`, `views` | definitions in the Data Catalog |
//! | `alter`, `partitions`, `repair` | changes of tables and their partitions |
//! | `show`, `describe`, `show_create` | what is shown as text |

mod alter;
mod create_as;
mod create_table;
mod databases;
mod describe;
mod drop;
pub(crate) mod iceberg;
mod insert;
pub(crate) mod kind;
mod partitions;
mod prepare;
mod properties;
mod repair;
mod select;
mod show;
mod show_create;
mod target;
mod unload;
mod views;

use std::sync::Arc;

use boathouse_aws::{AwsError, Ctx};
use boathouse_trino::catalog::Session;
use boathouse_trino_parser::ast::{Expr, Name, Statement};

use crate::Athena;
use crate::catalog::entities::Table;
use crate::catalog::glue::Glue;
use crate::catalog::tables::GlueCatalog;
use crate::executions::Row;
use crate::executions::failure::Failure;
use crate::executions::runner::Progress;
use crate::files::{Files, Place};
use crate::results::columns::ColumnInfo;
use crate::results::write::{self, Size};

/// One execution's statement and all that it may use.
pub(crate) struct Job<'a> {
    athena: &'a Athena,
    ctx: &'a Ctx,
    glue: Glue,
    files: Files,
    session: Session,
    /// Where the result goes.
    result: Place,
    id: String,
    group: String,
    progress: &'a Progress,
}

/// What a statement that succeeded leaves in its execution's row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) manifest: Option<String>,
    pub(crate) update_count: Option<u64>,
    pub(crate) scanned: u64,
    pub(crate) size: Size,
}

/// The text that a statement on the catalog answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Lines {
    columns: Vec<ColumnInfo>,
    lines: Vec<String>,
}

impl Lines {
    fn new(columns: &[&str], lines: Vec<String>) -> Self {
        Self { columns: columns.iter().map(|name| ColumnInfo::text(name)).collect(), lines }
    }
}

/// A table's database and name in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    database: String,
    table: String,
}

impl<'a> Job<'a> {
    pub(crate) fn new(
        athena: &'a Athena,
        ctx: &'a Ctx,
        row: &Row,
        progress: &'a Progress,
        parameters: Vec<Expr>,
    ) -> Result<Self, Failure> {
        let (glue, files) = (Glue::new(ctx.clone()), Files::new(ctx.clone(), Arc::clone(&athena.stores)));
        let database = row.execution.query_execution_context.database.as_deref().unwrap_or("default");
        // Clients quote the database as they do in Hive's statements, and AWS accepts it.
        let database = database.trim_matches(['`', '"']).to_lowercase();
        let session = Session {
            catalog: Arc::new(GlueCatalog::new(glue.clone())),
            buckets: Arc::new(files.clone()),
            database,
            catalog_name: "awsdatacatalog".to_owned(),
            user: ctx.principal.arn.clone(),
            start: ctx.now(),
            zone: "UTC".to_owned(),
            parameters,
        };
        Ok(Self {
            athena,
            ctx,
            glue,
            files,
            session,
            result: Place::parse(row.result_location())?,
            id: row.id().to_owned(),
            group: row.execution.work_group.clone(),
            progress,
        })
    }

    /// What a name in a statement means.
    fn target(&self, name: &Name) -> Result<Target, Failure> {
        let parts: Vec<String> = name.parts.iter().map(|part| part.lower()).collect();
        let (catalog, database, table) = match parts.as_slice() {
            [table] => (None, self.session.database.clone(), table.clone()),
            // Hive's grammar lets one pair of quotes hold both names.
            [database, table] => (None, database.clone(), table.clone()),
            [catalog, database, table] => (Some(catalog), database.clone(), table.clone()),
            _ => {
                return Err(Failure::user(
                    1006,
                    format!("SYNTAX_ERROR: line {}: Too many dots in table name", name.pos()),
                ));
            }
        };
        match catalog {
            Some(other) if *other != self.session.catalog_name => Err(Failure::user(
                1303,
                format!("CATALOG_NOT_FOUND: line {}: Catalog '{other}' does not exist", name.pos()),
            )),
            _ => Ok(Target { database, table }),
        }
    }

    /// The database that a name means.
    fn database(&self, name: Option<&Name>) -> String {
        name.map_or_else(|| self.session.database.clone(), Name::last_lower)
    }

    /// The catalog's table, or nothing.
    async fn find(&self, target: &Target) -> Result<Option<Table>, AwsError> {
        self.glue.table(&target.database, &target.table).await
    }

    /// The catalog's table, for statements of Hive's grammar.
    async fn require(&self, name: &Name) -> Result<(Target, Table), Failure> {
        let target = self.target(name)?;
        match self.find(&target).await? {
            Some(table) => Ok((target, table)),
            None => Err(table_not_found(&target)),
        }
    }

    /// Refuses a database that is not there, in Trino's words.
    async fn require_schema(&self, name: &Name, database: &str) -> Result<(), Failure> {
        match self.glue.database(database).await? {
            Some(_) => Ok(()),
            None => {
                let message = format!("SCHEMA_NOT_FOUND: line {}: Schema '{database}' does not exist", name.pos());
                Err(Failure::user(1301, message))
            }
        }
    }

    /// The folder that holds the execution's result.
    fn result_folder(&self) -> Place {
        let folder = self.result.key.rsplit_once('/').map_or("", |(folder, _)| folder);
        Place { bucket: self.result.bucket.clone(), key: folder.to_owned() }
    }
}

fn table_not_found(target: &Target) -> Failure {
    let message =
        format!("FAILED: SemanticException [Error 10001]: Table not found {}.{}", target.database, target.table);
    Failure::user(1302, message)
}

fn database_not_found(name: &str) -> Failure {
    Failure::user(1301, format!("FAILED: SemanticException [Error 10072]: Database does not exist: {name}"))
}

fn semantic(message: impl std::fmt::Display) -> Failure {
    Failure::user(1006, format!("FAILED: SemanticException {message}"))
}

/// Runs a statement and writes its result.
pub(crate) async fn run(job: &Job<'_>, statement: &Statement) -> Result<Outcome, Failure> {
    match statement {
        Statement::Query(query) => select::run(job, query).await,
        Statement::CreateTableAs(create) => create_as::run(job, create).await,
        Statement::Insert(insert) => insert::run(job, insert).await,
        Statement::Unload(unload) => unload::run(job, unload).await,
        other => {
            let answer = answer(job, other).await?;
            let size = write::lines(&job.files, &job.result, answer.columns, &answer.lines).await?;
            Ok(Outcome { size, ..Outcome::default() })
        }
    }
}

/// Statements whose answer is text.
async fn answer(job: &Job<'_>, statement: &Statement) -> Result<Lines, Failure> {
    match statement {
        Statement::Explain(explain) => select::explain(job, explain).await,
        Statement::CreateView(view) => views::create(job, view).await,
        Statement::DropView(view) => drop::view(job, view).await,
        Statement::DropTable(table) => drop::table(job, table).await,
        Statement::CreateTable(create) => create_table::run(job, create).await,
        Statement::CreateDatabase(create) => databases::create(job, create).await,
        Statement::DropDatabase { name, if_exists, cascade } => {
            databases::drop(job, &name.last_lower(), *if_exists, *cascade).await
        }
        Statement::AlterDatabase { name, properties } => databases::alter(job, &name.last_lower(), properties).await,
        Statement::AlterTable { table, action } => alter::run(job, table, action).await,
        Statement::RepairTable(table) => repair::run(job, table).await,
        Statement::Show(show) => show::run(job, show).await,
        Statement::Describe(describe) => describe::run(job, describe).await,
        Statement::Prepare(prepare) => prepare::keep(job, prepare).await,
        Statement::Deallocate(name) => prepare::forget(job, &name.value).await,
        Statement::Delete(_)
        | Statement::Update(_)
        | Statement::Merge(_)
        | Statement::Optimize(_)
        | Statement::Vacuum(_) => {
            Err(Failure::unsupported(format_args!("{} on Iceberg tables", kind::substatement(statement))))
        }
        Statement::Execute(_) => Err(Failure::unsupported("EXECUTE of EXECUTE")),
        Statement::Query(_) | Statement::CreateTableAs(_) | Statement::Insert(_) | Statement::Unload(_) => {
            Err(Failure::system("GENERIC_INTERNAL_ERROR: a statement with rows has no text"))
        }
    }
}
