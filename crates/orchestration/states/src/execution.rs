//! A running execution: a pure function of its machine and the inputs that it was given.
//!
//! The same inputs in the same order give the same history, so an execution is restored by replaying them.

mod containers;
mod failing;
mod moment;
mod states;
mod tasks;
mod trial;
mod view;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::{Graph, Machine, Resource, State};
use crate::failure::{Failure, names};
use crate::history::{Details, EventType, HistoryEvent, Payload};
use crate::scope::Variables;

pub use tasks::{TokenParts, read_token};
pub use trial::{Trial, Verdict};

use moment::Moment;

/// Transitions that one step makes at most; the next input goes on.
const STEP_LIMIT: usize = 512;

/// The limits of an execution.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of an input, output or result.
    pub payload: usize,
    /// Events of a history.
    pub events: u64,
    /// Seconds that an execution may last, if limited.
    pub seconds: Option<u64>,
}

/// What an execution knows of itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Its ARN.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The machine's ARN.
    pub machine_id: String,
    /// The machine's name.
    pub machine_name: String,
    /// The role that it acts as.
    pub role: String,
    /// The region, for the history.
    pub region: String,
    /// When it started.
    pub started: DateTime<Utc>,
    /// What it may use.
    pub limits: Limits,
    /// Whether it can be redriven, which express executions can't.
    pub redrivable: bool,
    /// Whether events are made (express executions without a log do without).
    pub history: bool,
}

/// Something that happened, with the time and the chance that belong to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Input {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Where UUIDs and random numbers come from.
    pub seed: u64,
    /// What.
    pub what: Happening,
}

/// What can happen to an execution. Tasks are named by the event that scheduled them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Happening {
    /// It begins.
    Start,
    /// Time has passed, or the last step was cut short.
    Tick,
    /// A worker took an activity.
    ActivityStarted {
        /// The task.
        task: u64,
        /// Who took it.
        worker: Option<String>,
    },
    /// The call that starts a job or hands out a token was answered.
    Submitted {
        /// The task.
        task: u64,
        /// The answer.
        output: Value,
    },
    /// A task ended well.
    Succeeded {
        /// The task.
        task: u64,
        /// The result.
        output: Value,
    },
    /// A task ended badly.
    Failed {
        /// The task.
        task: u64,
        /// Why.
        failure: Failure,
    },
    /// A task is alive.
    Heartbeat {
        /// The task.
        task: u64,
    },
    /// Somebody stops the execution.
    Stop(Failure),
    /// Somebody has the failed states run again.
    Redrive,
}

/// What a step did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The history goes on with these.
    pub events: Vec<HistoryEvent>,
    /// To be done once the events are durable.
    pub commands: Vec<Command>,
}

/// What has to be done outside.
#[derive(Debug, Clone)]
pub enum Command {
    /// Have a task's work done.
    Call(Arc<Call>),
    /// A task is not wanted any more: stop its job.
    Cancel(Arc<Call>, Option<Arc<Value>>),
}

/// A task that was scheduled.
#[derive(Debug, Clone)]
pub struct Call {
    /// The event that scheduled it.
    pub task: u64,
    /// Who does the work.
    pub resource: Arc<Resource>,
    /// What it gets.
    pub parameters: Payload,
    /// What names it from outside, for activities and `.waitForTaskToken`.
    pub token: Option<String>,
    /// The role of `Credentials`.
    pub credentials: Option<String>,
}

/// A task that has not ended.
#[derive(Debug, Clone)]
pub struct OpenTask {
    /// The task.
    pub call: Arc<Call>,
    /// What the call answered, if it was answered and the task goes on.
    pub submitted: Option<Arc<Value>>,
    /// Whether a worker has taken the activity.
    pub taken: bool,
}

/// Where an execution stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Status {
    /// It goes on.
    Running,
    /// It ended well, with this output.
    Succeeded(crate::history::Text),
    /// It failed.
    Failed(Failure),
    /// It took too long.
    TimedOut(Failure),
    /// It was stopped.
    Aborted(Failure),
}

type ThreadId = u32;

/// A flow of states: the machine's own, a branch's or an iteration's.
#[derive(Debug)]
struct Thread {
    parent: Option<(ThreadId, usize)>,
    graph: Arc<Graph>,
    variables: Variables,
    /// The event that the next one follows from.
    last: u64,
    /// The item of an iteration: index and value.
    item: Option<(usize, Arc<Value>)>,
    current: Option<Current>,
}

