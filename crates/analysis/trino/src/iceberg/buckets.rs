//! The session's buckets, as the format's crate reaches files.

use std::sync::Arc;

use boathouse_iceberg::files::Files;
use boathouse_iceberg::kept::Kept;
use boathouse_iceberg::{Error, Result};
use object_store::ObjectStore;
use object_store::path::Path;

use crate::catalog::Buckets;
use crate::storage::Location;

/// Files of `s3://bucket/key`, with the rights of the buckets' user.
#[derive(Debug, Clone)]
pub struct BucketFiles(pub Arc<dyn Buckets>);

/// The same with what was read before.
#[derive(Debug)]
pub(crate) struct KeptFiles {
    pub(crate) files: BucketFiles,
    pub(crate) kept: Arc<Kept>,
}

impl Files for KeptFiles {
    fn open(&self, location: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        self.files.open(location)
    }

    fn kept(&self) -> Option<&Kept> {
        Some(&self.kept)
    }
}

impl Files for BucketFiles {
    fn open(&self, location: &str) -> Result<(Arc<dyn ObjectStore>, Path)> {
        let refused = |error: boathouse_trino_functions::error::TrinoError| {
            // As the store's own refusals, so that the error's kind isn't lost.
            Error::Store(object_store::Error::Generic { store: "s3", source: Box::new(error) })
        };
        let Location { bucket, prefix } = Location::parse(location).map_err(refused)?;
        Ok((self.0.bucket(&bucket).map_err(refused)?, prefix))
    }
}
