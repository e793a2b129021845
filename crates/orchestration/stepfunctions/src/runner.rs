//! What drives executions: inputs come in, steps are made durable, then commands are carried out.
//!
//! The log is written before anything that it tells of is done, and a row of it holds the inputs beside the events, so that
//! after a crash the engine is fed the same inputs again. One task drives one execution; commits of all share their fsyncs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::Platform;
use boathouse_metadata::Key;
use boathouse_states::execution::{Happening, Input};
use boathouse_states::{About, Call, Command, Execution, Failure, Limits, Payload, Status};
use chrono::{DateTime, TimeZone, Utc};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::api::MachineType;
use crate::error::SfnError;
use crate::integrations;
use crate::store::{EXECUTIONS, HISTORY, OPEN, OPEN_EXPRESS, Standing, Step, StepFunctions, StoredExecution};
use crate::{events, logging, measures};

/// Bytes of inputs, outputs and results.
pub(crate) const MAX_PAYLOAD: usize = 262_144;
/// Events of a standard execution's history.
pub(crate) const MAX_EVENTS: u64 = 25_000;
/// Seconds that an express execution may last.
const EXPRESS_SECONDS: u64 = 300;
/// Inputs that one commit takes in.
const BATCH: usize = 64;

/// Something for a running execution.
pub(crate) struct Message {
    pub(crate) what: Happening,
    /// The token that whoever sends this knows the task by.
    pub(crate) token: Option<String>,
    /// The call whose answer this is.
    pub(crate) call: Option<Arc<Call>>,
    /// Told once this is durable: whether the task (or the execution) was still there.
    pub(crate) done: Option<oneshot::Sender<bool>>,
}

impl From<Happening> for Message {
    fn from(what: Happening) -> Self {
        Self { what, token: None, call: None, done: None }
    }
}

/// The executions that go on, by ARN.
#[derive(Default)]
pub(crate) struct Running(Mutex<HashMap<String, mpsc::UnboundedSender<Message>>>);

impl Running {
    /// Hands a message to an execution; gives it back if the execution is not running here.
    pub(crate) fn tell(&self, arn: &str, message: Message) -> Result<(), Message> {
        match self.0.lock().get(arn) {
            Some(sender) => sender.send(message).map_err(|error| error.0),
            None => Err(message),
        }
    }

    fn enter(&self, arn: &str) -> mpsc::UnboundedReceiver<Message> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.0.lock().insert(arn.to_owned(), sender);
        receiver
    }

    fn leave(&self, arn: &str) {
        self.0.lock().remove(arn);
    }
}

