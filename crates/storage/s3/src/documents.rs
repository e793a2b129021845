//! What is configured for a bucket: policy, tags, CORS, public access, ownership.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use boathouse_metadata::{Key, Metadata, MetadataError};
use boathouse_objects::BucketInfo;
use serde::{Deserialize, Serialize};

use crate::cors::CorsRule;
use crate::error::{Result, internal};

/// `(bucket)` → [`Documents`].
const SPACE: &str = "s3-buckets";

/// The configuration of one bucket. The default is what a new bucket has on AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Documents {
    /// Which bucket of that name this belongs to: those of a deleted one must not come back with a new one.
    created_ms: u64,
    pub(crate) policy: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) cors: Option<Vec<CorsRule>>,
    pub(crate) public_access: Option<PublicAccess>,
    pub(crate) ownership: Option<String>,
}

/// S3 Block Public Access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicAccess {
    pub(crate) block_public_acls: bool,
    pub(crate) ignore_public_acls: bool,
    pub(crate) block_public_policy: bool,
    pub(crate) restrict_public_buckets: bool,
}

impl Default for Documents {
    fn default() -> Self {
        let public_access = PublicAccess {
            block_public_acls: true,
            ignore_public_acls: true,
            block_public_policy: true,
            restrict_public_buckets: true,
        };
        Self {
            created_ms: 0,
            policy: None,
            tags: None,
            cors: None,
            public_access: Some(public_access),
            ownership: Some("BucketOwnerEnforced".into()),
        }
    }
}

impl Documents {
    pub(crate) fn blocks(&self, which: impl Fn(&PublicAccess) -> bool) -> bool {
        self.public_access.as_ref().is_some_and(which)
    }
}

/// The configurations of all buckets, each read once.
#[derive(Clone)]
pub(crate) struct Shelf {
    metadata: Metadata,
    cache: Arc<RwLock<HashMap<String, Arc<Documents>>>>,
}

impl Shelf {
    pub(crate) fn new(metadata: Metadata) -> Self {
        Self { metadata, cache: Arc::default() }
    }

    pub(crate) fn get(&self, bucket: &BucketInfo) -> Result<Arc<Documents>> {
        let cached = self.cache.read().unwrap_or_else(PoisonError::into_inner).get(&bucket.name).cloned();
        if let Some(documents) = cached.filter(|documents| documents.created_ms == bucket.created_ms) {
            return Ok(documents);
        }
        // Under the lock, so that a slow reader does not put an old state over a new one.
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        let stored: Option<Documents> =
            self.metadata.get_json(SPACE, &Key::new([&bucket.name])).map_err(|error| internal(&error))?;
        let documents = Arc::new(of_bucket(stored, bucket.created_ms));
        cache.insert(bucket.name.clone(), Arc::clone(&documents));
        Ok(documents)
    }

    /// Changes a bucket's configuration; durable when it returns.
    pub(crate) async fn change<F>(&self, bucket: &BucketInfo, edit: F) -> Result<()>
    where
        F: FnOnce(&mut Documents) + Send + 'static,
    {
        let (key, created_ms) = (Key::new([&bucket.name]), bucket.created_ms);
        let changed = self.metadata.transaction(move |tx| {
            let mut documents = of_bucket(tx.get_json(SPACE, &key)?, created_ms);
            edit(&mut documents);
            tx.put_json(SPACE, &key, &documents).map(|_| ())
        });
        changed.await.map_err(|error: MetadataError| internal(&error))?;
        self.forget(&bucket.name);
        Ok(())
    }

    /// Removes what belonged to a deleted bucket.
    pub(crate) async fn remove(&self, bucket: &str) -> Result<()> {
        let key = Key::new([bucket]);
        let removed = self.metadata.transaction(move |tx| tx.delete(SPACE, &key).map(|_| ()));
        removed.await.map_err(|error: MetadataError| internal(&error))?;
        self.forget(bucket);
        Ok(())
    }

    fn forget(&self, bucket: &str) {
        self.cache.write().unwrap_or_else(PoisonError::into_inner).remove(bucket);
    }
}

fn of_bucket(stored: Option<Documents>, created_ms: u64) -> Documents {
    let current = stored.filter(|documents| documents.created_ms == created_ms);
    current.unwrap_or_else(|| Documents { created_ms, ..Documents::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn documents_survive_and_belong_to_one_bucket() {
        let directory = tempfile::tempdir().unwrap();
        let metadata = Metadata::open(&directory.path().join("metadata.db")).unwrap();
        let shelf = Shelf::new(metadata.clone());
        let bucket = BucketInfo { name: "b".into(), created_ms: 1 };
        assert!(shelf.get(&bucket).unwrap().blocks(|it| it.block_public_policy));
        shelf.change(&bucket, |documents| documents.policy = Some("{}".into())).await.unwrap();
        assert_eq!(shelf.get(&bucket).unwrap().policy.as_deref(), Some("{}"));
        assert_eq!(Shelf::new(metadata).get(&bucket).unwrap().policy.as_deref(), Some("{}"));
        let reborn = BucketInfo { created_ms: 2, ..bucket.clone() };
        assert_eq!(shelf.get(&reborn).unwrap().policy, None);
        shelf.remove("b").await.unwrap();
        assert_eq!(shelf.get(&bucket).unwrap().policy, None);
    }
}
