//! A bucket as an [`ObjectStore`], for engines in the same process: no HTTP, bytes straight from the files.
//!
//! Keys are paths as `object_store` has them; those that no path can name (`a//b`) stand under another name, see
//! [`path_of_key`]. Listings leave out the empty markers of folders (`a/`).

mod attributes;
mod multipart;
mod paths;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, RenameTargetMode,
    coalesce_ranges,
};

pub use self::paths::{key_of_path, path_of_key};
use crate::{
    CopyRequest, DeleteRequest, Error, Expectations, ListRequest, Listing, NewUpload, ObjectInfo, Objects, PutRequest,
    WriteCondition,
};

const NAME: &str = "BucketStore";
/// How many keys a page of a listing or a batch of deletions holds.
const PAGE: usize = 1000;
/// How many bytes one item of a body holds at most.
const CHUNK: u64 = 1 << 20;
/// A range up to this size comes in one piece, so that nobody has to join it.
const WHOLE: u64 = 16 << 20;
/// Ranges of one call that lie so close are read as one: files are read in blocks of that size anyway.
const NEAR: u64 = 64 << 10;

/// One bucket of a store.
#[derive(Clone)]
pub struct BucketStore {
    objects: Objects,
    bucket: Arc<str>,
    origin: Option<Arc<str>>,
}

impl Objects {
    /// A bucket as an `object_store`. Whether it exists shows at the first call.
    pub fn store(&self, bucket: &str) -> BucketStore {
        BucketStore { objects: self.clone(), bucket: bucket.into(), origin: None }
    }
}

impl BucketStore {
    /// The same store; `origin` is kept with its changes, where the bucket is watched.
    #[must_use]
    pub fn with_origin(self, origin: &str) -> Self {
        Self { origin: Some(origin.into()), ..self }
    }

    fn origin(&self) -> Option<String> {
        self.origin.as_deref().map(str::to_owned)
    }

    fn bucket(&self) -> String {
        self.bucket.to_string()
    }

    async fn page(&self, request: ListRequest) -> object_store::Result<Listing> {
        self.objects.list(&self.bucket, request).await.map_err(|error| failure(&self.bucket, error))
    }

    /// All keys with the prefix that lie behind `after`, a page at a time.
    fn stream(
        &self,
        prefix: Option<&Path>,
        after: Option<String>,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), folder(prefix));
        let pages = stream::try_unfold(Some(after), move |state| {
            let (store, prefix) = (store.clone(), prefix.clone());
            async move {
                let Some(after) = state else { return Ok(None) };
                let page = store.page(ListRequest { prefix, delimiter: None, after, max_keys: PAGE }).await?;
                let objects = stream::iter(page.objects.into_iter().filter_map(meta_of_key).map(Ok));
                Ok::<_, object_store::Error>(Some((objects, page.next.map(Some))))
            }
        });
        pages.try_flatten().boxed()
    }
}

impl std::fmt::Display for BucketStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{NAME}({})", self.bucket)
    }
}

impl std::fmt::Debug for BucketStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple(NAME).field(&self.bucket).finish()
    }
}

/// The prefix of the keys below a path.
fn folder(prefix: Option<&Path>) -> String {
    match prefix.filter(|path| !path.as_ref().is_empty()) {
        None => String::new(),
        Some(path) => format!("{}/", key_of_path(path)),
    }
}

fn failure(path: &str, error: Error) -> object_store::Error {
    let (path, source) = (path.to_owned(), Box::new(error.clone()));
    match error {
        Error::NoSuchKey(_) | Error::NoSuchBucket(_) => object_store::Error::NotFound { path, source },
        Error::PreconditionFailed => object_store::Error::Precondition { path, source },
        _ => object_store::Error::Generic { store: NAME, source },
    }
}

/// As [`failure`], for a write that was to create.
fn failed_creation(path: &str, error: Error) -> object_store::Error {
    match failure(path, error) {
        object_store::Error::Precondition { path, source } => object_store::Error::AlreadyExists { path, source },
        other => other,
    }
}

/// As [`failure`], for a write that was to replace one version.
fn failed_update(path: &str, error: Error) -> object_store::Error {
    match (&error, failure(path, error.clone())) {
        (Error::NoSuchKey(_), object_store::Error::NotFound { path, source }) => {
            object_store::Error::Precondition { path, source }
        }
        (_, other) => other,
    }
}

fn unsupported(what: &str) -> object_store::Error {
    object_store::Error::NotImplemented { operation: what.to_owned(), implementer: NAME.to_owned() }
}

/// An entity tag as HTTP writes it, which is how `object_store` passes it on.
fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn meta(location: Path, info: &ObjectInfo) -> ObjectMeta {
    ObjectMeta {
        location,
        last_modified: DateTime::<Utc>::from_timestamp_millis(info.modified_ms as i64).unwrap_or_default(),
        size: info.size,
        e_tag: Some(quoted(&info.etag)),
        version: None,
    }
}

fn meta_of_key((key, info): (String, ObjectInfo)) -> Option<ObjectMeta> {
    let is_marker = key.ends_with('/') && info.size == 0;
    (!is_marker).then(|| meta(path_of_key(&key), &info))
}

/// The bytes that a request for a range means.
fn within(range: &GetRange, size: u64) -> object_store::Result<Range<u64>> {
    let generic = |source| object_store::Error::Generic { store: NAME, source: Box::new(source) };
    range.as_range(size).map_err(generic)
}

fn written(info: ObjectInfo) -> PutResult {
    PutResult { e_tag: Some(quoted(&info.etag)), version: info.version }
}

