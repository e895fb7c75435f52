//! Makes a failing run smaller: fewer nodes, fewer actions, less time, the same failure. (D5)
//!
//! What is left out changes nobody's luck: nodes and links draw from streams of their own.

use std::time::Duration;

use crate::{
    action::{Action, Timed},
    malice::Torrent,
    network::HostId,
    span,
};

use super::{
    plan::{Mode, Plan},
    verdict::Failure,
};

/// The smallest plan found that still fails, and how.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The plan.
    pub plan: Plan,
    /// How it fails.
    pub failure: Failure,
    /// How many runs it took.
    pub runs: usize,
}

/// Makes a plan smaller as long as it fails by the same finder, with at most `runs_max` runs.
/// `attempt` runs a plan and returns how it failed. `None`: it does not fail at all.
pub fn shrink(
    plan: &Plan,
    runs_max: usize,
    mut attempt: impl FnMut(&Plan) -> Option<Failure>,
) -> Option<Shrunk> {
    let failure = attempt(plan)?;
    let shrunk = Shrunk { plan: plan.clone(), failure, runs: 1 };
    let mut search = Search { shrunk, runs_max, attempt };
    loop {
        let before = search.size();
        search.cut_time();
        search.drop_nodes();
        search.drop_actions();
        search.cut_spans();
        if search.size() == before || search.is_spent() {
            return Some(search.shrunk);
        }
    }
}

struct Search<F> {
    shrunk: Shrunk,
    runs_max: usize,
    attempt: F,
}

impl<F: FnMut(&Plan) -> Option<Failure>> Search<F> {
    fn size(&self) -> (usize, Duration) {
        (self.shrunk.plan.actions.len() + self.shrunk.plan.lasting.len(), self.shrunk.plan.chaos)
    }

    const fn is_spent(&self) -> bool {
        self.shrunk.runs >= self.runs_max
    }

    /// Takes a plan in place of the one so far, if it fails in the same way.
    fn try_instead(&mut self, plan: Plan) -> bool {
        if self.is_spent() {
            return false;
        }
        self.shrunk.runs += 1;
        let finder = self.shrunk.failure.finder().to_owned();
        match (self.attempt)(&plan).filter(|failure| failure.finder() == finder) {
            Some(failure) => {
                self.shrunk.plan = plan;
                self.shrunk.failure = failure;
                true
            }
            None => false,
        }
    }

    /// Ends the chaos sooner.
    fn cut_time(&mut self) {
        let mut step = self.shrunk.plan.chaos / 2;
        while step > Duration::from_millis(500) {
            let mut plan = self.shrunk.plan.clone();
            plan.chaos = plan.chaos.saturating_sub(step);
            plan.actions.retain(|timed| timed.at <= plan.chaos);
            if !self.try_instead(plan) {
                step /= 2;
            }
        }
    }

    /// Leaves out whole hosts, from the last on.
    fn drop_nodes(&mut self) {
        let mut hosts = self.shrunk.plan.hosts();
        let mut width = hosts.len() / 2;
        while width > 0 {
            let mut end = hosts.len();
            while end > 0 {
                let from = end.saturating_sub(width);
                let without = self.shrunk.plan.without(&hosts[from..end]);
                if self.try_instead(without) {
                    hosts.drain(from..end);
                }
                end = from;
            }
            width /= 2;
        }
    }

    /// Leaves out actions, in ever smaller pieces. (Zeller: delta debugging)
    fn drop_actions(&mut self) {
        let mut width = self.shrunk.plan.actions.len().div_ceil(2);
        while width > 0 {
            let mut end = self.shrunk.plan.actions.len();
            while end > 0 {
                let from = end.saturating_sub(width);
                let mut plan = self.shrunk.plan.clone();
                plan.actions.drain(from..end);
                self.try_instead(plan);
                end = from;
            }
            width /= 2;
        }
        for place in (0..self.shrunk.plan.lasting.len()).rev() {
            let mut plan = self.shrunk.plan.clone();
            plan.lasting.remove(place);
            self.try_instead(plan);
        }
    }

