//! Storms: what a node says in answer must come to an end.

use swim_core::Instant;

use crate::step::{Moment, Step};

use super::checker::{Checker, PerHost};

/// P5 and M3: no two nodes keep each other talking for ever.
#[derive(Debug, Default)]
pub struct Storms {
    seen: PerHost<Seen>,
    looks: u64,
}

#[derive(Debug, Default)]
struct Seen {
    since: Instant,
    /// What was sent since then.
    packets: usize,
    /// When something happened there last.
    at: Instant,
}

impl Checker for Storms {
    fn id(&self) -> &'static str {
        "P5-storm"
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let seen = self.seen.of(step);
        let options = step.node.audit_options();
        let span = options.gossip_interval.max(options.probe_interval);
        if step.now.saturating_since(seen.since) >= span {
            *seen = Seen { since: step.now, packets: 0, at: seen.at };
        }
        // What waited for a host that stood still comes all at once, and each may be answered; what
        // two say to each other takes its time on the way.
        let has_waited = std::mem::replace(&mut seen.at, step.now) == step.now
            && matches!(step.moment, Moment::Packet { .. });
        seen.packets += step.sent.len().saturating_sub(usize::from(has_waited));
        self.looks += step.sent.len() as u64;
        let max = PACKETS_SPARE + PACKETS_PER_MEMBER * step.node.counts().total();
        if seen.packets > max {
            let packets = seen.packets;
            return Err(format!("P5: {packets} packets within {span:?}, {max} may be"));
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

/// Packets within an interval, however few members there are.
const PACKETS_SPARE: usize = 64;

/// Packets within an interval for each member: news of all of them, and answers to all of them.
const PACKETS_PER_MEMBER: usize = 16;
