//! The process's memory: who hands it out, in pages of which size, and when the system gets it back.

mod region;

use std::alloc::{GlobalAlloc, Layout};
use std::time::Duration;

use libmimalloc_sys::{mi_option_set, mi_option_t};
use mimalloc::MiMalloc;

/// Pieces from this size on are the region's.
const LARGE: usize = 16 << 10;
/// Large pieces that nobody has asked for during this time go back to the system by twice of it. Queries that follow each
/// other find memory that the system does not have to clear first.
const KEPT: Duration = Duration::from_secs(30);
/// The place of `mi_option_allow_thp` among the options of mimalloc 3, for which its Rust crate has no name.
const ALLOW_THP: mi_option_t = 43;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// What is small is mimalloc's, which hands it out without any lock; what is large comes from a region of our own.
struct Allocator;

impl Allocator {
    fn is_large(layout: Layout) -> bool {
        layout.size() >= LARGE && layout.align() <= region::ALIGNMENT
    }
}

// SAFETY: every piece goes back to whom it came from, which its address tells.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if Self::is_large(layout)
            && let Some(piece) = region::allocate(layout.size())
        {
            return piece.address;
        }
        // SAFETY: the caller's.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if Self::is_large(layout)
            && let Some(piece) = region::allocate(layout.size())
        {
            if !piece.is_zero {
                // SAFETY: the piece is as long and nobody else's.
                unsafe { piece.address.write_bytes(0, layout.size()) };
            }
            return piece.address;
        }
        // SAFETY: the caller's.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        if !region::free(address) {
            // SAFETY: the caller's; it isn't the region's, so it is mimalloc's.
            unsafe { MiMalloc.dealloc(address, layout) }
        }
    }

    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let is_regions = region::owns(address);
        if is_regions && region::resize(address, size) {
            return address;
        }
        // SAFETY: the caller's: the size is not too large for the alignment. The new piece is as long as what is copied.
        unsafe {
            let wanted = Layout::from_size_align_unchecked(size, layout.align());
            if !is_regions && !Self::is_large(wanted) {
                return MiMalloc.realloc(address, layout, size);
            }
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(address, layout.size().min(size));
                self.dealloc(address, layout);
            }
            moved
        }
    }
}

/// mimalloc takes a gibibyte of addresses before `main` begins, and would have each small piece that it hands out there cost
/// two mebibytes.
#[used]
#[allow(unsafe_code)]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = small_pages_for_small_pieces;

extern "C" fn small_pages_for_small_pieces() {
    // SAFETY: an option is a number in memory, which nobody else reads or writes while there is only this thread.
    #[allow(unsafe_code)]
    unsafe {
        mi_option_set(ALLOW_THP, 0);
    }
}

/// Begins to hand out large pieces from the region. To be called while the process has one thread.
pub(crate) fn open_region() {
    region::open();
    let keeper = std::thread::Builder::new().name("memory".to_owned());
    // Best effort: without it the memory stays until it is used again.
    let _ = keeper.spawn(|| {
        loop {
            std::thread::sleep(KEPT);
            region::give_back();
        }
    });
}

/// Allows or forbids pages of 2 MiB. Best effort: where the system refuses, the server only takes more memory, or queries
/// more time.
pub(crate) fn huge_pages(allowed: bool) {
    let _ = rustix::thread::disable_transparent_huge_pages(!allowed);
}
