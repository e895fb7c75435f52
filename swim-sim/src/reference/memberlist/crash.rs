//! Members of the model that crash, and what that costs the others. A crash is a block without an
//! end: nothing leaves any more, and nothing is answered.

use super::{
    cluster::{Cluster, Traffic},
    rules::{Rules, SECOND},
    run::{Anomaly, CALM},
};

/// What came of crashes.
#[derive(Clone, Debug)]
pub struct Collapse {
    /// Seconds until somebody healthy removed any of them.
    pub first_change: f64,
    /// Seconds until all healthy members had removed all of them.
    pub agreed: Option<f64>,
    /// What each healthy member received and sent in each second since the crash.
    pub traffic: Vec<Traffic>,
}

/// So many members crash after the calm; so many seconds go by.
#[must_use]
pub fn crash(rules: &Rules, subjects: usize, seconds: u64, seed: u64) -> Collapse {
    let blocked = seconds * SECOND;
    let mut cluster = Cluster::start(rules, Anomaly { subjects, blocked, free: 0 }, seed);
    let mut before: Vec<Traffic> = cluster.nodes.iter().map(|node| node.traffic).collect();
    cluster.set_all_blocked(true);
    let mut traffic = Vec::new();
    for second in 1..=seconds {
        cluster.advance(CALM + second * SECOND, false);
        for (node, before) in before.iter_mut().enumerate() {
            let now = cluster.nodes[node].traffic;
            if !cluster.is_subject[node] {
                traffic.push(now.since(*before));
            }
            *before = now;
        }
    }
    let since = |at: u64| (at - CALM) as f64 / SECOND as f64;
    let first_change = cluster.detections.iter().filter_map(|seen| seen.first).min();
    let last_change = cluster.detections.iter().filter_map(|seen| seen.full).max();
    let is_full = cluster.detections.iter().filter(|seen| seen.full.is_some()).count() == subjects;
    Collapse {
        first_change: first_change.map_or(f64::NAN, since),
        agreed: last_change.filter(|_| is_full).map(since),
        traffic,
    }
}

impl Traffic {
    const fn since(self, before: Self) -> Self {
        Self {
            received: self.received - before.received,
            sent: self.sent - before.sent,
            stream_received: self.stream_received - before.stream_received,
            stream_sent: self.stream_sent - before.stream_sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_crashes_are_known_to_all_after_the_least_time_of_a_suspicion() {
        let rules = Rules::lifeguard(4.0, 6.0, 128);
        let collapse = crash(&rules, 10, 30, 1);
        // 4 log10(128) = 8.4 s, and a second until the probe has failed.
        assert!((9.4..11.0).contains(&collapse.first_change), "{}", collapse.first_change);
        assert!(collapse.agreed.is_some_and(|at| at < 16.0), "{:?}", collapse.agreed);
        assert_eq!(collapse.traffic.len(), 118 * 30);
    }
}
