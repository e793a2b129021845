//! Requests signed by botocore are accepted; the same requests changed in any way are refused with AWS's codes.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use boathouse_aws::Principal;
use boathouse_aws::access::{Credential, CredentialError, CredentialStore, Secret};
use boathouse_aws::sigv4::{Claim, Dialect, SignatureError, Verifier, sha256_hex};
use chrono::{DateTime, TimeDelta, Utc};
use http::Request;
use http::request::Parts;
use proptest::prelude::*;

struct TwoKeys;

impl CredentialStore for TwoKeys {
    fn find(&self, access_key_id: &str, session_token: Option<&str>) -> Result<Credential, CredentialError> {
        let secret = match (access_key_id, session_token) {
            ("AKIDEXAMPLE", None) => "secret/key+1",
            ("ASIATEMP", Some("token/+=")) => "temporary",
            ("ASIATEMP", _) => return Err(CredentialError::InvalidToken),
            _ => return Err(CredentialError::Unknown),
        };
        Ok(Credential { secret: Secret::new(secret), principal: Arc::new(Principal::root()) })
    }
}

/// The moment at which all the examples were signed.
fn signed_at() -> DateTime<Utc> {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri(uri).header("host", "127.0.0.1:4566");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn json_call() -> Parts {
    parts(
        "POST",
        "/",
        &[
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AWSGlue.GetTables"),
            ("x-amz-date", "20260102T030405Z"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/glue/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
                 Signature=90f33c957a1e66713bb9d4fdac9b64676497fca175c2daac7746df52d5ea6091",
            ),
        ],
    )
}

fn s3_call(uri: &str, token: &str) -> Parts {
    parts(
        "GET",
        uri,
        &[
            ("x-amz-date", "20260102T030405Z"),
            ("x-amz-security-token", token),
            ("x-amz-content-sha256", &sha256_hex(b"")),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=ASIATEMP/20260102/eu-west-1/s3/aws4_request, \
                 SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, \
                 Signature=6def816f228ca202bc5267e8fe8d044440e5da651b78f482e9e176e63d97eaad",
            ),
        ],
    )
}

const S3_URI: &str = "/raw/a%20b/~x%28y%29?list-type=2&prefix=a%2Fb%20c&acl";
const PRESIGNED: &str = "/raw/k%C3%A9y?versionId=1&X-Amz-Algorithm=AWS4-HMAC-SHA256\
    &X-Amz-Credential=ASIATEMP%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z\
    &X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=token%2F%2B%3D\
    &X-Amz-Signature=3bf819e71cc6b43c9c7cfd1880f862e2f6946f31f04b04bf0b0b06afb7fda89e";

fn verify(parts: &Parts, payload: &str, after: i64) -> Result<Arc<Principal>, SignatureError> {
    let claim = Claim::of(parts)?.expect("the request is signed");
    Verifier::new(Arc::new(TwoKeys)).verify(&claim, parts, payload, signed_at() + TimeDelta::seconds(after))
}

fn refusal(parts: &Parts, payload: &str, after: i64, dialect: Dialect) -> (String, u16) {
    let error = verify(parts, payload, after).unwrap_err().into_aws(dialect);
    (error.code.into_owned(), error.status.as_u16())
}

#[test]
fn a_json_call_signed_by_botocore_is_accepted_within_the_skew() {
    for after in [-899, 0, 899] {
        assert!(verify(&json_call(), &sha256_hex(b"{}"), after).unwrap().is_root());
    }
}

#[test]
fn an_s3_call_with_odd_names_and_a_session_token_is_accepted() {
    verify(&s3_call(S3_URI, "token/+="), &sha256_hex(b""), 0).unwrap();
}

#[test]
fn a_presigned_url_is_accepted_until_it_expires() {
    let url = parts("GET", PRESIGNED, &[]);
    verify(&url, "UNSIGNED-PAYLOAD", 60).unwrap();
    assert_eq!(refusal(&url, "UNSIGNED-PAYLOAD", 61, Dialect::S3), ("AccessDenied".into(), 403));
}

#[test]
fn another_body_path_or_method_is_refused() {
    let body = refusal(&json_call(), &sha256_hex(b"{\"a\":1}"), 0, Dialect::Json);
    assert_eq!(body, ("InvalidSignatureException".into(), 403));
    let path = refusal(&s3_call("/raw/other", "token/+="), &sha256_hex(b""), 0, Dialect::S3);
    assert_eq!(path, ("SignatureDoesNotMatch".into(), 403));
    let method = refusal(&parts("DELETE", PRESIGNED, &[]), "UNSIGNED-PAYLOAD", 0, Dialect::S3);
    assert_eq!(method, ("SignatureDoesNotMatch".into(), 403));
}

