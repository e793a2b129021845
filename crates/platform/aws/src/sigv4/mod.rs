//! Signature Version 4: who signed this request, and is the signature right?
//!
//! Follows "AWS Signature Version 4 for API requests" in the IAM user guide: in the `Authorization` header and in the
//! query of a presigned URL. SigV4A is refused by name, and so is SigV2 but for S3's presigned URLs (see [`crate::sigv2`]). The caller passes the payload's hash, or the word that
//! the client signed in its place, such as `UNSIGNED-PAYLOAD`; [`Payload`] and [`chunked`] check S3's streamed bodies.

mod canonical;
pub mod chunked;
mod claim;
mod error;
mod form;
mod payload;
mod sign;

use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use http::request::Parts;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use ring::{digest, hmac};

pub(crate) use claim::TWICE;
pub use claim::{Claim, Scope};
pub use error::{Dialect, SignatureError};
pub use form::FormClaim;
pub use payload::{ChunkSigner, Payload};
pub use sign::Signer;

use crate::access::{CredentialStore, Secret};
use crate::principal::Principal;

/// How far a client's clock may be off.
const MAX_SKEW: TimeDelta = TimeDelta::minutes(15);
/// Derived signing keys kept: one for each access key, day, region and service in use.
const CACHED_KEYS: usize = 1024;

/// Checks claims against the credentials, with derived signing keys cached.
pub struct Verifier {
    credentials: Arc<dyn CredentialStore>,
    keys: Cache<(String, Scope), (Secret, hmac::Key)>,
}

impl Verifier {
    /// A verifier over these credentials.
    pub fn new(credentials: Arc<dyn CredentialStore>) -> Self {
        Self { credentials, keys: Cache::new(CACHED_KEYS) }
    }

    /// Whose keys are believed.
    pub fn credentials(&self) -> &dyn CredentialStore {
        &*self.credentials
    }

    /// The principal behind `claim`, if its signature of `parts` and `payload` (lower-case hex of the body's SHA-256, or
    /// the word signed in its place) is right at the time `now`.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify(
        &self,
        claim: &Claim,
        parts: &Parts,
        payload: &str,
        now: DateTime<Utc>,
    ) -> Result<Arc<Principal>, SignatureError> {
        self.verify_with_key(claim, parts, payload, now).map(|(principal, _)| principal)
    }

    /// As [`Verifier::verify`], with the key that the claim was signed with.
    pub(crate) fn verify_with_key(
        &self,
        claim: &Claim,
        parts: &Parts,
        payload: &str,
        now: DateTime<Utc>,
    ) -> Result<(Arc<Principal>, hmac::Key), SignatureError> {
        claim.check_time(now)?;
        claim.check_signed_headers(parts)?;
        let credential = self.credentials.find(&claim.access_key_id, claim.session_token.as_deref())?;
        // A header that was signed and did not come: nothing that came can have that signature.
        let request = canonical::request(parts, &claim.scope.service, &claim.signed_headers, payload)
            .ok_or(SignatureError::Mismatch)?;
        let key = self.signing_key(&claim.access_key_id, &claim.scope, &credential.secret);
        hmac::verify(&key, string_to_sign(claim, &request).as_bytes(), &claim.signature)
            .map_err(|_| SignatureError::Mismatch)?;
        self.credentials.used(&claim.access_key_id, &claim.scope.service, &claim.scope.region);
        Ok((credential.principal, key))
    }

    fn signing_key(&self, access_key_id: &str, scope: &Scope, secret: &Secret) -> hmac::Key {
        if let Some((cached_for, key)) = self.keys.get(&KeyName(access_key_id, scope))
            && cached_for == *secret
        {
            return key;
        }
        let key = derive_key(scope, secret);
        self.keys.insert((access_key_id.to_owned(), scope.clone()), (secret.clone(), key.clone()));
        key
    }
}

/// Names a cached key without owning its name.
#[derive(Hash)]
struct KeyName<'a>(&'a str, &'a Scope);

impl Equivalent<(String, Scope)> for KeyName<'_> {
    fn equivalent(&self, (access_key_id, scope): &(String, Scope)) -> bool {
        self.0 == access_key_id && self.1 == scope
    }
}

fn derive_key(scope: &Scope, secret: &Secret) -> hmac::Key {
    let first = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{}", secret.expose()).as_bytes());
    [scope.date.as_str(), &scope.region, &scope.service, "aws4_request"]
        .iter()
        .fold(first, |key, part| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref()))
}

fn string_to_sign(claim: &Claim, canonical_request: &str) -> String {
    format!("AWS4-HMAC-SHA256\n{}\n{}\n{}", stamp(claim.time), claim.scope, sha256_hex(canonical_request.as_bytes()),)
}

/// A time as `X-Amz-Date` writes it.
fn stamp(time: DateTime<Utc>) -> String {
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// The lower-case hex of the SHA-256 of `bytes`, as payload hashes are written.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest::digest(&digest::SHA256, bytes))
}
