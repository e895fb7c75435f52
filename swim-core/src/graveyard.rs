//! The dead and the gone, in the order of their end: whom to gossip to for a while, and whom to
//! forget.
//!
//! An entry may be outdated, because its member came back: the time of its end tells them apart.

use alloc::collections::VecDeque;
use core::time::Duration;

use crate::{heap, table::MemberIndex, time::Instant};

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
    graves: VecDeque<Grave>,
    /// How many of the first are too old to be gossiped to.
    quiet: usize,
}

impl Graveyard {
    /// What it takes on the heap at most: two graves for each member, two beyond them, and one more
    /// before they are swept; and who is seen while they are.
    pub(crate) const fn heap_max(members: u64) -> u64 {
        let graves = members.saturating_mul(2).saturating_add(3);
        heap::vec(graves, size_of::<Grave>())
            .saturating_add(heap::btree(members, size_of::<MemberIndex>()))
    }

    pub(crate) fn push(&mut self, member: MemberIndex, now: Instant) {
        self.graves.push_back(Grave { member, since: now });
    }

    /// When the oldest is to be forgotten.
    pub(crate) fn next_due(&self, reap_after: Duration) -> Option<Instant> {
        self.graves.front().map(|grave| grave.since + reap_after)
    }

    /// Takes out the oldest, if it is old enough to be forgotten.
    pub(crate) fn pop_due(&mut self, now: Instant, reap_after: Duration) -> Option<Grave> {
        if self.next_due(reap_after)? > now {
            return None;
        }
        self.quiet = self.quiet.saturating_sub(1);
        self.graves.pop_front()
    }

    /// Drops outdated entries.
    pub(crate) fn retain(&mut self, is_current: impl FnMut(&Grave) -> bool) {
        self.graves.retain(is_current);
        self.quiet = 0; // Counted anew when next asked for.
    }

    /// How many are young enough to be gossiped to.
    pub(crate) fn recent(&mut self, now: Instant, gossip_to_dead: Duration) -> usize {
        while self.graves.get(self.quiet).is_some_and(|grave| grave.since + gossip_to_dead <= now) {
            self.quiet += 1;
        }
        self.graves.len() - self.quiet
    }

    /// One of those counted by [`recent`](Self::recent).
    pub(crate) fn nth_recent(&self, n: usize) -> Grave {
        self.graves[self.quiet + n]
    }

    pub(crate) fn len(&self) -> usize {
        self.graves.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dead_are_gossiped_to_for_a_while_and_then_forgotten_in_order() {
        let second = Duration::from_secs(1);
        let at = |seconds: u64| Instant::from_millis(seconds * 1000);
        let mut graveyard = Graveyard::default();
        (0..5).for_each(|n| graveyard.push(MemberIndex::new(n), at(u64::from(n))));
        assert_eq!(graveyard.recent(at(4), second * 3), 3);
        assert_eq!(graveyard.nth_recent(0).member, MemberIndex::new(2));
        assert_eq!(graveyard.pop_due(at(9), second * 10), None);
        assert_eq!(graveyard.next_due(second * 10), Some(at(10)));
        let first = graveyard.pop_due(at(10), second * 10).unwrap();
        assert_eq!((first.member, first.since), (MemberIndex::new(0), at(0)));
        assert_eq!((graveyard.len(), graveyard.recent(at(10), second * 3)), (4, 0));
    }
}
