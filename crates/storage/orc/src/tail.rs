//! The end of a file: its postscript says how long the footer is and how it is compressed, the footer says everything else.

use std::ops::Range;

use bytes::Bytes;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use orc_rust::proto::{CompressionKind, Footer, Metadata, PostScript, StripeStatistics};
use orc_rust::reader::metadata::{FileMetadata, read_metadata};
use prost::Message;

use crate::blocks::{self, BLOCK, Codec, LARGEST};
use crate::error::{OrcError, corrupt, guarded};
use crate::fetched::Fetched;
use crate::stripe::footer_range;
use crate::types;

/// Bytes of a file's end that usually hold all of it.
const END: u64 = 64 << 10;
/// What every file begins with.
pub const MAGIC: &[u8] = b"ORC";

/// What a file says of itself.
#[derive(Debug)]
pub struct Tail {
    /// Types, stripes, statistics of the whole file.
    pub footer: Footer,
    /// Statistics of each stripe; none if the writer left them out.
    pub stripe_statistics: Vec<StripeStatistics>,
    /// Which of its writer's mistakes the file has.
    pub writer_version: u32,
    codec: Option<Codec>,
    block: usize,
    size: u64,
    end: Bytes,
}

/// What the last bytes of a file hold.
#[derive(Debug)]
pub enum Parsed {
    /// All that there is to know.
    Whole(Box<Tail>),
    /// Not enough: so many bytes are needed.
    Needs(u64),
}

impl Tail {
    /// Reads a file's end, in one or two pieces.
    ///
    /// # Errors
    /// The object can't be read, or is no ORC file that makes sense.
    pub async fn read(store: &dyn ObjectStore, file: &ObjectMeta) -> Result<Self, OrcError> {
        let mut length = END.min(file.size);
        loop {
            let end = store.get_range(&file.location, file.size - length..file.size).await?;
            match Self::parse(end, file.size)? {
                Parsed::Whole(tail) => return Ok(*tail),
                // More than the file has was refused.
                Parsed::Needs(needed) if needed > length => length = needed,
                Parsed::Needs(_) => return Err(corrupt("Its end is shorter than it says")),
            }
        }
    }

    /// Reads the end of a file that is in memory.
    ///
    /// # Errors
    /// It is no ORC file that makes sense.
    pub fn whole(file: Bytes) -> Result<Self, OrcError> {
        let size = file.len() as u64;
        match Self::parse(file, size)? {
            Parsed::Whole(tail) => Ok(*tail),
            Parsed::Needs(_) => Err(corrupt("Its end is shorter than it says")),
        }
    }

    /// Reads the last bytes of a file of that size.
    ///
    /// # Errors
    /// They make no sense.
    pub fn parse(end: Bytes, size: u64) -> Result<Parsed, OrcError> {
        let (postscript, length) = postscript(&end)?;
        let total = [postscript.footer_length(), postscript.metadata_length()];
        let total = total.iter().try_fold(length as u64 + 1, |total, length| total.checked_add(*length));
        let Some(total) = total.filter(|total| *total <= size) else { return Err(corrupt("Its footer is cut off")) };
        if total > end.len() as u64 {
            return Ok(Parsed::Needs(total));
        }
        let block = postscript.compression_block_size.unwrap_or(BLOCK as u64);
        let codec = codec(&postscript)?;
        if codec.is_some() && !(1..=LARGEST).contains(&block) {
            return Err(corrupt(format!("Its compressed blocks have {block} bytes")));
        }
        let block = usize::try_from(block).unwrap_or(BLOCK);
        // Both are no longer than the bytes at hand.
        let footer_at = end.len() - 1 - length - postscript.footer_length() as usize;
        let metadata_at = footer_at - postscript.metadata_length() as usize;
        let footer = blocks::unpack(&end[footer_at..end.len() - 1 - length], codec, block)?;
        let footer = Footer::decode(&*footer).map_err(|error| corrupt(format!("Its footer: {error}")))?;
        let metadata = blocks::unpack(&end[metadata_at..footer_at], codec, block)?;
        let metadata = Metadata::decode(&*metadata).map_err(|error| corrupt(format!("Its statistics: {error}")))?;
        check(&footer, size)?;
        let (stripe_statistics, writer_version) = (metadata.stripe_stats, postscript.writer_version());
        Ok(Parsed::Whole(Box::new(Self { footer, stripe_statistics, writer_version, codec, block, size, end })))
    }

    /// The bytes of a compressed stream.
    ///
    /// # Errors
    /// They are broken.
    pub fn unpack(&self, stream: &[u8]) -> Result<Vec<u8>, OrcError> {
        blocks::unpack(stream, self.codec, self.block)
    }

    /// The same for the decoder.
    ///
    /// # Errors
    /// The decoder doesn't understand it.
    pub fn metadata(&self) -> Result<FileMetadata, OrcError> {
        let mut fetched = Fetched::new(self.size).with(self.size - self.end.len() as u64, self.end.clone());
        guarded(|| read_metadata(&mut fetched))
    }

    /// A part of the file that was read with its end.
    pub fn held(&self, range: &Range<u64>) -> Option<Bytes> {
        let start = range.start.checked_sub(self.size - self.end.len() as u64)?;
        let (start, length) =
            (usize::try_from(start).ok()?, usize::try_from(range.end.checked_sub(range.start)?).ok()?);
        let end = start.checked_add(length).filter(|end| *end <= self.end.len())?;
        Some(self.end.slice(start..end))
    }

