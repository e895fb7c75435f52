//! Pings on behalf of others, bounded in rate and number, so that nobody can make this node attack
//! a third party. (X6)

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::time::Duration;

use crate::{
    heap,
    limits::{RELAYS_BURST, RELAYS_MAX, RELAYS_PER_SECOND},
    table::MemberIndex,
    time::Instant,
};

/// One ping for somebody else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relay {
    pub(crate) requester: MemberIndex,
    pub(crate) requester_nonce: u64,
    /// In how many bytes it asked.
    pub(crate) asked_len: usize,
    pub(crate) target: MemberIndex,
    /// When the requester is told that there is no answer yet, and after that, when it is given up.
    pub(crate) deadline: Instant,
    pub(crate) nacked: bool,
    /// Whether the requester wants to be told at all.
    pub(crate) wants_nack: bool,
}

/// The pings under way for others, by the nonce of our own ping.
#[derive(Debug, Default)]
pub(crate) struct Relays {
    pending: BTreeMap<u64, Relay>,
    /// Whom each of them concerns: who asked for it, and who is asked.
    parties: BTreeSet<(MemberIndex, u64)>,
    budgets: BTreeMap<MemberIndex, Budget>,
}

/// A token bucket, in thousandths of a request.
#[derive(Clone, Copy, Debug)]
struct Budget {
    millis: u64,
    at: Instant,
}

impl Relays {
    /// What they take on the heap at most, with so many members that may ask, and all of them
    /// concerning one who is gone.
    pub(crate) const fn heap_max(members: u64) -> u64 {
        const MAX: u64 = RELAYS_MAX as u64;
        let pending = heap::btree(MAX, size_of::<(u64, Relay)>());
        let parties = heap::btree(2 * MAX, size_of::<(MemberIndex, u64)>());
        let gone = heap::vec(MAX, size_of::<u64>()) + heap::vec(MAX, size_of::<(u64, Relay)>());
        let budgets = heap::btree(members, size_of::<(MemberIndex, Budget)>());
        budgets.saturating_add(pending + parties + gone)
    }

    /// Takes a request on, unless its sender asks too often or too many are under way.
    pub(crate) fn accept(&mut self, nonce: u64, relay: Relay, now: Instant) -> bool {
        if self.pending.len() >= RELAYS_MAX || !self.spend(relay.requester, now) {
            return false;
        }
        self.pending.insert(nonce, relay);
        self.parties.extend([relay.requester, relay.target].map(|party| (party, nonce)));
        true
    }

    /// Takes out a ping that was answered by its target.
    pub(crate) fn answered(&mut self, nonce: u64, by: MemberIndex) -> Option<Relay> {
        self.pending.get(&nonce).filter(|relay| relay.target == by)?;
        self.remove(nonce)
    }

    pub(crate) fn get_mut(&mut self, nonce: u64) -> Option<&mut Relay> {
        self.pending.get_mut(&nonce)
    }

    /// Whom a ping of this nonce went to.
    pub(crate) fn target(&self, nonce: u64) -> Option<MemberIndex> {
        self.pending.get(&nonce).map(|relay| relay.target)
    }

    /// How many pings are under way.
    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    /// Of how many members the share is kept.
    #[cfg(feature = "simulation")]
    pub(crate) fn audit_budgets(&self) -> usize {
        self.budgets.len()
    }

    pub(crate) fn remove(&mut self, nonce: u64) -> Option<Relay> {
        let relay = self.pending.remove(&nonce)?;
        for party in [relay.requester, relay.target] {
            self.parties.remove(&(party, nonce));
        }
        Some(relay)
    }

    /// Forgets what concerns a member that was reaped: its index will be somebody else's. Returns
    /// what has to be cancelled.
    pub(crate) fn forget(&mut self, member: MemberIndex) -> Vec<(u64, Relay)> {
        self.budgets.remove(&member);
        let concerns = self.parties.range((member, 0)..=(member, u64::MAX));
        let nonces: Vec<u64> = concerns.map(|&(_, nonce)| nonce).collect();
        let gone = nonces.into_iter().filter_map(|nonce| Some((nonce, self.remove(nonce)?)));
        gone.collect()
    }

    /// Whether this node sends one more packet for this member. (X6)
    pub(crate) fn spend(&mut self, requester: MemberIndex, now: Instant) -> bool {
        const FULL: u64 = RELAYS_BURST * 1000;
        let budget = self.budgets.entry(requester).or_insert(Budget { millis: FULL, at: now });
        let elapsed = now.saturating_since(budget.at).min(Duration::from_secs(3600));
        let earned = elapsed.as_millis() as u64 * RELAYS_PER_SECOND;
        let millis = (budget.millis + earned).min(FULL);
        if millis < 1000 {
            return false;
        }
        *budget = Budget { millis: millis - 1000, at: now };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relay(requester: u32) -> Relay {
        Relay {
            requester: MemberIndex::new(requester),
            requester_nonce: 1,
            asked_len: 100,
            target: MemberIndex::new(9),
            deadline: Instant::ORIGIN,
            nacked: false,
            wants_nack: true,
        }
    }

    #[test]
    fn x6_one_requester_gets_a_burst_and_then_ten_a_second() {
        let mut relays = Relays::default();
        let accepted = (0..100).filter(|&n| relays.accept(n, relay(1), Instant::ORIGIN)).count();
        assert_eq!(accepted, 20);
        assert!(relays.accept(200, relay(2), Instant::ORIGIN), "others have their own budget");
        let later = Instant::from_millis(1000);
        assert_eq!((300..400).filter(|&n| relays.accept(n, relay(1), later)).count(), 10);
    }

    #[test]
    fn x6_only_so_many_are_under_way() {
        let mut relays = Relays::default();
        let n = RELAYS_MAX as u64;
        for i in 0..n {
            assert!(relays.accept(i, relay(u32::try_from(i).unwrap()), Instant::ORIGIN));
        }
        assert!(!relays.accept(n, relay(9999), Instant::ORIGIN));
        assert!(relays.answered(5, MemberIndex::new(8)).is_none(), "only the target answers");
        assert!(relays.answered(5, MemberIndex::new(9)).is_some());
        assert!(relays.accept(n, relay(9999), Instant::ORIGIN));
        assert_eq!(relays.forget(MemberIndex::new(1)).len(), 1, "who asked");
        assert_eq!(relays.forget(MemberIndex::new(9)).len(), RELAYS_MAX - 1, "who was asked");
        assert!(relays.pending.is_empty() && relays.parties.is_empty());
    }
}
