//! What is asked of a store that bodies lie in.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use crate::error::Result;

/// Bytes as they come.
pub type RemoteBytes = BoxStream<'static, Result<Bytes>>;

/// An object of a remote store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteObject {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub size: u64,
    /// Its entity tag, as HTTP writes it.
    pub etag: Option<String>,
    /// When it was written: milliseconds since the Unix epoch.
    pub modified_ms: u64,
}

/// One bucket of another store. Whoever implements this tries again what may succeed then, and lets nobody wait for ever. Errors
/// are [`Error::Remote`](crate::Error::Remote), also in what comes as a stream.
#[async_trait]
pub trait RemoteStore: Send + Sync + 'static {
    /// An object, or a range of it that is not empty, if it has the entity tag.
    async fn get(&self, key: &str, range: Option<Range<u64>>, if_match: Option<&str>) -> Result<RemoteBytes>;
    /// How many bytes an object has.
    async fn size(&self, key: &str) -> Result<u64>;
    /// Writes an object; with `create` only if there is none.
    async fn put(&self, key: &str, body: Bytes, create: bool) -> Result<()>;
    /// Removes an object, which need not be there.
    async fn delete(&self, key: &str) -> Result<()>;
    /// The objects whose keys begin with the prefix and lie behind `after`, in order, as many as the store likes. None behind the
    /// last one.
    async fn list(&self, prefix: &str, after: &str) -> Result<Vec<RemoteObject>>;
    /// Begins an upload in parts; answers its name.
    async fn begin(&self, key: &str) -> Result<String>;
    /// Writes a part, the first of which has the number 1; answers its entity tag.
    async fn put_part(&self, key: &str, upload: &str, number: u32, body: Bytes) -> Result<String>;
    /// Makes an object of the parts that have these entity tags.
    async fn complete(&self, key: &str, upload: &str, etags: &[String]) -> Result<()>;
    /// Removes an upload.
    async fn abort(&self, key: &str, upload: &str) -> Result<()>;
}
