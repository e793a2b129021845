//! What keeps a stream from delivering: in the server's log, in DescribeDeliveryStream, and in CloudWatch Logs if the
//! destination asks for it.

use boathouse_aws::{AwsError, Ctx};
use serde_json::json;

use crate::arn;
use crate::destination::Destination;

/// A failure, in the words of "Monitor Amazon Data Firehose Using CloudWatch Logs" where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Trouble {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Trouble {
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The role can't be used.
    pub(crate) fn role(error: &AwsError) -> Self {
        Self::new("S3.AssumeRoleAccessDenied", format!("The role can't be assumed: {}", error.message))
    }

    /// The bucket can't be found.
    pub(crate) fn bucket(error: &AwsError) -> Self {
        let code = if error.code == "NoSuchBucket" { "S3.NoSuchBucket" } else { "S3.InternalError" };
        Self::new(code, error.message.clone())
    }

    /// The object can't be written.
    pub(crate) fn put(error: &object_store::Error) -> Self {
        let code = match error {
            object_store::Error::PermissionDenied { .. } => "S3.AccessDenied",
            object_store::Error::NotFound { .. } => "S3.NoSuchBucket",
            _ => "S3.InternalError",
        };
        Self::new(code, error.to_string())
    }

    /// Whether a put that failed so has certainly left nothing.
    pub(crate) fn leaves_nothing(&self) -> bool {
        matches!(&*self.code, "S3.AssumeRoleAccessDenied" | "S3.NoSuchBucket" | "S3.AccessDenied")
    }
}

/// Logs a failure of the stream `name`; `ctx` acts as the destination's role.
pub(crate) async fn report(ctx: Option<&Ctx>, destination: &Destination, name: &str, trouble: &Trouble) {
    tracing::warn!(stream = name, code = trouble.code, message = trouble.message, "delivery failed");
    let (Some(ctx), Some((group, stream))) = (ctx, &destination.logs) else { return };
    let message = json!({
        "deliveryStreamARN": arn(ctx, name),
        "destination": format!("arn:aws:s3:::{}", destination.bucket),
        "deliveryStreamVersionId": destination.version,
        "message": trouble.message,
        "errorCode": trouble.code,
    });
    let event = json!({"timestamp": ctx.now().timestamp_millis(), "message": message.to_string()});
    let input = json!({"logGroupName": group, "logStreamName": stream, "logEvents": [event]});
    // The stream's own log may be what can't be written; the server's log has it anyway.
    if let Err(error) = ctx.call("logs", "PutLogEvents", input).await {
        tracing::warn!(stream = name, group, %error, "the failure can't be logged in CloudWatch Logs");
    }
}
