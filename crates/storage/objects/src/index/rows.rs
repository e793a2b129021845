//! Rows in order, past what is known to be empty.

use std::ops::Bound;
use std::time::{Duration, Instant};

use fjall::{Readable as _, Slice};

use super::Moment;
use crate::error::{Error, Result};

/// The first row that can follow a row.
pub(super) fn behind(mut row: Vec<u8>) -> Vec<u8> {
    row.push(0);
    row
}

/// A row takes longer than this if much was removed before it.
const SLOW: Duration = Duration::from_micros(500);

/// Rows in order.
pub(super) struct Rows {
    moment: Moment,
    /// Where the next stretch begins, if there is one.
    from: Option<Vec<u8>>,
    end: Option<Vec<u8>>,
    /// The stretch up to the next range that is known to be empty, or to the end.
    some: Option<fjall::Iter>,
    /// Where the stretch began.
    begun: Vec<u8>,
    /// The row of the stretch that came last.
    last: Option<Slice>,
    tells: bool,
}

impl Rows {
    pub(super) fn new(moment: Moment, from: Vec<u8>, end: Option<Vec<u8>>) -> Self {
        Self { moment, from: Some(from), end, some: None, begun: Vec::new(), last: None, tells: true }
    }

    /// Nobody is told when a row takes long.
    pub(super) fn quiet(mut self) -> Self {
        self.tells = false;
        self
    }

    /// Begins the next stretch.
    fn stretch(&mut self, from: Vec<u8>) {
        let stretch = self.moment.index.gaps().ahead(from, self.moment.number());
        if self.end.as_ref().is_some_and(|end| stretch.from >= *end) {
            return;
        }
        let (stop, next) = match stretch.gap {
            Some((start, end)) if self.end.as_ref().is_none_or(|end| start < *end) => (Some(start), Some(end)),
            _ => (self.end.clone(), None),
        };
        let end = stop.map_or(Bound::Unbounded, Bound::Excluded);
        let range = (Bound::Included(stretch.from.clone()), end);
        self.some = Some(self.moment.snapshot.range(&self.moment.engine.rows, range));
        (self.from, self.begun, self.last) = (next, stretch.from, None);
    }
}

impl Iterator for Rows {
    type Item = Result<(Slice, Slice)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.some.is_none() {
                let from = self.from.take()?;
                self.stretch(from);
            }
            let asked = Instant::now();
            let row = self.some.as_mut()?.next();
            if self.tells && asked.elapsed() > SLOW {
                let from = self.last.as_ref().map_or_else(|| self.begun.clone(), |last| behind(last.to_vec()));
                self.moment.index.gaps().slow(from);
            }
            let Some(row) = row else {
                self.some = None;
                continue;
            };
            let row = row.into_inner();
            self.last = row.as_ref().ok().map(|(key, _)| key.clone());
            return Some(row.map_err(Error::from));
        }
    }
}
