//! Integers in English words.

use std::sync::LazyLock;

const SMALL: [&str; 20] = [
    "Zero",
    "One",
    "Two",
    "Three",
    "Four",
    "Five",
    "Six",
    "Seven",
    "Eight",
    "Nine",
    "Ten",
    "Eleven",
    "Twelve",
    "Thirteen",
    "Fourteen",
    "Fifteen",
    "Sixteen",
    "Seventeen",
    "Eighteen",
    "Nineteen",
];
const ORDINALS: [&str; 20] = [
    "Zeroth",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
    "Eleventh",
    "Twelfth",
    "Thirteenth",
    "Fourteenth",
    "Fifteenth",
    "Sixteenth",
    "Seventeenth",
    "Eighteenth",
    "Nineteenth",
];
const TENS: [&str; 8] = ["Twenty", "Thirty", "Forty", "Fifty", "Sixty", "Seventy", "Eighty", "Ninety"];
const MAGNITUDES: [&str; 4] = ["Thousand", "Million", "Billion", "Trillion"];

/// All words in lower case and what they mean.
pub(in crate::jsonata::functions) static WORDS: LazyLock<Vec<(String, f64)>> = LazyLock::new(|| {
    let mut words = Vec::new();
    let mut add = |word: &str, value: f64| words.push((word.to_lowercase(), value));
    SMALL.iter().enumerate().for_each(|(value, word)| add(word, value as f64));
    ORDINALS.iter().enumerate().for_each(|(value, word)| add(word, value as f64));
    for (index, word) in TENS.iter().enumerate() {
        let value = (index + 2) as f64 * 10.0;
        add(word, value);
        add(&tieth(word), value);
    }
    add("Hundred", 100.0);
    add("Hundredth", 100.0);
    for (index, word) in MAGNITUDES.iter().enumerate() {
        let value = 1000f64.powi(index as i32 + 1);
        add(word, value);
        add(&format!("{word}th"), value);
    }
    words
});

fn tieth(tens: &str) -> String {
    format!("{}ieth", &tens[..tens.len() - 1])
}

/// `number` in words with capital letters.
pub(super) fn format(number: f64, ordinal: bool) -> String {
    spelled(number, "", "", ordinal)
}

/// `small` and `large` are put before numbers below and from 100.
fn spelled(number: f64, small: &str, large: &str, ordinal: bool) -> String {
    let ending = |rest: f64, suffix: &str| {
        if rest > 0.0 {
            spelled(rest, " and ", ", ", ordinal)
        } else if ordinal {
            suffix.to_owned()
        } else {
            String::new()
        }
    };
    if number < 20.0 {
        let words = if ordinal { ORDINALS } else { SMALL };
        return format!("{small}{}", words[number as usize]);
    }
    if number < 100.0 {
        let tens = TENS[(number / 10.0) as usize - 2];
        let rest = number % 10.0;
        return match (rest > 0.0, ordinal) {
            (true, _) => format!("{small}{tens}-{}", spelled(rest, "", "", ordinal)),
            (false, true) => format!("{small}{}", tieth(tens)),
            (false, false) => format!("{small}{tens}"),
        };
    }
    if number < 1000.0 {
        let hundreds = SMALL[(number / 100.0) as usize];
        return format!("{large}{hundreds} Hundred{}", ending(number % 100.0, "th"));
    }
    let magnitude = ((number.log10() / 3.0).floor() as usize).clamp(1, MAGNITUDES.len());
    let factor = 1000f64.powi(magnitude as i32);
    let count = (number / factor).floor();
    let name = MAGNITUDES[magnitude - 1];
    format!("{large}{} {name}{}", spelled(count, "", "", false), ending(number - count * factor, "th"))
}

/// The number that words in lower case mean.
pub(super) fn read(text: &str) -> f64 {
    let text = text.replace(", ", "\u{0}").replace(" and ", "\u{0}");
    let parts = text.split(|c: char| c == '\u{0}' || c.is_whitespace() || c == '\\' || c == '-');
    let mut segments = vec![0.0];
    for part in parts {
        let Some((_, value)) = WORDS.iter().rev().find(|(word, _)| word == part) else { return f64::NAN };
        let top = segments.pop().unwrap_or(0.0);
        if *value >= 100.0 {
            segments.push(top * value);
        } else if top >= 1000.0 {
            segments.extend([top, *value]);
        } else {
            segments.push(top + value);
        }
    }
    segments.iter().sum()
}
