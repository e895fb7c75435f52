//! The world: hosts, a network, a clock, and the queue of what is to happen.
//!
//! Everything happens in virtual time and in one order, which the seed and the commands decide.
//! The machines are those that production runs, and what they send are real packets.
//!
//! - `running`: one thing after the other.
//! - `carrying`: what machines want done.
//! - `streaming`: streams between hosts.
//! - `acquainting`: clusters that exist from the start.
//! - `commanding`: what applications and operators do.
//! - `breaking`: what goes wrong on hosts.
//! - `replaying`: packets that nobody sent, or sent long ago.
//! - `assaulting`: streams of those who don't belong here.
//! - `forging`: packets and tables in the name of others, by those who hold no key, a former one or
//!   all.
//! - `flooding`: many packets at once.
//! - `misusing`: applications of every kind, and those that don't belong here.
//! - `acting`: actions carried out.
//! - `viewing`: what the world looks like from outside.

use std::{collections::BTreeMap, fmt::Debug, net::SocketAddr};

use bytes::Bytes;
use swim_core::{Event, EventKind, Glimpse, Instant, Life, MemberChange, Node, Options, StreamId};

use crate::{
    chance::{Chance, Purpose},
    check::{Checker, Violation},
    history::History,
    host::{self, Host, Process},
    machine::Machine,
    network::{HostId, Network},
    queue::Queue,
    step::{Moment, Step},
    tally::Tally,
    trace::Trace,
};

use connection::Connection;
use stolen::Replays;
pub(crate) use stolen::key;

mod acquainting;
mod acting;
mod assaulting;
mod breaking;
mod carrying;
mod commanding;
mod connection;
mod flooding;
mod forging;
mod misusing;
mod replaying;
mod running;
#[cfg(feature = "sabotage")]
mod sabotaging;
mod stolen;
mod streaming;
mod viewing;

/// A cluster in virtual time.
///
/// # Example
///
/// Five nodes join, one dies, and the others notice:
///
/// ```
/// use std::time::Duration;
/// use swim_core::{MemberChange, Node};
/// use swim_sim::World;
///
/// let mut world: World<Node> = World::new(1);
/// for host in 0..5 {
///     world.start(host, |_options| {});
///     world.join(host, &[0]);
/// }
/// let took = world.run_until(Duration::from_secs(10), World::agree).expect("they agree");
/// assert!(took < Duration::from_secs(2));
///
/// world.crash(3);
/// let found = |world: &World| world.tally.changes(MemberChange::Failed) == 4;
/// world.run_until(Duration::from_secs(60), found).expect("all four notice");
/// ```
pub struct World<M: Machine = Node> {
    /// What time it is. Starts at one second.
    pub now: Instant,
    /// The network between the hosts.
    pub network: Network,
    /// What was counted.
    pub tally: Tally,
    /// What happened, if it is to be kept.
    pub history: Option<History>,
    /// A digest of all that happened, if it is to be kept.
    pub trace: Option<Trace>,
    seed: u64,
    hosts: Vec<Host<M>>,
    checkers: Vec<Box<dyn Checker>>,
    /// What a checker found: after this, nothing happens any more.
    violation: Option<Violation>,
    queue: Queue<Due>,
    connections: Vec<Option<Connection>>,
    connections_free: Vec<u32>,
    /// Hosts elsewhere than their number says.
    moved: BTreeMap<SocketAddr, HostId>,
    replays: Replays,
    crowd: Crowd,
    /// What happened in the moment that is being carried out.
    events: Vec<M::Event>,
    node_events: Vec<Event>,
    sent: Vec<(SocketAddr, Bytes)>,
    written: Vec<(StreamId, Bytes)>,
    dialed: Vec<SocketAddr>,
    /// Whether a checker looks at what nodes heard.
    keeps_hearsay: bool,
    /// The fault that nodes are given on purpose.
    #[cfg(feature = "sabotage")]
    sabotage: Option<swim_core::Sabotage>,
}

/// What is to happen.
#[derive(Debug)]
enum Due {
    /// A packet reaches a host.
    Packet { to: HostId, from: SocketAddr, data: Bytes },
    /// A machine wanted to be woken.
    Wake { to: HostId, run: u32 },
    /// The host can handle the next thing that waits.
    Serve { to: HostId, run: u32 },
    /// The next piece of a stream arrives at the other side of it.
    Pump { connection: u32, side: usize, serial: u32 },
    /// A host learns that nobody has the address it dialed.
    Unreachable { to: HostId, run: u32, stream: StreamId },
    /// A host that gets little of the processor stands still again.
    Starve { host: HostId },
}

