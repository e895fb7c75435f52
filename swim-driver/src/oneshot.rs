//! One value from one side to the other, once; or the news that it will never come.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// A slot for one value.
pub(crate) fn oneshot<T>() -> (Sender<T>, Receiver<T>) {
    let slot = Arc::new(Mutex::new(Slot { value: None, waker: None, is_over: false }));
    (Sender { slot: Arc::clone(&slot) }, Receiver { slot })
}

/// The side that gives. Dropped without giving, it tells the other side so.
#[derive(Debug)]
pub(crate) struct Sender<T> {
    slot: Arc<Mutex<Slot<T>>>,
}

impl<T> Sender<T> {
    /// Gives the value. If nobody waits any more, it is dropped.
    pub(crate) fn send(self, value: T) {
        lock(&self.slot).value = Some(value);
    }

    /// Whether the other side is gone.
    pub(crate) fn is_forsaken(&self) -> bool {
        Arc::strong_count(&self.slot) == 1
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let waker = {
            let mut slot = lock(&self.slot);
            slot.is_over = true;
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The side that takes: a future of the value, or of `None` when it will never come.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    slot: Arc<Mutex<Slot<T>>>,
}

impl<T> Future for Receiver<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = lock(&self.slot);
        if slot.is_over {
            return Poll::Ready(slot.value.take());
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

#[derive(Debug)]
struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
    /// The sender is gone, with or without having given a value.
    is_over: bool,
}

#[cfg(test)]
mod tests {
    use core::pin::pin;

    use super::*;
    use crate::testing::poll_once;

    #[test]
    fn gives_once_or_says_never() {
        let (tx, rx) = oneshot();
        let mut rx = pin!(rx);
        assert_eq!(poll_once(rx.as_mut()), None);
        tx.send(7);
        assert_eq!(poll_once(rx.as_mut()), Some(Some(7)));
        let (tx, rx) = oneshot::<u8>();
        drop(tx);
        assert_eq!(poll_once(pin!(rx)), Some(None));
    }

    #[test]
    fn the_giver_knows_when_nobody_waits() {
        let (tx, rx) = oneshot();
        assert!(!tx.is_forsaken());
        drop(rx);
        assert!(tx.is_forsaken());
        tx.send(());
    }
}
