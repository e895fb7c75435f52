//! Where bytes are received, for all nodes and streams of a thread: each needs it for no longer
//! than it takes to look at what came, so that those that wait for something hold no memory for it.

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
