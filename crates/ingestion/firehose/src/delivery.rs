//! From an intent to objects in S3, as often as it takes.

use std::sync::Arc;
use std::time::Duration;

use boathouse_aws::{Ctx, Platform};
use boathouse_journal::Record;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use object_store::path::Path;
use object_store::{Attribute, Attributes, PutOptions, PutPayload};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use crate::destination::Destination;
use crate::measures;
use crate::prefix::Moment;
use crate::report::{Trouble, report};
use crate::spool::{self, Outputs};
use crate::store::{Firehose, Intent, Live, Progress};
use crate::transform::transform;
use crate::worker::{SERVICE, SESSION};
use crate::{FirehoseError, arn};

/// How long records are tried to be delivered.
const RETENTION_MS: u64 = 24 * 60 * 60 * 1000;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// One stream's way to S3.
pub(crate) struct Delivery {
    pub(crate) platform: Platform,
    pub(crate) state: Arc<Firehose>,
    pub(crate) live: Arc<Live>,
}

/// How a delivery ended.
pub(crate) enum Ended {
    /// The records are delivered, or too old to try on: this many bytes of them.
    Done(u64),
    /// The stream is deleted.
    Gone,
}

/// What is known of an intent's puts.
struct Attempts {
    /// Whether surely nothing of it is in the bucket, so that it may still be given other names.
    nothing_there: bool,
    outputs: Option<Outputs>,
    pause: Duration,
}

/// Decides the names of the object that begins with the record `first`.
pub(crate) fn plan(live: &Live, destination: &Destination, first: u64, end: u64, arrival_ms: u64) -> Intent {
    let stream = live.shard.stream;
    let seed = [stream.as_bytes(), &destination.version.to_be_bytes()[..], &first.to_be_bytes()].concat();
    let hash = digest(&SHA256, &seed);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_ref()[..16]);
    let id = uuid::Builder::from_random_bytes(bytes).into_uuid();
    let arrival = time(arrival_ms).with_timezone(&destination.zone);
    let stamp = arrival.format("%Y-%m-%d-%H-%M-%S");
    let name = format!("{}-{}-{stamp}-{id}", live.name, destination.version);
    let moment = |error_output_type| Moment { arrival, seed: &seed, error_output_type };
    let prefix = destination.prefix.evaluate(&moment(""));
    let error_prefix = destination.error_prefix.evaluate(&moment("processing-failed"));
    Intent {
        first,
        end,
        arrival_ms,
        version: destination.version,
        bucket: destination.bucket.clone(),
        key: format!("{prefix}{name}{}", destination.extension),
        error_key: format!("{error_prefix}{name}"),
        spooled: false,
    }
}

/// A time that was kept in milliseconds since 1970.
pub(crate) fn time(ms: u64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms as i64).unwrap_or_default()
}

impl Delivery {
    fn stream(&self) -> Uuid {
        self.live.shard.stream
    }

