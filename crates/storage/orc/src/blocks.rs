//! ORC's compressed blocks: three bytes of length, whose last bit says that the block is stored as it is, then the block.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use crate::error::{OrcError, corrupt};

/// The most that a block may hold: its length has 23 bits.
pub const LARGEST: u64 = 1 << 23;
/// How much a block holds when it is written.
pub const BLOCK: usize = 256 << 10;
/// The most that a footer or an index may hold.
const MOST: usize = 512 << 20;

/// How blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the codecs'")]
pub enum Codec {
    Zlib,
    Snappy,
    Lz4,
    Zstd,
}

/// The bytes of a stream that is not compressed, or is in blocks of at most so many bytes.
///
/// # Errors
/// The blocks are broken or hold more than they may.
pub fn unpack(mut stream: &[u8], codec: Option<Codec>, block: usize) -> Result<Vec<u8>, OrcError> {
    let Some(codec) = codec else { return Ok(stream.to_vec()) };
    let mut out = Vec::new();
    while let Some((header, rest)) = stream.split_first_chunk::<3>() {
        let header = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let (length, is_original) = ((header >> 1) as usize, header & 1 == 1);
        let Some((chunk, rest)) = rest.split_at_checked(length) else {
            return Err(corrupt("A compressed block is cut off"));
        };
        match is_original {
            true => out.extend_from_slice(chunk),
            false => out.extend(decompress(chunk, codec, block)?),
        }
        if out.len() > MOST {
            return Err(corrupt("A footer is too large"));
        }
        stream = rest;
    }
    if stream.is_empty() { Ok(out) } else { Err(corrupt("A compressed block is cut off")) }
}

fn decompress(chunk: &[u8], codec: Codec, block: usize) -> Result<Vec<u8>, OrcError> {
    let broken = |error: String| corrupt(format!("A compressed block is broken: {error}"));
    let mut out = Vec::new();
    match codec {
        Codec::Zlib => {
            let mut decoder = DeflateDecoder::new(chunk).take(block as u64 + 1);
            decoder.read_to_end(&mut out).map_err(|error| broken(error.to_string()))?;
        }
        Codec::Snappy => {
            let length = snap::raw::decompress_len(chunk).map_err(|error| broken(error.to_string()))?;
            if length <= block {
                out = snap::raw::Decoder::new().decompress_vec(chunk).map_err(|error| broken(error.to_string()))?;
            } else {
                return Err(broken(format!("{length} bytes")));
            }
        }
        Codec::Lz4 => {
            out = lz4_flex::block::decompress(chunk, block).map_err(|error| broken(error.to_string()))?;
        }
        Codec::Zstd => {
            let decoder = zstd::stream::read::Decoder::new(chunk).map_err(|error| broken(error.to_string()))?;
            decoder.take(block as u64 + 1).read_to_end(&mut out).map_err(|error| broken(error.to_string()))?;
        }
    }
    if out.len() <= block { Ok(out) } else { Err(broken(format!("it holds more than {block} bytes"))) }
}

/// A stream in blocks; as it is without a codec. A block that compression makes no smaller is stored as it is.
///
/// # Errors
/// The codec fails.
pub fn pack(stream: &[u8], codec: Option<Codec>) -> io::Result<Vec<u8>> {
    let Some(codec) = codec else { return Ok(stream.to_vec()) };
    let mut out = Vec::new();
    for block in stream.chunks(BLOCK) {
        let packed = compress(block, codec)?;
        let (stored, is_original) = if packed.len() < block.len() { (&packed[..], 0) } else { (block, 1) };
        let header = (stored.len() as u32) << 1 | is_original;
        out.extend_from_slice(&header.to_le_bytes()[..3]);
        out.extend_from_slice(stored);
    }
    Ok(out)
}

fn compress(block: &[u8], codec: Codec) -> io::Result<Vec<u8>> {
    match codec {
        Codec::Zlib => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(block)?;
            encoder.finish()
        }
        Codec::Snappy => snap::raw::Encoder::new().compress_vec(block).map_err(io::Error::other),
        Codec::Lz4 => Ok(lz4_flex::block::compress(block)),
        Codec::Zstd => zstd::stream::encode_all(block, 0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CODECS: [Option<Codec>; 5] =
        [None, Some(Codec::Zlib), Some(Codec::Snappy), Some(Codec::Lz4), Some(Codec::Zstd)];

    #[test]
    fn several_blocks_come_back() {
        let stream: Vec<u8> = (0..BLOCK * 2 + 7).map(|index| (index / 1000) as u8).collect();
        for codec in CODECS {
            let packed = pack(&stream, codec).unwrap();
            assert_eq!(unpack(&packed, codec, BLOCK).unwrap(), stream, "{codec:?}");
            assert_eq!(codec.is_some(), unpack(&packed[..packed.len() - 1], codec, BLOCK).is_err());
        }
    }

    #[test]
    fn blocks_hold_no_more_than_they_may() {
        for codec in CODECS.into_iter().flatten() {
            let packed = pack(&[7; 5000], Some(codec)).unwrap();
            assert!(unpack(&packed, Some(codec), 4999).is_err(), "{codec:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_bytes_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for codec in CODECS {
                let _ = unpack(&bytes, codec, 1000);
                prop_assert_eq!(&unpack(&pack(&bytes, codec).unwrap(), codec, BLOCK).unwrap(), &bytes);
            }
        }
    }
}
