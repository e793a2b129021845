//! Apache Iceberg tables: their metadata, manifests, scans and commits, by the specification's format version 2 ("Iceberg Table Spec").
//!
//! AWS counterpart: the format of Athena's Iceberg tables. The crate knows nothing of AWS: [`files::Files`] leads to files,
//! [`transaction::Catalog`] says which metadata file is the table's. Rows are no matter of it: it says which files have them.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`schema`] | columns with ids, types |
//! | [`value`] | single values and their binary form |
//! | [`transform`] | partition transforms |
//! | [`metadata`] | the metadata file, its changes and their conditions |
//! | [`manifest`] | manifests and manifest lists |
//! | [`predicate`] | conditions that leave out files |
//! | [`table`] | reading: snapshots, files, the deletes that apply to them |
//! | [`transaction`] | writing: commits that are tried again |
//! | [`evolution`] | changes of columns |
//! | [`maintenance`] | what keeps a table small |
//! | [`files`] | how files are reached |
//! | [`kept`] | files that were read before |
//! | [`rows`] | the schemas of data files of Avro |
//! | `avro` | the container of manifests |
//!
//! Not here: format version 3 (deletion vectors, row lineage, new types), views, encryption.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod avro;
mod error;
pub mod evolution;
pub mod files;
pub mod kept;
pub mod maintenance;
pub mod manifest;
pub mod metadata;
pub mod predicate;
pub mod schema;
pub mod table;
#[cfg(test)]
mod testing;
pub mod transaction;
pub mod transform;
pub mod value;

pub use avro::rows;
pub use error::{Error, Result};
pub use value::Datum;
