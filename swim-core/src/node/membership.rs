//! What a claim does to the table. SWIM 4.2; memberlist state.go: `aliveNode`, `suspectNode`,
//! `deadNode`, with lives on top.

use alloc::collections::VecDeque;
use core::net::SocketAddr;

use super::*;
use crate::{
    limits::{LIFE_AHEAD_MILLIS, LIFE_JUMP_MAX},
    member::State,
    name::Meta,
    policy::Candidate,
    precedence::Belief,
    reject::Reject,
    suspicion::Pace,
    wire::{Accusation, Claim, Departure, Entry},
};

/// A conflict over one name is reported, and its holder challenged, at most this often.
const CONFLICT_INTERVAL: Duration = Duration::from_secs(5);

/// Where a claim comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The socket address it came from.
    pub(super) addr: SocketAddr,
    /// Who carried it, if it is a member at its own address.
    pub(super) carrier: Option<MemberIndex>,
    /// Whether the cluster at large may not know it yet.
    pub(super) is_news: bool,
    /// Whether the claim's subject itself says it.
    pub(super) first_hand: bool,
}

/// The dead and the gone, in the order of their end: whom to gossip to for a while, and whom to
/// reap. An entry may be outdated; its time tells.
#[derive(Debug, Default)]
pub(super) struct Graveyard {
    graves: VecDeque<(Instant, MemberIndex)>,
    /// How many of the first graves are too old to be gossiped to.
    quiet: usize,
    reap_at: Option<Instant>,
}

impl Graveyard {
    pub(super) fn reap_at_mut(&mut self) -> &mut Option<Instant> {
        &mut self.reap_at
    }

    /// A random grave that is not older than `gossip_to_dead`, and how many there are.
    pub(super) fn recent(&mut self, now: Instant, gossip_to_dead: Duration) -> usize {
        while let Some(&(since, _)) = self.graves.get(self.quiet)
            && since + gossip_to_dead <= now
        {
            self.quiet += 1;
        }
        self.graves.len() - self.quiet
    }

    pub(super) fn nth_recent(&self, n: usize) -> (Instant, MemberIndex) {
        self.graves[self.quiet + n]
    }

    /// A random grave of any age.
    pub(super) fn nth(&self, n: usize) -> (Instant, MemberIndex) {
        self.graves[n]
    }

    pub(super) fn len(&self) -> usize {
        self.graves.len()
    }
}

impl Node {
    /// Applies one claim.
    pub(super) fn on_claim(&mut self, claim: &Claim<'_>, source: Source) {
        match claim {
            Claim::Alive(alive) => self.on_alive(alive, source),
            Claim::Suspect(accusation) => self.on_suspect(accusation, source),
            Claim::Dead(accusation) => self.on_dead(accusation, source),
            Claim::Left(departure) => self.on_left(departure, source),
        }
    }

    /// Applies one entry of a peer's table. What it believes dead is only suspected here: one
    /// node's view must not kill. memberlist state.go: `mergeState`.
    pub(super) fn on_entry(&mut self, entry: &Entry<'_>, source: Source) {
        let is_live = entry.state.is_live();
        let name = entry.alive.name;
        if is_live || self.table.find(name).is_some() {
            self.on_alive(&entry.alive, source);
        }
        let Some(index) = self.table.find(name) else { return };
        match entry.state {
            State::Alive => {
                let is_us = index == MemberIndex::SELF;
                if !is_us && entry.stamp > entry.alive.stamp && self.is_plausible(name, entry.stamp)
                {
                    self.hear_belief(index, Belief::new(entry.stamp, State::Alive), None, source);
                }
            }
            State::Suspect | State::Dead => {
                let from = source.carrier.unwrap_or(MemberIndex::SELF);
                self.accuse(index, entry.stamp, Some(from), source);
            }
            State::Left => {
                let (stamp, reason) = (entry.stamp, entry.reason);
                self.on_left(&Departure { name, stamp, reason }, source);
            }
        }
    }

    /// A packet proves that its sender lives under the stamp it gives, if it comes from where the
    /// sender is known to be.
    pub(super) fn on_sender_stamp(&mut self, sender: MemberIndex, stamp: Stamp, addr: SocketAddr) {
        let record = self.table.get(sender);
        if stamp <= record.stamp() || !self.is_plausible_for(Some(record.stamp()), stamp) {
            return;
        }
        let source = Source { addr, carrier: Some(sender), is_news: false, first_hand: true };
        self.hear_belief(sender, Belief::new(stamp, State::Alive), None, source);
    }

