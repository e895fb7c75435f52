//! A small SWIM group in full: processes join one by one over a network that loses packets, and
//! are failed falsely, by three versions of the protocol. (DSN 2002, 4.2 and figure 6)
//!
//! Messages take no time, for a period is 10,000 times as long. A process that was failed falsely
//! goes on as before: the paper says nothing else of it.

use crate::chance::Chance;

/// How news travels, and whether failures are suspected first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Joins and failures are multicast.
    Basic,
    /// They ride on pings and acks.
    Infection,
    /// And failures are suspected first.
    Suspicion,
}

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub struct Joining {
    /// How news travels.
    pub version: Version,
    /// How many processes join, the first of which all others join through.
    pub processes: usize,
    /// The chance of a packet to be lost.
    pub loss: f64,
    /// Seconds of a protocol period.
    pub period: f64,
    /// Seconds between two joins.
    pub every: f64,
    /// Seconds in all.
    pub seconds: f64,
}

impl Joining {
    /// As published, with both improvements.
    pub const PUBLISHED: Self = Self {
        version: Version::Suspicion,
        processes: 17,
        loss: 0.1,
        period: 2.0,
        every: 5.0,
        seconds: 175.0,
    };

    /// The group's size as the first process sees it, at the end of each second.
    #[must_use]
    pub fn sizes(&self, chance: &mut Chance) -> Vec<usize> {
        let mut group = Group {
            version: self.version,
            loss: self.loss,
            period: self.period,
            processes: (0..self.processes).map(|_| Process::new(self.processes)).collect(),
            chance: chance.clone(),
            now: 0.0,
        };
        // When each process does its next thing: it asks to join, and once it has, it probes.
        let mut next: Vec<f64> =
            (0..self.processes).map(|number| number as f64 * self.every).collect();
        group.processes[0].views[0] = View::ALIVE;
        let mut sizes = Vec::new();
        loop {
            let (process, at) =
                (0..).zip(next.iter().copied()).fold((0, f64::INFINITY), |first, other| {
                    if other.1 < first.1 { other } else { first }
                });
            while sizes.len() as f64 + 1.0 <= at.min(self.seconds) {
                group.now = sizes.len() as f64 + 1.0;
                group.expire(0);
                sizes.push(group.processes[0].size());
            }
            if at > self.seconds {
                return sizes;
            }
            group.now = at;
            next[process] += self.period;
            if group.processes[process].views[process].state == State::Unknown {
                if group.join(process) {
                    next[process] = at + self.period * group.chance.unit();
                }
            } else {
                group.probe(process);
            }
        }
    }
}

struct Group {
    version: Version,
    loss: f64,
    period: f64,
    processes: Vec<Process>,
    chance: Chance,
    now: f64,
}

struct Process {
    incarnation: u32,
    views: Vec<View>,
    /// Updates to attach, and how often each was.
    news: Vec<(Update, u32)>,
}

#[derive(Clone, Copy)]
struct View {
    state: State,
    incarnation: u32,
    /// When a suspicion becomes a failure.
    fails_at: f64,
}

impl View {
    const UNKNOWN: Self = Self { state: State::Unknown, incarnation: 0, fails_at: f64::INFINITY };
    const ALIVE: Self = Self { state: State::Alive, ..Self::UNKNOWN };
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Alive,
    Suspect,
    Failed,
}

#[derive(Clone, Copy)]
struct Update {
    subject: usize,
    state: State,
    incarnation: u32,
}

impl Process {
    fn new(processes: usize) -> Self {
        Self { incarnation: 0, views: vec![View::UNKNOWN; processes], news: Vec::new() }
    }

    fn is_member(&self, of: usize) -> bool {
        matches!(self.views[of].state, State::Alive | State::Suspect)
    }

    fn size(&self) -> usize {
        (0..self.views.len()).filter(|&of| self.is_member(of)).count()
    }
}

impl Group {
    /// Asks the first process for the list of members. Either way may be lost.
    fn join(&mut self, process: usize) -> bool {
        if process > 0 {
            if self.is_lost() {
                return false;
            }
            self.tell(0, Update { subject: process, state: State::Alive, incarnation: 0 });
            if self.is_lost() {
                return false;
            }
            self.processes[process].views = self.processes[0].views.clone();
        }
        self.processes[process].views[process] = View::ALIVE;
        true
    }

    fn is_lost(&mut self) -> bool {
        self.chance.hits(self.loss)
    }

