//! The grace a suspect has to say that it lives. It starts long and shrinks with each independent
//! confirmation: one slow accuser is probably the sick one, several are probably right.
//! Lifeguard, LHA-Suspicion; memberlist suspicion.go.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{heap, math, stamp::Stamp, table::Arrival, time::Instant};

/// One running suspicion. It is about one stamp and ends with it, so that one that was refuted,
/// renamed or reaped can never fire. (P3)
#[derive(Debug)]
pub(crate) struct Suspicion {
    stamp: Stamp,
    begun_at: Instant,
    /// From when on its time is counted: what the node slept through since it began is none.
    started_at: Instant,
    /// Since when its subject could have been heard answering.
    open_since: Instant,
    deadline: Instant,
    min: Duration,
    max: Duration,
    needed: u32,
    /// The first accuser, which never counts, and those that confirmed. What one said stands when
    /// it is reaped, and what the next one at its place says counts.
    accusers: Vec<Arrival>,
}

/// What the timeouts are computed from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) mult: u32,
    pub(crate) max_mult: u32,
    pub(crate) probe_interval: Duration,
    /// Live members, this node included.
    pub(crate) members: usize,
}

impl Suspicion {
    /// A suspicion raised by `accuser`.
    pub(crate) fn new(stamp: Stamp, accuser: Arrival, pace: Pace, now: Instant) -> Self {
        let Pace { mult, max_mult, probe_interval, members } = pace;
        let (min, max) = math::suspicion_bounds(mult, max_mult, members, probe_interval);
        let needed = confirmations_needed(mult, members);
        let timeout = math::suspicion_timeout(0, needed, min, max);
        let deadline = now + timeout;
        let (begun_at, started_at, open_since) = (now, now, now);
        let accusers = Vec::from([accuser]);
        Self { stamp, begun_at, started_at, open_since, deadline, min, max, needed, accusers }
    }

    /// What one takes on the heap at most beside itself: its accusers.
    pub(crate) const fn heap_max(mult: u32) -> u64 {
        heap::vec(mult as u64, size_of::<Arrival>())
    }

    /// Counts an accuser that was not heard before; returns whether that was news worth passing on.
    /// If the time that is left with it is over already, it is over now: a deadline in the past
    /// would look as if this node had slept. (P7)
    pub(crate) fn confirm(&mut self, accuser: Arrival, now: Instant) -> bool {
        if self.confirmations() >= self.needed || self.accusers.contains(&accuser) {
            return false;
        }
        self.accusers.push(accuser);
        let (count, needed) = (self.confirmations(), self.needed);
        let timeout = math::suspicion_timeout(count, needed, self.min, self.max);
        self.deadline = self.deadline.min((self.started_at + timeout).max(now));
        true
    }

    /// Gives back the time that this node itself slept through, and more if all confirmations
    /// together could make it run out before `earliest`: what waits to be heard may confirm it, or
    /// refute it a moment later. (P7)
    pub(crate) fn extend(&mut self, slept: Duration, [now, earliest]: [Instant; 2]) {
        self.open_since = now;
        let slept = slept.max(earliest.saturating_since(self.started_at + self.min));
        self.started_at = self.started_at + slept;
        self.deadline = self.deadline + slept;
    }

    /// When it began and ends, its bounds, and the confirmations it has and hopes for.
    #[cfg(feature = "simulation")]
    pub(crate) fn audit(&self) -> ([Instant; 2], [Duration; 2], [u32; 2]) {
        let times = [self.started_at, self.deadline];
        (times, [self.min, self.max], [self.confirmations(), self.needed])
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    pub(crate) fn begun_at(&self) -> Instant {
        self.begun_at
    }

    pub(crate) fn open_since(&self) -> Instant {
        self.open_since
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether it ran out with fewer confirmations than hoped for (memberlist:
    /// `degraded.timeout`).
    pub(crate) fn lacks_confirmations(&self) -> bool {
        self.confirmations() < self.needed
    }

    fn confirmations(&self) -> u32 {
        u32::try_from(self.accusers.len() - 1).expect("bounded by `needed`")
    }
}

/// Lifeguard's K: two fewer than the multiplier, and none at all in clusters too small to have as
/// many independent witnesses (memberlist state.go: `suspectNode`).
fn confirmations_needed(mult: u32, members: usize) -> u32 {
    let needed = mult.saturating_sub(2);
    if members < needed as usize + 2 { 0 } else { needed }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace =
        Pace { mult: 4, max_mult: 6, probe_interval: Duration::from_secs(1), members: 9 };

    fn accuser(n: u32) -> Arrival {
        Arrival::new(n)
    }

    fn seconds(suspicion: &Suspicion) -> Duration {
        suspicion.deadline().saturating_since(Instant::ORIGIN)
    }

    #[test]
    fn independent_confirmations_shrink_the_timeout() {
        let mut suspicion = Suspicion::new(Stamp::new(1, 1), accuser(5), PACE, Instant::ORIGIN);
        assert_eq!(seconds(&suspicion), Duration::from_secs(24));
        assert!(!suspicion.confirm(accuser(5), Instant::ORIGIN), "the first accuser never counts");
        assert!(suspicion.lacks_confirmations());
        assert!(suspicion.confirm(accuser(6), Instant::ORIGIN));
        assert!(!suspicion.confirm(accuser(6), Instant::ORIGIN), "nobody counts twice");
        assert_eq!(seconds(&suspicion), Duration::from_millis(11_381));
        assert!(suspicion.confirm(accuser(7), Instant::ORIGIN));
        assert_eq!(seconds(&suspicion), Duration::from_secs(4));
        assert!(!suspicion.confirm(accuser(8), Instant::ORIGIN), "enough is enough");
        assert!(!suspicion.lacks_confirmations());
    }

    #[test]
    fn p7_confirmations_that_waited_while_we_slept_do_not_end_it_at_once() {
        let mut suspicion = Suspicion::new(Stamp::new(1, 1), accuser(5), PACE, Instant::ORIGIN);
        let woken = Instant::ORIGIN + Duration::from_secs(30);
        let earliest = woken + PACE.probe_interval;
        suspicion.extend(Duration::from_secs(10), [woken, earliest]);
        assert_eq!(seconds(&suspicion), Duration::from_secs(51), "min is still ahead of it");
        (6..8).for_each(|nth| assert!(suspicion.confirm(accuser(nth), Instant::ORIGIN)));
        assert_eq!(suspicion.deadline(), earliest);

        let begun = Instant::ORIGIN + Duration::from_secs(1);
        let mut young = Suspicion::new(Stamp::new(1, 1), accuser(5), PACE, begun);
        young.extend(Duration::from_secs(29), [woken, earliest]);
        assert_eq!((young.begun_at(), young.open_since()), (begun, woken));
        assert_eq!(seconds(&young), Duration::from_secs(54), "only what it slept through");
    }

    #[test]
    fn tiny_clusters_do_not_wait_for_witnesses_they_do_not_have() {
        let table =
            [(4, 1, 0), (4, 3, 0), (4, 4, 2), (2, 100, 0), (1, 100, 0), (6, 5, 0), (6, 6, 4)];
        for (mult, members, needed) in table {
            assert_eq!(confirmations_needed(mult, members), needed, "{mult} of {members}");
        }
        let pace = Pace { members: 3, ..PACE };
        let suspicion = Suspicion::new(Stamp::new(1, 1), accuser(1), pace, Instant::ORIGIN);
        assert_eq!(seconds(&suspicion), Duration::from_secs(4));
    }
}
