//! The queue of claims: as long as it says, within its cap, nothing sent too often, and silent when
//! it is empty.

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// P6, and the silence of M3.
#[derive(Debug, Default)]
pub struct Queues {
    seen: PerHost<Seen>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Seen {
    /// What was queued, how much was heard, and how many rounds were sent.
    queued: bool,
    heard: u64,
    rounds: u64,
    /// The largest number of sends and of members there ever was.
    limit: u32,
    members: usize,
}

impl Checker for Queues {
    fn id(&self) -> &'static str {
        "P6-M3"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let seen = self.seen.of(step);
        let stats = step.node.stats();
        let queued = step.audit.claims > 0 || step.audit.broadcast_waits;
        let heard = stats.claims_applied
            + stats.broadcasts_delivered
            + stats.broadcasts_sent
            + stats.refutations
            + stats.suspicions
            + stats.probes_failed
            + stats.suspicions_expired;
        let is_idle = !queued && !seen.queued && heard == seen.heard;
        // What others say may be worth repeating and change nothing here: a confirmation.
        if is_idle && stats.gossip_rounds > seen.rounds && matches!(step.moment, Moment::Tick) {
            return Err("M3: a round of gossip, and there was nothing to say".into());
        }
        (seen.queued, seen.heard, seen.rounds) = (queued, heard, stats.gossip_rounds);
        seen.members = seen.members.max(step.node.counts().total());
        seen.limit = seen.limit.max(step.audit.send_limit);
        if step.audit.claims == 0 || step.sent.is_empty() {
            return Ok(());
        }
        self.looks += 1;
        let claims = step.node.audit_claims();
        let cap = 2 * seen.members + CLAIMS_SPARE;
        let is_sound =
            claims.len == claims.linked && claims.len <= cap && claims.sends_max < seen.limit;
        if is_sound {
            Ok(())
        } else {
            Err(format!("P6: {claims:?}, and {} at most, sent {} times", cap, seen.limit))
        }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// Claims that may wait beside two for each member.
const CLAIMS_SPARE: usize = 1024;
