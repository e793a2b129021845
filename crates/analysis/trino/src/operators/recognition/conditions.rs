//! The conditions of DEFINE, asked by the matcher.
//!
//! A condition that only looks at the row itself and at rows in a fixed distance from it is computed for all rows at once.
//! Others are computed when they are asked: they depend on the labels that the rows before have in the attempt at hand.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use datafusion::common::Result;

use super::aggregate::Growing;
use super::formula::{Computed, Gathered, Source, SourceKind, field_type, one};
use super::matcher::Conditions;
use super::program::Label;

/// The conditions for the rows of some partitions.
pub(super) struct Asked<'a> {
    conditions: Vec<Condition<'a>>,
    input: &'a RecordBatch,
    names: &'a [String],
    /// The partition that is looked through.
    pub(super) partition: Range<usize>,
    /// The match's number.
    pub(super) number: i64,
    /// By label and slot.
    aggregates: HashMap<(Label, usize), Growing>,
}

enum Condition<'a> {
    /// Without a definition every row fits.
    None,
    /// For each row of the input.
    Known(BooleanArray),
    /// For each row so many rows away from the frame's ends; others are asked.
    Near {
        known: BooleanArray,
        back: usize,
        ahead: usize,
        asked: &'a Computed,
    },
    Asked(&'a Computed),
}

impl<'a> Asked<'a> {
    /// `defined` holds a condition, or none, for each label.
    pub(super) fn new(
        defined: &'a [Option<Computed>],
        input: &'a RecordBatch,
        names: &'a [String],
        partitions: &[Range<usize>],
    ) -> Self {
        let condition = |(label, condition): (usize, &'a Option<Computed>)| match condition {
            None => Condition::None,
            Some(condition) if !is_local(condition, label as Label) => Condition::Asked(condition),
            // A row that the matcher never asks about must not fail the statement.
            Some(condition) => match known(condition, label as Label, input, names, partitions) {
                Ok(known) => Condition::Known(known),
                Err(_) => Condition::Asked(condition),
            },
        };
        let conditions = defined.iter().enumerate().map(condition).collect();
        Self { conditions, input, names, partition: 0..0, number: 1, aggregates: HashMap::new() }
    }

    /// For frames of these partitions, beyond which no condition looks.
    pub(super) fn in_frames(
        defined: &'a [Option<Computed>],
        input: &'a RecordBatch,
        names: &'a [String],
        partitions: &[Range<usize>],
    ) -> Self {
        let mut asked = Self::new(defined, input, names, partitions);
        for (condition, computed) in asked.conditions.iter_mut().zip(defined) {
            let (Condition::Known(known), Some(computed)) = (&*condition, computed) else { continue };
            let (back, ahead) = reach(computed);
            if (back, ahead) != (0, 0) {
                *condition = Condition::Near { known: known.clone(), back, ahead, asked: computed };
            }
        }
        asked
    }

    /// How many rows before a row its condition looks at, where answers are local.
    pub(super) fn back(&self) -> usize {
        let back = self.conditions.iter().map(|condition| match condition {
            Condition::Near { back, .. } => *back,
            Condition::None | Condition::Known(_) | Condition::Asked(_) => 0,
        });
        back.max().unwrap_or(0)
    }

    /// How many bytes the answers hold.
    pub(super) fn size(&self) -> usize {
        let known = self.conditions.iter().map(|condition| match condition {
            Condition::Known(known) | Condition::Near { known, .. } => known.get_array_memory_size(),
            Condition::None | Condition::Asked(_) => 0,
        });
        known.sum::<usize>() + self.aggregates.values().map(Growing::size).sum::<usize>()
    }

    fn ask(&mut self, condition: &Computed, start: usize, labels: &[Label]) -> Result<bool> {
        let label = labels[labels.len() - 1];
        let mut slots = Vec::with_capacity(condition.slots.len());
        for (index, source) in condition.slots.iter().enumerate() {
            slots.push(self.slot(source, (label, index), start, labels)?);
        }
        let values = condition.values(slots, 1)?;
        Ok(is_true(&values, 0))
    }

