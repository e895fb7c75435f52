//! One probe of one member: a direct ping, then helpers and a stream in parallel, then a verdict.
//! SWIM 3.1 and 4.3; Lifeguard, LHA-Probe; memberlist state.go: `probeNode`.

use alloc::vec::Vec;
use core::time::Duration;

use crate::{event::PingId, name::Name, stamp::Stamp, table::MemberIndex, time::Instant};

/// The probe under way. It ends exactly once: answered, or failed. (P1)
#[derive(Debug)]
pub(crate) struct Probe {
    pub(crate) target: MemberIndex,
    /// What the target was known under when the probe began: a failure accuses that, and nothing
    /// newer.
    pub(crate) stamp: Stamp,
    pub(crate) nonce: u64,
    pub(crate) sent_at: Instant,
    /// When helpers are asked; `None` once they were.
    pub(crate) timeout_at: Option<Instant>,
    pub(crate) deadline: Instant,
    /// The accusation that the ping carried beside the usual news.
    pub(crate) carried: Option<(MemberIndex, Stamp)>,
    /// Our own stamp, if the ping said what stands under it beside the usual news.
    pub(crate) introduced: Option<Stamp>,
    /// Those asked for help, those that don't know nacks included.
    helpers: Vec<MemberIndex>,
    /// How many of them know nacks.
    nacks_due: usize,
    /// Those that said they had asked, and were waiting too.
    nacked: Vec<MemberIndex>,
}

impl Probe {
    pub(crate) fn new(
        target: MemberIndex,
        stamp: Stamp,
        nonce: u64,
        now: Instant,
        [timeout, interval]: [Duration; 2],
    ) -> Self {
        Self {
            target,
            stamp,
            nonce,
            sent_at: now,
            timeout_at: Some(now + timeout),
            deadline: now + interval,
            carried: None,
            introduced: None,
            helpers: Vec::new(),
            nacks_due: 0,
            nacked: Vec::new(),
        }
    }

    /// Notes who was asked for help, and whether it was asked to say so if it has to wait.
    pub(crate) fn ask(&mut self, helper: MemberIndex, nack: bool) {
        self.helpers.push(helper);
        self.nacks_due += usize::from(nack);
    }

    /// All that were asked: the target, then those asked for help.
    pub(crate) fn asked(&self) -> impl Iterator<Item = MemberIndex> {
        core::iter::once(self.target).chain(self.helpers.iter().copied())
    }

    /// Whether this member was asked for help.
    pub(crate) fn is_helper(&self, member: MemberIndex) -> bool {
        self.helpers.contains(&member)
    }

    /// Notes a nack; each helper counts once.
    pub(crate) fn nack(&mut self, helper: MemberIndex) -> bool {
        let counts = self.is_helper(helper) && !self.nacked.contains(&helper);
        if counts {
            self.nacked.push(helper);
        }
        counts
    }

    /// How the node's own health changes when the probe fails. Helpers that did not even say that
    /// they were waiting speak against us, not against the target. Lifeguard, LHA-Probe.
    pub(crate) fn failure_delta(&self) -> i32 {
        if self.nacks_due == 0 {
            return 1;
        }
        let missing = self.nacks_due.saturating_sub(self.nacked.len());
        i32::try_from(missing).expect("at most 16 helpers")
    }
}

/// A ping that the application asked for.
#[derive(Debug)]
pub(crate) struct AppPing {
    pub(crate) id: PingId,
    pub(crate) target: Name,
    pub(crate) sent_at: Instant,
    pub(crate) deadline: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_nacks_speak_against_the_prober() {
        let spans = [Duration::from_millis(500), Duration::from_secs(1)];
        let target = MemberIndex::new(1);
        let mut probe = Probe::new(target, Stamp::new(1, 1), 7, Instant::ORIGIN, spans);
        assert_eq!(probe.failure_delta(), 1, "nobody could be asked");
        (2..5).for_each(|helper| probe.ask(MemberIndex::new(helper), true));
        probe.ask(MemberIndex::new(5), false);
        assert_eq!(probe.failure_delta(), 3, "who knows no nacks is not waited for");
        assert!(probe.nack(MemberIndex::new(2)));
        assert!(!probe.nack(MemberIndex::new(2)), "each helper counts once");
        assert!(!probe.nack(MemberIndex::new(9)), "strangers don't count");
        assert_eq!(probe.failure_delta(), 2);
    }
}
