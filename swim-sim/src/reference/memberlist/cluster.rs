//! The cluster as data: members, what each believes of each, what is under way, what was counted.

use std::collections::VecDeque;

use super::{
    events::{Event, Events},
    rules::{
        GOSSIP_INTERVAL, GOSSIP_NODES, HANDLING, PROBE_INTERVAL, PUSH_PULL_INTERVAL, Rules,
        push_pull_interval,
    },
    updates::{Packet, Pending},
};
use crate::chance::{Chance, Purpose};

/// A cluster of the model, between two events.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) rules: Rules,
    pub(super) now: u64,
    pub(super) chance: Chance,
    pub(super) events: Events,
    pub(super) nodes: Vec<Node>,
    /// What each believes of each, a row per believer.
    pub(super) beliefs: Vec<Belief>,
    pub(super) suspicions: Vec<Suspicion>,
    pub(super) packets: Slab<Packet>,
    pub(super) streams: Slab<Stream>,
    /// Whether a member is a subject of the fault.
    pub(super) is_subject: Vec<bool>,
    /// Beliefs that are not "alive".
    pub(super) doubts: usize,
    pub(super) tally: Tally,
    /// What was seen of each subject.
    pub(super) detections: Vec<Detection>,
}

/// What a run counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Datagrams sent.
    pub datagrams: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes sent by stream.
    pub stream_bytes: u64,
    /// Fail events about healthy members, at any member.
    pub false_positives: u64,
    /// Fail events about healthy members at healthy members.
    pub healthy_false_positives: u64,
}

/// When a member was believed to have failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Detection {
    /// The first Fail event at any other member.
    pub(super) first: Option<u64>,
    /// When the last healthy member had raised it, once all have.
    pub(super) full: Option<u64>,
    /// The healthy members that have.
    pub(super) raised_at: Vec<usize>,
}

/// A member: its tasks, and what they wait for.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) incarnation: u32,
    pub(super) health: u64,
    /// What that means, the flavour decides.
    pub(super) is_blocked: bool,
    /// Was frozen, and works off what has come before it looks at its timers. (STALL)
    pub(super) is_catching_up: bool,
    /// Timers that came due meanwhile. (STALL)
    pub(super) overdue: Vec<Event>,
    /// Datagrams that wait on their way out. (HOLD)
    pub(super) held: Vec<u32>,
    /// What waits on its way out by stream. (HOLD)
    pub(super) held_streams: Vec<u32>,
    /// What handling a datagram takes, least and most.
    pub(super) cost: (u64, u64),
    /// What hangs, in the order in which it began to. (TASK)
    pub(super) hanging: Vec<Hanging>,
    /// Datagrams received and not handled.
    pub(super) inbox: VecDeque<u32>,
    /// Whether the first of them is being handled.
    pub(super) is_handling: bool,
    /// What came by stream during a block.
    pub(super) streams: Vec<u32>,
    /// Everybody it knows, itself included, in the order of probing.
    pub(super) ring: Vec<u16>,
    pub(super) cursor: usize,
    pub(super) pending: Pending,
    pub(super) probe: Probe,
    pub(super) gossip: Gossip,
    pub(super) push_pull: PushPull,
    pub(super) relays: Vec<Relay>,
    pub(super) relay_sequence: u16,
    pub(super) traffic: Traffic,
}

/// Bytes of one member, without the headers of the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// In datagrams that came in.
    pub received: u64,
    /// In datagrams that went out.
    pub sent: u64,
    /// By stream, in.
    pub stream_received: u64,
    /// By stream, out.
    pub stream_sent: u64,
}

/// A send that waits for the end of the block, and its task with it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hanging {
    /// The ping of a probe, already made up.
    Ping { packet: u32 },
    /// The requests to the helpers.
    Requests,
    /// A probe that has its answer by stream, but could not read it.
    StreamAck,
    /// A datagram of a gossip round, already made up.
    Gossip { packet: u32 },
    /// The request of a push/pull.
    PushPull { to: u16 },
    /// A helper's nack.
    Nack { to: u16, sequence: u16 },
}

/// The task that probes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probe {
    pub(super) phase: Phase,
    pub(super) round: u16,
    pub(super) target: u16,
    /// What it believed of the target when it chose it.
    pub(super) target_incarnation: u32,
    pub(super) deadline: u64,
    /// Local health at the start, plus 1.
    pub(super) scale: u64,
    pub(super) helpers: u8,
    pub(super) nacks: u8,
    /// Whether the target has answered by stream.
    pub(super) is_stream_acked: bool,
    /// Whether such an answer lies here unread.
    pub(super) is_stream_ack_waiting: bool,
    pub(super) is_tick_waiting: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Idle,
    /// Hangs in a send, or in reading the answer of a stream.
    Hanging,
    /// The target may answer.
    Direct,
    /// The target or a helper may answer.
    Indirect,
}

