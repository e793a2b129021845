//! Padding and trimming.

use super::super::Table;
use super::super::support::{Computed, bigints, text, texts, write_texts};
use super::offset;
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    table.kernel(
        "lpad(varchar, bigint, varchar) -> varchar",
        "The text brought to a length, filled up in front.",
        lpad,
    );
    table.kernel("rpad(varchar, bigint, varchar) -> varchar", "The text brought to a length, filled up behind.", rpad);
    table.kernel("trim(varchar(x)) -> varchar(x)", "The text without white space around it.", trim).never_fails();
    table.kernel("trim(char(x)) -> varchar(x)", "The text without white space around it.", trim).never_fails();
    table.kernel("ltrim(char(x)) -> varchar(x)", "The text without white space in front.", ltrim).never_fails();
    table.kernel("rtrim(char(x)) -> varchar(x)", "The text without white space behind.", rtrim).never_fails();
    table.kernel("ltrim(varchar(x)) -> varchar(x)", "The text without white space in front.", ltrim).never_fails();
    table.kernel("rtrim(varchar(x)) -> varchar(x)", "The text without white space behind.", rtrim).never_fails();
    table
        .kernel("trim(varchar(x), varchar) -> varchar(x)", "The text without some characters around it.", trim)
        .never_fails();
    table
        .kernel("ltrim(varchar(x), varchar) -> varchar(x)", "The text without some characters in front.", ltrim)
        .never_fails();
    table
        .kernel("rtrim(varchar(x), varchar) -> varchar(x)", "The text without some characters behind.", rtrim)
        .never_fails();
}

fn lpad(call: &Call<'_>) -> Computed {
    pad(call, true)
}

fn rpad(call: &Call<'_>) -> Computed {
    pad(call, false)
}

fn pad(call: &Call<'_>, front: bool) -> Computed {
    let (values, sizes, paddings) = (text(call, 0)?, bigints(call, 1)?, text(call, 2)?);
    write_texts(call, |row, out| {
        let (value, size, padding) = (values.value(row), sizes.value(row), paddings.value(row));
        let size = i32::try_from(size).ok().and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| TrinoError::invalid("Target length must be in the range [0..2147483647]"))?;
        if padding.is_empty() {
            return Err(TrinoError::invalid("Padding string must not be empty"));
        }
        let missing = size.saturating_sub(value.chars().count());
        if missing == 0 {
            out.push_str(&value[..offset(value, size).unwrap_or(value.len())]);
            return Ok(Some(()));
        }
        if !front {
            out.push_str(value);
        }
        out.extend(padding.chars().cycle().take(missing));
        if front {
            out.push_str(value);
        }
        Ok(Some(()))
    })
}

fn trim(call: &Call<'_>) -> Computed {
    trim_ends(call, true, true)
}

fn ltrim(call: &Call<'_>) -> Computed {
    trim_ends(call, true, false)
}

fn rtrim(call: &Call<'_>) -> Computed {
    trim_ends(call, false, true)
}

fn trim_ends(call: &Call<'_>, front: bool, back: bool) -> Computed {
    let values = text(call, 0)?;
    let sets = (call.len() > 1).then(|| text(call, 1)).transpose()?;
    if sets.is_none() && (0..call.rows).all(|row| values.get(row).is_none_or(is_bounded)) {
        return call.array(0);
    }
    texts(call, |row| {
        let mut value = values.value(row);
        let set = sets.as_ref().map(|sets| sets.value(row));
        let unwanted = |letter: char| set.map_or_else(|| is_blank(letter), |set| set.contains(letter));
        if front {
            value = value.trim_start_matches(unwanted);
        }
        if back {
            value = value.trim_end_matches(unwanted);
        }
        Ok(Some(value))
    })
}

/// Whether nothing has to be looked at but the first and the last byte to know that there is nothing to trim.
fn is_bounded(text: &str) -> bool {
    let bounded = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    bounded(text.as_bytes().first()) && bounded(text.as_bytes().last())
}

/// White space as Java has it: without the no-break spaces, with the separators of information.
fn is_blank(letter: char) -> bool {
    match letter {
        '\u{1c}'..='\u{1f}' => true,
        '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => false,
        _ => letter.is_whitespace(),
    }
}
