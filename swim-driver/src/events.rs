//! What happened, on its way to the application: a bounded queue that never stops the node.
//!
//! A reader that falls behind is told so once, with the number of events it missed, and finds its
//! way back through the published members. What was queued before the overflow is kept; what comes
//! until the reader has caught up is counted and dropped.
//!
//! Events are counted, and so are the bytes that others put into them: a message takes as much as
//! thousands of other events, and who holds the key can send one after the other. (M1)

use core::{
    future::poll_fn,
    task::{Context, Poll, Waker},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use swim_core::Event;

use crate::lock::lock;

/// What the application reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice<E = Event> {
    /// Something happened.
    Event(E),
    /// The reader was too slow: so many events are missing here. To get back to an exact mirror of
    /// the members, take a [`snapshot`](crate::Handle::snapshot), replace the mirror by it, and
    /// skip every event whose `seq` is below the snapshot's `next_seq`. What is no state comes not
    /// back: broadcasts, states of joining members, and messages, though their senders may have
    /// been told that this node has them.
    Lagged {
        /// How many events were dropped.
        missed: u64,
    },
}

/// The events of one node, in order. They end when the node stops.
///
/// Dropping this does not stop the node; its events are then thrown away.
#[derive(Debug)]
pub struct Events<E = Event> {
    queue: Arc<EventQueue<E>>,
}

/// How much waits to be read at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// How many events; at least one.
    pub(crate) events: usize,
    /// How many bytes of payload all of them have. One that has more by itself waits alone among
    /// those that have some.
    pub(crate) bytes: usize,
}

impl<E> Events<E> {
    /// A queue that holds up to `capacity`, and its reading end.
    pub(crate) fn channel(capacity: Capacity) -> (Arc<EventQueue<E>>, Self) {
        let state = State {
            queue: VecDeque::new(),
            bytes: 0,
            missed: 0,
            reader: None,
            has_reader: true,
            is_closed: false,
        };
        let queue = Arc::new(EventQueue { state: Mutex::new(state), capacity });
        (Arc::clone(&queue), Self { queue })
    }

    /// Waits for the next notice; `None` once the node has stopped and everything was read.
    ///
    /// Cancel safe: a notice is taken out only when it is returned.
    pub async fn next(&mut self) -> Option<Notice<E>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The next notice if there is one already; `None` when there is none yet or never again.
    pub fn try_next(&mut self) -> Option<Notice<E>> {
        lock(&self.queue.state).take()
    }

    /// [`next`](Self::next) for those who write their own futures and streams.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Notice<E>>> {
        let mut state = lock(&self.queue.state);
        match state.take() {
            Some(notice) => Poll::Ready(Some(notice)),
            None if state.is_closed => Poll::Ready(None),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<E> Drop for Events<E> {
    fn drop(&mut self) {
        let unread = {
            let mut state = lock(&self.queue.state);
            state.has_reader = false;
            state.reader = None;
            state.bytes = 0;
            core::mem::take(&mut state.queue)
        };
        drop(unread); // Without the lock.
    }
}

/// The writing end.
#[derive(Debug)]
pub(crate) struct EventQueue<E> {
    state: Mutex<State<E>>,
    capacity: Capacity,
}

impl<E> EventQueue<E> {
    /// Adds an event with so many bytes of payload, or counts it as missed. Whether it was added.
    pub(crate) fn push(&self, event: E, bytes: usize) -> bool {
        let mut state = lock(&self.state);
        if !state.has_reader {
            return true;
        }
        if state.missed > 0 || !state.has_room(bytes, self.capacity) {
            state.missed += 1;
            return false; // The reader has been woken for what is in the queue.
        }
        state.queue.push_back((event, bytes));
        state.bytes += bytes;
        wake_reader(state);
        true
    }

    /// How many events wait to be read.
    pub(crate) fn len(&self) -> usize {
        lock(&self.state).queue.len()
    }

    /// Nothing will come any more.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        wake_reader(state);
    }
}

fn wake_reader<E>(mut state: std::sync::MutexGuard<'_, State<E>>) {
    let reader = state.reader.take();
    drop(state);
    if let Some(reader) = reader {
        reader.wake();
    }
}

#[derive(Debug)]
struct State<E> {
    /// Each event with the bytes of its payload.
    queue: VecDeque<(E, usize)>,
    /// The bytes of all of them.
    bytes: usize,
    /// How many events were dropped since the queue overflowed; until the reader knows of it.
    missed: u64,
    reader: Option<Waker>,
    has_reader: bool,
    is_closed: bool,
}

impl<E> State<E> {
    /// Whether an event with so many bytes may wait too. One that is longer than all may have
    /// together is no less an event: there is room for it where no other has any.
    fn has_room(&self, bytes: usize, capacity: Capacity) -> bool {
        let is_alone = self.bytes == 0 || bytes == 0;
        let fits = |all| all <= capacity.bytes;
        self.queue.len() < capacity.events.max(1)
            && (is_alone || self.bytes.checked_add(bytes).is_some_and(fits))
    }

