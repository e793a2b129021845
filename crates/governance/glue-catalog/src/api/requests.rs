//! Inputs and outputs of the operations.

use boathouse_aws::ACCOUNT_ID;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{
    Database, DatabaseInput, Parameters, Partition, PartitionInput, Table, TableInput, TableVersion, Timestamp,
};
use crate::error::ErrorDetail;

/// Declares inputs (`Deserialize`) and answers (`Serialize`). Every input may name the catalog, as AWS's do.
macro_rules! wire {
    ($($(#[$doc:meta])* $direction:ident $name:ident { $($members:tt)* })*) => {
        $(wire_type! { $direction $(#[$doc])* $name { $($members)* } })*
    };
}

macro_rules! wire_type {
    (Deserialize $(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        wire_type! {
            @Deserialize $(#[$doc])* $name {
                $($(#[$attr])* $field: $kind,)*
                #[serde(default)] catalog_id: OwnCatalog,
                #[serde(default)] transaction_id: NoTransaction
            }
        }
    };
    (Serialize $($rest:tt)*) => { wire_type! { @Serialize $($rest)* } };
    (@$direction:ident $(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, $direction)]
        #[serde(rename_all = "PascalCase")]
        #[allow(missing_docs, reason = "the members are AWS's own")]
        pub struct $name { $($(#[$attr])* pub $field: $kind),* }
    };
}

/// The `CatalogId` of an input: absent, or this installation's account. Any other catalog is refused when it is read, so
/// that nobody is answered from a catalog that he did not ask for.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnCatalog;

impl<'de> Deserialize<'de> for OwnCatalog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<String>::deserialize(deserializer)? {
            Some(other) if other != ACCOUNT_ID => {
                Err(D::Error::custom(format!("catalog {other} does not exist; the only one is {ACCOUNT_ID}")))
            }
            _ => Ok(Self),
        }
    }
}

/// The `TransactionId` of an input: governed tables are not implemented, so it must be absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTransaction;

impl<'de> Deserialize<'de> for NoTransaction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<String>::deserialize(deserializer)? {
            Some(_) => Err(D::Error::custom("Boathouse does not implement TransactionId yet")),
            None => Ok(Self),
        }
    }
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Empty {}

wire! {
    /// CreateDatabase.
    Deserialize CreateDatabase { database_input: DatabaseInput, #[serde(default)] tags: Parameters }
    /// Names a database: GetDatabase, DeleteDatabase.
    Deserialize NamedDatabase { name: String }
    /// GetDatabase's answer.
    Serialize GetDatabaseOutput { database: Database }
    /// GetDatabases; `max_results` 1 to 100.
    Deserialize GetDatabases {
        next_token: Option<String>,
        max_results: Option<usize>,
        attributes_to_get: Option<Value>,
    }
    /// GetDatabases' answer.
    Serialize GetDatabasesOutput {
        database_list: Vec<Database>,
        #[serde(skip_serializing_if = "Option::is_none")] next_token: Option<String>,
    }
    /// UpdateDatabase.
    Deserialize UpdateDatabase { name: String, database_input: DatabaseInput }

    /// CreateTable.
    Deserialize CreateTable {
        database_name: String,
        table_input: Option<TableInput>,
        partition_indexes: Option<Vec<Value>>,
        open_table_format_input: Option<Value>,
    }
    /// Names a table: GetTable, DeleteTable.
    Deserialize NamedTable { database_name: String, name: String, query_as_of_time: Option<Timestamp> }
    /// GetTable's answer.
    Serialize GetTableOutput { table: Table }
    /// GetTables; `expression` is a regular expression over names, `max_results` 1 to 100.
    Deserialize GetTables {
        database_name: String,
        expression: Option<String>,
        next_token: Option<String>,
        max_results: Option<usize>,
        attributes_to_get: Option<Value>,
        query_as_of_time: Option<Timestamp>,
    }
    /// GetTables' and SearchTables' answer.
    Serialize TablesOutput {
        table_list: Vec<Table>,
        #[serde(skip_serializing_if = "Option::is_none")] next_token: Option<String>,
    }
    /// UpdateTable; `version_id` makes it a compare-and-set, `skip_archive` keeps no old version.
    Deserialize UpdateTable {
        database_name: String,
        table_input: Option<TableInput>,
        #[serde(default)] skip_archive: bool,
        version_id: Option<String>,
        view_update_action: Option<String>,
        update_open_table_format_input: Option<Value>,
    }
    /// BatchDeleteTable; up to 100 names.
    Deserialize BatchDeleteTable { database_name: String, tables_to_delete: Vec<String> }
    /// One table's failure.
    Serialize TableError { table_name: String, error_detail: ErrorDetail }
    /// BatchDeleteTable's answer.
    Serialize TableErrors { errors: Vec<TableError> }
    /// GetTableVersion, DeleteTableVersion.
    Deserialize NamedVersion { database_name: String, table_name: String, version_id: Option<String> }
    /// GetTableVersion's answer.
    Serialize GetTableVersionOutput { table_version: TableVersion }
    /// GetTableVersions; newest first.
    Deserialize GetTableVersions {
        database_name: String,
        table_name: String,
        next_token: Option<String>,
        max_results: Option<usize>,
    }
    /// GetTableVersions' answer.
    Serialize GetTableVersionsOutput {
        table_versions: Vec<TableVersion>,
        #[serde(skip_serializing_if = "Option::is_none")] next_token: Option<String>,
    }
    /// BatchDeleteTableVersion; up to 100 versions.
    Deserialize BatchDeleteTableVersion { database_name: String, table_name: String, version_ids: Vec<String> }
    /// One version's failure.
    Serialize TableVersionError { table_name: String, version_id: String, error_detail: ErrorDetail }
    /// BatchDeleteTableVersion's answer.
    Serialize TableVersionErrors { errors: Vec<TableVersionError> }

    /// CreatePartition.
    Deserialize CreatePartition { database_name: String, table_name: String, partition_input: PartitionInput }
    /// GetPartition, DeletePartition.
    Deserialize NamedPartition { database_name: String, table_name: String, partition_values: Vec<String> }
    /// GetPartition's answer.
    Serialize GetPartitionOutput { partition: Partition }
    /// A share of the partitions for one of several readers.
    Deserialize Segment { segment_number: u64, total_segments: u64 }
    /// GetPartitions; `expression` as in [`crate::expression`], `max_results` 1 to 1000.
    Deserialize GetPartitions {
        database_name: String,
        table_name: String,
        expression: Option<String>,
        next_token: Option<String>,
        segment: Option<Segment>,
        max_results: Option<usize>,
        #[serde(default)] exclude_column_schema: bool,
        query_as_of_time: Option<Timestamp>,
    }
    /// GetPartitions' answer.
    Serialize GetPartitionsOutput {
        partitions: Vec<Partition>,
        #[serde(skip_serializing_if = "Option::is_none")] next_token: Option<String>,
    }
    /// UpdatePartition; new values in the input move the partition.
    Deserialize UpdatePartition {
        database_name: String,
        table_name: String,
        partition_value_list: Vec<String>,
        partition_input: PartitionInput,
    }
    /// BatchCreatePartition; up to 100.
    Deserialize BatchCreatePartition {
        database_name: String,
        table_name: String,
        partition_input_list: Vec<PartitionInput>,
    }
    /// One partition's failure.
    Serialize PartitionError { partition_values: Vec<String>, error_detail: ErrorDetail }
    /// BatchCreatePartition's and BatchDeletePartition's answer.
    Serialize PartitionErrors { errors: Vec<PartitionError> }
    /// BatchGetPartition; up to 1000.
    Deserialize BatchGetPartition { database_name: String, table_name: String, partitions_to_get: Vec<PartitionValues> }
    /// BatchGetPartition's answer; values without a partition are in neither list, as on AWS.
    Serialize BatchGetPartitionOutput { partitions: Vec<Partition>, unprocessed_keys: Vec<PartitionValues> }
    /// BatchDeletePartition; up to 25.
    Deserialize BatchDeletePartition {
        database_name: String,
        table_name: String,
        partitions_to_delete: Vec<PartitionValues>,
    }
    /// One entry of BatchUpdatePartition.
    Deserialize PartitionUpdate { partition_value_list: Vec<String>, partition_input: PartitionInput }
    /// BatchUpdatePartition; 1 to 100 entries.
    Deserialize BatchUpdatePartition { database_name: String, table_name: String, entries: Vec<PartitionUpdate> }
    /// One entry's failure.
    Serialize PartitionUpdateError { partition_value_list: Vec<String>, error_detail: ErrorDetail }
    /// BatchUpdatePartition's answer.
    Serialize PartitionUpdateErrors { errors: Vec<PartitionUpdateError> }

    /// One condition of SearchTables.
    Deserialize PropertyPredicate { key: Option<String>, value: Option<String>, comparator: Option<String> }
    /// The order of SearchTables; at most one criterion.
    Deserialize SortCriterion { field_name: Option<String>, sort: Option<String> }
    /// SearchTables.
    Deserialize SearchTables {
        next_token: Option<String>,
        #[serde(default)] filters: Vec<PropertyPredicate>,
        search_text: Option<String>,
        #[serde(default)] sort_criteria: Vec<SortCriterion>,
        max_results: Option<usize>,
    }
    /// TagResource.
    Deserialize TagResource { resource_arn: String, tags_to_add: Parameters }
    /// UntagResource.
    Deserialize UntagResource { resource_arn: String, tags_to_remove: Vec<String> }
    /// GetTags.
    Deserialize GetTags { resource_arn: String }
    /// GetTags' answer.
    Serialize GetTagsOutput { tags: Parameters }
}

/// A partition's values, one for each key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PartitionValues {
    /// The values in the order of the keys.
    pub values: Vec<String>,
}
