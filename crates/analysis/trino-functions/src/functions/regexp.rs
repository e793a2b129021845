//! Functions of regular expressions in Java's syntax.

mod mistakes;
mod pattern;

use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray, StringBuilder, UInt32Array};
use arrow::datatypes::Int64Type;

use self::pattern::{Cache, Found};
use super::Table;
use super::support::{
    Computed, integers, list, optional_bigints, primitives, text, text_arrays, texts, truths, write_texts,
};
use crate::error::TrinoError;
use crate::kernel::Call;

pub(crate) fn register(table: &mut Table) {
    table.kernel("regexp_like(varchar, varchar) -> boolean", "Whether the pattern is found in the text.", |call| {
        let (values, mut patterns) = (text(call, 0)?, Cache::new(call, 1)?);
        truths(call, |row| patterns.get(row)?.is_match(values.value(row)).map(Some))
    });
    let description = "What the pattern (or a group of it) finds first; NULL if nothing.";
    table.kernel("regexp_extract(varchar(x), varchar) -> varchar(x)", description, extract);
    table.kernel("regexp_extract(varchar(x), varchar, bigint) -> varchar(x)", description, extract);
    let description = "All that the pattern (or a group of it) finds.";
    table.kernel("regexp_extract_all(varchar(x), varchar) -> array(varchar(x))", description, extract_all);
    table.kernel("regexp_extract_all(varchar(x), varchar, bigint) -> array(varchar(x))", description, extract_all);
    table.kernel(
        "regexp_replace(varchar(x), varchar) -> varchar(x)",
        "The text without what the pattern finds.",
        replace,
    );
    table.kernel(
        "regexp_replace(varchar(x), varchar, varchar(z)) -> varchar(x + max(x * z / 2, z) * (x + 1))",
        "The text with what the pattern finds replaced; `$1` and `${name}` stand for groups.",
        replace,
    );
    table.kernel(
        "regexp_replace(varchar, varchar, function(array(varchar), varchar)) -> varchar",
        "The text with what the pattern finds replaced by what the function makes of the groups.",
        replace_by_lambda,
    );
    table.kernel("regexp_split(varchar(x), varchar) -> array(varchar(x))", "The pieces between what it finds.", split);
    table.kernel("regexp_count(varchar, varchar) -> bigint", "How often the pattern is found.", count);
    let description = "Where the pattern is found, from a start on, the n-th time; -1 if it isn't.";
    table.kernel("regexp_position(varchar, varchar) -> integer", description, position);
    table.kernel("regexp_position(varchar, varchar, integer) -> integer", description, position);
    table.kernel("regexp_position(varchar, varchar, integer, integer) -> integer", description, position);
}

/// The group that is wanted; the whole by default.
fn group_of(found: &Found<'_, '_>, group: i64) -> Result<usize, TrinoError> {
    if group < 0 {
        return Err(TrinoError::invalid("Group cannot be negative"));
    }
    match usize::try_from(group) {
        Ok(group) if group < found.pattern.groups() => Ok(group),
        _ => {
            let count = found.pattern.groups() - 1;
            Err(TrinoError::invalid(format!("Pattern has {count} groups. Cannot access group {group}")))
        }
    }
}

fn extract(call: &Call<'_>) -> Computed {
    let (values, mut patterns, groups) = (text(call, 0)?, Cache::new(call, 1)?, optional_bigints(call, 2)?);
    texts(call, |row| {
        let pattern = patterns.get(row)?;
        let mut found = pattern.find(values.value(row));
        let group = group_of(&found, groups.as_ref().map_or(0, |groups| groups.value(row)))?;
        Ok(found.next()?.and_then(|groups| groups.get(group).cloned().flatten()).map(|range| &values.value(row)[range]))
    })
}

fn extract_all(call: &Call<'_>) -> Computed {
    let (values, mut patterns, groups) = (text(call, 0)?, Cache::new(call, 1)?, optional_bigints(call, 2)?);
    text_arrays(call, |row, push| {
        let pattern = patterns.get(row)?;
        let mut found = pattern.find(values.value(row));
        let group = group_of(&found, groups.as_ref().map_or(0, |groups| groups.value(row)))?;
        while let Some(groups) = found.next()? {
            push(groups.get(group).cloned().flatten().map(|range| &values.value(row)[range]));
        }
        Ok(())
    })
}

