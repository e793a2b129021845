//! From text and to text.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, StringBuilder};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};

use super::number::{fits, parse_number};
use super::{not_castable, primitive};
use crate::error::{ErrorCode, TrinoError};
use crate::time::{
    Zone, parse_date, parse_time, parse_timestamp, parse_zoned_time, times, timestamps, zoned_times, zoned_timestamps,
};
use crate::types::Type;
use crate::types::format::{java_double, write_value};

/// A cast's argument that can't be converted.
pub(super) fn invalid(message: impl Into<String>) -> TrinoError {
    TrinoError::new(ErrorCode::InvalidCastArgument, message)
}

pub(super) fn to_text(array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, TrinoError> {
    let mut out = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut text = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            out.append_null();
            continue;
        }
        text.clear();
        match from {
            Type::Double => {
                write_scientific(&mut text, &format!("{:e}", array.as_primitive::<Float64Type>().value(row)))
            }
            Type::Real => write_scientific(&mut text, &seven_digits(array.as_primitive::<Float32Type>().value(row))),
            _ => write_value(&mut text, array, row, from),
        }
        // A late year has a sign where it is shown, and none as text.
        let text = if from == &Type::Date { text.trim_start_matches('+') } else { &text };
        out.append_value(fit(text, from, to)?);
    }
    Ok(Arc::new(out.finish()))
}

/// Text and dates are cut off at the target's length; numbers must fit.
fn fit<'a>(text: &'a str, from: &Type, to: &Type) -> Result<&'a str, TrinoError> {
    let (Type::Varchar(Some(length)) | Type::Char(length)) = to else { return Ok(text) };
    let cut = text.char_indices().nth(*length as usize).map(|(at, _)| &text[..at]);
    // Approximate numbers are shown both ways.
    let (shown, end) = match (from, text.parse::<f64>()) {
        (Type::Double | Type::Real, Ok(value)) => (format!("{} (", java_double(value)), ")"),
        _ => (String::new(), ""),
    };
    match (to, cut) {
        (Type::Char(_), cut) => Ok(cut.unwrap_or(text).trim_end_matches(' ')),
        (_, None) => Ok(text),
        (_, Some(cut)) if matches!(from, Type::Varchar(_) | Type::Char(_)) => Ok(cut),
        _ => Err(invalid(format!("Value {shown}{text}{end} cannot be represented as {to}"))),
    }
}

