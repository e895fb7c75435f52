//! What a run takes note of while it goes on: counters of events, and who knows of whom.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    rc::Rc,
};

use swim_core::{Event, EventKind, Life, MemberChange, SeedOutcome, Stamp, State, Stats};

use crate::{
    check::{Checker, Forged},
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
    /// Where nodes are that no others have a reason to fail.
    active: BTreeSet<SocketAddr>,
    /// What each host's node said it was last: its life.
    lives: BTreeMap<HostId, Life>,
    health_max: u32,
    /// What was said by those who lie and can't be told from those who don't.
    lies: BTreeSet<(String, Stamp)>,
    steps: u64,
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

    pub(super) fn add_stats(&mut self, stats: &Stats) {
        self.counters.add_stats(stats);
    }

    /// Counts the accusations that nobody made.
    fn lies_believed(&mut self, step: &Step<'_>) {
        if self.lies.is_empty() {
            return;
        }
        for turn in step.transitions {
            let Some((stamp, State::Suspect | State::Dead)) = turn.after else { continue };
            if self.lies.contains(&(turn.name.to_string(), stamp)) {
                self.counters.add("lie believed", 1);
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
                    MemberChange::Failed if self.active.contains(&member.addr) => {
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
                _ => "seed otherwise",
            }),
            EventKind::Rejected { reject: swim_core::Reject::Oversize, .. } => {
                add("exchange oversize");
            }
            _ => {}
        }
    }
}

impl Checker for Watch {
    fn id(&self) -> &'static str {
        "notes"
    }

    fn looks(&self) -> u64 {
        self.0.borrow().steps
    }

    fn forged(&mut self, forged: &Forged) {
        if forged.flaw.is_none() {
            let about = forged.forgery.about.to_string();
            self.0.borrow_mut().lies.insert((about, forged.forgery.stamp));
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
            notes.active.insert(step.addr);
        }
        for event in step.events {
            notes.event(step.host, event);
        }
        // More than one packet to one member at once: what was to be said did not fit into one.
        let tos = step.sent.iter().map(|(to, _)| to);
        let mut seen: Vec<_> = Vec::new();
        for to in tos {
            if seen.contains(&to) {
                notes.counters.add("packet split", 1);
                break;
            }
            seen.push(to);
        }
        Ok(())
    }
}
