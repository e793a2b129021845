//! Large pieces of memory, from a region of addresses that threads share.
//!
//! mimalloc keeps pages for each thread and each size, so that a query whose batches wander through a dozen threads leaves
//! behind many times what it ever held. What is large is rare enough for a lock: a piece that is given back is joined with
//! its free neighbours, and whoever asks next gets it, whatever its size. Free memory that is not asked for, or that has the
//! wrong sizes, goes back to the system.
//!
//! The books are kept apart from the memory that they are about, so that looking for a place touches none of it. Lengths
//! and places are in granules.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What every piece begins at a multiple of.
pub(super) const ALIGNMENT: usize = GRANULE;
/// A page of the system.
const GRANULE: usize = 4096;
/// Threads divide the region among them, so that those of many processors don't all wait for one lock: so many shares at most,
/// one for so many processors.
const SHARES: usize = 8;
const PROCESSORS: usize = 8;
/// How many addresses a share has. What nobody has touched yet takes no memory.
const ADDRESSES: usize = 1 << 37;
const GRANULES: usize = ADDRESSES / GRANULE;
/// What the system's huge pages begin at.
const HUGE: usize = 2 << 20;
/// Into how many lists each doubling of lengths is divided. Short pieces have a list for each length.
const STEPS: u32 = 1 << STEP_BITS;
const STEP_BITS: u32 = 4;
const LENGTHS: usize = ((GRANULES.ilog2() - STEP_BITS + 2) * STEPS) as usize;
/// Empty pieces have lists of their own, behind all others: they are the last that anybody gets.
const LISTS: usize = 2 * LENGTHS;
/// How many pieces of its own list, which may be too short, a request looks at before it takes a longer one.
const TRIED: usize = 8;
/// So much free memory is kept when memory is asked of the system because nothing that is free fits.
const KEPT: u32 = ((16 << 20) / GRANULE) as u32;
/// The place of no piece: the first granule is never handed out.
const NOWHERE: u32 = 0;

static REGION: [Mutex<Share>; SHARES] = [const { Mutex::new(Share::CLOSED) }; SHARES];
/// Where the region begins.
static BEGIN: AtomicUsize = AtomicUsize::new(0);
/// How many shares there are, and how many threads have chosen theirs.
static OPEN: AtomicUsize = AtomicUsize::new(0);
static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OWN: Cell<Option<u8>> = const { Cell::new(None) };
}

/// A piece that was handed out.
pub(super) struct Allocated {
    pub(super) address: *mut u8,
    pub(super) is_zero: bool,
}

/// What a piece is to its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum State {
    Used,
    /// Free since a short time.
    Warm,
    /// Free for longer.
    Cold,
    /// Free, and the system has its memory: it is zero.
    Empty,
}

impl State {
    const ALL: [Self; 4] = [Self::Used, Self::Warm, Self::Cold, Self::Empty];
    const BITS: u32 = 2;
}

/// What the books say of a granule. Only those of the first and the last one of a piece mean anything.
#[derive(Debug, Clone, Copy)]
struct Granule {
    /// The first: the piece's length and state.
    length_and_state: u32,
    /// The last: where the piece begins.
    begin: u32,
    /// The first one of a free piece: its neighbours in its list.
    next: u32,
    previous: u32,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    begin: u32,
    length: u32,
    state: State,
}

impl Piece {
    fn end(self) -> u32 {
        self.begin + self.length
    }

    fn list(self) -> usize {
        list_of(self.length) + if self.state == State::Empty { LENGTHS } else { 0 }
    }
}

/// The books of a share.
struct Share {
    /// The first address.
    base: usize,
    granules: *mut Granule,
    /// All pieces end here. What follows was never handed out: it is zero.
    end: u32,
    /// How much is free that the system does not have.
    idle: u32,
    /// A bit for each list: whether it has a piece.
    filled: [u64; LISTS.div_ceil(64)],
    /// The first piece of each list.
    lists: [u32; LISTS],
}

// SAFETY: the books belong to their share alone.
#[allow(unsafe_code)]
unsafe impl Send for Share {}

