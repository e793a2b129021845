//! Dates by Java's `DateTimeFormatter` patterns, as `!{timestamp:…}` has them.
//!
//! Follows the class's documentation for English texts. Week-based letters count as in the United States (weeks begin on
//! Sunday, the week of 1 January is the first), as on AWS. Localized texts of other kinds, optional sections and padding
//! are refused.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike, Days, Offset, Timelike};
use chrono_tz::{OffsetName, Tz};

/// A checked pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A letter and how often it is repeated.
    Field(char, usize),
}

/// Why a pattern can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    #[error("Unknown pattern letter: {0}")]
    UnknownLetter(char),
    #[error("Too many pattern letters: {0}")]
    TooMany(char),
    #[error("Pattern ends with an incomplete string literal: {0}")]
    OpenQuote(String),
    #[error("Pattern includes reserved character: '{0}'")]
    Reserved(char),
    #[error("Boathouse does not implement the pattern character {0} yet")]
    NotImplemented(char),
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let taken = match first {
                '\'' => literal(text, rest, &mut parts)?,
                'a'..='z' | 'A'..='Z' => {
                    let count = rest.chars().take_while(|c| *c == first).count();
                    check(first, count)?;
                    parts.push(Part::Field(first, count));
                    count
                }
                '{' | '}' | '#' => return Err(PatternError::Reserved(first)),
                '[' | ']' => return Err(PatternError::NotImplemented(first)),
                other => {
                    parts.push(Part::Text(other.into()));
                    other.len_utf8()
                }
            };
            rest = &rest[taken..];
        }
        Ok(Self(parts))
    }

    pub(crate) fn format(&self, at: &DateTime<Tz>) -> String {
        self.0.iter().fold(String::new(), |mut out, part| {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(letter, count) => field(&mut out, *letter, *count, at),
            }
            out
        })
    }
}

/// Takes a quoted text off; answers its length with the quotes. Two quotes are one.
fn literal(whole: &str, rest: &str, parts: &mut Vec<Part>) -> Result<usize, PatternError> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if c != '\'' {
            text.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == '\'') && !text.is_empty() {
            chars.next();
            text.push('\'');
        } else {
            parts.push(Part::Text(if text.is_empty() { "'".into() } else { text }));
            return Ok(index + 1);
        }
    }
    Err(PatternError::OpenQuote(whole.to_owned()))
}

