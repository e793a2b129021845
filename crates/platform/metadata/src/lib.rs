//! The transactional ordered store of the platform's control plane: users, roles, databases, tables, executions.
//!
//! AWS counterpart: none that customers see; it is what stands behind every service's "Create", "Get" and "List".
//!
//! Rows are `(space, key) → (value, version)`; keys are ordered, so a list operation is a range scan. High-volume data
//! (object bytes, records, query results) does not belong here. An acknowledged transaction has been fsynced.
//!
//! | Module | What it does |
//! |---|---|
//! | `backup` | all rows at one moment |
//! | [`key`] | composite keys whose byte order is the order of their parts |
//! | [`store`] | [`Metadata`]: reads on several connections, writes on one thread with group commit |
//! | [`transaction`] | [`Transaction`]: what a write sees and does |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backup;
pub mod key;
pub mod store;
pub mod transaction;

pub use backup::{Frozen, restore_rows};
pub use key::Key;
pub use store::{Metadata, Page};
pub use transaction::{Entry, Transaction};

/// Why the store could not do its work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MetadataError {
    /// The database file can't be read or written.
    #[error("metadata store: {0}")]
    Storage(String),
    /// A compare-and-set found another version than expected: somebody else wrote in between.
    #[error("the entry has changed meanwhile")]
    Conflict,
    /// A value is not the JSON that its reader expects.
    #[error("malformed entry: {0}")]
    Malformed(String),
    /// The writer thread is gone, which only happens while the process ends.
    #[error("the metadata store is closed")]
    Closed,
    /// The transaction's closure panicked; nothing of it was kept.
    #[error("a metadata transaction panicked")]
    Panicked,
}

impl From<rusqlite::Error> for MetadataError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<serde_json::Error> for MetadataError {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
