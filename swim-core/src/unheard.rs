//! Accusations of ours that nobody is known to have heard, and our own word of ourselves.
//!
//! Gossip sends an accusation a few times and asks for no answer. Where part of the network is cut,
//! all of those can be lost; then nobody can refute or doubt it, and after its time this node would
//! declare somebody dead who lives, and everybody would hear of *that*. So an accusation rides on
//! our probes and acks until a probe that carried it is answered. (L5, L6)
//!
//! So does what we say of ourselves, under a stamp that all of our packets show: those that know
//! the stamp alone can't pass it on, and their tables differ from all others until we are heard.
//! But whoever hears nothing is never answered, and must not bring itself back for ever where it
//! was buried and forgotten: after some probes in vain it gives up.

use alloc::collections::VecDeque;

use crate::{stamp::Stamp, table::MemberIndex};

/// Accusations that ride along at most. More of them are a failure of many, which nobody needs to
/// be told of by us alone.
const UNHEARD_MAX: usize = 64;

/// So many probes in vain may carry our word of ourselves. Where four of five packets that we send
/// are lost, one time in six none of them is heard; acks and gossip carry it meanwhile too.
const INTRODUCTIONS_MAX: u32 = 8;

/// What nobody is known to have heard.
#[derive(Debug, Default)]
pub(crate) struct Unheard {
    /// The accusations, oldest first.
    accusations: VecDeque<(MemberIndex, Stamp)>,
    /// The stamp under which we last said something new of ourselves, and how many probes that
    /// said so failed.
    own: Option<(Stamp, u32)>,
}

impl Unheard {
    #[cfg(feature = "simulation")]
    pub(crate) fn audit_len(&self) -> usize {
        self.accusations.len()
    }

    /// We have just accused somebody.
    pub(crate) fn add(&mut self, member: MemberIndex, stamp: Stamp) {
        if self.accusations.contains(&(member, stamp)) {
            return;
        }
        if self.accusations.len() >= UNHEARD_MAX {
            self.accusations.pop_front();
        }
        self.accusations.push_back((member, stamp));
    }

    /// The oldest one that is not about `except`, who is told in any case. Forgets those that do
    /// not stand any more.
    pub(crate) fn first(
        &mut self,
        except: MemberIndex,
        stands: impl Fn(MemberIndex, Stamp) -> bool,
    ) -> Option<(MemberIndex, Stamp)> {
        self.accusations.retain(|&(member, stamp)| stands(member, stamp));
        self.accusations.iter().find(|(member, _)| *member != except).copied()
    }

    /// Somebody has heard this one.
    pub(crate) fn heard(&mut self, accusation: (MemberIndex, Stamp)) {
        self.accusations.retain(|&waiting| waiting != accusation);
    }

    /// We say something new of ourselves.
    pub(crate) fn speak(&mut self, stamp: Stamp) {
        self.own = Some((stamp, 0));
    }

    /// The stamp of what we say of ourselves, until somebody knows what that is.
    pub(crate) fn own(&self) -> Option<Stamp> {
        self.own.map(|(stamp, _)| stamp)
    }

    /// A probe that said what stands under this stamp of ours failed.
    pub(crate) fn missed(&mut self, stamp: Stamp) {
        if let Some((own, missed)) = &mut self.own
            && *own == stamp
        {
            *missed += 1;
            self.own = self.own.filter(|(_, missed)| *missed < INTRODUCTIONS_MAX);
        }
    }

    /// Somebody knows what stands under this stamp of ours.
    pub(crate) fn understood(&mut self, stamp: Stamp) {
        if self.own() == Some(stamp) {
            self.own = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m1_what_is_over_is_dropped_and_there_are_never_many() {
        let stamp = Stamp::new(1, 1);
        let mut unheard = Unheard::default();
        let (nobody, fifty) = (MemberIndex::new(999), (MemberIndex::new(50), stamp));
        (0..100).for_each(|n| unheard.add(MemberIndex::new(n), stamp));
        (0..100).for_each(|_| unheard.add(MemberIndex::new(99), stamp));
        assert_eq!(unheard.accusations.len(), UNHEARD_MAX);
        assert_eq!(unheard.first(nobody, |member, _| member.as_u32() >= 50), Some(fifty));
        let next = Some((MemberIndex::new(51), stamp));
        assert_eq!(unheard.first(MemberIndex::new(50), |_, _| true), next);
        unheard.heard(fifty);
        assert_eq!(unheard.first(nobody, |_, _| true), next);
        assert_eq!(unheard.first(nobody, |_, _| false), None);
    }
}
