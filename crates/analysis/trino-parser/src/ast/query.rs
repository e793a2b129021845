//! Queries: SELECT and what it stands on.

use super::{Expr, Ident, Mark, MatchRecognize, Name, Node, SortItem, Window};

/// A query with its WITH, ORDER BY, OFFSET and LIMIT.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Query {
    /// The named queries.
    pub with: Option<With>,
    /// The rows.
    pub body: QueryBody,
    /// ORDER BY over the body's rows.
    pub order_by: Vec<SortItem>,
    /// OFFSET: an integer literal or a parameter.
    pub offset: Option<Expr>,
    /// LIMIT or FETCH FIRST.
    pub limit: Option<Limit>,
}

/// The WITH clause.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct With {
    /// Whether RECURSIVE was there.
    pub recursive: bool,
    /// The named queries, in order.
    pub queries: Vec<NamedQuery>,
}

/// One query of a WITH clause.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NamedQuery {
    /// Its name.
    pub name: Ident,
    /// Its columns' names, if given.
    pub columns: Vec<Ident>,
    /// The query.
    pub query: Query,
}

/// How many rows a query gives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Limit {
    /// `LIMIT ALL`
    All,
    /// `LIMIT n`: an integer literal or a parameter.
    Rows(Expr),
    /// `FETCH FIRST [n] ROWS ONLY|WITH TIES`
    Fetch {
        /// Where FETCH stands.
        pos: Mark,
        /// How many; one if not said.
        rows: Option<Expr>,
        /// Whether rows equal to the last one come too.
        with_ties: bool,
    },
}

/// A query's body with its position.
pub type QueryBody = Node<QueryBodyKind>;

/// What gives a query its rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum QueryBodyKind {
    /// `SELECT …`
    Select(Box<Select>),
    /// `VALUES …`: a row, or any other expression for a row of one column.
    Values(Vec<Expr>),
    /// `TABLE t`
    Table(Name),
    /// `(query)`
    Subquery(Box<Query>),
    /// `left UNION|INTERSECT|EXCEPT [ALL|DISTINCT] right`
    SetOperation {
        /// Which.
        op: SetOp,
        /// Whether duplicates stay.
        all: bool,
        /// The left side.
        left: Box<QueryBody>,
        /// The right side.
        right: Box<QueryBody>,
    },
}

/// How two bodies combine. INTERSECT binds tighter than the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum SetOp {
    Union,
    Intersect,
    Except,
}

/// `SELECT …` up to its WINDOW clause.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Select {
    /// Whether DISTINCT was there.
    pub distinct: bool,
    /// The columns.
    pub items: Vec<SelectItem>,
    /// The relations of FROM, which commas join; none for a SELECT of one row.
    pub from: Vec<Relation>,
    /// WHERE
    pub filter: Option<Expr>,
    /// GROUP BY
    pub group_by: Option<GroupBy>,
    /// HAVING
    pub having: Option<Expr>,
    /// WINDOW
    pub windows: Vec<(Ident, Window)>,
}

/// One item of a SELECT with its position.
pub type SelectItem = Node<SelectItemKind>;

/// What a SELECT's item is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SelectItemKind {
    /// `*`
    All,
    /// `t.*`, `(row).* [AS (a, b)]`
    AllOf {
        /// The relation's name or the row.
        target: Expr,
        /// The columns' new names.
        aliases: Vec<Ident>,
    },
    /// `expr [AS alias]`
    Expr {
        /// The value.
        expr: Expr,
        /// Its name.
        alias: Option<Ident>,
    },
}

/// GROUP BY
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupBy {
    /// Whether equal grouping sets count once (`GROUP BY DISTINCT`).
    pub distinct: bool,
    /// The elements, whose sets multiply.
    pub elements: Vec<GroupingElement>,
}

/// An element of GROUP BY.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupingElement {
    /// `a`, or `(a, b)`, or `()`: one set.
    Set(Vec<Expr>),
    /// `ROLLUP (a, (b, c))`
    Rollup(Vec<Vec<Expr>>),
    /// `CUBE (a, (b, c))`
    Cube(Vec<Vec<Expr>>),
    /// `GROUPING SETS ((a, b), a, ())`
    Sets(Vec<Vec<Expr>>),
    /// `GROUP BY AUTO`: every selected column without an aggregate. Where a column of the input is called `auto`, that
    /// column is meant.
    Auto,
}

/// What FROM reads, with its position.
pub type Relation = Node<RelationKind>;

/// What a relation is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// `db.t [FOR VERSION AS OF …]`
    Table {
        /// Its name.
        name: Name,
        /// As of when.
        version: Option<TableVersion>,
    },
    /// `(query)`
    Subquery(Box<Query>),
    /// `LATERAL (query)`
    Lateral(Box<Query>),
    /// `UNNEST(a, b) [WITH ORDINALITY]`
    Unnest {
        /// The arrays and maps.
        exprs: Vec<Expr>,
        /// Whether a counting column follows.
        ordinality: bool,
    },
    /// `TABLE(name(…))`
    TableFunction {
        /// The function.
        name: Name,
        /// Its arguments, each perhaps with its name.
        args: Vec<(Option<Ident>, TableArgument)>,
    },
    /// `left JOIN right …`
    Join {
        /// The kind of join.
        kind: JoinKind,
        /// The left side.
        left: Box<Relation>,
        /// The right side.
        right: Box<Relation>,
        /// The condition.
        constraint: JoinConstraint,
    },
    /// `relation [AS] alias [(columns)]`
    Aliased {
        /// The relation.
        relation: Box<Relation>,
        /// Its new name.
        alias: Ident,
        /// Its columns' new names.
        columns: Vec<Ident>,
    },
    /// `relation MATCH_RECOGNIZE (…)`
    MatchRecognize(Box<MatchRecognize>),
    /// `relation TABLESAMPLE BERNOULLI|SYSTEM (percentage)`
    Sampled {
        /// The relation.
        relation: Box<Relation>,
        /// Rows or files.
        method: SampleMethod,
        /// How many in a hundred.
        percentage: Expr,
    },
}

/// An argument of a table function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TableArgument {
    /// A value.
    Value(Expr),
    /// `TABLE(name)`, `TABLE(query)`
    Table(Box<Relation>),
    /// `DESCRIPTOR(a, b)`
    Descriptor(Vec<Ident>),
}

/// `FOR TIMESTAMP|VERSION AS OF …` (also SYSTEM_TIME, SYSTEM_VERSION)
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum TableVersion {
    Timestamp(Expr),
    Version(Expr),
}

/// How a join treats rows without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum JoinKind {
    Cross,
    Inner,
    Left,
    Right,
    Full,
}

/// What joins two relations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum JoinConstraint {
    /// Nothing: a cross join.
    None,
    /// `NATURAL`
    Natural,
    /// `USING (a, b)`
    Using(Vec<Ident>),
    /// `ON condition`
    On(Box<Expr>),
}

/// How TABLESAMPLE chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum SampleMethod {
    Bernoulli,
    System,
}
