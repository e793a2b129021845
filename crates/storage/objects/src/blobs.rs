//! Content files: one per large object, written once, never changed; and the folder of packs. In gateway mode content files lie
//! in a remote store.
//!
//! Layout of a run of bytes: the bytes, then a CRC-32C (4 bytes, little endian) of each 64 KiB block of them. Every read verifies the blocks it touches.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::io::{IoSliceMut, Write as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

use crate::buffers::Buffer;
use crate::collector::Pending;
use crate::error::{Error, Result};
use crate::files::{Files, Output};
use crate::index::Writer;
use crate::remote::{Doomed, Remote, Upload};
use crate::sealing::Sealer;
use crate::{Durability, blocking};

pub(crate) const BLOCK: u64 = 64 << 10;
const OPEN_FILES: usize = 64;

/// The folder of content files, and which of them are being read.
pub(crate) struct Blobs {
    dir: PathBuf,
    files: Files,
    durability: Durability,
    /// Where the files lie instead of in the folder.
    remote: Option<Remote>,
    /// Files that are to be removed there.
    doomed: Mutex<Vec<Doomed>>,
    readers: Mutex<HashMap<Uuid, Readers>>,
    /// Files that were read of late, open, the latest last.
    open: Mutex<VecDeque<(Uuid, Arc<File>)>>,
    held: Mutex<Held>,
    /// Files in which a reader met damage.
    damaged: Mutex<BTreeSet<Uuid>>,
}

/// What waits to be removed until nobody holds on to all files.
#[derive(Default)]
struct Held {
    holds: usize,
    waiting: Vec<Uuid>,
}

/// As long as this lives, no file is removed.
pub(crate) struct Hold(Arc<Blobs>);

impl Hold {
    pub(crate) fn files(&self) -> &Blobs {
        &self.0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let waiting = {
            let mut held = self.0.held.lock();
            held.holds -= 1;
            if held.holds == 0 { std::mem::take(&mut held.waiting) } else { Vec::new() }
        };
        for id in waiting {
            if let Err(error) = self.0.discard(id) {
                tracing::warn!(%error, file = %id, "an unreferenced file stays until the next start");
            }
        }
    }
}

#[derive(Default)]
struct Readers {
    count: usize,
    garbage: bool,
}

impl Blobs {
    pub(crate) fn open(dir: PathBuf, files: Files, durability: Durability, remote: Option<Remote>) -> Result<Self> {
        files.make_dir(&dir)?;
        Ok(Self {
            dir,
            files,
            durability,
            remote,
            doomed: Mutex::default(),
            readers: Mutex::default(),
            open: Mutex::default(),
            held: Mutex::default(),
            damaged: Mutex::default(),
        })
    }

