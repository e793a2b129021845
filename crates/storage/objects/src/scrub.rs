//! The scrubber: rereads everything that is stored, a little at a time, and tells what has been damaged since.
//!
//! A pass goes through the index and verifies the checksums of each record's bytes, from the disk and not from memory. Where it is
//! stands in the index, so that a restart does not begin anew. What it finds stands there too, until the object is sound
//! again or gone: damaged bytes are never served, moved or removed.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::blobs::{self, BLOCK, Blobs};
use crate::error::{Error, Result};
use crate::index::{Change, Table, View};
use crate::manifest;
use crate::packs;
use crate::record::{Extent, Location, Record};
use crate::remote::{Body, Flow, Remote};
use crate::{Inner, Objects, blocking};

/// How much is read in one piece.
const PIECE: u64 = 1 << 20;
/// How many rows are looked at before the place is kept.
const ROWS: usize = 1000;
/// How many bytes are read before it is.
const BYTES: u64 = 64 << 20;
/// What is gone through, in this order.
const TABLES: [Table; 3] = [Table::Current, Table::Version, Table::Part];
const PLACE: &[u8] = b"place";

/// How the scrubber goes about it.
#[derive(Debug, Clone, Copy)]
pub struct ScrubOptions {
    /// Bytes read each second at most.
    pub bytes_per_second: u64,
    /// How long after the beginning of a pass the next one begins.
    pub every: Duration,
    /// How long after its start it begins.
    pub after: Duration,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The bucket; empty for a part of an upload under way.
    pub bucket: String,
    /// The key, or the upload's id.
    pub key: String,
    /// The version, where it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What is wrong.
    pub what: String,
    /// When it was found: milliseconds since the Unix epoch.
    pub found_ms: u64,
}

/// What the scrubber has done since the store was opened, and what is known to be damaged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Records looked at.
    pub records: u64,
    /// Bytes verified.
    pub bytes: u64,
    /// Passes that ended.
    pub passes: u64,
    /// When the last pass ended, also before a restart: milliseconds since the Unix epoch.
    pub last_pass_ms: Option<u64>,
    /// What is damaged.
    pub damage: Vec<Damage>,
}

#[derive(Default)]
pub(crate) struct Counts {
    records: AtomicU64,
    bytes: AtomicU64,
    passes: AtomicU64,
    pace: Mutex<f64>,
}

/// Where the pass is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Place {
    /// When the pass began.
    began_ms: u64,
    /// Which of the tables; none if the pass is over.
    table: Option<usize>,
    /// The last row that was looked at, in hexadecimal.
    row: String,
    ended_ms: Option<u64>,
}

/// One run of bytes in a file.
struct Stored {
    files: Arc<Blobs>,
    file: Uuid,
    base: u64,
    length: u64,
}

impl Objects {
    /// Starts the scrubber, which ends with the store.
    pub fn scrub(&self, options: ScrubOptions) {
        let store = Arc::downgrade(&self.inner);
        tokio::spawn(async move {
            tokio::time::sleep(options.after).await;
            while let Some(inner) = store.upgrade() {
                let store = Self { inner };
                let rest = match store.scrub_step(&options).await {
                    Ok(rest) => rest,
                    Err(error) => {
                        tracing::warn!(%error, "the scrubber rests");
                        Some(Duration::from_secs(60))
                    }
                };
                drop(store);
                if let Some(rest) = rest {
                    tokio::time::sleep(rest).await;
                }
            }
        });
    }

    /// What the scrubber found.
    ///
    /// # Errors
    /// Of the index only.
    pub fn scrubbed(&self) -> Result<ScrubReport> {
        let Counts { records, bytes, passes, .. } = &self.inner.scrubbed;
        let rows = self.inner.index.scan(Table::Damage, &[], Bound::Unbounded);
        let damage = rows.map(|row| row.and_then(|(_, raw)| damage(&raw))).collect::<Result<_>>()?;
        let load = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let last_pass_ms = self.place()?.ended_ms;
        Ok(ScrubReport { records: load(records), bytes: load(bytes), passes: load(passes), last_pass_ms, damage })
    }

    fn place(&self) -> Result<Place> {
        let raw = self.inner.index.get(Table::Scrub, PLACE)?;
        Ok(raw.and_then(|raw| serde_json::from_slice(&raw).ok()).unwrap_or_default())
    }

