//! An allocator that counts the live bytes of the whole process.

#![expect(unsafe_code, reason = "the allocator's trait is unsafe; the system's does the work")]

use core::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::alloc::{GlobalAlloc, Layout, System};

/// Counts, and lets the system's allocator do the work.
#[derive(Debug)]
pub struct Heap;

static LIVE: AtomicI64 = AtomicI64::new(0);

/// Bytes allocated less bytes freed, in a program whose allocator is [`Heap`]; otherwise 0.
#[must_use]
pub fn live() -> i64 {
    LIVE.load(Relaxed)
}

fn count(layout: Layout, sign: i64) {
    let len = i64::try_from(layout.size()).unwrap_or(i64::MAX);
    LIVE.fetch_add(sign * len, Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout, 1);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout, 1);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout, -1);
        // SAFETY: the caller's promises are the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}
