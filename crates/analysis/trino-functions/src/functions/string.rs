//! Functions of text. Positions and lengths count Unicode code points.

mod compare;
mod format;
mod pad;
mod split;
mod stem;

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringBuilder};
use arrow::datatypes::{Int32Type, Int64Type};
use unicode_normalization::UnicodeNormalization;

use super::Table;
use super::support::{Computed, bigints, bytes, optional_bigints, primitives, text, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;
use crate::types::Type;

pub(crate) fn register(table: &mut Table) {
    table.kernel("chr(bigint) -> varchar(1)", "The character with a code point.", chr);
    table.kernel("codepoint(varchar(1)) -> integer", "The code point of the only character.", codepoint);
    table.kernel("concat(varchar...) -> varchar", "One text after the other.", concat);
    table.kernel("concat(char(x), char(y)) -> char(x + y)", "One text after the other.", concat_chars);
    table.kernel(
        "concat_ws(varchar, array(varchar)) -> varchar",
        "The texts of an array with a separator between them, NULLs left out.",
        concat_ws_array,
    );
    table.kernel(
        "concat_ws(varchar, varchar...) -> varchar",
        "Texts with a separator between them, NULLs left out.",
        concat_ws,
    );
    table.kernel("length(varchar(x)) -> bigint", "The number of characters.", length).never_fails();
    table.kernel("length(char(x)) -> bigint", "The number of characters.", length).never_fails();
    table.kernel("lower(varchar(x)) -> varchar(x)", "The text in small letters.", lower).never_fails();
    table.kernel("lower(char(x)) -> char(x)", "The text in small letters.", lower).never_fails();
    table.kernel("upper(varchar(x)) -> varchar(x)", "The text in capital letters.", upper).never_fails();
    table.kernel("upper(char(x)) -> char(x)", "The text in capital letters.", upper).never_fails();
    table.kernel("replace(varchar(x), varchar) -> varchar(x)", "The text without all occurrences of another.", replace);
    table.kernel(
        "replace(varchar(x), varchar, varchar(z)) -> varchar(x + z * (x + 1))",
        "The text with all occurrences of another replaced.",
        replace,
    );
    table.kernel("reverse(varchar(x)) -> varchar(x)", "The characters in reverse order.", reverse);
    table.kernel("substr(varchar(x), bigint) -> varchar(x)", "The text from a position on.", substr);
    table.kernel("substr(char(x), bigint) -> varchar(x)", "The text from a position on.", substr);
    table.kernel("substr(varchar(x), bigint, bigint) -> varchar(x)", "A piece of the text.", substr);
    table.kernel("substr(char(x), bigint, bigint) -> varchar(x)", "A piece of the text.", substr);
    table.alias("substring", "substr");
    table.kernel(
        "translate(varchar, varchar, varchar) -> varchar",
        "The text with characters of one list replaced by those of another, or removed.",
        translate,
    );
    table.kernel("normalize(varchar) -> varchar", "The text in the Unicode normal form NFC.", normalize);
    table.kernel("normalize(varchar, varchar) -> varchar", "The text in a Unicode normal form.", normalize);
    table.kernel("from_utf8(varbinary) -> varchar", "The text that bytes encode.", from_utf8);
    table.kernel(
        "from_utf8(varbinary, bigint) -> varchar",
        "The text that bytes encode, with another character for wrong bytes.",
        from_utf8,
    );
    table.kernel(
        "from_utf8(varbinary, varchar) -> varchar",
        "The text that bytes encode, with another character for wrong bytes.",
        from_utf8,
    );
    compare::register(table);
    format::register(table);
    pad::register(table);
    split::register(table);
    stem::register(table);
}

fn chr(call: &Call<'_>) -> Computed {
    let codes = bigints(call, 0)?;
    write_texts(call, |row, out| {
        let code = codes.value(row);
        let letter = u32::try_from(code).ok().and_then(char::from_u32);
        out.push(letter.ok_or_else(|| TrinoError::invalid(format!("Not a valid Unicode code point: {code}")))?);
        Ok(Some(()))
    })
}

fn codepoint(call: &Call<'_>) -> Computed {
    let letters = text(call, 0)?;
    primitives::<Int32Type>(call, |row| match letters.value(row).chars().next() {
        Some(letter) => Ok(Some(u32::from(letter) as i32)),
        None => Err(TrinoError::invalid("Input string must be a single character string")),
    })
}

fn concat(call: &Call<'_>) -> Computed {
    if call.len() < 2 {
        return Err(TrinoError::invalid("There must be two or more concatenation arguments"));
    }
    let pieces = (0..call.len()).map(|index| text(call, index)).collect::<Result<Vec<_>, _>>()?;
    write_texts(call, |row, out| {
        pieces.iter().for_each(|piece| out.push_str(piece.value(row)));
        Ok(Some(()))
    })
}

/// The first text is as wide as its type; blanks at the end are not stored.
fn concat_chars(call: &Call<'_>) -> Computed {
    let Type::Char(width) = call.types[0] else { return Err(TrinoError::internal("char is a text of some width")) };
    let (left, right) = (text(call, 0)?, text(call, 1)?);
    write_texts(call, |row, out| {
        let (left, right) = (left.value(row), right.value(row).trim_end_matches(' '));
        out.push_str(left);
        if !right.is_empty() {
            out.extend(std::iter::repeat_n(' ', (width as usize).saturating_sub(left.chars().count())));
            out.push_str(right);
        }
        Ok(Some(()))
    })
}

fn concat_ws(call: &Call<'_>) -> Computed {
    let separators = text(call, 0)?;
    let pieces = (1..call.len()).map(|index| text(call, index)).collect::<Result<Vec<_>, _>>()?;
    let mut builder = StringBuilder::new();
    for row in 0..call.rows {
        let Some(separator) = separators.get(row) else {
            builder.append_null();
            continue;
        };
        for (index, piece) in pieces.iter().filter_map(|piece| piece.get(row)).enumerate() {
            // Writing to memory can't fail.
            let _ = if index > 0 { builder.write_str(separator) } else { Ok(()) };
            let _ = builder.write_str(piece);
        }
        builder.append_value("");
    }
    Ok(Arc::new(builder.finish()))
}

fn concat_ws_array(call: &Call<'_>) -> Computed {
    let (separators, arrays) = (text(call, 0)?, call.array(1)?);
    let lists = arrays.as_list::<i32>();
    let values = lists.values().as_string::<i32>();
    write_texts(call, |row, out| {
        let (from, to) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
        for (count, index) in (from..to).filter(|index| values.is_valid(*index)).enumerate() {
            if count > 0 {
                out.push_str(separators.value(row));
            }
            out.push_str(values.value(index));
        }
        Ok(Some(()))
    })
}

/// A `char(n)` always has n characters.
fn length(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    let fixed = match call.types {
        [Type::Char(width)] => Some(i64::from(*width)),
        _ => None,
    };
    primitives::<Int64Type>(call, |row| Ok(Some(fixed.unwrap_or_else(|| values.value(row).chars().count() as i64))))
}

fn lower(call: &Call<'_>) -> Computed {
    map_letters(call, |letter| match letter {
        'İ' => 'i',
        _ => only(letter.to_lowercase(), letter),
    })
}

fn upper(call: &Call<'_>) -> Computed {
    map_letters(call, |letter| only(letter.to_uppercase(), letter))
}

/// Each character becomes one character: those that would become several (such as `ß`) stay.
fn only(mut mapped: impl ExactSizeIterator<Item = char>, letter: char) -> char {
    if mapped.len() == 1 { mapped.next().unwrap_or(letter) } else { letter }
}

fn map_letters(call: &Call<'_>, map: impl Fn(char) -> char) -> Computed {
    let values = text(call, 0)?;
    write_texts(call, |row, out| {
        out.extend(values.value(row).chars().map(&map));
        Ok(Some(()))
    })
}

fn replace(call: &Call<'_>) -> Computed {
    let (values, searches) = (text(call, 0)?, text(call, 1)?);
    let replacements = (call.len() > 2).then(|| text(call, 2)).transpose()?;
    write_texts(call, |row, out| {
        let replacement = replacements.as_ref().map_or("", |texts| texts.value(row));
        let (value, search) = (values.value(row), searches.value(row));
        let mut end = 0;
        for (at, found) in value.match_indices(search) {
            out.push_str(&value[end..at]);
            out.push_str(replacement);
            end = at + found.len();
        }
        out.push_str(&value[end..]);
        Ok(Some(()))
    })
}

fn reverse(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    write_texts(call, |row, out| {
        out.extend(values.value(row).chars().rev());
        Ok(Some(()))
    })
}

fn substr(call: &Call<'_>) -> Computed {
    let (values, starts, lengths) = (text(call, 0)?, bigints(call, 1)?, optional_bigints(call, 2)?);
    // A char has blanks up to its length, which its values are kept without.
    let padded = if let Type::Char(length) = call.types[0] { length as usize } else { 0 };
    let mut whole = String::new();
    write_texts(call, |row, out| {
        let length = lengths.as_ref().map_or(i64::MAX, |lengths| lengths.value(row));
        let value = values.value(row);
        whole.clear();
        if padded > 0 {
            whole.push_str(value);
            whole.extend(std::iter::repeat_n(' ', padded.saturating_sub(value.chars().count())));
        }
        let value = if padded > 0 { whole.as_str() } else { value };
        out.push_str(piece(value, starts.value(row), length));
        Ok(Some(()))
    })
}

/// From a position that counts from 1, or from the end if negative. Outside of the text there is nothing.
fn piece(value: &str, start: i64, length: i64) -> &str {
    let (Ok(length), true) = (usize::try_from(length), start != 0) else { return "" };
    let from = match usize::try_from(start) {
        Ok(start) => offset(value, start - 1),
        Err(_) => {
            let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
            value.char_indices().nth_back(back - 1).map(|(at, _)| at)
        }
    };
    let Some(rest) = from.map(|from| &value[from..]) else { return "" };
    &rest[..offset(rest, length).unwrap_or(rest.len())]
}

/// Where the character with this index begins.
fn offset(value: &str, index: usize) -> Option<usize> {
    if index >= value.len() {
        return None;
    }
    value.char_indices().nth(index).map(|(at, _)| at)
}

fn translate(call: &Call<'_>) -> Computed {
    let (values, from, to) = (text(call, 0)?, text(call, 1)?, text(call, 2)?);
    let mut known = (String::new(), String::new());
    let mut mapping = HashMap::new();
    write_texts(call, |row, out| {
        let (from, to) = (from.value(row), to.value(row));
        if known.0 != from || known.1 != to {
            known = (from.to_owned(), to.to_owned());
            mapping.clear();
            let mut targets = to.chars();
            for letter in from.chars() {
                let target = targets.next();
                mapping.entry(letter).or_insert(target);
            }
        }
        out.extend(values.value(row).chars().filter_map(|letter| match mapping.get(&letter) {
            Some(target) => *target,
            None => Some(letter),
        }));
        Ok(Some(()))
    })
}

fn normalize(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    let forms = (call.len() > 1).then(|| text(call, 1)).transpose()?;
    write_texts(call, |row, out| {
        let value = values.value(row);
        match forms.as_ref().map_or("NFC", |forms| forms.value(row)) {
            "NFC" => out.extend(value.nfc()),
            "NFD" => out.extend(value.nfd()),
            "NFKC" => out.extend(value.nfkc()),
            "NFKD" => out.extend(value.nfkd()),
            _ => return Err(TrinoError::invalid("Normalization form must be one of [NFD, NFC, NFKD, NFKC]")),
        }
        Ok(Some(()))
    })
}

fn from_utf8(call: &Call<'_>) -> Computed {
    let values = bytes(call, 0)?;
    let replacement: Box<dyn Fn(usize) -> Result<Option<char>, TrinoError>> = match call.types {
        [_, Type::Bigint] => {
            let codes = bigints(call, 1)?;
            Box::new(move |row| {
                let letter = u32::try_from(codes.value(row)).ok().and_then(char::from_u32);
                letter.map(Some).ok_or_else(|| TrinoError::invalid("Invalid replacement character"))
            })
        }
        [_, _] => {
            let letters = text(call, 1)?;
            Box::new(move |row| {
                let mut letters = letters.value(row).chars();
                let letter = letters.next();
                match letters.next() {
                    None => Ok(letter),
                    Some(_) => {
                        Err(TrinoError::invalid("Replacement character string must empty or a single character"))
                    }
                }
            })
        }
        _ => Box::new(|_| Ok(Some(char::REPLACEMENT_CHARACTER))),
    };
    write_texts(call, |row, out| {
        let replacement = replacement(row)?;
        for chunk in values.value(row).utf8_chunks() {
            out.push_str(chunk.valid());
            if !chunk.invalid().is_empty() {
                out.extend(replacement);
            }
        }
        Ok(Some(()))
    })
}

#[cfg(test)]
mod tests;
