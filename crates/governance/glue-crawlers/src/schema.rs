//! Schemas as crawlers see them: Hive types that merge, formats, and how alike two files are.

use std::borrow::Cow;
use std::fmt;

/// A Hive type, as far as files can show one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Hive's")]
pub enum HiveType {
    /// Nothing but NULL was seen; becomes `string` if it stays so.
    Unknown,
    Boolean,
    Tinyint,
    Smallint,
    Int,
    Bigint,
    Float,
    Double,
    Decimal(u8, i8),
    String,
    Varchar(u32),
    Char(u32),
    Binary,
    Date,
    Timestamp,
    Array(Box<HiveType>),
    Map(Box<HiveType>, Box<HiveType>),
    Struct(Vec<Column>),
}

/// A column, or a field of a struct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// In lower case.
    pub name: String,
    /// What it holds.
    pub kind: HiveType,
}

impl HiveType {
    /// The narrowest type that holds the values of both; text where nothing else does.
    pub fn merge(self, other: Self) -> Self {
        use HiveType::*;
        if self == other {
            return self;
        }
        match (self, other) {
            (Unknown, kind) | (kind, Unknown) => kind,
            (Array(a), Array(b)) => Array(Box::new(a.merge(*b))),
            (Map(ak, av), Map(bk, bv)) => Map(Box::new(ak.merge(*bk)), Box::new(av.merge(*bv))),
            (Struct(a), Struct(b)) => Struct(merge_columns(a, b)),
            (Date, Timestamp) | (Timestamp, Date) => Timestamp,
            (a, b) => match (a.integer_width(), b.integer_width()) {
                (Some(left), Some(right)) if left < right => b,
                (Some(_), Some(_)) => a,
                _ if a.is_number() && b.is_number() => Double,
                _ => String,
            },
        }
    }

    fn integer_width(&self) -> Option<u8> {
        match self {
            Self::Tinyint => Some(8),
            Self::Smallint => Some(16),
            Self::Int => Some(32),
            Self::Bigint => Some(64),
            _ => None,
        }
    }

    fn is_number(&self) -> bool {
        self.integer_width().is_some() || matches!(self, Self::Float | Self::Double | Self::Decimal(..))
    }
}

impl fmt::Display for HiveType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown | Self::String => f.write_str("string"),
            Self::Boolean => f.write_str("boolean"),
            Self::Tinyint => f.write_str("tinyint"),
            Self::Smallint => f.write_str("smallint"),
            Self::Int => f.write_str("int"),
            Self::Bigint => f.write_str("bigint"),
            Self::Float => f.write_str("float"),
            Self::Double => f.write_str("double"),
            Self::Decimal(precision, scale) => write!(f, "decimal({precision},{scale})"),
            Self::Varchar(length) => write!(f, "varchar({length})"),
            Self::Char(length) => write!(f, "char({length})"),
            Self::Binary => f.write_str("binary"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Array(element) => write!(f, "array<{element}>"),
            Self::Map(key, value) => write!(f, "map<{key},{value}>"),
            Self::Struct(fields) => {
                let fields = fields.iter().map(|field| format!("{}:{}", quoted(&field.name), field.kind));
                write!(f, "struct<{}>", fields.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// A field's name, in Hive's backticks where it would be misread as part of the type.
fn quoted(name: &str) -> Cow<'_, str> {
    let odd = name.contains([':', ',', '<', '>', '(', ')', '`', '"']) || name.trim() != name;
    if odd { format!("`{}`", name.replace('`', "``")).into() } else { name.into() }
}

/// The columns of both, in the order in which they were first seen.
pub fn merge_columns(mut columns: Vec<Column>, others: Vec<Column>) -> Vec<Column> {
    for other in others {
        match columns.iter_mut().find(|column| column.name == other.name) {
            Some(column) => column.kind = std::mem::replace(&mut column.kind, HiveType::Unknown).merge(other.kind),
            None => columns.push(other),
        }
    }
    columns
}

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvShape {
    /// Between two values.
    pub delimiter: char,
    /// Around values, if any value was quoted.
    pub quote: Option<char>,
    /// Whether the first line names the columns.
    pub header: bool,
}

/// What kind of file it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Delimited text.
    Csv(CsvShape),
    /// One JSON document a line.
    Json,
    /// Apache Parquet.
    Parquet,
    /// Apache ORC.
    Orc,
}

impl Format {
    /// The `classification` that Glue gives it.
    pub fn classification(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Orc => "orc",
        }
    }
}

