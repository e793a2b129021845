//! SSE-S3: which objects are encrypted at rest, and what a bucket wants for all new ones.

use boathouse_aws::AwsError;
use boathouse_objects::{ENCRYPT, Encryption};
use http::HeaderMap;
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput, GetBucketEncryptionOutput,
    PutBucketEncryptionInput, PutBucketEncryptionOutput, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde::{Deserialize, Serialize};

use super::Reply;
use crate::call::{Call, Store};
use crate::error::{Result, invalid_argument, not_found};
use crate::metadata;

/// The header that asks for encryption and tells of it.
pub(crate) const HEADER: &str = "x-amz-server-side-encryption";
/// The only algorithm: others are refused before an operation begins.
pub(crate) const ALGORITHM: &str = ServerSideEncryption::AES256;

/// Whether the request asks for encryption.
pub(crate) fn is_wanted(call: &Call) -> bool {
    call.header(HEADER) == Some(ALGORITHM)
}

/// The member of answers that the codec writes.
pub(crate) fn shown(encryption: Option<&Encryption>) -> Option<ServerSideEncryption> {
    encryption.map(|_| ServerSideEncryption::from_static(ALGORITHM))
}

/// The header of answers that are written beside the codec.
pub(crate) fn tell(encryption: Option<&Encryption>, headers: &mut HeaderMap) {
    if encryption.is_some() {
        metadata::set(headers, HEADER, ALGORITHM);
    }
}

/// A bucket's document [`ENCRYPT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    bucket_key_enabled: Option<bool>,
}

pub(crate) async fn put(
    store: &Store,
    call: &Call,
    input: PutBucketEncryptionInput,
) -> Reply<PutBucketEncryptionOutput> {
    store.allow(&call.ctx, "s3:PutEncryptionConfiguration", &input.bucket, None)?;
    let wanted = checked(&input.server_side_encryption_configuration.rules)?;
    store.put_document(&input.bucket, ENCRYPT, &wanted).await?;
    Ok(S3Response::new(PutBucketEncryptionOutput {}))
}

fn checked(rules: &[ServerSideEncryptionRule]) -> Result<Wanted> {
    let malformed = || {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        AwsError::bad_request("MalformedXML", message)
    };
    let [rule] = rules else { return Err(malformed()) };
    let default = rule.apply_server_side_encryption_by_default.as_ref().ok_or_else(malformed)?;
    match default.sse_algorithm.as_str() {
        ALGORITHM if default.kms_master_key_id.is_some() => {
            Err(invalid_argument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms"))
        }
        ALGORITHM => Ok(Wanted { bucket_key_enabled: rule.bucket_key_enabled }),
        ServerSideEncryption::AWS_KMS | ServerSideEncryption::AWS_KMS_DSSE => Err(AwsError::not_implemented("SSE-KMS")),
        _ => Err(malformed()),
    }
}

pub(crate) async fn get(
    store: &Store,
    call: &Call,
    input: GetBucketEncryptionInput,
) -> Reply<GetBucketEncryptionOutput> {
    store.allow(&call.ctx, "s3:GetEncryptionConfiguration", &input.bucket, None)?;
    let Some(Wanted { bucket_key_enabled }) = store.document(&input.bucket, ENCRYPT)? else {
        // A bucket that says nothing encrypts only what asks for it, so nobody is told of a default.
        let message = "The server side encryption configuration was not found";
        let error = not_found("ServerSideEncryptionConfigurationNotFoundError", message);
        return Err(error.with_detail("BucketName", input.bucket.as_str()));
    };
    let default = ServerSideEncryptionByDefault {
        kms_master_key_id: None,
        sse_algorithm: ServerSideEncryption::from_static(ALGORITHM),
    };
    let rule = ServerSideEncryptionRule { apply_server_side_encryption_by_default: Some(default), bucket_key_enabled };
    let configuration = ServerSideEncryptionConfiguration { rules: vec![rule] };
    Ok(S3Response::new(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(configuration) }))
}

pub(crate) async fn delete(
    store: &Store,
    call: &Call,
    input: DeleteBucketEncryptionInput,
) -> Reply<DeleteBucketEncryptionOutput> {
    store.allow(&call.ctx, "s3:PutEncryptionConfiguration", &input.bucket, None)?;
    store.delete_document(&input.bucket, ENCRYPT).await?;
    Ok(S3Response::with_status(DeleteBucketEncryptionOutput {}, http::StatusCode::NO_CONTENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(algorithm: &str, key: Option<&str>) -> ServerSideEncryptionRule {
        let default = ServerSideEncryptionByDefault {
            kms_master_key_id: key.map(str::to_owned),
            sse_algorithm: ServerSideEncryption::from(algorithm.to_owned()),
        };
        ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(default),
            ..ServerSideEncryptionRule::default()
        }
    }

    #[test]
    fn only_what_is_done_is_taken() {
        assert!(checked(&[rule("AES256", None)]).is_ok());
        let code = |rules: &[ServerSideEncryptionRule]| checked(rules).unwrap_err().code.into_owned();
        assert_eq!(code(&[rule("aws:kms", None)]), "NotImplemented");
        assert_eq!(code(&[rule("AES256", Some("key"))]), "InvalidArgument");
        assert_eq!(code(&[rule("ROT13", None)]), "MalformedXML");
        assert_eq!(code(&[]), "MalformedXML");
        assert_eq!(code(&[rule("AES256", None), rule("AES256", None)]), "MalformedXML");
    }
}
