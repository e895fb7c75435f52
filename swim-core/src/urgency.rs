//! News that waits for no round of gossip, but for the last that did not.

use core::{mem, time::Duration};

use crate::time::Instant;

/// Whether there is such news, and when there was some before.
#[derive(Debug, Default)]
pub(crate) struct Urgency {
    is_pending: bool,
    served_at: Option<Instant>,
}

impl Urgency {
    /// There is something.
    pub(crate) fn raise(&mut self) {
        self.is_pending = true;
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.is_pending
    }

    /// When it may go out: at once, but so long after the last. Else whoever accuses a member
    /// without end would have it send without end. (X6)
    pub(crate) fn due(&self, now: Instant, pace: Duration) -> Option<Instant> {
        let due = self.served_at.map_or(now, |last| last + pace);
        self.is_pending.then_some(due)
    }

    /// It went out, if there was something.
    pub(crate) fn serve(&mut self, now: Instant) {
        if mem::take(&mut self.is_pending) {
            self.served_at = Some(now);
        }
    }

    /// There is nothing to be told any more.
    pub(crate) fn drop(&mut self) {
        self.is_pending = false;
    }
}
