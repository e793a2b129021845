//! SendMessage and SendMessageBatch.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Transaction;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::api::{Entry, Outgoing, SendMessage, SendMessageBatch};
use crate::batch;
use crate::deduplication::{self, Memory};
use crate::error::SqsError;
use crate::measures;
use crate::message::{self, Message};
use crate::shelf::{Shelf, State, next_sequence};
use crate::store::{Queue, Sqs, queue_in};

/// Bytes of all messages of a batch.
const MAX_BATCH_BYTES: usize = 1_048_576;

/// What a sender learns of its message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SentMessage {
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    body_digest: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_digest: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    system_attributes_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

/// Who sends, and when.
struct Sender {
    id: String,
    /// Microseconds since 1970.
    now: i64,
}

impl Sender {
    fn of(ctx: &Ctx) -> Self {
        Self { id: ctx.principal.user_id.clone(), now: ctx.now().timestamp_micros() }
    }
}

pub(crate) async fn send(ctx: Ctx, state: Arc<Sqs>, input: SendMessage) -> Result<SentMessage, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:SendMessage")?;
    check(&queue, &input.message)?;
    let mut sent = put(&ctx, &state, queue, vec![input.message]).await?;
    sent.pop().ok_or(SqsError::MissingParameter("MessageBody"))
}

pub(crate) async fn send_batch(ctx: Ctx, state: Arc<Sqs>, input: SendMessageBatch) -> Result<Value, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:SendMessage")?;
    batch::check(&input.entries)?;
    let mut total = 0;
    let (mut good, mut ids, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    for Entry { id, content } in input.entries {
        total += size(&content);
        match check(&queue, &content) {
            Ok(()) => {
                ids.push(id);
                good.push(content);
            }
            Err(error) => outcomes.push((id, Err(error))),
        }
    }
    if total > MAX_BATCH_BYTES {
        return Err(SqsError::BatchTooLong { most: MAX_BATCH_BYTES, sent: total });
    }
    let sent = if good.is_empty() { Vec::new() } else { put(&ctx, &state, queue, good).await? };
    outcomes.extend(ids.into_iter().zip(sent.into_iter().map(Ok)));
    batch::answer(outcomes)
}

/// Bytes of a message that may break the rules.
fn size(message: &Outgoing) -> usize {
    message::check(message).unwrap_or_else(|_| message.message_body.as_ref().map_or(0, String::len))
}

/// Refuses what this queue does not take.
fn check(queue: &Queue, message: &Outgoing) -> Result<(), SqsError> {
    let size = message::check(message)?;
    let most = queue.attributes.maximum_message_size;
    if size > most as usize {
        let reason = format!("Message must be shorter than {most} bytes.");
        return Err(SqsError::InvalidParameter(format!("One or more parameters are invalid. Reason: {reason}")));
    }
    if let Some(delay) = message.delay_seconds {
        if !(0..=900).contains(&delay) {
            return Err(SqsError::invalid("DelaySeconds", delay, "DelaySeconds must be >= 0 and <= 900."));
        }
        if queue.is_fifo() && delay != 0 {
            let reason = "The request include parameter that is not valid for this queue type.";
            return Err(SqsError::invalid("DelaySeconds", delay, reason));
        }
    }
    match &queue.attributes.fifo {
        Some(_) if message.message_group_id.is_none() => Err(SqsError::MissingParameter("MessageGroupId")),
        Some(fifo) if message.message_deduplication_id.is_none() && !fifo.content_based_deduplication => {
            Err(SqsError::InvalidParameter(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
                 explicitly"
                    .into(),
            ))
        }
        None if message.message_deduplication_id.is_some() => {
            let id = message.message_deduplication_id.as_deref().unwrap_or_default();
            let reason = "The request include parameter that is not valid for this queue type.";
            Err(SqsError::invalid("MessageDeduplicationId", id, reason))
        }
        _ => Ok(()),
    }
}

/// Puts all messages into the queue, or none. They are on disk when it answers.
async fn put(ctx: &Ctx, state: &Arc<Sqs>, queue: Queue, messages: Vec<Outgoing>) -> Result<Vec<SentMessage>, SqsError> {
    let (owner, sender) = (Arc::clone(state), Sender::of(ctx));
    let name = queue.name.clone();
    let sent: Vec<SentMessage> = state
        .metadata
        .transaction(move |tx| {
            let queue = queue_in(tx, &queue.name)?;
            let sent = messages
                .into_iter()
                .map(|message| put_one(tx, &queue, &sender, message))
                .collect::<Result<_, SqsError>>()?;
            tx.after_commit(move || owner.bells.ring(&queue.name));
            Ok::<_, SqsError>(sent)
        })
        .await?;
    measures::count(&ctx.platform, measures::SENT, &name, sent.len());
    Ok(sent)
}

fn put_one(tx: &Transaction<'_>, queue: &Queue, sender: &Sender, given: Outgoing) -> Result<SentMessage, SqsError> {
    let body = given.message_body.unwrap_or_default();
    let mut sent = SentMessage {
        message_id: Uuid::new_v4().to_string(),
        body_digest: message::body_digest(&body),
        attributes_digest: message::attributes_digest(&given.message_attributes),
        system_attributes_digest: message::attributes_digest(&given.message_system_attributes),
        sequence_number: None,
    };
    let mut deduplication_id = given.message_deduplication_id;
    let group = given.message_group_id;
    let memory = queue.attributes.fifo.as_ref().map(|fifo| Memory { tx, shelf: &queue.shelf, fifo, now: sender.now });
    if let (Some(memory), Some(group)) = (&memory, &group) {
        let id = deduplication_id.get_or_insert_with(|| deduplication::of_content(&body));
        if let Some(earlier) = memory.find(group, id)? {
            sent.message_id = earlier.message_id;
            sent.sequence_number = Some(earlier.sequence);
            return Ok(sent);
        }
    }
    let sequence = next_sequence(tx)?;
    if let (Some(memory), Some(group), Some(id)) = (&memory, &group, &deduplication_id) {
        memory.keep(group, id, &sent.message_id, &sequence)?;
        sent.sequence_number = Some(sequence.clone());
    }
    let delay = given.delay_seconds.filter(|_| memory.is_none()).unwrap_or(i64::from(queue.attributes.delay_seconds));
    let state = State {
        sent: sender.now / 1000,
        due: sender.now + delay * 1_000_000,
        received: 0,
        received_here: 0,
        first_received: None,
        last_received: 0,
        group: group.clone(),
    };
    let message = Message {
        id: sent.message_id.clone(),
        body,
        attributes: given.message_attributes,
        trace_header: message::trace_header(&given.message_system_attributes),
        sender: sender.id.clone(),
        group,
        deduplication_id,
        source_arn: None,
    };
    Shelf::new(tx, &queue.shelf).put(&sequence, &message, &state, memory.is_some())?;
    Ok(sent)
}