    /// Makes what takes a while take less.
    fn cut_spans(&mut self) {
        for place in 0..self.shrunk.plan.actions.len() {
            for _ in 0..SPAN_CUTS {
                let mut plan = self.shrunk.plan.clone();
                if !halve(&mut plan.actions[place].action) || !self.try_instead(plan) {
                    break;
                }
            }
        }
    }
}

impl Shrunk {
    /// How much is left, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        let plan = &self.plan;
        let nodes = plan.hosts().len();
        let faults = plan.actions.iter().filter(|timed| starts_at(timed).is_none()).count();
        let faults = faults + plan.lasting.len();
        let (time, runs) = (span::short(plan.chaos), self.runs);
        format!("{nodes} nodes, {faults} faults and {time} of them left after {runs} runs")
    }
}

impl Plan {
    /// The hosts on which something is ever started.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostId> {
        let mut hosts: Vec<HostId> = self.actions.iter().filter_map(starts_at).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }

    /// The plan without these hosts. The others keep their numbers, and so their luck.
    #[must_use]
    pub fn without(&self, hosts: &[HostId]) -> Self {
        let mut plan = self.clone();
        plan.actions.retain_mut(|timed| keep(&mut timed.action, hosts));
        plan.lasting.retain_mut(|timed| keep(&mut timed.action, hosts));
        if plan.lasting.is_empty() && matches!(plan.mode, Mode::Frozen { .. }) {
            plan.mode = Mode::Calm;
        }
        plan
    }
}

/// Takes hosts out of an action; returns whether anything is left of it.
fn keep(action: &mut Action, gone: &[HostId]) -> bool {
    let is_gone = |host: &HostId| gone.contains(host);
    match action {
        Action::Start { host, seeds, .. }
        | Action::Join { host, seeds }
        | Action::Intrude { host, seeds, .. } => {
            seeds.retain(|seed| !is_gone(seed));
            !is_gone(host)
        }
        Action::Remove { host, subject } => !is_gone(host) && !is_gone(subject),
        Action::Crash { host }
        | Action::Leave { host }
        | Action::Update { host }
        | Action::Broadcast { host }
        | Action::Freeze { host, .. }
        | Action::Hold { host, .. }
        | Action::Starve { host, .. }
        | Action::Slow { host, .. }
        | Action::Drift { host, .. }
        | Action::Jump { host, .. }
        | Action::SetClock { host, .. }
        | Action::Ends { host, .. }
        | Action::Garbage { host, .. }
        | Action::Assault { host, .. }
        | Action::Misuse { host }
        | Action::Send { host, .. }
        | Action::Rotate { host, .. } => !is_gone(host),
        Action::Forge { host, from, lie, .. } => {
            !is_gone(host) && !is_gone(from) && !is_gone(&lie.about)
        }
        Action::Flood { host, from, flood } => {
            let is_about_gone =
                matches!(flood.of, Torrent::Lies { lie, .. } if is_gone(&lie.about));
            !is_gone(host) && !is_gone(from) && !is_about_gone
        }
        Action::Clog { from, to, .. } | Action::Link { from, to, .. } => {
            !is_gone(from) && !is_gone(to)
        }
        Action::Cut { from, to } | Action::CutPackets { from, to } => {
            from.retain(|host| !is_gone(host));
            to.retain(|host| !is_gone(host));
            !from.is_empty() && !to.is_empty()
        }
        Action::Partition { groups } => {
            for group in &mut *groups {
                group.retain(|host| !is_gone(host));
            }
            groups.iter().any(|group| !group.is_empty())
        }
        Action::Mend | Action::Heal | Action::Links { .. } | Action::Replays { .. } => true,
    }
}

fn starts_at(timed: &Timed) -> Option<HostId> {
    match timed.action {
        Action::Start { host, .. } | Action::Intrude { host, .. } => Some(host),
        _ => None,
    }
}

/// Halves the span of an action; returns whether it has one worth halving.
fn halve(action: &mut Action) -> bool {
    let (Action::Freeze { span, .. }
    | Action::Hold { span, .. }
    | Action::Starve { span, .. }
    | Action::Jump { span, .. }
    | Action::SetClock { span, .. }
    | Action::Clog { span, .. }) = action
    else {
        return false;
    };
    *span /= 2;
    *span > Duration::from_millis(100)
}

/// A span is halved so often at most in one pass.
const SPAN_CUTS: usize = 4;
