//! The service's errors and their AWS codes: those of the JSON protocol, and those that clients still match on.

use boathouse_aws::AwsError;
use boathouse_metadata::MetadataError;

/// What an operation can answer besides success.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SqsError {
    /// No queue of that name.
    #[error("The specified queue does not exist.")]
    NoSuchQueue,
    /// There is a queue of that name with other attributes.
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    NameExists(&'static str),
    /// The name was freed a moment ago.
    #[error("You must wait 60 seconds after deleting a queue before you can create another with the same name.")]
    DeletedRecently,
    /// The queue was purged a moment ago.
    #[error("Only one PurgeQueue operation on {0} is allowed every 60 seconds.")]
    PurgeInProgress(String),
    /// An attribute that queues don't have.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// An attribute's value that breaks a rule.
    #[error("Invalid value for the parameter {name}. Reason: {reason}")]
    InvalidAttributeValue {
        /// The attribute.
        name: &'static str,
        /// Which rule.
        reason: String,
    },
    /// A parameter's value that breaks a rule.
    #[error("{0}")]
    InvalidParameter(String),
    /// A parameter that is needed.
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    /// A receipt handle that this queue never gave out.
    #[error("The input receipt handle is invalid.")]
    InvalidReceiptHandle,
    /// The message of a receipt handle is not in flight.
    #[error("The message referred to isn't in flight.")]
    NotInFlight,
    /// Characters that a message can't have.
    #[error(
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidContents,
    /// More of something than AWS allows.
    #[error("{0}")]
    OverLimit(String),
    /// A batch without entries.
    #[error("There should be at least one entry in the request.")]
    EmptyBatch,
    /// A batch of too many entries.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntries(usize),
    /// Two entries of a batch have one id.
    #[error("Id {0} repeated.")]
    IdsNotDistinct(String),
    /// An entry's id that breaks the rules.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidEntryId,
    /// The messages of a batch are too large together.
    #[error("Batch requests cannot be longer than {most} bytes. You have sent {sent} bytes.")]
    BatchTooLong {
        /// The limit.
        most: usize,
        /// Bytes of all messages.
        sent: usize,
    },
    /// What this sort of queue can't do.
    #[error("{0}")]
    Unsupported(String),
    /// An option that AWS has and Boathouse has not yet.
    #[error("Boathouse does not implement {0} yet")]
    NotImplemented(String),
    /// IAM refused.
    #[error("{0}")]
    Aws(AwsError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] MetadataError),
}

impl SqsError {
    /// A value that breaks a rule, in SQS's words.
    pub(crate) fn invalid(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        Self::InvalidParameter(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    }

    /// The code of the JSON protocol, and that of the query protocol.
    fn codes(&self) -> (&'static str, &'static str) {
        match self {
            Self::NoSuchQueue => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            Self::NameExists(_) => ("QueueNameExists", "QueueAlreadyExists"),
            Self::DeletedRecently => ("QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently"),
            Self::PurgeInProgress(_) => ("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"),
            Self::InvalidAttributeName(_) => ("InvalidAttributeName", "InvalidAttributeName"),
            Self::InvalidAttributeValue { .. } => ("InvalidAttributeValue", "InvalidAttributeValue"),
            Self::InvalidParameter(_) => ("InvalidParameterValueException", "InvalidParameterValue"),
            Self::MissingParameter(_) => ("MissingRequiredParameterException", "MissingParameter"),
            Self::InvalidReceiptHandle => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
            Self::NotInFlight => ("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"),
            Self::InvalidContents => ("InvalidMessageContents", "InvalidMessageContents"),
            Self::OverLimit(_) => ("OverLimit", "OverLimit"),
            Self::EmptyBatch => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            Self::TooManyEntries(_) => {
                ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
            }
            Self::IdsNotDistinct(_) => ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
            Self::InvalidEntryId => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
            Self::BatchTooLong { .. } => ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
            Self::Unsupported(_) | Self::NotImplemented(_) => {
                ("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation")
            }
            Self::Aws(_) | Self::Store(_) => ("InternalFailure", "InternalFailure"),
        }
    }

    /// The code that a failed entry of a batch carries.
    pub(crate) fn entry_code(&self) -> String {
        match self {
            Self::Aws(error) => error.query_code.map_or_else(|| error.code.to_string(), str::to_owned),
            other => other.codes().1.to_owned(),
        }
    }

    /// Whether the caller is to blame.
    pub(crate) fn senders_fault(&self) -> bool {
        !matches!(self, Self::Store(_))
    }
}

impl From<AwsError> for SqsError {
    fn from(error: AwsError) -> Self {
        Self::Aws(error)
    }
}

impl From<SqsError> for AwsError {
    fn from(error: SqsError) -> Self {
        match error {
            SqsError::Aws(inner) => inner,
            SqsError::Store(cause) => {
                tracing::error!(%cause, "the queues' store failed");
                Self::internal("the queues' store failed; the server's log has the cause")
            }
            other => {
                let (code, query_code) = other.codes();
                Self::bad_request(code, other.to_string()).with_query_code(query_code)
            }
        }
    }
}