    async fn keep_place(&self, place: Place) -> Result<()> {
        let raw = serde_json::to_vec(&place).expect("invariant: texts and numbers serialise");
        let keep = move |change: &mut Change<'_>| {
            change.insert(Table::Scrub, PLACE, raw);
            Ok(())
        };
        self.inner.writer.change(keep).await
    }

    /// Looks at some rows; answers how long to rest afterwards.
    async fn scrub_step(&self, options: &ScrubOptions) -> Result<Option<Duration>> {
        let (mut place, now) = (self.place()?, self.now_ms());
        let Some(table) = place.table else {
            let next = place.began_ms + options.every.as_millis() as u64;
            if place.began_ms > 0 && now < next {
                return Ok(Some(Duration::from_millis((next - now).min(60_000))));
            }
            if !TABLES.iter().any(|table| self.inner.index.scan(*table, &[], Bound::Unbounded).next().is_some()) {
                return Ok(Some(options.every.min(Duration::from_secs(60))));
            }
            self.keep_place(Place { began_ms: now.max(1), table: Some(0), ..place }).await?;
            return Ok(None);
        };
        let after = hex::decode(&place.row).unwrap_or_default();
        let start = if after.is_empty() { Bound::Unbounded } else { Bound::Excluded(&after[..]) };
        let rows: Vec<_> = self.inner.index.scan(TABLES[table], &[], start).take(ROWS).collect::<Result<_>>()?;
        let mut bytes = 0;
        let mut seen = 0;
        for (row, raw) in &rows {
            bytes += self.scrub_row(TABLES[table], row, raw, options).await?;
            place.row = hex::encode(row);
            seen += 1;
            if bytes >= BYTES {
                break;
            }
        }
        if seen == rows.len() && rows.len() < ROWS {
            (place.row, place.table) = (String::new(), Some(table + 1).filter(|next| *next < TABLES.len()));
        }
        if place.table.is_none() {
            self.forget_what_is_gone().await?;
            place.ended_ms = Some(self.now_ms());
            self.inner.scrubbed.passes.fetch_add(1, Ordering::Relaxed);
            tracing::info!("all that is stored was read again");
        }
        self.keep_place(place).await?;
        Ok(None)
    }

    async fn scrub_row(&self, table: Table, row: &[u8], raw: &[u8], options: &ScrubOptions) -> Result<u64> {
        let outcome = match self.runs(table, raw) {
            Ok(runs) => self.verify(runs, options).await,
            Err(error) => Err(error),
        };
        self.inner.scrubbed.records.fetch_add(1, Ordering::Relaxed);
        let known = self.inner.index.get(Table::Damage, &damage_row(table, row))?.is_some();
        match outcome {
            Ok(bytes) if !known => Ok(bytes),
            Ok(bytes) => self.note(table, row, raw, None).await.map(|()| bytes),
            Err(error @ (Error::Corrupt(_) | Error::Io(_))) => {
                self.note(table, row, raw, Some(error.to_string())).await.map(|()| 0)
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps that a record is damaged, or no longer, if it is still there as it was.
    async fn note(&self, table: Table, row: &[u8], raw: &[u8], what: Option<String>) -> Result<()> {
        let (row, raw, found_ms) = (row.to_vec(), raw.to_vec(), self.now_ms());
        let note = move |change: &mut Change<'_>| {
            let place = damage_row(table, &row);
            let unchanged = location(table, change.get(table, &row)?) == location(table, Some(raw.clone()));
            match what.filter(|_| unchanged) {
                None => change.remove(Table::Damage, &place),
                Some(_) if change.get(Table::Damage, &place)?.is_some() => {}
                Some(what) => {
                    let damage = describe(table, &row, &raw, what, found_ms);
                    tracing::error!(
                        target: "audit", bucket = %damage.bucket, key = %damage.key, version = damage.version,
                        what = %damage.what, "DamagedObject"
                    );
                    let raw = serde_json::to_vec(&damage).expect("invariant: texts and numbers serialise");
                    change.insert(Table::Damage, &place, raw);
                }
            }
            Ok(())
        };
        self.inner.writer.change(note).await
    }

    async fn forget_what_is_gone(&self) -> Result<()> {
        let rows = self.inner.index.scan(Table::Damage, &[], Bound::Unbounded);
        let rows: Vec<Vec<u8>> = rows.map(|row| row.map(|(key, _)| key)).collect::<Result<_>>()?;
        if rows.is_empty() {
            return Ok(());
        }
        let forget = move |change: &mut Change<'_>| {
            for row in &rows {
                let table = TABLES.into_iter().find(|table| *table as u8 == row[0]);
                let there = table.map(|table| change.get(table, &row[1..])).transpose()?.flatten();
                if there.is_none() {
                    change.remove(Table::Damage, row);
                }
            }
            Ok(())
        };
        self.inner.writer.change(forget).await
    }

    /// Where the bytes of a row are, pinned one after the other when they are read.
    fn runs(&self, table: Table, raw: &[u8]) -> Result<Vec<Extent>> {
        let view = self.inner.index.view();
        let extents = match table {
            Table::Part => vec![manifest::decode_one(raw)?.extent],
            _ => match Record::decode(raw)?.location {
                Location::Whole(extent) => vec![extent],
                // There is nothing to compare it with.
                Location::Attached(_) => Vec::new(),
                Location::Parts(id) => {
                    let list = view.get(Table::Manifest, id.as_bytes())?.ok_or_else(manifest::missing)?;
                    manifest::decode(&list)?.into_iter().map(|part| part.extent).collect()
                }
            },
        };
        Ok(extents)
    }

    async fn verify(&self, extents: Vec<Extent>, options: &ScrubOptions) -> Result<u64> {
        let mut bytes = 0;
        for extent in extents {
            if let (Extent::Blob(id), Some(remote)) = (&extent, self.inner.blobs.remote()) {
                bytes += self.verify_remote(remote, *id, options).await?;
                continue;
            }
            let Some(run) = stored(&self.inner, &self.inner.index.view(), &extent)? else { continue };
            let (pin, run) = (Arc::new(run.files.pin(run.file)), Arc::new(run));
            let mut at = 0;
            while at < run.length {
                let (pin, run, end) = (Arc::clone(&pin), Arc::clone(&run), (at + PIECE).min(run.length));
                let piece = move || {
                    let file = pin.file()?;
                    // What lies in memory says nothing of the disk.
                    let _ = rustix::fs::fadvise(
                        file,
                        run.base + at,
                        std::num::NonZeroU64::new(end - at),
                        rustix::fs::Advice::DontNeed,
                    );
                    blobs::read(file, run.base, run.length, at..end).map(drop)
                };
                blocking(piece).await?;
                self.inner.scrubbed.bytes.fetch_add(end - at, Ordering::Relaxed);
                bytes += end - at;
                self.pace(end - at, options).await;
                at = end;
            }
        }
        Ok(bytes)
    }

    async fn verify_remote(&self, remote: &Remote, id: Uuid, options: &ScrubOptions) -> Result<u64> {
        let _pin = self.inner.blobs.pin(id);
        let (length, mut at) = (blobs::run_length(remote.size(id).await?), 0);
        if length == 0 {
            return Ok(0);
        }
        let mut flow = Flow::start(remote, Body::File(id), length, &(0..length)).await?;
        while at < length {
            let piece = flow.blocks(PIECE / BLOCK).await?.len() as u64;
            at += piece;
            self.inner.scrubbed.bytes.fetch_add(piece, Ordering::Relaxed);
            self.pace(piece, options).await;
        }
        Ok(length)
    }

    /// Waits as long as reading so many bytes may take.
    async fn pace(&self, bytes: u64, options: &ScrubOptions) {
        let owed = {
            let mut owed = self.inner.scrubbed.pace.lock();
            *owed += bytes as f64 / options.bytes_per_second.max(1) as f64;
            if *owed < 0.01 {
                return;
            }
            std::mem::take(&mut *owed)
        };
        tokio::time::sleep(Duration::from_secs_f64(owed)).await;
    }
}

