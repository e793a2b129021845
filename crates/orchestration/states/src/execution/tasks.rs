//! Tasks: scheduling them and what happens to them.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::moment::Moment;
use super::view::Extra;
use super::{Call, Command, Execution, Phase, Running, Status, ThreadId};
use crate::definition::{Pattern, Resource, State, Task};
use crate::failure::{Failure, Trouble, names};
use crate::history::{Details, EventType, Payload};

/// A task token's parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenParts {
    /// The execution's ARN.
    pub execution: String,
    /// The task.
    pub task: u64,
}

/// Reads a task token.
pub fn read_token(token: &str) -> Option<TokenParts> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let (execution, task, _): (String, u64, String) = serde_json::from_slice(&bytes).ok()?;
    Some(TokenParts { execution, task })
}

/// The service and action as the history writes them.
fn names_of(resource: &Resource) -> (Option<String>, String) {
    match resource {
        Resource::Lambda { arn } | Resource::Activity { arn } => (None, arn.clone()),
        Resource::Integration { service, action, pattern } => {
            (Some(service.clone()), format!("{action}{}", pattern.suffix()))
        }
    }
}

/// What the size error calls the task.
fn shown(resource: &Resource) -> &str {
    match resource {
        Resource::Lambda { arn } | Resource::Activity { arn } => arn,
        Resource::Integration { service, .. } => service,
    }
}

impl Execution {
    pub(super) fn schedule(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        state: &State,
        task: &Task,
    ) -> Result<(), Trouble> {
        let event = self.last_event + 1;
        let waits = matches!(
            &*task.resource,
            Resource::Activity { .. } | Resource::Integration { pattern: Pattern::WaitForTaskToken, .. }
        );
        let token = waits.then(|| {
            let secret = moment.rng.uuid().simple().to_string();
            BASE64_URL_SAFE_NO_PAD.encode(json!([self.about.id, event, secret]).to_string())
        });
        let extra = Extra { token: token.as_deref(), ..Extra::default() };
        let parameters = Payload::new(self.arguments_with(moment, id, state, extra)?);
        let too_large = parameters.text().as_str().len() > self.about.limits.payload;
        if too_large {
            return Err(Trouble::too_large(shown(&task.resource)));
        }
        let timeout = task.timeout.as_ref().map(|amount| self.amount(moment, id, amount)).transpose()?;
        let heartbeat = task.heartbeat.as_ref().map(|amount| self.amount(moment, id, amount)).transpose()?;
        let credentials = self.credentials(moment, id, task)?;
        self.tell_scheduled(moment, id, task, &parameters, (timeout, heartbeat, credentials.clone()));
        let call = Arc::new(Call { task: event, resource: Arc::clone(&task.resource), parameters, token, credentials });
        let activity = matches!(&*task.resource, Resource::Activity { .. });
        let millis = moment.millis();
        self.current_mut(id).phase = Phase::Task(Box::new(Running {
            call: Arc::clone(&call),
            deadline: timeout.map(|seconds| millis + seconds as i64 * 1000),
            // An activity's heart beats from when a worker took it.
            heartbeat: heartbeat.map(|seconds| {
                let every = seconds as i64 * 1000;
                (every, if activity { i64::MAX } else { millis + every })
            }),
            submitted: None,
            taken: false,
        }));
        moment.commands.push(Command::Call(call));
        Ok(())
    }

    fn credentials(&self, moment: &Moment, id: ThreadId, task: &Task) -> Result<Option<String>, Trouble> {
        let Some(template) = &task.credentials else { return Ok(None) };
        let value = self.evaluate(moment, id, Extra::default(), template)?;
        match value.get("RoleArn").and_then(Value::as_str) {
            Some(role) => Ok(Some(role.to_owned())),
            None => Err(Trouble::runtime("The field 'RoleArn' of 'Credentials' must be a string")),
        }
    }

