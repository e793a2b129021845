//! Trino's types, operators and functions, over Arrow and DataFusion's expressions.
//!
//! AWS counterpart: the function library of Athena engine version 3, which is Trino's.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`types`] | the types, their coercions, their names in Trino and Hive, their values as text |
//! | [`operators`] | `+ - * / %`, signs, comparisons: result types and expressions |
//! | [`arithmetic`] | the checked kernels behind them, as one scalar function |
//! | [`error`] | errors with Trino's names |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod arithmetic;
pub mod error;
pub mod operators;
pub mod types;
