//! What a claim does to the table. SWIM 4.2; memberlist state.go: `aliveNode`, `suspectNode`,
//! `deadNode`, with lives on top.

use core::net::SocketAddr;

use super::Node;
use crate::{
    event::MemberChange,
    member::State,
    policy::Candidate,
    precedence::Belief,
    reject::Reject,
    sabotage::sabotaged,
    stamp::Stamp,
    table::MemberIndex,
    wire::{Accusation, Alive, Claim, Departure, Entry},
};

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
    /// Whether it does so on a stream with the address that it claims.
    pub(super) in_person: bool,
}

impl Source {
    /// Of what a packet from somebody at this address says.
    pub(super) fn heard_at(addr: SocketAddr) -> Self {
        Self { addr, carrier: None, is_news: true, first_hand: false, in_person: false }
    }
}

/// What becomes of a claim to a name from another address than its holder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Succession {
    /// It is true: the name is free.
    Free,
    /// It will be true soon, unless its holder says that it has not left.
    TooSoon,
    /// It is a second claim to a name that somebody has.
    Taken,
}

impl Node {
    /// Applies one claim.
    pub(super) fn on_claim(&mut self, claim: &Claim<'_>, source: Source) {
        #[cfg(feature = "simulation")]
        self.note_claim(claim, source);
        match claim {
            Claim::Alive(alive) => {
                let known = self.table.find(alive.name);
                // Nobody passes on what is outdated: who says so of us has just heard it.
                // Where packets don't say who sends them, the address does.
                let first_hand = source.first_hand
                    || known == Some(MemberIndex::SELF)
                    || (!self.config.dialect.is_native() && alive.addr == source.addr);
                self.on_alive(known, alive, Source { first_hand, ..source });
            }
            Claim::Suspect(accusation) => self.on_suspect(accusation, source),
            Claim::Dead(accusation) => self.on_dead(accusation, source),
            Claim::Left(departure) => self.on_left(departure, source),
        }
    }

    /// Applies one entry of a peer's table. What it believes dead is only suspected here: one
    /// node's view must not kill. memberlist state.go: `mergeState`.
    pub(super) fn on_entry(&mut self, entry: &Entry<'_>, mut source: Source) {
        #[cfg(feature = "simulation")]
        self.note_entry(entry, source);
        let is_live = entry.state.is_live();
        let name = entry.alive.name;
        let known = self.table.find(name);
        if known.is_none()
            && entry.state == State::Suspect
            && self.remembered.outlived(name.as_str(), entry.stamp)
        {
            // Here the suspicion has run its course. Begun again by each that has forgotten the
            // dead, and told on, it would go round for ever.
            self.stats.claims_stale += 1;
            return;
        }
        // In memberlist's dialect a line says one thing. Of one that is not alive it says that, and
        // not what the member would have to say of itself: else it would be alive again first, and
        // a name that is free be given away. memberlist state.go: `mergeState`.
        let speaks_for_itself = if self.config.dialect.is_native() {
            is_live || known.is_some()
        } else {
            entry.state == State::Alive
        };
        if speaks_for_itself {
            let reaped = self.stats.reaped;
            self.on_alive(known, &entry.alive, source);
            // The peer's place may be somebody else's now.
            source.carrier = source.carrier.filter(|_| self.stats.reaped == reaped);
        }
        let Some(index) = known.or_else(|| self.table.find(name)) else {
            self.stats.claims_unknown += u64::from(!speaks_for_itself);
            return;
        };
        match entry.state {
            State::Alive if index == MemberIndex::SELF => {
                // Somebody holds more of us than we ever said: while it stands, what we say under
                // our own stamp is old news there. Another node of our name is no accusation. (X9)
                if entry.alive.addr == self.config.addr && entry.stamp > self.own_stamp() {
                    self.on_accused(entry.stamp, State::Alive);
                }
            }
            State::Alive => {
                // Of another node of that name it proves nothing. (X9)
                let is_here = self.table.get(index).addr() == entry.alive.addr;
                if is_here
                    && entry.stamp > entry.alive.stamp
                    && self.is_plausible(Some(self.table.get(index).stamp()), entry.stamp)
                {
                    self.hear_belief(index, Belief::new(entry.stamp, State::Alive), None, source);
                }
            }
            State::Dead if sabotaged!(self, KillsByHearsay) => {
                let accusation = Accusation { name, stamp: entry.stamp, from: name };
                self.on_dead(&accusation, source);
            }
            State::Suspect | State::Dead => {
                if !self.is_plausible_accusation(self.table.get(index).stamp(), entry.stamp) {
                    return self.on_implausible(Some(index), entry.stamp, source.addr);
                }
                // Its word counts as much as that of any member, and of nobody else. But what it
                // says to our face over a stream we can answer: it hears us. (X8)
                if index == MemberIndex::SELF {
                    if entry.stamp >= self.own_stamp() {
                        self.take_form(&entry.alive);
                    }
                    self.on_accused(entry.stamp, entry.state);
                } else if self.is_witness(source) {
                    self.accuse(index, entry.stamp, source.carrier, source);
                } else {
                    self.stats.claims_refused += 1;
                }
            }
            State::Left => {
                let (stamp, reason) = (entry.stamp, entry.reason);
                self.on_left(&Departure { name, stamp, reason }, source);
            }
        }
    }

