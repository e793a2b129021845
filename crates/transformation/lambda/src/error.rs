//! Lambda's errors and their codes ("Lambda API reference: Common errors", and the errors of each operation).

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

/// Why an operation of Lambda failed.
#[derive(Debug, thiserror::Error)]
pub enum LambdaError {
    /// There is no such function, version, alias, layer or configuration.
    #[error("{0}")]
    NotFound(String),
    /// There is one already, or it is in use.
    #[error("{0}")]
    Conflict(String),
    /// A member has a value that it can't have.
    #[error("{0}")]
    InvalidParameter(String),
    /// A member breaks a constraint of the API's model.
    #[error("{0}")]
    Validation(String),
    /// The code is no archive that can be unpacked safely.
    #[error("{0}")]
    InvalidCode(String),
    /// The revision is not the one that the caller expects.
    #[error(
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id"
    )]
    Precondition,
    /// The payload is not JSON.
    #[error("Could not parse request body into json: {0}")]
    InvalidRequestContent(String),
    /// The payload is too long.
    #[error("Request must be smaller than {limit} bytes for the InvokeFunction operation")]
    RequestTooLarge {
        /// Bytes that are allowed.
        limit: usize,
    },
    /// Too many invocations at once.
    #[error("Rate Exceeded.")]
    TooManyRequests {
        /// AWS's name of the limit.
        reason: &'static str,
    },
    /// The resource policy would be too long.
    #[error("The final policy size ({0}) is bigger than the limit (20480).")]
    PolicyTooLong(usize),
    /// No interpreter on this machine serves the function's runtime.
    #[error("{0}")]
    InvalidRuntime(String),
    /// Something of AWS's that Boathouse does not have.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(&'static str),
    /// Another operation that was called refused.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
    /// Code can't be kept or unpacked, or an instance can't be started.
    #[error("{what}: {source}")]
    Machine {
        /// What was being done.
        what: &'static str,
        /// What the system says.
        source: std::io::Error,
    },
}

impl LambdaError {
    /// That the machine failed at something.
    pub(crate) fn machine(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Machine { what, source }
    }

    /// A constraint of the API's model, in its words.
    pub(crate) fn constraint(value: impl std::fmt::Display, member: &str, constraint: &str) -> Self {
        Self::Validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }
}

impl From<LambdaError> for AwsError {
    fn from(error: LambdaError) -> Self {
        let message = error.to_string();
        let with = |code: &'static str, status: StatusCode| Self::new(code, status, message.clone());
        let by =
            |code: &'static str, status: StatusCode, fault: &'static str| with(code, status).with_detail("Type", fault);
        match error {
            LambdaError::NotFound(_) => by("ResourceNotFoundException", StatusCode::NOT_FOUND, "User"),
            LambdaError::Conflict(_) => by("ResourceConflictException", StatusCode::CONFLICT, "User"),
            LambdaError::InvalidParameter(_) | LambdaError::InvalidCode(_) => {
                by("InvalidParameterValueException", StatusCode::BAD_REQUEST, "User")
            }
            LambdaError::Validation(_) => with("ValidationException", StatusCode::BAD_REQUEST),
            LambdaError::Precondition => by("PreconditionFailedException", StatusCode::PRECONDITION_FAILED, "User"),
            LambdaError::InvalidRequestContent(_) => {
                by("InvalidRequestContentException", StatusCode::BAD_REQUEST, "User")
            }
            LambdaError::RequestTooLarge { .. } => {
                by("RequestTooLargeException", StatusCode::PAYLOAD_TOO_LARGE, "User")
            }
            LambdaError::TooManyRequests { reason } => {
                by("TooManyRequestsException", StatusCode::TOO_MANY_REQUESTS, "User").with_detail("Reason", reason)
            }
            LambdaError::PolicyTooLong(_) => by("PolicyLengthExceededException", StatusCode::BAD_REQUEST, "User"),
            LambdaError::InvalidRuntime(_) => by("InvalidRuntimeException", StatusCode::BAD_GATEWAY, "User"),
            LambdaError::NotImplemented(what) => Self::not_implemented(what),
            LambdaError::Aws(error) => error,
            LambdaError::Store(_) | LambdaError::Machine { .. } => {
                tracing::error!(error = message, "Lambda failed");
                Self::new(
                    "ServiceException",
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Lambda failed to process the request; the server's log has the cause",
                )
            }
        }
    }
}
