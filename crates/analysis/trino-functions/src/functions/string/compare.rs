//! Searching text and measuring how alike texts are.

use arrow::datatypes::Int64Type;

use super::super::Table;
use super::super::support::{Computed, optional_bigints, primitives, text, truths, write_texts};
use crate::error::TrinoError;
use crate::kernel::Call;

/// The product of lengths above which a distance takes too long.
const LARGEST_DISTANCE: usize = 1_000_000;

/// Digits of the consonants that sound alike, for A to Z.
const SOUNDS: &[u8; 26] = b"01230120022455012623010202";

pub(super) fn register(table: &mut Table) {
    table.kernel("starts_with(varchar, varchar) -> boolean", "Whether the text begins with another.", starts_with);
    table.kernel("strpos(varchar, varchar) -> bigint", "Where another text occurs first; 0 if nowhere.", strpos);
    table.kernel(
        "strpos(varchar, varchar, bigint) -> bigint",
        "Where another text occurs for the n-th time, from the end if negative; 0 if nowhere.",
        strpos,
    );
    table.kernel(
        "hamming_distance(varchar, varchar) -> bigint",
        "The number of positions where texts of the same length differ.",
        hamming_distance,
    );
    table.kernel(
        "levenshtein_distance(varchar, varchar) -> bigint",
        "The number of characters to insert, remove or replace to come from one text to the other.",
        levenshtein_distance,
    );
    table.kernel("luhn_check(varchar) -> boolean", "Whether digits are valid by the Luhn algorithm.", luhn_check);
    table.kernel(
        "soundex(varchar) -> varchar(4)",
        "How an English word sounds, as a letter and three digits.",
        soundex,
    );
}

fn starts_with(call: &Call<'_>) -> Computed {
    let (values, prefixes) = (text(call, 0)?, text(call, 1)?);
    truths(call, |row| Ok(Some(values.value(row).starts_with(prefixes.value(row)))))
}

fn strpos(call: &Call<'_>) -> Computed {
    let (values, wanted, instances) = (text(call, 0)?, text(call, 1)?, optional_bigints(call, 2)?);
    primitives::<Int64Type>(call, |row| {
        let instance = instances.as_ref().map_or(1, |instances| instances.value(row));
        position(values.value(row), wanted.value(row), instance).map(Some)
    })
}

/// Occurrences may overlap.
fn position(value: &str, wanted: &str, instance: i64) -> Result<i64, TrinoError> {
    if instance == 0 {
        return Err(TrinoError::invalid("'instance' must be a positive or negative number."));
    }
    if wanted.is_empty() {
        return Ok(1);
    }
    let step = wanted.chars().next().map_or(1, char::len_utf8);
    let (mut from, mut to, mut found) = (0, value.len(), None);
    for _ in 0..instance.unsigned_abs() {
        found = match instance > 0 {
            true => value[from..].find(wanted).map(|at| from + at),
            false => value[..to].rfind(wanted),
        };
        let Some(at) = found else { return Ok(0) };
        from = at + step;
        // The next occurrence may reach into this one, but must begin before it.
        to = value[..at].char_indices().next_back().map_or(0, |(before, _)| (before + wanted.len()).min(value.len()));
        while !value.is_char_boundary(to) {
            to += 1;
        }
    }
    Ok(found.map_or(0, |at| value[..at].chars().count() as i64 + 1))
}

fn hamming_distance(call: &Call<'_>) -> Computed {
    let (left, right) = (text(call, 0)?, text(call, 1)?);
    primitives::<Int64Type>(call, |row| {
        let (mut left, mut right) = (left.value(row).chars(), right.value(row).chars());
        let mut distance = 0;
        loop {
            match (left.next(), right.next()) {
                (None, None) => return Ok(Some(distance)),
                (Some(left), Some(right)) => distance += i64::from(left != right),
                _ => {
                    let message = "The input strings to hamming_distance function must have the same length";
                    return Err(TrinoError::invalid(message));
                }
            }
        }
    })
}

fn levenshtein_distance(call: &Call<'_>) -> Computed {
    let (left, right) = (text(call, 0)?, text(call, 1)?);
    let mut distances = Vec::new();
    primitives::<Int64Type>(call, |row| {
        let left: Vec<char> = left.value(row).chars().collect();
        let right: Vec<char> = right.value(row).chars().collect();
        if left.len() * right.len() > LARGEST_DISTANCE {
            let message = "The combined inputs for Levenshtein distance are too large";
            return Err(TrinoError::invalid(message));
        }
        distances.clear();
        distances.extend(0..=right.len());
        for (index, letter) in left.iter().enumerate() {
            let mut diagonal = distances[0];
            distances[0] = index + 1;
            for (at, other) in right.iter().enumerate() {
                let replaced = diagonal + usize::from(letter != other);
                diagonal = distances[at + 1];
                distances[at + 1] = replaced.min(diagonal + 1).min(distances[at] + 1);
            }
        }
        Ok(Some(distances[right.len()] as i64))
    })
}

fn luhn_check(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    truths(call, |row| {
        let digits = values.value(row).as_bytes();
        let mut sum = 0;
        for (index, digit) in digits.iter().rev().enumerate() {
            if !digit.is_ascii_digit() {
                return Err(TrinoError::invalid("Input contains non-digit character"));
            }
            let weighted = u32::from(digit - b'0') << (index % 2);
            sum += if weighted > 9 { weighted - 9 } else { weighted };
        }
        Ok(Some(!digits.is_empty() && sum % 10 == 0))
    })
}

fn soundex(call: &Call<'_>) -> Computed {
    let values = text(call, 0)?;
    write_texts(call, |row, out| {
        let (mut written, mut last) = (0, b'0');
        for letter in values.value(row).chars().filter(|letter| letter.is_alphabetic()) {
            let letter = letter.to_uppercase().next().unwrap_or(letter);
            if written == 4 {
                break;
            }
            let sound = u8::try_from(letter).ok().and_then(|letter| SOUNDS.get(usize::from(letter.wrapping_sub(b'A'))));
            let sound = *sound.ok_or_else(|| {
                let index = u32::from(letter).saturating_sub(u32::from('A'));
                TrinoError::invalid(format!("The character is not mapped: {letter} (index={index})"))
            })?;
            if written == 0 {
                out.push(letter);
                written = 1;
            } else if matches!(letter, 'H' | 'W') {
                continue;
            } else if sound != b'0' && sound != last {
                out.push(char::from(sound));
                written += 1;
            }
            last = sound;
        }
        if written > 0 {
            out.extend(std::iter::repeat_n('0', 4 - written));
        }
        Ok(Some(()))
    })
}
