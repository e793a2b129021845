//! `$formatNumber`: the pictures of XPath's format-number.

use super::integers::regular_size;
use super::numbers::round;
use crate::jsonata::eval::Result;
use crate::jsonata::value::Val;

/// The characters that mean something in a picture.
struct Symbols {
    decimal: char,
    grouping: char,
    exponent: char,
    minus: String,
    percent: char,
    per_mille: char,
    zero: char,
    digit: char,
    separator: char,
}

impl Symbols {
    fn new(options: &Val) -> Self {
        let option = |name: &str, default: &str| match options {
            Val::Object(members) => match members.get(name) {
                Some(Val::String(text)) => text.to_string(),
                _ => default.to_owned(),
            },
            _ => default.to_owned(),
        };
        let symbol = |name: &str, default: char| option(name, "").chars().next().unwrap_or(default);
        Self {
            decimal: symbol("decimal-separator", '.'),
            grouping: symbol("grouping-separator", ','),
            exponent: symbol("exponent-separator", 'e'),
            minus: option("minus-sign", "-"),
            percent: symbol("percent", '%'),
            per_mille: symbol("per-mille", '‰'),
            zero: symbol("zero-digit", '0'),
            digit: symbol("digit", '#'),
            separator: symbol("pattern-separator", ';'),
        }
    }

    fn is_digit(&self, c: char) -> bool {
        (u32::from(self.zero)..u32::from(self.zero) + 10).contains(&u32::from(c))
    }

    fn is_place(&self, c: char) -> bool {
        self.is_digit(c) || c == self.digit
    }

    /// Whether a character ends the text before or after the number.
    fn is_active(&self, c: char) -> bool {
        self.is_place(c) || [self.decimal, self.grouping, self.separator].contains(&c)
    }

    fn places(&self, part: &[char]) -> usize {
        part.iter().filter(|c| self.is_place(**c)).count()
    }

    fn digits(&self, part: &[char]) -> usize {
        part.iter().filter(|c| self.is_digit(**c)).count()
    }
}

/// A picture for positive or for negative numbers.
struct Part {
    picture: Vec<char>,
    prefix: Vec<char>,
    suffix: Vec<char>,
    active: Vec<char>,
    integer: Vec<char>,
    fraction: Vec<char>,
    exponent: Option<Vec<char>>,
}

fn find(text: &[char], c: char) -> Option<usize> {
    text.iter().position(|own| *own == c)
}

impl Part {
    fn parse(picture: &str, symbols: &Symbols) -> Result<Self> {
        let picture: Vec<char> = picture.chars().collect();
        let active = |c: &char| symbols.is_active(*c);
        let (Some(start), Some(end)) = (picture.iter().position(active), picture.iter().rposition(active)) else {
            return Err(problem(6));
        };
        let (prefix, suffix) = (picture[..start].to_vec(), picture[end + 1..].to_vec());
        let active = picture[start..=end].to_vec();
        let (mantissa, exponent) = match find(&active, symbols.exponent) {
            Some(at) => (active[..at].to_vec(), Some(active[at + 1..].to_vec())),
            // At the very end it is an exponent without digits.
            None if suffix.first() == Some(&symbols.exponent) => (active.clone(), Some(Vec::new())),
            None => (active.clone(), None),
        };
        let (integer, fraction) = match find(&mantissa, symbols.decimal) {
            Some(at) => (mantissa[..at].to_vec(), mantissa[at + 1..].to_vec()),
            None => (mantissa, suffix.clone()),
        };
        let part = Self { picture, prefix, suffix, active, integer, fraction, exponent };
        match part.broken(symbols) {
            Some(rule) => Err(problem(rule)),
            None => Ok(part),
        }
    }

