//! Arrays, objects and functions that call functions.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::strings::look_up;
use super::{Builtin, Call};
use crate::jsonata::eval::{Result, order};
use crate::jsonata::value::Val;

/// Elements that `$range` makes at most.
const MAX_RANGE: usize = 1_000_000;

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    Some(match call.builtin {
        Builtin::Count => Ok(Val::Number(call.at(0).items().len() as f64)),
        Builtin::Append => Ok(append(call.at(0), call.at(1))),
        Builtin::Sort => sort(call),
        Builtin::Reverse => Ok(array(call, |items| items.reverse())),
        Builtin::Shuffle => Ok(array(call, |items| {
            for at in (1..items.len()).rev() {
                items.swap(at, (call.evaluator.bindings.rng.fraction() * (at + 1) as f64) as usize);
            }
        })),
        Builtin::Distinct => Ok(distinct(call)),
        Builtin::Zip => Ok(zip(call)),
        Builtin::Keys => Ok(keys(call.at(0))),
        Builtin::Lookup => look_up(call),
        Builtin::Spread => Ok(spread(call.at(0))),
        Builtin::Merge => merge(call),
        Builtin::Sift => sift(call),
        Builtin::Each => each(call),
        Builtin::Map => map(call),
        Builtin::Filter => filter(call),
        Builtin::Single => single(call),
        Builtin::Reduce => reduce(call),
        Builtin::Partition => partition(call),
        Builtin::Range => range(call),
        _ => return None,
    })
}

fn append(first: &Val, second: &Val) -> Val {
    match (first, second) {
        (Val::Undefined, other) | (other, Val::Undefined) => other.clone(),
        (first, second) => Val::sequence(first.items().into_iter().chain(second.items()).collect()),
    }
}

/// The first argument as an array that `change` has changed.
fn array(call: &Call<'_>, change: impl FnOnce(&mut Vec<Val>)) -> Val {
    if call.at(0).is_undefined() {
        return Val::Undefined;
    }
    let mut items = call.at(0).items();
    change(&mut items);
    Val::array(items)
}

fn sort(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let items = call.at(0).items();
    if call.arguments.len() < 2 {
        let comparable = items.iter().all(|item| matches!(item, Val::Number(_)))
            || items.iter().all(|item| matches!(item, Val::String(_)));
        if !comparable {
            return Err("D3070: The single argument form of the sort function can only be applied to an array of strings or an array of numbers. Use the second argument to specify a comparison function".into());
        }
        let mut sorted = items;
        sorted.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
        return Ok(Val::array(sorted));
    }
    let swap = call.function(1)?;
    merge_sort(items, &|a, b| Ok(call.call_back(swap, vec![a.clone(), b.clone()])?.truth())).map(Val::array)
}

