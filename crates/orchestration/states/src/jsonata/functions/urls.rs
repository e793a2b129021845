//! Percent-encoding.

use super::{Builtin, Call};
use crate::jsonata::eval::Result;
use crate::jsonata::value::Val;

/// What `$encodeUrlComponent` leaves as it is, beside letters and digits.
const UNRESERVED: &str = "-_.!~*'()";
/// What `$encodeUrl` leaves as it is and `$decodeUrl` does not make of an escape.
const RESERVED: &str = ";/?:@&=+$,#";

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    let body: fn(&str) -> Option<String> = match call.builtin {
        Builtin::EncodeUrl => |text| Some(encode(text, RESERVED)),
        Builtin::EncodeUrlComponent => |text| Some(encode(text, "")),
        Builtin::DecodeUrl => |text| decode(text, RESERVED),
        Builtin::DecodeUrlComponent => |text| decode(text, ""),
        _ => return None,
    };
    Some(call.text(0).and_then(|text| {
        let Some(text) = text else { return Ok(Val::Undefined) };
        let malformed = || format!("D3140: Malformed URL passed to ${}(): \"{text}\"", call.builtin.name());
        body(&text).map(Val::text).ok_or_else(malformed)
    }))
}

fn encode(text: &str, reserved: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = byte as char;
        if byte.is_ascii_alphanumeric() || UNRESERVED.contains(c) && byte.is_ascii() || reserved.contains(c) {
            encoded.push(c);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decode(text: &str, reserved: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = std::str::from_utf8(after.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii() && reserved.contains(byte as char) {
            bytes.extend_from_slice(&rest[..3]);
        } else {
            bytes.push(byte);
        }
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}
