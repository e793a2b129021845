//! Hive's statements, in Hive's spelling.

use std::fmt::{self, Display, Formatter};

use super::statement::{if_exists, if_not_exists};
use super::{list, optional, separated};
use crate::ast::*;
use crate::lexer::Dialect;
use crate::reserved::{is_plain, is_regular};

/// An identifier in Hive's spelling.
pub(super) struct Hive<'a>(pub(super) &'a Ident);

impl Display for Hive<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Ident { value, quoted, .. } = self.0;
        if !quoted && is_plain(Dialect::Hive, value) { f.write_str(value) } else { backticks(f, value) }
    }
}

fn backticks(f: &mut Formatter<'_>, name: &str) -> fmt::Result {
    write!(f, "`{}`", name.replace('`', "``"))
}

/// A name with dots in Hive's spelling.
pub(super) struct HiveName<'a>(pub(super) &'a Name);

impl Display for HiveName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self.0.parts.iter().map(Hive).collect();
        separated(f, ".", &parts)
    }
}

/// A string in Hive's quotes.
pub(super) struct HiveText<'a>(pub(super) &'a str);

impl Display for HiveText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\\', "\\\\").replace('\'', "\\'"))
    }
}

fn hive_names(f: &mut Formatter<'_>, idents: &[Ident]) -> fmt::Result {
    let idents: Vec<_> = idents.iter().map(Hive).collect();
    f.write_str("(")?;
    list(f, &idents)?;
    f.write_str(")")
}

fn text(f: &mut Formatter<'_>, before: &str, value: Option<&String>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, "{before}{}", HiveText(value)))
}

/// `('name' = 'value', …)` after `before`, or nothing.
fn properties(f: &mut Formatter<'_>, before: &str, properties: &Properties) -> fmt::Result {
    if properties.is_empty() { Ok(()) } else { always_properties(f, before, properties) }
}

fn always_properties(f: &mut Formatter<'_>, before: &str, properties: &Properties) -> fmt::Result {
    f.write_str(before)?;
    for (index, (name, value)) in properties.iter().enumerate() {
        write!(f, "{}{} = {}", if index == 0 { "(" } else { ", " }, HiveText(name), HiveText(value))?;
    }
    f.write_str(")")
}

/// `PARTITION (…)` after `before`, or nothing.
pub(super) fn partition(f: &mut Formatter<'_>, before: &str, values: &[PartitionValue]) -> fmt::Result {
    if values.is_empty() {
        return Ok(());
    }
    write!(f, "{before}PARTITION (")?;
    list(f, values)?;
    f.write_str(")")
}

impl Display for PartitionValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", Hive(&self.column), HiveText(&self.value))
    }
}

impl Display for PartitionFilter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", Hive(&self.column), self.op, HiveText(&self.value))
    }
}

/// The statements of Hive's that are not of [`super::statement`].
pub(super) fn statement(f: &mut Formatter<'_>, statement: &Statement) -> fmt::Result {
    match statement {
        Statement::CreateDatabase(database) => write!(f, "{database}"),
        Statement::DropDatabase { name, if_exists: said, cascade } => {
            let cascade = if *cascade { " CASCADE" } else { "" };
            write!(f, "DROP DATABASE {}{}{cascade}", if_exists(*said), HiveName(name))
        }
        Statement::AlterDatabase { name, properties } => {
            write!(f, "ALTER DATABASE {} SET DBPROPERTIES ", HiveName(name))?;
            always_properties(f, "", properties)
        }
        Statement::CreateTable(table) => write!(f, "{table}"),
        Statement::AlterTable { table, action } => write!(f, "ALTER TABLE {} {action}", HiveName(table)),
        Statement::DropTable(drop) => write!(f, "DROP TABLE {}{}", if_exists(drop.if_exists), HiveName(&drop.name)),
        Statement::RepairTable(table) => write!(f, "MSCK REPAIR TABLE {}", HiveName(table)),
        _ => Ok(()),
    }
}

