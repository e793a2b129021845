//! The framing formats that Snappy and LZ4 define themselves, as their command-line tools write them. Checksums are not
//! verified: the object store's own are.

use std::io;

use super::corrupt;

/// The most that one chunk of a frame may hold.
const LARGEST: usize = 8 << 20;
/// How far back an LZ4 block may refer.
const WINDOW: usize = 64 << 10;

/// Snappy's framing format: chunks with a type and a length.
pub(super) struct SnappyFrames;

impl SnappyFrames {
    pub(super) fn begins(magic: &[u8]) -> bool {
        magic == [0xff, 6, 0, 0]
    }

    pub(super) fn step(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<usize> {
        let Some([kind, length @ ..]) = bytes.first_chunk::<4>() else { return Ok(0) };
        let length = u32::from_le_bytes([length[0], length[1], length[2], 0]) as usize;
        let Some(chunk) = bytes.get(4..4 + length) else { return Ok(0) };
        match kind {
            // A checksum comes first.
            0 | 1 if length < 4 => return Err(corrupt("a chunk without a checksum")),
            0 => {
                let size = snap::raw::decompress_len(&chunk[4..]).map_err(corrupt)?;
                if size > LARGEST {
                    return Err(corrupt(format!("a chunk of {size} bytes")));
                }
                let before = out.len();
                out.resize(before + size, 0);
                snap::raw::Decoder::new().decompress(&chunk[4..], &mut out[before..]).map_err(corrupt)?;
            }
            1 => out.extend_from_slice(&chunk[4..]),
            // Padding, and the identifier of streams that follow each other.
            0x80..=0xff => {}
            _ => return Err(corrupt(format!("a chunk of the unknown type {kind}"))),
        }
        Ok(4 + length)
    }
}

/// LZ4's framing format: a header, blocks that may refer to those before, an end.
#[derive(Default)]
pub(super) struct Lz4Frames {
    frame: Option<Frame>,
    window: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    has_block_checksums: bool,
    has_checksum: bool,
    is_linked: bool,
    largest: usize,
}

impl Lz4Frames {
    pub(super) fn begins(magic: &[u8]) -> bool {
        magic == [4, 0x22, 0x4d, 0x18]
    }

    pub(super) fn is_whole(&self) -> bool {
        self.frame.is_none()
    }

    pub(super) fn step(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<usize> {
        let Some(frame) = self.frame else { return self.header(bytes) };
        let Some(size) = bytes.first_chunk::<4>() else { return Ok(0) };
        let size = u32::from_le_bytes(*size);
        if size == 0 {
            let length = if frame.has_checksum { 8 } else { 4 };
            if bytes.len() < length {
                return Ok(0);
            }
            self.frame = None;
            return Ok(length);
        }
        let (is_plain, size) = (size >> 31 == 1, (size & 0x7fff_ffff) as usize);
        if size > frame.largest + 16 {
            return Err(corrupt(format!("a block of {size} bytes")));
        }
        let length = 4 + size + if frame.has_block_checksums { 4 } else { 0 };
        let Some(block) = bytes.get(..length).map(|bytes| &bytes[4..4 + size]) else { return Ok(0) };
        let before = out.len();
        if is_plain {
            out.extend_from_slice(block);
        } else {
            out.resize(before + frame.largest, 0);
            let window: &[u8] = if frame.is_linked { &self.window } else { &[] };
            let read =
                lz4_flex::block::decompress_into_with_dict(block, &mut out[before..], window).map_err(corrupt)?;
            out.truncate(before + read);
        }
        self.window.extend_from_slice(&out[before..]);
        self.window.drain(..self.window.len().saturating_sub(WINDOW));
        Ok(length)
    }

    fn header(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(magic) = bytes.get(..4) else { return Ok(0) };
        if !Self::begins(magic) {
            return Err(corrupt("bytes that are no LZ4 frame"));
        }
        let Some([flags, sizes]) = bytes.get(4..6).and_then(|two| two.first_chunk::<2>()) else { return Ok(0) };
        if flags >> 6 != 1 {
            return Err(corrupt("an unknown version of LZ4's frames"));
        }
        if flags & 1 != 0 {
            return Err(corrupt("a frame that needs a dictionary"));
        }
        let length = 7 + if flags & 8 != 0 { 8 } else { 0 };
        if bytes.len() < length {
            return Ok(0);
        }
        let largest = match sizes >> 4 & 7 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            other => return Err(corrupt(format!("the unknown block size {other}"))),
        };
        self.window.clear();
        self.frame = Some(Frame {
            has_block_checksums: flags & 16 != 0,
            has_checksum: flags & 4 != 0,
            is_linked: flags & 32 == 0,
            largest,
        });
        Ok(length)
    }
}
