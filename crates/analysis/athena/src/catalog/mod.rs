//! The Glue Data Catalog: its entities, its operations as the caller, its tables as the engine sees them.
//!
//! | Module | What it does |
//! |---|---|
//! | `entities` | tables, partitions, columns; members that Athena does not know are kept |
//! | `glue` | calls of the service `glue` as the caller |
//! | `formats` | Hive's classes ↔ the engine's formats |
//! | `tables` | the engine's `Catalog` over all of that |
//! | `views` | the text that Athena keeps a view as |

pub(crate) mod entities;
pub(crate) mod formats;
pub(crate) mod glue;
pub(crate) mod tables;
pub(crate) mod views;
