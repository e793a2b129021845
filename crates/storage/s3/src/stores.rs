//! Buckets for engines and services of the same process: the `object_store` trait, each call authorised.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use boathouse_aws::stores::ObjectStores;
use boathouse_aws::{AwsError, Ctx};
use boathouse_objects::{BucketStore, key_of_path};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::call::Store;
use crate::error::from_engine;
use crate::notifications::message;
use crate::operations::encryption;

/// All buckets.
pub(crate) struct Stores(pub(crate) Store);

impl ObjectStores for Stores {
    fn bucket(&self, ctx: &Ctx, bucket: &str) -> std::result::Result<Arc<dyn ObjectStore>, AwsError> {
        self.0.objects.bucket(bucket).map_err(from_engine)?;
        let guard = Guard { store: self.0.clone(), ctx: ctx.forwarded(), bucket: bucket.to_owned() };
        let inner = self.0.objects.store(bucket).with_origin(&message::origin(ctx));
        Ok(Arc::new(Guarded { inner, guard }))
    }

    fn key(&self, path: &Path) -> String {
        key_of_path(path)
    }
}

/// Who may use which bucket.
#[derive(Clone)]
struct Guard {
    store: Store,
    ctx: Ctx,
    bucket: String,
}

impl Guard {
    fn allow(&self, action: &str, location: &Path) -> Result<()> {
        let key = key_of_path(location);
        self.store.allow(&self.ctx, action, &self.bucket, Some(&key)).map_err(|error| self.refusal(&key, error))
    }

    /// Leave to read an object, and to use the key that it may be encrypted under.
    fn allow_read(&self, location: &Path) -> Result<()> {
        self.allow("s3:GetObject", location)?;
        if self.ctx.principal.is_root() {
            return Ok(());
        }
        let key = key_of_path(location);
        // One that is not there is missed by who reads it.
        let Ok(info) = self.store.objects.head_version(&self.bucket, &key, None) else { return Ok(()) };
        let allowed = encryption::allow_read(&self.store, &self.ctx, info.encryption.as_ref());
        allowed.map_err(|error| self.refusal(&key, error))
    }

    /// Leave to write an object, and to use the key that the bucket may want.
    fn allow_write(&self, location: &Path) -> Result<()> {
        self.allow("s3:PutObject", location)?;
        let allowed = encryption::allow_write(&self.store, &self.ctx, &self.bucket);
        allowed.map_err(|error| self.refusal(&key_of_path(location), error))
    }

    fn refusal(&self, key: &str, error: AwsError) -> Error {
        let path = format!("{}/{key}", self.bucket);
        match error.status {
            http::StatusCode::NOT_FOUND => Error::NotFound { path, source: error.into() },
            _ => Error::PermissionDenied { path, source: error.into() },
        }
    }

    /// Listings name their prefix to the policies.
    fn allow_list(&self, prefix: Option<&Path>) -> Result<()> {
        let folder = prefix.map(|prefix| format!("{}/", key_of_path(prefix))).unwrap_or_default();
        let keys = [("s3:prefix".to_owned(), vec![folder])].into();
        let allowed = self.store.allow_if(&self.ctx, "s3:ListBucket", &self.bucket, None, &keys);
        allowed.map_err(|error| Error::PermissionDenied { path: self.bucket.clone(), source: error.into() })
    }
}

/// A bucket as one principal may use it.
struct Guarded {
    inner: BucketStore,
    guard: Guard,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} as {}", self.inner, self.guard.ctx.principal.arn)
    }
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Guarded {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.guard.allow_write(location)?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.guard.allow_write(location)?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.guard.allow_read(location)?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.guard.allow_read(location)?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let guard = self.guard.clone();
        let allowed = locations.and_then(move |location| {
            futures::future::ready(guard.allow("s3:DeleteObject", &location).map(|()| location))
        });
        self.inner.delete_stream(allowed.boxed())
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.guard.allow_list(prefix) {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::once(futures::future::ready(Err(error))).boxed(),
        }
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.guard.allow_list(prefix) {
            Ok(()) => self.inner.list_with_offset(prefix, offset),
            Err(error) => stream::once(futures::future::ready(Err(error))).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.guard.allow_list(prefix)?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.guard.allow_read(from)?;
        self.guard.allow_write(to)?;
        self.inner.copy_opts(from, to, options).await
    }
}
