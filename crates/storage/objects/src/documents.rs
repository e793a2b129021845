//! Bucket documents: named texts that belong to a bucket and are deleted with it (policy, tagging, CORS, lifecycle …).
//!
//! The engine keeps them and does not interpret them.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::buckets;
use crate::error::{Error, Result};
use crate::index::{Change, Table};
use crate::{Objects, key_of};

fn text(raw: Vec<u8>) -> Result<String> {
    String::from_utf8(raw).map_err(|_| Error::Corrupt("bucket document".into()))
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
    pub fn document(&self, bucket: &str, name: &str) -> Result<Option<String>> {
        match self.inner.index.get(Table::Document, &key_of(bucket, name))? {
            Some(raw) => text(raw).map(Some),
            None => self.bucket(bucket).map(|_| None),
        }
    }

    /// All documents of a bucket by name.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub fn documents(&self, bucket: &str) -> Result<BTreeMap<String, String>> {
        self.bucket(bucket)?;
        let base = key_of(bucket, "");
        let rows = self.inner.index.scan(Table::Document, &base, Bound::Unbounded);
        rows.map(|row| row.and_then(|(key, value)| Ok((text(key[base.len()..].to_vec())?, text(value.to_vec())?))))
            .collect()
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
