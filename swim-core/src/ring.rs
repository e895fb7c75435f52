//! An endless walk over members in rounds: each round visits everybody once, in a fresh random
//! order. SWIM 4.3: "round-robin probe target selection".
//!
//! The order is shuffled as the walk goes (one swap a step), never all at once, so that a step
//! costs the same in a cluster of ten and of a hundred thousand. Members that are gone are dropped
//! when the walk meets them. While the set does not change, at most 2m - 1 steps lie between two
//! visits of one member. (P2)

use alloc::vec::Vec;

use crate::{heap, rng::Rng, table::MemberIndex};

/// The order of the walk. The part before the cursor was visited this round.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    order: Vec<MemberIndex>,
    cursor: usize,
    /// One bit per member index: whether it stands in `order`.
    present: Vec<u64>,
}

impl Ring {
    /// What it takes on the heap at most, with so many members.
    pub(crate) const fn heap_max(members: u64) -> u64 {
        let order = heap::vec(members, size_of::<MemberIndex>());
        order.saturating_add(heap::vec(members / 64 + 1, size_of::<u64>()))
    }

    /// Adds a member; it is visited within the running round. Does nothing if it is there already.
    pub(crate) fn insert(&mut self, member: MemberIndex) {
        let (word, bit) = place(member);
        if word >= self.present.len() {
            self.present.resize(word + 1, 0);
        }
        if self.present[word] & bit == 0 {
            self.present[word] |= bit;
            self.order.push(member);
        }
    }

    /// Adds all members below this one but the node itself.
    #[cfg(feature = "simulation")]
    pub(crate) fn fill(&mut self, end: MemberIndex) {
        self.order.reserve_exact(end.as_usize());
        (1..end.as_u32()).for_each(|index| self.insert(MemberIndex::new(index)));
    }

    /// The next member to visit. Those met that do not belong there any more are dropped.
    pub(crate) fn next(
        &mut self,
        rng: &mut Rng,
        mut belongs: impl FnMut(MemberIndex) -> bool,
    ) -> Option<MemberIndex> {
        while !self.order.is_empty() {
            if self.cursor >= self.order.len() {
                self.cursor = 0;
            }
            let chosen = self.cursor + rng.below(self.order.len() - self.cursor);
            let member = self.order[chosen];
            if belongs(member) {
                self.order.swap(self.cursor, chosen);
                self.cursor += 1;
                return Some(member);
            }
            self.order.swap_remove(chosen);
            let (word, bit) = place(member);
            self.present[word] &= !bit;
        }
        None
    }

    /// A member picked at random, without moving the walk.
    pub(crate) fn sample(&self, rng: &mut Rng) -> Option<MemberIndex> {
        if self.order.is_empty() { None } else { Some(self.order[rng.below(self.order.len())]) }
    }

    /// How many members stand in the ring, the gone ones that were not met yet included.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }
}

fn place(member: MemberIndex) -> (usize, u64) {
    let index = member.as_usize();
    (index / 64, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;

    fn walk(ring: &mut Ring, rng: &mut Rng, steps: usize) -> Vec<u32> {
        (0..steps).map(|_| ring.next(rng, |_| true).unwrap().as_u32()).collect()
    }

    #[test]
    fn p2_each_round_visits_everybody_once() {
        let (mut rng, _) = rng::streams([1; 32]);
        let mut ring = Ring::default();
        (0..50).for_each(|i| ring.insert(MemberIndex::new(i)));
        let mut orders = Vec::new();
        for _ in 0..20 {
            let mut round = walk(&mut ring, &mut rng, 50);
            orders.push(round.clone());
            round.sort_unstable();
            assert!(round.iter().copied().eq(0..50));
        }
        orders.dedup();
        assert_eq!(orders.len(), 20, "each round has an order of its own");
    }

    #[test]
    fn newcomers_are_visited_this_round_and_the_gone_never_again() {
        let (mut rng, _) = rng::streams([2; 32]);
        let mut ring = Ring::default();
        (0..10).for_each(|i| ring.insert(MemberIndex::new(i)));
        let seen = walk(&mut ring, &mut rng, 4);
        ring.insert(MemberIndex::new(10));
        ring.insert(MemberIndex::new(10));
        let gone = seen[0];
        let rest: Vec<u32> =
            (0..7).map(|_| ring.next(&mut rng, |_| true).unwrap().as_u32()).collect();
        assert!(rest.contains(&10) && rest.iter().all(|m| !seen.contains(m)));
        let mut belongs = |member: MemberIndex| member.as_u32() != gone;
        for _ in 0..30 {
            assert_ne!(ring.next(&mut rng, &mut belongs).unwrap().as_u32(), gone);
        }
        assert_eq!(ring.len(), 10);
    }

    #[test]
    fn a_walk_that_meets_nobody_ends() {
        let (mut rng, _) = rng::streams([3; 32]);
        let mut ring = Ring::default();
        assert_eq!(ring.next(&mut rng, |_| true), None);
        (0..3).for_each(|i| ring.insert(MemberIndex::new(i)));
        assert_eq!(ring.next(&mut rng, |_| false), None);
        assert_eq!(ring.len(), 0);
    }
}
