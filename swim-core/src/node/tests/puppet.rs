//! One real node, and puppets for peers: whatever a peer could say, a puppet says, in real packets
//! and frames, in virtual time.
//!
//! What the node sends is opened by the puppet it is meant for and kept until the test looks. The
//! auditor watches every step.

use core::net::SocketAddr;
use std::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    time::Duration,
    vec::Vec,
};

use bytes::Bytes;
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng as _;

use super::{
    super::Node,
    auditor::Auditor,
    words::{self, NODE, addr, is_alive, name},
};
use crate::{
    config::Options,
    event::{Event, EventKind, SeedOutcome},
    io::{Input, Output, StreamEvent, StreamId, Timer},
    keyring::Keyring,
    label::Label,
    member::{Member, State},
    reject::Reject,
    stamp::{Life, Stamp},
    stats::Stats,
    time::Instant,
    wire::{Ack, Channel, Digest, Message, Opened, Sender, Wire, WireSettings},
};

/// The node under test, and everybody it could meet.
pub(super) struct Stage {
    pub(super) node: Node,
    pub(super) now: Instant,
    /// What the node did since the test last cleared it, oldest first.
    pub(super) sent: Vec<Sent>,
    pub(super) events: Vec<EventKind>,
    pub(super) steps: Vec<Step>,
    /// The timer the node asked for.
    pub(super) timer: Option<(Instant, Timer)>,
    /// Whether puppets answer pings at once, but for those that are silent.
    pub(super) answering: bool,
    pub(super) silent: BTreeSet<usize>,
    /// The wall clock that puppets seal packets under.
    pub(super) wall: Option<u32>,
    /// Auditing costs as much as there are members: off where a test has thousands.
    pub(super) audited: bool,
    auditor: Auditor,
    puppets: BTreeMap<usize, Puppet>,
    links: BTreeMap<StreamId, Link>,
    label: Label,
    keyring: Option<Keyring>,
    next_accepted: u64,
}

/// A packet of the node, as its receiver opened it.
pub(super) struct Sent {
    pub(super) to: SocketAddr,
    pub(super) data: Bytes,
    pub(super) at: Instant,
    pub(super) sender: Stamp,
    pub(super) messages: Vec<Message<'static>>,
}

/// Something the node did on a stream.
pub(super) enum Step {
    Dial { id: StreamId, to: SocketAddr },
    Frame { id: StreamId, messages: Vec<Message<'static>>, last: bool },
    Close { id: StreamId },
    Abort { id: StreamId },
}

/// A peer's wire and the stamp it speaks under.
struct Puppet {
    name: &'static str,
    wire: Wire,
    stamp: Stamp,
}

/// A puppet's end of a stream.
struct Link {
    puppet: usize,
    channel: Channel,
}

impl Stage {
    /// A node that knows nobody. It probes once an hour and exchanges no tables on its own, so that
    /// whatever happens is the test's doing.
    pub(super) fn new(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::lan(name(NODE), addr(NODE));
        options.life = Life(5);
        options.probe_interval = Duration::from_secs(3600);
        options.push_pull_interval = Duration::ZERO;
        options.reconnect_interval = Duration::ZERO;
        options.repair = false;
        change(&mut options);
        let (label, keyring) = (Label::new(&options.label).unwrap(), options.keyring.clone());
        let now = Instant::from_millis(1_000_000);
        let wall = options.unix_time.map(|unix| u32::try_from(unix.as_secs()).unwrap());
        let node = Node::new(options.build().unwrap(), [9; 32], now);
        let mut stage = Self {
            node,
            now,
            sent: Vec::new(),
            events: Vec::new(),
            steps: Vec::new(),
            timer: None,
            answering: false,
            silent: BTreeSet::new(),
            wall,
            audited: true,
            auditor: Auditor::default(),
            puppets: BTreeMap::new(),
            links: BTreeMap::new(),
            label,
            keyring,
            next_accepted: 0,
        };
        stage.drain();
        stage.clear();
        stage
    }

