//! Arrays and objects.

use std::rc::Rc;

use super::{Builtin, Call};
use crate::jsonata::eval::{Result, append, lookup, numeric};
use crate::jsonata::value::{List, Object, Val};

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    Some(Ok(match call.builtin {
        Builtin::Boolean => return Some(truth(call, |truth| truth)),
        Builtin::Not => return Some(truth(call, |truth| !truth)),
        Builtin::Exists => Val::Bool(!call.at(0).is_undefined()),
        Builtin::Count => Val::Number(call.items(0).map_or(0, |items| items.len()) as f64),
        Builtin::Append => append(call.at(0).clone(), call.at(1).clone()),
        Builtin::Reverse => rearranged(call, |items| items.reverse()),
        Builtin::Shuffle => rearranged(call, |items| {
            for at in (1..items.len()).rev() {
                items.swap(at, (call.evaluator.bindings.rng.fraction() * (at + 1) as f64) as usize);
            }
        }),
        Builtin::Distinct => return Some(distinct(call)),
        Builtin::Zip => zip(call),
        Builtin::Keys => keys(call.at(0)),
        Builtin::Lookup => match call.text(1) {
            Ok(Some(name)) => lookup(call.at(0), &name),
            Ok(None) => lookup(call.at(0), "undefined"),
            Err(error) => return Some(Err(error)),
        },
        Builtin::Spread => spread(call.at(0)),
        Builtin::Merge => merge(call),
        Builtin::Type => match call.at(0) {
            Val::Undefined => Val::Undefined,
            Val::Number(number) if number.is_infinite() => return Some(numeric(call.at(0)).map(|_| Val::Undefined)),
            // As in the reference, to which it is an object.
            Val::Number(number) if number.is_nan() => Val::text("object"),
            other => Val::text(other.kind()),
        },
        Builtin::Clone => crate::jsonata::eval::copied(call.at(0)),
        _ => return None,
    }))
}

/// Truth of a value that is given to a function: then functions are false.
fn truth(call: &Call<'_>, of: fn(bool) -> bool) -> Result {
    numeric(call.at(0))?;
    Ok(match call.at(0) {
        Val::Undefined => Val::Undefined,
        other => Val::Bool(of(!other.is_function() && other.truth())),
    })
}

/// The first argument as an array that `change` has changed; what needs no change stays what it is.
fn rearranged(call: &Call<'_>, change: impl FnOnce(&mut Vec<Val>)) -> Val {
    match call.at(0) {
        Val::Array(list) if list.items.len() > 1 => {
            let mut items = list.items.to_vec();
            change(&mut items);
            Val::array(items)
        }
        other => other.clone(),
    }
}

fn distinct(call: &Call<'_>) -> Result {
    let Val::Array(list) = call.at(0) else { return Ok(call.at(0).clone()) };
    if list.items.len() < 2 {
        return Ok(call.at(0).clone());
    }
    let mut found: Vec<Val> = Vec::new();
    for item in list.items.iter() {
        call.evaluator.tick()?;
        if !found.iter().any(|other| other.same(item)) {
            found.push(item.clone());
        }
    }
    Ok(Val::Array(List { sequence: list.sequence, ..List::plain(found) }))
}

fn zip(call: &Call<'_>) -> Val {
    let lists: Vec<Vec<Val>> = call.arguments.iter().map(Val::items).collect();
    let shortest = lists.iter().map(Vec::len).min().unwrap_or_default();
    Val::array((0..shortest).map(|at| Val::array(lists.iter().map(|list| list[at].clone()).collect())).collect())
}

fn keys(value: &Val) -> Val {
    fn collect(value: &Val, found: &mut Object) {
        match value {
            Val::Array(list) => list.items.iter().for_each(|item| collect(item, found)),
            Val::Object(members) => members.iter().for_each(|(name, _)| found.insert(name.clone(), Val::Null)),
            _ => {}
        }
    }
    let mut found = Object::default();
    collect(value, &mut found);
    Val::sequence(found.iter().map(|(name, _)| Val::String(name.clone())).collect())
}

fn spread(value: &Val) -> Val {
    match value {
        Val::Object(members) => Val::sequence(
            members
                .iter()
                .map(|(name, value)| Val::object(std::iter::once((name.clone(), value.clone())).collect::<Object>()))
                .collect(),
        ),
        Val::Array(list) => {
            let start = Val::sequence(Vec::new());
            list.items.iter().fold(start, |all, item| append(all, spread(item)))
        }
        other => other.clone(),
    }
}

fn merge(call: &Call<'_>) -> Val {
    let Some(items) = call.items(0) else { return Val::Undefined };
    let mut merged = Object::default();
    for item in items.iter() {
        if let Val::Object(members) = item {
            members.iter().for_each(|(name, value)| merged.insert(Rc::clone(name), value.clone()));
        }
    }
    Val::object(merged)
}
