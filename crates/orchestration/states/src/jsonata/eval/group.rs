//! Objects: constructors and groupings.

use std::collections::HashMap;
use std::rc::Rc;

use super::operators::{append, shown};
use super::{Evaluator, Frame, Result};
use crate::jsonata::syntax::Pairs;
use crate::jsonata::value::{Object, Tuple, Val};

/// What has one key: the items, and which of the pairs made the key.
struct Group<T> {
    key: Rc<str>,
    items: Vec<T>,
    pair: usize,
}

struct Groups<T> {
    all: Vec<Group<T>>,
    index: HashMap<Rc<str>, usize>,
}

impl<T> Groups<T> {
    fn add(&mut self, key: Rc<str>, pair: usize, item: T) -> Result<()> {
        let Some(at) = self.index.get(&key) else {
            self.index.insert(key.clone(), self.all.len());
            self.all.push(Group { key, items: vec![item], pair });
            return Ok(());
        };
        let group = &mut self.all[*at];
        if group.pair != pair {
            return Err(format!("D1009: Multiple key definitions evaluate to same key: \"{key}\""));
        }
        group.items.push(item);
        Ok(())
    }
}

impl Evaluator<'_> {
    pub(super) fn group(&self, pairs: &Pairs, input: Val, frame: &Rc<Frame>) -> Result {
        if let Val::Tuples(tuples) = &input {
            return self.group_tuples(pairs, tuples, frame);
        }
        let items = match &input {
            Val::Array(list) if !list.items.is_empty() => list.items.to_vec(),
            Val::Array(_) => vec![Val::Undefined],
            other => vec![other.clone()],
        };
        let mut groups = Groups { all: Vec::new(), index: HashMap::new() };
        for item in items {
            for (pair, (key, _)) in pairs.iter().enumerate() {
                if let Some(key) = key_of(self.evaluate(key, &item, frame)?)? {
                    groups.add(key, pair, item.clone())?;
                }
            }
        }
        let mut object = Object::default();
        for Group { key, items, pair } in groups.all {
            let context = items.into_iter().reduce(append_in_place).unwrap_or(Val::Undefined);
            let value = self.evaluate(&pairs[pair].1, &context, frame)?;
            if !value.is_undefined() {
                object.insert(key, value);
            }
        }
        Ok(Val::object(object))
    }

    fn group_tuples(&self, pairs: &Pairs, tuples: &[Tuple], frame: &Rc<Frame>) -> Result {
        if tuples.is_empty() {
            // There is no item that the keys could be asked of, which the reference does not expect.
            return Err("TypeError: no tuples to group".into());
        }
        let mut groups = Groups { all: Vec::new(), index: HashMap::new() };
        for tuple in tuples {
            let frame = Frame::of_tuple(frame, tuple);
            for (pair, (key, _)) in pairs.iter().enumerate() {
                if let Some(key) = key_of(self.evaluate(key, &tuple.value, &frame)?)? {
                    groups.add(key, pair, tuple.clone())?;
                }
            }
        }
        let mut object = Object::default();
        for Group { key, items, pair } in groups.all {
            let Some(tuple) = items.into_iter().reduce(merge) else { continue };
            let value = self.evaluate(&pairs[pair].1, &tuple.value, &Frame::of_tuple(frame, &tuple))?;
            if !value.is_undefined() {
                object.insert(key, value);
            }
        }
        Ok(Val::object(object))
    }
}

fn key_of(key: Val) -> Result<Option<Rc<str>>> {
    match key {
        Val::Undefined => Ok(None),
        Val::String(key) => Ok(Some(key)),
        other => Err(format!("T1003: Key in object structure must evaluate to a string; got: {}", shown(&other))),
    }
}

/// As `append`, without copying what is already there.
fn append_in_place(first: Val, second: Val) -> Val {
    match (first, second) {
        (Val::Array(mut list), second) if !list.sequence && !list.whole && !second.is_undefined() => {
            Rc::make_mut(&mut list.items).extend(second.items());
            Val::Array(list)
        }
        (first, second) => append(first, second),
    }
}

/// One tuple of two, with the values of both.
fn merge(mut first: Tuple, second: Tuple) -> Tuple {
    first.value = append_in_place(first.value, second.value);
    for (name, value) in second.names {
        let own = first.names.iter_mut().find(|(own, _)| *own == name);
        match own {
            Some((_, own)) => *own = append_in_place(std::mem::replace(own, Val::Undefined), value),
            None => first.names.push((name, value)),
        }
    }
    first
}
