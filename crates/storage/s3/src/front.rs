//! The table of operations: S3's names, the codec's types, our handlers.

use std::sync::Arc;

use s3s::dto;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::call::{Call, Store};
use crate::operations::object;

/// What the codec calls.
pub(crate) struct Front {
    pub(crate) store: Store,
}

macro_rules! operations {
    ($($name:ident: $method:ident($input:ident) -> $output:ident = $handler:path;)*) => {
        /// The implemented operations.
        pub const OPERATIONS: &[&str] = &[$(stringify!($name)),*];

        #[async_trait::async_trait]
        impl s3s::S3 for Front {
            $(async fn $method(&self, mut request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                let call = call_of(&mut request.extensions)?;
                // Set once: one request is one operation.
                let _ = call.operation.set(stringify!($name));
                $handler(&self.store, &call, request.input).await.map_err(|error| {
                    call.fail(error);
                    S3Error::new(S3ErrorCode::InternalError)
                })
            })*
        }
    };
}

operations! {
    PutObject: put_object(PutObjectInput) -> PutObjectOutput = object::put;
    GetObject: get_object(GetObjectInput) -> GetObjectOutput = object::get;
    HeadObject: head_object(HeadObjectInput) -> HeadObjectOutput = object::head;
    DeleteObject: delete_object(DeleteObjectInput) -> DeleteObjectOutput = object::delete;
}

fn call_of(extensions: &mut http::Extensions) -> S3Result<Arc<Call>> {
    extensions.remove().ok_or_else(|| S3Error::new(S3ErrorCode::InternalError))
}
