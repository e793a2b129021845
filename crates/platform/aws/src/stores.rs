//! The seam to the object engine's data plane.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;

use crate::context::Ctx;
use crate::error::AwsError;

/// Gives engines and services buckets to read and write without an HTTP hop.
pub trait ObjectStores: Send + Sync {
    /// The bucket as the context's principal may use it: each call on the store is authorised as the S3 operation
    /// that it is (`s3:GetObject`, `s3:ListBucket`, `s3:PutObject`, `s3:DeleteObject`) and fails with
    /// [`object_store::Error::PermissionDenied`] otherwise.
    ///
    /// # Errors
    /// `NoSuchBucket` (404).
    fn bucket(&self, ctx: &Ctx, bucket: &str) -> Result<Arc<dyn ObjectStore>, AwsError>;

    /// The key that a path of such a store stands for. They differ for keys that no path can name, such as `a//b`.
    fn key(&self, path: &Path) -> String {
        path.to_string()
    }
}
