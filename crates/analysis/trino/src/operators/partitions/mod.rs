//! What is made of sorted rows a whole partition at a time: windows whose frames differ from row to row, and patterns.
//!
//! | Module | What it does |
//! |---|---|
//! | `exec` | the operator |
//! | `gathering` | gathers rows until partitions are whole |
//! | `keys` | the keys of partitions and their order, in a logical plan |

mod exec;
mod gathering;
mod keys;

pub(crate) use exec::PartitionedExec;
pub(crate) use keys::Keys;

pub(super) use exec::{Part, Work};
pub(super) use gathering::alike;
