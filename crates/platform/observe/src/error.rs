//! The service's errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

use crate::files::FilesError;

/// What an operation can answer besides success.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogsError {
    /// No such group or stream.
    #[error("The specified {0} does not exist.")]
    NotFound(&'static str),
    /// The name is taken.
    #[error("The specified {0} already exists")]
    AlreadyExists(&'static str),
    /// A value that breaks a rule.
    #[error("{0}")]
    InvalidParameter(String),
    /// Too many of something.
    #[error("Resource limit exceeded: {0}")]
    LimitExceeded(String),
    /// IAM refused.
    #[error("{0}")]
    Aws(AwsError),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// The control-plane store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
    /// The log files failed.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl From<LogsError> for AwsError {
    fn from(error: LogsError) -> Self {
        let code = match &error {
            LogsError::NotFound(_) => "ResourceNotFoundException",
            LogsError::AlreadyExists(_) => "ResourceAlreadyExistsException",
            LogsError::InvalidParameter(_) | LogsError::NotImplemented(_) => "InvalidParameterException",
            LogsError::LimitExceeded(_) => "LimitExceededException",
            LogsError::Aws(inner) => return inner.clone(),
            LogsError::Files(FilesError::Gone) => {
                return LogsError::NotFound("log stream").into();
            }
            LogsError::Store(_) | LogsError::Files(_) => {
                tracing::error!(%error, "the log store failed");
                let message = "the log store failed; the server's log has the cause";
                return Self::new("ServiceUnavailableException", StatusCode::INTERNAL_SERVER_ERROR, message);
            }
        };
        Self::bad_request(code, error.to_string())
    }
}
