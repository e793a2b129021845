//! The life of an execution: queued, running, ended. However it ends, its row says so.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use boathouse_aws::Ctx;
use boathouse_aws::events::PlatformEvent;
use boathouse_metadata::MetadataError;
use boathouse_trino::{Statistics, TableUse};
use futures::FutureExt;
use futures::future::Either;
use parking_lot::Mutex;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::failure::Failure;
use super::measures;
use super::put;
use super::row::{Row, State};
use super::start::{Prepared, reuse_key};
use super::telling::change;
use super::writing::{Written, take_back};
use crate::Athena;
use crate::error::AthenaError;
use crate::lineage::{self, Lineage, Used};
use crate::statements::{self, Job, Outcome};
use crate::store::{REUSABLE, now};

/// How often a running statement's reading is compared with its workgroup's limit.
const CHECK: Duration = Duration::from_millis(100);
/// How long an execution must run for its running to be kept and told of while it runs. That of a shorter one is told of with
/// its end: it waits for the disk once less.
const BRIEF: Duration = Duration::from_millis(20);
/// How much the threads of queries stand back behind those of the API.
const NICENESS: i32 = 5;
/// How many more threads queries have than there are cores: few, since what a query allocates on one and frees on another
/// costs time.
const SPARE_THREADS: usize = 2;

/// Runs so many executions at once and lets so many more wait.
#[derive(Debug)]
pub(crate) struct Runner {
    slots: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    live: Mutex<HashMap<String, Live>>,
    runtime: Option<Runtime>,
}

/// An execution that has not ended.
#[derive(Debug, Clone)]
struct Live {
    stop: Arc<Notify>,
    /// Closes when the end is on disk.
    ended: watch::Receiver<()>,
}

/// What a statement has done so far, readable while it runs and after it was dropped.
#[derive(Default)]
pub(crate) struct Progress {
    planning_millis: AtomicU64,
    engine_millis: AtomicU64,
    scanned: Mutex<Option<Arc<Statistics>>>,
    /// What is taken back if the statement does not succeed.
    pub(crate) written: Written,
    lineage: Mutex<Lineage>,
    committing: AtomicBool,
    announced: AtomicBool,
    cutoff: Option<u64>,
}

impl Progress {
    fn new(cutoff: Option<u64>) -> Self {
        Self { cutoff, ..Self::default() }
    }

    /// Refuses a statement that has read more than its workgroup allows.
    pub(crate) fn check_cutoff(&self, scanned: u64) -> Result<(), Failure> {
        match self.cutoff {
            Some(limit) if scanned > limit => Err(Failure::CutOff),
            _ => Ok(()),
        }
    }

    /// Waits until the statement has read too much; for ever without a limit.
    async fn cut_off(&self) {
        while self.check_cutoff(self.scanned_bytes()).is_ok() {
            match self.cutoff {
                Some(_) => tokio::time::sleep(CHECK).await,
                None => std::future::pending().await,
            }
        }
    }

    pub(crate) fn planned(&self, since: Instant) {
        self.planning_millis.fetch_add(millis(since), Ordering::Relaxed);
    }

    pub(crate) fn engine_done(&self, since: Instant) {
        self.engine_millis.fetch_add(millis(since), Ordering::Relaxed);
    }

    pub(crate) fn scans(&self, scanned: Arc<Statistics>) {
        *self.scanned.lock() = Some(scanned);
    }

    /// The statement has read these tables.
    pub(crate) fn reads(&self, tables: &[TableUse]) {
        self.lineage.lock().read.extend(tables.iter().map(Used::from));
    }

    /// The statement writes these columns of a table.
    pub(crate) fn changes(&self, mut used: Used) {
        used.columns.sort_unstable();
        self.lineage.lock().written.push(used);
    }

    fn lineage(&self) -> Lineage {
        if let Some(scanned) = self.scanned.lock().as_ref() {
            self.reads(&scanned.read());
        }
        self.lineage.lock().clone()
    }

    /// The statement has done its work and makes it seen; nothing stops it any more.
    pub(crate) fn commits(&self) {
        self.committing.store(true, Ordering::Relaxed);
    }

    /// What the statement would have made seen is not seen: it goes on working, and may be stopped again.
    pub(crate) fn continues(&self) {
        self.committing.store(false, Ordering::Relaxed);
    }