    /// One period of a process: a ping, one helper, a verdict.
    fn probe(&mut self, process: usize) {
        self.expire(process);
        let Some(target) = self.choose(process, process) else { return };
        if self.send(process, target) && self.send(target, process) {
            return;
        }
        let helper = self.choose(process, target);
        if let Some(helper) = helper
            && self.send(process, helper)
            && self.send(helper, target)
            && self.send(target, helper)
            && self.send(helper, process)
        {
            return;
        }
        let View { state, incarnation, .. } = self.processes[process].views[target];
        match (self.version, state) {
            (Version::Suspicion, State::Alive) => {
                self.tell(process, Update { subject: target, state: State::Suspect, incarnation });
            }
            (Version::Suspicion, _) => {}
            _ => self.tell(process, Update { subject: target, state: State::Failed, incarnation }),
        }
    }

    /// A member of a process's list who is neither itself nor the other.
    fn choose(&mut self, process: usize, other: usize) -> Option<usize> {
        let it = &self.processes[process];
        let is_fit = |&of: &usize| of != process && of != other && it.is_member(of);
        let fit: Vec<usize> = (0..it.views.len()).filter(is_fit).collect();
        (!fit.is_empty()).then(|| self.chance.pick(&fit))
    }

    /// A message with the news least told, if it arrives.
    fn send(&mut self, from: usize, to: usize) -> bool {
        self.expire(from);
        let sender = &mut self.processes[from];
        let most = super::infection::sends(sender.size());
        sender.news.sort_by_key(|&(_, told)| told);
        let mut attached = Vec::with_capacity(NEWS_MAX);
        for (update, told) in sender.news.iter_mut().take(NEWS_MAX) {
            *told += 1;
            attached.push(*update);
        }
        sender.news.retain(|&(_, told)| told < most);
        if self.is_lost() {
            return false;
        }
        for update in attached {
            self.learn(to, update);
        }
        true
    }

    /// A process knows something new, and has others know it.
    fn tell(&mut self, process: usize, update: Update) {
        self.learn(process, update);
        if self.version == Version::Basic {
            for other in (0..self.processes.len()).filter(|&other| other != process) {
                let is_there = self.processes[other].views[other].state != State::Unknown;
                if is_there && !self.is_lost() {
                    self.learn(other, update);
                }
            }
        }
    }

    /// Takes an update in, if it overrides what is known. (DSN 2002, 4.2)
    fn learn(&mut self, process: usize, update: Update) {
        self.expire(process);
        let now = self.now;
        let it = &mut self.processes[process];
        if update.subject == process {
            if update.state == State::Suspect && update.incarnation >= it.incarnation {
                it.incarnation = update.incarnation + 1;
                let incarnation = it.incarnation;
                it.put(Update { subject: process, state: State::Alive, incarnation });
            }
            return;
        }
        let view = it.views[update.subject];
        let overrides = match (update.state, view.state) {
            (State::Unknown, _) | (_, State::Failed) => false,
            (_, State::Unknown) | (State::Failed, _) => true,
            (State::Suspect, State::Alive) => update.incarnation >= view.incarnation,
            (State::Alive | State::Suspect, _) => update.incarnation > view.incarnation,
        };
        if overrides {
            let patience = f64::from(super::infection::sends(it.size())) * self.period;
            let is_suspect = update.state == State::Suspect;
            it.views[update.subject] = View {
                state: update.state,
                incarnation: update.incarnation,
                fails_at: if is_suspect { now + patience } else { f64::INFINITY },
            };
            if self.version != Version::Basic {
                it.put(update);
            }
        }
    }

    /// Suspicions of a process become failures when their time is over.
    fn expire(&mut self, process: usize) {
        let it = &mut self.processes[process];
        for subject in 0..it.views.len() {
            let view = &mut it.views[subject];
            if view.fails_at <= self.now {
                *view = View { state: State::Failed, fails_at: f64::INFINITY, ..*view };
                let incarnation = view.incarnation;
                it.put(Update { subject, state: State::Failed, incarnation });
            }
        }
    }
}

impl Process {
    fn put(&mut self, update: Update) {
        self.news.retain(|(other, _)| other.subject != update.subject);
        self.news.push((update, 0));
    }
}

/// How many updates a packet carries.
const NEWS_MAX: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Purpose;

    fn size(version: Version, loss: f64) -> usize {
        let joining = Joining { version, loss, ..Joining::PUBLISHED };
        let sizes = joining.sizes(&mut Chance::new(1, Purpose::Model));
        assert_eq!(sizes.len(), 175);
        sizes[174]
    }

    #[test]
    fn without_loss_all_join_and_stay() {
        for version in [Version::Basic, Version::Infection, Version::Suspicion] {
            assert_eq!(size(version, 0.0), 17);
        }
    }

    #[test]
    fn sw4_suspicion_keeps_more_than_no_suspicion() {
        assert!(size(Version::Suspicion, 0.1) > size(Version::Infection, 0.1) + 5);
    }
}