/// Tells a running execution and waits until it is durable: whether the task or execution was still there.
pub(crate) async fn tell_durably(state: &StepFunctions, arn: &str, message: Message) -> bool {
    let (sender, receiver) = oneshot::channel();
    let mut message = Message { done: Some(sender), ..message };
    // An execution is in its row a moment before it runs and a moment after.
    for _ in 0..100 {
        match state.running.tell(arn, message) {
            Ok(()) => return receiver.await.unwrap_or(false),
            Err(back) => message = back,
        }
        if !state.execution(arn).is_ok_and(|row| row.is_running()) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

fn millis(platform: &Platform) -> i64 {
    platform.clock.now().timestamp_millis()
}

fn input(platform: &Platform, what: Happening) -> Input {
    Input { at: millis(platform), seed: rand::random(), what }
}

fn time(millis: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(millis).single().unwrap_or_default()
}

/// The engine's execution of a row, not begun.
pub(crate) fn prepare(state: &StepFunctions, row: &StoredExecution, definition: &str) -> Result<Execution, SfnError> {
    let machine = state.compiled(&row.definition, definition, row.kind)?;
    let express = row.kind == MachineType::Express;
    let about = About {
        id: row.arn.clone(),
        name: row.name.clone(),
        machine_id: crate::names::unqualified(&row.machine_arn),
        machine_name: row.machine.clone(),
        role: row.role.clone(),
        region: state.platform.region.to_string(),
        started: time(row.started),
        limits: Limits {
            payload: MAX_PAYLOAD,
            events: if express { u64::MAX - 16 } else { MAX_EVENTS },
            seconds: express.then_some(EXPRESS_SECONDS),
        },
        redrivable: !express,
        history: !express || logging::wanted(&row.logging),
    };
    let input: Value = serde_json::from_str(&row.input).unwrap_or(Value::Null);
    Ok(Execution::new(machine, about, Payload::new(input)))
}

/// The first step of an execution. Nothing is durable yet.
pub(crate) fn begin(state: &StepFunctions, execution: &mut Execution) -> (Step, Vec<Command>) {
    advance(state, execution, Happening::Start)
}

/// The step that has the failed states run again. Nothing is durable yet.
pub(crate) fn redrive(state: &StepFunctions, execution: &mut Execution) -> (Step, Vec<Command>) {
    advance(state, execution, Happening::Redrive)
}

fn advance(state: &StepFunctions, execution: &mut Execution, what: Happening) -> (Step, Vec<Command>) {
    let input = input(&state.platform, what);
    let outcome = execution.step(&input);
    (Step { input, events: outcome.events }, outcome.commands)
}

/// Brings the row in step with the execution; whether that ended it.
pub(crate) fn settle(row: &mut StoredExecution, execution: &Execution, at: i64) -> bool {
    row.standing = Standing::from(execution.status());
    let ended = *execution.status() != Status::Running;
    row.stopped = ended.then_some(at);
    ended
}

pub(crate) fn history_key(row: &StoredExecution, sequence: u64) -> Key {
    row.key().with(&format!("{sequence:010}"))
}

pub(crate) fn encode(steps: &[Step]) -> Result<Vec<u8>, SfnError> {
    serde_json::to_vec(steps).map_err(|error| SfnError::Store(error.into()))
}

/// What a running execution consists of.
pub(crate) struct Driver {
    state: Arc<StepFunctions>,
    row: StoredExecution,
    execution: Execution,
    /// The number of the next row of the log.
    sequence: u64,
    inbox: mpsc::UnboundedReceiver<Message>,
    reply: Option<oneshot::Sender<StoredExecution>>,
}

/// Lets an execution go on whose steps so far are durable.
pub(crate) fn launch(
    state: &Arc<StepFunctions>,
    row: StoredExecution,
    execution: Execution,
    sequence: u64,
    commands: Vec<Command>,
    reply: Option<oneshot::Sender<StoredExecution>>,
) {
    let inbox = state.running.enter(&row.arn);
    let driver = Driver { state: Arc::clone(state), row, execution, sequence, inbox, reply };
    tokio::spawn(driver.run(commands));
}

impl Driver {
    async fn run(mut self, commands: Vec<Command>) {
        self.carry_out(commands);
        loop {
            let messages = self.wait().await;
            match self.take_in(messages).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    // The log has what was acknowledged; a restart goes on from there.
                    tracing::error!(execution = self.row.arn, %error, "the execution's log can't be written");
                    break;
                }
            }
        }
        self.state.running.leave(&self.row.arn);
        if let Some(reply) = self.reply {
            // Whoever asked may be gone.
            let _ = reply.send(self.row);
        }
    }

    /// The next messages, or a tick when one is due.
    async fn wait(&mut self) -> Vec<Message> {
        let due = self.execution.next_due();
        if due == Some(i64::MIN) {
            return vec![Happening::Tick.into()];
        }
        let clock = Arc::clone(&self.state.platform.clock);
        let tick = async {
            match due {
                Some(due) => clock.sleep_until(time(due)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(first) = self.inbox.recv() => {
                let mut messages = vec![first];
                while messages.len() < BATCH && let Ok(message) = self.inbox.try_recv() {
                    messages.push(message);
                }
                messages
            }
            () = tick => vec![Happening::Tick.into()],
        }
    }

    /// Steps with the messages, makes the steps durable, carries the commands out. Whether the execution has ended.
    async fn take_in(&mut self, messages: Vec<Message>) -> Result<bool, SfnError> {
        let (mut steps, mut commands, mut answers) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            let there = self.is_there(&message);
            answers.extend(message.done.map(|done| (done, there)));
            if !there {
                if let (Happening::Submitted { output, .. }, Some(call)) = (message.what, message.call) {
                    // The job began while its task ended.
                    integrations::cancel(&self.state, &self.row, call, output);
                }
                continue;
            }
            let (step, more) = advance(&self.state, &mut self.execution, message.what);
            commands.extend(more);
            steps.push(step);
        }
        let ended = settle(&mut self.row, &self.execution, steps.last().map_or(0, |step| step.input.at));
        if !steps.is_empty() {
            self.commit(&steps, ended).await?;
            measures::ended(&self.state.platform, &self.row);
        }
        for (done, there) in answers {
            // Whoever asked may be gone.
            let _ = done.send(there);
        }
        logging::log(&self.state, &self.row, &steps);
        self.carry_out(commands);
        Ok(ended)
    }

    /// Whether the task that a message is about is still there, and the sender knows its token.
    fn is_there(&self, message: &Message) -> bool {
        let (Happening::ActivityStarted { task, .. }
        | Happening::Submitted { task, .. }
        | Happening::Succeeded { task, .. }
        | Happening::Failed { task, .. }
        | Happening::Heartbeat { task }) = &message.what
        else {
            return *self.execution.status() == Status::Running;
        };
        let open = self.execution.open_tasks().into_iter().find(|open| open.call.task == *task);
        open.is_some_and(|open| message.token.is_none() || open.call.token == message.token)
    }

    async fn commit(&mut self, steps: &[Step], ended: bool) -> Result<(), SfnError> {
        if self.row.kind == MachineType::Express {
            if ended && self.reply.is_none() {
                let key = Key::new([&self.row.arn]);
                self.state
                    .metadata
                    .transaction(move |tx| tx.delete(OPEN_EXPRESS, &key).map_err(SfnError::from))
                    .await?;
            }
            return Ok(());
        }
        let (bytes, key) = (encode(steps)?, history_key(&self.row, self.sequence));
        self.sequence += 1;
        let end = ended.then(|| (self.row.clone(), events::standing(&self.state.platform, &self.row)));
        let teller = self.state.platform.events.clone();
        self.state
            .metadata
            .transaction(move |tx| {
                tx.put(HISTORY, &key, &bytes)?;
                if let Some((row, event)) = end {
                    tx.put_json(EXECUTIONS, &row.key(), &row)?;
                    tx.delete(OPEN, &row.key())?;
                    event.into_iter().try_for_each(|event| teller.tell(tx, event))?;
                }
                Ok(())
            })
            .await
    }

    fn carry_out(&self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Call(call) => integrations::start(&self.state, &self.row, call),
                Command::Cancel(call, submitted) => {
                    self.state.queues.forget(&self.row.arn, call.task);
                    self.state.watches.forget(&self.row.arn, call.task);
                    if let Some(output) = submitted {
                        integrations::cancel(&self.state, &self.row, call, (*output).clone());
                    }
                }
            }
        }
    }
}

