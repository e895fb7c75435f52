//! Which stamps a correct node can have issued by now. What lies beyond is a lie or a broken clock.
//! All refuse it alike, so that what is believed can always be refuted. (X7)

use super::Node;
use crate::{
    limits::{LIFE_AHEAD_MILLIS, LIFE_JUMP_MAX},
    stamp::Stamp,
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

    fn is_within(&self, known: Option<Stamp>, stamp: Stamp, share: u64) -> bool {
        if !stamp.is_plausible() {
            return false;
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
