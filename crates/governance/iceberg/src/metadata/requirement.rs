//! What must hold for a change to be made.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::TableMetadata;
use crate::error::{Error, Result};

/// A condition on the table's state, as the REST catalog's protocol writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all_fields = "kebab-case")]
pub enum TableRequirement {
    /// The table doesn't exist yet.
    #[serde(rename = "assert-create")]
    Create,
    /// It is this table.
    #[serde(rename = "assert-table-uuid")]
    TableUuid {
        /// The table's.
        uuid: Uuid,
    },
    /// A branch or tag names this snapshot, or is not there.
    #[serde(rename = "assert-ref-snapshot-id")]
    RefSnapshotId {
        /// The branch or tag.
        #[serde(rename = "ref")]
        reference: String,
        /// The snapshot, or none.
        snapshot_id: Option<i64>,
    },
    /// No columns were added.
    #[serde(rename = "assert-last-assigned-field-id")]
    LastAssignedFieldId {
        /// The highest field id given.
        last_assigned_field_id: i32,
    },
    /// The schema is this one.
    #[serde(rename = "assert-current-schema-id")]
    CurrentSchemaId {
        /// Its number.
        current_schema_id: i32,
    },
    /// No partition fields were added.
    #[serde(rename = "assert-last-assigned-partition-id")]
    LastAssignedPartitionId {
        /// The highest partition field id given.
        last_assigned_partition_id: i32,
    },
    /// Partitions are these.
    #[serde(rename = "assert-default-spec-id")]
    DefaultSpecId {
        /// The spec's number.
        default_spec_id: i32,
    },
    /// The order is this one.
    #[serde(rename = "assert-default-sort-order-id")]
    DefaultSortOrderId {
        /// The order's number.
        default_sort_order_id: i32,
    },
}

impl TableRequirement {
    /// Whether the condition holds; `None` is a table that doesn't exist.
    ///
    /// # Errors
    /// [`Error::Requirement`] says what doesn't hold.
    pub fn check(&self, table: Option<&TableMetadata>) -> Result<()> {
        let Some(table) = table else {
            return match self {
                Self::Create => Ok(()),
                _ => Err(Error::Requirement("the table doesn't exist".to_owned())),
            };
        };
        let same = |what: &str, expected: i64, found: i64| match expected == found {
            true => Ok(()),
            false => Err(Error::Requirement(format!("{what} has changed: expected {expected}, found {found}"))),
        };
        match self {
            Self::Create => Err(Error::Requirement("the table exists already".to_owned())),
            Self::TableUuid { uuid } if *uuid != table.table_uuid => {
                Err(Error::Requirement(format!("the table's UUID is {}, not {uuid}", table.table_uuid)))
            }
            Self::TableUuid { .. } => Ok(()),
            Self::RefSnapshotId { reference, snapshot_id } => {
                let found = table.refs.get(reference).map(|reference| reference.snapshot_id);
                let shown = |id: Option<i64>| id.map_or_else(|| "none".to_owned(), |id| id.to_string());
                if found == *snapshot_id {
                    return Ok(());
                }
                let (expected, found) = (shown(*snapshot_id), shown(found));
                Err(Error::Requirement(format!("{reference} has changed: expected snapshot {expected}, found {found}")))
            }
            Self::LastAssignedFieldId { last_assigned_field_id: id } => {
                same("the last assigned field id", (*id).into(), table.last_column_id.into())
            }
            Self::CurrentSchemaId { current_schema_id: id } => {
                same("the current schema id", (*id).into(), table.current_schema_id.into())
            }
            Self::LastAssignedPartitionId { last_assigned_partition_id: id } => {
                same("the last assigned partition id", (*id).into(), table.last_partition_id.into())
            }
            Self::DefaultSpecId { default_spec_id: id } => {
                same("the default spec id", (*id).into(), table.default_spec_id.into())
            }
            Self::DefaultSortOrderId { default_sort_order_id: id } => {
                same("the default sort order id", (*id).into(), table.default_sort_order_id.into())
            }
        }
    }
}