/// The state that a thread is in.
#[derive(Debug)]
struct Current {
    state: Arc<State>,
    input: Payload,
    /// The event that tells of the entry, the one before it, and when.
    entered: u64,
    before: u64,
    entered_at: DateTime<Utc>,
    /// Uses of each retrier, and of all.
    retries: Vec<u64>,
    retry_count: u64,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Ready,
    Waiting { until: i64 },
    Backoff { until: i64 },
    Task(Box<Running>),
    Children(Box<Children>),
}

#[derive(Debug)]
struct Running {
    call: Arc<Call>,
    deadline: Option<i64>,
    /// Milliseconds between heartbeats, and when the next is due.
    heartbeat: Option<(i64, i64)>,
    submitted: Option<Arc<Value>>,
    taken: bool,
}

#[derive(Debug)]
struct Children {
    results: Vec<Option<Value>>,
    pending: usize,
    /// Items that have not begun (Map only).
    items: Vec<Arc<Value>>,
    next: usize,
    running: Vec<ThreadId>,
}

#[derive(Debug)]
enum Action {
    Enter(String, Payload),
    Run,
}

/// An execution. See the module.
#[derive(Debug)]
pub struct Execution {
    machine: Arc<Machine>,
    about: About,
    input: Payload,
    threads: BTreeMap<ThreadId, Thread>,
    next_thread: ThreadId,
    last_event: u64,
    status: Status,
    deadline: Option<i64>,
    redrives: u32,
    ready: VecDeque<(ThreadId, Action)>,
    /// What stands in for the context object in a trial.
    given_context: Option<Value>,
}

impl Execution {
    /// An execution that has not begun.
    pub fn new(machine: Arc<Machine>, about: About, input: Payload) -> Self {
        Self {
            machine,
            about,
            input,
            threads: BTreeMap::new(),
            next_thread: 0,
            last_event: 0,
            status: Status::Running,
            deadline: None,
            redrives: 0,
            ready: VecDeque::new(),
            given_context: None,
        }
    }

    /// Takes in what happened. Things that happen to tasks which are over change nothing.
    pub fn step(&mut self, input: &Input) -> Outcome {
        let mut moment = Moment::new(input);
        let running = self.status == Status::Running;
        match &input.what {
            Happening::Start => self.start(&mut moment),
            Happening::Redrive => self.redrive(&mut moment),
            _ if !running => {}
            Happening::Tick => self.tick(&mut moment),
            Happening::ActivityStarted { task, worker } => self.activity_started(&mut moment, *task, worker.clone()),
            Happening::Submitted { task, output } => self.submitted(&mut moment, *task, output.clone()),
            Happening::Succeeded { task, output } => self.succeeded(&mut moment, *task, output.clone()),
            Happening::Failed { task, failure } => self.task_failed(&mut moment, *task, failure.clone()),
            Happening::Heartbeat { task } => self.heartbeat(&moment, *task),
            Happening::Stop(failure) => self.finish(&mut moment, Status::Aborted(failure.clone())),
        }
        self.drain(&mut moment);
        Outcome { events: moment.events, commands: moment.commands }
    }

    /// Where it stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// What it knows of itself.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// The number of events so far.
    pub fn events(&self) -> u64 {
        self.last_event
    }

    /// When it wants a [`Happening::Tick`], in milliseconds since 1970.
    pub fn next_due(&self) -> Option<i64> {
        if self.status != Status::Running {
            return None;
        }
        if !self.ready.is_empty() {
            return Some(i64::MIN);
        }
        let due = self.threads.values().filter_map(|thread| thread.current.as_ref()?.due());
        due.chain(self.deadline).min()
    }

    /// The tasks that have not ended.
    pub fn open_tasks(&self) -> Vec<OpenTask> {
        let running = self.threads.values().filter_map(|thread| thread.current.as_ref()?.running());
        running
            .map(|running| OpenTask {
                call: Arc::clone(&running.call),
                submitted: running.submitted.clone(),
                taken: running.taken,
            })
            .collect()
    }

    fn start(&mut self, moment: &mut Moment) {
        let seconds = [self.machine.timeout, self.about.limits.seconds].into_iter().flatten().min();
        self.deadline = seconds.map(|seconds| moment.millis() + seconds as i64 * 1000);
        let details =
            Details { input: Some(self.input.text()), role: Some(self.about.role.clone()), ..Details::default() };
        self.emit(moment, EventType::ExecutionStarted, 0, details);
        let graph = Arc::clone(&self.machine.root);
        let start = graph.start.clone();
        // AWS's first state follows from no event.
        let root = self.spawn(None, graph, Variables::default(), 0, None);
        self.ready.push_back((root, Action::Enter(start, self.input.clone())));
    }

