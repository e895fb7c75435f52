//! A queue from many to one, with room for so many. Those who find it full wait for room, first
//! come first served, or, when they can't wait, may exceed it.

use core::{
    future::poll_fn,
    task::{Context, Poll, Waker},
};
use std::{collections::VecDeque, sync::Mutex};

use crate::{lock::lock, wakers::Wakers};

/// The queue.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    state: Mutex<State<T>>,
    capacity: usize,
}

impl<T> Mailbox<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State {
            queue: VecDeque::new(),
            reader: None,
            writers: Wakers::default(),
            is_closed: false,
        };
        Self { state: Mutex::new(state), capacity }
    }

    /// Puts `item` in as soon as there is room; gives it back when the mailbox is closed. A future
    /// that is dropped before it is done has put nothing in.
    pub(crate) async fn send(&self, item: T) -> Result<(), T> {
        let mut item = Some(item);
        let mut place = Place { mailbox: self, key: None };
        poll_fn(|cx| {
            let mut state = lock(&self.state);
            if !state.is_closed && !state.writers.is_among_first(place.key, self.room(&state)) {
                state.writers.add(&mut place.key, cx.waker());
                return Poll::Pending;
            }
            state.writers.remove(place.key.take());
            let item = item.take().expect("a future that is done is not polled again");
            Poll::Ready(push(state, item))
        })
        .await
    }

    /// Puts `item` in at once. For those whose number of items is limited by other means: a stream
    /// has one report of each kind under way, and a join that came into line one cancellation.
    pub(crate) fn post(&self, item: T) -> Result<(), T> {
        push(lock(&self.state), item)
    }

    /// Takes the oldest item out; `None` once the mailbox is closed.
    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<Option<T>> {
        let (item, woken) = {
            let mut state = lock(&self.state);
            if state.is_closed {
                return Poll::Ready(None);
            }
            let Some(item) = state.queue.pop_front() else {
                state.reader = Some(cx.waker().clone());
                return Poll::Pending;
            };
            (item, state.writers.last_of_first(self.room(&state)))
        };
        woken.into_iter().for_each(Waker::wake);
        Poll::Ready(Some(item))
    }

    /// How many items more there may be. So many of those who wait longest may come.
    fn room(&self, state: &State<T>) -> usize {
        self.capacity.saturating_sub(state.queue.len())
    }

    /// Takes no more, and drops what nobody has taken out.
    pub(crate) fn close(&self) {
        let (queue, woken, reader) = {
            let mut state = lock(&self.state);
            state.is_closed = true;
            (core::mem::take(&mut state.queue), state.writers.take(), state.reader.take())
        };
        drop(queue); // Without the lock: an item's drop may want to post.
        woken.chain(reader).for_each(Waker::wake);
    }

    /// How many items wait.
    pub(crate) fn len(&self) -> usize {
        lock(&self.state).queue.len()
    }

    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.state).is_closed
    }
}

fn push<T>(mut state: std::sync::MutexGuard<'_, State<T>>, item: T) -> Result<(), T> {
    if state.is_closed {
        return Err(item);
    }
    state.queue.push_back(item);
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
    Ok(())
}

/// A place in the line of those who wait for room.
struct Place<'a, T> {
    mailbox: &'a Mailbox<T>,
    key: Option<u64>,
}

impl<T> Drop for Place<'_, T> {
    fn drop(&mut self) {
        if self.key.is_none() {
            return;
        }
        let woken = {
            let mut state = lock(&self.mailbox.state);
            let room = self.mailbox.room(&state);
            let had_turn = state.writers.is_among_first(self.key, room);
            state.writers.remove(self.key);
            // Who gives up leaves his turn to the next.
            had_turn.then(|| state.writers.last_of_first(room)).flatten()
        };
        woken.into_iter().for_each(Waker::wake);
    }
}

#[derive(Debug)]
struct State<T> {
    queue: VecDeque<T>,
    reader: Option<Waker>,
    writers: Wakers,
    is_closed: bool,
}

#[cfg(test)]
mod tests {
    use core::pin::pin;
    use std::{
        future::Future,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Wake,
    };

    use super::*;
    use crate::testing::{context, poll_once};

    #[test]
    fn those_who_find_it_full_wait() {
        let mailbox = Mailbox::new(1);
        assert_eq!(poll_once(pin!(mailbox.send(1))), Some(Ok(())));
        let mut second = pin!(mailbox.send(2));
        assert_eq!(poll_once(second.as_mut()), None);
        assert_eq!(mailbox.post(3), Ok(()), "some can't wait");
        assert_eq!(mailbox.poll_take(&context()), Poll::Ready(Some(1)));
        assert_eq!(poll_once(second.as_mut()), None);
        assert_eq!(mailbox.poll_take(&context()), Poll::Ready(Some(3)));
        assert_eq!(poll_once(second.as_mut()), Some(Ok(())));
        assert_eq!(mailbox.poll_take(&context()), Poll::Ready(Some(2)));
        assert_eq!(mailbox.poll_take(&context()), Poll::Pending);
    }

    #[test]
    fn who_came_first_is_served_first_and_nobody_else_is_woken() {
        struct Count(AtomicUsize);
        impl Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Relaxed);
            }
        }
        let mailbox = Mailbox::new(1);
        mailbox.post(0).unwrap();
        let wakes: Vec<_> = (0..3).map(|_| Arc::new(Count(AtomicUsize::new(0)))).collect();
        let woken = || wakes.iter().map(|count| count.0.load(Relaxed)).collect::<Vec<_>>();
        let wakers: Vec<_> = wakes.iter().map(|count| Waker::from(Arc::clone(count))).collect();
        let mut waiting: Vec<_> = (1..=3).map(|n| Box::pin(mailbox.send(n))).collect();
        for (future, waker) in waiting.iter_mut().zip(&wakers) {
            assert!(future.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        }
        assert_eq!(mailbox.poll_take(&context()), Poll::Ready(Some(0)));
        assert_eq!(woken(), [1, 0, 0]);
        assert_eq!(poll_once(pin!(mailbox.send(9))), None, "a newcomer does not overtake");
        let behind = waiting[1].as_mut().poll(&mut Context::from_waker(&wakers[1]));
        assert!(behind.is_pending(), "nor do those behind");
        drop(waiting.remove(0));
        assert_eq!(woken(), [1, 1, 0], "one who gives up leaves his turn to the next");
        assert_eq!(poll_once(waiting[0].as_mut()), Some(Ok(())));
        assert_eq!(mailbox.poll_take(&context()), Poll::Ready(Some(2)));
        assert_eq!(woken(), [1, 1, 1]);
    }

    #[test]
    fn those_who_give_up_leave_nothing_behind() {
        let mailbox = Mailbox::new(0);
        for n in 0..100 {
            assert_eq!(poll_once(pin!(mailbox.send(n))), None);
        }
        assert_eq!(lock(&mailbox.state).writers.len(), 0);
        assert_eq!(mailbox.poll_take(&context()), Poll::Pending);
    }

    #[test]
    fn a_closed_one_gives_back_and_ends() {
        let mailbox = Mailbox::new(1);
        mailbox.post(1).unwrap();
        let mut waiting = pin!(mailbox.send(2));
        assert_eq!(poll_once(waiting.as_mut()), None);
        mailbox.close();
        assert_eq!(poll_once(waiting.as_mut()), Some(Err(2)));
        assert_eq!(mailbox.post(3), Err(3));
        assert_eq!(mailbox.poll_take(&context()), Poll::Ready(None));
    }
}
