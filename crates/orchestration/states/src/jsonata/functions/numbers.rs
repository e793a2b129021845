//! Numbers: conversion, arithmetic, aggregation.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;

use super::{Builtin, Call, integers, number_picture};
use crate::jsonata::eval::Result;
use crate::jsonata::syntax::Operator;
use crate::jsonata::value::{EXACT, Val, calculate, javascript, order};

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    let of = |body: fn(f64) -> f64| Ok(call.number(0)?.map_or(Val::Undefined, |number| Val::Number(body(number))));
    Some(match call.builtin {
        Builtin::Number => number(call),
        Builtin::Floor | Builtin::Ceil | Builtin::Abs | Builtin::Round if matches!(call.at(0), Val::Integer(_)) => {
            of_integer(call)
        }
        Builtin::Abs => of(f64::abs),
        Builtin::Floor => of(f64::floor),
        Builtin::Ceil => of(f64::ceil),
        Builtin::Sqrt => match call.number(0) {
            Ok(Some(number)) if number < 0.0 => {
                Err(format!("D3060: The sqrt function cannot be applied to a negative number: {}", javascript(number)))
            }
            _ => of(f64::sqrt),
        },
        Builtin::Power => power(call),
        Builtin::Round => round_call(call),
        Builtin::Sum | Builtin::Max | Builtin::Min | Builtin::Average => Ok(aggregate(call)),
        Builtin::FormatBase => format_base(call),
        Builtin::FormatNumber => format_number(call),
        Builtin::FormatInteger => with_picture(call, |number: f64, picture| {
            integers::Picture::parse(picture)?.format(number.floor()).map(Val::text)
        }),
        Builtin::ParseInteger => parse_integer(call),
        _ => return None,
    })
}

/// What is whole stays as it is, unless it is rounded to tens.
fn of_integer(call: &Call<'_>) -> Result {
    match (call.builtin, call.at(0)) {
        (Builtin::Abs, Val::Integer(integer)) => {
            Ok(integer.checked_abs().map_or_else(|| Val::Number((*integer as f64).abs()), Val::integer))
        }
        (Builtin::Round, _) if call.number(1)?.is_some_and(|places| places < 0.0 || places.fract() != 0.0) => {
            round_call(call)
        }
        (_, whole) => Ok(whole.clone()),
    }
}

fn with_picture(call: &Call<'_>, body: fn(f64, &str) -> Result) -> Result {
    let Some(number) = call.number(0)? else { return Ok(Val::Undefined) };
    let picture = call.text(1)?.ok_or_else(|| call.mismatch(2))?;
    body(number, &picture)
}

fn parse_integer(call: &Call<'_>) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    let picture = call.text(1)?.ok_or_else(|| call.mismatch(2))?;
    integers::Picture::parse(&picture)?.read(&text).map(Val::Number)
}

fn format_number(call: &Call<'_>) -> Result {
    let Some(number) = call.number(0)? else { return Ok(Val::Undefined) };
    let picture = call.text(1)?.ok_or_else(|| call.mismatch(2))?;
    number_picture::format(number, &picture, call.at(2)).map(Val::text)
}

static DECIMAL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^-?[0-9]+(\.[0-9]+)?([Ee][-+]?[0-9]+)?$").expect("the pattern is right"));
static PREFIXED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(0[xX][0-9A-Fa-f]+)|(0[oO][0-7]+)|(0[bB][0-1]+)$").expect("the pattern is right"));

fn number(call: &Call<'_>) -> Result {
    let cast = |shown: &str| format!("D3030: Unable to cast value to a number: {shown}");
    Ok(match call.at(0) {
        Val::Undefined => Val::Undefined,
        number @ (Val::Number(_) | Val::Integer(_)) => number.clone(),
        Val::Bool(value) => Val::Number(f64::from(u8::from(*value))),
        Val::String(text) => {
            let decimal = DECIMAL.is_match(text).then(|| text.parse::<f64>().ok()).flatten();
            match decimal.filter(|number| number.is_finite()) {
                Some(number) => text.parse().map_or(Val::Number(number), Val::integer),
                None if PREFIXED.is_match(text) => Val::Number(prefixed(text).unwrap_or(f64::NAN)),
                None => return Err(cast(&format!("\"{text}\""))),
            }
        }
        _ => return Err(call.mismatch(1)),
    })
}

