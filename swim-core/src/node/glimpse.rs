//! A node as it was at one moment, to be held against another: all that a packet which is refused
//! must leave as it is. It only looks, and is no part of the interface: only there with the feature
//! `simulation`.

use super::{
    Node,
    audit::{Audit, AuditedLengths},
};
use crate::{
    io::Timer,
    keyring::{KEYS_MAX, KeyId, Keyring},
    stamp::Stamp,
    stats::Counts,
    time::Instant,
    timers::Digests,
};

/// What a node believes, keeps and waits for, but for its counters. Taking one costs the same
/// however many members there are: of what there may be much it has digests, and how often it was
/// changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Glimpse {
    audit: Audit,
    counts: Counts,
    own: Stamp,
    health: u32,
    is_leaving: bool,
    has_left: bool,
    /// The keys, the primary first.
    keys: [Option<KeyId>; KEYS_MAX],
    /// How often anything was written in the table.
    table_writes: u64,
    /// How often anything was changed in the queue of claims.
    claims_changes: u64,
    /// What of its own the application waits for to be spread.
    update: Option<Stamp>,
    /// The highest claim about itself that it can't outbid.
    unbeatable: Option<Stamp>,
    /// Streams that peers opened.
    streams_accepted: usize,
    deadlines: Digests,
    gossiped_at: Option<Instant>,
    pauses: u64,
}

impl Glimpse {
    /// The node as it is now, and as its audit shows it. Left out are the time, which whatever
    /// comes in brings along, conflicts of names, of which a refusal may tell, and lengths that
    /// say nothing of what it believes.
    #[must_use]
    pub fn of(node: &Node, audit: &Audit) -> Self {
        let mut keys = [None; KEYS_MAX];
        let ring = node.keyring().into_iter().flat_map(Keyring::keys);
        keys.iter_mut().zip(ring).for_each(|(place, key)| *place = Some(key.id()));
        Self {
            counts: node.counts(),
            own: node.own_stamp(),
            health: node.health(),
            is_leaving: node.is_leaving(),
            has_left: node.has_left(),
            keys,
            table_writes: node.table.audit_writes(),
            claims_changes: node.claims.audit_changes(),
            update: node.update,
            unbeatable: node.unbeatable,
            streams_accepted: audit.streams_accepted,
            deadlines: node.timers.digests(),
            gossiped_at: node.gossiped_at,
            pauses: node.stats.pauses,
            audit: Audit {
                now: Instant::ORIGIN,
                next_due: None, // The digests have it.
                conflicts: 0,
                streams_accepted: 0,
                lengths: AuditedLengths::default(),
                ..audit.clone()
            },
        }
    }

    /// Whether the node found since then that it had been stopped: that changes much, whatever
    /// comes. (P7)
    #[must_use]
    pub const fn is_woken_since(&self, then: &Self) -> bool {
        self.pauses != then.pauses
    }

    /// Whether a round of gossip that was due went out since then with whatever came.
    #[must_use]
    pub fn has_gossiped_since(&self, then: &Self) -> bool {
        self.gossiped_at != then.gossiped_at
    }

    /// Whether nothing is different from then, but for what gossip took along.
    #[must_use]
    pub fn is_like(&self, then: &Self) -> bool {
        self.with_gossip_of(then) == *then
    }

    /// The same, and but for streams that peers opened, and how long they may last.
    #[must_use]
    pub fn is_like_but_for_streams(&self, then: &Self) -> bool {
        let mut now = self.with_gossip_of(then);
        now.streams_accepted = then.streams_accepted;
        let kind = Timer::Stream as usize;
        now.deadlines[kind] = then.deadlines[kind];
        now == *then
    }

    /// The same, and but for all streams, what this node opened them for, and all deadlines: an
    /// errand ends with its stream.
    #[must_use]
    pub fn is_like_but_for_errands(&self, then: &Self) -> bool {
        let mut now = self.with_gossip_of(then);
        now.streams_accepted = then.streams_accepted;
        now.audit.streams_dialed = then.audit.streams_dialed;
        now.audit.joins.clone_from(&then.audit.joins);
        now.deadlines = then.deadlines;
        now == *then
    }

    /// This one, with what rounds of gossip change as it was then, if there were any since.
    fn with_gossip_of(&self, then: &Self) -> Self {
        let mut now = self.clone();
        if self.has_gossiped_since(then) {
            now.audit.claims = then.audit.claims;
            now.audit.broadcast_waits = then.audit.broadcast_waits;
            now.deadlines[Timer::Gossip as usize] = then.deadlines[Timer::Gossip as usize];
            (now.claims_changes, now.update) = (then.claims_changes, then.update);
            now.gossiped_at = then.gossiped_at;
        }
        now
    }
}
