//! Functions that call functions.

use super::{Builtin, Call};
use crate::jsonata::eval::{Result, arity, merge_sort};
use crate::jsonata::value::{Object, Val, order};

pub(super) fn call(call: &Call<'_>) -> Option<Result> {
    Some(match call.builtin {
        Builtin::Sort => sort(call),
        Builtin::Sift => sift(call),
        Builtin::Each => each(call),
        Builtin::Map => map(call),
        Builtin::Filter => filter(call),
        Builtin::Single => single(call),
        Builtin::Reduce => reduce(call),
        _ => return None,
    })
}

fn sort(call: &Call<'_>) -> Result {
    let Val::Array(list) = call.at(0) else { return Ok(call.at(0).clone()) };
    if list.items.len() < 2 {
        return Ok(call.at(0).clone());
    }
    let items = list.items.to_vec();
    if !call.at(1).is_undefined() {
        let after = call.function(1)?;
        let after =
            |a: &Val, b: &Val| Ok(call.evaluator.apply(after, vec![a.clone(), b.clone()], &Val::Null)?.truthy());
        return merge_sort(items, &after).map(Val::array);
    }
    let all = |fits: fn(&Val) -> bool| items.iter().all(fits);
    if !all(|item| item.number().is_some()) && !all(|item| matches!(item, Val::String(_))) {
        return Err("D3070: The single argument form of the sort function can only be applied to an array of strings \
                    or an array of numbers. Use the second argument to specify a comparison function"
            .into());
    }
    merge_sort(items, &|a, b| Ok(order(a, b).is_some_and(|order| order.is_gt()))).map(Val::array)
}

fn sift(call: &Call<'_>) -> Result {
    let Val::Object(members) = call.at(0) else { return Ok(Val::Undefined) };
    let mut kept = Object::default();
    for (name, value) in members.iter() {
        let place = || Val::String(name.clone());
        if call.call_back(call.function(1)?, value.clone(), place, call.at(0))?.truth() {
            kept.insert(name.clone(), value.clone());
        }
    }
    Ok(if kept.is_empty() { Val::Undefined } else { Val::object(kept) })
}

fn each(call: &Call<'_>) -> Result {
    let Val::Object(members) = call.at(0) else { return Ok(Val::sequence(Vec::new())) };
    let mut found = Vec::new();
    for (name, value) in members.iter() {
        let place = || Val::String(name.clone());
        match call.call_back(call.function(1)?, value.clone(), place, call.at(0))? {
            Val::Undefined => {}
            other => found.push(other),
        }
    }
    Ok(Val::sequence(found))
}

fn map(call: &Call<'_>) -> Result {
    let Some(items) = call.items(0) else { return Ok(Val::Undefined) };
    let function = call.function(1)?;
    let mut found = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        match call.call_back(function, item.clone(), || Val::Number(at as f64), call.at(0))? {
            Val::Undefined => {}
            other => found.push(other),
        }
    }
    Ok(Val::sequence(found))
}

fn filter(call: &Call<'_>) -> Result {
    let Some(items) = call.items(0) else { return Ok(Val::Undefined) };
    let function = call.function(1)?;
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if call.call_back(function, item.clone(), || Val::Number(at as f64), call.at(0))?.truth() {
            found.push(item.clone());
        }
    }
    Ok(Val::sequence(found))
}

fn single(call: &Call<'_>) -> Result {
    let Some(items) = call.items(0) else { return Ok(Val::Undefined) };
    let mut found = None;
    for (at, item) in items.iter().enumerate() {
        let fits = match call.at(1) {
            Val::Undefined => true,
            function => call.call_back(function, item.clone(), || Val::Number(at as f64), call.at(0))?.truth(),
        };
        if fits && found.replace(item).is_some() {
            return Err(
                "D3138: The $single() function expected exactly 1 matching result.  Instead it matched more.".into()
            );
        }
    }
    found.cloned().ok_or_else(|| {
        "D3139: The $single() function expected exactly 1 matching result.  Instead it matched 0.".into()
    })
}

fn reduce(call: &Call<'_>) -> Result {
    let Some(items) = call.items(0) else { return Ok(Val::Undefined) };
    let function = call.function(1)?;
    let wanted = arity(function);
    if wanted < 2 {
        return Err(
            "D3050: The second argument of reduce function must be a function with at least two arguments".into()
        );
    }
    let mut items = items.iter().enumerate();
    let mut result = match call.at(2) {
        Val::Undefined => items.next().map_or(Val::Undefined, |(_, first)| first.clone()),
        initial => initial.clone(),
    };
    for (at, item) in items {
        let mut arguments = vec![result, item.clone()];
        if wanted >= 3 {
            arguments.push(Val::Number(at as f64));
        }
        if wanted >= 4 {
            arguments.push(call.at(0).clone());
        }
        result = call.evaluator.apply(function, arguments, &Val::Null)?;
    }
    Ok(result)
}
