//! Compression of files of lines, by the ending of a file's name, as Hadoop's codecs do it ("Use compression in Athena").
//!
//! Bytes are pushed through as they come, so that no file needs to be in memory as a whole.

mod blocks;
mod frames;

use std::io::{self, Write};

use flate2::write::{GzEncoder, MultiGzDecoder, ZlibDecoder, ZlibEncoder};

use blocks::{BlockDecoder, BlockEncoder};

/// A way to compress files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    Bzip2,
    Zstd,
    /// Hadoop's SnappyCodec, or Snappy's own framing format.
    Snappy,
    /// Hadoop's Lz4Codec, or LZ4's own framing format.
    Lz4,
    /// Hadoop's DefaultCodec: zlib.
    Deflate,
}

const ALL: [Codec; 6] = [Codec::Gzip, Codec::Bzip2, Codec::Zstd, Codec::Snappy, Codec::Lz4, Codec::Deflate];

impl Codec {
    /// What the names of files end with.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Bzip2 => "bz2",
            Self::Zstd => "zst",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Deflate => "deflate",
        }
    }

    /// The codec of files whose names end so; none if they are plain.
    pub(crate) fn of_extension(extension: &str) -> Option<Self> {
        ALL.into_iter().find(|codec| codec.extension() == extension)
    }
}

/// Gives back what was compressed.
pub(crate) enum Decoder {
    Gzip(MultiGzDecoder<Vec<u8>>),
    Bzip2(Box<Bzip2Decoder>),
    Zstd(zstd::stream::write::Decoder<'static, Vec<u8>>),
    Deflate(ZlibDecoder<Vec<u8>>),
    Blocks(BlockDecoder),
}

impl Decoder {
    pub(crate) fn new(codec: Codec) -> io::Result<Self> {
        Ok(match codec {
            Codec::Gzip => Self::Gzip(MultiGzDecoder::new(Vec::new())),
            Codec::Bzip2 => Self::Bzip2(Box::default()),
            Codec::Zstd => Self::Zstd(zstd::stream::write::Decoder::new(Vec::new())?),
            Codec::Deflate => Self::Deflate(ZlibDecoder::new(Vec::new())),
            Codec::Snappy => Self::Blocks(BlockDecoder::snappy()),
            Codec::Lz4 => Self::Blocks(BlockDecoder::lz4()),
        })
    }

    /// Takes compressed bytes and adds what they are to `out`.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => {
                decoder.write_all(bytes)?;
                out.append(decoder.get_mut());
            }
            Self::Zstd(decoder) => {
                decoder.write_all(bytes)?;
                out.append(decoder.get_mut());
            }
            Self::Deflate(decoder) => {
                decoder.write_all(bytes)?;
                out.append(decoder.get_mut());
            }
            Self::Bzip2(decoder) => decoder.push(bytes, out)?,
            Self::Blocks(decoder) => decoder.push(bytes, out)?,
        }
        Ok(())
    }

    /// Adds what is left once all bytes were pushed. Files that end too early are refused.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => {
                decoder.try_finish()?;
                out.append(decoder.get_mut());
            }
            Self::Zstd(decoder) => {
                decoder.flush()?;
                out.append(decoder.get_mut());
            }
            Self::Deflate(decoder) => {
                decoder.try_finish()?;
                out.append(decoder.get_mut());
            }
            Self::Bzip2(decoder) => decoder.finish()?,
            Self::Blocks(decoder) => decoder.finish()?,
        }
        Ok(())
    }
}

/// Bzip2, of several streams one after the other if need be, as parallel compressors write it.
pub(crate) struct Bzip2Decoder {
    stream: bzip2::Decompress,
    is_within: bool,
}

impl Default for Bzip2Decoder {
    fn default() -> Self {
        Self { stream: bzip2::Decompress::new(false), is_within: false }
    }
}

