//! What others say of this node, and of the names that two nodes claim. SWIM 4.2: "refutation";
//! memberlist state.go: `refute`, and the conflicts of `aliveNode`.

use alloc::sync::Arc;
use core::time::Duration;

use super::{
    Node, Phase,
    membership::{Source, Succession},
};
use crate::{
    event::EventKind,
    member::State,
    name::Meta,
    precedence::Belief,
    sabotage::sabotaged,
    stamp::Stamp,
    table::MemberIndex,
    time::Instant,
    wire::{Alive, Claim, Message},
};

impl Node {
    /// An alive claim about this node that is not its own.
    pub(super) fn on_alive_about_us(&mut self, alive: &Alive<'_>, source: Source) {
        let record = self.table.get(MemberIndex::SELF);
        if alive.addr != record.addr() {
            if source.first_hand || alive.stamp.life >= record.stamp().life {
                self.on_conflict(MemberIndex::SELF, alive);
            }
            #[cfg(feature = "sabotage")]
            self.yield_name();
            return;
        }
        let is_dressed_alike = alive.mapped == record.profile().alive().mapped;
        let says_the_same = record.profile().says_the_same(alive) && is_dressed_alike;
        if alive.stamp > record.stamp() || (alive.stamp == record.stamp() && !says_the_same) {
            self.take_form(alive);
            // A former life of ours with a clock ahead of today's, or a lie.
            self.on_accused(alive.stamp, State::Alive);
        } else if let Some(carrier) = source.carrier
            && alive.stamp == record.stamp()
        {
            self.claims.mark(MemberIndex::SELF, carrier);
            self.unheard.understood(alive.stamp);
        }
    }

    /// Speaks of its own address in the form in which others hold it, of 4 or of 16 bytes: Go
    /// compares bytes, and would take the other form for that of another node. They have it from
    /// a Go node that was here under our name before.
    pub(super) fn take_form(&mut self, said: &Alive<'_>) {
        let record = self.table.get(MemberIndex::SELF);
        let own = record.profile().clone();
        if said.addr == own.addr() && said.mapped != own.alive().mapped {
            let alive = Alive { mapped: said.mapped, ..own.alive() };
            self.table.revise(MemberIndex::SELF, Some(&alive), record.belief(), self.now);
        }
    }

    /// Something is said of us that we know better. Refutes at once. SWIM 4.2; memberlist
    /// state.go: `refute`.
    pub(super) fn on_accused(&mut self, accused: Stamp, state: State) {
        let own = self.own_stamp();
        let is_final = state == State::Left && self.config.dialect.is_native();
        let is_stale = if is_final { accused.life < own.life } else { accused < own };
        // What anybody may believe must be answered, and of those who live that is twice as far.
        let is_believed = match state {
            State::Alive => self.is_plausible(Some(own), accused),
            State::Suspect | State::Dead | State::Left => {
                self.is_plausible_accusation(own, accused)
            }
        };
        if self.phase != Phase::Running || is_stale || !is_believed {
            return;
        }
        if sabotaged!(self, NeverRefutes) {
            return;
        }
        if sabotaged!(self, BelievesItsOwnDeath) {
            let belief = Belief::new(own, state);
            return self.table.revise(MemberIndex::SELF, None, belief, self.now);
        }
        let stamp = self.outbidding(accused, state);
        let stamp = match () {
            () if sabotaged!(self, RefutesTooHigh) => stamp.refuting(stamp),
            () if sabotaged!(self, RefutesTooLow) => own.max(accused),
            () if sabotaged!(self, GoesBackToItsFirstStamp) => Stamp::first(own.life),
            () => stamp,
        };
        self.take_stamp(stamp, None);
        self.stats.refutations += 1;
        if state == State::Dead && !sabotaged!(self, JudgesWhatNobodyHeard) {
            self.reconsider();
        }
        if stamp.life != own.life {
            self.emit(EventKind::LifeRaised { stamp });
        }
        self.change_health(1);
        self.urgency.raise();
    }

    /// Somebody whom we hold for dead says that we are. Where a cut has ended, both hold each other
    /// for dead, and one must speak first; but whoever does not hear us will say it of everybody,
    /// and each refutation costs a round of gossip. Over a stream he does hear. (L5, L6)
    pub(super) fn on_death_told_by_the_dead(&mut self, stamp: Stamp, source: Source) {
        let is_dead = |&peer: &MemberIndex| self.table.get(peer).state() == State::Dead;
        if let Some(peer) = source.carrier.filter(is_dead)
            && stamp >= self.own_stamp()
        {
            self.exchange_with(peer);
        }
    }

