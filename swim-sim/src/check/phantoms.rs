//! Members that were made up cost those little who are where they are said to be.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

use swim_core::Node;

use crate::{
    malice::Forged,
    network::HostId,
    step::{Moment, Step},
};

use super::checker::{Checker, PerHost};

/// X6: where somebody is said to be who was made up, nobody is sent more than members are that have
/// not answered: pings of probes, of helpers and of comparisons, rounds of gossip, one answer for
/// one packet that is not longer, and the streams of a probe, of an exchange and of a search for
/// the lost. What those say who hold the key may be made up. (SECURITY.md, "That there is
/// somebody")
#[derive(Debug, Default)]
pub struct Phantoms {
    /// Where made-up members are said to be.
    told: BTreeSet<SocketAddr>,
    /// Where somebody was seen, who may have answered.
    homes: BTreeSet<SocketAddr>,
    reasons: PerHost<Reasons>,
    looks: u64,
}

/// How often a process had reason to send to members that have not answered.
#[derive(Clone, Copy, Debug, Default)]
struct Reasons {
    probes: u64,
    relayed: u64,
    rounds: u64,
    conflicts: u64,
    /// The probe under way that has not asked others for help.
    unaided: Option<u64>,
}

/// So many members at most are asked at once for what they believe, when their time has come, and
/// all may be at one address.
const COMPARED_MAX: u64 = 3;

/// So many packets answer one.
const ANSWERS_MAX: u64 = 1;

/// So many streams at most are opened to one address in a step: one of a probe, one of an exchange,
/// and one of a search for the lost.
const STREAMS_MAX: u64 = 3;

impl Checker for Phantoms {
    fn id(&self) -> &'static str {
        "X6-phantoms"
    }

    fn meet(&mut self, _host: HostId, node: &Node) {
        self.homes.insert(node.local().addr);
    }

    fn forged(&mut self, forged: &Forged) {
        let said = forged.tales.iter().filter_map(|tale| tale.profile.as_ref());
        self.told.extend(said.map(|(addr, _)| *addr));
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        if matches!(step.moment, Moment::Started) {
            self.homes.insert(step.addr);
        }
        let most = self.packets_max(step);
        // What the application sends to a member that it believes in is its own affair.
        if !matches!(step.moment, Moment::Packet { .. } | Moment::Tick | Moment::Stream { .. })
            || step.before.is_none()
            || step.node.is_leaving()
        {
            return Ok(());
        }
        let is_phantom = |to: &SocketAddr| self.told.contains(to) && !self.homes.contains(to);
        let count = |addrs: &mut dyn Iterator<Item = SocketAddr>| {
            let mut counts: BTreeMap<SocketAddr, u64> = BTreeMap::new();
            addrs.filter(is_phantom).for_each(|to| *counts.entry(to).or_default() += 1);
            counts
        };
        if let Moment::Packet { from, data } = step.moment
            && is_phantom(from)
            && most == ANSWERS_MAX
            && let Some((_, answer)) = step.sent.iter().find(|(to, _)| to == from)
            && answer.len() > data.len()
        {
            let (asked, len) = (data.len(), answer.len());
            return Err(format!("X6: {from}, where nobody is, gets {len} bytes for {asked}"));
        }
        let packets = count(&mut step.sent.iter().map(|(to, _)| *to));
        let streams = count(&mut step.dialed.iter().copied());
        self.looks += u64::from(!packets.is_empty() || !streams.is_empty());
        let is_beyond = |counts: &BTreeMap<SocketAddr, u64>, most: u64| {
            counts.iter().find(|(_, count)| **count > most).map(|(to, count)| (*to, *count))
        };
        if let Some((to, count)) = is_beyond(&packets, most) {
            return Err(format!("X6: {to}, where nobody is, gets {count} packets, not {most}"));
        }
        if let Some((to, count)) = is_beyond(&streams, STREAMS_MAX) {
            return Err(format!("X6: {count} streams are opened to {to}, where nobody is"));
        }
        Ok(())
    }

    fn looks(&self) -> u64 {
        self.looks
    }
}

impl Phantoms {
    /// How many packets this step gave reason to send to one address.
    fn packets_max(&mut self, step: &Step<'_>) -> u64 {
        let (stats, probe) = (step.node.stats(), step.audit.probe.as_ref());
        let now = Reasons {
            probes: stats.probes,
            relayed: stats.relayed,
            rounds: stats.gossip_rounds,
            conflicts: stats.conflicts,
            unaided: probe.filter(|it| it.timeout_at.is_some()).map(|it| it.nonce),
        };
        let before = std::mem::replace(self.reasons.of(step), now);
        let options = step.node.audit_options();
        let listeners = options.gossip_nodes.max(1) as u64;
        // Then it pings once more, and all of the helpers may be said to be there.
        let is_aided = before.unaided.is_some() && before.unaided != now.unaided;
        let aid = u64::from(is_aided && matches!(step.moment, Moment::Tick));
        (now.probes - before.probes)
            + (now.relayed - before.relayed)
            + (now.rounds - before.rounds) * listeners
            + (now.conflicts - before.conflicts)
            + aid * (1 + options.indirect_probes as u64)
            + if matches!(step.moment, Moment::Tick) { COMPARED_MAX } else { ANSWERS_MAX }
    }
}