    /// The last rule that the picture breaks.
    fn broken(&self, symbols: &Symbols) -> Option<usize> {
        let picture = &self.picture;
        let twice = |c: char| picture.iter().filter(|own| **own == c).count() > 1;
        let has = |c: char| picture.contains(&c);
        let decimal = find(picture, symbols.decimal);
        let beside = |at: usize| {
            at.checked_sub(1).and_then(|at| picture.get(at)) == Some(&symbols.grouping)
                || picture.get(at + 1) == Some(&symbols.grouping)
        };
        let mantissa_has_place =
            symbols.places(&self.integer) > 0 || decimal.is_some() && symbols.places(&self.fraction) > 0;
        let optional_after_digit =
            find(&self.integer, symbols.digit).is_some_and(|at| symbols.digits(&self.integer[..at]) > 0);
        let digit_after_optional = self
            .fraction
            .iter()
            .rposition(|c| *c == symbols.digit)
            .is_some_and(|at| symbols.digits(&self.fraction[at..]) > 0);
        let scaled = has(symbols.percent) || has(symbols.per_mille);
        let exponent = self.exponent.as_deref();
        let rules = [
            (1, twice(symbols.decimal)),
            (2, twice(symbols.percent)),
            (3, twice(symbols.per_mille)),
            (4, has(symbols.percent) && has(symbols.per_mille)),
            (5, !mantissa_has_place),
            (6, self.active.iter().any(|c| !symbols.is_active(*c) && *c != symbols.exponent)),
            (7, decimal.is_some_and(beside)),
            (8, decimal.is_none() && self.integer.last() == Some(&symbols.grouping)),
            (9, picture.windows(2).any(|pair| pair == [symbols.grouping; 2])),
            (10, optional_after_digit),
            (11, digit_after_optional),
            (12, scaled && exponent.is_some_and(|exponent| !exponent.is_empty())),
            (13, exponent.is_some_and(|part| part.is_empty() || symbols.digits(part) < part.len())),
        ];
        rules.into_iter().rev().find(|(_, broken)| *broken).map(|(rule, _)| rule)
    }
}

/// Rule `number` of format-number, by the code that JSONata gives it.
fn problem(number: usize) -> String {
    let rules = [
        "picture string must only contain a maximum of two sub-pictures",
        "sub-picture must not contain more than one instance of the 'decimal-separator' character",
        "sub-picture must not contain more than one instance of the 'percent' character",
        "sub-picture must not contain more than one instance of the 'per-mille' character",
        "sub-picture must not contain both a 'percent' and a 'per-mille' character",
        "mantissa part of a sub-picture must contain at least one character that is either an 'optional digit \
         character' or a member of the 'decimal digit family'",
        "sub-picture must not contain a passive character that is preceded by an active character and that is \
         followed by another active character",
        "sub-picture must not contain a 'grouping-separator' character that appears adjacent to a \
         'decimal-separator' character",
        "sub-picture must not contain a 'grouping-separator' at the end of the integer part",
        "sub-picture must not contain two adjacent instances of the 'grouping-separator' character",
        "integer part of the sub-picture must not contain a member of the 'decimal digit family' that is followed by \
         an instance of the 'optional digit character'",
        "fractional part of the sub-picture must not contain an instance of the 'optional digit character' that is \
         followed by a member of the 'decimal digit family'",
        "sub-picture that contains a 'percent' or 'per-mille' character must not contain a character treated as an \
         'exponent-separator'",
        "exponent part of the sub-picture must comprise only of one or more characters that are members of the \
         'decimal digit family'",
    ];
    format!("D{}: The {}", 3080 + number, rules[number])
}

/// What a picture asks for.
struct Layout {
    /// Digits right of each separator of the integer part.
    integer_groups: Vec<usize>,
    regular: Option<usize>,
    /// Digits left of each separator of the fraction.
    fraction_groups: Vec<usize>,
    integer_least: usize,
    fraction_least: usize,
    fraction_most: usize,
    exponent_least: usize,
    /// Digits of the mantissa's integer part when there is an exponent.
    scaling: usize,
}

impl Layout {
    fn of(part: &Part, symbols: &Symbols) -> Self {
        let separators = |part: &[char]| {
            let places = part.iter().enumerate().filter(|(_, c)| **c == symbols.grouping).map(|(at, _)| at);
            places.collect::<Vec<_>>()
        };
        let integer_groups: Vec<usize> =
            separators(&part.integer).into_iter().map(|at| symbols.places(&part.integer[at..])).collect();
        let fraction_groups =
            separators(&part.fraction).into_iter().map(|at| symbols.places(&part.fraction[..at])).collect();
        let scaling = symbols.digits(&part.integer);
        let (mut integer_least, mut fraction_least) = (scaling, symbols.digits(&part.fraction));
        let mut fraction_most = symbols.places(&part.fraction);
        let exponent = part.exponent.is_some();
        if integer_least == 0 && fraction_most == 0 {
            if exponent {
                (fraction_least, fraction_most) = (1, 1);
            } else {
                integer_least = 1;
            }
        }
        if exponent && integer_least == 0 && part.integer.contains(&symbols.digit) {
            integer_least = 1;
        }
        if integer_least == 0 && fraction_least == 0 {
            fraction_least = 1;
        }
        let exponent_least = part.exponent.as_deref().map_or(0, |part| symbols.digits(part));
        let regular = regular_size(&integer_groups);
        Self {
            integer_groups,
            regular,
            fraction_groups,
            integer_least,
            fraction_least,
            fraction_most,
            exponent_least,
            scaling,
        }
    }
}