impl Bzip2Decoder {
    fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        while !bytes.is_empty() {
            out.reserve(32 << 10);
            let (before, held) = (self.stream.total_in(), out.len());
            self.is_within = true;
            let status = self.stream.decompress_vec(bytes, out).map_err(corrupt)?;
            let taken = (self.stream.total_in() - before) as usize;
            bytes = &bytes[taken..];
            if status == bzip2::Status::StreamEnd {
                *self = Self::default();
            } else if taken == 0 && out.len() == held {
                return Err(corrupt("no progress"));
            }
        }
        // What the stream holds although all bytes were taken.
        while self.is_within {
            out.reserve(32 << 10);
            let held = out.len();
            if self.stream.decompress_vec(&[], out).map_err(corrupt)? == bzip2::Status::StreamEnd {
                *self = Self::default();
            } else if out.len() == held {
                break;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.is_within { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

fn corrupt(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Compresses bytes on their way.
#[allow(clippy::large_enum_variant, reason = "there is one for each open file, at most a few hundred")]
pub(crate) enum Encoder {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Bzip2(bzip2::write::BzEncoder<Vec<u8>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
    Blocks(BlockEncoder),
}

impl Encoder {
    pub(crate) fn new(codec: Option<Codec>) -> io::Result<Self> {
        Ok(match codec {
            None => Self::Plain(Vec::new()),
            Some(Codec::Gzip) => Self::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::default())),
            Some(Codec::Bzip2) => Self::Bzip2(bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default())),
            Some(Codec::Zstd) => Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), 3)?),
            Some(Codec::Deflate) => Self::Deflate(ZlibEncoder::new(Vec::new(), flate2::Compression::default())),
            Some(Codec::Snappy) => Self::Blocks(BlockEncoder::snappy()),
            Some(Codec::Lz4) => Self::Blocks(BlockEncoder::lz4()),
        })
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(buffer) => buffer.extend_from_slice(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes)?,
            Self::Bzip2(encoder) => encoder.write_all(bytes)?,
            Self::Zstd(encoder) => encoder.write_all(bytes)?,
            Self::Deflate(encoder) => encoder.write_all(bytes)?,
            Self::Blocks(encoder) => encoder.add(bytes)?,
        }
        Ok(())
    }

    /// What is ready to go out.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Plain(buffer) => buffer,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Bzip2(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
            Self::Deflate(encoder) => encoder.get_mut(),
            Self::Blocks(encoder) => encoder.ready(),
        })
    }

    /// What is left.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(buffer) => Ok(buffer),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Bzip2(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Deflate(encoder) => encoder.finish(),
            Self::Blocks(encoder) => encoder.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(codec: Codec, bytes: &[u8], step: usize) -> io::Result<Vec<u8>> {
        let (mut decoder, mut out) = (Decoder::new(codec)?, Vec::new());
        for chunk in bytes.chunks(step) {
            decoder.push(chunk, &mut out)?;
        }
        decoder.finish(&mut out)?;
        Ok(out)
    }

    fn encoded(codec: Codec, parts: &[Vec<u8>]) -> Vec<u8> {
        let (mut encoder, mut out) = (Encoder::new(Some(codec)).unwrap(), Vec::new());
        for part in parts {
            encoder.add(part).unwrap();
            out.append(&mut encoder.take());
        }
        out.append(&mut encoder.finish().unwrap());
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_goes_in_comes_out(
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5),
            times in 1_usize..400,
            step in 1_usize..5000,
        ) {
            let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.repeat(times)).collect();
            for codec in ALL {
                let bytes = encoded(codec, &parts);
                prop_assert_eq!(decoded(codec, &bytes, step).unwrap(), parts.concat(), "{:?}", codec);
            }
        }

        #[test]
        fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), step in 1_usize..50) {
            for codec in ALL {
                let _ = decoded(codec, &bytes, step);
            }
        }
    }

    #[test]
    fn streams_may_follow_each_other_and_must_be_whole() {
        let text = vec![b"some text, some text, some text\n".repeat(100)];
        for codec in [Codec::Gzip, Codec::Bzip2, Codec::Zstd, Codec::Snappy, Codec::Lz4] {
            let twice = [encoded(codec, &text), encoded(codec, &text)].concat();
            assert_eq!(decoded(codec, &twice, 7).unwrap().len(), 6400, "{codec:?}");
        }
        for codec in ALL {
            let bytes = encoded(codec, &text);
            let cut = decoded(codec, &bytes[..bytes.len() / 2], 1000);
            assert!(cut.is_err() || cut.unwrap().len() < 3200, "{codec:?}");
        }
    }

    #[test]
    fn endings_name_codecs() {
        assert_eq!(Codec::of_extension("zst"), Some(Codec::Zstd));
        assert_eq!(Codec::of_extension("csv"), None);
    }
}
