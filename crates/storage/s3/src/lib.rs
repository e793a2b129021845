//! S3 over the object engine.
#![cfg_attr(test, allow(clippy::unwrap_used))]
