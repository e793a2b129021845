//! Warm instances, new ones, and how many may work at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use boathouse_aws::access::ServiceRoles;
use boathouse_aws::{Ctx, Platform};
use boathouse_sandbox::spec::Answer;
use boathouse_sandbox::{Level, Sandbox};
use bytes::Bytes;
use chrono::Utc;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::credentials::Vault;
use super::failure::{self, Failure};
use super::measures;
use super::process::{Ended, Instance, NotReady, Plan};
use super::runtime_api::{Event, Reply};
use crate::SERVICE;
use crate::code::CodeStore;
use crate::error::LambdaError;
use crate::runtime::Runtimes;
use crate::store::Function;

/// How long an instance waits for another event.
const IDLE: Duration = Duration::from_secs(300);
/// Instances that wait at once; the ones that waited longest give way.
const MOST_IDLE: usize = 64;
/// How often waiting instances are looked at.
const SWEEP: Duration = Duration::from_secs(10);
/// Invocations of an account at once, if the machine has memory for them ("Lambda quotas").
const ACCOUNT_LIMIT: u64 = 1000;
/// Bytes of memory that an instance is expected to take at least.
const INSTANCE_MEMORY: u64 = 64 << 20;
/// How often an event is given to another instance because the one before had ended.
const RETRIES: usize = 3;

/// An invocation of a version of a function.
pub(crate) struct Request {
    pub(crate) function: Function,
    /// What is reserved for the function, over all versions.
    pub(crate) reserved: Option<u64>,
    /// The ARN that the caller used.
    pub(crate) arn: String,
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Execution {
    pub(crate) payload: Bytes,
    /// Whether the payload is an error.
    pub(crate) failed: bool,
    /// The end of the log.
    pub(crate) tail: Vec<u8>,
}

/// Instances with the same name, version and revision are alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    name: String,
    version: String,
    revision: String,
}

struct Idle {
    instance: Instance,
    since: Instant,
}

#[derive(Default)]
struct Waiting {
    idle: HashMap<Kind, Vec<Idle>>,
    /// How often the instances of a function were given up.
    generations: HashMap<String, u64>,
}

#[derive(Default)]
struct Working {
    unreserved: u64,
    by_function: HashMap<String, u64>,
}

/// All instances of a server.
pub(crate) struct Pool {
    platform: Platform,
    sandbox: Arc<Sandbox>,
    endpoint: Arc<Answer>,
    roles: Arc<dyn ServiceRoles>,
    runtimes: Runtimes,
    vault: Vault,
    waiting: Mutex<Waiting>,
    working: Mutex<Working>,
    /// Starts that may go on at once: they are work for the processors, so more of them would only be slower each.
    starting: Semaphore,
    account_limit: u64,
    reserved_sum: AtomicU64,
}

/// Leave to work, given back when dropped.
struct Permit<'a> {
    pool: &'a Pool,
    function: String,
    reserved: bool,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut working = self.pool.working.lock();
        if !self.reserved {
            working.unreserved -= 1;
        }
        let left = working.by_function.get_mut(&self.function).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            working.by_function.remove(&self.function);
        }
    }
}

impl Pool {
    /// A pool without instances.
    pub(crate) fn open(
        platform: Platform,
        sandbox: Arc<Sandbox>,
        endpoint: Arc<Answer>,
        roles: Arc<dyn ServiceRoles>,
        runtimes: Runtimes,
    ) -> Arc<Self> {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let info = rustix::system::sysinfo();
        let memory = (info.totalram as u64).saturating_mul(u64::from(info.mem_unit));
        Arc::new(Self {
            platform,
            sandbox,
            endpoint,
            roles,
            runtimes,
            vault: Vault::default(),
            waiting: Mutex::default(),
            working: Mutex::default(),
            starting: Semaphore::new(processors * 4),
            account_limit: (memory / INSTANCE_MEMORY).clamp(10, ACCOUNT_LIMIT),
            reserved_sum: AtomicU64::new(0),
        })
    }

