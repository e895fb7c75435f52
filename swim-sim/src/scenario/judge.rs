//! Whether what a scenario expects became so.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    action::Action, belief::Belief, history::History, machine::Machine, network::HostId,
    record::Record, span, world::World,
};

use super::{
    expect::Expectation,
    plan::Expected,
    subjects::{Past, belief, pairs, present},
};

/// What became of an expectation.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Its line in the file.
    pub line: usize,
    /// What was expected.
    pub expected: String,
    /// Whether it became so.
    pub is_met: bool,
    /// How long it took, where that can be said.
    pub took: Option<Duration>,
    /// What was found: the value, or why it did not become so.
    pub found: String,
}

/// Watches over the expectations of one run.
pub(super) struct Judge<'a> {
    open: Vec<&'a Expected>,
    verdicts: Vec<Verdict>,
    broadcasts: Vec<Sent>,
    /// The hosts on which a node left.
    left: BTreeSet<HostId>,
}

/// A broadcast, and who should hear it.
struct Sent {
    at: Duration,
    origin: HostId,
    hearers: Vec<HostId>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(expected: &'a [Expected]) -> Self {
        Self {
            open: expected.iter().collect(),
            verdicts: Vec::new(),
            broadcasts: Vec::new(),
            left: BTreeSet::new(),
        }
    }

    /// The next time after `now` at which something must have become so.
    pub(super) fn next_deadline(&self, now: Duration) -> Option<Duration> {
        let windows = self.open.iter().filter_map(|expected| expected.what.window());
        windows.flat_map(|(at, within)| [at, at + within]).filter(|at| *at > now).min()
    }

    /// Whether something is awaited now, so that it is worth to look often.
    pub(super) fn is_waiting(&self, now: Duration) -> bool {
        let mut windows = self.open.iter().filter_map(|expected| expected.what.window());
        windows.any(|(at, _)| at <= now)
    }

    /// Something was done now, and made sense.
    pub(super) fn done<M: Machine>(&mut self, world: &World<M>, at: Duration, action: &Action) {
        match *action {
            Action::Broadcast { host } => {
                let hearers = world.taking_part().filter(|hearer| *hearer != host).collect();
                self.broadcasts.push(Sent { at, origin: host, hearers });
            }
            Action::Leave { host } => {
                self.left.insert(host);
            }
            _ => {}
        }
    }

    /// Looks at what is awaited now.
    pub(super) fn look<M: Machine>(&mut self, world: &World<M>, record: &Record, now: Duration) {
        let open = std::mem::take(&mut self.open);
        for expected in open {
            let Some((at, within)) = expected.what.window().filter(|(at, _)| *at <= now) else {
                self.open.push(expected);
                continue;
            };
            let is_over = now >= at + within;
            let past = Past { world, record, now, left: &self.left };
            let found = awaited(world, record, &expected.what, is_over)
                .or_else(|| past.lacks(&expected.what));
            let is_met = found.is_none();
            if !is_met && !is_over {
                self.open.push(expected);
                continue;
            }
            let took = is_met.then_some(now - at);
            let found = match found {
                Some(found) => found,
                None => format!("after {}", span::short(now - at)),
            };
            self.add(expected, is_met, took, found);
        }
    }

    /// Looks at the whole run.
    pub(super) fn finish<M: Machine>(
        mut self,
        world: &World<M>,
        record: &Record,
        began: swim_core::Instant,
    ) -> Vec<Verdict> {
        for expected in std::mem::take(&mut self.open) {
            let now = world.now.saturating_since(began);
            let past = Past { world, record, now, left: &self.left };
            let lacks = past.lacks(&expected.what);
            let (is_met, found) = match &expected.what {
                Expectation::NoFalseFailure { from, until, except } => {
                    no_false_failure(record, (*from, *until), except)
                }
                Expectation::Traffic { per_node_at_most, from, until } => {
                    let rate = record.traffic(*from, *until).unwrap_or(f64::INFINITY);
                    (rate <= *per_node_at_most as f64, format!("{rate:.0} B/s per node"))
                }
                Expectation::BroadcastsDelivered { within, share } => {
                    self.delivered(world, began, *within, *share)
                }
                Expectation::Agree { .. }
                | Expectation::FailedSomewhere { .. }
                | Expectation::FailedEverywhere { .. }
                | Expectation::LeftNotFailed { .. }
                | Expectation::Believed { .. } => (false, "the run ended before".into()),
            };
            let (is_met, found) = match lacks {
                Some(lacks) if expected.what.window().is_none() => (false, lacks),
                _ => (is_met, found),
            };
            self.add(expected, is_met, None, found);
        }
        self.verdicts.sort_by_key(|verdict| verdict.line);
        self.verdicts
    }

    fn add(&mut self, expected: &Expected, is_met: bool, took: Option<Duration>, found: String) {
        let Expected { line, what } = expected;
        let verdict = Verdict { line: *line, expected: what.summary(), is_met, took, found };
        self.verdicts.push(verdict);
    }