impl Share {
    const CLOSED: Self = Self {
        base: 0,
        granules: std::ptr::null_mut(),
        end: 1,
        idle: 0,
        filled: [0; LISTS.div_ceil(64)],
        lists: [NOWHERE; LISTS],
    };

    /// A share of these addresses, with the books at `books`: zeros.
    fn new(base: usize, books: usize) -> Self {
        Self { base, granules: std::ptr::with_exposed_provenance_mut(books), ..Self::CLOSED }
    }

    fn granule(&mut self, place: u32) -> &mut Granule {
        debug_assert!((place as usize) < GRANULES);
        // SAFETY: the books have an entry for each granule, zeros are one, and places come from these books.
        #[allow(unsafe_code)]
        unsafe {
            &mut *self.granules.add(place as usize)
        }
    }

    fn piece(&mut self, begin: u32) -> Piece {
        let entry = self.granule(begin).length_and_state;
        Piece { begin, length: entry >> State::BITS, state: State::ALL[(entry & ((1 << State::BITS) - 1)) as usize] }
    }

    fn write(&mut self, piece: Piece) {
        self.granule(piece.begin).length_and_state = (piece.length << State::BITS) | piece.state as u32;
        self.granule(piece.end() - 1).begin = piece.begin;
    }

    /// Where a piece is for somebody who needs it, and whether its memory is zero.
    fn take(&mut self, length: u32) -> Option<(u32, bool)> {
        let Some(found) = self.find(length) else {
            self.shed(length);
            return self.lengthen(length);
        };
        self.unlink(found);
        self.write(Piece { length, state: State::Used, ..found });
        if found.length > length {
            self.link(Piece { begin: found.begin + length, length: found.length - length, ..found });
        }
        if found.state == State::Empty {
            self.shed(length);
        }
        Some((found.begin, found.state == State::Empty))
    }

    /// A free piece that is long enough, rather one whose memory the system does not have.
    fn find(&mut self, length: u32) -> Option<Piece> {
        self.find_in(0, length).or_else(|| self.find_in(LENGTHS, length))
    }

    /// A free piece of the lists that begin here.
    fn find_in(&mut self, first: usize, length: u32) -> Option<Piece> {
        let own = first + list_of(length);
        let mut place = self.lists[own];
        for _ in 0..TRIED {
            if place == NOWHERE {
                break;
            }
            let piece = self.piece(place);
            if piece.length >= length {
                return Some(piece);
            }
            place = self.granule(place).next;
        }
        let longer = self.filled(own + 1..first + LENGTHS)?;
        Some(self.piece(self.lists[longer]))
    }

    /// The first of these lists that has a piece.
    fn filled(&self, lists: Range<usize>) -> Option<usize> {
        let of_word = |index: usize| {
            let before = if index == lists.start / 64 { lists.start % 64 } else { 0 };
            let word = self.filled[index] & (!0 << before);
            (word != 0).then(|| index * 64 + word.trailing_zeros() as usize)
        };
        (lists.start / 64..lists.end.div_ceil(64)).find_map(of_word).filter(|list| *list < lists.end)
    }

    /// Before so much memory is asked of the system, because no free piece is long enough, it gets about as much back of
    /// those, the longest first, unless they are little together.
    fn shed(&mut self, length: u32) {
        let mut shed = 0;
        for list in (0..LENGTHS).rev() {
            let mut place = self.lists[list];
            while place != NOWHERE {
                if self.idle <= KEPT || shed >= length {
                    return;
                }
                let piece = self.piece(place);
                place = self.granule(place).next;
                self.unlink(piece);
                empty(self.base, piece);
                self.link(Piece { state: State::Empty, ..piece });
                shed += piece.length;
            }
        }
    }

    /// A place at the end; the last piece is its beginning if that is free.
    fn lengthen(&mut self, length: u32) -> Option<(u32, bool)> {
        let begin = self.granule(self.end - 1).begin;
        let last = self.piece(begin);
        if begin == NOWHERE || last.state == State::Used || last.length >= length {
            return Some((self.extend(length)?, true));
        }
        self.extend(length - last.length)?;
        self.unlink(last);
        self.write(Piece { length, state: State::Used, ..last });
        Some((last.begin, last.state == State::Empty))
    }

