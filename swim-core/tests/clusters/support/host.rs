//! One node of the world and what was seen of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use swim_core::{Event, EventKind, Instant, MemberChange, Node, StreamId};

use super::{Id, Watch, mirror::Mirror, safety::Seen};

pub(crate) struct Host {
    pub(crate) node: Node,
    pub(crate) addr: SocketAddr,
    /// What it reported; in large worlds without what there is a lot of.
    pub(crate) events: Vec<Event>,
    pub(crate) mirror: Mirror,
    /// What the safety checks remember of it.
    pub(crate) seen: Seen,
    /// A digest of its outputs, if the world traces.
    pub(crate) trace: u64,
    pub(super) timer: Option<Instant>,
    /// Nothing runs until then; what comes meanwhile waits.
    pub(super) paused_until: Instant,
    pub(super) next_accepted: u64,
    /// The other end of each stream.
    pub(super) peers: BTreeMap<StreamId, (Id, StreamId)>,
    /// Ticks since time last moved: more than a few are a livelock. (P5)
    pub(super) ticks: (Instant, u32),
    pub(super) is_settled: bool,
    watch: Watch,
    event_count: u64,
    counts: [u64; 7],
    delivered: BTreeSet<(String, u64, u64)>,
}

impl Host {
    pub(super) fn new(node: Node, watch: Watch) -> Self {
        let addr = node.local().addr;
        Self {
            node,
            addr,
            events: Vec::new(),
            mirror: Mirror::default(),
            seen: Seen::default(),
            trace: 0,
            timer: None,
            paused_until: Instant::ORIGIN,
            next_accepted: 0,
            peers: BTreeMap::new(),
            ticks: (Instant::ORIGIN, 0),
            is_settled: false,
            watch,
            event_count: 0,
            counts: [0; 7],
            delivered: BTreeSet::new(),
        }
    }

    /// How often this change was reported about anybody.
    pub(crate) fn count(&self, change: MemberChange) -> u64 {
        self.counts[change as usize]
    }

    /// For how long it will still stand.
    pub(crate) fn paused_for(&self, now: Instant) -> Duration {
        self.paused_until.saturating_since(now)
    }

    /// Whether it is out of the game, or sees so many members alive and nobody in doubt.
    pub(super) fn sees(&self, members: usize) -> bool {
        let counts = self.node.counts();
        self.node.has_left() || (counts.alive == members && counts.suspect == 0)
    }

    /// Takes in an event, checking E1, E3 and E4.
    pub(super) fn record(&mut self, event: Event) {
        assert_eq!(event.seq, self.event_count, "E3: event numbers have no gaps");
        self.event_count += 1;
        match &event.kind {
            EventKind::Member { change, member } => {
                self.counts[*change as usize] += 1;
                if self.watch != Watch::Counts {
                    self.mirror.fold(*change, member);
                } else if matches!(change, MemberChange::Joined | MemberChange::Updated) {
                    return;
                }
            }
            EventKind::Broadcast { origin, life, id, .. } => {
                if self.watch == Watch::Counts {
                    return;
                }
                let is_first = self.delivered.insert((origin.to_string(), life.0, *id));
                assert!(
                    is_first,
                    "E4: at {} {origin} {life} {id} is delivered again at {}",
                    self.node.name(),
                    event.at
                );
            }
            _ => {}
        }
        self.events.push(event);
    }
}
