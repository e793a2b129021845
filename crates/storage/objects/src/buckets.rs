//! Buckets.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::index::{Change, Table};
use crate::known::Known;
use crate::locks::BucketLock;
use crate::versions::Versioning;
use crate::{Objects, documents, key_of, uploads};

/// A bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketInfo {
    /// Its name.
    pub name: String,
    /// When it was created: milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// The account that owns it, as its creator gave it.
    pub owner: String,
    /// The region it was created in, as its creator gave it.
    pub region: String,
    /// What it does with what is overwritten or deleted.
    pub versioning: Versioning,
    /// Whether its versions can be locked, and what it wants for new ones.
    pub lock: Option<BucketLock>,
}

/// A bucket that is to be created.
#[derive(Debug, Clone, Default)]
pub struct NewBucket {
    /// Its name.
    pub name: String,
    /// The account that owns it.
    pub owner: String,
    /// The region it lies in.
    pub region: String,
    /// The documents it starts with, by name.
    pub documents: BTreeMap<String, String>,
    /// What it does with what is overwritten or deleted.
    pub versioning: Versioning,
    /// Whether its versions can be locked, and what it wants for new ones.
    pub lock: Option<BucketLock>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    created_ms: u64,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    region: String,
    #[serde(default)]
    versioning: Versioning,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lock: Option<BucketLock>,
}

impl BucketInfo {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let Self { created_ms, versioning, lock, .. } = *self;
        let row = Row { created_ms, owner: self.owner.clone(), region: self.region.clone(), versioning, lock };
        serde_json::to_vec(&row).expect("invariant: a struct of texts and numbers serialises")
    }

    pub(crate) fn decode(name: &[u8], value: &[u8]) -> Result<Self> {
        let corrupt = || Error::Corrupt("bucket record".into());
        let name = String::from_utf8(name.to_vec()).map_err(|_| corrupt())?;
        let Row { created_ms, owner, region, versioning, lock } =
            serde_json::from_slice(value).map_err(|_| corrupt())?;
        Ok(Self { name, created_ms, owner, region, versioning, lock })
    }
}

/// The bucket as a change sees it.
pub(crate) fn find(change: &Change<'_>, bucket: &str) -> Result<Arc<BucketInfo>> {
    let missing = || Error::NoSuchBucket(bucket.to_owned());
    match change.pending(Table::Bucket, bucket.as_bytes()) {
        Some(Some(value)) => BucketInfo::decode(bucket.as_bytes(), value).map(Arc::new),
        Some(None) => Err(missing()),
        None => Ok(Arc::clone(&change.known(bucket)?.ok_or_else(missing)?.info)),
    }
}

pub(crate) fn require(change: &Change<'_>, bucket: &str) -> Result<()> {
    find(change, bucket).map(drop)
}

impl Objects {
    /// Creates a bucket. Which names are allowed beyond "not empty and without NUL" is the front's business.
    ///
    /// # Errors
    /// [`Error::BucketExists`], [`Error::InvalidBucketName`].
    pub async fn create_bucket(&self, name: &str) -> Result<BucketInfo> {
        self.create_bucket_with(NewBucket { name: name.to_owned(), ..NewBucket::default() }).await
    }

    /// Creates a bucket together with its owner, region and first documents.
    ///
    /// # Errors
    /// As [`create_bucket`](Self::create_bucket).
    pub async fn create_bucket_with(&self, new: NewBucket) -> Result<BucketInfo> {
        let NewBucket { name, owner, region, documents, versioning, lock } = new;
        if name.is_empty() || name.contains('\0') {
            return Err(Error::InvalidBucketName(name));
        }
        let bucket = BucketInfo { name, created_ms: self.now_ms(), owner, region, versioning, lock };
        let create = move |change: &mut Change<'_>| {
            if change.get(Table::Bucket, bucket.name.as_bytes())?.is_some() {
                return Err(Error::BucketExists(bucket.name));
            }
            change.insert(Table::Bucket, bucket.name.as_bytes(), bucket.encode());
            for (name, document) in documents {
                change.insert(Table::Document, &key_of(&bucket.name, &name), document.into_bytes());
            }
            Ok(bucket)
        };
        self.inner.writer.change(create).await
    }

    /// Deletes an empty bucket, its documents and its uploads under way.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::BucketNotEmpty`].
    pub async fn delete_bucket(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        let delete = move |change: &mut Change<'_>| {
            require(change, &name)?;
            let base = key_of(&name, "");
            if change.any(Table::Current, &base)? || change.any(Table::Version, &base)? {
                return Err(Error::BucketNotEmpty(name));
            }
            documents::remove_all(change, &name)?;
            uploads::abort_all(change, &name)?;
            change.remove(Table::Bucket, name.as_bytes());
            Ok(())
        };
        self.inner.writer.change(delete).await
    }

    /// A bucket by its name.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub fn bucket(&self, name: &str) -> Result<Arc<BucketInfo>> {
        Ok(Arc::clone(&self.known(name)?.info))
    }

    /// A bucket with its documents.
    pub(crate) fn known(&self, name: &str) -> Result<Arc<Known>> {
        let index = &self.inner.index;
        index.buckets().find(index, name)?.ok_or_else(|| Error::NoSuchBucket(name.to_owned()))
    }

    /// All buckets by name.
    ///
    /// # Errors
    /// Of the index only.
    pub fn buckets(&self) -> Result<Vec<BucketInfo>> {
        let rows = self.inner.index.scan(Table::Bucket, &[], Bound::Unbounded);
        rows.map(|row| row.and_then(|(name, value)| BucketInfo::decode(&name, &value))).collect()
    }
}
