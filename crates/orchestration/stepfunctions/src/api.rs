//! Wire types of the operations ("Step Functions API Reference"). Outputs are written where they are made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Seconds since 1970 with a fraction, as awsJson writes timestamps.
pub type Timestamp = f64;

/// Declares inputs: AWS's member names; members that AWS requires are not optional.
macro_rules! inputs {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Deserialize)]
            #[serde(rename_all = "camelCase")]
            #[allow(missing_docs, reason = "the members are AWS's own")]
            pub struct $name { $(pub $field: $kind),* }
        )*
    };
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Tag {
    pub key: String,
    #[serde(default)]
    pub value: String,
}

/// `STANDARD` or `EXPRESS`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum MachineType {
    /// Durable, exactly once, up to a year.
    #[default]
    Standard,
    /// Fast, up to five minutes.
    Express,
}

/// Where a machine's events are logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct LoggingConfiguration {
    #[serde(default = "off")]
    pub level: String,
    #[serde(default)]
    pub include_execution_data: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<Value>>,
}

fn off() -> String {
    "OFF".into()
}

impl Default for LoggingConfiguration {
    fn default() -> Self {
        Self { level: off(), include_execution_data: false, destinations: None }
    }
}

/// One version of an alias and its share of the executions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the members are AWS's own")]
pub struct Route {
    pub state_machine_version_arn: String,
    pub weight: u32,
}

inputs! {
    /// CreateStateMachine.
    CreateStateMachine {
        name: String, definition: String, role_arn: String, r#type: Option<MachineType>,
        logging_configuration: Option<LoggingConfiguration>, tags: Option<Vec<Tag>>, tracing_configuration: Option<Value>,
        publish: Option<bool>, version_description: Option<String>, encryption_configuration: Option<Value>,
    }
    /// UpdateStateMachine.
    UpdateStateMachine {
        state_machine_arn: String, definition: Option<String>, role_arn: Option<String>,
        logging_configuration: Option<LoggingConfiguration>, tracing_configuration: Option<Value>,
        publish: Option<bool>, version_description: Option<String>, encryption_configuration: Option<Value>,
    }
    /// Operations on one machine.
    OfMachine { state_machine_arn: String }
    /// PublishStateMachineVersion.
    PublishVersion { state_machine_arn: String, description: Option<String>, revision_id: Option<String> }
    /// Operations on one version.
    OfVersion { state_machine_version_arn: String }
    /// Lists below a machine.
    ListOfMachine { state_machine_arn: String, max_results: Option<i64>, next_token: Option<String> }
    /// Lists of everything.
    ListAll { max_results: Option<i64>, next_token: Option<String> }
    /// CreateStateMachineAlias.
    CreateAlias { name: String, description: Option<String>, routing_configuration: Vec<Route> }
    /// UpdateStateMachineAlias.
    UpdateAlias { state_machine_alias_arn: String, description: Option<String>, routing_configuration: Option<Vec<Route>> }
    /// Operations on one alias.
    OfAlias { state_machine_alias_arn: String }
    /// StartExecution.
    StartExecution { state_machine_arn: String, name: Option<String>, input: Option<String>, trace_header: Option<String> }
    /// StartSyncExecution.
    StartSyncExecution {
        state_machine_arn: String, name: Option<String>, input: Option<String>, trace_header: Option<String>,
        included_data: Option<String>,
    }
    /// StopExecution.
    StopExecution { execution_arn: String, error: Option<String>, cause: Option<String> }
    /// DescribeExecution, DescribeStateMachineForExecution.
    OfExecution { execution_arn: String, included_data: Option<String> }
    /// RedriveExecution.
    Redrive { execution_arn: String, client_token: Option<String> }
    /// ListExecutions.
    ListExecutions {
        state_machine_arn: Option<String>, status_filter: Option<String>, max_results: Option<i64>,
        next_token: Option<String>, map_run_arn: Option<String>, redrive_filter: Option<String>,
    }
    /// GetExecutionHistory.
    GetHistory {
        execution_arn: String, max_results: Option<i64>, reverse_order: Option<bool>, next_token: Option<String>,
        include_execution_data: Option<bool>,
    }
    /// CreateActivity.
    CreateActivity { name: String, tags: Option<Vec<Tag>>, encryption_configuration: Option<Value> }
    /// Operations on one activity.
    OfActivity { activity_arn: String }
    /// GetActivityTask.
    GetActivityTask { activity_arn: String, worker_name: Option<String> }
    /// SendTaskSuccess.
    SendTaskSuccess { task_token: String, output: String }
    /// SendTaskFailure.
    SendTaskFailure { task_token: String, error: Option<String>, cause: Option<String> }
    /// SendTaskHeartbeat.
    SendTaskHeartbeat { task_token: String }
    /// TagResource.
    TagResource { resource_arn: String, tags: Vec<Tag> }
    /// UntagResource.
    UntagResource { resource_arn: String, tag_keys: Vec<String> }
    /// ListTagsForResource.
    ListTags { resource_arn: String }
    /// ValidateStateMachineDefinition.
    ValidateDefinition {
        definition: String, r#type: Option<MachineType>, severity: Option<String>, max_results: Option<i64>,
    }
}

/// An answer without members.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Empty {}

/// Tags by key.
pub type Tags = BTreeMap<String, String>;
