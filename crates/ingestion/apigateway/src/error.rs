//! The errors of API Gateway's own operations and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

/// What an operation can answer besides success ("Amazon API Gateway Version 2 API Reference").
#[derive(Debug, Clone, thiserror::Error)]
pub enum GatewayError {
    /// Nothing of that id.
    #[error("{0}")]
    NotFound(String),
    /// A value that breaks a rule.
    #[error("{0}")]
    BadRequest(String),
    /// Something of that name is there, or something still needs it.
    #[error("{0}")]
    Conflict(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// Not allowed, or another service refused.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl GatewayError {
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }
}

impl From<AwsError> for GatewayError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<GatewayError> for AwsError {
    fn from(error: GatewayError) -> Self {
        let message = error.to_string();
        match error {
            GatewayError::NotFound(_) => Self::new("NotFoundException", StatusCode::NOT_FOUND, message),
            GatewayError::BadRequest(_) | GatewayError::NotImplemented(_) => {
                Self::bad_request("BadRequestException", message)
            }
            GatewayError::Conflict(_) => Self::new("ConflictException", StatusCode::CONFLICT, message),
            GatewayError::Aws(inner) => inner,
            GatewayError::Store(cause) => {
                tracing::error!(error = %cause, "the APIs' store failed");
                Self::internal("the APIs' store failed")
            }
        }
    }
}
