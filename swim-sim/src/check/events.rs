//! The events of each node: their order makes sense, and folding them gives its members.

use std::collections::BTreeMap;

use swim_core::Node;

use crate::{
    network::HostId,
    step::{Moment, Step},
};

use super::{checker::Checker, mirror::Mirror};

/// E1 to E4: what nodes tell their applications.
#[derive(Debug, Default)]
pub struct Events {
    seen: BTreeMap<HostId, Mirror>,
    looks: u64,
}

impl Checker for Events {
    fn id(&self) -> &'static str {
        "E"
    }

    fn meet(&mut self, host: HostId, node: &Node) {
        self.seen.insert(host, Mirror::of_members(node.members()));
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if matches!(step.moment, Moment::Started) {
            self.seen.insert(step.host, Mirror::of_new_node());
        }
        self.looks += step.events.len() as u64;
        let mirror = self.seen.entry(step.host).or_default();
        for event in step.events {
            mirror.take(event)?;
        }
        if step.events.is_empty() { Ok(()) } else { mirror.compare(step.node.members()) }
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}
