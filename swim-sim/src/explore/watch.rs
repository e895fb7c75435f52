//! What a run takes note of while it goes on: counters of events, and who knows of whom.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    rc::Rc,
};

use swim_core::{Event, EventKind, Life, Member, MemberChange, SeedOutcome, Stamp, State, Stats};

use crate::{
    check::Checker,
    host,
    malice::{self, Forged},
    network::HostId,
    step::{Moment, Step},
};

use super::counters::Counters;

/// What was noted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) counters: Counters,
    /// Whom each host's node still tries to reach, and where.
    known: BTreeMap<HostId, BTreeMap<String, SocketAddr>>,
    /// Where nodes are that no others have a reason to fail, and the life of each. What came before
    /// that life is over.
    active: BTreeMap<SocketAddr, Life>,
    /// What each host's node said it was last: its life.
    lives: BTreeMap<HostId, Life>,
    health_max: u32,
    /// What was said by those who lie and can't be told from those who don't.
    lies: BTreeMap<(String, Stamp, State), &'static str>,
    steps: u64,
    /// The joins that ended, in order: whose, and whether it reached anybody.
    pub(super) joins: Vec<(HostId, bool)>,
    /// The hosts below this number are looked at by each other.
    core: usize,
    /// Whom of the core somebody of the core failed without a reason.
    pub(super) wronged: Vec<(HostId, HostId)>,
    /// How often somebody of the core took somebody else for alive whom it had failed.
    pub(super) revivals: BTreeMap<(HostId, HostId), u64>,
    /// The suspicions at each host that all confirmed who had to.
    confirmed: BTreeSet<(HostId, String)>,
}

/// Takes notes; finds nothing wrong.
#[derive(Debug)]
pub(super) struct Watch(pub(super) Rc<RefCell<Notes>>);

impl Notes {
    /// Notes for a run in which this is the worst health.
    pub(super) fn new(health_max: u32) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { health_max, ..Self::default() }))
    }

    /// Whether a host's node will try to reach the one of this name there sooner or later.
    pub(super) fn knows(&self, host: HostId, name: &str, addr: SocketAddr) -> bool {
        self.known.get(&host).is_some_and(|known| known.get(name) == Some(&addr))
    }

    /// From now on, what those of the core think of each other and of the rest is noted.
    pub(super) fn look_at_core(&mut self, core: usize) {
        self.core = core;
        self.wronged.clear();
        self.revivals.clear();
    }

    /// What somebody of the core came to think of somebody.
    fn opinion(&mut self, one: HostId, change: MemberChange, member: &Member) {
        let Some(other) =
            host::host_at(member.addr).filter(|other| *other != one && one < self.core)
        else {
            return;
        };
        match change {
            MemberChange::Failed if other < self.core && is_active(&self.active, member) => {
                self.wronged.push((one, other));
            }
            MemberChange::Joined if other >= self.core => {
                *self.revivals.entry((one, other)).or_default() += 1;
            }
            _ => {}
        }
    }

    /// C1: a suspicion ran out as soon as it may, as all had confirmed it who had to.
    fn confirmations(&mut self, step: &Step<'_>) {
        let host = step.host;
        for event in step.events {
            if let EventKind::Member { change: MemberChange::Failed, member } = &event.kind
                && self.confirmed.contains(&(host, member.name.to_string()))
            {
                self.counters.add("suspicion confirmed by all", 1);
            }
        }
        if step.audit.suspicions == 0 {
            self.confirmed.retain(|(other, _)| *other != host);
            return;
        }
        if step.events.is_empty() && !matches!(step.moment, Moment::Packet { .. }) {
            return;
        }
        self.confirmed.retain(|(other, _)| *other != host);
        let all = step.node.audit_suspicions();
        let all = all.filter(|it| it.needed > 0 && it.confirmations >= it.needed);
        self.confirmed.extend(all.map(|it| (host, it.name.to_string())));
    }

    pub(super) fn add_stats(&mut self, stats: &Stats) {
        self.counters.add_stats(stats);
    }

    /// Counts what was believed of what nobody said.
    fn lies_believed(&mut self, step: &Step<'_>) {
        if self.lies.is_empty() {
            return;
        }
        for turn in step.transitions {
            let Some((stamp, state)) = turn.after else { continue };
            if let Some(kind) = self.lies.get(&(turn.name.to_string(), stamp, state)) {
                let dialect = step.node.audit_options().dialect;
                self.counters.add(malice::counter(dialect, &format!("believed {kind}")), 1);
            }
        }
    }

    fn event(&mut self, host: HostId, event: &Event) {
        let mut add = |name: &str| self.counters.add(name, 1);
        match &event.kind {
            EventKind::Member { change, member } => {
                let known = self.known.entry(host).or_default();
                match change {
                    MemberChange::Joined | MemberChange::Updated => {
                        known.insert(member.name.to_string(), member.addr);
                    }
                    MemberChange::Failed if is_active(&self.active, member) => {
                        add("member failed falsely");
                    }
                    MemberChange::Left => {
                        known.remove(&*member.name);
                    }
                    // The dead that are reaped are remembered and tried; those that left are not.
                    MemberChange::Reaped if member.state == State::Left => {
                        known.remove(&*member.name);
                    }
                    _ => {}
                }
            }
            EventKind::Conflict { .. } => add("conflict reported"),
            EventKind::LifeRaised { .. } => add("life raised"),
            EventKind::PacketsLost { .. } => add("packets lost reported"),
            EventKind::Health { score } if *score == self.health_max => add("health at its worst"),
            EventKind::RemoteState { .. } => add("state received"),
            EventKind::PingFinished { pong, .. } => {
                add(if pong.is_some() { "ping answered" } else { "ping unanswered" });
            }
            EventKind::SendFinished { result, .. } => add(match result {
                Ok(()) => "delivery confirmed",
                Err(swim_core::DeliveryError::Unreachable) => "delivery unreachable",
                Err(swim_core::DeliveryError::Unconfirmed) => "delivery unconfirmed",
                Err(_) => "delivery refused",
            }),
            EventKind::Seed { outcome, .. } => add(match outcome {
                SeedOutcome::Joined { .. } => "seed joined",
                SeedOutcome::Myself => "seed myself",
                SeedOutcome::Unreachable => "seed unreachable",
                SeedOutcome::Closed => "seed closed",
                SeedOutcome::Rejected(swim_core::Reject::Oversize) => "exchange oversize",
                SeedOutcome::Rejected(_) => "seed rejected",
                SeedOutcome::Refused { .. } => "seed refused",
                SeedOutcome::TimedOut => "seed timed-out",
                SeedOutcome::Cancelled => "seed cancelled",
                _ => "seed otherwise",
            }),
            EventKind::Rejected { reject: swim_core::Reject::Oversize, .. } => {
                add("exchange oversize");
            }
            _ => {}
        }
    }
}

