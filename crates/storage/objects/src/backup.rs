//! Copies of a store that is being written to: all rows at one moment, and the files that these name.
//!
//! While a [`Frozen`] moment is held, files that are no longer needed stay where they are. Content files are never changed, and
//! packs only grow, so both can be copied at leisure. Content files in a remote store stay there, and are only named.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use fjall::{Database, PersistMode};
use uuid::Uuid;

use crate::Objects;
use crate::blobs::Hold;
use crate::error::{Error, Result};
use crate::index::{self, Moment, Table};
use crate::manifest;
use crate::packs::Slot;
use crate::record::{Extent, Location, Record};
use crate::remote::{self, Remote};
use crate::sealing;

/// What a file of rows begins with.
const MAGIC: &[u8; 8] = b"BHROWS01";
/// Stands where the length of a key would, behind the last row.
const END: u32 = u32::MAX;
/// How many rows are written in one batch.
const BATCH: usize = 4096;

/// A store at one moment.
pub struct Frozen {
    /// Until its rows are written.
    moment: Option<Moment>,
    blobs: Hold,
    packs: Hold,
    key: PathBuf,
}

/// A file to be copied: the first `bytes` of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    /// Its name in the store's directory.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How much of it counts.
    pub bytes: u64,
}

/// A content file that stays in the remote store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its name in the bucket.
    pub name: String,
    /// How many bytes it has there.
    pub bytes: u64,
}

/// What the rows of a store need beside them.
#[derive(Debug, Default)]
pub struct Written {
    /// How many rows there are.
    pub rows: u64,
    /// The files that belong to them.
    pub files: Vec<StoredFile>,
    /// The URL of the remote store, if there is one, and what must be there.
    pub remote: Option<(String, Vec<RemoteFile>)>,
}

impl Objects {
    /// Holds on to the store as it is now. Blocks the thread, but for no longer than a write takes.
    ///
    /// # Errors
    /// Of the index only.
    pub fn freeze(&self) -> Result<Frozen> {
        let (index, blobs, packs) =
            (self.inner.index.clone(), self.inner.blobs.clone(), self.inner.packs.files.clone());
        let key = self.inner.keys.path();
        // Held first: what the moment names is there from then on.
        let (blobs, packs) = (blobs.hold(), packs.hold());
        self.inner.writer.change_blocking(move |_| Ok(Frozen { moment: Some(index.moment()?), blobs, packs, key }))
    }
}

impl Frozen {
    /// Writes all rows, and tells which files belong to them. Afterwards only these files are held. Blocks the thread, which is
    /// no asynchronous one.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Corrupt`], [`Error::Remote`]; of the index, also where it has to be opened anew and can't wait
    /// for this to end; [`Error::Closed`] if the rows were written already.
    pub fn write_rows(&mut self, out: impl Write) -> Result<Written> {
        let moment = self.moment.take().ok_or(Error::Closed)?;
        let mut out = BufWriter::new(out);
        out.write_all(MAGIC)?;
        let (mut blobs, mut packs, mut count) = (BTreeSet::new(), BTreeMap::<Uuid, u64>::new(), 0);
        for row in moment.all() {
            let (key, value) = row?;
            let is = |table: Table| key.first() == Some(&(table as u8));
            if is(Table::Intent) || is(Table::Garbage) {
                continue; // their files are not copied
            }
            let mut name = |extent: &Extent| {
                if let Extent::Blob(id) = extent {
                    blobs.insert(*id);
                }
            };
            if is(Table::Current) || is(Table::Version) {
                if let Location::Whole(extent) = Record::decode(&value)?.location {
                    name(&extent);
                }
            } else if is(Table::Manifest) || is(Table::Part) {
                manifest::decode(&value)?.iter().for_each(|part| name(&part.extent));
            } else if is(Table::Slot) {
                let slot = Slot::decode(&value)?;
                let end = packs.entry(slot.pack).or_default();
                *end = slot.end().max(*end);
            }
            write_row(&mut out, &key, &value)?;
            count += 1;
        }
        out.write_all(&END.to_be_bytes())?;
        out.flush()?;
        let mut written = Written { rows: count, ..Written::default() };
        if let Some(remote) = self.blobs.files().remote() {
            written.remote = Some((remote.url().to_owned(), in_remote(remote, &blobs)?));
        } else {
            for id in blobs {
                let bytes = self.blobs.files().bytes(id)?.ok_or_else(missing)?;
                written.files.push(stored("blobs", id, self.blobs.files().path(id), bytes));
            }
        }
        written.files.extend(packs.into_iter().map(|(id, end)| stored("packs", id, self.packs.files().path(id), end)));
        let claim = self.key.with_file_name(remote::CLAIM_FILE);
        for (name, path) in [(sealing::FILE, &self.key), (remote::CLAIM_FILE, &claim)] {
            if let Ok(metadata) = std::fs::metadata(path) {
                written.files.push(StoredFile { name: name.into(), path: path.clone(), bytes: metadata.len() });
            }
        }
        Ok(written)
    }
}

fn missing() -> Error {
    Error::Corrupt("a content file is missing".into())
}

/// The files as they are in the remote store.
fn in_remote(remote: &Remote, wanted: &BTreeSet<Uuid>) -> Result<Vec<RemoteFile>> {
    let there = remote.wait(remote.all())?;
    let file = |id: &Uuid| {
        let bytes = *there.get(id).ok_or_else(missing)?;
        Ok(RemoteFile { name: remote.name(*id), bytes })
    };
    wanted.iter().map(file).collect()
}

