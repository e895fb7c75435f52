//! A panic ends the task that it is in, and nothing else: not the thread, which others share, and
//! not in silence, because what a task holds tells of its end when it is dropped.

use core::{panic::AssertUnwindSafe, task::Poll};
use std::panic::catch_unwind;

/// What `poll` comes to; `None` at once if it panics. The panic is reported in the usual way, and
/// what `poll` works on must not be polled again.
pub(crate) fn contained<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<Option<T>> {
    catch_unwind(AssertUnwindSafe(poll)).map_or(Poll::Ready(None), |polled| polled.map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x13_a_panic_is_an_end() {
        assert_eq!(contained(|| Poll::<u8>::Pending), Poll::Pending);
        assert_eq!(contained(|| Poll::Ready(1)), Poll::Ready(Some(1)));
        assert_eq!(contained::<u8>(|| panic!("on purpose")), Poll::Ready(None));
    }
}
