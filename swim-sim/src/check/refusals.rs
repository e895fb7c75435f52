//! What is refused changes nothing.

use swim_core::{Dialect, Event, EventKind, Glimpse, Node, Reject};

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// S9: packets are taken in whole or not at all. Of one that is not, counters tell, and events of
/// its refusal; nothing else.
#[derive(Debug, Default)]
pub struct Refusals {
    refused: PerHost<u64>,
    looks: u64,
}

impl Checker for Refusals {
    fn id(&self) -> &'static str {
        "S9"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let now = refused_whole(step.node);
        let before = std::mem::replace(self.refused.of(step), now);
        let Some(then) = step.before.filter(|then| !step.after.is_woken_since(then)) else {
            return Ok(());
        };
        if now == before || !matches!(step.moment, Moment::Packet { .. }) {
            return Ok(());
        }
        self.looks += 1;
        if !step.after.is_like(then) || !step.transitions.is_empty() {
            let (after, changes) = (step.after, step.transitions);
            return Err(format!("S9: a refused packet changed {then:?} to {after:?}, {changes:?}"));
        }
        match told(step, then) {
            Some(event) => Err(format!("S9: a refused packet is told of as {event:?}")),
            None => Ok(()),
        }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// What the application was told since then that is neither a refusal nor how often something was
/// sent, by gossip that was due.
pub(super) fn told<'a>(step: &Step<'a>, then: &Glimpse) -> Option<&'a Event> {
    let has_gossiped = step.after.has_gossiped_since(then);
    step.events.iter().find(|event| match event.kind {
        EventKind::Rejected { .. } => false,
        EventKind::BroadcastSent { .. } | EventKind::UpdateSent { .. } => !has_gossiped,
        _ => true,
    })
}

/// How many packets were refused as a whole. In memberlist's dialect each message of a packet
/// counts or not by itself, so that only what is wrong with all that is around them tells.
pub(super) fn refused_whole(node: &Node) -> u64 {
    let stats = node.stats();
    match node.audit_options().dialect {
        Dialect::Native => stats.rejected_whole(),
        Dialect::Memberlist(_) => SEALS.map(|reject| stats.rejected_for(reject)).iter().sum(),
    }
}

/// What is wrong with what is around the messages.
const SEALS: [Reject; 9] = [
    Reject::Label,
    Reject::Plaintext,
    Reject::Sealed,
    Reject::UnknownKey,
    Reject::Decrypt,
    Reject::Replayed,
    Reject::Checksum,
    Reject::Source,
    Reject::OwnName,
];
