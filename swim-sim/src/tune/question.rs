//! What is asked, what one run shows, and what all runs of a choice show together.

use std::time::Duration;

use swim_core::Profile;

use crate::{
    network::Link,
    scenario::{Assignment, Wire},
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// How many nodes there are.
    pub nodes: usize,
    /// What the network is like.
    pub link: Link,
    /// The preset.
    pub profile: Profile,
    /// What else is different from it.
    pub settings: Vec<Assignment>,
    /// What stands on the wire.
    pub wire: Wire,
    /// How many broadcasts there are in a second, in the whole cluster, in the busy phase.
    pub broadcasts: u32,
}

/// One choice of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Least time between two rounds of gossip.
    pub gossip_interval: Duration,
    /// To how many members each round goes.
    pub gossip_nodes: usize,
    /// Time between two probes.
    pub probe_interval: Duration,
}

/// What one run showed.
#[derive(Clone, Debug, Default)]
pub struct Measurement {
    /// Until all agreed after a join; `None` if they did not.
    pub join: Option<Duration>,
    /// Until the first knew of a crash.
    pub first: Option<Duration>,
    /// Until all did.
    pub everywhere: Option<Duration>,
    /// How often a node took another for failed that was not.
    pub false_failures: u64,
    /// How long each broadcast took to each node.
    pub arrivals: Vec<Duration>,
    /// How many of those there should have been.
    pub due: usize,
    /// Bytes a second that a node sent while nothing happened.
    pub idle: f64,
    /// The same while nodes broadcast.
    pub busy: f64,
}

/// What all runs of a choice showed.
#[derive(Clone, Debug)]
pub struct Row {
    /// The choice.
    pub choice: Choice,
    /// Until all agreed after a join: the middle run. `None` if they did not in one of the runs.
    pub join: Option<Duration>,
    /// Until 99 % of all deliveries of broadcasts were made; `None` if they were not.
    pub news: Option<Duration>,
    /// The share of deliveries that were made at all; `None` if nothing was broadcast.
    pub delivered: Option<f64>,
    /// Until the first knew of a crash: the middle run. `None` if nobody did in one of the runs.
    pub first: Option<Duration>,
    /// Until all did.
    pub everywhere: Option<Duration>,
    /// How often a node took another for failed that was not, in all runs.
    pub false_failures: u64,
    /// Bytes a second that a node sent while nothing happened.
    pub idle: f64,
    /// The same while nodes broadcast.
    pub busy: f64,
}

impl Row {
    /// What these runs of one choice showed together.
    #[must_use]
    pub fn new(choice: Choice, runs: &[Measurement]) -> Self {
        let mut arrivals: Vec<Duration> =
            runs.iter().flat_map(|run| run.arrivals.iter().copied()).collect();
        arrivals.sort_unstable();
        let due: usize = runs.iter().map(|run| run.due).sum();
        let mean = |of: fn(&Measurement) -> f64| {
            runs.iter().map(of).sum::<f64>() / runs.len().max(1) as f64
        };
        Self {
            choice,
            join: middle(runs, |run| run.join),
            news: arrivals.get((due * 99).div_ceil(100).saturating_sub(1)).copied(),
            delivered: (due > 0).then(|| arrivals.len() as f64 / due as f64),
            first: middle(runs, |run| run.first),
            everywhere: middle(runs, |run| run.everywhere),
            false_failures: runs.iter().map(|run| run.false_failures).sum(),
            idle: mean(|run| run.idle),
            busy: mean(|run| run.busy),
        }
    }
}

/// The middle one of these spans; `None` if one is missing.
fn middle(runs: &[Measurement], of: fn(&Measurement) -> Option<Duration>) -> Option<Duration> {
    let mut spans = runs.iter().map(of).collect::<Option<Vec<_>>>()?;
    spans.sort_unstable();
    spans.get(spans.len() / 2).copied()
}