    /// The same with puppets 1 to `n` as members, and no news left to tell.
    pub(super) fn with(n: usize, change: impl FnOnce(&mut Options)) -> Self {
        let mut stage = Self::new(change);
        (1..=n).for_each(|nth| stage.introduce(nth));
        stage.settle();
        stage
    }

    /// A node as in one data centre, probing every second, and `n` puppets that answer.
    pub(super) fn lan(n: usize, change: impl FnOnce(&mut Options)) -> Self {
        let mut stage = Self::new(|options| {
            options.probe_interval = Duration::from_secs(1);
            change(options);
        });
        stage.answering = true;
        (1..=n).for_each(|nth| stage.introduce(nth));
        stage.settle();
        stage
    }

    /// The nth makes itself known.
    pub(super) fn introduce(&mut self, nth: usize) {
        self.say(nth, &[is_alive(nth, 1, 1)]);
        assert_eq!(self.state(nth), Some(State::Alive));
    }

    /// Lets all news be told, then forgets what was seen.
    pub(super) fn settle(&mut self) {
        self.settle_and_keep();
        self.clear();
    }

    /// Lets all news be told.
    pub(super) fn settle_and_keep(&mut self) {
        for _ in 0..500 {
            if self.node.claims.is_empty() && !self.node.broadcasts.is_waiting() {
                return;
            }
            self.run(Duration::from_millis(200));
        }
        panic!("news that is never told");
    }

    /// Forgets what was seen.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
        self.events.clear();
        self.steps.clear();
    }

    // Time.

