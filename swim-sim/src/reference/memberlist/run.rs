//! Running the model through the Lifeguard paper's two experiments.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    cluster::{Cluster, Tally},
    events::Event,
    rules::{MICROSECOND, MILLISECOND, Rules, SECOND},
};
use crate::chance::{Chance, Purpose, mix};

/// Members that are blocked in lock step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// How many.
    pub subjects: usize,
    /// For how long at a time, in nanoseconds.
    pub blocked: u64,
    /// How long they are free between two blocks, in nanoseconds; 0 if there is but one block.
    pub free: u64,
}

/// Members that run for a moment now and then, each at a phase of its own. Times in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starvation {
    /// How many.
    pub subjects: usize,
    /// How long they run at a time.
    pub runs: u64,
    /// How long they stand still in between.
    pub stands: u64,
    /// What handling a datagram takes them, least and most.
    pub cost: (u64, u64),
    /// For how long this goes on.
    pub span: u64,
}

impl Starvation {
    /// As the experiment wants it, but for the number of subjects.
    pub const PUBLISHED: Self = Self {
        subjects: 0,
        runs: 4 * MILLISECOND,
        stands: 508 * MILLISECOND,
        cost: (100 * MICROSECOND, 300 * MICROSECOND),
        span: 300 * SECOND,
    };
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was counted.
    pub tally: Tally,
    /// How long it ran, in seconds of its own time.
    pub seconds: f64,
    /// Seconds from the start of the fault to the first Fail event about each subject detected.
    pub first: Vec<f64>,
    /// The same to the moment when all healthy members had raised it.
    pub full: Vec<f64>,
}

/// LG1: one block, until all see all healthy or 120 s have passed.
#[must_use]
pub fn threshold(rules: &Rules, anomaly: Anomaly, seed: u64) -> Report {
    let mut cluster = Cluster::start(rules, anomaly, seed);
    cluster.set_all_blocked(true);
    cluster.advance(CALM + anomaly.blocked, false);
    cluster.set_all_blocked(false);
    cluster.advance(END, true);
    cluster.report()
}

/// LG2: block after block, until the first end of a block at or after 120 s.
#[must_use]
pub fn interval(rules: &Rules, anomaly: Anomaly, seed: u64) -> Report {
    let mut cluster = Cluster::start(rules, anomaly, seed);
    loop {
        cluster.set_all_blocked(true);
        cluster.advance(cluster.now + anomaly.blocked, false);
        if cluster.now >= END {
            return cluster.report();
        }
        cluster.set_all_blocked(false);
        cluster.advance(cluster.now + anomaly.free, false);
    }
}

/// LG4: members that get little of the processor.
#[must_use]
pub fn starved(rules: &Rules, starvation: Starvation, seed: u64) -> Report {
    let Starvation { subjects, runs, stands, span, cost } = starvation;
    let mut cluster = Cluster::new(*rules, seed, subjects as u64, subjects);
    cluster.advance(CALM, false);
    let mut luck = Chance::of(seed, Purpose::Faults, subjects as u64);
    // When each stands still, or runs, next.
    let mut turns = BinaryHeap::new();
    for node in (0..rules.n).filter(|&node| cluster.is_subject[node]) {
        cluster.nodes[node].cost = cost;
        turns.push(Reverse((CALM + luck.below(runs + stands), node)));
    }
    while let Some(Reverse((at, node))) = turns.pop().filter(|turn| turn.0.0 < CALM + span) {
        cluster.advance(at, false);
        let stands_still = cluster.nodes[node].is_blocked;
        cluster.set_blocked(node, !stands_still);
        turns.push(Reverse((at + if stands_still { runs } else { stands }, node)));
    }
    cluster.advance(CALM + span, false);
    cluster.report()
}

impl Cluster {
    /// A cluster after its calm.
    pub(super) fn start(rules: &Rules, anomaly: Anomaly, seed: u64) -> Self {
        let salt = mix(mix(anomaly.blocked, anomaly.free), anomaly.subjects as u64);
        let mut cluster = Self::new(*rules, seed, salt, anomaly.subjects);
        cluster.advance(CALM, false);
        cluster
    }

    /// Blocks the subjects in lock step, or lets them go on.
    pub(super) fn set_all_blocked(&mut self, is_blocked: bool) {
        for node in 0..self.rules.n {
            if self.is_subject[node] {
                self.set_blocked(node, is_blocked);
            }
        }
    }