    pub(crate) fn path(&self, id: Uuid) -> PathBuf {
        self.dir.join(id.simple().to_string())
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    /// Where the files lie if not in the folder.
    pub(crate) fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// What a file is called, for people to read.
    fn name(&self, id: Uuid) -> String {
        match &self.remote {
            Some(remote) => remote.name(id),
            None => self.path(id).display().to_string(),
        }
    }

    /// The files that are there, with their sizes.
    pub(crate) fn all(&self) -> Result<Vec<(Uuid, u64)>> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let entry = entry?;
            if let Some(id) = entry.file_name().to_str().and_then(|name| Uuid::try_parse(name).ok()) {
                files.push((id, entry.metadata()?.len()));
            }
        }
        Ok(files)
    }

    /// The size of a file; `None` if it is gone.
    pub(crate) fn bytes(&self, id: Uuid) -> Result<Option<u64>> {
        match std::fs::metadata(self.path(id)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the names of new files durable, and that names are gone.
    pub(crate) fn sync_dir(&self) -> Result<()> {
        if let Some(remote) = &self.remote {
            return remote.wait(remote.remove_all(&self.doomed));
        }
        if self.durability == Durability::Strict {
            self.files.sync_dir(&self.dir)?;
        }
        Ok(())
    }

    /// The file, if it is open.
    fn recent(&self, id: Uuid) -> Option<Arc<File>> {
        let mut open = self.open.lock();
        let at = open.iter().rposition(|(other, _)| *other == id)?;
        let entry = open.remove(at)?;
        let file = Arc::clone(&entry.1);
        open.push_back(entry);
        Some(file)
    }

    fn open_file(&self, id: Uuid) -> Result<Arc<File>> {
        if let Some(file) = self.recent(id) {
            return Ok(file);
        }
        let file = Arc::new(File::open(self.path(id))?);
        let mut open = self.open.lock();
        open.push_back((id, Arc::clone(&file)));
        // What falls out is closed after the lock is free.
        let oldest = (open.len() > OPEN_FILES).then(|| open.pop_front());
        drop(open);
        drop(oldest);
        Ok(file)
    }

    /// A new file, encrypted by the sealer if there is one.
    pub(crate) async fn create(
        self: &Arc<Self>,
        pending: Pending,
        sealer: Option<Sealer>,
        writer: &Arc<Writer>,
    ) -> Result<BlobWriter> {
        let sink = match &self.remote {
            Some(remote) => Sink::Remote(Upload::new(remote.clone(), Arc::clone(writer), pending.id())),
            None => {
                let (blobs, id) = (Arc::clone(self), pending.id());
                Sink::File(blocking(move || Ok(blobs.files.create_new(&blobs.path(id))?)).await?)
            }
        };
        Ok(BlobWriter { pending, sink, length: 0, sums: BlockSums::default(), sealer })
    }

    /// Makes the bytes of a written blob and its directory entry durable.
    pub(crate) async fn seal(self: &Arc<Self>, mut writer: BlobWriter) -> Result<Pending> {
        let blobs = Arc::clone(self);
        let work = move || {
            if let Some(sealer) = writer.sealer.take() {
                writer.append(sealer.finish()?)?;
            }
            let sums = std::mem::take(&mut writer.sums).finish();
            writer.sink.push(sums.into())?;
            if let Sink::File(file) = &writer.sink {
                if blobs.durability == Durability::Strict {
                    file.sync()?;
                }
                blobs.sync_dir()?;
            }
            Ok(writer)
        };
        let BlobWriter { pending, sink, .. } = blocking(work).await?;
        if let Sink::Remote(upload) = sink {
            upload.finish().await?;
        }
        Ok(pending)
    }

    /// Keeps the file while the pin lives, whatever happens to the records that reference it.
    pub(crate) fn pin(self: &Arc<Self>, id: Uuid) -> Pin {
        self.readers.lock().entry(id).or_default().count += 1;
        Pin { blobs: Arc::clone(self), id, file: OnceLock::new() }
    }

    /// Removes a file that no record references: now, or after its last reader. True if it is gone.
    pub(crate) fn discard(&self, id: Uuid) -> Result<bool> {
        if let Some(readers) = self.readers.lock().get_mut(&id) {
            readers.garbage = true;
            return Ok(false);
        }
        {
            let mut held = self.held.lock();
            if held.holds > 0 {
                held.waiting.push(id);
                return Ok(false);
            }
        }
        self.unlink(id)?;
        Ok(true)
    }

    /// Keeps all files as long as the hold lives.
    pub(crate) fn hold(self: &Arc<Self>) -> Hold {
        self.held.lock().holds += 1;
        Hold(Arc::clone(self))
    }

    /// How many files readers met damage in.
    pub(crate) fn damaged(&self) -> usize {
        self.damaged.lock().len()
    }

    /// Takes note of an upload to the remote store that may be under way and is not to be ended.
    pub(crate) fn abandon(&self, id: Uuid, upload: String) {
        self.doomed.lock().push(Doomed { id, upload: Some(upload) });
    }

    fn unlink(&self, id: Uuid) -> Result<()> {
        if self.remote.is_some() {
            // Together with others, see `sync_dir`.
            self.doomed.lock().push(Doomed { id, upload: None });
            self.damaged.lock().remove(&id);
            return Ok(());
        }
        self.open.lock().retain(|(other, _)| *other != id);
        self.files.remove(&self.path(id))?;
        self.damaged.lock().remove(&id);
        Ok(())
    }

    /// A new file that is written as it comes.
    pub(crate) fn create_pack(&self, id: Uuid) -> Result<Output> {
        Ok(self.files.create_new(&self.path(id))?)
    }

    /// A file that goes on behind `offset`.
    pub(crate) fn continue_pack(&self, id: Uuid, offset: u64) -> Result<Output> {
        Ok(self.files.continue_at(&self.path(id), offset)?)
    }
}

/// A file that a reader holds on to.
pub(crate) struct Pin {
    blobs: Arc<Blobs>,
    id: Uuid,
    file: OnceLock<Arc<File>>,
}

impl Pin {
    /// Damage is the operator's business too, not only the reader's.
    pub(crate) fn report(&self, error: &Error) {
        if matches!(error, Error::Corrupt(_)) {
            self.blobs.damaged.lock().insert(self.id);
            tracing::error!(%error, file = %self.blobs.name(self.id), "damaged object");
        }
    }

    /// Which file it is, and where, if it lies in a remote store.
    pub(crate) fn remote(&self) -> Option<(&Remote, Uuid)> {
        self.blobs.remote().map(|remote| (remote, self.id))
    }

    /// The file, opened at the first call. Blocks the thread.
    pub(crate) fn file(&self) -> Result<&File> {
        match self.file.get() {
            Some(file) => Ok(file),
            None => {
                let file = self.blobs.open_file(self.id)?;
                Ok(self.file.get_or_init(|| file))
            }
        }
    }

    /// The file, if it needs no opening.
    pub(crate) fn ready(&self) -> Option<&File> {
        match self.file.get() {
            Some(file) => Some(file),
            None => self.blobs.recent(self.id).map(|file| &**self.file.get_or_init(|| file)),
        }
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut readers = self.blobs.readers.lock();
        let Some(entry) = readers.get_mut(&self.id) else { return };
        entry.count -= 1;
        if entry.count > 0 {
            return;
        }
        let garbage = entry.garbage;
        readers.remove(&self.id);
        drop(readers);
        if garbage && let Err(error) = self.blobs.discard(self.id) {
            tracing::warn!(%error, blob = %self.id, "unreferenced blob stays until the next start");
        }
    }
}

/// Where bytes go.
enum Sink {
    File(Output),
    Remote(Upload),
}

impl Sink {
    fn push(&mut self, bytes: Bytes) -> Result<()> {
        match self {
            Self::File(file) => file.write_all(&bytes)?,
            Self::Remote(upload) => upload.push(bytes),
        }
        Ok(())
    }
}

/// A file that is being written; dropped before it is sealed, it is removed.
pub(crate) struct BlobWriter {
    pending: Pending,
    sink: Sink,
    length: u64,
    sums: BlockSums,
    sealer: Option<Sealer>,
}

impl BlobWriter {
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The same file, to be synced elsewhere; none if it is not on this machine.
    pub(crate) fn file(&self) -> Result<Option<Output>> {
        match &self.sink {
            Sink::File(file) => Ok(Some(file.try_clone()?)),
            Sink::Remote(_) => Ok(None),
        }
    }

    /// Writes on another thread.
    pub(crate) fn write(mut self, chunks: Vec<Bytes>) -> JoinHandle<Result<Self>> {
        match self.sink {
            Sink::File(_) => spawn_blocking(move || self.append_all(chunks).map(|()| self)),
            Sink::Remote(_) => tokio::spawn(async move {
                self.append_all(chunks)?;
                if let Sink::Remote(upload) = &mut self.sink {
                    upload.advance().await?;
                }
                Ok(self)
            }),
        }
    }

    fn append_all(&mut self, chunks: Vec<Bytes>) -> Result<()> {
        for chunk in chunks {
            match &mut self.sealer {
                None => self.append(chunk)?,
                Some(sealer) => {
                    for sealed in sealer.update(&chunk)? {
                        self.append(sealed)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn append(&mut self, bytes: Bytes) -> Result<()> {
        self.sums.update(&bytes);
        self.length += bytes.len() as u64;
        self.sink.push(bytes)
    }
}

/// The checksums of the blocks of a run of bytes, one after the other.
pub(crate) struct BlockSums {
    block: crc_fast::Digest,
    filled: usize,
    table: Vec<u8>,
}

impl Default for BlockSums {
    fn default() -> Self {
        Self { block: new_crc(), filled: 0, table: Vec::new() }
    }
}

fn new_crc() -> crc_fast::Digest {
    crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi)
}

impl BlockSums {
    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK as usize - self.filled));
            self.block.update(now);
            self.filled += now.len();
            if self.filled == BLOCK as usize {
                self.end_block();
            }
            bytes = later;
        }
    }

    fn end_block(&mut self) {
        let crc = std::mem::replace(&mut self.block, new_crc()).finalize() as u32;
        self.table.extend_from_slice(&crc.to_le_bytes());
        self.filled = 0;
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.filled > 0 {
            self.end_block();
        }
        self.table
    }
}

/// How many bytes a run of `size` bytes takes with its checksums.
pub(crate) fn stored_bytes(size: u64) -> u64 {
    size + sums_of(size)
}

/// How many bytes the checksums of a run of `size` bytes take.
pub(crate) fn sums_of(size: u64) -> u64 {
    size.div_ceil(BLOCK) * 4
}

/// Compares a block with its checksum in the table of its run.
pub(crate) fn verify_block(sums: &[u8], block: u64, bytes: &[u8]) -> Result<()> {
    let wanted = sums.as_chunks::<4>().0.get(block as usize).map(|crc| u32::from_le_bytes(*crc));
    if wanted == Some(crc_fast::crc32_iscsi(bytes)) {
        return Ok(());
    }
    Err(Error::Corrupt(format!("block {block} of a blob")))
}

/// How long a run is that takes so many bytes with its checksums.
pub(crate) fn run_length(stored: u64) -> u64 {
    stored - stored.div_ceil(BLOCK + 4) * 4
}

/// Fills a buffer from an offset; false if that would take the disk and must not.
type ReadAt = fn(&File, &mut [u8], u64) -> std::io::Result<bool>;

const FROM_DISK: ReadAt = |file, buffer, offset| file.read_exact_at(buffer, offset).map(|()| true);

const FROM_MEMORY: ReadAt = |file, buffer, offset| {
    let (length, flags) = (buffer.len(), rustix::io::ReadWriteFlags::NOWAIT);
    // A failure or a short read also means "not without the disk": what is wrong shows when that is asked.
    Ok(rustix::io::preadv2(file, &mut [IoSliceMut::new(buffer)], offset, flags) == Ok(length))
};

/// Reads and verifies a range of the run of `size` bytes that begins at `base`. Blocks the thread.
pub(crate) fn read(file: &File, base: u64, size: u64, range: Range<u64>) -> Result<Bytes> {
    read_with(file, base, size, range, FROM_DISK)?.ok_or(Error::Closed)
}

/// The same if all of it is in memory already: costs no thread and never waits.
pub(crate) fn read_cached(file: &File, base: u64, size: u64, range: Range<u64>) -> Result<Option<Bytes>> {
    read_with(file, base, size, range, FROM_MEMORY)
}

/// Reads a range of the run that begins at `base` without its checksums, for who has better ones. Blocks the thread.
pub(crate) fn read_unchecked(file: &File, base: u64, range: &Range<u64>) -> Result<Buffer> {
    fill(file, base, range, FROM_DISK)?.ok_or(Error::Closed)
}

/// The same if all of it is in memory already.
pub(crate) fn read_cached_unchecked(file: &File, base: u64, range: &Range<u64>) -> Result<Option<Buffer>> {
    fill(file, base, range, FROM_MEMORY)
}

fn fill(file: &File, base: u64, range: &Range<u64>, read_at: ReadAt) -> Result<Option<Buffer>> {
    let mut data = Buffer::new((range.end - range.start) as usize);
    let filled = read_at(file, data.as_mut(), base + range.start).map_err(cut_off)?;
    Ok(filled.then_some(data))
}

fn read_with(file: &File, base: u64, size: u64, range: Range<u64>, read_at: ReadAt) -> Result<Option<Bytes>> {
    if range.is_empty() {
        return Ok(Some(Bytes::new()));
    }
    let (first, last) = (range.start / BLOCK, (range.end - 1) / BLOCK);
    let start = first * BLOCK;
    let end = ((last + 1) * BLOCK).min(size);
    let Some(data) = fill(file, base, &(start..end), read_at)? else { return Ok(None) };
    let mut table = vec![0; (last - first + 1) as usize * 4];
    if !read_at(file, &mut table, base + size + first * 4).map_err(cut_off)? {
        return Ok(None);
    }
    for (index, (block, crc)) in data.as_ref().chunks(BLOCK as usize).zip(table.as_chunks::<4>().0).enumerate() {
        if crc_fast::crc32_iscsi(block) != u32::from_le_bytes(*crc) {
            return Err(Error::Corrupt(format!("block {} of a blob", first + index as u64)));
        }
    }
    let within = (range.start - start) as usize..(range.end - start) as usize;
    Ok(Some(data.freeze().slice(within)))
}

fn cut_off(error: std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Corrupt("a blob is shorter than its record says".into()),
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_stored_lengths() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 7 * BLOCK + 12_345] {
            assert_eq!(run_length(stored_bytes(length)), length);
        }
    }
}
