//! The network between the hosts: what every link is like, and where nothing passes.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use swim_core::Instant;

pub use fate::{Fate, Luck, Obstacle};
pub use latency::Latency;
pub use link::Link;
pub use piece::{PieceFate, StreamLuck};

use crate::chance::Chance;

mod fate;
mod latency;
mod link;
mod piece;

/// A host's place in the world.
pub type HostId = usize;

/// The network: one kind of link everywhere, but for what is said about single hosts and links.
#[derive(Clone, Debug)]
pub struct Network {
    /// What links are like where nothing else is said.
    pub link: Link,
    seed: u64,
    ends: Vec<Ends>,
    links: BTreeMap<(HostId, HostId), Link>,
    /// Hosts of different groups don't reach each other.
    groups: Vec<u32>,
    is_partitioned: bool,
    cuts: BTreeSet<(HostId, HostId)>,
    packet_cuts: BTreeSet<(HostId, HostId)>,
    /// The links that stand still, and until when: what is sent on them comes then.
    clogs: BTreeMap<(HostId, HostId), Instant>,
    /// Where packets went in this very instant, for each host.
    recent: Vec<(Instant, Vec<HostId>)>,
}

/// What one host's own side of all its links is like.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ends {
    /// The share of packets lost of those it sends.
    pub loss_sent: f64,
    /// The share of packets lost of those that are sent to it.
    pub loss_received: f64,
    /// What it has to wait for in addition, in each direction.
    pub delay: Duration,
    /// How many bytes of packets and streams leave it a second; 0 for any number.
    pub bandwidth: u64,
}

