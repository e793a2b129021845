//! What stands before each page. Specification: "Parquet", `PageHeader` in `parquet.thrift`.

use crate::error::{Error, corrupt};
use crate::thrift::{Kind, Reader};

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    /// Places in the dictionary.
    Dictionary,
    /// Runs and packed bits: booleans, levels.
    Rle,
    /// The oldest way to write levels.
    BitPacked,
    /// One that is not read here.
    Other(i64),
}

impl Encoding {
    fn of(code: i64) -> Self {
        match code {
            0 => Self::Plain,
            2 | 8 => Self::Dictionary,
            3 => Self::Rle,
            4 => Self::BitPacked,
            other => Self::Other(other),
        }
    }
}

/// What a page holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// Levels and values, compressed together.
    Data {
        values: usize,
        encoding: Encoding,
        levels: Encoding,
    },
    /// Levels, then values, which alone are compressed.
    DataV2 {
        values: usize,
        encoding: Encoding,
        definition: usize,
        repetition: usize,
        is_compressed: bool,
    },
    Dictionary {
        values: usize,
    },
    /// Nothing that is needed here.
    Other,
}

/// The header of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) content: Content,
    pub(crate) compressed: usize,
    pub(crate) uncompressed: usize,
}

impl Header {
    /// The header at the beginning of bytes, and how many it takes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, usize), Error> {
        let mut reader = Reader::new(bytes);
        let (mut kind, mut compressed, mut uncompressed) = (None, None, None);
        let (mut data, mut data_v2, mut dictionary) = (None, None, None);
        reader.structure(|reader, id, field| {
            match id {
                1 => kind = Some(reader.integer(field)?),
                2 => uncompressed = Some(reader.count(field)?),
                3 => compressed = Some(reader.count(field)?),
                5 if field == Kind::Struct => data = Some(data_header(reader)?),
                7 if field == Kind::Struct => dictionary = Some(dictionary_header(reader)?),
                8 if field == Kind::Struct => data_v2 = Some(data_v2_header(reader)?),
                _ => reader.skip(field)?,
            }
            Ok(())
        })?;
        let content = match kind {
            Some(0) => data,
            Some(2) => dictionary,
            Some(3) => data_v2,
            _ => Some(Content::Other),
        };
        match (content, compressed, uncompressed) {
            (Some(content), Some(compressed), Some(uncompressed)) => {
                Ok((Self { content, compressed, uncompressed }, reader.position()))
            }
            _ => Err(corrupt("A page's header is not whole")),
        }
    }
}

fn needed<T>(value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| corrupt("A page's header is not whole"))
}

fn data_header(reader: &mut Reader<'_>) -> Result<Content, Error> {
    let (mut values, mut encoding, mut levels) = (None, None, Encoding::Rle);
    reader.structure(|reader, id, field| {
        match id {
            1 => values = Some(reader.count(field)?),
            2 => encoding = Some(Encoding::of(reader.integer(field)?)),
            3 => levels = Encoding::of(reader.integer(field)?),
            _ => reader.skip(field)?,
        }
        Ok(())
    })?;
    Ok(Content::Data { values: needed(values)?, encoding: needed(encoding)?, levels })
}

fn data_v2_header(reader: &mut Reader<'_>) -> Result<Content, Error> {
    let (mut values, mut encoding, mut definition, mut repetition) = (None, None, 0, 0);
    let mut is_compressed = true;
    reader.structure(|reader, id, field| {
        match id {
            1 => values = Some(reader.count(field)?),
            4 => encoding = Some(Encoding::of(reader.integer(field)?)),
            5 => definition = reader.count(field)?,
            6 => repetition = reader.count(field)?,
            7 if field == Kind::True => is_compressed = true,
            7 if field == Kind::False => is_compressed = false,
            _ => reader.skip(field)?,
        }
        Ok(())
    })?;
    Ok(Content::DataV2 { values: needed(values)?, encoding: needed(encoding)?, definition, repetition, is_compressed })
}

fn dictionary_header(reader: &mut Reader<'_>) -> Result<Content, Error> {
    let (mut values, mut encoding) = (None, None);
    reader.structure(|reader, id, field| {
        match id {
            1 => values = Some(reader.count(field)?),
            2 => encoding = Some(Encoding::of(reader.integer(field)?)),
            _ => reader.skip(field)?,
        }
        Ok(())
    })?;
    match needed(encoding)? {
        // The older name of a dictionary whose values are plain.
        Encoding::Plain | Encoding::Dictionary => Ok(Content::Dictionary { values: needed(values)? }),
        other => Err(Error::Unsupported(format!("Dictionaries written as {other:?} are not read"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_is_read_with_what_is_unknown_passed_over() {
        // Type 0, sizes 100 and 50, a checksum, then a data page of 10 values: plain, levels as runs, with statistics.
        let mut bytes = vec![0x15, 0, 0x15, 200, 1, 0x15, 100, 0x15, 3, 0x1c, 0x15, 20, 0x15, 0, 0x15, 6, 0x15, 6];
        bytes.extend([0x1c, 0x18, 2, b'a', b'b', 0x16, 4, 0]);
        bytes.extend([0, 0, 0xff]);
        let (header, length) = Header::parse(&bytes).unwrap();
        assert_eq!(length, bytes.len() - 1);
        assert_eq!((header.uncompressed, header.compressed), (100, 50));
        let expected = Content::Data { values: 10, encoding: Encoding::Plain, levels: Encoding::Rle };
        assert_eq!(header.content, expected);
        for cut in 0..bytes.len() - 1 {
            assert!(Header::parse(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn counts_are_not_negative_and_nesting_has_an_end() {
        assert!(Header::parse(&[0x15, 0, 0x15, 1, 0x15, 1, 0]).is_err());
        assert!(Header::parse(&[0x9c; 1000]).is_err());
        // A list of very many booleans.
        assert!(Header::parse(&[0x99, 0xf1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_header_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Header::parse(&bytes);
        }
    }
}