/// A body of bytes that are there already.
fn body(payload: PutPayload) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send + Unpin {
    stream::iter(payload.into_iter().map(Ok))
}

#[async_trait]
impl ObjectStore for BucketStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        let (condition, translate): (_, fn(&str, Error) -> _) = match options.mode {
            PutMode::Overwrite => (WriteCondition::Always, failure),
            PutMode::Create => (WriteCondition::Absent, failed_creation),
            PutMode::Update(version) => {
                let tag = version.e_tag.ok_or_else(|| unsupported("an update of a version without an entity tag"))?;
                (WriteCondition::Matches(tag.trim_matches('"').to_owned()), failed_update)
            }
        };
        let request = PutRequest {
            bucket: self.bucket(),
            key: key_of_path(location),
            metadata: attributes::to_metadata(&options.attributes, &options.tags)?,
            condition,
            origin: self.origin(),
            ..PutRequest::default()
        };
        let put = self.objects.put(request, body(payload), Expectations::default).await;
        put.map(written).map_err(|error| translate(location.as_ref(), error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let metadata = attributes::to_metadata(&options.attributes, &options.tags)?;
        let (bucket, key) = (self.bucket(), key_of_path(location));
        // Whoever writes through this process has no name of the upload that would outlive it.
        let new = NewUpload { bucket, key, metadata, checksum: None, transient: true, ..NewUpload::default() };
        let store = self.clone();
        // It is created even if nobody waits for it any more; then it is dropped here, and so aborted.
        let creation = tokio::spawn(async move {
            let created = store.objects.create_upload(new).await;
            created.map(|upload| multipart::Upload::new(store, upload))
        });
        let upload = creation.await.map_err(|_| Error::Closed).flatten();
        Ok(Box::new(upload.map_err(|error| failure(location.as_ref(), error))?))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        if options.version.is_some() {
            return Err(unsupported("reading a version"));
        }
        let fail = |error| failure(location.as_ref(), error);
        let object = self.objects.get(&self.bucket, &key_of_path(location)).map_err(fail)?;
        let meta = meta(location.clone(), object.info());
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            None => 0..meta.size,
            Some(range) => within(range, meta.size)?,
        };
        let length = range.end - range.start;
        let limit = if options.range.is_some() && length <= WHOLE { u64::MAX } else { CHUNK };
        let wanted = if options.head { range.start..range.start } else { range.clone() };
        let path = location.clone();
        let bytes = object.read_by(wanted, limit).map_err(fail)?;
        let bytes = bytes.map_err(move |error| failure(path.as_ref(), error)).boxed();
        let attributes = attributes::from_metadata(&object.info().metadata);
        Ok(GetResult { payload: GetResultPayload::Stream(bytes), meta, range, attributes })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> object_store::Result<Vec<Bytes>> {
        let fail = |error| failure(location.as_ref(), error);
        let object = self.objects.get(&self.bucket, &key_of_path(location)).map_err(fail)?;
        let ranges = ranges.iter().map(|range| within(&GetRange::Bounded(range.clone()), object.info().size));
        let ranges = ranges.collect::<object_store::Result<Vec<_>>>()?;
        coalesce_ranges(&ranges, |range| object.read_range(range), NEAR).await.map_err(fail)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let store = self.clone();
        let batches = locations.try_chunks(PAGE).then(move |batch| {
            let store = store.clone();
            async move {
                let batch = batch.map_err(|error| error.1)?;
                let keys = batch.iter().map(key_of_path).collect();
                let request = DeleteRequest { bucket: store.bucket(), keys, origin: store.origin() };
                let deleted = store.objects.delete_all(request).await;
                deleted.map_err(|error| failure(&store.bucket, error))?;
                Ok::<_, object_store::Error>(stream::iter(batch.into_iter().map(Ok)))
            }
        });
        batches.try_flatten().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.stream(prefix, None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.stream(prefix, Some(key_of_path(offset)))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        let mut found = ListResult { common_prefixes: Vec::new(), objects: Vec::new() };
        let mut after = None;
        loop {
            let delimiter = Some("/".to_owned());
            let request = ListRequest { prefix: folder(prefix), delimiter, after, max_keys: PAGE };
            let page = self.page(request).await?;
            for prefix in &page.common_prefixes {
                found.common_prefixes.push(path_of_key(prefix.strip_suffix('/').unwrap_or(prefix)));
            }
            found.objects.extend(page.objects.into_iter().filter_map(meta_of_key));
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        let condition = match options.mode {
            CopyMode::Overwrite => WriteCondition::Always,
            CopyMode::Create => WriteCondition::Absent,
        };
        let request = CopyRequest {
            source_bucket: self.bucket(),
            source_key: key_of_path(from),
            bucket: self.bucket(),
            key: key_of_path(to),
            condition,
            origin: self.origin(),
            ..CopyRequest::default()
        };
        self.objects.copy(request).await.map(drop).map_err(|error| of_two(from, to, error))
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> object_store::Result<()> {
        let condition = match options.target_mode {
            RenameTargetMode::Overwrite => WriteCondition::Always,
            RenameTargetMode::Create => WriteCondition::Absent,
        };
        let rename = self.objects.rename(&self.bucket, &key_of_path(from), &key_of_path(to), condition).await;
        rename.map_err(|error| of_two(from, to, error))
    }
}

/// The failure of a copy or a rename, of the key that it is about.
fn of_two(from: &Path, to: &Path, error: Error) -> object_store::Error {
    match error {
        Error::PreconditionFailed => failed_creation(to.as_ref(), error),
        _ => failure(from.as_ref(), error),
    }
}
