//! Packs: append-only files that hold many small objects each, so that a small PUT costs no file and no directory sync.
//!
//! One thread appends whatever waits and syncs once for all of it. An entry is a header, the bytes, and the checksums of their
//! blocks as in a content file. Where an entry is stands in the index (its *slot*), so that compaction can move it.
//! Nothing in a pack is ever changed, and a pack that was not ended well is only searched, never trusted: an entry counts if the
//! index has a slot for its very place.

use std::collections::HashMap;
use std::io::{BufWriter, Write as _};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::blobs::{self, Blobs, BlockSums};
use crate::collector::Errands;
use crate::error::{Error, Result};
use crate::files::Output;
use crate::index::{Change, Index, Table, View};
use crate::{Durability, Options};

/// The entries and bytes that share one sync at most.
const GROUP_ENTRIES: usize = 64;
const GROUP_BYTES: u64 = 16 << 20;
const BUFFER_BYTES: usize = 128 << 10;
const MAGIC: &[u8; 8] = b"BHENTRY1";
/// `magic (8) | id (16) | length of the bytes (8, big endian) | CRC-32C of these (4, big endian)`.
pub(crate) const HEADER_BYTES: u64 = 36;
/// Where a reopened pack goes on, and where a search goes on behind what is no entry.
pub(crate) const ALIGNMENT: u64 = 4096;

/// Where an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) pack: Uuid,
    pub(crate) offset: u64,
    /// Of the bytes, without header and checksums.
    pub(crate) length: u64,
}

impl Slot {
    fn encode(&self) -> Vec<u8> {
        [&self.pack.as_bytes()[..], &self.offset.to_be_bytes(), &self.length.to_be_bytes()].concat()
    }

    pub(crate) fn decode(raw: &[u8]) -> Result<Self> {
        let fields = || {
            let (pack, rest) = raw.split_first_chunk()?;
            let (offset, length) = rest.split_first_chunk()?;
            let length = length.try_into().ok()?;
            Some((*pack, *offset, length))
        };
        let (pack, offset, length) = fields().ok_or_else(|| Error::Corrupt("slot of a pack".into()))?;
        let (offset, length) = (u64::from_be_bytes(offset), u64::from_be_bytes(length));
        Ok(Self { pack: Uuid::from_bytes(pack), offset, length })
    }

    /// Where the bytes begin in the file.
    pub(crate) fn base(&self) -> u64 {
        self.offset + HEADER_BYTES
    }

    /// Where the next entry begins.
    pub(crate) fn end(&self) -> u64 {
        self.base() + blobs::stored_bytes(self.length)
    }
}

pub(crate) fn slot(view: &View, id: Uuid) -> Result<Option<Slot>> {
    view.get(Table::Slot, id.as_bytes())?.map(|raw| Slot::decode(&raw)).transpose()
}

fn slot_in(change: &Change<'_>, id: Uuid) -> Result<Option<Slot>> {
    change.get(Table::Slot, id.as_bytes())?.map(|raw| Slot::decode(&raw)).transpose()
}

pub(crate) fn missing() -> Error {
    Error::Corrupt("an object has no slot in a pack".into())
}

fn live_bytes(raw: Vec<u8>) -> Result<u64> {
    Ok(u64::from_be_bytes(raw.try_into().map_err(|_| Error::Corrupt("live bytes of a pack".into()))?))
}

/// How many bytes of a pack are entries with a slot.
pub(crate) fn live(index: &Index, pack: Uuid) -> Result<u64> {
    index.get(Table::Pack, pack.as_bytes())?.map_or(Ok(0), live_bytes)
}

pub(crate) fn live_in(change: &Change<'_>, pack: Uuid) -> Result<u64> {
    change.get(Table::Pack, pack.as_bytes())?.map_or(Ok(0), live_bytes)
}

fn set_live(change: &mut Change<'_>, pack: Uuid, live: u64) {
    change.insert(Table::Pack, pack.as_bytes(), live.to_be_bytes().to_vec());
}

fn occupy(change: &mut Change<'_>, id: Uuid, slot: &Slot) -> Result<()> {
    let live = live_in(change, slot.pack)? + slot.end() - slot.offset;
    set_live(change, slot.pack, live);
    change.insert(Table::Slot, id.as_bytes(), slot.encode());
    Ok(())
}

/// Frees an entry that nothing references any more.
pub(crate) fn vacate(change: &mut Change<'_>, id: Uuid) -> Result<()> {
    let slot = slot_in(change, id)?.ok_or_else(missing)?;
    let live = live_in(change, slot.pack)?.saturating_sub(slot.end() - slot.offset);
    set_live(change, slot.pack, live);
    change.remove(Table::Slot, id.as_bytes());
    Ok(())
}

