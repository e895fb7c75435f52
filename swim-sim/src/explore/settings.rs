//! The settings of one run: drawn first, a few of them different from node to node.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use swim_core::{
    AllowList, Dialect, Instant, Keyring, MemberlistOptions, Options,
    limits::MEMBERLIST_PACKET_LEN_MIN,
};

use crate::{
    chance::{Chance, Purpose},
    host,
    network::HostId,
    span,
    world::key,
};

use super::{
    class::{Class, Mask},
    limits::Limits,
    releases::{self, Release},
};

/// The settings of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    /// How many nodes make up the cluster. They are on the hosts from 0 on.
    pub size: usize,
    /// [`Options::probe_interval`].
    #[serde(with = "span")]
    pub probe_interval: Duration,
    /// [`Options::probe_timeout`].
    #[serde(with = "span")]
    pub probe_timeout: Duration,
    /// [`Options::gossip_interval`].
    #[serde(with = "span")]
    pub gossip_interval: Duration,
    /// [`Options::gossip_nodes`].
    pub gossip_nodes: usize,
    /// [`Options::gossip_to_dead`].
    #[serde(with = "span")]
    pub gossip_to_dead: Duration,
    /// [`Options::indirect_probes`].
    pub indirect_probes: usize,
    /// [`Options::stream_pings`].
    pub stream_pings: bool,
    /// [`Options::health_max`].
    pub health_max: u32,
    /// [`Options::suspicion_mult`].
    pub suspicion_mult: u32,
    /// [`Options::suspicion_max_mult`].
    pub suspicion_max_mult: u32,
    /// [`Options::retransmit_mult`].
    pub retransmit_mult: u32,
    /// [`Options::push_pull_interval`].
    #[serde(with = "span")]
    pub push_pull_interval: Duration,
    /// [`Options::repair`].
    pub repair: bool,
    /// [`Options::reap_after`].
    #[serde(with = "span")]
    pub reap_after: Duration,
    /// [`Options::reclaim_after`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reclaim_after: Option<crate::action::Span>,
    /// [`Options::reconnect_interval`].
    #[serde(with = "span")]
    pub reconnect_interval: Duration,
    /// [`Options::stream_timeout`].
    #[serde(with = "span")]
    pub stream_timeout: Duration,
    /// [`Options::broadcast_lifetime`].
    #[serde(with = "span")]
    pub broadcast_lifetime: Duration,
    /// [`Options::packet_len_max`].
    pub packet_len_max: usize,
    /// [`Options::state_len_max`].
    pub state_len_max: usize,
    /// How many members more than the cluster has there is room for; none: as many as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members_spare: Option<usize>,
    /// [`Options::label`].
    pub label: String,
    /// That nodes speak memberlist's dialect, and how; none: they speak ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memberlist: Option<Speech>,
    /// Whether everything is sealed, with key 1.
    pub is_sealed: bool,
    /// Whether nodes know the time on the wall.
    pub has_wall_clock: bool,
    /// Whether only addresses within 10.0.0.0/9 are allowed: those of all hosts but the last.
    pub has_allow_list: bool,
    /// What differs at single nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skews: Vec<Skew>,
    /// Who announces which versions, from when on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<Release>,
}

/// How nodes speak memberlist's dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Speech {
    /// The version of the protocol.
    pub protocol: u8,
    /// Whether what gets shorter by it is compressed.
    pub compression: bool,
}

/// What one node has different from the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Skew {
    /// Where.
    pub host: HostId,
    /// [`Options::packet_len_max`].
    pub packet_len_max: usize,
    /// How many times longer its probe interval is.
    pub slowness: u32,
    /// [`Options::suspicion_mult`].
    pub suspicion_mult: u32,
    /// [`Options::repair`].
    pub repair: bool,
    /// [`Options::gossip_nodes`].
    pub gossip_nodes: usize,
    /// [`Options::retransmit_mult`].
    pub retransmit_mult: u32,
    /// [`Options::indirect_probes`].
    pub indirect_probes: usize,
    /// [`Options::stream_pings`].
    pub stream_pings: bool,
}

