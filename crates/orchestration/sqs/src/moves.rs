//! Message move tasks: dead letters back to where they came from, or elsewhere (StartMessageMoveTask and its companions).

use std::collections::HashSet;
use std::sync::Arc;

use boathouse_aws::{AwsError, Ctx, Platform};
use boathouse_metadata::{Key, Transaction};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{CancelMessageMoveTask, ListMessageMoveTasks, StartMessageMoveTask};
use crate::error::SqsError;
use crate::message::Message;
use crate::redrive;
use crate::shelf::{self, Shelf, State, next_sequence};
use crate::store::{Queue, Sqs, name_in_arn};

/// `(source queue, start time, handle)` → [`Task`].
const TASKS: &str = "sqs-move-tasks";
/// Messages that a step moves: all writers wait for it.
const STEP: usize = 50;
/// The fastest that a caller can ask for, in messages a second.
const FASTEST: i64 = 500;
/// Tasks that are listed at once.
const LISTED: i64 = 10;

/// A task's row.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Task {
    handle: String,
    source: String,
    source_arn: String,
    destination_arn: Option<String>,
    /// Messages a second.
    rate: Option<i64>,
    status: Status,
    moved: usize,
    to_move: usize,
    /// Milliseconds since 1970.
    started: i64,
    failure: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Status {
    Running,
    Completed,
    Cancelled,
    Failed,
}

impl Task {
    fn key(&self) -> Key {
        Key::new([&self.source, &format!("{:016x}", self.started), &self.handle])
    }

    fn running(&self) -> bool {
        self.status == Status::Running
    }
}

fn no_source() -> SqsError {
    let message = "The resource that you specified for the SourceArn parameter doesn't exist.";
    let error = AwsError::new("ResourceNotFoundException", http::StatusCode::NOT_FOUND, message);
    SqsError::Aws(error.with_query_code("ResourceNotFoundException"))
}

fn tasks_in(tx: &Transaction<'_>, source: &str) -> Result<Vec<Task>, SqsError> {
    let rows = tx.scan(TASKS, &Key::new([source]), None, usize::MAX >> 1)?;
    Ok(rows.iter().map(|row| row.json()).collect::<Result<_, _>>()?)
}

pub(crate) async fn start(ctx: Ctx, state: Arc<Sqs>, input: StartMessageMoveTask) -> Result<Value, SqsError> {
    let StartMessageMoveTask { source_arn, destination_arn, max_number_of_messages_per_second: rate } = input;
    if let Some(rate) = rate.filter(|rate| !(1..=FASTEST).contains(rate)) {
        let reason = format!("Must be between 1 and {FASTEST}, if provided.");
        return Err(SqsError::invalid("MaxNumberOfMessagesPerSecond", rate, &reason));
    }
    let source = source_of(&ctx, &state, &source_arn, "sqs:StartMessageMoveTask")?;
    for action in ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"] {
        state.authorize(&ctx, action, &source_arn, source.attributes.policy.as_deref())?;
    }
    let queues = state.queues()?;
    let sources = redrive::sources(&queues, &source_arn);
    if sources.is_empty() {
        return Err(SqsError::InvalidParameter("Source queue must be configured as a Dead Letter Queue.".into()));
    }
    let destinations: Vec<&Queue> = match &destination_arn {
        None => sources,
        Some(arn) => queues.iter().filter(|queue| queue.arn(ctx.region()) == *arn).collect(),
    };
    if destinations.is_empty() {
        let message = "The resource that you specified for the DestinationArn parameter doesn't exist.";
        let error = AwsError::new("ResourceNotFoundException", http::StatusCode::NOT_FOUND, message);
        return Err(SqsError::Aws(error.with_query_code("ResourceNotFoundException")));
    }
    for queue in destinations {
        state.authorize(&ctx, "sqs:SendMessage", &queue.arn(ctx.region()), queue.attributes.policy.as_deref())?;
        if queue.is_fifo() != source.is_fifo() || queue.name == source.name {
            let reason = "The destination must be another queue of the same type.";
            return Err(SqsError::invalid("DestinationArn", queue.arn(ctx.region()), reason));
        }
    }
    let now = ctx.now();
    let to_move = shelf::visible(&state.metadata, &source.shelf, now.timestamp_micros())?;
    let task = Task {
        handle: Uuid::new_v4().to_string(),
        source: source.name,
        source_arn,
        destination_arn,
        rate,
        status: Status::Running,
        moved: 0,
        to_move,
        started: now.timestamp_millis(),
        failure: None,
    };
    let made = task.clone();
    state
        .metadata
        .transaction(move |tx| {
            if tasks_in(tx, &made.source)?.iter().any(Task::running) {
                let message = "There is already a task running. Only one active task is allowed for a source queue arn at a \
                               given time.";
                return Err(SqsError::Unsupported(message.into()));
            }
            tx.put_json(TASKS, &made.key(), &made)?;
            Ok(())
        })
        .await?;
    let answer = json!({"TaskHandle": task.handle});
    spawn(&ctx.platform, &state, task);
    Ok(answer)
}