/// An entry on disk that has no slot yet. Its pack is not compacted while this lives.
pub(crate) struct Placed {
    id: Uuid,
    slot: Slot,
    packs: Arc<Shared>,
}

impl Placed {
    /// Gives a new entry its slot.
    pub(crate) fn keep(self, change: &mut Change<'_>) -> Result<()> {
        occupy(change, self.id, &self.slot)
    }

    /// Gives an entry that was copied from `from` this place, if it is still there.
    pub(crate) fn relocate(self, change: &mut Change<'_>, from: &Slot) -> Result<()> {
        if slot_in(change, self.id)? == Some(*from) {
            vacate(change, self.id)?;
            occupy(change, self.id, &self.slot)?;
        }
        Ok(())
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        self.packs.release(self.slot.pack);
    }
}

struct Shared {
    usage: Mutex<Usage>,
    errands: Errands,
}

#[derive(Default)]
struct Usage {
    active: Option<Uuid>,
    placed: HashMap<Uuid, usize>,
}

impl Shared {
    fn busy(&self, pack: Uuid) -> bool {
        let usage = self.usage.lock();
        usage.active == Some(pack) || usage.placed.contains_key(&pack)
    }

    fn release(&self, pack: Uuid) {
        let mut usage = self.usage.lock();
        let Some(count) = usage.placed.get_mut(&pack) else { return };
        *count -= 1;
        if *count == 0 {
            usage.placed.remove(&pack);
            let sealed = usage.active != Some(pack);
            drop(usage);
            if sealed {
                self.errands.send((Table::Pack, pack));
            }
        }
    }

    /// Makes another pack, or none, the one that is written to.
    fn activate(&self, pack: Option<Uuid>) {
        let before = std::mem::replace(&mut self.usage.lock().active, pack);
        if let Some(before) = before {
            self.errands.send((Table::Pack, before));
        }
    }
}

struct Job {
    id: Uuid,
    chunks: Vec<Bytes>,
    length: u64,
    reply: oneshot::Sender<Result<Placed>>,
}

/// The packs of a store and the thread that appends to them.
pub(crate) struct Packs {
    pub(crate) files: Arc<Blobs>,
    shared: Arc<Shared>,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Packs {
    /// Opens the packs of a folder: those that the index does not know are removed, and the latest one goes on.
    pub(crate) fn open(files: Arc<Blobs>, options: &Options, index: &Index, errands: Errands) -> Result<Self> {
        let mut latest = None;
        let (mut sealed, mut gone) = (Vec::new(), Vec::new());
        for (id, bytes) in files.all()? {
            if live(index, id)? == 0 {
                files.discard(id)?;
                gone.push((Table::Pack, id));
            } else if bytes < options.pack_bytes && latest.is_none_or(|(latest, _)| latest < id) {
                sealed.extend(latest.replace((id, bytes)).map(|(id, _)| id));
            } else {
                sealed.push(id);
            }
        }
        // A row without a file harms nobody.
        if let Err(error) = index.forget(gone) {
            tracing::warn!(%error, "rows of removed packs stay until the next start");
        }
        sealed.into_iter().for_each(|id| errands.send((Table::Pack, id)));
        let shared = Arc::new(Shared { usage: Mutex::default(), errands });
        let (jobs, queue) = mpsc::channel();
        let options = options.clone();
        let mut packer = Packer { files: Arc::clone(&files), options, shared: Arc::clone(&shared), active: None };
        if let Some((id, bytes)) = latest {
            packer.resume(id, bytes)?;
        }
        let thread = std::thread::Builder::new().name("objects-packer".into()).spawn(move || packer.run(&queue))?;
        Ok(Self { files, shared, jobs: Some(jobs), thread: Some(thread) })
    }

    /// Appends an entry; what comes back is on disk.
    pub(crate) fn append(&self, id: Uuid, chunks: Vec<Bytes>) -> Result<oneshot::Receiver<Result<Placed>>> {
        let (reply, answer) = oneshot::channel();
        let length = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let job = Job { id, chunks, length, reply };
        self.jobs.as_ref().ok_or(Error::Closed)?.send(job).map_err(|_| Error::Closed)?;
        Ok(answer)
    }

    /// Whether entries of the pack may still get slots.
    pub(crate) fn busy(&self, pack: Uuid) -> bool {
        self.shared.busy(pack)
    }
}

impl Drop for Packs {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

struct Active {
    id: Uuid,
    file: BufWriter<Output>,
    end: u64,
}

/// The thread's side.
struct Packer {
    files: Arc<Blobs>,
    options: Options,
    shared: Arc<Shared>,
    active: Option<Active>,
}

impl Packer {
    fn run(mut self, queue: &mpsc::Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut bytes = 0;
            let mut group = vec![first];
            while group.len() < GROUP_ENTRIES && bytes < GROUP_BYTES {
                let Ok(job) = queue.try_recv() else { break };
                bytes += job.length;
                group.push(job);
            }
            let outcome = self.append(&group);
            if outcome.is_err() {
                // What the failed write left is unknown: nothing may follow it.
                self.seal();
            }
            for (at, job) in group.into_iter().enumerate() {
                let answer = outcome.as_ref().map_err(Clone::clone).map(|slots| self.placed(job.id, slots[at]));
                // The caller may have gone away; the entry is then garbage.
                let _ = job.reply.send(answer);
            }
            if self.active.as_ref().is_some_and(|active| active.end >= self.options.pack_bytes) {
                self.seal();
            }
        }
    }

