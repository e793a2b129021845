//! The Trino SQL engine's types and functions, apart from the rest.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod error;
pub mod functions;
pub mod parser;
pub mod types;
