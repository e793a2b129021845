//! The delivery streams' errors and their AWS codes.

use boathouse_aws::{ACCOUNT_ID, AwsError};
use boathouse_journal::JournalError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

/// What a Firehose operation can answer besides success ("Amazon Data Firehose API Reference").
#[derive(Debug, Clone, thiserror::Error)]
pub enum FirehoseError {
    /// No delivery stream of that name.
    #[error("Firehose {0} under account {ACCOUNT_ID} not found.")]
    NotFound(String),
    /// The name is taken.
    #[error("Firehose {0} under accountId {ACCOUNT_ID} already exists")]
    InUse(String),
    /// A value that breaks a rule between members.
    #[error("{0}")]
    InvalidArgument(String),
    /// A value outside the bounds of its member.
    #[error("{0}")]
    Validation(String),
    /// The stream has another version than the caller thinks.
    #[error("{0}")]
    ConcurrentModification(String),
    /// More tags than a stream may have.
    #[error("{0}")]
    LimitExceeded(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// The journal does not keep up, or can't write.
    #[error("Slow down.")]
    Unavailable,
    /// Another service refused.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl FirehoseError {
    /// A value that breaks a member's constraint, in the words of AWS's request validation.
    pub(crate) fn constraint(value: impl std::fmt::Display, member: &str, constraint: impl std::fmt::Display) -> Self {
        Self::Validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }
}

impl From<AwsError> for FirehoseError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<JournalError> for FirehoseError {
    fn from(error: JournalError) -> Self {
        if !matches!(error, JournalError::Busy) {
            tracing::error!(%error, "the journal takes no records");
        }
        Self::Unavailable
    }
}

impl From<FirehoseError> for AwsError {
    fn from(error: FirehoseError) -> Self {
        let message = error.to_string();
        let code = match error {
            FirehoseError::NotFound(_) => "ResourceNotFoundException",
            FirehoseError::InUse(_) => "ResourceInUseException",
            FirehoseError::InvalidArgument(_) | FirehoseError::NotImplemented(_) => "InvalidArgumentException",
            FirehoseError::Validation(_) => "ValidationException",
            FirehoseError::ConcurrentModification(_) => "ConcurrentModificationException",
            FirehoseError::LimitExceeded(_) => "LimitExceededException",
            FirehoseError::Unavailable => {
                return Self::new("ServiceUnavailableException", StatusCode::SERVICE_UNAVAILABLE, message);
            }
            FirehoseError::Aws(inner) => return inner,
            FirehoseError::Store(cause) => {
                tracing::error!(error = %cause, "the delivery streams' store failed");
                return Self::internal("the delivery streams' store failed");
            }
        };
        Self::bad_request(code, message)
    }
}
