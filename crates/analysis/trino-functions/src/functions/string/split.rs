//! Taking text apart at delimiters.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StringBuilder, UInt32Array};
use arrow::compute::{interleave, take};

use super::super::Table;
use super::super::higher_order::nulls_of;
use super::super::support::{Computed, bigints, list, map, nulls, optional_bigints, text, text_arrays, texts};
use super::piece;
use crate::error::TrinoError;
use crate::kernel::Call;

pub(super) fn register(table: &mut Table) {
    table.kernel("split(varchar(x), varchar) -> array(varchar(x))", "The pieces between delimiters.", split);
    table.kernel(
        "split(varchar(x), varchar, bigint) -> array(varchar(x))",
        "At most so many pieces between delimiters; the last one has the rest.",
        split,
    );
    table.kernel(
        "split_part(varchar(x), varchar, bigint) -> varchar(x)",
        "One of the pieces between delimiters; NULL if there are fewer.",
        split_part,
    );
    table.kernel(
        "split_to_map(varchar, varchar, varchar) -> map(varchar, varchar)",
        "The map from text such as `a=1,b=2`.",
        split_to_map,
    );
    table.kernel(
        "split_to_map(varchar, varchar, varchar, function(varchar, varchar, varchar, varchar)) -> map(varchar, varchar)",
        "The map from text such as `a=1,b=2,a=3`; of a key's values the function makes one.",
        split_to_map_merging,
    );
    table.kernel(
        "split_to_multimap(varchar, varchar, varchar) -> map(varchar, array(varchar))",
        "The map from text such as `a=1,b=2,a=3`, with all values of a key.",
        split_to_multimap,
    );
}

fn split(call: &Call<'_>) -> Computed {
    let (values, delimiters, limits) = (text(call, 0)?, text(call, 1)?, optional_bigints(call, 2)?);
    text_arrays(call, |row, push| {
        let limit = limits.as_ref().map_or(i64::from(i32::MAX), |limits| limits.value(row));
        if limit <= 0 {
            return Err(TrinoError::invalid("Limit must be positive"));
        }
        if limit > i64::from(i32::MAX) {
            return Err(TrinoError::invalid("Limit is too large"));
        }
        let delimiter = delimiters.value(row);
        if delimiter.is_empty() {
            return Err(TrinoError::invalid("The delimiter may not be the empty string"));
        }
        values.value(row).splitn(limit as usize, delimiter).for_each(|piece| push(Some(piece)));
        Ok(())
    })
}

fn split_part(call: &Call<'_>) -> Computed {
    let (values, delimiters, indices) = (text(call, 0)?, text(call, 1)?, bigints(call, 2)?);
    texts(call, |row| {
        let (value, delimiter, index) = (values.value(row), delimiters.value(row), indices.value(row));
        let at = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        let at = at.ok_or_else(|| TrinoError::invalid("Index must be greater than zero"))?;
        Ok(match delimiter {
            "" => Some(piece(value, index, 1)).filter(|letter| !letter.is_empty()),
            _ => value.split(delimiter).nth(at),
        })
    })
}

/// The keys and values of one text; `quote` is what messages put around a bad one.
fn entries<'a>(
    value: &'a str,
    between: &str,
    within: &str,
    quote: &str,
) -> Result<Vec<(&'a str, &'a str)>, TrinoError> {
    if between.is_empty() {
        return Err(TrinoError::invalid("entryDelimiter is empty"));
    }
    if within.is_empty() {
        return Err(TrinoError::invalid("keyValueDelimiter is empty"));
    }
    if between == within {
        return Err(TrinoError::invalid("entryDelimiter and keyValueDelimiter must not be the same"));
    }
    let entry = |entry: &'a str| match entry.split_once(within) {
        Some((key, value)) if !value.contains(within) => Ok((key, value)),
        _ => Err(TrinoError::invalid(format!(
            "Key-value delimiter must appear exactly once in each entry. Bad input: {quote}{entry}{quote}"
        ))),
    };
    value.split_terminator(between).map(entry).collect()
}

