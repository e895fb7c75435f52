//! The dead and the gone, in the order of their end: whom to gossip to for a while, and whom to
//! forget.
//!
//! An entry may be outdated, because its member came back: the time of its end tells them apart.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::{heap, limits::UNVALIDATED_REAP_AFTER, table::MemberIndex, time::Instant};

/// One end of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grave {
    pub(crate) member: MemberIndex,
    /// Since when it is dead or gone.
    pub(crate) since: Instant,
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Graveyard {
    /// Of those that had shown that they were at their addresses.
    validated: VecDeque<Grave>,
    /// How many of the first of these are too old to be gossiped to.
    quiet: usize,
    /// Of the others.
    unvalidated: VecDeque<Grave>,
}

impl Graveyard {
    /// What it takes on the heap at most: two graves for each member, two beyond them, and one more
    /// before they are swept; and who is seen while they are.
    pub(crate) const fn heap_max(members: u64) -> u64 {
        const QUEUES: u64 = 2;
        let graves = members.saturating_mul(2).saturating_add(3);
        heap::vec(graves, size_of::<Grave>())
            .saturating_mul(QUEUES)
            .saturating_add(heap::btree(members, size_of::<MemberIndex>()))
    }

    pub(crate) fn push(&mut self, member: MemberIndex, is_validated: bool, now: Instant) {
        let graves = if is_validated { &mut self.validated } else { &mut self.unvalidated };
        graves.push_back(Grave { member, since: now });
    }

    /// When the next one is to be forgotten.
    pub(crate) fn next_due(&self, reap_after: Duration) -> Option<Instant> {
        let validated = self.validated.front().map(|grave| grave.since + reap_after);
        let unvalidated = self.unvalidated.front().map(|grave| grave.since + shorter(reap_after));
        validated.into_iter().chain(unvalidated).min()
    }

    /// Takes out one that is old enough to be forgotten.
    pub(crate) fn pop_due(&mut self, now: Instant, reap_after: Duration) -> Option<Grave> {
        let is_due = |grave: &Grave, after| grave.since + after <= now;
        if self.validated.front().is_some_and(|grave| is_due(grave, reap_after)) {
            return self.pop_validated();
        }
        let shorter = shorter(reap_after);
        let is_due = self.unvalidated.front().is_some_and(|grave| is_due(grave, shorter));
        if is_due { self.unvalidated.pop_front() } else { None }
    }

    /// Takes out the oldest that may go: those first that were never validated. Who died or left
    /// later than one that may not, may not go either. (X10)
    pub(crate) fn pop(&mut self, may_go: impl Fn(&Grave) -> bool) -> Option<Grave> {
        if self.unvalidated.front().is_some_and(&may_go) {
            return self.unvalidated.pop_front();
        }
        if self.validated.front().is_some_and(may_go) { self.pop_validated() } else { None }
    }

    fn pop_validated(&mut self) -> Option<Grave> {
        self.quiet = self.quiet.saturating_sub(1);
        self.validated.pop_front()
    }

    /// Drops outdated entries.
    pub(crate) fn retain(&mut self, mut is_current: impl FnMut(&Grave) -> bool) {
        self.validated.retain(&mut is_current);
        self.unvalidated.retain(is_current);
        self.quiet = 0; // Counted anew when next asked for.
    }

    /// How many may be gossiped to: those that were validated and are young enough.
    pub(crate) fn recent(&mut self, now: Instant, gossip_to_dead: Duration) -> usize {
        let is_old = |grave: &Grave| grave.since + gossip_to_dead <= now;
        while self.validated.get(self.quiet).is_some_and(is_old) {
            self.quiet += 1;
        }
        self.validated.len() - self.quiet
    }

    /// One of those counted by [`recent`](Self::recent).
    pub(crate) fn nth_recent(&self, n: usize) -> Grave {
        self.validated[self.quiet + n]
    }

    pub(crate) fn len(&self) -> usize {
        self.validated.len() + self.unvalidated.len()
    }
}

/// When those are forgotten that were never validated.
fn shorter(reap_after: Duration) -> Duration {
    reap_after.min(UNVALIDATED_REAP_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_gossiped_to_for_a_while_and_then_forgotten_in_order() {
        let second = Duration::from_secs(1);
        let at = |seconds: u64| Instant::from_millis(seconds * 1000);
        let mut graveyard = Graveyard::default();
        (0..5).for_each(|n| graveyard.push(MemberIndex::new(n), true, at(u64::from(n))));
        assert_eq!(graveyard.recent(at(4), second * 3), 3);
        assert_eq!(graveyard.nth_recent(0).member, MemberIndex::new(2));
        assert_eq!(graveyard.pop_due(at(9), second * 10), None);
        assert_eq!(graveyard.next_due(second * 10), Some(at(10)));
        let first = graveyard.pop_due(at(10), second * 10).unwrap();
        assert_eq!((first.member, first.since), (MemberIndex::new(0), at(0)));
        assert_eq!((graveyard.len(), graveyard.recent(at(10), second * 3)), (4, 0));
    }

    #[test]
    fn x10_who_never_answered_is_forgotten_sooner_and_makes_room_first() {
        let mut graveyard = Graveyard::default();
        let at = |seconds: u64| Instant::from_millis(seconds * 1000);
        for (n, is_validated) in
            [(0, true), (1, false), (2, true), (3, false), (4, true), (5, false)]
        {
            graveyard.push(MemberIndex::new(n), is_validated, at(u64::from(n)));
        }
        let day = Duration::from_secs(86_400);
        assert_eq!(graveyard.recent(at(5), day), 3, "it may be anybody's address");
        assert_eq!(graveyard.next_due(day), Some(at(601)));
        assert_eq!(graveyard.pop_due(at(600), day), None);
        assert_eq!(graveyard.pop_due(at(601), day).unwrap().member, MemberIndex::new(1));
        let second = Duration::from_secs(1);
        assert_eq!(graveyard.next_due(second), Some(at(1)), "never later than the others");
        let popped = core::iter::from_fn(|| graveyard.pop(|grave| grave.since <= at(3)));
        let popped: alloc::vec::Vec<_> = popped.map(|grave| grave.member.as_u32()).collect();
        assert_eq!(popped, [3, 0, 2], "and who has just died stays");
    }
}
