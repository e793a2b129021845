//! Buffers that bytes of files are read into, used again and again: a new one costs the system's zeros, which a read then
//! overwrites.

use bytes::Bytes;
use parking_lot::Mutex;

/// Shorter buffers are not worth the keeping.
const SMALLEST: usize = 64 << 10;
/// Longer ones are rare.
const LARGEST: usize = 8 << 20;
/// How many bytes are kept at most for reads to come.
const KEPT: usize = 32 << 20;
/// One size each: powers of two from the smallest to the largest.
const SIZES: usize = (LARGEST / SMALLEST).ilog2() as usize + 1;

static IDLE: Mutex<Idle> = Mutex::new(Idle { bytes: 0, buffers: [const { Vec::new() }; SIZES] });

/// The buffers that nobody uses now, by their sizes.
struct Idle {
    bytes: usize,
    buffers: [Vec<Vec<u8>>; SIZES],
}

/// Bytes to be filled. What they hold is left from their last use.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    pub(crate) fn new(length: usize) -> Self {
        let Some(size) = size_of(length) else { return Self { bytes: vec![0; length], length } };
        let mut idle = IDLE.lock();
        let bytes = idle.buffers[size].pop();
        idle.bytes -= bytes.as_ref().map_or(0, Vec::len);
        drop(idle);
        Self { bytes: bytes.unwrap_or_else(|| vec![0; SMALLEST << size]), length }
    }

    /// A copy of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut buffer = Self::new(bytes.len());
        buffer.as_mut().copy_from_slice(bytes);
        buffer
    }

    pub(crate) fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }

    /// The bytes, to be shared; the buffer is used again when the last of its sharers is gone.
    pub(crate) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let Some(size) = size_of(self.length) else { return };
        let mut idle = IDLE.lock();
        if idle.bytes + self.bytes.len() <= KEPT {
            idle.bytes += self.bytes.len();
            idle.buffers[size].push(std::mem::take(&mut self.bytes));
        }
    }
}

/// The index of the size that a length is kept in.
fn size_of(length: usize) -> Option<usize> {
    let kept = (SMALLEST..=LARGEST).contains(&length);
    kept.then(|| (length.next_power_of_two() / SMALLEST).ilog2() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_when_nobody_reads_it() {
        let length = 3 << 20; // a size that no other test uses
        let mut first = Buffer::new(length);
        first.as_mut().fill(7);
        let address = first.as_ref().as_ptr();
        let shared = first.freeze();
        let part = shared.slice(5..9);
        drop(shared);
        assert_ne!(Buffer::new(length).as_ref().as_ptr(), address, "it is still being read");
        assert_eq!(part, [7; 4][..]);
        drop(part);
        let again = [Buffer::new(length), Buffer::new(length)];
        assert!(again.iter().any(|buffer| buffer.as_ref().as_ptr() == address));
        assert!(again.iter().all(|buffer| buffer.as_ref().len() == length));
    }

    #[test]
    fn lengths_at_the_ends_of_the_sizes() {
        assert_eq!([SMALLEST - 1, LARGEST + 1].map(size_of), [None; 2]);
        assert_eq!([SMALLEST, SMALLEST + 1, LARGEST].map(size_of), [Some(0), Some(1), Some(SIZES - 1)]);
        for length in [0, 1, SMALLEST, SMALLEST + 1, LARGEST, LARGEST + 1] {
            assert_eq!(Buffer::new(length).freeze().len(), length);
        }
    }
}
