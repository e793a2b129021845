//! Glue crawlers: infer tables from files in S3.
#![cfg_attr(test, allow(clippy::unwrap_used))]
