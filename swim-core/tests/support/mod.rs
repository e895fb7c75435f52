//! A small world for tests: nodes, a clock, a packet and stream network, all in virtual time.
//!
//! Every event of every node is recorded and checked on the way: the numbering has no gaps (E3),
//! the grammar of each member's events holds (E1), and folding them gives the members (E2).

#![allow(dead_code, reason = "each test file uses the part it needs")]

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    net::SocketAddr,
    time::Duration,
};

use swim_core::{
    Bytes, Event, EventKind, Input, Instant, Member, MemberChange, Node, Options, Output, State,
    StreamEvent, StreamId,
};

pub mod mirror;

use mirror::Mirror;

/// A node's place in the world; its address follows from it.
pub type Id = usize;

/// The address of a node.
pub fn addr(id: Id) -> SocketAddr {
    SocketAddr::from(([10, 0, (id / 250) as u8, (id % 250 + 1) as u8], 7946))
}

/// The name of a node.
pub fn name(id: Id) -> String {
    format!("n{id}")
}

/// One node and what was seen of it.
pub struct Host {
    pub node: Node,
    pub events: Vec<Event>,
    pub mirror: Mirror,
    timer: Option<Instant>,
    /// Nothing runs until then; what comes meanwhile waits.
    paused_until: Instant,
    next_accepted: u64,
    /// The other end of each stream.
    peers: BTreeMap<StreamId, (Id, StreamId)>,
}

/// How the network behaves. Cuts are directed.
pub struct Network {
    pub latency: (Duration, Duration),
    /// Packets lost, in permille.
    pub loss: u64,
    pub cuts: BTreeSet<(Id, Id)>,
    /// Directions in which packets are lost but streams work.
    pub packet_cuts: BTreeSet<(Id, Id)>,
    seed: u64,
}

pub struct World {
    pub now: Instant,
    pub hosts: Vec<Option<Host>>,
    pub network: Network,
    pub packets: u64,
    pub bytes: u64,
    pub stream_bytes: u64,
    /// Every packet, if asked for.
    pub capture: Option<Vec<(Id, SocketAddr, Bytes)>>,
    /// A digest of every output of every node, in order.
    pub trace: u64,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    pending: BTreeMap<u64, (Id, u64, Delivery)>,
    lives: BTreeMap<Id, u64>,
    sequence: u64,
}

enum Delivery {
    Packet(SocketAddr, Bytes),
    Timer,
    Stream(StreamId, Arrival),
    Dialed(Id, StreamId),
}