/// A real has seven digits as text.
fn seven_digits(value: f32) -> String {
    let text = format!("{value:.6e}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return format!("{value:e}") };
    format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
}

/// `1.5E0`, as SQL writes approximate numbers.
pub(super) fn write_scientific(out: &mut String, rust: &str) {
    match rust {
        "0e0" | "-0e0" => out.push_str(&rust.to_uppercase()),
        "NaN" => out.push_str("NaN"),
        "inf" => out.push_str("Infinity"),
        "-inf" => out.push_str("-Infinity"),
        _ => {
            let (mantissa, exponent) = rust.split_once('e').unwrap_or((rust, "0"));
            out.push_str(mantissa);
            if !mantissa.contains('.') {
                out.push_str(".0");
            }
            out.push('E');
            out.push_str(exponent);
        }
    }
}

pub(super) fn from_text(array: &ArrayRef, from: &Type, to: &Type) -> Result<ArrayRef, TrinoError> {
    let texts = array.as_string::<i32>();
    let at = |row: usize| texts.value(row);
    let refuse = |row: usize, name: &str| invalid(format!("Cannot cast '{}' to {name}", at(row)));
    let array: ArrayRef = match to {
        Type::Boolean => {
            let value = |row| if texts.is_null(row) { Ok(None) } else { boolean(at(row)).map(Some) };
            Arc::new((0..texts.len()).map(value).collect::<Result<BooleanArray, _>>()?)
        }
        Type::Tinyint => {
            Arc::new(primitive::<Int8Type>(texts, |row| at(row).parse().map_err(|_| refuse(row, "TINYINT")))?)
        }
        Type::Smallint => {
            Arc::new(primitive::<Int16Type>(texts, |row| at(row).parse().map_err(|_| refuse(row, "SMALLINT")))?)
        }
        Type::Integer => {
            Arc::new(primitive::<Int32Type>(texts, |row| at(row).parse().map_err(|_| refuse(row, "INT")))?)
        }
        Type::Bigint => {
            Arc::new(primitive::<Int64Type>(texts, |row| at(row).parse().map_err(|_| refuse(row, "BIGINT")))?)
        }
        Type::Real => {
            let value = |row| float(at(row)).map(|value| value as f32).ok_or_else(|| refuse(row, "REAL"));
            Arc::new(primitive::<Float32Type>(texts, value)?)
        }
        Type::Double => {
            Arc::new(primitive::<Float64Type>(texts, |row| float(at(row)).ok_or_else(|| refuse(row, "DOUBLE")))?)
        }
        Type::Decimal(precision, scale) => {
            let values = primitive::<Decimal128Type>(texts, |row| decimal(at(row), *precision, *scale))?;
            Arc::new(values.with_precision_and_scale(*precision, *scale as i8)?)
        }
        Type::Date => {
            let value = |row| parse_date(at(row).trim()).ok_or_else(|| unreadable("date", at(row)));
            Arc::new(primitive::<Date32Type>(texts, value)?)
        }
        Type::Varbinary => Arc::new(texts.iter().map(|text| text.map(str::as_bytes)).collect::<BinaryArray>()),
        Type::Uuid => return each(texts, |text| Ok(uuid(text)?.hyphenated().to_string())),
        Type::KdbTree => return each(texts, crate::functions::kdb_tree),
        Type::IpAddress => {
            let bytes = all(texts, ip_address)?;
            Arc::new(bytes.iter().map(Option::as_ref).collect::<BinaryArray>())
        }
        Type::Time(precision) => {
            return times(
                *precision,
                all(texts, |text| parse_time(text).ok_or_else(|| unreadable("time", text)))?.into_iter(),
            );
        }
        Type::TimeTz(precision) => {
            // That is no slip: Trino calls the type so.
            let read = |text: &str| parse_zoned_time(text.trim()).ok_or_else(|| unreadable("timestamp", text));
            return zoned_times(*precision, all(texts, read)?.into_iter());
        }
        Type::Timestamp(precision) => return timestamps(*precision, all(texts, local)?.into_iter(), None),
        Type::TimestampTz(precision) => return zoned_timestamps(*precision, all(texts, zoned)?),
        _ => return Err(not_castable(from, to)),
    };
    Ok(array)
}

fn unreadable(what: &str, text: &str) -> TrinoError {
    invalid(format!("Value cannot be cast to {what}: {text}"))
}

fn all<T>(
    texts: &arrow::array::StringArray,
    read: impl Fn(&str) -> Result<T, TrinoError>,
) -> Result<Vec<Option<T>>, TrinoError> {
    texts.iter().map(|text| text.map(&read).transpose()).collect()
}

fn each(
    texts: &arrow::array::StringArray,
    convert: impl Fn(&str) -> Result<String, TrinoError>,
) -> Result<ArrayRef, TrinoError> {
    Ok(Arc::new(all(texts, convert)?.into_iter().collect::<arrow::array::StringArray>()))
}

/// What a clock showed; a zone behind it doesn't matter.
fn local(text: &str) -> Result<i128, TrinoError> {
    match parse_timestamp(text) {
        Some((local, zone)) if zone.is_none_or(|zone| Zone::parse(zone).is_some()) => Ok(local),
        _ => Err(unreadable("timestamp", text)),
    }
}

/// A text without a zone is UTC's, the zone of every session.
fn zoned(text: &str) -> Result<(i128, Cow<'static, str>), TrinoError> {
    let refuse = || unreadable("timestamp", text);
    let (local, zone) = parse_timestamp(text).ok_or_else(refuse)?;
    let zone = Zone::parse(zone.unwrap_or("UTC")).ok_or_else(refuse)?;
    Ok((zone.instant(local), zone.name()))
}

fn boolean(text: &str) -> Result<bool, TrinoError> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "1" => Ok(true),
        "f" | "false" | "0" => Ok(false),
        _ => Err(invalid(format!("Cannot cast '{text}' to BOOLEAN"))),
    }
}