    fn slot(&mut self, source: &Source, place: (Label, usize), start: usize, labels: &[Label]) -> Result<ArrayRef> {
        let found = || source.navigation.find(labels, labels.len()).map(|place| start + place);
        let away = |row| source.navigation.away(row, &self.partition);
        Ok(match &source.kind {
            SourceKind::Column(column) => one(self.input.column(*column), found().and_then(away)),
            SourceKind::Classifier => {
                let row = found().and_then(away).and_then(|row| row.checked_sub(start));
                let name = row.and_then(|row| labels.get(row)).map(|label| self.names[*label as usize].as_str());
                Arc::new(StringArray::from(vec![name]))
            }
            SourceKind::MatchNumber => Arc::new(Int64Array::from(vec![self.number])),
            SourceKind::Aggregate(aggregate) => {
                let known = match self.aggregates.entry(place) {
                    std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                    std::collections::hash_map::Entry::Vacant(place) => place.insert(Growing::new(aggregate)?),
                };
                known.over(aggregate, self.input, start, labels, self.number, self.names)?.to_array()?
            }
        })
    }
}

impl Conditions for Asked<'_> {
    fn holds(&mut self, start: usize, labels: &[Label]) -> Result<bool> {
        let label = labels[labels.len() - 1];
        match &self.conditions[label as usize] {
            Condition::None => Ok(true),
            Condition::Known(known) => {
                let row = start + labels.len() - 1;
                Ok(known.is_valid(row) && known.value(row))
            }
            Condition::Near { known, back, ahead, asked } => {
                let row = start + labels.len() - 1;
                let within = row - self.partition.start >= *back && self.partition.end - row > *ahead;
                let asked = *asked;
                if within { Ok(known.is_valid(row) && known.value(row)) } else { self.ask(asked, start, labels) }
            }
            Condition::Asked(condition) => {
                let condition = *condition;
                self.ask(condition, start, labels)
            }
        }
    }

    fn are_local(&self) -> bool {
        self.conditions.iter().all(|condition| !matches!(condition, Condition::Asked(_)))
    }
}

/// Whether a condition only looks at the row that is to have the label, and at rows in a fixed distance from it.
fn is_local(condition: &Computed, label: Label) -> bool {
    condition.slots.iter().all(|source| {
        let here = source.navigation.starts_here(label);
        match source.kind {
            SourceKind::Column(_) => here,
            SourceKind::Classifier => here && source.navigation.physical == 0,
            SourceKind::MatchNumber | SourceKind::Aggregate(_) => false,
        }
    })
}

/// How many rows before and after a row a local condition looks at.
fn reach(condition: &Computed) -> (usize, usize) {
    let distances = condition.slots.iter().map(|source| source.navigation.physical);
    let far = |distance: i64| usize::try_from(distance).unwrap_or(usize::MAX);
    distances.fold((0, 0), |(back, ahead), distance| match distance {
        ..0 => (back.max(far(distance.saturating_neg())), ahead),
        _ => (back, ahead.max(far(distance))),
    })
}

/// The answers of a local condition for all rows.
fn known(
    condition: &Computed,
    label: Label,
    input: &RecordBatch,
    names: &[String],
    partitions: &[Range<usize>],
) -> Result<BooleanArray> {
    let rows = input.num_rows();
    let mut slots = Vec::with_capacity(condition.slots.len());
    for (index, source) in condition.slots.iter().enumerate() {
        slots.push(match source.kind {
            SourceKind::Column(column) if source.navigation.physical == 0 => Arc::clone(input.column(column)),
            SourceKind::Column(_) => {
                let away = |partition: &Range<usize>| {
                    let partition = partition.clone();
                    let navigation = &source.navigation;
                    partition
                        .clone()
                        .map(move |row| navigation.away(row, &partition).map(|row| row as u64))
                        .collect::<Vec<_>>()
                };
                let mut gathered = Gathered::Rows(partitions.iter().flat_map(away).collect());
                gathered.take(source, field_type(&condition.schema, index), input, names)?
            }
            _ => {
                let mut gathered = Gathered::Labels(vec![Some(label); rows]);
                gathered.take(source, field_type(&condition.schema, index), input, names)?
            }
        });
    }
    let values = condition.values(slots, rows)?;
    Ok((0..rows).map(|row| Some(is_true(&values, row))).collect())
}

/// Whether the only value is true, and not NULL.
fn is_true(values: &[ArrayRef], row: usize) -> bool {
    let Some(values) = values.first().and_then(|values| values.as_boolean_opt()) else { return false };
    values.is_valid(row) && values.value(row)
}
