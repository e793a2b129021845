//! What a schedule's target does: one of the templated targets, or any operation of any service.

use boathouse_aws::{Ctx, Platform};
use serde_json::{Value, json};

use crate::action::{self, Action};
use crate::dead_letters;
use crate::error::{EventsError, SchedulerError};
use crate::store::{Events, bus_name};
use crate::targets::check_retry;

use super::SCHEDULER_PRINCIPAL;
use super::api::Target;

/// What universal targets begin with.
const UNIVERSAL: &str = "arn:aws:scheduler:::";
/// Bytes of an input.
const MAX_INPUT: usize = 256 * 1024;

fn invalid(message: impl Into<String>) -> SchedulerError {
    SchedulerError::Validation(message.into())
}

pub(super) fn check(ctx: &Ctx, state: &Events, target: &Target) -> Result<(), SchedulerError> {
    if let Some(name) = target.other.iter().find(|(_, value)| !value.is_null()).map(|(name, _)| name) {
        return Err(SchedulerError::NotImplemented(format!("{name} of targets")));
    }
    check_retry(target.retry_policy).map_err(invalid)?;
    dead_letters::queue_of(target.dead_letter_config.as_ref()).map_err(invalid)?;
    let action = action(&ctx.platform, target)?;
    if let Some(input) = &target.input {
        if input.len() > MAX_INPUT {
            return Err(invalid(format!("Input is longer than {MAX_INPUT} bytes")));
        }
        let json_only =
            matches!(action, Action::Operation { .. } | Action::PutEvents { .. } | Action::StateMachine { .. });
        if json_only && serde_json::from_str::<Value>(input).is_err() {
            return Err(invalid("Input is not valid JSON"));
        }
    }
    state.check_role(ctx, &target.role_arn, SCHEDULER_PRINCIPAL).map_err(|error| {
        if error.message.contains("iam:PassRole") {
            return SchedulerError::Aws(error);
        }
        invalid(format!(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role. ({})",
            error.message
        ))
    })
}

/// What the target does.
pub(super) fn action(platform: &Platform, target: &Target) -> Result<Action, SchedulerError> {
    if let Some(operation) = target.arn.strip_prefix(UNIVERSAL) {
        let operation =
            operation.strip_prefix("aws-sdk:").ok_or_else(|| invalid(format!("{} is not a target", target.arn)))?;
        return action::universal(platform, operation).map_err(invalid);
    }
    let action = Action::of_target(&target.arn, target.sqs_parameters.as_ref()).map_err(|error| match error {
        EventsError::NotImplemented(what) => SchedulerError::NotImplemented(what),
        other => invalid(other.to_string()),
    })?;
    match (action, &target.event_bridge_parameters) {
        (Action::LogGroup { .. }, _) => Err(invalid(format!("{} is not a target of schedules", target.arn))),
        (Action::Bus { bus }, Some(parameters)) => {
            if parameters.source.starts_with("aws.") || parameters.source.is_empty() {
                return Err(invalid("EventBridgeParameters.Source must not be empty or begin with aws."));
            }
            let (source, detail_type) = (parameters.source.clone(), parameters.detail_type.clone());
            Ok(Action::PutEvents { bus: bus_name(Some(&bus)).to_owned(), source, detail_type })
        }
        (Action::Bus { .. }, None) => Err(invalid("An event bus as target needs EventBridgeParameters.")),
        (_, Some(_)) => Err(invalid("EventBridgeParameters are for event buses as targets only.")),
        (action, None) => Ok(action),
    }
}

/// The target as GetSchedule shows it, with the retry policy that counts.
pub(super) fn shown(target: &Target) -> Value {
    let mut shown = json!(target);
    let policy = target.retry_policy.unwrap_or_default();
    shown["RetryPolicy"] = json!({
        "MaximumRetryAttempts": policy.maximum_retry_attempts.unwrap_or(185),
        "MaximumEventAgeInSeconds": policy.maximum_event_age_in_seconds.unwrap_or(86_400),
    });
    shown
}