impl Settings {
    /// The settings of a seed.
    #[must_use]
    pub fn draw(seed: u64, mask: Mask, limits: &Limits) -> Self {
        const SECOND: Duration = Duration::from_secs(1);
        let chance = &mut Chance::new(seed, Purpose::Options);
        let size = draw_size(chance).clamp(limits.nodes_min, limits.nodes_max);
        let probe_interval = SECOND / chance.pick(&[1, 1, 2, 5]);
        let mut settings = Self {
            size,
            probe_interval,
            probe_timeout: probe_interval / chance.pick(&[2, 3, 5]),
            gossip_interval: Duration::from_millis(chance.pick(&[20, 100, 200, 500])),
            gossip_nodes: chance.pick(&[0, 1, 2, 3, 3, 3]),
            gossip_to_dead: SECOND * chance.pick(&[0, 10, 30]),
            indirect_probes: chance.pick(&[0, 1, 3, 3]),
            stream_pings: chance.hits(0.7),
            health_max: chance.pick(&[0, 1, 7, 7]),
            suspicion_mult: chance.pick(&[1, 2, 3, 4, 4]),
            suspicion_max_mult: chance.pick(&[1, 2, 6]),
            retransmit_mult: chance.pick(&[1, 2, 4]),
            push_pull_interval: SECOND * chance.pick(&[0, 5, 15, 30]),
            repair: chance.hits(0.8),
            reap_after: SECOND * chance.pick(&[1, 10, 30]),
            reclaim_after: chance
                .pick(&[None, Some(0), Some(10)])
                .map(|seconds| crate::action::Span(SECOND * seconds)),
            reconnect_interval: SECOND * chance.pick(&[3, 10, 30]),
            stream_timeout: SECOND * chance.pick(&[1, 3, 10]),
            broadcast_lifetime: SECOND * chance.pick(&[5, 30]),
            packet_len_max: chance.pick(&[576, 1_232, 1_400]),
            state_len_max: chance.pick(&[1 << 12, 16 << 20, 16 << 20]),
            members_spare: chance.pick(&[None, None, None, None, Some(1)]),
            label: chance.pick(&["", "a"]).into(),
            memberlist: None,
            is_sealed: chance.hits(0.4),
            has_wall_clock: chance.hits(0.6),
            has_allow_list: chance.hits(0.3),
            skews: Vec::new(),
            releases: Vec::new(),
        };
        if !mask.hides(Class::Memberlist) {
            settings.memberlist = Speech::draw(seed);
        }
        settings.repair &= settings.memberlist.is_none();
        if !settings.repair && settings.push_pull_interval.is_zero() {
            // One of the two must find what gossip misses.
            settings.push_pull_interval = 10 * SECOND;
        }
        settings.draw_skews(seed, mask);
        if !mask.hides(Class::Versions) {
            settings.releases = releases::draw(seed, settings.size);
        }
        settings
    }

    /// Makes them such that nobody should be failed where little goes wrong: what is drawn may be
    /// so that every lost packet is a suspicion, and every suspicion a death.
    pub(super) fn make_sensible(&mut self) {
        self.probe_timeout = self.probe_interval / 2;
        self.gossip_interval = self.probe_interval / 5;
        self.gossip_nodes = 3;
        self.indirect_probes = 3;
        self.stream_pings = true;
        self.health_max = 7;
        self.suspicion_mult = 4;
        self.suspicion_max_mult = 6;
        self.retransmit_mult = 4;
        self.members_spare = None;
        self.skews.clear();
    }

    /// Whether a kind that consists of settings takes part.
    #[must_use]
    pub fn takes_part(&self, class: Class) -> bool {
        match class {
            Class::Skew => !self.skews.is_empty(),
            Class::Versions => !self.releases.is_empty(),
            Class::Memberlist => self.memberlist.is_some(),
            _ => false,
        }
    }

    /// Each node draws its own, so that another one more changes nobody's. (D4)
    fn draw_skews(&mut self, seed: u64, mask: Mask) {
        let share = Chance::of(seed, Purpose::Options, 0).pick(&[0.0, 0.2, 0.5]);
        for host in 0..self.size {
            let chance = &mut Chance::of(seed, Purpose::Options, 1 + host as u64);
            let is_skewed = chance.hits(share);
            let skew = Skew {
                host,
                packet_len_max: chance.pick(&[576, 1_232, 9_216]),
                slowness: chance.pick(&[1, 2]),
                suspicion_mult: chance.pick(&[1, 4, 6]),
                repair: chance.hits(0.5) || self.push_pull_interval.is_zero(),
                gossip_nodes: chance.pick(&[1, 3]),
                retransmit_mult: chance.pick(&[1, 4]),
                indirect_probes: chance.pick(&[0, 3]),
                stream_pings: chance.hits(0.5),
            };
            if is_skewed && !mask.hides(Class::Skew) {
                self.skews.push(skew);
            }
        }
    }