    /// Ends instances that have waited for long, for as long as the pool is used.
    pub(crate) fn sweep(self: &Arc<Self>) {
        let pool = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(SWEEP);
            loop {
                ticks.tick().await;
                let Some(pool) = pool.upgrade() else { return };
                let now = pool.platform.clock.now();
                let mut waiting = pool.waiting.lock();
                for idle in waiting.idle.values_mut() {
                    idle.retain(|idle| idle.since.elapsed() < IDLE && idle.instance.is_usable(now));
                }
                waiting.idle.retain(|_, idle| !idle.is_empty());
            }
        });
    }

    /// How many invocations may run at once.
    pub(crate) fn account_limit(&self) -> u64 {
        self.account_limit
    }

    /// How many of them are reserved.
    pub(crate) fn reserved_sum(&self) -> u64 {
        self.reserved_sum.load(Ordering::Relaxed)
    }

    /// Says how many are reserved.
    pub(crate) fn set_reserved_sum(&self, sum: u64) {
        self.reserved_sum.store(sum, Ordering::Relaxed);
    }

    /// Gives up the instances of a function: those that wait now, those that work when they are done.
    pub(crate) fn retire(&self, name: &str) {
        let mut waiting = self.waiting.lock();
        *waiting.generations.entry(name.to_owned()).or_default() += 1;
        waiting.idle.retain(|kind, _| kind.name != name);
    }

    fn permit(&self, request: &Request) -> Result<Permit<'_>, LambdaError> {
        let mut working = self.working.lock();
        let name = &request.function.name;
        let of_function = working.by_function.get(name).copied().unwrap_or_default();
        let reason = match request.reserved {
            Some(reserved) if of_function >= reserved => Some("ReservedFunctionConcurrentInvocationLimitExceeded"),
            None if working.unreserved >= self.account_limit.saturating_sub(self.reserved_sum()) => {
                Some("ConcurrentInvocationLimitExceeded")
            }
            _ => None,
        };
        if let Some(reason) = reason {
            measures::throttled(&self.platform, name);
            return Err(LambdaError::TooManyRequests { reason });
        }
        *working.by_function.entry(name.clone()).or_default() += 1;
        measures::began(&self.platform, name, of_function + 1);
        let reserved = request.reserved.is_some();
        if !reserved {
            working.unreserved += 1;
        }
        Ok(Permit { pool: self, function: name.clone(), reserved })
    }

    /// Runs an invocation to its end, whatever that is.
    ///
    /// # Errors
    /// Too many at once; no interpreter; a role that can't be assumed; the machine fails. What the function does wrong is no
    /// error here.
    pub(crate) async fn execute(&self, code: &CodeStore, request: Request) -> Result<Execution, LambdaError> {
        let _permit = self.permit(&request)?;
        for _ in 0..RETRIES {
            let generation = self.generation(&request.function.name);
            let mut instance = match self.ready(code, &request.function).await? {
                Ok(instance) => instance,
                Err(not_ready) => return self.not_ready(&request, not_ready),
            };
            let begun = Instant::now();
            let function = &request.function;
            instance.logs.say(&format!("START RequestId: {} Version: {}", request.request_id, function.version));
            let timeout = Duration::from_secs(function.timeout);
            let event = Event {
                request_id: request.request_id.clone(),
                payload: request.payload.clone(),
                // The function compares it with the machine's own clock.
                deadline_ms: Utc::now().timestamp_millis() + timeout.as_millis() as i64,
                arn: request.arn.clone(),
                client_context: request.client_context.clone(),
            };
            let ended = instance.invoke(event, timeout).await;
            if ended == Ended::NotTaken {
                tracing::debug!(function = function.name, "an instance had ended; another one gets the event");
                continue;
            }
            let duration = begun.elapsed();
            let execution = self.report(&request, &mut instance, ended, duration);
            self.give_back(function, generation, instance);
            return Ok(execution);
        }
        Err(LambdaError::Machine {
            what: "keeping an instance alive until it took an event",
            source: std::io::ErrorKind::BrokenPipe.into(),
        })
    }

    fn generation(&self, name: &str) -> u64 {
        self.waiting.lock().generations.get(name).copied().unwrap_or_default()
    }

    /// A warm instance, or a new one.
    async fn ready(&self, code: &CodeStore, function: &Function) -> Result<Result<Instance, NotReady>, LambdaError> {
        let kind = Kind::of(function);
        loop {
            let found = self.waiting.lock().idle.get_mut(&kind).and_then(Vec::pop);
            match found {
                Some(idle) if idle.instance.is_usable(self.platform.clock.now()) => return Ok(Ok(idle.instance)),
                Some(_) => {}
                None => break,
            }
        }
        let _turn = self.starting.acquire().await;
        let plan = self.plan(code, function).await?;
        Ok(Instance::start(&self.sandbox, plan).await)
    }

    async fn plan<'a>(&self, code: &CodeStore, function: &'a Function) -> Result<Plan<'a>, LambdaError> {
        if self.sandbox.level() == Level::Process && !function.layers.is_empty() {
            let message =
                "Layers need the sandbox's level namespace: BOATHOUSE_SANDBOX=process has no /opt of its own.";
            return Err(LambdaError::InvalidRuntime(message.into()));
        }
        let layers: Vec<&str> = function.layers.iter().map(|layer| layer.digest.as_str()).collect();
        let credentials = self.vault.get(&self.platform, &function.role, &function.name).await?;
        Ok(Plan {
            function,
            start: self.runtimes.start(&function.runtime).await?,
            code: code.directory(&function.digest).await?,
            layers: code.layers(&layers).await?,
            credentials,
            endpoint: Arc::clone(&self.endpoint),
            ctx: self.role_context(function)?,
        })
    }

    /// A context in which the function's role acts.
    pub(crate) fn role_context(&self, function: &Function) -> Result<Ctx, LambdaError> {
        let role = self.roles.assume_for_service(&function.role, SERVICE, &function.name).map_err(|error| {
            tracing::warn!(%error, function = function.name, "an execution role can't be assumed");
            LambdaError::InvalidParameter("The role defined for the function cannot be assumed by Lambda.".into())
        })?;
        Ok(self.platform.context(role))
    }

    /// Writes the end of an invocation's log and makes the answer.
    fn report(&self, request: &Request, instance: &mut Instance, ended: Ended, duration: Duration) -> Execution {
        let (id, function) = (&request.request_id, &request.function);
        let now = self.platform.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let failure = match &ended {
            Ended::Timeout => Some(failure::timeout(id, function.timeout, &now)),
            Ended::Exit(outcome) => Some(failure::exit(id, outcome)),
            Ended::Replied(_) | Ended::NotTaken => None,
        };
        let logs = &instance.logs;
        for line in failure.iter().flat_map(|failure| &failure.lines) {
            logs.say(line);
        }
        logs.say(&format!("END RequestId: {id}"));
        let init = instance.init.take();
        let status = failure.as_ref().map(|failure| failure.status.as_str());
        logs.say(&report_line(id, function.memory, instance.peak_memory(), duration, init, status));
        let (payload, failed) = match (ended, failure) {
            (Ended::Replied(Reply::Answer(payload)), _) => (payload, false),
            (Ended::Replied(Reply::Error(payload)), _) => (payload, true),
            (_, Some(Failure { payload, .. })) => (payload, true),
            (_, None) => (Bytes::new(), true),
        };
        measures::ended(&self.platform, &function.name, failed, Some(duration));
        Execution { payload, failed, tail: instance.logs.take_tail() }
    }

    /// The answer of an invocation whose instance never got ready.
    fn not_ready(&self, request: &Request, not_ready: NotReady) -> Result<Execution, LambdaError> {
        let id = &request.request_id;
        let now = self.platform.clock.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let (failure, logs) = match not_ready {
            NotReady::Init(payload, logs) => {
                let kind = serde_json::from_slice::<serde_json::Value>(&payload).ok();
                let kind = kind.and_then(|error| error["errorType"].as_str().map(str::to_owned)).unwrap_or_default();
                (
                    Failure { payload, lines: Vec::new(), status: format!("Status: error\tError Type: {kind}") },
                    Some(logs),
                )
            }
            NotReady::Exit(outcome, logs) => (failure::exit(id, &outcome), Some(logs)),
            NotReady::Timeout(logs) => (failure::timeout(id, request.function.timeout, &now), Some(logs)),
            NotReady::EntryPoint(program) => (failure::entry_point(id, &program, "it can't be executed"), None),
            NotReady::Sandbox(error) => {
                return Err(LambdaError::Machine { what: "starting a sandbox", source: std::io::Error::other(error) });
            }
        };
        let mut lines = vec![format!("START RequestId: {id} Version: {}", request.function.version)];
        lines.extend(failure.lines);
        lines.push(format!("END RequestId: {id}"));
        let zero = Duration::ZERO;
        lines.push(report_line(id, request.function.memory, 0, zero, None, Some(&failure.status)));
        let tail = match logs {
            Some(logs) => {
                lines.iter().for_each(|line| logs.say(line));
                logs.take_tail()
            }
            None => lines.join("\n").into_bytes(),
        };
        measures::ended(&self.platform, &request.function.name, true, None);
        Ok(Execution { payload: failure.payload, failed: true, tail })
    }

    fn give_back(&self, function: &Function, generation: u64, instance: Instance) {
        let mut waiting = self.waiting.lock();
        let current = waiting.generations.get(&function.name).copied().unwrap_or_default();
        if current != generation || !instance.is_usable(self.platform.clock.now()) {
            return;
        }
        let idle = Idle { instance, since: Instant::now() };
        waiting.idle.entry(Kind::of(function)).or_default().push(idle);
        let count: usize = waiting.idle.values().map(Vec::len).sum();
        if count > MOST_IDLE {
            waiting.drop_oldest();
        }
    }
}

