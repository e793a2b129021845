//! Thrift's compact protocol, as far as page headers need it. Specification: "Thrift Compact protocol encoding".

use crate::error::{Error, corrupt};

/// How deeply structures may hold each other.
const DEEPEST: usize = 16;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    True,
    False,
    Byte,
    /// Integers of 16, 32 and 64 bits, which look the same.
    Integer,
    Double,
    Binary,
    /// Lists and sets, which look the same.
    List,
    Map,
    Struct,
    Uuid,
}

impl Kind {
    fn of(code: u8) -> Result<Self, Error> {
        Ok(match code {
            1 => Self::True,
            2 => Self::False,
            3 => Self::Byte,
            4..=6 => Self::Integer,
            7 => Self::Double,
            8 => Self::Binary,
            9 | 10 => Self::List,
            11 => Self::Map,
            12 => Self::Struct,
            13 => Self::Uuid,
            _ => return Err(corrupt(format!("A page's header has a field of unknown type {code}"))),
        })
    }
}

/// Reads a structure from bytes.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let byte = *self.bytes.get(self.at).ok_or_else(|| corrupt("A page's header is cut off"))?;
        self.at += 1;
        Ok(byte)
    }

    fn pass(&mut self, count: u64) -> Result<(), Error> {
        if count > (self.bytes.len() - self.at) as u64 {
            return Err(corrupt("A page's header is cut off"));
        }
        self.at += count as usize;
        Ok(())
    }

    fn varint(&mut self) -> Result<u64, Error> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(corrupt("A page's header has a number of too many bytes"))
    }

    fn zigzag(&mut self) -> Result<i64, Error> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// An integer field's value.
    pub(crate) fn integer(&mut self, kind: Kind) -> Result<i64, Error> {
        match kind {
            Kind::Integer => self.zigzag(),
            other => Err(corrupt(format!("A page's header has {other:?} instead of a number"))),
        }
    }

    /// An integer field's value, which counts something.
    pub(crate) fn count(&mut self, kind: Kind) -> Result<usize, Error> {
        let value = self.integer(kind)?;
        i32::try_from(value)
            .ok()
            .and_then(|value| usize::try_from(value).ok())
            .ok_or_else(|| corrupt(format!("A page's header counts {value}")))
    }

    /// The fields of a structure; `field` must read or [`skip`](Self::skip) each.
    pub(crate) fn structure(
        &mut self,
        mut field: impl FnMut(&mut Self, i64, Kind) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut id = 0_i64;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Ok(());
            }
            id = match byte >> 4 {
                0 => self.zigzag()?,
                delta => id.saturating_add(i64::from(delta)),
            };
            field(self, id, Kind::of(byte & 15)?)?;
        }
    }

    /// Passes over a field's value.
    pub(crate) fn skip(&mut self, kind: Kind) -> Result<(), Error> {
        self.skip_in(kind, DEEPEST)
    }

    fn skip_in(&mut self, kind: Kind, depth: usize) -> Result<(), Error> {
        let inner = depth.checked_sub(1).ok_or_else(|| corrupt("A page's header is nested too deeply"))?;
        match kind {
            Kind::True | Kind::False => Ok(()),
            Kind::Byte => self.pass(1),
            Kind::Integer => self.varint().map(drop),
            Kind::Double => self.pass(8),
            Kind::Uuid => self.pass(16),
            Kind::Binary => {
                let length = self.varint()?;
                self.pass(length)
            }
            Kind::Struct => self.structure(|reader, _, kind| reader.skip_in(kind, inner)),
            Kind::List => {
                let byte = self.byte()?;
                let length = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
                let kind = Kind::of(byte & 15)?;
                (0..length).try_for_each(|_| self.skip_element(kind, inner))
            }
            Kind::Map => {
                let length = self.varint()?;
                if length == 0 {
                    return Ok(());
                }
                let byte = self.byte()?;
                let (key, value) = (Kind::of(byte >> 4)?, Kind::of(byte & 15)?);
                (0..length).try_for_each(|_| {
                    self.skip_element(key, inner)?;
                    self.skip_element(value, inner)
                })
            }
        }
    }

    /// Each takes at least one byte, so a list is as long as the bytes allow.
    fn skip_element(&mut self, kind: Kind, depth: usize) -> Result<(), Error> {
        match kind {
            Kind::True | Kind::False => self.pass(1),
            other => self.skip_in(other, depth),
        }
    }
}