/// Who takes part, and who sees exactly them: kept up to date at each step.
#[derive(Clone, Copy, Debug, Default)]
struct Crowd {
    members: usize,
    unsettled: usize,
}

impl<M: Machine> World<M> {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: BEGINNING,
            network: Network::new(seed),
            tally: Tally::default(),
            history: None,
            trace: None,
            seed,
            hosts: Vec::new(),
            checkers: Vec::new(),
            violation: None,
            queue: Queue::new(),
            connections: Vec::new(),
            connections_free: Vec::new(),
            moved: BTreeMap::new(),
            replays: Replays::default(),
            crowd: Crowd::default(),
            events: Vec::new(),
            node_events: Vec::new(),
            sent: Vec::new(),
            written: Vec::new(),
            dialed: Vec::new(),
            keeps_hearsay: false,
            #[cfg(feature = "sabotage")]
            sabotage: None,
        }
    }

    /// A world of `size` nodes that have all joined through node 0.
    ///
    /// # Panics
    ///
    /// If they don't agree within a minute.
    #[must_use]
    pub fn cluster(size: usize, seed: u64, options: impl Fn(&mut Options)) -> Self {
        let mut world = Self::new(seed);
        for id in 0..size {
            world.start(id, &options);
            if id > 0 {
                world.join(id, &[0]);
            }
        }
        let limit = core::time::Duration::from_secs(60);
        world.run_until(limit, Self::agree).unwrap_or_else(|| panic!("{}", world.disagreements()));
        world
    }

    /// The seed all luck comes from.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// Lets a checker look at every step from now on.
    pub fn watch(&mut self, mut checker: Box<dyn Checker>) {
        self.keeps_hearsay |= checker.needs_hearsay();
        for (id, host) in self.hosts.iter_mut().enumerate() {
            let Some(process) = &mut host.process else { continue };
            process.machine.node_mut().audit_transitions();
            checker.meet(id, process.machine.node());
            if self.keeps_hearsay {
                process.machine.node_mut().keep_hearsay();
            }
        }
        self.checkers.push(checker);
    }

    /// What a checker found. Once there is something, the world stands still.
    #[must_use]
    pub const fn violation(&self) -> Option<&Violation> {
        self.violation.as_ref()
    }

    /// The checkers, for what they counted.
    #[must_use]
    pub fn checkers(&self) -> &[Box<dyn Checker>] {
        &self.checkers
    }

    /// The hosts there are, running or not.
    #[must_use]
    pub fn hosts(&self) -> &[Host<M>] {
        &self.hosts
    }

    /// One host.
    ///
    /// # Panics
    ///
    /// If nothing was ever started there.
    #[must_use]
    pub fn host(&self, id: HostId) -> &Host<M> {
        &self.hosts[id]
    }

    /// One host, to change its character: its clock, its processor, its network card.
    ///
    /// # Panics
    ///
    /// If nothing was ever started there.
    pub fn host_mut(&mut self, id: HostId) -> &mut Host<M> {
        &mut self.hosts[id]
    }

    /// Starts a process on a host: `lan` settings with `change` applied, a life larger than all
    /// before. The host comes into being if it is not there yet.
    ///
    /// # Panics
    ///
    /// If a process runs there already, or if the options are not valid.
    pub fn start(&mut self, id: HostId, change: impl FnOnce(&mut Options)) {
        self.make_host(id);
        assert!(!self.hosts[id].is_running(), "host {id} runs already");
        let mut options = Options::lan(host::name(id), host::addr(id));
        options.life = Life(self.hosts[id].life.max(host::life(self.now)).0 + 1);
        change(&mut options);
        self.settle_at(id, options.addr);
        let now = self.now;
        let host = &mut self.hosts[id];
        host.life = host.life.max(options.life);
        host.starts += 1;
        // The same number of a node's run always gives the same generator. (D4)
        let run = (id as u64) << 32 | u64::from(host.starts);
        let seed = Chance::of(self.seed, Purpose::Node, run).seed();
        let config = options.build().unwrap_or_else(|error| panic!("host {id}: {error}"));
        let mut machine = M::start(config, seed, host.clock.local(now));
        #[cfg(feature = "sabotage")]
        machine.node_mut().sabotage(self.sabotage);
        if self.keeps_hearsay {
            machine.node_mut().keep_hearsay();
        }
        host.process = Some(Process::new(machine));
        self.recount();
        self.drain(id, &Moment::Started);
    }

    /// Lets a host come into being, and those before it, if they are not there yet.
    fn make_host(&mut self, id: HostId) {
        for new in self.hosts.len()..=id {
            self.hosts.push(Host::new(host::addr(new)));
        }
    }

    /// Remembers where a host is, if not where its number says.
    fn settle_at(&mut self, id: HostId, addr: SocketAddr) {
        let host = &mut self.hosts[id];
        if host.addr != addr {
            self.moved.retain(|_, other| *other != id);
            host.addr = addr;
        }
        if addr != host::addr(id) {
            self.moved.insert(addr, id);
        }
    }

    /// Who is reached at an address.
    fn at(&self, addr: SocketAddr) -> Option<HostId> {
        let is_there = |&id: &HostId| self.hosts.get(id).is_some_and(|host| host.addr == addr);
        host::host_at(addr).filter(is_there).or_else(|| self.moved.get(&addr).copied())
    }

    /// Tells those who watch what happened on a host.
    fn show(&mut self, id: HostId, moment: &Moment) {
        let host = &mut self.hosts[id];
        let Some(process) = &mut host.process else { return };
        for event in &self.node_events {
            self.tally.record(self.now, event, host.addr);
            if let Some(history) = &mut self.history {
                history.record(self.now, id, event);
            }
        }
        if self.checkers.is_empty() {
            return;
        }
        let transitions = process.machine.node_mut().audit_transitions();
        let heard = process.machine.node_mut().take_hearsay();
        let before = process.seen.take();
        let node = process.machine.node();
        let audit = node.audit();
        let after = Glimpse::of(node, &audit);
        let step = Step {
            now: self.now,
            local: host.clock.local(self.now),
            host: id,
            run: host.starts,
            addr: host.addr,
            node,
            audit: &audit,
            before: before.as_ref(),
            after: &after,
            moment,
            transitions: &transitions,
            events: &self.node_events,
            sent: &self.sent,
            written: &self.written,
            dialed: &self.dialed,
            heard: &heard,
        };
        for checker in &mut self.checkers {
            if let Err(what) = checker.check(&step) {
                let at = self.now;
                let violation = Violation { at, host: id, checker: checker.id(), what };
                self.violation.get_or_insert(violation);
            }
        }
        process.seen = Some(after);
    }

    /// Keeps up to date who sees exactly those who take part.
    fn settle(&mut self, id: HostId) {
        let members = self.crowd.members;
        let Some(process) = &mut self.hosts[id].process else { return };
        let node = process.machine.node();
        let counts = node.counts();
        let sees = if node.has_left() { OUT } else { (counts.alive, counts.suspect) };
        let was_settled = process.sees == OUT || process.sees == (members, 0);
        let is_settled = sees == OUT || sees == (members, 0);
        process.sees = sees;
        self.crowd.unsettled += usize::from(!is_settled);
        self.crowd.unsettled -= usize::from(!was_settled);
    }

    /// Counts anew who takes part.
    fn recount(&mut self) {
        let nodes = || self.hosts.iter().filter_map(Host::machine).map(Machine::node);
        self.crowd.members = nodes().filter(|node| !node.has_left()).count();
        self.crowd.unsettled = 0;
        for host in &mut self.hosts {
            let Some(process) = &mut host.process else { continue };
            let node = process.machine.node();
            let counts = node.counts();
            process.sees = if node.has_left() { OUT } else { (counts.alive, counts.suspect) };
            let is_settled = process.sees == OUT || process.sees == (self.crowd.members, 0);
            self.crowd.unsettled += usize::from(!is_settled);
        }
    }

    /// Whether what happened changes who takes part.
    fn is_turn(&self, id: HostId) -> bool {
        let own = self.hosts[id].addr;
        self.node_events.iter().any(|event| match &event.kind {
            EventKind::LeaveFinished { .. } => true,
            EventKind::Member { change: MemberChange::Joined, member } => member.addr == own,
            _ => false,
        })
    }
}

impl<M: Machine> Debug for World<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.seed)
            .field("now", &self.now)
            .field("hosts", &self.hosts.len())
            .field("queue", &self.queue.len())
            .finish_non_exhaustive()
    }
}

/// What a process that has left sees.
const OUT: (usize, usize) = (usize::MAX, usize::MAX);

/// When a world begins: clocks can be behind it.
pub(crate) const BEGINNING: Instant = Instant::from_millis(1_000);
