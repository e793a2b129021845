//! Wire types of the operations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An answer without members.
#[derive(Debug, Serialize)]
pub(crate) struct Empty {}

/// Makes input types whose members are named as AWS names them.
macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attribute:meta])* $member:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub(crate) struct $name { $($(#[$attribute])* pub(crate) $member: $type),* }
    )*};
}

inputs! {
    CreateQueue {
        queue_name: String,
        #[serde(default)]
        attributes: BTreeMap<String, String>,
        #[serde(default, rename = "tags")]
        tags: BTreeMap<String, String>,
    }
    GetQueueUrl {
        queue_name: String,
        #[serde(rename = "QueueOwnerAWSAccountId")]
        owner: Option<String>,
    }
    ListQueues {
        queue_name_prefix: Option<String>,
        next_token: Option<String>,
        /// 1 to 1000.
        max_results: Option<i64>,
    }
    /// DeleteQueue, PurgeQueue, ListQueueTags.
    QueueOnly { queue_url: String }
    ListDeadLetterSourceQueues {
        queue_url: String,
        next_token: Option<String>,
        max_results: Option<i64>,
    }
    GetQueueAttributes {
        queue_url: String,
        #[serde(default)]
        attribute_names: Vec<String>,
    }
    SetQueueAttributes {
        queue_url: String,
        attributes: BTreeMap<String, String>,
    }
    TagQueue {
        queue_url: String,
        tags: BTreeMap<String, String>,
    }
    UntagQueue {
        queue_url: String,
        tag_keys: Vec<String>,
    }
    AddPermission {
        queue_url: String,
        label: String,
        #[serde(rename = "AWSAccountIds")]
        accounts: Vec<String>,
        actions: Vec<String>,
    }
    RemovePermission {
        queue_url: String,
        label: String,
    }
    SendMessage {
        queue_url: String,
        #[serde(flatten)]
        message: Outgoing,
    }
    SendMessageBatch {
        queue_url: String,
        entries: Vec<Entry<Outgoing>>,
    }
    /// A message to send.
    Outgoing {
        message_body: Option<String>,
        /// 0 to 900.
        delay_seconds: Option<i64>,
        #[serde(default)]
        message_attributes: BTreeMap<String, AttributeValue>,
        #[serde(default)]
        message_system_attributes: BTreeMap<String, AttributeValue>,
        message_deduplication_id: Option<String>,
        message_group_id: Option<String>,
    }
    ReceiveMessage {
        queue_url: String,
        #[serde(default)]
        attribute_names: Vec<String>,
        #[serde(default)]
        message_system_attribute_names: Vec<String>,
        #[serde(default)]
        message_attribute_names: Vec<String>,
        /// 1 to 10.
        max_number_of_messages: Option<i64>,
        /// 0 to 43200.
        visibility_timeout: Option<i64>,
        /// 0 to 20.
        wait_time_seconds: Option<i64>,
        receive_request_attempt_id: Option<String>,
    }
    DeleteMessage {
        queue_url: String,
        receipt_handle: String,
    }
    DeleteMessageBatch {
        queue_url: String,
        entries: Vec<Entry<Receipt>>,
    }
    Receipt { receipt_handle: String }
    ChangeMessageVisibility {
        queue_url: String,
        receipt_handle: String,
        /// 0 to 43200.
        visibility_timeout: i64,
    }
    ChangeMessageVisibilityBatch {
        queue_url: String,
        entries: Vec<Entry<Visibility>>,
    }
    StartMessageMoveTask {
        source_arn: String,
        destination_arn: Option<String>,
        /// 1 to 500.
        max_number_of_messages_per_second: Option<i64>,
    }
    CancelMessageMoveTask { task_handle: String }
    ListMessageMoveTasks {
        source_arn: String,
        /// 1 to 10.
        max_results: Option<i64>,
    }
    Visibility {
        receipt_handle: String,
        visibility_timeout: Option<i64>,
    }
}

/// An entry of a batch.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Entry<T> {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) content: T,
}

/// A message attribute: a type such as `String`, `Number.int` or `Binary`, and a value (binary ones in base64).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttributeValue {
    pub(crate) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) binary_value: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) string_list_values: Vec<String>,
    #[serde(default, skip_serializing)]
    pub(crate) binary_list_values: Vec<String>,
}
