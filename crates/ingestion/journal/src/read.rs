//! Records from a sequence number on.

use bytes::Bytes;
use parking_lot::RwLock;

use crate::error::JournalError;
use crate::frame::{Decoded, Frame};
use crate::index::{Index, Piece};
use crate::segment::Window;
use crate::{Record, ShardId};

/// What a read collects, and when it has enough.
struct Harvest {
    shard: ShardId,
    from: u64,
    records: Vec<Record>,
    records_left: usize,
    bytes_left: usize,
    full: bool,
}

/// The durable records of a shard from `from` on: at most `max_records`, and no more once `max_bytes` of data would be
/// passed; but one at least, if there is one.
pub(crate) fn read(
    index: &RwLock<Index>,
    shard: ShardId,
    from: u64,
    max_records: usize,
    max_bytes: usize,
) -> Result<Vec<Record>, JournalError> {
    let records_left = max_records.max(1);
    let mut harvest = Harvest { shard, from, records: Vec::new(), records_left, bytes_left: max_bytes, full: false };
    while !harvest.full {
        let piece = index.read().piece(shard, harvest.from)?;
        let Some(piece) = piece else { break };
        read_piece(&piece, &mut harvest)?;
        harvest.from = piece.last + 1;
    }
    Ok(harvest.records)
}

fn read_piece(piece: &Piece, harvest: &mut Harvest) -> Result<(), JournalError> {
    let mut window = Window::new(&piece.file, &piece.path, piece.end);
    let mut offset = piece.start;
    while offset < piece.end && !harvest.full {
        let Decoded::Frame(frame, size) = window.frame_at(offset)? else {
            return Err(JournalError::Damaged { path: piece.path.clone(), offset });
        };
        harvest.take(&frame);
        if frame.shard == harvest.shard && frame.sequence >= piece.last {
            break;
        }
        offset += size as u64;
    }
    Ok(())
}

impl Harvest {
    fn take(&mut self, frame: &Frame<'_>) {
        if frame.shard != self.shard || frame.sequence < self.from {
            return;
        }
        if frame.data.len() > self.bytes_left && !self.records.is_empty() {
            self.full = true;
            return;
        }
        self.bytes_left = self.bytes_left.saturating_sub(frame.data.len());
        self.records_left -= 1;
        self.full = self.records_left == 0;
        self.records.push(Record {
            sequence: frame.sequence,
            arrival_ms: frame.arrival_ms,
            key: Bytes::copy_from_slice(frame.key),
            data: Bytes::copy_from_slice(frame.data),
        });
    }
}