    /// A packet proves that its sender lives under the stamp it gives, if it comes from where the
    /// sender is known to be.
    pub(super) fn on_sender_stamp(&mut self, sender: MemberIndex, stamp: Stamp) {
        #[cfg(feature = "simulation")]
        self.note_of(sender, |name| crate::hearsay::Hearsay::Spoke { name, stamp, proven: false });
        let known = self.table.get(sender).stamp();
        if self.is_plausible(Some(known), stamp) {
            self.hear_from(sender, stamp);
        }
    }

    /// A member has spoken under this stamp. A new life of somebody who was gone is let in by its
    /// own claim only.
    pub(super) fn hear_from(&mut self, sender: MemberIndex, stamp: Stamp) {
        let record = self.table.get(sender);
        let is_in = record.state().is_live() || record.stamp().life == stamp.life;
        if is_in && stamp > record.stamp() {
            let addr = record.addr();
            let source = Source {
                carrier: Some(sender),
                is_news: false,
                first_hand: true,
                ..Source::heard_at(addr)
            };
            self.hear_belief(sender, Belief::new(stamp, State::Alive), None, source);
        }
    }

    fn on_alive(&mut self, known: Option<MemberIndex>, alive: &Alive<'_>, source: Source) {
        let known_stamp = known.map(|index| self.table.get(index).stamp());
        if !self.is_plausible(known_stamp, alive.stamp) {
            return self.on_implausible(known, alive.stamp, source.addr);
        }
        let Some(index) = known else { return self.on_newcomer(alive, source) };
        if sabotaged!(self, RefusesNewLives)
            && known_stamp.is_some_and(|s| s.life < alive.stamp.life)
        {
            return;
        }
        if index == MemberIndex::SELF {
            return self.on_alive_about_us(alive, source);
        }
        let record = self.table.get(index);
        let (before, belief) = (record.belief(), Belief::new(alive.stamp, State::Alive));
        let after = before.hearing(belief).unwrap_or(before);
        let is_elsewhere = record.addr() != alive.addr;
        if is_elsewhere && self.is_up_for_grabs(index) {
            return self.on_heir(index, alive, source);
        }
        if alive.stamp <= record.profile().stamp() {
            if source.first_hand && is_elsewhere && before.state.is_live() {
                return self.on_conflict(index, alive);
            }
            self.hear_belief(index, belief, None, source);
            return;
        }
        if is_elsewhere {
            match self.succession(index, alive) {
                Succession::Free => {}
                Succession::TooSoon => {
                    self.stats.claims_refused += 1;
                    return;
                }
                Succession::Taken => return self.on_conflict(index, alive),
            }
        }
        if !after.state.is_live() {
            // It is evidence of how far the member got, but the dead don't change any more.
            self.hear_belief(index, belief, None, source);
            return;
        }
        if !self.admits(alive) {
            return;
        }
        let is_news = !self.table.get(index).profile().says_the_same(alive);
        if is_news && sabotaged!(self, ForgetsNewMetadata) {
            return self.hear_belief(index, belief, None, source);
        }
        if after != before {
            self.believe(index, Some(alive), [belief, after], None, source);
        } else {
            // The profile was what was missing.
            self.stats.claims_applied += 1;
            self.table.revise(index, Some(alive), after, self.now);
            if after == belief && source.is_news {
                self.queue_claim(index, MemberIndex::SELF, source);
            }
        }
        if is_news && before.state.is_live() {
            self.emit_update(index);
        }
    }

