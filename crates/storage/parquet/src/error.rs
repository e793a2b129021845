//! What is wrong with a column.

/// Why a column can't be decoded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It makes no sense.
    #[error("Malformed Parquet file. {0}")]
    Corrupt(String),
    /// It makes sense, and is not supported.
    #[error("{0}")]
    Unsupported(String),
}

/// A column that makes no sense.
pub(crate) fn corrupt(why: impl Into<String>) -> Error {
    Error::Corrupt(why.into())
}
