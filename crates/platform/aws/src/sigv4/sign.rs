//! The other side of the verifier: signs requests that this program itself sends.

use chrono::{DateTime, Utc};
use http::HeaderValue;
use http::header::{AUTHORIZATION, HeaderName};
use http::request::Parts;
use ring::hmac;

use super::{Claim, Scope, canonical, derive_key, sha256_hex, stamp, string_to_sign};
use crate::access::Secret;

/// Signs with one access key for one region and service.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The access key's id.
    pub access_key_id: String,
    /// Its secret.
    pub secret: Secret,
    /// Such as `us-east-1`.
    pub region: String,
    /// Such as `glue`.
    pub service: String,
}

impl Signer {
    /// Adds date, payload hash and `Authorization` to a request that has its `host` header. All its headers are signed.
    pub fn sign(&self, parts: &mut Parts, body: &[u8], now: DateTime<Utc>) {
        let payload = sha256_hex(body);
        set(parts, HeaderName::from_static("x-amz-date"), &stamp(now));
        set(parts, HeaderName::from_static("x-amz-content-sha256"), &payload);
        let mut signed_headers: Vec<String> = parts.headers.keys().map(|name| name.as_str().to_owned()).collect();
        signed_headers.sort();
        let scope = Scope {
            date: now.format("%Y%m%d").to_string(),
            region: self.region.clone(),
            service: self.service.clone(),
        };
        let claim = Claim {
            access_key_id: self.access_key_id.clone(),
            signed_headers,
            signature: Vec::new(),
            session_token: None,
            time: now,
            expires: None,
            scope,
        };
        let request = canonical::request(parts, &self.service, &claim.signed_headers, &payload)
            .expect("invariant: the signed headers are the request's own");
        let key = derive_key(&claim.scope, &self.secret);
        let signature = hmac::sign(&key, string_to_sign(&claim, &request).as_bytes());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
            claim.access_key_id,
            claim.scope,
            claim.signed_headers.join(";"),
            hex::encode(signature),
        );
        set(parts, AUTHORIZATION, &authorization);
    }
}

fn set(parts: &mut Parts, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("invariant: dates, hashes and scopes are visible ASCII");
    parts.headers.insert(name, value);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::{Credential, CredentialError, CredentialStore};
    use crate::principal::Principal;
    use crate::sigv4::{SignatureError, Verifier};

    struct OneKey;

    impl CredentialStore for OneKey {
        fn find(&self, access_key_id: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
            assert_eq!(access_key_id, "AKIA");
            Ok(Credential { secret: Secret::new("secret"), principal: Arc::new(Principal::root()) })
        }
    }

    #[test]
    fn the_verifier_agrees_and_notices_changes() {
        let signer = Signer {
            access_key_id: "AKIA".into(),
            secret: Secret::new("secret"),
            region: "us-east-1".into(),
            service: "s3".into(),
        };
        let request = http::Request::put("/b/a%20key?x=1").header("host", "localhost").body(()).unwrap();
        let (mut parts, ()) = request.into_parts();
        let now = Utc::now();
        signer.sign(&mut parts, b"body", now);
        let verify = |parts: &Parts| {
            let claim = Claim::of(parts).unwrap().unwrap();
            Verifier::new(Arc::new(OneKey)).verify(&claim, parts, &sha256_hex(b"body"), now).map(drop)
        };
        verify(&parts).unwrap();
        parts.uri = "/b/other".parse().unwrap();
        assert!(matches!(verify(&parts), Err(SignatureError::Mismatch)));
    }
}
