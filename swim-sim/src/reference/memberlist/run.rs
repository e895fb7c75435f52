//! Running the model through the Lifeguard paper's two experiments.

use super::{
    cluster::{Cluster, Tally},
    events::Event,
    rules::{Rules, SECOND},
};
use crate::chance::mix;

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
    cluster.set_blocked(true);
    cluster.advance(CALM + anomaly.blocked, false);
    cluster.set_blocked(false);
    cluster.advance(END, true);
    cluster.report()
}

/// LG2: block after block, until the first end of a block at or after 120 s.
#[must_use]
pub fn interval(rules: &Rules, anomaly: Anomaly, seed: u64) -> Report {
    let mut cluster = Cluster::start(rules, anomaly, seed);
    loop {
        cluster.set_blocked(true);
        cluster.advance(cluster.now + anomaly.blocked, false);
        if cluster.now >= END {
            return cluster.report();
        }
        cluster.set_blocked(false);
        cluster.advance(cluster.now + anomaly.free, false);
    }
}

impl Cluster {
    /// A cluster after its calm.
    fn start(rules: &Rules, anomaly: Anomaly, seed: u64) -> Self {
        let salt = mix(mix(anomaly.blocked, anomaly.free), anomaly.subjects as u64);
        let mut cluster = Self::new(*rules, seed, salt, anomaly.subjects);
        cluster.advance(CALM, false);
        cluster
    }

    /// Blocks the subjects, or lets them go on: each hanging send leaves in its turn, then what
    /// came by stream is read, then datagrams are handled one by one.
    fn set_blocked(&mut self, is_blocked: bool) {
        for node in 0..self.rules.n {
            if !self.is_subject[node] {
                continue;
            }
            self.nodes[node].is_blocked = is_blocked;
            if is_blocked {
                continue;
            }
            for hanging in std::mem::take(&mut self.nodes[node].hanging) {
                self.resume(node, hanging);
            }
            for slot in std::mem::take(&mut self.nodes[node].streams) {
                self.handle_stream(slot);
            }
            self.go_on_handling(node);
        }
    }

    /// Lets everything happen that lies before `until`, or ends early when nobody doubts anybody.
    fn advance(&mut self, until: u64, ends_without_doubts: bool) {
        while !(ends_without_doubts && self.doubts == 0) {
            let Some((at, event)) = self.events.pop_before(until) else {
                self.now = until;
                return;
            };
            self.now = at;
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
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
const CALM: u64 = 15 * SECOND;
/// When runs end.
const END: u64 = 120 * SECOND;
