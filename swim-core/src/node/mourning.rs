//! From suspicion to the grave: what begins, ends and follows a suspicion, and how the dead are
//! forgotten. Lifeguard, LHA-Suspicion; memberlist state.go: `suspectNode`, `resetNodes`.

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};
use core::time::Duration;

use super::{Node, Pause};
use crate::{
    event::{EventKind, MemberChange},
    graveyard::Grave,
    io::Timer,
    member::State,
    precedence::Belief,
    sabotage::sabotaged,
    suspicion::{Pace, Suspicion},
    table::{MemberIndex, Table},
};

impl Node {
    pub(super) fn begin_suspicion(&mut self, index: MemberIndex, accuser: Option<MemberIndex>) {
        let pace = Pace {
            mult: self.config.suspicion_mult,
            max_mult: self.config.suspicion_max_mult,
            probe_interval: self.config.probe_interval,
            members: self.table.live(),
        };
        let longer = u32::from(sabotaged!(self, SuspectsTooLong));
        let pace = Pace { max_mult: pace.max_mult + longer, ..pace };
        let stamp = self.table.get(index).stamp();
        // A stranger's word: nobody's, so that all count.
        let accuser = self.table.get(accuser.unwrap_or(index)).arrival();
        let suspicion = Suspicion::new(stamp, accuser, pace, self.now);
        self.timers.reset(Timer::Suspicion, index.key(), None, Some(suspicion.deadline()));
        self.suspicions.insert(index, suspicion);
        self.stats.suspicions += 1;
    }

    pub(super) fn drop_suspicion(&mut self, index: MemberIndex) {
        if let Some(suspicion) = self.suspicions.remove(&index) {
            let deadline = Some(suspicion.deadline());
            self.timers.reset(Timer::Suspicion, index.key(), deadline, None);
        }
    }

    /// A suspicion ran out: its subject is dead to us.
    pub(super) fn on_suspicion_due(&mut self, index: MemberIndex) {
        let Some(suspicion) = self.suspicions.remove(&index) else { return };
        #[cfg(feature = "simulation")]
        self.note_of(index, |name| crate::hearsay::Hearsay::Expired { name });
        self.stats.suspicions_expired += 1;
        self.stats.suspicions_expired_unconfirmed += u64::from(suspicion.lacks_confirmations());
        let source = self.own_word();
        let is_gone = sabotaged!(self, TakesTheDeadForLeavers);
        let state = if is_gone { State::Left } else { State::Dead };
        let belief = Belief::new(suspicion.stamp(), state);
        self.hear_belief(index, belief, Some(MemberIndex::SELF), source);
    }

    /// This node was stopped for `late`: its suspicions could not be refuted meanwhile, and its
    /// probe could not be answered. (P7)
    pub(super) fn on_pause(&mut self, late: Duration) {
        #[cfg(feature = "simulation")]
        self.note(|_| crate::hearsay::Hearsay::Slept);
        self.pause = Pause { woken_at: self.now, slept: late, heeds_since: self.now };
        self.stats.pauses += 1;
        self.stats.pause_max = self.stats.pause_max.max(late);
        let next_probe = self.now + self.config.probe_interval;
        for (&index, suspicion) in &mut self.suspicions {
            let old = suspicion.deadline();
            if !sabotaged!(self, BlamesOthersForItsSleep) {
                suspicion.extend(late, [self.now, next_probe]);
            }
            let new = Some(suspicion.deadline());
            self.timers.reset(Timer::Suspicion, index.key(), Some(old), new);
        }
        self.cancel_probe();
        if self.probe_at.is_some() {
            self.set_timer(Timer::ProbeInterval, Some(next_probe));
        }
        self.change_health(1);
    }

    /// This node was held for dead, and what it accused others of meanwhile counted nowhere: nobody
    /// could refute or doubt what nobody heard. Now that its word counts again, the accused get
    /// their time to answer anew, and it passes no verdict on that it came to before. (L6)
    pub(super) fn reconsider(&mut self) {
        let of_state = |table: &Table, state: State| -> Vec<MemberIndex> {
            let of = table.iter().filter(|(_, record)| record.state() == state);
            of.map(|(index, _)| index).collect()
        };
        for index in of_state(&self.table, State::Dead) {
            self.claims.remove(index);
        }
        for index in of_state(&self.table, State::Suspect) {
            if self.suspicions.get(&index).is_some_and(|it| it.begun_at() == self.now) {
                continue; // It has all of its time.
            }
            self.drop_suspicion(index);
            self.begin_suspicion(index, None);
            let source = self.own_word();
            self.queue_claim(index, index, source); // Nobody's word, as it begins anew.
        }
    }

