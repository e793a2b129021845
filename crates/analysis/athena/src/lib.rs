//! Athena: query executions, workgroups and DDL over the Trino engine.
//!
//! AWS counterpart: "Amazon Athena API" and the SQL reference of engine version 3. All calls of the Data Catalog and all
//! reads and writes of objects are the caller's own, so that IAM decides about them.
//!
//! | Module | What it does |
//! |---|---|
//! | `workgroups`, `named_queries`, `prepared`, `data_catalogs`, `tags` | one file for each resource of the API |
//! | `executions` | the life of a query execution |
//! | `statements` | what each kind of statement does |
//! | `catalog` | the Glue Data Catalog as the engine sees it, and formats as Hive's classes |
//! | `results` | results in S3: CSV, text, manifests, pages |
//! | `files` | objects as the caller may use them |
//! | `lineage` | which tables and columns executions read and wrote |
//! | [`error`] | the API's errors and their AWS codes |
//! | `store` | the rows' keys, and what operations share |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod catalog;
mod data_catalogs;
pub mod error;
mod executions;
mod files;
mod lineage;
mod named_queries;
mod prepared;
mod results;
mod statements;
mod store;
mod tags;
#[cfg(test)]
mod tests;
mod workgroups;

use std::collections::BTreeSet;
use std::sync::Arc;

use boathouse_aws::access::{AccessRequest, Authorizer, ConditionKeys};
use boathouse_aws::service::{Access, any_resource};
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{Clock, Ctx, Platform, Protocol, ServiceTable};
use boathouse_metadata::{Metadata, MetadataError};
use boathouse_trino::engine::Engine;

use crate::executions::runner::Runner;
use crate::executions::{history, start};
use crate::store::{catalog_arn, workgroup_arn};

pub use error::AthenaError;
pub use lineage::Lineages;

/// What the service stands on.
pub struct Deps {
    /// Where workgroups and executions are kept.
    pub metadata: Metadata,
    /// Who runs queries.
    pub engine: Arc<Engine>,
    /// The buckets.
    pub stores: Arc<dyn ObjectStores>,
    /// Who decides about executions, whose workgroup only this service knows.
    pub authorizer: Arc<dyn Authorizer>,
    /// The time, for what is made at the first start.
    pub clock: Arc<dyn Clock>,
    /// How many executions run at once.
    pub concurrent_queries: usize,
    /// How many more may wait.
    pub queued_queries: usize,
}

/// The service's state.
pub(crate) struct Athena {
    pub(crate) metadata: Metadata,
    pub(crate) engine: Arc<Engine>,
    pub(crate) stores: Arc<dyn ObjectStores>,
    pub(crate) runner: Runner,
    authorizer: Arc<dyn Authorizer>,
}

impl Athena {
    /// Asks whether the caller may do this to the workgroup.
    fn authorize(&self, ctx: &Ctx, operation: &str, workgroup: &str) -> Result<(), AthenaError> {
        let (action, resource) = (format!("athena:{operation}"), workgroup_arn(ctx, workgroup));
        let keys = ConditionKeys::new();
        Ok(self.authorizer.authorize(ctx, &AccessRequest::new(&action, &resource, &keys))?)
    }
}

/// The service, ready to be installed.
pub struct Service {
    /// The operations.
    pub table: ServiceTable,
    /// The addresses of lineage.
    pub lineage: Lineages,
    /// What is to be done before the first call comes.
    pub recovery: Recovery,
}

/// What is to be done before the first call comes.
pub struct Recovery(Arc<Athena>);

impl Recovery {
    /// Takes back what executions have written that were running when the process last ended, and marks them as failed:
    /// none is ever lost, and nothing half-written is seen.
    ///
    /// # Errors
    /// [`MetadataError::Storage`] when the store can't be read or written.
    pub async fn run(self, platform: &Platform) -> Result<(), MetadataError> {
        history::recover(&self.0, platform).await
    }
}

/// The service `athena`, and what it has to do once the services that it calls are there.
///
/// # Errors
/// [`MetadataError::Storage`] when the store can't be written.
pub fn service(deps: Deps) -> Result<Service, MetadataError> {
    let now = store::seconds(deps.clock.now());
    deps.metadata.transaction_blocking(move |tx| workgroups::ensure_primary(tx, now))?;
    let state = &Arc::new(Athena {
        metadata: deps.metadata,
        engine: deps.engine,
        stores: deps.stores,
        runner: Runner::new(deps.concurrent_queries, deps.queued_queries),
        authorizer: deps.authorizer,
    });
    let table = ServiceTable::new("athena", Protocol::AwsJson { version: "1.1", target_prefix: "AmazonAthena" });
    let keeper = Arc::clone(state);
    let table = table.with_tags(move |arn| tags::of(&keeper, arn));
    let table = execution_operations(table, state);
    let table = workgroup_operations(table, state);
    let table = kept_statement_operations(table, state);
    let table = catalog_operations(table, state);
    Ok(Service { table, lineage: Lineages(Arc::clone(state)), recovery: Recovery(Arc::clone(state)) })
}

/// An operation on the workgroup that a member of its input names.
macro_rules! on_workgroup {
    ($input:ty, $($member:tt)+) => {
        Access::On(|ctx: &Ctx, input: &$input| vec![workgroup_arn(ctx, &input.$($member)+)])
    };
}

/// An operation on things with ids: their workgroups are looked up, then asked about.
macro_rules! by_id {
    ($operation:literal, $workgroup:path, $ids:expr, $handler:path) => {
        |ctx: Ctx, athena: Arc<Athena>, input| async move {
            let ids: Vec<String> = $ids(&input);
            let groups: BTreeSet<String> = ids.iter().map(|id| $workgroup(&athena, id)).collect();
            for group in &groups {
                athena.authorize(&ctx, $operation, group)?;
            }
            $handler(ctx, athena, input).await
        }
    };
}

