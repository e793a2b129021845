//! Encryption at rest: what requests ask for, what buckets want for all new objects, and what answers say of it.
//!
//! SSE-S3 and SSE-KMS encrypt with data keys that the store's master key wraps. A key id of SSE-KMS is a name that data keys
//! are bound to and that IAM is asked about (`kms:GenerateDataKey`, `kms:Decrypt`); there is no service that makes or
//! rotates such keys. SSE-C wraps data keys with the client's own key, which is not kept. New buckets want SSE-S3 for all
//! that says nothing, as on AWS; an installation may do without ([`Store::encrypts`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boathouse_aws::{ACCOUNT_ID, AwsError, Ctx};
use boathouse_objects::{ClientKey, ENCRYPT, Encryption, KeyHolder, Seal};
use http::{HeaderMap, StatusCode};
use md5::{Digest as _, Md5};
use s3s::S3Response;
use s3s::dto::{
    DeleteBucketEncryptionInput, DeleteBucketEncryptionOutput, GetBucketEncryptionInput, GetBucketEncryptionOutput,
    PutBucketEncryptionInput, PutBucketEncryptionOutput, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use serde::{Deserialize, Serialize};

use super::Reply;
use crate::call::{Call, Store};
use crate::error::{Result, from_engine, invalid_argument, malformed_xml, not_found};
use crate::metadata;

/// The header that asks for encryption and tells of it.
pub(crate) const HEADER: &str = "x-amz-server-side-encryption";
/// SSE-S3.
const MANAGED: &str = ServerSideEncryption::AES256;
const KMS: &str = ServerSideEncryption::AWS_KMS;
pub(crate) const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
/// Algorithm, key and its MD5 of SSE-C.
const CUSTOMER: [&str; 3] = [
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
];
/// The same of the source of a copy.
const SOURCE_CUSTOMER: [&str; 3] = [
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
];
/// The key that AWS makes for an account's buckets: whoever may use the bucket may use it.
const DEFAULT_KEY: &str = "alias/aws/s3";

/// Reads need no word of how the store encrypts.
///
/// # Errors
/// `InvalidArgument`.
pub(crate) fn refuse_on_read(call: &Call) -> Result<()> {
    match call.header(HEADER) {
        None => Ok(()),
        Some(_) => {
            let error = invalid_argument(format!("{HEADER} header is not supported for this operation."));
            Err(error.with_detail("ArgumentName", HEADER))
        }
    }
}

/// Whether the request says anything of encryption.
pub(crate) fn is_wanted(call: &Call) -> bool {
    call.header(HEADER).is_some() || call.headers.contains_key(CUSTOMER[0])
}

/// What the request asks for, and whether its caller may have it.
///
/// # Errors
/// `InvalidArgument`, `NotImplemented`; what IAM says of the key.
pub(crate) fn wanted(store: &Store, call: &Call, bucket: &str) -> Result<Seal> {
    if let Some(key) = client_key(call)? {
        if call.header(HEADER).is_some() {
            return Err(invalid_argument(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
            ));
        }
        return Ok(Seal::Client(key));
    }
    let key_id = call.header(KMS_KEY);
    let seal = match call.header(HEADER) {
        None | Some(MANAGED) if key_id.is_some() || call.header(CONTEXT).is_some() => {
            return Err(invalid_argument(format!(
                "Server Side Encryption with AWS KMS managed key requires HTTP header {HEADER} : {KMS}"
            )));
        }
        None => Seal::AsBucket,
        Some(MANAGED) => Seal::Store,
        Some(KMS) => {
            let key_id = arn_of(key_id.unwrap_or(DEFAULT_KEY), call.ctx.region())?;
            Seal::Named { key_id, context: context(call)? }
        }
        Some(ServerSideEncryption::AWS_KMS_DSSE) => {
            return Err(AwsError::not_implemented("the encryption aws:kms:dsse"));
        }
        Some(_) => {
            let error = invalid_argument("The encryption method specified is not supported");
            return Err(error.with_detail("ArgumentName", HEADER));
        }
    };
    match &seal {
        Seal::Named { key_id, .. } => allow_key(store, &call.ctx, "kms:GenerateDataKey", key_id)?,
        Seal::AsBucket => allow_write(store, &call.ctx, bucket)?,
        _ => {}
    }
    Ok(seal)
}

/// Asks for leave to write what says nothing of encryption: the bucket may want it under the name of a key.
pub(crate) fn allow_write(store: &Store, ctx: &Ctx, bucket: &str) -> Result<()> {
    let named = store.document::<Wanted>(bucket, ENCRYPT)?.and_then(|wanted| wanted.kms_key_id);
    named.map_or(Ok(()), |key_id| allow_key(store, ctx, "kms:GenerateDataKey", &key_id))
}

/// The context is JSON of texts, in Base64.
fn context(call: &Call) -> Result<Option<String>> {
    let Some(text) = call.header(CONTEXT) else { return Ok(None) };
    let raw = STANDARD.decode(text).ok();
    let parsed = raw.and_then(|raw| serde_json::from_slice::<std::collections::BTreeMap<String, String>>(&raw).ok());
    let parsed =
        parsed.ok_or_else(|| invalid_argument(format!("The header '{CONTEXT}' shall be Base64-encoded JSON")))?;
    Ok(Some(serde_json::to_string(&parsed).expect("invariant: a map of texts serialises")))
}

/// The full name of a key that is named by its id, its alias or its ARN.
fn arn_of(key: &str, region: &str) -> Result<String> {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_/:.".contains(c));
    if key.is_empty() || key.len() > 2048 || !plain(key) {
        let message = format!("Invalid keyId '{key}'");
        return Err(AwsError::bad_request("KMS.NotFoundException", message));
    }
    Ok(match key {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        alias if alias.starts_with("alias/") => format!("arn:aws:kms:{region}:{ACCOUNT_ID}:{alias}"),
        id => format!("arn:aws:kms:{region}:{ACCOUNT_ID}:key/{}", id.trim_start_matches("key/")),
    })
}

fn allow_key(store: &Store, ctx: &Ctx, action: &str, key_id: &str) -> Result<()> {
    match key_id.ends_with(DEFAULT_KEY) {
        true => Ok(()),
        false => store.allow_any(ctx, action, key_id),
    }
}

/// Asks for leave to read what is encrypted under the name of a key.
pub(crate) fn allow_read(store: &Store, ctx: &Ctx, encryption: Option<&Encryption>) -> Result<()> {
    match encryption.map(|encryption| &encryption.holder) {
        Some(KeyHolder::Named { key_id, .. }) => allow_key(store, ctx, "kms:Decrypt", key_id),
        _ => Ok(()),
    }
}

/// The client's key of the object that the request is about.
pub(crate) fn client_key(call: &Call) -> Result<Option<ClientKey>> {
    key_of(call, CUSTOMER)
}

/// The client's key of the source of a copy.
pub(crate) fn source_client_key(call: &Call) -> Result<Option<ClientKey>> {
    key_of(call, SOURCE_CUSTOMER)
}

fn key_of(call: &Call, headers: [&str; 3]) -> Result<Option<ClientKey>> {
    let wrong = |what: &str| {
        invalid_argument(format!(
            "Requests specifying Server Side Encryption with Customer provided keys must provide {what}"
        ))
    };
    let [algorithm, key, md5] = headers.map(|name| call.header(name));
    if [algorithm, key, md5] == [None; 3] {
        return Ok(None);
    }
    if algorithm != Some(MANAGED) {
        return Err(wrong("a valid encryption algorithm."));
    }
    let key = STANDARD.decode(key.ok_or_else(|| wrong("an appropriate secret key."))?).ok();
    let key: Option<[u8; 32]> = key.and_then(|key| key.try_into().ok());
    let key = key.ok_or_else(|| invalid_argument("The secret key was invalid for the specified algorithm."))?;
    let md5 = md5.ok_or_else(|| wrong("the client calculated MD5 of the secret key."))?;
    if md5 != STANDARD.encode(Md5::digest(key)) {
        return Err(invalid_argument("The calculated MD5 hash of the key did not match the hash that was provided."));
    }
    Ok(Some(ClientKey::new(key)))
}

/// Says in an answer's headers how an object is encrypted.
pub(crate) fn tell(call: &Call, encryption: Option<&Encryption>, headers: &mut HeaderMap) {
    match encryption.map(|encryption| &encryption.holder) {
        None => {}
        Some(KeyHolder::Store) => metadata::set(headers, HEADER, MANAGED),
        Some(KeyHolder::Named { key_id, .. }) => {
            metadata::set(headers, HEADER, KMS);
            metadata::set(headers, KMS_KEY, key_id);
            if call.header(BUCKET_KEY).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
                metadata::set(headers, BUCKET_KEY, "true");
            }
        }
        Some(KeyHolder::Client) => {
            metadata::set(headers, CUSTOMER[0], MANAGED);
            if let Some(md5) = call.header(CUSTOMER[2]) {
                metadata::set(headers, CUSTOMER[2], md5);
            }
        }
    }
}