fn prefixed(text: &str) -> Option<f64> {
    let radix = match text.get(..2)?.to_ascii_lowercase().as_str() {
        "0x" => 16,
        "0o" => 8,
        "0b" => 2,
        _ => return None,
    };
    let digits = &text[2..];
    (!digits.is_empty()).then_some(())?;
    digits.chars().try_fold(0.0, |value, c| Some(value * f64::from(radix) + f64::from(c.to_digit(radix)?)))
}

fn power(call: &Call<'_>) -> Result {
    let Some(base) = call.number(0)? else { return Ok(Val::Undefined) };
    let exponent = call.number(1)?.unwrap_or(f64::NAN);
    let value = if exponent.is_nan() { f64::NAN } else { base.powf(exponent) };
    if value.is_finite() {
        return Ok(Val::Number(value));
    }
    Err(format!(
        "D3061: The power function has resulted in a value that cannot be represented as a JSON number: \
         base={}, exponent={}",
        javascript(base),
        javascript(exponent)
    ))
}

fn round_call(call: &Call<'_>) -> Result {
    let Some(number) = call.number(0)? else { return Ok(Val::Undefined) };
    Ok(Val::Number(round(number, call.number(1)?.unwrap_or(0.0))))
}

/// Half goes to the even neighbour.
pub(super) fn round(number: f64, places: f64) -> f64 {
    shift(shift(number, places).round_ties_even(), -places) + 0.0
}

/// `number` × 10^`places` without the error that multiplying makes.
fn shift(number: f64, places: f64) -> f64 {
    if places == 0.0 || !number.is_finite() {
        return number;
    }
    if places.fract() != 0.0 {
        return f64::NAN;
    }
    let text = format!("{number:e}");
    let shifted = text.split_once('e').and_then(|(digits, power)| {
        let power: f64 = power.parse().ok()?;
        format!("{digits}e{}", power + places).parse().ok()
    });
    shifted.unwrap_or(number)
}

fn aggregate(call: &Call<'_>) -> Val {
    let Some(items) = call.items(0) else { return Val::Undefined };
    let numbers = || items.iter().filter(|item| matches!(item, Val::Number(_) | Val::Integer(_)));
    let small = || {
        items.iter().try_fold(0.0, |sum, item| match item {
            Val::Number(number) => Some(sum + number).filter(|sum| sum.abs() < EXACT as f64),
            _ => None,
        })
    };
    let exact = || {
        let plus = |sum: Val, number: &Val| calculate(Operator::Add, &sum, number).unwrap_or(Val::Number(f64::NAN));
        numbers().fold(Val::Number(0.0), plus)
    };
    let sum = || small().map_or_else(exact, Val::Number);
    let most = |wanted: Ordering| {
        let better = |best: &Val, other: &Val| order(other, best) == Some(wanted);
        let numbers = numbers().filter(|item| item.number().is_some());
        numbers.reduce(|best, other| if better(best, other) { other } else { best }).cloned()
    };
    match call.builtin {
        Builtin::Sum => sum(),
        _ if items.is_empty() => Val::Undefined,
        Builtin::Max => most(Ordering::Greater).unwrap_or(Val::Number(f64::NEG_INFINITY)),
        Builtin::Min => most(Ordering::Less).unwrap_or(Val::Number(f64::INFINITY)),
        _ => Val::Number(sum().number().unwrap_or(f64::NAN) / items.len() as f64),
    }
}

fn format_base(call: &Call<'_>) -> Result {
    let Some(number) = call.number(0)? else { return Ok(Val::Undefined) };
    let number = round(number, 0.0);
    let integer = if let Val::Integer(integer) = call.at(0) { Some(i128::from(*integer)) } else { None };
    let radix = round(call.number(1)?.unwrap_or(10.0), 0.0);
    if !(2.0..=36.0).contains(&radix) {
        return Err(format!(
            "D3100: The radix of the formatBase function must be between 2 and 36. It was given {}",
            javascript(radix)
        ));
    }
    if radix == 10.0 {
        return Ok(Val::text(integer.map_or_else(|| javascript(number), |integer| integer.to_string())));
    }
    let size = integer.map_or(number.abs() as u128, i128::unsigned_abs);
    let (radix, mut rest, mut digits) = (radix as u32, size, Vec::new());
    loop {
        digits.push(char::from_digit((rest % u128::from(radix)) as u32, radix).unwrap_or('0'));
        rest /= u128::from(radix);
        if rest == 0 {
            break;
        }
    }
    let sign = if number < 0.0 { "-" } else { "" };
    Ok(Val::text(format!("{sign}{}", digits.iter().rev().collect::<String>())))
}