    /// Returns while the statement may be stopped; never again once it commits.
    async fn unless_committing(&self) {
        if self.committing.load(Ordering::Relaxed) {
            std::future::pending().await
        }
    }

    fn input_rows(&self) -> u64 {
        self.scanned.lock().as_ref().map_or(0, |scanned| scanned.input_rows())
    }

    fn scanned_bytes(&self) -> u64 {
        self.scanned.lock().as_ref().map_or(0, |scanned| scanned.scanned_bytes())
    }
}

fn millis(since: Instant) -> u64 {
    since.elapsed().as_millis() as u64
}

impl Runner {
    pub(crate) fn new(concurrent: usize, queued: usize) -> Self {
        let concurrent = concurrent.max(1);
        Self {
            slots: Arc::new(Semaphore::new(concurrent)),
            queue: Arc::new(Semaphore::new(concurrent + queued)),
            live: Mutex::default(),
            runtime: Some(query_runtime()),
        }
    }

    /// A place in the queue.
    pub(crate) fn queue(&self) -> Result<OwnedSemaphorePermit, AthenaError> {
        Arc::clone(&self.queue).try_acquire_owned().map_err(|_| AthenaError::TooManyQueries)
    }

    /// Stops an execution and waits until its end is on disk. One that has ended stays as it is.
    pub(crate) async fn stop(&self, id: &str) {
        let live = self.live.lock().get(id).cloned();
        if let Some(mut live) = live {
            live.stop.notify_one();
            // An error means that the sender is gone, which is what is waited for.
            let _ = live.ended.changed().await;
        }
    }

    /// Runs an execution whose row is on disk.
    pub(crate) fn launch(
        &self,
        athena: &Arc<Athena>,
        ctx: Ctx,
        row: Row,
        prepared: Prepared,
        cutoff: Option<u64>,
        place: OwnedSemaphorePermit,
    ) {
        let (sender, ended) = watch::channel(());
        let stop = Arc::new(Notify::new());
        self.live.lock().insert(row.id().to_owned(), Live { stop: Arc::clone(&stop), ended });
        let athena = Arc::clone(athena);
        let runtime = self.runtime.as_ref().expect("invariant: the runtime lives as long as the runner");
        runtime.spawn(async move {
            let id = row.id().to_owned();
            live(&athena, &ctx, row, prepared, cutoff, &stop).await;
            athena.runner.live.lock().remove(&id);
            drop((place, sender));
        });
    }
}

/// Analyzer, planner and plans recurse as deep as a statement nests. The system gives a stack's memory page by page, as it
/// is touched.
const QUERY_STACK: usize = 256 << 20;

/// Queries compute for long between two awaits. On threads of their own, more than there are cores, they keep neither the
/// API's calls waiting nor the one task that would stop them.
fn query_runtime() -> Runtime {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores + SPARE_THREADS)
        .thread_name("query")
        .on_thread_start(stand_back)
        .thread_stack_size(QUERY_STACK)
        .enable_all()
        .build()
        .expect("invariant: threads can be had at the start")
}

fn stand_back() {
    // Best effort: where the system refuses, queries only compete harder.
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

impl Drop for Runner {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background(); // it may be dropped by a task, which must not wait for threads
        }
    }
}

async fn live(athena: &Arc<Athena>, ctx: &Ctx, mut row: Row, prepared: Prepared, cutoff: Option<u64>, stop: &Notify) {
    let begun = Instant::now();
    let progress = Progress::new(cutoff);
    let outcome = {
        let work = AssertUnwindSafe(work(athena, ctx, &mut row, prepared, &progress)).catch_unwind();
        tokio::select! {
            biased;
            () = async { stop.notified().await; progress.unless_committing().await } => Err(Failure::Stopped),
            () = async { progress.cut_off().await; progress.unless_committing().await } => Err(Failure::CutOff),
            outcome = work => outcome.unwrap_or_else(|_| Err(Failure::system("GENERIC_INTERNAL_ERROR: the engine panicked"))),
        }
    };
    if outcome.is_err() {
        take_back(athena, &ctx.platform, &progress.written, row.result_location()).await;
    }
    let (before, mut told) = (row.state(), Vec::new());
    if before == State::Running && !progress.announced.load(Ordering::Relaxed) {
        told.push(change(ctx.now(), &row, Some(State::Queued)));
    }
    end(ctx, &mut row, &progress, begun, outcome);
    measures::ended(&ctx.platform, &row);
    told.push(change(ctx.now(), &row, Some(before)));
    if let Err(error) = keep(athena, ctx, row.clone(), told).await {
        tracing::error!(%error, execution = row.id(), "the end of an execution can't be kept");
    }
}