    fn on_alive(&mut self, alive: &Alive<'_>, source: Source) {
        if !self.is_plausible(alive.name, alive.stamp) {
            return self.reject(Reject::Implausible, source.addr);
        }
        let Some(index) = self.table.find(alive.name) else {
            return self.on_newcomer(alive, source);
        };
        if index == MemberIndex::SELF {
            return self.on_alive_about_us(alive, source);
        }
        let record = self.table.get(index);
        let known = record.profile().stamp();
        if alive.stamp <= known {
            if alive.stamp == record.stamp()
                && let Some(carrier) = source.carrier
            {
                self.claims.mark(index, carrier);
            }
            let takes_our_word = record.addr() == alive.addr || !record.state().is_live();
            if source.first_hand && !takes_our_word {
                return self.on_conflict(index, alive);
            }
            self.stats.claims_stale += 1;
            return;
        }
        if record.addr() != alive.addr && !self.may_move(index, alive) {
            return self.on_conflict(index, alive);
        }
        if !self.admits(alive) {
            return;
        }
        let says_the_same = self.table.get(index).profile().says_the_same(alive);
        self.table.set_profile(index, alive, self.now);
        let belief = Belief::new(alive.stamp, State::Alive);
        let changed = self.hear_belief(index, belief, None, source);
        if !changed && self.table.get(index).belief() == belief && source.is_news {
            self.queue_claim(index, MemberIndex::SELF, source); // The profile was what was missing.
        }
        if !says_the_same {
            self.emit_member(index, MemberChange::Updated);
        }
    }

    fn on_newcomer(&mut self, alive: &Alive<'_>, source: Source) {
        if !self.admits(alive) {
            return;
        }
        if self.table.counts().total() >= self.config.members_max {
            self.stats.claims_refused += 1;
            return self.reject(Reject::TableFull, source.addr);
        }
        self.stats.claims_applied += 1;
        let index = self.table.insert(alive, self.now);
        self.remembered.forget(alive.name, alive.addr);
        self.welcome(index);
        self.emit_member(index, MemberChange::Joined);
        if source.is_news {
            self.queue_claim(index, MemberIndex::SELF, source);
        }
    }

    fn on_suspect(&mut self, accusation: &Accusation<'_>, source: Source) {
        let Some(index) = self.table.find(accusation.name) else {
            self.stats.claims_unknown += 1;
            return;
        };
        if !self.is_plausible(accusation.name, accusation.stamp) {
            return self.reject(Reject::Implausible, source.addr);
        }
        // Only members can bear witness. (X8)
        let accuser = self.table.find(accusation.from);
        let accuser = accuser.filter(|&from| self.table.get(from).state().is_live());
        if let Some(carrier) = source.carrier
            && self.table.get(index).belief() == Belief::new(accusation.stamp, State::Suspect)
        {
            self.claims.mark(index, carrier);
        }
        self.accuse(index, accusation.stamp, accuser, source);
    }

    /// Somebody could not reach `index` under this stamp.
    pub(super) fn accuse(
        &mut self,
        index: MemberIndex,
        stamp: Stamp,
        accuser: Option<MemberIndex>,
        source: Source,
    ) {
        if index == MemberIndex::SELF {
            return self.on_accused(stamp, State::Suspect);
        }
        let belief = Belief::new(stamp, State::Suspect);
        if self.table.get(index).belief() != belief {
            self.hear_belief(index, belief, accuser, source);
            return;
        }
        let (Some(accuser), Some(suspicion)) = (accuser, self.suspicions.get_mut(&index)) else {
            return;
        };
        let old = suspicion.deadline();
        if suspicion.confirm(accuser) {
            let new = suspicion.deadline();
            self.timers.reset(Timer::Suspicion, key(index), Some(old), Some(new));
            self.queue_claim(index, accuser, source);
        }
    }

