//! Functions that search: for a text, a regular expression, or with a function that finds matches.

use std::rc::Rc;
use std::sync::Arc;

use super::{Builtin, Call};
use crate::jsonata::eval::Result;
use crate::jsonata::syntax::Pattern;
use crate::jsonata::value::{Function, List, Object, Val};

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    Some(match call.builtin {
        Builtin::Contains => contains(call),
        Builtin::Match => matches_of(call),
        Builtin::Split => split(call),
        Builtin::Replace => replace(call),
        _ => return None,
    })
}

/// A match: where it is, in UTF-16 code units as users count and in bytes as texts are cut.
struct Match {
    text: Rc<str>,
    start: usize,
    bytes: std::ops::Range<usize>,
    groups: Vec<Val>,
    next: Val,
}

fn units(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The byte that a UTF-16 code unit is at.
fn byte_of(text: &str, unit: usize) -> usize {
    if text.is_ascii() {
        return unit.min(text.len());
    }
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen >= unit {
            return at;
        }
        seen += c.len_utf16();
    }
    text.len()
}

fn find(pattern: &Arc<Pattern>, text: &Rc<str>, from: usize) -> Option<Match> {
    let captures = pattern.regex.captures_at(text, from)?;
    let whole = captures.get(0)?;
    let groups = captures.iter().skip(1).map(|group| group.map_or(Val::Undefined, |group| Val::text(group.as_str())));
    Some(Match {
        text: whole.as_str().into(),
        start: units(&text[..whole.start()]),
        bytes: whole.range(),
        groups: groups.collect(),
        next: Val::function(Function::NextMatch(pattern.clone(), text.clone(), whole.end())),
    })
}

/// What calling a regular expression gives: its first match as an object.
pub(in crate::jsonata) fn first_match(pattern: &Arc<Pattern>, text: Option<&Val>) -> Result {
    let Some(Val::String(text)) = text else { return Ok(Val::Undefined) };
    Ok(find(pattern, text, 0).map_or(Val::Undefined, as_object))
}

/// What the `next` of a match gives.
pub(in crate::jsonata) fn next_match(pattern: &Arc<Pattern>, text: &Rc<str>, from: usize) -> Result {
    Ok(following(pattern, text, from)?.map_or(Val::Undefined, as_object))
}

fn following(pattern: &Arc<Pattern>, text: &Rc<str>, from: usize) -> Result<Option<Match>> {
    if from >= text.len() {
        return Ok(None);
    }
    match find(pattern, text, from) {
        Some(found) if found.text.is_empty() => Err("D1004: Regular expression matches zero length string".into()),
        other => Ok(other),
    }
}

fn as_object(found: Match) -> Val {
    let end = found.start + units(&found.text);
    let members = [
        ("match", Val::String(found.text)),
        ("start", Val::Number(found.start as f64)),
        ("end", Val::Number(end as f64)),
        ("groups", Val::array(found.groups)),
        ("next", found.next),
    ];
    Val::object(members.into_iter().map(|(name, value)| (name.into(), value)).collect::<Object>())
}

/// The first match that a matcher finds: a regular expression, or a function that behaves as one.
fn first(call: &Call<'_>, matcher: &Val, text: &Rc<str>) -> Result<Option<Match>> {
    if let Val::Function(function) = matcher
        && let Function::Regex(pattern) = &**function
    {
        return Ok(find(pattern, text, 0));
    }
    if !matcher.is_function() {
        return Err("T1006: Attempted to invoke a non-function".into());
    }
    let found = call.evaluator.apply(matcher, vec![Val::String(text.clone())], &Val::Null)?;
    from_object(call, found, text)
}

fn next(call: &Call<'_>, found: &Match, text: &Rc<str>) -> Result<Option<Match>> {
    if let Val::Function(function) = &found.next
        && let Function::NextMatch(pattern, text, from) = &**function
    {
        return following(pattern, text, *from);
    }
    let next = call.evaluator.apply(&found.next, Vec::new(), &Val::Null)?;
    from_object(call, next, text)
}

fn from_object(call: &Call<'_>, found: Val, text: &Rc<str>) -> Result<Option<Match>> {
    let wrong = || {
        let name = call.builtin.name();
        format!(
            "T1010: The matcher function argument passed to function \"{name}\" does not return the correct object structure"
        )
    };
    let members = match &found {
        Val::Undefined => return Ok(None),
        Val::Object(members) => members,
        _ => return Err(wrong()),
    };
    let number = |name: &str| members.get(name).and_then(Val::number).map(|number| number.max(0.0) as usize);
    let start = number("start");
    let end = number("end");
    let next = members.get("next").cloned().unwrap_or(Val::Undefined);
    if start.is_none() && !matches!(members.get("groups"), Some(Val::Array(_))) && !next.is_function() {
        return Err(wrong());
    }
    let matched: Rc<str> = match members.get("match") {
        Some(Val::String(matched)) => matched.clone(),
        _ => "".into(),
    };
    let start = start.unwrap_or_default();
    let from = byte_of(text, start);
    let to = byte_of(text, end.unwrap_or(start)).max(from);
    let groups = members.get("groups").map(Val::items).unwrap_or_default();
    Ok(Some(Match { text: matched, start, bytes: from..to, groups, next }))
}

/// A limit that must not be negative.
fn limit(call: &Call<'_>, index: usize, code: &str, what: &str) -> Result<f64> {
    match call.number(index)? {
        Some(limit) if limit < 0.0 => Err(format!("{code}: {what} must evaluate to a positive number")),
        Some(limit) => Ok(limit),
        None => Ok(f64::INFINITY),
    }
}

