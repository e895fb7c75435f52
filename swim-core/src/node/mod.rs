//! The machine itself: it owns all state, and decides. Split by verb:
//!
//! - `report`: what the application is told, and the node's own timers.
//! - `transmit`: packets, and what rides along on them.
//! - `membership`: what a claim does to the table; `refuting`: what one about us does, and
//!   conflicts over names; `mourning`: from suspicion to the grave.
//! - `gossip`: rounds of gossip, and broadcasts.
//! - `probing`: probes, their helpers, and what their end means.
//! - `streams`: what flows out on streams; `exchange`: what flows in.
//! - `joining`, `leaving`: entering and leaving the cluster.
//! - `receive`: what came in.
//! - `timeout`: what came due.
//! - `command`: what the application asks for.
//!
//! The components beside this folder hold no reference to the node and push no outputs: they
//! return verdicts, and the node acts on them.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use bytes::Bytes;

use crate::{
    broadcasts::Broadcasts,
    challenge::Challenge,
    claims::Claims,
    config::Config,
    conflicts::Conflicts,
    dialect::Dialect,
    event::{Event, EventKind, MemberChange},
    graveyard::Graveyard,
    health::Health,
    io::{Input, Output, StreamEvent, StreamId, Timer},
    join::Join,
    leave::Leave,
    limits,
    member::{VersionRange, Versions},
    name::Name,
    outbox::{Outbox, Reports},
    probe::{AppPing, Probe},
    relay::Relays,
    remembered::Remembered,
    repair::Repair,
    ring::Ring,
    rng::{self, Rng},
    sabotage::sabotaged,
    stamp::{Life, Stamp},
    stats::Stats,
    stream::Stream,
    suspicion::Suspicion,
    table::{MemberIndex, Table},
    time::Instant,
    timers::Timers,
    turn::Turn,
    unheard::Unheard,
    urgency::Urgency,
    wire::{Alive, Wire, WireSettings},
};

mod accusing;
#[cfg(feature = "simulation")]
pub(crate) mod audit;
mod command;
mod exchange;
#[cfg(feature = "simulation")]
pub(crate) mod forging;
#[cfg(feature = "simulation")]
pub(crate) mod glimpse;
mod gossip;
mod joining;
mod leaving;
mod making_room;
mod membership;
mod mourning;
#[cfg(feature = "simulation")]
mod noting;
mod plausibility;
mod probing;
mod readdressing;
mod receive;
mod refuting;
mod report;
#[cfg(feature = "sabotage")]
mod sabotaging;
mod streams;
mod timeout;
mod transmit;
mod validating;

/// A member of a cluster: feed it what the world does, carry out what it says.
///
/// The order of calls is free: [`handle`](Self::handle) and the commands do all the work and fill
/// one ordered queue, which [`poll_output`](Self::poll_output) empties. Draining late is safe, only
/// late. A `now` smaller than an earlier one is taken for the earlier one.
///
/// # Example
///
/// A node begins to join; a driver would carry out what it says:
///
/// ```
/// use std::time::Duration;
/// use swim_core::{Instant, Node, Options, Output};
///
/// let addr = "127.0.0.1:7946".parse()?;
/// let mut node = Node::new(Options::lan("a", addr).build()?, [7; 32], Instant::ORIGIN);
/// node.join(Instant::ORIGIN, &["127.0.0.1:7947".parse()?], Duration::from_secs(10))?;
/// while let Some(output) = node.poll_output() {
///     match output {
///         Output::SendPacket { to, data } => println!("{} bytes to {to}", data.len()),
///         Output::Dial { id, to } => println!("open stream {id} to {to}"),
///         Output::ScheduleTimer { at, why } => println!("wake me at {at} for {why:?}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Node {
    config: Config,
    name: Name,
    now: Instant,
    pause: Pause,
    phase: Phase,
    /// The wall clock minus our clock, if there is a wall clock.
    unix_offset: Option<Duration>,
    /// The wall clock in whole seconds, as sealed into packets.
    wall: Option<u32>,

    table: Table,
    probe_ring: Ring,
    gossip_ring: Ring,
    /// The dead, and some that no longer are: whom to try again now and then.
    dead_ring: Ring,
    /// When a member last came to be known or came back.
    welcomed_at: Instant,
    suspicions: BTreeMap<MemberIndex, Suspicion>,
    unheard: Unheard,
    graveyard: Graveyard,
    conflicts: Conflicts,
    challenge: Challenge,
    remembered: Remembered,
    health: Health,

    claims: Claims,
    broadcasts: Broadcasts,
    next_broadcast: u64,
    gossip_at: Option<Instant>,
    gossiped_at: Option<Instant>,
    urgency: Urgency,

    probe: Option<Probe>,
    probe_stream: Option<StreamId>,
    probe_at: Option<Instant>,
    relays: Relays,
    pings: BTreeMap<u64, AppPing>,
    ack_payload: Bytes,

    streams: BTreeMap<StreamId, Stream>,
    next_stream: u64,
    local_state: Bytes,
    /// Whose turn it is where a table does not fit into an exchange.
    table_turn: Turn,
    joins: BTreeMap<u64, Join>,
    leave: Option<Leave>,
    /// Who asked after the leave, and was told of it with an ack. Only in the old dialect.
    told_of_leave: BTreeSet<MemberIndex>,
    /// A change of metadata whose spreading the application waits for.
    update: Option<Stamp>,
    next_id: u64,
    push_pull_at: Option<Instant>,
    reconnect_at: Option<Instant>,
    reap_at: Option<Instant>,
    repair: Repair,
    /// The highest claim about us that we can't outbid.
    unbeatable: Option<Stamp>,

    wire: Wire,
    rng: Rng,
    timers: Timers,
    outbox: Outbox,
    scratch: alloc::vec::Vec<u8>,
    stats: Stats,
    reports: Reports,
    /// What it heard, if that is kept.
    #[cfg(feature = "simulation")]
    heard: Option<alloc::vec::Vec<crate::hearsay::Heard>>,
    /// The fault it has on purpose.
    #[cfg(feature = "sabotage")]
    sabotage: Option<crate::sabotage::Sabotage>,
    /// The keys as they were when the last one was removed.
    #[cfg(feature = "sabotage")]
    former_keys: Option<crate::keyring::Keyring>,
}