/// The task that gossips.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gossip {
    pub(super) is_busy: bool,
    pub(super) is_tick_waiting: bool,
    pub(super) targets: [u16; GOSSIP_NODES],
    pub(super) count: usize,
    pub(super) next: usize,
}

/// The task that exchanges whole tables.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PushPull {
    pub(super) is_busy: bool,
    pub(super) is_tick_waiting: bool,
    pub(super) sequence: u16,
}

/// A ping for another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relay {
    pub(super) sequence: u16,
    pub(super) requester: u16,
    pub(super) requester_sequence: u16,
    /// Later acks are not passed on.
    pub(super) deadline: u64,
}

/// What goes by stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Stream {
    pub(super) kind: StreamKind,
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) sequence: u16,
    /// What the sender believes, of whomever it knows.
    pub(super) table: Vec<Belief>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum StreamKind {
    #[default]
    Ping,
    Ack,
    Push,
    Pull,
}

/// What one member believes of another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Belief {
    pub(super) changed_at: u64,
    pub(super) incarnation: u32,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Alive,
    Suspect,
    Dead,
    /// Forgotten.
    Unknown,
}

/// A suspicion that runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Suspicion {
    pub(super) started_at: u64,
    pub(super) runs_out_at: u64,
    /// How many independent others have said the same.
    pub(super) confirmed: u8,
    /// Who raised it, then who confirmed it.
    pub(super) from: [u16; 4],
}

impl Cluster {
    /// Members that all know each other, with timers of random phase. Same seed and salt, same
    /// phases and subjects, whatever the rules.
    pub(super) fn new(rules: Rules, seed: u64, salt: u64, subjects: usize) -> Self {
        let n = rules.n;
        let mut phases = Chance::of(seed, Purpose::Phase, salt);
        let mut phase = |interval: u64| (0..n).map(|_| phases.below(interval)).collect::<Vec<_>>();
        let gossip = phase(GOSSIP_INTERVAL);
        let probe = phase(PROBE_INTERVAL);
        let mut events = Events::new((GOSSIP_INTERVAL, &gossip), (PROBE_INTERVAL, &probe));
        // The program first waits for up to the base interval and then for a whole scaled one. So
        // for a minute and a half nobody exchanges tables, and nobody suspects at second hand,
        // which would count as a confirmation of its own.
        for (node, delay) in phase(PUSH_PULL_INTERVAL).into_iter().enumerate() {
            events.push(delay + push_pull_interval(n), Event::PushPull { node });
        }
        let mut is_subject = vec![false; n];
        for subject in Chance::of(seed, Purpose::Subjects, salt).sample(subjects, n) {
            is_subject[subject] = true;
        }
        let mut chance = Chance::of(seed, Purpose::Model, salt);
        let nodes = (0..n).map(|_| Node::new(n, &mut chance)).collect();
        let belief = Belief { changed_at: 0, incarnation: 1, state: State::Alive };
        Self {
            rules,
            now: 0,
            chance,
            events,
            nodes,
            beliefs: vec![belief; n * n],
            suspicions: vec![Suspicion::default(); n * n],
            packets: Slab::default(),
            streams: Slab::default(),
            is_subject,
            doubts: 0,
            tally: Tally::default(),
            detections: vec![Detection::default(); n],
        }
    }

    /// Where `node` keeps what it believes of `subject`.
    pub(super) fn place(&self, node: usize, subject: u16) -> usize {
        node * self.rules.n + usize::from(subject)
    }

    pub(super) fn belief(&self, node: usize, subject: u16) -> Belief {
        self.beliefs[self.place(node, subject)]
    }
}

impl Node {
    fn new(n: usize, chance: &mut Chance) -> Self {
        let mut ring: Vec<u16> = (0..n as u16).collect();
        chance.shuffle(&mut ring);
        Self {
            incarnation: 1,
            health: 0,
            is_blocked: false,
            is_catching_up: false,
            overdue: Vec::new(),
            held: Vec::new(),
            held_streams: Vec::new(),
            cost: (HANDLING, HANDLING),
            hanging: Vec::new(),
            inbox: VecDeque::new(),
            is_handling: false,
            streams: Vec::new(),
            ring,
            cursor: chance.below(n as u64) as usize,
            pending: Pending::default(),
            probe: Probe::default(),
            gossip: Gossip::default(),
            push_pull: PushPull::default(),
            relays: Vec::new(),
            relay_sequence: 0,
            traffic: Traffic::default(),
        }
    }
}

/// Things that come and go, without a new allocation for each.
#[derive(Debug, Default)]
pub(super) struct Slab<T> {
    things: Vec<T>,
    free: Vec<u32>,
}

impl<T: Default> Slab<T> {
    /// A place, with whatever was there before.
    pub(super) fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.things.push(T::default());
            self.things.len() as u32 - 1
        })
    }

    pub(super) fn give_back(&mut self, place: u32) {
        self.free.push(place);
    }

    pub(super) fn at(&mut self, place: u32) -> &mut T {
        &mut self.things[place as usize]
    }
}
