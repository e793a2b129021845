//! Content files: one per object above the inline limit, written once, never changed.
//!
//! Layout: the bytes, then a CRC-32C (4 bytes, little endian) of each 64 KiB block of them. Every read verifies the blocks it touches.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::Durability;
use crate::collector::Pending;
use crate::error::{Error, Result};

const BLOCK: u64 = 64 << 10;

/// The folder of content files, and which of them are being read.
pub(crate) struct Blobs {
    dir: PathBuf,
    durability: Durability,
    readers: Mutex<HashMap<Uuid, Readers>>,
}

#[derive(Default)]
struct Readers {
    count: usize,
    garbage: bool,
}

impl Blobs {
    pub(crate) fn open(dir: PathBuf, durability: Durability) -> Result<Self> {
        std::fs::create_dir_all(&dir)?;
        Ok(Self { dir, durability, readers: Mutex::default() })
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.dir.join(id.simple().to_string())
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn create(&self, pending: Pending) -> Result<BlobWriter> {
        let file = File::create_new(self.path(pending.id()))?;
        Ok(BlobWriter { pending, file, length: 0, block: new_crc(), table: Vec::new() })
    }

    /// Makes the bytes of a written blob and its directory entry durable.
    pub(crate) fn seal(&self, mut writer: BlobWriter) -> Result<Pending> {
        if !writer.length.is_multiple_of(BLOCK) {
            writer.end_block();
        }
        writer.file.write_all(&writer.table)?;
        if self.durability == Durability::Strict {
            writer.file.sync_data()?;
            File::open(&self.dir)?.sync_all()?;
        }
        Ok(writer.pending)
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
        self.unlink(id)?;
        Ok(true)
    }

    fn unlink(&self, id: Uuid) -> Result<()> {
        match std::fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// A file that a reader holds on to.
pub(crate) struct Pin {
    blobs: Arc<Blobs>,
    id: Uuid,
    file: OnceLock<File>,
}

impl Pin {
    /// The file, opened at the first call.
    pub(crate) fn file(&self) -> Result<&File> {
        match self.file.get() {
            Some(file) => Ok(file),
            None => {
                let file = File::open(self.blobs.path(self.id))?;
                Ok(self.file.get_or_init(|| file))
            }
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
        if garbage && let Err(error) = self.blobs.unlink(self.id) {
            tracing::warn!(%error, blob = %self.id, "unreferenced blob stays until the next start");
        }
    }
}

/// A file that is being written; dropped before it is sealed, it is removed.
pub(crate) struct BlobWriter {
    pending: Pending,
    file: File,
    length: u64,
    block: crc_fast::Digest,
    table: Vec<u8>,
}

fn new_crc() -> crc_fast::Digest {
    crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32Iscsi)
}

impl BlobWriter {
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The same file, to be synced elsewhere.
    pub(crate) fn file(&self) -> Result<File> {
        Ok(self.file.try_clone()?)
    }

    pub(crate) fn write(&mut self, chunks: &[Bytes]) -> Result<()> {
        for chunk in chunks {
            self.file.write_all(chunk)?;
            let mut rest = &chunk[..];
            while !rest.is_empty() {
                let space = (BLOCK - self.length % BLOCK) as usize;
                let (now, later) = rest.split_at(rest.len().min(space));
                self.block.update(now);
                self.length += now.len() as u64;
                if now.len() == space {
                    self.end_block();
                }
                rest = later;
            }
        }
        Ok(())
    }

    fn end_block(&mut self) {
        let crc = std::mem::replace(&mut self.block, new_crc()).finalize() as u32;
        self.table.extend_from_slice(&crc.to_le_bytes());
    }
}

/// Reads and verifies a range of a blob of `size` bytes. Blocks the thread.
pub(crate) fn read(file: &File, size: u64, range: Range<u64>) -> Result<Bytes> {
    if range.is_empty() {
        return Ok(Bytes::new());
    }
    let (first, last) = (range.start / BLOCK, (range.end - 1) / BLOCK);
    let start = first * BLOCK;
    let end = ((last + 1) * BLOCK).min(size);
    let mut data = vec![0; (end - start) as usize];
    let mut table = vec![0; (last - first + 1) as usize * 4];
    read_at(file, &mut data, start)?;
    read_at(file, &mut table, size + first * 4)?;
    for (index, (block, crc)) in data.chunks(BLOCK as usize).zip(table.as_chunks::<4>().0).enumerate() {
        if crc_fast::crc32_iscsi(block) != u32::from_le_bytes(*crc) {
            return Err(Error::Corrupt(format!("block {} of a blob", first + index as u64)));
        }
    }
    Ok(Bytes::from(data).slice((range.start - start) as usize..(range.end - start) as usize))
}

fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<()> {
    file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => Error::Corrupt("a blob is shorter than its record says".into()),
        _ => error.into(),
    })
}
