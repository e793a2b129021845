//! Errors, and the functions that Step Functions adds ("Transforming data with JSONata in Step Functions").

use std::fmt;

use ring::digest;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{Builtin, Call};
use crate::jsonata::eval::{Result, too_much};
use crate::jsonata::value::{Object, Val};

/// Elements that `$range` makes at most, as Step Functions allows.
const MAX_RANGE: f64 = 360_145.0;

pub(super) fn call(call: &Call<'_>) -> Result {
    match call.builtin {
        Builtin::Error => {
            let message = call.text(0)?.filter(|message| !message.is_empty());
            Err(format!("D3137: {}", message.as_deref().unwrap_or("$error() function evaluated")))
        }
        Builtin::Assert => {
            if call.at(0).truth() {
                return Ok(Val::Undefined);
            }
            let message = call.text(1)?.filter(|message| !message.is_empty());
            Err(format!("D3141: {}", message.as_deref().unwrap_or("$assert() statement failed")))
        }
        Builtin::Partition => partition(call),
        Builtin::Range => range(call),
        Builtin::Hash => hash(call),
        Builtin::Random => Ok(Val::Number(match call.number(0)? {
            Some(seed) => seeded(seed as i64),
            None => call.evaluator.bindings.rng.fraction(),
        })),
        Builtin::Uuid => Ok(Val::text(call.evaluator.bindings.rng.uuid().to_string())),
        _ => match call.text(0)? {
            Some(text) => parse(&text),
            None => Ok(Val::Undefined),
        },
    }
}

/// Arguments are cut to integers, towards 0.
fn partition(call: &Call<'_>) -> Result {
    let Some(items) = call.items(0) else { return Ok(Val::Undefined) };
    if matches!(items.as_slice(), [Val::Null]) {
        return Err("T0412: Argument 1 of function \"partition\" must be an array of \"arrays\"".into());
    }
    let size = match call.number(1)?.map(f64::trunc) {
        Some(size) if size < 0.0 => return Err("D3137: Second argument must be zero or greater".into()),
        Some(0.0) => return Ok(Val::Undefined),
        Some(size) => size as usize,
        None => usize::MAX,
    };
    if items.is_empty() {
        return Ok(Val::Undefined);
    }
    Ok(Val::array(items.chunks(size).map(|chunk| Val::array(chunk.to_vec())).collect()))
}

fn range(call: &Call<'_>) -> Result {
    let number = |index: usize| Ok::<_, String>(call.number(index)?.map(f64::trunc));
    let (Some(start), Some(end), Some(step)) = (number(0)?, number(1)?, number(2)?) else {
        return Ok(Val::Undefined);
    };
    if step == 0.0 {
        return Ok(Val::Undefined);
    }
    let count = ((end - start) / step).floor() + 1.0;
    if count > MAX_RANGE {
        return Err(too_much());
    }
    Ok(Val::sequence((0..count.max(0.0) as usize).map(|at| Val::Number(start + step * at as f64)).collect()))
}

/// The first number from 0 to 1 of the linear congruential generator that the seed starts: Step Functions' own.
fn seeded(seed: i64) -> f64 {
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ 0x5_DEEC_E66D) & MASK;
    let mut bits = |count: u32| {
        state = state.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & MASK;
        state >> (48 - count)
    };
    let (high, low) = (bits(26), bits(27));
    ((high << 27) + low) as f64 / (1u64 << 53) as f64
}

fn hash(call: &Call<'_>) -> Result {
    let (Some(text), Some(algorithm)) = (call.text(0)?, call.text(1)?) else { return Ok(Val::Undefined) };
    let algorithm = match &*algorithm {
        "MD5" => {
            use md5::Digest as _;
            return Ok(Val::text(hex::encode(md5::Md5::digest(text.as_bytes()))));
        }
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        other => return Err(format!("D3137: Unsupported hash algorithm: {other}")),
    };
    Ok(Val::text(hex::encode(digest::digest(algorithm, text.as_bytes()))))
}

fn parse(text: &str) -> Result {
    serde_json::from_str::<Parsed>(text).map(|parsed| parsed.0).map_err(|error| format!("D3137: Invalid JSON: {error}"))
}

/// JSON as a value: members in the order of the text, none twice.
struct Parsed(Val);

impl<'de> Deserialize<'de> for Parsed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor).map(Self)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Val;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> std::result::Result<Val, E> {
        Ok(Val::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Val, E> {
        Ok(Val::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Val, E> {
        Ok(Val::integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Val, E> {
        Ok(i64::try_from(value).map_or(Val::Number(value as f64), Val::integer))
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Val, E> {
        Ok(Val::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Val, E> {
        Ok(Val::text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> std::result::Result<Val, A::Error> {
        let mut items = Vec::new();
        while let Some(Parsed(item)) = elements.next_element()? {
            items.push(item);
        }
        Ok(Val::array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Val, A::Error> {
        let mut object = Object::default();
        while let Some((name, Parsed(member))) = members.next_entry::<String, Parsed>()? {
            if object.get(&name).is_some() {
                return Err(A::Error::custom(format!("duplicate member {name}")));
            }
            object.insert(name.into(), member);
        }
        Ok(Val::object(object))
    }
}
