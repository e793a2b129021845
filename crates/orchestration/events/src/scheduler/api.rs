//! Wire types of EventBridge Scheduler. Times are seconds since 1970, or ISO 8601.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::{DeadLetterConfig, RetryPolicy, SqsParameters, Tag};

/// Declares wire types: AWS's member names, absent members left out.
macro_rules! wire {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* pub $field: $kind),* }
        )*
    };
}

wire! {
    /// CreateSchedule and UpdateSchedule.
    ScheduleInput {
        name: String,
        group_name: Option<String>,
        schedule_expression: String,
        start_date: Option<Value>,
        end_date: Option<Value>,
        description: Option<String>,
        schedule_expression_timezone: Option<String>,
        state: Option<String>,
        kms_key_arn: Option<String>,
        target: Target,
        flexible_time_window: FlexibleTimeWindow,
        client_token: Option<String>,
        action_after_completion: Option<String>,
    }
    /// What a schedule calls. Members that only unsupported targets have are kept in `other`, to refuse them by name.
    Target {
        arn: String,
        role_arn: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        input: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_policy: Option<RetryPolicy>,
        #[serde(skip_serializing_if = "Option::is_none")]
        event_bridge_parameters: Option<EventBridgeParameters>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dead_letter_config: Option<DeadLetterConfig>,
        #[serde(skip_serializing_if = "Option::is_none")]
        sqs_parameters: Option<SqsParameters>,
        #[serde(flatten)]
        other: BTreeMap<String, Value>,
    }
    /// The event that a bus as target gets.
    EventBridgeParameters { detail_type: String, source: String }
    /// How late a schedule may fire: `OFF`, or `FLEXIBLE` by up to 1440 minutes.
    FlexibleTimeWindow {
        mode: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        maximum_window_in_minutes: Option<u32>,
    }
    /// Names a schedule.
    ScheduleNamed { name: String, group_name: Option<String>, client_token: Option<String> }
    /// ListSchedules.
    ListSchedules {
        group_name: Option<String>,
        name_prefix: Option<String>,
        state: Option<String>,
        next_token: Option<String>,
        max_results: Option<usize>,
    }
    /// Names a group; CreateScheduleGroup gives tags too.
    GroupNamed { name: String, tags: Option<Vec<Tag>>, client_token: Option<String> }
    /// ListScheduleGroups.
    ListScheduleGroups { name_prefix: Option<String>, next_token: Option<String>, max_results: Option<usize> }
    /// Names what has tags.
    TaggedResource { resource_arn: String }
    /// TagResource.
    TagResource { resource_arn: String, tags: Vec<Tag> }
    /// UntagResource.
    UntagResource { resource_arn: String, tag_keys: Vec<String> }
}