/// The queue of an ARN, if the caller may do this with it.
fn source_of(ctx: &Ctx, state: &Sqs, arn: &str, action: &str) -> Result<Queue, SqsError> {
    let name = name_in_arn(ctx.region(), arn).ok_or_else(no_source)?;
    match state.named(ctx, name, action) {
        Err(SqsError::NoSuchQueue) => Err(no_source()),
        found => found,
    }
}

pub(crate) async fn cancel(ctx: Ctx, state: Arc<Sqs>, input: CancelMessageMoveTask) -> Result<Value, SqsError> {
    let missing = || {
        let message = "The task that you specified with TaskHandle doesn't exist or is not running.";
        let error = AwsError::new("ResourceNotFoundException", http::StatusCode::NOT_FOUND, message);
        SqsError::Aws(error.with_query_code("ResourceNotFoundException"))
    };
    let rows = state.metadata.scan(TASKS, &Key::default(), None, usize::MAX >> 1)?;
    let tasks = rows.iter().map(|row| row.json()).collect::<Result<Vec<Task>, _>>()?;
    let task = tasks.into_iter().find(|task| task.handle == input.task_handle).ok_or_else(missing)?;
    source_of(&ctx, &state, &task.source_arn, "sqs:CancelMessageMoveTask")?;
    state
        .metadata
        .transaction(move |tx| {
            let present: Option<Task> = tx.get_json(TASKS, &task.key())?;
            let task = present.filter(Task::running).ok_or_else(missing)?;
            let moved = task.moved;
            tx.put_json(TASKS, &task.key(), &Task { status: Status::Cancelled, ..task.clone() })?;
            Ok(json!({"ApproximateNumberOfMessagesMoved": moved}))
        })
        .await
}

pub(crate) async fn list(ctx: Ctx, state: Arc<Sqs>, input: ListMessageMoveTasks) -> Result<Value, SqsError> {
    let limit = input.max_results.unwrap_or(1);
    if !(1..=LISTED).contains(&limit) {
        return Err(SqsError::invalid("MaxResults", limit, "Must be between 1 and 10, if provided."));
    }
    let source = source_of(&ctx, &state, &input.source_arn, "sqs:ListMessageMoveTasks")?;
    let rows = state.metadata.scan(TASKS, &Key::new([&source.name]), None, usize::MAX >> 1)?;
    let newest = rows.iter().rev().take(limit as usize);
    let shown = newest.map(|row| Ok(shown(&row.json()?))).collect::<Result<Vec<Value>, SqsError>>()?;
    Ok(json!({"Results": shown}))
}

fn shown(task: &Task) -> Value {
    let mut shown = json!({
        "Status": task.status,
        "SourceArn": task.source_arn,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "StartedTimestamp": task.started,
    });
    let members = [
        ("TaskHandle", task.running().then(|| json!(task.handle))),
        ("DestinationArn", task.destination_arn.as_ref().map(|arn| json!(arn))),
        ("MaxNumberOfMessagesPerSecond", task.rate.map(|rate| json!(rate))),
        ("FailureReason", task.failure.as_ref().map(|reason| json!(reason))),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            shown[name] = value;
        }
    }
    shown
}

/// Goes on with the tasks that an earlier process left.
///
/// # Errors
/// The store can't be read.
pub fn recover(platform: &Platform, state: &Arc<Sqs>) -> Result<(), SqsError> {
    for row in state.metadata.scan(TASKS, &Key::default(), None, usize::MAX >> 1)? {
        let task: Task = row.json()?;
        if task.running() {
            spawn(platform, state, task);
        }
    }
    Ok(())
}

