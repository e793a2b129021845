//! Wire types of EventBridge ("Amazon EventBridge API Reference"). Times are seconds since 1970.
//!
//! Options that AWS has and Boathouse has not are read, so that they can be refused by name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::InputTransformer;

/// Declares input types: AWS's member names; members without `Option` are required.
macro_rules! input {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* pub $field: $kind),* }
        )*
    };
}

input! {
    /// CreateEventBus.
    CreateEventBus {
        name: String,
        event_source_name: Option<String>,
        description: Option<String>,
        kms_key_identifier: Option<String>,
        dead_letter_config: Option<Value>,
        log_config: Option<Value>,
        tags: Option<Vec<Tag>>,
    }
    /// UpdateEventBus.
    UpdateEventBus {
        name: Option<String>,
        description: Option<String>,
        kms_key_identifier: Option<String>,
        dead_letter_config: Option<Value>,
        log_config: Option<Value>,
    }
    /// Names a bus by name or ARN; the default bus if it does not.
    BusNamed { name: Option<String> }
    /// ListEventBuses.
    ListEventBuses { name_prefix: Option<String>, next_token: Option<String>, limit: Option<usize> }
    /// PutPermission: a whole policy, or one statement.
    PutPermission {
        event_bus_name: Option<String>,
        action: Option<String>,
        principal: Option<String>,
        statement_id: Option<String>,
        condition: Option<Condition>,
        policy: Option<String>,
    }
    /// The condition of a permission.
    Condition { r#type: String, key: String, value: String }
    /// RemovePermission.
    RemovePermission {
        event_bus_name: Option<String>,
        statement_id: Option<String>,
        remove_all_permissions: Option<bool>,
    }
    /// PutRule.
    PutRule {
        name: String,
        schedule_expression: Option<String>,
        event_pattern: Option<String>,
        state: Option<String>,
        description: Option<String>,
        role_arn: Option<String>,
        tags: Option<Vec<Tag>>,
        event_bus_name: Option<String>,
    }
    /// Names a rule.
    RuleNamed { name: String, event_bus_name: Option<String> }
    /// ListRules.
    ListRules {
        name_prefix: Option<String>,
        event_bus_name: Option<String>,
        next_token: Option<String>,
        limit: Option<usize>,
    }
    /// ListRuleNamesByTarget.
    ListRuleNamesByTarget {
        target_arn: String,
        event_bus_name: Option<String>,
        next_token: Option<String>,
        limit: Option<usize>,
    }
    /// PutTargets: at most five targets for a rule.
    PutTargets { rule: String, event_bus_name: Option<String>, targets: Vec<Target> }
    /// RemoveTargets.
    RemoveTargets { rule: String, event_bus_name: Option<String>, ids: Vec<String> }
    /// ListTargetsByRule.
    ListTargetsByRule {
        rule: String,
        event_bus_name: Option<String>,
        next_token: Option<String>,
        limit: Option<usize>,
    }
    /// PutEvents: at most ten entries and 1 MiB.
    PutEvents { entries: Vec<PutEventsEntry>, endpoint_id: Option<String> }
    /// One entry of PutEvents.
    PutEventsEntry {
        time: Option<Value>,
        source: Option<String>,
        resources: Option<Vec<String>>,
        detail_type: Option<String>,
        detail: Option<String>,
        event_bus_name: Option<String>,
    }
    /// TestEventPattern.
    TestEventPattern { event_pattern: String, event: String }
    /// Names what has tags.
    TaggedResource { #[serde(rename = "ResourceARN")] resource_arn: String }
    /// TagResource.
    TagResource { #[serde(rename = "ResourceARN")] resource_arn: String, tags: Vec<Tag> }
    /// UntagResource.
    UntagResource { #[serde(rename = "ResourceARN")] resource_arn: String, tag_keys: Vec<String> }
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// How often and how long a delivery is tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RetryPolicy {
    /// 0 to 185, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_retry_attempts: Option<u32>,
    /// 60 to 86,400 seconds, which is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_event_age_in_seconds: Option<u32>,
}

/// Where undeliverable events go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeadLetterConfig {
    /// The ARN of a standard queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

/// What a queue as target needs besides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SqsParameters {
    /// The group in a FIFO queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_group_id: Option<String>,
}

/// A rule's target. Members that only unsupported targets have are kept in `other`, to refuse them by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Target {
    pub id: String,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_transformer: Option<InputTransformer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqs_parameters: Option<SqsParameters>,
    #[serde(flatten)]
    pub other: std::collections::BTreeMap<String, Value>,
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Empty {}
