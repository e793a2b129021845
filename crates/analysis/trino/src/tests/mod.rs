//! Whole queries over tables in memory.

mod aggregations;
mod changes;
mod dictionaries;
mod documents;
mod explain;
mod fixture;
mod formats;
mod iceberg;
mod late;
mod queries;
mod recognition;
mod schemas;
mod sharing;
mod subqueries;
mod tpch;
mod writing;
