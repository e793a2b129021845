//! Whole queries over tables in memory.

mod fixture;
mod queries;
