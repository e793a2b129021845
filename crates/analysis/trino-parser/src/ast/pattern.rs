//! MATCH_RECOGNIZE and windows: patterns of rows.

use super::{Expr, Ident, Mark, Node, Relation, SortItem};

/// `relation MATCH_RECOGNIZE (…)`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MatchRecognize {
    /// Whose rows are looked through.
    pub input: Relation,
    /// PARTITION BY: columns.
    pub partition_by: Vec<Expr>,
    /// ORDER BY: columns.
    pub order_by: Vec<SortItem>,
    /// MEASURES: values with their names.
    pub measures: Vec<(Expr, Ident)>,
    /// Which rows come out.
    pub rows: RowsPerMatch,
    /// Where the search goes on after a match.
    pub skip: SkipTo,
    /// PATTERN
    pub pattern: RowPattern,
    /// SUBSET: names for several variables.
    pub subsets: Vec<(Ident, Vec<Ident>)>,
    /// DEFINE: the variables' conditions, one at least.
    pub define: Vec<(Ident, Expr)>,
}

/// What the frame of a window says of a pattern, to which it is reduced.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FramePattern {
    /// MEASURES: values with their names.
    pub measures: Vec<(Expr, Ident)>,
    /// Which rows of later frames are left out after a match, with the place of SKIP.
    pub skip: Option<(Mark, SkipTo)>,
    /// Where in the frame a match may begin.
    pub search: Option<(Mark, PatternSearch)>,
    /// PATTERN, without which nothing else may stand.
    pub pattern: Option<RowPattern>,
    /// SUBSET: names for several variables.
    pub subsets: Vec<(Ident, Vec<Ident>)>,
    /// DEFINE: the variables' conditions.
    pub define: Vec<(Ident, Expr)>,
}

/// Where in a window's frame a match may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatternSearch {
    /// At its first row, which nothing said means too.
    Initial,
    /// At any row, the first one that fits.
    Seek,
}

/// Which rows a match gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowsPerMatch {
    /// `ONE ROW PER MATCH`, which nothing said means too.
    One,
    /// `ALL ROWS PER MATCH [SHOW EMPTY MATCHES]`
    AllWithEmpty,
    /// `ALL ROWS PER MATCH OMIT EMPTY MATCHES`
    AllWithoutEmpty,
    /// `ALL ROWS PER MATCH WITH UNMATCHED ROWS`
    AllWithUnmatched,
}

/// `AFTER MATCH SKIP …`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SkipTo {
    /// `PAST LAST ROW`, which nothing said means too.
    PastLastRow,
    /// `TO NEXT ROW`
    NextRow,
    /// `TO FIRST variable`
    First(Ident),
    /// `TO [LAST] variable`
    Last(Ident),
}

/// A pattern of rows with its position.
pub type RowPattern = Node<RowPatternKind>;

/// What a pattern is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RowPatternKind {
    /// A variable: one row that meets its condition.
    Variable(Ident),
    /// `()`
    Empty,
    /// `^`: the partition's start.
    Start,
    /// `$`: the partition's end.
    End,
    /// `a b`: one after the other, two at least.
    Concatenation(Vec<RowPattern>),
    /// `a | b`: the first that fits, of two at least.
    Alternation(Vec<RowPattern>),
    /// `PERMUTE(a, b)`: all in any order, the written one first.
    Permutation(Vec<RowPattern>),
    /// `{- a -}`: rows that do not come out.
    Excluded(Box<RowPattern>),
    /// `a*`, `a+?`, `a{2,3}`
    Quantified {
        /// What comes several times.
        pattern: Box<RowPattern>,
        /// How often.
        quantifier: PatternQuantifier,
    },
}

/// How often a pattern comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PatternQuantifier {
    /// At least.
    pub least: u64,
    /// At most.
    pub most: Option<u64>,
    /// Whether few are tried before many.
    pub reluctant: bool,
}

/// Which rows of a match a call looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProcessingMode {
    /// Those up to the row at hand.
    Running,
    /// All.
    Final,
}