    /// Delivers the records of `intent`, which is kept already. `records` is given where the intent was made just now.
    ///
    /// # Errors
    /// The journal can't be read, or the store can't be written: to be tried again.
    pub(crate) async fn deliver(
        &self,
        mut intent: Intent,
        records: Option<Vec<Record>>,
    ) -> Result<Ended, FirehoseError> {
        let nothing_there = records.is_some();
        let records = match records {
            Some(records) => records,
            None => self.records(&intent).await?,
        };
        let bytes = records.iter().map(|record| record.data.len() as u64).sum();
        let mut attempts = Attempts { nothing_there, outputs: None, pause: FIRST_PAUSE };
        loop {
            let destination = Arc::clone(&self.live.destination.read());
            if attempts.nothing_there && intent.version != destination.version {
                intent = self.plan_again(&intent, &destination).await?;
                attempts.outputs = None;
            }
            let Err(trouble) = self.attempt(&mut intent, &records, &destination, &mut attempts).await? else {
                self.finish(&intent).await?;
                self.measure(&intent, records.len(), attempts.outputs.as_ref());
                return Ok(Ended::Done(bytes));
            };
            measures::failed(&self.platform, &self.live.name);
            if !self.state.live(&self.live.name).is_ok_and(|live| Arc::ptr_eq(&live, &self.live)) {
                return Ok(Ended::Gone);
            }
            if self.expired(&intent) {
                tracing::error!(stream = self.live.name, records = records.len(), %trouble, "records are lost: too old");
                self.finish(&intent).await?;
                return Ok(Ended::Done(bytes));
            }
            *self.live.trouble.lock() = Some(trouble);
            let _ = tokio::time::timeout(attempts.pause, self.live.changed.notified()).await;
            attempts.pause = (attempts.pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn measure(&self, intent: &Intent, records: usize, outputs: Option<&Outputs>) {
        let pieces = outputs.and_then(|outputs| outputs.delivered.as_ref()).into_iter().flatten();
        let now = self.platform.clock.now().timestamp_millis().unsigned_abs();
        let waited = now.saturating_sub(intent.arrival_ms);
        measures::delivered(&self.platform, &self.live.name, records, pieces.map(Bytes::len).sum(), waited);
    }

    async fn records(&self, intent: &Intent) -> Result<Vec<Record>, FirehoseError> {
        let journal = &self.state.deps.journal;
        let mut records = journal.read(self.live.shard, intent.first, count(intent), usize::MAX).await?;
        records.retain(|record| record.sequence < intent.end);
        Ok(records)
    }

    fn expired(&self, intent: &Intent) -> bool {
        let now = self.platform.clock.now().timestamp_millis().unsigned_abs();
        now.saturating_sub(intent.arrival_ms) > RETENTION_MS
    }

    /// The same records under the names of the destination as it is now.
    async fn plan_again(&self, intent: &Intent, destination: &Destination) -> Result<Intent, FirehoseError> {
        let again = plan(&self.live, destination, intent.first, intent.end, intent.arrival_ms);
        self.keep(&again).await?;
        Ok(again)
    }

    async fn keep(&self, intent: &Intent) -> Result<(), FirehoseError> {
        let progress = Progress { delivered: intent.first, intent: Some(intent.clone()) };
        self.state.keep_progress(self.stream(), progress).await
    }

    async fn finish(&self, intent: &Intent) -> Result<(), FirehoseError> {
        self.state.keep_progress(self.stream(), Progress { delivered: intent.end, intent: None }).await?;
        self.state.deps.journal.consume(self.live.shard, intent.end);
        *self.live.trouble.lock() = None;
        if intent.spooled {
            spool::remove(&self.state.deps.spool, self.stream(), intent.first);
        }
        Ok(())
    }

    /// Tries once. The inner error is one of the destination.
    async fn attempt(
        &self,
        intent: &mut Intent,
        records: &[Record],
        destination: &Destination,
        attempts: &mut Attempts,
    ) -> Result<Result<(), Trouble>, FirehoseError> {
        let ctx = match self.acting_as(&destination.role) {
            Ok(ctx) => ctx,
            Err(trouble) => {
                report(None, destination, &self.live.name, &trouble).await;
                return Ok(Err(trouble));
            }
        };
        let outputs = match attempts.outputs.take() {
            Some(outputs) => outputs,
            None => self.outputs(&ctx, intent, records, destination).await?,
        };
        let put = self.put(&ctx, intent, &outputs, attempts).await;
        attempts.outputs = Some(outputs);
        if let Err(trouble) = &put {
            attempts.nothing_there |= trouble.code == "S3.NoSuchBucket";
            report(Some(&ctx), destination, &self.live.name, trouble).await;
        }
        Ok(put)
    }

    fn acting_as(&self, role: &str) -> Result<Ctx, Trouble> {
        let principal = self.state.deps.roles.assume_for_service(role, SERVICE, SESSION);
        principal.map(|principal| self.platform.context(principal)).map_err(|error| Trouble::role(&error))
    }

    async fn put(&self, ctx: &Ctx, intent: &Intent, outputs: &Outputs, attempts: &mut Attempts) -> Result<(), Trouble> {
        let bucket = self.state.deps.stores.bucket(ctx, &intent.bucket).map_err(|error| Trouble::bucket(&error))?;
        for (key, pieces) in [(&intent.key, &outputs.delivered), (&intent.error_key, &outputs.failed)] {
            let Some(pieces) = pieces else { continue };
            let path = Path::parse(key).map_err(|error| Trouble::new("S3.InvalidKey", error.to_string()))?;
            let attributes = Attributes::from_iter([(Attribute::ContentType, "application/octet-stream")]);
            let options = PutOptions { attributes, ..PutOptions::default() };
            let put = bucket.put_opts(&path, PutPayload::from_iter(pieces.iter().cloned()), options).await;
            let put = put.map_err(|error| Trouble::put(&error));
            attempts.nothing_there &= put.as_ref().is_err_and(Trouble::leaves_nothing);
            put?;
            tracing::debug!(stream = self.live.name, key, "delivered");
        }
        Ok(())
    }

    /// What the records become. Where a function decides that, it is kept on disk before anything is put.
    async fn outputs(
        &self,
        ctx: &Ctx,
        intent: &mut Intent,
        records: &[Record],
        destination: &Destination,
    ) -> Result<Outputs, FirehoseError> {
        let (directory, stream, first) = (self.state.deps.spool.clone(), self.stream(), intent.first);
        if intent.spooled {
            return blocking(move || spool::read(&directory, stream, first)).await;
        }
        let Some(lambda) = &destination.processing.lambda else {
            let pieces = records.iter().map(|record| record.data.clone()).collect();
            let delivered = object(destination, pieces, &intent.key).await?;
            return Ok(Outputs { delivered: Some(delivered), failed: None });
        };
        let ctx = self.acting_as(&lambda.role).unwrap_or_else(|_| ctx.clone());
        let transformed = transform(&ctx, lambda, &arn(&ctx, &self.live.name), stream, records).await;
        if let Some(failure) = transformed.failure {
            let trouble = Trouble::new(failure.code, failure.message);
            report(Some(&ctx), destination, &self.live.name, &trouble).await;
        }
        let delivered = match transformed.ok {
            nothing if nothing.is_empty() => None,
            pieces => Some(object(destination, pieces, &intent.key).await?),
        };
        let failed = (!transformed.failed.is_empty()).then_some(transformed.failed);
        let outputs = Outputs { delivered, failed };
        let spooled = outputs.clone();
        blocking(move || spool::write(&directory, stream, first, &spooled)).await?;
        intent.spooled = true;
        self.keep(intent).await?;
        Ok(outputs)
    }
}

fn count(intent: &Intent) -> usize {
    usize::try_from(intent.end - intent.first).unwrap_or(usize::MAX)
}

/// The bytes of an object: records with their delimiter, compressed.
async fn object(destination: &Destination, pieces: Vec<Bytes>, key: &str) -> Result<Vec<Bytes>, FirehoseError> {
    let delimiter = Bytes::from(destination.processing.delimiter.clone());
    let pieces = match delimiter.is_empty() {
        true => pieces,
        false => pieces.into_iter().flat_map(|piece| [piece, delimiter.clone()]).collect(),
    };
    let (compression, extension) = (destination.compression, destination.extension.clone());
    let name = key.rsplit('/').next().unwrap_or(key);
    let name = name.strip_suffix(&extension).unwrap_or(name).to_owned();
    blocking(move || compression.compress(pieces, &name)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, FirehoseError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(std::io::Error::other(error))).map_err(|error| {
        tracing::error!(%error, "records can't be prepared for delivery");
        FirehoseError::Unavailable
    })
}
