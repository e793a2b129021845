//! The crawlers' errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;

/// What a crawler operation can answer besides success ("AWS Glue API: Exceptions").
#[derive(Debug, Clone, thiserror::Error)]
pub enum CrawlerError {
    /// No crawler or classifier of that name.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    AlreadyExists(String),
    /// A value that breaks a rule.
    #[error("{0}")]
    InvalidInput(String),
    /// It runs already, or must not run for this.
    #[error("Crawler with name {0} has already started")]
    Running(String),
    /// It is being stopped.
    #[error("Crawler with name {0} is stopping")]
    Stopping(String),
    /// There is nothing to stop.
    #[error("Crawler with name {0} isn't running")]
    NotRunning(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(&'static str),
    /// The role can't be used, or another service refused.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl From<AwsError> for CrawlerError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<CrawlerError> for AwsError {
    fn from(error: CrawlerError) -> Self {
        let code = match &error {
            CrawlerError::NotFound(_) => "EntityNotFoundException",
            CrawlerError::AlreadyExists(_) => "AlreadyExistsException",
            CrawlerError::InvalidInput(_) | CrawlerError::NotImplemented(_) => "InvalidInputException",
            CrawlerError::Running(_) => "CrawlerRunningException",
            CrawlerError::Stopping(_) => "CrawlerStoppingException",
            CrawlerError::NotRunning(_) => "CrawlerNotRunningException",
            CrawlerError::Aws(inner) => return inner.clone(),
            CrawlerError::Store(cause) => {
                tracing::error!(error = %cause, "crawler store failed");
                return Self::internal("the crawlers' store failed");
            }
        };
        Self::bad_request(code, error.to_string())
    }
}
