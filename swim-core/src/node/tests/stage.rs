//! The stage: one real node, the puppets around it, and virtual time.
//!
//! What the node does is kept until the test looks. The auditor watches every step.

use core::net::SocketAddr;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
    vec::Vec,
};

use bytes::Bytes;

use super::{
    super::Node,
    auditor::Auditor,
    puppet::{Link, Puppet, nth_at},
    words::{NODE, addr, is_alive, is_dead, is_suspect, name},
};
use crate::{
    config::Options,
    event::{Event, EventKind},
    io::{Input, Output, StreamId, Timer},
    keyring::Keyring,
    label::Label,
    member::State,
    name::named,
    stamp::{Life, Stamp},
    time::Instant,
    wire::Message,
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
    pub(super) puppets: BTreeMap<usize, Puppet>,
    pub(super) links: BTreeMap<StreamId, Link>,
    pub(super) label: Label,
    pub(super) keyring: Option<Keyring>,
    pub(super) next_accepted: u64,
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

    /// The nth makes itself known, and is one that has answered before.
    pub(super) fn introduce(&mut self, nth: usize) {
        self.mention(nth);
        let index = self.node.table.find(named(name(nth))).unwrap();
        self.node.table.validate(index);
    }

    /// The nth is said to be there.
    pub(super) fn mention(&mut self, nth: usize) {
        self.say(nth, &[is_alive(nth, 1, 1)]);
        assert_eq!(self.state(nth), Some(State::Alive));
    }

    /// Somebody fails as the rules want it: in doubt by the word of `by`, then time to answer, and
    /// the verdict. What was seen before that is forgotten.
    pub(super) fn fail(&mut self, nth: usize, stamp: (u64, u64), by: usize) {
        self.say(by, &[is_suspect(nth, stamp, by)]);
        self.let_answer();
        self.clear();
        self.say(by, &[is_dead(nth, stamp, by)]);
        assert_eq!(self.state(nth), Some(State::Dead));
    }

    /// Lets as much time pass as everybody has to answer an accusation.
    pub(super) fn let_answer(&mut self) {
        self.run(self.node.dissemination_window());
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
                    let channel = self.puppet(nth_at(to)).wire.listener();
                    let link = Link { puppet: nth_at(to), channel };
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

    fn note(&mut self, event: Event) {
        self.auditor.note(&event);
        assert_eq!(event.at, self.node.now, "events happen when they are told");
        self.events.push(event.kind);
    }
}
