//! A bucket as the `object_store` trait: how engines in the same process read and write objects without an HTTP hop.

use std::fmt;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, CopyMode, CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, TagSet,
};

use crate::store::upload::Upload;
use crate::{
    CopyRequest, Error, Expectations, ListRequest, Listing, Metadata, ObjectInfo, Objects, PutRequest, WriteCondition,
};

mod upload;

/// Keys that one step of a listing reads.
const PAGE: usize = 1000;
/// Keys that one durable deletion removes.
const DELETE_BATCH: usize = 1000;

/// One bucket of a store.
#[derive(Clone)]
pub struct BucketStore {
    objects: Objects,
    bucket: String,
}

impl fmt::Debug for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BucketStore({})", self.bucket)
    }
}

impl fmt::Display for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bucket {}", self.bucket)
    }
}

type Result<T> = object_store::Result<T>;

impl Objects {
    /// The bucket as an `object_store`. Whether it exists is asked on each call.
    pub fn store(&self, bucket: &str) -> BucketStore {
        BucketStore { objects: self.clone(), bucket: bucket.to_owned() }
    }
}

/// The engine's errors as the trait knows them.
pub(crate) fn failure(path: &str, error: Error) -> object_store::Error {
    let path = path.to_owned();
    match error {
        Error::NoSuchKey(_) | Error::NoSuchBucket(_) => object_store::Error::NotFound { path, source: error.into() },
        Error::PreconditionFailed => object_store::Error::Precondition { path, source: error.into() },
        other => object_store::Error::Generic { store: "boathouse", source: other.into() },
    }
}

fn modified(info: &ObjectInfo) -> DateTime<Utc> {
    i64::try_from(info.modified_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default()
}

fn meta(location: Path, info: &ObjectInfo) -> ObjectMeta {
    let e_tag = Some(format!("\"{}\"", info.etag));
    ObjectMeta { location, last_modified: modified(info), size: info.size, e_tag, version: None }
}

/// A key as a path. Marks of folders (`a/`, without bytes) are no objects to the trait; keys that it can't name are an error.
fn listed((key, info): (String, ObjectInfo)) -> Option<Result<ObjectMeta>> {
    if key.ends_with('/') && info.size == 0 {
        return None;
    }
    Some(Path::parse(&key).map(|path| meta(path, &info)).map_err(Into::into))
}

fn stored(attributes: &Attributes, tags: &TagSet) -> Metadata {
    let mut metadata = Metadata::default();
    for (name, value) in attributes {
        let header = match name {
            Attribute::ContentType => "content-type",
            Attribute::CacheControl => "cache-control",
            Attribute::ContentDisposition => "content-disposition",
            Attribute::ContentEncoding => "content-encoding",
            Attribute::ContentLanguage => "content-language",
            Attribute::Metadata(name) => {
                metadata.user.insert(name.to_string(), value.to_string());
                continue;
            }
            _ => continue,
        };
        metadata.headers.insert(header.to_owned(), value.to_string());
    }
    let pairs = tags.encoded().split('&').filter_map(|pair| pair.split_once('='));
    metadata.tags = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    metadata
}

impl BucketStore {
    fn request(&self, location: &Path, metadata: Metadata, condition: WriteCondition) -> PutRequest {
        let (bucket, key) = (self.bucket.clone(), location.to_string());
        PutRequest { bucket, key, metadata, condition, ..PutRequest::default() }
    }

    /// Pages of the listing until the last one.
    fn pages(&self, request: ListRequest) -> BoxStream<'static, Result<Listing>> {
        let store = self.clone();
        stream::try_unfold(Some(request), move |request| {
            let store = store.clone();
            async move {
                let Some(request) = request else { return Ok(None) };
                let page = store.objects.list(&store.bucket, request.clone()).await;
                let page = page.map_err(|error| failure(&store.bucket, error))?;
                let next = page.next.clone().map(|after| ListRequest { after: Some(after), ..request });
                Ok(Some((page, next)))
            }
        })
        .boxed()
    }

    fn list_after(&self, prefix: Option<&Path>, after: Option<String>) -> BoxStream<'static, Result<ObjectMeta>> {
        let request = ListRequest { prefix: folder(prefix), after, max_keys: PAGE, ..ListRequest::default() };
        self.pages(request)
            .map_ok(|page| stream::iter(page.objects.into_iter().filter_map(listed)))
            .try_flatten()
            .boxed()
    }
}

/// A prefix of the trait is a folder.
fn folder(prefix: Option<&Path>) -> String {
    prefix.filter(|prefix| !prefix.as_ref().is_empty()).map(|prefix| format!("{prefix}/")).unwrap_or_default()
}