    /// Gives a node its settings. `now` is the world's time, `keys` the numbers of the keys that
    /// it has, the primary first.
    pub fn apply(&self, host: HostId, now: Instant, keys: &[u8], o: &mut Options) {
        o.probe_interval = self.probe_interval;
        o.probe_timeout = self.probe_timeout;
        o.gossip_interval = self.gossip_interval;
        o.gossip_nodes = self.gossip_nodes;
        o.gossip_to_dead = self.gossip_to_dead;
        o.indirect_probes = self.indirect_probes;
        o.stream_pings = self.stream_pings;
        o.health_max = self.health_max;
        o.suspicion_mult = self.suspicion_mult;
        o.suspicion_max_mult = self.suspicion_max_mult;
        o.retransmit_mult = self.retransmit_mult;
        o.push_pull_interval = self.push_pull_interval;
        o.repair = self.repair;
        o.reap_after = self.reap_after;
        o.reclaim_after = self.reclaim_after.map(|span| span.0);
        o.reconnect_interval = self.reconnect_interval;
        o.stream_timeout = self.stream_timeout;
        o.broadcast_lifetime = self.broadcast_lifetime;
        o.packet_len_max = self.packet_len_max;
        o.state_len_max = self.state_len_max;
        o.report_probes = true;
        if let Some(spare) = self.members_spare {
            o.members_max = self.size + spare;
        }
        o.label.clone_from(&self.label);
        o.dialect = self.dialect();
        if self.has_wall_clock {
            // All wall clocks agree.
            o.unix_time = Some(host::unix_time(now));
        }
        if self.has_allow_list {
            let hosts = "10.0.0.0/9".parse().expect("a block");
            o.allow = Some(AllowList::new(vec![hosts]));
        }
        o.keyring = self.is_sealed.then(|| ring(keys));
        if let Some(skew) = self.skews.iter().find(|skew| skew.host == host) {
            o.packet_len_max = skew.packet_len_max;
            o.probe_interval *= skew.slowness;
            o.suspicion_mult = skew.suspicion_mult;
            o.repair = skew.repair;
            o.gossip_nodes = skew.gossip_nodes;
            o.retransmit_mult = skew.retransmit_mult;
            o.indirect_probes = skew.indirect_probes;
            o.stream_pings = skew.stream_pings;
        }
        if self.memberlist.is_some() {
            o.packet_len_max = o.packet_len_max.max(MEMBERLIST_PACKET_LEN_MIN);
        }
        let time = now.saturating_since(Instant::ORIGIN);
        if let Some(application) = releases::at(&self.releases, host, time) {
            o.application = application;
        }
    }

