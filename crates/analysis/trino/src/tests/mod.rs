//! Whole queries over tables in memory.

mod documents;
mod fixture;
mod formats;
mod queries;
mod sharing;
mod tpch;
mod writing;
