//! Whom an assertion is about, and whether there is anybody: what is said of nobody is always true.
//! An assertion that was about nothing must not hold, or a test with the wrong host in it passes.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    belief::Belief,
    machine::Machine,
    network::HostId,
    record::{Change, Record},
    span,
    world::World,
};

use super::{expect::Expectation, hosts};

/// A run as far as it has gone.
pub(super) struct Past<'a, M: Machine> {
    pub(super) world: &'a World<M>,
    pub(super) record: &'a Record,
    /// How far it has gone.
    pub(super) now: Duration,
    /// The hosts on which a node left.
    pub(super) left: &'a BTreeSet<HostId>,
}

/// Those that take part, each with each of these hosts but itself.
pub(super) fn pairs<M: Machine>(world: &World<M>, hosts: &[HostId]) -> Vec<(HostId, HostId)> {
    let of = |observer: HostId| hosts.iter().map(move |subject| (observer, *subject));
    world.taking_part().flat_map(of).filter(|(observer, subject)| observer != subject).collect()
}

pub(super) fn belief<M: Machine>(world: &World<M>, observer: HostId, subject: HostId) -> Belief {
    Belief::from(world.view(observer, subject))
}

/// Those of these hosts that take part; all that do if none are named.
pub(super) fn present<M: Machine>(world: &World<M>, named: &[HostId]) -> Vec<HostId> {
    world.taking_part().filter(|host| named.is_empty() || named.contains(host)).collect()
}

impl<M: Machine> Past<'_, M> {
    /// Why what is expected can't be said to be so: there is nobody, or nothing, that it could be
    /// about. `None` if there is.
    pub(super) fn lacks(&self, what: &Expectation) -> Option<String> {
        match what {
            Expectation::Agree { among, .. } => {
                self.never_ran(among).or_else(|| match present(self.world, among)[..] {
                    [] => Some("none of them takes part".into()),
                    [host] => Some(format!("only host {host} takes part: it agrees with nobody")),
                    _ => None,
                })
            }
            Expectation::FailedSomewhere { hosts, .. }
            | Expectation::FailedEverywhere { hosts, .. } => {
                self.without_subject(hosts, &[]).or_else(|| {
                    let gone = [Belief::Dead, Belief::Left];
                    let missed = hosts.iter().find(|host| !self.was_ever(**host, &gone));
                    missed.map(|host| format!("nobody ever knew that host {host} failed"))
                })
            }
            Expectation::LeftNotFailed { hosts, .. } => {
                self.without_subject(hosts, &[]).or_else(|| self.without_leave(hosts))
            }
            Expectation::Believed { hosts, by, .. } => self.without_subject(hosts, by),
            Expectation::NoFalseFailure { from, until, except } => {
                self.without_accused((*from, *until), except)
            }
            Expectation::Traffic { from, until, .. } => self.without_traffic((*from, *until)),
            // Deliveries are counted, so that none are noticed there.
            Expectation::BroadcastsDelivered { .. } => None,
        }
    }

    /// One of these on which no node ever took part.
    fn never_ran(&self, named: &[HostId]) -> Option<String> {
        let ran: BTreeSet<HostId> = self.record.processes.iter().map(|it| it.host).collect();
        let never: Vec<_> = named.iter().copied().filter(|host| !ran.contains(host)).collect();
        match never[..] {
            [] => None,
            [host] => Some(format!("host {host} never ran")),
            _ => Some(format!("hosts {} never ran", hosts::write(&never))),
        }
    }

    /// One of these that never ran, or of whom nobody of `by` could believe anything.
    fn without_subject(&self, subjects: &[HostId], by: &[HostId]) -> Option<String> {
        let never = self.never_ran(subjects).or_else(|| self.never_ran(by));
        never.or_else(|| {
            let observers = present(self.world, by);
            let has_observer = |subject: &HostId| observers.iter().any(|it| it != subject);
            let lonely = subjects.iter().find(|subject| !has_observer(subject))?;
            let who = if by.is_empty() { "nobody else" } else { "none of those" };
            Some(format!("{who} takes part who could believe anything of host {lonely}"))
        })
    }

    fn without_leave(&self, subjects: &[HostId]) -> Option<String> {
        if let Some(host) = subjects.iter().find(|host| !self.left.contains(host)) {
            return Some(format!("host {host} never left"));
        }
        let missed = subjects.iter().find(|host| !self.was_ever(**host, &[Belief::Left]));
        missed.map(|host| format!("nobody ever knew that host {host} left"))
    }

    /// Whether somebody else believes this of a host, or once did.
    fn was_ever(&self, subject: HostId, beliefs: &[Belief]) -> bool {
        let record = self.record;
        let is_one = |it: &Change| {
            it.subject == subject && it.observer != subject && beliefs.contains(&it.to)
        };
        record.changes_dropped > 0
            || record.changes.iter().any(is_one)
            || pairs(self.world, &[subject])
                .iter()
                .any(|pair| beliefs.contains(&belief(self.world, pair.0, pair.1)))
    }

    /// Nobody whose failure would have counted, or nobody who could have declared it.
    fn without_accused(
        &self,
        (from, until): (Duration, Duration),
        except: &[HostId],
    ) -> Option<String> {
        // Up at the beginning of the time that counts, or later in it.
        let mut up = BTreeSet::new();
        for it in self.record.processes.iter().filter(|it| it.at <= until) {
            if it.is_up {
                up.insert(it.host);
            } else if it.at < from {
                up.remove(&it.host);
            }
        }
        let has_accused = up.iter().any(|host| !except.contains(host));
        (up.len() < 2 || !has_accused || from >= self.now).then(|| {
            let range = self.range(from, until);
            format!("nobody took part {range} who could have been failed")
        })
    }

    fn without_traffic(&self, (from, until): (Duration, Duration)) -> Option<String> {
        if self.record.traffic(from, until).is_some() {
            return None;
        }
        let range = self.range(from, until);
        let every = self.record.samples.windows(2).map(|pair| pair[1].at - pair[0].at).max();
        let every = every.map_or("never".into(), |every| format!("every {}", span::short(every)));
        Some(format!(
            "nothing was measured {range}: nobody took part, or it is too short (samples \
                      are taken {every})"
        ))
    }

    fn range(&self, from: Duration, until: Duration) -> String {
        format!("from {} until {}", span::short(from), span::short(until.min(self.now)))
    }
}
