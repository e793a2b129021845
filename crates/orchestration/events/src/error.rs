//! The errors of both services and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

use crate::pattern::InvalidPattern;

/// What an operation of EventBridge can answer besides success.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EventsError {
    /// No such bus, rule or target.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    AlreadyExists(String),
    /// A value that breaks a rule.
    #[error("{0}")]
    Validation(String),
    /// No event pattern.
    #[error(transparent)]
    InvalidPattern(#[from] InvalidPattern),
    /// Too many of something.
    #[error("The requested resource exceeds the maximum number allowed. {0}")]
    LimitExceeded(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// Another service or IAM refused.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl From<AwsError> for EventsError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<EventsError> for AwsError {
    fn from(error: EventsError) -> Self {
        let code = match &error {
            EventsError::NotFound(_) => "ResourceNotFoundException",
            EventsError::AlreadyExists(_) => "ResourceAlreadyExistsException",
            EventsError::Validation(_) | EventsError::NotImplemented(_) => "ValidationException",
            EventsError::InvalidPattern(_) => "InvalidEventPatternException",
            EventsError::LimitExceeded(_) => "LimitExceededException",
            EventsError::Aws(inner) => return inner.clone(),
            EventsError::Store(cause) => {
                tracing::error!(error = %cause, "the event store failed");
                let message = "the event store failed; the server's log has the cause";
                return Self::new("InternalException", StatusCode::INTERNAL_SERVER_ERROR, message);
            }
        };
        Self::bad_request(code, error.to_string())
    }
}

/// What an operation of EventBridge Scheduler can answer besides success.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SchedulerError {
    /// No such schedule or group.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    Conflict(String),
    /// A value that breaks a rule.
    #[error("{0}")]
    Validation(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// Another service or IAM refused.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl From<AwsError> for SchedulerError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<SchedulerError> for AwsError {
    fn from(error: SchedulerError) -> Self {
        let (code, status) = match &error {
            SchedulerError::NotFound(_) => ("ResourceNotFoundException", StatusCode::NOT_FOUND),
            SchedulerError::Conflict(_) => ("ConflictException", StatusCode::CONFLICT),
            SchedulerError::Validation(_) | SchedulerError::NotImplemented(_) => {
                ("ValidationException", StatusCode::BAD_REQUEST)
            }
            SchedulerError::Aws(inner) => return inner.clone(),
            SchedulerError::Store(cause) => {
                tracing::error!(error = %cause, "the schedule store failed");
                let message = "the schedule store failed; the server's log has the cause";
                return Self::new("InternalServerException", StatusCode::INTERNAL_SERVER_ERROR, message);
            }
        };
        Self::new(code, status, error.to_string())
    }
}
