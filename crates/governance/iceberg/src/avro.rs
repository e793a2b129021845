//! Avro's container files, as far as manifests need them.
//!
//! Of our own because everything here hangs on what general libraries drop: fields are known by the `field-id` of the file's schema, maps are
//! arrays of pairs, and half of a manifest stands in the container's header.

pub mod rows;
mod schema;
mod value;

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::error::{Error, Result};
pub(crate) use schema::Schema;
pub(crate) use value::Value;
use value::decode;

const MAGIC: &[u8] = b"Obj\x01";
/// Between blocks. Any 16 bytes do that the content is unlikely to hold.
const SYNC: [u8; 16] = *b"\x9d\x0eboathouse\x00\xf1\xa7\x1c\x83";
/// How large a decompressed block may be.
const LARGEST_BLOCK: u64 = 1 << 30;

/// How many values a block may hold for each of its bytes, and beside them.
const VALUES_FOR_EACH_BYTE: usize = 16;
const VALUES: usize = 1 << 12;

pub(crate) fn invalid(message: impl std::fmt::Display) -> Error {
    Error::invalid(format!("An Avro file can't be read: {message}"))
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Container {
    /// The records.
    pub(crate) records: Vec<Value>,
}

impl Container {
    /// Reads a file.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| invalid("it doesn't begin as one"))?;
        let mut input = Input::new(rest);
        let header = header(&mut input)?;
        let sync = input.take(SYNC.len())?;
        let of = |name: &str| header.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice());
        let schema = of("avro.schema").ok_or_else(|| invalid("it has no schema"))?;
        let schema = Schema::parse(schema)?;
        let codec = of("avro.codec").unwrap_or(b"null").to_vec();
        let mut records = Vec::new();
        while !input.rest.is_empty() {
            let count = input.long()?;
            let size = input.length()?;
            let block = decompressed(input.take(size)?, &codec)?;
            if usize::try_from(count).is_ok_and(|count| count > block.len()) {
                return Err(invalid("a block has more records than bytes"));
            }
            let mut block = Input::new(&block);
            for _ in 0..count {
                records.push(decode(&schema, &mut block)?);
            }
            if input.take(SYNC.len())? != sync {
                return Err(invalid("a block doesn't end where it should"));
            }
        }
        Ok(Self { records })
    }
}

/// The schema that a file was written with.
#[cfg(test)]
pub(crate) fn schema_of(bytes: &[u8]) -> serde_json::Value {
    let header = header(&mut Input::new(bytes.strip_prefix(MAGIC).unwrap())).unwrap();
    let (_, schema) = header.into_iter().find(|(key, _)| key == "avro.schema").unwrap();
    serde_json::from_slice(&schema).unwrap()
}

fn header(input: &mut Input<'_>) -> Result<Vec<(String, Vec<u8>)>> {
    let mut entries = Vec::new();
    loop {
        let count = input.count()?;
        if count == 0 {
            return Ok(entries);
        }
        for _ in 0..count {
            let key = String::from_utf8(input.bytes()?.to_vec()).map_err(invalid)?;
            entries.push((key, input.bytes()?.to_vec()));
        }
    }
}

fn decompressed(block: &[u8], codec: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    match codec {
        b"null" => out.extend_from_slice(block),
        b"deflate" => {
            DeflateDecoder::new(block).take(LARGEST_BLOCK).read_to_end(&mut out).map_err(invalid)?;
        }
        b"zstandard" => {
            let decoder = zstd::stream::read::Decoder::new(block).map_err(invalid)?;
            decoder.take(LARGEST_BLOCK).read_to_end(&mut out).map_err(invalid)?;
        }
        b"snappy" => {
            // A checksum of four bytes follows.
            let content =
                block.len().checked_sub(4).map(|end| &block[..end]).ok_or_else(|| invalid("a block is short"))?;
            let length = snap::raw::decompress_len(content).map_err(invalid)?;
            if length as u64 > LARGEST_BLOCK {
                return Err(invalid("a block is too large"));
            }
            out = snap::raw::Decoder::new().decompress_vec(content).map_err(invalid)?;
        }
        other => return Err(Error::Unsupported(format!("Avro codec {}", String::from_utf8_lossy(other)))),
    }
    Ok(out)
}

/// Makes a file of records that are encoded already, compressed by deflate.
pub(crate) fn container(schema: &serde_json::Value, header: &[(&str, String)], records: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut out = Output::default();
    out.0.extend_from_slice(MAGIC);
    let own = [("avro.schema", schema.to_string()), ("avro.codec", "deflate".to_owned())];
    out.long((own.len() + header.len()) as i64);
    for (name, value) in own.iter().chain(header) {
        out.string(name);
        out.string(value);
    }
    out.long(0);
    out.0.extend_from_slice(&SYNC);
    if !records.is_empty() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        for record in records {
            encoder.write_all(record).map_err(invalid)?;
        }
        let block = encoder.finish().map_err(invalid)?;
        out.long(records.len() as i64);
        out.bytes(&block);
        out.0.extend_from_slice(&SYNC);
    }
    Ok(out.0)
}

