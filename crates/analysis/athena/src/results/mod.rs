//! Results in S3: written once, read by pages.

pub(crate) mod columns;
pub(crate) mod csv;
pub(crate) mod read;
pub(crate) mod write;
