//! The Trino SQL engine: parser, types, analyzer and functions of our own over DataFusion's operators.
//!
//! AWS counterpart: the engine behind Athena (engine version 3), which is Trino.
//!
//! | Module | What it does |
//! |---|---|
//! | [`parser`] | text → AST, for Trino's queries and Hive's DDL |
//! | [`types`] | Trino's types, their coercions, their Arrow types |
//! | [`functions`] | the function table: name and signatures → implementation |
//! | [`error`] | Trino's error codes |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod error;
pub mod parser;
pub mod types;
