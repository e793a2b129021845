//! The process's memory: who hands it out, in pages of which size, and when the system gets it back.

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// Queries allocate and free much on several threads, where it is faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The place of `mi_option_purge_delay` among the options of mimalloc 3, for which its Rust crate has no name.
const PURGE_DELAY: mi_option_t = 15;
/// For how many milliseconds freed memory is kept for the next query. Memory that comes fresh from the system has to be
/// cleared first, which with the default of one second was a sixth of the processor time of queries that follow each other.
const KEPT: std::ffi::c_long = 60_000;

/// Keeps freed memory for a minute. To be called while the process has one thread.
pub(crate) fn keep_freed() {
    // SAFETY: an option is a number in memory, which nobody else reads or writes while there is only this thread.
    #[allow(unsafe_code)]
    unsafe {
        mi_option_set(PURGE_DELAY, KEPT);
    }
}

/// Allows or forbids pages of 2 MiB. Best effort: where the system refuses, the server only takes more memory, or queries
/// more time.
pub(crate) fn huge_pages(allowed: bool) {
    let _ = rustix::thread::disable_transparent_huge_pages(!allowed);
}