/// A number as Java reads it: blanks around it don't matter, and infinity has one spelling.
pub(super) fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let known =
        unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') || matches!(unsigned, "NaN" | "Infinity");
    if !known {
        return None;
    }
    if unsigned.starts_with("0x") || unsigned.starts_with("0X") {
        let value = hexadecimal(&unsigned[2..])?;
        return Some(if text.starts_with('-') { -value } else { value });
    }
    text.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(text).parse().ok()
}

/// What Java reads after `0x`: hexadecimal digits, a `p`, and the power of two that they are taken by.
fn hexadecimal(text: &str) -> Option<f64> {
    let (digits, power) = text.split_once(['p', 'P'])?;
    let power: i32 = power.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(power).parse().ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    // More digits than a double holds would have to be rounded.
    let value = u64::from_str_radix(&all, 16).ok().filter(|value| *value < 1 << 53 && !all.starts_with('+'))?;
    Some(value as f64 * 2_f64.powi(power) * 16_f64.powi(-(fraction.len() as i32)))
}

fn decimal(text: &str, precision: u8, scale: u8) -> Result<i128, TrinoError> {
    let refuse = |why: &str| invalid(format!("Cannot cast VARCHAR '{text}' to DECIMAL({precision}, {scale}){why}"));
    let number = parse_number(text).ok_or_else(|| match text.trim_start_matches(['-', '+']) {
        digits if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            refuse(". Value too large.")
        }
        _ => refuse(". Value is not a number."),
    })?;
    let value = number.at_scale(scale.into()).filter(|value| fits(*value, precision));
    value.ok_or_else(|| refuse(". Value too large."))
}

fn uuid(text: &str) -> Result<uuid::Uuid, TrinoError> {
    let refuse = || invalid(format!("Cannot cast value to UUID: {text}"));
    if text.len() != 36 {
        return Err(refuse());
    }
    uuid::Uuid::try_parse(text).map_err(|_| refuse())
}

/// An address is the 16 bytes of version 6, in which those of version 4 have a place.
fn ip_address(text: &str) -> Result<[u8; 16], TrinoError> {
    let address: IpAddr = text.parse().map_err(|_| invalid(format!("Cannot cast value to IPADDRESS: {text}")))?;
    Ok(six(address))
}

fn six(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// The 4 bytes of version 4 are an address too.
pub(super) fn address_of_bytes(array: &ArrayRef) -> Result<ArrayRef, TrinoError> {
    let address = |bytes: &[u8]| match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
        (Ok(bytes), _) => Ok(six(bytes.into())),
        (_, Ok(bytes)) => Ok(bytes),
        _ => Err(invalid(format!("Invalid IP address binary length: {}", bytes.len()))),
    };
    let bytes: Vec<_> =
        array.as_binary::<i32>().iter().map(|bytes| bytes.map(address).transpose()).collect::<Result<_, _>>()?;
    Ok(Arc::new(bytes.iter().map(Option::as_ref).collect::<BinaryArray>()))
}

/// A UUID is its text here; as bytes it is 16 of them.
pub(super) fn uuid_bytes(array: &ArrayRef, to: &Type) -> Result<ArrayRef, TrinoError> {
    if to == &Type::Varbinary {
        let bytes = all(array.as_string::<i32>(), |text| Ok(uuid(text)?.into_bytes()))?;
        return Ok(Arc::new(bytes.iter().map(Option::as_ref).collect::<BinaryArray>()));
    }
    let text = |bytes: &[u8]| match uuid::Uuid::from_slice(bytes) {
        Ok(uuid) => Ok(uuid.hyphenated().to_string()),
        Err(_) => Err(invalid(format!("Invalid UUID binary length: {}", bytes.len()))),
    };
    let texts: Vec<_> =
        array.as_binary::<i32>().iter().map(|bytes| bytes.map(text).transpose()).collect::<Result<_, _>>()?;
    Ok(Arc::new(texts.into_iter().collect::<arrow::array::StringArray>()))
}
