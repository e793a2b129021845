//! Text → AST, for Trino's queries and Hive's DDL.

pub mod ast;
