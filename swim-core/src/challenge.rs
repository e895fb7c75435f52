//! Whether the holder of a contested name lives: it is probed next, out of its turn.
//!
//! One holder at a time, and at most every second probe: whoever claims name after name must not
//! keep this node from probing the others. (P2, X6)

use crate::table::MemberIndex;

/// The holder to be challenged.
#[derive(Debug, Default)]
pub(crate) enum Challenge {
    /// Nobody.
    #[default]
    None,
    /// This one, with the next probe.
    Next(MemberIndex),
    /// The last probe was a challenge: the next belongs to the ring.
    Rest,
}

impl Challenge {
    /// Wants to challenge this holder; returns whether it will be.
    pub(crate) fn begin(&mut self, holder: MemberIndex) -> bool {
        let is_free = matches!(self, Self::None);
        if is_free {
            *self = Self::Next(holder);
        }
        is_free
    }

    /// A probe is due: whom it challenges, if anybody.
    pub(crate) fn take_turn(&mut self) -> Option<MemberIndex> {
        let (holder, next) = match *self {
            Self::Next(holder) => (Some(holder), Self::Rest),
            Self::None | Self::Rest => (None, Self::None),
        };
        *self = next;
        holder
    }

    /// Forgets a member that is gone: its index may become another's.
    pub(crate) fn forget(&mut self, holder: MemberIndex) {
        if matches!(self, Self::Next(next) if *next == holder) {
            *self = Self::None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_at_most_every_second_probe_is_a_challenge() {
        let nth = MemberIndex::new;
        let mut challenge = Challenge::default();
        assert_eq!(challenge.take_turn(), None);
        assert!(challenge.begin(nth(1)) && !challenge.begin(nth(2)), "one at a time");
        assert_eq!(challenge.take_turn(), Some(nth(1)));
        assert!(!challenge.begin(nth(2)));
        assert_eq!(challenge.take_turn(), None);
        assert!(challenge.begin(nth(2)));
        challenge.forget(nth(1));
        assert_eq!(challenge.take_turn(), Some(nth(2)));
        challenge.take_turn();
        assert!(challenge.begin(nth(3)));
        challenge.forget(nth(3));
        assert_eq!(challenge.take_turn(), None);
    }
}
