//! Reads signatures. They are constants of this crate: a test reads them all, so that a wrong one never ships.

use std::collections::BTreeMap;

use super::{Constraint, Family, Number, Pattern, Signature};
use crate::types::Type;

/// What is wrong with a signature's text: where reading stopped.
#[derive(Debug, thiserror::Error)]
#[error("a signature can't be read at `{rest}`")]
pub(crate) struct Unreadable {
    rest: String,
}

type Result<T> = std::result::Result<T, Unreadable>;

impl Signature {
    /// A signature from its text.
    pub(crate) fn parse(text: &'static str) -> Result<Self> {
        let mut reader = Reader { rest: text, variables: BTreeMap::new() };
        let name = reader.word()?.to_owned();
        reader.expect("(")?;
        let (mut parameters, mut variadic) = (Vec::new(), false);
        while !reader.accept(")") {
            if !parameters.is_empty() {
                reader.expect(",")?;
            }
            parameters.push(reader.pattern()?);
            variadic = reader.accept("...");
        }
        reader.expect("->")?;
        let result = reader.pattern()?;
        if reader.accept("where") {
            reader.constraints()?;
        }
        match reader.rest.trim() {
            "" => Ok(Self { name, text, parameters, variadic, result, constraints: reader.variables }),
            _ => Err(reader.unreadable()),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    variables: BTreeMap<String, Constraint>,
}

impl<'a> Reader<'a> {
    fn pattern(&mut self) -> Result<Pattern> {
        let word = self.word()?;
        if word.starts_with(char::is_uppercase) {
            self.variables.entry(word.to_owned()).or_insert(Constraint::None);
            return Ok(Pattern::Variable(word.to_owned()));
        }
        let pattern = match word {
            "any" => Pattern::Any,
            "array" => Pattern::Array(Box::new(self.bracketed(Self::pattern)?)),
            "map" => self.bracketed(|reader| {
                let key = reader.pattern()?;
                reader.expect(",")?;
                Ok(Pattern::Map(Box::new(key), Box::new(reader.pattern()?)))
            })?,
            "row" => Pattern::Row(self.bracketed(|reader| reader.list(Self::field))?),
            "function" => {
                let mut types = self.bracketed(|reader| reader.list(Self::pattern))?;
                let result = types.pop().ok_or_else(|| self.unreadable())?;
                Pattern::Function(types, Box::new(result))
            }
            "qdigest" => {
                let of = self.bracketed(Self::word)?;
                let ty = Type::parse_trino(&format!("qdigest({of})")).map_err(|_| self.unreadable())?;
                Pattern::Exact(ty)
            }
            "interval" => Pattern::Exact(self.interval()?),
            _ => self.sized(word)?,
        };
        // What has no variables is one type.
        Ok(pattern.substitute(&super::Bindings::default()).map_or(pattern, Pattern::Exact))
    }

    fn sized(&mut self, word: &str) -> Result<Pattern> {
        let family = match word {
            "varchar" => Family::Varchar,
            "char" => Family::Char,
            "decimal" => Family::Decimal,
            "time" => Family::Time,
            "timestamp" => Family::Timestamp,
            _ => return Type::parse_trino(word).map(Pattern::Exact).map_err(|_| self.unreadable()),
        };
        if !self.rest.trim_start().starts_with('(') {
            let zoned = if self.accept("with time zone") { " with time zone" } else { "" };
            let ty = Type::parse_trino(&format!("{word}{zoned}")).map_err(|_| self.unreadable())?;
            return Ok(Pattern::Exact(ty));
        }
        let numbers = self.bracketed(|reader| reader.list(Self::number))?;
        let zoned = match family {
            Family::Timestamp => Some(Family::TimestampTz),
            Family::Time => Some(Family::TimeTz),
            _ => None,
        };
        let zoned = zoned.filter(|_| self.accept("with time zone"));
        Ok(Pattern::Sized(zoned.unwrap_or(family), numbers))
    }

    fn interval(&mut self) -> Result<Type> {
        if self.accept("day to second") {
            return Ok(Type::IntervalDayTime);
        }
        self.expect("year to month").map(|()| Type::IntervalYearMonth)
    }

    /// `name type` or a type alone.
    fn field(&mut self) -> Result<(Option<String>, Pattern)> {
        let before = self.rest;
        let word = self.word()?;
        let named = self.rest.starts_with(' ') && !matches!(word, "interval");
        if !named {
            self.rest = before;
        }
        Ok((named.then(|| word.to_owned()), self.pattern()?))
    }

    fn number(&mut self) -> Result<Number> {
        let mut left = self.product()?;
        loop {
            if self.accept("+") {
                left = Number::Sum(Box::new(left), Box::new(self.product()?));
            } else if self.accept("-") {
                left = Number::Difference(Box::new(left), Box::new(self.product()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn product(&mut self) -> Result<Number> {
        let mut left = self.term()?;
        loop {
            if self.accept("*") {
                left = Number::Product(Box::new(left), Box::new(self.term()?));
            } else if self.accept("/") {
                left = Number::Quotient(Box::new(left), Box::new(self.term()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self) -> Result<Number> {
        if self.rest.trim_start().starts_with('(') {
            return self.bracketed(Self::number);
        }
        let word = self.word()?;
        if let Ok(value) = word.parse() {
            return Ok(Number::Literal(value));
        }
        let combine: fn(Box<Number>, Box<Number>) -> Number = match word {
            "min" => Number::Least,
            "max" => Number::Greatest,
            _ => return Ok(Number::Variable(word.to_owned())),
        };
        self.bracketed(|reader| {
            let left = reader.number()?;
            reader.expect(",")?;
            Ok(combine(Box::new(left), Box::new(reader.number()?)))
        })
    }

    fn constraints(&mut self) -> Result<()> {
        loop {
            let name = self.word()?.to_owned();
            self.expect(":")?;
            let constraint = match self.word()? {
                "comparable" => Constraint::Comparable,
                "orderable" => Constraint::Orderable,
                _ => return Err(self.unreadable()),
            };
            self.variables.insert(name, constraint);
            if !self.accept(",") {
                return Ok(());
            }
        }
    }

    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn bracketed<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.expect("(")?;
        let value = inner(self)?;
        self.expect(")")?;
        Ok(value)
    }

    fn word(&mut self) -> Result<&'a str> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if word.is_empty() {
            return Err(self.unreadable());
        }
        self.rest = after;
        Ok(word)
    }

    fn accept(&mut self, expected: &str) -> bool {
        let after = self.rest.trim_start().strip_prefix(expected);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, expected: &str) -> Result<()> {
        if self.accept(expected) { Ok(()) } else { Err(self.unreadable()) }
    }

    fn unreadable(&self) -> Unreadable {
        Unreadable { rest: self.rest.to_owned() }
    }
}
