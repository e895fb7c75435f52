//! Rounds of gossip, user broadcasts, and the repair of what gossip missed.
//!
//! A round goes out as soon as there is news and the last round is an interval ago: news travels at
//! the speed of the network first, and at the pace of the interval only as long as it must be
//! repeated. Without news there are no rounds, and no wakeups.

use bytes::Bytes;

use super::{Node, Phase, membership::Source, transmit};
use crate::{
    broadcasts::Heard,
    claims::bit,
    event::EventKind,
    io::Timer,
    member::State,
    name::Name,
    stream::Purpose,
    table::{MemberIndex, Table},
    time::Instant,
    wire::{Broadcast, BroadcastSummary, Digest, Message},
};

/// Peers looked at for one place in a round: those that have all our news are passed over.
const LOOKS_PER_PLACE: usize = 4;
/// Packets of broadcasts sent to one peer for one summary; the rest follows with the next.
const REPAIR_PACKETS_MAX: usize = 8;

/// When this node may repair its view with a peer again.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// Since when our table differs from those of the peers we hear of, as far as acks tell.
    differs_since: Option<Instant>,
    tables_after: Instant,
    broadcasts_after: Instant,
    /// How many repairs of the table in a row have not brought agreement: each doubles the pause,
    /// so that a lasting difference (a name conflict, a policy) costs no more than push/pull does.
    futile: u32,
}

impl Node {
    /// Sends one round now. memberlist state.go: `gossip`.
    fn gossip_now(&mut self) {
        self.gossiped_at = Some(self.now);
        if self.table.others() == 0 && self.graveyard.len() == 0 {
            return self.nobody_to_tell();
        }
        self.stats.gossip_rounds += 1;
        let places = if self.config.gossips() { self.config.gossip_nodes } else { 1 };
        for _ in 0..places {
            for _ in 0..LOOKS_PER_PLACE {
                let Some(peer) = self.next_listener() else { return };
                if self.gossip_to(peer) {
                    break;
                }
                if !self.has_news() {
                    return;
                }
            }
        }
    }

    /// Sends a round if there is news and the last one is an interval ago or the news is urgent;
    /// sets or clears the timer of the next.
    pub(super) fn pace_gossip(&mut self) {
        let is_urgent = core::mem::take(&mut self.urgent);
        if self.phase == Phase::Left || !(self.config.gossips() || is_urgent) {
            return;
        }
        let interval = self.config.gossip_interval;
        let is_due = self.gossiped_at.is_none_or(|last| last + interval <= self.now);
        if self.has_news() && (is_urgent || is_due) {
            self.gossip_now();
        }
        let next = self.gossiped_at.map(|last| last + interval);
        let next = next.filter(|_| self.has_news() && self.config.gossips());
        self.set_timer(Timer::Gossip, next);
    }

    /// A broadcast came in.
    pub(super) fn on_broadcast(&mut self, broadcast: &Broadcast<'_>, carrier: Option<MemberIndex>) {
        let origin = self.table.find(broadcast.origin);
        let holders = carrier.map_or(0, bit) | origin.map_or(0, bit);
        match self.broadcasts.hear(broadcast, holders, self.now) {
            Heard::New => {
                self.stats.broadcasts_delivered += 1;
                self.emit(EventKind::Broadcast {
                    origin: Name::from_checked(broadcast.origin),
                    life: crate::stamp::Life(broadcast.life),
                    id: broadcast.id,
                    payload: Bytes::copy_from_slice(broadcast.payload),
                });
            }
            Heard::Repeated => self.stats.broadcasts_repeated += 1,
            Heard::Stale => self.stats.broadcasts_stale += 1,
        }
        self.stats.broadcasts_dropped = self.broadcasts.dropped();
    }

    /// Compares a peer's view, as its ping gave it, with ours. Where both had time to settle, a
    /// difference is a hole in one of them, and is repaired between the two at once. Whoever is
    /// pinged begins, so that not both do.
    pub(super) fn on_ping_digest(&mut self, peer: MemberIndex, theirs: Digest) {
        if !self.config.repair {
            return;
        }
        let ours = self.digest();
        if theirs.members == ours.members {
            self.repair.futile = 0;
            self.repair.differs_since = None;
        } else if theirs.settled && ours.settled {
            self.repair_tables(peer);
        }
        if theirs.broadcasts != ours.broadcasts && self.repair.broadcasts_after <= self.now {
            self.stats.broadcast_repairs += 1;
            self.repair.broadcasts_after = self.now + self.dissemination_window() / 2;
            self.send_summary(peer, true);
        }
    }

