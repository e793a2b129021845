//! What can go wrong with a table.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file doesn't hold what the specification says.
    #[error("{0}")]
    Invalid(String),
    /// Something of the specification that is not implemented.
    #[error("Iceberg's {0} is not supported")]
    Unsupported(String),
    /// What a commit demanded of the table doesn't hold.
    #[error("Requirement failed: {0}")]
    Requirement(String),
    /// Somebody else was faster: the commit may be tried again.
    #[error("{0}")]
    Conflict(String),
    /// Somebody else has changed what a commit depends on: trying it again doesn't help.
    #[error("{0}")]
    Changed(String),
    /// The catalog refused.
    #[error("{0}")]
    Catalog(String),
    /// Whether a commit took place is not known: its files must stay.
    #[error("{0}")]
    Unknown(String),
    /// A file can't be reached.
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}