/// Where the node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Leaving,
    Left,
}

/// When this node last found that it had been stopped, and for how long at most. (P7)
#[derive(Clone, Copy, Debug)]
struct Pause {
    woken_at: Instant,
    slept: Duration,
    /// Since when it has listened without a pause in which others could have spoken in vain.
    heeds_since: Instant,
}

/// The protocol versions this node announces.
const PROTOCOL: VersionRange = VersionRange { min: 1, max: 1, current: 1 };

impl Node {
    /// Makes a node that is alive and alone. Its first outputs wait to be polled.
    ///
    /// Equal configurations, seeds and inputs give equal outputs, byte for byte. In production the
    /// seed must be unpredictable and never used twice: nonces are made from it.
    #[must_use]
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Self {
        let (mut rng, mut nonces) = rng::streams(seed);
        // A seed used again by mistake, in a later life, must not repeat its nonces. (X3)
        nonces.set_stream(config.life.0);
        let (name, meta, addr) = (config.name().clone(), config.meta().clone(), config.addr);
        let (stamp, versions) = introduction(&config);
        let own = Alive { name: name.by_ref(), stamp, addr, mapped: false, versions, meta: &meta };
        let table = Table::new(&own, [rng.word(), rng.word()], now);
        let since_origin = Duration::from_nanos(now.as_nanos());
        let mut node = Self {
            name,
            now,
            pause: Pause { woken_at: now, slept: Duration::ZERO, heeds_since: now },
            phase: Phase::Running,
            unix_offset: config.unix_time.map(|unix| unix.saturating_sub(since_origin)),
            wall: None,
            table,
            probe_ring: Ring::default(),
            gossip_ring: Ring::default(),
            dead_ring: Ring::default(),
            welcomed_at: now,
            suspicions: BTreeMap::new(),
            unheard: Unheard::default(),
            graveyard: Graveyard::default(),
            conflicts: Conflicts::default(),
            challenge: Challenge::default(),
            remembered: Remembered::default(),
            health: Health::new(config.health_max),
            claims: Claims::default(),
            broadcasts: Broadcasts::new(config.broadcast_lifetime),
            next_broadcast: 1,
            gossip_at: None,
            gossiped_at: None,
            urgency: Urgency::default(),
            probe: None,
            probe_stream: None,
            probe_at: None,
            relays: Relays::default(),
            pings: BTreeMap::new(),
            ack_payload: Bytes::new(),
            streams: BTreeMap::new(),
            next_stream: 0,
            local_state: Bytes::new(),
            table_turn: Turn::default(),
            joins: BTreeMap::new(),
            leave: None,
            told_of_leave: BTreeSet::new(),
            update: None,
            next_id: 0,
            push_pull_at: None,
            reconnect_at: None,
            reap_at: None,
            repair: Repair::default(),
            unbeatable: None,
            wire: Wire::new(config.dialect, wire_settings(&config), addr, nonces),
            rng,
            timers: Timers::default(),
            outbox: Outbox::default(),
            scratch: alloc::vec::Vec::new(),
            stats: Stats::default(),
            reports: Reports::default(),
            #[cfg(feature = "simulation")]
            heard: None,
            #[cfg(feature = "sabotage")]
            sabotage: None,
            #[cfg(feature = "sabotage")]
            former_keys: None,
            config,
        };
        node.advance(now);
        node.start();
        node
    }

