//! Whole queries over tables in memory.

mod aggregations;
mod bytes;
mod cells;
mod changes;
mod columns;
mod dictionaries;
mod documents;
mod explain;
mod fixture;
mod formats;
mod iceberg;
mod join_keys;
mod late;
mod orc;
mod queries;
mod recognition;
mod row_groups;
mod schemas;
mod sharing;
mod subqueries;
mod tpch;
mod windows;
mod writing;
