//! The states of an aggregation's groups, in chunks: where there are many they are not copied when more come, nor held twice.

use std::ops::{Index, IndexMut};

use datafusion::logical_expr::EmitTo;

/// How many states a chunk has; only the first one begins shorter.
const CHUNK: usize = 4096;

/// States by the numbers of their groups.
#[derive(Debug)]
pub(super) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
}

impl<T: Copy + Default> Chunks<T> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    /// Gives new groups their first state, up to so many in all.
    pub(super) fn grow(&mut self, groups: usize) {
        let mut missing = groups.saturating_sub(self.len());
        while missing > 0 {
            if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
                let room = if self.chunks.is_empty() { 0 } else { CHUNK };
                self.chunks.push(Vec::with_capacity(room));
            }
            let Some(chunk) = self.chunks.last_mut() else { return };
            let more = missing.min(CHUNK - chunk.len());
            chunk.resize(chunk.len() + more, T::default());
            missing -= more;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    /// The states that are handed on. Those that stay count from 0 again.
    pub(super) fn take(&mut self, emit_to: EmitTo) -> Self {
        let taken = std::mem::replace(self, Self::new());
        match emit_to {
            EmitTo::All => taken,
            EmitTo::First(count) => {
                let (mut first, mut all) = (Self::new(), taken.into_iter());
                first.extend(all.by_ref().take(count));
                self.extend(all);
                first
            }
        }
    }

    fn extend(&mut self, states: impl Iterator<Item = T>) {
        for state in states {
            let place = self.len();
            self.grow(place + 1);
            self[place] = state;
        }
    }

    /// How many bytes they take.
    pub(super) fn size(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.capacity() * size_of::<T>()).sum()
    }
}

/// The states one after the other; a chunk goes when its last one has been asked for.
impl<T> IntoIterator for Chunks<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter().flatten()
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    fn index(&self, group: usize) -> &T {
        &self.chunks[group / CHUNK][group % CHUNK]
    }
}

impl<T> IndexMut<usize> for Chunks<T> {
    fn index_mut(&mut self, group: usize) -> &mut T {
        &mut self.chunks[group / CHUNK][group % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(count: usize) -> Chunks<usize> {
        let mut chunks = Chunks::new();
        chunks.grow(count / 3);
        chunks.grow(count);
        chunks.grow(0);
        (0..count).for_each(|group| chunks[group] = group);
        chunks
    }

    #[test]
    fn states_keep_their_places() {
        for count in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7] {
            let chunks = numbered(count);
            assert_eq!(chunks.len(), count);
            assert!(chunks.iter().copied().eq(0..count));
            assert!(chunks.size() >= count * size_of::<usize>());
        }
    }

    #[test]
    fn the_first_are_taken_and_the_rest_begins_anew() {
        for first in [0, 1, CHUNK, CHUNK + 5, 2 * CHUNK] {
            let mut chunks = numbered(2 * CHUNK);
            assert!(chunks.take(EmitTo::First(first)).into_iter().eq(0..first));
            assert!(chunks.iter().copied().eq(first..2 * CHUNK));
            assert!(chunks.take(EmitTo::All).into_iter().eq(first..2 * CHUNK));
            assert_eq!(chunks.len(), 0);
        }
    }
}
