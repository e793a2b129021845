//! Archives: kept durably by their SHA-256, unpacked once into a read-only directory.
//!
//! | Module | What it does |
//! |---|---|
//! | `fetch` | from the request or from S3 |
//! | `links` | addresses to download from, and the site behind them |
//! | `unpack` | what an archive may hold, and its unpacking |

mod fetch;
mod links;
mod unpack;

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};

pub(crate) use self::fetch::fetch;
pub use self::links::Downloads;
pub(crate) use self::links::Links;
use crate::error::LambdaError;

/// Bytes that code and layers of a function may have together, unpacked ("Lambda quotas").
pub(crate) const LARGEST_UNPACKED: u64 = 262_144_000;

/// An archive that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Archive {
    /// SHA-256 in hex.
    pub(crate) digest: String,
    /// Bytes, packed.
    pub(crate) size: u64,
    /// Bytes, unpacked.
    pub(crate) unpacked: u64,
}

/// Archives and what they unpack to.
#[derive(Debug, Clone)]
pub(crate) struct CodeStore {
    archives: PathBuf,
    unpacked: PathBuf,
    layered: PathBuf,
    /// One unpacking of a digest at a time.
    locks: Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
}

impl CodeStore {
    /// Archives in `archives`, which must not be lost, unpacked below `work`, which may.
    pub(crate) fn open(archives: &Path, work: &Path) -> Result<Self, LambdaError> {
        let store = Self {
            archives: archives.to_owned(),
            unpacked: work.join("code"),
            layered: work.join("layers"),
            locks: Arc::default(),
        };
        for directory in [&store.archives, &store.unpacked, &store.layered] {
            fs::create_dir_all(directory).map_err(LambdaError::machine("making the code directory"))?;
        }
        Ok(store)
    }

    /// Checks an archive and keeps it. When this returns it is on disk.
    pub(crate) async fn keep(&self, bytes: Vec<u8>) -> Result<Archive, LambdaError> {
        let store = self.clone();
        blocking(move || {
            let unpacked = unpack::check(&bytes)?;
            let name = hex::encode(digest(&SHA256, &bytes));
            let path = store.archive(&name);
            if !path.exists() {
                write_durably(&store.archives, &path, &bytes).map_err(LambdaError::machine("keeping code"))?;
            }
            Ok(Archive { digest: name, size: bytes.len() as u64, unpacked })
        })
        .await
    }

    /// The directory that holds what is in the archive.
    pub(crate) async fn directory(&self, name: &str) -> Result<PathBuf, LambdaError> {
        self.unpacked_to(self.unpacked.join(name), vec![self.archive(name)]).await
    }

    /// The directory that holds what is in all of these layers; later ones win. None without layers.
    pub(crate) async fn layers(&self, names: &[&str]) -> Result<Option<PathBuf>, LambdaError> {
        if names.is_empty() {
            return Ok(None);
        }
        let together = hex::encode(digest(&SHA256, names.join("\n").as_bytes()));
        let archives = names.iter().map(|name| self.archive(name)).collect();
        self.unpacked_to(self.layered.join(together), archives).await.map(Some)
    }

    async fn unpacked_to(&self, place: PathBuf, archives: Vec<PathBuf>) -> Result<PathBuf, LambdaError> {
        if place.exists() {
            return Ok(place);
        }
        let key = place.to_string_lossy().into_owned();
        let lock = Arc::clone(self.locks.lock().entry(key.clone()).or_default());
        let held = lock.lock().await;
        if place.exists() {
            return Ok(place);
        }
        let target = place.clone();
        let unpacked = blocking(move || unpack_all(&archives, &target)).await;
        drop(held);
        self.locks.lock().remove(&key);
        unpacked.map(|()| place)
    }

    fn archive(&self, name: &str) -> PathBuf {
        self.archives.join(format!("{name}.zip"))
    }

