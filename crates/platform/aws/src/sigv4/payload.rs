//! What `x-amz-content-sha256` says of a body, and the key to check a body that is signed piece by piece.

use http::request::Parts;
use ring::{digest, hmac};

use super::{Claim, SignatureError, sha256_hex, stamp};

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const CHUNKED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const CHUNKED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

/// How a body is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// By the SHA-256 of the whole body.
    Sha256([u8; 32]),
    /// Not at all.
    Unsigned,
    /// It arrives as `aws-chunked`.
    Chunked {
        /// Whether each chunk carries a signature.
        signed: bool,
        /// Whether headers follow the last chunk.
        trailer: bool,
    },
}

impl Payload {
    /// The declaration of a request to S3 and the word that its signature covers. A presigned URL need not declare anything.
    ///
    /// # Errors
    /// [`SignatureError::Payload`] for a word that S3 does not know; [`SignatureError::MissingPayload`] for none in a
    /// request signed by header; [`SignatureError::UnsupportedAlgorithm`] for bodies signed with SigV4A.
    pub fn of(parts: &Parts, presigned: bool) -> Result<(Self, String), SignatureError> {
        let declared = parts.headers.get("x-amz-content-sha256").map(|value| value.to_str().unwrap_or_default());
        let word = match declared {
            Some(word) => word,
            None if presigned => UNSIGNED,
            None => return Err(SignatureError::MissingPayload),
        };
        Ok((Self::parse(word)?, word.to_owned()))
    }

    fn parse(word: &str) -> Result<Self, SignatureError> {
        let mut hash = [0; 32];
        match word {
            UNSIGNED => Ok(Self::Unsigned),
            CHUNKED => Ok(Self::Chunked { signed: true, trailer: false }),
            CHUNKED_TRAILER => Ok(Self::Chunked { signed: true, trailer: true }),
            UNSIGNED_TRAILER => Ok(Self::Chunked { signed: false, trailer: true }),
            _ if word.starts_with("STREAMING-AWS4-ECDSA") => Err(SignatureError::UnsupportedAlgorithm(word.into())),
            _ if hex::decode_to_slice(word, &mut hash).is_ok() => Ok(Self::Sha256(hash)),
            _ => Err(SignatureError::Payload(
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                 STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            )),
        }
    }
}

/// Checks the chain of signatures of an `aws-chunked` body: each covers its chunk and the signature before it.
#[derive(Debug, Clone)]
pub struct ChunkSigner {
    key: hmac::Key,
    time: String,
    scope: String,
    previous: String,
}

impl ChunkSigner {
    /// The chain that begins with the request's own signature.
    pub(crate) fn new(key: hmac::Key, claim: &Claim) -> Self {
        Self { key, time: stamp(claim.time), scope: claim.scope.to_string(), previous: hex::encode(&claim.signature) }
    }

    /// Whether `signature` (hex) is that of the chunk with this hash; the next chunk is chained to it.
    pub(super) fn chunk(&mut self, hash: &digest::Digest, signature: &str) -> bool {
        let covered = format!("{}\n{}", sha256_hex(b""), hex::encode(hash));
        self.verify("AWS4-HMAC-SHA256-PAYLOAD", &covered, signature)
    }

    /// Whether `signature` (hex) is that of the trailer, one `name:value` a line.
    pub(super) fn trailer(&mut self, canonical: &str, signature: &str) -> bool {
        self.verify("AWS4-HMAC-SHA256-TRAILER", &sha256_hex(canonical.as_bytes()), signature)
    }

    fn verify(&mut self, algorithm: &str, covered: &str, signature: &str) -> bool {
        let text = format!("{algorithm}\n{}\n{}\n{}\n{covered}", self.time, self.scope, self.previous);
        let Ok(claimed) = hex::decode(signature) else { return false };
        let right = hmac::verify(&self.key, text.as_bytes(), &claimed).is_ok();
        self.previous = signature.to_owned();
        right
    }

    /// The signature that the next chunk should have, for tests that play the client.
    #[cfg(test)]
    pub(super) fn sign(&mut self, algorithm: &str, covered: &str) -> String {
        let text = format!("{algorithm}\n{}\n{}\n{}\n{covered}", self.time, self.scope, self.previous);
        self.previous = hex::encode(hmac::sign(&self.key, text.as_bytes()));
        self.previous.clone()
    }

    #[cfg(test)]
    pub(super) fn test() -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, b"key"),
            time: "20130524T000000Z".into(),
            scope: "20130524/us-east-1/s3/aws4_request".into(),
            previous: "ab".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn declared(word: Option<&str>, presigned: bool) -> Result<Payload, SignatureError> {
        let mut request = Request::builder();
        if let Some(word) = word {
            request = request.header("x-amz-content-sha256", word);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Payload::of(&parts, presigned).map(|(payload, _)| payload)
    }

    #[test]
    fn declarations() {
        assert_eq!(declared(None, true), Ok(Payload::Unsigned));
        assert_eq!(declared(None, false), Err(SignatureError::MissingPayload));
        assert_eq!(declared(Some(UNSIGNED_TRAILER), false), Ok(Payload::Chunked { signed: false, trailer: true }));
        assert!(matches!(declared(Some(&sha256_hex(b"x")), false), Ok(Payload::Sha256(_))));
        assert!(matches!(declared(Some("abc"), false), Err(SignatureError::Payload(_))));
        let asymmetric = declared(Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), false);
        assert!(matches!(asymmetric, Err(SignatureError::UnsupportedAlgorithm(_))));
    }
}
