//! Forms that upload to S3: what is signed is the form's policy, with Signature Version 4 or 2 ("Authenticating Requests
//! in Browser-Based Uploads Using POST").
//!
//! How long such a signature lives is the policy's business: it says when it expires.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use super::claim::split_credential;
use super::{Scope, SignatureError, derive_key};
use crate::access::CredentialStore;
use crate::principal::Principal;

/// What a form says of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormClaim {
    /// Whose key signed.
    pub access_key_id: String,
    /// The token of a temporary key.
    pub session_token: Option<String>,
    signature: Vec<u8>,
    /// The scope of the signing key; none in Signature Version 2.
    scope: Option<Scope>,
}

impl FormClaim {
    /// The claim of a form whose fields (by lower-case name) `field` answers; `None` if it is not signed.
    ///
    /// # Errors
    /// [`SignatureError::Form`] for what is missing or can't be read, [`SignatureError::UnsupportedAlgorithm`].
    pub fn of<'a>(field: impl Fn(&str) -> Option<&'a str>, region: &str) -> Result<Option<Self>, SignatureError> {
        let required = |name: &str| field(&name.to_ascii_lowercase()).ok_or_else(|| missing(name));
        let session_token = field("x-amz-security-token").map(str::to_owned);
        if let Some(algorithm) = field("x-amz-algorithm") {
            if algorithm != "AWS4-HMAC-SHA256" {
                return Err(SignatureError::UnsupportedAlgorithm(algorithm.chars().take(40).collect()));
            }
            let (access_key_id, scope) = split_credential(required("X-Amz-Credential")?)?;
            check_scope(&scope, required("X-Amz-Date")?, region)?;
            let signature = hex::decode(required("X-Amz-Signature")?).map_err(|_| unreadable("X-Amz-Signature"))?;
            return Ok(Some(Self { access_key_id, session_token, signature, scope: Some(scope) }));
        }
        let named = ["awsaccesskeyid", "signature", "policy"].iter().any(|name| field(name).is_some());
        if !named {
            return Ok(None);
        }
        let access_key_id = required("AWSAccessKeyId")?.to_owned();
        let signature = STANDARD.decode(required("Signature")?).map_err(|_| unreadable("Signature"))?;
        Ok(Some(Self { access_key_id, session_token, signature, scope: None }))
    }

    /// The principal behind the claim, if its signature of the policy (as it was sent, in Base64) is right.
    ///
    /// # Errors
    /// [`SignatureError::Credential`], [`SignatureError::Mismatch`].
    pub fn verify(&self, policy: &str, credentials: &dyn CredentialStore) -> Result<Arc<Principal>, SignatureError> {
        let credential = credentials.find(&self.access_key_id, self.session_token.as_deref())?;
        let key = match &self.scope {
            Some(scope) => derive_key(scope, &credential.secret),
            None => hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, credential.secret.expose().as_bytes()),
        };
        hmac::verify(&key, policy.as_bytes(), &self.signature).map_err(|_| SignatureError::Mismatch)?;
        Ok(credential.principal)
    }
}

fn check_scope(scope: &Scope, date: &str, region: &str) -> Result<(), SignatureError> {
    if scope.service != "s3" || scope.region != region {
        return Err(SignatureError::Form(format!(
            "The credential of the form must be for the service 's3' in the region '{region}', not for {scope}"
        )));
    }
    match date.starts_with(&scope.date) {
        true => Ok(()),
        false => Err(SignatureError::Form("The credential's date is not that of X-Amz-Date".into())),
    }
}

fn missing(name: &str) -> SignatureError {
    SignatureError::Form(format!(
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    ))
}

fn unreadable(name: &str) -> SignatureError {
    SignatureError::Form(format!("The field {name} can't be read"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::access::{Credential, CredentialError, Secret};

    struct OneKey;

    impl CredentialStore for OneKey {
        fn find(&self, access_key_id: &str, _: Option<&str>) -> Result<Credential, CredentialError> {
            match access_key_id {
                "AKIA" => Ok(Credential { secret: Secret::new("secret"), principal: Arc::new(Principal::root()) }),
                _ => Err(CredentialError::Unknown),
            }
        }
    }

    fn outcome(fields: &[(&str, &str)], policy: &str) -> Result<Option<Arc<Principal>>, SignatureError> {
        let fields: BTreeMap<&str, &str> = fields.iter().copied().collect();
        let claim = FormClaim::of(|name| fields.get(name).copied(), "us-east-1")?;
        claim.map(|claim| claim.verify(policy, &OneKey)).transpose()
    }

    #[test]
    fn both_schemes_sign_the_policy() {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"secret");
        let signature = STANDARD.encode(hmac::sign(&key, b"policy"));
        let old = [("awsaccesskeyid", "AKIA"), ("signature", signature.as_str()), ("policy", "policy")];
        assert!(outcome(&old, "policy").unwrap().is_some());
        assert_eq!(outcome(&old, "other").unwrap_err(), SignatureError::Mismatch);
        let scope = Scope { date: "20260301".into(), region: "us-east-1".into(), service: "s3".into() };
        let signature = hex::encode(hmac::sign(&derive_key(&scope, &Secret::new("secret")), b"policy"));
        let mut new = [
            ("x-amz-algorithm", "AWS4-HMAC-SHA256"),
            ("x-amz-credential", "AKIA/20260301/us-east-1/s3/aws4_request"),
            ("x-amz-date", "20260301T000000Z"),
            ("x-amz-signature", signature.as_str()),
        ];
        assert!(outcome(&new, "policy").unwrap().is_some());
        assert_eq!(outcome(&new, "other").unwrap_err(), SignatureError::Mismatch);
        new[1].1 = "AKIA/20260301/us-east-1/glue/aws4_request";
        assert!(matches!(outcome(&new, "policy"), Err(SignatureError::Form(_))));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(outcome(&[("key", "a")], "").unwrap(), None);
        let error = outcome(&[("policy", "p"), ("awsaccesskeyid", "AKIA")], "p").unwrap_err();
        assert!(matches!(error, SignatureError::Form(text) if text.contains("'Signature'")));
        let unknown = [("awsaccesskeyid", "AKIB"), ("signature", "AAAA"), ("policy", "p")];
        assert_eq!(outcome(&unknown, "p").unwrap_err(), SignatureError::Credential(CredentialError::Unknown));
    }
}
