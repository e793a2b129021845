//! The process's memory: who hands it out, in pages of which size, and when the system gets it back.

use std::ffi::c_char;

use tikv_jemallocator::Jemalloc;

/// Queries allocate and free much on several threads, where it is faster than the system's.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How jemalloc is set up, as it looks for it before `main` begins.
///
/// One arena: batches wander from thread to thread, and what one of them frees must be the next one's to use. With mimalloc,
/// which keeps pages for each thread, the queries of TPC-H left behind two and a half times what they held together. Threads
/// keep pieces up to 64 KiB for themselves, a few of each size. Freed memory goes back to the system over ten seconds, so that queries
/// which follow each other find memory that the system does not have to clear first, in large pieces as well as in small
/// ones.
#[used]
#[allow(unsafe_code)]
// SAFETY: the name is jemalloc's own for this, and nothing else's.
#[unsafe(export_name = "_rjem_malloc_conf")]
static SETTINGS: Settings = Settings(
    c"narenas:1,oversize_threshold:0,lg_tcache_max:16,dirty_decay_ms:10000,muzzy_decay_ms:0,thp:always".as_ptr(),
);

/// A pointer to a text that nobody writes to.
#[repr(transparent)]
struct Settings(#[allow(dead_code, reason = "jemalloc reads it")] *const c_char);

// SAFETY: the text is constant.
#[allow(unsafe_code)]
unsafe impl Sync for Settings {}

/// Allows or forbids pages of 2 MiB. Best effort: where the system refuses, the server only takes more memory, or queries
/// more time.
pub(crate) fn huge_pages(allowed: bool) {
    let _ = rustix::thread::disable_transparent_huge_pages(!allowed);
}
