//! Expressions.

use super::{FramePattern, Ident, JsonCall, Mark, Name, Node, ProcessingMode, Query, TypeExpr};

/// An expression with its position.
pub type Expr = Node<ExprKind>;

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// `NULL`
    Null,
    /// `TRUE`, `FALSE`
    Boolean(bool),
    /// `1`, `-1`: an integer if it fits in 32 bits, else a bigint. A minus sign directly before a number belongs to it.
    Integer(i64),
    /// `1.5`, `.5`, `-1.`: digits as written (sign included), precision and scale follow from them.
    Decimal(String),
    /// `1e0`, `1.5E-3`: as written; always readable as an `f64`.
    Double(String),
    /// `'text'` and `U&'…'`, unescaped.
    String(String),
    /// `X'0aff'`
    Bytes(Vec<u8>),
    /// `DATE '2020-01-01'`, `TIMESTAMP '…'`, `DECIMAL '1.0'`, `JSON '…'`, any type's name before a string.
    TypedLiteral {
        /// The type's name in lower case (`double precision` is `double`).
        type_name: String,
        /// The text, unescaped.
        value: String,
    },
    /// `INTERVAL -'3' DAY TO SECOND`
    Interval {
        /// Whether a minus stands before the text.
        negative: bool,
        /// The text, unescaped.
        value: String,
        /// The first (or only) field.
        from: IntervalField,
        /// The field after `TO`.
        to: Option<IntervalField>,
    },
    /// `?`, numbered from 0 in the order of the text.
    Parameter(usize),
    /// A bare name: a column, or a lambda's parameter.
    Identifier(Ident),
    /// `base.field`: a qualified column or a row's field; see [`Expr::as_name`].
    Dereference {
        /// What stands before the dot.
        base: Box<Expr>,
        /// What stands after it.
        field: Ident,
    },
    /// `+x`, `-x`
    Unary {
        /// The sign.
        op: UnaryOp,
        /// The operand.
        expr: Box<Expr>,
    },
    /// `left op right`, arithmetic and `||`.
    Binary {
        /// The operator.
        op: BinaryOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `left op right`, giving a boolean.
    Comparison {
        /// The operator.
        op: ComparisonOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// `a AND b AND c`: two terms or more, a chain of one operator is one node.
    Logical {
        /// AND or OR.
        op: LogicalOp,
        /// The terms from left to right.
        terms: Vec<Expr>,
    },
    /// `NOT x`
    Not(Box<Expr>),
    /// `x IS [NOT] NULL`
    IsNull {
        /// The tested value.
        expr: Box<Expr>,
        /// Whether NOT was there.
        negated: bool,
    },
    /// `a IS [NOT] DISTINCT FROM b`
    IsDistinctFrom {
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
        /// Whether NOT was there.
        negated: bool,
    },
    /// `x [NOT] BETWEEN low AND high`
    Between {
        /// The tested value.
        expr: Box<Expr>,
        /// The lower bound.
        low: Box<Expr>,
        /// The upper bound.
        high: Box<Expr>,
        /// Whether NOT was there.
        negated: bool,
    },
    /// `x [NOT] IN (a, b)`
    InList {
        /// The tested value.
        expr: Box<Expr>,
        /// The candidates, one at least.
        list: Vec<Expr>,
        /// Whether NOT was there.
        negated: bool,
    },
    /// `x [NOT] IN (SELECT …)`
    InSubquery {
        /// The tested value.
        expr: Box<Expr>,
        /// The query.
        query: Box<Query>,
        /// Whether NOT was there.
        negated: bool,
    },
    /// `x [NOT] LIKE pattern [ESCAPE e]`
    Like {
        /// The tested value.
        expr: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// The escape character.
        escape: Option<Box<Expr>>,
        /// Whether NOT was there.
        negated: bool,
    },
    /// `x = ANY (SELECT …)`
    Quantified {
        /// The comparison.
        op: ComparisonOp,
        /// ALL or ANY (SOME is ANY).
        quantifier: Quantifier,
        /// The left operand.
        left: Box<Expr>,
        /// The query.
        query: Box<Query>,
    },
    /// `EXISTS (SELECT …)`
    Exists(Box<Query>),
    /// `(SELECT …)` as a value.
    Subquery(Box<Query>),
    /// `CASE [operand] WHEN … THEN … [ELSE …] END`
    Case {
        /// The operand of the simple form.
        operand: Option<Box<Expr>>,
        /// The branches, one at least.
        branches: Vec<WhenClause>,
        /// The ELSE value.
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(x AS T)`, `TRY_CAST(x AS T)`
    Cast {
        /// The value.
        expr: Box<Expr>,
        /// The target type.
        target: TypeExpr,
        /// Whether it is TRY_CAST.
        safe: bool,
    },
    /// `EXTRACT(YEAR FROM x)`
    Extract {
        /// The field as written, such as `year` or `timezone_hour`; the analyzer knows which exist.
        field: Ident,
        /// The value.
        expr: Box<Expr>,
    },
    /// `x AT TIME ZONE zone`; the zone is a string or an interval.
    AtTimeZone {
        /// The value.
        expr: Box<Expr>,
        /// The zone.
        zone: Box<Expr>,
    },
    /// `TRIM([LEADING|TRAILING|BOTH] [chars] [FROM] x)`. The plain `trim(x)` and `trim(x, chars)` are this too.
    Trim {
        /// Which ends.
        side: TrimSide,
        /// The characters to take off; blanks by default.
        characters: Option<Box<Expr>>,
        /// The value.
        expr: Box<Expr>,
    },
    /// A function call of any kind, also IF, COALESCE, NULLIF and TRY. `SUBSTRING(x FROM a FOR b)` is a call of `substr`,
    /// `POSITION(a IN b)` a call of `strpos(b, a)`, `NORMALIZE(x, NFD)` a call of `normalize(x, 'NFD')`.
    Function(Box<FunctionCall>),
    /// `measure OVER window`: what a window's MEASURES call so.
    Measure {
        /// The measure.
        name: Ident,
        /// The window.
        over: Box<Over>,
    },
    /// `x -> body`, `(x, y) -> body`, `() -> body`
    Lambda {
        /// The parameters.
        parameters: Vec<Ident>,
        /// The body.
        body: Box<Expr>,
    },
    /// `base[index]`
    Subscript {
        /// The array, map or row.
        base: Box<Expr>,
        /// The index or key.
        index: Box<Expr>,
    },
    /// `ROW(a, b)`, `(a, b)`: one field at least.
    Row(Vec<Expr>),
    /// `ARRAY[a, b]`
    Array(Vec<Expr>),
    /// `CURRENT_DATE`, `LOCALTIMESTAMP(3)`, `CURRENT_USER` …
    Current {
        /// Which.
        item: CurrentItem,
        /// The precision in parentheses.
        precision: Option<u32>,
    },
    /// `GROUPING(a, b)`
    Grouping(Vec<Expr>),
    /// `JSON_VALUE(…)` and the other SQL/JSON functions.
    Json(Box<JsonCall>),
}

impl Expr {
    /// The dotted name this expression spells, if it is one: `a`, `t.a`, `s.t.a`.
    pub fn as_name(&self) -> Option<Name> {
        match &self.kind {
            ExprKind::Identifier(ident) => Some(Name { parts: vec![ident.clone()] }),
            ExprKind::Dereference { base, field } => {
                let mut name = base.as_name()?;
                name.parts.push(field.clone());
                Some(name)
            }
            _ => None,
        }
    }
}

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
}

/// An operator on values of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Modulus,
    /// `||`
    Concat,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ComparisonOp {
    /// `=`
    Equal,
    /// `<>`, `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// AND or OR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogicalOp {
    /// `AND`
    And,
    /// `OR`
    Or,
}

/// How a comparison ranges over a query's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// `ALL`
    All,
    /// `ANY`, `SOME`
    Any,
}

/// A field of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum IntervalField {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

/// Which ends TRIM works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TrimSide {
    Both,
    Leading,
    Trailing,
}

