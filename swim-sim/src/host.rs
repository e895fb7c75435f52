//! One host: the machine that runs on it, its clock, its processor and its network card.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use bytes::Bytes;
use swim_core::{Glimpse, Instant, Life, StreamId};

use crate::{clock::Clock, network::HostId};

/// A host of the world. It stays where it is while its process comes and goes.
#[derive(Debug)]
pub struct Host<M> {
    /// Where it is reached.
    pub addr: SocketAddr,
    /// Its own clock.
    pub clock: Clock,
    /// How fast it works, and when it does not.
    pub cpu: Cpu,
    /// Its network card.
    pub card: Card,
    /// What runs on it.
    pub(crate) process: Option<Process<M>>,
    /// How often a process was started here.
    pub(crate) starts: u32,
    /// The largest life of a process here.
    pub(crate) life: Life,
}

/// What runs on a host.
#[derive(Debug)]
pub(crate) struct Process<M> {
    pub(crate) machine: M,
    /// When the machine wants to be woken, by the world's time.
    pub(crate) timer: Option<Instant>,
    /// The earliest wake-up that waits in the world's queue.
    pub(crate) wake: Option<Instant>,
    /// What arrived and is not handled yet.
    pub(crate) inbox: VecDeque<Arrival>,
    /// It was frozen, and works off what arrived meanwhile before it looks at its timers.
    pub(crate) is_catching_up: bool,
    pub(crate) is_serving: bool,
    pub(crate) streams: BTreeMap<StreamId, End>,
    pub(crate) next_accepted: u64,
    /// Wake-ups since time last moved: more than a few are a livelock. (P5)
    pub(crate) wakes: (Instant, u32),
    /// How many alive and how many suspect members it counted last.
    pub(crate) sees: (usize, usize),
    /// What those who watch saw of its node last.
    pub(crate) seen: Option<Glimpse>,
}

/// Something that reached a host.
#[derive(Clone, Debug)]
pub(crate) enum Arrival {
    Packet { from: SocketAddr, data: Bytes },
    Stream { id: StreamId, what: Piece },
}

/// Something that happens on a stream.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    Accepted { from: SocketAddr },
    Connected,
    Chunk(Bytes),
    Drained,
    Finished,
    Failed,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) connection: u32,
    pub(crate) side: usize,
    /// Tells the connection from an earlier one at the same place.
    pub(crate) serial: u32,
}

/// How fast a host works, and when it does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// What it costs to handle a packet; those that come meanwhile wait in order.
    pub receive_cost: Duration,
    /// How many of them may wait; those that come then are lost. 0 for any number.
    pub inbox_max: usize,
    pub(crate) free_at: Instant,
    pub(crate) frozen_until: Instant,
    pub(crate) starved: Option<Starved>,
}

/// A host that gets the processor for a moment now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starved {
    /// How long it runs at a time.
    pub runs: Duration,
    /// How long it stands still in between.
    pub stands: Duration,
    /// Until when this goes on.
    pub until: Instant,
}

/// A host's network card.
#[derive(Clone, Copy, Debug, Default)]
pub struct Card {
    /// How many bytes of packets may wait to be sent where the bandwidth is limited; those that
    /// come then are lost, as when a socket would block. 0 for any number.
    pub send_queue_max: u64,
    pub(crate) sent_until: Instant,
    pub(crate) held_until: Instant,
}

impl<M> Host<M> {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            clock: Clock::new(),
            cpu: Cpu::default(),
            card: Card::default(),
            process: None,
            starts: 0,
            life: Life(0),
        }
    }

    /// Whether something runs on it.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// What runs on it.
    #[must_use]
    pub fn machine(&self) -> Option<&M> {
        self.process.as_ref().map(|process| &process.machine)
    }

    /// Until when it stands still, or its packets are held: in the past if neither.
    #[must_use]
    pub fn stands_until(&self) -> Instant {
        self.cpu.frozen_until.max(self.card.held_until)
    }

    /// Whether it stands still.
    #[must_use]
    pub fn is_frozen(&self, now: Instant) -> bool {
        self.cpu.frozen_until > now
    }
}

impl<M> Process<M> {
    pub(crate) fn new(machine: M) -> Self {
        Self {
            machine,
            timer: None,
            wake: None,
            inbox: VecDeque::new(),
            is_catching_up: false,
            is_serving: false,
            streams: BTreeMap::new(),
            next_accepted: 0,
            wakes: (Instant::ORIGIN, 0),
            sees: (0, 0),
            seen: None,
        }
    }
}

/// Where a host is reached, unless the world says otherwise.
#[must_use]
pub fn addr(id: HostId) -> SocketAddr {
    let [_, high, middle, low] = (id as u32 + 1).to_be_bytes();
    SocketAddr::from(([10, high, middle, low], PORT))
}

/// What time it is on the wall at this time of the world, where nobody set the clock: some day in
/// 2027.
#[must_use]
pub fn unix_time(now: Instant) -> Duration {
    const BEGINNING: Duration = Duration::from_secs(1_800_000_000);
    BEGINNING + now.saturating_since(Instant::ORIGIN)
}

/// In which life a process is that begins now: the milliseconds since 1970, as outside, so that
/// lives take as many bytes in packets as there.
pub(crate) fn life(now: Instant) -> Life {
    Life(unix_time(now).as_millis() as u64)
}

/// What the node on a host is called, unless its options say otherwise.
#[must_use]
pub fn name(id: HostId) -> String {
    format!("n{id}")
}

/// The host whose address this is, unless the world says otherwise.
pub(crate) fn host_at(addr: SocketAddr) -> Option<HostId> {
    let SocketAddr::V4(addr) = addr else { return None };
    let [ten, high, middle, low] = addr.ip().octets();
    let number = u32::from_be_bytes([0, high, middle, low]);
    (ten == 10 && addr.port() == PORT && number > 0).then(|| number as usize - 1)
}

const PORT: u16 = 7946;