/// How often a letter may be repeated.
fn check(letter: char, count: usize) -> Result<(), PatternError> {
    let most = match letter {
        'y' | 'u' | 'Y' | 'n' | 'N' | 'A' => 19,
        'M' | 'L' | 'E' | 'Q' | 'q' | 'G' | 'X' | 'x' | 'Z' => 5,
        'd' | 'H' | 'k' | 'K' | 'h' | 'm' | 's' | 'w' => 2,
        'D' => 3,
        'S' => 9,
        'a' => 1,
        'e' | 'z' | 'O' => 4,
        'V' => 2,
        'c' | 'W' | 'F' | 'v' | 'B' | 'g' | 'p' => return Err(PatternError::NotImplemented(letter)),
        other => return Err(PatternError::UnknownLetter(other)),
    };
    let whole = match letter {
        'O' => matches!(count, 1 | 4),
        'V' => count == 2,
        _ => count <= most,
    };
    if whole { Ok(()) } else { Err(PatternError::TooMany(letter)) }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn field(out: &mut String, letter: char, count: usize, at: &DateTime<Tz>) {
    let quarter = at.month0() / 3 + 1;
    match letter {
        'y' | 'u' => year(out, at.year(), count),
        'Y' => year(out, week(at).0, count),
        'w' => number(out, week(at).1, count),
        'M' | 'L' => text_or_number(out, at.month(), count, MONTHS[at.month0() as usize]),
        'E' => text(out, count.max(3), DAYS[at.weekday().num_days_from_monday() as usize]),
        'e' => text_or_number(
            out,
            at.weekday().number_from_sunday(),
            count,
            DAYS[at.weekday().num_days_from_monday() as usize],
        ),
        'd' => number(out, at.day(), count),
        'D' => number(out, at.ordinal(), count),
        'Q' | 'q' => match count {
            1 | 2 => number(out, quarter, count),
            3 => out.push_str(&format!("Q{quarter}")),
            4 => out.push_str(["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"][quarter as usize - 1]),
            _ => number(out, quarter, 1),
        },
        'G' => out.push_str(["AD", "Anno Domini", "A"][count.saturating_sub(3).min(2)]),
        'a' => out.push_str(if at.hour() < 12 { "AM" } else { "PM" }),
        'H' => number(out, at.hour(), count),
        'k' => number(out, (at.hour() + 23) % 24 + 1, count),
        'K' => number(out, at.hour() % 12, count),
        'h' => number(out, (at.hour() + 11) % 12 + 1, count),
        'm' => number(out, at.minute(), count),
        's' => number(out, at.second(), count),
        'S' => out.push_str(&format!("{:09}", at.nanosecond() % 1_000_000_000)[..count]),
        'n' => number(out, at.nanosecond() % 1_000_000_000, count),
        'A' => number(
            out,
            u64::from(at.num_seconds_from_midnight()) * 1000 + u64::from(at.nanosecond() / 1_000_000),
            count,
        ),
        'N' => {
            number(out, u64::from(at.num_seconds_from_midnight()) * 1_000_000_000 + u64::from(at.nanosecond()), count)
        }
        'V' => out.push_str(at.timezone().name()),
        'z' => out.push_str(at.offset().abbreviation().unwrap_or("UTC")),
        other => offset(out, other, count, at.offset().fix().local_minus_utc()),
    }
}

fn number(out: &mut String, value: impl std::fmt::Display, width: usize) {
    let _ = write!(out, "{value:0>width$}"); // writing to a String can't fail
}

fn year(out: &mut String, year: i32, count: usize) {
    number(out, if count == 2 { year.rem_euclid(100) } else { year }, count);
}

fn text_or_number(out: &mut String, value: u32, count: usize, name: &str) {
    if count <= 2 { number(out, value, count) } else { text(out, count, name) }
}

/// Three letters: short; four: in full; five: narrow.
fn text(out: &mut String, count: usize, name: &str) {
    out.push_str(match count {
        3 => &name[..3],
        4 => name,
        _ => &name[..1],
    });
}

/// The week-based year and its week: the week belongs to the year of its Saturday.
fn week(at: &DateTime<Tz>) -> (i32, u32) {
    let days = 6 - u64::from(at.weekday().num_days_from_sunday());
    let saturday = at.date_naive().checked_add_days(Days::new(days)).unwrap_or(at.date_naive());
    (saturday.year(), saturday.ordinal0() / 7 + 1)
}

fn offset(out: &mut String, letter: char, count: usize, seconds: i32) {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    let _ = match (letter, count) {
        ('O', _) if seconds == 0 => write!(out, "GMT"),
        ('O', 1) if minutes == 0 => write!(out, "GMT{sign}{hours}"),
        ('O', 1) => write!(out, "GMT{sign}{hours}:{minutes:02}"),
        ('O' | 'Z', 4) if seconds != 0 => write!(out, "GMT{sign}{hours:02}:{minutes:02}"),
        ('Z', 4) => write!(out, "GMT"),
        ('X', _) | ('Z', 5) if seconds == 0 => write!(out, "Z"),
        ('X' | 'x', 1) if minutes == 0 => write!(out, "{sign}{hours:02}"),
        ('X' | 'x', 1 | 2) | ('Z', 1..=3) => write!(out, "{sign}{hours:02}{minutes:02}"),
        ('X' | 'x', 4) if rest == 0 => write!(out, "{sign}{hours:02}{minutes:02}"),
        ('X' | 'x', 4) => write!(out, "{sign}{hours:02}{minutes:02}{rest:02}"),
        _ => write!(out, "{sign}{hours:02}:{minutes:02}"),
    };
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn formatted(pattern: &str, zone: &str) -> String {
        let zone: Tz = zone.parse().unwrap();
        let at = chrono::Utc.with_ymd_and_hms(2024, 12, 29, 23, 5, 9).unwrap() + chrono::Duration::milliseconds(45);
        Pattern::parse(pattern).unwrap().format(&at.with_timezone(&zone))
    }

    #[test]
    fn dates_are_written_as_java_writes_them() {
        for (pattern, expected) in [
            ("yyyy/MM/dd/HH/", "2024/12/29/23/"),
            ("'year='yyyy'/month='M", "year=2024/month=12"),
            ("yy u YYYY ww", "24 2024 2025 01"),
            ("MMM MMMM MMMMM", "Dec December D"),
            ("E EEEE e", "Sun Sunday 1"),
            ("h a K k hh", "11 PM 11 23 11"),
            ("HH''mm ss.SSS", "23'05 09.045"),
            ("D Q QQ QQQ QQQQ", "364 4 04 Q4 4th quarter"),
            ("XXX xx Z ZZZZ O VV z", "Z +0000 +0000 GMT GMT UTC UTC"),
            ("'it''s'", "it's"),
            ("A n", "83109045 45000000"),
        ] {
            assert_eq!(formatted(pattern, "UTC"), expected, "{pattern}");
        }
        let tokyo = "yyyy-MM-dd HH X XXX Z O VV";
        assert_eq!(formatted(tokyo, "Asia/Tokyo"), "2024-12-30 08 +09 +09:00 +0900 GMT+9 Asia/Tokyo");
        assert_eq!(formatted("XX O OOOO", "Asia/Kolkata"), "+0530 GMT+5:30 GMT+05:30");
    }

    #[test]
    fn patterns_that_java_refuses_are_refused() {
        for (pattern, error) in [
            ("yyyy-bb", PatternError::UnknownLetter('b')),
            ("HHH", PatternError::TooMany('H')),
            ("'open", PatternError::OpenQuote("'open".into())),
            ("{yyyy}", PatternError::Reserved('{')),
            ("yyyy[MM]", PatternError::NotImplemented('[')),
        ] {
            assert_eq!(Pattern::parse(pattern), Err(error), "{pattern}");
        }
    }
}
