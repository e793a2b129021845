//! Operators and functions: Trino's result types, overflow rules and messages over Arrow's kernels.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`operators`] | `+ - * / %`, signs, comparisons: result types and expressions |
//! | [`arithmetic`] | the checked kernels behind them, as one scalar function |

pub mod arithmetic;
pub mod operators;