    /// A member that is in says something else than before.
    fn emit_update(&mut self, index: MemberIndex) {
        if sabotaged!(self, TellsOfJoinsTwice) {
            self.emit_member(index, MemberChange::Joined);
        } else if !sabotaged!(self, SwallowsUpdates) {
            self.emit_member(index, MemberChange::Updated);
        }
    }

    /// Another takes the name of one that is gone. Without lives its stamp tells nothing, so that
    /// the former holder is forgotten first. (S1)
    fn on_heir(&mut self, former: MemberIndex, alive: &Alive<'_>, source: Source) {
        if self.admits(alive) {
            self.reap(former);
            self.on_newcomer(alive, source);
        }
    }

    /// Where the table is full, the dead make room for whoever comes in person, and for nobody
    /// else: names that others only speak of fill it up once, and stand in nobody's way. (X10)
    fn on_newcomer(&mut self, alive: &Alive<'_>, mut source: Source) {
        if !self.admits(alive) {
            return;
        }
        let is_full = self.table.counts().total() >= self.config.members_max;
        if is_full && !sabotaged!(self, IgnoresItsLimit) {
            if !(source.in_person && self.make_room()) {
                self.stats.claims_refused += 1;
                return self.reject(Reject::TableFull, source.addr);
            }
            source.carrier = None; // It may have been the one that made room.
        }
        self.stats.claims_applied += 1;
        let index = self.table.insert(alive, self.now);
        #[cfg(feature = "sabotage")]
        self.misquote(index);
        self.welcome(index);
        self.emit_member(index, MemberChange::Joined);
        if source.is_news {
            self.queue_claim(index, MemberIndex::SELF, source);
        }
    }

    /// Counts whoever tells it, also one that is held for dead here: a leaver tells a few, and if
    /// their word is lost its leave looks like a failure. (L8) A member that has not left is
    /// out for a moment, says so, and loses a life, of which it has many: its name is kept. (X9)
    pub(super) fn on_left(&mut self, departure: &Departure<'_>, source: Source) {
        let Some(index) = self.table.find(departure.name) else {
            self.stats.claims_unknown += 1;
            return;
        };
        if !self.is_plausible_accusation(self.table.get(index).stamp(), departure.stamp) {
            return self.on_implausible(Some(index), departure.stamp, source.addr);
        }
        if index == MemberIndex::SELF {
            return self.on_accused(departure.stamp, State::Left);
        }
        let record = self.table.get(index);
        if record.state() != State::Left || departure.stamp.life > record.stamp().life {
            self.table.set_reason(index, departure.reason);
        }
        self.hear_belief(index, Belief::new(departure.stamp, State::Left), None, source);
    }