    fn tell_scheduled(
        &mut self,
        moment: &mut Moment,
        id: ThreadId,
        task: &Task,
        parameters: &Payload,
        (timeout, heartbeat, credentials): (Option<u64>, Option<u64>, Option<String>),
    ) {
        let (resource_type, resource) = names_of(&task.resource);
        let text = self.text(parameters);
        let common = Details { resource: Some(resource), timeout, credentials, ..Details::default() };
        match &*task.resource {
            Resource::Lambda { .. } => {
                let details = Details { input: text, ..common };
                self.tell(moment, id, EventType::LambdaFunctionScheduled, details);
                self.tell(moment, id, EventType::LambdaFunctionStarted, Details::default());
            }
            Resource::Activity { .. } => {
                let details = Details { input: text, heartbeat, ..common };
                self.tell(moment, id, EventType::ActivityScheduled, details);
            }
            Resource::Integration { .. } => {
                let region = Some(self.about.region.clone());
                let started = Details {
                    resource: common.resource.clone(),
                    resource_type: resource_type.clone(),
                    ..Details::default()
                };
                let details = Details { parameters: text, region, resource_type, heartbeat, ..common };
                self.tell(moment, id, EventType::TaskScheduled, details);
                self.tell(moment, id, EventType::TaskStarted, started);
            }
        }
    }

    /// The thread whose task this is, unless the task is over.
    fn thread_of(&self, task: u64) -> Option<ThreadId> {
        let of = |running: &Running| running.call.task == task;
        let found = self
            .threads
            .iter()
            .find(|(_, thread)| thread.current.as_ref().and_then(|current| current.running()).is_some_and(of));
        found.map(|(id, _)| *id)
    }

    fn running_mut(&mut self, id: ThreadId) -> Option<&mut Running> {
        match &mut self.current_mut(id).phase {
            Phase::Task(running) => Some(running),
            _ => None,
        }
    }

    pub(super) fn activity_started(&mut self, moment: &mut Moment, task: u64, worker: Option<String>) {
        let Some(id) = self.thread_of(task) else { return };
        let millis = moment.millis();
        let Some(running) = self.running_mut(id).filter(|running| !running.taken) else { return };
        running.taken = true;
        if let Some((every, due)) = &mut running.heartbeat {
            *due = millis + *every;
        }
        self.tell(moment, id, EventType::ActivityStarted, Details { worker, ..Details::default() });
    }

    pub(super) fn heartbeat(&mut self, moment: &Moment, task: u64) {
        let Some(id) = self.thread_of(task) else { return };
        if let Some((every, due)) = self.running_mut(id).and_then(|running| running.heartbeat.as_mut()) {
            *due = moment.millis() + *every;
        }
    }

    pub(super) fn submitted(&mut self, moment: &mut Moment, task: u64, output: Value) {
        let Some(id) = self.thread_of(task) else { return };
        let payload = Payload::new(output);
        let Some(running) = self.running_mut(id).filter(|running| running.submitted.is_none()) else { return };
        running.submitted = Some(Arc::new(payload.value().clone()));
        let (resource_type, resource) = names_of(&running.call.resource);
        let output = self.text(&payload);
        let details = Details { output, resource_type, resource: Some(resource), ..Details::default() };
        self.tell(moment, id, EventType::TaskSubmitted, details);
    }

    pub(super) fn succeeded(&mut self, moment: &mut Moment, task: u64, output: Value) {
        let Some(id) = self.thread_of(task) else { return };
        let Some(call) = self.running_mut(id).map(|running| Arc::clone(&running.call)) else { return };
        let output = Payload::new(output);
        if output.text().as_str().len() > self.about.limits.payload {
            let trouble = Trouble::too_large(shown(&call.resource));
            return self.end_badly(moment, id, Failure::new(trouble.error, trouble.cause));
        }
        let (resource_type, resource) = names_of(&call.resource);
        let text = self.text(&output);
        let (kind, details) = match &*call.resource {
            Resource::Lambda { .. } => {
                (EventType::LambdaFunctionSucceeded, Details { output: text, ..Details::default() })
            }
            Resource::Activity { .. } => (EventType::ActivitySucceeded, Details { output: text, ..Details::default() }),
            Resource::Integration { .. } => (
                EventType::TaskSucceeded,
                Details { output: text, resource_type, resource: Some(resource), ..Details::default() },
            ),
        };
        self.tell(moment, id, kind, details);
        self.current_mut(id).phase = Phase::Ready;
        if let Err(trouble) = self.complete(moment, id, Some(output.value().clone())) {
            self.trouble(moment, id, trouble);
        }
    }

