//! ReceiveMessage: takes visible messages out of sight, moves those received too often to the dead-letter queue, and waits
//! for messages without asking again and again.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_metadata::Transaction;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::api::{AttributeValue, ReceiveMessage};
use crate::error::SqsError;
use crate::measures;
use crate::message::{self, Message};
use crate::receipt::Receipt;
use crate::redrive;
use crate::shelf::{self, MAX_TAKEN, Shelf, State, next_sequence};
use crate::store::{Queue, Sqs, queue_in};

/// Messages of a queue that may be in flight.
const MAX_IN_FLIGHT: usize = 120_000;
/// The longest that a message can be out of sight, in seconds.
pub(crate) const LONGEST_TIMEOUT: i64 = 43_200;
/// How often one look goes on to further messages because those before have expired or are dead letters. All writers wait
/// for it; what is left waits for the next look.
const ROUNDS: usize = 100;
/// System attributes of messages.
const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

/// What a receive wants.
struct Wish {
    count: usize,
    /// Seconds; the queue's own if none.
    visibility_timeout: Option<i64>,
    system_attributes: Vec<String>,
    attributes: Vec<String>,
}

/// A message that somebody gets.
struct Taken {
    sequence: String,
    message: Message,
    state: State,
    receipt: Receipt,
}

/// What one look at the queue brings.
enum Look {
    Taken(Vec<Taken>),
    /// There are too many messages in flight.
    Full,
}

pub(crate) async fn receive(ctx: Ctx, state: Arc<Sqs>, input: ReceiveMessage) -> Result<Value, SqsError> {
    let queue = state.open(&ctx, &input.queue_url, "sqs:ReceiveMessage")?;
    let wait = input.wait_time_seconds.unwrap_or(i64::from(queue.attributes.receive_message_wait_time_seconds));
    let wish = Arc::new(check(&queue, input)?);
    if !(0..=20).contains(&wait) {
        return Err(SqsError::invalid("WaitTimeSeconds", wait, "Must be >= 0 and <= 20, if provided."));
    }
    let deadline = ctx.now() + TimeDelta::seconds(wait);
    let clock = Arc::clone(&ctx.platform.clock);
    let bell = state.bells.of(&queue.name);
    loop {
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        let queue = state.present(&queue.name)?;
        let next = shelf::next_due(&state.metadata, &queue)?.and_then(DateTime::from_timestamp_micros);
        let now = ctx.now();
        if next.is_some_and(|next| next <= now) {
            match look(&ctx, &state, &queue, &wish).await? {
                Look::Taken(taken) if taken.is_empty() => {} // others were quicker, or what there was had expired
                Look::Taken(taken) => {
                    measures::count(&ctx.platform, measures::RECEIVED, &queue.name, taken.len());
                    return Ok(answer(&queue, taken, &wish));
                }
                Look::Full if wait == 0 && !queue.is_fifo() => {
                    let name = &queue.name;
                    let message = format!("{name} has {MAX_IN_FLIGHT} messages in flight, which is the limit.");
                    return Err(SqsError::OverLimit(message));
                }
                Look::Full => return Ok(json!({})),
            }
            if now < deadline {
                continue;
            }
        }
        if now >= deadline {
            return Ok(json!({}));
        }
        let until: DateTime<Utc> = next.map_or(deadline, |next| next.min(deadline));
        tokio::select! {
            () = rung => {}
            () = clock.sleep_until(until) => {}
        }
    }
}

fn check(queue: &Queue, input: ReceiveMessage) -> Result<Wish, SqsError> {
    let count = input.max_number_of_messages.unwrap_or(1);
    let count = usize::try_from(count)
        .ok()
        .filter(|count| (1..=MAX_TAKEN).contains(count))
        .ok_or_else(|| SqsError::invalid("MaxNumberOfMessages", count, "Must be between 1 and 10, if provided."))?;
    if let Some(timeout) = input.visibility_timeout.filter(|timeout| !(0..=LONGEST_TIMEOUT).contains(timeout)) {
        let reason = format!("Must be >= 0 and <= {LONGEST_TIMEOUT}, if provided.");
        return Err(SqsError::invalid("VisibilityTimeout", timeout, &reason));
    }
    if input.receive_request_attempt_id.is_some() {
        if !queue.is_fifo() {
            let reason = "The request include parameter that is not valid for this queue type.";
            return Err(SqsError::InvalidParameter(format!("ReceiveRequestAttemptId is invalid. Reason: {reason}")));
        }
        return Err(SqsError::NotImplemented("ReceiveRequestAttemptId".into()));
    }
    let system_attributes = [input.attribute_names, input.message_system_attribute_names].concat();
    if let Some(unknown) = system_attributes.iter().find(|name| !SYSTEM_ATTRIBUTES.contains(&name.as_str())) {
        return Err(SqsError::InvalidAttributeName(unknown.clone()));
    }
    Ok(Wish {
        count,
        visibility_timeout: input.visibility_timeout,
        system_attributes,
        attributes: input.message_attribute_names,
    })
}

