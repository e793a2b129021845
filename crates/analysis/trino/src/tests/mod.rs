//! Whole queries over tables in memory.

mod fixture;
mod formats;
mod queries;
mod tpch;
mod writing;