#[async_trait]
impl ObjectStore for BucketStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let condition = match &opts.mode {
            PutMode::Overwrite => WriteCondition::Always,
            PutMode::Create => WriteCondition::Absent,
            PutMode::Update(version) => {
                WriteCondition::Matches(version.e_tag.clone().unwrap_or_default().trim_matches('"').to_owned())
            }
        };
        let request = self.request(location, stored(&opts.attributes, &opts.tags), condition);
        let body = stream::iter(payload.into_iter().map(Ok));
        let info = self.objects.put(request, body, Expectations::default).await.map_err(|error| match error {
            Error::PreconditionFailed if opts.mode == PutMode::Create => {
                object_store::Error::AlreadyExists { path: location.to_string(), source: error.into() }
            }
            other => failure(location.as_ref(), other),
        })?;
        Ok(PutResult { e_tag: Some(format!("\"{}\"", info.etag)), version: None })
    }

    async fn put_multipart_opts(&self, location: &Path, opts: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        let request = self.request(location, stored(&opts.attributes, &opts.tags), WriteCondition::Always);
        Ok(Box::new(Upload::start(self.objects.clone(), request)))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = location.as_ref();
        let object = self.objects.get(&self.bucket, path).map_err(|error| failure(path, error))?;
        let meta = meta(location.clone(), object.info());
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            None => 0..meta.size,
            Some(range) => range
                .as_range(meta.size)
                .map_err(|source| object_store::Error::Generic { store: "boathouse", source: source.into() })?,
        };
        let attributes = attributes(&object.info().metadata);
        let body = if options.head { range.start..range.start } else { range.clone() };
        let read = object.read(body).map_err(|error| failure(path, error))?;
        let name = path.to_owned();
        let payload = GetResultPayload::Stream(read.map_err(move |error| failure(&name, error)).boxed());
        Ok(GetResult { payload, meta, range, attributes })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let path = location.as_ref();
        let object = self.objects.get(&self.bucket, path).map_err(|error| failure(path, error))?;
        let reads: Vec<_> = ranges.iter().cloned().map(|range| object.read_range(range)).collect();
        stream::iter(reads).buffered(8).try_collect().await.map_err(|error| failure(path, error))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let batches = locations.try_chunks(DELETE_BATCH).map_err(|error| error.1);
        let deleted = batches.and_then(move |batch| {
            let store = store.clone();
            async move {
                let keys = batch.iter().map(Path::to_string).collect();
                let outcome = store.objects.delete(&store.bucket, keys).await;
                outcome.map_err(|error| failure(&store.bucket, error))?;
                Ok(stream::iter(batch.into_iter().map(Ok)))
            }
        });
        deleted.try_flatten().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_after(prefix, None)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.list_after(prefix, Some(offset.to_string()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let delimiter = Some("/".to_owned());
        let request = ListRequest { prefix: folder(prefix), delimiter, after: None, max_keys: PAGE };
        let mut result = ListResult { objects: Vec::new(), common_prefixes: Vec::new() };
        let mut pages = self.pages(request);
        while let Some(page) = pages.try_next().await? {
            let prefixes = page.common_prefixes.iter().map(|prefix| Path::parse(prefix.trim_end_matches('/')));
            result.common_prefixes.extend(prefixes.collect::<std::result::Result<Vec<_>, _>>()?);
            for object in page.objects.into_iter().filter_map(listed) {
                result.objects.push(object?);
            }
        }
        Ok(result)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let condition = match options.mode {
            CopyMode::Overwrite => WriteCondition::Always,
            CopyMode::Create => WriteCondition::Absent,
        };
        let request = CopyRequest {
            source_bucket: self.bucket.clone(),
            source_key: from.to_string(),
            bucket: self.bucket.clone(),
            key: to.to_string(),
            metadata: None,
            condition,
        };
        self.objects.copy(request).await.map(drop).map_err(|error| match error {
            Error::PreconditionFailed => {
                object_store::Error::AlreadyExists { path: to.to_string(), source: error.into() }
            }
            other => failure(from.as_ref(), other),
        })
    }
}

fn attributes(metadata: &Metadata) -> Attributes {
    let headers = metadata.headers.iter().filter_map(|(name, value)| {
        let attribute = match name.as_str() {
            "content-type" => Attribute::ContentType,
            "cache-control" => Attribute::CacheControl,
            "content-disposition" => Attribute::ContentDisposition,
            "content-encoding" => Attribute::ContentEncoding,
            "content-language" => Attribute::ContentLanguage,
            _ => return None,
        };
        Some((attribute, value.clone()))
    });
    let user = metadata.user.iter().map(|(name, value)| (Attribute::Metadata(name.clone().into()), value.clone()));
    headers.chain(user).collect()
}
