//! `format`: text after a pattern as Java's `Formatter` reads it.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type};

use super::super::Table;
use super::super::support::{Computed, text};
use crate::error::{ErrorCode, TrinoError};
use crate::kernel::Call;
use crate::types::Type;
use crate::types::format::write_value;

mod moment;
mod number;

pub(super) fn register(table: &mut Table) {
    table.kernel("format(varchar, any...) -> varchar", "Values put into a pattern such as `%s: %.2f`.", format);
}

fn format(call: &Call<'_>) -> Computed {
    if call.len() < 2 {
        return Err(TrinoError::invalid("There must be two or more arguments to format()"));
    }
    for ty in &call.types[1..] {
        if matches!(ty, Type::Array(_) | Type::Map(..) | Type::Row(_) | Type::Varbinary) {
            let message = format!("Type not supported for formatting: {ty}");
            return Err(TrinoError::new(ErrorCode::NotSupported, message));
        }
    }
    let patterns = text(call, 0)?;
    let values = (1..call.len()).map(|index| call.array(index)).collect::<Result<Vec<_>, _>>()?;
    let mut known: Option<(String, Vec<Piece>)> = None;
    let mut written = String::new();
    write_all(call, |row, out| {
        let Some(pattern) = patterns.get(row) else { return Ok(None) };
        let named = |problem: String| TrinoError::invalid(format!("Invalid format string: {pattern} ({problem})"));
        if known.as_ref().is_none_or(|(last, _)| last != pattern) {
            known = Some((pattern.to_owned(), parse(pattern).map_err(named)?));
        }
        let pieces = known.as_ref().map_or(&[][..], |(_, pieces)| pieces);
        written.clear();
        let arguments = Arguments { values: &values, types: &call.types[1..], row };
        arguments.write(&mut written, pieces).map_err(named)?;
        out.push_str(&written);
        Ok(Some(()))
    })
}

/// NULL values are shown, so only a NULL pattern gives NULL.
fn write_all(call: &Call<'_>, mut each: impl FnMut(usize, &mut String) -> Result<Option<()>, TrinoError>) -> Computed {
    let mut texts = arrow::array::StringBuilder::new();
    let mut text = String::new();
    for row in 0..call.rows {
        text.clear();
        texts.append_option(each(row, &mut text)?.map(|()| text.as_str()));
    }
    Ok(std::sync::Arc::new(texts.finish()))
}

/// A part of a pattern.
enum Piece {
    Text(String),
    Value(Specifier),
}

/// `%[index$][flags][width][.precision]conversion`.
struct Specifier {
    index: Index,
    flags: String,
    width: Option<usize>,
    precision: Option<usize>,
    /// The part of a date, for the conversions `t` and `T`.
    part: Option<char>,
    conversion: char,
    source: String,
}

#[derive(Clone, Copy, PartialEq)]
enum Index {
    Next,
    Same,
    At(usize),
}

fn parse(pattern: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].to_owned()));
        }
        let (specifier, after) = specifier(&rest[at..])?;
        pieces.push(Piece::Value(specifier));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

fn specifier(source: &str) -> Result<(Specifier, &str), String> {
    let unknown = || "UnknownFormatConversion: Conversion = '%'".to_owned();
    let mut rest = &source[1..];
    let mut index = Index::Next;
    let digits = digits_of(rest);
    if rest[digits.len()..].starts_with('$') {
        index = Index::At(digits.parse().map_err(|_| unknown())?);
        rest = &rest[digits.len() + 1..];
    }
    let count = rest.find(|letter| !"-#+ 0,(<".contains(letter)).unwrap_or(rest.len());
    let (mut flags, after) = (rest[..count].to_owned(), &rest[count..]);
    if flags.contains('<') {
        (index, flags) = (Index::Same, flags.replace('<', ""));
    }
    if let Some((_, twice)) = flags.char_indices().find(|(at, flag)| flags[..*at].contains(*flag)) {
        return Err(format!("DuplicateFormatFlags: Flags = '{twice}'"));
    }
    let digits = digits_of(after);
    let (width, mut rest) = (digits.parse().ok(), &after[digits.len()..]);
    let mut precision = None;
    if let Some(after) = rest.strip_prefix('.') {
        let digits = digits_of(after);
        precision = Some(digits.parse().map_err(|_| unknown())?);
        rest = &after[digits.len()..];
    }
    let mut letters = rest.chars();
    let conversion = letters.next().ok_or_else(unknown)?;
    let part = match conversion {
        't' | 'T' => {
            Some(letters.next().ok_or_else(|| format!("UnknownFormatConversion: Conversion = '{conversion}'"))?)
        }
        _ => None,
    };
    let rest = letters.as_str();
    let source = source[..source.len() - rest.len()].to_owned();
    let specifier = Specifier { index, flags, width, precision, part, conversion, source };
    specifier.check()?;
    Ok((specifier, rest))
}

