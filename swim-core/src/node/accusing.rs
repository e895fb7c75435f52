//! What is said against a member: whose word counts, and when a verdict does. SWIM 4.2; Lifeguard,
//! LHA-Suspicion; memberlist state.go: `suspectNode`, `deadNode`.

use super::{Node, membership::Source};
use crate::{
    io::Timer,
    member::State,
    precedence::Belief,
    sabotage::sabotaged,
    stamp::Stamp,
    table::{Arrival, MemberIndex},
    wire::Accusation,
};

impl Node {
    pub(super) fn on_suspect(&mut self, accusation: &Accusation<'_>, source: Source) {
        let Some(index) = self.table.find(accusation.name) else {
            self.stats.claims_unknown += 1;
            return;
        };
        if !self.is_plausible_accusation(self.table.get(index).stamp(), accusation.stamp) {
            return self.on_implausible(Some(index), accusation.stamp, source.addr);
        }
        if !self.is_witness(source) {
            self.stats.claims_refused += 1;
            return;
        }
        let accuser = self.as_witness(self.table.find(accusation.from), index);
        self.accuse(index, accusation.stamp, accuser, source);
    }

    /// Whether an accusation counts: only if a live member tells it. Who hears nothing goes on to
    /// accuse one healthy member after the other, for as long as it runs, and nobody can tell it
    /// better. Any correct member that is held for dead is told so, and is live again with its
    /// next packet. (X8, L6)
    pub(super) fn is_witness(&self, source: Source) -> bool {
        match source.carrier {
            Some(_) if sabotaged!(self, BelievesTheDead) => true,
            Some(carrier) => self.table.get(carrier).state().is_live(),
            // Where packets don't say who sent them, a member may speak from another address.
            None => !self.config.dialect.is_native(),
        }
    }

    /// The accuser of `subject`, if it counts: only members can confirm, and nobody himself. (X8)
    fn as_witness(
        &mut self,
        accuser: Option<MemberIndex>,
        subject: MemberIndex,
    ) -> Option<MemberIndex> {
        let table = &self.table;
        let witness = accuser.filter(|&from| from != subject && table.get(from).state().is_live());
        self.stats.accusers_ignored += u64::from(witness.is_none());
        witness
    }

    /// Whether a member was in doubt here, under this stamp, for long enough to be heard refuting
    /// it. A verdict that comes before that, or with the accusation itself, is one more accusation:
    /// what a node said while nobody heard it, because its packets were held up or because it was
    /// held for dead, can arrive all at once when it is well again. (L6)
    fn had_time_to_answer(&self, index: MemberIndex, stamp: Stamp) -> bool {
        let record = self.table.get(index);
        let is_over = !record.state().is_live() && stamp <= record.stamp();
        let open = self.suspicions.get(&index).filter(|it| it.stamp() == stamp);
        let grace = self.dissemination_window();
        is_over
            || sabotaged!(self, ExecutesAtOnce)
            || open.is_some_and(|suspicion| suspicion.open_since() + grace <= self.now)
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
        self.mark_holder(index, belief, source);
        let (Some(accuser), Some(suspicion)) = (accuser, self.suspicions.get_mut(&index)) else {
            return;
        };
        let old = suspicion.deadline();
        let is_again = sabotaged!(self, CountsAnAccuserTwice);
        let arrival = self.table.get(accuser).arrival();
        if suspicion.confirm(if is_again { Arrival::new(u32::MAX) } else { arrival }, self.now) {
            let new = suspicion.deadline();
            self.timers.reset(Timer::Suspicion, index.key(), Some(old), Some(new));
            self.queue_claim(index, accuser, source);
        }
    }

    pub(super) fn on_dead(&mut self, accusation: &Accusation<'_>, source: Source) {
        let Some(index) = self.table.find(accusation.name) else {
            self.stats.claims_unknown += 1;
            return;
        };
        if !self.is_plausible_accusation(self.table.get(index).stamp(), accusation.stamp) {
            return self.on_implausible(Some(index), accusation.stamp, source.addr);
        }
        if !self.is_witness(source) {
            self.stats.claims_refused += 1;
            if index == MemberIndex::SELF {
                self.on_death_told_by_the_dead(accusation.stamp, source);
            }
            return;
        }
        if index == MemberIndex::SELF {
            return self.on_accused(accusation.stamp, State::Dead);
        }
        let accuser = self.table.find(accusation.from);
        if !self.had_time_to_answer(index, accusation.stamp) {
            let witness = self.as_witness(accuser, index);
            return self.accuse(index, accusation.stamp, witness, source);
        }
        let belief = Belief::new(accusation.stamp, State::Dead);
        self.hear_belief(index, belief, accuser, source);
    }
}