fn spawn(platform: &Platform, state: &Arc<Sqs>, task: Task) {
    let (platform, state) = (platform.clone(), Arc::clone(state));
    tokio::spawn(async move {
        let clock = &platform.clock;
        // With a rate, each step moves what may be moved in a second.
        let count = task.rate.map_or(STEP, |rate| rate as usize);
        loop {
            let (owner, key, region) = (Arc::clone(&state), task.key(), Arc::clone(&platform.region));
            let now = clock.now().timestamp_micros();
            let step = state.metadata.transaction(move |tx| step(tx, &owner, &key, &region, now, count)).await;
            match step {
                Ok(true) if task.rate.is_none() => tokio::task::yield_now().await,
                Ok(true) => clock.sleep_until(clock.now() + TimeDelta::seconds(1)).await,
                Ok(false) => return,
                Err(error) => {
                    tracing::error!(%error, source = task.source, "a message move task can't go on; again in a moment");
                    clock.sleep_until(clock.now() + TimeDelta::seconds(5)).await;
                }
            }
        }
    });
}

/// Moves some messages, and keeps how far the task has got. Says whether it goes on.
fn step(
    tx: &Transaction<'_>,
    owner: &Arc<Sqs>,
    key: &Key,
    region: &str,
    now: i64,
    count: usize,
) -> Result<bool, SqsError> {
    let Some(mut task) = tx.get_json::<Task>(TASKS, key)?.filter(Task::running) else {
        return Ok(false); // cancelled
    };
    match redrive::target_in(tx, region, &task.source_arn)? {
        None => fail(&mut task, "AWS.SimpleQueueService.NonExistentQueue"),
        Some(source) => {
            for _ in 0..count {
                match move_one(tx, owner, &source, task.destination_arn.as_deref(), region, now)? {
                    Moved::One => task.moved += 1,
                    Moved::Nothing => {
                        task.status = Status::Completed;
                        break;
                    }
                    Moved::Failed(reason) => {
                        fail(&mut task, reason);
                        break;
                    }
                }
            }
        }
    }
    tx.put_json(TASKS, key, &task)?;
    Ok(task.running())
}

fn fail(task: &mut Task, reason: &str) {
    task.status = Status::Failed;
    task.failure = Some(reason.to_owned());
}

enum Moved {
    One,
    Nothing,
    Failed(&'static str),
}

fn move_one(
    tx: &Transaction<'_>,
    owner: &Arc<Sqs>,
    source: &Queue,
    destination: Option<&str>,
    region: &str,
    now: i64,
) -> Result<Moved, SqsError> {
    let shelf = Shelf::new(tx, &source.shelf);
    let nobody = HashSet::new();
    let next = match source.is_fifo() {
        true => shelf.whose_turn(now, &nobody)?.map(|group| shelf.group(&group, 1)).transpose()?.unwrap_or_default(),
        false => shelf.visible(now, 1, &nobody)?,
    };
    let Some(sequence) = next.into_iter().next() else { return Ok(Moved::Nothing) };
    let (Some(state), Some(message)) = (shelf.state(&sequence)?, shelf.message(&sequence)?) else {
        return Ok(Moved::Nothing);
    };
    let Some(arn) = destination.or(message.source_arn.as_deref()) else {
        return Ok(Moved::Failed("CouldNotDetermineMessageSource"));
    };
    let Some(target) = redrive::target_in(tx, region, arn)? else {
        return Ok(Moved::Failed("AWS.SimpleQueueService.NonExistentQueue"));
    };
    shelf.remove(&sequence, &state)?;
    if let (true, Some(group)) = (source.is_fifo(), &state.group) {
        shelf.give_turn(group)?;
    }
    // It counts as a new message.
    let id = Uuid::new_v4().to_string();
    let moved = Message { id, source_arn: None, ..message };
    let fresh = State {
        sent: now / 1000,
        due: now,
        received: 0,
        received_here: 0,
        first_received: None,
        last_received: 0,
        group: state.group,
    };
    Shelf::new(tx, &target.shelf).put(&next_sequence(tx)?, &moved, &fresh, target.is_fifo())?;
    let owner = Arc::clone(owner);
    tx.after_commit(move || owner.bells.ring(&target.name));
    Ok(Moved::One)
}