/// What a crawl learnt from one file, or from several that were merged.
#[derive(Debug, Clone, PartialEq)]
pub struct FileSchema {
    /// The kind of file.
    pub format: Format,
    /// The columns in order.
    pub columns: Vec<Column>,
    /// Whether the file is gzip-compressed as a whole.
    pub gzip: bool,
    /// Files merged into this.
    pub files: u64,
    /// Their bytes as stored.
    pub bytes: u64,
    /// Their records; counted in Parquet and ORC, estimated from the sample elsewhere.
    pub records: u64,
}

/// Columns in common below which two files are different tables, of 100: AWS's "similar schema" threshold.
const SIMILAR_PERCENT: usize = 70;

impl FileSchema {
    /// Whether both may be parts of one table: the same kind of file, and at least 70 % of the columns in common.
    pub fn is_similar(&self, other: &Self) -> bool {
        let same_kind = match (&self.format, &other.format) {
            (Format::Csv(a), Format::Csv(b)) => a.delimiter == b.delimiter && a.header == b.header,
            (a, b) => a == b,
        };
        let shared = self.columns.iter().filter(|column| other.columns.iter().any(|o| o.name == column.name)).count();
        same_kind && shared * 100 >= SIMILAR_PERCENT * self.columns.len().max(other.columns.len())
    }

    /// Adds another file's columns and counts.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        let format = match (self.format, other.format) {
            (Format::Csv(a), Format::Csv(b)) => Format::Csv(CsvShape { quote: a.quote.or(b.quote), ..a }),
            (a, _) => a,
        };
        Self {
            format,
            columns: merge_columns(self.columns, other.columns),
            gzip: self.gzip || other.gzip,
            files: self.files + other.files,
            bytes: self.bytes + other.bytes,
            records: self.records + other.records,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, kind: HiveType) -> Column {
        Column { name: name.into(), kind }
    }

    fn file(names: &[&str]) -> FileSchema {
        let columns = names.iter().map(|name| column(name, HiveType::Int)).collect();
        FileSchema { format: Format::Json, columns, gzip: false, files: 1, bytes: 1, records: 1 }
    }

    #[test]
    fn types_widen_and_end_as_text() {
        assert_eq!(HiveType::Int.merge(HiveType::Bigint), HiveType::Bigint);
        assert_eq!(HiveType::Double.merge(HiveType::Int), HiveType::Double);
        assert_eq!(HiveType::Unknown.merge(HiveType::Date), HiveType::Date);
        assert_eq!(HiveType::Boolean.merge(HiveType::Int), HiveType::String);
        assert_eq!(HiveType::Unknown.to_string(), "string");
    }

    #[test]
    fn structs_merge_by_field() {
        let left = HiveType::Struct(vec![column("a", HiveType::Int)]);
        let right = HiveType::Struct(vec![column("b", HiveType::String), column("a", HiveType::Double)]);
        assert_eq!(left.merge(right).to_string(), "struct<a:double,b:string>");
    }

    #[test]
    fn seventy_percent_of_the_columns_make_files_alike() {
        let ten = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        assert!(file(&ten).is_similar(&file(&ten[..7])));
        assert!(!file(&ten).is_similar(&file(&ten[..6])));
        let csv = FileSchema { format: Format::Parquet, ..file(&ten) };
        assert!(!csv.is_similar(&file(&ten)));
    }

    #[test]
    fn merged_files_count_together() {
        let both = file(&["a"]).merged(file(&["a", "b"]));
        assert_eq!((both.files, both.bytes, both.records, both.columns.len()), (2, 2, 2, 2));
    }
}
