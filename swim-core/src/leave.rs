//! A leave under way.

use alloc::collections::{BTreeSet, VecDeque};

use crate::{heap, stamp::Life, table::MemberIndex, time::Instant};

/// So many members that confirm are enough: each of them tells others.
pub(crate) const CONFIRMATIONS: usize = 3;

/// Pings whose answers are waited for at most. Whoever leaves says how long it may take, and where
/// nobody answers it asks a few more twice a second: the answers to the first are long lost. (M1)
const ASKED_MAX: usize = 1_024;

/// Who was told, and who confirmed.
#[derive(Debug)]
pub(crate) struct Leave {
    pub(crate) deadline: Instant,
    /// When the next members are told; the timer is set to this or the deadline.
    pub(crate) wake_at: Instant,
    /// Who was asked to confirm, the last at the end.
    asked: VecDeque<Asked>,
    pub(crate) told: BTreeSet<MemberIndex>,
    pub(crate) confirmed: BTreeSet<MemberIndex>,
    pub(crate) members: usize,
}

/// Somebody who was asked to confirm.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The nonce of the ping.
    nonce: u64,
    member: MemberIndex,
    /// The life in which it was known.
    life: Life,
}

impl Leave {
    /// Nobody was asked yet.
    pub(crate) fn new(deadline: Instant, members: usize) -> Self {
        let (told, confirmed) = (BTreeSet::new(), BTreeSet::new());
        Self { deadline, wake_at: deadline, asked: VecDeque::new(), told, confirmed, members }
    }

    /// What it takes on the heap at most, with so many members. Who is told after it takes no more:
    /// by then nothing of this is left.
    pub(crate) const fn heap_max(members: u64) -> u64 {
        let asked = heap::vec(ASKED_MAX as u64, size_of::<Asked>());
        asked.saturating_add(2 * heap::btree(members, size_of::<MemberIndex>()))
    }

    /// Somebody is asked to confirm, with a ping of this nonce.
    pub(crate) fn ask(&mut self, nonce: u64, member: MemberIndex, life: Life) {
        if self.asked.len() >= ASKED_MAX {
            self.asked.pop_front();
        }
        self.asked.push_back(Asked { nonce, member, life });
        self.told.insert(member);
    }

    /// Who was asked with a ping of this nonce.
    pub(crate) fn asked(&self, nonce: u64) -> Option<MemberIndex> {
        self.asked.iter().find(|asked| asked.nonce == nonce).map(|asked| asked.member)
    }

    /// How many answers are waited for.
    #[cfg(feature = "simulation")]
    pub(crate) fn audit_asked(&self) -> usize {
        self.asked.len()
    }

    /// Whether the one who was asked with a ping of this nonce, and answers in this life, has
    /// started anew since. It has not heard of the leave then, and is to be told again.
    pub(crate) fn is_unheard(&mut self, nonce: u64, life: Life) -> bool {
        let is_it = |asked: &Asked| asked.nonce == nonce && asked.life < life;
        let Some(place) = self.asked.iter().position(is_it) else { return false };
        if let Some(asked) = self.asked.remove(place) {
            self.told.remove(&asked.member);
        }
        true
    }

    /// A member was reaped: its index will be somebody else's.
    pub(crate) fn forget(&mut self, member: MemberIndex) {
        self.asked.retain(|asked| asked.member != member);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.confirmed.len() >= CONFIRMATIONS.min(self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_the_first_asked_are_forgotten_where_nobody_answers() {
        let mut leave = Leave::new(Instant::ORIGIN, 3);
        let member = |nonce: u64| MemberIndex::new(1 + (nonce % 3) as u32);
        (0..=ASKED_MAX as u64).for_each(|nonce| leave.ask(nonce, member(nonce), Life(1)));
        assert_eq!(leave.asked(0), None);
        (1..=ASKED_MAX as u64)
            .for_each(|nonce| assert_eq!(leave.asked(nonce), Some(member(nonce))));
        assert_eq!((leave.asked.len(), leave.told.len()), (ASKED_MAX, 3));
    }
}
