//! Databases, tables, partitions as clients give and get them ("AWS Glue API: Data Catalog").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Free properties of an entity.
pub type Parameters = BTreeMap<String, String>;
/// Seconds since 1970 with a fraction, as awsJson writes timestamps.
pub type Timestamp = f64;

/// What a client says about a database.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DatabaseInput {
    /// 1 to 255 characters; kept in lower case.
    pub name: String,
    /// Up to 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where tables without a location live, such as `s3://bucket/path/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_uri: Option<String>,
    /// Free properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
    /// Kept for Lake Formation clients, without effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_table_default_permissions: Option<Value>,
    /// The database that this one links to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_database: Option<Value>,
    /// A database outside Glue: refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_database: Option<Value>,
}

/// A database of the catalog.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Database {
    /// What the client said.
    #[serde(flatten)]
    pub input: DatabaseInput,
    /// When it was made.
    pub create_time: Timestamp,
    /// The account.
    pub catalog_id: String,
}

/// A column or partition key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Column {
    /// 1 to 255 characters.
    pub name: String,
    /// A Hive type, such as `array<string>`.
    #[serde(rename = "Type", skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    /// Up to 255 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Free properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
}

/// The serializer of a table's files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SerDeInfo {
    /// A free name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The Hive class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serialization_library: Option<String>,
    /// Its settings, such as `field.delim`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
}

/// A sort column of a bucketed table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Order {
    /// The column's name.
    pub column: String,
    /// 1 ascending, 0 descending.
    pub sort_order: i32,
}

/// How and where a table or partition is stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StorageDescriptor {
    /// The columns but the partition keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<Column>>,
    /// The folder, such as `s3://bucket/path/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// More folders, as Delta tables have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub additional_locations: Option<Vec<String>>,
    /// The Hive input format class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_format: Option<String>,
    /// The Hive output format class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    /// Whether the files are compressed.
    #[serde(default)]
    pub compressed: bool,
    /// Buckets, or 0 or -1 without.
    #[serde(default)]
    pub number_of_buckets: i32,
    /// The serializer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serde_info: Option<SerDeInfo>,
    /// Columns that make the buckets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket_columns: Option<Vec<String>>,
    /// The order within a bucket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_columns: Option<Vec<Order>>,
    /// Free properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
    /// Values with folders of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skewed_info: Option<Value>,
    /// Whether files lie in sub-folders.
    #[serde(default)]
    pub stored_as_sub_directories: bool,
    /// A schema of the schema registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_reference: Option<Value>,
}

/// What a client says about a table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TableInput {
    /// 1 to 255 characters; kept in lower case.
    pub name: String,
    /// Up to 2048 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who owns it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// When it was last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_access_time: Option<Timestamp>,
    /// When its statistics were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_analyzed_time: Option<Timestamp>,
    /// Days to keep.
    #[serde(default)]
    pub retention: u32,
    /// Columns and files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_descriptor: Option<StorageDescriptor>,
    /// The partition keys, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_keys: Option<Vec<Column>>,
    /// A view's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view_original_text: Option<String>,
    /// A view's expanded text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view_expanded_text: Option<String>,
    /// `EXTERNAL_TABLE`, `VIRTUAL_VIEW`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_type: Option<String>,
    /// Free properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
    /// The table that this one links to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_table: Option<Value>,
    /// A multi-dialect view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view_definition: Option<Value>,
}

/// A table of the catalog.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Table {
    /// What the client said.
    #[serde(flatten)]
    pub input: TableInput,
    /// Its database.
    pub database_name: String,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
    /// The ARN of who made it.
    pub created_by: String,
    /// Always false: Lake Formation is not here.
    pub is_registered_with_lake_formation: bool,
    /// The account.
    pub catalog_id: String,
    /// `0`, `1`, … counts updates.
    pub version_id: String,
}

impl Table {
    /// The partition keys; empty for an unpartitioned table.
    pub fn partition_keys(&self) -> &[Column] {
        self.input.partition_keys.as_deref().unwrap_or_default()
    }
}

/// One version of a table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TableVersion {
    /// The table as it was.
    pub table: Table,
    /// Its version.
    pub version_id: String,
}

/// What a client says about a partition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PartitionInput {
    /// One value for each partition key.
    #[serde(default)]
    pub values: Vec<String>,
    /// When it was last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_access_time: Option<Timestamp>,
    /// Columns and files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_descriptor: Option<StorageDescriptor>,
    /// Free properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
    /// When its statistics were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_analyzed_time: Option<Timestamp>,
}

/// A partition of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Partition {
    /// What the client said.
    #[serde(flatten)]
    pub input: PartitionInput,
    /// Its database.
    pub database_name: String,
    /// Its table.
    pub table_name: String,
    /// When it was made.
    pub creation_time: Timestamp,
    /// The account.
    pub catalog_id: String,
}
