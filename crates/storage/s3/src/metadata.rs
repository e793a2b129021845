//! What is stored beside an object's bytes: content headers and user metadata.

use std::collections::{BTreeMap, HashMap};

use boathouse_aws::AwsError;
use boathouse_objects::Metadata;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::Result;

const CONTENT: [&str; 6] =
    ["cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"];
/// The most bytes of user metadata, names and values together.
const MAX_USER: usize = 2048;

/// The content headers of a request as they are kept.
pub(crate) fn content_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let kept = CONTENT.iter().filter_map(|name| {
        let value = String::from_utf8_lossy(headers.get(*name)?.as_bytes()).into_owned();
        let value = if *name == "content-encoding" { without_chunking(value) } else { value };
        Some(((*name).to_owned(), value))
    });
    kept.filter(|(_, value)| !value.is_empty()).collect()
}

/// Codings without that of streamed uploads, which is no object's.
fn without_chunking(codings: String) -> String {
    const CHUNKED: &str = "aws-chunked";
    if !codings.to_ascii_lowercase().contains(CHUNKED) {
        return codings;
    }
    let kept = codings.split(',').map(str::trim).filter(|coding| !coding.eq_ignore_ascii_case(CHUNKED));
    kept.collect::<Vec<_>>().join(", ")
}

/// User metadata within its limit.
pub(crate) fn user(given: HashMap<String, String>) -> Result<BTreeMap<String, String>> {
    let size: usize = given.iter().map(|(name, value)| name.len() + value.len()).sum();
    if size > MAX_USER {
        let message = "Your metadata headers exceed the maximum allowed metadata size";
        let error = AwsError::bad_request("MetadataTooLarge", message);
        return Err(error.with_detail("Size", size.to_string()).with_detail("MaxSizeAllowed", MAX_USER.to_string()));
    }
    Ok(given.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
}

/// User metadata as the protocol's codec writes it.
pub(crate) fn user_output(metadata: &Metadata) -> Option<HashMap<String, String>> {
    (!metadata.user.is_empty()).then(|| metadata.user.clone().into_iter().collect())
}

/// Sets a header, unless its value cannot be one.
pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// As [`set`], of a name that is HTTP's own.
pub(crate) fn set_known(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_content_headers_are_kept() {
        let mut headers = HeaderMap::new();
        set(&mut headers, "content-type", "text/plain");
        set(&mut headers, "x-amz-date", "now");
        assert_eq!(content_headers(&headers), BTreeMap::from([("content-type".into(), "text/plain".into())]));
    }

    #[test]
    fn chunking_is_no_coding_of_an_object() {
        for (sent, kept) in [
            ("gzip, aws-chunked", "gzip"),
            ("aws-chunked,gzip", "gzip"),
            ("aws-chunked", ""),
            ("deflate, gzip", "deflate, gzip"),
        ] {
            assert_eq!(without_chunking(sent.into()), kept, "{sent}");
        }
    }

    #[test]
    fn user_metadata_has_a_limit() {
        assert!(user(HashMap::from([("A".into(), "x".repeat(2047))])).unwrap().contains_key("a"));
        assert_eq!(user(HashMap::from([("a".into(), "x".repeat(2048))])).unwrap_err().code, "MetadataTooLarge");
    }
}
