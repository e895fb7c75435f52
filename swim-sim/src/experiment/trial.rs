//! A cluster of our core with the settings we ship, some of whose members are faulty: set up as all
//! experiments of this kind are, and looked at every second. (experiments.md 1 and 4)

use std::{
    cell::{Ref, RefCell},
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use swim_core::{Instant, Node, Options};

use super::witness::{Log, Mention, Witness};
use crate::{
    chance::{Chance, Purpose},
    network::HostId,
    world::World,
};

/// A cluster, and what is seen of it.
#[derive(Debug)]
pub struct Trial {
    /// The cluster.
    pub world: World<Node>,
    /// What its members told, since the trial began.
    log: Rc<RefCell<Log>>,
    is_faulty: Vec<bool>,
    begun_at: Instant,
    /// Live members as somebody healthy counted them at the end of some second.
    counts: BTreeSet<usize>,
    /// What each process had received and sent when it was last looked at.
    readings: Vec<Load>,
    /// The same for each second and process.
    loads: Vec<Load>,
}

/// Bytes of one process: packets and streams, without the headers of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How many came in.
    pub received: u64,
    /// How many went out.
    pub sent: u64,
}

/// How the healthy members came to count as many members as they should.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Seconds until the count of any of them first changed.
    pub first_change: f64,
    /// Seconds until the count of the first of them was right for good.
    pub first: f64,
    /// Seconds until the count of the last of them was.
    pub last: f64,
}

impl Trial {
    /// Members that know each other, after a calm; so many of them, drawn by the seed, are to be
    /// faulty. What they told so far is forgotten.
    pub fn new(n: usize, faulty: usize, seed: u64) -> Self {
        Self::with(n, faulty, seed, |_| {})
    }

    /// The same with other settings.
    pub fn with(n: usize, faulty: usize, seed: u64, set: impl Fn(&mut Options)) -> Self {
        let mut world = World::acquainted(n, seed, |_, options| set(options));
        let mut is_faulty = vec![false; n];
        for host in Chance::of(seed, Purpose::Subjects, n as u64).sample(faulty, n) {
            is_faulty[host] = true;
        }
        for host in 0..n {
            world.host_mut(host).cpu.receive_cost = RECEIVE_COST;
        }
        let (witness, log) = Witness::new();
        world.watch(Box::new(witness));
        world.run(CALM);
        let begun_at = world.now;
        let (counts, loads) = (BTreeSet::new(), Vec::new());
        let mut trial =
            Self { world, log, is_faulty, begun_at, counts, readings: Vec::new(), loads };
        trial.begin();
        trial
    }

    /// The trial begins only now: what was seen so far is forgotten.
    pub fn begin(&mut self) {
        self.log.replace(Log::default());
        self.begun_at = self.world.now;
        self.counts.clear();
        self.look();
        self.loads.clear();
    }

    /// The faulty members.
    pub fn faulty(&self) -> Vec<HostId> {
        (0..self.is_faulty.len()).filter(|&host| self.is_faulty[host]).collect()
    }

    /// The others, as far as they run.
    pub fn healthy(&self) -> Vec<HostId> {
        self.world.running().filter(|&host| !self.is_faulty[host]).collect()
    }

    /// How many live members one of them counts now.
    pub fn live_at(&self, host: HostId) -> usize {
        self.world.node(host).counts().live()
    }

    /// Nothing reaches this host any more, neither packets nor streams.
    pub fn deafen(&mut self, host: HostId) {
        let others = (0..self.world.hosts().len()).filter(|&other| other != host);
        others.for_each(|other| self.world.network.cut(other, host));
    }

    /// Nothing that this host sends arrives any more.
    pub fn mute(&mut self, host: HostId) {
        let others = (0..self.world.hosts().len()).filter(|&other| other != host);
        others.for_each(|other| self.world.network.cut(host, other));
    }

