//! The objects of a source as a bucket of its own: a listing shows what the run reads, and nothing else.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use boathouse_trino::catalog;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result,
};

use crate::s3::Buckets;

/// Objects of sources, by the name of the bucket that shows them.
#[derive(Debug, Default)]
pub(super) struct SourceFiles {
    shown: HashMap<String, (String, Arc<Vec<ObjectMeta>>)>,
}

impl SourceFiles {
    /// Shows objects of a bucket as those of a bucket of their own, and answers its name.
    pub(super) fn show(&mut self, bucket: &str, objects: Vec<ObjectMeta>) -> String {
        let name = format!("boathouse-source-{}", self.shown.len());
        self.shown.insert(name.clone(), (bucket.to_owned(), Arc::new(objects)));
        name
    }

    /// The buckets of a job: the shown ones, and for its targets the real ones.
    pub(super) fn with(self, buckets: Buckets) -> JobBuckets {
        JobBuckets { files: self, buckets }
    }
}

/// The buckets of a job, as the engine asks for them.
#[derive(Debug)]
pub(super) struct JobBuckets {
    files: SourceFiles,
    buckets: Buckets,
}

impl catalog::Buckets for JobBuckets {
    fn bucket(&self, name: &str) -> std::result::Result<Arc<dyn ObjectStore>, TrinoError> {
        let refuse =
            |failure: crate::failure::Failure| TrinoError::new(ErrorCode::HiveCannotOpenSplit, failure.to_string());
        match self.files.shown.get(name) {
            Some((bucket, objects)) => {
                let inner = self.buckets.open(bucket).map_err(refuse)?;
                Ok(Arc::new(Shown { inner, objects: Arc::clone(objects) }))
            }
            None => self.buckets.open(name).map_err(refuse),
        }
    }
}

impl JobBuckets {
    /// A message with the real buckets' names.
    pub(super) fn real(&self, message: &str) -> String {
        let mut names: Vec<&String> = self.files.shown.keys().collect();
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        names.into_iter().fold(message.to_owned(), |text, name| text.replace(name.as_str(), &self.files.shown[name].0))
    }
}

#[derive(Debug)]
struct Shown {
    inner: Arc<dyn ObjectStore>,
    objects: Arc<Vec<ObjectMeta>>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Shown {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let below = |meta: &&ObjectMeta| prefix.is_none_or(|prefix| meta.location.prefix_matches(prefix));
        let found: Vec<Result<ObjectMeta>> = self.objects.iter().filter(below).cloned().map(Ok).collect();
        futures::stream::iter(found).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
