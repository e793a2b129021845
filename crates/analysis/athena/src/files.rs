//! Objects as the caller may use them: results, tables' files, folders.

use std::fmt;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::stores::ObjectStores;
use boathouse_trino::catalog::Buckets;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::executions::failure::Failure;

/// A bucket and a key or prefix in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    /// Without slashes at its ends.
    pub(crate) key: String,
}

impl Place {
    /// Reads `s3://bucket/key`.
    pub(crate) fn parse(location: &str) -> Result<Self, Failure> {
        let schemes = ["s3://", "s3a://", "s3n://"];
        let rest = schemes.into_iter().find_map(|scheme| location.strip_prefix(scheme));
        let (bucket, key) = rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))).unwrap_or_default();
        if bucket.is_empty() {
            return Err(Failure::user(1100, format!("INVALID_TABLE_PROPERTY: {location} is not a valid S3 path")));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.trim_matches('/').to_owned() })
    }

    /// A key below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        let key = if self.key.is_empty() { name.to_owned() } else { format!("{}/{name}", self.key) };
        Self { bucket: self.bucket.clone(), key }
    }

    /// The same key with something at its end.
    pub(crate) fn with_suffix(&self, suffix: &str) -> Self {
        Self { bucket: self.bucket.clone(), key: format!("{}{suffix}", self.key) }
    }

    /// The place of a folder: `s3://bucket/key/`.
    pub(crate) fn folder(&self) -> String {
        if self.key.is_empty() { format!("s3://{}/", self.bucket) } else { format!("{self}/") }
    }

    fn path(&self) -> Result<Path, Failure> {
        Path::parse(&self.key).map_err(|error| Failure::user(1100, format!("INVALID_FUNCTION_ARGUMENT: {error}")))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// The buckets with the rights of one caller.
#[derive(Clone)]
pub(crate) struct Files {
    ctx: Ctx,
    stores: Arc<dyn ObjectStores>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("principal", &self.ctx.principal.arn).finish_non_exhaustive()
    }
}

impl Buckets for Files {
    fn bucket(&self, name: &str) -> Result<Arc<dyn ObjectStore>, TrinoError> {
        self.stores.bucket(&self.ctx, name).map_err(|error| {
            let code = if error.status == 403 { ErrorCode::PermissionDenied } else { ErrorCode::HiveCannotOpenSplit };
            TrinoError::new(code, format!("{} (bucket {name})", error.message))
        })
    }

    fn key(&self, path: &Path) -> String {
        self.stores.key(path)
    }
}

impl Files {
    pub(crate) fn new(ctx: Ctx, stores: Arc<dyn ObjectStores>) -> Self {
        Self { ctx, stores }
    }

    /// The object's store and its path in there.
    pub(crate) fn open(&self, place: &Place) -> Result<(Arc<dyn ObjectStore>, Path), Failure> {
        let store = self.stores.bucket(&self.ctx, &place.bucket)?;
        Ok((store, place.path()?))
    }

    /// A writer of an object that appears when it is shut down.
    pub(crate) fn writer(&self, place: &Place) -> Result<BufWriter, Failure> {
        let (store, path) = self.open(place)?;
        Ok(BufWriter::new(store, path))
    }

    pub(crate) async fn put(&self, place: &Place, content: impl Into<Bytes>) -> Result<(), Failure> {
        let (store, path) = self.open(place)?;
        store.put(&path, PutPayload::from_bytes(content.into())).await?;
        Ok(())
    }

    pub(crate) async fn get(&self, place: &Place) -> Result<Bytes, Failure> {
        let (store, path) = self.open(place)?;
        Ok(store.get(&path).await?.bytes().await?)
    }

    pub(crate) async fn exists(&self, place: &Place) -> Result<bool, Failure> {
        let (store, path) = self.open(place)?;
        match store.head(&path).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is nothing below the folder.
    pub(crate) async fn is_empty(&self, folder: &Place) -> Result<bool, Failure> {
        let (store, path) = self.open(folder)?;
        let first = store.list(Some(&path)).try_next().await?;
        Ok(first.is_none())
    }

    /// The names of the folders directly below this one.
    pub(crate) async fn folders(&self, folder: &Place) -> Result<Vec<String>, Failure> {
        let (store, path) = self.open(folder)?;
        let listed = store.list_with_delimiter(Some(&path)).await?;
        Ok(listed.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect())
    }

    /// Removes these objects; those that are not there do no harm.
    pub(crate) async fn delete(&self, locations: &[String]) -> Result<(), Failure> {
        for location in locations {
            let (store, path) = self.open(&Place::parse(location)?)?;
            match store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_bucket() {
        let place = Place::parse("s3://lake/results/").unwrap();
        assert_eq!(place.below("a.csv").to_string(), "s3://lake/results/a.csv");
        assert_eq!(place.with_suffix(".txt").to_string(), "s3://lake/results.txt");
        assert_eq!(Place::parse("s3://lake").unwrap().folder(), "s3://lake/");
        assert!(Place::parse("s3:///a").is_err());
        assert!(Place::parse("https://lake/a").is_err());
    }
}
