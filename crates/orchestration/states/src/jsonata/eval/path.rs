//! Paths: steps, predicates, and the tuples that bindings make of values.

use std::rc::Rc;

use serde_json::Value;

use super::{Evaluator, Frame, Result};
use crate::jsonata::syntax::{Kind, Name, Node, Stage};
use crate::jsonata::value::{List, Tuple, Val};

/// What a path has come to.
enum Reached {
    Values(Val),
    Tuples(Vec<Tuple>),
}

impl Evaluator<'_> {
    pub(super) fn path(&self, node: &Node, steps: &[Node], keep: bool, input: &Val, frame: &Rc<Frame>) -> Result {
        self.tick()?;
        let value = match self.steps(steps, input, frame)? {
            Reached::Tuples(tuples) if node.tuple || node.group.is_some() => Val::Tuples(Rc::new(tuples)),
            Reached::Tuples(tuples) => Val::sequence(tuples.into_iter().map(|tuple| tuple.value).collect()),
            Reached::Values(value) => value,
        };
        let value = if keep { kept(value) } else { value };
        let value = match &node.group {
            Some(pairs) => self.group(pairs, value, frame)?,
            None => value,
        };
        match value {
            Val::Array(list) if node.keep && list.sequence => Ok(Val::Array(List { keep: true, ..list })),
            other => Ok(other),
        }
    }

    fn steps(&self, steps: &[Node], input: &Val, frame: &Rc<Frame>) -> Result<Reached> {
        let (mut at, start) = self.start(steps, input, frame);
        let mut current = match start {
            Some(value) => {
                let (done, value) = walk(&steps[at..], value);
                at += done;
                if at == steps.len() || (at > 0 && value.is_undefined()) {
                    return Ok(Reached::Values(ended(value, at > 0)));
                }
                match value {
                    Val::Array(list) if at > 0 && list.items.is_empty() => {
                        return Ok(Reached::Values(Val::sequence(Vec::new())));
                    }
                    Val::Array(list) if at > 0 => List { items: list.items, ..List::sequence(Vec::new()) },
                    other => List::sequence(vec![other]),
                }
            }
            None => match input {
                Val::Array(list) if !matches!(steps[0].kind, Kind::Variable(_)) => list.clone(),
                other => List::sequence(vec![other.clone()]),
            },
        };
        let (mut tuples, mut value) = (None, Val::Undefined);
        for (position, step) in steps.iter().enumerate().skip(at) {
            if position == 0 && step.whole {
                value = self.evaluate(step, &Val::Array(current.clone()), frame)?;
            } else if step.tuple || tuples.is_some() {
                tuples = Some(self.tuple_step(step, &current, tuples.take(), frame)?);
                continue;
            } else {
                value = self.step(step, &current, position + 1 == steps.len(), frame)?;
            }
            let Val::Array(list) = &value else { break };
            if list.items.is_empty() {
                break;
            }
            if step.focus.is_none() {
                current = list.clone();
            }
        }
        Ok(tuples.map_or(Reached::Values(value), Reached::Tuples))
    }

    /// Where a path starts that needs no step's evaluation to start: how many steps that takes, and the value there.
    fn start(&self, steps: &[Node], input: &Val, frame: &Rc<Frame>) -> (usize, Option<Val>) {
        let Kind::Variable(variable) = &steps[0].kind else {
            return (0, (!matches!(input, Val::Array(_))).then(|| input.clone()));
        };
        if !plain(&steps[0]) || variable.is_empty() || frame.get(variable).is_some() {
            return (0, None);
        }
        let (taken, json) = match steps.get(1).map(|step| (&step.kind, plain(step))) {
            Some((Kind::Name(member), true)) if **variable == *"states" => (2, self.states_json(member)),
            _ => (1, self.bindings.variables.get(variable).map(|value| &**value)),
        };
        let Some(mut json) = json else { return (0, None) };
        let mut at = taken;
        while let (Value::Object(members), Some(name)) = (json, steps.get(at).and_then(plain_name)) {
            match members.get(&**name) {
                Some(member) => json = member,
                None => return (at, Some(Val::Undefined)),
            }
            at += 1;
        }
        (at, Some(self.convert(json)))
    }

    fn step(&self, step: &Node, input: &List, last: bool, frame: &Rc<Frame>) -> Result {
        if let Kind::Sort(terms) = &step.kind {
            let mut sorted = self.sort(Val::Array(input.clone()), terms, frame)?;
            for stage in &step.stages {
                if let Stage::Filter(predicate) = stage {
                    sorted = self.filter(predicate, sorted, frame)?;
                }
            }
            return Ok(sorted);
        }
        let mut found = Vec::with_capacity(input.items.len());
        for item in input.items.iter() {
            let mut value = self.evaluate(step, item, frame)?;
            for stage in &step.stages {
                if let Stage::Filter(predicate) = stage {
                    value = self.filter(predicate, value, frame)?;
                }
            }
            if !value.is_undefined() {
                found.push(value);
            }
        }
        if last
            && let [Val::Array(list)] = found.as_slice()
            && !list.sequence
        {
            return Ok(found.remove(0));
        }
        let mut flat = Vec::with_capacity(found.len());
        for value in found {
            match value {
                Val::Array(list) if !list.whole => flat.extend(list.items.iter().cloned()),
                other => flat.push(other),
            }
        }
        self.charge(flat.len() * 8)?;
        Ok(Val::sequence(flat))
    }

    fn tuple_step(
        &self,
        step: &Node,
        input: &List,
        tuples: Option<Vec<Tuple>>,
        frame: &Rc<Frame>,
    ) -> Result<Vec<Tuple>> {
        let bare = |value: Val| Tuple { value, names: Vec::new() };
        let mut found = Vec::new();
        if let Kind::Sort(terms) = &step.kind {
            found = match tuples {
                Some(tuples) => self.sort_tuples(tuples, terms, frame)?,
                None => self.sort(Val::Array(input.clone()), terms, frame)?.items().into_iter().map(bare).collect(),
            };
            number(&mut found, step.index.as_ref());
            return self.stages(found, step, frame);
        }
        for tuple in tuples.unwrap_or_else(|| input.items.iter().cloned().map(bare).collect()) {
            let inside = Frame::of_tuple(frame, &tuple);
            match self.evaluate(step, &tuple.value, &inside)? {
                Val::Undefined => {}
                Val::Tuples(inner) => found.extend(inner.iter().map(|inner| joined(&tuple, inner))),
                Val::Array(list) => {
                    let next = list.items.iter().enumerate().map(|(at, item)| self.next(step, &tuple, item, at));
                    found.extend(next);
                }
                item => found.push(self.next(step, &tuple, &item, 0)),
            }
        }
        self.charge(found.len() * 8)?;
        self.stages(found, step, frame)
    }

    /// The tuple of an item that `step` found from `tuple`.
    fn next(&self, step: &Node, tuple: &Tuple, item: &Val, at: usize) -> Tuple {
        let mut next = tuple.clone();
        match &step.focus {
            Some(focus) => next.bind(focus, item.clone()),
            None => next.value = item.clone(),
        }
        if let Some(index) = &step.index {
            next.bind(index, Val::Number(at as f64));
        }
        if let Some(slot) = step.ancestor {
            next.bind(&self.parents[slot], tuple.value.clone());
        }
        next
    }

    fn stages(&self, mut tuples: Vec<Tuple>, step: &Node, frame: &Rc<Frame>) -> Result<Vec<Tuple>> {
        for stage in &step.stages {
            match stage {
                Stage::Filter(predicate) => tuples = self.filter_tuples(predicate, &tuples, frame)?,
                Stage::Index(name) => number(&mut tuples, Some(name)),
            }
        }
        Ok(tuples)
    }

    pub(super) fn filter(&self, predicate: &Node, value: Val, frame: &Rc<Frame>) -> Result {
        if let Val::Tuples(tuples) = &value {
            return Ok(Val::Tuples(Rc::new(self.filter_tuples(predicate, tuples, frame)?)));
        }
        let items = match value {
            Val::Array(list) => list.items,
            other => Rc::new(vec![other]),
        };
        if let Kind::Number(index) = predicate.kind {
            return Ok(match position(index, items.len()).map(|at| items[at].clone()) {
                Some(Val::Array(list)) => Val::Array(list),
                Some(item) if !item.is_undefined() => Val::sequence(vec![item]),
                _ => Val::sequence(Vec::new()),
            });
        }
        let mut found = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let picked = picks(&self.evaluate(predicate, item, frame)?, at, items.len());
            found.extend(std::iter::repeat_n(item, picked).cloned());
        }
        Ok(Val::sequence(found))
    }

    fn filter_tuples(&self, predicate: &Node, tuples: &[Tuple], frame: &Rc<Frame>) -> Result<Vec<Tuple>> {
        if let Kind::Number(index) = predicate.kind {
            return Ok(position(index, tuples.len()).map(|at| tuples[at].clone()).into_iter().collect());
        }
        let mut found = Vec::new();
        for (at, tuple) in tuples.iter().enumerate() {
            let value = self.evaluate(predicate, &tuple.value, &Frame::of_tuple(frame, tuple))?;
            found.extend(std::iter::repeat_n(tuple, picks(&value, at, tuples.len())).cloned());
        }
        Ok(found)
    }
}