/// Whether nobody has a reason to fail this member, in the life that it is known in.
fn is_active(active: &BTreeMap<SocketAddr, Life>, member: &Member) -> bool {
    active.get(&member.addr).is_some_and(|life| *life <= member.stamp.life)
}

impl Checker for Watch {
    fn id(&self) -> &'static str {
        "notes"
    }

    fn looks(&self) -> u64 {
        self.0.borrow().steps
    }

    fn forged(&mut self, forged: &Forged) {
        for tale in forged.tales.iter().filter(|_| forged.flaw.is_none()) {
            let what = (tale.name.to_string(), tale.stamp, tale.state);
            self.0.borrow_mut().lies.insert(what, tale.kind);
        }
    }

    fn check(&mut self, step: &Step<'_>) -> Result<(), String> {
        let mut notes = self.0.borrow_mut();
        notes.steps += 1;
        notes.lies_believed(step);
        match step.moment {
            Moment::Started => {
                notes.known.remove(&step.host);
                let life = step.node.stamp().life;
                if notes.lives.insert(step.host, life).is_some_and(|last| last != life) {
                    notes.counters.add("life change", 1);
                }
            }
            Moment::Crashed => notes.add_stats(step.node.stats()),
            _ => {}
        }
        let is_gone = matches!(step.moment, Moment::Crashed);
        if is_gone || step.node.is_leaving() || step.node.has_left() {
            notes.active.remove(&step.addr);
        } else {
            notes.active.insert(step.addr, step.node.stamp().life);
        }
        for event in step.events {
            notes.event(step.host, event);
            match &event.kind {
                EventKind::Member { change, member } => {
                    notes.opinion(step.host, *change, member);
                }
                EventKind::JoinFinished { seeds, .. } => {
                    let is_joined = |(_, outcome): &(_, SeedOutcome)| {
                        matches!(outcome, SeedOutcome::Joined { .. })
                    };
                    notes.joins.push((step.host, seeds.iter().any(is_joined)));
                }
                _ => {}
            }
        }
        notes.confirmations(step);
        // Packets to one member at once, which one packet has no room for.
        let mut said: BTreeMap<_, usize> = BTreeMap::new();
        for (to, data) in step.sent {
            *said.entry(to).or_default() += data.len();
        }
        let max = step.node.audit_options().packet_len_max;
        notes.counters.add("packet split", said.values().filter(|&&len| len > max).count() as u64);
        Ok(())
    }
}
