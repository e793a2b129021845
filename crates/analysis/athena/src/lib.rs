//! Athena: query executions, workgroups and DDL over the Trino engine.
#![cfg_attr(test, allow(clippy::unwrap_used))]