impl Display for CreateDatabase {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "CREATE DATABASE {}{}", if_not_exists(self.if_not_exists), HiveName(&self.name))?;
        text(f, " COMMENT ", self.comment.as_ref())?;
        text(f, " LOCATION ", self.location.as_ref())?;
        properties(f, " WITH DBPROPERTIES ", &self.properties)
    }
}

impl Display for CreateTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let external = if self.external { "EXTERNAL " } else { "" };
        write!(f, "CREATE {external}TABLE {}{}", if_not_exists(self.if_not_exists), HiveName(&self.name))?;
        in_parentheses(f, " ", &self.columns)?;
        text(f, " COMMENT ", self.comment.as_ref())?;
        in_parentheses(f, " PARTITIONED BY ", &self.partitioned_by)?;
        optional(f, " CLUSTERED BY ", self.clustered_by.as_ref())?;
        optional(f, " ROW FORMAT ", self.row_format.as_ref())?;
        // Where they stand is where they are read: with the SerDe, else after the format.
        let with_serde = matches!(self.row_format, Some(RowFormat::Serde(_)));
        if with_serde {
            properties(f, " WITH SERDEPROPERTIES ", &self.serde_properties)?;
        }
        optional(f, " STORED AS ", self.stored_as.as_ref())?;
        if !with_serde {
            properties(f, " WITH SERDEPROPERTIES ", &self.serde_properties)?;
        }
        text(f, " LOCATION ", self.location.as_ref())?;
        properties(f, " TBLPROPERTIES ", &self.properties)
    }
}

fn in_parentheses<T: Display>(f: &mut Formatter<'_>, before: &str, items: &[T]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    write!(f, "{before}(")?;
    list(f, items)?;
    f.write_str(")")
}

impl Display for ColumnDefinition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Hive(&self.name), self.ty)?;
        text(f, " COMMENT ", self.comment.as_ref())
    }
}

impl Display for PartitionField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (transform, column) = match self {
            Self::Column(column) => return write!(f, "{column}"),
            Self::Identity(column) => return write!(f, "{}", Hive(column)),
            Self::Transform { transform, column } => (transform, Hive(column)),
        };
        match transform {
            PartitionTransform::Year => write!(f, "year({column})"),
            PartitionTransform::Month => write!(f, "month({column})"),
            PartitionTransform::Day => write!(f, "day({column})"),
            PartitionTransform::Hour => write!(f, "hour({column})"),
            PartitionTransform::Bucket(count) => write!(f, "bucket({count}, {column})"),
            PartitionTransform::Truncate(width) => write!(f, "truncate({width}, {column})"),
        }
    }
}

impl Display for Buckets {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        hive_names(f, &self.columns)?;
        write!(f, " INTO {} BUCKETS", self.count)
    }
}

impl Display for RowFormat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let delimiters = match self {
            Self::Serde(class) => return write!(f, "SERDE {}", HiveText(class)),
            Self::Delimited(delimiters) => delimiters,
        };
        f.write_str("DELIMITED")?;
        text(f, " FIELDS TERMINATED BY ", delimiters.fields.as_ref())?;
        text(f, " ESCAPED BY ", delimiters.escape.as_ref())?;
        text(f, " COLLECTION ITEMS TERMINATED BY ", delimiters.items.as_ref())?;
        text(f, " MAP KEYS TERMINATED BY ", delimiters.keys.as_ref())?;
        text(f, " LINES TERMINATED BY ", delimiters.lines.as_ref())?;
        text(f, " NULL DEFINED AS ", delimiters.null.as_ref())
    }
}

impl Display for StoredAs {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(format) => write!(f, "{}", Hive(format)),
            Self::Classes { input, output } => {
                write!(f, "INPUTFORMAT {} OUTPUTFORMAT {}", HiveText(input), HiveText(output))
            }
        }
    }
}