impl Sqs {
    /// The queue as it is now.
    fn present(&self, name: &str) -> Result<Queue, SqsError> {
        let key = boathouse_metadata::Key::new([name]);
        self.metadata.get_json(crate::store::QUEUES, &key)?.ok_or(SqsError::NoSuchQueue)
    }

    /// How many more messages may go into flight, at most `wanted`. They are counted only when what is left of the last
    /// count is used up: as long as that lasts, the limit can't be reached.
    fn room(&self, shelf: &Shelf<'_>, name: &str, now: i64, wanted: usize) -> Result<usize, SqsError> {
        let mut rooms = self.rooms.lock();
        let left = rooms.entry(name.to_owned()).or_default();
        if *left < wanted {
            *left = MAX_IN_FLIGHT.saturating_sub(shelf.in_flight(now, MAX_IN_FLIGHT)?);
        }
        let granted = wanted.min(*left);
        *left -= granted;
        Ok(granted)
    }
}

/// Takes what can be had now.
async fn look(ctx: &Ctx, state: &Arc<Sqs>, queue: &Queue, wish: &Arc<Wish>) -> Result<Look, SqsError> {
    let (owner, wish, name) = (Arc::clone(state), Arc::clone(wish), queue.name.clone());
    let (region, now) = (ctx.region().to_owned(), ctx.now().timestamp_micros());
    state
        .metadata
        .transaction(move |tx| {
            let queue = queue_in(tx, &name)?;
            let shelf = Shelf::new(tx, &queue.shelf);
            let count = owner.room(&shelf, &queue.shelf, now, wish.count)?;
            if count == 0 {
                return Ok(Look::Full);
            }
            let timeout = wish.visibility_timeout.unwrap_or(i64::from(queue.attributes.visibility_timeout));
            let taker = Taker { tx, owner: &owner, queue: &queue, shelf, region: &region, now, timeout };
            let taken = if queue.is_fifo() { taker.by_group(count)? } else { taker.by_time(count)? };
            Ok(Look::Taken(taken))
        })
        .await
}

/// Takes messages inside a transaction.
struct Taker<'a> {
    tx: &'a Transaction<'a>,
    owner: &'a Arc<Sqs>,
    queue: &'a Queue,
    shelf: Shelf<'a>,
    region: &'a str,
    now: i64,
    /// Seconds.
    timeout: i64,
}

