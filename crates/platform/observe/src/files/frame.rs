//! The bytes of a batch: length, CRC32C, then sequence number, ingestion time and events. All numbers are little-endian.

use super::NewEvent;

/// What a segment starts with.
pub const HEADER: &[u8; 8] = b"BHLOGS1\n";
/// Length and checksum.
const PREFIX: usize = 8;

/// An event as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number in the stream, in the order of arrival.
    pub sequence: u64,
    /// Milliseconds since 1970, as the client said.
    pub timestamp: i64,
    /// Milliseconds since 1970, as the server saw it come.
    pub ingestion: i64,
    /// The text.
    pub message: String,
}

/// Appends a batch to `out`.
pub fn encode(out: &mut Vec<u8>, first_sequence: u64, ingestion: i64, events: &[NewEvent]) {
    let start = out.len();
    out.extend([0; PREFIX]);
    out.extend(first_sequence.to_le_bytes());
    out.extend(ingestion.to_le_bytes());
    out.extend((events.len() as u32).to_le_bytes());
    for event in events {
        out.extend(event.timestamp.to_le_bytes());
        out.extend((event.message.len() as u32).to_le_bytes());
        out.extend(event.message.as_bytes());
    }
    let body = &out[start + PREFIX..];
    let (length, checksum) = (body.len() as u32, crc_fast::crc32_iscsi(body));
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + PREFIX].copy_from_slice(&checksum.to_le_bytes());
}

/// The events of the frame at the start of `bytes`, and how long the frame is; none if it is torn or damaged.
pub fn decode(bytes: &[u8]) -> Option<(Vec<StoredEvent>, usize)> {
    let mut prefix = Reader(bytes);
    let (length, checksum) = (prefix.u32()? as usize, prefix.u32()?);
    let body = prefix.0.get(..length)?;
    if crc_fast::crc32_iscsi(body) != checksum {
        return None;
    }
    let mut body = Reader(body);
    let first = body.u64()?;
    let ingestion = body.u64()? as i64;
    let count = u64::from(body.u32()?);
    let event = |n: u64| {
        let timestamp = body.u64()? as i64;
        let length = body.u32()? as usize;
        let message = String::from_utf8(body.take(length)?.to_vec()).ok()?;
        Some(StoredEvent { sequence: first + n, timestamp, ingestion, message })
    };
    let events = (0..count).map(event).collect::<Option<Vec<_>>>()?;
    Some((events, PREFIX + length))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }
}