    /// What nodes speak.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.memberlist.map_or(Dialect::Native, |speech| {
            let mut options = MemberlistOptions::default();
            options.protocol.current = speech.protocol;
            options.compression = speech.compression;
            Dialect::Memberlist(options)
        })
    }

    /// Whether a replay can be told: without a key nobody can. A clock is not needed: natively what
    /// is sealed is for one life of its receiver (X4), and in memberlist's dialect what was taken
    /// is remembered for longer without one (O5).
    #[must_use]
    pub const fn is_guarded(&self) -> bool {
        self.is_sealed
    }

    /// Whether nothing shows that a packet was changed on its way: memberlist's dialect has
    /// checksums among some nodes only.
    #[must_use]
    pub const fn takes_changed_packets(&self) -> bool {
        self.memberlist.is_some() && !self.is_sealed
    }

    /// Invariants, section 0: within this time all agree again once every fault is off. On top come
    /// the time for a stream to end, and for those that were lost for good: one of them is drawn
    /// per try, and the right one of n is drawn within 12 n tries but for six times in a million.
    #[must_use]
    pub fn converges_within(&self) -> Duration {
        self.detects_within()
            + self.longest_suspicion()
            + self.push_pull_interval
            + self.reap_after
            + self.reconnect_interval * 12 * self.size as u32
            + self.stream_timeout * 3
    }

    /// Invariants, section 0: within this time all know that one of them died.
    #[must_use]
    pub fn detects_within(&self) -> Duration {
        let others = self.size.max(2) as u32 - 1;
        let round = self.slowest_interval() * (2 * others - 1) * (1 + self.health_max);
        self.longest_suspicion() + round + self.spreads_within()
    }

    /// Invariants, section 0, `D`: within this time news is everywhere.
    #[must_use]
    pub fn spreads_within(&self) -> Duration {
        let rounds = libm::ceil(libm::log2(self.size.max(2) as f64)) as u32;
        self.gossip_interval * 4 * rounds + self.push_pull_interval
    }

    /// For so long at most a node says of itself what it was last, although nobody answers.
    #[must_use]
    pub fn introduces_itself_for(&self) -> Duration {
        self.slowest_interval() * (1 + self.health_max) * INTRODUCTIONS
    }

    /// Whether news reaches everybody by gossip but for bad luck that no run is long enough for.
    #[must_use]
    pub const fn gossips_well(&self) -> bool {
        self.gossip_nodes >= 3 && self.retransmit_mult >= 4
    }

    /// Invariants, section 7: within this time all take a member for alive again that they can
    /// reach and wrongly accused. It hears of that when it is probed next, or probes an accuser
    /// itself; what it says then is news, which may have to wait for a comparison of tables.
    #[must_use]
    pub fn refutes_within(&self) -> Duration {
        self.detects_within() + self.push_pull_interval + self.stream_timeout * 3
    }

    /// No suspicion runs out sooner.
    #[must_use]
    pub fn shortest_suspicion(&self) -> Duration {
        let mult = if self.skews.is_empty() { self.suspicion_mult } else { 1 };
        self.probe_interval * mult
    }

    /// Whether those that are well do not take one another for dead because of some that are not:
    /// there are helpers to ask, news gets round, and suspicions last long enough for answers.
    #[must_use]
    pub const fn bears_the_sick(&self) -> bool {
        self.gossips_well()
            && self.indirect_probes >= 3
            && self.suspicion_mult >= 3
            && self.skews.is_empty()
    }

    fn longest_suspicion(&self) -> Duration {
        let scale = libm::log10(self.size.max(2) as f64).max(1.0);
        // The largest multiplier that a skewed node may have.
        let mult = self.suspicion_mult.max(6) * self.suspicion_max_mult;
        self.slowest_interval() * mult * (scale * 10.0) as u32 / 10
    }

    /// The longest probe interval that a skewed node may have.
    fn slowest_interval(&self) -> Duration {
        self.probe_interval * 2
    }
}

impl Speech {
    /// What the nodes of a seed speak. From a stream of its own, so that what else is drawn stays
    /// the same. (D4)
    fn draw(seed: u64) -> Option<Self> {
        let chance = &mut Chance::of(seed, Purpose::Options, SPEECH);
        let is_drawn = chance.hits(1.0 / 6.0);
        let speech =
            Self { protocol: chance.pick(&[2, 2, 3, 4, 5]), compression: chance.hits(0.5) };
        is_drawn.then_some(speech)
    }
}

/// Mostly small clusters: most of what can go wrong goes wrong among five.
fn draw_size(chance: &mut Chance) -> usize {
    let (least, span) = chance.pick(&[
        (1, 3),
        (2, 4),
        (3, 4),
        (3, 6),
        (4, 8),
        (4, 8),
        (8, 8),
        (8, 24),
        (16, 16),
        (32, 33),
    ]);
    least + chance.below(span) as usize
}

/// The ring of these keys, the primary first. Keys that don't fit are left out.
fn ring(keys: &[u8]) -> Keyring {
    let (first, others) = keys.split_first().unwrap_or((&FIRST_KEY, &[]));
    let mut ring = Keyring::new(key(*first));
    for number in others {
        if ring.add(key(*number)).is_err() {
            break;
        }
    }
    ring
}

/// The stream of luck of what nodes speak; those below are the nodes'.
const SPEECH: u64 = 1 << 32;

/// The key that a cluster begins with.
pub const FIRST_KEY: u8 = 1;

/// So many probes in vain, the core's `unheard` says, and one that was under way.
const INTRODUCTIONS: u32 = 9;
