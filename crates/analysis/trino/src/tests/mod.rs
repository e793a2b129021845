//! Whole queries over tables in memory.

mod fixture;
mod formats;
mod queries;
mod sharing;
mod tpch;
mod writing;