impl Network {
    /// A network in which nothing goes wrong.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            link: Link::LAN,
            seed,
            ends: Vec::new(),
            links: BTreeMap::new(),
            groups: Vec::new(),
            is_partitioned: false,
            cuts: BTreeSet::new(),
            packet_cuts: BTreeSet::new(),
            clogs: BTreeMap::new(),
            recent: Vec::new(),
        }
    }

    /// Every fault ends: no loss, no cut, no clog. Latencies stay what they are.
    pub fn heal(&mut self) {
        self.link = self.link.healed();
        for link in self.links.values_mut() {
            *link = link.healed();
        }
        for ends in &mut self.ends {
            *ends = Ends { delay: ends.delay, bandwidth: ends.bandwidth, ..Ends::default() };
        }
        self.mend();
    }

    /// Every cut, partition and clog ends.
    pub fn mend(&mut self) {
        self.is_partitioned = false;
        self.cuts.clear();
        self.packet_cuts.clear();
        self.clogs.clear();
    }

    /// Every fault ends and every link is like this one, those with a character of their own too.
    pub fn calm(&mut self, link: Link) {
        self.link = link;
        self.links.clear();
        self.ends.clear();
        self.mend();
    }

    /// Hosts reach only those of their own group. Hosts that no group names make up one more.
    pub fn partition(&mut self, groups: &[Vec<HostId>]) {
        self.groups.clear();
        for (number, group) in (1..).zip(groups) {
            for &host in group {
                if self.groups.len() <= host {
                    self.groups.resize(host + 1, 0);
                }
                self.groups[host] = number;
            }
        }
        self.is_partitioned = true;
    }

    /// Nothing passes from one to the other; the way back stays as it is.
    pub fn cut(&mut self, from: HostId, to: HostId) {
        self.cuts.insert((from, to));
    }

    /// Packets don't pass from one to the other; streams do.
    pub fn cut_packets(&mut self, from: HostId, to: HostId) {
        self.packet_cuts.insert((from, to));
    }

    /// The direction works again.
    pub fn join(&mut self, from: HostId, to: HostId) {
        self.cuts.remove(&(from, to));
        self.packet_cuts.remove(&(from, to));
    }

    /// Whatever is sent from one to the other until then comes then.
    pub fn clog(&mut self, from: HostId, to: HostId, until: Instant) {
        self.clogs.insert((from, to), until);
    }

    /// Gives one direction between two hosts a character of its own.
    pub fn set_link(&mut self, from: HostId, to: HostId, link: Link) {
        self.links.insert((from, to), link);
    }

    /// What one direction is like, apart from cuts.
    #[must_use]
    pub fn link(&self, from: HostId, to: HostId) -> &Link {
        if self.links.is_empty() {
            return &self.link;
        }
        self.links.get(&(from, to)).unwrap_or(&self.link)
    }

    /// One host's own side of its links.
    pub fn ends_mut(&mut self, host: HostId) -> &mut Ends {
        if self.ends.len() <= host {
            self.ends.resize(host + 1, Ends::default());
        }
        &mut self.ends[host]
    }

    /// One host's own side of its links.
    #[must_use]
    pub fn ends(&self, host: HostId) -> Ends {
        self.ends.get(host).copied().unwrap_or_default()
    }

    /// Whether nothing passes in this direction.
    #[must_use]
    pub fn is_cut(&self, from: HostId, to: HostId) -> bool {
        let group = |host: HostId| self.groups.get(host).copied().unwrap_or(0);
        (self.is_partitioned && group(from) != group(to))
            || (!self.cuts.is_empty() && self.cuts.contains(&(from, to)))
    }

    /// Whether two hosts reach each other in both directions.
    #[must_use]
    pub fn is_connected(&self, one: HostId, other: HostId) -> bool {
        !self.is_cut(one, other) && !self.is_cut(other, one)
    }

    /// Until when this direction stands still, if it does.
    #[must_use]
    pub fn clogged_until(&self, from: HostId, to: HostId, now: Instant) -> Option<Instant> {
        if self.clogs.is_empty() {
            return None;
        }
        self.clogs.get(&(from, to)).copied().filter(|&until| until > now)
    }

    /// What happens to a packet that is sent now.
    pub fn fate(&mut self, now: Instant, from: HostId, to: HostId, len: usize) -> Fate {
        let nth = self.nth(now, from, to);
        if self.is_cut(from, to) {
            return Fate::lost_to(Obstacle::Cut);
        }
        if !self.packet_cuts.is_empty() && self.packet_cuts.contains(&(from, to)) {
            return Fate::lost_to(Obstacle::Filter);
        }
        let luck = Luck::new(self.seed, from as u32, to as u32, now.as_nanos(), nth);
        let (sender, receiver) = (self.ends(from), self.ends(to));
        if luck.is_lost_at_end(false, sender.loss_sent)
            || luck.is_lost_at_end(true, receiver.loss_received)
        {
            return Fate::lost_to(Obstacle::Luck);
        }
        let mut fate = luck.fate(self.link(from, to), len);
        let mut more = sender.delay + receiver.delay;
        if let Some(until) = self.clogged_until(from, to, now) {
            more += until.saturating_since(now);
            fate.is_clogged = true;
        }
        fate.first = fate.first.map(|span| span + more);
        fate.second = fate.second.map(|span| span + more);
        fate
    }

    /// How long a piece of a stream takes. What is lost on the way is sent again by the hosts'
    /// network stacks, which the machines see as delay. `chance` belongs to this piece alone.
    #[must_use]
    pub fn stream_delay(
        &self,
        mut chance: Chance,
        now: Instant,
        from: HostId,
        to: HostId,
    ) -> Duration {
        let link = self.link(from, to);
        let mut delay = link.latency.draw(chance.word()) * 2;
        let loss = [link.loss, self.ends(from).loss_sent, self.ends(to).loss_received]
            .iter()
            .fold(1.0, |passes, loss| passes * (1.0 - loss));
        let mut again = RETRANSMIT_FIRST;
        for _ in 0..RETRANSMITS_MAX {
            if chance.unit() < loss {
                break;
            }
            delay += again;
            again *= 2;
        }
        delay += self.ends(from).delay + self.ends(to).delay;
        if let Some(until) = self.clogged_until(from, to, now) {
            delay += until.saturating_since(now);
        }
        delay
    }

    /// How many packets went in this direction in this instant before.
    fn nth(&mut self, now: Instant, from: HostId, to: HostId) -> u32 {
        if self.recent.len() <= from {
            self.recent.resize(from + 1, (Instant::ORIGIN, Vec::new()));
        }
        let (at, sent) = &mut self.recent[from];
        if *at != now {
            *at = now;
            sent.clear();
        }
        let nth = sent.iter().filter(|&&other| other == to).count();
        sent.push(to);
        nth as u32
    }
}

/// How soon a lost piece of a stream is sent again for the first time. (Linux: `TCP_RTO_MIN`.)
pub(crate) const RETRANSMIT_FIRST: Duration = Duration::from_millis(200);

/// How often in a row a piece of a stream is lost at most: about 13 s of trying.
const RETRANSMITS_MAX: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_have_any_shape() {
        let mut network = Network::new(1);
        network.partition(&[vec![0, 1], vec![2]]);
        assert!(!network.is_cut(0, 1) && network.is_cut(1, 2) && network.is_cut(2, 3));
        assert!(!network.is_cut(3, 4), "the unnamed are one group");
        network.mend();
        network.cut(0, 1);
        assert!(network.is_cut(0, 1) && !network.is_cut(1, 0));
    }

    #[test]
    fn d4_a_new_link_changes_nobodys_luck() {
        let link = Link { loss: 0.5, ..Link::LAN };
        let run = |with_another: bool| {
            let mut network = Network::new(9);
            network.link = link;
            let mut fates = Vec::new();
            for ms in 0..500 {
                let now = Instant::from_millis(ms);
                if with_another {
                    network.fate(now, 0, 2, 50);
                    network.fate(now, 2, 1, 50);
                }
                fates.push(network.fate(now, 0, 1, 50));
                fates.push(network.fate(now, 0, 1, 50));
            }
            fates
        };
        assert_eq!(run(false), run(true));
    }
}
