//! Hadoop's block format of Snappy and LZ4: the length of what a block holds, then compressed chunks with their lengths.
//! Files in the codecs' own framing formats are told by their first bytes and read as well.

use std::io;

use super::corrupt;
use super::frames::{Lz4Frames, SnappyFrames};

/// The most that a block may hold when it is read; Hadoop's own are 256 KiB.
const LARGEST: usize = 64 << 20;
/// How much a block holds when it is written.
const BLOCK: usize = 256 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Snappy,
    Lz4,
}

/// Reads blocks as their bytes come.
pub(crate) struct BlockDecoder {
    kind: Kind,
    waiting: Vec<u8>,
    state: State,
}

enum State {
    /// Nothing was read yet.
    Unknown,
    /// So many bytes of the block are still to come out.
    Blocks(usize),
    SnappyFrames(SnappyFrames),
    Lz4Frames(Lz4Frames),
}

impl BlockDecoder {
    pub(super) fn snappy() -> Self {
        Self { kind: Kind::Snappy, waiting: Vec::new(), state: State::Unknown }
    }

    pub(super) fn lz4() -> Self {
        Self { kind: Kind::Lz4, waiting: Vec::new(), state: State::Unknown }
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        let mut taken = 0;
        loop {
            let step = self.step(taken, out)?;
            if step == 0 {
                self.waiting.drain(..taken);
                return Ok(());
            }
            taken += step;
        }
    }

    /// Reads what begins at a place and says how long it was; 0 if it isn't all there.
    fn step(&mut self, at: usize, out: &mut Vec<u8>) -> io::Result<usize> {
        let bytes = &self.waiting[at..];
        match &mut self.state {
            State::Unknown => {
                let Some(magic) = bytes.get(..4) else { return Ok(0) };
                self.state = match self.kind {
                    Kind::Snappy if SnappyFrames::begins(magic) => State::SnappyFrames(SnappyFrames),
                    Kind::Lz4 if Lz4Frames::begins(magic) => State::Lz4Frames(Lz4Frames::default()),
                    _ => State::Blocks(0),
                };
                self.step(at, out)
            }
            State::SnappyFrames(frames) => frames.step(bytes, out),
            State::Lz4Frames(frames) => frames.step(bytes, out),
            State::Blocks(left) if *left == 0 => {
                let Some(length) = length(bytes)? else { return Ok(0) };
                *left = length;
                Ok(4)
            }
            State::Blocks(left) => {
                let Some(length) = length(bytes)? else { return Ok(0) };
                let Some(chunk) = bytes.get(4..4 + length) else { return Ok(0) };
                let before = out.len();
                decompress(self.kind, chunk, *left, out)?;
                *left = left.checked_sub(out.len() - before).ok_or_else(|| corrupt("a block holds too much"))?;
                if length == 0 {
                    return Err(corrupt("an empty chunk"));
                }
                Ok(4 + length)
            }
        }
    }

    pub(super) fn finish(&self) -> io::Result<()> {
        let is_whole = match &self.state {
            State::Lz4Frames(frames) => frames.is_whole(),
            State::Blocks(left) => *left == 0,
            _ => true,
        };
        if is_whole && self.waiting.is_empty() { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

fn length(bytes: &[u8]) -> io::Result<Option<usize>> {
    let Some(length) = bytes.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if length > LARGEST { Err(corrupt(format!("a block of {length} bytes"))) } else { Ok(Some(length)) }
}

/// Adds what a chunk holds: at most so many bytes.
fn decompress(kind: Kind, chunk: &[u8], most: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let before = out.len();
    match kind {
        Kind::Snappy => {
            let length = snap::raw::decompress_len(chunk).map_err(corrupt)?;
            if length > most {
                return Err(corrupt("a chunk holds more than its block"));
            }
            out.resize(before + length, 0);
            snap::raw::Decoder::new().decompress(chunk, &mut out[before..]).map_err(corrupt)?;
        }
        Kind::Lz4 => {
            out.resize(before + most, 0);
            let length = lz4_flex::block::decompress_into(chunk, &mut out[before..]).map_err(corrupt)?;
            out.truncate(before + length);
        }
    }
    Ok(())
}

/// Writes Hadoop's blocks, one chunk in each.
pub(crate) struct BlockEncoder {
    kind: Kind,
    waiting: Vec<u8>,
    ready: Vec<u8>,
}

impl BlockEncoder {
    pub(super) fn snappy() -> Self {
        Self { kind: Kind::Snappy, waiting: Vec::new(), ready: Vec::new() }
    }

    pub(super) fn lz4() -> Self {
        Self { kind: Kind::Lz4, waiting: Vec::new(), ready: Vec::new() }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.waiting.extend_from_slice(bytes);
        let whole = self.waiting.len() / BLOCK * BLOCK;
        let rest = self.waiting.split_off(whole);
        let blocks = std::mem::replace(&mut self.waiting, rest);
        blocks.chunks(BLOCK).try_for_each(|block| self.write(block))
    }

    pub(super) fn ready(&mut self) -> &mut Vec<u8> {
        &mut self.ready
    }

    pub(super) fn finish(mut self) -> io::Result<Vec<u8>> {
        let rest = std::mem::take(&mut self.waiting);
        if !rest.is_empty() {
            self.write(&rest)?;
        }
        Ok(self.ready)
    }

    fn write(&mut self, block: &[u8]) -> io::Result<()> {
        let chunk = match self.kind {
            Kind::Snappy => snap::raw::Encoder::new().compress_vec(block).map_err(corrupt)?,
            Kind::Lz4 => lz4_flex::block::compress(block),
        };
        self.ready.extend_from_slice(&(block.len() as u32).to_be_bytes());
        self.ready.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        self.ready.extend_from_slice(&chunk);
        Ok(())
    }
}