/// The functions without parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum CurrentItem {
    Date,
    Time,
    Timestamp,
    LocalTime,
    LocalTimestamp,
    User,
    Catalog,
    Schema,
    Path,
}

/// One branch of a CASE.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WhenClause {
    /// The condition, or the value that the operand is compared with.
    pub condition: Expr,
    /// The branch's value.
    pub result: Expr,
}

/// A call of a function, an aggregate or a window function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FunctionCall {
    /// `RUNNING` or `FINAL` before it, in MATCH_RECOGNIZE.
    pub mode: Option<ProcessingMode>,
    /// The function.
    pub name: Name,
    /// The arguments; none for `count(*)`.
    pub args: Vec<Expr>,
    /// Whether the argument is `*`, or `variable.*` in MATCH_RECOGNIZE.
    pub star: bool,
    /// The variable before `.*`.
    pub label: Option<Ident>,
    /// `DISTINCT` before the arguments.
    pub distinct: bool,
    /// `ORDER BY` after the arguments.
    pub order_by: Vec<SortItem>,
    /// `LISTAGG(… ON OVERFLOW …)`
    pub overflow: Option<ListaggOverflow>,
    /// `WITHIN GROUP (ORDER BY …)`
    pub within_group: Vec<SortItem>,
    /// `FILTER (WHERE …)`
    pub filter: Option<Expr>,
    /// `RESPECT NULLS`, `IGNORE NULLS`
    pub nulls: Option<NullTreatment>,
    /// `OVER …`
    pub over: Option<Over>,
}

