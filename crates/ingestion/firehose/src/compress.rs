//! The formats that objects are written in.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::write::{DeflateEncoder, GzEncoder};

/// Bytes that one block of Hadoop's Snappy holds before compression.
const HADOOP_BLOCK: usize = 256 * 1024;

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Uncompressed,
    Gzip,
    /// An archive with one entry.
    Zip,
    /// The Snappy framing format.
    Snappy,
    /// Length-prefixed Snappy blocks, as Hadoop's `SnappyCodec` writes them.
    HadoopSnappy,
}

impl Compression {
    /// The format that AWS calls `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "UNCOMPRESSED" => Self::Uncompressed,
            "GZIP" => Self::Gzip,
            "ZIP" => Self::Zip,
            "Snappy" => Self::Snappy,
            "HADOOP_SNAPPY" => Self::HadoopSnappy,
            _ => return None,
        })
    }

    /// What ends the key of an object that has no extension of its own.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Uncompressed => "",
            Self::Gzip => ".gz",
            Self::Zip => ".zip",
            Self::Snappy => ".snappy",
            Self::HadoopSnappy => ".hsnappy",
        }
    }

    /// The compressed form of `pieces`, one after the other. The same pieces always give the same bytes. `name` is that of
    /// the entry in an archive.
    pub(crate) fn compress(self, pieces: Vec<Bytes>, name: &str) -> io::Result<Vec<Bytes>> {
        Ok(match self {
            Self::Uncompressed => pieces,
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
                pieces.iter().try_for_each(|piece| encoder.write_all(piece))?;
                vec![encoder.finish()?.into()]
            }
            Self::Zip => zip(&pieces, name)?,
            Self::Snappy => {
                let mut encoder = snap::write::FrameEncoder::new(Vec::new());
                pieces.iter().try_for_each(|piece| encoder.write_all(piece))?;
                vec![encoder.into_inner().map_err(|error| io::Error::other(error.to_string()))?.into()]
            }
            Self::HadoopSnappy => vec![hadoop_snappy(&pieces)?.into()],
        })
    }
}

/// An archive of one deflated entry, dated 1 January 1980.
fn zip(pieces: &[Bytes], name: &str) -> io::Result<Vec<Bytes>> {
    let mut crc = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc32IsoHdlc);
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    for piece in pieces {
        crc.update(piece);
        encoder.write_all(piece)?;
    }
    let data = encoder.finish()?;
    let size = |length: usize| u32::try_from(length).map_err(|_| io::Error::other("a ZIP entry is at most 4 GiB long"));
    let plain = size(pieces.iter().map(Bytes::len).sum())?;
    let (packed, name_length) = (size(data.len())?, name.len() as u16);
    let mut entry = Vec::new(); // what both headers share: version, flags, method, date, checksum, sizes, name
    entry.extend([20, 0, 0, 0, 8, 0, 0, 0, 0x21, 0]);
    entry.extend((crc.finalize() as u32).to_le_bytes());
    entry.extend(packed.to_le_bytes());
    entry.extend(plain.to_le_bytes());
    entry.extend(name_length.to_le_bytes());
    entry.extend([0, 0]);
    let head = [b"PK\x03\x04", &entry[..], name.as_bytes()].concat();
    let mut end = [b"PK\x01\x02\x14\x00", &entry[..], &[0; 14], name.as_bytes()].concat();
    let directory = end.len() as u32;
    end.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    end.extend(directory.to_le_bytes());
    end.extend(size(head.len() + data.len())?.to_le_bytes());
    end.extend([0, 0]);
    Ok(vec![head.into(), data.into(), end.into()])
}

fn hadoop_snappy(pieces: &[Bytes]) -> io::Result<Vec<u8>> {
    let whole = pieces.concat();
    let (mut out, mut encoder) = (Vec::new(), snap::raw::Encoder::new());
    for block in whole.chunks(HADOOP_BLOCK) {
        let packed = encoder.compress_vec(block).map_err(io::Error::other)?;
        out.extend((block.len() as u32).to_be_bytes());
        out.extend((packed.len() as u32).to_be_bytes());
        out.extend(packed);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn compressed(name: &str) -> (Vec<u8>, Vec<u8>) {
        let pieces: Vec<Bytes> = (0..40_000_u32).map(|n| format!("record {n}\n").into()).collect();
        let packed = Compression::named(name).unwrap().compress(pieces.clone(), "entry").unwrap();
        (pieces.concat(), packed.concat())
    }

    #[test]
    fn every_format_gives_the_records_back() {
        let (plain, packed) = compressed("UNCOMPRESSED");
        assert_eq!(plain, packed);
        let (plain, packed) = compressed("GZIP");
        let mut found = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut found).unwrap();
        assert_eq!(found, plain);
        let (plain, packed) = compressed("Snappy");
        let mut found = Vec::new();
        snap::read::FrameDecoder::new(&packed[..]).read_to_end(&mut found).unwrap();
        assert_eq!(found, plain);
        let (plain, packed) = compressed("ZIP");
        let mut found = Vec::new();
        flate2::read::DeflateDecoder::new(&packed[30 + 5..]).read_to_end(&mut found).unwrap();
        assert_eq!(found, plain);
    }

    #[test]
    fn hadoop_blocks_carry_their_lengths() {
        let (plain, packed) = compressed("HADOOP_SNAPPY");
        let (mut found, mut rest) = (Vec::new(), &packed[..]);
        while !rest.is_empty() {
            let number = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap()) as usize;
            let (length, size) = (number(&rest[..4]), number(&rest[4..8]));
            let block = snap::raw::Decoder::new().decompress_vec(&rest[8..8 + size]).unwrap();
            assert_eq!(block.len(), length);
            found.extend(block);
            rest = &rest[8 + size..];
        }
        assert_eq!(found, plain);
    }
}
