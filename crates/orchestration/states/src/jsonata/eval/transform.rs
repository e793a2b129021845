//! `|pattern|update, delete|`: a copy of a value in which what the pattern finds is changed.

use std::collections::HashMap;
use std::rc::Rc;

use super::operators::shown;
use super::{Evaluator, Frame, Result};
use crate::jsonata::syntax::{Node, Transform};
use crate::jsonata::value::{List, Object, Val, rounded};

/// A step from a value to a part of it.
#[derive(Clone)]
enum Part {
    Member(Rc<str>),
    Item(usize),
}

impl Evaluator<'_> {
    pub(super) fn transform(&self, of: Val, transform: &Transform, frame: &Rc<Frame>) -> Result {
        if of.is_undefined() {
            return Ok(Val::Undefined);
        }
        if !matches!(of, Val::Object(_) | Val::Array(_)) {
            return Err("T0410: Argument 1 of function \"transform\" does not match function signature".into());
        }
        if frame.get("clone").is_some_and(|clone| !clone.is_function()) {
            return Err("T2013: The transform expression clones the input object using the $clone() function. \
                        This has been overridden in the current scope by a non-function."
                .into());
        }
        // In the copy every object is another one, so that what is found can be told by where it is.
        let mut copy = copied(&of);
        let found = self.evaluate(&transform.pattern, &copy, frame)?.items();
        let mut places = HashMap::new();
        locate(&copy, &mut Vec::new(), &mut places);
        for item in found {
            let place = match &item {
                Val::Object(members) => places.get(&Rc::as_ptr(members)),
                _ => None,
            };
            self.change(&mut copy, item, place, transform, frame)?;
        }
        Ok(copy)
    }

    /// Changes what was found; it may have been changed already, so it is looked at where it is.
    fn change(
        &self,
        root: &mut Val,
        found: Val,
        place: Option<&Vec<Part>>,
        transform: &Transform,
        frame: &Rc<Frame>,
    ) -> Result<()> {
        let now = place.and_then(|place| part(root, place)).cloned().unwrap_or(found);
        let update = match self.evaluate(&transform.update, &now, frame)? {
            Val::Undefined => None,
            Val::Object(update) => Some(update),
            other => {
                return Err(format!(
                    "T2011: The insert/update clause of the transform expression must evaluate to an object: {}",
                    shown(&other)
                ));
            }
        };
        if update.as_ref().is_some_and(|update| !update.is_empty()) && !matches!(now, Val::Object(_) | Val::Array(_)) {
            return Err(format!("TypeError: Cannot create a member on {}", shown(&now)));
        }
        let mut object = match &now {
            Val::Object(members) => Some((**members).clone()),
            _ => None,
        };
        if let (Some(object), Some(update)) = (&mut object, &update) {
            update.iter().for_each(|(name, value)| object.insert(name.clone(), value.clone()));
        }
        if let Some(delete) = &transform.delete {
            let context = object.clone().map_or(now, Val::object);
            let names = self.deletions(delete, &context, frame)?;
            if let Some(object) = &mut object {
                names.iter().for_each(|name| object.remove(name));
            }
        }
        if let (Some(object), Some(place)) = (object, place) {
            replace(root, place, Val::object(object));
        }
        Ok(())
    }

    fn deletions(&self, delete: &Node, context: &Val, frame: &Rc<Frame>) -> Result<Vec<Rc<str>>> {
        let value = self.evaluate(delete, context, frame)?;
        let names = value.items().into_iter().map(|name| match name {
            Val::String(name) => Ok(name),
            _ => Err(format!(
                "T2012: The delete clause of the transform expression must evaluate to a string or array of strings: {}",
                shown(&value)
            )),
        });
        names.collect()
    }
}

/// A copy that shares nothing with the value, as if it had been written as JSON and read again.
pub(in crate::jsonata) fn copied(value: &Val) -> Val {
    match value {
        Val::Number(number) => Val::Number(rounded(*number)),
        Val::Array(list) => Val::array(list.items.iter().map(copied).collect()),
        Val::Object(members) => {
            Val::object(members.iter().map(|(name, value)| (name.clone(), copied(value))).collect::<Object>())
        }
        Val::Function(_) => Val::text(""),
        other => other.clone(),
    }
}

fn locate(value: &Val, place: &mut Vec<Part>, places: &mut HashMap<*const Object, Vec<Part>>) {
    match value {
        Val::Array(list) => {
            for (at, item) in list.items.iter().enumerate() {
                place.push(Part::Item(at));
                locate(item, place, places);
                place.pop();
            }
        }
        Val::Object(members) => {
            places.insert(Rc::as_ptr(members), place.clone());
            for (name, member) in members.iter() {
                place.push(Part::Member(name.clone()));
                locate(member, place, places);
                place.pop();
            }
        }
        _ => {}
    }
}

fn part<'v>(root: &'v Val, place: &[Part]) -> Option<&'v Val> {
    place.iter().try_fold(root, |value, part| match (value, part) {
        (Val::Array(list), Part::Item(at)) => list.items.get(*at),
        (Val::Object(members), Part::Member(name)) => members.get(name),
        _ => None,
    })
}

fn replace(root: &mut Val, place: &[Part], with: Val) {
    let Some((first, rest)) = place.split_first() else {
        *root = with;
        return;
    };
    match (root, first) {
        (Val::Array(List { items, .. }), Part::Item(at)) => {
            if let Some(item) = Rc::make_mut(items).get_mut(*at) {
                replace(item, rest, with);
            }
        }
        (Val::Object(members), Part::Member(name)) => {
            if let Some(member) = Rc::make_mut(members).get_mut(name) {
                replace(member, rest, with);
            }
        }
        _ => {}
    }
}
