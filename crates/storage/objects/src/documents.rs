//! Bucket documents: named texts that belong to a bucket and are deleted with it (policy, tagging, CORS, lifecycle …).
//!
//! The engine keeps them and does not interpret them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::buckets;
use crate::error::{Error, Result};
use crate::index::{Change, Table};
use crate::{Objects, key_of};

pub(crate) fn text(raw: Vec<u8>) -> Result<String> {
    String::from_utf8(raw).map_err(|_| Error::Corrupt("bucket document".into()))
}

/// Whether a bucket has a document of that name, as a change sees it.
pub(crate) fn present(change: &Change<'_>, bucket: &str, name: &str) -> Result<bool> {
    match change.pending(Table::Document, &key_of(bucket, name)) {
        Some(pending) => Ok(pending.is_some()),
        None => Ok(change.known(bucket)?.is_some_and(|known| known.documents.contains_key(name))),
    }
}

/// Deletes the documents of a bucket that is being deleted.
pub(crate) fn remove_all(change: &mut Change<'_>, bucket: &str) -> Result<()> {
    for (row, _) in change.scan(Table::Document, &key_of(bucket, ""))? {
        change.remove(Table::Document, &row);
    }
    Ok(())
}

impl Objects {
    /// Stores a document of a bucket in the place of the present one of that name.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn put_document(&self, bucket: &str, name: &str, document: String) -> Result<()> {
        let (bucket, row) = (bucket.to_owned(), key_of(bucket, name));
        let put = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            change.insert(Table::Document, &row, document.into_bytes());
            Ok(())
        };
        self.inner.writer.change(put).await
    }

    /// A document of a bucket, `None` if there is none of that name.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub fn document(&self, bucket: &str, name: &str) -> Result<Option<Arc<str>>> {
        Ok(self.known(bucket)?.documents.get(name).cloned())
    }

    /// All documents of a bucket by name.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub fn documents(&self, bucket: &str) -> Result<BTreeMap<String, Arc<str>>> {
        Ok(self.known(bucket)?.documents.clone())
    }

    /// Deletes a document of a bucket; returns whether there was one.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn delete_document(&self, bucket: &str, name: &str) -> Result<bool> {
        let (bucket, row) = (bucket.to_owned(), key_of(bucket, name));
        let delete = move |change: &mut Change<'_>| {
            buckets::require(change, &bucket)?;
            let had = change.get(Table::Document, &row)?.is_some();
            if had {
                change.remove(Table::Document, &row);
            }
            Ok(had)
        };
        self.inner.writer.change(delete).await
    }
}