impl Display for AlterAction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddPartitions { if_not_exists: said, partitions } => {
                write!(f, "ADD {}", if_not_exists(*said))?;
                separated(f, " ", partitions)
            }
            Self::DropPartitions { if_exists: said, partitions } => {
                write!(f, "DROP {}", if_exists(*said))?;
                for (index, filters) in partitions.iter().enumerate() {
                    in_parentheses(f, if index == 0 { "PARTITION " } else { ", PARTITION " }, filters)?;
                }
                Ok(())
            }
            Self::RenamePartition { from, to } => {
                partition(f, "", from)?;
                partition(f, " RENAME TO ", to)
            }
            Self::SetLocation { partition: values, location } => {
                before_action(f, values)?;
                write!(f, "SET LOCATION {}", HiveText(location))
            }
            Self::SetProperties(values) => always_properties(f, "SET TBLPROPERTIES ", values),
            Self::UnsetProperties { if_exists: said, keys } => {
                let keys: Vec<_> = keys.iter().map(|key| HiveText(key)).collect();
                write!(f, "UNSET TBLPROPERTIES {}", if_exists(*said))?;
                in_parentheses(f, "", &keys)
            }
            Self::AddColumns { partition: values, columns } => {
                before_action(f, values)?;
                in_parentheses(f, "ADD COLUMNS ", columns)
            }
            Self::ReplaceColumns { partition: values, columns } => {
                before_action(f, values)?;
                in_parentheses(f, "REPLACE COLUMNS ", columns)
            }
            Self::ChangeColumn { column, definition, place } => {
                write!(f, "CHANGE COLUMN {} {definition}", Hive(column))?;
                match place {
                    None => Ok(()),
                    Some(ColumnPlace::First) => f.write_str(" FIRST"),
                    Some(ColumnPlace::After(column)) => write!(f, " AFTER {}", Hive(column)),
                }
            }
            Self::DropColumn(column) => write!(f, "DROP COLUMN {}", Hive(column)),
            Self::Rename(name) => write!(f, "RENAME TO {}", HiveName(name)),
        }
    }
}

/// `PARTITION (…) `, or nothing.
fn before_action(f: &mut Formatter<'_>, values: &[PartitionValue]) -> fmt::Result {
    partition(f, "", values)?;
    f.write_str(if values.is_empty() { "" } else { " " })
}

impl Display for NewPartition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        partition(f, "", &self.values)?;
        text(f, " LOCATION ", self.location.as_ref())
    }
}

/// As the Glue catalog keeps it; odd names of fields get backticks, as statements need them.
impl Display for HiveType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        hive_type(f, self, true)
    }
}

impl HiveType {
    /// The type as the Glue catalog keeps it: in lower case, without quotes.
    pub fn catalog_text(&self) -> String {
        /// The type without quotes.
        struct Bare<'a>(&'a HiveType);
        impl Display for Bare<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                hive_type(f, self.0, false)
            }
        }
        Bare(self).to_string().to_lowercase()
    }
}

fn hive_type(f: &mut Formatter<'_>, ty: &HiveType, quotes: bool) -> fmt::Result {
    match ty {
        HiveType::Primitive(name) => f.write_str(name),
        HiveType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
        HiveType::Char(length) => write!(f, "char({length})"),
        HiveType::Varchar(length) => write!(f, "varchar({length})"),
        HiveType::Array(element) => {
            f.write_str("array<")?;
            hive_type(f, element, quotes)?;
            f.write_str(">")
        }
        HiveType::Map(key, value) => {
            f.write_str("map<")?;
            hive_type(f, key, quotes)?;
            f.write_str(",")?;
            hive_type(f, value, quotes)?;
            f.write_str(">")
        }
        HiveType::Struct(fields) => {
            f.write_str("struct<")?;
            for (index, (name, ty)) in fields.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { "," })?;
                if quotes && !is_regular(&name.value) {
                    backticks(f, &name.value)?
                } else {
                    f.write_str(&name.value)?
                }
                f.write_str(":")?;
                hive_type(f, ty, quotes)?;
            }
            f.write_str(">")
        }
    }
}
