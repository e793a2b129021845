//! Statistics of columns: the wire types, which are the rows as well.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{OwnCatalog, Timestamp};
use crate::error::ErrorDetail;

/// What an engine knows of a column's values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ColumnStatistics {
    /// The column.
    pub column_name: String,
    /// Its Hive type.
    pub column_type: String,
    /// When the values were looked at.
    pub analyzed_time: Timestamp,
    /// A `Type`, and the member of that type's figures.
    pub statistics_data: Value,
}

/// Statistics of a table as a whole.
#[derive(Debug, Clone, Deserialize)]
pub struct WholeTable {}

/// Statistics of one partition.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnePartition {
    /// The partition's values.
    pub partition_values: Vec<String>,
}

/// Whose statistics an operation is about.
pub trait Scope: Send + Sync + 'static {
    /// The partition's values; none for the table.
    fn partition(&self) -> Option<&[String]>;
}

impl Scope for WholeTable {
    fn partition(&self) -> Option<&[String]> {
        None
    }
}

impl Scope for OnePartition {
    fn partition(&self) -> Option<&[String]> {
        Some(&self.partition_values)
    }
}

/// An operation's input: whose statistics, and what is to be done.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct StatisticsRequest<S, T> {
    pub database_name: String,
    pub table_name: String,
    #[serde(default)]
    pub catalog_id: OwnCatalog,
    #[serde(flatten)]
    pub scope: S,
    #[serde(flatten)]
    pub what: T,
}

/// What UpdateColumnStatistics… brings.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct NewStatistics {
    pub column_statistics_list: Vec<ColumnStatistics>,
}

/// What GetColumnStatistics… asks for.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct WantedColumns {
    pub column_names: Vec<String>,
}

/// What DeleteColumnStatistics… names.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct OneColumn {
    pub column_name: String,
}

/// What UpdateColumnStatistics… answers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct ColumnStatisticsErrors {
    pub errors: Vec<ColumnStatisticsError>,
}

/// Statistics that were not kept, and why.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct ColumnStatisticsError {
    pub column_statistics: ColumnStatistics,
    pub error: ErrorDetail,
}

/// What GetColumnStatistics… answers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct FoundStatistics {
    pub column_statistics_list: Vec<ColumnStatistics>,
    pub errors: Vec<ColumnError>,
}

/// A column without statistics.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct ColumnError {
    pub column_name: String,
    pub error: ErrorDetail,
}