/// Whether a step is nothing but its kind.
fn plain(step: &Node) -> bool {
    step.is_bare() && !step.whole && step.focus.is_none() && step.index.is_none()
}

fn plain_name(step: &Node) -> Option<&Name> {
    match &step.kind {
        // A kept step says so at the path.
        Kind::Name(name) if step.stages.is_empty() && !step.tuple => Some(name),
        _ => None,
    }
}

/// Takes the steps that are names as long as objects have them.
fn walk(steps: &[Node], mut value: Val) -> (usize, Val) {
    let mut at = 0;
    while let (Val::Object(members), Some(name)) = (&value, steps.get(at).and_then(plain_name)) {
        value = members.get(name).cloned().unwrap_or(Val::Undefined);
        at += 1;
    }
    (at, value)
}

/// What a path gives whose last step found `value`.
fn ended(value: Val, stepped: bool) -> Val {
    match value {
        Val::Undefined => Val::sequence(Vec::new()),
        Val::Array(list) if stepped && !list.sequence => Val::Array(list),
        Val::Array(list) => Val::Array(List { items: list.items, ..List::sequence(Vec::new()) }),
        other => Val::sequence(vec![other]),
    }
}

/// Keeps a single result an array, as `[]` asks.
fn kept(value: Val) -> Val {
    match value {
        Val::Array(list) if list.whole && !list.sequence => {
            Val::Array(List { keep: true, ..List::sequence(vec![Val::Array(list)]) })
        }
        Val::Array(list) => Val::Array(List { keep: true, ..list }),
        other => other,
    }
}

