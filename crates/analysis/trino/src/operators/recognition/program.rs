//! Patterns as programs: what to try at a row, and what to try if that fails.

use boathouse_trino_functions::error::{ErrorCode, TrinoError};

/// How many instructions a pattern may need; quantifiers with bounds and permutations are written out.
const MAX_INSTRUCTIONS: usize = 200_000;

/// A variable of the pattern, by its number.
pub(crate) type Label = u32;

/// A pattern with numbers for variables.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Pattern {
    /// One row that may have this label.
    Row(Label),
    /// Nothing.
    Empty,
    /// The partition's start.
    Start,
    /// The partition's end.
    End,
    /// One after the other.
    Sequence(Vec<Pattern>),
    /// The first that fits.
    Choice(Vec<Pattern>),
    /// All in any order.
    Permutation(Vec<Pattern>),
    /// Rows that do not come out.
    Excluded(Box<Pattern>),
    /// Several times.
    Repeated {
        /// What.
        pattern: Box<Pattern>,
        /// At least so often.
        least: usize,
        /// At most so often.
        most: Option<usize>,
        /// Few are tried before many.
        reluctant: bool,
    },
}

/// A step of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Instruction {
    /// Takes a row with this label.
    Row(Label),
    /// Goes on at the first place, and at the second if that fails.
    Split(usize, usize),
    /// Goes on there.
    Jump(usize),
    /// Fails elsewhere than at the partition's start.
    Start,
    /// Fails elsewhere than at the partition's end.
    End,
    /// Excluded rows begin or end.
    Exclusion,
    /// Notes that a round of this loop begins here.
    Round(usize),
    /// Fails if the round of this loop took no rows: it would never end.
    Progress(usize),
    /// The rows so far are a match.
    Done,
}

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Program {
    pub(super) instructions: Vec<Instruction>,
    /// How many loops note their rounds.
    pub(super) loops: usize,
}

impl Program {
    /// The program of a pattern.
    ///
    /// # Errors
    /// NOT_SUPPORTED for a pattern that is too long when its quantifiers are written out.
    pub(crate) fn new(pattern: &Pattern) -> Result<Self, TrinoError> {
        let mut program = Self { instructions: Vec::new(), loops: 0 };
        program.compile(pattern)?;
        program.push(Instruction::Done)?;
        Ok(program)
    }

    fn push(&mut self, instruction: Instruction) -> Result<usize, TrinoError> {
        if self.instructions.len() >= MAX_INSTRUCTIONS {
            let message = format!("The row pattern is too long: it needs more than {MAX_INSTRUCTIONS} steps");
            return Err(TrinoError::new(ErrorCode::NotSupported, message));
        }
        self.instructions.push(instruction);
        Ok(self.instructions.len() - 1)
    }

    fn here(&self) -> usize {
        self.instructions.len()
    }

    fn compile(&mut self, pattern: &Pattern) -> Result<(), TrinoError> {
        match pattern {
            Pattern::Row(label) => self.push(Instruction::Row(*label)).map(drop),
            Pattern::Empty => Ok(()),
            Pattern::Start => self.push(Instruction::Start).map(drop),
            Pattern::End => self.push(Instruction::End).map(drop),
            Pattern::Sequence(parts) => parts.iter().try_for_each(|part| self.compile(part)),
            Pattern::Choice(parts) => {
                let parts: Vec<&Pattern> = parts.iter().collect();
                self.choice(&parts, Self::compile)
            }
            Pattern::Permutation(parts) => self.permutation(&parts.iter().collect::<Vec<_>>()),
            Pattern::Excluded(part) => {
                self.push(Instruction::Exclusion)?;
                self.compile(part)?;
                self.push(Instruction::Exclusion).map(drop)
            }
            Pattern::Repeated { pattern, least, most, reluctant } => self.repeated(pattern, *least, *most, *reluctant),
        }
    }