    fn on_dead(&mut self, accusation: &Accusation<'_>, source: Source) {
        let Some(index) = self.table.find(accusation.name) else {
            self.stats.claims_unknown += 1;
            return;
        };
        if !self.is_plausible(accusation.name, accusation.stamp) {
            return self.reject(Reject::Implausible, source.addr);
        }
        if index == MemberIndex::SELF {
            return self.on_accused(accusation.stamp, State::Dead);
        }
        let belief = Belief::new(accusation.stamp, State::Dead);
        if let Some(carrier) = source.carrier
            && self.table.get(index).belief() == belief
        {
            self.claims.mark(index, carrier);
        }
        let accuser = self.table.find(accusation.from);
        self.hear_belief(index, belief, accuser, source);
    }

    pub(super) fn on_left(&mut self, departure: &Departure<'_>, source: Source) {
        let Some(index) = self.table.find(departure.name) else {
            self.stats.claims_unknown += 1;
            return;
        };
        if !self.is_plausible(departure.name, departure.stamp) {
            return self.reject(Reject::Implausible, source.addr);
        }
        if index == MemberIndex::SELF {
            return self.on_accused(departure.stamp, State::Left);
        }
        if self.table.get(index).state() == State::Left {
            if let Some(carrier) = source.carrier {
                self.claims.mark(index, carrier);
            }
        } else if departure.stamp.life >= self.table.get(index).stamp().life {
            self.table.set_reason(index, departure.reason);
        }
        self.hear_belief(index, Belief::new(departure.stamp, State::Left), None, source);
    }

    /// Takes in what is said of another member; returns whether it changed the table.
    fn hear_belief(
        &mut self,
        index: MemberIndex,
        news: Belief,
        accuser: Option<MemberIndex>,
        source: Source,
    ) -> bool {
        let old = self.table.get(index).belief();
        let Some(new) = old.hearing(news) else {
            self.stats.claims_stale += 1;
            return false;
        };
        self.stats.claims_applied += 1;
        self.table.set_belief(index, new, self.now);
        // A suspicion dies with its stamp. (P3)
        self.drop_suspicion(index);
        if new.state == State::Suspect {
            self.begin_suspicion(index, accuser);
        }
        if source.is_news || !new.state.is_live() {
            self.queue_claim(index, accuser.unwrap_or(MemberIndex::SELF), source);
        }
        self.on_state_changed(index, old.state, new.state);
        true
    }

    /// The consequences of a change of state for rings, timers and the application.
    fn on_state_changed(&mut self, index: MemberIndex, from: State, to: State) {
        if let Some(change) = MemberChange::between(Some(from), to) {
            self.emit_member(index, change);
            if change == MemberChange::Joined && to == State::Suspect {
                self.emit_member(index, MemberChange::Suspected);
            }
        }
        if to.is_live() && !from.is_live() {
            let record = self.table.get(index);
            let (name, addr) = (Name::from_checked(record.name()), record.addr());
            self.remembered.forget(&name, addr);
            self.welcome(index);
        }
        if !to.is_live() && to != from {
            if from.is_live() {
                self.on_member_gone(index);
            }
            self.bury(index);
        }
    }

    /// A member that lives is probed and gossiped to.
    fn welcome(&mut self, index: MemberIndex) {
        self.probe_ring.insert(index);
        self.gossip_ring.insert(index);
    }

    fn on_member_gone(&mut self, index: MemberIndex) {
        if self.probe.as_ref().is_some_and(|probe| probe.target == index) {
            self.cancel_probe();
        }
    }

    fn bury(&mut self, index: MemberIndex) {
        self.graveyard.graves.push_back((self.now, index));
        if self.graveyard.reap_at.is_none() {
            self.set_timer(Timer::Reap, Some(self.now + self.config.reap_after));
        }
    }

    /// Forgets those that have been dead long enough. memberlist state.go: `resetNodes`.
    pub(super) fn on_reap_due(&mut self) {
        while let Some(&(since, index)) = self.graveyard.graves.front() {
            let reap_at = since + self.config.reap_after;
            if reap_at > self.now {
                return self.set_timer(Timer::Reap, Some(reap_at));
            }
            self.graveyard.graves.pop_front();
            self.graveyard.quiet = self.graveyard.quiet.saturating_sub(1);
            if self.is_grave(since, index) {
                self.reap(index);
            }
        }
    }

    /// Whether a grave still is one: its member may have come back, or been reaped, since.
    pub(super) fn is_grave(&self, since: Instant, index: MemberIndex) -> bool {
        let record = self.table.try_get(index);
        record.is_some_and(|record| !record.state().is_live() && record.since() == since)
    }

