//! Integers by pictures, as XPath's format-integer: digits with groups, letters, Roman numerals, words.

mod words;

use crate::jsonata::eval::{Result, too_much};
use crate::jsonata::value::javascript;

pub(super) use words::WORDS;

/// Where the ten digits of the scripts start that have decimal digits.
const DIGITS: [u32; 37] = [
    0x30, 0x0660, 0x06F0, 0x07C0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0B66, 0x0BE6, 0x0C66, 0x0CE6, 0x0D66, 0x0DE6,
    0x0E50, 0x0ED0, 0x0F20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
    Title,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Primary {
    Letters,
    Roman,
    Words,
    Decimal(Decimal),
    /// A numbering that is not known, such as `①`.
    Sequence(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decimal {
    zero: u32,
    pub(super) mandatory: usize,
    pub(super) optional: usize,
    pub(super) grouping: Grouping,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Grouping {
    /// The same separator after every so many digits.
    Regular(usize, char),
    /// Separators and how many digits are right of each, from the right.
    Irregular(Vec<(usize, char)>),
}

#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) primary: Primary,
    case: Case,
    pub(super) ordinal: bool,
}

impl Picture {
    pub(super) fn parse(picture: &str) -> Result<Self> {
        let (primary, modifier) = picture.rsplit_once(';').unwrap_or((picture, ""));
        let (primary, case) = match primary {
            "A" => (Primary::Letters, Case::Upper),
            "a" => (Primary::Letters, Case::Lower),
            "I" => (Primary::Roman, Case::Upper),
            "i" => (Primary::Roman, Case::Lower),
            "W" => (Primary::Words, Case::Upper),
            "Ww" => (Primary::Words, Case::Title),
            "w" => (Primary::Words, Case::Lower),
            other => (decimal(other)?, Case::Lower),
        };
        Ok(Self { primary, case, ordinal: modifier.starts_with('o') })
    }

    pub(super) fn decimal(&self) -> Option<&Decimal> {
        match &self.primary {
            Primary::Decimal(decimal) => Some(decimal),
            _ => None,
        }
    }

    pub(super) fn decimal_mut(&mut self) -> Option<&mut Decimal> {
        match &mut self.primary {
            Primary::Decimal(decimal) => Some(decimal),
            _ => None,
        }
    }

    pub(super) fn format(&self, number: f64) -> Result<String> {
        let size = number.abs();
        let text = match &self.primary {
            Primary::Letters => letters(size),
            Primary::Roman => roman(size)?,
            Primary::Words => words::format(size, self.ordinal),
            Primary::Decimal(decimal) => decimal.format(size, self.ordinal),
            Primary::Sequence(token) => return Err(unknown_sequence(token)),
        };
        let text = match (&self.primary, self.case) {
            (Primary::Decimal(_), _) | (Primary::Words, Case::Title) => text,
            (_, Case::Upper) => text.to_uppercase(),
            _ => text.to_lowercase(),
        };
        Ok(if number < 0.0 { format!("-{text}") } else { text })
    }

    /// The regular expression of what the picture describes; `digits`: how many there are at most.
    pub(super) fn pattern(&self, digits: Option<usize>) -> Result<String> {
        let upper = self.case == Case::Upper;
        Ok(match &self.primary {
            Primary::Letters => if upper { "[A-Z]+" } else { "[a-z]+" }.into(),
            Primary::Roman => if upper { "[MDCLXVI]+" } else { "[mdclxvi]+" }.into(),
            Primary::Words => {
                let words: Vec<&str> = WORDS.iter().map(|(word, _)| &**word).collect();
                format!("(?:{}|and|[\\-, ])+", words.join("|"))
            }
            Primary::Decimal(decimal) => {
                let count = match digits {
                    Some(most) if decimal.optional == 0 => format!("{{{most}}}"),
                    Some(most) => format!("{{{},{most}}}", most.saturating_sub(decimal.optional)),
                    None => "+".into(),
                };
                format!("[0-9]{count}{}", if self.ordinal { "(?:th|st|nd|rd)" } else { "" })
            }
            Primary::Sequence(token) => return Err(unknown_sequence(token)),
        })
    }

    /// The number that a text means; not a number when it means none.
    pub(super) fn read(&self, text: &str) -> Result<f64> {
        Ok(match &self.primary {
            Primary::Letters => from_letters(text, if self.case == Case::Upper { 'A' } else { 'a' }),
            Primary::Roman if self.case == Case::Upper => from_roman(text),
            Primary::Roman => from_roman(&text.to_uppercase()),
            Primary::Words => words::read(&text.to_lowercase()),
            Primary::Decimal(decimal) => decimal.read(text, self.ordinal),
            Primary::Sequence(token) => return Err(unknown_sequence(token)),
        })
    }
}

fn unknown_sequence(token: &str) -> String {
    format!(
        "D3130: Formatting or parsing an integer as a sequence starting with \"{token}\" is not supported by this \
         implementation"
    )
}

fn decimal(picture: &str) -> Result<Primary> {
    let mut decimal = Decimal { zero: 0, mandatory: 0, optional: 0, grouping: Grouping::Irregular(Vec::new()) };
    let (mut separators, mut position) = (Vec::new(), 0);
    for c in picture.chars().rev() {
        let code = u32::from(c);
        if let Some(zero) = DIGITS.into_iter().find(|zero| (*zero..=zero + 9).contains(&code)) {
            if decimal.mandatory > 0 && decimal.zero != zero {
                return Err("D3131: In a decimal digit pattern, all digits must be from the same decimal group".into());
            }
            decimal.zero = zero;
            decimal.mandatory += 1;
            position += 1;
        } else if c == '#' {
            decimal.optional += 1;
            position += 1;
        } else {
            separators.push((position, c));
        }
    }
    if decimal.mandatory == 0 {
        return Ok(Primary::Sequence(picture.to_owned()));
    }
    decimal.grouping = match regular(&separators) {
        Some((size, separator)) => Grouping::Regular(size, separator),
        None => Grouping::Irregular(separators),
    };
    Ok(Primary::Decimal(decimal))
}

fn regular(separators: &[(usize, char)]) -> Option<(usize, char)> {
    let (_, separator) = *separators.first()?;
    if separators.iter().any(|(_, other)| *other != separator) {
        return None;
    }
    let positions: Vec<usize> = separators.iter().map(|(position, _)| *position).collect();
    Some((regular_size(&positions)?, separator))
}

/// The size of groups, if there is a separator at each multiple of it.
pub(super) fn regular_size(positions: &[usize]) -> Option<usize> {
    let divisor = |mut a: usize, mut b: usize| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let size = positions.iter().copied().reduce(divisor)?;
    let complete = (1..=positions.len()).all(|index| positions.contains(&(index * size)));
    (size > 0 && complete).then_some(size)
}

impl Decimal {
    fn format(&self, number: f64, ordinal: bool) -> String {
        let text = javascript(number);
        let missing = self.mandatory.saturating_sub(text.len());
        let mut digits: Vec<char> = "0".repeat(missing).chars().chain(text.chars()).collect();
        if self.zero != 0x30 {
            let shift = self.zero - 0x30;
            digits = digits.into_iter().map(|c| char::from_u32(u32::from(c) + shift).unwrap_or(c)).collect();
        }
        let digits = match &self.grouping {
            Grouping::Regular(size, separator) => grouped(&digits, *size, *separator),
            Grouping::Irregular(separators) => separated(digits, separators),
        };
        let mut text: String = digits.iter().collect();
        if ordinal {
            text.push_str(suffix(&digits));
        }
        text
    }

    fn read(&self, text: &str, ordinal: bool) -> f64 {
        let count = text.chars().count().saturating_sub(if ordinal { 2 } else { 0 });
        let kept = text.chars().take(count).filter(|c| match &self.grouping {
            Grouping::Regular(..) => *c != ',',
            Grouping::Irregular(separators) => !separators.iter().any(|(_, separator)| separator == c),
        });
        let shift = self.zero - 0x30;
        let digits: String =
            kept.map(|c| u32::from(c).checked_sub(shift).and_then(char::from_u32).unwrap_or(c)).collect();
        leading_integer(&digits)
    }
}

/// The integer that a text starts with, as JavaScript's parseInt reads it.
pub(super) fn leading_integer(text: &str) -> f64 {
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse::<f64>().map_or(f64::NAN, |number| sign * number)
}

fn grouped(digits: &[char], size: usize, separator: char) -> Vec<char> {
    let mut text = Vec::with_capacity(digits.len() * 2);
    for (at, c) in digits.iter().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(size) {
            text.push(separator);
        }
        text.push(*c);
    }
    text
}

/// Puts separators in from the left. One that stands left of all digits is put before the last of them.
fn separated(mut digits: Vec<char>, separators: &[(usize, char)]) -> Vec<char> {
    for (position, separator) in separators.iter().rev() {
        let length = digits.len();
        if *position <= length {
            digits.insert(length - position, *separator);
        } else {
            let rest = length - (*position - length).min(length);
            digits = std::iter::once(*separator).chain(digits.drain(rest..)).collect();
        }
    }
    digits
}

fn suffix(digits: &[char]) -> &'static str {
    let teen = digits.len() > 1 && digits[digits.len() - 2] == '1';
    match digits.last() {
        Some('1') if !teen => "st",
        Some('2') if !teen => "nd",
        Some('3') if !teen => "rd",
        _ => "th",
    }
}

fn letters(mut number: f64) -> String {
    let mut letters = Vec::new();
    while number > 0.0 && number.is_finite() {
        letters.push((b'A' + ((number - 1.0) % 26.0) as u8) as char);
        number = ((number - 1.0) / 26.0).floor();
    }
    letters.iter().rev().collect()
}

fn from_letters(text: &str, first: char) -> f64 {
    text.chars().fold(0.0, |number, c| number * 26.0 + f64::from(u32::from(c)) - f64::from(u32::from(first)) + 1.0)
}

const ROMAN: [(f64, &str); 13] = [
    (1000.0, "M"),
    (900.0, "CM"),
    (500.0, "D"),
    (400.0, "CD"),
    (100.0, "C"),
    (90.0, "XC"),
    (50.0, "L"),
    (40.0, "XL"),
    (10.0, "X"),
    (9.0, "IX"),
    (5.0, "V"),
    (4.0, "IV"),
    (1.0, "I"),
];

fn roman(mut number: f64) -> Result<String> {
    if number > 5e6 {
        return Err(too_much());
    }
    let mut text = String::new();
    for (value, letters) in ROMAN {
        while number >= value {
            text.push_str(letters);
            number -= value;
        }
    }
    Ok(text)
}

fn from_roman(text: &str) -> f64 {
    let (mut number, mut most) = (0.0, 1.0);
    for c in text.chars().rev() {
        let value = match c {
            'M' => 1000.0,
            'D' => 500.0,
            'C' => 100.0,
            'L' => 50.0,
            'X' => 10.0,
            'V' => 5.0,
            'I' => 1.0,
            _ => return f64::NAN,
        };
        if value < most {
            number -= value;
        } else {
            most = value;
            number += value;
        }
    }
    number
}