/// Matches one after the other, at most `limit`; the one after the last is looked for, too.
fn each(
    call: &Call<'_>,
    matcher: &Val,
    text: &Rc<str>,
    limit: f64,
    mut body: impl FnMut(&Match) -> Result<()>,
) -> Result<f64> {
    let mut count = 0.0;
    let mut found = first(call, matcher, text)?;
    while let Some(current) = found
        && count < limit
    {
        body(&current)?;
        found = next(call, &current, text)?;
        count += 1.0;
    }
    Ok(count)
}

fn contains(call: &Call<'_>) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    Ok(Val::Bool(match call.at(1) {
        Val::String(searched) => text.contains(&**searched),
        matcher => first(call, matcher, &text)?.is_some(),
    }))
}

fn matches_of(call: &Call<'_>) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    let limit = limit(call, 2, "D3040", "Third argument of match function")?;
    let mut all = Vec::new();
    if limit > 0.0 {
        each(call, call.function(1)?, &text, limit, |found| {
            let members = [
                ("match", Val::String(found.text.clone())),
                ("index", Val::Number(found.start as f64)),
                ("groups", Val::array(found.groups.clone())),
            ];
            all.push(Val::object(members.into_iter().map(|(name, value)| (name.into(), value)).collect::<Object>()));
            Ok(())
        })?;
    }
    Ok(Val::sequence(all))
}

fn split(call: &Call<'_>) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    let limit = limit(call, 2, "D3020", "Third argument of split function")?;
    let mut parts: Vec<Val> = Vec::new();
    if let Val::String(separator) = call.at(1) {
        let most = if limit.is_finite() { limit.trunc() as usize } else { usize::MAX };
        if separator.is_empty() {
            parts.extend(text.chars().take(most).map(|c| Val::text(c.to_string())));
        } else {
            parts.extend(text.split(&**separator).take(most).map(Val::text));
        }
        return Ok(Val::Array(List::plain(parts)));
    }
    if limit > 0.0 {
        let mut start = 0;
        let count = each(call, call.at(1), &text, limit, |found| {
            parts.push(Val::text(text.get(start..found.bytes.start).unwrap_or_default()));
            start = found.bytes.end;
            Ok(())
        })?;
        if count < limit {
            parts.push(Val::text(&text[start..]));
        }
    }
    Ok(Val::array(parts))
}

fn replace(call: &Call<'_>) -> Result {
    let Some(text) = call.text(0)? else { return Ok(Val::Undefined) };
    if matches!(call.at(1), Val::String(pattern) if pattern.is_empty()) {
        return Err("D3010: Second argument of replace function cannot be an empty string".into());
    }
    let limit = limit(call, 3, "D3011", "Fourth argument of replace function")?;
    if let (Val::String(pattern), with) = (call.at(1), call.at(2)) {
        let with = match with {
            Val::String(with) => with.clone(),
            Val::Undefined => "undefined".into(),
            _ => return Err(call.mismatch(3)),
        };
        let most = if limit.is_finite() { limit.ceil() as usize } else { usize::MAX };
        call.evaluator.charge(text.matches(&**pattern).take(most).count().saturating_mul(with.len()))?;
        return Ok(Val::text(text.replacen(&**pattern, &with, most)));
    }
    let (mut replaced, mut from) = (String::new(), 0);
    if limit > 0.0 {
        each(call, call.at(1), &text, limit, |found| {
            replaced.push_str(text.get(from..found.bytes.start).unwrap_or_default());
            replaced.push_str(&substitute(call, found)?);
            from = (found.bytes.start + found.text.len()).min(text.len());
            call.evaluator.charge(0)
        })?;
    }
    replaced.push_str(text.get(from..).unwrap_or_default());
    Ok(Val::text(replaced))
}

/// What a match is replaced with.
fn substitute(call: &Call<'_>, found: &Match) -> Result<Rc<str>> {
    let with = match call.at(2) {
        Val::String(with) => return Ok(expand(with, found).into()),
        Val::Undefined => return Err(call.mismatch(3)),
        with => with,
    };
    let next = found.next.clone();
    let copy = Match { text: found.text.clone(), start: found.start, bytes: 0..0, groups: found.groups.clone(), next };
    match call.evaluator.apply(with, vec![as_object(copy)], &Val::Null)? {
        Val::String(with) => Ok(with),
        _ => Err("D3012: Attempted to replace a matched string with a non-string value".into()),
    }
}

/// `$1` is a group, `$0` the whole match, `$$` a dollar sign.
fn expand(with: &str, found: &Match) -> String {
    let (mut text, mut rest) = (String::new(), with);
    let most = found.groups.len().max(1).to_string().len();
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            text.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('0') {
            text.push_str(&found.text);
            rest = after;
        } else {
            let digits = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            let number = |count: usize| rest[..count].parse::<usize>().ok();
            // `$12` is group 1 and a 2 when there are fewer than 12 groups.
            let taken = match number(digits) {
                Some(group) if group > found.groups.len() && most > 1 && digits > 1 => digits - 1,
                _ => digits,
            };
            match number(taken) {
                Some(group) => {
                    if let Some(Val::String(group)) = group.checked_sub(1).and_then(|at| found.groups.get(at)) {
                        text.push_str(group);
                    }
                    rest = &rest[taken..];
                }
                None => text.push('$'),
            }
        }
    }
    text + rest
}
