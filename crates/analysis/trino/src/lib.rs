//! The Trino SQL engine: analyzer, catalog, execution on DataFusion.
#![cfg_attr(test, allow(clippy::unwrap_used))]
