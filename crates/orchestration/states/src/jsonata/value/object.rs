//! Objects: members in the order in which they came.

use std::collections::HashMap;
use std::rc::Rc;

use super::Val;

/// Members from which on names are looked up in an index.
const INDEXED: usize = 12;

#[derive(Debug, Clone, Default)]
pub(in crate::jsonata) struct Object {
    members: Vec<(Rc<str>, Val)>,
    index: HashMap<Rc<str>, usize>,
}

impl Object {
    fn at(&self, name: &str) -> Option<usize> {
        if self.members.len() < INDEXED {
            self.members.iter().position(|(own, _)| &**own == name)
        } else {
            self.index.get(name).copied()
        }
    }

    pub(in crate::jsonata) fn get(&self, name: &str) -> Option<&Val> {
        Some(&self.members[self.at(name)?].1)
    }

    pub(in crate::jsonata) fn get_mut(&mut self, name: &str) -> Option<&mut Val> {
        let at = self.at(name)?;
        Some(&mut self.members[at].1)
    }

    /// Sets a member; one that is there keeps its place.
    pub(in crate::jsonata) fn insert(&mut self, name: Rc<str>, value: Val) {
        match self.at(&name) {
            Some(at) => self.members[at].1 = value,
            None => {
                self.members.push((name, value));
                if self.members.len() >= INDEXED {
                    self.index_from(if self.members.len() == INDEXED { 0 } else { self.members.len() - 1 });
                }
            }
        }
    }

    pub(in crate::jsonata) fn remove(&mut self, name: &str) {
        if let Some(at) = self.at(name) {
            self.members.remove(at);
            self.index.clear();
            if self.members.len() >= INDEXED {
                self.index_from(0);
            }
        }
    }

    fn index_from(&mut self, start: usize) {
        for (at, (name, _)) in self.members.iter().enumerate().skip(start) {
            self.index.insert(name.clone(), at);
        }
    }

    pub(in crate::jsonata) fn len(&self) -> usize {
        self.members.len()
    }

    pub(in crate::jsonata) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(in crate::jsonata) fn iter(&self) -> impl Iterator<Item = (&Rc<str>, &Val)> {
        self.members.iter().map(|(name, value)| (name, value))
    }
}

impl FromIterator<(Rc<str>, Val)> for Object {
    fn from_iter<I: IntoIterator<Item = (Rc<str>, Val)>>(members: I) -> Self {
        let mut object = Self::default();
        members.into_iter().for_each(|(name, value)| object.insert(name, value));
        object
    }
}
