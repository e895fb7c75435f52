//! What a claim changes: alive, suspect and dead as memberlist applies them.

use super::{
    cluster::{Belief, Cluster, State, Suspicion},
    events::Event,
    rules::{GOSSIP_TO_THE_DEAD, HEALTH_MAX},
    updates::{Claim, Update},
};

impl Cluster {
    /// Applies a claim at a member.
    pub(super) fn apply(&mut self, node: usize, update: Update) {
        match update.claim {
            Claim::Alive => self.alive(node, update),
            Claim::Suspect => self.suspect(node, update),
            Claim::Dead => self.dead(node, update),
        }
    }

    fn alive(&mut self, node: usize, update: Update) {
        let belief = self.belief(node, update.subject);
        let is_known = belief.state != State::Unknown;
        if is_known && update.incarnation <= belief.incarnation {
            return;
        }
        if usize::from(update.subject) == node {
            self.refute(node, update.incarnation);
            return;
        }
        if !is_known {
            self.insert(node, update.subject);
        }
        self.nodes[node].pending.put(update);
        self.change(node, update, State::Alive);
    }

    /// A claim that a member may have failed.
    pub(super) fn suspect(&mut self, node: usize, update: Update) {
        let belief = self.belief(node, update.subject);
        if belief.state == State::Unknown || update.incarnation < belief.incarnation {
            return;
        }
        match belief.state {
            State::Suspect => {
                if self.confirms(node, update) {
                    self.nodes[node].pending.put(update);
                }
            }
            State::Alive if usize::from(update.subject) == node => {
                self.refute(node, update.incarnation);
            }
            State::Alive => {
                self.nodes[node].pending.put(update);
                self.change(node, update, State::Suspect);
                let runs_out_at = self.now + self.rules.suspicion(0, self.nodes[node].ring.len());
                let place = self.place(node, update.subject);
                self.suspicions[place] = Suspicion {
                    started_at: self.now,
                    runs_out_at,
                    confirmed: 0,
                    from: [update.from; 4],
                };
                let subject = usize::from(update.subject);
                self.events.push(runs_out_at, Event::Suspicion { node, subject });
            }
            State::Dead | State::Unknown => {}
        }
    }

    /// Whether an independent member says what is suspected already. Then it runs out sooner.
    fn confirms(&mut self, node: usize, update: Update) -> bool {
        let place = self.place(node, update.subject);
        let suspicion = &mut self.suspicions[place];
        let heard = usize::from(suspicion.confirmed);
        if suspicion.confirmed >= self.rules.confirmations
            || suspicion.from[..=heard].contains(&update.from)
        {
            return false;
        }
        suspicion.from[heard + 1] = update.from;
        suspicion.confirmed += 1;
        let lasts = self.rules.suspicion(suspicion.confirmed, self.nodes[node].ring.len());
        suspicion.runs_out_at = (suspicion.started_at + lasts).max(self.now);
        let at = suspicion.runs_out_at;
        self.events.push(at, Event::Suspicion { node, subject: usize::from(update.subject) });
        true
    }

    /// A suspicion's time has come, if nothing has changed it since.
    pub(super) fn suspicion_runs_out(&mut self, node: usize, subject: usize) {
        let place = self.place(node, subject as u16);
        let Belief { state, incarnation, .. } = self.beliefs[place];
        if state == State::Suspect && self.suspicions[place].runs_out_at <= self.now {
            let (subject, from) = (subject as u16, node as u16);
            self.dead(node, Update { claim: Claim::Dead, subject, from, incarnation });
        }
    }

    fn dead(&mut self, node: usize, update: Update) {
        let belief = self.belief(node, update.subject);
        let is_over = matches!(belief.state, State::Dead | State::Unknown);
        if is_over || update.incarnation < belief.incarnation {
            return;
        }
        if usize::from(update.subject) == node {
            self.refute(node, update.incarnation);
            return;
        }
        self.nodes[node].pending.put(update);
        self.change(node, update, State::Dead);
        self.count_failure(node, usize::from(update.subject));
    }

    fn count_failure(&mut self, node: usize, subject: usize) {
        if !self.is_subject[subject] {
            self.tally.false_positives += 1;
            self.tally.healthy_false_positives += u64::from(!self.is_subject[node]);
            return;
        }
        let healthy = self.is_subject.iter().filter(|&&is_subject| !is_subject).count();
        let detection = &mut self.detections[subject];
        detection.first.get_or_insert(self.now);
        if !self.is_subject[node] && !detection.raised_at.contains(&node) {
            detection.raised_at.push(node);
            if detection.raised_at.len() == healthy {
                detection.full = Some(self.now);
            }
        }
    }

    /// Contradicts what was said of oneself.
    fn refute(&mut self, node: usize, accused: u32) {
        let it = &mut self.nodes[node];
        it.incarnation = (it.incarnation + 1).max(accused + 1);
        let (incarnation, subject) = (it.incarnation, node as u16);
        it.pending.put(Update { claim: Claim::Alive, subject, from: subject, incarnation });
        let place = self.place(node, subject);
        self.beliefs[place].incarnation = incarnation;
        self.worsen(node, 1);
    }

    /// Local health gets worse, where it is kept.
    pub(super) fn worsen(&mut self, node: usize, by: u64) {
        if self.rules.has_local_health {
            let health = &mut self.nodes[node].health;
            *health = (*health + by).min(HEALTH_MAX);
        }
    }

    fn change(&mut self, node: usize, update: Update, state: State) {
        let place = self.place(node, update.subject);
        let belief = &mut self.beliefs[place];
        self.doubts += usize::from(state != State::Alive);
        self.doubts -= usize::from(belief.state != State::Alive);
        if belief.state != state {
            belief.changed_at = self.now;
        }
        belief.state = state;
        belief.incarnation = update.incarnation;
    }

    fn insert(&mut self, node: usize, subject: u16) {
        let ring = &mut self.nodes[node].ring;
        ring.push(subject);
        let last = ring.len() - 1;
        if last > 0 {
            let other = self.chance.below(last as u64) as usize;
            ring.swap(last, other);
        }
    }

    /// At the end of the ring: forgets the dead whom nobody gossips to any more, and mixes the
    /// rest.
    pub(super) fn start_ring_anew(&mut self, node: usize) {
        let mut ring = std::mem::take(&mut self.nodes[node].ring);
        let row = node * self.rules.n;
        ring.retain(|&member| {
            let belief = &mut self.beliefs[row + usize::from(member)];
            let is_old = self.now - belief.changed_at > GOSSIP_TO_THE_DEAD;
            let is_forgotten = belief.state == State::Dead && is_old;
            if is_forgotten {
                belief.state = State::Unknown;
            }
            !is_forgotten
        });
        self.chance.shuffle(&mut ring);
        self.nodes[node].ring = ring;
        self.nodes[node].cursor = 0;
    }
}