    /// Removes the archives that nothing refers to any more, and what was unpacked from them.
    pub(crate) fn sweep(&self, used: &HashSet<String>) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.archives)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let digest = name.strip_suffix(".zip").unwrap_or(&name);
            if !used.contains(digest) {
                fs::remove_file(entry.path())?;
                let _ = fs::remove_dir_all(self.unpacked.join(digest)); // most were never unpacked
            }
        }
        Ok(())
    }
}

/// SHA-256 as Lambda shows it.
pub(crate) fn shown_digest(hex_digest: &str) -> String {
    hex::decode(hex_digest).map(|bytes| BASE64.encode(bytes)).unwrap_or_default()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LambdaError> + Send + 'static,
) -> Result<T, LambdaError> {
    let gone = |_| LambdaError::Machine { what: "working on code", source: std::io::ErrorKind::Interrupted.into() };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(gone(error)))
}

fn write_durably(directory: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(directory)?.sync_all()
}

/// Unpacks beside the place and moves there at the end, so that the place is whole or not there.
fn unpack_all(archives: &[PathBuf], place: &Path) -> Result<(), LambdaError> {
    let machine = || LambdaError::machine("unpacking code");
    let parent = place.parent().unwrap_or(place);
    let beside = tempfile::Builder::new().prefix(".unpacking-").tempdir_in(parent).map_err(machine())?;
    for archive in archives {
        unpack::unpack(&fs::read(archive).map_err(machine())?, beside.path())?;
    }
    readable_by_all(beside.path()).map_err(machine())?;
    let unpacked = beside.keep();
    fs::rename(&unpacked, place)
        .or_else(|error| {
            let _ = fs::remove_dir_all(&unpacked);
            if place.exists() { Ok(()) } else { Err(error) }
        })
        .map_err(machine())
}

fn readable_by_all(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::unpack::tests::{Entry, archive};
    use super::*;

    #[tokio::test]
    async fn archives_are_kept_once_and_unpacked_once() {
        let directory = tempfile::tempdir().unwrap();
        let store = CodeStore::open(&directory.path().join("kept"), &directory.path().join("work")).unwrap();
        let bytes = archive(&[Entry::File("app.py", b"code", 0o600), Entry::File("bin/run", b"#!", 0o700)]);
        let kept = store.keep(bytes.clone()).await.unwrap();
        assert_eq!((kept.size, kept.unpacked), (bytes.len() as u64, 6));
        assert_eq!(store.keep(bytes).await.unwrap(), kept);
        let code = store.directory(&kept.digest).await.unwrap();
        assert_eq!(fs::read(code.join("app.py")).unwrap(), b"code");
        let mode = |path: &str| {
            use std::os::unix::fs::PermissionsExt;
            fs::metadata(code.join(path)).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode("."), mode("app.py"), mode("bin"), mode("bin/run")), (0o755, 0o644, 0o755, 0o755));
        store.sweep(&HashSet::from([kept.digest.clone()])).unwrap();
        assert!(code.exists());
        store.sweep(&HashSet::new()).unwrap();
        assert!(!code.exists() && !store.archive(&kept.digest).exists());
    }

    #[tokio::test]
    async fn later_layers_win() {
        let directory = tempfile::tempdir().unwrap();
        let store = CodeStore::open(&directory.path().join("kept"), &directory.path().join("work")).unwrap();
        let first = store.keep(archive(&[Entry::File("a", b"1", 0o600), Entry::File("b", b"1", 0o600)])).await.unwrap();
        let second = store.keep(archive(&[Entry::File("b", b"2", 0o600)])).await.unwrap();
        let both = store.layers(&[&first.digest, &second.digest]).await.unwrap().unwrap();
        assert_eq!((fs::read(both.join("a")).unwrap(), fs::read(both.join("b")).unwrap()), (b"1".into(), b"2".into()));
        assert_eq!(store.layers(&[]).await.unwrap(), None);
    }
}