    /// Takes in what is said of another member.
    pub(super) fn hear_belief(
        &mut self,
        index: MemberIndex,
        news: Belief,
        accuser: Option<MemberIndex>,
        source: Source,
    ) {
        let before = self.table.get(index).belief();
        let then = before.hearing(news);
        #[cfg(feature = "sabotage")]
        let then = self.misheard(before, news, then);
        match then {
            Some(then) => self.believe(index, None, [news, then], accuser, source),
            None => {
                self.stats.claims_stale += 1;
                self.mark_holder(index, news, source);
            }
        }
    }

    /// Changes what is believed of another member, because of some news, and draws the
    /// consequences.
    fn believe(
        &mut self,
        index: MemberIndex,
        alive: Option<&Alive<'_>>,
        [news, then]: [Belief; 2],
        accuser: Option<MemberIndex>,
        source: Source,
    ) {
        let before = self.table.get(index).belief();
        self.stats.claims_applied += 1;
        self.table.revise(index, alive, then, self.now);
        // A suspicion dies with its stamp. (P3)
        if !sabotaged!(self, KeepsOldSuspicions) {
            self.drop_suspicion(index);
        }
        if then.state == State::Suspect {
            self.begin_suspicion(index, accuser);
        }
        if source.is_news || !then.state.is_live() {
            // Whoever brought half of what is believed now still lacks the other half.
            let carrier = source.carrier.filter(|_| then == news);
            // Nobody's word stays nobody's: in our name it would confirm itself. (X8)
            let nobody = if then.state == State::Suspect { index } else { MemberIndex::SELF };
            let accuser = accuser.unwrap_or(nobody);
            self.queue_claim(index, accuser, Source { carrier, ..source });
        }
        self.on_state_changed(index, before, then);
    }

    /// Whoever says just what we believe need not be told.
    pub(super) fn mark_holder(&mut self, index: MemberIndex, said: Belief, source: Source) {
        if let Some(carrier) = source.carrier
            && self.table.get(index).belief() == said
        {
            self.claims.mark(index, carrier);
        }
    }

    /// The consequences of a change of state for rings, timers and the application.
    fn on_state_changed(&mut self, index: MemberIndex, old: Belief, new: Belief) {
        let (from, to) = (old.state, new.state);
        let was_back = new.stamp.life > old.stamp.life || (from, to) == (State::Left, State::Dead);
        if !from.is_live() && !to.is_live() && was_back {
            // It came back and went again before we heard of its return.
            let gone = if to == State::Left { MemberChange::Left } else { MemberChange::Failed };
            self.emit_member(index, MemberChange::Joined);
            self.emit_member(index, gone);
        } else if let Some(change) = MemberChange::between(Some(from), to) {
            self.emit_member(index, change);
            if change == MemberChange::Joined && to == State::Suspect {
                self.emit_member(index, MemberChange::Suspected);
            }
        }
        if to.is_live() && !from.is_live() {
            self.welcome(index);
            self.sweep_graveyard();
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
        self.welcomed_at = self.now;
        self.repair.tide.rise();
        self.probe_ring.insert(index);
        self.gossip_ring.insert(index);
    }

    fn on_member_gone(&mut self, index: MemberIndex) {
        if self.probe.as_ref().is_some_and(|probe| probe.target == index) {
            self.cancel_probe();
        }
    }

    /// Whether its address, the allow list and the policy let this claim in. Nobody else is where
    /// we are: who believes that sends its packets to itself.
    fn admits(&mut self, alive: &Alive<'_>) -> bool {
        let ip = alive.addr.ip();
        let is_elsewhere = alive.addr != self.config.addr;
        let allowed = is_elsewhere && self.is_allowed(ip) && self.is_within_reach(ip);
        let Alive { name, addr, meta, versions, stamp, mapped: _ } = *alive;
        let candidate = Candidate { name: name.as_str(), addr, meta, versions, stamp };
        let admitted = allowed && self.config.policy.admit_member(&candidate).is_ok();
        self.stats.claims_refused += u64::from(!admitted);
        admitted
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
        Source::heard_at(self.config.addr)
    }
}
