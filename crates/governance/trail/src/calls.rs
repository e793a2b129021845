//! Which calls are kept, and which of them only read.

/// Operations whose calls are data events on AWS, or too many to be of use: they are about what lies in a resource.
const DATA: [(&str, &[&str]); 9] = [
    ("lambda", &["Invoke", "InvokeAsync"]),
    (
        "sqs",
        &[
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "GetQueueAttributes",
            "GetQueueUrl",
            "ListDeadLetterSourceQueues",
            "ListQueueTags",
            "ListQueues",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        ],
    ),
    ("cloudwatch", &["GetMetricData", "GetMetricStatistics", "ListMetrics", "PutMetricData"]),
    ("firehose", &["PutRecord", "PutRecordBatch"]),
    ("logs", &["FilterLogEvents", "GetLogEvents", "GetLogRecord", "PutLogEvents"]),
    ("events", &["PutEvents", "TestEventPattern"]),
    ("states", &["GetActivityTask", "SendTaskFailure", "SendTaskHeartbeat", "SendTaskSuccess", "StartSyncExecution"]),
    ("apigateway", &["Invoke"]),
    (
        "s3",
        &[
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateMultipartUpload",
            "HeadBucket",
            "ListMultipartUploads",
            "ListObjects",
            "ListObjectsV2",
            "ListObjectVersions",
            "ListParts",
            "OptionsObject",
            "PostObject",
            "PreflightRequest",
            "RenameObject",
            "RestoreObject",
            "SelectObjectContent",
            "UploadPart",
            "UploadPartCopy",
        ],
    ),
];

/// How the names of operations begin that change nothing.
const READS: [&str; 13] = [
    "BatchGet", "Decode", "Describe", "Estimate", "Filter", "Get", "Head", "List", "Lookup", "Search", "Simulate",
    "Test", "Validate",
];

/// Whether a call is a management event.
pub(crate) fn is_management(service: &str, operation: &str) -> bool {
    if operation.is_empty() || (service == "s3" && is_about_objects(operation)) {
        return false;
    }
    !DATA.iter().any(|(name, operations)| *name == service && operations.contains(&operation))
}

/// S3's operations on objects say so in their names; the configuration of object lock is the bucket's.
fn is_about_objects(operation: &str) -> bool {
    let verb = ["Get", "Put", "Head", "Delete"].iter().find_map(|verb| operation.strip_prefix(verb));
    verb.is_some_and(|rest| rest.starts_with("Object") && rest != "ObjectLockConfiguration")
}

/// Whether a call changes nothing. As on AWS, that is said of all calls to STS.
pub(crate) fn only_reads(service: &str, operation: &str) -> bool {
    service == "sts" || READS.iter().any(|prefix| operation.starts_with(prefix))
}

/// Calls whose answer names what they have begun, and nothing else.
const BEGINNINGS: [(&str, &str); 3] =
    [("athena", "StartQueryExecution"), ("glue", "StartJobRun"), ("states", "StartExecution")];

/// Whether a call's answer belongs into its event: it is how the event is found to what has begun.
pub(crate) fn begins(service: &str, operation: &str) -> bool {
    BEGINNINGS.contains(&(service, operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_resources_is_no_management() {
        for (service, operation) in [
            ("s3", "GetObject"),
            ("s3", "DeleteObjects"),
            ("s3", "PutObjectTagging"),
            ("s3", "ListObjectsV2"),
            ("s3", ""),
            ("lambda", "Invoke"),
            ("sqs", "SendMessage"),
        ] {
            assert!(!is_management(service, operation), "{operation}");
        }
        for (service, operation) in [
            ("s3", "CreateBucket"),
            ("s3", "ListBuckets"),
            ("s3", "PutObjectLockConfiguration"),
            ("s3", "PutBucketPolicy"),
            ("iam", "CreateUser"),
            ("sqs", "CreateQueue"),
            ("events", "PutRule"),
        ] {
            assert!(is_management(service, operation), "{operation}");
        }
    }

    #[test]
    fn reads_are_told_by_their_names() {
        assert!(
            only_reads("iam", "GetUser") && only_reads("sts", "AssumeRole") && only_reads("glue", "BatchGetPartition")
        );
        assert!(!only_reads("iam", "CreateUser") && !only_reads("glue", "BatchDeleteTable"));
    }
}
