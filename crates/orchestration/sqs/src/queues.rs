//! CreateQueue, DeleteQueue, GetQueueUrl, ListQueues, PurgeQueue.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::arn::ACCOUNT_ID;
use boathouse_metadata::Key;
use serde_json::{Value, json};

use crate::api::{CreateQueue, Empty, GetQueueUrl, ListQueues, QueueOnly};
use crate::attributes::Attributes;
use crate::error::SqsError;
use crate::store::{DELETED, GARBAGE, QUEUES, Queue, Sqs, new_shelf, queue_arn, queue_url};
use crate::{redrive, tags};

/// For how many seconds a deleted queue's name is not free, and a purged queue can't be purged again.
const PAUSE: i64 = 60;
/// Names on a page.
const PAGE: usize = 1000;

fn check_name(name: &str) -> Result<(), SqsError> {
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.len() <= 80 && !stem.is_empty() && stem.chars().all(allowed) {
        return Ok(());
    }
    Err(SqsError::InvalidParameter(
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length".into(),
    ))
}

pub(crate) async fn create(ctx: Ctx, state: Arc<Sqs>, input: CreateQueue) -> Result<Value, SqsError> {
    let CreateQueue { queue_name: name, attributes: given, tags } = input;
    check_name(&name)?;
    let arn = queue_arn(ctx.region(), &name);
    state.authorize(&ctx, "sqs:CreateQueue", &arn, None)?;
    if !tags.is_empty() {
        state.authorize(&ctx, "sqs:TagQueue", &arn, None)?;
        tags::check(&tags)?;
    }
    let attributes = Attributes::of_new_queue(&name, &given)?;
    let (url, region, now) = (queue_url(&ctx, &name), ctx.region().to_owned(), ctx.now().timestamp());
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&name]);
            if let Some(there) = tx.get_json::<Queue>(QUEUES, &key)? {
                return match there.attributes.difference(&given)? {
                    Some(attribute) => Err(SqsError::NameExists(attribute)),
                    None => Ok(()),
                };
            }
            let deleted: Option<i64> = tx.get_json(DELETED, &key)?;
            if deleted.is_some_and(|then| now < then + PAUSE) {
                return Err(SqsError::DeletedRecently);
            }
            tx.delete(DELETED, &key)?;
            let (created, modified) = (now, now);
            let queue = Queue { name, shelf: new_shelf(), created, modified, purged: None, attributes, tags };
            redrive::check_target(tx, &region, &queue)?;
            tx.put_json(QUEUES, &key, &queue)?;
            Ok(())
        })
        .await?;
    Ok(json!({"QueueUrl": url}))
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Sqs>, input: QueueOnly) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:DeleteQueue")?;
    let (owner, now) = (Arc::clone(&state), ctx.now().timestamp());
    state
        .metadata
        .transaction(move |tx| {
            let key = Key::new([&queue.name]);
            let Some(present) = tx.get_json::<Queue>(QUEUES, &key)? else {
                return Err(SqsError::NoSuchQueue);
            };
            tx.delete(QUEUES, &key)?;
            tx.put(GARBAGE, &Key::new([&present.shelf]), b"")?;
            tx.put_json(DELETED, &key, &now)?;
            tx.after_commit(move || owner.bells.remove(&queue.name));
            Ok(Empty {})
        })
        .await
}

pub(crate) async fn purge(ctx: Ctx, state: Arc<Sqs>, input: QueueOnly) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:PurgeQueue")?;
    let now = ctx.now().timestamp();
    state
        .change(queue.name, move |tx, queue| {
            if queue.purged.is_some_and(|then| now < then + PAUSE) {
                return Err(SqsError::PurgeInProgress(queue.name.clone()));
            }
            tx.put(GARBAGE, &Key::new([&queue.shelf]), b"")?;
            queue.shelf = new_shelf();
            queue.purged = Some(now);
            Ok(())
        })
        .await?;
    Ok(Empty {})
}

pub(crate) async fn url(ctx: Ctx, state: Arc<Sqs>, input: GetQueueUrl) -> Result<Value, SqsError> {
    let queue = state.named(&ctx, &input.queue_name, "sqs:GetQueueUrl")?;
    if input.owner.is_some_and(|owner| owner != ACCOUNT_ID) {
        return Err(SqsError::NoSuchQueue);
    }
    Ok(json!({"QueueUrl": queue_url(&ctx, &queue.name)}))
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Sqs>, input: ListQueues) -> Result<Value, SqsError> {
    state.authorize(&ctx, "sqs:ListQueues", &queue_arn(ctx.region(), "*"), None)?;
    let prefix = input.queue_name_prefix.unwrap_or_default();
    let mut names: Vec<String> = state.queues()?.into_iter().map(|queue| queue.name).collect();
    names.retain(|name| name.starts_with(&prefix));
    let (names, next) = page(names, input.max_results, input.next_token.as_deref())?;
    if names.is_empty() {
        return Ok(json!({}));
    }
    let urls: Vec<String> = names.iter().map(|name| queue_url(&ctx, name)).collect();
    Ok(match next {
        Some(next) => json!({"QueueUrls": urls, "NextToken": next}),
        None => json!({"QueueUrls": urls}),
    })
}

/// One page of sorted names, and the token of the next: the last name shown. Only who asks for pages gets a token.
pub(crate) fn page(
    mut names: Vec<String>,
    size: Option<i64>,
    token: Option<&str>,
) -> Result<(Vec<String>, Option<String>), SqsError> {
    let limit = match size {
        None if token.is_some() => {
            return Err(SqsError::InvalidParameter("NextToken needs MaxResults".into()));
        }
        None => PAGE,
        Some(size) => usize::try_from(size).ok().filter(|size| (1..=PAGE).contains(size)).ok_or_else(|| {
            SqsError::invalid("MaxResults", size, "MaxResults must be an integer between 1 and 1000.")
        })?,
    };
    names.retain(|name| token.is_none_or(|token| name.as_str() > token));
    let more = names.len() > limit && size.is_some();
    names.truncate(limit);
    let next = names.last().filter(|_| more).cloned();
    Ok((names, next))
}