    fn placed(&self, id: Uuid, slot: Slot) -> Placed {
        *self.shared.usage.lock().placed.entry(slot.pack).or_default() += 1;
        Placed { id, slot, packs: Arc::clone(&self.shared) }
    }

    fn seal(&mut self) {
        self.active = None;
        self.shared.activate(None);
    }

    fn resume(&mut self, id: Uuid, bytes: u64) -> Result<()> {
        let end = bytes.next_multiple_of(ALIGNMENT);
        let file = self.files.continue_pack(id, end)?;
        self.active = Some(Active { id, file: BufWriter::with_capacity(BUFFER_BYTES, file), end });
        self.shared.activate(Some(id));
        Ok(())
    }

    fn active(&mut self) -> Result<&mut Active> {
        if self.active.is_none() {
            // Ordered by time, so that the latest is known after a restart.
            let id = Uuid::now_v7();
            let file = BufWriter::with_capacity(BUFFER_BYTES, self.files.create_pack(id)?);
            self.files.sync_dir()?;
            self.shared.activate(Some(id));
            self.active = Some(Active { id, file, end: 0 });
        }
        self.active.as_mut().ok_or(Error::Closed)
    }

    /// Writes entries and makes them durable.
    fn append(&mut self, group: &[Job]) -> Result<Vec<Slot>> {
        let durability = self.options.durability;
        let active = self.active()?;
        let mut slots = Vec::with_capacity(group.len());
        for job in group {
            let slot = Slot { pack: active.id, offset: active.end, length: job.length };
            active.file.write_all(&header(job.id, job.length))?;
            let mut sums = BlockSums::default();
            for chunk in &job.chunks {
                active.file.write_all(chunk)?;
                sums.update(chunk);
            }
            active.file.write_all(&sums.finish())?;
            active.end = slot.end();
            slots.push(slot);
        }
        active.file.flush()?;
        if durability == Durability::Strict {
            active.file.get_ref().sync()?;
        }
        Ok(slots)
    }
}

fn header(id: Uuid, length: u64) -> Vec<u8> {
    let mut header = [&MAGIC[..], id.as_bytes(), &length.to_be_bytes()].concat();
    header.extend_from_slice(&(crc_fast::crc32_iscsi(&header)).to_be_bytes());
    header
}

/// The entry that a header announces: its id and the length of its bytes.
pub(crate) fn announced(header: &[u8]) -> Option<(Uuid, u64)> {
    let (head, crc) = header.split_last_chunk::<4>()?;
    let sound = crc_fast::crc32_iscsi(head).to_be_bytes() == *crc;
    let (id, length) = head.strip_prefix(MAGIC).filter(|_| sound)?.split_first_chunk()?;
    Some((Uuid::from_bytes(*id), u64::from_be_bytes(length.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_and_headers_survive_their_codecs() {
        let slot = Slot { pack: Uuid::from_u128(7), offset: 1 << 40, length: 65_537 };
        assert_eq!(Slot::decode(&slot.encode()).unwrap(), slot);
        assert_eq!(slot.end() - slot.offset, HEADER_BYTES + 65_537 + 8);
        assert!(Slot::decode(&slot.encode()[1..]).is_err());
        let mut raw = header(Uuid::from_u128(9), 5);
        assert_eq!(raw.len() as u64, HEADER_BYTES);
        assert_eq!(announced(&raw), Some((Uuid::from_u128(9), 5)));
        raw[20] ^= 1;
        assert_eq!(announced(&raw), None);
        assert_eq!(announced(&[]), None);
    }
}
