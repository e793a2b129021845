//! Changing rows of Iceberg tables: what a statement's plan says becomes files for a commit.
//!
//! | Module | What it holds |
//! |---|---|
//! | `rows` | the rows that come, while those that go are noted |
//! | `positions` | the rows that go, and files that say so |
//! | `apply` | both as files |
//! | `chosen` | files with rows that fulfil a condition |
//! | `pinned` | one state of the table for all that a statement does |

mod apply;
mod chosen;
mod pinned;
mod positions;
mod rows;

pub use crate::analyzer::change::{Change, LEADING};
pub use apply::Changed;
pub use pinned::pinned;
use positions::{Gone, write_deletes};
use rows::{Coming, Notes};