    fn reap(&mut self, index: MemberIndex) {
        let record = self.table.get(index);
        let (was_dead, member) = (record.state() == State::Dead, record.member());
        if was_dead {
            self.remembered.insert(member.name.clone(), member.addr, self.now);
        }
        self.claims.remove(index);
        self.conflicts.remove(&index);
        for (nonce, relay) in self.relays.forget(index) {
            self.timers.reset(Timer::Relay, nonce, Some(relay.deadline), None);
        }
        if let Some(leave) = &mut self.leave {
            leave.forget(index);
        }
        self.table.remove(index);
        self.stats.reaped += 1;
        self.emit(EventKind::Member { change: MemberChange::Reaped, member });
    }

    fn begin_suspicion(&mut self, index: MemberIndex, accuser: Option<MemberIndex>) {
        let pace = Pace {
            mult: self.config.suspicion_mult,
            max_mult: self.config.suspicion_max_mult,
            probe_interval: self.config.probe_interval,
            members: self.table.live(),
        };
        let stamp = self.table.get(index).stamp();
        let accuser = accuser.unwrap_or(index); // A stranger's word: nobody's, so that all count.
        let suspicion = Suspicion::new(stamp, accuser, pace, self.now);
        self.timers.reset(Timer::Suspicion, key(index), None, Some(suspicion.deadline()));
        self.suspicions.insert(index, suspicion);
        self.stats.suspicions += 1;
    }

    fn drop_suspicion(&mut self, index: MemberIndex) {
        if let Some(suspicion) = self.suspicions.remove(&index) {
            let deadline = Some(suspicion.deadline());
            self.timers.reset(Timer::Suspicion, key(index), deadline, None);
        }
    }

    /// A suspicion ran out: its subject is dead to us.
    pub(super) fn on_suspicion_due(&mut self, index: MemberIndex) {
        let Some(suspicion) = self.suspicions.remove(&index) else { return };
        self.stats.suspicions_expired += 1;
        self.stats.suspicions_expired_unconfirmed += u64::from(suspicion.lacks_confirmations());
        let source = self.own_word();
        let belief = Belief::new(suspicion.stamp(), State::Dead);
        self.hear_belief(index, belief, Some(MemberIndex::SELF), source);
    }

    /// This node was stopped for `late`: its suspicions could not be refuted meanwhile, and its
    /// probe could not be answered. (P7)
    pub(super) fn on_pause(&mut self, late: Duration) {
        self.woken_at = self.now;
        self.stats.pauses += 1;
        self.stats.pause_max = self.stats.pause_max.max(late);
        for (&index, suspicion) in &mut self.suspicions {
            let old = suspicion.deadline();
            suspicion.extend(late);
            let new = Some(suspicion.deadline());
            self.timers.reset(Timer::Suspicion, key(index), Some(old), new);
        }
        self.cancel_probe();
        let next_probe = self.now + self.config.probe_interval;
        if self.probe_at.is_some() {
            self.set_timer(Timer::ProbeInterval, Some(next_probe));
        }
        self.change_health(1);
    }

    /// An alive claim about this node that is not its own.
    fn on_alive_about_us(&mut self, alive: &Alive<'_>, source: Source) {
        let record = self.table.get(MemberIndex::SELF);
        if alive.addr != record.addr() {
            if source.first_hand || alive.stamp.life >= record.stamp().life {
                self.on_conflict(MemberIndex::SELF, alive);
            }
            return;
        }
        if alive.stamp > record.stamp()
            || (alive.stamp == record.stamp() && !record.profile().says_the_same(alive))
        {
            // A former life of ours with a clock ahead of today's, or a lie.
            self.on_accused(alive.stamp, State::Alive);
        } else if let Some(carrier) = source.carrier
            && alive.stamp == record.stamp()
        {
            self.claims.mark(MemberIndex::SELF, carrier);
        }
    }

    /// Something is said of us that we know better. Refutes at once. SWIM 4.2; memberlist
    /// state.go: `refute`.
    pub(super) fn on_accused(&mut self, accused: Stamp, state: State) {
        let own = self.own_stamp();
        let is_stale = if state == State::Left { accused.life < own.life } else { accused < own };
        if self.phase != Phase::Running || is_stale || !self.is_plausible(&self.name, accused) {
            return;
        }
        let stamp =
            if state == State::Left { own.max(accused).next_life() } else { own.refuting(accused) };
        self.take_stamp(stamp, None);
        self.stats.refutations += 1;
        if stamp.life != own.life {
            self.emit(EventKind::LifeRaised { stamp });
        }
        self.change_health(1);
        self.urgent = true;
    }