/// A run of bytes in a file; none if they are in a row, which the index engine verifies.
fn stored(inner: &Inner, view: &View, extent: &Extent) -> Result<Option<Stored>> {
    match extent {
        Extent::Inline(_) => Ok(None),
        Extent::Packed(id) => {
            let slot = packs::slot(view, *id)?.ok_or_else(packs::missing)?;
            let files = Arc::clone(&inner.packs.files);
            Ok(Some(Stored { files, file: slot.pack, base: slot.base(), length: slot.length }))
        }
        Extent::Blob(id) => {
            let files = Arc::clone(&inner.blobs);
            let bytes = files.bytes(*id)?.ok_or_else(|| Error::Corrupt("a content file is missing".into()))?;
            Ok(Some(Stored { files, file: *id, base: 0, length: blobs::run_length(bytes) }))
        }
    }
}

fn damage(raw: &[u8]) -> Result<Damage> {
    serde_json::from_slice(raw).map_err(|_| Error::Corrupt("damage record".into()))
}

fn damage_row(table: Table, row: &[u8]) -> Vec<u8> {
    [&[table as u8], row].concat()
}

/// What of a row says where its bytes are.
fn location(table: Table, raw: Option<Vec<u8>>) -> Option<std::result::Result<Location, Vec<u8>>> {
    let raw = raw?;
    match (table, Record::decode(&raw)) {
        (Table::Part, _) | (_, Err(_)) => Some(Err(raw)),
        (_, Ok(record)) => Some(Ok(record.location)),
    }
}