    fn redrive(&mut self, moment: &mut Moment) {
        self.redrives += 1;
        self.status = Status::Running;
        let last = self.last_event;
        let details = Details { redrives: Some(self.redrives), ..Details::default() };
        self.emit(moment, EventType::ExecutionRedriven, last, details);
        let seconds = [self.machine.timeout, self.about.limits.seconds].into_iter().flatten().min();
        self.deadline = seconds.map(|seconds| moment.millis() + seconds as i64 * 1000);
        let leaves: Vec<ThreadId> = self
            .threads
            .iter()
            .filter(|(_, thread)| thread.current.as_ref().is_some_and(|current| !current.has_children()))
            .map(|(id, _)| *id)
            .collect();
        for leaf in leaves {
            if let Some(current) = self.threads.get_mut(&leaf).and_then(|thread| thread.current.as_mut()) {
                current.retries.iter_mut().for_each(|uses| *uses = 0);
                current.retry_count = 0;
                current.phase = Phase::Ready;
            }
            self.ready.push_back((leaf, Action::Run));
        }
    }

    fn spawn(
        &mut self,
        parent: Option<(ThreadId, usize)>,
        graph: Arc<Graph>,
        variables: Variables,
        last: u64,
        item: Option<(usize, Arc<Value>)>,
    ) -> ThreadId {
        let id = self.next_thread;
        self.next_thread += 1;
        self.threads.insert(id, Thread { parent, graph, variables, last, item, current: None });
        id
    }

    /// Runs what can run, up to the limit of a step.
    fn drain(&mut self, moment: &mut Moment) {
        for _ in 0..STEP_LIMIT {
            if self.status != Status::Running {
                return;
            }
            let Some((thread, action)) = self.ready.pop_front() else { return };
            if self.about.history && self.last_event + 8 > self.about.limits.events {
                let cause = format!(
                    "The execution reached the maximum number of history events ({}).",
                    self.about.limits.events
                );
                return self.finish(moment, Status::Failed(Failure::new(names::RUNTIME, cause)));
            }
            match action {
                Action::Enter(name, input) => self.enter(moment, thread, &name, input),
                Action::Run => self.run(moment, thread),
            }
        }
    }

    fn emit(&mut self, moment: &mut Moment, kind: EventType, previous: u64, details: Details) -> u64 {
        self.last_event += 1;
        if self.about.history {
            let (id, time) = (self.last_event, moment.millis());
            moment.events.push(HistoryEvent { id, previous, time, kind, details: Box::new(details) });
        }
        self.last_event
    }

    /// An event of a thread, which the thread's next one follows from.
    fn tell(&mut self, moment: &mut Moment, thread: ThreadId, kind: EventType, details: Details) -> u64 {
        let previous = self.threads.get(&thread).map_or(0, |thread| thread.last);
        let id = self.emit(moment, kind, previous, details);
        if let Some(thread) = self.threads.get_mut(&thread) {
            thread.last = id;
        }
        id
    }

    fn finish(&mut self, moment: &mut Moment, status: Status) {
        let previous = self.threads.get(&0).map_or(0, |root| root.last);
        let failure = |failure: &Failure| Details {
            error: failure.error.clone(),
            cause: failure.cause.clone(),
            ..Details::default()
        };
        let (kind, previous, details) = match &status {
            Status::Running => return,
            Status::Succeeded(output) => (
                EventType::ExecutionSucceeded,
                previous,
                Details { output: Some(output.clone()), ..Details::default() },
            ),
            Status::Failed(why) => (EventType::ExecutionFailed, previous, failure(why)),
            Status::TimedOut(why) => (EventType::ExecutionTimedOut, previous, failure(why)),
            Status::Aborted(why) => (EventType::ExecutionAborted, 0, failure(why)),
        };
        for open in self.open_tasks() {
            moment.commands.push(Command::Cancel(open.call, open.submitted));
        }
        self.ready.clear();
        self.emit(moment, kind, previous, details);
        self.status = status;
    }
}

impl Current {
    fn running(&self) -> Option<&Running> {
        match &self.phase {
            Phase::Task(running) => Some(running),
            _ => None,
        }
    }

    fn has_children(&self) -> bool {
        matches!(self.phase, Phase::Children(_))
    }

    fn due(&self) -> Option<i64> {
        match &self.phase {
            Phase::Waiting { until } | Phase::Backoff { until } => Some(*until),
            Phase::Task(running) => {
                [running.deadline, running.heartbeat.map(|(_, due)| due)].into_iter().flatten().min()
            }
            Phase::Ready | Phase::Children(_) => None,
        }
    }
}
