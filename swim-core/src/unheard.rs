//! Accusations of ours that nobody is known to have heard.
//!
//! Gossip sends an accusation a few times and asks for no answer. Where part of the network is cut,
//! all of those can be lost; then nobody can refute or doubt it, and after its time this node would
//! declare somebody dead who lives, and everybody would hear of *that*. So an accusation rides on
//! our probes until one that carried it is answered. (L5)

use alloc::collections::VecDeque;

use crate::{stamp::Stamp, table::MemberIndex};

/// Accusations that ride along at most. More of them are a failure of many, which nobody needs to
/// be told of by us alone.
const UNHEARD_MAX: usize = 64;

/// The accusations, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Unheard(VecDeque<(MemberIndex, Stamp)>);

impl Unheard {
    #[cfg(feature = "simulation")]
    pub(crate) fn audit_len(&self) -> usize {
        self.0.len()
    }

    /// We have just accused somebody.
    pub(crate) fn add(&mut self, member: MemberIndex, stamp: Stamp) {
        if self.0.len() >= UNHEARD_MAX {
            self.0.pop_front();
        }
        self.0.push_back((member, stamp));
    }

    /// The oldest one, without those that do not stand any more.
    pub(crate) fn first(
        &mut self,
        stands: impl Fn(MemberIndex, Stamp) -> bool,
    ) -> Option<(MemberIndex, Stamp)> {
        while let Some(&(member, stamp)) = self.0.front() {
            if stands(member, stamp) {
                return Some((member, stamp));
            }
            self.0.pop_front();
        }
        None
    }

    /// Somebody has heard this one.
    pub(crate) fn heard(&mut self, accusation: (MemberIndex, Stamp)) {
        self.0.retain(|&waiting| waiting != accusation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_what_is_over_is_dropped_and_there_are_never_many() {
        let stamp = Stamp::new(1, 1);
        let mut unheard = Unheard::default();
        (0..100).for_each(|n| unheard.add(MemberIndex::new(n), stamp));
        assert_eq!(unheard.0.len(), UNHEARD_MAX);
        let first = unheard.first(|member, _| member.as_u32() >= 50);
        assert_eq!(first, Some((MemberIndex::new(50), stamp)));
        unheard.heard((MemberIndex::new(50), stamp));
        assert_eq!(unheard.first(|_, _| true), Some((MemberIndex::new(51), stamp)));
        assert_eq!(unheard.first(|_, _| false), None);
    }
}