impl FunctionCall {
    /// A plain call.
    pub fn new(name: Name, args: Vec<Expr>) -> Self {
        Self {
            mode: None,
            name,
            args,
            star: false,
            label: None,
            distinct: false,
            order_by: Vec::new(),
            overflow: None,
            within_group: Vec::new(),
            filter: None,
            nulls: None,
            over: None,
        }
    }
}

/// What LISTAGG does when its text grows too long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ListaggOverflow {
    /// `ON OVERFLOW ERROR`
    Error,
    /// `ON OVERFLOW TRUNCATE ['…'] WITH|WITHOUT COUNT`
    Truncate {
        /// What stands in for the rest.
        filler: Option<String>,
        /// Whether the number of left-out values is appended.
        with_count: bool,
    },
}

/// What a window function does with NULLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum NullTreatment {
    Respect,
    Ignore,
}

/// What follows OVER.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Over {
    /// A window of the WINDOW clause.
    Named(Ident),
    /// A window in parentheses.
    Window(Window),
}

/// A window's specification.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Window {
    /// Where its first word stands.
    pub pos: Mark,
    /// The window of the WINDOW clause that it refines.
    pub base: Option<Ident>,
    /// PARTITION BY
    pub partition_by: Vec<Expr>,
    /// ORDER BY
    pub order_by: Vec<SortItem>,
    /// The frame.
    pub frame: Option<Frame>,
}

/// A window's frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Frame {
    /// Where it begins.
    pub pos: Mark,
    /// ROWS, RANGE or GROUPS.
    pub unit: FrameUnit,
    /// Where it starts.
    pub start: FrameBound,
    /// Where it ends; the current row if not said.
    pub end: Option<FrameBound>,
    /// The pattern that its rows have to follow.
    pub recognition: Option<Box<FramePattern>>,
}

/// What a frame counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum FrameUnit {
    Rows,
    Range,
    Groups,
}

/// An end of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum FrameBound {
    UnboundedPreceding,
    Preceding(Box<Expr>),
    CurrentRow,
    Following(Box<Expr>),
    UnboundedFollowing,
}

/// An item of ORDER BY.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SortItem {
    /// The key.
    pub expr: Expr,
    /// Whether DESC was there.
    pub descending: bool,
    /// `NULLS FIRST` (true), `NULLS LAST` (false); last by default, for both directions.
    pub nulls_first: Option<bool>,
}
