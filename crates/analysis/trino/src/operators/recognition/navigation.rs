//! Which row of a match a value is taken from.

use std::ops::Range;

use super::program::Label;

/// From the first or the last row with one of some labels, so many of them further on or back, then so many rows away.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Navigation {
    /// The labels, sorted; none for all rows of the match.
    pub(crate) labels: Vec<Label>,
    /// Whether it counts from the first such row on, and not from the last one back.
    pub(crate) first: bool,
    /// Whether it stops at the row at hand, and not at the match's end.
    pub(crate) running: bool,
    /// How many such rows it passes.
    pub(crate) logical: usize,
    /// How many rows, matched or not, it goes on from there.
    pub(crate) physical: i64,
}

impl Default for Navigation {
    /// The row at hand.
    fn default() -> Self {
        Self { labels: Vec::new(), first: false, running: true, logical: 0, physical: 0 }
    }
}

/// Whether a label is one of these, of which none stand for all.
pub(super) fn is_one_of(labels: &[Label], label: Label) -> bool {
    labels.is_empty() || labels.contains(&label)
}

impl Navigation {
    /// Whether a row with this label always finds itself before it goes away.
    pub(super) fn starts_here(&self, label: Label) -> bool {
        !self.first && self.running && self.logical == 0 && is_one_of(&self.labels, label)
    }

    /// The row, counted from the match's start, that is found among the labels. Of them, the first `upto` belong to the rows
    /// up to the one at hand.
    pub(super) fn find(&self, labels: &[Label], upto: usize) -> Option<usize> {
        let seen = &labels[..if self.running { upto.min(labels.len()) } else { labels.len() }];
        let fits = |(_, label): &(usize, &Label)| is_one_of(&self.labels, **label);
        if self.labels.is_empty() {
            return self.nth(seen.len(), |place| place);
        }
        let rows = seen.iter().enumerate();
        let found = match self.first {
            true => rows.filter(fits).nth(self.logical),
            false => rows.rev().filter(fits).nth(self.logical),
        };
        found.map(|(place, _)| place)
    }

    /// The same where the rows with the labels are known.
    pub(super) fn find_among(&self, places: &[usize], upto: usize) -> Option<usize> {
        let seen = if self.running { places.partition_point(|place| *place < upto) } else { places.len() };
        self.nth(seen, |place| places[place])
    }

    fn nth(&self, count: usize, place: impl Fn(usize) -> usize) -> Option<usize> {
        if self.logical >= count {
            return None;
        }
        Some(place(if self.first { self.logical } else { count - 1 - self.logical }))
    }

    /// The row of the partition that is as far away as it says.
    pub(super) fn away(&self, row: usize, partition: &Range<usize>) -> Option<usize> {
        let target = i64::try_from(row).ok()?.checked_add(self.physical)?;
        usize::try_from(target).ok().filter(|target| partition.contains(target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn navigation(labels: &[Label], first: bool, running: bool, logical: usize, physical: i64) -> Navigation {
        Navigation { labels: labels.to_vec(), first, running, logical, physical }
    }

    #[test]
    fn rows_are_found_from_either_end() {
        let labels = [0, 1, 1, 2, 1];
        let cases = [
            (navigation(&[], false, true, 0, 0), 3, Some(2)),
            (navigation(&[], false, false, 0, 0), 3, Some(4)),
            (navigation(&[], true, true, 1, 0), 3, Some(1)),
            (navigation(&[], true, true, 3, 0), 3, None),
            (navigation(&[1], false, true, 0, 0), 4, Some(2)),
            (navigation(&[1], false, true, 1, 0), 4, Some(1)),
            (navigation(&[1], false, true, 2, 0), 4, None),
            (navigation(&[1], false, false, 0, 0), 4, Some(4)),
            (navigation(&[1], true, false, 2, 0), 1, Some(4)),
            (navigation(&[1], true, true, 0, 0), 1, None),
            (navigation(&[0, 2], false, true, 1, 0), 4, Some(0)),
        ];
        for (navigation, upto, expected) in cases {
            assert_eq!(navigation.find(&labels, upto), expected, "{navigation:?}");
            let places: Vec<usize> =
                (0..labels.len()).filter(|place| is_one_of(&navigation.labels, labels[*place])).collect();
            assert_eq!(navigation.find_among(&places, upto), expected, "{navigation:?} among known");
        }
        assert_eq!(navigation(&[], false, true, 0, 0).find(&[], 1), None);
    }

    #[test]
    fn a_partition_ends_the_way() {
        let partition = 10..13;
        assert_eq!(navigation(&[], false, true, 0, -1).away(11, &partition), Some(10));
        assert_eq!(navigation(&[], false, true, 0, -2).away(11, &partition), None);
        assert_eq!(navigation(&[], false, true, 0, 1).away(12, &partition), None);
        assert_eq!(navigation(&[], false, true, 0, i64::MAX).away(12, &partition), None);
    }
}
