//! The operations: each authorises, translates, and leaves the work to the engine.

pub(crate) mod object;

use crate::error::Result;

/// What a handler returns to the codec.
pub(crate) type Reply<O> = Result<s3s::S3Response<O>>;
