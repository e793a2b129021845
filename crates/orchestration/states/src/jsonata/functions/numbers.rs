//! Numbers: arithmetic, aggregation, formats.

use super::{Builtin, Call, finite};
use crate::jsonata::eval::Result;
use crate::jsonata::value::{Val, number_text};
use crate::rng::Rng;

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    let of = |body: fn(f64) -> f64| match call.optional_number(0) {
        Ok(Some(number)) => finite(body(number)),
        Ok(None) => Ok(Val::Undefined),
        Err(error) => Err(error),
    };
    Some(match call.builtin {
        Builtin::Number => number(call),
        Builtin::Abs => of(f64::abs),
        Builtin::Floor => of(f64::floor),
        Builtin::Ceil => of(f64::ceil),
        Builtin::Sqrt => match call.optional_number(0) {
            Ok(Some(number)) if number < 0.0 => {
                Err(format!("D3060: The sqrt function cannot be applied to a negative number: {}", number_text(number)))
            }
            _ => of(f64::sqrt),
        },
        Builtin::Power => power(call),
        Builtin::Round => round(call),
        Builtin::Random => random(call),
        Builtin::Sum | Builtin::Max | Builtin::Min | Builtin::Average => aggregate(call),
        Builtin::FormatBase => format_base(call),
        Builtin::FormatNumber => format_number(call),
        Builtin::FormatInteger => format_integer(call),
        Builtin::ParseInteger => parse_integer(call),
        _ => return None,
    })
}

fn number(call: &Call<'_>) -> Result {
    let cast = |text: &str| format!("D3030: Unable to cast value to a number: \"{text}\"");
    Ok(match call.at(0) {
        Val::Undefined => Val::Undefined,
        Val::Number(number) => Val::Number(*number),
        Val::Bool(value) => Val::Number(f64::from(u8::from(*value))),
        Val::String(text) => {
            let radix = [("0x", 16), ("0b", 2), ("0o", 8)];
            let lower = text.to_ascii_lowercase();
            let special = radix.iter().find_map(|(prefix, radix)| Some((lower.strip_prefix(prefix)?, *radix)));
            if let Some((digits, radix)) = special {
                return i64::from_str_radix(digits, radix).map(|n| Val::Number(n as f64)).map_err(|_| cast(text));
            }
            let plain = text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && !text.ends_with('.');
            match text.parse::<f64>() {
                Ok(number) if plain && number.is_finite() => Val::Number(number),
                _ => return Err(cast(text)),
            }
        }
        _ => return Err(call.mismatch(1)),
    })
}

fn power(call: &Call<'_>) -> Result {
    let Some(base) = call.optional_number(0)? else { return Ok(Val::Undefined) };
    let value = base.powf(call.number(1)?);
    if value.is_finite() {
        Ok(Val::Number(value))
    } else {
        Err("D3061: The power function has resulted in a value that cannot be represented as a JSON number".into())
    }
}

/// Half goes to the even neighbour.
fn round(call: &Call<'_>) -> Result {
    let Some(number) = call.optional_number(0)? else { return Ok(Val::Undefined) };
    let precision = call.optional_number(1)?.unwrap_or(0.0) as i32;
    let shifted = shift(number, precision);
    let mut rounded = shifted.round();
    if (rounded - shifted).abs() == 0.5 && rounded % 2.0 != 0.0 {
        rounded -= 1.0f64.copysign(shifted);
    }
    Ok(Val::Number(shift(rounded, -precision) + 0.0))
}

/// `number` × 10^`places` without the error that multiplying makes.
fn shift(number: f64, places: i32) -> f64 {
    let text = format!("{number:e}");
    let shifted = text.split_once('e').and_then(|(digits, power)| {
        let power: i32 = power.parse().ok()?;
        format!("{digits}e{}", power + places).parse().ok()
    });
    shifted.unwrap_or(number)
}

fn random(call: &Call<'_>) -> Result {
    Ok(Val::Number(match call.optional_number(0)? {
        Some(seed) => Rng::new(seed.to_bits()).fraction(),
        None => call.evaluator.bindings.rng.fraction(),
    }))
}

