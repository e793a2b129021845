//! Wire types ("Amazon CloudWatch Logs API Reference"). Times are milliseconds since 1970.
//!
//! Options that AWS has and Boathouse has not are read, so that they can be refused by name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Declares input types: AWS's member names; members without `Option` are required.
macro_rules! input {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Deserialize)]
            #[serde(rename_all = "camelCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* pub $field: $kind),* }
        )*
    };
}

input! {
    /// Names a group: by its name, or by name or ARN.
    GroupSelector { log_group_name: Option<String>, log_group_identifier: Option<String> }
    /// Names a group.
    GroupName { log_group_name: String }
    /// Names a stream.
    StreamName { log_group_name: String, log_stream_name: String }
    /// CreateLogGroup. A class other than STANDARD, a key and deletion protection are refused.
    CreateLogGroup {
        log_group_name: String,
        kms_key_id: Option<String>,
        tags: Option<BTreeMap<String, String>>,
        log_group_class: Option<String>,
        deletion_protection_enabled: Option<bool>,
    }
    /// DescribeLogGroups. At most 50 a page.
    DescribeLogGroups {
        account_identifiers: Option<Vec<String>>,
        log_group_name_prefix: Option<String>,
        log_group_name_pattern: Option<String>,
        next_token: Option<String>,
        limit: Option<usize>,
        include_linked_accounts: Option<bool>,
        log_group_class: Option<String>,
        log_group_identifiers: Option<Vec<String>>,
    }
    /// PutRetentionPolicy: one of AWS's numbers of days.
    PutRetentionPolicy { log_group_name: String, retention_in_days: u32 }
    /// DescribeLogStreams. At most 50 a page.
    DescribeLogStreams {
        #[serde(flatten)] group: GroupSelector,
        log_stream_name_prefix: Option<String>,
        order_by: Option<OrderBy>,
        descending: Option<bool>,
        next_token: Option<String>,
        limit: Option<usize>,
    }
    /// One event of PutLogEvents; 1 MiB at most.
    InputLogEvent { timestamp: i64, message: String }
    /// PutLogEvents: at most 10,000 events and 1 MiB, counting 26 bytes more for each event. The sequence token is not
    /// looked at, as on AWS.
    PutLogEvents { log_group_name: String, log_stream_name: String, log_events: Vec<InputLogEvent> }
    /// GetLogEvents: at most 10,000 events and 1 MiB a page.
    GetLogEvents {
        #[serde(flatten)] group: GroupSelector,
        log_stream_name: String,
        start_time: Option<i64>,
        end_time: Option<i64>,
        next_token: Option<String>,
        limit: Option<usize>,
        start_from_head: Option<bool>,
    }
    /// FilterLogEvents: at most 10,000 events and 1 MiB a page. A page may be empty and still be followed by another.
    FilterLogEvents {
        #[serde(flatten)] group: GroupSelector,
        log_stream_names: Option<Vec<String>>,
        log_stream_name_prefix: Option<String>,
        start_time: Option<i64>,
        end_time: Option<i64>,
        filter_pattern: Option<String>,
        next_token: Option<String>,
        limit: Option<usize>,
    }
    /// StartLiveTail: one to ten ARNs of groups; streams only of a single one.
    StartLiveTail {
        log_group_identifiers: Vec<String>,
        log_stream_names: Option<Vec<String>>,
        log_stream_name_prefixes: Option<Vec<String>>,
        log_event_filter_pattern: Option<String>,
    }
    /// Names what has tags.
    TaggedResource { resource_arn: String }
    /// TagResource: at most 50 tags.
    TagResource { resource_arn: String, tags: BTreeMap<String, String> }
    /// UntagResource.
    UntagResource { resource_arn: String, tag_keys: Vec<String> }
    /// PutResourcePolicy: at most ten policies.
    PutResourcePolicy {
        policy_name: Option<String>,
        policy_document: Option<String>,
        resource_arn: Option<String>,
    }
    /// DeleteResourcePolicy.
    DeleteResourcePolicy { policy_name: String }
    /// DescribeResourcePolicies.
    DescribeResourcePolicies { next_token: Option<String>, limit: Option<usize> }
}

