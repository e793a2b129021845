//! The end of the index engine's log after a power cut.
//!
//! Every batch is synced before the next one is written, so a power cut can damage the last batch only, which nobody was told
//! of. Its pages may have reached the disk in any order: begun and ended, and zeros between. The engine refuses to open such a
//! log, and where it does not refuse, it cuts the log off at the first thing that it does not understand. So this looks first: a
//! damaged last batch is cut off, and a damaged batch with others behind it is an error, because these were acknowledged.
//!
//! A batch is `1 | items (4) | number (8)`, then its items, then `3 | XXH3 of the items (8) | "FJL" 3`, all little endian. An item
//! is `2 | kind (1) | compression (1) | table (8) | key length (2) | value length (4) | stored length (4) | key | value`, or
//! `4 | table (8)`.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const END: &[u8; 4] = b"FJL\x03";
const EXTENSION: &str = "jnl";
/// How much of a log is read at once.
const PIECE: usize = 1 << 20;

/// Cuts off what a power cut damaged at the end of the logs in a directory. Where batches are not synced one by one
/// (`in_order` is false), everything behind the first damage goes.
///
/// # Errors
/// [`Error::Corrupt`] if sound batches follow a damaged one, [`Error::Io`].
pub(super) fn mend(directory: &Path, in_order: bool) -> Result<()> {
    let logs = logs(directory)?;
    for (at, path) in logs.iter().enumerate() {
        if is_sound(path)? {
            continue;
        }
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        let sound = sound_length(&bytes);
        let rest = &bytes[sound..];
        let followed = at + 1 < logs.len() || (1..rest.len()).any(|start| batch(&rest[start..]).is_some());
        if followed && in_order {
            let what = "is damaged, and what follows was acknowledged: restore a backup, or the disk from a copy";
            return Err(Error::Corrupt(format!("the index's log {} {what} (byte {sound})", path.display())));
        }
        tracing::warn!(log = %path.display(), sound, "a commit that was never acknowledged is cut off");
        let file = File::options().write(true).open(path)?;
        file.set_len(sound as u64)?;
        file.sync_all()?;
    }
    Ok(())
}

/// The logs, the oldest first.
fn logs(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|extension| extension == EXTENSION)) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// Whether a log is sound batches and zeros behind them, and nothing else. A store that is opened waits for this, so the log is
/// read piece by piece, into the same memory.
fn is_sound(path: &Path) -> Result<bool> {
    let mut file = File::open(path)?;
    let (mut window, mut zeros) = (Vec::with_capacity(2 * PIECE), false);
    loop {
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut window)?;
        let sound = if zeros { 0 } else { sound_length(&window) };
        let rest = &window[sound..];
        // A batch begins with a one.
        zeros = zeros || rest.first() == Some(&0);
        if zeros && rest.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        if read == 0 {
            return Ok(zeros || rest.is_empty());
        }
        if zeros {
            window.clear();
        } else {
            window.drain(..sound);
        }
    }
}

/// How many bytes are sound batches.
fn sound_length(bytes: &[u8]) -> usize {
    let mut sound = 0;
    while let Some(length) = batch(&bytes[sound..]) {
        sound += length;
    }
    sound
}

/// The length of the sound batch at the beginning.
fn batch(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let count = match fixed(&mut rest)? {
        [1] => u32::from_le_bytes(fixed(&mut rest)?),
        _ => return None,
    };
    let _number: [u8; 8] = fixed(&mut rest)?;
    let items = rest;
    for _ in 0..count {
        item(&mut rest)?;
    }
    let items = &items[..items.len() - rest.len()];
    let [3] = fixed(&mut rest)? else { return None };
    let sum = u64::from_le_bytes(fixed(&mut rest)?);
    let sound = fixed::<4>(&mut rest)? == *END && xxhash_rust::xxh3::xxh3_64(items) == sum;
    sound.then(|| bytes.len() - rest.len())
}

