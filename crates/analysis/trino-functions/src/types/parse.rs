//! Types from their names: Trino's `array(decimal(10,2))` and Hive's `array<struct<a:decimal(10,2)>>`.

use std::fmt::Write;
use std::sync::Arc;

use super::{RowField, Sketch, Type};
use crate::error::{ErrorCode, TrinoError};

/// How deep types may nest; deeper ones are refused rather than let the stack run out.
const MAX_DEPTH: usize = 100;

impl Type {
    /// A type as Trino writes it, such as `map(varchar, row(a integer, timestamp(3) with time zone))`.
    ///
    /// # Errors
    /// TYPE_NOT_FOUND for what is no type.
    pub fn parse_trino(text: &str) -> Result<Self, TrinoError> {
        Reader::read(text, Dialect::Trino)
    }

    /// A type as Hive and the Glue catalog write it, such as `map<string,struct<a:int>>`.
    ///
    /// # Errors
    /// TYPE_NOT_FOUND for what is no type.
    pub fn from_hive(text: &str) -> Result<Self, TrinoError> {
        Reader::read(text, Dialect::Hive)
    }

    /// The type as Hive writes it; none for types that Hive lacks, such as `json` and `time`.
    pub fn to_hive(&self) -> Option<String> {
        Some(match self {
            Self::Boolean => "boolean".to_owned(),
            Self::Tinyint => "tinyint".to_owned(),
            Self::Smallint => "smallint".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::Bigint => "bigint".to_owned(),
            Self::Real => "float".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Varchar(None) => "string".to_owned(),
            Self::Varbinary => "binary".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp(_) => "timestamp".to_owned(),
            Self::Decimal(..) | Self::Varchar(Some(_)) | Self::Char(_) => self.to_string(),
            Self::Array(element) => format!("array<{}>", element.to_hive()?),
            Self::Map(key, value) => format!("map<{},{}>", key.to_hive()?, value.to_hive()?),
            Self::Row(fields) => {
                let mut text = String::from("struct<");
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    let name = field.name.clone().unwrap_or_else(|| format!("field{index}"));
                    write!(text, "{comma}{}:{}", hive_field_name(&name), field.ty.to_hive()?).ok()?;
                }
                text.push('>');
                text
            }
            _ => return None,
        })
    }
}

/// What separates names from types, and what quotes.
const HIVE_MARKS: [char; 8] = [':', ',', '<', '>', '(', ')', '`', '"'];

/// A field's name as it stands in Hive's types: in backticks where it would be misread.
fn hive_field_name(name: &str) -> std::borrow::Cow<'_, str> {
    if name.is_empty() || name.contains(HIVE_MARKS) || name.trim() != name {
        return format!("`{}`", name.replace('`', "``")).into();
    }
    name.into()
}

#[derive(Clone, Copy, PartialEq)]
enum Dialect {
    Trino,
    Hive,
}

/// Reads one type from left to right.
struct Reader<'a> {
    whole: &'a str,
    rest: &'a str,
    dialect: Dialect,
}

impl<'a> Reader<'a> {
    fn read(text: &'a str, dialect: Dialect) -> Result<Type, TrinoError> {
        let mut reader = Reader { whole: text, rest: text, dialect };
        let ty = reader.ty(0)?;
        if reader.rest.trim_start().is_empty() { Ok(ty) } else { Err(reader.unknown()) }
    }

    fn ty(&mut self, depth: usize) -> Result<Type, TrinoError> {
        if depth > MAX_DEPTH {
            return Err(self.unknown());
        }
        let name = self.word().ok_or_else(|| self.unknown())?;
        let nested = match name.as_str() {
            "array" => Some(Type::array(self.bracketed(|reader| reader.ty(depth + 1))?)),
            "map" => Some(self.bracketed(|reader| {
                let key = reader.ty(depth + 1)?;
                reader.expect(',')?;
                Ok(Type::map(key, reader.ty(depth + 1)?))
            })?),
            "row" if self.dialect == Dialect::Trino => Some(self.bracketed(|reader| reader.fields(depth))?),
            "qdigest" if self.dialect == Dialect::Trino => Some(self.bracketed(Self::digested)?),
            "struct" if self.dialect == Dialect::Hive => Some(self.bracketed(|reader| reader.fields(depth))?),
            _ => None,
        };
        match nested {
            Some(ty) => Ok(ty),
            None => self.simple(&name),
        }
    }

