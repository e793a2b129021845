//! Tags of queues.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{Empty, QueueOnly, TagQueue, UntagQueue};
use crate::error::SqsError;
use crate::store::{QUEUES, Queue, Sqs};

/// Tags of a queue.
const MAX_TAGS: usize = 50;

/// AWS's rules for tags.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), SqsError> {
    if tags.len() > MAX_TAGS {
        return Err(SqsError::InvalidParameter(format!("Too many tags added for queue. It has at most {MAX_TAGS}.")));
    }
    for (key, value) in tags {
        let (key_length, value_length) = (key.chars().count(), value.chars().count());
        if !(1..=128).contains(&key_length) || value_length > 256 || key.starts_with("aws:") {
            let rule = "keys have 1 to 128 characters and don't begin with aws:, values have at most 256 characters";
            return Err(SqsError::InvalidParameter(format!("The tag {key:?} breaks a rule: {rule}.")));
        }
    }
    Ok(())
}

/// The tags of the queue that an ARN names.
pub(crate) fn of(state: &Sqs, arn: &str) -> BTreeMap<String, String> {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let queue: Option<Queue> = state.metadata.get_json(QUEUES, &Key::new([name])).ok().flatten();
    queue.map(|queue| queue.tags).unwrap_or_default()
}

pub(crate) async fn tag(ctx: Ctx, state: Arc<Sqs>, input: TagQueue) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:TagQueue")?;
    state
        .change(queue.name, move |_, queue| {
            queue.tags.extend(input.tags);
            check(&queue.tags)
        })
        .await?;
    Ok(Empty {})
}

pub(crate) async fn untag(ctx: Ctx, state: Arc<Sqs>, input: UntagQueue) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:UntagQueue")?;
    state
        .change(queue.name, move |_, queue| {
            queue.tags.retain(|key, _| !input.tag_keys.contains(key));
            Ok(())
        })
        .await?;
    Ok(Empty {})
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Sqs>, input: QueueOnly) -> Result<Value, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:ListQueueTags")?;
    Ok(if queue.tags.is_empty() { json!({}) } else { json!({"Tags": queue.tags}) })
}
