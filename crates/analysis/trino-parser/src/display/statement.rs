//! Statements.

use std::fmt::{self, Display, Formatter};

use super::definition::{Hive, HiveName, HiveText};
use super::{Text, list, names, optional};
use crate::ast::*;

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(query) => write!(f, "{query}"),
            Self::CreateTableAs(table) => write!(f, "{table}"),
            Self::Insert(insert) => {
                write!(f, "INSERT INTO {}", insert.table)?;
                names(f, &insert.columns)?;
                write!(f, " {}", insert.query)
            }
            Self::Delete(delete) => {
                write!(f, "DELETE FROM {}", delete.table)?;
                optional(f, " WHERE ", delete.filter.as_ref())
            }
            Self::Update(update) => {
                write!(f, "UPDATE {}", update.table)?;
                assignments(f, &update.assignments)?;
                optional(f, " WHERE ", update.filter.as_ref())
            }
            Self::Merge(merge) => write!(f, "{merge}"),
            Self::Optimize(optimize) => {
                write!(f, "OPTIMIZE {} REWRITE DATA USING BIN_PACK", optimize.table)?;
                optional(f, " WHERE ", optimize.filter.as_ref())
            }
            Self::Vacuum(table) => write!(f, "VACUUM {table}"),
            Self::Unload(unload) => {
                write!(f, "UNLOAD ({}) TO {}", unload.query, Text(&unload.location))?;
                properties(f, &unload.properties)
            }
            Self::CreateView(view) => {
                let replace = if view.or_replace { "OR REPLACE " } else { "" };
                write!(f, "CREATE {replace}VIEW {} AS {}", view.name, view.query)
            }
            Self::DropView(drop) => write!(f, "DROP VIEW {}{}", if_exists(drop.if_exists), drop.name),
            Self::Explain(explain) => write!(f, "{explain}"),
            Self::Prepare(prepare) => write!(f, "PREPARE {} FROM {}", prepare.name, prepare.text),
            Self::Execute(execute) => {
                write!(f, "EXECUTE {}", execute.name)?;
                f.write_str(if execute.arguments.is_empty() { "" } else { " USING " })?;
                list(f, &execute.arguments)
            }
            Self::Deallocate(name) => write!(f, "DEALLOCATE PREPARE {name}"),
            Self::Show(show) => write!(f, "{show}"),
            Self::Describe(describe) => write!(f, "{describe}"),
            definition => super::definition::statement(f, definition),
        }
    }
}

pub(super) fn if_exists(said: bool) -> &'static str {
    if said { "IF EXISTS " } else { "" }
}

pub(super) fn if_not_exists(said: bool) -> &'static str {
    if said { "IF NOT EXISTS " } else { "" }
}

/// ` SET a = x, …`
fn assignments(f: &mut Formatter<'_>, assignments: &[(Ident, Expr)]) -> fmt::Result {
    for (index, (column, value)) in assignments.iter().enumerate() {
        write!(f, "{} {column} = {value}", if index == 0 { " SET" } else { "," })?;
    }
    Ok(())
}

/// ` WITH (name = value, …)`, or nothing.
fn properties(f: &mut Formatter<'_>, properties: &[Property]) -> fmt::Result {
    if properties.is_empty() {
        return Ok(());
    }
    f.write_str(" WITH (")?;
    list(f, properties)?;
    f.write_str(")")
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value)
    }
}

impl Display for CreateTableAs {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE TABLE {}{}", if_not_exists(self.if_not_exists), self.name)?;
        optional(f, " COMMENT ", self.comment.as_deref().map(Text).as_ref())?;
        properties(f, &self.properties)?;
        write!(f, " AS {}{}", self.query, if self.with_data { "" } else { " WITH NO DATA" })
    }
}

impl Display for Merge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "MERGE INTO {}", self.table)?;
        optional(f, " AS ", self.alias.as_ref())?;
        write!(f, " USING {} ON {}", self.source, self.on)?;
        self.cases.iter().try_for_each(|case| write!(f, " {case}"))
    }
}

impl Display for MergeCase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Update { condition, assignments: columns } => {
                f.write_str("WHEN MATCHED")?;
                optional(f, " AND ", condition.as_ref())?;
                f.write_str(" THEN UPDATE")?;
                assignments(f, columns)
            }
            Self::Delete { condition } => {
                f.write_str("WHEN MATCHED")?;
                optional(f, " AND ", condition.as_ref())?;
                f.write_str(" THEN DELETE")
            }
            Self::Insert { condition, columns, values } => {
                f.write_str("WHEN NOT MATCHED")?;
                optional(f, " AND ", condition.as_ref())?;
                f.write_str(" THEN INSERT")?;
                names(f, columns)?;
                f.write_str(" VALUES (")?;
                list(f, values)?;
                f.write_str(")")
            }
        }
    }
}

impl Display for Explain {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.analyze {
            None => "EXPLAIN ",
            Some(Analyze::Plain) => "EXPLAIN ANALYZE ",
            Some(Analyze::Verbose) => "EXPLAIN ANALYZE VERBOSE ",
        })?;
        let kind = self.kind.map(|kind| match kind {
            ExplainType::Logical => "TYPE LOGICAL",
            ExplainType::Distributed => "TYPE DISTRIBUTED",
            ExplainType::Validate => "TYPE VALIDATE",
            ExplainType::Io => "TYPE IO",
        });
        let format = self.format.map(|format| match format {
            ExplainFormat::Text => "FORMAT TEXT",
            ExplainFormat::Graphviz => "FORMAT GRAPHVIZ",
            ExplainFormat::Json => "FORMAT JSON",
        });
        let options: Vec<_> = kind.into_iter().chain(format).collect();
        if !options.is_empty() {
            write!(f, "({}) ", options.join(", "))?;
        }
        write!(f, "{}", self.statement)
    }
}

impl Display for Show {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (what, database, pattern) = match self {
            Self::Databases { pattern } => ("DATABASES", &None, pattern),
            Self::Tables { database, pattern } => ("TABLES", database, pattern),
            Self::Views { database, pattern } => ("VIEWS", database, pattern),
            Self::Functions { pattern } => ("FUNCTIONS", &None, pattern),
            Self::Columns(table) => return write!(f, "SHOW COLUMNS IN {}", HiveName(table)),
            Self::Partitions(table) => return write!(f, "SHOW PARTITIONS {}", HiveName(table)),
            Self::CreateTable(table) => return write!(f, "SHOW CREATE TABLE {}", HiveName(table)),
            Self::CreateView(view) => return write!(f, "SHOW CREATE VIEW {}", HiveName(view)),
            Self::TableProperties { table, key } => {
                write!(f, "SHOW TBLPROPERTIES {}", HiveName(table))?;
                return key.as_ref().map_or(Ok(()), |key| write!(f, " ({})", HiveText(key)));
            }
        };
        write!(f, "SHOW {what}")?;
        optional(f, " IN ", database.as_ref().map(HiveName).as_ref())?;
        optional(f, " LIKE ", pattern.as_deref().map(HiveText).as_ref())
    }
}

impl Display for Describe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.detail {
            DescribeDetail::Plain => "DESCRIBE ",
            DescribeDetail::Extended => "DESCRIBE EXTENDED ",
            DescribeDetail::Formatted => "DESCRIBE FORMATTED ",
        })?;
        write!(f, "{}", HiveName(&self.table))?;
        super::definition::partition(f, " ", &self.partition)?;
        for (index, step) in self.column.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { " " } else { "." }, Hive(step))?;
        }
        Ok(())
    }
}
