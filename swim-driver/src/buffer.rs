//! Where bytes are received, for all nodes and streams of a thread: each needs it for no longer
//! than it takes to look at what came, so that those that wait for something hold no memory for it.
//! The buffer is there as long as its thread.

use core::cell::Cell;

/// Lends the thread's buffer. Whoever needs one meanwhile, or after a panic, gets a new one.
pub(crate) fn lend<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = BUFFER.take().unwrap_or_else(|| vec![0; LEN].into());
    let result = work(&mut buffer);
    BUFFER.set(Some(buffer));
    result
}

/// The longest datagram there can be: the socket would cut off a longer one unseen.
const LEN: usize = 65_536;

thread_local! {
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn the_buffer_is_one_and_the_same_and_is_never_lent_twice_at_once() {
        let first = lend(|buffer| buffer.as_ptr());
        let (outer, inner) = lend(|buffer| (buffer.as_ptr(), lend(|buffer| buffer.as_ptr())));
        assert_eq!(outer, first);
        assert_ne!(inner, first);
        assert_eq!(lend(|buffer| buffer.as_ptr()), outer);
        let panicked = catch_unwind(AssertUnwindSafe(|| lend(|_| panic!("on purpose"))));
        assert!(panicked.is_err());
        assert_eq!(lend(|buffer| buffer.len()), LEN, "there is a new one");
    }
}