    /// A piece behind all others.
    fn extend(&mut self, length: u32) -> Option<u32> {
        let begin = self.end;
        let end = begin.checked_add(length).filter(|end| (*end as usize) < GRANULES)?;
        self.write(Piece { begin, length, state: State::Used });
        self.end = end;
        Some(begin)
    }

    /// Joins a piece that nobody uses any more with its neighbours; the end of what they have become.
    fn give(&mut self, mut piece: Piece) -> u32 {
        if piece.end() < self.end {
            let next = self.piece(piece.end());
            if next.state != State::Used {
                self.unlink(next);
                piece = joined(piece, next);
            }
        }
        if piece.begin > 1 {
            let begin = self.granule(piece.begin - 1).begin;
            let previous = self.piece(begin);
            if previous.state != State::Used {
                self.unlink(previous);
                piece = joined(previous, piece);
            }
        }
        self.link(piece);
        piece.end()
    }

    /// Puts a free piece into its list.
    fn link(&mut self, piece: Piece) {
        self.write(piece);
        if piece.state != State::Empty {
            self.idle += piece.length;
        }
        let list = piece.list();
        let next = std::mem::replace(&mut self.lists[list], piece.begin);
        self.filled[list / 64] |= 1 << (list % 64);
        let entry = self.granule(piece.begin);
        (entry.previous, entry.next) = (NOWHERE, next);
        if next != NOWHERE {
            self.granule(next).previous = piece.begin;
        }
    }

    fn unlink(&mut self, piece: Piece) {
        if piece.state != State::Empty {
            self.idle -= piece.length;
        }
        let Granule { next, previous, .. } = *self.granule(piece.begin);
        if next != NOWHERE {
            self.granule(next).previous = previous;
        }
        if previous != NOWHERE {
            self.granule(previous).next = next;
            return;
        }
        let list = piece.list();
        self.lists[list] = next;
        if next == NOWHERE {
            self.filled[list / 64] &= !(1 << (list % 64));
        }
    }

    /// Makes a used piece longer or shorter where it is, if there is room.
    fn resize(&mut self, begin: u32, length: u32) -> bool {
        let piece = self.piece(begin);
        if length > piece.length && !self.grow(piece, length - piece.length) {
            return false;
        }
        self.write(Piece { length, ..piece });
        if length < piece.length {
            self.give(Piece { begin: begin + length, length: piece.length - length, state: State::Warm });
        }
        true
    }

    /// Takes so much of what follows a piece, if it is free.
    fn grow(&mut self, piece: Piece, more: u32) -> bool {
        if piece.end() == self.end {
            return self.extend(more).is_some();
        }
        let next = self.piece(piece.end());
        if next.state == State::Used || next.length < more {
            return false;
        }
        self.unlink(next);
        if next.length > more {
            self.link(Piece { begin: next.begin + more, length: next.length - more, ..next });
        }
        true
    }

    /// From a place on, makes warm pieces cold, up to a cold one: that becomes used.
    fn cool(&mut self, mut place: u32) -> Option<Piece> {
        while place < self.end {
            let piece = self.piece(place);
            match piece.state {
                State::Warm => self.write(Piece { state: State::Cold, ..piece }),
                State::Cold => {
                    self.unlink(piece);
                    self.write(Piece { state: State::Used, ..piece });
                    return Some(piece);
                }
                State::Used | State::Empty => {}
            }
            place = piece.end();
        }
        None
    }
}

fn joined(first: Piece, second: Piece) -> Piece {
    let state = if first.state == second.state { first.state } else { State::Warm };
    Piece { begin: first.begin, length: first.length + second.length, state }
}

/// The list of pieces of a length. Longer pieces have the same list or a later one.
fn list_of(length: u32) -> usize {
    let doubling = length.ilog2();
    if doubling <= STEP_BITS {
        return length as usize;
    }
    let step = (length >> (doubling - STEP_BITS)) - STEPS;
    ((doubling - STEP_BITS + 1) * STEPS + step) as usize
}

/// Gives the system the memory of a piece that nobody uses.
fn empty(base: usize, piece: Piece) {
    let begin = std::ptr::without_provenance_mut(base + piece.begin as usize * GRANULE);
    // SAFETY: what nobody uses nobody misses.
    #[allow(unsafe_code)]
    unsafe {
        libc::madvise(begin, piece.length as usize * GRANULE, libc::MADV_DONTNEED);
    }
}

