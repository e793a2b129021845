//! The canonical request: the one text that signer and verifier agree on ("Create a canonical request" in the IAM guide).

use std::borrow::Cow;
use std::fmt::Write;

use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is: letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The canonical request of `parts` with these signed headers (lower case, in the order of the signature).
/// `None` when a signed header is not in the request.
pub(super) fn request(parts: &Parts, service: &str, signed_headers: &[String], payload: &str) -> Option<String> {
    let mut text = String::with_capacity(1024);
    text.extend([parts.method.as_str(), "\n", &path(parts.uri.path(), service), "\n"]);
    write_query(parts.uri.query().unwrap_or_default(), &mut text);
    text.push('\n');
    for name in signed_headers {
        text.extend([name, ":"]);
        write_header(parts, name, &mut text)?;
        text.push('\n');
    }
    text.push('\n');
    for (at, name) in signed_headers.iter().enumerate() {
        text.extend([if at == 0 { "" } else { ";" }, name]);
    }
    text.extend(["\n", payload]);
    Some(text)
}

/// S3 signs the path encoded once, all others sign it encoded once more.
fn path<'a>(raw: &'a str, service: &str) -> Cow<'a, str> {
    if service != "s3" {
        return utf8_percent_encode(raw, RESERVED_IN_PATH).into();
    }
    if is_encoded(raw, b"/") {
        return raw.into();
    }
    let mut path = String::with_capacity(raw.len());
    for byte in percent_decode_str(raw) {
        if byte == b'/' {
            path.push('/');
        } else {
            push_encoded(byte, &mut path);
        }
    }
    path.into()
}

fn write_query(raw: &str, out: &mut String) {
    let pairs = raw.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let pairs = pairs.map(|(name, value)| (recode(name), recode(value)));
    let mut pairs: Vec<_> = pairs.filter(|(name, _)| name != "X-Amz-Signature").collect();
    pairs.sort();
    for (at, (name, value)) in pairs.iter().enumerate() {
        out.extend([if at == 0 { "" } else { "&" }, name, "=", value]);
    }
}

fn recode(text: &str) -> Cow<'_, str> {
    if is_encoded(text, b"") {
        return text.into();
    }
    let mut recoded = String::with_capacity(text.len());
    percent_decode_str(&text.replace('+', "%20")).for_each(|byte| push_encoded(byte, &mut recoded));
    recoded.into()
}

/// Whether decoding and encoding a text again would make the same of it; `bare` is what needs no encoding beside the rest.
fn is_encoded(text: &str, bare: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            if !is_unreserved(byte) && !bare.contains(&byte) {
                return false;
            }
            continue;
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'A'..=b'F' => Some(byte - b'A' + 10),
            _ => None,
        };
        let (Some(high), Some(low)) = (bytes.next().and_then(digit), bytes.next().and_then(digit)) else {
            return false;
        };
        let decoded = high << 4 | low;
        if is_unreserved(decoded) || bare.contains(&decoded) {
            return false;
        }
    }
    true
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn push_encoded(byte: u8, out: &mut String) {
    if is_unreserved(byte) {
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
        if !value.contains("  ") {
            out.push_str(value.trim());
            continue;
        }
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

    fn query(raw: &str) -> String {
        let mut text = String::new();
        write_query(raw, &mut text);
        text
    }

    #[test]
    fn queries_are_sorted_and_recoded() {
        assert_eq!(query("prefix=a+b/c&list-type=2&acl&X-Amz-Signature=ff"), "acl=&list-type=2&prefix=a%20b%2Fc");
    }

    #[test]
    fn s3_paths_are_encoded_once_and_others_twice() {
        assert_eq!(path("/b/a%20b~(1)", "s3"), "/b/a%20b~%281%29");
        assert_eq!(path("/b/a%20b", "lambda"), "/b/a%2520b");
    }

    proptest::proptest! {
        #[test]
        fn what_is_taken_as_it_is_would_come_out_the_same(text in "[a-c/%2FfA0é+ ~]{0,12}") {
            for bare in [&b""[..], b"/"] {
                let mut again = String::new();
                for byte in percent_decode_str(&text) {
                    match bare.contains(&byte) {
                        true => again.push(char::from(byte)),
                        false => push_encoded(byte, &mut again),
                    }
                }
                proptest::prop_assert!(!is_encoded(&text, bare) || again == text);
            }
        }
    }
}