    fn delivered<M: Machine>(
        &self,
        world: &World<M>,
        began: swim_core::Instant,
        within: Duration,
        share: f64,
    ) -> (bool, String) {
        // From when a broadcast was sent and who heard it to when.
        let mut heard: BTreeMap<(String, u64, HostId), Duration> = BTreeMap::new();
        for entry in world.history.iter().flat_map(History::entries) {
            if let Some((origin, payload)) = entry.broadcast()
                && let Ok(nanos) = <[u8; 8]>::try_from(payload)
            {
                let key = (origin.to_owned(), u64::from_le_bytes(nanos), entry.host);
                heard.entry(key).or_insert(entry.at.saturating_since(began));
            }
        }
        let (mut due, mut done, mut missing) = (0_u64, 0_u64, None);
        for sent in &self.broadcasts {
            let nanos = (began + sent.at).as_nanos();
            let origin = world.name_of(sent.origin);
            for &hearer in &sent.hearers {
                let is_there = world.is_running(hearer) && !world.node(hearer).has_left();
                if !is_there {
                    continue;
                }
                due += 1;
                let at = heard.get(&(origin.clone(), nanos, hearer));
                if at.is_some_and(|at| at.saturating_sub(sent.at) <= within) {
                    done += 1;
                } else {
                    missing.get_or_insert((sent, hearer, at.copied()));
                }
            }
        }
        let reached = if due == 0 { 1.0 } else { done as f64 / due as f64 };
        let mut found = format!("{done} of {due} deliveries");
        if self.broadcasts.is_empty() {
            found = "nothing was broadcast".into();
        } else if due == 0 {
            found = "nobody took part, from a broadcast until the end, who could hear it".into();
        } else if let Some((sent, hearer, at)) = missing {
            let at = at.map_or("never".into(), |at| format!("after {}", span::short(at - sent.at)));
            let sent_at = span::short(sent.at);
            let origin = sent.origin;
            found += &format!("; host {hearer} heard {origin}'s of {sent_at} {at}");
        }
        (due > 0 && reached >= share, found)
    }
}

/// Why it is not so yet, in words if they are asked for; `None` if it is.
fn awaited<M: Machine>(
    world: &World<M>,
    record: &Record,
    what: &Expectation,
    explain: bool,
) -> Option<String> {
    // Finding out what differs takes much longer than finding out that something does.
    let why = || if explain { one_line(&world.disagreements()) } else { String::new() };
    match what {
        Expectation::Agree { among, .. } if among.is_empty() => (!world.agree()).then(why),
        Expectation::Agree { among, .. } => (!world.agree_among(&present(world, among))).then(why),
        Expectation::FailedSomewhere { hosts, .. } => {
            let knows = |observer, subject| {
                matches!(belief(world, observer, subject), Belief::Dead | Belief::Left)
            };
            let is_missed = |subject: &&HostId| !world.taking_part().any(|it| knows(it, **subject));
            let found = hosts.iter().find(is_missed);
            found.map(|subject| format!("nobody knows that host {subject} failed"))
        }
        Expectation::FailedEverywhere { hosts, .. } => {
            let pairs = pairs(world, hosts);
            let found = pairs.into_iter().find(|pair| !is_gone(world, pair.0, pair.1));
            found.map(|(observer, subject)| believes(world, observer, subject))
        }
        Expectation::LeftNotFailed { hosts, .. } => {
            let failed = record.failures.iter().find(|it| hosts.contains(&it.subject));
            if let Some(failed) = failed {
                let (observer, subject) = (failed.observer, failed.subject);
                return Some(format!("host {observer} took host {subject} for failed"));
            }
            let is_known = |(observer, subject): &(HostId, HostId)| {
                !matches!(belief(world, *observer, *subject), Belief::Left | Belief::Unknown)
            };
            let found = pairs(world, hosts).into_iter().find(is_known);
            found.map(|(observer, subject)| believes(world, observer, subject))
        }
        Expectation::Believed { hosts, r#as, by, .. } => {
            let is_by = |observer: HostId| by.is_empty() || by.contains(&observer);
            let is_other = |(observer, subject): &(HostId, HostId)| {
                is_by(*observer) && belief(world, *observer, *subject) != *r#as
            };
            let found = pairs(world, hosts).into_iter().find(is_other);
            found.map(|(observer, subject)| believes(world, observer, subject))
        }
        Expectation::NoFalseFailure { .. }
        | Expectation::BroadcastsDelivered { .. }
        | Expectation::Traffic { .. } => None,
    }
}

/// Whether nobody was declared failed from one time until another who ran, was awake and could be
/// reached, and the first who was; `except` for some of whom it does not matter.
#[must_use]
pub fn no_false_failure(
    record: &Record,
    (from, until): (Duration, Duration),
    except: &[HostId],
) -> (bool, String) {
    let is_one = |it: &&crate::record::Failure| {
        it.is_false && it.at >= from && it.at <= until && !except.contains(&it.subject)
    };
    let mut found = record.failures.iter().filter(is_one);
    let Some(first) = found.next() else { return (true, "none".into()) };
    let more = match found.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let (at, observer, subject) = (span::short(first.at), first.observer, first.subject);
    (false, format!("host {observer} took host {subject} for failed at {at}{more}"))
}

/// Whether somebody knows that another is gone: it may have forgotten it since.
fn is_gone<M: Machine>(world: &World<M>, observer: HostId, subject: HostId) -> bool {
    matches!(belief(world, observer, subject), Belief::Dead | Belief::Left | Belief::Unknown)
}

fn believes<M: Machine>(world: &World<M>, observer: HostId, subject: HostId) -> String {
    let belief = belief(world, observer, subject).name();
    format!("host {observer} believes host {subject} {belief}")
}

/// The first of several lines, and how many more there are.
fn one_line(lines: &str) -> String {
    let mut lines = lines.lines();
    let first = lines.next().unwrap_or("they do not agree").to_owned();
    match lines.count() {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}
