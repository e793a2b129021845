//! What keeps a table small: old snapshots go, and files that nothing needs; small files become large ones.
//!
//! | Module | What it decides |
//! |---|---|
//! | [`expire`] | which snapshots go |
//! | [`reach`] | which files are still needed |
//! | [`pack`] | which files are rewritten |

pub mod expire;
pub mod pack;
pub mod reach;