fn granules(bytes: usize) -> Option<u32> {
    u32::try_from(bytes.div_ceil(GRANULE)).ok()
}

fn locked(share: usize) -> MutexGuard<'static, Share> {
    REGION[share].lock().unwrap_or_else(PoisonError::into_inner)
}

/// The share of this thread, if there is a region.
fn own() -> Option<usize> {
    let open = OPEN.load(Ordering::Relaxed);
    if open <= 1 {
        return open.checked_sub(1);
    }
    let chosen = OWN.get().unwrap_or_else(|| {
        let chosen = (THREADS.fetch_add(1, Ordering::Relaxed) % open) as u8;
        OWN.set(Some(chosen));
        chosen
    });
    Some(chosen.into())
}

/// The share and the place of an address, if it is the region's.
fn place(address: *mut u8) -> Option<(usize, u32)> {
    let offset = address.addr().wrapping_sub(BEGIN.load(Ordering::Relaxed));
    let is_inside = offset < OPEN.load(Ordering::Relaxed) * ADDRESSES;
    is_inside.then_some((offset / ADDRESSES, (offset % ADDRESSES / GRANULE) as u32))
}

/// Asks the system for the addresses. Where it refuses there is no region.
pub(super) fn open() {
    let shares = std::thread::available_parallelism().map_or(1, usize::from).div_ceil(PROCESSORS).min(SHARES);
    let books = GRANULES * size_of::<Granule>();
    let (Some(first_books), Some(memory)) = (reserve(shares * books), reserve(shares * ADDRESSES + HUGE)) else {
        return;
    };
    let begin = memory.next_multiple_of(HUGE);
    // Best effort: without huge pages queries only take more time.
    #[allow(unsafe_code)]
    // SAFETY: these addresses were just given to us.
    let _ = unsafe { libc::madvise(std::ptr::without_provenance_mut(begin), shares * ADDRESSES, libc::MADV_HUGEPAGE) };
    for index in 0..shares {
        *locked(index) = Share::new(begin + index * ADDRESSES, first_books + index * books);
    }
    BEGIN.store(begin, Ordering::Relaxed);
    OPEN.store(shares, Ordering::Release);
}

fn reserve(bytes: usize) -> Option<usize> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: new addresses, which nobody knows.
    #[allow(unsafe_code)]
    let begin = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0) };
    (begin != libc::MAP_FAILED).then(|| begin.expose_provenance())
}

/// A piece of at least so many bytes; none without a region or room in this thread's share.
pub(super) fn allocate(bytes: usize) -> Option<Allocated> {
    let mut share = locked(own()?);
    let (place, is_zero) = share.take(granules(bytes)?)?;
    let address = std::ptr::with_exposed_provenance_mut(share.base + place as usize * GRANULE);
    Some(Allocated { address, is_zero })
}

/// Takes a piece back, if it is the region's.
pub(super) fn free(address: *mut u8) -> bool {
    let Some((share, place)) = place(address) else { return false };
    let mut share = locked(share);
    let piece = share.piece(place);
    share.give(Piece { state: State::Warm, ..piece });
    true
}

pub(super) fn owns(address: *mut u8) -> bool {
    place(address).is_some()
}

/// Makes a piece of the region longer or shorter where it is; `false` where there is no room.
pub(super) fn resize(address: *mut u8, bytes: usize) -> bool {
    let (Some((share, place)), Some(length)) = (place(address), granules(bytes)) else { return false };
    locked(share).resize(place, length)
}

/// Gives the system the memory of pieces that were free at the last call already, and have been since.
pub(super) fn give_back() {
    for index in 0..OPEN.load(Ordering::Acquire) {
        let mut place = 1;
        loop {
            let mut share = locked(index);
            let Some(piece) = share.cool(place) else { break };
            let base = share.base;
            // Others needn't wait until the system has it.
            drop(share);
            empty(base, piece);
            place = locked(index).give(Piece { state: State::Empty, ..piece });
        }
    }
}

#[cfg(test)]
mod tests;