    /// Takes in what the world did. Never fails: a peer can't cause an error.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) {
        self.advance(now);
        match input {
            Input::Packet { from, data } => self.on_packet(from, data),
            Input::Stream { id, event } => self.on_stream(id, event),
            Input::Tick => self.on_tick(),
        }
        self.settle();
    }

    /// The next thing to carry out. Only takes it from the queue.
    pub fn poll_output(&mut self) -> Option<Output<Event>> {
        let output = self.outbox.pop(self.streams.is_empty());
        let is_lost =
            |output: &Output<Event>| matches!(output, Output::Event(event) if event.seq % 64 == 63);
        if sabotaged!(self, LosesEvents) && output.as_ref().is_some_and(is_lost) {
            return self.poll_output();
        }
        output
    }

    /// Begins (or begins again) to take part: timers at random phases, and the news that we are
    /// here.
    fn start(&mut self) {
        let now = self.now;
        self.phase = Phase::Running;
        self.emit_member(MemberIndex::SELF, MemberChange::Joined);
        let probe_at = self.rng.within(now, self.config.probe_interval);
        self.set_timer(Timer::ProbeInterval, Some(probe_at));
        if !self.config.push_pull_interval.is_zero() {
            let at = self.rng.within(now, self.config.push_pull_interval);
            self.set_timer(Timer::PushPull, Some(at));
        }
        if !self.config.reconnect_interval.is_zero() {
            let at = now + self.config.reconnect_interval;
            self.set_timer(Timer::Reconnect, Some(at));
        }
        self.settle();
    }

    fn on_stream(&mut self, id: StreamId, event: StreamEvent<'_>) {
        if self.phase == Phase::Left {
            if let StreamEvent::Accepted { .. } = event {
                self.outbox.push(Output::Abort { id });
            }
            return;
        }
        match event {
            StreamEvent::Accepted { from } => self.on_stream_accepted(id, from),
            StreamEvent::Connected => self.on_stream_connected(id),
            StreamEvent::Chunk(data) => self.on_stream_chunk(id, data),
            StreamEvent::Drained => self.on_stream_drained(id),
            StreamEvent::Finished => self.on_stream_finished(id),
            StreamEvent::Failed => self.on_stream_ended(id),
        }
    }

    /// Time never goes back. A long gap means that this node itself was stopped. (P7)
    fn advance(&mut self, now: Instant) {
        let silence = now.saturating_since(self.now);
        self.now = self.now.max(now);
        let since_origin = Duration::from_nanos(self.now.as_nanos());
        let unix = self.unix_offset.map(|offset| offset.saturating_add(since_origin));
        self.wall = unix.and_then(|unix| u32::try_from(unix.as_secs()).ok());
        if let Some((due, _)) = self.timers.next() {
            let late = self.now.saturating_since(due.max(self.pause.woken_at));
            if late > self.config.probe_interval * 3 {
                self.on_pause(late);
            }
            if late > self.config.broadcast_lifetime / 8 {
                // It may have begun right after the last input, long before a deadline passed.
                (self.pause.woken_at, self.pause.slept) = (self.now, silence.max(late));
            }
        }
    }

    /// What every input and command ends with: urgent news leaves, and the timer is set.
    fn settle(&mut self) {
        self.pace_gossip();
        self.pace_comparison();
        self.watch_key();
        self.outbox.schedule(self.timers.next());
    }

    fn emit(&mut self, kind: EventKind) {
        self.outbox.event(self.now, kind);
    }

    fn own_stamp(&self) -> Stamp {
        self.table.get(MemberIndex::SELF).stamp()
    }

    /// A number that nobody can guess, of as many bits as the dialect has for it.
    fn fresh_nonce(&mut self) -> u64 {
        self.rng.word() & self.wire.nonce_mask()
    }

    fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn unix_millis(&self) -> Option<u64> {
        let since_origin = Duration::from_nanos(self.now.as_nanos());
        let unix = self.unix_offset?.saturating_add(since_origin);
        u64::try_from(unix.as_millis()).ok()
    }
}

impl core::fmt::Debug for Node {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Node")
            .field("name", &self.name)
            .field("stamp", &self.own_stamp())
            .field("phase", &self.phase)
            .field("now", &self.now)
            .field("members", &self.table.counts())
            .finish_non_exhaustive()
    }
}

/// What a node speaks under at first, and the versions it announces.
fn introduction(config: &Config) -> (Stamp, Versions) {
    let (life, protocol) = match config.dialect {
        Dialect::Native => (config.life, PROTOCOL),
        Dialect::Memberlist(options) => (Life::NONE, options.protocol),
    };
    (Stamp::first(life), Versions { protocol, application: config.application })
}

fn wire_settings(config: &Config) -> WireSettings<'_> {
    WireSettings {
        label: config.label(),
        keyring: config.keyring.clone(),
        own_name: config.name(),
        own_life: config.life,
        packet_len_max: config.packet_len_max,
        sessions_max: limits::sessions_max(config.members_max),
        state_len_max: config.state_len_max,
        message_len_max: config.message_len_max,
    }
}

#[cfg(test)]
mod tests;
