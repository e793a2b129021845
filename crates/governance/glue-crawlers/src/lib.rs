//! Glue crawlers: they look at files in S3 and keep tables and partitions of the Data Catalog in step with them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod api;
mod catalog;
mod error;
mod infer;
mod layout;
pub mod schema;
mod table;
mod target;