/// `value` by `picture`.
pub(super) fn format(value: f64, picture: &str, options: &Val) -> Result<String> {
    let symbols = Symbols::new(options);
    let parts: Vec<&str> = picture.split(symbols.separator).collect();
    if parts.len() > 2 {
        return Err(problem(0));
    }
    let parts = parts.into_iter().map(|part| Part::parse(part, &symbols)).collect::<Result<Vec<_>>>()?;
    let negative = value < 0.0 || value.is_nan();
    let part = if negative { parts.last() } else { parts.first() }.ok_or_else(|| problem(5))?;
    let layout = Layout::of(part, &symbols);
    let scale = match part.picture.iter().find(|c| [symbols.percent, symbols.per_mille].contains(c)) {
        Some(c) if *c == symbols.percent => 100.0,
        Some(_) => 1000.0,
        None => 1.0,
    };
    let (mantissa, exponent) = scaled(value.abs() * scale, &layout);
    let mut text = digits(mantissa, &layout, &symbols);
    group(&mut text, &layout, &symbols);
    if !part.picture.contains(&symbols.decimal) || text.last() == Some(&symbols.decimal) {
        text.pop();
    }
    if let Some(exponent) = exponent {
        text.push(symbols.exponent);
        if exponent < 0 {
            text.extend(symbols.minus.chars());
        }
        let written = own_digits(&exponent.unsigned_abs().to_string(), &symbols);
        text.extend(std::iter::repeat_n(symbols.zero, layout.exponent_least.saturating_sub(written.len())));
        text.extend(written);
    }
    let minus = if negative && parts.len() == 1 { symbols.minus.as_str() } else { "" };
    Ok(minus.chars().chain(part.prefix.iter().copied()).chain(text).chain(part.suffix.iter().copied()).collect())
}

/// The mantissa, and the exponent if the picture has one.
fn scaled(number: f64, layout: &Layout) -> (f64, Option<i32>) {
    if layout.exponent_least == 0 {
        return (number, None);
    }
    let (most, least) = (10f64.powi(layout.scaling as i32), 10f64.powi(layout.scaling as i32 - 1));
    let (mut mantissa, mut exponent) = (number, 0);
    while mantissa < least && mantissa > 0.0 {
        mantissa *= 10.0;
        exponent -= 1;
    }
    while mantissa > most && mantissa.is_finite() {
        mantissa /= 10.0;
        exponent += 1;
    }
    (mantissa, Some(exponent))
}

fn own_digits(text: &str, symbols: &Symbols) -> Vec<char> {
    let own = |c: char| c.to_digit(10).and_then(|digit| char::from_u32(u32::from(symbols.zero) + digit)).unwrap_or(c);
    text.chars().map(own).collect()
}

/// The digits with the decimal separator, as many as the picture wants at least.
fn digits(mantissa: f64, layout: &Layout, symbols: &Symbols) -> Vec<char> {
    let rounded = round(mantissa, layout.fraction_most as f64).abs();
    let text = format!("{rounded:.*}", layout.fraction_most);
    let (integer, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let integer = own_digits(integer.trim_start_matches('0'), symbols);
    let fraction = own_digits(fraction.trim_end_matches('0'), symbols);
    let mut text = vec![symbols.zero; layout.integer_least.saturating_sub(integer.len())];
    text.extend(integer);
    text.push(symbols.decimal);
    let missing = layout.fraction_least.saturating_sub(fraction.len());
    text.extend(fraction);
    text.extend(std::iter::repeat_n(symbols.zero, missing));
    text
}

fn group(text: &mut Vec<char>, layout: &Layout, symbols: &Symbols) {
    let point = |text: &[char]| find(text, symbols.decimal).unwrap_or(text.len());
    let whole = point(text);
    match layout.regular {
        Some(size) => {
            for group in 1..=whole.saturating_sub(1) / size {
                text.insert(whole - group * size, symbols.grouping);
            }
        }
        None => {
            // Every separator that is put in moves the decimal separator.
            for (at, position) in (whole..).zip(&layout.integer_groups) {
                // A place left of all digits counts from the end, as in the reference.
                let place = at.checked_sub(*position).unwrap_or((text.len() + at).saturating_sub(*position));
                text.insert(place, symbols.grouping);
            }
        }
    }
    let whole = point(text);
    for position in &layout.fraction_groups {
        let place = (whole + 1 + position).min(text.len());
        text.insert(place, symbols.grouping);
    }
}
