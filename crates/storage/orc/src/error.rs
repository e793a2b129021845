//! What is wrong with a file.

use std::panic::AssertUnwindSafe;

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
pub enum OrcError {
    /// Its bytes can't be had.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// It makes no sense.
    #[error("Malformed ORC file. {0}")]
    Corrupt(String),
    /// It makes sense, and is not supported.
    #[error("{0}")]
    Unsupported(String),
}

/// A file that makes no sense.
pub(crate) fn corrupt(why: impl Into<String>) -> OrcError {
    OrcError::Corrupt(why.into())
}

/// Runs the decoder, which may panic on files that make no sense.
///
/// # Errors
/// The decoder fails or panics.
pub fn guarded<T, E: std::fmt::Display>(decode: impl FnOnce() -> Result<T, E>) -> Result<T, OrcError> {
    match std::panic::catch_unwind(AssertUnwindSafe(decode)) {
        Ok(decoded) => decoded.map_err(|error| corrupt(error.to_string())),
        Err(_) => Err(corrupt("Its streams make no sense")),
    }
}
