//! Text functions.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use ring::digest;
use serde_json::Value;

use super::{Builtin, Call};
use crate::jsonata::eval::{Result, lookup};
use crate::jsonata::value::{Val, number_text};

/// What `encodeURI` leaves as it is, beside letters and digits.
const URI: &str = "-_.!~*'();/?:@&=+$,#";
/// What `encodeURIComponent` leaves.
const COMPONENT: &str = "-_.!~*'()";

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    let of = |body: fn(&Call<'_>, &str) -> Result| match call.optional_text(0) {
        Ok(None) => Ok(Val::Undefined),
        Ok(Some(text)) => body(call, &text),
        Err(error) => Err(error),
    };
    Some(match call.builtin {
        Builtin::String => string(call),
        Builtin::Length => of(|_, text| Ok(Val::Number(text.chars().count() as f64))),
        Builtin::Substring => of(substring),
        Builtin::SubstringBefore => of(|call, text| {
            let separator = call.text(1)?;
            Ok(Val::text(text.split_once(&*separator).map_or(text, |(before, _)| before)))
        }),
        Builtin::SubstringAfter => of(|call, text| {
            let separator = call.text(1)?;
            Ok(Val::text(text.split_once(&*separator).map_or(text, |(_, after)| after)))
        }),
        Builtin::Uppercase => of(|_, text| Ok(Val::text(text.to_uppercase()))),
        Builtin::Lowercase => of(|_, text| Ok(Val::text(text.to_lowercase()))),
        Builtin::Trim => of(|_, text| Ok(Val::text(text.split_whitespace().collect::<Vec<_>>().join(" ")))),
        Builtin::Pad => of(pad),
        Builtin::Contains => of(|call, text| {
            Ok(Val::Bool(match call.at(1) {
                Val::Regex(regex) => regex.is_match(text),
                _ => text.contains(&*call.text(1)?),
            }))
        }),
        Builtin::Split => of(split),
        Builtin::Join => join(call),
        Builtin::Match => of(matches),
        Builtin::Replace => of(replace),
        Builtin::Base64Encode => of(|_, text| Ok(Val::text(BASE64_STANDARD.encode(text)))),
        Builtin::Base64Decode => of(|_, text| {
            let bytes = BASE64_STANDARD.decode(text).map_err(|error| format!("D3137: not Base64: {error}"))?;
            Ok(Val::text(String::from_utf8_lossy(&bytes).into_owned()))
        }),
        Builtin::EncodeUrl => of(|_, text| Ok(Val::text(encode(text, URI)))),
        Builtin::EncodeUrlComponent => of(|_, text| Ok(Val::text(encode(text, COMPONENT)))),
        Builtin::DecodeUrl | Builtin::DecodeUrlComponent => of(|_, text| decode(text)),
        Builtin::Hash => hash(call),
        Builtin::Uuid => Ok(Val::text(call.evaluator.bindings.rng.uuid().to_string())),
        Builtin::Parse => of(|_, text| {
            let value: Value = serde_json::from_str(text).map_err(|error| format!("D3137: not JSON: {error}"))?;
            Ok(Val::from(&value))
        }),
        _ => return None,
    })
}

/// What `&` and `$string` make of a value; undefined is the empty text.
pub(in crate::jsonata) fn string_of(value: &Val) -> Result<String> {
    Ok(match value {
        Val::Undefined | Val::Function(_) | Val::Regex(_) => String::new(),
        Val::String(text) => text.to_string(),
        Val::Number(number) if !number.is_finite() => {
            return Err("D3001: Attempting to invoke string function on Infinity or NaN".into());
        }
        Val::Number(number) => number_text(*number),
        other => json_text(other, false),
    })
}

fn json_text(value: &Val, pretty: bool) -> String {
    let Some(value) = value.to_json() else { return String::new() };
    let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
    text.unwrap_or_default()
}

fn string(call: &Call<'_>) -> Result {
    let pretty = matches!(call.at(1), Val::Bool(true));
    Ok(match call.at(0) {
        Val::Undefined => Val::Undefined,
        value @ (Val::Array(_) | Val::Object(_)) => Val::text(json_text(value, pretty)),
        value => Val::text(string_of(value)?),
    })
}

fn substring(call: &Call<'_>, text: &str) -> Result {
    let count = text.chars().count() as f64;
    let start = call.number(1)?.trunc();
    let start = if start < 0.0 { (start + count).max(0.0) } else { start };
    let length = match call.optional_number(2)? {
        Some(length) if length <= 0.0 => return Ok(Val::text("")),
        Some(length) => length.trunc() as usize,
        None => usize::MAX,
    };
    Ok(Val::text(text.chars().skip(start as usize).take(length).collect::<String>()))
}

fn pad(call: &Call<'_>, text: &str) -> Result {
    let width = call.number(1)?;
    let filling = call.optional_text(2)?.filter(|filling| !filling.is_empty()).unwrap_or_else(|| " ".into());
    let missing = (width.abs() as usize).saturating_sub(text.chars().count());
    if missing > 1_000_000 {
        return Err("D3137: the padded text is too long".into());
    }
    let filling: String = filling.chars().cycle().take(missing).collect();
    Ok(Val::text(if width < 0.0 { format!("{filling}{text}") } else { format!("{text}{filling}") }))
}

