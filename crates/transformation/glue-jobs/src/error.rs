//! The jobs' errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;

/// What a job operation can answer besides success ("AWS Glue API: Exceptions").
#[derive(Debug, Clone, thiserror::Error)]
pub enum JobError {
    /// No job, run or bookmark of that name.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    AlreadyExists(String),
    /// A value that breaks a rule.
    #[error("{0}")]
    InvalidInput(String),
    /// As many runs as the job allows are going on.
    #[error("Concurrent runs exceeded for {0}")]
    ConcurrentRuns(String),
    /// Something that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// Another service refused.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl JobError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }

    pub(crate) fn not_implemented(what: impl Into<String>) -> Self {
        Self::NotImplemented(what.into())
    }
}

impl From<AwsError> for JobError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<JobError> for AwsError {
    fn from(error: JobError) -> Self {
        let code = match &error {
            JobError::NotFound(_) => "EntityNotFoundException",
            JobError::AlreadyExists(_) => "AlreadyExistsException",
            JobError::InvalidInput(_) | JobError::NotImplemented(_) => "InvalidInputException",
            JobError::ConcurrentRuns(_) => "ConcurrentRunsExceededException",
            JobError::Aws(inner) => return inner.clone(),
            JobError::Store(cause) => {
                tracing::error!(error = %cause, "the jobs' store failed");
                return Self::internal("the jobs' store failed");
            }
        };
        Self::bad_request(code, error.to_string())
    }
}
