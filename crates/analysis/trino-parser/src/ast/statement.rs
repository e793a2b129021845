//! Statements, and what Athena calls their kinds.

use super::{AlterAction, CreateDatabase, CreateTable, Expr, Ident, Name, PartitionValue, Properties, Query, Relation};

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Statement {
    /// `SELECT …`, `WITH …`, `VALUES …`, `TABLE t`
    Query(Box<Query>),
    /// `CREATE TABLE … AS query`
    CreateTableAs(Box<CreateTableAs>),
    /// `INSERT INTO t [(columns)] query`
    Insert(Box<Insert>),
    /// `DELETE FROM t [WHERE …]`
    Delete(Box<Delete>),
    /// `UPDATE t SET a = x, … [WHERE …]`
    Update(Box<Update>),
    /// `MERGE INTO t USING … ON … WHEN …`
    Merge(Box<Merge>),
    /// `OPTIMIZE t REWRITE DATA USING BIN_PACK [WHERE …]`
    Optimize(Box<Optimize>),
    /// `VACUUM t`
    Vacuum(Name),
    /// `UNLOAD (query) TO 's3://…' [WITH (…)]`
    Unload(Box<Unload>),
    /// `CREATE [OR REPLACE] VIEW v AS query`
    CreateView(Box<CreateView>),
    /// `DROP VIEW [IF EXISTS] v`
    DropView(DropRelation),
    /// `EXPLAIN …`
    Explain(Box<Explain>),
    /// `PREPARE name FROM statement`
    Prepare(Box<Prepare>),
    /// `EXECUTE name [USING …]`
    Execute(Execute),
    /// `DEALLOCATE PREPARE name`
    Deallocate(Ident),
    /// `SHOW …`
    Show(Show),
    /// `DESCRIBE …`
    Describe(Describe),
    /// `CREATE DATABASE …`
    CreateDatabase(CreateDatabase),
    /// `DROP DATABASE [IF EXISTS] d [CASCADE|RESTRICT]`
    DropDatabase {
        /// The database.
        name: Name,
        /// Whether a missing database is fine.
        if_exists: bool,
        /// Whether its tables go too.
        cascade: bool,
    },
    /// `ALTER DATABASE d SET DBPROPERTIES (…)`
    AlterDatabase {
        /// The database.
        name: Name,
        /// The properties to set.
        properties: Properties,
    },
    /// `CREATE [EXTERNAL] TABLE t (…) …`
    CreateTable(Box<CreateTable>),
    /// `ALTER TABLE t …`
    AlterTable {
        /// The table.
        table: Name,
        /// What changes.
        action: AlterAction,
    },
    /// `DROP TABLE [IF EXISTS] t`
    DropTable(DropRelation),
    /// `MSCK REPAIR TABLE t`
    RepairTable(Name),
}

/// Athena's `StatementType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// Statements on the catalog.
    Ddl,
    /// Queries and statements on data.
    Dml,
    /// Statements that show something.
    Utility,
}

impl StatementKind {
    /// As Athena spells it: `DDL`, `DML`, `UTILITY`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ddl => "DDL",
            Self::Dml => "DML",
            Self::Utility => "UTILITY",
        }
    }
}

impl Statement {
    /// Which of Athena's statement types it is.
    pub fn kind(&self) -> StatementKind {
        match self {
            Self::Query(_)
            | Self::CreateTableAs(_)
            | Self::Insert(_)
            | Self::Delete(_)
            | Self::Update(_)
            | Self::Merge(_)
            | Self::Optimize(_)
            | Self::Vacuum(_)
            | Self::Unload(_)
            | Self::Execute(_) => StatementKind::Dml,
            Self::Explain(_) | Self::Show(_) | Self::Describe(_) | Self::Prepare(_) | Self::Deallocate(_) => {
                StatementKind::Utility
            }
            Self::CreateView(_)
            | Self::DropView(_)
            | Self::CreateDatabase(_)
            | Self::DropDatabase { .. }
            | Self::AlterDatabase { .. }
            | Self::CreateTable(_)
            | Self::AlterTable { .. }
            | Self::DropTable(_)
            | Self::RepairTable(_) => StatementKind::Ddl,
        }
    }
}

/// `CREATE TABLE [IF NOT EXISTS] t [WITH (…)] AS query [WITH [NO] DATA]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreateTableAs {
    /// The new table.
    pub name: Name,
    /// Whether an existing table is fine.
    pub if_not_exists: bool,
    /// The table's comment.
    pub comment: Option<String>,
    /// The table's properties.
    pub properties: Vec<Property>,
    /// The rows.
    pub query: Query,
    /// Whether the rows are written; not with `WITH NO DATA`.
    pub with_data: bool,
}

/// `name = value` of a WITH clause.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Property {
    /// The property.
    pub name: Ident,
    /// A constant expression.
    pub value: Expr,
}

/// `INSERT INTO t [(columns)] query`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Insert {
    /// The table.
    pub table: Name,
    /// The columns that the query's columns go to; all of them if empty.
    pub columns: Vec<Ident>,
    /// The rows.
    pub query: Query,
}

/// `DELETE FROM t [WHERE …]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delete {
    /// The table.
    pub table: Name,
    /// Which rows.
    pub filter: Option<Expr>,
}

