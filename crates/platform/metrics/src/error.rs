//! The service's errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

/// What an operation can answer besides success.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A value that breaks a rule.
    #[error("{0}")]
    InvalidValue(String),
    /// Values that don't go together.
    #[error("{0}")]
    InvalidCombination(String),
    /// Something that must be given.
    #[error("The parameter {0} is required.")]
    Missing(&'static str),
    /// A query of GetMetricData that breaks a rule.
    #[error("{0}")]
    Validation(String),
    /// A token that no answer has given.
    #[error("The given token is not one of this request's")]
    InvalidNextToken,
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl From<MetricsError> for AwsError {
    fn from(error: MetricsError) -> Self {
        // The second is the code of the query protocol, which clients match on still.
        let (code, query_code) = match &error {
            MetricsError::InvalidValue(_) | MetricsError::NotImplemented(_) => {
                ("InvalidParameterValueException", "InvalidParameterValue")
            }
            MetricsError::InvalidCombination(_) => {
                ("InvalidParameterCombinationException", "InvalidParameterCombination")
            }
            MetricsError::Missing(_) => ("MissingRequiredParameterException", "MissingParameter"),
            MetricsError::Validation(_) => ("ValidationError", "ValidationError"),
            MetricsError::InvalidNextToken => ("InvalidNextToken", "InvalidNextToken"),
            MetricsError::Store(_) => {
                tracing::error!(%error, "the metrics store failed");
                let message = "the metrics store failed; the server's log has the cause";
                return Self::new("InternalServiceFault", StatusCode::INTERNAL_SERVER_ERROR, message)
                    .with_query_code("InternalServiceError");
            }
        };
        Self::bad_request(code, error.to_string()).with_query_code(query_code)
    }
}

pub(crate) fn invalid(message: impl Into<String>) -> MetricsError {
    MetricsError::InvalidValue(message.into())
}

pub(crate) fn invalid_query(message: impl Into<String>) -> MetricsError {
    MetricsError::Validation(message.into())
}
