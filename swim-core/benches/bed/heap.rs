//! An allocator that counts calls and live bytes of the thread that asks.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// Counts, and lets the system's allocator do the work.
pub struct Heap;

/// What a thread has asked for so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Allocations, and reallocations that could have moved.
    pub calls: u64,
    /// Bytes asked for.
    pub asked: u64,
    /// Bytes allocated less bytes freed.
    pub live: i64,
    /// The most that this was at any time.
    pub peak: i64,
}

thread_local! {
    static USAGE: Cell<Usage> = const { Cell::new(Usage { calls: 0, asked: 0, live: 0, peak: 0 }) };
}

/// What this thread has asked for so far.
pub fn usage() -> Usage {
    USAGE.get()
}

/// What `work` asks for, what it gives back, and how much it had at most.
pub fn usage_of<R>(work: impl FnOnce() -> R) -> (Usage, R) {
    let before = usage();
    USAGE.set(Usage { peak: before.live, ..before });
    let result = work();
    let after = usage();
    USAGE.set(Usage { peak: before.peak.max(after.peak), ..after });
    let calls = after.calls - before.calls;
    let (asked, live) = (after.asked - before.asked, after.live - before.live);
    (Usage { calls, asked, live, peak: after.peak - before.live }, result)
}

fn count(calls: u64, asked: usize, freed: usize) {
    let (asked, freed) = (asked as u64, freed as u64);
    // A thread that is ending has no counters any more, and nobody asks for them.
    let _ = USAGE.try_with(|usage| {
        let Usage { calls: c, asked: a, live, peak } = usage.get();
        let live = live + asked.cast_signed() - freed.cast_signed();
        usage.set(Usage { calls: c + calls, asked: a + asked, live, peak: peak.max(live) });
    });
}

// SAFETY: every call is handed on as it came, and the counters are cells without a destructor.
#[expect(unsafe_code, reason = "there is no other way to count what a node allocates")]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: the caller's promise is what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}