/// `UPDATE t SET a = x, … [WHERE …]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Update {
    /// The table.
    pub table: Name,
    /// The columns' new values.
    pub assignments: Vec<(Ident, Expr)>,
    /// Which rows.
    pub filter: Option<Expr>,
}

/// `MERGE INTO t [AS alias] USING source ON condition WHEN …`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Merge {
    /// The table that changes.
    pub table: Name,
    /// Its alias.
    pub alias: Option<Ident>,
    /// The rows to merge into it.
    pub source: Relation,
    /// Which rows match.
    pub on: Expr,
    /// The cases, one at least.
    pub cases: Vec<MergeCase>,
}

/// `WHEN [NOT] MATCHED [AND condition] THEN …`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MergeCase {
    /// `WHEN MATCHED … THEN UPDATE SET …`
    Update {
        /// A further condition.
        condition: Option<Expr>,
        /// The columns' new values.
        assignments: Vec<(Ident, Expr)>,
    },
    /// `WHEN MATCHED … THEN DELETE`
    Delete {
        /// A further condition.
        condition: Option<Expr>,
    },
    /// `WHEN NOT MATCHED … THEN INSERT [(columns)] VALUES (…)`
    Insert {
        /// A further condition.
        condition: Option<Expr>,
        /// The columns; all of them if empty.
        columns: Vec<Ident>,
        /// Their values.
        values: Vec<Expr>,
    },
}

/// `OPTIMIZE t REWRITE DATA USING BIN_PACK [WHERE …]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Optimize {
    /// The table.
    pub table: Name,
    /// Which rows' files.
    pub filter: Option<Expr>,
}

/// `UNLOAD (query) TO 's3://…' [WITH (…)]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unload {
    /// The rows.
    pub query: Query,
    /// Where they go.
    pub location: String,
    /// In which form.
    pub properties: Vec<Property>,
}

/// `CREATE [OR REPLACE] VIEW v AS query`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CreateView {
    /// The view.
    pub name: Name,
    /// Whether an existing view is replaced.
    pub or_replace: bool,
    /// What it selects.
    pub query: Query,
}

/// What DROP TABLE and DROP VIEW say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DropRelation {
    /// The table or view.
    pub name: Name,
    /// Whether a missing one is fine.
    pub if_exists: bool,
}

/// `EXPLAIN [ANALYZE [VERBOSE]] [(TYPE …, FORMAT …)] statement`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Explain {
    /// Whether the statement really runs, and how much is said about it.
    pub analyze: Option<Analyze>,
    /// DISTRIBUTED if not said.
    pub kind: Option<ExplainType>,
    /// TEXT if not said.
    pub format: Option<ExplainFormat>,
    /// What is explained.
    pub statement: Statement,
}

/// `ANALYZE`, `ANALYZE VERBOSE`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum Analyze {
    Plain,
    Verbose,
}

/// What EXPLAIN shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum ExplainType {
    Logical,
    Distributed,
    Validate,
    Io,
}

/// How EXPLAIN shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum ExplainFormat {
    Text,
    Graphviz,
    Json,
}

/// `PREPARE name FROM statement`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Prepare {
    /// The prepared statement's name.
    pub name: Ident,
    /// The statement.
    pub statement: Statement,
    /// The statement as it was written.
    pub text: String,
}

/// `EXECUTE name [USING a, b]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Execute {
    /// The prepared statement.
    pub name: Ident,
    /// The values of its parameters.
    pub arguments: Vec<Expr>,
}

/// `SHOW …`. Databases' names may have a catalog before them; patterns are as written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Show {
    /// `SHOW DATABASES|SCHEMAS [LIKE 'pattern']`
    Databases {
        /// Which.
        pattern: Option<String>,
    },
    /// `SHOW TABLES [IN d] ['pattern']`
    Tables {
        /// Of which database.
        database: Option<Name>,
        /// Which.
        pattern: Option<String>,
    },
    /// `SHOW VIEWS [IN d] [LIKE 'pattern']`
    Views {
        /// Of which database.
        database: Option<Name>,
        /// Which.
        pattern: Option<String>,
    },
    /// `SHOW COLUMNS {FROM|IN} t`; of `{FROM|IN} d` after it the table's name is made.
    Columns(Name),
    /// `SHOW PARTITIONS t`
    Partitions(Name),
    /// `SHOW CREATE TABLE t`
    CreateTable(Name),
    /// `SHOW CREATE VIEW v`
    CreateView(Name),
    /// `SHOW TBLPROPERTIES t [('p')]`
    TableProperties {
        /// The table.
        table: Name,
        /// Only this property.
        key: Option<String>,
    },
    /// `SHOW FUNCTIONS [LIKE 'pattern']`
    Functions {
        /// Which.
        pattern: Option<String>,
    },
}

/// `DESCRIBE [EXTENDED|FORMATTED] t [PARTITION (…)] [column]`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Describe {
    /// The table or view.
    pub table: Name,
    /// How much is said.
    pub detail: DescribeDetail,
    /// Only of this partition; none if empty.
    pub partition: Vec<PartitionValue>,
    /// Only this column, and the steps down into its type: fields, `$elem$`, `$key$`, `$value$`.
    pub column: Vec<Ident>,
}

/// How much DESCRIBE says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are SQL's")]
pub enum DescribeDetail {
    Plain,
    Extended,
    Formatted,
}
