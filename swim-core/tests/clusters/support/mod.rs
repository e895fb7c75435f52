//! A small world for tests: nodes, a clock, a packet and stream network, all in virtual time.
//!
//! Every event of every node is checked on the way: the numbering has no gaps (E3), the grammar of
//! each member's events holds (E1), folding them gives the members (E2), and no broadcast comes
//! twice (E4). Worlds of thousands of nodes watch less, see [`Watch`].
//!
//! Each node draws its network's luck from a stream of its own, so that adding a node does not
//! change what happens to the others. (D4)

#![allow(dead_code, reason = "each test file uses the part it needs")]

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use swim_core::{
    Bytes, EventKind, Input, Instant, Life, Member, MemberChange, Node, Options, Profile,
    SeedOutcome, State,
};

pub(crate) mod acquaint;
pub(crate) mod chaos;
mod engine;
pub(crate) mod host;
pub(crate) mod mirror;
pub(crate) mod network;
pub(crate) mod safety;
pub(crate) mod tally;

use engine::Queue;
use host::Host;
use network::Network;
use safety::Safety;
use tally::Tally;

/// A node's place in the world; its address follows from it.
pub(crate) type Id = usize;

pub(crate) const MILLISECOND: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// The address of a node.
pub(crate) fn addr(id: Id) -> SocketAddr {
    SocketAddr::from(([10, 0, (id / 250) as u8, (id % 250 + 1) as u8], 7946))
}

/// The name of a node.
pub(crate) fn name(id: Id) -> String {
    format!("n{id}")
}

/// The settings of a profile, for [`World::start`] and its kin.
pub(crate) fn preset(profile: Profile) -> impl Fn(&mut Options) {
    move |options| {
        let life = options.life;
        *options = Options::preset(profile, options.name.clone(), options.addr);
        options.life = life;
    }
}

/// How closely a world looks at its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Every event is kept, folded and checked.
    Events,
    /// And after every step the tables are checked against the safety invariants.
    Safety,
    /// Events are only counted: for large worlds.
    Counts,
}

pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) hosts: Vec<Option<Host>>,
    pub(crate) network: Network,
    pub(crate) watch: Watch,
    pub(crate) safety: Safety,
    /// When broadcasts arrived after they were issued, where [`World::shout`] issued them.
    pub(crate) arrivals: Tally,
    /// When changed metadata arrived, where [`World::update`] changed it.
    pub(crate) updates: Tally,
    /// Every packet, if asked for.
    pub(crate) capture: Option<Vec<(Id, SocketAddr, Bytes)>>,
    /// A digest of every output of every node, in order, if asked for.
    pub(crate) trace: Option<u64>,
    queue: Queue,
    /// How often each node was started.
    starts: Vec<u64>,
    lives: Vec<u64>,
    /// Hosts elsewhere than their number says.
    moved: BTreeMap<SocketAddr, Id>,
    members: usize,
    unsettled: usize,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            now: Instant::from_millis(1_000),
            hosts: Vec::new(),
            network: Network::new(seed),
            watch: Watch::Events,
            safety: Safety::default(),
            arrivals: Tally::default(),
            updates: Tally::default(),
            capture: None,
            trace: None,
            queue: Queue::default(),
            starts: Vec::new(),
            lives: Vec::new(),
            moved: BTreeMap::new(),
            members: 0,
            unsettled: 0,
        }
    }

    /// A world of `n` nodes that have all joined through node 0 and know each other.
    pub(crate) fn cluster(n: usize, seed: u64, options: impl Fn(&mut Options)) -> Self {
        let mut world = Self::new(seed);
        world.start_all(n, options);
        world.run_until(MINUTE, "all to know all", Self::agree);
        world
    }

    /// Starts `n` nodes at once, all but the first joining the first.
    pub(crate) fn start_all(&mut self, n: usize, options: impl Fn(&mut Options)) {
        for id in 0..n {
            self.start(id, |o| options(o));
        }
        for id in 1..n {
            self.join(id, &[0]);
        }
    }

    /// Starts (or starts again, with a new life) a node, at `lan` settings unless changed.
    pub(crate) fn start(&mut self, id: Id, change: impl FnOnce(&mut Options)) {
        if self.hosts.len() <= id {
            self.hosts.resize_with(id + 1, || None);
            self.starts.resize(id + 1, 0);
            self.lives.resize(id + 1, 0);
        }
        assert!(self.hosts[id].is_none(), "{id} runs already");
        let mut options = Options::lan(name(id), addr(id));
        options.life = Life(self.lives[id] + 1_000);
        change(&mut options);
        self.starts[id] += 1;
        self.lives[id] = self.lives[id].max(options.life.0);
        if options.addr != addr(id) {
            self.moved.insert(options.addr, id);
        }
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(id as u64).to_le_bytes());
        seed[8..16].copy_from_slice(&self.starts[id].to_le_bytes());
        seed[16..24].copy_from_slice(&self.network.seed().to_le_bytes());
        let config = options.build().expect("valid options");
        let node = Node::new(config, seed, self.now);
        self.hosts[id] = Some(Host::new(node, self.watch));
        self.recount();
        self.drain(id);
    }

    /// Kills a node: it is gone without a word, but for its streams, which break.
    pub(crate) fn crash(&mut self, id: Id) {
        let host = self.hosts[id].take().expect("a running node");
        self.break_streams(host);
        self.recount();
    }

    /// Stops a node for a while, as SIGSTOP does.
    pub(crate) fn pause(&mut self, id: Id, span: Duration) {
        self.host_mut(id).paused_until = self.now + span;
    }

    pub(crate) fn join(&mut self, id: Id, seeds: &[Id]) {
        let seeds: Vec<SocketAddr> = seeds.iter().map(|&seed| self.addr_of(seed)).collect();
        self.call(id, |node, now| node.join(now, &seeds, 10 * SECOND))
            .expect("a join that may start");
    }

    pub(crate) fn leave(&mut self, id: Id) {
        let (name, life) = (self.node(id).name().clone(), self.node(id).stamp().life);
        self.safety.may_be_left(&name, life);
        self.call(id, |node, now| node.leave(now, 5 * SECOND)).expect("may leave");
    }

    /// Broadcasts something that tells when it was sent.
    pub(crate) fn shout(&mut self, id: Id) {
        let payload = Bytes::copy_from_slice(&self.now.as_nanos().to_le_bytes());
        self.call(id, |node, now| node.broadcast(now, payload)).expect("may broadcast");
    }

    /// Changes metadata to something that tells when it was changed.
    pub(crate) fn update(&mut self, id: Id) {
        let meta = Bytes::copy_from_slice(&self.now.as_nanos().to_le_bytes());
        self.call(id, |node, now| node.update_meta(now, meta)).expect("may update");
    }

    /// Runs a command on a node and carries out what follows.
    pub(crate) fn call<R>(&mut self, id: Id, command: impl FnOnce(&mut Node, Instant) -> R) -> R {
        let now = self.now;
        let result = command(&mut self.host_mut(id).node, now);
        self.drain(id);
        result
    }

    /// Hands a packet to a node as if it came from `from`.
    pub(crate) fn inject(&mut self, id: Id, from: SocketAddr, data: &[u8]) {
        self.call(id, |node, now| node.handle(now, Input::Packet { from, data }));
    }

    pub(crate) fn host(&self, id: Id) -> &Host {
        self.hosts[id].as_ref().expect("a running node")
    }

    pub(crate) fn host_mut(&mut self, id: Id) -> &mut Host {
        self.hosts[id].as_mut().expect("a running node")
    }

    pub(crate) fn node(&self, id: Id) -> &Node {
        &self.host(id).node
    }

    pub(crate) fn is_running(&self, id: Id) -> bool {
        self.hosts.get(id).is_some_and(Option::is_some)
    }

    pub(crate) fn running(&self) -> Vec<Id> {
        (0..self.hosts.len()).filter(|&id| self.hosts[id].is_some()).collect()
    }

    /// Those that run and have not left.
    pub(crate) fn taking_part(&self) -> Vec<Id> {
        self.running().into_iter().filter(|&id| !self.node(id).has_left()).collect()
    }

    fn running_hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().flatten()
    }

    /// What `observer` believes of `subject`.
    pub(crate) fn view(&self, observer: Id, subject: Id) -> Option<State> {
        self.node(observer).member(&name(subject)).map(|member| member.state)
    }

    /// Whether all nodes that take part count each other as alive and nobody else as live. Costs
    /// nothing, but looks at numbers only; see [`World::agree`].
    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled == 0
    }

    /// L1: whether all nodes that take part know each other as alive, under the stamps they speak
    /// under and with what they say about themselves, and count nobody else as live.
    pub(crate) fn agree(&self) -> bool {
        if !self.is_settled() {
            return false;
        }
        let own = |id: &Id| (self.node(*id).name().to_string(), self.node(*id).local());
        let expected: BTreeMap<String, Member> = self.taking_part().iter().map(own).collect();
        self.taking_part().iter().all(|&observer| {
            let live = self.node(observer).members().filter(|member| member.state.is_live());
            let mut count = 0;
            for member in live {
                count += 1;
                let same = expected.get(&*member.name).is_some_and(|own| {
                    member.state == State::Alive
                        && (member.stamp, member.addr) == (own.stamp, own.addr)
                        && member.meta == own.meta
                });
                if !same {
                    return false;
                }
            }
            count == expected.len()
        })
    }

    /// What keeps the nodes from agreeing, for messages of failing tests.
    pub(crate) fn disagreements(&self) -> String {
        let mut found = Vec::new();
        for observer in self.taking_part() {
            for subject in self.taking_part() {
                let own = self.node(subject).local();
                let seen = self.node(observer).member(&own.name);
                let seen = seen.map(|m| (m.state, m.stamp, m.addr));
                if seen != Some((State::Alive, own.stamp, own.addr)) {
                    found.push(format!("{observer} sees {} {} as {seen:?}", own.name, own.stamp));
                }
            }
            let (live, all) = (self.node(observer).counts().live(), self.members);
            if live != all {
                found.push(format!("{observer} counts {live} live members of {all}"));
            }
        }
        found.truncate(20);
        found.join("; ")
    }

    /// E2, for all nodes: the folded events are the members.
    pub(crate) fn check_mirrors(&self) {
        for host in self.running_hosts() {
            host.mirror.check(host.node.members());
        }
    }

    /// The changes of `subject` that `observer` reported, in order.
    pub(crate) fn changes(&self, observer: Id, subject: Id) -> Vec<MemberChange> {
        let subject = name(subject);
        let changes = self.host(observer).events.iter().filter_map(|event| match &event.kind {
            EventKind::Member { change, member } if *member.name == *subject => Some(*change),
            _ => None,
        });
        changes.collect()
    }

    /// How often any running node reported this change about anybody.
    pub(crate) fn count(&self, wanted: MemberChange) -> u64 {
        self.running_hosts().map(|host| host.count(wanted)).sum()
    }

    /// The sum of a counter over all running nodes.
    pub(crate) fn sum(&self, counter: impl Fn(&swim_core::Stats) -> u64) -> u64 {
        self.running_hosts().map(|host| counter(host.node.stats())).sum()
    }

    /// A member as `observer` sees it.
    pub(crate) fn member(&self, observer: Id, subject: Id) -> Option<Member> {
        self.node(observer).member(&name(subject))
    }

    /// The outcomes of a node's joins so far.
    pub(crate) fn seed_outcomes(&self, id: Id) -> Vec<SeedOutcome> {
        let outcomes = self.host(id).events.iter().filter_map(|event| match &event.kind {
            EventKind::Seed { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        outcomes.collect()
    }

    /// Where a node is reached.
    pub(crate) fn addr_of(&self, id: Id) -> SocketAddr {
        self.hosts.get(id).and_then(Option::as_ref).map_or_else(|| addr(id), |host| host.addr)
    }

    /// Who is reached there.
    fn at(&self, at: SocketAddr) -> Option<Id> {
        let SocketAddr::V4(v4) = at else { return None };
        let [_, _, high, low] = v4.ip().octets();
        let id = usize::from(high) * 250 + usize::from(low).wrapping_sub(1);
        let is_there =
            |&id: &Id| self.hosts.get(id).is_some_and(|h| h.as_ref().is_some_and(|h| h.addr == at));
        Some(id).filter(is_there).or_else(|| self.moved.get(&at).copied().filter(is_there))
    }

    /// Counts anew who takes part and who sees them all.
    fn recount(&mut self) {
        let taking_part = |host: &&Host| !host.node.has_left();
        self.members = self.running_hosts().filter(taking_part).count();
        let members = self.members;
        self.unsettled = 0;
        for host in self.hosts.iter_mut().flatten() {
            host.is_settled = host.sees(members);
            self.unsettled += usize::from(!host.is_settled);
        }
    }
}
