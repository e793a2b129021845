//! The catalog's errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use serde::{Deserialize, Serialize};

/// What a catalog operation can answer besides success ("AWS Glue API: Exceptions").
#[derive(Debug, Clone, thiserror::Error)]
pub enum CatalogError {
    /// A database, table, version or partition that is not there.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0}")]
    AlreadyExists(String),
    /// A value that breaks a rule; the message names the rule.
    #[error("{0}")]
    InvalidInput(String),
    /// The named version is not the present one any more.
    #[error("{0}")]
    ConcurrentModification(String),
    /// What the request supposes is not so.
    #[error("{0}")]
    ConditionCheck(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl CatalogError {
    /// The AWS code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "EntityNotFoundException",
            Self::AlreadyExists(_) => "AlreadyExistsException",
            Self::ConditionCheck(_) => "ConditionCheckFailureException",
            Self::InvalidInput(_) | Self::NotImplemented(_) => "InvalidInputException",
            Self::ConcurrentModification(_) | Self::Store(MetadataError::Conflict) => "ConcurrentModificationException",
            Self::Store(_) => "InternalServiceException",
        }
    }

    pub(crate) fn no_database(name: &str) -> Self {
        Self::NotFound(format!("Database {name} not found."))
    }

    pub(crate) fn no_table(name: &str) -> Self {
        Self::NotFound(format!("Table {name} not found."))
    }

    pub(crate) fn no_partition() -> Self {
        Self::NotFound("Cannot find partition.".into())
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidInput(message.into())
    }
}

impl From<CatalogError> for AwsError {
    fn from(error: CatalogError) -> Self {
        if let CatalogError::Store(cause) = &error
            && !matches!(cause, MetadataError::Conflict)
        {
            tracing::error!(error = %cause, "glue catalog store failed");
            return Self::new(error.code(), http::StatusCode::INTERNAL_SERVER_ERROR, "the catalog's store failed");
        }
        Self::bad_request(error.code(), error.to_string())
    }
}

/// One entry's failure in a batch answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorDetail {
    /// The AWS code.
    pub error_code: String,
    /// What went wrong.
    pub error_message: String,
}

impl From<&CatalogError> for ErrorDetail {
    fn from(error: &CatalogError) -> Self {
        Self { error_code: error.code().into(), error_message: error.to_string() }
    }
}