    /// Compares a peer's view, as its ack gave it, with ours. The peer has seen ours with our ping
    /// and begins the repair; only if a difference outlasts that do we begin one ourselves.
    pub(super) fn on_ack_digest(&mut self, peer: MemberIndex, theirs: Digest) {
        if !self.config.repair {
            return;
        }
        let ours = self.digest();
        if theirs.members == ours.members {
            self.repair.futile = 0;
            self.repair.differs_since = None;
        } else if theirs.settled && ours.settled {
            let since = *self.repair.differs_since.get_or_insert(self.now);
            if since + self.config.probe_interval * 2 <= self.now {
                self.repair_tables(peer);
            }
        }
    }

    fn repair_tables(&mut self, peer: MemberIndex) {
        const FUTILE_MAX: u32 = 6;
        if self.repair.tables_after > self.now {
            return;
        }
        let pause = self.dissemination_window().max(self.config.probe_interval);
        self.repair.tables_after = self.now + pause * (1 << self.repair.futile);
        self.repair.futile = (self.repair.futile + 1).min(FUTILE_MAX);
        self.stats.repairs += 1;
        let addr = self.table.get(peer).addr();
        self.dial(addr, Purpose::Exchange { seed: None });
    }

    /// A peer lists the broadcasts it has.
    pub(super) fn on_summary(&mut self, peer: MemberIndex, summary: &BroadcastSummary<'_>) {
        let (missing, unknown) = self.broadcasts.missing_from(summary.hashes, self.now);
        let mut missing = missing.into_iter().peekable();
        for _ in 0..REPAIR_PACKETS_MAX {
            if missing.peek().is_none() {
                break;
            }
            self.send_broadcasts(peer, &mut missing);
        }
        if unknown && summary.reply {
            self.send_summary(peer, false);
        }
    }

    fn send_summary(&mut self, peer: MemberIndex, reply: bool) {
        const HEAD: usize = 16; // Part header, flag and length.
        let room = self.message_room().saturating_sub(HEAD);
        let hashes = self.broadcasts.summary(room);
        let message = Message::BroadcastSummary(BroadcastSummary { reply, hashes: &hashes });
        self.send_to_member(peer, &[message]);
    }

    /// The next member to gossip to: from the shuffled ring of the living, and now and then one
    /// that died lately, in proportion to their numbers. memberlist state.go: `gossip`.
    fn next_listener(&mut self) -> Option<MemberIndex> {
        let recent = self.graveyard.recent(self.now, self.config.gossip_to_dead);
        let living = self.gossip_ring.len();
        if recent > 0 && self.rng.below(living + recent) < recent {
            let grave = self.graveyard.nth_recent(self.rng.below(recent));
            if self.is_grave(grave) && self.table.get(grave.member).state() == State::Dead {
                return Some(grave.member);
            }
        }
        let Self { gossip_ring, rng, table, .. } = self;
        gossip_ring.next(rng, |index| belongs(table, index))
    }

    fn has_news(&self) -> bool {
        !self.claims.is_empty() || self.broadcasts.is_waiting()
    }

    fn nobody_to_tell(&mut self) {
        let Self { claims, broadcasts, outbox, update, now, .. } = self;
        claims.clear(|subject, sends| transmit::report_sent(outbox, update, *now, subject, sends));
        broadcasts
            .stop_waiting(|id, sends| outbox.event(*now, EventKind::BroadcastSent { id, sends }));
    }

    /// The source of what a packet from `carrier` says.
    pub(super) fn heard_from(
        &self,
        addr: core::net::SocketAddr,
        carrier: Option<MemberIndex>,
    ) -> Source {
        Source { addr, carrier, is_news: true, first_hand: false }
    }
}

/// Whether a member in a ring still belongs there.
pub(super) fn belongs(table: &Table, index: MemberIndex) -> bool {
    index != MemberIndex::SELF
        && table.try_get(index).is_some_and(|record| record.state().is_live())
}
