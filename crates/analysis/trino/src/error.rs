//! What goes wrong below the analyzer, in Trino's words.

use arrow::error::ArrowError;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use datafusion::common::DataFusionError;

/// A failure of the platform, and not of the statement.
pub(crate) fn internal(message: impl Into<String>) -> TrinoError {
    TrinoError::new(ErrorCode::GenericInternalError, message)
}

/// Something that the engine doesn't do.
pub(crate) fn unsupported(message: impl Into<String>) -> TrinoError {
    TrinoError::new(ErrorCode::NotSupported, message)
}

/// What an error of DataFusion means to whoever wrote the statement.
pub(crate) fn of_datafusion(error: DataFusionError) -> TrinoError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(message) if message.contains("disk") => {
            TrinoError::new(ErrorCode::ExceededLocalDiskLimit, message)
        }
        DataFusionError::ResourcesExhausted(message) => TrinoError::new(
            ErrorCode::ExceededMemoryLimit,
            format!("Query exceeded the memory limit and can't spill: {}", first_line(message)),
        ),
        DataFusionError::ParquetError(error) => match external::<object_store::Error>(error.as_ref()) {
            Some(error) => of_object_store(error),
            None => TrinoError::new(ErrorCode::HiveBadData, format!("Malformed Parquet file: {error}")),
        },
        DataFusionError::ArrowError(arrow, _) => match arrow.as_ref() {
            // What the decoder says of a page, which reaches the plan as text.
            ArrowError::ParquetError(text) => {
                TrinoError::new(ErrorCode::HiveBadData, format!("Malformed Parquet file: {text}"))
            }
            _ => TrinoError::from(error),
        },
        DataFusionError::ObjectStore(error) => of_object_store(error),
        DataFusionError::NotImplemented(message) => TrinoError::new(ErrorCode::NotSupported, message),
        DataFusionError::External(inner) => match inner.downcast_ref::<object_store::Error>() {
            Some(error) => of_object_store(error),
            None => TrinoError::from(error),
        },
        DataFusionError::Execution(message) if message.contains("more than one row") => {
            TrinoError::new(ErrorCode::SubqueryMultipleRows, "Scalar sub-query has returned multiple rows")
        }
        _ => TrinoError::from(error),
    }
}

/// What an error of the object store means.
pub(crate) fn of_object_store(error: &object_store::Error) -> TrinoError {
    if let Some(ours) = external::<TrinoError>(error) {
        return ours.clone();
    }
    match error {
        object_store::Error::NotFound { path, .. } => {
            TrinoError::new(ErrorCode::HiveCannotOpenSplit, format!("Error opening Hive split {path}: no such object"))
        }
        object_store::Error::PermissionDenied { path, .. } | object_store::Error::Unauthenticated { path, .. } => {
            TrinoError::new(ErrorCode::PermissionDenied, format!("Access Denied: {path}"))
        }
        other => TrinoError::new(ErrorCode::HiveCannotOpenSplit, other.to_string()),
    }
}

/// The first error of a type in a chain of sources.
fn external<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| error.downcast_ref())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exhausted_memory_has_trinos_name() {
        let error = DataFusionError::ResourcesExhausted("no more\nthan this".to_owned());
        assert_eq!(of_datafusion(error).code, ErrorCode::ExceededMemoryLimit);
    }

    #[test]
    fn damaged_pages_are_the_files_fault() {
        let error = ArrowError::ParquetError("EOF: corrupt".to_owned());
        assert_eq!(of_datafusion(error.into()).code, ErrorCode::HiveBadData);
    }

    #[test]
    fn our_errors_pass_unharmed() {
        let ours = TrinoError::new(ErrorCode::DivisionByZero, "Division by zero");
        assert_eq!(of_datafusion(DataFusionError::from(ours.clone()).context("while testing")), ours);
    }

    #[test]
    fn missing_and_forbidden_objects_are_told_apart() {
        let source = || "because".into();
        let missing = object_store::Error::NotFound { path: "a".to_owned(), source: source() };
        let forbidden = object_store::Error::PermissionDenied { path: "a".to_owned(), source: source() };
        assert_eq!(of_object_store(&missing).code, ErrorCode::HiveCannotOpenSplit);
        assert_eq!(of_datafusion(DataFusionError::from(forbidden)).code, ErrorCode::PermissionDenied);
    }
}
