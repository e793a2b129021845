//! Text → syntax tree: tokens, operator precedence, then the resolution of paths, bindings and parents.

mod ancestry;
mod lexer;
mod lower;
mod outside;
mod parser;
mod raw;
pub(super) mod signature;

use std::sync::Arc;

use regex::Regex;

pub(super) use outside::refusals;
use signature::Signature;

/// Nested expressions in a text: deeper ones could not be evaluated either.
const MAX_NESTING: usize = 500;

pub(super) type Name = Arc<str>;
/// Keys and values of an object constructor or a grouping.
pub(super) type Pairs = Vec<(Node, Node)>;

/// A compiled expression: its tree and what the variables of its `%` operators are called.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) root: Node,
    pub(super) parents: Vec<Name>,
}

/// Compiles a text.
pub(super) fn compile(text: &str) -> Result<Program, String> {
    let raw = parser::parse(text)?;
    lower::lower(raw)
}

/// A node and what belongs to any node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// `[…]` after something that is not a step of a path.
    pub(super) predicates: Vec<Node>,
    /// `[…]` and `#$i` after a step of a path.
    pub(super) stages: Vec<Stage>,
    /// `{…}` after the node.
    pub(super) group: Option<Pairs>,
    /// `[]` after the node: one result stays an array.
    pub(super) keep: bool,
    /// An array constructor at the edge of a path: its arrays are not flattened.
    pub(super) whole: bool,
    /// The step gives tuples: values with the variables bound on the way.
    pub(super) tuple: bool,
    /// `@$name`.
    pub(super) focus: Option<Name>,
    /// `#$name`.
    pub(super) index: Option<Name>,
    /// The `%` for which this step's input is to be remembered.
    pub(super) ancestor: Option<usize>,
    /// The `%` in here whose steps have not been found yet.
    seeking: Vec<usize>,
}

#[derive(Debug)]
pub(super) enum Stage {
    Filter(Node),
    Index(Name),
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(f64),
    /// As [`Val::Integer`](super::value::Val::Integer).
    Integer(i64),
    String(Arc<str>),
    Regex(Arc<Pattern>),
    Variable(Name),
    Name(Name),
    Wildcard,
    Descendants,
    Parent(usize),
    /// Steps, and whether one result stays an array.
    Path(Vec<Node>, bool),
    Array(Vec<Node>),
    Object(Pairs),
    Negate(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    Condition(Box<Node>, Box<Node>, Option<Box<Node>>),
    Block(Vec<Node>),
    Bind(Name, Box<Node>),
    Call(Arc<Call>),
    /// A call whose value is the value of the function around it.
    TailCall(Arc<Call>),
    Partial(Box<Node>, Vec<Option<Node>>),
    Lambda(Arc<Lambda>),
    Apply(Box<Node>, Box<Node>),
    Sort(Vec<Term>),
    Transform(Arc<Transform>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    Different,
    Less,
    AtMost,
    More,
    AtLeast,
    Concatenate,
    And,
    Or,
    In,
    Range,
}

impl Operator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
            Self::Equal => "=",
            Self::Different => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Concatenate => "&",
            Self::And => "and",
            Self::Or => "or",
            Self::In => "in",
            Self::Range => "..",
        }
    }
}

/// A regular expression.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) source: String,
    pub(super) regex: Regex,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) procedure: Node,
    pub(super) arguments: Vec<Node>,
}

#[derive(Debug)]
pub(super) struct Lambda {
    pub(super) parameters: Vec<Name>,
    pub(super) signature: Option<Signature>,
    pub(super) body: Node,
}

/// One key of an order-by.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) descending: bool,
    pub(super) key: Node,
}

#[derive(Debug)]
pub(super) struct Transform {
    pub(super) pattern: Node,
    pub(super) update: Node,
    pub(super) delete: Option<Node>,
}

impl Node {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            predicates: Vec::new(),
            stages: Vec::new(),
            group: None,
            keep: false,
            whole: false,
            tuple: false,
            focus: None,
            index: None,
            ancestor: None,
            seeking: Vec::new(),
        }
    }

    /// A path of one step.
    fn path_of(step: Self) -> Self {
        Self::new(Kind::Path(vec![step], false))
    }

    /// Whether nothing but its kind says what the node gives.
    pub(super) fn is_bare(&self) -> bool {
        self.predicates.is_empty() && self.stages.is_empty() && self.group.is_none() && !self.tuple && !self.keep
    }
}
