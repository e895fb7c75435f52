//! Rounds of gossip, user broadcasts, and the repair of what gossip missed.
//!
//! A round goes out as soon as there is news and the last round is an interval ago: news travels at
//! the speed of the network first, and at the pace of the interval only as long as it must be
//! repeated. Without news there are no rounds, and no wakeups.

use core::time::Duration;

use bytes::Bytes;

use super::{Node, Phase, membership::Source, transmit};
use crate::{
    broadcasts::Heard,
    claims::bit,
    event::EventKind,
    io::Timer,
    member::State,
    name::Name,
    repair::Asked,
    sabotage::sabotaged,
    stream::Purpose,
    table::{MemberIndex, Table},
    time::Instant,
    wire::{Broadcast, BroadcastSummary, Digest, Message, Ping},
};

/// Peers looked at for one place in a round: those that have all our news are passed over.
const LOOKS_PER_PLACE: usize = 4;
/// News that this node has not passed on at all yet may go out this many times as often as rounds
/// that only repeat. It bounds the packets, not the bytes: an update is sent as often as ever.
const FRESH_PACE: u32 = 8;
/// Members that a changed view is compared with once the change has had time to spread.
const COMPARISONS: usize = 3;
/// In a storm views are compared so many times within the window of gossip.
const STORM_PACE: u32 = 4;
/// Fewer changes than this fit into a packet, and are no storm.
const STORM_MIN: u64 = 16;
/// In a storm at least one member in so many changed: each node sends a claim about that many
/// times, a table only a few times.
const STORM_SHARE: u64 = 8;
/// Packets of broadcasts sent to one peer for one summary; the rest follows with the next.
const REPAIR_PACKETS_MAX: usize = 8;

