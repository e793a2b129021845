//! The order in which files are written.

use serde::{Deserialize, Serialize};

use super::TableMetadata;
use crate::error::{Error, Result};
use crate::transform::Transform;

/// An order of rows ("Sorting").
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SortOrder {
    /// Its number in the table; 0 is no order.
    pub order_id: i32,
    /// What rows are compared by, in order.
    pub fields: Vec<SortField>,
}

/// A part of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SortField {
    /// How the compared value comes from the column.
    pub transform: Transform,
    /// The column's id.
    pub source_id: i32,
    /// Up or down.
    pub direction: SortDirection,
    /// Where NULLs go.
    pub null_order: NullOrder,
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortDirection {
    /// Smallest first.
    Asc,
    /// Greatest first.
    Desc,
}

/// Where NULLs go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NullOrder {
    /// Before everything.
    NullsFirst,
    /// After everything.
    NullsLast,
}

impl SortOrder {
    /// The order with a number of the table.
    pub(crate) fn numbered(self, table: &TableMetadata) -> Result<Self> {
        for field in &self.fields {
            if table.current_schema().type_of(field.source_id).is_none() {
                return Err(Error::invalid(format!("the sort order's source {} is missing", field.source_id)));
            }
        }
        if let Some(same) = table.sort_orders.iter().find(|order| order.fields == self.fields) {
            return Ok(same.clone());
        }
        let next = table.sort_orders.iter().map(|order| order.order_id + 1).max().unwrap_or(1).max(1);
        Ok(Self { order_id: if self.fields.is_empty() { 0 } else { next }, ..self })
    }
}
