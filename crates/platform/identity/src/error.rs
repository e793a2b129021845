//! What IAM and STS answer besides success.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;
use http::StatusCode;

use crate::policy::MalformedPolicy;

/// An error of IAM or STS ("Common Errors" and each operation's errors in their API references).
#[derive(Debug, Clone, thiserror::Error)]
pub enum IamError {
    /// The user, role, group, policy, key … is not there.
    #[error("{0}")]
    NoSuchEntity(String),
    /// The name is taken.
    #[error("{0}")]
    EntityAlreadyExists(String),
    /// Something still hangs on the entity.
    #[error("{0}")]
    DeleteConflict(String),
    /// A quota.
    #[error("{0}")]
    LimitExceeded(String),
    /// A value that contradicts another or the entity.
    #[error("{0}")]
    InvalidInput(String),
    /// A policy document that breaks the policy language's rules.
    #[error(transparent)]
    MalformedPolicyDocument(#[from] MalformedPolicy),
    /// The entity belongs to AWS or to a service.
    #[error("{0}")]
    Unmodifiable(String),
    /// A value outside the bounds of its member.
    #[error("{0}")]
    Validation(String),
    /// A session's policies and tags are too large together.
    #[error("{0}")]
    PackedPolicyTooLarge(String),
    /// A value that the rest of the request or the caller's session does not allow.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A message that none of the services has handed out.
    #[error("Message is not valid")]
    InvalidAuthorizationMessage,
    /// A web identity token that is not believed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A report that nobody has asked for, or that is too old.
    #[error("{0}")]
    Report(ReportError),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(&'static str),
    /// The caller may not.
    #[error(transparent)]
    Denied(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
    /// Secrets can't be made, sealed or opened.
    #[error("{0}")]
    Sealing(&'static str),
}

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no token, or not one of a provider of the account: `InvalidIdentityToken`.
    #[error("{0}")]
    Invalid(String),
    /// Its time is over: `ExpiredTokenException`.
    #[error("{0}")]
    Expired(String),
    /// The provider answers that something is wrong, or claims don't fit: `IDPRejectedClaim`.
    #[error("{0}")]
    RejectedClaim(String),
    /// The provider can't be reached: `IDPCommunicationError`.
    #[error("{0}")]
    Unreachable(String),
}

impl TokenError {
    /// A token that is none, or that nobody vouches for.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

/// Why there is no credential report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Nobody has asked for one.
    #[error("No credential report is available. Call GenerateCredentialReport first.")]
    NotPresent,
    /// It is older than four hours.
    #[error("The credential report has expired. Call GenerateCredentialReport again.")]
    Expired,
}

impl IamError {
    /// A value that breaks a member's constraint, in the words of IAM's request validation.
    pub(crate) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::Validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        ))
    }

    /// `The user with name x cannot be found.`
    pub(crate) fn no_such(sort: &str, name: &str) -> Self {
        Self::NoSuchEntity(format!("The {sort} with name {name} cannot be found."))
    }
}

impl From<IamError> for AwsError {
    fn from(error: IamError) -> Self {
        let message = error.to_string();
        match error {
            IamError::NoSuchEntity(_) => Self::new("NoSuchEntity", StatusCode::NOT_FOUND, message),
            IamError::EntityAlreadyExists(_) => Self::new("EntityAlreadyExists", StatusCode::CONFLICT, message),
            IamError::DeleteConflict(_) => Self::new("DeleteConflict", StatusCode::CONFLICT, message),
            IamError::LimitExceeded(_) => Self::new("LimitExceeded", StatusCode::CONFLICT, message),
            IamError::InvalidInput(_) => Self::bad_request("InvalidInput", message),
            IamError::MalformedPolicyDocument(_) => Self::bad_request("MalformedPolicyDocument", message),
            IamError::Unmodifiable(_) => Self::bad_request("UnmodifiableEntity", message),
            IamError::Validation(_) => Self::bad_request("ValidationError", message),
            IamError::PackedPolicyTooLarge(_) => Self::bad_request("PackedPolicyTooLarge", message),
            IamError::InvalidParameterValue(_) => Self::bad_request("InvalidParameterValue", message),
            IamError::InvalidAuthorizationMessage => Self::bad_request("InvalidAuthorizationMessageException", message),
            IamError::Token(error) => {
                let (code, status) = match error {
                    TokenError::Invalid(_) => ("InvalidIdentityToken", StatusCode::BAD_REQUEST),
                    TokenError::Expired(_) => ("ExpiredTokenException", StatusCode::BAD_REQUEST),
                    TokenError::RejectedClaim(_) => ("IDPRejectedClaim", StatusCode::FORBIDDEN),
                    TokenError::Unreachable(_) => ("IDPCommunicationError", StatusCode::BAD_REQUEST),
                };
                Self::new(code, status, message)
            }
            IamError::Report(error) => {
                let code = match error {
                    ReportError::NotPresent => "ReportNotPresent",
                    ReportError::Expired => "ReportExpired",
                };
                Self::new(code, StatusCode::GONE, message)
            }
            IamError::NotImplemented(what) => Self::not_implemented(what),
            IamError::Denied(error) => error,
            IamError::Store(MetadataError::Conflict) => {
                let message = "The entity is being changed by another request; try again.";
                Self::new("ConcurrentModification", StatusCode::CONFLICT, message)
            }
            IamError::Store(_) | IamError::Sealing(_) => {
                tracing::error!(error = message, "the identity store failed");
                Self::new("ServiceFailure", StatusCode::INTERNAL_SERVER_ERROR, "the identity store failed")
            }
        }
    }
}
