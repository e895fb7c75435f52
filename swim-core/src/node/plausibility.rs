//! Which stamps a correct node can have issued by now. What lies beyond is a lie or a broken clock.
//! All refuse it alike, so that what is believed can always be refuted. (X7)

use core::net::SocketAddr;

use super::Node;
use crate::{
    event::EventKind,
    limits::{LIFE_AHEAD_MILLIS, LIFE_JUMP_MAX, MEMBERLIST_INCARNATION_MAX},
    reject::Reject,
    stamp::{Incarnation, Stamp},
    table::MemberIndex,
};

impl Node {
    /// Whether a correct node, known under this stamp, could have issued that one by now. (X7)
    pub(super) fn is_plausible(&self, known: Option<Stamp>, stamp: Stamp) -> bool {
        self.is_within(known, stamp, 1)
    }

    /// The same for what others say of it: half as far, so that its answer, which must be higher,
    /// still is plausible to everybody. (X7)
    pub(super) fn is_plausible_accusation(&self, known: Stamp, stamp: Stamp) -> bool {
        self.is_within(Some(known), stamp, 2)
    }

    /// Refuses what no correct node can have said of this member. If that is us, and the dialect
    /// leaves us nothing to say against it, whoever believes it will hold us for gone. (O3)
    pub(super) fn on_implausible(
        &mut self,
        subject: Option<MemberIndex>,
        stamp: Stamp,
        from: SocketAddr,
    ) {
        self.reject(Reject::Implausible, from);
        let is_unbeatable = !self.config.dialect.is_native() && subject == Some(MemberIndex::SELF);
        self.stats.unbeatable += u64::from(is_unbeatable);
        if is_unbeatable && self.unbeatable.is_none_or(|highest| stamp > highest) {
            self.unbeatable = Some(stamp);
            self.emit(EventKind::Unbeatable { stamp });
        }
    }

    /// The smallest stamp above our own and another, or the highest that the dialect has.
    pub(super) fn stamp_above(&self, said: Stamp) -> Stamp {
        let stamp = self.own_stamp().refuting(said);
        if self.config.dialect.is_native() {
            return stamp;
        }
        let incarnation = Incarnation(stamp.incarnation.0.min(MEMBERLIST_INCARNATION_MAX));
        Stamp { incarnation, ..stamp }
    }

    fn is_within(&self, known: Option<Stamp>, stamp: Stamp, share: u64) -> bool {
        if !stamp.is_plausible() {
            return false;
        }
        if !self.config.dialect.is_native() {
            // One less in an accusation, so that its answer still is plausible. (O3)
            return stamp.incarnation.0 <= MEMBERLIST_INCARNATION_MAX - (share - 1);
        }
        let highest_known = known.map_or(0, |known| known.life.0);
        let bound = match (self.unix_millis(), known) {
            (Some(unix), _) => unix.saturating_add(LIFE_AHEAD_MILLIS / share).max(highest_known),
            (None, Some(known)) => known.life.0.saturating_add(LIFE_JUMP_MAX / share),
            (None, None) => return true,
        };
        stamp.life.0 <= bound
    }
}
