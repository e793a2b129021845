//! Signature Version 2 in the query of a URL: what clients of S3 presign with by default where the region has it
//! ("Signing and authenticating REST requests", query string request authentication alternative).
//!
//! boto3 presigns so in `us-east-1` unless it is told otherwise. Requests signed so in their headers are refused by name.
//! A URL lives until the moment in `Expires`; this scheme has no longest life.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use http::request::Parts;
use percent_encoding::percent_decode_str;
use ring::hmac;

use crate::access::CredentialStore;
use crate::principal::Principal;
use crate::sigv4::{SignatureError, TWICE};

/// Members of the query that the signature covers: all that name what a request is about, and replaced headers.
const COVERED: [&str; 39] = [
    "accelerate",
    "acl",
    "analytics",
    "attributes",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// What a presigned URL says of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryClaim {
    /// Whose key signed.
    pub access_key_id: String,
    /// The signature's bytes.
    pub signature: Vec<u8>,
    /// The token of a temporary key.
    pub session_token: Option<String>,
    /// The last second that the URL is good for, since the Unix epoch.
    pub expires: i64,
}

impl QueryClaim {
    /// The claim of a URL; `None` if it is not presigned in this way.
    ///
    /// # Errors
    /// [`SignatureError::IncompleteQuery`], [`SignatureError::MalformedQuery`].
    pub fn of(parts: &Parts) -> Result<Option<Self>, SignatureError> {
        let query = parts.uri.query().unwrap_or_default();
        let Some(access_key_id) = member(query, "AWSAccessKeyId") else { return Ok(None) };
        if parts.headers.contains_key(http::header::AUTHORIZATION) {
            return Err(SignatureError::Unusable(TWICE));
        }
        let signature = member(query, "Signature").ok_or(SignatureError::IncompleteQuery)?;
        let expires = member(query, "Expires").ok_or(SignatureError::IncompleteQuery)?;
        Ok(Some(Self {
            access_key_id,
            signature: STANDARD.decode(signature).map_err(|_| malformed("the Signature is not Base64"))?,
            session_token: member(query, "x-amz-security-token"),
            expires: expires.parse().map_err(|_| malformed("Expires must be a number of seconds since 1970"))?,
        }))
    }

    /// The principal behind the claim, if its signature is right at the time `now`. `path` is the encoded path with the
    /// bucket in front, even where the client named that in the host.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn verify(
        &self,
        parts: &Parts,
        path: &str,
        credentials: &dyn CredentialStore,
        now: DateTime<Utc>,
    ) -> Result<Arc<Principal>, SignatureError> {
        if now.timestamp_millis() > self.expires.saturating_mul(1000) {
            return Err(SignatureError::Expired);
        }
        let credential = credentials.find(&self.access_key_id, self.session_token.as_deref())?;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, credential.secret.expose().as_bytes());
        let signs = |path: &str| {
            hmac::verify(&key, self.string_to_sign(parts, path).as_bytes(), &self.signature)
                .map_err(|_| SignatureError::Mismatch)
        };
        // A bucket may be called with a slash behind its name or without; some clients sign the one and call the other.
        match path.strip_prefix('/') {
            Some(bucket) if !bucket.is_empty() && !bucket.contains('/') => {
                signs(path).or_else(|_| signs(&format!("{path}/")))?;
            }
            _ => signs(path)?,
        }
        credentials.used(&self.access_key_id, "s3", "us-east-1");
        Ok(credential.principal)
    }

    fn string_to_sign(&self, parts: &Parts, path: &str) -> String {
        let query = parts.uri.query().unwrap_or_default();
        // What a client could not put into headers when it made the URL stands in the query.
        let standard = |name: &str| {
            let sent = parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_owned());
            sent.or_else(|| member(query, name)).unwrap_or_default()
        };
        let mut text = parts.method.to_string();
        for line in [standard("content-md5"), standard("content-type"), self.expires.to_string()] {
            text.extend(["\n", &line]);
        }
        text.push('\n');
        for (name, values) in amz_members(parts, query) {
            text.extend([&name, ":", &values.join(","), "\n"]);
        }
        text.extend([path, &resource_query(query)]);
        text
    }
}

/// The `x-amz-` headers and members of the query, by name. Whatever was added to the request is among them. A header stands
/// for the member of its name: it is what counts afterwards, too.
fn amz_members(parts: &Parts, query: &str) -> BTreeMap<String, Vec<String>> {
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).trim().to_owned()));
    let in_query = pairs(query).map(|(name, value)| (name.to_ascii_lowercase(), decoded(value.unwrap_or_default())));
    let in_query = in_query.filter(|(name, _)| !parts.headers.contains_key(name));
    for (name, value) in headers.chain(in_query).filter(|(name, _)| name.starts_with("x-amz-")) {
        members.entry(name).or_default().push(value);
    }
    members
}

fn resource_query(query: &str) -> String {
    let mut covered: Vec<_> = pairs(query).filter(|(name, _)| COVERED.contains(name)).collect();
    covered.sort_by_key(|(name, _)| *name);
    let mut text = String::new();
    for (name, value) in covered {
        text.extend([if text.is_empty() { "?" } else { "&" }, name]);
        if let Some(value) = value {
            text.extend(["=", &decoded(value)]);
        }
    }
    text
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').map_or((pair, None), |(name, value)| (name, Some(value))))
}

fn member(query: &str, name: &str) -> Option<String> {
    pairs(query).find(|(it, _)| *it == name).map(|(_, value)| decoded(value.unwrap_or_default()))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn malformed(message: &str) -> SignatureError {
    SignatureError::MalformedQuery(message.to_owned())
}
