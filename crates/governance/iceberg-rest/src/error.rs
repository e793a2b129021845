//! Errors in the protocol's shape: `{"error": {"message", "type", "code"}}`.

use boathouse_aws::AwsError;
use boathouse_iceberg::Error as TableError;
use http::StatusCode;
use serde_json::{Value, json};

/// Why a call failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{kind}: {message}")]
pub(crate) struct RestError {
    pub(crate) status: StatusCode,
    /// The protocol's name for it, such as `NoSuchTableException`.
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl RestError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequestException", message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "ForbiddenException", message)
    }

    pub(crate) fn not_found(kind: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, kind, message)
    }

    pub(crate) fn no_table(namespace: &str, name: &str) -> Self {
        Self::not_found("NoSuchTableException", format!("Table does not exist: {namespace}.{name}"))
    }

    pub(crate) fn no_namespace(name: &str) -> Self {
        Self::not_found("NoSuchNamespaceException", format!("Namespace does not exist: {name}"))
    }

    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "AlreadyExistsException", message)
    }

    pub(crate) fn not_empty(name: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "NamespaceNotEmptyException", format!("Namespace {name} is not empty"))
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "CommitFailedException", message)
    }

    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "UnprocessableEntityException", message)
    }

    /// What the protocol has and this catalog has not.
    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        let message = format!("Boathouse does not implement {what} yet");
        Self::new(StatusCode::NOT_ACCEPTABLE, "UnsupportedOperationException", message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
    }

    /// What another service answered. Where something is missing the caller knows better what.
    pub(crate) fn of_aws(error: AwsError) -> Self {
        match error.code.as_ref() {
            "EntityNotFoundException" => Self::not_found("NotFoundException", error.message),
            "AlreadyExistsException" => Self::exists(error.message),
            "ConcurrentModificationException" => Self::conflict(error.message),
            _ if error.status == StatusCode::FORBIDDEN || error.code.contains("AccessDenied") => {
                Self::forbidden(error.message)
            }
            _ if error.status.is_server_error() => Self::internal(error.message),
            _ => Self { status: error.status, ..Self::bad_request(error.message) },
        }
    }

    /// What reading or writing a file of metadata answered.
    pub(crate) fn of_store(error: object_store::Error, file: &str) -> Self {
        match error {
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Self::forbidden(format!("Access Denied to {file}"))
            }
            object_store::Error::NotFound { .. } => {
                Self::not_found("NotFoundException", format!("The metadata file {file} does not exist"))
            }
            other => Self::internal(format!("{file}: {other}")),
        }
    }

    pub(crate) fn is_missing(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    pub(crate) fn body(&self) -> Value {
        json!({"error": {"message": self.message, "type": self.kind, "code": self.status.as_u16()}})
    }
}

impl From<TableError> for RestError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Requirement(_) | TableError::Conflict(_) | TableError::Changed(_) => {
                Self::conflict(error.to_string())
            }
            TableError::Invalid(message) => Self::bad_request(message),
            TableError::Unsupported(_) => {
                Self::new(StatusCode::NOT_ACCEPTABLE, "UnsupportedOperationException", error.to_string())
            }
            TableError::Store(error) => Self::of_store(error, "the table's metadata"),
            other => Self::internal(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_protocols_shape() {
        let error = RestError::no_table("db", "t");
        assert_eq!(error.body()["error"]["type"], "NoSuchTableException");
        assert_eq!(error.body()["error"]["code"], 404);
        let denied = RestError::of_aws(AwsError::access_denied("no glue:GetTable"));
        assert_eq!((denied.status, denied.kind), (StatusCode::FORBIDDEN, "ForbiddenException"));
        let raced = RestError::of_aws(AwsError::bad_request("ConcurrentModificationException", "version"));
        assert_eq!((raced.status.as_u16(), raced.kind), (409, "CommitFailedException"));
        let unmet = RestError::from(TableError::Requirement("the snapshot".to_owned()));
        assert_eq!(unmet.status.as_u16(), 409);
    }
}