fn split_to_map(call: &Call<'_>) -> Computed {
    let (values, between, within) = (text(call, 0)?, text(call, 1)?, text(call, 2)?);
    let nulls = nulls(call)?;
    let (mut map_keys, mut map_values) = (StringBuilder::new(), StringBuilder::new());
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lengths.push(0);
            continue;
        }
        let entries = entries(values.value(row), between.value(row), within.value(row), "'")?;
        let mut seen = HashSet::with_capacity(entries.len());
        for (key, value) in &entries {
            if !seen.insert(*key) {
                return Err(TrinoError::invalid(format!("Duplicate keys ({key}) are not allowed")));
            }
            map_keys.append_value(key);
            map_values.append_value(value);
        }
        lengths.push(entries.len());
    }
    map(Arc::new(map_keys.finish()), Arc::new(map_values.finish()), lengths, nulls)
}

/// Keys that come several times are settled by the function: one step at a time, but each step for all rows at once.
fn split_to_map_merging(call: &Call<'_>) -> Computed {
    let (values, between, within) = (text(call, 0)?, text(call, 1)?, text(call, 2)?);
    let nulls = nulls_of(call, 0..3)?;
    let mut groups: Vec<(u32, &str, Vec<&str>)> = Vec::new();
    let mut lengths = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let before = groups.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            for (key, value) in entries(values.value(row), between.value(row), within.value(row), "'")? {
                match groups[before..].iter_mut().find(|(_, known, _)| *known == key) {
                    Some((_, _, all)) => all.push(value),
                    None => groups.push((row as u32, key, vec![value])),
                }
            }
        }
        lengths.push(groups.len() - before);
    }
    let merge = call.lambda(3)?;
    let mut merged: ArrayRef = Arc::new(groups.iter().map(|(_, _, all)| all.first().copied()).collect::<StringArray>());
    let longest = groups.iter().map(|(_, _, all)| all.len()).max().unwrap_or(0);
    for step in 1..longest {
        let active: Vec<_> = groups.iter().enumerate().filter(|(_, (_, _, all))| all.len() > step).collect();
        let places: UInt32Array = active.iter().map(|(place, _)| Some(*place as u32)).collect();
        let rows: UInt32Array = active.iter().map(|(_, (row, _, _))| Some(*row)).collect();
        let keys: ArrayRef = Arc::new(active.iter().map(|(_, (_, key, _))| Some(*key)).collect::<StringArray>());
        let next: ArrayRef = Arc::new(active.iter().map(|(_, (_, _, all))| Some(all[step])).collect::<StringArray>());
        let computed = merge.evaluate(&[keys, take(&merged, &places, None)?, next], &rows)?;
        let mut choice: Vec<(usize, usize)> = (0..groups.len()).map(|place| (0, place)).collect();
        places.values().iter().enumerate().for_each(|(index, place)| choice[*place as usize] = (1, index));
        merged = interleave(&[merged.as_ref(), computed.as_ref()], &choice)?;
    }
    let keys = groups.iter().map(|(_, key, _)| Some(*key)).collect::<StringArray>();
    map(Arc::new(keys), merged, lengths, nulls)
}

fn split_to_multimap(call: &Call<'_>) -> Computed {
    let (values, between, within) = (text(call, 0)?, text(call, 1)?, text(call, 2)?);
    let nulls = nulls(call)?;
    let (mut map_keys, mut map_values) = (StringBuilder::new(), StringBuilder::new());
    let (mut counts, mut lengths) = (Vec::new(), Vec::with_capacity(call.rows));
    for row in 0..call.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            lengths.push(0);
            continue;
        }
        let entries = entries(values.value(row), between.value(row), within.value(row), "")?;
        let mut seen = HashSet::new();
        for (key, _) in &entries {
            if !seen.insert(*key) {
                continue;
            }
            map_keys.append_value(key);
            let before = counts.len();
            counts.push(0);
            for (_, value) in entries.iter().filter(|(other, _)| other == key) {
                map_values.append_value(value);
                counts[before] += 1;
            }
        }
        lengths.push(seen.len());
    }
    let arrays = list(Arc::new(map_values.finish()), counts, None)?;
    map(Arc::new(map_keys.finish()), arrays, lengths, nulls)
}