/// Stable, and content with a comparison that may fail or contradict itself.
fn merge_sort(mut items: Vec<Val>, after: &dyn Fn(&Val, &Val) -> Result<bool>) -> Result<Vec<Val>> {
    if items.len() < 2 {
        return Ok(items);
    }
    let right = merge_sort(items.split_off(items.len() / 2), after)?;
    let left = merge_sort(items, after)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        merged.extend(if after(a, b)? { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

fn distinct(call: &Call<'_>) -> Val {
    let Val::Array(list) = call.at(0) else { return call.at(0).clone() };
    let mut found: Vec<Val> = Vec::new();
    for item in list.items.iter() {
        if !found.iter().any(|other| other.same(item)) {
            found.push(item.clone());
        }
    }
    if list.sequence { Val::sequence(found) } else { Val::array(found) }
}

fn zip(call: &Call<'_>) -> Val {
    let lists: Vec<Vec<Val>> = call.arguments.iter().map(Val::items).collect();
    let shortest = lists.iter().map(Vec::len).min().unwrap_or_default();
    Val::array((0..shortest).map(|at| Val::array(lists.iter().map(|list| list[at].clone()).collect())).collect())
}

fn keys(value: &Val) -> Val {
    let mut found: Vec<String> = Vec::new();
    for item in value.items() {
        if let Val::Object(members) = item {
            found.extend(members.keys().filter(|name| !found.contains(name)).cloned().collect::<Vec<_>>());
        }
    }
    Val::sequence(found.into_iter().map(Val::text).collect())
}

fn spread(value: &Val) -> Val {
    match value {
        Val::Object(members) => Val::sequence(
            members.iter().map(|(name, value)| Val::object(BTreeMap::from([(name.clone(), value.clone())]))).collect(),
        ),
        Val::Array(list) => Val::sequence(list.items.iter().flat_map(|item| spread(item).items()).collect()),
        other => other.clone(),
    }
}

fn merge(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let mut merged = BTreeMap::new();
    for item in call.at(0).items() {
        match item {
            Val::Object(members) => merged.extend(members.iter().map(|(name, value)| (name.clone(), value.clone()))),
            _ => return Err("T0412: Argument 1 of function \"merge\" must be an array of \"o\"".into()),
        }
    }
    Ok(Val::object(merged))
}

type Members = Rc<BTreeMap<String, Val>>;

/// The object and the function, whichever way they were given.
fn object_and_function<'c>(call: &'c Call<'_>) -> Result<(Option<Members>, &'c Val)> {
    let function = call.function(1)?;
    match call.at(0) {
        Val::Object(members) => Ok((Some(members.clone()), function)),
        Val::Undefined => Ok((None, function)),
        _ => Err(call.mismatch(1)),
    }
}

fn sift(call: &Call<'_>) -> Result {
    let (Some(members), function) = object_and_function(call)? else { return Ok(Val::Undefined) };
    let mut kept = BTreeMap::new();
    for (name, value) in members.iter() {
        let arguments = vec![value.clone(), Val::text(name.as_str()), call.at(0).clone()];
        if call.call_back(function, arguments)?.truth() {
            kept.insert(name.clone(), value.clone());
        }
    }
    Ok(if kept.is_empty() { Val::Undefined } else { Val::object(kept) })
}

fn each(call: &Call<'_>) -> Result {
    let (Some(members), function) = object_and_function(call)? else { return Ok(Val::Undefined) };
    let mut found = Vec::new();
    for (name, value) in members.iter() {
        let arguments = vec![value.clone(), Val::text(name.as_str()), call.at(0).clone()];
        match call.call_back(function, arguments)? {
            Val::Undefined => {}
            other => found.push(other),
        }
    }
    Ok(Val::sequence(found))
}

fn map(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let (items, function) = (call.at(0).items(), call.function(1)?);
    let all = Val::array(items.clone());
    let mut found = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        match call.call_back(function, vec![item, Val::Number(at as f64), all.clone()])? {
            Val::Undefined => {}
            other => found.push(other),
        }
    }
    Ok(Val::sequence(found))
}

fn filter(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    Ok(Val::sequence(kept(call, call.function(1)?)?))
}

fn kept(call: &Call<'_>, function: &Val) -> Result<Vec<Val>> {
    let items = call.at(0).items();
    let all = Val::array(items.clone());
    let mut found = Vec::new();
    for (at, item) in items.into_iter().enumerate() {
        if call.call_back(function, vec![item.clone(), Val::Number(at as f64), all.clone()])?.truth() {
            found.push(item);
        }
    }
    Ok(found)
}

fn single(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let mut found = if call.arguments.len() > 1 { kept(call, call.function(1)?)? } else { call.at(0).items() };
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err("D3139: The $single() function expected exactly 1 matching result. Instead it matched 0.".into()),
        _ => Err("D3138: The $single() function expected exactly 1 matching result. Instead it matched more.".into()),
    }
}

fn reduce(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let function = call.function(1)?;
    if crate::jsonata::eval::Evaluator::arity(function) < 2 {
        return Err(
            "D3050: The second argument of reduce function must be a function with at least two arguments".into()
        );
    }
    let items = call.at(0).items();
    let all = Val::array(items.clone());
    let mut items = items.into_iter().enumerate();
    let mut result = match call.at(2) {
        Val::Undefined => match items.next() {
            Some((_, first)) => first,
            None => return Ok(Val::Undefined),
        },
        initial => initial.clone(),
    };
    for (at, item) in items {
        result = call.call_back(function, vec![result, item, Val::Number(at as f64), all.clone()])?;
    }
    Ok(result)
}

fn partition(call: &Call<'_>) -> Result {
    if call.at(0).is_undefined() {
        return Ok(Val::Undefined);
    }
    let size = call.number(1)?.floor();
    if size < 1.0 {
        return Err("D3137: the chunk size of $partition must be positive".into());
    }
    Ok(Val::array(call.at(0).items().chunks(size as usize).map(|chunk| Val::array(chunk.to_vec())).collect()))
}

fn range(call: &Call<'_>) -> Result {
    let (start, end, step) = (call.number(0)?, call.number(1)?, call.number(2)?);
    if step == 0.0 {
        return Err("D3137: the step of $range can't be 0".into());
    }
    let count = ((end - start) / step).floor() + 1.0;
    if count > MAX_RANGE as f64 {
        return Err(format!("D3137: $range makes at most {MAX_RANGE} elements"));
    }
    Ok(Val::sequence((0..count.max(0.0) as usize).map(|at| Val::Number(start + step * at as f64)).collect()))
}
