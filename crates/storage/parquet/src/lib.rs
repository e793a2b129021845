//! Apache Parquet: the columns of row groups as Arrow arrays, only the rows that are asked for.
//!
//! AWS counterpart: none of its own; Athena reads such files. Footers, schemas and pruning are the `parquet` crate's; what
//! is here takes the bytes of one column of one row group and makes arrays of them. Kinds of columns that [`reads`] denies are
//! left to that crate as well.
//!
//! | Module | What it holds |
//! |---|---|
//! | `decoder` | [`ColumnDecoder`]: rows in order, page by page |
//! | `error` | what is wrong with a column |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod decoder;
mod error;

pub use decoder::{ColumnDecoder, reads};
pub use error::Error;
