//! CloudFormation's errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

use crate::template::TemplateError;

/// What a CloudFormation operation can answer besides success ("AWS CloudFormation API: Common errors" and each operation's).
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// A value, a template or a state that does not fit.
    #[error("{0}")]
    Validation(String),
    /// The name is taken.
    #[error("Stack [{0}] already exists")]
    AlreadyExists(String),
    /// A change set of that name.
    #[error("ChangeSet {0} cannot be created due to a mismatch with existing attribute: ChangeSetName already exists")]
    ChangeSetExists(String),
    /// No such change set.
    #[error("ChangeSet [{0}] does not exist")]
    NoChangeSet(String),
    /// The change set can't be executed or deleted as it is.
    #[error("{0}")]
    ChangeSetState(String),
    /// Resources that need an acknowledgement.
    #[error("Requires capabilities : [{0}]")]
    Capabilities(String),
    /// The token names another operation.
    #[error("A request with the token {0} already exists for another operation")]
    Token(String),
    /// Another service refused.
    #[error("{0}")]
    Aws(AwsError),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl StackError {
    pub(crate) fn missing(name_or_id: &str) -> Self {
        Self::Validation(format!("Stack with id {name_or_id} does not exist"))
    }
}

impl From<TemplateError> for StackError {
    fn from(error: TemplateError) -> Self {
        Self::Validation(error.0)
    }
}

impl From<AwsError> for StackError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<StackError> for AwsError {
    fn from(error: StackError) -> Self {
        let message = error.to_string();
        match error {
            StackError::Validation(_) | StackError::NotImplemented(_) => Self::bad_request("ValidationError", message),
            StackError::AlreadyExists(_) => Self::bad_request("AlreadyExistsException", message),
            StackError::ChangeSetExists(_) => Self::bad_request("AlreadyExistsException", message),
            StackError::NoChangeSet(_) => Self::new("ChangeSetNotFound", StatusCode::NOT_FOUND, message),
            StackError::ChangeSetState(_) => Self::bad_request("InvalidChangeSetStatus", message),
            StackError::Capabilities(_) => Self::bad_request("InsufficientCapabilitiesException", message),
            StackError::Token(_) => Self::bad_request("TokenAlreadyExistsException", message),
            StackError::Aws(inner) => inner,
            StackError::Store(cause) => {
                tracing::error!(error = %cause, "the stacks' store failed");
                Self::internal("the stacks' store failed")
            }
        }
    }
}
