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
    /// A digest of the deadlines of each kind.
    #[cfg(feature = "simulation")]
    digests: Digests,
}

/// For each kind of timer in its order a number that is another where any of its deadlines is.
#[cfg(feature = "simulation")]
pub(crate) type Digests = [u64; Timer::Reconnect as usize + 1];

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
        #[cfg(feature = "simulation")]
        old.into_iter().chain(new).for_each(|at| self.note(at, timer, key));
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<(Instant, Timer)> {
        self.queue.first().map(|&(at, timer, _)| (at, timer))
    }

    /// Takes out the next deadline if it has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<(Instant, Timer, Key)> {
        let &(at, ..) = self.queue.first()?;
        if at > now {
            return None;
        }
        #[cfg(feature = "simulation")]
        if let Some(&(at, timer, key)) = self.queue.first() {
            self.note(at, timer, key);
        }
        self.queue.pop_first()
    }

    /// How many deadlines there are.
    #[cfg(feature = "simulation")]
    pub(crate) fn audit_len(&self) -> usize {
        self.queue.len()
    }

    /// The digests of all deadlines.
    #[cfg(feature = "simulation")]
    pub(crate) const fn digests(&self) -> Digests {
        self.digests
    }

    /// A deadline comes or goes.
    #[cfg(feature = "simulation")]
    fn note(&mut self, at: Instant, timer: Timer, key: Key) {
        /// Odd numbers without a pattern: the fraction of the golden ratio, and that of pi.
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        const PI: u64 = 0x243F_6A88_85A3_08D3;
        let mixed = (at.as_nanos() ^ key.wrapping_mul(PI)).wrapping_mul(GOLDEN);
        self.digests[timer as usize] ^= (mixed ^ (mixed >> 29)).wrapping_mul(PI);
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

    #[cfg(feature = "simulation")]
    #[test]
    fn the_digest_of_a_kind_tells_whether_any_deadline_of_it_moved() {
        let mut timers = Timers::default();
        let [one, other] = [1, 2].map(Instant::from_millis);
        timers.reset(Timer::Ping, 1, None, Some(one));
        let before = timers.digests();
        timers.reset(Timer::Ping, 2, None, Some(other));
        let both = timers.digests();
        assert_ne!(both[Timer::Ping as usize], before[Timer::Ping as usize]);
        timers.reset(Timer::Ping, 2, Some(other), Some(one));
        timers.reset(Timer::Ping, 1, Some(one), Some(other));
        assert_ne!(timers.digests(), both, "whose each is counts");
        timers.reset(Timer::Ping, 2, Some(one), Some(other));
        timers.reset(Timer::Ping, 1, Some(other), Some(one));
        assert_eq!(timers.digests(), both);
        assert_eq!(timers.pop_due(one), Some((one, Timer::Ping, 1)));
        timers.reset(Timer::Ping, 1, None, Some(one));
        timers.reset(Timer::Ping, 2, Some(other), None);
        assert_eq!(timers.digests(), before);
        timers.reset(Timer::Stream, 1, None, Some(one));
        assert_eq!(timers.digests()[Timer::Ping as usize], before[Timer::Ping as usize]);
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
