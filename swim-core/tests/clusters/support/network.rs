//! How the network between the nodes behaves: latency, loss, doubles, stragglers, damage and cuts.

use std::{collections::BTreeSet, time::Duration};

use super::Id;

/// The network. Everything is drawn for every packet, whether it is switched on or not, so that
/// switching a fault off does not change the others. (D4)
pub(crate) struct Network {
    pub(crate) latency: (Duration, Duration),
    /// Packets lost, in permille.
    pub(crate) loss: u64,
    /// Nodes with a loss of their own, in permille: on what they send, on what they receive.
    pub(crate) node_loss: Vec<(Id, u64, u64)>,
    /// Packets that come twice, in permille.
    pub(crate) doubles: u64,
    /// Packets that come late, in permille, and by how much at most.
    pub(crate) stragglers: (u64, Duration),
    /// Packets with a flipped bit, in permille.
    pub(crate) damage: u64,
    /// Directions in which nothing passes.
    pub(crate) cuts: BTreeSet<(Id, Id)>,
    /// Directions in which packets are lost but streams work.
    pub(crate) packet_cuts: BTreeSet<(Id, Id)>,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) stream_bytes: u64,
    seed: u64,
    chances: Vec<Chance>,
}

/// What happens to one packet.
pub(crate) struct Fate {
    /// How long each copy takes.
    pub(crate) copies: Vec<Duration>,
    /// The bit to flip.
    pub(crate) flip: Option<u64>,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            latency: (Duration::from_micros(100), Duration::from_micros(300)),
            loss: 0,
            node_loss: Vec::new(),
            doubles: 0,
            stragglers: (0, Duration::ZERO),
            damage: 0,
            cuts: BTreeSet::new(),
            packet_cuts: BTreeSet::new(),
            packets: 0,
            bytes: 0,
            stream_bytes: 0,
            seed,
            chances: Vec::new(),
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Every fault off.
    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
        self.packet_cuts.clear();
        self.node_loss.clear();
        self.loss = 0;
        self.doubles = 0;
        self.stragglers = (0, Duration::ZERO);
        self.damage = 0;
    }

    /// Cuts both directions between two groups.
    pub(crate) fn partition(&mut self, one: &[Id], other: &[Id]) {
        for &a in one {
            for &b in other {
                self.cuts.insert((a, b));
                self.cuts.insert((b, a));
            }
        }
    }

    /// Loses all packets to a node.
    pub(crate) fn deafen(&mut self, id: Id, others: impl IntoIterator<Item = Id>) {
        self.packet_cuts.extend(others.into_iter().map(|other| (other, id)));
    }

    /// Loses all packets to and from a node; its streams go on.
    pub(crate) fn silence(&mut self, id: Id, others: impl IntoIterator<Item = Id>) {
        for other in others {
            self.packet_cuts.extend([(other, id), (id, other)]);
        }
    }

    pub(crate) fn is_cut(&self, from: Id, to: Id) -> bool {
        self.cuts.contains(&(from, to))
    }

    /// What happens to a packet.
    pub(crate) fn fate(&mut self, from: Id, to: Id, len: usize) -> Fate {
        let own_loss = |&(id, sent, received): &(Id, u64, u64)| {
            u64::from(id == from) * sent + u64::from(id == to) * received
        };
        let loss = self.loss.max(self.node_loss.iter().map(own_loss).max().unwrap_or(0));
        let spread = (self.latency.1 - self.latency.0).as_nanos() as u64;
        let lateness = self.stragglers.1.as_nanos() as u64;
        let chance = self.chance(from);
        let [lost, doubled, late, flipped] = [(); 4].map(|()| chance.below(1_000));
        let [first, second] = [(); 2].map(|()| chance.below(spread + 1));
        let straggled = chance.below(lateness + 1);
        let bit = chance.below(len as u64 * 8);
        let is_cut = self.is_cut(from, to) || self.packet_cuts.contains(&(from, to));
        let least = self.latency.0;
        let mut copies = Vec::new();
        if lost >= loss && !is_cut {
            let straggled = if late < self.stragglers.0 { straggled } else { 0 };
            copies.push(least + Duration::from_nanos(first + straggled));
            if doubled < self.doubles {
                copies.push(least + Duration::from_nanos(second));
            }
        }
        Fate { copies, flip: (flipped < self.damage).then_some(bit) }
    }

    /// The luck of one node.
    fn chance(&mut self, id: Id) -> &mut Chance {
        while self.chances.len() <= id {
            let stream = self.chances.len() as u64 + 1;
            self.chances.push(Chance::new(self.seed.wrapping_add(stream << 32)));
        }
        &mut self.chances[id]
    }
}

/// A small generator (splitmix64): the test's own luck, apart from the nodes'.
#[derive(Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    /// True `permille` times of a thousand.
    pub(crate) fn hits(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// A span of up to `most`.
    pub(crate) fn span(&mut self, most: Duration) -> Duration {
        Duration::from_nanos(self.below(most.as_nanos() as u64 + 1))
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end as u64 + 1) as usize);
        }
    }
}