fn stored(folder: &str, id: Uuid, path: PathBuf, bytes: u64) -> StoredFile {
    StoredFile { name: format!("{folder}/{}", id.simple()), path, bytes }
}

fn write_row(out: &mut impl Write, key: &[u8], value: &[u8]) -> Result<()> {
    out.write_all(&(key.len() as u32).to_be_bytes())?;
    out.write_all(&(value.len() as u32).to_be_bytes())?;
    out.write_all(key)?;
    Ok(out.write_all(value)?)
}

/// Makes the index of a store of rows that were written by [`Frozen::write_rows`]. There must be none yet. The store's files
/// have to be put beside it. Answers how many rows there are. Blocks the thread.
///
/// # Errors
/// [`Error::Corrupt`] if these are no rows, [`Error::Io`]; of the index.
pub fn restore_rows(directory: &Path, rows: impl Read) -> Result<u64> {
    let mut rows = BufReader::new(rows);
    let mut magic = [0; MAGIC.len()];
    rows.read_exact(&mut magic)?;
    if magic != *MAGIC {
        return Err(Error::Corrupt("this is no file of rows".into()));
    }
    let database = Database::builder(directory.join("index")).worker_threads(1).open()?;
    let table = database.keyspace(index::KEYSPACE, index::keyspace)?;
    let mut count = 0;
    let mut batch = database.batch();
    loop {
        let mut length = [0; 4];
        rows.read_exact(&mut length)?;
        if u32::from_be_bytes(length) == END {
            break;
        }
        let mut key = vec![0; u32::from_be_bytes(length) as usize];
        rows.read_exact(&mut length)?;
        let mut value = vec![0; u32::from_be_bytes(length) as usize];
        rows.read_exact(&mut key)?;
        rows.read_exact(&mut value)?;
        batch.insert(&table, key, value);
        count += 1;
        if count % BATCH as u64 == 0 {
            std::mem::replace(&mut batch, database.batch()).commit()?;
        }
    }
    batch.commit()?;
    database.persist(PersistMode::SyncAll)?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::stream;

    use super::*;
    use crate::{Expectations, Options, PutRequest, Seal};

    async fn put(store: &Objects, key: &str, bytes: Vec<u8>, seal: Seal) {
        let request = PutRequest { bucket: "b".into(), key: key.into(), seal, ..PutRequest::default() };
        store.put(request, stream::iter([Ok(Bytes::from(bytes))]), Expectations::default).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_moment_gives_way_to_an_engine_that_has_to_be_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let store = Objects::open(directory.path(), &Options::default()).unwrap();
        store.create_bucket("b").await.unwrap();
        put(&store, "before", vec![1; 10], Seal::AsBucket).await;
        let held = store.clone();
        let mut frozen = tokio::task::spawn_blocking(move || held.freeze()).await.unwrap().unwrap();
        store.inner.index.fail();
        assert!(matches!(frozen.write_rows(std::io::sink()), Err(Error::Index(_))));
        // Its files are still held, but the index is not.
        put(&store, "after", vec![2; 10], Seal::AsBucket).await;
        assert!(matches!(frozen.write_rows(std::io::sink()), Err(Error::Closed)));
        assert!(store.get("b", "before").is_ok() && store.get("b", "after").is_ok());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_moment_is_kept_while_the_store_goes_on() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Objects::open(from.path(), &Options::default()).unwrap();
        store.create_bucket("b").await.unwrap();
        let sizes = [10, 50_000, 2_000_000];
        for size in sizes {
            put(&store, &size.to_string(), vec![7; size], Seal::AsBucket).await;
            put(&store, &format!("sealed {size}"), vec![8; size], Seal::Store).await;
        }
        let held = store.clone();
        let mut frozen = tokio::task::spawn_blocking(move || held.freeze()).await.unwrap().unwrap();
        // Everything changes before it is copied.
        for size in sizes {
            put(&store, &size.to_string(), vec![9; size], Seal::AsBucket).await;
        }
        put(&store, "later", vec![1; 10], Seal::AsBucket).await;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let mut rows = Vec::new();
        let written = frozen.write_rows(&mut rows).unwrap();
        assert_eq!(written.remote, None);
        for file in written.files {
            let target = to.path().join(&file.name);
            std::fs::create_dir_all(target.parent().unwrap()).unwrap();
            std::fs::copy(&file.path, target).unwrap();
        }
        drop(frozen);
        assert_eq!(restore_rows(to.path(), &rows[..]).unwrap(), written.rows);
        let again = Objects::open(to.path(), &Options::default()).unwrap();
        for size in sizes {
            for (key, byte) in [(size.to_string(), 7), (format!("sealed {size}"), 8)] {
                let object = again.get("b", &key).unwrap();
                assert!(object.read_range(0..size as u64).await.unwrap() == vec![byte; size], "{key}");
            }
        }
        assert!(again.get("b", "later").is_err());
        assert!(restore_rows(&to.path().join("other"), &b"nonsense.."[..]).is_err());
        let blobs = || std::fs::read_dir(from.path().join("blobs")).unwrap().count();
        assert_eq!(blobs(), 2, "what nobody names is gone once the moment is");
    }
}