    fn take(&mut self) -> Option<Notice<E>> {
        if let Some((event, bytes)) = self.queue.pop_front() {
            self.bytes -= bytes;
            if self.queue.is_empty() && self.queue.capacity() > IDLE_CAPACITY {
                self.queue.shrink_to(IDLE_CAPACITY);
            }
            return Some(Notice::Event(event));
        }
        match core::mem::take(&mut self.missed) {
            0 => None,
            missed => Some(Notice::Lagged { missed }),
        }
    }
}

/// Events that an empty queue keeps room for: who reads as they come needs no more, and a burst, as
/// when joining, must not leave its room behind for ever.
const IDLE_CAPACITY: usize = 16;

#[cfg(test)]
mod tests {
    use core::pin::pin;

    use super::*;
    use crate::testing::poll_once;

    fn channel<E>(events: usize) -> (Arc<EventQueue<E>>, Events<E>) {
        Events::channel(Capacity { events, bytes: 100 })
    }

    #[test]
    fn m2_room_is_given_back_when_all_is_read() {
        let (queue, mut events) = channel(4_096);
        (0..1_000).for_each(|n| assert!(queue.push(n, 0)));
        while events.try_next().is_some() {}
        assert!(lock(&queue.state).queue.capacity() <= IDLE_CAPACITY);
    }

    #[test]
    fn an_overflow_is_announced_once_and_after_what_came_before() {
        let (queue, mut events) = channel(2);
        for n in 0..5 {
            assert_eq!(queue.push(n, 0), n < 2);
        }
        assert_eq!(events.try_next(), Some(Notice::Event(0)));
        assert!(!queue.push(5, 0), "the reader does not know yet that something is missing");
        assert_eq!(events.try_next(), Some(Notice::Event(1)));
        assert_eq!(events.try_next(), Some(Notice::Lagged { missed: 4 }));
        assert!(queue.push(6, 0));
        assert_eq!(events.try_next(), Some(Notice::Event(6)));
        assert_eq!(events.try_next(), None);
    }

    #[test]
    fn m1_payloads_wait_so_far_and_what_has_none_waits_all_the_same() {
        let (queue, mut events) = channel(8);
        assert!(queue.push(0, 60) && queue.push(1, 40) && queue.push(2, 0));
        assert!(!queue.push(3, 1), "these are 101 bytes");
        assert!(!queue.push(4, 0), "the reader does not know yet that something is missing");
        assert_eq!([(); 3].map(|()| events.try_next()), [0, 1, 2].map(|n| Some(Notice::Event(n))));
        assert_eq!(events.try_next(), Some(Notice::Lagged { missed: 2 }));
        assert!(queue.push(5, 60));
        assert_eq!(events.try_next(), Some(Notice::Event(5)));
        assert!(queue.push(6, 100), "what was read takes nothing");
    }

    #[test]
    fn m1_the_longest_message_always_has_room_and_only_one_of_them() {
        let (queue, mut events) = channel(8);
        assert!(queue.push(0, 0) && queue.push(1, 1_000) && queue.push(2, 0));
        assert!(!queue.push(3, 1));
        while events.try_next().is_some() {}
        assert!(queue.push(4, usize::MAX) && !queue.push(5, usize::MAX));
    }

    #[test]
    fn the_end_comes_after_the_last_event() {
        let (queue, mut events) = channel(0);
        queue.push(1, 0);
        queue.push(2, 0);
        queue.close();
        assert_eq!(poll_once(pin!(events.next())), Some(Some(Notice::Event(1))));
        assert_eq!(poll_once(pin!(events.next())), Some(Some(Notice::Lagged { missed: 1 })));
        assert_eq!(poll_once(pin!(events.next())), Some(None));
        assert_eq!(poll_once(pin!(events.next())), Some(None), "and stays");
    }

    #[test]
    fn dropping_the_future_loses_nothing_and_dropping_the_reader_keeps_nothing() {
        let (queue, mut events) = channel(4);
        for _ in 0..10 {
            assert_eq!(poll_once(pin!(events.next())), None);
        }
        queue.push(1, 0);
        assert_eq!(poll_once(pin!(events.next())), Some(Some(Notice::Event(1))));
        drop(events);
        assert!(queue.push(2, 0));
        assert!(lock(&queue.state).queue.is_empty());
    }
}
