//! What becomes of an event or schedule that can't be delivered: a message in the target's dead-letter queue ("Using
//! dead-letter queues to process undelivered events", "Configuring a schedule's dead-letter queue").

use std::collections::BTreeMap;

use boathouse_aws::{Arn, AwsError};
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::api::DeadLetterConfig;
use crate::delivery::{Delivery, Retry, Sender};

/// The longest error message that is passed on, in characters.
const LONGEST_MESSAGE: usize = 1024;

/// What a delivery knows of its dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeadLetters {
    pub(crate) queue: String,
    /// The target's ARN.
    pub(crate) target: String,
    /// The event as it came, if the target would have got something else.
    pub(crate) event: Option<String>,
    /// For when the schedule was set.
    pub(crate) scheduled: Option<String>,
}

/// Which limit a delivery has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    Attempts,
    Age,
}

/// The queue of a configuration.
///
/// # Errors
/// Why it can't be one.
pub(crate) fn queue_of(config: Option<&DeadLetterConfig>) -> Result<Option<String>, String> {
    let Some(arn) = config.and_then(|config| config.arn.as_ref()) else { return Ok(None) };
    match arn.parse::<Arn>() {
        Ok(queue) if queue.service == "sqs" && queue.resource.ends_with(".fifo") => {
            Err(format!("DeadLetterConfig.Arn {arn} is a FIFO queue; a dead-letter queue must be a standard one"))
        }
        Ok(queue) if queue.service == "sqs" && !queue.resource.is_empty() => Ok(Some(arn.clone())),
        _ => Err(format!("DeadLetterConfig.Arn {arn} is not the ARN of a queue")),
    }
}

/// The delivery that brings what is left of another to its dead-letter queue, if it has one.
pub(crate) fn letter(
    delivery: &Delivery,
    attempt: u32,
    failure: &AwsError,
    exhausted: Option<Exhausted>,
) -> Option<Delivery> {
    let DeadLetters { queue, target, event, scheduled } = delivery.dead_letters.as_ref()?;
    let message: String = failure.message.chars().take(LONGEST_MESSAGE).collect();
    let mut attributes = BTreeMap::from([
        ("TARGET_ARN".to_owned(), target.clone()),
        ("ERROR_MESSAGE".to_owned(), if message.is_empty() { failure.code.to_string() } else { message }),
        ("RETRY_ATTEMPTS".to_owned(), (attempt - 1).to_string()),
    ]);
    let mut tell = |name: &str, value: &str| attributes.insert(name.to_owned(), value.to_owned());
    if let Some(exhausted) = exhausted {
        let condition = match exhausted {
            Exhausted::Attempts => "MaximumRetryAttempts",
            Exhausted::Age => "MaximumEventAgeInSeconds",
        };
        tell("EXHAUSTED_RETRY_CONDITION", condition);
    }
    match delivery.sender {
        Sender::Rule => {
            tell("RULE_ARN", &delivery.source_arn);
            tell("ERROR_CODE", error_code(failure));
        }
        Sender::Schedule => {
            tell("SCHEDULE_ARN", &delivery.source_arn);
            tell("ERROR_CODE", &failure.code);
            tell("EXECUTION_ID", &delivery.event_id);
            tell("IS_PAYLOAD_TRUNCATED", "false");
            scheduled.as_ref().map(|time| tell("SCHEDULED_TIME", time));
        }
    }
    Some(Delivery {
        sender: delivery.sender,
        source_arn: delivery.source_arn.clone(),
        event_id: delivery.event_id.clone(),
        // A rule's letters are allowed by the queue's policy, a schedule's by its role.
        role: delivery.role.clone().filter(|_| delivery.sender == Sender::Schedule),
        action: Action::Queue { arn: queue.clone(), group: None, attributes },
        payload: event.clone().unwrap_or_else(|| delivery.payload.clone()),
        retry: Retry::of(None),
        hops: delivery.hops,
        dead_letters: None,
    })
}

/// The failure in the words of EventBridge's rules.
fn error_code(failure: &AwsError) -> &'static str {
    let code = failure.code.as_ref();
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    match () {
        () if failure.message.contains("sts:AssumeRole") => "FAILED_TO_ASSUME_ROLE",
        () if has(&["AccessDenied"]) => "NO_PERMISSIONS",
        () if has(&["NotFound", "DoesNotExist", "NoSuch"]) => "NO_RESOURCE",
        () if has(&["Throttl", "TooManyRequests", "SlowDown"]) || failure.status.as_u16() == 429 => "THROTTLING",
        () if has(&["LimitExceeded", "OverLimit"]) => "RESOURCE_LIMIT_EXCEEDED",
        () if has(&["Validation", "Invalid", "Missing", "Serialization"]) => "INVALID_PARAMETER",
        () if failure.status.is_server_error() => "INTERNAL_ERROR",
        () => "SDK_CLIENT_ERROR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letter_queues_are_standard_queues() {
        let of = |arn: &str| queue_of(Some(&DeadLetterConfig { arn: Some(arn.to_owned()) }));
        assert!(of("arn:aws:sqs:us-east-1:000000000000:q").unwrap().is_some());
        assert!(of("arn:aws:sqs:us-east-1:000000000000:q.fifo").unwrap_err().contains("FIFO"));
        assert!(of("arn:aws:sns:us-east-1:000000000000:t").is_err());
        assert!(of("q").is_err());
        assert_eq!(queue_of(None), Ok(None));
    }

    #[test]
    fn failures_have_eventbridges_codes() {
        let code = |code: &'static str| error_code(&AwsError::bad_request(code, ""));
        assert_eq!(code("AccessDeniedException"), "NO_PERMISSIONS");
        assert_eq!(code("ResourceNotFoundException"), "NO_RESOURCE");
        assert_eq!(code("QueueDoesNotExist"), "NO_RESOURCE");
        assert_eq!(code("ThrottlingException"), "THROTTLING");
        assert_eq!(code("ValidationException"), "INVALID_PARAMETER");
        assert_eq!(error_code(&AwsError::internal("")), "INTERNAL_ERROR");
        assert_eq!(code("Odd"), "SDK_CLIENT_ERROR");
    }
}
