//! Code as a request brings it: inline, or from S3 as the caller may read it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use boathouse_aws::Ctx;
use object_store::path::Path;
use object_store::{Error as StoreError, ObjectStoreExt};

use super::LARGEST_UNPACKED;
use crate::api::Code;
use crate::error::LambdaError;
use crate::store::Lambda;

/// Bytes of an archive that comes with the request ("Lambda quotas": 50 MB).
const LARGEST_INLINE: usize = 52_428_800;

/// The archive's bytes.
pub(crate) async fn fetch(ctx: &Ctx, state: &Lambda, code: &Code) -> Result<Vec<u8>, LambdaError> {
    for (given, name) in [
        (code.image_uri.is_some(), "ImageUri"),
        (code.source_kms_key_arn.is_some(), "SourceKMSKeyArn"),
        (code.s3_object_version.is_some(), "S3ObjectVersion"),
    ] {
        if given {
            return Err(LambdaError::NotImplemented(name));
        }
    }
    match (&code.zip_file, &code.s3_bucket, &code.s3_key) {
        (Some(text), None, None) => inline(text),
        (None, Some(bucket), Some(key)) => from_s3(ctx, state, bucket, key).await,
        (Some(_), ..) => Err(LambdaError::InvalidParameter(
            "Please do not provide other FunctionCode parameters when providing a ZipFile.".into(),
        )),
        _ => Err(LambdaError::InvalidParameter("Please provide a source for function code.".into())),
    }
}

fn inline(text: &str) -> Result<Vec<u8>, LambdaError> {
    let bytes = BASE64
        .decode(text)
        .map_err(|error| LambdaError::InvalidParameter(format!("ZipFile is not base64 text: {error}")))?;
    if bytes.len() > LARGEST_INLINE {
        let message = format!("Zipped size must be smaller than {LARGEST_INLINE} bytes; larger ones come from S3");
        return Err(LambdaError::InvalidParameter(message));
    }
    Ok(bytes)
}

async fn from_s3(ctx: &Ctx, state: &Lambda, bucket: &str, key: &str) -> Result<Vec<u8>, LambdaError> {
    let failed = |code: &str, message: &str| {
        LambdaError::InvalidParameter(format!(
            "Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}"
        ))
    };
    let store = state.stores.bucket(ctx, bucket).map_err(|error| failed(&error.code, &error.message))?;
    let path = Path::parse(key).map_err(|_| failed("NoSuchKey", "The specified key does not exist."))?;
    let read = |error: StoreError| match error {
        StoreError::NotFound { .. } => failed("NoSuchKey", "The specified key does not exist."),
        StoreError::PermissionDenied { source, .. } => {
            LambdaError::Aws(boathouse_aws::AwsError::access_denied(format!(
                "Your access has been denied by S3, please make sure your request credentials have permission to \
                 GetObject for {bucket}/{key}. S3 Error Code: AccessDenied. S3 Error Message: {source}"
            )))
        }
        other => failed("InternalError", &other.to_string()),
    };
    let found = store.get(&path).await.map_err(read)?;
    if found.meta.size > LARGEST_UNPACKED {
        let message = format!("Unzipped size must be smaller than {LARGEST_UNPACKED} bytes");
        return Err(LambdaError::InvalidParameter(message));
    }
    Ok(found.bytes().await.map_err(read)?.to_vec())
}
