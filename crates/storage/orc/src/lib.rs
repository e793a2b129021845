//! Apache ORC: what has to be known of a file before its columns are decoded, checked as bytes from outside must be.
//!
//! AWS counterpart: none of its own; Athena reads and writes such files, crawlers look at them. Columns are decoded by
//! `orc-rust`, which trusts its files: here their ends are read first, within bounds, and what makes no sense is refused.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`blocks`] | compressed blocks ↔ bytes |
//! | [`tail`] | postscript, footer and statistics of a file |
//! | [`stripe`] | where a stripe's streams lie |
//! | [`lengths`] | how many elements a stripe's lists have |
//! | [`fetched`] | the parts of a file that were fetched, for the decoder |
//! | `types` | whether a file's types make sense |
//! | [`error`] | what is wrong with a file |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod blocks;
pub mod error;
pub mod fetched;
pub mod lengths;
pub mod stripe;
pub mod tail;
mod types;

pub use error::OrcError;
pub use orc_rust::proto;
