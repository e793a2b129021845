//! What can be wrong with a signature, in the words of the service that was called.

use http::StatusCode;

use crate::access::CredentialError;
use crate::error::AwsError;

/// Whose names an error takes: services word the same failure differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// S3 ("List of error codes").
    S3,
    /// The JSON services ("Common Errors" of Athena, Glue …).
    Json,
    /// The query services ("Common Errors" of IAM, STS).
    Query,
}

/// Why a signed request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The signature's parts are missing or can't be read.
    #[error("{0}")]
    Malformed(String),
    /// The same of a presigned URL.
    #[error("{0}")]
    MalformedQuery(String),
    /// Signed twice, or in a way that is none of AWS's.
    #[error("{0}")]
    Unusable(&'static str),
    /// A form whose fields of the signature are missing or can't be read.
    #[error("{0}")]
    Form(String),
    /// A URL presigned with Signature Version 2 that lacks one of its three members.
    #[error("Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")]
    IncompleteQuery,
    /// What the request says of its body can't be true.
    #[error("{0}")]
    Payload(&'static str),
    /// A request to S3 that does not say how its body is protected.
    #[error("Missing required header for this request: x-amz-content-sha256")]
    MissingPayload,
    /// Signed for another region than this one.
    #[error("The authorization header is malformed; the region '{actual}' is wrong; expecting '{expected}'")]
    Region {
        /// The region in the credential scope.
        actual: String,
        /// The region of this installation.
        expected: String,
    },
    /// A scheme other than Signature Version 4.
    #[error("Boathouse does not implement the signing algorithm {0}")]
    UnsupportedAlgorithm(String),
    /// The access key or its session token is not valid.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The request was signed too long ago, or in the future.
    #[error("The difference between the request time and the server's time is too large.")]
    Skewed,
    /// The presigned URL has expired.
    #[error("Request has expired")]
    Expired,
    /// An `x-amz-` header that the signature does not cover.
    #[error("There were headers present in the request which were not signed")]
    UnsignedHeader(String),
    /// The signature does not belong to this request and key.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method."
    )]
    Mismatch,
}

impl SignatureError {
    /// The error as the called service would word it.
    pub fn into_aws(self, dialect: Dialect) -> AwsError {
        let (code, status) = self.code(dialect);
        let error = AwsError::new(code, status, self.to_string());
        match self {
            Self::Region { expected, .. } => error.with_detail("Region", expected),
            Self::UnsignedHeader(name) if dialect == Dialect::S3 => error.with_detail("HeadersNotSigned", name),
            _ => error,
        }
    }

    fn code(&self, dialect: Dialect) -> (&'static str, StatusCode) {
        use Dialect::{Json, Query, S3};
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
        match (self, dialect) {
            (Self::Malformed(_) | Self::Region { .. }, S3) => ("AuthorizationHeaderMalformed", BAD),
            (Self::MalformedQuery(_), S3) => ("AuthorizationQueryParametersError", BAD),
            (Self::MissingPayload, S3) => ("InvalidRequest", BAD),
            (Self::Payload(_) | Self::Form(_) | Self::Unusable(_), S3) => ("InvalidArgument", BAD),
            (Self::Malformed(_) | Self::MalformedQuery(_) | Self::Unusable(_), Json) => {
                ("IncompleteSignatureException", BAD)
            }
            (Self::Malformed(_) | Self::MalformedQuery(_) | Self::Unusable(_), Query) => ("IncompleteSignature", BAD),
            (Self::UnsupportedAlgorithm(_), _) => ("NotImplemented", StatusCode::NOT_IMPLEMENTED),
            (Self::Credential(CredentialError::Unknown), S3) => ("InvalidAccessKeyId", FORBIDDEN),
            (Self::Credential(CredentialError::InvalidToken), S3) => ("InvalidToken", BAD),
            (Self::Credential(CredentialError::Expired), S3) => ("ExpiredToken", BAD),
            (Self::Credential(CredentialError::Expired), Json) => ("ExpiredTokenException", FORBIDDEN),
            (Self::Credential(CredentialError::Expired), Query) => ("ExpiredToken", FORBIDDEN),
            (Self::Credential(_), Json) => ("UnrecognizedClientException", FORBIDDEN),
            (Self::Credential(_), Query) => ("InvalidClientTokenId", FORBIDDEN),
            (Self::Skewed, S3) => ("RequestTimeTooSkewed", FORBIDDEN),
            (Self::Expired | Self::UnsignedHeader(_) | Self::IncompleteQuery, S3) => ("AccessDenied", FORBIDDEN),
            (Self::Mismatch, S3) | (_, Query) => ("SignatureDoesNotMatch", FORBIDDEN),
            (_, Json) => ("InvalidSignatureException", FORBIDDEN),
        }
    }
}