fn replace(call: &Call<'_>) -> Computed {
    let (values, mut patterns) = (text(call, 0)?, Cache::new(call, 1)?);
    let replacements = (call.len() > 2).then(|| text(call, 2)).transpose()?;
    write_texts(call, |row, out| {
        let (value, pattern) = (values.value(row), patterns.get(row)?);
        let template = pattern.template(replacements.as_ref().map_or("", |texts| texts.value(row)))?;
        let (mut found, mut end) = (pattern.find(value), 0);
        while let Some(groups) = found.next()? {
            let Some(Some(whole)) = groups.first() else { break };
            out.push_str(&value[end..whole.start]);
            for piece in &template {
                match piece {
                    pattern::Piece::Text(text) => out.push_str(text),
                    pattern::Piece::Group(group) => {
                        out.push_str(groups.get(*group).cloned().flatten().map_or("", |range| &value[range]));
                    }
                }
            }
            end = whole.end;
        }
        out.push_str(&value[end..]);
        Ok(Some(()))
    })
}

/// All matches of all rows first, then one evaluation of the lambda, then the texts.
fn replace_by_lambda(call: &Call<'_>) -> Computed {
    let (values, mut patterns) = (text(call, 0)?, Cache::new(call, 1)?);
    let (mut groups, mut counts, mut rows, mut places) = (StringBuilder::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let before = places.len();
        if !values.is_null(row) && !patterns.is_null(row) {
            let value = values.value(row);
            let mut found = patterns.get(row)?.find(value);
            while let Some(matched) = found.next()? {
                let Some(Some(whole)) = matched.first().cloned() else { break };
                matched[1..].iter().for_each(|group| groups.append_option(group.clone().map(|range| &value[range])));
                counts.push(matched.len() - 1);
                places.push(whole);
            }
        }
        rows.extend(std::iter::repeat_n(row as u32, places.len() - before));
    }
    let groups = list(Arc::new(groups.finish()), counts, None)?;
    let replaced = call.lambda(2)?.evaluate(&[groups], &UInt32Array::from(rows.clone()))?;
    let replaced: &StringArray = replaced.as_string::<i32>();
    let mut texts = StringBuilder::new();
    let mut next = 0;
    for row in 0..call.rows {
        let from = next;
        next += rows[from..].iter().take_while(|other| **other == row as u32).count();
        if values.is_null(row) || patterns.is_null(row) || (from..next).any(|index| replaced.is_null(index)) {
            texts.append_null();
            continue;
        }
        let (value, mut text, mut end) = (values.value(row), String::new(), 0);
        for index in from..next {
            text.push_str(&value[end..places[index].start]);
            text.push_str(replaced.value(index));
            end = places[index].end;
        }
        text.push_str(&value[end..]);
        texts.append_value(text);
    }
    Ok(Arc::new(texts.finish()))
}

fn split(call: &Call<'_>) -> Computed {
    let (values, mut patterns) = (text(call, 0)?, Cache::new(call, 1)?);
    text_arrays(call, |row, push| {
        let value = values.value(row);
        let (mut found, mut end) = (patterns.get(row)?.find(value), 0);
        while let Some(groups) = found.next()? {
            let Some(Some(whole)) = groups.first() else { break };
            push(Some(&value[end..whole.start]));
            end = whole.end;
        }
        push(Some(&value[end..]));
        Ok(())
    })
}

fn count(call: &Call<'_>) -> Computed {
    let (values, mut patterns) = (text(call, 0)?, Cache::new(call, 1)?);
    primitives::<Int64Type>(call, |row| {
        let mut found = patterns.get(row)?.find(values.value(row));
        let mut count = 0;
        while found.next()?.is_some() {
            count += 1;
        }
        Ok(Some(count))
    })
}

fn position(call: &Call<'_>) -> Computed {
    let (values, mut patterns) = (text(call, 0)?, Cache::new(call, 1)?);
    let given = |index: usize| (index < call.len()).then(|| integers(call, index)).transpose();
    let (starts, times) = (given(2)?, given(3)?);
    primitives::<arrow::datatypes::Int32Type>(call, |row| {
        let start = starts.as_ref().map_or(1, |starts| starts.value(row));
        let times = times.as_ref().map_or(1, |times| times.value(row));
        if start < 1 {
            return Err(TrinoError::invalid("start position cannot be smaller than 1"));
        }
        if times < 1 {
            return Err(TrinoError::invalid("occurrence cannot be smaller than 1"));
        }
        let value = values.value(row);
        let mut characters = value.char_indices().map(|(at, _)| at).chain([value.len()]);
        let Some(from) = usize::try_from(start - 1).ok().and_then(|start| characters.nth(start)) else {
            return Ok(Some(-1));
        };
        if start > 1 && from == value.len() {
            return Ok(Some(-1));
        }
        let mut found = patterns.get(row)?.find_from(value, from);
        for _ in 1..times {
            if found.next()?.is_none() {
                return Ok(Some(-1));
            }
        }
        let whole = found.next()?.and_then(|groups| groups.first().cloned().flatten());
        Ok(Some(whole.map_or(-1, |whole| value[..whole.start].chars().count() as i32 + 1)))
    })
}

#[cfg(test)]
mod tests;
