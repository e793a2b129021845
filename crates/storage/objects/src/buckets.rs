//! Buckets.

use std::ops::Bound;

use crate::error::{Error, Result};
use crate::index::{Change, Row, Table};
use crate::{Objects, key_of, multipart, now_ms};

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: String,
    /// When it was created: milliseconds since the Unix epoch.
    pub created_ms: u64,
}

impl BucketInfo {
    fn decode(name: &[u8], value: &[u8]) -> Result<Self> {
        let corrupt = || Error::Corrupt("bucket record".into());
        let name = String::from_utf8(name.to_vec()).map_err(|_| corrupt())?;
        let created = value.try_into().map_err(|_| corrupt())?;
        Ok(Self { name, created_ms: u64::from_be_bytes(created) })
    }
}

pub(crate) fn require(change: &Change<'_>, bucket: &str) -> Result<()> {
    match change.get(Table::Bucket, bucket.as_bytes())? {
        Some(_) => Ok(()),
        None => Err(Error::NoSuchBucket(bucket.to_owned())),
    }
}

impl Objects {
    /// Creates a bucket. Which names are allowed beyond "not empty and without NUL" is the front's business.
    ///
    /// # Errors
    /// [`Error::BucketExists`], [`Error::InvalidBucketName`].
    pub async fn create_bucket(&self, name: &str) -> Result<BucketInfo> {
        if name.is_empty() || name.contains('\0') {
            return Err(Error::InvalidBucketName(name.to_owned()));
        }
        let bucket = BucketInfo { name: name.to_owned(), created_ms: now_ms() };
        let create = move |change: &mut Change<'_>| {
            if change.get(Table::Bucket, bucket.name.as_bytes())?.is_some() {
                return Err(Error::BucketExists(bucket.name));
            }
            change.insert(Table::Bucket, bucket.name.as_bytes(), bucket.created_ms.to_be_bytes().to_vec());
            Ok(bucket)
        };
        self.inner.writer.change(create).await
    }

    /// Deletes an empty bucket.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::BucketNotEmpty`].
    pub async fn delete_bucket(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        let delete = move |change: &mut Change<'_>| {
            require(change, &name)?;
            if change.any(Table::Current, &key_of(&name, ""))? {
                return Err(Error::BucketNotEmpty(name));
            }
            multipart::remove_all(change, &name)?;
            change.remove(Table::Bucket, name.as_bytes());
            Ok(())
        };
        self.inner.writer.change(delete).await
    }

    /// A bucket by its name.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub fn bucket(&self, name: &str) -> Result<BucketInfo> {
        match self.inner.index.get(Table::Bucket, name.as_bytes())? {
            Some(value) => BucketInfo::decode(name.as_bytes(), &value),
            None => Err(Error::NoSuchBucket(name.to_owned())),
        }
    }

    /// All buckets by name.
    ///
    /// # Errors
    /// Of the index only.
    pub fn buckets(&self) -> Result<Vec<BucketInfo>> {
        let rows = self.inner.index.scan(Table::Bucket, &[], Bound::Unbounded);
        let decode = |row: Row| {
            let (name, value) = row?;
            BucketInfo::decode(&name, &value)
        };
        rows.map(decode).collect()
    }
}