    pub(super) fn task_failed(&mut self, moment: &mut Moment, task: u64, failure: Failure) {
        if let Some(id) = self.thread_of(task) {
            self.end_badly(moment, id, failure);
        }
    }

    fn end_badly(&mut self, moment: &mut Moment, id: ThreadId, failure: Failure) {
        let Some(call) = self.running_mut(id).map(|running| Arc::clone(&running.call)) else { return };
        let kind = match &*call.resource {
            Resource::Lambda { .. } => EventType::LambdaFunctionFailed,
            Resource::Activity { .. } => EventType::ActivityFailed,
            Resource::Integration { .. } => EventType::TaskFailed,
        };
        self.tell_end(moment, id, &call, kind, &failure);
        self.current_mut(id).phase = Phase::Ready;
        self.fail(moment, id, failure, false);
    }

    fn tell_end(&mut self, moment: &mut Moment, id: ThreadId, call: &Call, kind: EventType, failure: &Failure) {
        let (resource_type, resource) = names_of(&call.resource);
        let details = Details {
            error: failure.error.clone(),
            cause: failure.cause.clone(),
            resource: resource_type.is_some().then_some(resource),
            resource_type,
            ..Details::default()
        };
        self.tell(moment, id, kind, details);
    }

    /// Time has passed: what is due happens.
    pub(super) fn tick(&mut self, moment: &mut Moment) {
        let now = moment.millis();
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            return self.finish(moment, Status::TimedOut(Failure::default()));
        }
        let due: Vec<ThreadId> = self
            .threads
            .iter()
            .filter(|(_, thread)| {
                thread.current.as_ref().and_then(|current| current.due()).is_some_and(|due| due <= now)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            // What became due first may have ended the others.
            if self.status == Status::Running && self.threads.get(&id).is_some_and(|thread| thread.current.is_some()) {
                self.due(moment, id, now);
            }
        }
    }

    fn due(&mut self, moment: &mut Moment, id: ThreadId, now: i64) {
        match &self.current(id).phase {
            Phase::Waiting { until } if *until <= now => {
                self.current_mut(id).phase = Phase::Ready;
                if let Err(trouble) = self.waited(moment, id) {
                    self.trouble(moment, id, trouble);
                }
            }
            Phase::Backoff { until } if *until <= now => {
                self.current_mut(id).phase = Phase::Ready;
                self.run(moment, id);
            }
            Phase::Task(running) => {
                let late = running.deadline.is_some_and(|deadline| deadline <= now);
                let silent = running.heartbeat.is_some_and(|(_, due)| due <= now);
                if late || silent {
                    self.timed_out(moment, id, silent && !late);
                }
            }
            _ => {}
        }
    }

    fn timed_out(&mut self, moment: &mut Moment, id: ThreadId, by_heartbeat: bool) {
        let Some(running) = self.running_mut(id) else { return };
        let (call, submitted) = (Arc::clone(&running.call), running.submitted.clone());
        let kind = match &*call.resource {
            Resource::Lambda { .. } => EventType::LambdaFunctionTimedOut,
            Resource::Activity { .. } => EventType::ActivityTimedOut,
            Resource::Integration { .. } => EventType::TaskTimedOut,
        };
        let failure = Failure { error: Some(names::TIMEOUT.into()), cause: None };
        self.tell_end(moment, id, &call, kind, &failure);
        self.current_mut(id).phase = Phase::Ready;
        moment.commands.push(Command::Cancel(call, submitted));
        self.fail(moment, id, failure, by_heartbeat);
    }
}
