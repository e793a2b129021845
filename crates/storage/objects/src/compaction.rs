//! Compaction: what lives in a pack that is mostly garbage moves to the pack that is being written, and the old one goes.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use uuid::Uuid;

use crate::blobs;
use crate::error::{Error, Result};
use crate::index::{Change, Index, Table, Writer};
use crate::packs::{self, ALIGNMENT, HEADER_BYTES, Packs, Slot};

/// How much is moved in one step.
const STEP_BYTES: u64 = 8 << 20;
/// How many entries move in one commit: writes of others come in between.
const TOGETHER: usize = 100;

/// What compaction works with.
pub(crate) struct Compactor {
    pub(crate) index: Index,
    pub(crate) writer: Arc<Writer>,
    pub(crate) packs: Arc<Packs>,
}

impl Compactor {
    /// Compacts a pack if at least half of it is garbage and nothing is being added to it.
    pub(crate) fn run(&self, pack: Uuid) -> Result<()> {
        if self.packs.busy(pack) || !self.wasteful(pack, packs::live(&self.index, pack)?)? {
            return Ok(());
        }
        // Asked again behind every change that was made while the pack was still written to.
        let live = self.writer.change_blocking(move |change| packs::live_in(change, pack))?;
        if !self.wasteful(pack, live)? {
            return Ok(());
        }
        if live > 0 {
            self.evacuate(pack)?;
        }
        let forget = move |change: &mut Change<'_>| {
            let empty = packs::live_in(change, pack)? == 0;
            if empty {
                change.remove(Table::Pack, pack.as_bytes());
            }
            Ok(empty)
        };
        if self.writer.change_blocking(forget)? {
            self.packs.files.discard(pack)?;
        }
        Ok(())
    }

    fn wasteful(&self, pack: Uuid, live: u64) -> Result<bool> {
        // A pack that is gone already has no bytes.
        Ok(self.packs.files.bytes(pack)?.is_some_and(|bytes| live * 2 <= bytes))
    }

    fn evacuate(&self, pack: Uuid) -> Result<()> {
        let pin = self.packs.files.pin(pack);
        let file = pin.file()?;
        let end = file.metadata()?.len();
        let (mut step, mut bytes, mut offset) = (Vec::new(), 0, 0);
        while offset < end {
            let Some((id, slot)) = self.entry(file, pack, offset)? else {
                offset = (offset + 1).next_multiple_of(ALIGNMENT);
                continue;
            };
            offset = slot.end();
            if packs::slot(&self.index.view(), id)? != Some(slot) {
                continue;
            }
            bytes += slot.length;
            step.push((id, slot));
            if bytes >= STEP_BYTES {
                self.relocate(file, std::mem::take(&mut step))?;
                bytes = 0;
            }
        }
        self.relocate(file, step)
    }

    /// The entry at an offset, if there is one and it lies within the file.
    fn entry(&self, file: &File, pack: Uuid, offset: u64) -> Result<Option<(Uuid, Slot)>> {
        let mut header = [0; HEADER_BYTES as usize];
        match file.read_exact_at(&mut header, offset) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
            outcome => outcome?,
        }
        let end = file.metadata()?.len();
        let entry = packs::announced(&header).filter(|(_, length)| *length <= end);
        let entry = entry.map(|(id, length)| (id, Slot { pack, offset, length }));
        Ok(entry.filter(|(_, slot)| slot.end() <= end))
    }

    fn relocate(&self, file: &File, entries: Vec<(Uuid, Slot)>) -> Result<()> {
        let mut moving = Vec::with_capacity(entries.len());
        for (id, slot) in entries {
            // Verified: a damaged entry stays where it is, and its pack with it.
            match blobs::read(file, slot.base(), slot.length, 0..slot.length) {
                Ok(bytes) => moving.push((slot, self.packs.append(id, vec![bytes])?)),
                Err(error) => tracing::error!(%error, %id, pack = %slot.pack, "damaged object in a pack"),
            }
        }
        let mut moved = Vec::with_capacity(moving.len());
        for (slot, answer) in moving {
            moved.push((slot, answer.blocking_recv().map_err(|_| Error::Closed)??));
        }
        let mut moved = moved.into_iter().peekable();
        while moved.peek().is_some() {
            let some: Vec<_> = moved.by_ref().take(TOGETHER).collect();
            self.writer.change_in_bulk_blocking(move |change| {
                some.into_iter().try_for_each(|(slot, placed)| placed.relocate(change, &slot))
            })?;
        }
        Ok(())
    }
}
