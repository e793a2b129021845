//! The SQL/JSON functions.

use std::fmt::{self, Display, Formatter};

use super::{Text, list, optional};
use crate::ast::*;

impl Display for JsonCall {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exists { path, on_error } => {
                write!(f, "JSON_EXISTS({path}")?;
                fallback(f, on_error.as_ref(), "ERROR")?;
            }
            Self::Value { path, returning, on_empty, on_error } => {
                write!(f, "JSON_VALUE({path}")?;
                optional(f, " RETURNING ", returning.as_ref())?;
                fallback(f, on_empty.as_ref(), "EMPTY")?;
                fallback(f, on_error.as_ref(), "ERROR")?;
            }
            Self::Query { path, returning, wrapper, keep_quotes, on_empty, on_error } => {
                write!(f, "JSON_QUERY({path}")?;
                optional(f, " RETURNING ", returning.as_ref())?;
                optional(f, " ", wrapper.as_ref())?;
                optional(f, " ", keep_quotes.map(|keep| if keep { "KEEP QUOTES" } else { "OMIT QUOTES" }).as_ref())?;
                fallback(f, on_empty.as_ref(), "EMPTY")?;
                fallback(f, on_error.as_ref(), "ERROR")?;
            }
            Self::Object { members, absent_on_null, unique_keys, returning } => {
                f.write_str("JSON_OBJECT(")?;
                list(f, members)?;
                nulls(f, *absent_on_null)?;
                let unique = unique_keys.map(|unique| if unique { "WITH" } else { "WITHOUT" });
                unique.map_or(Ok(()), |unique| write!(f, " {unique} UNIQUE KEYS"))?;
                optional(f, " RETURNING ", returning.as_ref())?;
            }
            Self::Array { items, absent_on_null, returning } => {
                f.write_str("JSON_ARRAY(")?;
                list(f, items)?;
                nulls(f, *absent_on_null)?;
                optional(f, " RETURNING ", returning.as_ref())?;
            }
        }
        f.write_str(")")
    }
}

fn fallback<T: Display>(f: &mut Formatter<'_>, choice: Option<&T>, event: &str) -> fmt::Result {
    choice.map_or(Ok(()), |choice| write!(f, " {choice} ON {event}"))
}

fn nulls(f: &mut Formatter<'_>, absent: Option<bool>) -> fmt::Result {
    absent.map_or(Ok(()), |absent| f.write_str(if absent { " ABSENT ON NULL" } else { " NULL ON NULL" }))
}

impl Display for JsonPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.input, Text(&self.path))?;
        optional(f, " AS ", self.name.as_ref())?;
        for (index, (item, name)) in self.passing.iter().enumerate() {
            write!(f, "{} {item} AS {name}", if index == 0 { " PASSING" } else { "," })?;
        }
        Ok(())
    }
}

impl Display for JsonItem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.expr)?;
        optional(f, " ", self.format.as_ref())
    }
}

impl Display for JsonOutput {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ty)?;
        optional(f, " ", self.format.as_ref())
    }
}

impl Display for JsonMember {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "KEY {} VALUE {}", self.key, self.value)
    }
}

impl Display for JsonFormat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "FORMAT JSON",
            Self::Utf8 => "FORMAT JSON ENCODING UTF8",
            Self::Utf16 => "FORMAT JSON ENCODING UTF16",
            Self::Utf32 => "FORMAT JSON ENCODING UTF32",
        })
    }
}

impl Display for JsonExistsOnError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::True => "TRUE",
            Self::False => "FALSE",
            Self::Unknown => "UNKNOWN",
            Self::Error => "ERROR",
        })
    }
}

impl Display for JsonValueFallback {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("ERROR"),
            Self::Null => f.write_str("NULL"),
            Self::Default(expr) => write!(f, "DEFAULT {expr}"),
        }
    }
}

impl Display for JsonQueryFallback {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "ERROR",
            Self::Null => "NULL",
            Self::EmptyArray => "EMPTY ARRAY",
            Self::EmptyObject => "EMPTY OBJECT",
        })
    }
}

impl Display for JsonWrapper {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Without => "WITHOUT ARRAY WRAPPER",
            Self::Conditional => "WITH CONDITIONAL ARRAY WRAPPER",
            Self::Unconditional => "WITH UNCONDITIONAL ARRAY WRAPPER",
        })
    }
}