    /// Alternatives, the first one first.
    fn choice<T: Copy>(
        &mut self,
        parts: &[T],
        mut each: impl FnMut(&mut Self, T) -> Result<(), TrinoError>,
    ) -> Result<(), TrinoError> {
        let mut ends = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            if index + 1 == parts.len() {
                each(self, *part)?;
                break;
            }
            let split = self.push(Instruction::Split(0, 0))?;
            each(self, *part)?;
            ends.push(self.push(Instruction::Jump(0))?);
            self.instructions[split] = Instruction::Split(split + 1, self.here());
        }
        let end = self.here();
        ends.into_iter().for_each(|jump| self.instructions[jump] = Instruction::Jump(end));
        Ok(())
    }

    /// Each of the parts first, in the written order, and then the others in any order.
    fn permutation(&mut self, parts: &[&Pattern]) -> Result<(), TrinoError> {
        let places: Vec<usize> = (0..parts.len()).collect();
        self.choice(&places, |program, first| {
            program.compile(parts[first])?;
            let others: Vec<&Pattern> = [&parts[..first], &parts[first + 1..]].concat();
            if others.is_empty() { Ok(()) } else { program.permutation(&others) }
        })
    }

    fn repeated(
        &mut self,
        pattern: &Pattern,
        least: usize,
        most: Option<usize>,
        reluctant: bool,
    ) -> Result<(), TrinoError> {
        let endless = most.is_none();
        // The last of the rounds that have to come is the loop's own first round.
        let before = if endless { least.saturating_sub(1) } else { least };
        for _ in 0..before {
            self.compile(pattern)?;
        }
        match most {
            None if least > 0 => self.at_least_once(pattern, reluctant),
            None => self.any_number(pattern, reluctant),
            Some(most) => self.up_to(pattern, most.saturating_sub(least), reluctant),
        }
    }

    fn any_number(&mut self, pattern: &Pattern, reluctant: bool) -> Result<(), TrinoError> {
        let split = self.push(Instruction::Split(0, 0))?;
        // A first round of nothing is the match that is preferred where nothing is the first alternative.
        if pattern.may_be_empty() {
            self.at_least_once(pattern, reluctant)?;
        } else {
            self.compile(pattern)?;
            self.push(Instruction::Jump(split))?;
        }
        self.set_split(split, split + 1, self.here(), reluctant);
        Ok(())
    }

    fn at_least_once(&mut self, pattern: &Pattern, reluctant: bool) -> Result<(), TrinoError> {
        let start = self.here();
        if !pattern.may_be_empty() {
            self.compile(pattern)?;
            let split = self.push(Instruction::Split(0, 0))?;
            self.set_split(split, start, split + 1, reluctant);
            return Ok(());
        }
        let own = self.loops;
        self.loops += 1;
        self.push(Instruction::Round(own))?;
        self.compile(pattern)?;
        let split = self.push(Instruction::Split(0, 0))?;
        self.push(Instruction::Progress(own))?;
        self.push(Instruction::Jump(start))?;
        self.set_split(split, split + 1, self.here(), reluctant);
        Ok(())
    }

    fn up_to(&mut self, pattern: &Pattern, count: usize, reluctant: bool) -> Result<(), TrinoError> {
        let mut splits = Vec::new();
        for _ in 0..count {
            splits.push(self.push(Instruction::Split(0, 0))?);
            self.compile(pattern)?;
        }
        let end = self.here();
        splits.into_iter().for_each(|split| self.set_split(split, split + 1, end, reluctant));
        Ok(())
    }

    fn set_split(&mut self, split: usize, again: usize, end: usize, reluctant: bool) {
        let (first, second) = if reluctant { (end, again) } else { (again, end) };
        self.instructions[split] = Instruction::Split(first, second);
    }
}

impl Pattern {
    /// Whether it may match no rows.
    fn may_be_empty(&self) -> bool {
        match self {
            Self::Row(_) => false,
            Self::Empty | Self::Start | Self::End => true,
            Self::Sequence(parts) | Self::Permutation(parts) => parts.iter().all(Self::may_be_empty),
            Self::Choice(parts) => parts.iter().any(Self::may_be_empty),
            Self::Excluded(part) => part.may_be_empty(),
            Self::Repeated { pattern, least, .. } => *least == 0 || pattern.may_be_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_grow_too_long_are_refused() {
        let many =
            |pattern| Pattern::Repeated { pattern: Box::new(pattern), least: 1000, most: Some(1000), reluctant: false };
        assert!(Program::new(&many(Pattern::Row(0))).is_ok());
        let error = Program::new(&many(many(Pattern::Row(0)))).unwrap_err();
        assert_eq!(error.code, ErrorCode::NotSupported);
        let all = Pattern::Permutation((0..20).map(Pattern::Row).collect());
        assert_eq!(Program::new(&all).unwrap_err().code, ErrorCode::NotSupported);
    }
}