fn digits_of(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    // A leading zero is a flag.
    if text.starts_with('0') { "" } else { &text[..end] }
}

impl Specifier {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }

    fn check(&self) -> Result<(), String> {
        let (kind, flags) = (self.conversion.to_ascii_lowercase(), &self.flags);
        let allowed = match self.conversion {
            'd' => "-+ 0,(",
            'o' | 'x' | 'X' => "-#0",
            'f' | 'g' | 'G' => "-#+ 0,(",
            'e' | 'E' => "-#+ 0(",
            's' | 'S' | 'b' | 'B' | 'c' | 'C' | 't' | 'T' | '%' => "-",
            'h' | 'H' => "-",
            'n' => "",
            other => return Err(format!("UnknownFormatConversion: Conversion = '{other}'")),
        };
        if let (Some(width), 'n') = (self.width, kind) {
            return Err(format!("IllegalFormatWidth: {width}"));
        }
        if let Some(flag) = flags.chars().find(|flag| !allowed.contains(*flag)) {
            let conversion = self.conversion;
            return Err(format!("FormatFlagsConversionMismatch: Conversion = {conversion}, Flags = {flag}"));
        }
        if (self.has('-') && self.has('0')) || (self.has('+') && self.has(' ')) {
            return Err(format!("IllegalFormatFlags: Flags = '{flags}'"));
        }
        if (self.has('-') || self.has('0')) && self.width.is_none() {
            return Err(format!("MissingFormatWidth: {}", self.source));
        }
        match (self.precision, kind) {
            (Some(precision), 'd' | 'o' | 'x' | 'c' | 't' | 'n' | '%') => {
                Err(format!("IllegalFormatPrecision: {precision}"))
            }
            _ => Ok(()),
        }
    }

    /// Appends text, filled up to the width.
    fn pad(&self, out: &mut String, text: &str) {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if !self.has('-') {
            out.extend(std::iter::repeat_n(' ', missing));
        }
        match self.conversion.is_ascii_uppercase() {
            true => out.push_str(&text.to_uppercase()),
            false => out.push_str(text),
        }
        if self.has('-') {
            out.extend(std::iter::repeat_n(' ', missing));
        }
    }
}

/// The values of one row.
struct Arguments<'a> {
    values: &'a [ArrayRef],
    types: &'a [Type],
    row: usize,
}

impl Arguments<'_> {
    fn write(&self, out: &mut String, pieces: &[Piece]) -> Result<(), String> {
        let (mut next, mut last) = (0, None);
        for piece in pieces {
            let specifier = match piece {
                Piece::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Piece::Value(specifier) => specifier,
            };
            match specifier.conversion {
                '%' => specifier.pad(out, "%"),
                'n' => out.push('\n'),
                _ => {
                    let index = match specifier.index {
                        Index::At(position) => position.checked_sub(1),
                        Index::Same => last,
                        Index::Next => {
                            next += 1;
                            Some(next - 1)
                        }
                    };
                    let index = index.filter(|index| *index < self.values.len());
                    let missing = || format!("MissingFormatArgument: Format specifier '{}'", specifier.source);
                    last = Some(index.ok_or_else(missing)?);
                    self.write_value(out, specifier, index.ok_or_else(missing)?)?;
                }
            }
        }
        Ok(())
    }

    fn write_value(&self, out: &mut String, specifier: &Specifier, index: usize) -> Result<(), String> {
        let (array, ty) = (&self.values[index], &self.types[index]);
        let null = *ty == Type::Unknown || array.is_null(self.row);
        let text = match specifier.conversion.to_ascii_lowercase() {
            'b' => match ty {
                Type::Boolean if !null => array.as_boolean().value(self.row).to_string(),
                _ => (!null).to_string(),
            },
            _ if null => "null".to_owned(),
            's' => shown(array, self.row, ty),
            'h' => match hash_code(array, self.row, ty) {
                Some(code) => format!("{code:x}"),
                None => return Err(format!("UnknownFormatConversion: Conversion = '{}'", specifier.conversion)),
            },
            'd' | 'o' | 'x' => match integer(array, self.row, ty) {
                Some((value, bits)) => {
                    number::write_integer(out, specifier, value, bits);
                    return Ok(());
                }
                None => return Err(specifier.mismatch(ty)),
            },
            'f' | 'e' | 'g' => {
                number::write_decimal(
                    out,
                    specifier,
                    &real(array, self.row, ty).ok_or_else(|| specifier.mismatch(ty))?,
                );
                return Ok(());
            }
            'c' => {
                let code = integer(array, self.row, ty).and_then(|(value, _)| u32::try_from(value).ok());
                code.and_then(char::from_u32).ok_or_else(|| specifier.mismatch(ty))?.to_string()
            }
            't' => moment::shown(array, self.row, ty, specifier.part.unwrap_or(' '))
                .ok_or_else(|| specifier.mismatch(ty))?,
            _ => return Err(format!("UnknownFormatConversion: Conversion = '{}'", specifier.conversion)),
        };
        let text = match specifier.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text,
        };
        specifier.pad(out, &text);
        Ok(())
    }
}