    pub(super) fn bury(&mut self, index: MemberIndex) {
        self.graveyard.push(index, self.table.get(index).is_validated(), self.now);
        self.dead_ring.insert(index);
        self.sweep_graveyard();
        // One that was never validated is to be forgotten before those that died earlier.
        let due = self.graveyard.next_due(self.config.reap_after);
        if self.reap_at.is_none() || due < self.reap_at {
            self.set_timer(Timer::Reap, due);
        }
    }

    /// Drops outdated graves once they are more than the current ones. To be called when there is a
    /// new grave, or an outdated one more.
    pub(super) fn sweep_graveyard(&mut self) {
        /// Outdated graves beyond as many as are current: one member that dies again and again must
        /// not fill the yard.
        const OUTDATED_MAX: usize = 2;
        let counts = self.table.counts();
        if self.graveyard.len() > 2 * (counts.dead + counts.left) + OUTDATED_MAX {
            let mut graveyard = core::mem::take(&mut self.graveyard);
            let mut seen = BTreeSet::new();
            graveyard.retain(|&grave| self.is_grave(grave) && seen.insert(grave.member));
            self.graveyard = graveyard;
        }
    }

    /// Forgets those that have been dead long enough. memberlist state.go: `resetNodes`.
    pub(super) fn on_reap_due(&mut self) {
        while let Some(grave) = self.graveyard.pop_due(self.now, self.config.reap_after) {
            if self.is_grave(grave) {
                self.reap(grave.member);
            }
        }
        self.schedule_reaping();
    }

    pub(super) fn schedule_reaping(&mut self) {
        let due = self.graveyard.next_due(self.config.reap_after);
        self.set_timer(Timer::Reap, due);
    }

    /// Forgets one of the dead, if there is one: the one that is missed least. (X10) But none that
    /// could not yet have objected: with the member its name would be forgotten to be its own. (X9)
    pub(super) fn make_room(&mut self) -> bool {
        let mut graveyard = core::mem::take(&mut self.graveyard);
        let may_go = |grave: &Grave| self.had_time_to_object(grave.since);
        let mut found = None;
        while let Some(grave) = graveyard.pop(may_go) {
            if self.is_grave(grave) {
                found = Some(grave.member);
                break;
            }
        }
        self.graveyard = graveyard;
        if let Some(member) = found {
            self.reap(member);
        }
        found.is_some()
    }

    /// Whether a grave still is one: its member may have come back, or been reaped, since.
    pub(super) fn is_grave(&self, grave: Grave) -> bool {
        let record = self.table.try_get(grave.member);
        record.is_some_and(|record| !record.state().is_live() && record.since() == grave.since)
    }

    /// Costs the same however much is going on: many may be due at once, and what is kept of a
    /// member is found by the member, or by a number that is nobody else's. (M4)
    pub(super) fn reap(&mut self, index: MemberIndex) {
        #[cfg(feature = "simulation")]
        self.note_of(index, |name| crate::hearsay::Hearsay::Reaped { name });
        let record = self.table.get(index);
        let (was_dead, member) = (record.state() == State::Dead, Arc::new(record.member()));
        if was_dead {
            let is_validated = record.is_validated();
            self.remembered.insert(&member, is_validated, self.now);
        }
        self.claims.remove(index);
        self.conflicts.forget(index);
        self.challenge.forget(index);
        for (nonce, relay) in self.relays.forget(index) {
            self.timers.reset(Timer::Relay, nonce, Some(relay.deadline), None);
        }
        if let Some(leave) = &mut self.leave {
            leave.forget(index);
        }
        self.table.remove(index);
        self.sweep_graveyard();
        self.stats.reaped += 1;
        self.emit(EventKind::Member { change: MemberChange::Reaped, member });
    }
}
