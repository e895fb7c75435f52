//! What is refused changes nothing.

use swim_core::{AuditedProbe, Counts, EventKind};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// S9: packets are taken in whole or not at all.
#[derive(Debug, Default)]
pub struct Refusals {
    seen: PerHost<Option<Seen>>,
    looks: u64,
}

/// What a refused packet must leave as it was.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    digest: u64,
    counts: Counts,
    applied: u64,
    health: u32,
    claims: usize,
    suspicions: usize,
    broadcasts: usize,
    probe: Option<AuditedProbe>,
    rejected: u64,
    pauses: u64,
    rounds: u64,
}

impl Checker for Refusals {
    fn id(&self) -> &'static str {
        "S9"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let stats = step.node.stats();
        let now = Seen {
            digest: step.audit.digest,
            counts: step.node.counts(),
            applied: stats.claims_applied,
            health: step.node.health(),
            claims: step.audit.claims,
            suspicions: step.audit.suspicions,
            broadcasts: step.audit.broadcasts,
            probe: step.audit.probe.clone(),
            rejected: stats.rejected_whole(),
            pauses: stats.pauses,
            rounds: stats.gossip_rounds,
        };
        let old = self.seen.of(step).replace(now.clone());
        let Some(old) = old else { return Ok(()) };
        let is_refused = now.rejected > old.rejected
            && matches!(step.moment, Moment::Packet { .. })
            && now.pauses == old.pauses;
        if !is_refused {
            return Ok(());
        }
        self.looks += 1;
        let mut same = Seen { rejected: now.rejected, ..old.clone() };
        if now.rounds > old.rounds {
            // Gossip that was due went out meanwhile.
            (same.claims, same.rounds) = (now.claims, now.rounds);
        }
        let is_same = same == now;
        let is_told = step.events.iter().any(|e| matches!(e.kind, EventKind::Member { .. }));
        if is_same && !is_told {
            Ok(())
        } else {
            Err(format!("S9: a refused packet changed {old:?} to {now:?}"))
        }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