fn aggregate(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let numbers = call
        .at(0)
        .items()
        .iter()
        .map(|item| match item {
            Val::Number(number) => Ok(*number),
            _ => Err(format!("T0412: Argument 1 of function \"{}\" must be an array of \"n\"", call.builtin.name())),
        })
        .collect::<Result<Vec<f64>>>()?;
    let count = numbers.len() as f64;
    let sum: f64 = numbers.iter().sum();
    match call.builtin {
        Builtin::Sum => finite(sum + 0.0),
        _ if numbers.is_empty() => Ok(Val::Undefined),
        Builtin::Max => finite(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        Builtin::Min => finite(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
        _ => finite(sum / count),
    }
}

fn format_base(call: &Call<'_>) -> Result {
    let Some(number) = call.optional_number(0)? else { return Ok(Val::Undefined) };
    let radix = call.optional_number(1)?.map_or(10, |radix| radix.round() as i64);
    if !(2..=36).contains(&radix) {
        return Err(format!(
            "D3100: The radix of the formatBase function must be between 2 and 36. It was given {radix}"
        ));
    }
    let (mut rest, mut digits) = (number.round().abs() as u64, Vec::new());
    loop {
        digits.push(char::from_digit((rest % radix as u64) as u32, radix as u32).unwrap_or('0'));
        rest /= radix as u64;
        if rest == 0 {
            break;
        }
    }
    let sign = if number.round() < 0.0 { "-" } else { "" };
    Ok(Val::text(format!("{sign}{}", digits.iter().rev().collect::<String>())))
}

/// The pictures of XPath's format-number: `#,##0.00`, `0.0%`, `00.0e0` is refused.
fn format_number(call: &Call<'_>) -> Result {
    let Some(number) = call.optional_number(0)? else { return Ok(Val::Undefined) };
    let picture = call.text(1)?;
    if !call.at(2).is_undefined() {
        return Err("the options of $formatNumber are not supported".into());
    }
    let mut parts = picture.split(';');
    let positive = parts.next().unwrap_or_default();
    let (sign, picture) = match (number < 0.0, parts.next()) {
        (true, Some(negative)) => ("", negative),
        (true, None) => ("-", positive),
        (false, _) => ("", positive),
    };
    let active = |c: char| matches!(c, '0'..='9' | '#' | ',' | '.');
    let (Some(start), Some(end)) = (picture.find(active), picture.rfind(active)) else {
        return Err("D3085: The picture string must contain at least one digit".into());
    };
    let (prefix, body, suffix) = (&picture[..start], &picture[start..=end], &picture[end + 1..]);
    if suffix.starts_with('e') {
        return Err("pictures with an exponent are not supported".into());
    }
    let scale = match (prefix, suffix) {
        _ if picture.contains('%') => 100.0,
        _ if picture.contains('‰') => 1000.0,
        _ => 1.0,
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    let least = whole.chars().filter(char::is_ascii_digit).count();
    let group = whole.rfind(',').map(|at| whole.len() - at - 1).filter(|size| *size > 0);
    let fraction: String = fraction.chars().filter(|c| *c != ',').collect();
    let least_fraction = fraction.chars().filter(char::is_ascii_digit).count();
    let rounded = match round_to(number.abs() * scale, fraction.len()) {
        Some(text) => text,
        None => return Err("D1001: Number out of range".into()),
    };
    let (digits, decimals) = rounded.split_once('.').unwrap_or((&rounded, ""));
    let digits = if digits == "0" && least == 0 { "" } else { digits };
    let digits = format!("{}{digits}", "0".repeat(least.saturating_sub(digits.len())));
    let digits = match group {
        Some(size) => grouped(&digits, size),
        None => digits,
    };
    let mut decimals = decimals.to_owned();
    while decimals.len() > least_fraction && decimals.ends_with('0') {
        decimals.pop();
    }
    let point = if decimals.is_empty() { "" } else { "." };
    Ok(Val::text(format!("{sign}{prefix}{digits}{point}{decimals}{suffix}")))
}

/// Rounded half to even, as XPath asks.
fn round_to(number: f64, places: usize) -> Option<String> {
    let shifted = shift(number, places as i32);
    let mut rounded = shifted.round();
    if (rounded - shifted).abs() == 0.5 && rounded % 2.0 != 0.0 {
        rounded -= 1.0;
    }
    let value = shift(rounded, -(places as i32));
    value.is_finite().then(|| format!("{value:.places$}"))
}

fn grouped(digits: &str, size: usize) -> String {
    let mut text = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(size) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

fn format_integer(call: &Call<'_>) -> Result {
    let Some(number) = call.optional_number(0)? else { return Ok(Val::Undefined) };
    let (picture, number) = (call.text(1)?, number.floor());
    let size = number.abs() as u64;
    let sign = if number < 0.0 { "-" } else { "" };
    let text = match &*picture {
        "A" | "a" => {
            let (mut rest, mut letters) = (size, Vec::new());
            while rest > 0 {
                letters.push((b'A' + ((rest - 1) % 26) as u8) as char);
                rest = (rest - 1) / 26;
            }
            letters.iter().rev().collect()
        }
        "I" | "i" => roman(size),
        _ if picture.chars().all(|c| matches!(c, '0' | '#' | ',')) && picture.contains('0') => {
            let least = picture.matches('0').count();
            let digits = format!("{size:0least$}");
            match picture.rfind(',').map(|at| picture.len() - at - 1).filter(|size| *size > 0) {
                Some(size) => grouped(&digits, size),
                None => digits,
            }
        }
        other => return Err(format!("the picture {other} of $formatInteger is not supported")),
    };
    let text = if matches!(&*picture, "a" | "i") { text.to_lowercase() } else { text };
    Ok(Val::text(format!("{sign}{text}")))
}

const ROMAN: [(u64, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

fn roman(mut number: u64) -> String {
    let mut text = String::new();
    for (value, letters) in ROMAN {
        while number >= value && text.len() < 10_000 {
            text.push_str(letters);
            number -= value;
        }
    }
    text
}

fn parse_integer(call: &Call<'_>) -> Result {
    let Some(text) = call.optional_text(0)? else { return Ok(Val::Undefined) };
    let picture = call.text(1)?;
    if !picture.chars().all(|c| matches!(c, '0' | '#' | ',')) {
        return Err(format!("the picture {picture} of $parseInteger is not supported"));
    }
    let digits: String = text.chars().filter(|c| *c != ',').collect();
    digits
        .parse::<i64>()
        .map(|number| Val::Number(number as f64))
        .map_err(|_| format!("D3137: \"{text}\" does not match the picture"))
}
