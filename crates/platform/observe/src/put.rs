//! PutLogEvents.

use std::sync::Arc;

use boathouse_aws::Ctx;
use chrono::TimeDelta;

use crate::api::{InputLogEvent, PutLogEvents, PutLogEventsOutput, RejectedLogEventsInfo};
use crate::error::LogsError;
use crate::files::NewEvent;
use crate::store::{Group, Logs, blocking, invalid, now};
use crate::{group_arn, policies, stream_arn};

/// Bytes of a batch: the texts, and [`EVENT_OVERHEAD`] for each event.
const MAX_BATCH_BYTES: usize = 1_048_576;
/// What an event counts beside its text.
const EVENT_OVERHEAD: usize = 26;
/// Events of a batch.
const MAX_BATCH_EVENTS: usize = 10_000;
/// From the first to the last event of a batch.
const MAX_SPAN: TimeDelta = TimeDelta::hours(24);
/// How far ahead of the server's clock an event may be.
const MAX_AHEAD: TimeDelta = TimeDelta::hours(2);
/// How old an event may be.
const MAX_AGE: TimeDelta = TimeDelta::days(14);

pub(crate) async fn put(ctx: Ctx, state: Arc<Logs>, input: PutLogEvents) -> Result<PutLogEventsOutput, LogsError> {
    let resource = stream_arn(&ctx, &input.log_group_name, &input.log_stream_name);
    policies::authorize(&ctx, &state, "logs:PutLogEvents", &resource)?;
    check(&input.log_events)?;
    let group = state.group(&input.log_group_name)?;
    let stream = state.stream(&input.log_group_name, &input.log_stream_name)?;
    let (events, rejected) = accepted(&ctx, &group, input.log_events);
    let files = Arc::clone(&state.files);
    let log = match files.known(stream.id) {
        Some(log) => log,
        None => blocking(move || Ok(files.stream(stream.id)?)).await?,
    };
    if !events.is_empty() {
        let sessions = state.tails.watching(&input.log_group_name, &input.log_stream_name);
        let told = if sessions.is_empty() { Vec::new() } else { events.clone() };
        let ingestion = now(&ctx);
        state.files.append(Arc::clone(&log), ingestion, events).await?;
        let group = group_arn(&ctx, &input.log_group_name);
        sessions.iter().for_each(|session| session.offer(&group, &input.log_stream_name, ingestion, &told));
    }
    let next_sequence_token = sequence_token(log.summary().next_sequence);
    Ok(PutLogEventsOutput { next_sequence_token, rejected_log_events_info: rejected })
}

/// Tokens have no meaning any more, but old clients want to see one.
pub(crate) fn sequence_token(next_sequence: u64) -> String {
    format!("{next_sequence:056}")
}

fn check(events: &[InputLogEvent]) -> Result<(), LogsError> {
    if !(1..=MAX_BATCH_EVENTS).contains(&events.len()) {
        return Err(invalid(format!("logEvents must have 1 to {MAX_BATCH_EVENTS} members, not {}", events.len())));
    }
    if let Some(n) = events.iter().position(|event| event.message.is_empty()) {
        return Err(invalid(format!("logEvents.{}.message must not be empty", n + 1)));
    }
    if let Some(n) = events.iter().position(|event| event.timestamp < 0) {
        return Err(invalid(format!("logEvents.{}.timestamp must not be negative", n + 1)));
    }
    let size: usize = events.iter().map(|event| event.message.len() + EVENT_OVERHEAD).sum();
    if size > MAX_BATCH_BYTES {
        return Err(invalid(format!("Upload too large: {size} bytes exceeds limit of {MAX_BATCH_BYTES}")));
    }
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let (first, last) = (events[0].timestamp, events[events.len() - 1].timestamp);
    if last - first > MAX_SPAN.num_milliseconds() {
        let message = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
        return Err(invalid(message));
    }
    Ok(())
}

/// Parts the events to keep from those that are too old, expired already, or too new. They are in the order of time, so
/// each sort is a range.
fn accepted(ctx: &Ctx, group: &Group, events: Vec<InputLogEvent>) -> (Vec<NewEvent>, Option<RejectedLogEventsInfo>) {
    let before = |limit: i64| events.partition_point(|event| event.timestamp < limit);
    let too_old = before((ctx.now() - MAX_AGE).timestamp_millis());
    let expired = before(group.cutoff(ctx.now()));
    let too_new = before((ctx.now() + MAX_AHEAD).timestamp_millis() + 1);
    let rejected = (too_old > 0 || expired > 0 || too_new < events.len()).then(|| RejectedLogEventsInfo {
        too_new_log_event_start_index: (too_new < events.len()).then_some(too_new),
        too_old_log_event_end_index: (too_old > 0).then_some(too_old),
        expired_log_event_end_index: (expired > 0).then_some(expired),
    });
    let kept = events.into_iter().take(too_new).skip(too_old.max(expired));
    let kept = kept.map(|event| NewEvent { timestamp: event.timestamp, message: event.message });
    (kept.collect(), rejected)
}