    /// Lets seconds go by, one after the other.
    pub fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.world.run(SECOND);
            self.look();
        }
    }

    /// Lets seconds go by until all that run count so many live members and suspect none, or until
    /// the time is up. Returns whether they do.
    pub fn run_until_settled(&mut self, limit: u64) -> bool {
        let mut left = limit;
        while left > 0 && !self.world.is_settled() {
            self.run(1);
            left -= 1;
        }
        self.world.is_settled()
    }

    /// What members told.
    pub fn log(&self) -> Ref<'_, Log> {
        self.log.borrow()
    }

    /// How many different counts of live members healthy members had, each looked at once a second.
    pub fn different_counts(&self) -> usize {
        self.counts.len()
    }

    /// The lowest of those counts.
    pub fn lowest_count(&self) -> usize {
        self.counts.first().copied().unwrap_or(0)
    }

    /// What each process received and sent in each second.
    pub fn loads(&self) -> &[Load] {
        &self.loads
    }

    /// Bytes that a process sent in a second, on average.
    pub fn sent_mean(&self) -> f64 {
        self.loads.iter().map(|load| load.sent as f64).sum::<f64>() / self.loads.len() as f64
    }

    /// Seconds from the beginning of the trial.
    pub fn seconds(&self, at: Instant) -> f64 {
        at.saturating_since(self.begun_at).as_secs_f64()
    }

    /// How the healthy members came to count so many; nothing if some of them don't.
    pub fn agreement(&self, live: usize) -> Option<Agreement> {
        let healthy = self.healthy();
        let counts_right = |&host: &HostId| self.live_at(host) == live;
        if !healthy.iter().all(counts_right) {
            return None;
        }
        let log = self.log();
        let turns = || log.turns.iter().filter(|turn| !self.is_faulty[turn.observer]);
        let last_turns: BTreeMap<HostId, Instant> =
            turns().map(|turn| (turn.observer, turn.at)).collect();
        let at = |at: Option<Instant>| at.map_or(0.0, |at| self.seconds(at));
        Some(Agreement {
            first_change: at(turns().next().map(|turn| turn.at)),
            first: at(last_turns.values().min().copied()),
            last: at(last_turns.values().max().copied()),
        })
    }

    /// Removals of healthy members: at any member, and at healthy ones.
    pub fn false_removals(&self) -> (u64, u64) {
        let log = self.log();
        let of_healthy = log.removals.iter().filter(|seen| !self.is_faulty[seen.subject]);
        of_healthy.fold((0, 0), |(all, healthy), seen| {
            (all + 1, healthy + u64::from(!self.is_faulty[seen.observer]))
        })
    }

    /// Seconds until every healthy member had removed this one for the first time, if all did.
    pub fn removed_by_all(&self, subject: HostId) -> Option<f64> {
        let log = self.log();
        let mut first: BTreeMap<HostId, Instant> = BTreeMap::new();
        let of_it = |seen: &&Mention| seen.subject == subject && !self.is_faulty[seen.observer];
        for seen in log.removals.iter().filter(of_it) {
            first.entry(seen.observer).or_insert(seen.at);
        }
        let is_all = first.len() == self.healthy().len();
        first.values().max().filter(|_| is_all).map(|&at| self.seconds(at))
    }

    /// Seconds until somebody healthy removed a faulty member, if anybody did.
    pub fn first_removal_of_faulty(&self) -> Option<f64> {
        let log = self.log();
        let of_faulty =
            |seen: &&Mention| self.is_faulty[seen.subject] && !self.is_faulty[seen.observer];
        log.removals.iter().find(of_faulty).map(|seen| self.seconds(seen.at))
    }

    /// How often healthy members took this one in again, on average.
    pub fn returns(&self, subject: HostId) -> f64 {
        let log = self.log();
        let of_it = log
            .returns
            .iter()
            .filter(|seen| seen.subject == subject && !self.is_faulty[seen.observer]);
        of_it.count() as f64 / self.healthy().len() as f64
    }

    /// Takes note of what is so at the end of a second.
    fn look(&mut self) {
        self.readings.resize(self.world.hosts().len(), Load::default());
        self.is_faulty.resize(self.world.hosts().len(), false);
        for (id, host) in self.world.hosts().iter().enumerate() {
            let Some(node) = host.machine() else {
                self.readings[id] = Load::default();
                continue;
            };
            if !self.is_faulty[id] {
                self.counts.insert(node.counts().live());
            }
            let stats = node.stats();
            let reading = Load {
                received: stats.bytes_received + stats.stream_bytes_received,
                sent: stats.bytes_sent + stats.stream_bytes_sent,
            };
            // A process that was started anew began to count anew.
            self.loads.push(reading.since(self.readings[id]).unwrap_or(reading));
            self.readings[id] = reading;
        }
    }
}

impl Load {
    /// What came on top of what was before.
    fn since(self, before: Self) -> Option<Self> {
        Some(Self {
            received: self.received.checked_sub(before.received)?,
            sent: self.sent.checked_sub(before.sent)?,
        })
    }
}

/// What it costs to handle a packet.
pub(super) const RECEIVE_COST: Duration = Duration::from_micros(50);

/// Time before a fault.
const CALM: Duration = Duration::from_secs(15);

const SECOND: Duration = Duration::from_secs(1);
