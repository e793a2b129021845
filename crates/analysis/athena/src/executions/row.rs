//! An execution as it is kept, which is also how clients see it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::lineage::Lineage;
use crate::store::Timestamp;
use crate::workgroups::{EngineVersion, ResultConfiguration};

/// Where an execution is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    pub(crate) fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// As the API spells it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
        }
    }
}

/// Whose mistake a failure was ("Athena error catalog").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ErrorDetail {
    pub(crate) error_category: u8,
    pub(crate) error_type: u16,
    pub(crate) retryable: bool,
    pub(crate) error_message: String,
}

/// State and times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Status {
    pub(crate) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state_change_reason: Option<String>,
    pub(crate) submission_date_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_date_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) athena_error: Option<ErrorDetail>,
}

/// What an execution took.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Statistics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) engine_execution_time_in_millis: Option<u64>,
    #[serde(default)]
    pub(crate) data_scanned_in_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_manifest_location: Option<String>,
    #[serde(default)]
    pub(crate) total_execution_time_in_millis: u64,
    #[serde(default)]
    pub(crate) query_queue_time_in_millis: u64,
    #[serde(default)]
    pub(crate) service_pre_processing_time_in_millis: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query_planning_time_in_millis: Option<u64>,
    #[serde(default)]
    pub(crate) service_processing_time_in_millis: u64,
    #[serde(default)]
    pub(crate) result_reuse_information: ReuseInformation,
}

/// Whether the result is an earlier execution's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReuseInformation {
    pub(crate) reused_previous_result: bool,
}

/// Where bare names are looked up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) catalog: Option<String>,
}

/// AWS's QueryExecution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Execution {
    pub(crate) query_execution_id: String,
    pub(crate) query: String,
    pub(crate) statement_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) substatement_type: Option<String>,
    pub(crate) result_configuration: ResultConfiguration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result_reuse_configuration: Option<Value>,
    pub(crate) query_execution_context: Context,
    pub(crate) status: Status,
    pub(crate) statistics: Statistics,
    pub(crate) work_group: String,
    pub(crate) engine_version: EngineVersion,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) execution_parameters: Option<Vec<String>>,
}

/// What only the service knows about an execution.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Private {
    /// The ClientRequestToken.
    pub(crate) token: Option<String>,
    /// What a repeated request must equal.
    pub(crate) request: Value,
    /// The rows that were written.
    pub(crate) update_count: Option<u64>,
    /// The rows that were given and their bytes, and those that scans gave, for GetQueryRuntimeStatistics.
    pub(crate) output_rows: u64,
    pub(crate) output_bytes: u64,
    pub(crate) input_rows: u64,
    /// The tables that were read and written.
    #[serde(default)]
    pub(crate) lineage: Lineage,
}

/// The stored row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) execution: Execution,
    pub(crate) private: Private,
}

impl Row {
    pub(crate) fn id(&self) -> &str {
        &self.execution.query_execution_id
    }

    pub(crate) fn state(&self) -> State {
        self.execution.status.state
    }

    /// Where the result is.
    pub(crate) fn result_location(&self) -> &str {
        self.execution.result_configuration.output_location.as_deref().unwrap_or_default()
    }

    /// GetQueryRuntimeStatistics' answer.
    pub(crate) fn runtime_statistics(&self) -> Value {
        let statistics = &self.execution.statistics;
        json!({
            "Timeline": {
                "QueryQueueTimeInMillis": statistics.query_queue_time_in_millis,
                "QueryPlanningTimeInMillis": statistics.query_planning_time_in_millis.unwrap_or(0),
                "EngineExecutionTimeInMillis": statistics.engine_execution_time_in_millis.unwrap_or(0),
                "ServiceProcessingTimeInMillis": statistics.service_processing_time_in_millis,
                "ServicePreProcessingTimeInMillis": statistics.service_pre_processing_time_in_millis,
                "TotalExecutionTimeInMillis": statistics.total_execution_time_in_millis,
            },
            "Rows": {
                "InputBytes": statistics.data_scanned_in_bytes,
                "InputRows": self.private.input_rows,
                "OutputRows": self.private.output_rows,
                "OutputBytes": self.private.output_bytes,
            },
        })
    }
}
