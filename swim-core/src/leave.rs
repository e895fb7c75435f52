//! A leave under way.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::{table::MemberIndex, time::Instant};

/// So many members that confirm are enough: each of them tells others.
pub(crate) const CONFIRMATIONS: usize = 3;

/// Who was told, and who confirmed.
#[derive(Debug)]
pub(crate) struct Leave {
    pub(crate) deadline: Instant,
    /// When the next members are told; the timer is set to this or the deadline.
    pub(crate) wake_at: Instant,
    /// Who was asked to confirm, by the nonce of the ping.
    pub(crate) asked: BTreeMap<u64, MemberIndex>,
    pub(crate) told: BTreeSet<MemberIndex>,
    pub(crate) confirmed: BTreeSet<MemberIndex>,
    pub(crate) members: usize,
}

impl Leave {
    /// A member was reaped: its index will be somebody else's.
    pub(crate) fn forget(&mut self, member: MemberIndex) {
        self.asked.retain(|_, asked| *asked != member);
    }

    pub(crate) fn is_done(&self) -> bool {
        self.confirmed.len() >= CONFIRMATIONS.min(self.members)
    }
}
