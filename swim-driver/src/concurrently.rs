//! Two futures at the same time.

use core::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// The values of both.
pub(crate) async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut of_a, mut of_b) = (None, None);
    poll_fn(|cx| {
        if of_a.is_none() {
            of_a = ready(a.as_mut().poll(cx));
        }
        if of_b.is_none() {
            of_b = ready(b.as_mut().poll(cx));
        }
        match (of_a.take(), of_b.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            values => {
                (of_a, of_b) = values;
                Poll::Pending
            }
        }
    })
    .await
}

/// The value of `future`, unless `end` comes first.
pub(crate) async fn unless<F: Future, E: Future>(future: F, end: E) -> Option<F::Output> {
    let (mut future, mut end) = (pin!(future), pin!(end));
    poll_fn(|cx| match end.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => future.as_mut().poll(cx).map(Some),
    })
    .await
}

fn ready<T>(poll: Poll<T>) -> Option<T> {
    match poll {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use core::future::{pending, ready};

    use super::*;
    use crate::testing::{block_on, poll_once};

    #[test]
    fn both_are_waited_for_and_each_is_polled_to_its_end_once() {
        assert_eq!(block_on(both(async { 1 }, async { 2 })), (1, 2));
        let mut late = pin!(both(ready(1), pending::<u8>()));
        assert_eq!(poll_once(late.as_mut()), None);
        assert_eq!(poll_once(late.as_mut()), None, "a future that is done panics when polled");
    }

    #[test]
    fn an_end_comes_first() {
        assert_eq!(block_on(unless(ready(1), pending::<()>())), Some(1));
        assert_eq!(block_on(unless(ready(1), ready(()))), None);
        assert_eq!(block_on(unless(pending::<u8>(), ready(()))), None);
    }
}