impl Node {
    /// Sends one round now. memberlist state.go: `gossip`.
    fn gossip_now(&mut self) {
        self.gossiped_at = Some(self.now);
        let recent_dead = self.graveyard.recent(self.now, self.config.gossip_to_dead);
        if self.table.others() == 0 && recent_dead == 0 {
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
        if self.phase == Phase::Left || !(self.config.gossips() || self.urgency.is_pending()) {
            return;
        }
        if !self.has_news() {
            self.urgency.drop();
        }
        let due = self.next_round();
        let is_idle = sabotaged!(self, GossipsForNothing) && due.is_some_and(|due| due <= self.now);
        let is_urgent = self.next_urgent_round().is_some_and(|due| due <= self.now);
        let is_due = self.config.gossips() && due.is_none_or(|due| due <= self.now);
        if is_idle || self.has_news() && (is_urgent || is_due) {
            self.urgency.serve(self.now);
            self.gossip_now();
        }
        self.await_next_round();
    }

    /// Sets or clears the timer of the next round.
    fn await_next_round(&mut self) {
        let round = self.next_round().filter(|_| self.config.gossips());
        let next = round.into_iter().chain(self.next_urgent_round()).min();
        self.set_timer(Timer::Gossip, next.filter(|_| self.has_news()));
    }

    fn next_urgent_round(&self) -> Option<Instant> {
        self.urgency.due(self.now, self.gossip_pace() / FRESH_PACE)
    }

    /// When the pace allows the next round; `None` if there was none yet.
    fn next_round(&self) -> Option<Instant> {
        let interval = self.config.gossip_interval;
        let is_fresh = self.claims.has_unsent() || self.broadcasts.has_unsent();
        let pace = if is_fresh { interval / FRESH_PACE } else { interval };
        self.gossiped_at.map(|last| last + pace)
    }

    /// Arranges for a comparison of views once what changed has had time to spread, so that a hole
    /// does not wait for the next probe to be noticed; in a storm of claims, soon and often.
    pub(super) fn pace_comparison(&mut self) {
        let window = self.dissemination_window();
        self.repair.tide.note(self.now, window);
        let changed_at = self.table.changed_at().max(self.broadcasts.changed_at());
        if changed_at <= self.repair.compared_until
            || !self.config.repairs()
            || self.phase != Phase::Running
            || self.table.others() == 0
        {
            return;
        }
        if self.is_stormy() {
            let pause = window / STORM_PACE;
            if self.repair.compare_at.is_none_or(|at| at > self.now + pause * 2) {
                // Many were started together; they need not all ask together.
                let at = self.rng.within(self.now + pause / 2, pause);
                self.set_timer(Timer::Compare, Some(at));
            }
        } else if self.repair.compare_at.is_none() {
            // Where those that are there change all the time, as under loss, probes find holes as
            // well: there is then a comparison for every second probe.
            let is_rising = self.repair.tide.lately(self.now, window) > 0;
            let calm = self.config.probe_interval * (2 * COMPARISONS as u32);
            let pause = if is_rising { Duration::ZERO } else { calm };
            let at = (changed_at + window).max(self.repair.compared_at + pause);
            if at <= self.now {
                self.on_compare_due(); // A timer that is due at once would not let time go on. (P5)
                // Its pings took along all there was, or all that nobody had been told yet. (M3)
                self.await_next_round();
            } else {
                self.set_timer(Timer::Compare, Some(at));
            }
        }
    }

    /// Whether so much changed lately that tables say it in fewer bytes than claims do: a large
    /// cluster starts, or two of them meet. Nobody's view is settled then, and all are worth
    /// comparing.
    pub(super) fn is_stormy(&self) -> bool {
        let changes = self.repair.tide.lately(self.now, self.dissemination_window());
        changes >= STORM_MIN && changes * STORM_SHARE >= self.table.counts().total() as u64
    }

    /// Compares our view with that of the next few members; in a storm with one after the other,
    /// until two agree.
    pub(super) fn on_compare_due(&mut self) {
        let is_stormy = self.is_stormy();
        if !is_stormy {
            self.repair.compared_until = self.now - self.dissemination_window();
            self.repair.compared_at = self.now;
        }
        for _ in 0..if is_stormy { 1 } else { COMPARISONS } {
            let Self { gossip_ring, rng, table, .. } = self;
            let Some(peer) = gossip_ring.next(rng, |index| belongs(table, index)) else { return };
            // The answer is not waited for: its digest says all there is to say.
            let nonce = self.fresh_nonce();
            let addr = self.table.get(peer).addr();
            self.repair.ask(Asked { nonce, addr, until: self.now + self.config.probe_interval });
            let digest = self.digest();
            self.send_to_member(peer, &[Message::Ping(Ping { nonce, digest })]);
        }
    }

    /// A peer's view of the members is ours.
    fn on_agreement(&mut self, ours: Digest, theirs: Digest) {
        self.repair.agree(self.now);
        if ours.broadcasts == theirs.broadcasts && self.is_stormy() {
            self.repair.compared_until = self.now;
        }
    }

    /// A broadcast came in.
    pub(super) fn on_broadcast(&mut self, broadcast: &Broadcast<'_>, carrier: Option<MemberIndex>) {
        // What waited while this node was stopped is older than it knows.
        let woke_just_now = self.pause.woken_at + self.config.probe_interval > self.now;
        let slept = if woke_just_now { self.pause.slept } else { Duration::ZERO };
        let slept_millis = u32::try_from(slept.as_millis()).unwrap_or(u32::MAX);
        let age_millis = broadcast.age_millis.saturating_add(slept_millis);
        let broadcast = &Broadcast { age_millis, ..*broadcast };
        let origin = self.table.find(broadcast.origin);
        let holders = carrier.map_or(0, bit) | origin.map_or(0, bit);
        let heard = self.broadcasts.hear(broadcast, holders, self.now);
        match if sabotaged!(self, DeliversTwice) { Heard::New } else { heard } {
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
    /// pinged begins, so that not both do. Where the peer has yet to show that it is there, it gets
    /// a connection and no list of broadcasts, which is longer than its ping: it begins with those.
    /// (X6)
    pub(super) fn on_ping_digest(&mut self, peer: MemberIndex, theirs: Digest) {
        if !self.config.repairs() {
            return;
        }
        let ours = self.digest();
        if theirs.members == ours.members {
            self.on_agreement(ours, theirs);
        } else if theirs.settled && ours.settled {
            self.repair_tables(peer, [ours.members, theirs.members]);
        }
        if self.table.get(peer).is_validated() {
            self.repair_broadcasts(peer, ours, theirs);
        }
    }

    fn repair_broadcasts(&mut self, peer: MemberIndex, ours: Digest, theirs: Digest) {
        if theirs.broadcasts != ours.broadcasts
            && self.repair.broadcasts_after <= self.now
            && !self.broadcasts.agrees(theirs.broadcasts, self.now, self.dissemination_window())
        {
            self.stats.broadcast_repairs += 1;
            self.repair.broadcasts_after = self.now + self.dissemination_window() / 2;
            self.send_summary(peer, true);
        }
    }

    /// Compares a peer's view, as its ack gave it, with ours. The peer has seen ours with our ping
    /// and begins the repair; only if a difference outlasts that do we begin one ourselves. With
    /// broadcasts we do, if it never asked us: then it has yet to be shown that we are here.
    pub(super) fn on_ack_digest(&mut self, peer: MemberIndex, theirs: Digest) {
        if !self.config.repairs() {
            return;
        }
        let ours = self.digest();
        if theirs.members == ours.members {
            self.on_agreement(ours, theirs);
        } else if theirs.settled && ours.settled {
            let since = *self.repair.differs_since.get_or_insert(self.now);
            if since + self.config.probe_interval * 2 <= self.now {
                self.repair_tables(peer, [ours.members, theirs.members]);
            }
        }
        let record = self.table.get(peer);
        let is_ours_to_begin = record.is_validated() && !record.was_answered();
        // A bare ack says nothing of it.
        if is_ours_to_begin && theirs != Digest::default() {
            self.repair_broadcasts(peer, ours, theirs);
        }
    }

    fn repair_tables(&mut self, peer: MemberIndex, views: [u64; 2]) {
        let window = self.dissemination_window();
        let pause = if self.is_stormy() { window / STORM_PACE } else { window };
        if sabotaged!(self, NeverRepairs) {
            return;
        }
        if !self.repair.begin(views, self.now, pause) {
            return;
        }
        self.stats.repairs += 1;
        self.dial_member(peer, Purpose::Exchange { seed: None });
    }

    /// Exchanges tables with a member that does not hold us for what we are: it doesn't know us, or
    /// believes us dead.
    pub(super) fn exchange_with(&mut self, peer: MemberIndex) {
        let views = [self.table.digest(), peer.key()];
        if self.phase == Phase::Running
            && self.repair.begin(views, self.now, self.config.probe_interval)
        {
            self.stats.repairs += 1;
            self.dial_member(peer, Purpose::Exchange { seed: None });
        }
    }

    /// A peer lists the broadcasts it has.
    pub(super) fn on_summary(&mut self, peer: MemberIndex, summary: &BroadcastSummary<'_>) {
        let (missing, unknown) = self.broadcasts.missing_from(summary.hashes, self.now);
        let mut missing = missing.into_iter().peekable();
        // An address that nothing has confirmed gets a packet for a packet. (X6)
        let is_validated = self.table.get(peer).is_validated();
        let most = if is_validated { REPAIR_PACKETS_MAX } else { 1 };
        let mut sent = 0;
        while sent < most && missing.peek().is_some() && self.relays.spend(peer, self.now) {
            self.send_broadcasts(peer, &mut missing);
            sent += 1;
        }
        let has_room = is_validated || sent == 0;
        if unknown && summary.reply && has_room && self.relays.spend(peer, self.now) {
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

    pub(super) fn has_news(&self) -> bool {
        !self.claims.is_empty() || self.broadcasts.is_waiting()
    }

    /// Ends all sending, with word of how far it got.
    pub(super) fn nobody_to_tell(&mut self) {
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
        Source { carrier, ..Source::heard_at(addr) }
    }
}

/// Whether a member in a ring still belongs there.
pub(super) fn belongs(table: &Table, index: MemberIndex) -> bool {
    index != MemberIndex::SELF
        && table.try_get(index).is_some_and(|record| record.state().is_live())
}
