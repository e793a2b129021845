//! Copies of a store that is being written to: all rows at one moment.

use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use rusqlite::{Connection, params};

use crate::MetadataError;
use crate::store::{Metadata, create};

/// What a file of rows begins with.
const MAGIC: &[u8; 8] = b"BHMETA01";
/// Stands where the length of a space's name would, behind the last row.
const END: u32 = u32::MAX;

/// All rows at one moment.
pub struct Frozen {
    reader: Connection,
}

impl Metadata {
    /// Holds on to all rows as they are now, and runs `meanwhile` while nothing can be written: what it looks at elsewhere
    /// belongs to the same moment. Blocks the thread.
    ///
    /// # Errors
    /// What `meanwhile` answers, or a [`MetadataError`] as `E`.
    pub fn freeze<T, E, F>(&self, meanwhile: F) -> Result<(Frozen, T), E>
    where
        T: Send + 'static,
        E: From<MetadataError> + Send + 'static,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        let reader = self.reader()?;
        self.transaction_blocking(move |_| {
            // A reader's view begins with its first read.
            let begin = reader.execute_batch("BEGIN; SELECT count(*) FROM (SELECT 1 FROM entries LIMIT 1)");
            begin.map_err(MetadataError::from)?;
            Ok((Frozen { reader }, meanwhile()?))
        })
    }
}

impl Frozen {
    /// Writes all rows; answers how many there are.
    ///
    /// # Errors
    /// [`MetadataError::Storage`].
    pub fn write_rows(&self, out: impl Write) -> Result<u64, MetadataError> {
        let mut out = BufWriter::new(out);
        out.write_all(MAGIC).map_err(storage)?;
        let mut statement = self.reader.prepare("SELECT space, key, value, version FROM entries")?;
        let mut rows = statement.query([])?;
        let mut count = 0;
        while let Some(row) = rows.next()? {
            let space = row.get_ref(0)?.as_str().map_err(storage)?.as_bytes();
            let (key, value) =
                (row.get_ref(1)?.as_blob().map_err(storage)?, row.get_ref(2)?.as_blob().map_err(storage)?);
            let version: i64 = row.get(3)?;
            let lengths = [space.len(), key.len(), value.len()].map(|length| (length as u32).to_be_bytes());
            for part in [&lengths.concat()[..], space, key, value, &version.to_be_bytes()] {
                out.write_all(part).map_err(storage)?;
            }
            count += 1;
        }
        out.write_all(&END.to_be_bytes()).and_then(|()| out.flush()).map_err(storage)?;
        Ok(count)
    }
}

/// Makes a store of rows that were written by [`Frozen::write_rows`]; there must be none at `path`. Answers how many rows
/// there are.
///
/// # Errors
/// [`MetadataError::Malformed`] if these are no rows, [`MetadataError::Storage`].
pub fn restore_rows(path: &Path, rows: impl Read) -> Result<u64, MetadataError> {
    let mut rows = BufReader::new(rows);
    let mut magic = [0; MAGIC.len()];
    rows.read_exact(&mut magic).map_err(storage)?;
    if magic != *MAGIC {
        return Err(MetadataError::Malformed("this is no file of rows".into()));
    }
    let mut connection = create(path)?;
    let transaction = connection.transaction()?;
    let mut count = 0;
    {
        let mut insert =
            transaction.prepare("INSERT INTO entries (space, key, value, version) VALUES (?1, ?2, ?3, ?4)")?;
        loop {
            let mut length = || {
                let mut number = [0; 4];
                rows.read_exact(&mut number).map(|()| u32::from_be_bytes(number)).map_err(storage)
            };
            let space = length()?;
            if space == END {
                break;
            }
            let (key, value) = (length()?, length()?);
            let mut bytes = |length: u32| {
                let mut bytes = vec![0; length as usize];
                rows.read_exact(&mut bytes).map(|()| bytes).map_err(storage)
            };
            let (space, key, value, version) = (bytes(space)?, bytes(key)?, bytes(value)?, bytes(8)?);
            let space = String::from_utf8(space).map_err(storage)?;
            let version = i64::from_be_bytes(version.try_into().unwrap_or_default());
            insert.execute(params![space, key, value, version])?;
            count += 1;
        }
    }
    transaction.commit()?;
    Ok(count)
}

fn storage(error: impl std::fmt::Display) -> MetadataError {
    MetadataError::Storage(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    #[test]
    fn a_moment_is_kept_while_the_store_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let store = Metadata::open(&dir.path().join("metadata.db")).unwrap();
        let put = |name: &'static str, value: &'static [u8]| {
            store.transaction_blocking::<_, MetadataError, _>(move |tx| tx.put("s", &Key::new([name]), value)).unwrap()
        };
        let version = put("a", b"1");
        put("b", b"");
        let (frozen, answer) = store.freeze::<_, MetadataError, _>(|| Ok(7)).unwrap();
        assert_eq!(answer, 7);
        put("a", b"2");
        put("c", b"3");
        let mut rows = Vec::new();
        assert_eq!(frozen.write_rows(&mut rows).unwrap(), 2);
        let path = dir.path().join("again.db");
        assert_eq!(restore_rows(&path, &rows[..]).unwrap(), 2);
        let again = Metadata::open(&path).unwrap();
        let a = again.get("s", &Key::new(["a"])).unwrap().unwrap();
        assert_eq!((&a.value[..], a.version), (&b"1"[..], version));
        assert!(again.get("s", &Key::new(["c"])).unwrap().is_none());
        assert!(restore_rows(&dir.path().join("x.db"), &rows[..rows.len() - 1]).is_err(), "cut off");
    }
}