fn split(call: &Call<'_>, text: &str) -> Result {
    let limit = match call.optional_number(2)? {
        Some(limit) if limit < 0.0 => {
            return Err("D3020: Third argument of split function must evaluate to a positive number".into());
        }
        Some(limit) => limit as usize,
        None => usize::MAX,
    };
    let parts: Vec<Val> = match call.at(1) {
        Val::Regex(regex) => regex.split(text).take(limit).map(Val::text).collect(),
        _ => {
            let separator = call.text(1)?;
            if separator.is_empty() {
                text.chars().take(limit).map(|c| Val::text(c.to_string())).collect()
            } else {
                text.split(&*separator).take(limit).map(Val::text).collect()
            }
        }
    };
    Ok(Val::array(parts))
}

fn join(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let separator = call.optional_text(1)?.unwrap_or_else(|| "".into());
    let parts: Option<Vec<String>> = call
        .at(0)
        .items()
        .iter()
        .map(|item| match item {
            Val::String(text) => Some(text.to_string()),
            _ => None,
        })
        .collect();
    parts
        .map(|parts| Val::text(parts.join(&separator)))
        .ok_or_else(|| "T0412: Argument 1 of function \"join\" must be an array of \"s\"".to_owned())
}

fn found(captures: &regex::Captures<'_>, text: &str) -> Val {
    let whole = captures.get(0).map_or("", |found| found.as_str());
    let start = captures.get(0).map_or(0, |found| text[..found.start()].chars().count());
    let groups = captures.iter().skip(1).map(|group| Val::text(group.map_or("", |group| group.as_str())));
    let groups = Val::array(groups.collect());
    Val::object(BTreeMap::from([
        ("match".to_owned(), Val::text(whole)),
        ("index".to_owned(), Val::Number(start as f64)),
        ("groups".to_owned(), groups),
    ]))
}

/// What a regular expression gives when it is called like a function: the first match.
pub(in crate::jsonata) fn regex_match(regex: &Regex, text: Option<&Val>) -> Result {
    let Some(Val::String(text)) = text else { return Ok(Val::Undefined) };
    Ok(regex.captures(text).map_or(Val::Undefined, |captures| found(&captures, text)))
}

fn matches(call: &Call<'_>, text: &str) -> Result {
    let Val::Regex(regex) = call.at(1) else { return Err(call.mismatch(2)) };
    let limit = call.optional_number(2)?.map_or(usize::MAX, |limit| limit.max(0.0) as usize);
    let all = regex.captures_iter(text).take(limit).map(|captures| found(&captures, text));
    Ok(Val::sequence(all.collect()).unwrapped())
}

fn replace(call: &Call<'_>, text: &str) -> Result {
    let limit = match call.optional_number(3)? {
        Some(limit) if limit < 0.0 => {
            return Err("D3011: Fourth argument of replace function must evaluate to a positive number".into());
        }
        Some(limit) => limit as usize,
        None => usize::MAX,
    };
    let Val::Regex(regex) = call.at(1) else {
        let (pattern, with) = (call.text(1)?, call.text(2)?);
        if pattern.is_empty() {
            return Err("D3010: Second argument of replace function cannot be an empty string".into());
        }
        return Ok(Val::text(text.replacen(&*pattern, &with, limit)));
    };
    let (mut replaced, mut from) = (String::new(), 0);
    for captures in regex.captures_iter(text).take(limit) {
        let Some(whole) = captures.get(0) else { continue };
        if whole.is_empty() {
            return Err("D1004: Regular expression matches zero length string".into());
        }
        replaced.push_str(&text[from..whole.start()]);
        replaced.push_str(&match call.at(2) {
            Val::String(with) => expand(with, &captures),
            with if with.is_function() => match call.call_back(with, vec![found(&captures, text)])? {
                Val::String(with) => with.to_string(),
                _ => return Err("D3012: Attempted to replace a matched string with a non-string value".into()),
            },
            _ => return Err(call.mismatch(3)),
        });
        from = whole.end();
    }
    replaced.push_str(&text[from..]);
    Ok(Val::text(replaced))
}

/// `$1` is a group, `$0` the whole match, `$$` a dollar sign.
fn expand(with: &str, captures: &regex::Captures<'_>) -> String {
    let (mut text, mut rest) = (String::new(), with);
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let mut digits: &str = &after[..after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len()];
        // `$12` is group 1 and a 2 when there are fewer than 12 groups.
        while digits.len() > 1 && digits.parse::<usize>().is_ok_and(|group| group >= captures.len()) {
            digits = &digits[..digits.len() - 1];
        }
        match digits.parse::<usize>() {
            Ok(group) => text.push_str(captures.get(group).map_or("", |group| group.as_str())),
            Err(_) => text.push('$'),
        }
        rest = &after[digits.len()..];
    }
    text + rest
}

fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            encoded.push(byte as char);
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decode(text: &str) -> Result {
    let malformed = || "D3140: Malformed URL passed to the decoding function".to_owned();
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = after;
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(malformed)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| malformed())?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map(Val::text).map_err(|_| malformed())
}

fn hash(call: &Call<'_>) -> Result {
    let algorithm = call.optional_text(1)?.unwrap_or_else(|| "SHA-1".into());
    let text = match call.at(0) {
        Val::Undefined => return Ok(Val::Undefined),
        other => string_of(other)?,
    };
    let algorithm = match &*algorithm {
        "MD5" => {
            use md5::Digest as _;
            return Ok(Val::text(hex::encode(md5::Md5::digest(text.as_bytes()))));
        }
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        other => return Err(format!("D3137: unknown hash algorithm {other}")),
    };
    Ok(Val::text(hex::encode(digest::digest(algorithm, text.as_bytes()))))
}

/// `$lookup`, which other modules need too.
pub(super) fn look_up(call: &Call<'_>) -> Result {
    Ok(lookup(call.at(0), &call.text(1)?))
}
