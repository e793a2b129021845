//! Reads JSON where it stands: to what a path leads without building the values around it.

use std::borrow::Cow;

use super::path::Step;
use crate::types::format::java_double;

/// How deep values may be nested.
const DEEPEST: usize = 1_000;

/// The text is no JSON.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Malformed;

pub(super) type Result<T> = std::result::Result<T, Malformed>;

/// The kinds of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    Number,
    Boolean,
    Null,
}

/// A place in a text, where a value is expected.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = bytes.get(self.at) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    pub(super) fn accept(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<()> {
        if self.accept(byte) { Ok(()) } else { Err(Malformed) }
    }

    /// That nothing but blanks is left.
    pub(super) fn end(&mut self) -> Result<()> {
        if self.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// What comes next.
    pub(super) fn kind(&mut self) -> Result<Kind> {
        Ok(match self.peek() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::Text,
            Some(b'-' | b'0'..=b'9') => Kind::Number,
            Some(b't' | b'f') => Kind::Boolean,
            Some(b'n') => Kind::Null,
            _ => return Err(Malformed),
        })
    }

    /// The next value, as it stands.
    pub(super) fn value(&mut self) -> Result<&'a str> {
        self.nested(0)
    }

    /// The next value, so deep inside the text.
    pub(super) fn nested(&mut self, depth: usize) -> Result<&'a str> {
        if depth > DEEPEST {
            return Err(Malformed);
        }
        let kind = self.kind()?;
        let start = self.at;
        match kind {
            Kind::Object => self.each_member(depth, |_, _| ())?,
            Kind::Array => self.each_element(depth, |_| ())?,
            Kind::Text => self.pass_text()?,
            Kind::Number => self.number()?,
            Kind::Boolean | Kind::Null => self.word()?,
        }
        Ok(&self.text[start..self.at])
    }

    fn word(&mut self) -> Result<()> {
        let rest = &self.text[self.at..];
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word)).ok_or(Malformed)?;
        self.at += word.len();
        match self.text.as_bytes().get(self.at) {
            Some(byte) if byte.is_ascii_alphanumeric() => Err(Malformed),
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        self.at += usize::from(bytes[self.at] == b'-');
        let whole = self.at;
        self.digits()?;
        if bytes[whole] == b'0' && self.at > whole + 1 {
            return Err(Malformed);
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count > 0 { Ok(()) } else { Err(Malformed) }
    }

    /// Each member's name and value.
    pub(super) fn members(&mut self, each: impl FnMut(Cow<'a, str>, &'a str)) -> Result<()> {
        self.each_member(0, each)
    }

    fn each_member(&mut self, depth: usize, mut each: impl FnMut(Cow<'a, str>, &'a str)) -> Result<()> {
        self.expect(b'{')?;
        if self.accept(b'}') {
            return Ok(());
        }
        loop {
            let name = self.text()?;
            self.expect(b':')?;
            each(name, self.nested(depth + 1)?);
            if !self.accept(b',') {
                return self.expect(b'}');
            }
        }
    }

    /// Each element.
    pub(super) fn elements(&mut self, each: impl FnMut(&'a str)) -> Result<()> {
        self.each_element(0, each)
    }

    fn each_element(&mut self, depth: usize, mut each: impl FnMut(&'a str)) -> Result<()> {
        self.expect(b'[')?;
        if self.accept(b']') {
            return Ok(());
        }
        loop {
            each(self.nested(depth + 1)?);
            if !self.accept(b',') {
                return self.expect(b']');
            }
        }
    }

    /// Moves to a member or an element; false if there is none.
    pub(super) fn enter(&mut self, step: &Step) -> Result<bool> {
        match self.kind()? {
            Kind::Object => {
                self.expect(b'{')?;
                if self.accept(b'}') {
                    return Ok(false);
                }
                loop {
                    let name = self.text()?;
                    self.expect(b':')?;
                    if name == step.name {
                        return Ok(true);
                    }
                    self.value()?;
                    if !self.accept(b',') {
                        return self.expect(b'}').map(|()| false);
                    }
                }
            }
            Kind::Array => {
                let Some(index) = step.index else { return Ok(false) };
                self.expect(b'[')?;
                if self.accept(b']') {
                    return Ok(false);
                }
                for _ in 0..index {
                    self.value()?;
                    if !self.accept(b',') {
                        return self.expect(b']').map(|()| false);
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The next value, which is text, without quotes and escapes.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>> {
        self.expect(b'"')?;
        let mut out: Option<String> = None;
        loop {
            let (piece, stop) = self.piece()?;
            match stop {
                b'"' => {
                    return Ok(match out {
                        None => Cow::Borrowed(piece),
                        Some(text) => Cow::Owned(text + piece),
                    });
                }
                _ => {
                    let out = out.get_or_insert_default();
                    out.push_str(piece);
                    out.push(self.escape()?);
                }
            }
        }
    }

    /// Goes past text.
    fn pass_text(&mut self) -> Result<()> {
        self.expect(b'"')?;
        while self.piece()?.1 == b'\\' {
            self.escape()?;
        }
        Ok(())
    }

    /// Text up to a quote or a backslash, and which of them it is. Control characters may not stand there.
    fn piece(&mut self) -> Result<(&'a str, u8)> {
        let start = self.at;
        let end = start + plain_bytes(&self.text.as_bytes()[start..]);
        let stop = *self.text.as_bytes().get(end).filter(|byte| matches!(byte, b'"' | b'\\')).ok_or(Malformed)?;
        self.at = end + 1;
        Ok((&self.text[start..end], stop))
    }

    fn escape(&mut self) -> Result<char> {
        let byte = *self.text.as_bytes().get(self.at).ok_or(Malformed)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if !(0xd800..0xdc00).contains(&first) || !self.text[self.at..].starts_with("\\u") {
                    return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                let before = self.at;
                self.at += 2;
                let second = self.unit()?;
                if !(0xdc00..0xe000).contains(&second) {
                    self.at = before;
                    return Ok(char::REPLACEMENT_CHARACTER);
                }
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                char::from_u32(code).ok_or(Malformed)?
            }
            _ => return Err(Malformed),
        })
    }

    fn unit(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Malformed)?;
        self.at += 4;
        match digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => u32::from_str_radix(digits, 16).map_err(|_| Malformed),
            false => Err(Malformed),
        }
    }
}

/// How many bytes stand before the first quote, backslash or control character: eight at a time.
fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    // The lowest of the bits that are set belongs to the first such byte; those above it may be wrong.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let mut eights = bytes.chunks_exact(8);
    let mut passed = 0;
    for eight in &mut eights {
        let word = u64::from_le_bytes(eight.try_into().expect("eight bytes"));
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let stops = (quotes | backslashes | controls) & HIGH;
        if stops != 0 {
            return passed + stops.trailing_zeros() as usize / 8;
        }
        passed += 8;
    }
    let rest = eights.remainder();
    passed + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

/// Writes the only value of a text in the form that the type `json` has: no blanks, members in the order of their names.
pub(super) fn write_whole(out: &mut String, text: &str) -> Result<()> {
    let mut reader = Reader::new(text);
    let value = reader.value()?;
    reader.end()?;
    write(out, value, true)
}

/// Writes a value without blanks, its members in the order of their names if wanted.
pub(super) fn write(out: &mut String, value: &str, sorted: bool) -> Result<()> {
    let mut reader = Reader::new(value);
    match reader.kind()? {
        Kind::Object => {
            let mut members = Vec::new();
            reader.members(|name, value| members.push((name, value)))?;
            if sorted {
                // Of several members of one name the last one counts.
                members.reverse();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                members.dedup_by(|(one, _), (other, _)| one == other);
            }
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_text(out, name);
                out.push(':');
                write(out, value, sorted)?;
            }
            out.push('}');
        }
        Kind::Array => {
            let mut elements = Vec::new();
            reader.elements(|element| elements.push(element))?;
            out.push('[');
            for (index, element) in elements.into_iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write(out, element, sorted)?;
            }
            out.push(']');
        }
        Kind::Text => write_text(out, &reader.text()?),
        Kind::Number => {
            let number = reader.value()?;
            match number.contains(['.', 'e', 'E']) {
                true => {
                    let double = number.parse().ok().filter(|double: &f64| double.is_finite());
                    out.push_str(&java_double(double.ok_or(Malformed)?));
                }
                false => out.push_str(if number == "-0" { "0" } else { number }),
            }
        }
        Kind::Boolean | Kind::Null => out.push_str(reader.value()?),
    }
    Ok(())
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04X}", u32::from(letter))),
            _ => out.push(letter),
        }
    }
    out.push('"');
}
