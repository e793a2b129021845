//! Text.

use std::rc::Rc;

use super::{Builtin, Call};
use crate::jsonata::eval::Result;
use crate::jsonata::value::{Val, number_text};

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    let of = |body: fn(&str) -> Val| match call.text(0) {
        Ok(Some(text)) => Ok(body(&text)),
        Ok(None) => Ok(Val::Undefined),
        Err(error) => Err(error),
    };
    Some(match call.builtin {
        Builtin::String => string(call),
        Builtin::Length => of(|text| Val::Number(text.chars().count() as f64)),
        Builtin::Uppercase => of(|text| Val::text(text.to_uppercase())),
        Builtin::Lowercase => of(|text| Val::text(text.to_lowercase())),
        Builtin::Trim => of(|text| Val::text(trim(text))),
        Builtin::Substring => substring(call),
        Builtin::SubstringBefore => around(call, |text, at, _| text[..at].to_owned()),
        Builtin::SubstringAfter => around(call, |text, at, length| text[at + length..].to_owned()),
        Builtin::Pad => pad(call),
        Builtin::Join => join(call),
        Builtin::Base64Encode => of(|text| Val::text(base64_encode(text))),
        Builtin::Base64Decode => of(|text| Val::text(base64_decode(text))),
        _ => return None,
    })
}

fn string(call: &Call<'_>) -> Result {
    match call.at(0) {
        Val::Undefined => Ok(Val::Undefined),
        other => string_of(other, matches!(call.at(1), Val::Bool(true))).map(Val::text),
    }
}

/// A value as text: texts as they are, anything else as JSON.
pub(in crate::jsonata) fn string_of(value: &Val, pretty: bool) -> Result<String> {
    let mut text = String::new();
    match value {
        Val::String(text) => return Ok(text.to_string()),
        Val::Number(number) if !number.is_finite() => {
            return Err("D3001: Attempting to invoke string function on Infinity or NaN".into());
        }
        Val::Function(_) => {}
        Val::Array(list) if list.wrapper => write(&list.items[0], pretty.then_some(0), &mut text)?,
        other => write(other, pretty.then_some(0), &mut text)?,
    }
    Ok(text)
}

/// Writes JSON; `indent` is how deep the line is, if there are lines.
fn write(value: &Val, indent: Option<usize>, text: &mut String) -> Result<()> {
    match value {
        Val::Undefined | Val::Null => text.push_str("null"),
        Val::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Val::Number(number) if number.is_infinite() => return Err("D1001: Number out of range: null".into()),
        Val::Number(number) if number.is_nan() => text.push_str("null"),
        Val::Number(number) => text.push_str(&number_text(*number)),
        Val::Integer(integer) => text.push_str(&integer.to_string()),
        Val::String(own) => quote(own, text),
        Val::Function(_) => text.push_str("\"\""),
        Val::Array(list) => {
            brackets(('[', ']'), list.items.iter(), indent, text, write)?;
        }
        Val::Tuples(tuples) => {
            brackets(('[', ']'), tuples.iter(), indent, text, |tuple, inner, text| write(&tuple.value, inner, text))?;
        }
        Val::Object(members) => {
            let members = members.iter().filter(|(_, member)| !member.is_undefined());
            brackets(('{', '}'), members, indent, text, |(name, member), inner, text| {
                quote(name, text);
                text.push_str(if inner.is_some() { ": " } else { ":" });
                write(member, inner, text)
            })?;
        }
    }
    Ok(())
}

fn brackets<T>(
    (open, close): (char, char),
    items: impl Iterator<Item = T>,
    indent: Option<usize>,
    text: &mut String,
    each: impl Fn(T, Option<usize>, &mut String) -> Result<()>,
) -> Result<()> {
    let line = |depth: usize, text: &mut String| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    text.push(open);
    let mut empty = true;
    for item in items {
        if !empty {
            text.push(',');
        }
        empty = false;
        if let Some(depth) = indent {
            line(depth + 1, text);
        }
        each(item, indent.map(|depth| depth + 1), text)?;
    }
    if let (Some(depth), false) = (indent, empty) {
        line(depth, text);
    }
    text.push(close);
    Ok(())
}

fn quote(own: &str, text: &mut String) {
    text.push_str(&serde_json::Value::from(own).to_string());
}

fn trim(text: &str) -> String {
    let words: Vec<&str> = text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn substring(call: &Call<'_>) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    let count = text.chars().count() as f64;
    let mut start = call.number(1)?.unwrap_or(0.0);
    if count + start < 0.0 {
        start = 0.0;
    }
    let end = match call.number(2)? {
        Some(length) if length <= 0.0 => return Ok(Val::text("")),
        Some(length) if start >= 0.0 => start + length,
        Some(length) => count + start + length,
        None => count,
    };
    // Fractions are cut off, negative places count from the end.
    let place = |at: f64| if at.trunc() < 0.0 { (count + at.trunc()).max(0.0) } else { at.trunc().min(count) };
    let (start, end) = (place(start) as usize, place(end) as usize);
    Ok(Val::text(text.chars().skip(start).take(end.saturating_sub(start)).collect::<String>()))
}

/// What `take` takes of the text around the first occurrence of another text; the whole text when there is none.
fn around(call: &Call<'_>, take: fn(&str, usize, usize) -> String) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    let searched = call.text(1)?.unwrap_or_else(|| "undefined".into());
    Ok(match text.find(&*searched) {
        Some(at) => Val::text(take(&text, at, searched.len())),
        None => Val::String(text),
    })
}

fn pad(call: &Call<'_>) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    let width = call.number(1)?.unwrap_or(f64::NAN);
    let with = call.text(2)?.filter(|with| !with.is_empty()).unwrap_or_else(|| " ".into());
    let missing = width.abs() - text.chars().count() as f64;
    if missing.is_nan() || missing <= 0.0 {
        return Ok(Val::String(text));
    }
    if missing.fract() != 0.0 {
        return Err("RangeError: Invalid array length".into());
    }
    call.evaluator.charge((missing as usize).saturating_mul(with.len()))?;
    let padding: String = with.chars().cycle().take(missing as usize).collect();
    Ok(Val::text(if width > 0.0 { format!("{text}{padding}") } else { format!("{padding}{text}") }))
}

fn join(call: &Call<'_>) -> Result {
    let Some(items) = call.items(0) else { return Ok(Val::Undefined) };
    let separator = call.text(1)?.unwrap_or_else(|| "".into());
    let texts: Vec<Rc<str>> = items
        .iter()
        .map(|item| match item {
            Val::String(text) => text.clone(),
            _ => "".into(),
        })
        .collect();
    let size = texts.iter().map(|text| text.len() + separator.len()).sum();
    call.evaluator.charge(size)?;
    Ok(Val::text(texts.join(&separator)))
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Every character is one byte, as in the reference.
fn base64_encode(text: &str) -> String {
    use base64::Engine as _;
    let bytes: Vec<u8> = text.encode_utf16().map(|unit| unit as u8).collect();
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// What is not Base64 is skipped; every byte is one character.
fn base64_decode(text: &str) -> String {
    let (mut bits, mut count, mut decoded) = (0u32, 0, String::new());
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let Some(value) = BASE64.iter().position(|own| *own == byte) else { continue };
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push((bits >> count & 0xFF) as u8 as char);
        }
    }
    decoded
}
