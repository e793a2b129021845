//! Why a run did not succeed: the text of its ErrorMessage.

use boathouse_aws::AwsError;
use boathouse_trino_functions::error::TrinoError;

use crate::error::JobError;

/// The reason of a failed run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }

    /// The same reason, with the node at which it happened.
    pub(crate) fn at(self, node: &str) -> Self {
        Self(format!("{node}: {}", self.0))
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self(format!("{}: {}", error.code, error.message))
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        Self(AwsError::from(error).message)
    }
}

impl From<TrinoError> for Failure {
    /// Positions are those of a text that nobody wrote, so they are left out.
    fn from(error: TrinoError) -> Self {
        Self(format!("{}: {}", error.code.name(), error.message))
    }
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        match &error {
            object_store::Error::NotFound { path, .. } => Self(format!("NoSuchKey: there is no object {path}")),
            object_store::Error::PermissionDenied { path, source } => Self(format!("AccessDenied: {path}: {source}")),
            other => Self(other.to_string()),
        }
    }
}
