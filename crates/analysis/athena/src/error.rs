//! The service's errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;

/// What an operation can answer besides success ("Amazon Athena API: Errors").
#[derive(Debug, Clone, thiserror::Error)]
pub enum AthenaError {
    /// A value that breaks a rule, or names what is not there.
    #[error("{0}")]
    Invalid(String),
    /// A statement that the grammar refuses.
    #[error("{0}")]
    Malformed(String),
    /// A prepared statement or tagged resource that is not there.
    #[error("{message}")]
    NotFound {
        /// What is missing, as AWS says it.
        message: String,
        /// Its name.
        resource: String,
    },
    /// What the Data Catalog answered.
    #[error("{0}")]
    Metadata(String),
    /// The queue is full.
    #[error(
        "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of \
         concurrent queries submitted by this account."
    )]
    TooManyQueries,
    /// An operation or option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(&'static str),
    /// Another service refused, as S3 does without leave to read.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl AthenaError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

impl From<AwsError> for AthenaError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<AthenaError> for AwsError {
    fn from(error: AthenaError) -> Self {
        let message = error.to_string();
        match error {
            AthenaError::Invalid(_) | AthenaError::NotImplemented(_) => {
                Self::bad_request("InvalidRequestException", message).with_detail("AthenaErrorCode", "INVALID_INPUT")
            }
            AthenaError::Malformed(_) => {
                Self::bad_request("InvalidRequestException", message).with_detail("AthenaErrorCode", "MALFORMED_QUERY")
            }
            AthenaError::NotFound { resource, .. } => {
                Self::bad_request("ResourceNotFoundException", message).with_detail("ResourceName", resource)
            }
            AthenaError::Metadata(_) => Self::bad_request("MetadataException", message),
            AthenaError::TooManyQueries => Self::bad_request("TooManyRequestsException", message)
                .with_detail("Reason", "CONCURRENT_QUERY_LIMIT_EXCEEDED"),
            AthenaError::Aws(error) => error,
            AthenaError::Store(cause) => {
                tracing::error!(error = %cause, "athena's store failed");
                Self { code: "InternalServerException".into(), ..Self::internal("the service's store failed") }
            }
        }
    }
}
