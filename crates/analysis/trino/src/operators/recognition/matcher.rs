//! Runs a program over the rows of a partition: depth first, so that what is preferred is found first. Its stack is a list of
//! its own, so that long matches need no deep recursion, and it can be stopped after any step and go on.

use std::ops::Range;

use datafusion::common::{HashSet, Result};

use super::program::{Instruction, Label, Program};

/// What the matcher asks of the rows.
pub(super) trait Conditions {
    /// Whether the row after the others may have the last of these labels. The first label is that of row `start`.
    fn holds(&mut self, start: usize, labels: &[Label]) -> Result<bool>;

    /// Whether a row's answer depends on nothing but the row and its label.
    fn are_local(&self) -> bool;
}

/// How far a search has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The labels are those of a match.
    Matched,
    /// No match begins at the row.
    Failed,
    /// It has not ended.
    Paused,
}

/// What to go back to.
#[derive(Debug)]
struct Choice {
    at: usize,
    labels: usize,
    exclusions: usize,
    trail: usize,
}

/// The state of a search.
#[derive(Debug)]
pub(super) struct Matcher<'p> {
    program: &'p Program,
    partition: Range<usize>,
    start: usize,
    at: usize,
    /// The labels of the rows so far.
    pub(super) labels: Vec<Label>,
    /// Where excluded rows begin and end, in turn, counted from the start.
    pub(super) exclusions: Vec<usize>,
    choices: Vec<Choice>,
    /// The row where the round of each loop began.
    rounds: Vec<usize>,
    /// What `rounds` was before, to go back.
    trail: Vec<(usize, usize)>,
    /// Where the program has been before in vain, by instruction and row. Only known where conditions are local.
    vain: HashSet<(usize, usize)>,
    /// The first row from which on `vain` holds for other starts too.
    settled: usize,
}

impl<'p> Matcher<'p> {
    pub(super) fn new(program: &'p Program, partition: Range<usize>) -> Self {
        Self {
            program,
            start: partition.start,
            partition,
            at: 0,
            labels: Vec::new(),
            exclusions: Vec::new(),
            choices: Vec::new(),
            rounds: vec![usize::MAX; program.loops],
            trail: Vec::new(),
            vain: HashSet::default(),
            settled: 0,
        }
    }

    /// Looks at these rows only from now on. Conditions look back at most so many rows.
    pub(super) fn within(&mut self, rows: Range<usize>, back: usize) {
        if rows.end != self.partition.end {
            self.vain.clear();
        }
        self.settled = rows.start.saturating_add(back);
        self.partition = rows;
    }

    /// Gets ready to look for a match that begins at a row.
    pub(super) fn begin(&mut self, start: usize) {
        self.start = start;
        self.at = 0;
        self.labels.clear();
        self.exclusions.clear();
        self.choices.clear();
        self.trail.clear();
        self.rounds.fill(usize::MAX);
    }

    /// How many bytes the search holds.
    pub(super) fn size(&self) -> usize {
        size_of::<Label>() * self.labels.capacity()
            + size_of::<usize>() * (self.exclusions.capacity() + self.rounds.capacity())
            + size_of::<Choice>() * self.choices.capacity()
            + size_of::<(usize, usize)>() * (self.trail.capacity() + self.vain.capacity())
    }

    /// Searches on for at most so many steps.
    pub(super) fn advance(&mut self, conditions: &mut impl Conditions, steps: usize) -> Result<Outcome> {
        let local = conditions.are_local();
        for _ in 0..steps {
            let row = self.start + self.labels.len();
            let alive = match self.program.instructions[self.at] {
                Instruction::Row(label) => self.take(conditions, label, row)?,
                Instruction::Split(first, second) => {
                    let alive = !local || row < self.settled || self.vain.insert((self.at, row));
                    if alive {
                        self.choices.push(Choice {
                            at: second,
                            labels: self.labels.len(),
                            exclusions: self.exclusions.len(),
                            trail: self.trail.len(),
                        });
                        self.at = first;
                    }
                    alive
                }
                Instruction::Jump(to) => {
                    self.at = to;
                    true
                }
                Instruction::Start => self.only_if(row == self.partition.start),
                Instruction::End => self.only_if(row == self.partition.end),
                Instruction::Exclusion => {
                    self.exclusions.push(self.labels.len());
                    self.only_if(true)
                }
                Instruction::Round(own) => {
                    self.trail.push((own, self.rounds[own]));
                    self.rounds[own] = row;
                    self.only_if(true)
                }
                Instruction::Progress(own) => self.only_if(self.rounds[own] != row),
                Instruction::Done => {
                    self.vain.clear();
                    return Ok(Outcome::Matched);
                }
            };
            if !alive && !self.back() {
                return Ok(Outcome::Failed);
            }
        }
        Ok(Outcome::Paused)
    }

    fn take(&mut self, conditions: &mut impl Conditions, label: Label, row: usize) -> Result<bool> {
        if row >= self.partition.end {
            return Ok(false);
        }
        self.labels.push(label);
        let holds = conditions.holds(self.start, &self.labels)?;
        if !holds {
            self.labels.pop();
        }
        Ok(self.only_if(holds))
    }

    /// Goes to the next instruction.
    fn only_if(&mut self, condition: bool) -> bool {
        self.at += usize::from(condition);
        condition
    }

    /// Back to the last choice; false if there is none.
    fn back(&mut self) -> bool {
        let Some(choice) = self.choices.pop() else { return false };
        self.at = choice.at;
        self.labels.truncate(choice.labels);
        self.exclusions.truncate(choice.exclusions);
        while self.trail.len() > choice.trail {
            if let Some((own, row)) = self.trail.pop() {
                self.rounds[own] = row;
            }
        }
        true
    }
}

#[cfg(test)]
#[path = "matcher_tests.rs"]
mod tests;