    /// Lets everything happen that lies before `until`, or ends early when nobody doubts anybody.
    pub(super) fn advance(&mut self, until: u64, ends_without_doubts: bool) {
        while !(ends_without_doubts && self.doubts == 0) {
            let Some((at, event)) = self.events.pop_before(until) else {
                self.now = until;
                return;
            };
            self.now = at;
            if !self.defers(event) {
                self.happen(event);
            }
        }
    }

    pub(super) fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { packet } => self.arrive(packet),
            Event::Handle { node } => self.handle(node),
            Event::Stream { slot } => self.stream_arrives(slot),
            Event::ProbeTimeout { node, round } => self.probe_timeout(node, round),
            Event::ProbeDeadline { node, round } => self.probe_deadline(node, round),
            Event::Suspicion { node, subject } => self.suspicion_runs_out(node, subject),
            Event::Nack { node, sequence } => self.nack(node, sequence),
            Event::PushPull { node } => self.push_pull_tick(node),
            Event::PushPullTimeout { node, sequence } => self.end_push_pull(node, sequence),
            Event::Gossip { node } => self.gossip_tick(node),
            Event::Probe { node } => self.probe_tick(node),
        }
    }

    fn report(&self) -> Report {
        let since = |at: u64| (at - CALM) as f64 / SECOND as f64;
        Report {
            tally: self.tally,
            seconds: self.now as f64 / SECOND as f64,
            first: self.detections.iter().filter_map(|seen| seen.first.map(since)).collect(),
            full: self.detections.iter().filter_map(|seen| seen.full.map(since)).collect(),
        }
    }
}

/// Time before the fault.
pub(super) const CALM: u64 = 15 * SECOND;
/// When runs end.
const END: u64 = 120 * SECOND;

#[cfg(test)]
mod tests {
    use super::super::rules::{Configuration, Flavour};
    use super::*;

    fn run(configuration: Configuration, subjects: usize, blocked: u64, free: u64) -> Report {
        let anomaly =
            Anomaly { subjects, blocked: blocked * MILLISECOND, free: free * MILLISECOND };
        interval(&Rules::new(configuration, 128), anomaly, 1)
    }

    #[test]
    fn d1_one_seed_one_history() {
        let one = run(Configuration::Lifeguard, 8, 8_192, 4);
        let other = run(Configuration::Lifeguard, 8, 8_192, 4);
        assert_eq!((one.tally, one.first), (other.tally, other.first));
    }

    #[test]
    fn an_idle_cluster_sends_a_ping_and_an_ack_per_second() {
        let report = run(Configuration::Swim, 0, 16_384, 16_384);
        let each = report.tally.datagrams as f64 / 128.0 / report.seconds;
        assert!((each - 2.0).abs() < 0.02, "{each}");
        assert_eq!(report.tally.false_positives, 0);
    }

    #[test]
    fn lg2_short_blocks_harm_nobody_and_long_ones_do() {
        assert_eq!(run(Configuration::Swim, 16, 512, 16).tally.false_positives, 0);
        let swim = run(Configuration::Swim, 16, 16_384, 64).tally;
        let lifeguard = run(Configuration::Lifeguard, 16, 16_384, 64).tally;
        assert!(swim.false_positives > 300, "{swim:?}");
        assert!(lifeguard.false_positives * 10 < swim.false_positives, "{lifeguard:?}");
    }

    #[test]
    fn a_slow_link_harms_many_and_a_frozen_process_nobody() {
        let run = |flavour| {
            let anomaly =
                Anomaly { subjects: 16, blocked: 16_384 * MILLISECOND, free: 64 * MILLISECOND };
            interval(&Rules::new(Configuration::Swim, 128).in_flavour(flavour), anomaly, 1).tally
        };
        // All timers of HOLD go on, and everybody fails everybody on the other side. In STALL an
        // answer that waits is read before the timer that would have given it up.
        let (task, hold) = (run(Flavour::Task), run(Flavour::Hold));
        assert!(hold.false_positives > 10 * task.false_positives, "{hold:?} {task:?}");
        assert!(hold.healthy_false_positives > 1_000, "{hold:?}");
        assert_eq!(run(Flavour::Stall).false_positives, 0);
    }

    #[test]
    fn lg1_a_block_is_detected_when_its_suspicion_has_run_out() {
        let anomaly = Anomaly { subjects: 8, blocked: 32_768 * MILLISECOND, free: 0 };
        let report = threshold(&Rules::new(Configuration::Swim, 128), anomaly, 1);
        assert_eq!((report.first.len(), report.full.len()), (8, 8));
        assert!(report.first.iter().all(|&at| (11.5..25.0).contains(&at)), "{:?}", report.first);
        assert!(report.seconds > 47.7 && report.seconds < 60.0, "{}", report.seconds);
    }
}
