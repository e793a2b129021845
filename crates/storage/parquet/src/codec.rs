//! How pages are compressed.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;
use zstd::bulk::Decompressor;

use crate::error::{Error, corrupt};
use crate::snappy;

/// Decompresses pages.
pub(crate) enum Codec {
    None,
    Snappy,
    Gzip,
    Lz4,
    Zstd(Decompressor<'static>),
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Snappy => "Snappy",
            Self::Gzip => "Gzip",
            Self::Lz4 => "Lz4",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl Codec {
    /// Whether there is a codec for what a footer names.
    pub(crate) fn is_known(compression: Compression) -> bool {
        use Compression::{GZIP, LZ4_RAW, SNAPPY, UNCOMPRESSED, ZSTD};
        matches!(compression, UNCOMPRESSED | SNAPPY | GZIP(_) | LZ4_RAW | ZSTD(_))
    }

    pub(crate) fn of(compression: Compression) -> Result<Self, Error> {
        Ok(match compression {
            Compression::UNCOMPRESSED => Self::None,
            Compression::SNAPPY => Self::Snappy,
            Compression::GZIP(_) => Self::Gzip,
            Compression::LZ4_RAW => Self::Lz4,
            Compression::ZSTD(_) => Self::Zstd(Decompressor::new().map_err(broken)?),
            other => return Err(Error::Unsupported(format!("Pages compressed by {other:?} are not read"))),
        })
    }

    /// Decompresses into `out`, instead of what it holds, what must have `length` bytes.
    pub(crate) fn decompress(&mut self, input: &[u8], length: usize, out: &mut Vec<u8>) -> Result<(), Error> {
        match self {
            Self::None => {
                out.clear();
                out.extend_from_slice(input);
            }
            Self::Snappy => snappy::decompress(input, length, out)?,
            Self::Gzip => {
                out.clear();
                let mut decoder = MultiGzDecoder::new(input).take(length as u64 + 1);
                decoder.read_to_end(out).map_err(broken)?;
            }
            Self::Lz4 => {
                // What the buffer holds already need not be made anew.
                out.resize(length, 0);
                let there = lz4_flex::block::decompress_into(input, out).map_err(broken)?;
                out.truncate(there);
            }
            Self::Zstd(decoder) => {
                out.clear();
                out.reserve(length);
                decoder.decompress_to_buffer(input, out).map_err(broken)?;
            }
        }
        if out.len() == length {
            Ok(())
        } else {
            Err(corrupt(format!("A page has {} bytes instead of {length}", out.len())))
        }
    }
}

fn broken(error: impl std::fmt::Display) -> Error {
    corrupt(format!("A compressed page is broken: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use parquet::basic::{GzipLevel, ZstdLevel};

    use super::*;

    fn compress(bytes: &[u8], compression: Compression) -> Vec<u8> {
        match compression {
            Compression::SNAPPY => snap::raw::Encoder::new().compress_vec(bytes).unwrap(),
            Compression::GZIP(_) => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Compression::LZ4_RAW => lz4_flex::block::compress(bytes),
            Compression::ZSTD(_) => zstd::stream::encode_all(bytes, 0).unwrap(),
            _ => bytes.to_vec(),
        }
    }

    #[test]
    fn bytes_come_back_and_no_more_than_announced() {
        let bytes = b"a page of which pieces are a page of which pieces are 0123456789".repeat(50);
        let mut out = vec![3; 70];
        use Compression::{GZIP, LZ4_RAW, SNAPPY, UNCOMPRESSED, ZSTD};
        for compression in [UNCOMPRESSED, SNAPPY, GZIP(GzipLevel::default()), LZ4_RAW, ZSTD(ZstdLevel::default())] {
            assert!(Codec::is_known(compression));
            let mut codec = Codec::of(compression).unwrap();
            let packed = compress(&bytes, compression);
            codec.decompress(&packed, bytes.len(), &mut out).unwrap();
            assert_eq!(out, bytes, "{codec:?}");
            for wrong in [0, bytes.len() - 1, bytes.len() + 1] {
                assert!(codec.decompress(&packed, wrong, &mut out).is_err(), "{codec:?}");
            }
            assert!(codec.decompress(&packed[..packed.len() - 1], bytes.len(), &mut out).is_err(), "{codec:?}");
        }
        assert!(!Codec::is_known(Compression::LZ4) && Codec::of(Compression::LZ4).is_err());
    }
}
