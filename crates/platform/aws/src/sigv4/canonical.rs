//! The canonical request: the one text that signer and verifier agree on ("Create a canonical request" in the IAM guide).

use std::fmt::Write;

use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is: letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The canonical request of `parts` with these signed headers (lower case, in the order of the signature).
/// `None` when a signed header is not in the request.
pub(super) fn request(parts: &Parts, service: &str, signed_headers: &[String], payload: &str) -> Option<String> {
    let mut text = String::with_capacity(512);
    text.extend([parts.method.as_str(), "\n", &path(parts.uri.path(), service), "\n"]);
    text.extend([query(parts.uri.query().unwrap_or_default()).as_str(), "\n"]);
    for name in signed_headers {
        text.extend([name, ":"]);
        write_header(parts, name, &mut text)?;
        text.push('\n');
    }
    text.extend(["\n", &signed_headers.join(";"), "\n", payload]);
    Some(text)
}

/// S3 signs the path encoded once, all others sign it encoded once more.
fn path(raw: &str, service: &str) -> String {
    if service != "s3" {
        return utf8_percent_encode(raw, RESERVED_IN_PATH).to_string();
    }
    let decoded: Vec<u8> = percent_decode_str(raw).collect();
    let mut path = String::with_capacity(raw.len());
    for byte in decoded {
        if byte == b'/' {
            path.push('/');
        } else {
            push_encoded(byte, &mut path);
        }
    }
    path
}

fn query(raw: &str) -> String {
    let mut pairs: Vec<(String, String)> = raw
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (recode(name), recode(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn recode(text: &str) -> String {
    let mut recoded = String::with_capacity(text.len());
    percent_decode_str(&text.replace('+', "%20")).for_each(|byte| push_encoded(byte, &mut recoded));
    recoded
}

fn push_encoded(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        out.push(char::from(byte));
    } else {
        write!(out, "%{byte:02X}").expect("invariant: writing to a string succeeds");
    }
}

/// Values are trimmed, inner runs of spaces become one, repeated headers are joined by commas.
fn write_header(parts: &Parts, name: &str, out: &mut String) -> Option<()> {
    let start = out.len();
    for value in parts.headers.get_all(name) {
        if out.len() > start {
            out.push(',');
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        let words: Vec<&str> = value.split(' ').filter(|word| !word.is_empty()).collect();
        out.push_str(words.join(" ").trim());
    }
    if out.len() == start && !parts.headers.contains_key(name) {
        // HTTP/2 carries the host in `:authority`.
        let authority = parts.uri.authority().filter(|_| name == "host")?;
        out.push_str(authority.as_str());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_sorted_and_recoded() {
        assert_eq!(query("prefix=a+b/c&list-type=2&acl&X-Amz-Signature=ff"), "acl=&list-type=2&prefix=a%20b%2Fc");
    }

    #[test]
    fn s3_paths_are_encoded_once_and_others_twice() {
        assert_eq!(path("/b/a%20b~(1)", "s3"), "/b/a%20b~%281%29");
        assert_eq!(path("/b/a%20b", "lambda"), "/b/a%2520b");
    }
}
