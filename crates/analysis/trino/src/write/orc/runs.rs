//! ORC's run-length encodings: of bits, of bytes, and of integers in their second version.

/// The most integers in one run.
const LONGEST: usize = 512;
/// The widths in bits that integers are packed into, and how the headers of runs write them.
const WIDTHS: [(u32, u8); 11] =
    [(1, 0), (2, 1), (4, 3), (8, 7), (16, 15), (24, 23), (32, 27), (40, 28), (48, 29), (56, 30), (64, 31)];

/// Bytes: runs of 3 to 130 equal ones, and up to 128 literal ones.
pub(super) fn bytes(values: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut at, mut literal) = (0, 0);
    while at < values.len() {
        let run = values[at..].iter().take(130).take_while(|value| **value == values[at]).count();
        if run >= 3 {
            literals(&mut out, &values[literal..at]);
            out.extend([(run - 3) as u8, values[at]]);
            literal = at + run;
        }
        at += run;
    }
    literals(&mut out, &values[literal..]);
    out
}

fn literals(out: &mut Vec<u8>, values: &[u8]) {
    for chunk in values.chunks(128) {
        out.push((chunk.len() as u8).wrapping_neg());
        out.extend_from_slice(chunk);
    }
}

/// Bits in bytes, the first one highest.
pub(super) fn bits(values: impl Iterator<Item = bool>) -> Vec<u8> {
    let (mut packed, mut filled) = (Vec::new(), 8);
    for value in values {
        if filled == 8 {
            packed.push(0_u8);
            filled = 0;
        }
        if let Some(last) = packed.last_mut() {
            *last |= u8::from(value) << (7 - filled);
        }
        filled += 1;
    }
    bytes(&packed)
}

/// Whether integers of a stream may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Signed,
    /// Lengths, places in dictionaries, nanoseconds.
    Unsigned,
}

impl Sign {
    /// The bits of a value: signed ones with the sign last, so that small values have few bits.
    fn bits(self, value: i64) -> u64 {
        match self {
            Self::Signed => zigzag(value),
            Self::Unsigned => value as u64,
        }
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Integers: sequences of the same step, few equal ones, and others packed into as many bits as the largest needs.
pub(super) fn integers(values: &[i64], sign: Sign) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut at, mut literal) = (0, 0);
    while at < values.len() {
        let run = steady(&values[at..]);
        let is_equal = run > 1 && values[at] == values[at + 1];
        if run >= 5 || (is_equal && run >= 3) {
            direct(&mut out, &values[literal..at], sign);
            match is_equal && run <= 10 {
                true => repeated(&mut out, values[at], run, sign),
                false => steps(&mut out, &values[at..at + run], sign),
            }
            at += run;
            literal = at;
        } else {
            at += 1;
        }
    }
    direct(&mut out, &values[literal..], sign);
    out
}

/// How many of the first values have the same step from one to the next.
fn steady(values: &[i64]) -> usize {
    let [first, second, ..] = values else { return values.len() };
    let Some(step) = second.checked_sub(*first) else { return 1 };
    let pairs = values.windows(2).take(LONGEST - 1);
    1 + pairs.take_while(|pair| pair[1].checked_sub(pair[0]) == Some(step)).count()
}

/// 3 to 10 equal values.
fn repeated(out: &mut Vec<u8>, value: i64, count: usize, sign: Sign) {
    let bits = sign.bits(value);
    let width = (8 - bits.leading_zeros() / 8).max(1) as usize;
    out.push(((width - 1) << 3 | (count - 3)) as u8);
    out.extend_from_slice(&bits.to_be_bytes()[8 - width..]);
}

/// Values with a fixed step: the first one and the step.
fn steps(out: &mut Vec<u8>, values: &[i64], sign: Sign) {
    header(out, 0b11, 0, values.len());
    varint(out, sign.bits(values[0]).into());
    varint(out, zigzag(values[1] - values[0]).into());
}

/// Values as they are.
fn direct(out: &mut Vec<u8>, values: &[i64], sign: Sign) {
    for chunk in values.chunks(LONGEST) {
        let used = chunk.iter().fold(0, |used, value| used | sign.bits(*value));
        let needed = 64 - used.leading_zeros();
        let (width, code) = WIDTHS.into_iter().find(|(width, _)| *width >= needed).unwrap_or((64, 31));
        header(out, 0b01, code, chunk.len());
        let bits = chunk.iter().map(|value| sign.bits(*value));
        match width {
            1 | 2 | 4 => packed(out, bits, width),
            _ => bits.for_each(|bits| out.extend_from_slice(&bits.to_be_bytes()[8 - width as usize / 8..])),
        }
    }
}

fn packed(out: &mut Vec<u8>, values: impl Iterator<Item = u64>, width: u32) {
    let (mut byte, mut filled) = (0_u8, 0);
    for value in values {
        filled += width;
        byte |= (value as u8) << (8 - filled);
        if filled == 8 {
            out.push(byte);
            (byte, filled) = (0, 0);
        }
    }
    if filled > 0 {
        out.push(byte);
    }
}

/// The kind of a run, the width of its values, how many it has.
fn header(out: &mut Vec<u8>, kind: u8, width: u8, count: usize) {
    let count = count - 1;
    out.extend([kind << 6 | width << 1 | (count >> 8) as u8, count as u8]);
}

/// Seven bits in each byte, the lowest first.
pub(super) fn varint(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A decimal number's digits.
pub(super) fn digits(out: &mut Vec<u8>, value: i128) {
    varint(out, ((value << 1) ^ (value >> 127)) as u128);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_as_the_format_says() {
        assert_eq!(bytes(&[0; 100]), [0x61, 0x00]);
        assert_eq!(bytes(&[0x44, 0x45]), [0xfe, 0x44, 0x45]);
        assert_eq!(bits([true].into_iter().chain([false; 7])), [0xff, 0x80]);
        assert_eq!(integers(&[10_000; 5], Sign::Unsigned), [0x0a, 0x27, 0x10]);
        assert_eq!(
            integers(&[23_713, 43_806, 57_005, 48_879], Sign::Unsigned),
            [0x5e, 0x03, 0x5c, 0xa1, 0xab, 0x1e, 0xde, 0xad, 0xbe, 0xef]
        );
        assert_eq!(integers(&[1, 3, 5, 7, 9], Sign::Signed), [0xc0, 0x04, 0x02, 0x04]);
        assert!(integers(&[], Sign::Signed).is_empty());
    }
}
