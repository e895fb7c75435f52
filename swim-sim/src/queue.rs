//! What is to happen, in order of time; what is to happen at one time, in order of cause.

use std::{cmp::Reverse, collections::BinaryHeap};

use swim_core::Instant;

/// A queue of things that have their time. Things of one time come in the order in which they were
/// put in, so that a run is one list. (D1)
#[derive(Clone, Debug)]
pub struct Queue<T> {
    /// The heap moves these and not the things themselves.
    heap: BinaryHeap<Reverse<(Instant, u64, u32)>>,
    things: Vec<Option<T>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<T> Queue<T> {
    /// An empty queue.
    #[must_use]
    pub const fn new() -> Self {
        Self { heap: BinaryHeap::new(), things: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    /// Puts a thing in.
    pub fn push(&mut self, at: Instant, thing: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.things.push(None);
            u32::try_from(self.things.len() - 1).expect("fewer than 2^32 things wait")
        });
        self.things[place as usize] = Some(thing);
        self.heap.push(Reverse((at, self.sequence, place)));
        self.sequence += 1;
    }

    /// Takes the next thing out.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        let Reverse((at, _, place)) = self.heap.pop()?;
        self.free.push(place);
        let thing = self.things[place as usize].take().expect("it is taken once");
        Some((at, thing))
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next_at(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// How many things wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_comes_first_and_then_cause() {
        let mut queue = Queue::new();
        for (at, thing) in [(3, 'd'), (1, 'a'), (2, 'b'), (2, 'c'), (3, 'e')] {
            queue.push(Instant::from_millis(at), thing);
        }
        let order: String = std::iter::from_fn(|| queue.pop()).map(|(_, thing)| thing).collect();
        assert_eq!(order, "abcde");
        assert!(queue.is_empty());
    }
}
