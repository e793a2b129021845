//! Why an execution did not succeed, in Athena's words and numbers.

use boathouse_aws::AwsError;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};

use super::row::{ErrorDetail, State};
use crate::error::AthenaError;

/// The end of an execution that did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It failed; the reason carries the error's name, such as `DIVISION_BY_ZERO: Division by zero`.
    Failed {
        /// What StateChangeReason says.
        reason: String,
        /// The numbers.
        category: Category,
        /// The kind within the category.
        kind: u16,
    },
    /// It was stopped by its owner.
    Stopped,
    /// It read more than its workgroup allows.
    CutOff,
}

/// Athena's error categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Category {
    /// The platform failed: worth another try.
    System = 1,
    /// The statement, its data or its permissions are wrong.
    User = 2,
}

impl Failure {
    /// A mistake of the statement.
    pub(crate) fn user(kind: u16, reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), category: Category::User, kind }
    }

    /// A failure of the platform.
    pub(crate) fn system(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), category: Category::System, kind: 1 }
    }

    /// What AWS has and Boathouse has not yet.
    pub(crate) fn unsupported(what: impl std::fmt::Display) -> Self {
        Self::user(1001, format!("NOT_SUPPORTED: Boathouse does not implement {what} yet"))
    }

    /// A DDL statement's failure, as Hive's task reports it.
    pub(crate) fn ddl(message: impl std::fmt::Display) -> Self {
        Self::user(
            1306,
            format!("FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}"),
        )
    }

    pub(crate) fn state(&self) -> State {
        match self {
            Self::Failed { .. } => State::Failed,
            Self::Stopped | Self::CutOff => State::Cancelled,
        }
    }

    pub(crate) fn reason(&self) -> &str {
        match self {
            Self::Failed { reason, .. } => reason,
            Self::Stopped => "Query cancelled by user",
            Self::CutOff => "Bytes scanned limit was exceeded",
        }
    }

    pub(crate) fn detail(&self) -> Option<ErrorDetail> {
        let Self::Failed { reason, category, kind } = self else { return None };
        Some(ErrorDetail {
            error_category: *category as u8,
            error_type: *kind,
            retryable: *category == Category::System,
            error_message: reason.clone(),
        })
    }
}

/// The numbers of the error catalog, grouped as AWS groups them.
fn kind_of(code: ErrorCode) -> u16 {
    match code {
        ErrorCode::GenericInternalError => 1,
        ErrorCode::ExceededMemoryLimit => 403,
        ErrorCode::ExceededLocalDiskLimit => 401,
        ErrorCode::NotSupported => 1001,
        ErrorCode::HiveBadData => 1100,
        ErrorCode::HiveCannotOpenSplit => 1304,
        ErrorCode::TypeNotFound | ErrorCode::NotFound | ErrorCode::CatalogNotFound => 1303,
        ErrorCode::SchemaNotFound => 1301,
        ErrorCode::TableNotFound => 1302,
        ErrorCode::ColumnNotFound => 1306,
        ErrorCode::TableAlreadyExists | ErrorCode::HivePathAlreadyExists => 1200,
        ErrorCode::HiveExceededPartitionLimit => 1401,
        ErrorCode::PermissionDenied => 1500,
        ErrorCode::DivisionByZero
        | ErrorCode::NumericValueOutOfRange
        | ErrorCode::InvalidCastArgument
        | ErrorCode::InvalidFunctionArgument
        | ErrorCode::InvalidArguments
        | ErrorCode::SubqueryMultipleRows => 1101,
        _ => 1006,
    }
}

impl From<TrinoError> for Failure {
    fn from(error: TrinoError) -> Self {
        let category = match error.code {
            ErrorCode::GenericInternalError | ErrorCode::ExceededMemoryLimit | ErrorCode::ExceededLocalDiskLimit => {
                Category::System
            }
            _ => Category::User,
        };
        Self::Failed { reason: error.to_string(), category, kind: kind_of(error.code) }
    }
}

/// A service that a statement needed refused.
impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        let kind = match error.code.as_ref() {
            "AccessDeniedException" | "AccessDenied" => 1500,
            "EntityNotFoundException" | "NoSuchBucket" => 1303,
            "AlreadyExistsException" => 1200,
            _ if error.status.is_server_error() => return Self::system(error.message),
            _ => 1100,
        };
        Self::user(kind, format!("{}: {}", error.code, error.message))
    }
}

impl From<AthenaError> for Failure {
    fn from(error: AthenaError) -> Self {
        match error {
            AthenaError::Store(cause) => Self::system(format!("the service's store failed: {cause}")),
            other => AwsError::from(other).into(),
        }
    }
}

/// Reading or writing an object failed.
impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Self::user(1500, format!("PERMISSION_DENIED: Access Denied: {error}"))
            }
            object_store::Error::NotFound { path, .. } => Self::user(1304, format!("NOT_FOUND: {path} does not exist")),
            other => Self::system(format!("GENERIC_INTERNAL_ERROR: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_mistake_is_not_worth_another_try() {
        let failure = Failure::from(TrinoError::new(ErrorCode::DivisionByZero, "Division by zero"));
        let detail = failure.detail().unwrap();
        assert_eq!(failure.reason(), "DIVISION_BY_ZERO: Division by zero");
        assert_eq!((detail.error_category, detail.retryable), (2, false));
    }

    #[test]
    fn the_platforms_failure_is_retryable() {
        let failure = Failure::from(TrinoError::new(ErrorCode::ExceededMemoryLimit, "too much"));
        assert!(failure.detail().unwrap().retryable);
        assert_eq!(failure.state(), State::Failed);
        assert_eq!(Failure::CutOff.state(), State::Cancelled);
        assert_eq!(Failure::Stopped.detail(), None);
    }

    #[test]
    fn a_refusal_keeps_its_code() {
        let failure = Failure::from(AwsError::access_denied("no glue:GetTable"));
        assert_eq!(failure.reason(), "AccessDeniedException: no glue:GetTable");
        assert_eq!(failure.detail().unwrap().error_type, 1500);
    }
}
