//! Buckets as the scans see them: every byte read is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use boathouse_trino_functions::error::{ErrorCode, TrinoError};
use bytes::Bytes;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::StreamExt;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use parking_lot::Mutex;

/// What a query has read and given so far.
#[derive(Debug, Default)]
pub struct Statistics {
    scanned_bytes: AtomicU64,
    skipped_lines: AtomicU64,
    rows: AtomicU64,
    input_rows: AtomicU64,
    read: Mutex<BTreeMap<(String, String), BTreeSet<String>>>,
}

/// A table and some of its columns, by their names in the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUse {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// The columns, in the order of their names.
    pub columns: Vec<String>,
}

impl Statistics {
    /// The tables that plans read, views as what they read, and of each the columns that a value or a condition needs.
    pub fn read(&self) -> Vec<TableUse> {
        let used = |((database, table), columns): (&(String, String), &BTreeSet<String>)| TableUse {
            database: database.clone(),
            table: table.clone(),
            columns: columns.iter().cloned().collect(),
        };
        self.read.lock().iter().map(used).collect()
    }

    pub(crate) fn note_read(&self, database: &str, table: &str, columns: impl IntoIterator<Item = String>) {
        self.read.lock().entry((database.to_owned(), table.to_owned())).or_default().extend(columns);
    }

    /// The bytes read from objects: Athena's `DataScannedInBytes`.
    pub fn scanned_bytes(&self) -> u64 {
        self.scanned_bytes.load(Ordering::Relaxed)
    }

    /// The lines that were left out because they could not be read, where that is wanted.
    pub fn skipped_lines(&self) -> u64 {
        self.skipped_lines.load(Ordering::Relaxed)
    }

    pub(crate) fn add_skipped_line(&self) {
        self.skipped_lines.fetch_add(1, Ordering::Relaxed);
    }

    /// The rows that the query has given.
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    pub(crate) fn add_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// The rows that were read from tables, known once all rows have been given.
    pub fn input_rows(&self) -> u64 {
        self.input_rows.load(Ordering::Relaxed)
    }

    pub(crate) fn add_input_rows(&self, rows: u64) {
        self.input_rows.fetch_add(rows, Ordering::Relaxed);
    }

    fn add_bytes(&self, bytes: usize) {
        self.scanned_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// A place in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// The bucket.
    pub(crate) bucket: String,
    /// The prefix without slashes at its ends.
    pub(crate) prefix: Path,
}

impl Location {
    /// Reads `s3://bucket/prefix/`.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, TrinoError> {
        let refuse = || {
            let message = format!("Table location is not an S3 location: {text}");
            TrinoError::new(ErrorCode::GenericUserError, message)
        };
        let rest = ["s3://", "s3a://", "s3n://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let (bucket, prefix) = rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))).ok_or_else(refuse)?;
        if bucket.is_empty() {
            return Err(refuse());
        }
        // A path keeps its characters as they are: S3's keys aren't URLs.
        let prefix = Path::parse(prefix.trim_matches('/')).map_err(|_| refuse())?;
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }

    /// The bucket as DataFusion addresses it.
    pub(crate) fn url(&self) -> std::result::Result<ObjectStoreUrl, TrinoError> {
        let url = format!("s3://{}", self.bucket);
        ObjectStoreUrl::parse(url).map_err(|error| TrinoError::new(ErrorCode::GenericUserError, error.to_string()))
    }
}

/// An object store that counts what is read from it.
#[derive(Debug)]
pub(crate) struct Counting {
    inner: Arc<dyn ObjectStore>,
    statistics: Arc<Statistics>,
}

impl Counting {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, statistics: Arc<Statistics>) -> Self {
        Self { inner, statistics }
    }
}

impl fmt::Display for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for Counting {
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
        let head = options.head;
        let result = self.inner.get_opts(location, options).await?;
        if head {
            return Ok(result);
        }
        if matches!(result.payload, GetResultPayload::File(..)) {
            self.statistics.add_bytes((result.range.end - result.range.start) as usize);
            return Ok(result);
        }
        let GetResult { meta, range, attributes, .. } = &result;
        let (meta, range, attributes) = (meta.clone(), range.clone(), attributes.clone());
        let statistics = Arc::clone(&self.statistics);
        let counted = result.into_stream().inspect(move |bytes| {
            if let Ok(bytes) = bytes {
                statistics.add_bytes(bytes.len());
            }
        });
        Ok(GetResult { payload: GetResultPayload::Stream(counted.boxed()), meta, range, attributes })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let read = self.inner.get_ranges(location, ranges).await?;
        self.statistics.add_bytes(read.iter().map(Bytes::len).sum());
        Ok(read)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    #[test]
    fn locations_name_a_bucket() {
        let location = Location::parse("s3://lake/a/b=1/").unwrap();
        assert_eq!((location.bucket.as_str(), location.prefix.as_ref()), ("lake", "a/b=1"));
        assert!(Location::parse("s3://").is_err());
        assert!(Location::parse("/etc/passwd").is_err());
    }

    #[tokio::test]
    async fn reading_counts_and_listing_does_not() {
        let statistics = Arc::new(Statistics::default());
        let store = Counting::new(Arc::new(InMemory::new()), Arc::clone(&statistics));
        let path = Path::from("a");
        store.put(&path, PutPayload::from_static(b"0123456789")).await.unwrap();
        assert_eq!(store.list(None).count().await, 1);
        store.head(&path).await.unwrap();
        assert_eq!(statistics.scanned_bytes(), 0);
        store.get_range(&path, 2..5).await.unwrap();
        store.get(&path).await.unwrap().bytes().await.unwrap();
        assert_eq!(statistics.scanned_bytes(), 13);
    }
}
