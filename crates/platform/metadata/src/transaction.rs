//! What a write sees and does.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::MetadataError;
use crate::key::Key;

/// A row's value and the version that a compare-and-set names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row's key.
    pub key: Key,
    /// The value's bytes.
    pub value: Vec<u8>,
    /// Changes with every write of the row, and never comes back.
    pub version: u64,
}

impl Entry {
    /// The value as JSON.
    ///
    /// # Errors
    /// [`MetadataError::Malformed`] when it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, MetadataError> {
        Ok(serde_json::from_slice(&self.value)?)
    }
}

/// A read-write view of the store on the writer's thread. Everything in it is kept, or nothing.
pub struct Transaction<'a> {
    connection: &'a Connection,
    version: u64,
    after_commit: RefCell<Vec<AfterCommit>>,
}

/// What a transaction wants done once it is on disk.
pub(crate) type AfterCommit = Box<dyn FnOnce() + Send>;

impl<'a> Transaction<'a> {
    pub(crate) fn new(connection: &'a Connection, version: u64) -> Self {
        Self { connection, version, after_commit: RefCell::default() }
    }

    /// Lets the database have no more than so many pages.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) -> Result<(), MetadataError> {
        Ok(self.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?)
    }

    pub(crate) fn into_after_commit(self) -> Vec<AfterCommit> {
        self.after_commit.into_inner()
    }

    /// Does `wake` once the transaction is on disk, and never if it is not kept: the way to tell a worker of a new row.
    /// It runs on the writer's thread, so it must not wait for anything.
    pub fn after_commit(&self, wake: impl FnOnce() + Send + 'static) {
        self.after_commit.borrow_mut().push(Box::new(wake));
    }

    /// The row at `key`, with the transaction's own writes.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn get(&self, space: &'static str, key: &Key) -> Result<Option<Entry>, MetadataError> {
        get(self.connection, space, key)
    }

    /// The row at `key` as JSON.
    ///
    /// # Errors
    /// [`MetadataError::Storage`], [`MetadataError::Malformed`].
    pub fn get_json<T: DeserializeOwned>(&self, space: &'static str, key: &Key) -> Result<Option<T>, MetadataError> {
        self.get(space, key)?.map(|entry| entry.json()).transpose()
    }

    /// Whether there is a row at `key`.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn contains(&self, space: &'static str, key: &Key) -> Result<bool, MetadataError> {
        Ok(self.get(space, key)?.is_some())
    }

    /// Up to `limit` rows below `prefix`, after `after`, in order.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn scan(
        &self,
        space: &'static str,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Entry>, MetadataError> {
        scan(self.connection, space, prefix, after, limit)
    }

    /// How many rows there are below `prefix`, after `after`; counting ends at `limit`.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn count(
        &self,
        space: &'static str,
        prefix: &Key,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<usize, MetadataError> {
        count(self.connection, space, prefix, after, limit)
    }

    /// Writes a row, new or not.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn put(&self, space: &'static str, key: &Key, value: &[u8]) -> Result<u64, MetadataError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO entries (space, key, value, version) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![space, key.as_bytes(), value, self.version as i64])?;
        Ok(self.version)
    }

    /// Writes a row if its present version is `expected` (`None`: if there is no row).
    ///
    /// # Errors
    /// [`MetadataError::Conflict`] when it is not, [`MetadataError::Storage`].
    pub fn put_if(
        &self,
        space: &'static str,
        key: &Key,
        value: &[u8],
        expected: Option<u64>,
    ) -> Result<u64, MetadataError> {
        let present = self.get(space, key)?.map(|entry| entry.version);
        if present != expected {
            return Err(MetadataError::Conflict);
        }
        self.put(space, key, value)
    }

    /// Writes a row as JSON.
    ///
    /// # Errors
    /// [`MetadataError::Storage`], [`MetadataError::Malformed`] when the value can't be written as JSON.
    pub fn put_json<T: Serialize>(&self, space: &'static str, key: &Key, value: &T) -> Result<u64, MetadataError> {
        self.put(space, key, &serde_json::to_vec(value)?)
    }

    /// Removes a row; says whether there was one.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn delete(&self, space: &'static str, key: &Key) -> Result<bool, MetadataError> {
        let removed = self
            .connection
            .prepare_cached("DELETE FROM entries WHERE space = ?1 AND key = ?2")?
            .execute(params![space, key.as_bytes()])?;
        Ok(removed > 0)
    }

    /// Removes every row below `prefix`; says how many there were.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn delete_prefix(&self, space: &'static str, prefix: &Key) -> Result<usize, MetadataError> {
        let removed = self
            .connection
            .prepare_cached("DELETE FROM entries WHERE space = ?1 AND key >= ?2 AND key < ?3")?
            .execute(params![space, prefix.as_bytes(), prefix.prefix_end()])?;
        Ok(removed)
    }
}

pub(crate) fn get(connection: &Connection, space: &str, key: &Key) -> Result<Option<Entry>, MetadataError> {
    let row = connection
        .prepare_cached("SELECT value, version FROM entries WHERE space = ?1 AND key = ?2")?
        .query_row(params![space, key.as_bytes()], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    Ok(row.map(|(value, version)| Entry { key: key.clone(), value, version: version as u64 }))
}

pub(crate) fn scan(
    connection: &Connection,
    space: &str,
    prefix: &Key,
    after: Option<&Key>,
    limit: usize,
) -> Result<Vec<Entry>, MetadataError> {
    let mut statement = connection.prepare_cached(
        "SELECT key, value, version FROM entries
         WHERE space = ?1 AND key >= ?2 AND key < ?3 AND (?4 IS NULL OR key > ?4) ORDER BY key LIMIT ?5",
    )?;
    let rows = statement.query_map(
        params![space, start(prefix, after), prefix.prefix_end(), after.map(Key::as_bytes), sql_limit(limit)],
        |row| {
            Ok(Entry { key: Key::from_bytes(row.get(0)?), value: row.get(1)?, version: row.get::<_, i64>(2)? as u64 })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(crate) fn count(
    connection: &Connection,
    space: &str,
    prefix: &Key,
    after: Option<&Key>,
    limit: usize,
) -> Result<usize, MetadataError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM (SELECT 1 FROM entries
         WHERE space = ?1 AND key >= ?2 AND key < ?3 AND (?4 IS NULL OR key > ?4) LIMIT ?5)",
    )?;
    let bounds = params![space, start(prefix, after), prefix.prefix_end(), after.map(Key::as_bytes), sql_limit(limit)];
    let found: i64 = statement.query_row(bounds, |row| row.get(0))?;
    Ok(found as usize)
}

/// SQLite narrows a range by one lower bound only: the later one.
fn start<'a>(prefix: &'a Key, after: Option<&'a Key>) -> &'a [u8] {
    after.filter(|after| *after > prefix).unwrap_or(prefix).as_bytes()
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
