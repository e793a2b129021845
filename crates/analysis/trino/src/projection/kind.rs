//! The values of one projected partition key.

use std::borrow::Cow;

use boathouse_trino_functions::error::TrinoError;
use boathouse_trino_functions::types::Type;
use chrono::{DateTime, NaiveDateTime, Utc};

use super::Key;
use super::dates::Dates;

/// What the values of a partition key are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Members of a list.
    Enum(Vec<String>),
    /// Numbers of a range.
    Integer(Integers),
    /// Dates of a range.
    Date(Dates),
    /// Whatever the query asks for.
    Injected,
}

/// Every `interval`-th number of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Integers {
    first: i64,
    last: i64,
    interval: i64,
    /// How many digits numbers have at least.
    pub(crate) digits: usize,
}

/// A value of a partition key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    /// As the location shows it.
    pub(crate) text: String,
    /// What it means, where the text alone doesn't say.
    pub(crate) time: Option<NaiveDateTime>,
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self { text, time: None }
    }
}

impl Kind {
    pub(super) fn read(key: &Key<'_>, ty: &Type, now: DateTime<Utc>) -> Result<Self, TrinoError> {
        match key.required("type")?.trim().to_ascii_lowercase().as_str() {
            // White space is part of the values.
            "enum" => Ok(Self::Enum(key.required("values")?.split(',').map(str::to_owned).collect())),
            "integer" => Integers::read(key).map(Self::Integer),
            "date"
                if matches!(ty, Type::Date | Type::Timestamp(_) | Type::Varchar(_) | Type::Char(_))
                    || ty.is_integer() =>
            {
                Dates::read(key, now).map(Self::Date)
            }
            "date" => Err(super::invalid(format!("Column {} of type {ty} can't be projected as dates", key.name))),
            "injected" => Ok(Self::Injected),
            _ => Err(key.wrong("type", "enum, integer, date or injected")),
        }
    }

    /// All values; none where only the query knows them.
    pub(crate) fn values(&self) -> Option<Box<dyn Iterator<Item = Value> + Send + '_>> {
        Some(match self {
            Self::Enum(values) => Box::new(values.iter().cloned().map(Value::from)),
            Self::Integer(integers) => Box::new(integers.values()),
            Self::Date(dates) => Box::new(dates.values()),
            Self::Injected => return None,
        })
    }

    /// A value that a query asks for, as the location shows it; none if the key has no such value.
    pub(crate) fn value(&self, text: &str) -> Option<Value> {
        match self {
            Self::Enum(values) => values.iter().find(|value| *value == text).cloned().map(Value::from),
            Self::Integer(integers) => integers.value(text),
            Self::Date(dates) => dates.value(text),
            Self::Injected => Some(text.to_owned().into()),
        }
    }
}

impl Integers {
    fn read(key: &Key<'_>) -> Result<Self, TrinoError> {
        let (first, last) = key.range()?;
        let number = |text: &str| text.parse().map_err(|_| key.wrong("range", "two integers of 64 bits"));
        let (first, last) = (number(first)?, number(last)?);
        if first > last {
            return Err(key.wrong("range", "a range that does not end before it begins"));
        }
        let interval = key.positive("interval")?.unwrap_or(1);
        // No 64-bit number has more digits than this.
        let digits = key.positive("digits")?.map_or(0, |digits| digits.clamp(0, 64) as usize);
        Ok(Self { first, last, interval, digits })
    }

    fn shown(&self, number: i64) -> Value {
        let sign = if number < 0 { "-" } else { "" };
        let digits = self.digits;
        format!("{sign}{:0digits$}", number.unsigned_abs()).into()
    }

    fn values(&self) -> impl Iterator<Item = Value> + Send + '_ {
        let numbers = std::iter::successors(Some(self.first), |number| number.checked_add(self.interval));
        numbers.take_while(|number| *number <= self.last).map(|number| self.shown(number))
    }

    /// The value of a number, however many digits it is written with.
    fn value(&self, text: &str) -> Option<Value> {
        let number: i64 = text.parse().ok()?;
        let is_step = (i128::from(number) - i128::from(self.first)) % i128::from(self.interval) == 0;
        ((self.first..=self.last).contains(&number) && is_step).then(|| self.shown(number))
    }

    /// The numbers of the range that are between two bounds.
    pub(crate) fn narrowed(&self, least: Option<i64>, most: Option<i64>) -> Cow<'_, Self> {
        let last = most.map_or(self.last, |most| most.min(self.last));
        let mut first = self.first;
        if let Some(least) = least.filter(|least| *least > first) {
            let steps =
                (i128::from(least) - i128::from(first) + i128::from(self.interval) - 1) / i128::from(self.interval);
            let start = i128::from(first) + steps * i128::from(self.interval);
            first = i64::try_from(start).unwrap_or(i64::MAX);
        }
        match (first, last) == (self.first, self.last) {
            true => Cow::Borrowed(self),
            false => Cow::Owned(Self { first, last, ..*self }),
        }
    }
}