    /// Speaks of itself under a new stamp, perhaps with new metadata, and queues that.
    pub(super) fn take_stamp(&mut self, stamp: Stamp, meta: Option<&[u8]>) {
        let own = self.table.get(MemberIndex::SELF).profile().clone();
        let mut alive = Alive { stamp, ..own.alive() };
        if let Some(meta) = meta {
            alive.meta = meta;
        }
        self.table.set_profile(MemberIndex::SELF, &alive, self.now);
        self.table.set_belief(MemberIndex::SELF, Belief::new(stamp, State::Alive), self.now);
        let source = self.own_word();
        self.queue_claim(MemberIndex::SELF, MemberIndex::SELF, source);
    }

    fn on_conflict(&mut self, holder: MemberIndex, alive: &Alive<'_>) {
        self.stats.conflicts += 1;
        let last = self.conflicts.get(&holder);
        if last.is_some_and(|&last| last + CONFLICT_INTERVAL > self.now) {
            return;
        }
        self.conflicts.retain(|_, last| *last + CONFLICT_INTERVAL > self.now);
        self.conflicts.insert(holder, self.now);
        if holder != MemberIndex::SELF && self.table.get(holder).state().is_live() {
            self.challenge(holder);
        }
        let kind = EventKind::Conflict {
            holder: self.table.get(holder).member(),
            other_addr: alive.addr,
            other_stamp: alive.stamp,
            other_meta: Meta::from_checked(alive.meta),
        };
        self.emit(kind);
    }

    /// Whether the name's holder has been gone long enough for another to take its name. (X9)
    fn may_move(&self, index: MemberIndex, alive: &Alive<'_>) -> bool {
        let record = self.table.get(index);
        if alive.stamp.life <= record.stamp().life {
            return false;
        }
        match record.state() {
            State::Alive | State::Suspect => false,
            State::Left => true,
            State::Dead => self
                .config
                .reclaim_after
                .is_some_and(|reclaim_after| record.since() + reclaim_after <= self.now),
        }
    }

    /// Whether the allow list and the policy let this claim in.
    fn admits(&mut self, alive: &Alive<'_>) -> bool {
        let allowed = self.config.allow.as_ref().is_none_or(|list| list.allows(alive.addr.ip()));
        let Alive { name, addr, meta, versions, stamp } = *alive;
        let candidate = Candidate { name, addr, meta, versions, stamp };
        let admitted = allowed && self.config.policy.admit_member(&candidate).is_ok();
        self.stats.claims_refused += u64::from(!admitted);
        admitted
    }

    /// Whether a correct node could have issued this stamp by now. (X7)
    fn is_plausible(&self, name: &str, stamp: Stamp) -> bool {
        let known = self.table.find(name).map(|index| self.table.get(index).stamp());
        self.is_plausible_for(known, stamp)
    }

    fn is_plausible_for(&self, known: Option<Stamp>, stamp: Stamp) -> bool {
        if !stamp.is_plausible() {
            return false;
        }
        let highest_known = known.map_or(0, |known| known.life.0);
        let bound = match (self.unix_millis(), known) {
            (Some(unix), _) => unix.saturating_add(LIFE_AHEAD_MILLIS).max(highest_known),
            (None, Some(known)) => known.life.0.saturating_add(LIFE_JUMP_MAX),
            (None, None) => return true,
        };
        stamp.life.0 <= bound
    }

    /// Queues the newest claim about a member for gossip.
    pub(super) fn queue_claim(
        &mut self,
        subject: MemberIndex,
        accuser: MemberIndex,
        source: Source,
    ) {
        const SPARE: usize = 1024;
        let cap = 2 * self.table.counts().total() + SPARE;
        if !self.claims.push(subject, accuser, source.carrier, cap) {
            self.stats.claims_dropped += 1;
        }
    }

    /// The source of what this node found out itself.
    pub(super) fn own_word(&self) -> Source {
        Source { addr: self.config.addr, carrier: None, is_news: true, first_hand: false }
    }
}

/// A member's key among the timers.
fn key(index: MemberIndex) -> u64 {
    u64::from(index.as_u32())
}
