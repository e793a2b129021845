//! The Glue Data Catalog: databases, tables with their versions, partitions, tags.
//!
//! AWS counterpart: "AWS Glue Data Catalog API". Every operation is one transaction of the metadata store, durable when
//! it is acknowledged; listings are range scans.
//!
//! | Module | What it does |
//! |---|---|
//! | [`api`] | wire types, which are the stored rows as well |
//! | `databases`, `tables`, `versions`, `partitions`, `tags` | one file for each resource |
//! | `statistics` | statistics of columns |
//! | `expression` | the condition language of GetPartitions |
//! | `search` | SearchTables |
//! | [`policies`] | the catalog's resource policy |
//! | `store` | the rows' keys, and what operations share |
//! | [`error`] | errors and their AWS codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
mod databases;
pub mod error;
mod expression;
mod partitions;
pub mod policies;
mod search;
mod statistics;
mod store;
mod tables;
mod tags;
#[cfg(test)]
mod tests;
mod versions;

use std::sync::Arc;

use boathouse_aws::service::Access;
use boathouse_aws::{Protocol, ServiceTable};
use boathouse_metadata::Metadata;

use crate::api::*;
use crate::store::{catalog_arn, database_arns, table_arns};

pub use error::CatalogError;
pub use store::Catalog;

/// The catalog's operations as the service `glue`; other rooms that speak as Glue add theirs to the table.
pub fn service(metadata: Metadata) -> ServiceTable {
    let state = &Arc::new(Catalog::new(metadata));
    let table = ServiceTable::new("glue", Protocol::AwsJson { version: "1.1", target_prefix: "AWSGlue" });
    let keeper = Arc::clone(state);
    let table = table.with_tags(move |arn| tags::of(&keeper, arn));
    let table = partition_operations(table, state);
    let table = table_operations(table, state);
    let of_tables = ["UpdateColumnStatisticsForTable", "GetColumnStatisticsForTable", "DeleteColumnStatisticsForTable"];
    let table = statistics_operations::<WholeTable>(table, state, of_tables);
    let of_partitions =
        ["UpdateColumnStatisticsForPartition", "GetColumnStatisticsForPartition", "DeleteColumnStatisticsForPartition"];
    let table = statistics_operations::<OnePartition>(table, state, of_partitions);
    table
        .operation(
            "CreateDatabase",
            Access::On(|ctx, input: &CreateDatabase| database_arns(ctx, &input.database_input.name)),
            state,
            databases::create,
        )
        .operation("GetDatabase", on_database(), state, databases::get)
        .operation("GetDatabases", Access::On(|ctx, _| vec![catalog_arn(ctx)]), state, databases::list)
        .operation(
            "UpdateDatabase",
            Access::On(|ctx, input: &UpdateDatabase| database_arns(ctx, &input.name)),
            state,
            databases::update,
        )
        .operation("DeleteDatabase", on_database(), state, databases::delete)
        .operation("SearchTables", Access::On(|ctx, _| vec![catalog_arn(ctx)]), state, search::search)
        .operation(
            "TagResource",
            Access::On(|_, input: &TagResource| vec![input.resource_arn.clone()]),
            state,
            tags::tag,
        )
        .operation(
            "UntagResource",
            Access::On(|_, input: &UntagResource| vec![input.resource_arn.clone()]),
            state,
            tags::untag,
        )
        .operation("GetTags", Access::On(|_, input: &GetTags| vec![input.resource_arn.clone()]), state, tags::get)
}

fn on_database() -> Access<NamedDatabase> {
    Access::On(|ctx, input| database_arns(ctx, &input.name))
}

macro_rules! on_table {
    ($kind:ty, $member:ident) => {
        Access::On(|ctx, input: &$kind| table_arns(ctx, &input.database_name, &input.$member))
    };
    ($kind:ty) => {
        on_table!($kind, table_name)
    };
}

fn table_operations(table: ServiceTable, state: &Arc<Catalog>) -> ServiceTable {
    table
        .operation(
            "CreateTable",
            Access::On(|ctx, input: &CreateTable| {
                table_arns(ctx, &input.database_name, input_name(&input.table_input))
            }),
            state,
            tables::create,
        )
        .operation(
            "UpdateTable",
            Access::On(|ctx, input: &UpdateTable| {
                table_arns(ctx, &input.database_name, input_name(&input.table_input))
            }),
            state,
            tables::update,
        )
        .operation("GetTable", on_table!(NamedTable, name), state, tables::get)
        .operation(
            "GetTables",
            Access::On(|ctx, input: &GetTables| table_arns(ctx, &input.database_name, "*")),
            state,
            tables::list,
        )
        .operation("DeleteTable", on_table!(NamedTable, name), state, tables::delete)
        .operation(
            "BatchDeleteTable",
            Access::On(|ctx, input: &BatchDeleteTable| {
                let arns = input.tables_to_delete.iter().flat_map(|name| table_arns(ctx, &input.database_name, name));
                database_arns(ctx, &input.database_name).into_iter().chain(arns).collect()
            }),
            state,
            tables::batch_delete,
        )
        .operation("GetTableVersion", on_table!(NamedVersion), state, versions::get)
        .operation("GetTableVersions", on_table!(GetTableVersions), state, versions::list)
        .operation("DeleteTableVersion", on_table!(NamedVersion), state, versions::delete)
        .operation("BatchDeleteTableVersion", on_table!(BatchDeleteTableVersion), state, versions::batch_delete)
}

/// The name in a table input; an input without one is refused later, so any name does.
fn input_name(input: &Option<TableInput>) -> &str {
    input.as_ref().map_or("*", |input| &input.name)
}

fn partition_operations(table: ServiceTable, state: &Arc<Catalog>) -> ServiceTable {
    table
        .operation("CreatePartition", on_table!(CreatePartition), state, partitions::create)
        .operation("GetPartition", on_table!(NamedPartition), state, partitions::get)
        .operation("GetPartitions", on_table!(GetPartitions), state, partitions::list)
        .operation("UpdatePartition", on_table!(UpdatePartition), state, partitions::update)
        .operation("DeletePartition", on_table!(NamedPartition), state, partitions::delete)
        .operation("BatchCreatePartition", on_table!(BatchCreatePartition), state, partitions::batch_create)
        .operation("BatchGetPartition", on_table!(BatchGetPartition), state, partitions::batch_get)
        .operation("BatchUpdatePartition", on_table!(BatchUpdatePartition), state, partitions::batch_update)
        .operation("BatchDeletePartition", on_table!(BatchDeletePartition), state, partitions::batch_delete)
}

/// To change, get and delete statistics, of tables or of partitions.
fn statistics_operations<S>(table: ServiceTable, state: &Arc<Catalog>, names: [&'static str; 3]) -> ServiceTable
where
    S: Scope + serde::de::DeserializeOwned,
{
    let [update, get, delete] = names;
    table
        .operation(update, on_table!(StatisticsRequest<S, NewStatistics>), state, statistics::update)
        .operation(get, on_table!(StatisticsRequest<S, WantedColumns>), state, statistics::get)
        .operation(delete, on_table!(StatisticsRequest<S, OneColumn>), state, statistics::delete)
}
