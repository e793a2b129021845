//! What becomes of a received message: DeleteMessage, ChangeMessageVisibility, and their batches.

use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Transaction;
use serde_json::Value;

use crate::api::{
    ChangeMessageVisibility, ChangeMessageVisibilityBatch, DeleteMessage, DeleteMessageBatch, Empty, Entry,
};
use crate::batch;
use crate::error::SqsError;
use crate::measures;
use crate::receipt::Receipt;
use crate::receive::LONGEST_TIMEOUT;
use crate::shelf::{Shelf, State};
use crate::store::{Queue, Sqs, queue_in};

/// What is to be done with a message.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Delete,
    /// Out of sight for so many seconds from now on.
    Hide(i64),
}

pub(crate) async fn delete(ctx: Ctx, state: Arc<Sqs>, input: DeleteMessage) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:DeleteMessage")?;
    one(&ctx, &state, queue, input.receipt_handle, Deed::Delete).await
}

pub(crate) async fn delete_batch(ctx: Ctx, state: Arc<Sqs>, input: DeleteMessageBatch) -> Result<Value, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:DeleteMessage")?;
    batch::check(&input.entries)?;
    let deed = |Entry { id, content }: Entry<crate::api::Receipt>| (id, content.receipt_handle, Deed::Delete);
    batch::answer(settle(&ctx, &state, queue, input.entries.into_iter().map(deed).collect()).await?)
}

pub(crate) async fn change(ctx: Ctx, state: Arc<Sqs>, input: ChangeMessageVisibility) -> Result<Empty, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:ChangeMessageVisibility")?;
    one(&ctx, &state, queue, input.receipt_handle, Deed::Hide(input.visibility_timeout)).await
}

pub(crate) async fn change_batch(
    ctx: Ctx,
    state: Arc<Sqs>,
    input: ChangeMessageVisibilityBatch,
) -> Result<Value, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:ChangeMessageVisibility")?;
    batch::check(&input.entries)?;
    let deed = |Entry { id, content }: Entry<crate::api::Visibility>| {
        (id, content.receipt_handle, Deed::Hide(content.visibility_timeout.unwrap_or(0)))
    };
    batch::answer(settle(&ctx, &state, queue, input.entries.into_iter().map(deed).collect()).await?)
}

async fn one(ctx: &Ctx, state: &Arc<Sqs>, queue: Queue, handle: String, deed: Deed) -> Result<Empty, SqsError> {
    let outcomes = settle(ctx, state, queue, vec![(String::new(), handle, deed)]).await?;
    outcomes.into_iter().try_for_each(|(_, outcome)| outcome.map(drop))?;
    Ok(Empty {})
}

/// Does every deed that can be done, in one transaction, and says what became of each.
async fn settle(
    ctx: &Ctx,
    state: &Arc<Sqs>,
    queue: Queue,
    deeds: Vec<(String, String, Deed)>,
) -> Result<Vec<(String, Result<Empty, SqsError>)>, SqsError> {
    let (owner, now) = (Arc::clone(state), ctx.now().timestamp_micros());
    let name = queue.name.clone();
    let deleting = deeds.iter().all(|(_, _, deed)| matches!(deed, Deed::Delete));
    let outcomes: Vec<(String, Result<Empty, SqsError>)> = state
        .metadata
        .transaction(move |tx| {
            let queue = queue_in(tx, &queue.name)?;
            let mut outcomes = Vec::new();
            for (id, handle, deed) in deeds {
                let outcome = match settle_one(tx, &queue, &handle, deed, now) {
                    Err(SqsError::Store(error)) => return Err(SqsError::Store(error)),
                    outcome => outcome.map(|()| Empty {}),
                };
                outcomes.push((id, outcome));
            }
            tx.after_commit(move || owner.bells.ring(&queue.name));
            Ok::<_, SqsError>(outcomes)
        })
        .await?;
    if deleting {
        let deleted = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).count();
        measures::count(&ctx.platform, measures::DELETED, &name, deleted);
    }
    Ok(outcomes)
}

fn settle_one(tx: &Transaction<'_>, queue: &Queue, handle: &str, deed: Deed, now: i64) -> Result<(), SqsError> {
    if let Deed::Hide(timeout) = deed
        && !(0..=LONGEST_TIMEOUT).contains(&timeout)
    {
        let reason = format!("VisibilityTimeout must be an integer between 0 and {LONGEST_TIMEOUT}.");
        return Err(SqsError::invalid("VisibilityTimeout", timeout, &reason));
    }
    let receipt = Receipt::parse(handle)?;
    let gone = || {
        SqsError::invalid(
            "ReceiptHandle",
            handle,
            "Message does not exist or is not available for visibility timeout change.",
        )
    };
    if receipt.shelf != queue.shelf {
        // Of before a purge, or of another queue: either way there is no such message here.
        return match (deed, queue.purged) {
            (_, None) => Err(SqsError::InvalidReceiptHandle),
            (Deed::Delete, Some(_)) => Ok(()),
            (Deed::Hide(_), Some(_)) => Err(gone()),
        };
    }
    let shelf = Shelf::new(tx, &queue.shelf);
    let found = shelf.state(&receipt.sequence)?;
    match (deed, found) {
        (Deed::Delete, None) => Ok(()), // deleted before
        (Deed::Hide(_), None) => Err(gone()),
        (Deed::Delete, Some(state)) => delete_one(&shelf, queue, &receipt, &state, handle, now),
        (Deed::Hide(timeout), Some(state)) => hide(&shelf, queue, &receipt, &state, timeout, now),
    }
}

fn delete_one(
    shelf: &Shelf<'_>,
    queue: &Queue,
    receipt: &Receipt,
    state: &State,
    handle: &str,
    now: i64,
) -> Result<(), SqsError> {
    let latest = receipt.receive == state.received_here;
    if queue.is_fifo() && (!latest || state.due <= now) {
        return Err(SqsError::invalid("ReceiptHandle", handle, "The receipt handle has expired."));
    }
    if !latest {
        return Ok(()); // somebody else has it now: AWS says yes and deletes nothing
    }
    shelf.remove(&receipt.sequence, state)?;
    give_turn(shelf, queue, state)
}

fn hide(
    shelf: &Shelf<'_>,
    queue: &Queue,
    receipt: &Receipt,
    state: &State,
    timeout: i64,
    now: i64,
) -> Result<(), SqsError> {
    if receipt.receive != state.received_here || state.due <= now {
        return Err(SqsError::NotInFlight);
    }
    let due = now + timeout * 1_000_000;
    if due > state.last_received + LONGEST_TIMEOUT * 1_000_000 {
        let reason =
            format!("Total VisibilityTimeout for the message is beyond the limit [{LONGEST_TIMEOUT} seconds].");
        return Err(SqsError::invalid("VisibilityTimeout", timeout, &reason));
    }
    shelf.change(&receipt.sequence, state, &State { due, ..state.clone() })?;
    give_turn(shelf, queue, state)
}

fn give_turn(shelf: &Shelf<'_>, queue: &Queue, state: &State) -> Result<(), SqsError> {
    match &state.group {
        Some(group) if queue.is_fifo() => shelf.give_turn(group),
        _ => Ok(()),
    }
}
