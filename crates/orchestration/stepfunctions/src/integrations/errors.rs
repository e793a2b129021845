//! Error names and causes of tasks.

use boathouse_aws::{AwsError, Ctx};
use boathouse_states::Failure;

use super::catalog::Operation;

/// Codes that the SDK has no exception class for: they come as the service's own, such as `S3.S3Exception`.
const UNMODELLED: [&str; 4] = ["AccessDenied", "ValidationException", "InternalFailure", "SerializationException"];

/// The codes that S3's SDK has classes for: all others come as `S3.S3Exception`.
const S3: [&str; 14] = [
    "BucketAlreadyExists",
    "BucketAlreadyOwnedByYou",
    "EncryptionTypeMismatch",
    "IdempotencyParameterMismatch",
    "InvalidObjectState",
    "InvalidRequest",
    "InvalidWriteOffset",
    "NoSuchBucket",
    "NoSuchKey",
    "NoSuchUpload",
    "ObjectAlreadyInActiveTierError",
    "ObjectNotInActiveTierError",
    "TooManyParts",
    "UnsupportedMediaType",
];
/// The same for CloudFormation, as far as its operations are here.
const CLOUD_FORMATION: [&str; 8] = [
    "AlreadyExistsException",
    "ChangeSetNotFound",
    "InsufficientCapabilitiesException",
    "InvalidChangeSetStatus",
    "InvalidOperationException",
    "LimitExceededException",
    "StaleRequestException",
    "TokenAlreadyExistsException",
];

/// Whether the SDK has an exception class for the code.
fn is_modelled(label: &str, code: &str) -> bool {
    match label {
        "S3" => S3.contains(&code),
        "CloudFormation" => CLOUD_FORMATION.contains(&code),
        _ => !UNMODELLED.contains(&code),
    }
}

/// What a failed call is to the execution.
pub(super) fn of(operation: &Operation, error: &AwsError, ctx: &Ctx) -> Failure {
    if operation.optimized { optimized(&operation.label, error, ctx) } else { sdk(&operation.label, error, ctx) }
}

fn exception(code: &str) -> String {
    if code.ends_with("Exception") { code.to_owned() } else { format!("{code}Exception") }
}

/// An optimized integration's failure, as the older SDK words it.
pub(super) fn optimized(label: &str, error: &AwsError, ctx: &Ctx) -> Failure {
    let cause = format!(
        "{} (Service: {}; Status Code: {}; Error Code: {}; Request ID: {}; Proxy: null)",
        error.message,
        service(label),
        error.status.as_u16(),
        error.query_code.unwrap_or(&error.code),
        ctx.request_id
    );
    // Of these services only Glue has a class of its own for a denied call, and SQS none for wrong parameters.
    let unmodelled = UNMODELLED.contains(&&*error.code)
        || error.code == "AccessDeniedException" && label != "Glue"
        || label == "SQS" && error.code.contains("Parameter");
    let name = if unmodelled { format!("{}Exception", service(label)) } else { exception(&error.code) };
    Failure::new(format!("{label}.{name}"), cause)
}

/// The service as the older SDK calls it.
fn service(label: &str) -> String {
    match label {
        "StepFunctions" => "AWSStepFunctions".into(),
        "Lambda" => "AWSLambda".into(),
        "Glue" => "AWSGlue".into(),
        "Athena" => "AmazonAthena".into(),
        "EventBridge" => "AmazonEventBridge".into(),
        "SQS" => "AmazonSQS".into(),
        other => other.to_owned(),
    }
}

/// An SDK integration's failure.
fn sdk(label: &str, error: &AwsError, ctx: &Ctx) -> Failure {
    let name = if is_modelled(label, &error.code) { exception(&error.code) } else { format!("{label}Exception") };
    let cause = format!(
        "{} (Service: {label}, Status Code: {}, Request ID: {}) (SDK Attempt Count: 1)",
        error.message,
        error.status.as_u16(),
        ctx.request_id
    );
    Failure::new(format!("{label}.{name}"), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_exceptions() {
        assert_eq!(exception("InvalidToken"), "InvalidTokenException");
        assert_eq!(exception("EntityNotFoundException"), "EntityNotFoundException");
        assert!(is_modelled("S3", "NoSuchKey") && !is_modelled("S3", "BucketNotEmpty"));
        assert!(!is_modelled("CloudFormation", "ValidationError") && is_modelled("Iam", "NoSuchEntity"));
    }
}