    /// Lets time pass, with a tick whenever the node asked for one.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.timer.is_some_and(|(at, _)| at <= end) {
            self.run_to_tick();
        }
        self.now = end;
    }

    /// Lets time pass until the node wants to be woken, and wakes it; says for what.
    pub(super) fn run_to_tick(&mut self) -> Timer {
        let (at, why) = self.timer.take().expect("a node with something to do");
        self.now = self.now.max(at);
        self.handle(Input::Tick);
        why
    }

    /// Lets time pass until the node was woken for this.
    pub(super) fn run_until(&mut self, wanted: Timer) {
        for _ in 0..10_000 {
            if self.run_to_tick() == wanted {
                return;
            }
        }
        panic!("the node never wakes up for {wanted:?}");
    }

    /// Lets time pass until the next probe begins; says of whom, and the nonce of the ping.
    pub(super) fn run_to_probe(&mut self) -> (usize, u64) {
        let probes = self.node.stats().probes;
        for _ in 0..1000 {
            self.sent.clear();
            self.run_to_tick();
            if self.node.stats().probes > probes {
                break;
            }
        }
        let pings = self.sent.iter().filter_map(|sent| {
            let nonce = sent.messages.iter().find_map(|message| match message {
                Message::Ping(ping) => Some(ping.nonce),
                _ => None,
            });
            Some((nth_at(sent.to), nonce?))
        });
        pings.last().expect("a probe begins with a ping")
    }

    /// Lets time pass without a word to the node, as when its process is stopped.
    pub(super) fn sleep(&mut self, span: Duration) {
        self.now = self.now + span;
    }

    // Packets.

    /// The nth sends a packet from its own address.
    pub(super) fn say(&mut self, nth: usize, messages: &[Message<'_>]) {
        self.say_from(addr(nth), nth, messages);
    }

    /// The nth sends a packet from some address.
    pub(super) fn say_from(&mut self, from: SocketAddr, nth: usize, messages: &[Message<'_>]) {
        let data = self.packet(nth, messages);
        self.handle(Input::Packet { from, data: &data });
    }

    /// A packet from the nth to the node.
    pub(super) fn packet(&mut self, nth: usize, messages: &[Message<'_>]) -> Bytes {
        let to = self.node.name().clone();
        self.encode(nth, Some(&to), messages)
    }

    fn encode(&mut self, nth: usize, to: Option<&str>, messages: &[Message<'_>]) -> Bytes {
        let wall = self.wall;
        let puppet = self.puppet(nth);
        let sender = Sender { name: puppet.name, stamp: puppet.stamp };
        let mut writer = puppet.wire.begin_packet(wall, sender, to);
        for message in messages {
            assert!(writer.push(message), "{message:?} fits");
        }
        puppet.wire.finish_packet(writer)
    }

    /// A packet from the nth to whoever reads it.
    pub(super) fn packet_to_anybody(&mut self, nth: usize, messages: &[Message<'_>]) -> Bytes {
        self.encode(nth, None, messages)
    }

    /// Some bytes come from some address.
    pub(super) fn raw(&mut self, from: SocketAddr, data: &[u8]) {
        self.handle(Input::Packet { from, data });
    }

    /// From now on the nth speaks under this stamp.
    pub(super) fn speaks_under(&mut self, nth: usize, life: u64, incarnation: u64) {
        self.puppet(nth).stamp = Stamp::new(life, incarnation);
    }

    /// From now on the nth goes by this name.
    pub(super) fn named(&mut self, nth: usize, name: &'static str) {
        self.puppet(nth).name = name;
    }

    // Streams.

    /// The nth opens a stream.
    pub(super) fn accept(&mut self, nth: usize) -> StreamId {
        self.accept_from(addr(nth), nth)
    }

    /// The nth opens a stream from some address.
    pub(super) fn accept_from(&mut self, from: SocketAddr, nth: usize) -> StreamId {
        let id = StreamId::accepted(self.next_accepted);
        self.next_accepted += 1;
        self.puppet(nth);
        self.links.insert(id, Link { puppet: nth, channel: Channel::dialer() });
        self.stream(id, StreamEvent::Accepted { from });
        id
    }

    /// Something happens on a stream.
    pub(super) fn stream(&mut self, id: StreamId, event: StreamEvent<'_>) {
        self.handle(Input::Stream { id, event });
    }

    /// The puppet at the other end of a stream sends a frame.
    pub(super) fn reply(&mut self, id: StreamId, messages: &[Message<'_>], last: bool) {
        let data = self.frame(id, messages, last);
        self.stream(id, StreamEvent::Chunk(&data));
    }

    /// A frame from the puppet at the other end of a stream.
    pub(super) fn frame(&mut self, id: StreamId, messages: &[Message<'_>], last: bool) -> Bytes {
        let link = self.links.get_mut(&id).expect("a stream that was opened");
        let puppet = self.puppets.get_mut(&link.puppet).expect("a puppet that opened it");
        let sender = Sender { name: puppet.name, stamp: puppet.stamp };
        let mut writer = puppet.wire.begin_frame(self.wall, sender, None);
        for message in messages {
            assert!(writer.push(message), "{message:?} fits");
        }
        puppet.wire.finish_frame(writer, &mut link.channel, last)
    }

    /// From now on the nth, whose own wire knows nothing of it yet, is at the other end.
    pub(super) fn handled_by(&mut self, id: StreamId, nth: usize) {
        self.puppet(nth);
        self.links.get_mut(&id).expect("a stream that was opened").puppet = nth;
    }

    // Commands.

    /// Asks the node for something.
    pub(super) fn call<R>(&mut self, command: impl FnOnce(&mut Node, Instant) -> R) -> R {
        let result = command(&mut self.node, self.now);
        self.drain();
        result
    }

    /// Feeds the node.
    pub(super) fn handle(&mut self, input: Input<'_>) {
        self.node.handle(self.now, input);
        self.drain();
    }

    // Looking.

    /// What the node believes of the nth.
    pub(super) fn state(&self, nth: usize) -> Option<State> {
        self.node.member(name(nth)).map(|member| member.state)
    }

    /// The same with the stamp it is about, as text: `suspect 1.2`.
    pub(super) fn belief(&self, nth: usize) -> String {
        match self.node.member(name(nth)) {
            Some(member) => format!("{} {}", member.state, member.stamp),
            None => "unknown".into(),
        }
    }

    /// Everything that a packet could change, but for the counters of input itself.
    pub(super) fn essence(&self) -> (Vec<Member>, Stats, Option<Instant>, bool) {
        let stats = Stats {
            packets_received: 0,
            bytes_received: 0,
            stream_bytes_received: 0,
            rejects: Default::default(),
            ..self.node.stats().clone()
        };
        let deadline = self.node.timers.next().map(|(at, _)| at);
        (self.node.members().collect(), stats, deadline, self.node.claims.is_empty())
    }

    /// All that was sent to the nth.
    pub(super) fn told(&self, nth: usize) -> impl Iterator<Item = &Message<'static>> {
        let to_nth = self.sent.iter().filter(move |sent| sent.to == addr(nth));
        to_nth.flat_map(|sent| &sent.messages)
    }

    /// The claims among that, as text.
    pub(super) fn claims_to(&self, nth: usize) -> Vec<String> {
        words::claims(self.told(nth))
    }

    /// The claims sent to anybody, as text.
    pub(super) fn claims_to_any(&self) -> Vec<String> {
        words::claims(self.sent.iter().flat_map(|sent| &sent.messages))
    }

    /// The nonce of the last ping to the nth.
    pub(super) fn pinged(&self, nth: usize) -> Option<u64> {
        let pings = self.told(nth).filter_map(|message| match message {
            Message::Ping(ping) => Some(ping.nonce),
            _ => None,
        });
        pings.last()
    }

    /// What members did according to events, as text: `p1 suspected`.
    pub(super) fn changes(&self) -> Vec<String> {
        let changes = self.events.iter().filter_map(|event| match event {
            EventKind::Member { change, member } => Some(format!("{} {change}", member.name)),
            _ => None,
        });
        changes.collect()
    }

    /// The application messages and broadcasts that arrived, as text.
    pub(super) fn payloads(&self) -> Vec<&str> {
        let payloads = self.events.iter().filter_map(|event| match event {
            EventKind::Broadcast { payload, .. } | EventKind::Message { payload, .. } => {
                Some(core::str::from_utf8(payload).unwrap())
            }
            _ => None,
        });
        payloads.collect()
    }

    /// What came of the seeds of joins, in the order of events.
    pub(super) fn seed_outcomes(&self) -> Vec<SeedOutcome> {
        let outcomes = self.events.iter().filter_map(|event| match event {
            EventKind::Seed { outcome, .. } => Some(outcome.clone()),
            _ => None,
        });
        outcomes.collect()
    }

    /// The streams the node opened, and where to.
    pub(super) fn dials(&self) -> Vec<(StreamId, SocketAddr)> {
        let dials = self.steps.iter().filter_map(|step| match *step {
            Step::Dial { id, to } => Some((id, to)),
            Step::Frame { .. } | Step::Close { .. } | Step::Abort { .. } => None,
        });
        dials.collect()
    }

    /// The messages the node wrote to a stream, and whether that was all.
    pub(super) fn written(&self, wanted: StreamId) -> (Vec<Message<'static>>, bool) {
        let mut written = (Vec::new(), false);
        for step in &self.steps {
            if let Step::Frame { id, messages, last } = step
                && *id == wanted
            {
                written.0.extend_from_slice(messages);
                written.1 |= last;
            }
        }
        written
    }

    /// How the node ended a stream: true for gracefully.
    pub(super) fn ended(&self, wanted: StreamId) -> Option<bool> {
        self.steps.iter().find_map(|step| match *step {
            Step::Close { id } if id == wanted => Some(true),
            Step::Abort { id } if id == wanted => Some(false),
            _ => None,
        })
    }

    // Behind the scenes.

    fn drain(&mut self) {
        let mut to_answer = Vec::new();
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::SendPacket { to, data } => {
                    let sent = self.open(to, data);
                    to_answer.extend(sent.messages.iter().filter_map(|message| match message {
                        Message::Ping(ping) => Some((nth_at(to), ping.nonce)),
                        _ => None,
                    }));
                    self.sent.push(sent);
                }
                Output::Dial { id, to } => {
                    self.puppet(nth_at(to));
                    let link = Link { puppet: nth_at(to), channel: Channel::listener() };
                    self.links.insert(id, link);
                    self.steps.push(Step::Dial { id, to });
                }
                Output::Write { id, data } => self.read(id, &data),
                Output::Close { id } => self.steps.push(Step::Close { id }),
                Output::Abort { id } => self.steps.push(Step::Abort { id }),
                Output::ScheduleTimer { at, why } => self.timer = Some((at, why)),
                Output::Event(event) => self.note(event),
            }
        }
        if self.audited {
            self.auditor.check(&self.node);
        }
        if self.answering {
            to_answer.retain(|(nth, _)| !self.silent.contains(nth));
            to_answer.into_iter().for_each(|(nth, nonce)| self.ack(nth, nonce));
        }
    }

    /// The nth answers a ping.
    pub(super) fn ack(&mut self, nth: usize, nonce: u64) {
        self.say(nth, &[Message::Ack(Ack { nonce, digest: Digest::default(), payload: b"" })]);
    }

    fn note(&mut self, event: Event) {
        self.auditor.note(&event);
        assert_eq!(event.at, self.node.now, "events happen when they are told");
        self.events.push(event.kind);
    }

    fn open(&mut self, to: SocketAddr, data: Bytes) -> Sent {
        assert!(data.len() <= self.node.config.packet_len_max, "W1: {} bytes", data.len());
        let (wall, now) = (self.wall, self.now);
        let opened = self.puppet(nth_at(to)).wire.open_packet(wall, keep(&data), scratch());
        let (sender, messages) = match opened {
            Ok(opened) => (opened.sender.stamp, opened.messages.collect()),
            // Somebody else is thought to be there.
            Err(Reject::NotForUs) => (Stamp::default(), Vec::new()),
            Err(reject) => panic!("the node sent what its receivers refuse: {reject}"),
        };
        Sent { to, data, at: now, sender, messages }
    }

    fn read(&mut self, id: StreamId, mut data: &[u8]) {
        let link = self.links.get_mut(&id).expect("a stream that was opened");
        let puppet = self.puppets.get_mut(&link.puppet).expect("a puppet that opened it");
        let opened = puppet.wire.open_frame(self.wall, &mut link.channel, &mut data, scratch());
        let Opened { messages, last, .. } =
            opened.expect("the node writes what its peers accept").expect("whole frames");
        assert!(data.is_empty(), "one frame at a time");
        self.steps.push(Step::Frame { id, messages: messages.collect(), last });
    }

    fn puppet(&mut self, nth: usize) -> &mut Puppet {
        let Self { puppets, label, keyring, .. } = self;
        puppets.entry(nth).or_insert_with(|| {
            let mut seed = [1; 32];
            seed[..8].copy_from_slice(&nth.to_le_bytes());
            let settings = WireSettings {
                label,
                keyring: keyring.clone(),
                own_name: name(nth),
                packet_len_max: crate::limits::PACKET_LEN_MAX,
                sessions_max: 16,
            };
            let wire = Wire::native(settings, ChaCha8Rng::from_seed(seed));
            Puppet { name: name(nth), wire, stamp: Stamp::new(1, 1) }
        })
    }
}

/// Whoever is at an address.
pub(super) fn nth_at(addr: SocketAddr) -> usize {
    let SocketAddr::V4(addr) = addr else { panic!("puppets live at IPv4 addresses") };
    usize::try_from(addr.ip().to_bits() - 0x0A00_0001).unwrap()
}

/// Messages borrow from what they came in. A test keeps them to its end, so the bytes stay.
fn keep(data: &[u8]) -> &'static [u8] {
    Box::leak(data.into())
}

fn scratch() -> &'static mut Vec<u8> {
    Box::leak(Box::default())
}