impl Waiting {
    fn drop_oldest(&mut self) {
        let oldest = self
            .idle
            .iter()
            .filter_map(|(kind, idle)| Some((idle.first()?.since, kind.clone())))
            .min_by_key(|(since, _)| *since);
        if let Some(idle) = oldest.and_then(|(_, kind)| self.idle.get_mut(&kind)) {
            idle.remove(0);
        }
    }
}

impl Kind {
    fn of(function: &Function) -> Self {
        let Function { name, version, revision, .. } = function;
        Self { name: name.clone(), version: version.clone(), revision: revision.clone() }
    }
}

/// The line that sums an invocation up.
fn report_line(
    id: &str,
    memory: u64,
    peak: u64,
    duration: Duration,
    init: Option<Duration>,
    status: Option<&str>,
) -> String {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    // The start is part of what is billed.
    let billed = (ms(duration) + init.map_or(0.0, ms)).ceil();
    let mut line = format!(
        "REPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {billed:.0} ms\tMemory Size: {memory} MB\tMax Memory \
         Used: {peak} MB\t",
        ms(duration)
    );
    if let Some(init) = init {
        line.push_str(&format!("Init Duration: {:.2} ms\t", ms(init)));
    }
    if let Some(status) = status {
        line.push_str(status);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_line_is_aws_own() {
        let line = report_line("1-2", 128, 40, Duration::from_micros(1500), Some(Duration::from_millis(90)), None);
        let expected = "REPORT RequestId: 1-2\tDuration: 1.50 ms\tBilled Duration: 92 ms\tMemory Size: 128 MB\tMax Memory \
                        Used: 40 MB\tInit Duration: 90.00 ms\t";
        assert_eq!(line, expected);
        let late = report_line("1", 128, 40, Duration::from_secs(3), None, Some("Status: timeout"));
        assert!(late.ends_with("Used: 40 MB\tStatus: timeout"), "{late}");
    }
}
