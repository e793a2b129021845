//! Statements that change Iceberg tables.
//!
//! | Module | What it does |
//! |---|---|
//! | `alter` | ALTER TABLE: columns, properties, names |
//! | `change` | UPDATE, DELETE, MERGE |
//! | `optimize` | small files into large ones |
//! | `vacuum` | old snapshots and their files |
//! | `properties` | the properties that say when |

pub(super) mod alter;
pub(super) mod change;
pub(super) mod optimize;
mod properties;
pub(super) mod vacuum;