    /// What a quantile digest is of.
    fn digested(&mut self) -> Result<Type, TrinoError> {
        match self.word().as_deref() {
            Some("bigint") => Ok(Type::Sketch(Sketch::QDigestOfBigint)),
            Some("real") => Ok(Type::Sketch(Sketch::QDigestOfReal)),
            Some("double") => Ok(Type::Sketch(Sketch::QDigestOfDouble)),
            _ => Err(self.unknown()),
        }
    }

    fn simple(&mut self, name: &str) -> Result<Type, TrinoError> {
        if name == "double" {
            self.accept_word("precision");
        }
        if name == "interval" && self.dialect == Dialect::Trino {
            return self.interval();
        }
        let numbers = self.numbers()?;
        if let Some(ty) = self.instant(name, &numbers) {
            return ty;
        }
        let hive = self.dialect == Dialect::Hive;
        match (name, numbers.as_slice()) {
            ("boolean", []) => Ok(Type::Boolean),
            ("tinyint", []) => Ok(Type::Tinyint),
            ("smallint", []) => Ok(Type::Smallint),
            ("integer" | "int", []) => Ok(Type::Integer),
            ("bigint", []) => Ok(Type::Bigint),
            ("real", []) if !hive => Ok(Type::Real),
            ("float", []) if hive => Ok(Type::Real),
            ("double", []) => Ok(Type::Double),
            ("decimal", []) => Ok(Type::Decimal(if hive { 10 } else { 38 }, 0)),
            ("decimal", [precision]) => self.decimal(*precision, 0),
            ("decimal", [precision, scale]) => self.decimal(*precision, *scale),
            ("varchar", []) | ("string", []) if hive == (name == "string") => Ok(Type::VARCHAR),
            ("varchar", [length]) if !hive || *length > 0 => Ok(Type::Varchar(Some(*length))),
            ("char", []) if !hive => Ok(Type::Char(1)),
            ("char", [length]) if *length <= 65_536 => Ok(Type::Char(*length)),
            ("varbinary", []) if !hive => Ok(Type::Varbinary),
            ("binary", []) if hive => Ok(Type::Varbinary),
            ("json", []) if !hive => Ok(Type::Json),
            ("uuid", []) if !hive => Ok(Type::Uuid),
            ("ipaddress", []) if !hive => Ok(Type::IpAddress),
            ("color", []) if !hive => Ok(Type::Color),
            ("geometry", []) if !hive => Ok(Type::Geometry),
            ("sphericalgeography", []) if !hive => Ok(Type::SphericalGeography),
            ("bingtile", []) if !hive => Ok(Type::BingTile),
            ("kdbtree", []) if !hive => Ok(Type::KdbTree),
            ("hyperloglog", []) if !hive => Ok(Type::Sketch(Sketch::HyperLogLog)),
            ("tdigest", []) if !hive => Ok(Type::Sketch(Sketch::TDigest)),
            ("setdigest", []) if !hive => Ok(Type::Sketch(Sketch::SetDigest)),
            ("unknown", []) if !hive => Ok(Type::Unknown),
            ("date", []) => Ok(Type::Date),
            _ => Err(self.unknown()),
        }
    }

