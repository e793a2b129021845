//! One instance: a sandbox in which a version of a function waits for events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boathouse_aws::Ctx;
use boathouse_sandbox::{Grant, Limits, Mount, Outcome, Running, Sandbox, SandboxError, Spec};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use super::logs::Logs;
use super::runtime_api::{Event, Reply, RuntimeApi};
use super::shipping;
use crate::runtime::Start;
use crate::runtime::environment::{Credentials, RUNTIME_API, platform, variables};
use crate::store::Function;

const MIB: u64 = 1 << 20;
/// MB of memory that one processor goes with.
const MEMORY_PER_PROCESSOR: f64 = 1769.0;
/// Processes and threads of a function ("Lambda quotas").
const PROCESSES: u32 = 1024;
/// How long a function may take to get ready, unless its timeout is longer.
const INIT: Duration = Duration::from_secs(10);

/// What an instance is made from.
pub(super) struct Plan<'a> {
    pub(super) function: &'a Function,
    pub(super) start: Start,
    pub(super) code: std::path::PathBuf,
    pub(super) layers: Option<std::path::PathBuf>,
    pub(super) credentials: Credentials,
    pub(super) endpoint: Arc<boathouse_sandbox::spec::Answer>,
    /// The function's role, which its log is written as.
    pub(super) ctx: Ctx,
}

/// Why an instance is not ready, with what it has printed so far.
pub(super) enum NotReady {
    /// The function said what is wrong, as JSON.
    Init(Bytes, Arc<Logs>),
    /// It ended.
    Exit(Outcome, Arc<Logs>),
    /// It took too long.
    Timeout(Arc<Logs>),
    /// Its program can't be executed.
    EntryPoint(String),
    /// The sandbox can't be set up.
    Sandbox(SandboxError),
}

/// How an invocation ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The function has answered, or said what went wrong.
    Replied(Reply),
    /// It took too long and is gone.
    Timeout,
    /// It ended in the middle.
    Exit(Outcome),
    /// It had ended before it took the event: another instance can have it.
    NotTaken,
}

/// A function that is ready.
pub(super) struct Instance {
    running: Running,
    api: Arc<RuntimeApi>,
    pub(super) logs: Arc<Logs>,
    /// When its credentials are too old for another invocation.
    pub(super) usable_until: DateTime<Utc>,
    /// How long the start took; shown by the first invocation.
    pub(super) init: Option<Duration>,
}

impl Instance {
    /// Starts the function and waits until it asks for its first event.
    pub(super) async fn start(sandbox: &Sandbox, plan: Plan<'_>) -> Result<Self, NotReady> {
        let born = Instant::now();
        let (api, initialised) = RuntimeApi::new();
        let stream = log_stream(&plan);
        let spec = spec(&plan, &api, &stream);
        let program = spec.command.first().cloned().unwrap_or_default();
        let mut running = sandbox.spawn(spec).await.map_err(|error| match error {
            SandboxError::Setup(message) if message.starts_with("executing") => NotReady::EntryPoint(program),
            other => NotReady::Sandbox(other),
        })?;
        let (ship, lines) = mpsc::channel(shipping::WAITING);
        let output = running.stdout.take().expect("invariant: a new sandbox has its output");
        let logs = Logs::start(output, Arc::clone(&plan.ctx.platform.clock), ship);
        tokio::spawn(shipping::ship(plan.ctx.clone(), plan.function.log_group(), stream, lines));
        let patience = INIT.max(Duration::from_secs(plan.function.timeout));
        tokio::select! {
            biased;
            outcome = initialised => match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    logs.drained().await;
                    return Err(NotReady::Init(error, logs));
                }
                Err(_) => return Err(NotReady::Exit(running.wait().await, logs)),
            },
            outcome = running.wait() => {
                logs.drained().await;
                return Err(NotReady::Exit(outcome, logs));
            }
            () = tokio::time::sleep(patience) => {
                running.kill();
                logs.drained().await;
                return Err(NotReady::Timeout(logs));
            }
        }
        logs.drained().await; // what it printed so far comes before its first invocation
        let usable_until = plan.credentials.usable_until;
        Ok(Self { running, api, logs, usable_until, init: Some(born.elapsed()) })
    }

    /// Hands over an event and waits for what comes of it, at most for `timeout`.
    pub(super) async fn invoke(&mut self, event: Event, timeout: Duration) -> Ended {
        self.running.set_idle(false);
        let replied = self.api.give(event);
        let ended = tokio::select! {
            biased;
            reply = replied => match reply {
                Ok(reply) => Ended::Replied(reply),
                Err(_) => Ended::Exit(self.running.wait().await),
            },
            outcome = self.running.wait() => {
                if self.api.was_taken() { Ended::Exit(outcome) } else { Ended::NotTaken }
            }
            () = tokio::time::sleep(timeout) => {
                self.running.kill();
                self.running.wait().await;
                Ended::Timeout
            }
        };
        self.logs.drained().await;
        self.running.set_idle(true);
        ended
    }

    /// Whether the process lives and may work on.
    pub(super) fn is_usable(&self, now: DateTime<Utc>) -> bool {
        self.running.outcome().is_none() && now < self.usable_until
    }

    /// The most memory that it has been seen with, in MB, rounded up.
    pub(super) fn peak_memory(&self) -> u64 {
        self.running.peak_memory().div_ceil(MIB)
    }
}

fn log_stream(plan: &Plan<'_>) -> String {
    let day = plan.ctx.now().format("%Y/%m/%d");
    format!("{day}/[{}]{}", plan.function.version, uuid::Uuid::new_v4().simple())
}

fn spec(plan: &Plan<'_>, api: &Arc<RuntimeApi>, stream: &str) -> Spec {
    let Plan { function, start, code, layers, credentials, endpoint, ctx } = plan;
    let mut spec = Spec::new(start.command.iter().cloned());
    let platform = platform(ctx.platform.endpoint());
    spec.environment = variables(function, (ctx.region(), platform), stream, credentials);
    spec.directory = "/var/task".into();
    spec.mounts = start.mounts.clone();
    spec.mounts.push(Mount::read_only(code, "/var/task"));
    spec.mounts.extend(layers.as_ref().map(|layers| Mount::read_only(layers, "/opt")));
    spec.limits = Limits {
        memory: function.memory * MIB,
        processes: PROCESSES,
        processor_share: function.memory as f64 / MEMORY_PER_PROCESSOR,
        wall: None,
        scratch: function.ephemeral_storage.size * MIB,
        open_files: 1024,
    };
    let api = Arc::clone(api);
    spec.grants = vec![
        Grant::new(RUNTIME_API, move |stream| api.serve(stream)),
        Grant { address: platform, answer: Arc::clone(endpoint) },
    ];
    spec.merge_output = true;
    spec
}
