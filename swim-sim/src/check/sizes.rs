//! Everything that grows has an end.

use swim_core::{Audit, AuditedLengths, Counts, Options, limits};

use crate::step::Step;

use super::checker::Checker;

/// M1, and S10 for what timers reckon with.
#[derive(Debug, Default)]
pub struct Sizes {
    looks: u64,
}

impl Checker for Sizes {
    fn id(&self) -> &'static str {
        "M1"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        self.looks += 1;
        let (audit, counts) = (step.audit, step.node.counts());
        let options = step.node.audit_options();
        if audit.live != counts.live() {
            return Err(format!("S10: timers reckon with {} of {counts:?}", audit.live));
        }
        let limits = nodes_own(audit, &counts, options).into_iter();
        for (what, size, max) in limits.chain(of_streams(audit, options)) {
            if size > max {
                return Err(format!("M1: {size} {what}, {max} may be"));
            }
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// What it is, how much of it there is, and how much there may be.
type Limit = (&'static str, usize, usize);

/// What grows with members, and with what they and the application ask for.
fn nodes_own(audit: &Audit, counts: &Counts, options: &Options) -> [Limit; 17] {
    let (gone, members, lengths) = (counts.dead + counts.left, counts.total(), audit.lengths);
    let streams = audit.streams_accepted + audit.streams_dialed;
    let errands = audit.suspicions + audit.relays + audit.pings + audit.joins.len() + streams;
    [
        ("members", members, options.members_max),
        ("suspicions", audit.suspicions, members),
        ("broadcasts", audit.broadcasts, limits::BROADCASTS_MAX),
        ("relays", audit.relays, limits::RELAYS_MAX),
        ("budgets of relays", audit.relay_budgets, members),
        ("pings", audit.pings, limits::PINGS_MAX),
        ("joins", audit.joins.len(), limits::JOINS_MAX),
        ("remembered", audit.remembered, limits::REMEMBERED_MAX),
        ("graves", audit.graves, 2 * gone + GRAVES_SPARE),
        ("conflicts", audit.conflicts, CONFLICTS_MAX),
        ("unheard accusations", audit.unheard, UNHEARD_MAX),
        // The gone stay in a ring until it comes by them, or they come back to their places.
        ("to be probed", lengths.probe_ring, options.members_max),
        ("to be gossiped to", lengths.gossip_ring, options.members_max),
        ("to be tried again", lengths.dead_ring, options.members_max),
        ("deadlines", lengths.timers, errands + OWN_DEADLINES),
        ("answers to a leave", lengths.leave_asked, ASKED_MAX),
        ("told of a leave", lengths.told_of_leave, options.members_max),
    ]
}

/// What grows with streams. What others began leaves room for what this node asked for.
fn of_streams(audit: &Audit, options: &Options) -> [Limit; 4] {
    let longest = options.state_len_max.max(options.message_len_max);
    let AuditedLengths { bytes_accepted, bytes_dialed, .. } = audit.lengths;
    [
        ("streams of peers", audit.streams_accepted, options.streams_max),
        ("streams", audit.streams_dialed, limits::STREAMS_DIALED_MAX),
        ("bytes of peers", bytes_accepted, (limits::TRANSFERS_MAX - 1) * longest),
        ("bytes on streams", bytes_accepted + bytes_dialed, limits::TRANSFERS_MAX * longest),
    ]
}

/// Graves beyond two for each that is dead or gone: two, and two for the node itself, which counts
/// among the gone while it has left.
const GRAVES_SPARE: usize = 4;

/// Accusations of its own that a node repeats.
const UNHEARD_MAX: usize = 64;

/// Conflicts told of lately, be their members gone.
const CONFLICTS_MAX: usize = 1_024;

/// Pings of a leave whose answers are waited for.
const ASKED_MAX: usize = 1_024;

/// Deadlines of the node itself, one of each kind: three of its probe, the next rounds of gossip,
/// of comparing, of exchanging, of forgetting and of trying again, and that of its leave.
const OWN_DEADLINES: usize = 9;