    /// `time(p)` and `timestamp(p)`, `[with time zone]`; the precision is 3 unless said.
    fn instant(&mut self, name: &str, numbers: &[u32]) -> Option<Result<Type, TrinoError>> {
        let precision = match numbers {
            [] => 3,
            [precision] if *precision <= 9 && self.dialect == Dialect::Trino => *precision as u8,
            _ => return None,
        };
        match name {
            "time" if self.dialect == Dialect::Trino => {
                Some(Ok(if self.zoned() { Type::TimeTz(precision) } else { Type::Time(precision) }))
            }
            "timestamp" => {
                Some(Ok(if self.zoned() { Type::TimestampTz(precision) } else { Type::Timestamp(precision) }))
            }
            _ => None,
        }
    }

    fn zoned(&mut self) -> bool {
        let before = self.rest;
        let zoned =
            self.dialect == Dialect::Trino && ["with", "time", "zone"].into_iter().all(|word| self.accept_word(word));
        if !zoned {
            self.rest = before;
        }
        zoned
    }

    fn interval(&mut self) -> Result<Type, TrinoError> {
        let words = [self.word(), self.word(), self.word()];
        match words.each_ref().map(|word| word.as_deref().unwrap_or_default()) {
            ["day", "to", "second"] => Ok(Type::IntervalDayTime),
            ["year", "to", "month"] => Ok(Type::IntervalYearMonth),
            _ => Err(self.unknown()),
        }
    }

    fn decimal(&self, precision: u32, scale: u32) -> Result<Type, TrinoError> {
        match (u8::try_from(precision), u8::try_from(scale)) {
            (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => Ok(Type::Decimal(precision, scale)),
            _ => Err(self.unknown()),
        }
    }

    fn fields(&mut self, depth: usize) -> Result<Type, TrinoError> {
        let mut fields = vec![self.field(depth)?];
        while self.accept(',') {
            fields.push(self.field(depth)?);
        }
        Ok(Type::Row(Arc::from(fields)))
    }

    /// `name:type` in Hive; `name type` or just a type in Trino.
    fn field(&mut self, depth: usize) -> Result<RowField, TrinoError> {
        if self.dialect == Dialect::Hive {
            let name = self.hive_field_name().ok_or_else(|| self.unknown())?;
            self.expect(':')?;
            return Ok(RowField { name: Some(name), ty: self.ty(depth + 1)? });
        }
        let before = self.rest;
        // An anonymous field's type ends where the field does; otherwise the first word was a name.
        if let Ok(ty) = self.ty(depth + 1)
            && self.rest.trim_start().starts_with([',', ')'])
        {
            return Ok(RowField { name: None, ty });
        }
        self.rest = before;
        let name = self.word().ok_or_else(|| self.unknown())?;
        Ok(RowField { name: Some(name), ty: self.ty(depth + 1)? })
    }

    fn bracketed<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, TrinoError>) -> Result<T, TrinoError> {
        let (open, close) = if self.dialect == Dialect::Hive { ('<', '>') } else { ('(', ')') };
        self.expect(open)?;
        let value = inner(self)?;
        self.expect(close)?;
        Ok(value)
    }

    fn numbers(&mut self) -> Result<Vec<u32>, TrinoError> {
        let mut numbers = Vec::new();
        if self.accept('(') {
            loop {
                let word = self.word().ok_or_else(|| self.unknown())?;
                numbers.push(word.parse().map_err(|_| self.unknown())?);
                if !self.accept(',') {
                    break;
                }
            }
            self.expect(')')?;
        }
        Ok(numbers)
    }