impl Specifier {
    fn mismatch(&self, ty: &Type) -> String {
        let class = match ty {
            Type::Boolean => "java.lang.Boolean",
            Type::Tinyint | Type::Smallint | Type::Integer | Type::Bigint => "java.lang.Long",
            Type::Real => "java.lang.Float",
            Type::Double => "java.lang.Double",
            Type::Decimal(..) => "java.math.BigDecimal",
            Type::Date => "java.time.LocalDate",
            Type::Timestamp(_) => "java.time.LocalDateTime",
            Type::TimestampTz(_) => "java.time.ZonedDateTime",
            Type::Time(_) => "java.time.LocalTime",
            _ => "java.lang.String",
        };
        format!("IllegalFormatConversion: {} != {class}", self.part.unwrap_or(self.conversion))
    }
}

/// A value as `%s` shows it: as elsewhere, but times the way Java does.
fn shown(array: &ArrayRef, row: usize, ty: &Type) -> String {
    moment::iso(array, row, ty).unwrap_or_else(|| {
        let mut text = String::new();
        write_value(&mut text, array, row, ty);
        text
    })
}

/// Java's hash code of a text, a number or a boolean; none for what would take more of Java to tell.
fn hash_code(array: &ArrayRef, row: usize, ty: &Type) -> Option<i32> {
    let folded = |bits: i64| (bits ^ ((bits as u64) >> 32) as i64) as i32;
    Some(match ty {
        Type::Varchar(_) | Type::Char(_) => {
            let text = array.as_string::<i32>().value(row);
            text.encode_utf16().fold(0_i32, |code, unit| code.wrapping_mul(31).wrapping_add(unit.into()))
        }
        Type::Boolean => {
            if array.as_boolean().value(row) {
                1231
            } else {
                1237
            }
        }
        Type::Double => folded((array.as_primitive::<Float64Type>().value(row)).to_bits() as i64),
        Type::Real => array.as_primitive::<Float32Type>().value(row).to_bits() as i32,
        _ => folded(integer(array, row, ty)?.0),
    })
}

/// An integer and how many bits its type has.
fn integer(array: &ArrayRef, row: usize, ty: &Type) -> Option<(i64, u32)> {
    use arrow::datatypes::{Int8Type, Int16Type, Int32Type, Int64Type};
    Some(match ty {
        Type::Tinyint => (array.as_primitive::<Int8Type>().value(row).into(), 64),
        Type::Smallint => (array.as_primitive::<Int16Type>().value(row).into(), 64),
        Type::Integer => (array.as_primitive::<Int32Type>().value(row).into(), 64),
        Type::Bigint => (array.as_primitive::<Int64Type>().value(row), 64),
        _ => return None,
    })
}

/// A number with a fraction, exactly, as its decimal digits; or what is no number as its name.
fn real(array: &ArrayRef, row: usize, ty: &Type) -> Option<String> {
    let mut text = String::new();
    match ty {
        Type::Real => {
            let _ = write!(text, "{}", array.as_primitive::<Float32Type>().value(row));
        }
        Type::Double => {
            let _ = write!(text, "{}", array.as_primitive::<Float64Type>().value(row));
        }
        Type::Decimal(..) => {
            debug_assert!(array.as_primitive_opt::<Decimal128Type>().is_some());
            write_value(&mut text, array, row, ty);
        }
        _ => return None,
    }
    Some(text)
}
