//! URLs that botocore presigned with Signature Version 2 are accepted; the same URLs changed in any way are not.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use boathouse_aws::Principal;
use boathouse_aws::access::{Credential, CredentialError, CredentialStore, Secret};
use boathouse_aws::sigv2::QueryClaim;
use boathouse_aws::sigv4::{Dialect, SignatureError};
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

const GET: &str = "/raw/a%20b/~%C3%A9%2B%281%29%25?response-content-disposition=attachment%3B%20filename%3D%22x%20y%22\
    &AWSAccessKeyId=AKIDEXAMPLE&Signature=RHVhvOMBgRdosrhgGCtyuyjZgZE%3D&Expires=1767323045";
const PUT: &str = "/raw/k?AWSAccessKeyId=AKIDEXAMPLE&Signature=ewe6U%2FOoDk%2B0ZaH8CsJ%2FGcJUxVk%3D\
    &content-type=text%2Fplain&x-amz-meta-b=2&x-amz-meta-a=1&Expires=1767323045";
/// About a bucket: botocore signs `/raw/`.
const LIST: &str =
    "/raw?AWSAccessKeyId=AKIDEXAMPLE&Signature=NPmWmftC%2FReXDMtdi8aaYkeNG0c%3D&Expires=1767323045&prefix=a";
/// To a bucket in the host's name, by a temporary key.
const PART: &str = "/k?uploadId=a%2Bb&partNumber=7&AWSAccessKeyId=ASIATEMP\
    &Signature=VHu19QqrAjR7uYidve45nP0dKuE%3D&x-amz-security-token=token%2F%2B%3D&Expires=1767323045";

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let request = Request::builder().method(method).uri(uri).header("host", "127.0.0.1:4566");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

fn expiry() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_323_045, 0).unwrap()
}

fn verify_at(parts: &Parts, bucket: &str, now: DateTime<Utc>) -> Result<Arc<Principal>, SignatureError> {
    let claim = QueryClaim::of(parts)?.expect("the URL is presigned");
    claim.verify(parts, &format!("{bucket}{}", parts.uri.path()), &TwoKeys, now)
}

fn verify(parts: &Parts) -> Result<Arc<Principal>, SignatureError> {
    verify_at(parts, "", expiry())
}

#[test]
fn urls_of_botocore_are_accepted() {
    assert!(verify(&parts("GET", GET, &[])).unwrap().is_root());
    verify(&parts("PUT", PUT, &[])).unwrap();
    verify(&parts("PUT", PUT, &[("content-type", "text/plain")])).unwrap();
    verify(&parts("PUT", PUT, &[("x-amz-meta-a", "1")])).unwrap();
    verify_at(&parts("PUT", PART, &[]), "/raw", expiry()).unwrap();
}

#[test]
fn a_bucket_is_the_same_with_a_slash_behind_it() {
    verify(&parts("GET", LIST, &[])).unwrap();
    verify(&parts("GET", &LIST.replace("/raw?", "/raw/?"), &[])).unwrap();
    for other in ["/ra?", "/raw//?", "/raw/a?", "/?"] {
        let other = parts("GET", &LIST.replace("/raw?", other), &[]);
        assert_eq!(verify(&other).unwrap_err(), SignatureError::Mismatch);
    }
}

#[test]
fn they_end_when_they_say_so() {
    let late = verify_at(&parts("GET", GET, &[]), "", expiry() + TimeDelta::seconds(1)).unwrap_err();
    assert_eq!(late, SignatureError::Expired);
    let late = late.into_aws(Dialect::S3);
    assert_eq!((late.code.as_ref(), late.status.as_u16()), ("AccessDenied", 403));
}

#[test]
fn whatever_is_changed_or_added_is_noticed() {
    let changed = [
        parts("DELETE", GET, &[]),
        parts("GET", &GET.replace("/raw/", "/other/"), &[]),
        parts("GET", &GET.replace("1767323045", "1767323046"), &[]),
        parts("GET", &GET.replace("filename", "path"), &[]),
        parts("GET", &GET.replace('?', "?acl&"), &[]),
        parts("GET", &GET.replace('?', "?publicAccessBlock&"), &[]),
        parts("PUT", PUT, &[("content-type", "text/html")]),
        parts("PUT", PUT, &[("x-amz-acl", "public-read")]),
        parts("PUT", PUT, &[("x-amz-meta-a", "2")]),
        parts("PUT", &format!("{PUT}&x-amz-meta-c=3"), &[]),
        parts("PUT", &format!("{PUT}&X-Amz-Meta-C=3"), &[]),
    ];
    for (at, parts) in changed.iter().enumerate() {
        assert_eq!(verify(parts).unwrap_err(), SignatureError::Mismatch, "{at}");
    }
}

#[test]
fn keys_and_tokens_must_be_right_and_members_complete() {
    let stranger = verify(&parts("GET", &GET.replace("AKIDEXAMPLE", "AKIDSTRANGER"), &[])).unwrap_err();
    assert_eq!(stranger.into_aws(Dialect::S3).code, "InvalidAccessKeyId");
    let token = verify(&parts("PUT", &PART.replace("token%2F", "other"), &[])).unwrap_err();
    assert_eq!(token.into_aws(Dialect::S3).code, "InvalidToken");
    for missing in ["Signature=", "Expires="] {
        let error = QueryClaim::of(&parts("GET", &GET.replace(missing, "x="), &[])).unwrap_err();
        let error = error.into_aws(Dialect::S3);
        assert!(error.code == "AccessDenied" && error.message.contains("Signature, Expires"), "{error}");
    }
    assert!(QueryClaim::of(&parts("GET", &GET.replace("17673", "soon"), &[])).is_err());
    assert!(QueryClaim::of(&parts("GET", GET, &[("authorization", "AWS a:b")])).is_err());
    assert_eq!(QueryClaim::of(&parts("GET", "/raw/k", &[])), Ok(None));
}

proptest! {
    #[test]
    fn no_url_panics(query in "[A-Za-z0-9=&%+-]{0,120}") {
        let url = parts("GET", &format!("/raw/k?AWSAccessKeyId=AKIDEXAMPLE&{query}"), &[]);
        prop_assert!(verify(&url).is_err());
    }

    #[test]
    fn one_changed_byte_of_the_signature_is_refused(index in 0_usize..20, flip in 1_u8..) {
        let url = parts("GET", GET, &[]);
        let mut claim = QueryClaim::of(&url).unwrap().unwrap();
        claim.signature[index] ^= flip;
        prop_assert_eq!(claim.verify(&url, url.uri.path(), &TwoKeys, expiry()).unwrap_err(), SignatureError::Mismatch);
    }
}