fn number(tuples: &mut [Tuple], name: Option<&Name>) {
    let Some(name) = name else { return };
    for (at, tuple) in tuples.iter_mut().enumerate() {
        tuple.bind(name, Val::Number(at as f64));
    }
}

fn joined(outer: &Tuple, inner: &Tuple) -> Tuple {
    let mut joined = Tuple { value: inner.value.clone(), names: outer.names.clone() };
    inner.names.iter().for_each(|(name, value)| joined.bind(name, value.clone()));
    joined
}

/// How often a predicate's value picks the item at `at` of `count`.
fn picks(value: &Val, at: usize, count: usize) -> usize {
    let hits = |index: f64| usize::from(position(index, count) == Some(at));
    match value {
        Val::Number(index) => hits(*index),
        Val::Integer(index) => hits(*index as f64),
        Val::Array(list) if list.items.iter().all(|item| item.number().is_some()) => {
            list.items.iter().filter_map(Val::number).map(hits).sum()
        }
        other => usize::from(other.truth()),
    }
}

/// The place that an index means; negative ones count from the end.
fn position(index: f64, count: usize) -> Option<usize> {
    let index = index.floor();
    let index = if index < 0.0 { index + count as f64 } else { index };
    (index >= 0.0 && index < count as f64).then_some(index as usize)
}

pub(in crate::jsonata) fn lookup(input: &Val, name: &str) -> Val {
    match input {
        Val::Object(members) => members.get(name).cloned().unwrap_or(Val::Undefined),
        Val::Array(list) => {
            let mut found = Vec::new();
            for item in list.items.iter() {
                match lookup(item, name) {
                    Val::Undefined => {}
                    Val::Array(list) => found.extend(list.items.iter().cloned()),
                    other => found.push(other),
                }
            }
            Val::sequence(found)
        }
        _ => Val::Undefined,
    }
}

pub(super) fn wildcard(input: &Val) -> Val {
    fn flatten(value: &Val, found: &mut Vec<Val>) {
        match value {
            Val::Array(list) => list.items.iter().for_each(|item| flatten(item, found)),
            other => found.push(other.clone()),
        }
    }
    let input = match input {
        Val::Array(list) if list.wrapper && !list.items.is_empty() => &list.items[0],
        other => other,
    };
    let members: Vec<&Val> = match input {
        Val::Object(members) => members.iter().map(|(_, member)| member).collect(),
        Val::Array(list) => list.items.iter().collect(),
        _ => Vec::new(),
    };
    // A member that is an array makes the result a plain array.
    let sequence = !members.iter().any(|member| matches!(member, Val::Array(_)));
    let mut found = Vec::new();
    members.into_iter().for_each(|member| flatten(member, &mut found));
    Val::Array(List { sequence, ..List::plain(found) })
}

pub(super) fn descendants(input: &Val) -> Val {
    fn descend(value: &Val, found: &mut Vec<Val>) {
        match value {
            Val::Array(list) => list.items.iter().for_each(|item| descend(item, found)),
            other => {
                found.push(other.clone());
                if let Val::Object(members) = other {
                    members.iter().for_each(|(_, member)| descend(member, found));
                }
            }
        }
    }
    if input.is_undefined() {
        return Val::Undefined;
    }
    let mut found = Vec::new();
    descend(input, &mut found);
    Val::sequence(found)
}
