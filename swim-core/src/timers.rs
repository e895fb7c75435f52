//! The deadlines of a node, in order. Ties are broken by kind, then by key, never by chance.

use alloc::collections::BTreeSet;

use crate::{heap, io::Timer, time::Instant};

/// What a deadline belongs to: a member, stream, join, ping or relay number; 0 for the node.
pub(crate) type Key = u64;

/// A set of deadlines. Whoever sets one keeps its time and cancels it exactly, so that nothing
/// stale is left behind to fire.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeSet<(Instant, Timer, Key)>,
}

impl Timers {
    /// What so many deadlines take on the heap at most.
    pub(crate) const fn heap_max(deadlines: u64) -> u64 {
        heap::btree(deadlines, size_of::<(Instant, Timer, Key)>())
    }

    /// Moves a deadline from `old` to `new`; `None` stands for "not set".
    pub(crate) fn reset(
        &mut self,
        timer: Timer,
        key: Key,
        old: Option<Instant>,
        new: Option<Instant>,
    ) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.queue.remove(&(old, timer, key));
        }
        if let Some(new) = new {
            self.queue.insert((new, timer, key));
        }
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<(Instant, Timer)> {
        self.queue.first().map(|&(at, timer, _)| (at, timer))
    }

    /// Takes out the next deadline if it has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, Timer, Key)> {
        let &(at, ..) = self.queue.first()?;
        if at > now { None } else { self.queue.pop_first() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_of_time_then_kind_then_key() {
        let mut timers = Timers::default();
        let (early, late) = (Instant::from_millis(1), Instant::from_millis(2));
        timers.reset(Timer::Gossip, 0, None, Some(late));
        timers.reset(Timer::Suspicion, 9, None, Some(early));
        timers.reset(Timer::Suspicion, 3, None, Some(early));
        timers.reset(Timer::ProbeDeadline, 0, None, Some(early));
        assert_eq!(timers.next(), Some((early, Timer::ProbeDeadline)));
        assert_eq!(timers.pop_due(Instant::ORIGIN), None);
        let mut order = alloc::vec::Vec::new();
        while let Some((_, timer, key)) = timers.pop_due(late) {
            order.push((timer, key));
        }
        let expected = [
            (Timer::ProbeDeadline, 0),
            (Timer::Suspicion, 3),
            (Timer::Suspicion, 9),
            (Timer::Gossip, 0),
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn a_moved_deadline_fires_once_at_its_new_time() {
        let mut timers = Timers::default();
        let at = Instant::from_millis;
        timers.reset(Timer::Stream, 5, None, Some(at(10)));
        timers.reset(Timer::Stream, 5, Some(at(10)), Some(at(20)));
        assert_eq!(timers.pop_due(at(15)), None);
        assert_eq!(timers.pop_due(at(20)), Some((at(20), Timer::Stream, 5)));
        assert_eq!(timers.pop_due(at(99)), None);
    }
}