impl Taker<'_> {
    /// From a standard queue.
    fn by_time(&self, count: usize) -> Result<Vec<Taken>, SqsError> {
        let (mut taken, mut passed) = (Vec::new(), HashSet::new());
        for _ in 0..ROUNDS {
            let visible = self.shelf.visible(self.now, count - taken.len(), &passed)?;
            if visible.is_empty() {
                break;
            }
            for sequence in visible {
                passed.insert(sequence.clone());
                taken.extend(self.take(sequence)?);
            }
        }
        Ok(taken)
    }

    /// From a FIFO queue: as many as possible of one group, then of the next.
    fn by_group(&self, count: usize) -> Result<Vec<Taken>, SqsError> {
        let (mut taken, mut passed) = (Vec::new(), HashSet::new());
        for _ in 0..ROUNDS {
            let Some(group) = self.shelf.whose_turn(self.now, &passed)?.filter(|_| taken.len() < count) else {
                break;
            };
            for sequence in self.shelf.group(&group, count - taken.len())? {
                if self.shelf.state(&sequence)?.is_some_and(|state| state.due > self.now) {
                    passed.insert(group.clone()); // new, and delayed
                    break;
                }
                if let Some(one) = self.take(sequence)? {
                    taken.push(one);
                    passed.insert(group.clone());
                }
            }
            self.shelf.give_turn(&group)?;
        }
        Ok(taken)
    }

    /// Takes a message, unless it has expired or was received too often.
    fn take(&self, sequence: String) -> Result<Option<Taken>, SqsError> {
        let (Some(old), Some(message)) = (self.shelf.state(&sequence)?, self.shelf.message(&sequence)?) else {
            return Ok(None);
        };
        if old.expired(self.queue, self.now) {
            self.shelf.remove(&sequence, &old)?;
            return Ok(None);
        }
        if self.bury(&sequence, &old, &message)? {
            return Ok(None);
        }
        let state = State {
            due: self.now + self.timeout * 1_000_000,
            received: old.received + 1,
            received_here: old.received_here + 1,
            first_received: old.first_received.or(Some(self.now / 1000)),
            last_received: self.now,
            ..old.clone()
        };
        self.shelf.change(&sequence, &old, &state)?;
        let (shelf, receive) = (self.queue.shelf.clone(), state.received_here);
        let receipt = Receipt { shelf, sequence: sequence.clone(), receive };
        Ok(Some(Taken { sequence, message, state, receipt }))
    }

    /// Moves a message that was received too often to the dead-letter queue. Without such a queue it stays.
    fn bury(&self, sequence: &str, old: &State, message: &Message) -> Result<bool, SqsError> {
        let Some(policy) = &self.queue.attributes.redrive_policy else { return Ok(false) };
        if old.received_here < policy.max_receive_count {
            return Ok(false);
        }
        let Some(target) = redrive::target_in(self.tx, self.region, &policy.dead_letter_target_arn)? else {
            return Ok(false);
        };
        self.shelf.remove(sequence, old)?;
        // A dead letter of a standard queue keeps its age; in a FIFO queue it begins anew.
        let sent = if target.is_fifo() { self.now / 1000 } else { old.sent };
        let state = State { sent, due: self.now, received_here: 0, ..old.clone() };
        let letter = Message { source_arn: Some(self.queue.arn(self.region)), ..message.clone() };
        Shelf::new(self.tx, &target.shelf).put(&next_sequence(self.tx)?, &letter, &state, target.is_fifo())?;
        let owner = Arc::clone(self.owner);
        self.tx.after_commit(move || owner.bells.ring(&target.name));
        Ok(true)
    }
}

fn answer(queue: &Queue, taken: Vec<Taken>, wish: &Wish) -> Value {
    let messages: Vec<Value> = taken.into_iter().map(|one| shown(queue, one, wish)).collect();
    json!({"Messages": messages})
}

fn shown(queue: &Queue, taken: Taken, wish: &Wish) -> Value {
    let system = system_attributes(queue, &taken, &wish.system_attributes);
    let Taken { message, receipt, .. } = taken;
    let mut attributes = message.attributes;
    attributes.retain(|name, _| wish.attributes.iter().any(|wanted| matches(wanted, name)));
    let mut shown = json!({
        "MessageId": message.id,
        "ReceiptHandle": receipt.handle(),
        "MD5OfBody": message::body_digest(&message.body),
        "Body": message.body,
    });
    if !system.is_empty() {
        shown["Attributes"] = json!(system);
    }
    if let Some(digest) = message::attributes_digest(&attributes) {
        shown["MD5OfMessageAttributes"] = json!(digest);
        shown["MessageAttributes"] = json!(attributes as BTreeMap<String, AttributeValue>);
    }
    shown
}

/// Whether a wanted name, which may end in `.*`, means this one.
fn matches(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(prefix) => name.starts_with(prefix),
        None => wanted == "All" || wanted == name,
    }
}

fn system_attributes(queue: &Queue, taken: &Taken, wanted: &[String]) -> BTreeMap<&'static str, String> {
    let Taken { sequence, message, state, .. } = taken;
    let all = [
        ("SenderId", Some(message.sender.clone())),
        ("SentTimestamp", Some(state.sent.to_string())),
        ("ApproximateReceiveCount", Some(state.received.to_string())),
        ("ApproximateFirstReceiveTimestamp", state.first_received.map(|time| time.to_string())),
        ("SequenceNumber", queue.is_fifo().then(|| sequence.clone())),
        ("MessageDeduplicationId", message.deduplication_id.clone()),
        ("MessageGroupId", message.group.clone()),
        ("AWSTraceHeader", message.trace_header.clone()),
        ("DeadLetterQueueSourceArn", message.source_arn.clone()),
    ];
    let asked = |name: &str| wanted.iter().any(|wanted| wanted == "All" || wanted == name);
    all.into_iter().filter(|(name, _)| asked(name)).filter_map(|(name, value)| Some((name, value?))).collect()
}