#[test]
fn clocks_that_are_off_are_refused() {
    for after in [-901, 901] {
        let code = |dialect| refusal(&json_call(), &sha256_hex(b"{}"), after, dialect).0;
        assert_eq!(code(Dialect::S3), "RequestTimeTooSkewed");
        assert_eq!(code(Dialect::Json), "InvalidSignatureException");
    }
}

#[test]
fn wrong_tokens_and_unknown_keys_are_refused() {
    let token = refusal(&s3_call(S3_URI, "other"), &sha256_hex(b""), 0, Dialect::S3);
    assert_eq!(token, ("InvalidToken".into(), 400));
    let stranger = PRESIGNED.replace("ASIATEMP", "AKIDSTRANGER");
    let code = |dialect| refusal(&parts("GET", &stranger, &[]), "UNSIGNED-PAYLOAD", 0, dialect).0;
    assert_eq!(code(Dialect::S3), "InvalidAccessKeyId");
    assert_eq!(code(Dialect::Json), "UnrecognizedClientException");
    assert_eq!(code(Dialect::Query), "InvalidClientTokenId");
}

#[test]
fn an_added_amz_header_is_refused_by_name() {
    let mut call = json_call();
    call.headers.insert("x-amz-acl", "public-read".parse().unwrap());
    let error = verify(&call, &sha256_hex(b"{}"), 0).unwrap_err();
    assert_eq!(error, SignatureError::UnsignedHeader("x-amz-acl".into()));
}

#[test]
fn unsigned_requests_make_no_claim() {
    assert!(Claim::of(&parts("GET", "/raw/key", &[])).unwrap().is_none());
    assert!(Claim::of(&parts("GET", "/raw/key", &[("authorization", "")])).unwrap().is_none());
}

#[test]
fn strange_schemes_and_two_signatures_are_refused() {
    for (uri, authorization) in [("/raw/key", "Bearer token"), (PRESIGNED, "AWS4-HMAC-SHA256 Credential=a")] {
        let error = Claim::of(&parts("GET", uri, &[("authorization", authorization)])).unwrap_err();
        assert!(matches!(error, SignatureError::Unusable(_)), "{error}");
        assert_eq!(error.into_aws(Dialect::S3).code, "InvalidArgument");
    }
}

#[test]
fn the_date_of_http_stands_in_for_that_of_aws() {
    let mut call = json_call();
    call.headers.remove("x-amz-date");
    call.headers.insert("date", "Fri, 02 Jan 2026 03:04:05 GMT".parse().unwrap());
    assert_eq!(Claim::of(&call).unwrap().unwrap().time, signed_at());
    call.headers.insert("date", "yesterday".parse().unwrap());
    assert!(matches!(Claim::of(&call), Err(SignatureError::Malformed(_))));
}

#[test]
fn other_schemes_and_too_long_lives_are_refused_by_name() {
    let asymmetric = PRESIGNED.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256");
    let error = Claim::of(&parts("GET", &asymmetric, &[])).unwrap_err();
    assert_eq!(error, SignatureError::UnsupportedAlgorithm("AWS4-ECDSA-P256-SHA256".into()));
    assert_eq!(error.into_aws(Dialect::S3).status.as_u16(), 501);
    for expires in ["604801", "-1", "soon"] {
        let url = PRESIGNED.replace("Expires=60", &format!("Expires={expires}"));
        let error = Claim::of(&parts("GET", &url, &[])).unwrap_err();
        assert!(error.to_string().contains("X-Amz-Expires"), "{error}");
    }
    let unsigned_host = PRESIGNED.replace("SignedHeaders=host", "SignedHeaders=date");
    assert!(matches!(Claim::of(&parts("GET", &unsigned_host, &[])), Err(SignatureError::MalformedQuery(_))));
}

proptest! {
    #[test]
    fn no_authorization_panics(text in "(AWS4-HMAC-SHA256 )?[ -~]{0,120}", date in "[0-9TZ]{0,20}") {
        let call = parts("GET", "/", &[("authorization", &text), ("x-amz-date", &date)]);
        if let Ok(Some(claim)) = Claim::of(&call) {
            let verifier = Verifier::new(Arc::new(TwoKeys));
            prop_assert!(verifier.verify(&claim, &call, "", signed_at()).is_err());
        }
    }

    #[test]
    fn one_changed_byte_of_the_signature_is_refused(index in 0_usize..32, flip in 1_u8..) {
        let call = json_call();
        let mut claim = Claim::of(&call).unwrap().unwrap();
        claim.signature[index] ^= flip;
        let verifier = Verifier::new(Arc::new(TwoKeys));
        let outcome = verifier.verify(&claim, &call, &sha256_hex(b"{}"), signed_at());
        prop_assert_eq!(outcome.unwrap_err(), SignatureError::Mismatch);
    }
}
