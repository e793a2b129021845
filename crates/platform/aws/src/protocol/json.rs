//! awsJson 1.0 and 1.1: a POST with the operation in `X-Amz-Target`, JSON both ways ("AWS JSON 1.1 protocol" in Smithy).

use std::borrow::Cow;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::error::AwsError;
use crate::protocol::Answer;
use crate::service::OperationOutput;

/// The `Content-Type` of a version's bodies.
fn content_type(version: &str) -> Cow<'static, str> {
    match version {
        "1.0" => Cow::Borrowed("application/x-amz-json-1.0"),
        _ => Cow::Borrowed("application/x-amz-json-1.1"),
    }
}

/// Splits `AWSGlue.GetTable` into prefix and operation.
pub fn split_target(target: &str) -> Option<(&str, &str)> {
    target.rsplit_once('.').filter(|(prefix, operation)| !prefix.is_empty() && !operation.is_empty())
}

/// The answer of a successful call.
///
/// # Errors
/// `InternalFailure` when the output can't be written as JSON.
pub fn success(version: &str, output: &OperationOutput) -> Result<Answer, AwsError> {
    let body = serde_json::to_vec(&**output)
        .map_err(|error| AwsError::internal(format!("the answer can't be written: {error}")))?;
    // An operation without output members answers `{}`, not `null`.
    let body = if body == b"null" { Bytes::from_static(b"{}") } else { Bytes::from(body) };
    Ok(Answer::new(StatusCode::OK, content_type(version), body))
}

/// The answer of a failed call: `__type` with the code, the message in both spellings that clients look for.
pub fn failure(version: &str, error: &AwsError) -> Answer {
    let mut members = Map::new();
    members.insert("__type".into(), Value::from(error.code.as_ref()));
    members.insert("message".into(), Value::from(error.message.as_str()));
    members.insert("Message".into(), Value::from(error.message.as_str()));
    for (name, value) in &error.details {
        members.insert((*name).into(), value.clone());
    }
    Answer::new(error.status, content_type(version), Value::Object(members).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_split_at_the_last_dot() {
        assert_eq!(split_target("AmazonAthena.ListWorkGroups"), Some(("AmazonAthena", "ListWorkGroups")));
        assert_eq!(split_target("Kinesis_20131202.PutRecord"), Some(("Kinesis_20131202", "PutRecord")));
        assert_eq!(split_target("NoDot"), None);
        assert_eq!(split_target("Trailing."), None);
    }

    #[test]
    fn errors_carry_code_message_and_details() {
        let error = AwsError::bad_request("InvalidRequestException", "no").with_detail("AthenaErrorCode", "X");
        let answer = failure("1.1", &error);
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(body["__type"], "InvalidRequestException");
        assert_eq!(body["message"], "no");
        assert_eq!(body["AthenaErrorCode"], "X");
    }

    #[test]
    fn an_empty_output_is_an_empty_object() {
        let output: OperationOutput = Box::new(());
        assert_eq!(success("1.0", &output).unwrap().body, "{}");
    }
}
