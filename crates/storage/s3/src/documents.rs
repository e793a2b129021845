//! What is configured for a bucket: one document of the engine for each subject, so that writers of different subjects do
//! not meet.

use std::collections::BTreeMap;
use std::sync::Arc;

use boathouse_objects::ENCRYPT;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::acl::Acl;
use crate::call::Store;
use crate::error::{Result, from_engine, internal};
use crate::operations::encryption::Wanted;

/// The bucket policy, as it was put.
const POLICY: &str = "policy";
/// Tags, name to value.
pub(crate) const TAGS: &str = "tagging";
/// A list of [`crate::cors::CorsRule`].
pub(crate) const CORS: &str = "cors";
/// [`PublicAccess`].
pub(crate) const PUBLIC_ACCESS: &str = "public-access-block";
/// [`crate::lifecycle::rules::Rules`].
pub(crate) const LIFECYCLE: &str = "lifecycle";
/// [`crate::logging::Logging`].
pub(crate) const LOGGING: &str = "logging";
/// [`crate::acl::Acl`].
pub(crate) const ACL: &str = "acl";
/// The name of an object ownership.
pub(crate) const OWNERSHIP: &str = "ownership-controls";

/// S3 Block Public Access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicAccess {
    pub(crate) block_public_acls: bool,
    pub(crate) ignore_public_acls: bool,
    pub(crate) block_public_policy: bool,
    pub(crate) restrict_public_buckets: bool,
}

/// What a new bucket has on AWS: no public access, the owner's ownership enforced unless it is asked for another, and
/// encryption with keys of the store unless the installation does without.
pub(crate) fn of_new_bucket(
    ownership: &str,
    acl: Option<&Acl>,
    tags: &BTreeMap<String, String>,
    encrypts: bool,
) -> BTreeMap<String, String> {
    let blocked = PublicAccess {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
    let documents = [(PUBLIC_ACCESS, json(&blocked)), (OWNERSHIP, json(&ownership))];
    let acl = acl.map(|acl| (ACL, json(acl)));
    let tags = (!tags.is_empty()).then(|| (TAGS, json(tags)));
    let encryption = encrypts.then(|| (ENCRYPT, json(&Wanted::default())));
    documents.into_iter().chain(acl).chain(tags).chain(encryption).map(|(name, text)| (name.to_owned(), text)).collect()
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("invariant: documents are structures of texts and numbers")
}

impl Store {
    /// The document `name` of a bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`.
    pub(crate) fn document<T: DeserializeOwned>(&self, bucket: &str, name: &str) -> Result<Option<T>> {
        let text = self.objects.document(bucket, name).map_err(from_engine)?;
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| internal(&error))
    }

    /// Replaces the document `name` of a bucket; durable when it returns.
    pub(crate) async fn put_document(&self, bucket: &str, name: &str, value: &(impl Serialize + Sync)) -> Result<()> {
        self.objects.put_document(bucket, name, json(value)).await.map_err(from_engine)
    }

    /// Removes the document `name` of a bucket, if there is one.
    pub(crate) async fn delete_document(&self, bucket: &str, name: &str) -> Result<()> {
        self.objects.delete_document(bucket, name).await.map(drop).map_err(from_engine)
    }

    /// The policy of a bucket.
    pub(crate) fn policy(&self, bucket: &str) -> Result<Option<Arc<str>>> {
        self.objects.document(bucket, POLICY).map_err(from_engine)
    }

    /// Replaces or removes the policy of a bucket.
    pub(crate) async fn set_policy(&self, bucket: &str, policy: Option<String>) -> Result<()> {
        match policy {
            Some(policy) => self.objects.put_document(bucket, POLICY, policy).await.map_err(from_engine),
            None => self.delete_document(bucket, POLICY).await,
        }
    }

    /// How far public access to a bucket is blocked.
    pub(crate) fn public_access(&self, bucket: &str) -> Result<PublicAccess> {
        Ok(self.document(bucket, PUBLIC_ACCESS)?.unwrap_or_default())
    }
}