/// Stops every execution of a machine that goes on.
pub(crate) async fn stop_all(state: &StepFunctions, machine: &str) {
    let rows = state.metadata.scan(OPEN, &Key::new([machine]), None, usize::MAX >> 1).unwrap_or_default();
    for row in rows {
        let arn = crate::names::execution_arn(&state.platform.region, machine, &row.key.last());
        tell_durably(state, &arn, Happening::Stop(Failure::default()).into()).await;
    }
}

/// The execution of a row as its log tells it, and the number of the log's next row.
pub(crate) fn replay(state: &StepFunctions, row: &StoredExecution) -> Result<(Execution, u64), SfnError> {
    let definition = state.definition(&row.definition)?;
    let mut execution = prepare(state, row, &definition)?;
    let rows = state.metadata.scan(HISTORY, &row.key(), None, usize::MAX >> 1)?;
    let mut next = 0;
    for entry in rows {
        next = entry.key.last().parse::<u64>().map_or(next, |sequence| sequence + 1);
        for step in entry.json::<Vec<Step>>()? {
            let events = execution.step(&step.input).events;
            if events != step.events {
                let message = format!("the log of {} is not what this version makes of its inputs", row.arn);
                return Err(SfnError::Aws(boathouse_aws::AwsError::internal(message)));
            }
        }
    }
    Ok((execution, next))
}

/// Takes up what an earlier process did not finish.
///
/// # Errors
/// The store can't be read. An execution that can't be taken up is logged and left alone.
pub fn recover(state: &Arc<StepFunctions>) -> Result<(), SfnError> {
    crate::jobs::listen(state);
    crate::retention::keep_up(state);
    for entry in state.metadata.scan(OPEN, &Key::default(), None, usize::MAX >> 1)? {
        let row: Option<StoredExecution> = state.metadata.get_json(EXECUTIONS, &entry.key)?;
        let Some(row) = row else { continue };
        match replay(state, &row) {
            Ok((execution, sequence)) => resume(state, row, execution, sequence),
            Err(error) => tracing::error!(execution = row.arn, %error, "the execution can't be taken up"),
        }
    }
    for entry in state.metadata.scan(OPEN_EXPRESS, &Key::default(), None, usize::MAX >> 1)? {
        let row: StoredExecution = entry.json()?;
        // Asynchronous express executions run at least once: this one begins again.
        let prepared = state.definition(&row.definition).and_then(|definition| prepare(state, &row, &definition));
        match prepared {
            Ok(mut execution) => {
                let (step, commands) = begin(state, &mut execution);
                logging::log(state, &row, &[step]);
                launch(state, row, execution, 1, commands, None);
            }
            Err(error) => tracing::error!(execution = row.arn, %error, "the express execution can't be taken up"),
        }
    }
    Ok(())
}

fn resume(state: &Arc<StepFunctions>, row: StoredExecution, execution: Execution, sequence: u64) {
    tracing::info!(execution = row.arn, events = execution.events(), "the execution goes on after a restart");
    let open = execution.open_tasks();
    launch(state, row.clone(), execution, sequence, Vec::new(), None);
    for task in open {
        match task.submitted {
            Some(output) => integrations::follow(state, &row, task.call, &output),
            None if task.taken => {}
            None => integrations::start(state, &row, task.call),
        }
    }
}
