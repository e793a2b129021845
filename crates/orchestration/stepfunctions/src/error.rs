//! Step Functions' errors and their AWS codes.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;

/// What an operation can answer besides success ("Step Functions API Reference", the errors of each operation).
#[derive(Debug, Clone, thiserror::Error)]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum SfnError {
    #[error("State Machine Does Not Exist: '{0}'")]
    StateMachineDoesNotExist(String),
    #[error("State Machine Already Exists: '{0}'")]
    StateMachineAlreadyExists(String),
    #[error("Execution Does Not Exist: '{0}'")]
    ExecutionDoesNotExist(String),
    #[error("Execution Already Exists: '{0}'")]
    ExecutionAlreadyExists(String),
    #[error("{0}")]
    ExecutionNotRedrivable(String),
    #[error("Activity Does Not Exist: '{0}'")]
    ActivityDoesNotExist(String),
    #[error("Invalid Arn: '{0}'")]
    InvalidArn(String),
    #[error("Invalid Name: '{0}'")]
    InvalidName(String),
    #[error("{0}")]
    InvalidDefinition(String),
    #[error("Invalid State Machine Execution Input: '{0}'")]
    InvalidExecutionInput(String),
    #[error("Invalid Output: '{0}'")]
    InvalidOutput(String),
    #[error("Invalid Token: '{0}'")]
    InvalidToken(String),
    #[error("Task Timed Out: 'Provided task does not exist anymore'")]
    TaskTimedOut,
    #[error("Invalid Logging Configuration: {0}")]
    InvalidLoggingConfiguration(String),
    #[error("{0}")]
    InvalidTracingConfiguration(String),
    #[error("{0}")]
    InvalidEncryptionConfiguration(String),
    #[error("This operation is not supported by this type of state machine")]
    StateMachineTypeNotSupported,
    #[error("{0}")]
    MissingRequiredParameter(String),
    #[error("{0}")]
    Conflict(String),
    #[error("{0}")]
    Validation(String),
    #[error("Resource not found: '{0}'")]
    ResourceNotFound(String),
    #[error("{0}")]
    TooManyTags(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// What another service or the identity room answers.
    #[error("{0}")]
    Aws(AwsError),
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl From<AwsError> for SfnError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<SfnError> for AwsError {
    fn from(error: SfnError) -> Self {
        let code = match &error {
            SfnError::StateMachineDoesNotExist(_) => "StateMachineDoesNotExist",
            SfnError::StateMachineAlreadyExists(_) => "StateMachineAlreadyExists",
            SfnError::ExecutionDoesNotExist(_) => "ExecutionDoesNotExist",
            SfnError::ExecutionAlreadyExists(_) => "ExecutionAlreadyExists",
            SfnError::ExecutionNotRedrivable(_) => "ExecutionNotRedrivable",
            SfnError::ActivityDoesNotExist(_) => "ActivityDoesNotExist",
            SfnError::InvalidArn(_) => "InvalidArn",
            SfnError::InvalidName(_) => "InvalidName",
            SfnError::InvalidDefinition(_) => "InvalidDefinition",
            SfnError::InvalidExecutionInput(_) => "InvalidExecutionInput",
            SfnError::InvalidOutput(_) => "InvalidOutput",
            SfnError::InvalidToken(_) => "InvalidToken",
            SfnError::TaskTimedOut => "TaskTimedOut",
            SfnError::InvalidLoggingConfiguration(_) => "InvalidLoggingConfiguration",
            SfnError::InvalidTracingConfiguration(_) => "InvalidTracingConfiguration",
            SfnError::InvalidEncryptionConfiguration(_) => "InvalidEncryptionConfiguration",
            SfnError::StateMachineTypeNotSupported => "StateMachineTypeNotSupported",
            SfnError::MissingRequiredParameter(_) => "MissingRequiredParameter",
            SfnError::Conflict(_) => "ConflictException",
            SfnError::ResourceNotFound(_) => "ResourceNotFound",
            SfnError::TooManyTags(_) => "TooManyTags",
            SfnError::Validation(_) | SfnError::NotImplemented(_) => "ValidationException",
            SfnError::Aws(inner) => return inner.clone(),
            SfnError::Store(cause) => {
                tracing::error!(error = %cause, "state machine store failed");
                return Self::internal("the state machines' store failed");
            }
        };
        Self::bad_request(code, error.to_string())
    }
}
