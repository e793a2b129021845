//! Java's patterns of dates (`yyyy/MM/dd`), for times that are written outside of SQL: in names of partitions, in files.

use chrono::NaiveDateTime;

use crate::error::TrinoError;
use crate::functions::datetime::pattern::Pattern;
use crate::time::Zone;

/// The zone of times that name none.
const UTC: Zone = Zone::Named(chrono_tz::UTC);

/// A pattern that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct DatePattern(Pattern);

impl DatePattern {
    /// A pattern of Java's `DateTimeFormatter`, as far as Joda's patterns have its letters.
    ///
    /// # Errors
    /// `INVALID_FUNCTION_ARGUMENT` for a letter that is not known.
    pub fn java(text: &str) -> Result<Self, TrinoError> {
        // What Java calls the proleptic year is Joda's year.
        Pattern::joda(&text.replace('u', "y")).map(Self)
    }

    /// A time as the pattern shows it.
    pub fn format(&self, time: NaiveDateTime) -> String {
        self.0.format(time, UTC, 0).expect("UTC has a name")
    }

    /// The time that a text shows; what it doesn't mention is that of 1970-01-01 00:00.
    ///
    /// # Errors
    /// `INVALID_FUNCTION_ARGUMENT` if the text doesn't fit.
    pub fn parse(&self, text: &str) -> Result<NaiveDateTime, TrinoError> {
        self.0.parse(text).map(|(time, _)| time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for (pattern, text) in
            [("uuuu/MM/dd", "2024/02/29"), ("yyyyMMddHH", "2024022907"), ("yyyy-MM-dd'T'HH:mm", "2024-02-29T07:30")]
        {
            let pattern = DatePattern::java(pattern).unwrap();
            assert_eq!(pattern.format(pattern.parse(text).unwrap()), text);
        }
        assert!(DatePattern::java("qqq").is_err());
        assert!(DatePattern::java("yyyy").unwrap().parse("x").is_err());
    }
}