/// The order of DescribeLogStreams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum OrderBy {
    LogStreamName,
    LastEventTime,
}

impl GroupSelector {
    /// The group's name, out of its ARN if need be.
    pub fn name(&self) -> Option<&str> {
        let identifier = || self.log_group_identifier.as_deref().map(name_in);
        self.log_group_name.as_deref().or_else(identifier)
    }
}

/// The name in a group's ARN (with `:*` or without), or the name itself.
pub(crate) fn name_in(identifier: &str) -> &str {
    let name = match identifier.split_once(":log-group:") {
        Some((_, name)) => name,
        None => identifier,
    };
    name.strip_suffix(":*").unwrap_or(name)
}

/// Declares output types: absent members are left out.
macro_rules! output {
    ($($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Serialize)]
            #[serde(rename_all = "camelCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $($(#[$attr])* pub $field: $kind),* }
        )*
    };
}

output! {
    /// A group as DescribeLogGroups shows it.
    LogGroup {
        log_group_name: String,
        creation_time: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        retention_in_days: Option<u32>,
        metric_filter_count: u32,
        arn: String,
        stored_bytes: u64,
        log_group_class: &'static str,
        log_group_arn: String,
    }
    /// A stream as DescribeLogStreams shows it.
    LogStream {
        log_stream_name: String,
        creation_time: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        first_event_timestamp: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_event_timestamp: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        last_ingestion_time: Option<i64>,
        upload_sequence_token: String,
        arn: String,
        stored_bytes: u64,
    }
    /// An event as GetLogEvents shows it.
    OutputLogEvent { timestamp: i64, message: String, ingestion_time: i64 }
    /// An event as FilterLogEvents shows it.
    FilteredLogEvent {
        log_stream_name: String,
        timestamp: i64,
        message: String,
        ingestion_time: i64,
        event_id: String,
    }
    /// GetLogEvents.
    GetLogEventsOutput { events: Vec<OutputLogEvent>, next_forward_token: String, next_backward_token: String }
    /// FilterLogEvents.
    FilterLogEventsOutput {
        events: Vec<FilteredLogEvent>,
        searched_log_streams: [(); 0],
        #[serde(skip_serializing_if = "Option::is_none")]
        next_token: Option<String>,
    }
    /// What of a batch was not kept.
    RejectedLogEventsInfo {
        #[serde(skip_serializing_if = "Option::is_none")]
        too_new_log_event_start_index: Option<usize>,
        #[serde(skip_serializing_if = "Option::is_none")]
        too_old_log_event_end_index: Option<usize>,
        #[serde(skip_serializing_if = "Option::is_none")]
        expired_log_event_end_index: Option<usize>,
    }
    /// PutLogEvents.
    PutLogEventsOutput {
        next_sequence_token: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        rejected_log_events_info: Option<RejectedLogEventsInfo>,
    }
    /// The first event of a Live Tail session.
    LiveTailSessionStart {
        request_id: String,
        session_id: String,
        log_group_identifiers: Vec<String>,
        log_stream_names: Vec<String>,
        log_stream_name_prefixes: Vec<String>,
        log_event_filter_pattern: String,
    }
    /// What came in the last second.
    LiveTailSessionUpdate { session_metadata: LiveTailSessionMetadata, session_results: Vec<LiveTailSessionLogEvent> }
    /// Whether an update leaves events out.
    LiveTailSessionMetadata { sampled: bool }
    /// An event as a Live Tail session shows it.
    LiveTailSessionLogEvent {
        log_stream_name: String,
        log_group_identifier: String,
        message: String,
        timestamp: i64,
        ingestion_time: i64,
    }
    /// An answer without members.
    Empty {}
}
