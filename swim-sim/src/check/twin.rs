//! In lock-step: what a node believes is what a plain model believes that heard the same.

use std::collections::BTreeMap;

use swim_core::{Hearsay, Node};

use crate::{
    network::HostId,
    step::{Moment, Step},
};

use super::{checker::Checker, plain::Plain};

/// C3: a slow model of each node, for worlds that are not large. It also sees which answers may
/// end a probe. (P1)
#[derive(Debug, Default)]
pub struct Twin {
    twins: BTreeMap<HostId, Known>,
    looks: u64,
}

#[derive(Debug)]
struct Known {
    plain: Plain,
    /// The number of the probe under way.
    nonce: Option<u64>,
    /// How many probes were answered.
    acked: u64,
}

impl Checker for Twin {
    fn id(&self) -> &'static str {
        "C3"
    }

    fn meet(&mut self, host: HostId, node: &Node) {
        self.twins.insert(host, Known::new(node));
    }

    fn needs_hearsay(&self) -> bool {
        true
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if matches!(step.moment, Moment::Started) {
            self.meet(step.host, step.node);
        }
        let Some(twin) = self.twins.get_mut(&step.host) else { return Ok(()) };
        twin.answers(step)?;
        if step.heard.is_empty() && step.events.is_empty() {
            return Ok(());
        }
        self.looks += 1;
        for heard in step.heard {
            twin.plain.hear(heard, step.node.audit_options())?;
        }
        twin.plain.compare(step.node)
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Known {
    fn new(node: &Node) -> Self {
        let is_running = !node.is_leaving() && !node.has_left();
        let plain = Plain::new(node.name(), is_running, node.members());
        Self { plain, nonce: None, acked: node.stats().probes_acked }
    }

    /// P1: only the answer that is waited for counts.
    fn answers(&mut self, step: &Step<'_>) -> Result<(), String> {
        let acked = step.node.stats().probes_acked;
        let awaited = self.nonce;
        let is_awaited = |what: &Hearsay| match what {
            Hearsay::Answered { nonce } => Some(*nonce) == awaited,
            _ => false,
        };
        if acked > self.acked && !step.heard.iter().any(|heard| is_awaited(&heard.what)) {
            return Err(format!("P1: {awaited:?} was answered by something else"));
        }
        self.acked = acked;
        self.nonce = step.audit.probe.as_ref().map(|probe| probe.nonce);
        Ok(())
    }
}

impl Plain {
    /// What differs from what the node believes.
    fn compare(&self, node: &Node) -> Result<(), String> {
        let mut count = 0;
        for member in node.members() {
            count += 1;
            let Some(known) = self.members.get(&*member.name) else {
                return Err(format!("C3: {} should not be known", member.name));
            };
            let is_same = (known.stamp, known.state) == (member.stamp, member.state)
                && known.since == member.since
                && known.said.addr == member.addr
                && known.said.meta == member.meta
                && known.said.versions == member.versions;
            if !is_same {
                return Err(format!("C3: {member:?} should be {known:?}"));
            }
        }
        if count != self.members.len() {
            return Err(format!("C3: {count} members, and should be {}", self.members.len()));
        }
        if node.has_left() {
            return Ok(());
        }
        for suspicion in node.audit_suspicions() {
            let known = &self.members[&*suspicion.name];
            if known.confirmations() != suspicion.confirmations as usize {
                return Err(format!("C3: {suspicion:?} should be {known:?}"));
            }
        }
        Ok(())
    }
}
