//! How tables' files are reached.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::error::{Error, Result};
use crate::kept::Kept;

/// Where locations such as `s3://bucket/key` lead, with the rights of whoever asks.
pub trait Files: fmt::Debug + Send + Sync {
    /// The store that holds a location, and the path in there.
    ///
    /// # Errors
    /// There is no such store, or it may not be used.
    fn open(&self, location: &str) -> Result<(Arc<dyn ObjectStore>, Path)>;

    /// What was read before, if it is kept.
    fn kept(&self) -> Option<&Kept> {
        None
    }
}

/// A file's content.
///
/// # Errors
/// It is not there, or can't be read.
pub async fn read(files: &dyn Files, location: &str) -> Result<Bytes> {
    let (store, path) = files.open(location)?;
    Ok(store.get(&path).await?.bytes().await?)
}

/// Writes a file.
///
/// # Errors
/// It can't be written.
pub async fn write(files: &dyn Files, location: &str, content: Vec<u8>) -> Result<()> {
    let (store, path) = files.open(location)?;
    store.put(&path, PutPayload::from(content)).await?;
    Ok(())
}

/// Removes files; those that are not there do no harm.
///
/// # Errors
/// One can't be removed: those after it stay.
pub async fn delete(files: &dyn Files, locations: &[String]) -> Result<()> {
    for location in locations {
        let (store, path) = files.open(location)?;
        match store.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(Error::Store(error)),
        }
    }
    Ok(())
}
