//! What of an object a read shows: conditions, range, headers.

use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

use boathouse_aws::AwsError;
use boathouse_objects::ObjectInfo;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::call::Call;
use crate::conditions::Conditions;
use crate::error::{Result, invalid_range, invalid_request};
use crate::operations::encryption;
use crate::operations::object::checksum_headers;
use crate::{metadata, storage_class};

/// Query members that replace headers of the answer.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
    ("response-content-language", "content-language"),
    ("response-content-type", "content-type"),
    ("response-expires", "expires"),
];

/// The end of the year 9999: HTTP's dates go no further.
const LAST_MS: u64 = 253_402_300_799_999;

/// The part that a read asks for.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) range: Range<u64>,
    /// How many parts the object was uploaded in, if it was.
    pub(crate) count: Option<usize>,
}

/// The answer to a GET or HEAD, but for its body.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) range: Range<u64>,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
}

impl View {
    pub(crate) fn of(call: &Call, info: &ObjectInfo, part: Option<Part>) -> Result<Self> {
        Conditions::of(&call.headers).check_read(info).map_err(|error| not_modified_with(error, info))?;
        let count = part.as_ref().and_then(|part| part.count);
        let wanted = match (call.header("range"), part) {
            (Some(_), Some(_)) => {
                return Err(invalid_request("Cannot specify both Range header and partNumber query parameter"));
            }
            (Some(text), None) => requested(text, info.size)?,
            (None, Some(part)) => Some(part.range),
            (None, None) => None,
        };
        let range = wanted.clone().unwrap_or(0..info.size);
        let mut headers = headers(call, info);
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        if let Some(count) = count {
            metadata::set(&mut headers, "x-amz-mp-parts-count", &count.to_string());
        }
        if wanted.is_some() && !range.is_empty() {
            let text = format!("bytes {}-{}/{}", range.start, range.end - 1, info.size);
            metadata::set(&mut headers, "content-range", &text);
        }
        let checks = call.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
        if checks && range == (0..info.size) {
            checksum_headers(&info.checksums, &mut headers);
        }
        replace_headers(call, &mut headers)?;
        let status = if wanted.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
        Ok(Self { range, status, headers })
    }
}

fn headers(call: &Call, info: &ObjectInfo) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("binary/octet-stream"));
    for (name, value) in &info.metadata.headers {
        metadata::set(&mut headers, name, value);
    }
    metadata::set_known(&mut headers, header::ETAG, &format!("\"{}\"", info.etag));
    metadata::set_known(&mut headers, header::LAST_MODIFIED, &http_date(info.modified_ms));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    encryption::tell(call, info.encryption.as_ref(), &mut headers);
    storage_class::tell(info, &mut headers);
    if !info.metadata.tags.is_empty() {
        metadata::set(&mut headers, "x-amz-tagging-count", &info.metadata.tags.len().to_string());
    }
    headers
}

/// A moment as headers of HTTP have it.
pub(crate) fn http_date(ms: u64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(ms.min(LAST_MS)))
}

/// A 304 names the object's version, in headers.
fn not_modified_with(error: AwsError, info: &ObjectInfo) -> AwsError {
    if error.status != StatusCode::NOT_MODIFIED {
        return error;
    }
    error.with_detail("etag", format!("\"{}\"", info.etag)).with_detail("last-modified", http_date(info.modified_ms))
}

fn replace_headers(call: &Call, headers: &mut HeaderMap) -> Result<()> {
    if !call.asks("response-") {
        return Ok(());
    }
    for (member, name) in OVERRIDES {
        let Some(value) = call.query(member) else { continue };
        if call.ctx.principal.is_anonymous() {
            return Err(invalid_request(
                "Request specific response headers cannot be used for anonymous GET requests.",
            ));
        }
        metadata::set(headers, name, &value);
    }
    Ok(())
}

/// The bytes a `Range` asks for. Ranges that can't be read, and several at once, stand for the whole object.
pub(crate) fn requested(text: &str, size: u64) -> Result<Option<Range<u64>>> {
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(None);
    };
    let unsatisfiable = || {
        let error = invalid_range().with_detail("RangeRequested", text);
        Err(error.with_detail("ActualObjectSize", size.to_string()))
    };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first > last => Ok(None),
        (Ok(first), Ok(_)) if first >= size => unsatisfiable(),
        (Ok(first), Ok(last)) => Ok(Some(first..last.saturating_add(1).min(size))),
        (Ok(first), Err(_)) if !last.trim().is_empty() || first >= size => {
            if last.trim().is_empty() {
                unsatisfiable()
            } else {
                Ok(None)
            }
        }
        (Ok(first), Err(_)) => Ok(Some(first..size)),
        (Err(_), Ok(last)) if first.trim().is_empty() => {
            if last == 0 || size == 0 {
                unsatisfiable()
            } else {
                Ok(Some(size.saturating_sub(last)..size))
            }
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let of = |text| requested(text, 10).unwrap();
        assert_eq!(of("bytes=0-3"), Some(0..4));
        assert_eq!(of("bytes=8-99"), Some(8..10));
        assert_eq!(of("bytes=5-"), Some(5..10));
        assert_eq!(of("bytes=-3"), Some(7..10));
        assert_eq!(of("bytes=-30"), Some(0..10));
        for whole in ["bytes=4-2", "items=0-1", "bytes=0-1,4-5", "bytes=a-b", "bytes=1-x", "bytes=-"] {
            assert_eq!(of(whole), None, "{whole}");
        }
    }

    #[test]
    fn ranges_behind_the_end_are_refused() {
        for text in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            let error = requested(text, 10).unwrap_err();
            assert_eq!((error.code.as_ref(), error.status.as_u16()), ("InvalidRange", 416), "{text}");
        }
        assert!(requested("bytes=0-", 0).is_err());
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(1_700_000_000_500), "Tue, 14 Nov 2023 22:13:20 GMT");
    }
}
