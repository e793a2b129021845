//! What CloudTrail answers besides success.

use boathouse_aws::AwsError;
use http::StatusCode;

/// An error of LookupEvents.
#[derive(Debug, thiserror::Error)]
pub enum TrailError {
    /// The attributes to look for are not ones that can be looked for.
    #[error("{0}")]
    InvalidLookupAttributes(String),
    /// A page that is too large or too small.
    #[error("{0}")]
    InvalidMaxResults(String),
    /// A token that this look-up has not handed out.
    #[error("{0}")]
    InvalidNextToken(&'static str),
    /// A time range that ends before it begins.
    #[error("{0}")]
    InvalidTimeRange(&'static str),
    /// A category of events that is not kept.
    #[error("{0}")]
    InvalidEventCategory(String),
    /// The files can't be read or written.
    #[error("event history: {0}")]
    Store(#[from] std::io::Error),
}

impl From<TrailError> for AwsError {
    fn from(error: TrailError) -> Self {
        let message = error.to_string();
        let code = match error {
            TrailError::InvalidLookupAttributes(_) => "InvalidLookupAttributesException",
            TrailError::InvalidMaxResults(_) => "InvalidMaxResultsException",
            TrailError::InvalidNextToken(_) => "InvalidNextTokenException",
            TrailError::InvalidTimeRange(_) => "InvalidTimeRangeException",
            TrailError::InvalidEventCategory(_) => "InvalidEventCategoryException",
            TrailError::Store(_) => {
                tracing::error!(error = message, "the event history can't be read");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return Self::new("InternalFailure", status, "the event history can't be read");
            }
        };
        Self::bad_request(code, message)
    }
}
