//! Places in S3 and a caller's buckets.

use std::fmt;
use std::sync::Arc;

use boathouse_aws::Ctx;
use boathouse_aws::stores::ObjectStores;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::failure::Failure;

/// A bucket and a key or prefix in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    /// Without slashes at its ends.
    pub(crate) key: String,
}

impl Place {
    /// Reads `s3://bucket/key`.
    pub(crate) fn parse(location: &str) -> Option<Self> {
        let schemes = ["s3://", "s3a://", "s3n://"];
        let rest = schemes.into_iter().find_map(|scheme| location.strip_prefix(scheme))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        (!bucket.is_empty()).then(|| Self { bucket: bucket.to_owned(), key: key.trim_matches('/').to_owned() })
    }

    pub(crate) fn path(&self) -> Result<Path, Failure> {
        Path::parse(&self.key).map_err(|error| Failure::new(format!("{self} is not a valid S3 path: {error}")))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// The buckets with the rights of one caller.
#[derive(Clone)]
pub(crate) struct Buckets {
    ctx: Ctx,
    stores: Arc<dyn ObjectStores>,
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("principal", &self.ctx.principal.arn).finish_non_exhaustive()
    }
}

impl Buckets {
    pub(crate) fn new(ctx: Ctx, stores: Arc<dyn ObjectStores>) -> Self {
        Self { ctx, stores }
    }

    pub(crate) fn open(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>, Failure> {
        self.stores
            .bucket(&self.ctx, bucket)
            .map_err(|error| Failure::new(format!("{} (bucket {bucket})", error.message)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_have_a_bucket() {
        let place = Place::parse("s3://lake/raw/").unwrap();
        assert_eq!(
            (place.bucket.as_str(), place.key.as_str(), place.to_string().as_str()),
            ("lake", "raw", "s3://lake/raw")
        );
        assert_eq!(Place::parse("s3://lake").unwrap().key, "");
        assert!(Place::parse("s3:///a").is_none());
        assert!(Place::parse("https://lake/a").is_none());
    }
}
