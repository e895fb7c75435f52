//! Who has no key changes nothing, whatever comes over the streams that he opens.

use swim_core::{AuditedProbe, Counts, EventKind};

use crate::step::{Moment, Step};

use super::{
    checker::{Checker, PerHost},
    forgeries::is_flawed,
};

/// X2, X4, X12 and X18 for streams: what is noise, or not sealed, or sealed with a former key, or
/// was recorded, changes nothing, in whatever pieces it comes. That it takes only so much is M1's.
#[derive(Debug, Default)]
pub struct Strangers {
    seen: PerHost<Option<Seen>>,
    looks: u64,
}

/// What must stay as it was.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    digest: u64,
    counts: Counts,
    applied: u64,
    health: u32,
    claims: usize,
    suspicions: usize,
    broadcasts: usize,
    joins: usize,
    probe: Option<AuditedProbe>,
    rounds: u64,
    pauses: u64,
}

impl Checker for Strangers {
    fn id(&self) -> &'static str {
        "X2-streams"
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
            joins: step.audit.joins.len(),
            probe: step.audit.probe.clone(),
            rounds: stats.gossip_rounds,
            pauses: stats.pauses,
        };
        let old = self.seen.of(step).replace(now.clone());
        let Moment::Stream { flaw: Some(flaw) } = *step.moment else { return Ok(()) };
        let Some(old) = old.filter(|old| old.pauses == now.pauses) else { return Ok(()) };
        if !is_flawed(step.node, flaw) {
            return Ok(());
        }
        self.looks += 1;
        let mut same = old.clone();
        if now.rounds > old.rounds {
            // Gossip that was due went out meanwhile.
            (same.claims, same.rounds) = (now.claims, now.rounds);
        }
        let is_told = |kind: &EventKind| {
            use EventKind as E;
            matches!(kind, E::Member { .. } | E::Message { .. } | E::RemoteState { .. })
        };
        let is_told = step.events.iter().any(|event| is_told(&event.kind));
        if same == now && !is_told {
            return Ok(());
        }
        Err(format!("X2: a stream with {flaw:?} changed {old:?} to {now:?}, told {is_told}"))
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
