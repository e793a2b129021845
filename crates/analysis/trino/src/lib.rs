//! The Trino SQL engine: analyzer, catalog, execution on DataFusion.
//!
//! AWS counterpart: what runs Athena's queries (engine version 3, which is Trino). It knows nothing of AWS: a
//! [`catalog::Catalog`] says what tables there are, [`catalog::Buckets`] hand out their files.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`catalog`] | the catalog's and the buckets' contract, a query's session |
//! | [`engine`] | limits, planning, running: [`engine::Engine`] |
//! | `codec` | compressed lines |
//! | [`hive`] | Hive's classes ↔ formats |
//! | `adapt` | columns of files as columns of tables |
//! | `analyzer` | syntax tree → logical plan, with Trino's names, types and errors |
//! | [`iceberg`] | tables of Iceberg's format: columns by id, deletes, metadata tables, data files |
//! | [`projection`] | partitions that follow from a table's properties |
//! | [`explain`] | plans in Trino's words |
//! | `scan` | partitions, files, Parquet, text and JSON |
//! | `first_rows` | one row of each key, without a sort |
//! | `memory` | the memory pool of all queries |
//! | `operators` | our own operators in DataFusion's plans |
//! | `storage` | counting what is read |
//! | [`write`] | rows into files, for INSERT, CREATE TABLE AS and UNLOAD |
//! | [`hive_paths`] | names of partition folders |
//! | `error` | DataFusion's errors in Trino's words |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod adapt;
mod analyzer;
pub mod catalog;
mod codec;
pub mod engine;
mod error;
pub mod explain;
mod first_rows;
pub mod hive;
pub mod hive_paths;
pub mod iceberg;
mod memory;
mod operators;
pub mod projection;
mod scan;
mod storage;
pub mod write;

pub use storage::{Statistics, TableUse};

#[cfg(test)]
mod tests;
