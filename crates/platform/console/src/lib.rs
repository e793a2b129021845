//! The console: the platform in a browser, at `/_console`.
//!
//! AWS counterpart: the AWS Management Console. The pages are in `console/` (TypeScript); this crate serves them and lets
//! people in. Whatever else the pages do, they do by signed calls of the same APIs that every client uses.
//!
//! | Module | What it does |
//! |---|---|
//! | [`site`] | the addresses below `/_console`: pages, their headers, `POST /_console/api/session` |
//! | [`files`] | the pages' files: embedded, or read from a folder while one works on them |
//! | [`links`] | links that let somebody in once |
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod files;
pub mod links;
pub mod site;

pub use links::Links;
pub use site::Console;