fn item(rest: &mut &[u8]) -> Option<()> {
    match fixed(rest)? {
        [2] => {
            // Kind, compression, table.
            let _: [u8; 10] = fixed(rest)?;
            let key = u16::from_le_bytes(fixed(rest)?);
            let _value: [u8; 4] = fixed(rest)?;
            let stored = u32::from_le_bytes(fixed(rest)?);
            rest.split_off(..key as usize)?;
            rest.split_off(..stored as usize)?;
            Some(())
        }
        [4] => fixed::<8>(rest).map(drop),
        _ => None,
    }
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use fjall::{Database, KeyspaceCreateOptions, PersistMode};

    use super::*;

    /// Bytes that can't be compressed.
    fn noise(seed: u8) -> Vec<u8> {
        let word = |at: u64| {
            (at ^ u64::from(seed) << 32)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15)
                .rotate_left(29)
                .wrapping_mul(0xD6E8_FEB8_6659_FD93)
        };
        (0..2500).flat_map(|at| (word(at) ^ word(at) >> 31).to_le_bytes()).collect()
    }

    /// A log of five batches of one row of 20,000 bytes each; answers its path and where the batches end.
    fn log(directory: &Path) -> (PathBuf, Vec<usize>) {
        let database = Database::builder(directory).worker_threads(1).open().unwrap();
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default).unwrap();
        for number in 0..5_u8 {
            let mut batch = database.batch().durability(Some(PersistMode::SyncData));
            batch.insert(&rows, [number], noise(number));
            batch.remove(&rows, [100 + number]);
            batch.commit().unwrap();
        }
        drop((rows, database));
        let path = logs(directory).unwrap().pop().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let mut ends = Vec::new();
        while let Some(length) = batch(&bytes[ends.last().copied().unwrap_or(0)..]) {
            ends.push(ends.last().copied().unwrap_or(0) + length);
        }
        (path, ends)
    }

    fn rows(directory: &Path) -> fjall::Result<Vec<u8>> {
        let database = Database::builder(directory).worker_threads(1).open()?;
        let rows = database.keyspace("rows", KeyspaceCreateOptions::default)?;
        rows.iter().map(|guard| Ok(guard.key()?[0])).collect()
    }

    /// Changes bytes of a copy of the log.
    fn damaged(change: impl FnOnce(&mut Vec<u8>, &[usize])) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let (path, ends) = log(directory.path());
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes, &ends);
        std::fs::write(&path, bytes).unwrap();
        directory
    }

    #[test]
    fn a_log_is_judged_piece_by_piece() {
        let directory = tempfile::tempdir().unwrap();
        let (path, ends) = log(directory.path());
        let five = std::fs::read(&path).unwrap()[..ends[4]].to_vec();
        // Batches lie across the ends of pieces.
        let many: Vec<u8> = five.iter().copied().cycle().take(30 * five.len()).collect();
        let of = |parts: &[&[u8]]| {
            std::fs::write(&path, parts.concat()).unwrap();
            is_sound(&path).unwrap()
        };
        assert!(many.len() > 2 * PIECE && of(&[]) && of(&[&many]));
        let zeros = vec![0; 3 * PIECE];
        assert!(of(&[&zeros]) && of(&[&many, &zeros]));
        assert!(!of(&[&many, &zeros, &[1]]) && !of(&[&many, &zeros, &many]) && !of(&[&many, &[7], &zeros]));
        assert!(!of(&[&many[..many.len() - 1]]) && !of(&[&many[1..]]));
        let mut flipped = many;
        flipped[PIECE + 5000] ^= 1;
        assert!(!of(&[&flipped]));
    }

    #[test]
    fn a_sound_log_stays_as_it_is() {
        let directory = damaged(|_, _| {});
        mend(directory.path(), true).unwrap();
        assert_eq!(rows(directory.path()).unwrap(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_last_batch_whose_middle_was_lost_goes() {
        // All that a power cut can leave of the last batch: any of its pages missing.
        for (from, to) in [(0, 4096), (4096, 8192), (8192, 20_100), (15_000, 20_100), (0, 20_100)] {
            let spoil = |bytes: &mut Vec<u8>, ends: &[usize]| {
                let start = ends[ends.len() - 2];
                let last = *ends.last().unwrap();
                bytes[(start + from).min(last)..(start + to).min(last)].fill(0);
            };
            let directory = damaged(spoil);
            mend(directory.path(), true).unwrap();
            assert_eq!(rows(directory.path()).unwrap(), [0, 1, 2, 3], "{from}..{to}");
        }
    }

    #[test]
    fn a_torn_last_batch_goes() {
        let directory = damaged(|bytes, ends| bytes.truncate(ends[ends.len() - 2] + 7_000));
        mend(directory.path(), true).unwrap();
        assert_eq!(rows(directory.path()).unwrap(), [0, 1, 2, 3]);
    }

    #[test]
    fn damage_before_what_was_acknowledged_is_an_error() {
        for place in [1, 300, 10_000] {
            let flip = move |bytes: &mut Vec<u8>, ends: &[usize]| bytes[ends[ends.len() - 4] + place] ^= 4;
            let directory = damaged(flip);
            assert!(matches!(mend(directory.path(), true), Err(Error::Corrupt(text)) if text.contains("acknowledged")));
            mend(directory.path(), false).unwrap();
            assert!(rows(directory.path()).unwrap().len() < 5);
        }
    }
}
