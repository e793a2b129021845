//! Order-by, and the merge sort that it and `$sort` share.

use std::rc::Rc;

use super::operators::shown;
use super::{Evaluator, Frame, Result};
use crate::jsonata::syntax::Term;
use crate::jsonata::value::{Tuple, Val, order};

impl Evaluator<'_> {
    /// Sorted values; what needs no sorting stays as it is.
    pub(super) fn sort(&self, input: Val, terms: &[Term], frame: &Rc<Frame>) -> Result {
        let Val::Array(list) = &input else { return Ok(input) };
        if list.items.len() < 2 {
            return Ok(input);
        }
        let mut keyed = Vec::with_capacity(list.items.len());
        for item in list.items.iter() {
            keyed.push((self.keys(terms, item, frame)?, item.clone()));
        }
        let sorted = merge_sort(keyed, &|a, b| after(terms, &a.0, &b.0))?;
        Ok(Val::array(sorted.into_iter().map(|(_, item)| item).collect()))
    }

    pub(super) fn sort_tuples(&self, tuples: Vec<Tuple>, terms: &[Term], frame: &Rc<Frame>) -> Result<Vec<Tuple>> {
        if tuples.len() < 2 {
            return Ok(tuples);
        }
        let mut keyed = Vec::with_capacity(tuples.len());
        for tuple in tuples {
            keyed.push((self.keys(terms, &tuple.value, &Frame::of_tuple(frame, &tuple))?, tuple));
        }
        let sorted = merge_sort(keyed, &|a, b| after(terms, &a.0, &b.0))?;
        Ok(sorted.into_iter().map(|(_, tuple)| tuple).collect())
    }

    fn keys(&self, terms: &[Term], item: &Val, frame: &Rc<Frame>) -> Result<Vec<Val>> {
        terms.iter().map(|term| self.evaluate(&term.key, item, frame)).collect()
    }
}

/// Whether what has the keys `a` comes after what has the keys `b`.
fn after(terms: &[Term], a: &[Val], b: &[Val]) -> Result<bool> {
    for (term, (a, b)) in terms.iter().zip(a.iter().zip(b)) {
        // What has no key goes last, whichever way is sorted.
        match (a.is_undefined(), b.is_undefined()) {
            (true, true) => continue,
            (true, false) => return Ok(true),
            (false, true) => return Ok(false),
            (false, false) => {}
        }
        let sortable = |value: &Val| matches!(value, Val::Number(_) | Val::Integer(_) | Val::String(_));
        if !sortable(a) || !sortable(b) {
            return Err(
                "T2008: The expressions within an order-by clause must evaluate to numeric or string values".into()
            );
        }
        if a.kind() != b.kind() {
            return Err(format!(
                "T2007: Type mismatch when comparing values {} and {} in order-by clause",
                shown(a),
                shown(b)
            ));
        }
        match order(a, b) {
            Some(std::cmp::Ordering::Equal) => {}
            Some(std::cmp::Ordering::Less) => return Ok(term.descending),
            _ => return Ok(!term.descending),
        }
    }
    Ok(false)
}

/// Stable, and content with a comparison that may fail or contradict itself.
pub(in crate::jsonata) fn merge_sort<T>(mut items: Vec<T>, after: &dyn Fn(&T, &T) -> Result<bool>) -> Result<Vec<T>> {
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
