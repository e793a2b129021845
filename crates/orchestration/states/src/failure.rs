//! Why a state failed, in the words of the States language.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The error names that the language defines ("Error names").
pub mod names {
    /// Matches every error but the terminal ones.
    pub const ALL: &str = "States.ALL";
    /// A task took longer than `TimeoutSeconds`.
    pub const TIMEOUT: &str = "States.Timeout";
    /// A task sent no heartbeat for longer than `HeartbeatSeconds`.
    pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
    /// Matches every error but time-outs.
    pub const TASK_FAILED: &str = "States.TaskFailed";
    /// Something that can't be processed: never retried or caught.
    pub const RUNTIME: &str = "States.Runtime";
    /// A payload is larger than allowed.
    pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
    /// No rule of a Choice state matched.
    pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
    /// An intrinsic function failed.
    pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
    /// A result can't be put where `ResultPath` points.
    pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
    /// A JSONata expression failed or gave what can't be used.
    pub const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
}

/// An error and its cause, as executions, histories and catchers see them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error's name, such as `States.Timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What happened, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Failure {
    /// A failure with both.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: Some(error.into()), cause: Some(cause.into()) }
    }

    /// The error output that catchers receive.
    pub fn output(&self) -> Value {
        let mut output = serde_json::Map::new();
        // AWS gives both members even when the failure named none.
        output.insert("Error".into(), self.error.clone().unwrap_or_default().into());
        output.insert("Cause".into(), self.cause.clone().unwrap_or_default().into());
        Value::Object(output)
    }
}

/// What went wrong while a state was evaluated, before the engine says in which state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) error: &'static str,
    /// The cause; the state's name and event are put before it unless `verbatim`.
    pub(crate) cause: String,
    pub(crate) verbatim: bool,
    /// Whether the history tells it as `EvaluationFailed`.
    pub(crate) evaluation: Option<Evaluation>,
}

/// Where a JSONata field failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evaluation {
    pub(crate) location: Option<String>,
    /// The expression itself was fine, its value is not.
    pub(crate) of_value: bool,
}

impl Trouble {
    pub(crate) fn new(error: &'static str, cause: impl Into<String>) -> Self {
        Self { error, cause: cause.into(), verbatim: false, evaluation: None }
    }

    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Self::new(names::RUNTIME, cause)
    }

    /// A JSONata field that failed.
    pub(crate) fn evaluation(location: &str, cause: impl Into<String>) -> Self {
        let evaluation = Some(Evaluation { location: Some(location.to_owned()), of_value: false });
        Self { evaluation, ..Self::new(names::QUERY_EVALUATION_ERROR, cause) }
    }

    pub(crate) fn too_large(what: &str) -> Self {
        let cause = format!(
            "The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        Self { verbatim: true, ..Self::new(names::DATA_LIMIT_EXCEEDED, cause) }
    }
}

/// Whether one of `patterns` stands for `error`.
pub(crate) fn matches(patterns: &[String], error: Option<&str>) -> bool {
    let error = error.unwrap_or_default();
    // Runtime errors end the execution, whatever is written beside the state.
    if error == names::RUNTIME {
        return false;
    }
    patterns.iter().any(|pattern| match pattern.as_str() {
        names::ALL => true,
        names::TASK_FAILED => error != names::TIMEOUT && error != names::HEARTBEAT_TIMEOUT,
        names::TIMEOUT => error == names::TIMEOUT || error == names::HEARTBEAT_TIMEOUT,
        other => other == error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stands(pattern: &str, error: &str) -> bool {
        matches(&[pattern.to_owned()], Some(error))
    }

    #[test]
    fn wildcards_match_what_the_language_says() {
        assert!(stands("States.ALL", "Custom") && stands("States.ALL", "States.Timeout"));
        assert!(stands("States.TaskFailed", "Custom") && !stands("States.TaskFailed", "States.Timeout"));
        assert!(stands("States.Timeout", "States.HeartbeatTimeout"));
        assert!(!stands("States.HeartbeatTimeout", "States.Timeout"));
        assert!(!stands("States.ALL", "States.Runtime") && !stands("States.Runtime", "States.Runtime"));
        assert!(stands("Custom", "Custom") && !stands("Custom", "Other"));
    }
}
