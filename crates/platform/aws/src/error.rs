//! Errors as data: every protocol writes the same [`AwsError`] in its own shape.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

/// An error as AWS reports it: a code that programs match on, an HTTP status, a message for people.
#[derive(Debug, Clone)]
pub struct AwsError {
    /// The code, such as `EntityNotFoundException`.
    pub code: Cow<'static, str>,
    /// The HTTP status of the answer.
    pub status: StatusCode,
    /// What went wrong and what would help.
    pub message: String,
    /// What the code was while the service spoke the query protocol, if that was another one: clients of services that
    /// changed to JSON (SQS) still match on it.
    pub query_code: Option<&'static str>,
    /// Further members of the error's shape, such as `AthenaErrorCode`.
    pub details: Vec<(&'static str, serde_json::Value)>,
}

/// Whose mistake an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request was wrong (4xx).
    Sender,
    /// The platform failed (5xx).
    Receiver,
}

impl AwsError {
    /// An error with any status.
    pub fn new(code: impl Into<Cow<'static, str>>, status: StatusCode, message: impl Into<String>) -> Self {
        Self { code: code.into(), status, message: message.into(), query_code: None, details: Vec::new() }
    }

    /// A 400.
    pub fn bad_request(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(code, StatusCode::BAD_REQUEST, message)
    }

    /// A 403 `AccessDenied`-like answer; protocols rename the code where AWS does.
    pub fn access_denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", StatusCode::FORBIDDEN, message)
    }

    /// A 500. The cause belongs in the log; the message tells the caller only what helps.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalFailure", StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// An operation or option that exists on AWS and not here yet. The message must name it.
    pub fn not_implemented(what: impl fmt::Display) -> Self {
        Self::new("NotImplemented", StatusCode::NOT_IMPLEMENTED, format!("Boathouse does not implement {what} yet"))
    }

    /// The same error with one more member in its shape.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// The same error with the code that it had in the query protocol.
    #[must_use]
    pub fn with_query_code(self, code: &'static str) -> Self {
        Self { query_code: Some(code), ..self }
    }

    /// Whose mistake it is, from the status.
    pub fn fault(&self) -> Fault {
        if self.status.is_server_error() { Fault::Receiver } else { Fault::Sender }
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status.as_u16(), self.message)
    }
}

impl std::error::Error for AwsError {}
