//! The variables of a block or a function call.

use std::cell::RefCell;
use std::rc::Rc;

use crate::jsonata::syntax::Name;
use crate::jsonata::value::{Tuple, Val};

#[derive(Debug, Default)]
pub(in crate::jsonata) struct Frame {
    names: RefCell<Vec<(Name, Val)>>,
    outer: Option<Rc<Frame>>,
}

impl Frame {
    pub(super) fn inside(outer: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { names: RefCell::default(), outer: Some(Rc::clone(outer)) })
    }

    /// The variables that were bound on the way to `tuple`.
    pub(super) fn of_tuple(outer: &Rc<Self>, tuple: &Tuple) -> Rc<Self> {
        Rc::new(Self { names: RefCell::new(tuple.names.clone()), outer: Some(Rc::clone(outer)) })
    }

    pub(super) fn bind(&self, name: &Name, value: Val) {
        let mut names = self.names.borrow_mut();
        match names.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => names.push((name.clone(), value)),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Val> {
        let mut frame = self;
        loop {
            if let Some((_, value)) = frame.names.borrow().iter().find(|(own, _)| &**own == name) {
                return Some(value.clone());
            }
            frame = frame.outer.as_deref()?;
        }
    }
}

impl Drop for Frame {
    /// Not recursively: frames of a long tail recursion can hang on each other.
    fn drop(&mut self) {
        let mut next = self.outer.take();
        while let Some(frame) = next {
            next = Rc::into_inner(frame).and_then(|mut frame| frame.outer.take());
        }
    }
}