    /// The file's size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

fn postscript(end: &[u8]) -> Result<(PostScript, usize), OrcError> {
    let no_orc = || corrupt("It is no ORC file");
    let (length, before) = end.split_last().ok_or_else(no_orc)?;
    let length = usize::from(*length);
    let start = before.len().checked_sub(length).ok_or_else(no_orc)?;
    let postscript = PostScript::decode(&before[start..]).map_err(|_| no_orc())?;
    if postscript.magic().as_bytes() == MAGIC { Ok((postscript, length)) } else { Err(no_orc()) }
}

fn codec(postscript: &PostScript) -> Result<Option<Codec>, OrcError> {
    Ok(Some(match postscript.compression() {
        CompressionKind::None => return Ok(None),
        CompressionKind::Zlib => Codec::Zlib,
        CompressionKind::Snappy => Codec::Snappy,
        CompressionKind::Lz4 => Codec::Lz4,
        CompressionKind::Zstd => Codec::Zstd,
        CompressionKind::Lzo => return Err(OrcError::Unsupported("ORC files compressed with LZO".to_owned())),
    }))
}

fn check(footer: &Footer, size: u64) -> Result<(), OrcError> {
    if footer.encryption.is_some() {
        return Err(OrcError::Unsupported("Encrypted ORC files".to_owned()));
    }
    types::check(&footer.types)?;
    for stripe in &footer.stripes {
        let parts = [stripe.index_length(), stripe.data_length(), stripe.footer_length()];
        let end = parts.iter().try_fold(stripe.offset(), |end, part| end.checked_add(*part));
        if end.is_none_or(|end| end > size) || footer_range(stripe).is_empty() {
            return Err(corrupt("A stripe lies outside of the file"));
        }
    }
    let rows = footer.stripes.iter().try_fold(0_u64, |rows, stripe| rows.checked_add(stripe.number_of_rows()));
    match rows == Some(footer.number_of_rows()) {
        true => Ok(()),
        false => Err(corrupt("Its stripes have other rows than it says")),
    }
}

#[cfg(test)]
mod tests {
    use orc_rust::proto::r#type::Kind;
    use orc_rust::proto::{StripeInformation, Type};
    use proptest::prelude::*;

    use super::*;

    /// A file without rows, or with a stripe that isn't there.
    fn file(footer: &Footer, block: u64) -> Bytes {
        let footer = blocks::pack(&footer.encode_to_vec(), Some(Codec::Zlib)).unwrap();
        let postscript = PostScript {
            footer_length: Some(footer.len() as u64),
            compression: Some(CompressionKind::Zlib.into()),
            compression_block_size: Some(block),
            metadata_length: Some(0),
            magic: Some("ORC".to_owned()),
            ..PostScript::default()
        };
        let postscript = postscript.encode_to_vec();
        [MAGIC, &footer, &postscript, &[postscript.len() as u8]].concat().into()
    }

    fn empty() -> Footer {
        let root = Type { kind: Some(Kind::Struct.into()), ..Type::default() };
        Footer { types: vec![root], number_of_rows: Some(0), ..Footer::default() }
    }

    fn parse(file: Bytes) -> Result<Parsed, OrcError> {
        let size = file.len() as u64;
        Tail::parse(file, size)
    }

    #[test]
    fn an_empty_file_is_read_in_pieces() {
        let whole = file(&empty(), 1000);
        let size = whole.len() as u64;
        let Parsed::Whole(tail) = parse(whole.clone()).unwrap() else { panic!("not enough") };
        assert_eq!(tail.metadata().unwrap().number_of_rows(), 0);
        assert_eq!(tail.held(&(0..3)).unwrap(), MAGIC);
        assert!(tail.held(&(0..size + 1)).is_none());
        let postscript = whole.slice(whole.len() - usize::from(whole[whole.len() - 1]) - 1..);
        let Parsed::Needs(needed) = Tail::parse(postscript, size).unwrap() else { panic!("enough") };
        assert_eq!(needed + MAGIC.len() as u64, size);
        assert!(Tail::parse(whole.slice(1..), 10).is_err());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let of = |footer: Footer, block| parse(file(&footer, block)).unwrap_err().to_string();
        assert!(of(empty(), u64::MAX).contains("compressed blocks"));
        assert!(of(Footer { number_of_rows: Some(7), ..empty() }, 1000).contains("other rows"));
        let stripe = StripeInformation { offset: Some(u64::MAX), data_length: Some(7), ..Default::default() };
        assert!(of(Footer { stripes: vec![stripe], ..empty() }, 1000).contains("outside of the file"));
        assert!(of(Footer { types: Vec::new(), ..empty() }, 1000).contains("no struct"));
        assert!(of(Footer { encryption: Some(Default::default()), ..empty() }, 1000).contains("Encrypted"));
        for bytes in [&b""[..], b"\x00", b"\xff", b"ORC", b"hello world\x05"] {
            assert!(parse(Bytes::copy_from_slice(bytes)).unwrap_err().to_string().contains("no ORC file"));
        }
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = file(&empty(), 1000).to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(Parsed::Whole(tail)) = parse(bytes.into()) {
                let _ = tail.metadata();
            }
        }
    }
}