    /// What outbids this: within our own life the smallest stamp that does. (S3) A life that was
    /// not ours was lived by another, an impostor or a former self that this node does not
    /// remember, who may have gone further in it than we have heard: we leave it to him, so that
    /// no stamp means two things. (S5) Without a clock our own life may have been lived before.
    fn outbidding(&self, said: Stamp, state: State) -> Stamp {
        let own = self.own_stamp();
        if !self.config.dialect.is_native() {
            return self.stamp_above(said);
        }
        let doubts_us = said == own && matches!(state, State::Suspect | State::Dead);
        let is_ours = said.life == own.life && (self.unix_offset.is_some() || doubts_us);
        let smallest = own.refuting(said);
        if is_ours && state != State::Left {
            return smallest;
        }
        let next = own.max(said).next_life().max(smallest);
        // As far ahead as lives may be, nobody would believe the next. (X7)
        let is_last = state == State::Alive && !self.is_plausible(Some(own), next);
        if is_last { smallest } else { next }
    }

    /// Speaks of itself under a new stamp, perhaps with new metadata, and queues that.
    pub(super) fn take_stamp(&mut self, stamp: Stamp, meta: Option<&[u8]>) {
        let own = self.table.get(MemberIndex::SELF).profile().clone();
        let mut alive = Alive { stamp, ..own.alive() };
        if let Some(meta) = meta {
            alive.meta = meta;
        }
        let belief = Belief::new(stamp, State::Alive);
        self.table.revise(MemberIndex::SELF, Some(&alive), belief, self.now);
        let source = self.own_word();
        self.queue_claim(MemberIndex::SELF, MemberIndex::SELF, source);
        self.unheard.speak(stamp);
    }

    pub(super) fn on_conflict(&mut self, holder: MemberIndex, alive: &Alive<'_>) {
        self.stats.conflicts += 1;
        if !self.conflicts.report(holder, self.now) {
            return;
        }
        let is_live = holder != MemberIndex::SELF && self.table.get(holder).state().is_live();
        if is_live && self.phase == Phase::Running && self.challenge.begin(holder) {
            // The holder shall know too (L11), but nobody makes us send a packet for each of the
            // names that he makes up claims about. (X6)
            self.send_to_member(holder, &[Message::Claim(Claim::Alive(*alive))]);
        }
        let kind = EventKind::Conflict {
            holder: Arc::new(self.table.get(holder).member()),
            other_addr: alive.addr,
            other_stamp: alive.stamp,
            other_meta: Meta::from_checked(alive.meta),
        };
        self.emit(kind);
    }

    /// What becomes of a claim to this member's name from another address. (X9)
    pub(super) fn succession(&self, index: MemberIndex, alive: &Alive<'_>) -> Succession {
        let record = self.table.get(index);
        let is_newer = alive.stamp.life > record.stamp().life;
        match record.state() {
            _ if sabotaged!(self, GivesNamesAway) => Succession::Free,
            _ if is_newer && self.is_long_gone(index) => Succession::Free,
            State::Left if is_newer => Succession::TooSoon,
            State::Alive | State::Suspect | State::Dead | State::Left => Succession::Taken,
        }
    }

    /// Whether the next one to claim this name gets it, whatever its stamp: where nobody has a
    /// life. memberlist state.go: `aliveNode`, `canReclaim`.
    pub(super) fn is_up_for_grabs(&self, index: MemberIndex) -> bool {
        !self.config.dialect.is_native() && self.is_long_gone(index)
    }

    fn is_long_gone(&self, index: MemberIndex) -> bool {
        let record = self.table.get(index);
        match record.state() {
            State::Alive | State::Suspect => false,
            State::Left => self.had_time_to_object(record.since()),
            State::Dead => self
                .config
                .reclaims_after()
                .is_some_and(|reclaim_after| record.since() + reclaim_after <= self.now),
        }
    }

    /// Whether a member that has been gone since then could have said here that it is not. Who
    /// holds the key can say goodbye in the name of any other, from its address too, and claim the
    /// name for himself in the next breath: were he believed, the member's own word would be that
    /// of a second claimant from then on, for as long as he answers to the name. So the name stays
    /// with its holder for as long as it takes him to hear of it and to be heard, whoever told of
    /// his leave. What this node slept through does not count. (X9)
    pub(super) fn had_time_to_object(&self, gone_since: Instant) -> bool {
        // Without lives, Go nodes take another address at once, and so must all. (G3)
        let has_grace = self.config.dialect.is_native() && !sabotaged!(self, BelievesFarewells);
        let asks = self.config.probe_interval * FAREWELL_PROBES;
        let grace = if has_grace { asks + self.dissemination_window() } else { Duration::ZERO };
        gone_since.max(self.pause.heeds_since) + grace <= self.now
    }
}

/// For so many probe intervals a name stays with a member that is said to have left, beside the
/// time that its answer takes to spread. In each of them it asks somebody else, who tells it so: a
/// packet or two on the way may get lost. (X9)
const FAREWELL_PROBES: u32 = 3;