fn describe(table: Table, row: &[u8], raw: &[u8], what: String, found_ms: u64) -> Damage {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (bucket, key) = match (table, row.iter().position(|byte| *byte == 0)) {
        (Table::Current | Table::Version, Some(end)) => {
            let key = &row[end + 1..];
            let key = if table == Table::Version { &key[..key.len().saturating_sub(9)] } else { key };
            (text(&row[..end]), text(key))
        }
        _ => (String::new(), hex::encode(row)),
    };
    let version = Record::decode(raw).ok().filter(|_| table != Table::Part).and_then(|record| record.info.version);
    Damage { bucket, key, version, what, found_ms }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use bytes::Bytes;
    use futures::stream;

    use super::*;
    use crate::{Expectations, Options, PutRequest, Seal};

    const FAST: ScrubOptions =
        ScrubOptions { bytes_per_second: u64::MAX, every: Duration::from_millis(20), after: Duration::ZERO };

    async fn put(store: &Objects, key: &str, size: usize, seal: Seal) {
        let request = PutRequest { bucket: "b".into(), key: key.into(), seal, ..PutRequest::default() };
        store.put(request, stream::iter([Ok(Bytes::from(vec![7; size]))]), Expectations::default).await.unwrap();
    }

    async fn passes(store: &Objects, more: u64) -> ScrubReport {
        let (started, until) = (Instant::now(), store.scrubbed().unwrap().passes + more);
        loop {
            let report = store.scrubbed().unwrap();
            if report.passes >= until {
                return report;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{report:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn flip(directory: &Path, at: usize) {
        let path = std::fs::read_dir(directory).unwrap().next().unwrap().unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[at] ^= 16;
        std::fs::write(path, bytes).unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_changed_on_the_disk_is_found_until_it_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let store = Objects::open(dir.path(), &Options::default()).unwrap();
        store.create_bucket("b").await.unwrap();
        for (key, size) in [("inline", 100), ("packed", 60_000), ("packed too", 60_000), ("large", 3_000_000)] {
            put(&store, key, size, Seal::AsBucket).await;
        }
        store.scrub(FAST);
        // The second pass has begun after the last write.
        let report = passes(&store, 2).await;
        assert_eq!(report.damage, []);
        assert!(report.bytes >= 3_120_000 && report.last_pass_ms.is_some());
        flip(&dir.path().join("packs"), 30_000);
        flip(&dir.path().join("blobs"), 2_500_000);
        let report = passes(&store, 2).await;
        let keys: Vec<_> = report.damage.iter().map(|damage| (&damage.bucket[..], &damage.key[..])).collect();
        assert_eq!(keys, [("b", "large"), ("b", "packed")]);
        assert!(report.damage[0].what.contains("block"), "{report:?}");
        // It is known after a restart, and gone with the damaged objects.
        drop(store);
        let started = Instant::now();
        let store = loop {
            match Objects::open(dir.path(), &Options::default()) {
                Ok(store) => break store,
                Err(error) => assert!(started.elapsed() < Duration::from_secs(10), "{error}"),
            }
        };
        assert_eq!(store.scrubbed().unwrap().damage.len(), 2);
        put(&store, "large", 3_000_000, Seal::AsBucket).await;
        store.delete("b", vec!["packed".into()]).await.unwrap();
        store.scrub(FAST);
        assert_eq!(passes(&store, 2).await.damage, []);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn files_that_are_gone_and_sealed_ones_are_looked_at_too() {
        let dir = tempfile::tempdir().unwrap();
        let store = Objects::open(dir.path(), &Options::default()).unwrap();
        store.create_bucket("b").await.unwrap();
        put(&store, "sealed", 2_000_000, Seal::Store).await;
        store.scrub(FAST);
        assert_eq!(passes(&store, 2).await.damage, []);
        let blobs = dir.path().join("blobs");
        let path = std::fs::read_dir(&blobs).unwrap().next().unwrap().unwrap().path();
        std::fs::rename(&path, dir.path().join("aside")).unwrap();
        let damage = passes(&store, 2).await.damage;
        assert!(damage.len() == 1 && damage[0].what.contains("missing"), "{damage:?}");
        std::fs::rename(dir.path().join("aside"), path).unwrap();
        assert_eq!(passes(&store, 2).await.damage, []);
    }
}
