//! Which step of a path a `%` looks back to.
//!
//! Every `%` has a slot: how many levels up it still looks for, and the variable in which that step leaves its input.

use std::sync::Arc;

use super::{Kind, Name, Node};

#[derive(Debug, Default)]
pub(super) struct Ancestry {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    level: i32,
    label: usize,
}

impl Ancestry {
    /// A slot for a new `%`.
    pub(super) fn slot(&mut self) -> usize {
        self.slots.push(Slot { level: 1, label: self.slots.len() });
        self.slots.len() - 1
    }

    /// The variables of all slots. Names of variables cannot contain `!`.
    pub(super) fn names(&self) -> Vec<Name> {
        self.slots.iter().map(|slot| Arc::from(format!("!{}", slot.label))).collect()
    }

    /// Goes up from `node`, which is left of the `%` of `slot`.
    fn seek(&mut self, node: &mut Node, slot: usize) -> Result<(), String> {
        match &mut node.kind {
            Kind::Name(_) | Kind::Wildcard => {
                self.slots[slot].level -= 1;
                if self.slots[slot].level == 0 {
                    if let Some(other) = node.ancestor {
                        self.slots[slot].label = self.slots[other].label;
                    }
                    node.ancestor = Some(slot);
                    node.tuple = true;
                }
            }
            Kind::Parent(_) => self.slots[slot].level += 1,
            Kind::Block(expressions) => {
                if let Some(last) = expressions.last_mut() {
                    self.seek(last, slot)?;
                    node.tuple = true;
                }
            }
            Kind::Path(steps, _) => {
                let mut left = steps.iter_mut().rev();
                if let Some(last) = left.next() {
                    self.seek(last, slot)?;
                }
                for step in left {
                    if self.slots[slot].level <= 0 {
                        break;
                    }
                    self.seek(step, slot)?;
                }
                node.tuple = true;
            }
            _ => return Err(underivable()),
        }
        Ok(())
    }

    /// Finds the steps for the `%` in the last step of a path among the steps before it.
    pub(super) fn resolve(&mut self, path: &mut Node) -> Result<(), String> {
        let Kind::Path(steps, _) = &mut path.kind else { return Ok(()) };
        let Some((last, before)) = steps.split_last_mut() else { return Ok(()) };
        let mut unresolved = Vec::new();
        for slot in slots_of(last) {
            let mut at = before.len();
            while self.slots[slot].level > 0 {
                if at == 0 {
                    unresolved.push(slot);
                    break;
                }
                at -= 1;
                // Steps that are bound one after the other by `@` have the same parent.
                while at > 0 && before[at].focus.is_some() && before[at - 1].focus.is_some() {
                    at -= 1;
                }
                self.seek(&mut before[at], slot)?;
            }
        }
        path.seeking.extend(unresolved);
        Ok(())
    }

    /// A predicate's `%` that looks one level up means the step's own input.
    pub(super) fn predicate(&mut self, step: &mut Node, predicate: &Node) -> Result<(), String> {
        for slot in &predicate.seeking {
            if self.slots[*slot].level == 1 {
                self.seek(step, *slot)?;
            } else {
                self.slots[*slot].level -= 1;
            }
        }
        if !predicate.seeking.is_empty() {
            step.seeking.extend(slots_of(predicate));
        }
        Ok(())
    }
}

/// What `%` are in a node that nothing has been found for.
pub(super) fn slots_of(node: &Node) -> Vec<usize> {
    let own = match node.kind {
        Kind::Parent(slot) => Some(slot),
        _ => None,
    };
    node.seeking.iter().copied().chain(own).collect()
}

pub(super) fn underivable() -> String {
    "S0217: The object representing the 'parent' cannot be derived from this expression".into()
}
