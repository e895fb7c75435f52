//! Waiting that ends, and futures that are left before they do. Needs no runtime but for its clock.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use crate::platform::Platform;

/// Far longer than anything here takes on a machine that is not broken.
pub(crate) const GENEROUS: Duration = Duration::from_secs(60);

/// The future's value if it has one at once.
pub(crate) fn poll_once<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Polls the future as often as it is woken, and drops it when it was pending `polls` times; with 0
/// it is dropped unpolled. Its value if it has one before.
pub(crate) async fn polled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        let poll = future.as_mut().poll(cx);
        left -= 1;
        match poll {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Lets others run.
pub(crate) async fn yield_now() {
    let mut is_second = false;
    poll_fn(|cx| {
        if core::mem::replace(&mut is_second, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Waits for both.
pub(crate) async fn both<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut other) = (None, None);
    poll_fn(|cx| {
        if one.is_none()
            && let Poll::Ready(value) = first.as_mut().poll(cx)
        {
            one = Some(value);
        }
        if other.is_none()
            && let Poll::Ready(value) = second.as_mut().poll(cx)
        {
            other = Some(value);
        }
        match (one.take(), other.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (first, second) => {
                (one, other) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}

/// The future's value, if it has one before the time is over.
pub(crate) async fn within<P: Platform, T>(
    time: Duration,
    future: impl Future<Output = T>,
) -> Option<T> {
    let (mut future, mut end) = (pin!(future), pin!(P::sleep(time)));
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// The future's value, or a failed test instead of one that hangs.
pub(crate) async fn soon<P: Platform, T>(what: &str, future: impl Future<Output = T>) -> T {
    match within::<P, T>(GENEROUS, future).await {
        Some(value) => value,
        None => panic!("waited too long until {what}"),
    }
}

/// Waits until something is so.
pub(crate) async fn until<P: Platform>(what: &str, mut is_so: impl FnMut() -> bool) {
    soon::<P, _>(what, async {
        while !is_so() {
            P::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}
