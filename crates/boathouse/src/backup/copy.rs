//! Copies that are durable, and checksums.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use ring::digest::{Context, SHA256};

use super::BackupError;

const PIECE: usize = 1 << 20;

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file that only its owner can read, and that counts and digests what is written to it.
pub(super) struct Sink {
    file: File,
    digest: Context,
    bytes: u64,
}

impl Sink {
    pub(super) fn create(path: &Path, program: bool) -> Result<Self, BackupError> {
        let mode = if program { 0o700 } else { 0o600 };
        let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
        Ok(Self { file: file.map_err(BackupError::file(path))?, digest: Context::new(&SHA256), bytes: 0 })
    }

    /// Makes it durable; answers its length and its SHA-256.
    pub(super) fn finish(mut self, path: &Path) -> Result<(u64, String), BackupError> {
        let done = self.file.set_len(self.bytes).and_then(|()| self.file.flush()).and_then(|()| self.file.sync_all());
        done.map_err(BackupError::file(path))?;
        Ok((self.bytes, hex(self.digest.finish().as_ref())))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Logs are made as long as they may become: what was never written needs no room.
        if bytes.len() == PIECE && bytes.iter().all(|byte| *byte == 0) {
            self.file.seek(SeekFrom::Current(PIECE as i64))?;
        } else {
            self.file.write_all(bytes)?;
        }
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Copies the first `bytes` of a file; answers how many there were, and their SHA-256.
pub(super) fn copy(from: &Path, to: &Path, bytes: u64, program: bool) -> Result<(u64, String), BackupError> {
    let mut source = File::open(from).map_err(BackupError::file(from))?.take(bytes);
    let mut sink = Sink::create(to, program)?;
    read_pieces(&mut source, from, |piece| sink.write_all(piece).map_err(BackupError::file(to)))?;
    sink.finish(to)
}

/// The length and the SHA-256 of a file.
pub(super) fn digest(path: &Path) -> Result<(u64, String), BackupError> {
    let mut file = File::open(path).map_err(BackupError::file(path))?;
    digest_of(&mut file, path)
}

/// The length and the SHA-256 of what comes from a path.
pub(super) fn digest_of(source: &mut impl Read, path: &Path) -> Result<(u64, String), BackupError> {
    let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
    read_pieces(source, path, |piece| {
        digest.update(piece);
        bytes += piece.len() as u64;
        Ok(())
    })?;
    Ok((bytes, hex(digest.finish().as_ref())))
}

fn read_pieces(
    source: &mut impl Read,
    path: &Path,
    mut take: impl FnMut(&[u8]) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let mut piece = vec![0; PIECE];
    loop {
        let mut filled = 0;
        while filled < PIECE {
            match source.read(&mut piece[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(BackupError::file(path)(error)),
            }
        }
        if filled == 0 {
            return Ok(());
        }
        take(&piece[..filled])?;
    }
}

pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let mut sink = Sink::create(path, false)?;
    sink.write_all(bytes).map_err(BackupError::file(path))?;
    sink.finish(path).map(drop)
}

pub(super) fn make_directory(path: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(BackupError::file(path))
}

pub(super) fn sync_directory(path: &Path) -> Result<(), BackupError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(BackupError::file(path))
}

/// Makes the names in a directory and in all below it durable.
pub(super) fn sync_tree(path: &Path) -> Result<(), BackupError> {
    for entry in std::fs::read_dir(path).map_err(BackupError::file(path))? {
        let entry = entry.map_err(BackupError::file(path))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            sync_tree(&entry.path())?;
        }
    }
    sync_directory(path)
}

/// Whether a directory can be made here: there is none, or an empty one.
pub(super) fn is_free(path: &Path) -> Result<bool, BackupError> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(BackupError::file(path)(error)),
    }
}
