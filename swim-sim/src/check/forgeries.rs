//! Who has no key, or one that was removed, says nothing to anybody: the threat model's A0 and A2.

use std::collections::BTreeMap;

use swim_core::{Bytes, Dialect, Node};

use crate::{
    malice::{Flaw, Forged},
    network::HostId,
    step::{Moment, Step},
};

use super::checker::{Checker, PerHost};

/// X2 and X18: packets that are not sealed, or with a key that was removed, are refused. That they
/// change nothing then is what S9 is about.
#[derive(Debug, Default)]
pub struct Forgeries {
    awaited: BTreeMap<(HostId, Bytes), Flaw>,
    rejected: PerHost<u64>,
    looks: u64,
}

impl Checker for Forgeries {
    fn id(&self) -> &'static str {
        "X2-X18"
    }

    fn forged(&mut self, forged: &Forged) {
        // A recording of what was lost on its way comes for the first time: `replays` knows.
        let flaw = forged.flaw.filter(|flaw| *flaw != Flaw::Recorded);
        if let Some((flaw, packet)) = flaw.zip(forged.packet.clone()) {
            self.awaited.insert((forged.host, packet), flaw);
        }
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let now = step.node.stats().rejected();
        let before = std::mem::replace(self.rejected.of(step), now);
        let Moment::Packet { data, .. } = step.moment else { return Ok(()) };
        if self.awaited.is_empty() {
            return Ok(());
        }
        let Some(flaw) = self.awaited.remove(&(step.host, data.clone())) else { return Ok(()) };
        if !is_flawed(step.node, flaw) || step.node.has_left() {
            return Ok(());
        }
        self.looks += 1;
        let id = if matches!(flaw, Flaw::Key(_)) { "X18" } else { "X2" };
        if now > before { Ok(()) } else { Err(format!("{id}: accepted in spite of {flaw:?}")) }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// Whether it still is a flaw to the node: a restart may have changed which keys it has. Where
/// there is no key, what was recorded is none, nor in memberlist's dialect for one that did not
/// take it itself. (What it did take: `replays`.)
pub(super) fn is_flawed(node: &Node, flaw: Flaw) -> bool {
    let Some(ring) = node.keyring() else { return flaw == Flaw::Noise };
    match flaw {
        Flaw::Open | Flaw::Noise => true,
        Flaw::Key(id) => ring.key(id).is_none(),
        Flaw::Recorded => node.audit_options().dialect == Dialect::Native,
    }
}