async fn work(
    athena: &Arc<Athena>,
    ctx: &Ctx,
    row: &mut Row,
    prepared: Prepared,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    let queued = Instant::now();
    let slot = athena.runner.slots.acquire().await;
    let _slot = slot.map_err(|_| Failure::system("the server is stopping"))?;
    row.execution.statistics.query_queue_time_in_millis = millis(queued);
    row.execution.status.state = State::Running;
    let begun = row.clone();
    let announce = async {
        tokio::time::sleep(BRIEF).await;
        progress.announced.store(true, Ordering::Relaxed);
        let told = change(ctx.now(), &begun, Some(State::Queued));
        keep(athena, ctx, begun, vec![told]).await
    };
    let run = async {
        let job = Job::new(athena, ctx, row, progress, prepared.parameters)?;
        statements::run(&job, &prepared.statement).await
    };
    // That it runs may reach the disk while it runs: after a crash both states mean the same.
    let (announce, run) = (pin!(announce), pin!(run));
    match futures::future::select(run, announce).await {
        Either::Left((outcome, announce)) => {
            if progress.announced.load(Ordering::Relaxed) {
                announce.await.map_err(AthenaError::from)?;
            }
            outcome
        }
        Either::Right((kept, run)) => {
            let outcome = run.await;
            kept.map_err(AthenaError::from)?;
            outcome
        }
    }
}

fn end(ctx: &Ctx, row: &mut Row, progress: &Progress, begun: Instant, outcome: Result<Outcome, Failure>) {
    let total = millis(begun);
    let statistics = &mut row.execution.statistics;
    let engine = progress.engine_millis.load(Ordering::Relaxed);
    let planning = progress.planning_millis.load(Ordering::Relaxed);
    statistics.total_execution_time_in_millis = total;
    statistics.query_planning_time_in_millis = Some(planning);
    let running = total.saturating_sub(statistics.query_queue_time_in_millis);
    // A statement on the catalog has no engine run of its own: all its time is the engine's.
    let engine = if engine == 0 { running } else { engine.min(running) };
    statistics.engine_execution_time_in_millis = Some(engine);
    statistics.service_processing_time_in_millis = running - engine;
    statistics.data_scanned_in_bytes = progress.scanned_bytes();
    row.private.lineage = progress.lineage();
    let status = &mut row.execution.status;
    status.completion_date_time = Some(now(ctx));
    match outcome {
        Ok(outcome) => {
            status.state = State::Succeeded;
            statistics.data_manifest_location = outcome.manifest;
            statistics.data_scanned_in_bytes = statistics.data_scanned_in_bytes.max(outcome.scanned);
            row.private.update_count = outcome.update_count;
            row.private.input_rows = progress.input_rows();
            row.private.output_rows = outcome.size.rows;
            row.private.output_bytes = outcome.size.bytes;
        }
        Err(failure) => {
            status.state = failure.state();
            status.state_change_reason = Some(failure.reason().to_owned());
            status.athena_error = failure.detail();
        }
    }
}

/// Writes the row and tells of its changes; a query's result becomes the one to be reused.
async fn keep(athena: &Athena, ctx: &Ctx, row: Row, told: Vec<PlatformEvent>) -> Result<(), MetadataError> {
    let principal = ctx.principal.arn.clone();
    let teller = ctx.platform.events.clone();
    athena
        .metadata
        .transaction(move |tx| {
            let select = row.execution.substatement_type.as_deref() == Some("SELECT");
            if row.state() == State::Succeeded && select {
                tx.put(REUSABLE, &reuse_key(&row), row.id().as_bytes())?;
            }
            if row.state() == State::Succeeded {
                lineage::keep(tx, &row, &principal)?;
            }
            put(tx, &row)?;
            told.into_iter().try_for_each(|change| teller.tell(tx, change))
        })
        .await
}
