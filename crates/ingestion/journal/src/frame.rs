//! One record as bytes.
//!
//! All numbers are little endian:
//!
//! | Bytes | What |
//! |---|---|
//! | 4 | CRC32C of everything after it |
//! | 4 | length of everything after it |
//! | 16 | stream |
//! | 4 | shard |
//! | 8 | sequence number |
//! | 8 | arrival in milliseconds since 1970 |
//! | 2 | length of the key |
//! | … | key, then data |
//!
//! A frame never has the length 0, so the zeros of a preallocated file end the scan of it.

use uuid::Uuid;

use crate::ShardId;

/// Bytes of the longest partition key.
pub const MAX_KEY: usize = 1024;
/// Bytes of the largest record.
pub const MAX_DATA: usize = 10 * 1024 * 1024;
/// Checksum and length.
const PREFIX: usize = 8;
/// Stream, shard, sequence, arrival, length of the key.
const FIXED: usize = 16 + 4 + 8 + 8 + 2;
/// Bytes of the largest frame.
pub const MAX_FRAME: usize = PREFIX + FIXED + MAX_KEY + MAX_DATA;

/// A record inside a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Whose record it is.
    pub shard: ShardId,
    /// Its place in its shard.
    pub sequence: u64,
    /// When it arrived, in milliseconds since 1970.
    pub arrival_ms: u64,
    /// The partition key.
    pub key: &'a [u8],
    /// The data.
    pub data: &'a [u8],
}

/// What stands at the beginning of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A sound frame, and its length in bytes.
    Frame(Frame<'a>, usize),
    /// Nothing was written here.
    End,
    /// A frame that may be sound; the buffer must hold this many bytes to tell.
    Short(usize),
    /// Something that was never written, or was damaged.
    Damaged,
}

impl Frame<'_> {
    /// Bytes of the frame.
    pub fn length(&self) -> usize {
        PREFIX + FIXED + self.key.len() + self.data.len()
    }

    /// Appends the frame to a buffer. Key and data must be within their limits.
    pub fn encode(&self, buffer: &mut Vec<u8>) {
        debug_assert!(self.key.len() <= MAX_KEY && self.data.len() <= MAX_DATA, "larger than a frame");
        let start = buffer.len();
        let length = self.length() - PREFIX;
        buffer.reserve(self.length());
        buffer.extend_from_slice(&[0; 4]);
        buffer.extend_from_slice(&(length as u32).to_le_bytes());
        buffer.extend_from_slice(self.shard.stream.as_bytes());
        buffer.extend_from_slice(&self.shard.shard.to_le_bytes());
        buffer.extend_from_slice(&self.sequence.to_le_bytes());
        buffer.extend_from_slice(&self.arrival_ms.to_le_bytes());
        buffer.extend_from_slice(&(self.key.len() as u16).to_le_bytes());
        buffer.extend_from_slice(self.key);
        buffer.extend_from_slice(self.data);
        let crc = crc_fast::crc32_iscsi(&buffer[start + 4..]);
        buffer[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    }
}

/// Reads the frame at the beginning of `bytes`.
pub fn decode(bytes: &[u8]) -> Decoded<'_> {
    let Some(prefix) = bytes.get(..PREFIX) else {
        return if bytes.is_empty() { Decoded::End } else { Decoded::Short(PREFIX) };
    };
    let (crc, length) = (number(&prefix[..4]) as u32, number(&prefix[4..]) as usize);
    if length == 0 {
        return if crc == 0 { Decoded::End } else { Decoded::Damaged };
    }
    if !(FIXED..=MAX_FRAME - PREFIX).contains(&length) {
        return Decoded::Damaged;
    }
    let whole = PREFIX + length;
    let Some(frame) = bytes.get(..whole) else { return Decoded::Short(whole) };
    if crc_fast::crc32_iscsi(&frame[4..]) != crc {
        return Decoded::Damaged;
    }
    parse(&frame[PREFIX..]).map_or(Decoded::Damaged, |frame| Decoded::Frame(frame, whole))
}

fn parse(body: &[u8]) -> Option<Frame<'_>> {
    let (fixed, rest) = body.split_at_checked(FIXED)?;
    let stream = Uuid::from_slice(&fixed[..16]).ok()?;
    let (key, data) = rest.split_at_checked(number(&fixed[36..38]) as usize)?;
    Some(Frame {
        shard: ShardId { stream, shard: number(&fixed[16..20]) as u32 },
        sequence: number(&fixed[20..28]),
        arrival_ms: number(&fixed[28..36]),
        key,
        data,
    })
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shard() -> ShardId {
        ShardId { stream: Uuid::from_u128(7), shard: 3 }
    }

    proptest! {
        #[test]
        fn a_frame_survives_its_bytes(
            stream in any::<u128>(), shard in any::<u32>(), sequence in any::<u64>(), arrival_ms in any::<u64>(),
            key in prop::collection::vec(any::<u8>(), 0..40), data in prop::collection::vec(any::<u8>(), 0..200),
            after in prop::collection::vec(any::<u8>(), 0..9),
        ) {
            let shard = ShardId { stream: Uuid::from_u128(stream), shard };
            let frame = Frame { shard, sequence, arrival_ms, key: &key, data: &data };
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            prop_assert_eq!(bytes.len(), frame.length());
            bytes.extend(after);
            prop_assert_eq!(decode(&bytes), Decoded::Frame(frame, frame.length()));
        }

        #[test]
        fn no_part_of_a_frame_and_no_flipped_bit_passes_for_one(
            data in prop::collection::vec(any::<u8>(), 0..100), cut in any::<prop::sample::Index>(), bit in 0_u8..8,
        ) {
            let mut bytes = Vec::new();
            Frame { shard: shard(), sequence: 1, arrival_ms: 2, key: b"k", data: &data }.encode(&mut bytes);
            let place = cut.index(bytes.len());
            prop_assert!(!matches!(decode(&bytes[..place]), Decoded::Frame(..)));
            bytes[place] ^= 1 << bit;
            prop_assert!(!matches!(decode(&bytes), Decoded::Frame(..)));
        }

        #[test]
        fn any_bytes_are_decoded_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            if let Decoded::Frame(frame, length) = decode(&bytes) {
                prop_assert_eq!(frame.length(), length);
            }
        }
    }

    #[test]
    fn zeros_are_the_end() {
        assert_eq!(decode(&[0; 100]), Decoded::End);
        assert_eq!(decode(&[]), Decoded::End);
        assert_eq!(decode(&[0; 5]), Decoded::Short(PREFIX));
    }
}
