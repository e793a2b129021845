//! Dead-letter queues: RedrivePolicy, RedriveAllowPolicy, ListDeadLetterSourceQueues.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::{Key, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::ListDeadLetterSourceQueues;
use crate::error::SqsError;
use crate::queues;
use crate::store::{QUEUES, Queue, Sqs, name_in_arn, queue_url};

/// Where messages go that were received too often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RedrivePolicy {
    pub(crate) dead_letter_target_arn: String,
    /// 1 to 1000.
    pub(crate) max_receive_count: u32,
}

/// Which queues may use this one for their dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "redrivePermission", rename_all = "camelCase")]
pub(crate) enum RedriveAllow {
    AllowAll,
    DenyAll,
    #[serde(rename_all = "camelCase")]
    ByQueue {
        /// 1 to 10.
        source_queue_arns: Vec<String>,
    },
}

impl RedrivePolicy {
    pub(crate) fn parse(text: &str) -> Result<Self, SqsError> {
        let wrong = |reason: &str| SqsError::InvalidAttributeValue { name: "RedrivePolicy", reason: reason.to_owned() };
        let parsed: Value = serde_json::from_str(text).map_err(|_| wrong("Redrive policy is not valid JSON."))?;
        let target = parsed["deadLetterTargetArn"].as_str().filter(|arn| !arn.is_empty());
        let target = target.ok_or_else(|| wrong("deadLetterTargetArn must be given"))?;
        // Consoles and templates write the number as text.
        let count = &parsed["maxReceiveCount"];
        let count = count.as_u64().or_else(|| count.as_str().and_then(|text| text.parse().ok()));
        match count {
            Some(count @ 1..=1000) => {
                Ok(Self { dead_letter_target_arn: target.to_owned(), max_receive_count: count as u32 })
            }
            _ => Err(wrong("Invalid value for maxReceiveCount. It must be an integer between 1 and 1000.")),
        }
    }

    pub(crate) fn shown(&self) -> String {
        json!(self).to_string()
    }
}

impl RedriveAllow {
    pub(crate) fn parse(text: &str) -> Result<Self, SqsError> {
        let wrong = |reason: String| SqsError::InvalidAttributeValue { name: "RedriveAllowPolicy", reason };
        let parsed: Self = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        match &parsed {
            Self::ByQueue { source_queue_arns: arns } if !(1..=10).contains(&arns.len()) => {
                Err(wrong("sourceQueueArns must have 1 to 10 members".to_owned()))
            }
            _ => Ok(parsed),
        }
    }

    pub(crate) fn shown(&self) -> String {
        json!(self).to_string()
    }

    fn allows(&self, source: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue { source_queue_arns } => source_queue_arns.iter().any(|arn| arn == source),
        }
    }
}

/// The queue that dead letters go to, if it is still there.
pub(crate) fn target_in(tx: &Transaction<'_>, region: &str, arn: &str) -> Result<Option<Queue>, SqsError> {
    match name_in_arn(region, arn) {
        Some(name) => Ok(tx.get_json(QUEUES, &Key::new([name]))?),
        None => Ok(None),
    }
}

/// Refuses a redrive policy whose target is not there, of the other type, or closed for this queue.
pub(crate) fn check_target(tx: &Transaction<'_>, region: &str, queue: &Queue) -> Result<(), SqsError> {
    let Some(policy) = &queue.attributes.redrive_policy else {
        return Ok(());
    };
    let wrong = |reason: &str| Err(SqsError::invalid("RedrivePolicy", policy.shown(), reason));
    let source = queue.arn(region);
    match target_in(tx, region, &policy.dead_letter_target_arn)? {
        None => wrong("Dead letter target does not exist."),
        Some(target) if target.is_fifo() != queue.is_fifo() => {
            wrong("Dead-letter queue must be same type of queue as the source.")
        }
        Some(target) if target.attributes.redrive_allow_policy.as_ref().is_some_and(|allow| !allow.allows(&source)) => {
            wrong("Dead letter target's RedriveAllowPolicy does not allow this queue.")
        }
        Some(_) => Ok(()),
    }
}

/// The queues whose dead letters go to `arn`.
pub(crate) fn sources<'a>(queues: &'a [Queue], arn: &str) -> Vec<&'a Queue> {
    let buries = |queue: &&Queue| {
        queue.attributes.redrive_policy.as_ref().is_some_and(|policy| policy.dead_letter_target_arn == arn)
    };
    queues.iter().filter(buries).collect()
}

pub(crate) async fn list_sources(
    ctx: Ctx,
    state: Arc<Sqs>,
    input: ListDeadLetterSourceQueues,
) -> Result<Value, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:ListDeadLetterSourceQueues")?;
    let arn = queue.arn(ctx.region());
    let names = sources(&state.queues()?, &arn).into_iter().map(|source| source.name.clone()).collect();
    let (names, next) = queues::page(names, input.max_results, input.next_token.as_deref())?;
    let urls: Vec<String> = names.iter().map(|name| queue_url(&ctx, name)).collect();
    Ok(match next {
        Some(next) => json!({"queueUrls": urls, "NextToken": next}),
        None => json!({"queueUrls": urls}),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redrive_policies_are_read_and_shown() {
        let policy = RedrivePolicy::parse(r#"{"maxReceiveCount":"3","deadLetterTargetArn":"a"}"#).unwrap();
        assert_eq!(policy.shown(), r#"{"deadLetterTargetArn":"a","maxReceiveCount":3}"#);
        for wrong in
            ["", "{}", r#"{"deadLetterTargetArn":"a"}"#, r#"{"deadLetterTargetArn":"a","maxReceiveCount":1001}"#]
        {
            assert!(RedrivePolicy::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn redrive_permissions_are_read_and_shown() {
        let by_queue = r#"{"redrivePermission":"byQueue","sourceQueueArns":["a"]}"#;
        let parsed = RedriveAllow::parse(by_queue).unwrap();
        assert_eq!(parsed.shown(), by_queue);
        assert!(parsed.allows("a") && !parsed.allows("b"));
        assert!(RedriveAllow::parse(r#"{"redrivePermission":"allowAll"}"#).unwrap().allows("b"));
        assert!(!RedriveAllow::parse(r#"{"redrivePermission":"denyAll"}"#).unwrap().allows("a"));
        for wrong in
            ["{}", r#"{"redrivePermission":"some"}"#, r#"{"redrivePermission":"byQueue","sourceQueueArns":[]}"#]
        {
            assert!(RedriveAllow::parse(wrong).is_err(), "{wrong}");
        }
    }
}
