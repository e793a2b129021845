//! MATCH_RECOGNIZE and windows that recognise: looks for patterns in the rows of each partition.
//!
//! | Module | What it does |
//! |---|---|
//! | `program` | patterns as programs |
//! | `matcher` | runs a program over the rows of a partition, the preferred way first |
//! | `navigation` | which row of a match a value is taken from |
//! | `formula` | expressions over what is taken from a match |
//! | `aggregate` | aggregates over the rows of a match |
//! | `conditions` | the conditions of DEFINE |
//! | `search` | partitions → matches → rows |
//! | `windows` | frames → matches → measures and functions of each row |
//! | `node` | the node in a logical plan |

mod aggregate;
mod conditions;
mod formula;
mod matcher;
mod navigation;
mod node;
mod program;
mod search;
mod windows;

pub(crate) use formula::{Aggregation, Formulas, Slot, Value};
pub(crate) use navigation::Navigation;
pub(crate) use node::{MatchRecognize, MatchRecognizePlanner, Output};
pub(crate) use program::{Label, Pattern, Program};

use datafusion::common::Column;

use super::frames::FrameFunction;

/// What matches are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Goal {
    /// To make rows of them: MATCH_RECOGNIZE.
    Matches(Rows),
    /// To know of each row the match in its frame: a window.
    Frames(Framing),
}

/// Each row's frame, which begins with the row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Framing {
    /// Where it ends.
    pub(crate) end: FrameEnd,
    /// Whether a match may begin at any row of the frame, and not only at the first one.
    pub(crate) seeks: bool,
    /// What is computed over the rows of the match.
    pub(crate) functions: Vec<FrameFunction>,
}

/// Where a frame ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum FrameEnd {
    /// With the row itself.
    CurrentRow,
    /// So many rows further on as this column says.
    Following(Column),
    /// With the partition.
    Unbounded,
}

/// Which rows come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Rows {
    /// One for each match, those without rows included.
    One,
    /// Those of a match, and the row where a match without rows was found.
    AllWithEmpty,
    /// Those of a match.
    AllWithoutEmpty,
    /// All but those that a match excludes.
    AllWithUnmatched,
}

impl Rows {
    /// Whether matches without rows come out.
    fn empty(self) -> bool {
        self != Self::AllWithoutEmpty
    }
}

/// Where the search goes on after a match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Skip {
    /// After the match's last row.
    PastLast,
    /// After its first row.
    Next,
    /// At the first or last row with one of the labels.
    To {
        /// The labels, sorted.
        labels: Vec<Label>,
        /// Whether at the first one.
        first: bool,
    },
}