/// What is left to read.
pub(crate) struct Input<'a> {
    rest: &'a [u8],
    /// How many values may still be read. Most take a byte at least; those that take none, records of them above all, could be
    /// more than anybody has time for.
    values: usize,
}

impl<'a> Input<'a> {
    fn new(rest: &'a [u8]) -> Self {
        Self { rest, values: rest.len().saturating_mul(VALUES_FOR_EACH_BYTE).saturating_add(VALUES) }
    }

    /// Takes note of a value.
    fn count_value(&mut self) -> Result<()> {
        self.values =
            self.values.checked_sub(1).ok_or_else(|| invalid("it has more values than its bytes can mean"))?;
        Ok(())
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(|| invalid("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn long(&mut self) -> Result<i64> {
        let (mut value, mut shift) = (0_u64, 0);
        loop {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(((value >> 1) as i64) ^ -((value & 1) as i64));
            }
            shift += 7;
            if shift > 63 {
                return Err(invalid("a number is too long"));
            }
        }
    }

    fn length(&mut self) -> Result<usize> {
        usize::try_from(self.long()?).map_err(|_| invalid("a length is negative"))
    }

    /// How many items follow in a block of an array or map. They take at least a byte each.
    fn count(&mut self) -> Result<usize> {
        let mut count = self.long()?;
        if count < 0 {
            self.long()?;
            count = count.checked_neg().ok_or_else(|| invalid("a count is too large"))?;
        }
        let count = usize::try_from(count).map_err(invalid)?;
        if count > self.rest.len() { Err(invalid("a count is too large")) } else { Ok(count) }
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.length()?;
        self.take(length)
    }
}

/// What is written.
#[derive(Debug, Default)]
pub(crate) struct Output(pub(crate) Vec<u8>);

impl Output {
    pub(crate) fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest > 0x7f {
            self.0.push((rest as u8 & 0x7f) | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    pub(crate) fn boolean(&mut self, value: bool) {
        self.0.push(u8::from(value));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.long(bytes.len() as i64);
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn string(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// A value of a union of null and something, in that order.
    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.long(0),
            Some(value) => {
                self.long(1);
                write(self, value);
            }
        }
    }

    /// An array.
    pub(crate) fn array<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        if items.len() > 0 {
            self.long(items.len() as i64);
            items.for_each(|item| write(self, item));
        }
        self.long(0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_survive_a_file() {
        let schema = serde_json::json!({"type": "record", "name": "r", "fields": [
            {"name": "a", "type": "long", "field-id": 7},
            {"name": "b", "type": ["null", {"type": "array", "items": "string"}], "field-id": 8},
        ]});
        let record = |a: i64, b: Option<&[&str]>| {
            let mut out = Output::default();
            out.long(a);
            out.optional(b, |out, items| out.array(items.iter(), |out, item| out.string(item)));
            out.0
        };
        let records = [record(-5, Some(&["x", ""])), record(i64::MAX, None)];
        let bytes = container(&schema, &[("colour", "blue".to_owned())], &records).unwrap();
        let read = Container::read(&bytes).unwrap();
        assert_eq!(read.records[0].get(7, "?").unwrap().long(), Some(-5));
        assert_eq!(read.records[1].get(-1, "a").unwrap().long(), Some(i64::MAX));
        assert_eq!(read.records[0].get(8, "b").unwrap().items().unwrap()[0].text(), Some("x"));
        assert_eq!(read.records[1].get(8, "b"), None);
    }

    #[test]
    fn values_without_bytes_are_counted() {
        // Each record holds the one before it twice: 2^40 of the innermost one, which has no bytes.
        let mut fields = vec![serde_json::json!({"name": "a", "type": {"type": "record", "name": "r0", "fields": []}})];
        for level in 1..=40 {
            let below = format!("r{}", level - 1);
            let pair = serde_json::json!([{"name": "x", "type": below}, {"name": "y", "type": below}]);
            let record = serde_json::json!({"type": "record", "name": format!("r{level}"), "fields": pair});
            fields.push(serde_json::json!({"name": format!("f{level}"), "type": ["null", record]}));
        }
        let schema = serde_json::json!({"type": "record", "name": "t", "fields": fields});
        let record = |last: i64| {
            let mut out = Output::default();
            (1..40).for_each(|_| out.long(0));
            out.long(last);
            out.0
        };
        let of = |last| Container::read(&container(&schema, &[], &[record(last)]).unwrap());
        assert_eq!(of(0).unwrap().records.len(), 1);
        assert!(of(1).unwrap_err().to_string().contains("more values than its bytes"));
    }

    proptest! {
        #[test]
        fn numbers_survive(value: i64) {
            let mut out = Output::default();
            out.long(value);
            prop_assert_eq!(Input::new(&out.0).long().unwrap(), value);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes: Vec<u8>, good: bool) {
            if good {
                let schema = serde_json::json!({"type": "record", "name": "r", "fields": [
                    {"name": "a", "type": {"type": "map", "values": "double"}}, {"name": "b", "type": "bytes"}]});
                let mut file = container(&schema, &[], &[]).unwrap();
                file.append(&mut bytes);
                bytes = file;
            }
            let _ = Container::read(&bytes);
        }
    }
}
