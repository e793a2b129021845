//! Numbers in patterns.

use super::Specifier;

/// `%d`, `%x` and `%o`; the latter two show negative numbers as their two's complement.
pub(super) fn write_integer(out: &mut String, specifier: &Specifier, value: i64, bits: u32) {
    let unsigned = value as u64 & (u64::MAX >> (64 - bits));
    let digits = match specifier.conversion {
        'd' => return write_signed(out, specifier, value < 0, &value.unsigned_abs().to_string()),
        'o' if specifier.has('#') => format!("0{unsigned:o}"),
        'o' => format!("{unsigned:o}"),
        _ if specifier.has('#') => format!("0x{unsigned:x}"),
        _ => format!("{unsigned:x}"),
    };
    let zeros = if specifier.has('0') { specifier.width.unwrap_or(0).saturating_sub(digits.len()) } else { 0 };
    let at = if specifier.has('#') && specifier.conversion != 'o' { 2 } else { 0 };
    specifier.pad(out, &format!("{}{}{}", &digits[..at], "0".repeat(zeros), &digits[at..]));
}

/// `%f`, `%e` and `%g`, of a number given by its shortest decimal digits.
pub(super) fn write_decimal(out: &mut String, specifier: &Specifier, number: &str) {
    let (negative, digits) = number.strip_prefix('-').map_or((false, number), |digits| (true, digits));
    match digits {
        "NaN" => return specifier.pad(out, digits),
        "inf" => {
            let text = match (negative, specifier.has('('), specifier.has('+')) {
                (true, true, _) => "(Infinity)",
                (true, ..) => "-Infinity",
                (_, _, true) => "+Infinity",
                _ => "Infinity",
            };
            return specifier.pad(out, text);
        }
        _ => {}
    }
    let precision = specifier.precision.unwrap_or(6);
    let text = match specifier.conversion.to_ascii_lowercase() {
        'f' => fixed(digits, precision),
        'e' => scientific(digits, precision),
        _ => {
            // As many significant digits as the precision says; an exponent below 10^-4 and from 10^precision on.
            let precision = precision.max(1);
            let rounded = scientific(digits, precision - 1);
            let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
            let zero = digits.bytes().all(|digit| matches!(digit, b'0' | b'.'));
            match usize::try_from(precision as i32 - 1 - exponent) {
                Ok(decimals) if exponent >= -4 || zero => fixed(digits, if zero { precision - 1 } else { decimals }),
                _ => rounded,
            }
        }
    };
    let text = if specifier.has('#') && !text.contains('.') { format!("{text}.") } else { text };
    write_signed(out, specifier, negative, &text);
}

/// Digits with sign, grouping and leading zeros.
fn write_signed(out: &mut String, specifier: &Specifier, negative: bool, digits: &str) {
    let digits = if specifier.has(',') { grouped(digits) } else { digits.to_owned() };
    let (before, after) = match (negative, specifier.has('(')) {
        (true, true) => ("(", ")"),
        (true, false) => ("-", ""),
        _ if specifier.has('+') => ("+", ""),
        _ if specifier.has(' ') => (" ", ""),
        _ => ("", ""),
    };
    let width = specifier.width.filter(|_| specifier.has('0')).unwrap_or(0);
    let zeros = width.saturating_sub(before.len() + digits.len() + after.len());
    specifier.pad(out, &format!("{before}{}{digits}{after}", "0".repeat(zeros)));
}

fn grouped(digits: &str) -> String {
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut text = String::with_capacity(digits.len() + whole / 3);
    for (index, digit) in digits[..whole].char_indices() {
        if index > 0 && (whole - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(&digits[whole..]);
    text
}

/// Rounded half up to so many decimals.
fn fixed(digits: &str, decimals: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() <= decimals {
        let zeros = "0".repeat(decimals - fraction.len());
        return if decimals == 0 { whole.to_owned() } else { format!("{whole}.{fraction}{zeros}") };
    }
    let mut kept: Vec<u8> = whole.bytes().chain(fraction.bytes().take(decimals)).collect();
    if fraction.as_bytes()[decimals] >= b'5' {
        increment(&mut kept);
    }
    let point = kept.len() - decimals;
    let text = |digits: &[u8]| digits.iter().copied().map(char::from).collect::<String>();
    match decimals {
        0 => text(&kept),
        _ => format!("{}.{}", text(&kept[..point]), text(&kept[point..])),
    }
}

/// One digit, a point, so many decimals and an exponent of at least two digits.
fn scientific(digits: &str, decimals: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let Some(first) = all.find(|digit| digit != '0') else {
        return format!("{}e+00", fixed("0", decimals));
    };
    let mut exponent = whole.len() as i32 - 1 - first as i32;
    let mut text = fixed(&format!("{}.{}", &all[first..=first], &all[first + 1..]), decimals);
    if text.starts_with("10") {
        exponent += 1;
        text = fixed("1", decimals);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{text}e{sign}{:02}", exponent.unsigned_abs())
}

/// Adds one to a number in ASCII digits.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}