/// As [`tell`], in headers of their own.
pub(crate) fn headers(call: &Call, encryption: Option<&Encryption>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    tell(call, encryption, &mut headers);
    headers
}

/// A bucket's document [`ENCRYPT`]; by default, keys of the store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    bucket_key_enabled: Option<bool>,
    /// Whether new objects are encrypted under the name of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<String>,
    /// The name as the client gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key_given: Option<String>,
}

pub(crate) async fn put(
    store: &Store,
    call: &Call,
    input: PutBucketEncryptionInput,
) -> Reply<PutBucketEncryptionOutput> {
    store.allow(&call.ctx, "s3:PutEncryptionConfiguration", &input.bucket, None)?;
    let wanted = checked(&input.server_side_encryption_configuration.rules, call.ctx.region())?;
    store.put_document(&input.bucket, ENCRYPT, &wanted).await?;
    Ok(S3Response::new(PutBucketEncryptionOutput {}))
}

fn checked(rules: &[ServerSideEncryptionRule], region: &str) -> Result<Wanted> {
    let [rule] = rules else { return Err(malformed_xml()) };
    let default = rule.apply_server_side_encryption_by_default.as_ref().ok_or_else(malformed_xml)?;
    let given = default.kms_master_key_id.clone().filter(|key| !key.is_empty());
    let bucket_key_enabled = rule.bucket_key_enabled;
    match default.sse_algorithm.as_str() {
        MANAGED if given.is_some() => {
            Err(invalid_argument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms"))
        }
        MANAGED => Ok(Wanted { bucket_key_enabled, kms_key_id: None, kms_key_given: None }),
        KMS => {
            let kms_key_id = Some(arn_of(given.as_deref().unwrap_or(DEFAULT_KEY), region)?);
            Ok(Wanted { bucket_key_enabled, kms_key_id, kms_key_given: given })
        }
        ServerSideEncryption::AWS_KMS_DSSE => Err(AwsError::not_implemented("the encryption aws:kms:dsse")),
        _ => Err(malformed_xml()),
    }
}

pub(crate) async fn get(
    store: &Store,
    call: &Call,
    input: GetBucketEncryptionInput,
) -> Reply<GetBucketEncryptionOutput> {
    store.allow(&call.ctx, "s3:GetEncryptionConfiguration", &input.bucket, None)?;
    let Some(Wanted { bucket_key_enabled, kms_key_id, kms_key_given }) = store.document(&input.bucket, ENCRYPT)? else {
        // A bucket without it encrypts only what asks for it, so nobody is told of a default.
        let message = "The server side encryption configuration was not found";
        let error = not_found("ServerSideEncryptionConfigurationNotFoundError", message);
        return Err(error.with_detail("BucketName", input.bucket.as_str()));
    };
    let algorithm = if kms_key_id.is_some() { KMS } else { MANAGED };
    let default = ServerSideEncryptionByDefault {
        kms_master_key_id: kms_key_given,
        sse_algorithm: ServerSideEncryption::from_static(algorithm),
    };
    let bucket_key_enabled = bucket_key_enabled.or(Some(false));
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
    match store.encrypts {
        true => store.put_document(&input.bucket, ENCRYPT, &Wanted::default()).await?,
        false => store.delete_document(&input.bucket, ENCRYPT).await?,
    }
    Ok(S3Response::with_status(DeleteBucketEncryptionOutput {}, StatusCode::NO_CONTENT))
}

/// Whether the client's key opens an object that only its headers are asked of.
pub(crate) fn check_key(store: &Store, call: &Call, info: &boathouse_objects::ObjectInfo) -> Result<()> {
    store.objects.check_client_key(info, client_key(call)?.as_ref()).map_err(from_engine)?;
    allow_read(store, &call.ctx, info.encryption.as_ref())
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
        assert!(checked(&[rule("AES256", None)], "us-east-1").is_ok());
        let kms = checked(&[rule("aws:kms", Some("k"))], "us-east-1").unwrap();
        assert_eq!(kms.kms_key_id.as_deref(), Some("arn:aws:kms:us-east-1:000000000000:key/k"));
        let code = |rules: &[ServerSideEncryptionRule]| checked(rules, "us-east-1").unwrap_err().code.into_owned();
        assert_eq!(code(&[rule("aws:kms:dsse", None)]), "NotImplemented");
        assert_eq!(code(&[rule("AES256", Some("key"))]), "InvalidArgument");
        assert_eq!(code(&[rule("ROT13", None)]), "MalformedXML");
        assert_eq!(code(&[]), "MalformedXML");
        assert_eq!(code(&[rule("AES256", None), rule("AES256", None)]), "MalformedXML");
    }

    #[test]
    fn keys_have_full_names() {
        let arn = |key| arn_of(key, "us-east-1").unwrap();
        assert_eq!(arn("alias/mine"), "arn:aws:kms:us-east-1:000000000000:alias/mine");
        assert_eq!(arn("arn:aws:kms:us-east-1:1:key/a-b"), "arn:aws:kms:us-east-1:1:key/a-b");
        assert!(arn_of("", "us-east-1").is_err() && arn_of("a\nb", "us-east-1").is_err());
    }
}
