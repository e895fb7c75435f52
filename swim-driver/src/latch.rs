//! Something that happens once and that any number may wait for.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::sync::Mutex;

use crate::{lock::lock, wakers::Wakers};

/// Set once; the first value stays.
#[derive(Debug)]
pub(crate) struct Latch<T> {
    state: Mutex<State<T>>,
}

impl<T: Copy> Latch<T> {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new(State { value: None, waiting: Wakers::default() }) }
    }

    /// Sets the value, unless there is one, and wakes all who wait.
    pub(crate) fn set(&self, value: T) {
        let woken = {
            let mut state = lock(&self.state);
            state.value.get_or_insert(value);
            state.waiting.take()
        };
        woken.for_each(Waker::wake);
    }

    /// A future of the value. Dropping it leaves nothing behind.
    pub(crate) fn wait(&self) -> Wait<'_, T> {
        Wait { latch: self, key: None }
    }
}

/// Waits for a [`Latch`].
#[derive(Debug)]
pub(crate) struct Wait<'a, T> {
    latch: &'a Latch<T>,
    key: Option<u64>,
}

impl<T: Copy> Future for Wait<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let this = self.get_mut();
        let mut state = lock(&this.latch.state);
        if let Some(value) = state.value {
            return Poll::Ready(value);
        }
        state.waiting.add(&mut this.key, cx.waker());
        Poll::Pending
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        lock(&self.latch.state).waiting.remove(self.key);
    }
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    waiting: Wakers,
}

#[cfg(test)]
mod tests {
    use core::pin::pin;

    use super::*;
    use crate::testing::poll_once;

    #[test]
    fn the_first_value_stays() {
        let latch = Latch::new();
        assert_eq!(poll_once(pin!(latch.wait())), None);
        latch.set(1);
        latch.set(2);
        assert_eq!(poll_once(pin!(latch.wait())), Some(1));
    }

    #[test]
    fn those_who_give_up_leave_nothing_behind() {
        let latch = Latch::<u8>::new();
        for _ in 0..100 {
            assert_eq!(poll_once(pin!(latch.wait())), None);
        }
        assert_eq!(lock(&latch.state).waiting.len(), 0);
    }
}
