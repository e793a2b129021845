//! Apache Parquet: the columns of row groups as Arrow arrays, only the rows that are asked for.
//!
//! AWS counterpart: none of its own; Athena reads such files. Footers, schemas and pruning are the `parquet` crate's; what
//! is here takes the bytes of one column of one row group and makes arrays of them. Kinds of columns that [`reads`] denies are
//! left to that crate as well.
//!
//! | Module | What it holds |
//! |---|---|
//! | `decoder` | [`ColumnDecoder`]: rows in order, page by page |
//! | `kinds` | [`reads`]: which columns are read, and as what |
//! | `page` | pages, opened when one of their rows is wanted |
//! | `header`, `thrift` | what stands before each page |
//! | `codec`, `snappy` | how pages are compressed |
//! | `levels`, `bits` | which rows have a value |
//! | `runs`, `unpack` | numbers of a few bits each |
//! | `values` | values on their way from pages into an array |
//! | `error` | what is wrong with a column |
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod bits;
mod codec;
mod decoder;
mod error;
mod header;
mod kinds;
mod levels;
mod page;
mod runs;
mod snappy;
#[cfg(test)]
mod tests;
mod thrift;
mod unpack;
mod values;

pub use decoder::ColumnDecoder;
pub use error::Error;
pub use kinds::{is_in_dictionary, reads};