enum Arrival {
    Connected,
    Chunk(Bytes),
    Drained,
    Finished,
    Failed,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self {
            now: Instant::from_millis(1_000),
            hosts: Vec::new(),
            network: Network {
                latency: (Duration::from_micros(100), Duration::from_micros(300)),
                loss: 0,
                cuts: BTreeSet::new(),
                packet_cuts: BTreeSet::new(),
                seed: seed | 1,
            },
            packets: 0,
            bytes: 0,
            stream_bytes: 0,
            capture: None,
            trace: 0xcbf2_9ce4_8422_2325,
            queue: BinaryHeap::new(),
            pending: BTreeMap::new(),
            lives: BTreeMap::new(),
            sequence: 0,
        }
    }

    /// A world of `n` nodes that have all joined through node 0 and know each other.
    pub fn cluster(n: usize, seed: u64, options: impl Fn(&mut Options)) -> Self {
        let mut world = Self::new(seed);
        for id in 0..n {
            world.start(id, |o| options(o));
        }
        for id in 1..n {
            world.join(id, &[0]);
        }
        world.run_until(Duration::from_secs(60), "all to know all", |w| w.agree());
        world
    }

    /// Starts (or starts again, with a new life) a node, at `local` settings unless changed.
    pub fn start(&mut self, id: Id, change: impl FnOnce(&mut Options)) {
        let life = self.lives.get(&id).map_or(1_000, |life| life + 1_000);
        let mut options = Options::lan(name(id), addr(id));
        options.life = swim_core::Life(life);
        change(&mut options);
        self.lives.insert(id, options.life.0);
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(id as u64).to_le_bytes());
        seed[8..16].copy_from_slice(&options.life.0.to_le_bytes());
        seed[16..24].copy_from_slice(&self.network.seed.to_le_bytes());
        let node = Node::new(options.build().expect("valid options"), seed, self.now);
        let host = Host {
            node,
            events: Vec::new(),
            mirror: Mirror::default(),
            timer: None,
            paused_until: Instant::ORIGIN,
            next_accepted: 0,
            peers: BTreeMap::new(),
        };
        if self.hosts.len() <= id {
            self.hosts.resize_with(id + 1, || None);
        }
        self.hosts[id] = Some(host);
        self.drain(id);
    }

    /// Kills a node: it is gone without a word.
    pub fn crash(&mut self, id: Id) {
        let host = self.hosts[id].take().expect("a running node");
        for (_, (peer, stream)) in host.peers {
            self.deliver(peer, Delivery::Stream(stream, Arrival::Failed));
        }
    }

    /// Stops a node for a while, as SIGSTOP does.
    pub fn pause(&mut self, id: Id, span: Duration) {
        self.host_mut(id).paused_until = self.now + span;
    }

    pub fn join(&mut self, id: Id, seeds: &[Id]) {
        let seeds: Vec<SocketAddr> = seeds.iter().map(|&seed| addr(seed)).collect();
        self.call(id, |node, now| node.join(now, &seeds, Duration::from_secs(10)))
            .expect("a join that may start");
    }

    pub fn leave(&mut self, id: Id) {
        self.call(id, |node, now| node.leave(now, Duration::from_secs(5))).expect("may leave");
    }

    /// Runs a command on a node and carries out what follows.
    pub fn call<R>(&mut self, id: Id, command: impl FnOnce(&mut Node, Instant) -> R) -> R {
        let now = self.now;
        let result = command(&mut self.host_mut(id).node, now);
        self.drain(id);
        result
    }

    /// Hands a packet to a node as if it came from `from`.
    pub fn inject(&mut self, id: Id, from: SocketAddr, data: &[u8]) {
        self.call(id, |node, now| node.handle(now, Input::Packet { from, data }));
    }

    pub fn host(&self, id: Id) -> &Host {
        self.hosts[id].as_ref().expect("a running node")
    }

    pub fn host_mut(&mut self, id: Id) -> &mut Host {
        self.hosts[id].as_mut().expect("a running node")
    }

    pub fn node(&self, id: Id) -> &Node {
        &self.host(id).node
    }

    pub fn running(&self) -> Vec<Id> {
        (0..self.hosts.len()).filter(|&id| self.hosts[id].is_some()).collect()
    }

    /// What `observer` believes of `subject`.
    pub fn view(&self, observer: Id, subject: Id) -> Option<State> {
        self.node(observer).member(&name(subject)).map(|member| member.state)
    }

    /// Whether all running nodes know each other as alive, under the stamps they speak under, and
    /// count nobody else as live.
    pub fn agree(&self) -> bool {
        let running: Vec<Id> =
            self.running().into_iter().filter(|&id| !self.node(id).has_left()).collect();
        running.iter().all(|&observer| {
            let node = self.node(observer);
            node.counts().live() == running.len()
                && running.iter().all(|&subject| {
                    node.member(&name(subject)).is_some_and(|member| {
                        let own = self.node(subject).local();
                        member.state == State::Alive
                            && member.stamp == own.stamp
                            && member.meta == own.meta
                    })
                })
        })
    }

    /// Cuts both directions between two groups.
    pub fn partition(&mut self, one: &[Id], other: &[Id]) {
        for &a in one {
            for &b in other {
                self.network.cuts.insert((a, b));
                self.network.cuts.insert((b, a));
            }
        }
    }

    pub fn heal(&mut self) {
        self.network.cuts.clear();
        self.network.packet_cuts.clear();
    }

    pub fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(&Reverse((at, _))) = self.queue.peek() {
            if at > end {
                break;
            }
            self.step();
        }
        self.now = end;
    }

    /// Runs until `done`, looked at after every step; returns how long it took.
    pub fn run_until(
        &mut self,
        limit: Duration,
        what: &str,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Duration {
        let start = self.now;
        let mut steps = 0_u64;
        let stride = (self.hosts.len() as u64 / 4).max(1);
        while !(steps.is_multiple_of(stride) && done(self)) {
            let waited = self.now.saturating_since(start);
            assert!(waited < limit, "waited {waited:?} for {what}");
            assert!(self.step(), "nothing is scheduled while waiting for {what}");
            steps += 1;
        }
        self.now.saturating_since(start)
    }

    /// Lets the next thing happen.
    fn step(&mut self) -> bool {
        let Some(Reverse((at, sequence))) = self.queue.pop() else { return false };
        self.now = self.now.max(at);
        let (id, life, delivery) = self.pending.remove(&sequence).expect("queued with it");
        let Some(host) = self.hosts[id].as_mut().filter(|_| self.lives[&id] == life) else {
            if let Delivery::Dialed(from, stream) = delivery {
                self.deliver(from, Delivery::Stream(stream, Arrival::Failed));
            }
            return true;
        };
        if host.paused_until > self.now {
            let until = host.paused_until;
            self.schedule(until, id, delivery);
            return true;
        }
        match delivery {
            Delivery::Packet(from, data) => {
                host.node.handle(self.now, Input::Packet { from, data: &data });
            }
            Delivery::Timer => {
                if host.timer.is_none_or(|timer| timer > self.now) {
                    return true; // Replaced meanwhile.
                }
                host.timer = None;
                host.node.handle(self.now, Input::Tick);
            }
            Delivery::Stream(stream, arrival) => self.arrive(id, stream, arrival),
            Delivery::Dialed(from, stream) => self.accept(id, from, stream),
        }
        self.drain(id);
        true
    }

    fn accept(&mut self, id: Id, from: Id, stream: StreamId) {
        let now = self.now;
        let host = self.host_mut(id);
        let own = StreamId::accepted(host.next_accepted);
        host.next_accepted += 1;
        host.peers.insert(own, (from, stream));
        let event = StreamEvent::Accepted { from: addr(from) };
        host.node.handle(now, Input::Stream { id: own, event });
        if let Some(dialer) = &mut self.hosts[from] {
            dialer.peers.insert(stream, (id, own));
            self.deliver(from, Delivery::Stream(stream, Arrival::Connected));
        }
    }

    fn arrive(&mut self, id: Id, stream: StreamId, arrival: Arrival) {
        let now = self.now;
        let host = self.host_mut(id);
        let event = match &arrival {
            Arrival::Connected => StreamEvent::Connected,
            Arrival::Chunk(data) => StreamEvent::Chunk(data),
            Arrival::Drained => StreamEvent::Drained,
            Arrival::Finished => StreamEvent::Finished,
            Arrival::Failed => StreamEvent::Failed,
        };
        if matches!(arrival, Arrival::Failed) {
            host.peers.remove(&stream);
        }
        host.node.handle(now, Input::Stream { id: stream, event });
    }

    /// Carries out what a node wants done.
    fn drain(&mut self, id: Id) {
        while let Some(output) = self.host_mut(id).node.poll_output() {
            self.trace_output(id, &output);
            match output {
                Output::SendPacket { to, data } => self.send(id, to, data),
                Output::Dial { id: stream, to } => self.dial(id, stream, to),
                Output::Write { id: stream, data } => {
                    self.stream_bytes += data.len() as u64;
                    if let Some(&(peer, other)) = self.host(id).peers.get(&stream) {
                        self.deliver(peer, Delivery::Stream(other, Arrival::Chunk(data)));
                        self.deliver(id, Delivery::Stream(stream, Arrival::Drained));
                    }
                }
                Output::Close { id: stream } => self.close(id, stream, Arrival::Finished),
                Output::Abort { id: stream } => self.close(id, stream, Arrival::Failed),
                Output::ScheduleTimer { at, .. } => {
                    self.host_mut(id).timer = Some(at);
                    self.schedule(at.max(self.now), id, Delivery::Timer);
                }
                Output::Event(event) => self.record(id, event),
            }
        }
    }

    fn record(&mut self, id: Id, event: Event) {
        let host = self.host_mut(id);
        assert_eq!(event.seq, host.events.len() as u64, "E3: event numbers have no gaps");
        if let EventKind::Member { change, member } = &event.kind {
            host.mirror.fold(*change, member);
        }
        host.events.push(event);
    }

    /// E2, for all nodes: the folded events are the members.
    pub fn check_mirrors(&self) {
        for id in self.running() {
            let host = self.host(id);
            host.mirror.check(host.node.members());
        }
    }

    fn send(&mut self, id: Id, to: SocketAddr, data: Bytes) {
        self.packets += 1;
        self.bytes += data.len() as u64;
        if let Some(capture) = &mut self.capture {
            capture.push((id, to, data.clone()));
        }
        let lost = self.draw(1000) < self.network.loss;
        let Some(to) = self.at(to) else { return };
        let is_cut = self.is_cut(id, to) || self.network.packet_cuts.contains(&(id, to));
        if !lost && !is_cut {
            self.deliver(to, Delivery::Packet(addr(id), data));
        }
    }

    fn dial(&mut self, id: Id, stream: StreamId, to: SocketAddr) {
        match self.at(to) {
            Some(to) if !self.is_cut(id, to) && !self.is_cut(to, id) => {
                self.deliver(to, Delivery::Dialed(id, stream));
            }
            Some(_) => {} // Black hole: the stream's own timeout must end it.
            None => self.deliver(id, Delivery::Stream(stream, Arrival::Failed)),
        }
    }

    fn close(&mut self, id: Id, stream: StreamId, how: Arrival) {
        if let Some((peer, other)) = self.host_mut(id).peers.remove(&stream) {
            self.deliver(peer, Delivery::Stream(other, how));
        }
    }

    /// Brings something to a node after the network's latency; streams keep their order.
    fn deliver(&mut self, id: Id, delivery: Delivery) {
        let (least, most) = self.network.latency;
        let spread = (most - least).as_nanos() as u64;
        let latency = match delivery {
            Delivery::Packet(..) => least + Duration::from_nanos(self.draw(spread + 1)),
            Delivery::Timer | Delivery::Stream(..) | Delivery::Dialed(..) => most,
        };
        self.schedule(self.now + latency, id, delivery);
    }

    fn schedule(&mut self, at: Instant, id: Id, delivery: Delivery) {
        let Some(&life) = self.lives.get(&id) else { return };
        self.queue.push(Reverse((at, self.sequence)));
        self.pending.insert(self.sequence, (id, life, delivery));
        self.sequence += 1;
    }

    fn is_cut(&self, from: Id, to: Id) -> bool {
        self.network.cuts.contains(&(from, to))
    }

    fn at(&self, at: SocketAddr) -> Option<Id> {
        (0..self.hosts.len()).find(|&id| addr(id) == at && self.hosts[id].is_some())
    }

    /// Xorshift: the test's own chance, apart from the nodes'.
    pub fn draw(&mut self, below: u64) -> u64 {
        let seed = &mut self.network.seed;
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed % below
    }

    fn trace_output(&mut self, id: Id, output: &Output<Event>) {
        let text = format!("{:?} {id} {output:?}", self.now);
        for byte in text.bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The changes of `subject` that `observer` reported, in order.
    pub fn changes(&self, observer: Id, subject: Id) -> Vec<MemberChange> {
        let subject = name(subject);
        let changes = self.host(observer).events.iter().filter_map(|event| match &event.kind {
            EventKind::Member { change, member } if *member.name == *subject => Some(*change),
            _ => None,
        });
        changes.collect()
    }

    /// How often any running node reported this change about anybody.
    pub fn count(&self, wanted: MemberChange) -> usize {
        let running = self.running();
        let hosts = running.iter().map(|&id| self.host(id));
        hosts
            .flat_map(|host| &host.events)
            .filter(|event| {
                matches!(&event.kind, EventKind::Member { change, .. } if *change == wanted)
            })
            .count()
    }

    /// A member as `observer` sees it.
    pub fn member(&self, observer: Id, subject: Id) -> Option<Member> {
        self.node(observer).member(&name(subject))
    }
}
