//! One worker for each stream: it waits until there is enough or it is time, decides the next object, and delivers it.

use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::Platform;
use boathouse_journal::{Record, Tail};
use boathouse_metadata::Key;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};

use crate::delivery::{Delivery, Ended, plan, time};
use crate::destination::{At, Destination};
use crate::error::FirehoseError;
use crate::spool;
use crate::store::{Firehose, Live, Progress, STREAMS, Stream, shard};

/// The service that streams' roles must trust.
pub(crate) const SERVICE: &str = "firehose.amazonaws.com";
/// The name of the sessions of those roles.
pub(crate) const SESSION: &str = "AWSFirehoseToS3";
/// How long a worker rests when journal or store fail.
const REST: Duration = Duration::from_secs(5);
/// Bytes that are read at once to count them.
const COUNT_BYTES: usize = 4 << 20;

/// Sets the streams of an earlier process to work again. To be called once at start, before records come.
///
/// # Errors
/// The store can't be read.
pub fn recover(platform: &Platform, state: &Arc<Firehose>) -> Result<(), FirehoseError> {
    let mut spooled = Vec::new();
    for entry in state.deps.metadata.scan(STREAMS, &Key::default(), None, usize::MAX >> 1)? {
        let stream: Stream = entry.json()?;
        let destination = Destination::of(&stream.settings, stream.version, At("destination"))?;
        let intent = state.progress(stream.id)?.intent;
        spooled.extend(intent.filter(|intent| intent.spooled).map(|intent| (stream.id, intent.first)));
        start(platform, state, &stream, destination);
    }
    state.deps.journal.forget_strangers();
    if let Err(error) = spool::clean(&state.deps.spool, &spooled) {
        tracing::warn!(%error, "what was spooled in vain stays behind");
    }
    Ok(())
}

/// Lets a stream take records, and sets its worker going.
pub(crate) fn start(platform: &Platform, state: &Arc<Firehose>, stream: &Stream, destination: Destination) {
    let shard = shard(stream.id);
    let delivered = state.progress(stream.id).map(|progress| progress.delivered).unwrap_or_default();
    state.deps.journal.attach(shard, delivered);
    let live = Arc::new(Live {
        name: stream.name.clone(),
        shard,
        destination: RwLock::new(Arc::new(destination)),
        changed: Notify::new(),
        trouble: Mutex::default(),
    });
    state.live.write().insert(stream.name.clone(), Arc::clone(&live));
    tokio::spawn(run(Delivery { platform: platform.clone(), state: Arc::clone(state), live }));
}

/// Ends a stream that is deleted.
pub(crate) fn stop(state: &Firehose, stream: &Stream) {
    let live = state.live.write().remove(&stream.name);
    state.deps.journal.forget(shard(stream.id));
    if let Some(live) = live {
        live.changed.notify_one();
    }
}

async fn run(delivery: Delivery) {
    let Ok(tail) = delivery.state.deps.journal.tail(delivery.live.shard) else { return };
    let mut worker = Worker { delivery, tail, passed: 0, progress: None };
    loop {
        match worker.step().await {
            Ok(Ended::Done(_)) => {}
            Ok(Ended::Gone) => return,
            Err(error) => {
                tracing::error!(stream = worker.delivery.live.name, %error, "the stream rests");
                tokio::time::sleep(REST).await;
                worker.progress = None; // what is kept counts
            }
        }
    }
}

struct Worker {
    delivery: Delivery,
    tail: watch::Receiver<Tail>,
    /// What the tail's bytes were at the first record that is not delivered.
    passed: u64,
    progress: Option<Progress>,
}

impl Worker {
    /// Delivers one object.
    async fn step(&mut self) -> Result<Ended, FirehoseError> {
        let progress = match self.progress.take() {
            Some(progress) => progress,
            None => self.begin().await?,
        };
        let (intent, records) = match progress.intent {
            Some(intent) => (intent, None),
            None => {
                let Some(records) = self.wait(progress.delivered).await? else { return Ok(Ended::Gone) };
                let (first, last) = (&records[0], &records[records.len() - 1]);
                let destination = Arc::clone(&self.delivery.live.destination.read());
                let intent =
                    plan(&self.delivery.live, &destination, first.sequence, last.sequence + 1, first.arrival_ms);
                let stream = self.delivery.live.shard.stream;
                let progress = Progress { delivered: progress.delivered, intent: Some(intent.clone()) };
                self.delivery.state.keep_progress(stream, progress).await?;
                (intent, Some(records))
            }
        };
        let delivered = intent.end;
        let ended = self.delivery.deliver(intent, records).await?;
        if let Ended::Done(bytes) = ended {
            self.passed += bytes;
            self.progress = Some(Progress { delivered, intent: None });
        }
        Ok(ended)
    }

    /// Reads how far the stream is, and counts what waits.
    async fn begin(&mut self) -> Result<Progress, FirehoseError> {
        let progress = self.delivery.state.progress(self.delivery.live.shard.stream)?;
        let tail = *self.tail.borrow();
        let (mut waiting, mut from) = (0, progress.delivered);
        while from < tail.end {
            let records =
                self.delivery.state.deps.journal.read(self.delivery.live.shard, from, usize::MAX, COUNT_BYTES).await?;
            let Some(last) = records.last() else { break };
            from = last.sequence + 1;
            let counted = records.iter().filter(|record| record.sequence < tail.end);
            waiting += counted.map(|record| record.data.len() as u64).sum::<u64>();
        }
        self.passed = tail.bytes.saturating_sub(waiting);
        Ok(progress)
    }

    /// The records of the next object, once there are enough of them or the oldest is old enough; `None` when the stream
    /// is deleted.
    async fn wait(&mut self, from: u64) -> Result<Option<Vec<Record>>, FirehoseError> {
        let clock = Arc::clone(&self.delivery.platform.clock);
        let mut oldest = None;
        loop {
            let destination = Arc::clone(&self.delivery.live.destination.read());
            let tail = *self.tail.borrow_and_update();
            if oldest.is_none() && tail.end > from {
                oldest = self.read(from, 1, 0).await?.first().map(|record| time(record.arrival_ms));
            }
            let due = oldest.map(|arrival| arrival + destination.interval);
            let enough = tail.bytes.saturating_sub(self.passed) >= destination.size;
            if oldest.is_some() && enough || due.is_some_and(|due| due <= clock.now()) {
                let size = usize::try_from(destination.size).unwrap_or(usize::MAX);
                return self.read(from, usize::MAX, size).await.map(Some);
            }
            tokio::select! {
                changed = self.tail.changed() => if changed.is_err() { return Ok(None) },
                () = self.delivery.live.changed.notified() => {}
                () = clock.sleep_until(due.unwrap_or_default()), if due.is_some() => {}
            }
        }
    }

    async fn read(&self, from: u64, records: usize, bytes: usize) -> Result<Vec<Record>, FirehoseError> {
        Ok(self.delivery.state.deps.journal.read(self.delivery.live.shard, from, records, bytes).await?)
    }
}