fn execution_operations(table: ServiceTable, state: &Arc<Athena>) -> ServiceTable {
    use executions::{BatchGet, Named, workgroup_of};
    table
        .operation(
            "StartQueryExecution",
            Access::On(|ctx, input: &start::Start| {
                vec![workgroup_arn(ctx, input.work_group.as_deref().unwrap_or(workgroups::PRIMARY))]
            }),
            state,
            start::start,
        )
        .operation(
            "GetQueryExecution",
            Access::InHandler,
            state,
            by_id!("GetQueryExecution", workgroup_of, Named::ids, executions::get),
        )
        .operation(
            "StopQueryExecution",
            Access::InHandler,
            state,
            by_id!("StopQueryExecution", workgroup_of, Named::ids, executions::stop),
        )
        .operation(
            "GetQueryRuntimeStatistics",
            Access::InHandler,
            state,
            by_id!("GetQueryRuntimeStatistics", workgroup_of, Named::ids, executions::runtime_statistics),
        )
        .operation(
            "GetQueryResults",
            Access::InHandler,
            state,
            by_id!("GetQueryResults", workgroup_of, results::read::GetResults::ids, results::read::get),
        )
        .operation(
            "BatchGetQueryExecution",
            Access::InHandler,
            state,
            by_id!("BatchGetQueryExecution", workgroup_of, BatchGet::ids, executions::batch_get),
        )
        .operation("ListQueryExecutions", on_listed_workgroup(), state, executions::list)
}

fn on_listed_workgroup() -> Access<workgroups::List> {
    Access::On(|ctx, input| vec![workgroup_arn(ctx, input.group())])
}

fn workgroup_operations(table: ServiceTable, state: &Arc<Athena>) -> ServiceTable {
    table
        .operation("CreateWorkGroup", on_workgroup!(workgroups::Create, name), state, workgroups::create)
        .operation("GetWorkGroup", on_workgroup!(workgroups::Named, work_group), state, workgroups::get)
        .operation("UpdateWorkGroup", on_workgroup!(workgroups::Update, work_group), state, workgroups::update)
        .operation("DeleteWorkGroup", on_workgroup!(workgroups::Named, work_group), state, workgroups::delete)
        .operation("ListWorkGroups", Access::On(any_resource), state, workgroups::list)
        .operation("ListEngineVersions", Access::On(any_resource), state, workgroups::engine_versions)
        .operation("TagResource", Access::On(|_, input: &tags::TagResource| vec![input.arn.clone()]), state, tags::tag)
        .operation(
            "UntagResource",
            Access::On(|_, input: &tags::UntagResource| vec![input.arn.clone()]),
            state,
            tags::untag,
        )
        .operation(
            "ListTagsForResource",
            Access::On(|_, input: &tags::ListTags| vec![input.arn.clone()]),
            state,
            tags::list,
        )
}

fn kept_statement_operations(table: ServiceTable, state: &Arc<Athena>) -> ServiceTable {
    use named_queries as named;
    use prepared::{self as statements, PreparedStatement};
    table
        .operation("CreateNamedQuery", on_workgroup!(named::NamedQuery, work_group), state, named::create)
        .operation(
            "GetNamedQuery",
            Access::InHandler,
            state,
            by_id!("GetNamedQuery", named::workgroup_of, named::Named::ids, named::get),
        )
        .operation(
            "UpdateNamedQuery",
            Access::InHandler,
            state,
            by_id!("UpdateNamedQuery", named::workgroup_of, named::Update::ids, named::update),
        )
        .operation(
            "DeleteNamedQuery",
            Access::InHandler,
            state,
            by_id!("DeleteNamedQuery", named::workgroup_of, named::Named::ids, named::delete),
        )
        .operation(
            "BatchGetNamedQuery",
            Access::InHandler,
            state,
            by_id!("BatchGetNamedQuery", named::workgroup_of, named::BatchGet::ids, named::batch_get),
        )
        .operation("ListNamedQueries", on_listed_workgroup(), state, named::list)
        .operation("CreatePreparedStatement", on_workgroup!(PreparedStatement, work_group), state, statements::create)
        .operation("UpdatePreparedStatement", on_workgroup!(PreparedStatement, work_group), state, statements::update)
        .operation("GetPreparedStatement", on_workgroup!(statements::Named, work_group), state, statements::get)
        .operation("DeletePreparedStatement", on_workgroup!(statements::Named, work_group), state, statements::delete)
        .operation("ListPreparedStatements", on_listed_workgroup(), state, statements::list)
        .operation(
            "BatchGetPreparedStatement",
            on_workgroup!(statements::BatchGet, work_group),
            state,
            statements::batch_get,
        )
}

fn catalog_operations(table: ServiceTable, state: &Arc<Athena>) -> ServiceTable {
    use data_catalogs::{Browse, Named};
    fn named() -> Access<Named> {
        Access::On(|ctx, input| vec![catalog_arn(ctx, &input.name)])
    }
    fn browse() -> Access<Browse> {
        Access::On(|ctx, input| vec![catalog_arn(ctx, &input.catalog_name)])
    }
    table
        .operation("GetDataCatalog", named(), state, data_catalogs::get)
        .operation("ListDataCatalogs", Access::On(any_resource), state, data_catalogs::list)
        .operation("GetDatabase", browse(), state, data_catalogs::get_database)
        .operation("ListDatabases", browse(), state, data_catalogs::list_databases)
        .operation("GetTableMetadata", browse(), state, data_catalogs::get_table)
        .operation("ListTableMetadata", browse(), state, data_catalogs::list_tables)
}