    /// The next word in lower case: letters, digits, underscores, or anything in double quotes (Trino's).
    fn word(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        if let Some(quoted) = rest.strip_prefix('"') {
            let (name, after) = quoted.split_once('"')?;
            self.rest = after;
            return Some(name.to_lowercase());
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && !"_-$@".contains(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        self.rest = after;
        (!word.is_empty()).then(|| word.to_lowercase())
    }

    /// In lower case: anything in backticks, else everything before the colon that has no meaning of its own in a type.
    fn hive_field_name(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        if let Some(quoted) = rest.strip_prefix('`') {
            let (mut name, mut rest) = (String::new(), quoted);
            loop {
                let (piece, after) = rest.split_once('`')?;
                name.push_str(piece);
                let Some(more) = after.strip_prefix('`') else {
                    self.rest = after;
                    break;
                };
                // A backtick within the name is written twice.
                name.push('`');
                rest = more;
            }
            return (!name.is_empty()).then(|| name.to_lowercase());
        }
        if rest.starts_with('"') {
            return self.word();
        }
        let end = rest.find(HIVE_MARKS).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        self.rest = after;
        (!name.trim_end().is_empty()).then(|| name.trim_end().to_lowercase())
    }

    fn accept_word(&mut self, expected: &str) -> bool {
        let before = self.rest;
        let found = self.word().is_some_and(|word| word == expected);
        if !found {
            self.rest = before;
        }
        found
    }

    fn accept(&mut self, expected: char) -> bool {
        let after = self.rest.trim_start().strip_prefix(expected);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, expected: char) -> Result<(), TrinoError> {
        if self.accept(expected) { Ok(()) } else { Err(self.unknown()) }
    }

    fn unknown(&self) -> TrinoError {
        TrinoError::new(ErrorCode::TypeNotFound, format!("Unknown type: {}", self.whole))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_shown_is_read_back() {
        for text in [
            "boolean",
            "decimal(38,2)",
            "varchar(3)",
            "char(7)",
            "time(6)",
            "time(0) with time zone",
            "timestamp(0)",
            "timestamp(9) with time zone",
            "interval day to second",
            "interval year to month",
            "array(map(varchar, double))",
            "row(a integer, b row(c date, d json))",
            "row(integer, varchar(2))",
            "row(date date, time timestamp(3))",
        ] {
            assert_eq!(Type::parse_trino(text).unwrap().to_string(), text);
        }
        assert_eq!(Type::parse_trino("DOUBLE PRECISION").unwrap(), Type::Double);
        assert_eq!(Type::parse_trino(" Decimal ( 5 ) ").unwrap(), Type::Decimal(5, 0));
        assert_eq!(Type::parse_trino("timestamp").unwrap(), Type::Timestamp(3));
    }

    #[test]
    fn hives_names_are_read_back_too() {
        for text in ["int", "string", "float", "binary", "array<struct<a:int,b:map<string,decimal(10,2)>>>", "char(3)"]
        {
            assert_eq!(Type::from_hive(text).unwrap().to_hive().as_deref(), Some(text));
        }
        for odd in ["struct<a b:int,c/d.e:string>", "struct<`a:b`:int,`<c>,`:array<int>,`d``e`:date,` f`:int>"] {
            assert_eq!(Type::from_hive(odd).unwrap().to_hive().as_deref(), Some(odd));
        }
        for broken in ["struct<`a:int>", "struct<:int>", "struct< :int>", "struct<``:int>", "struct<a:int"] {
            assert!(Type::from_hive(broken).is_err(), "{broken}");
        }
        assert_eq!(Type::from_hive("decimal").unwrap(), Type::Decimal(10, 0));
        assert_eq!(Type::Json.to_hive(), None);
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in
            ["", "nope", "decimal(39,0)", "decimal(2,3)", "array(", "array(integer))", "string", "int(3)", "row()"]
        {
            assert_eq!(Type::parse_trino(text).unwrap_err().code, ErrorCode::TypeNotFound, "{text}");
        }
        for text in ["varbinary", "struct<a int>", "array(int)", "timestamp(3)", "varchar"] {
            assert!(Type::from_hive(text).is_err(), "{text}");
        }
        assert!(Type::from_hive(&"array<".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z(),<>: \"`0-9\u{e9}]{0,60}") {
            let _ = Type::parse_trino(&text);
            if let Ok(ty) = Type::from_hive(&text) {
                prop_assert!(ty.to_hive().is_some());
            }
        }
    }
}
